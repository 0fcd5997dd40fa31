import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from xr_dip import samples
from xr_dip.geometry import ellipsoid
from xr_dip.geometry.grid import CurvilinearGrid, RectilinearGrid

FACTORS = st.tuples(st.integers(1, 4), st.integers(1, 4))
SIZES = st.tuples(st.integers(2, 5), st.integers(2, 5))


def box(size=(4, 5), spacing=0.25, latitude=40.0, longitude=-60.0):
    """Centres of a box of parallels and meridians, as 2-D arrays."""
    y, x = (spacing * (np.arange(n) - (n - 1) / 2) for n in size)
    return np.meshgrid(latitude + y, longitude + x, indexing="ij")


@st.composite
def centres(draw):
    """Boxes of 0.02 to 3 degree cells near the equator, turned to anywhere on the sphere, both poles included."""
    flat = box(draw(SIZES), draw(st.floats(0.02, 3.0)), latitude=5.0, longitude=0.0)
    if draw(st.booleans()):
        flat = [part[::-1] for part in flat]
    turned = draw(rotations()).apply(ellipsoid.unit_vectors(*flat).reshape(-1, 3)).reshape(*flat[0].shape, 3)
    return ellipsoid.latitude_longitude(turned)


def rotations():
    angles = st.tuples(st.floats(0, 360), st.floats(0, 180), st.floats(0, 360))
    return angles.map(lambda angle: Rotation.from_euler("zyz", angle, degrees=True))


@settings(deadline=None)
@given(centres(), FACTORS)
def test_fine_cells_fill_their_coarse_cell(latitude_longitude, factor):
    grid = CurvilinearGrid.from_centres(*latitude_longitude)
    fy, fx = factor
    ny, nx = grid.shape
    blocks = grid.refine(factor).area().reshape(ny, fy, nx, fx)
    np.testing.assert_allclose(blocks.sum(axis=(1, 3)), grid.area(), rtol=1e-10)


@settings(deadline=None)
@given(centres(), FACTORS)
def test_fine_centres_lie_inside_their_coarse_cell(latitude_longitude, factor):
    """A point is inside of a cell if it lies on the same side of each of its four great circles as the middle does."""
    grid = CurvilinearGrid.from_centres(*latitude_longitude)
    points = ellipsoid.unit_vectors(*grid.refine(factor).centres())
    corners = [
        grid.corners[j : j + grid.shape[0], i : i + grid.shape[1]].repeat(factor[0], axis=0).repeat(factor[1], axis=1)
        for j, i in ((0, 0), (0, 1), (1, 1), (1, 0))
    ]
    middle = sum(corners)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        circle = np.cross(start, end - start)
        assert np.all(np.sum(circle * points, axis=-1) * np.sum(circle * middle, axis=-1) > 0)


@settings(deadline=None)
@given(SIZES, st.floats(0.02, 3.0), rotations())
def test_the_grid_of_turned_centres_is_the_turned_grid(size, spacing, rotation):
    flat = CurvilinearGrid.from_centres(*box(size, spacing, latitude=5.0))
    turned = rotation.apply(ellipsoid.unit_vectors(*box(size, spacing, latitude=5.0)).reshape(-1, 3))
    grid = CurvilinearGrid.from_centres(*ellipsoid.latitude_longitude(turned.reshape(*size, 3)))
    expected = rotation.apply(flat.corners.reshape(-1, 3).copy()).reshape(flat.corners.shape)
    np.testing.assert_allclose(grid.corners, expected, atol=1e-11)


@settings(deadline=None)
@given(centres(), st.sampled_from([(1, 1), (2, 3)]))
def test_centres_and_bounds_make_the_same_grid(latitude_longitude, factor):
    grid = CurvilinearGrid.from_centres(*latitude_longitude).refine(factor)
    again = CurvilinearGrid.from_centres(*grid.centres(), *grid.bounds())
    np.testing.assert_allclose(again.corners, grid.corners, atol=1e-12)


def test_bounds_run_anticlockwise_from_the_first_corner_whichever_way_y_goes():
    latitude, longitude = box()
    up = CurvilinearGrid.from_centres(latitude, longitude)
    down = CurvilinearGrid.from_centres(latitude[::-1], longitude[::-1])
    for grid in (up, down):
        south_west_first = grid is up
        bounds = np.stack(grid.bounds(), axis=-1)
        start = (
            [latitude.min() - 0.125, longitude.min() - 0.125] if south_west_first else [latitude.max() + 0.125, -60.625]
        )
        np.testing.assert_allclose(bounds[0, 0, 0], start, atol=1e-3)
        sides = np.roll(bounds, -1, axis=2) - bounds
        turns = sides[..., 1] * np.roll(sides, -1, axis=2)[..., 0] - sides[..., 0] * np.roll(sides, -1, axis=2)[..., 1]
        assert np.all(turns > 0)


def test_clockwise_bounds_are_read_too():
    grid = CurvilinearGrid.from_centres(*box())
    clockwise = [part[..., [0, 3, 2, 1]] for part in grid.bounds()]
    again = CurvilinearGrid.from_centres(*box(), *clockwise)
    np.testing.assert_allclose(again.corners, grid.corners, atol=1e-13)


def test_one_cell_is_a_grid_if_it_has_bounds():
    whole = CurvilinearGrid.from_centres(*box())
    cell = whole.window(slice(1, 2), slice(2, 3))
    again = CurvilinearGrid.from_centres(*cell.centres(), *cell.bounds())
    np.testing.assert_allclose(again.corners, cell.corners, atol=1e-13)


def test_a_box_of_parallels_and_meridians_is_nearly_the_rectilinear_one():
    """They differ by the strip between a parallel and its arc of a great circle, about (0.25 deg)^2 / 16 here."""
    latitude, longitude = box(spacing=0.25)
    curved = CurvilinearGrid.from_centres(latitude, longitude).refine((2, 2))
    straight = RectilinearGrid.from_centres(latitude[:, 0], longitude[0]).refine((2, 2))
    np.testing.assert_allclose(curved.area(), straight.area(), rtol=1e-4)
    np.testing.assert_allclose(curved.area().sum(), straight.area().sum(), rtol=1e-5)
    assert curved.spacing() == pytest.approx(straight.spacing(), rel=0.01)
    for ours, theirs in zip(curved.centres(), np.meshgrid(*straight.centres(), indexing="ij"), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_corners_are_right_to_third_order_up_to_the_border():
    """Centres on a Mercator grid, whose corners are known: halving the cells divides the error by 8."""

    def mercator(step, shift):
        y = 0.8 + step * (np.arange(6 + (shift == 0)) - 3 + shift)
        x = step * (np.arange(6 + (shift == 0)) - 3 + shift)
        return np.meshgrid(np.degrees(np.arctan(np.sinh(y))), np.degrees(x), indexing="ij")

    errors = [
        np.abs(CurvilinearGrid.from_centres(*mercator(h, 0.5)).corners - ellipsoid.unit_vectors(*mercator(h, 0))).max()
        for h in (0.02, 0.01)
    ]
    assert errors[0] < 1e-5
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.2)


@pytest.mark.parametrize(
    ("middle", "convention", "low", "high"),
    [
        (180.0, 180.0, 0, 360),
        (180.0, 0.0, -180, 180),
        (0.0, 180.0, 0, 360),
        (0.0, 0.0, -1, 1),
        (359.8, 360.0, 359, 361),
    ],
)
def test_fine_longitudes_keep_the_convention_of_the_input(middle, convention, low, high):
    latitude, longitude = box(longitude=middle)
    given_longitude = (longitude - convention + 180) % 360 + convention - 180
    fine_longitude = CurvilinearGrid.from_centres(latitude, given_longitude).refine((3, 3)).centres()[1]
    assert np.all((fine_longitude > low - 1e-9) & (fine_longitude < high + 1e-9))
    blocks = np.exp(1j * np.radians(fine_longitude)).reshape(4, 3, 5, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(np.angle(blocks / np.exp(1j * np.radians(longitude))), 0, atol=1e-6)


def test_bounds_stay_around_their_centre_at_a_seam():
    latitude, longitude = box(longitude=180.0)
    grid = CurvilinearGrid.from_centres(latitude, (longitude + 180) % 360 - 180)
    assert np.abs(grid.bounds()[1] - grid.centres()[1][..., None]).max() < 0.2


@settings(deadline=None)
@given(centres())
def test_a_window_of_the_fine_grid_is_the_fine_grid_of_the_window(latitude_longitude):
    grid = CurvilinearGrid.from_centres(*latitude_longitude)
    window = grid.window(slice(1, None), slice(None, 1)).refine((2, 3))
    fine = grid.refine((2, 3)).window(slice(2, None), slice(0, 3))
    np.testing.assert_array_equal(window.corners, fine.corners)


def test_the_value_cannot_be_changed():
    grid = CurvilinearGrid.from_centres(*box())
    with pytest.raises(ValueError, match="read-only"):
        grid.corners[0, 0, 0] = 1.0


def spoil(values, index, value):
    spoiled = values.copy()
    spoiled[index] = value
    return spoiled


@pytest.mark.parametrize(
    ("latitude", "longitude", "message"),
    [
        (box()[0], box()[1][:2], r"latitude of shape \(4, 5\) and longitude of shape \(2, 5\). They must be 2-D"),
        (box()[0][0], box()[1][0], r"latitude of shape \(5,\).*They must be 2-D"),
        (
            spoil(box()[0], (1, 2), np.nan),
            box()[1],
            r"Invalid latitude nan at index \(1, 2\). It must be finite, on land",
        ),
        (box()[0], spoil(box()[1], (3, 0), np.inf), r"Invalid longitude inf at index \(3, 0\). It must be finite"),
        (
            spoil(box()[0], (1, 2), 95.0),
            box()[1],
            r"Invalid latitude 95.0 at index \(1, 2\). It must be within -90 and 90",
        ),
        (
            *[part[:1, :1] for part in box()],
            "Invalid latitude of one value. It must come with bounds, or with neighbours",
        ),
        (*[np.zeros((4, 5))] * 2, r"Invalid cell at index \(0, 0\): its corners are not finite, coincide or cross"),
        (
            *[spoil(part, (slice(2, None), 3), 0.0) for part in box()],
            "Invalid cell at index .* where some models write 0",
        ),
    ],
)
def test_centres_that_are_no_grid_are_refused(latitude, longitude, message):
    with pytest.raises(ValueError, match=message):
        CurvilinearGrid.from_centres(latitude, longitude)


def test_bounds_that_are_no_grid_are_refused():
    latitude_bounds, longitude_bounds = CurvilinearGrid.from_centres(*box()).bounds()
    with pytest.raises(ValueError, match=r"Invalid latitude_bounds of shape \(4, 5, 2\). It must be \(4, 5, 4\)"):
        CurvilinearGrid.from_centres(*box(), latitude_bounds[..., :2], longitude_bounds)
    with pytest.raises(
        ValueError, match=r"Neighbouring cells must share their corners; they are up to 0\.\d+ of a cell"
    ):
        CurvilinearGrid.from_centres(*box(), spoil(latitude_bounds, (1, 1, 2), 40.1), longitude_bounds)
    with pytest.raises(ValueError, match="Neighbouring cells must share their corners"):
        CurvilinearGrid.from_centres(*box(), spoil(latitude_bounds, (1, 1, 2), np.nan), longitude_bounds)


def test_corners_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"Invalid corners of shape \(2, 2\). It must be \(ny \+ 1, nx \+ 1, 3\)"):
        CurvilinearGrid(np.zeros((2, 2)), 0.0)


@pytest.mark.samples
def test_the_refined_coarse_sample_has_the_grid_of_the_fine_one():
    """The coarse file holds 5 x 5 block means of the fine one, which is a window of the NEMO grid at 1/30 degree.

    Within 1 % of a fine cell everywhere, borders included, but for the rounding of both float32 files.
    """
    coarse = samples.open_dataset("gulf_stream_coarse")
    fine = samples.open_dataset("gulf_stream_fine").isel(x=slice(None, 305))
    refined = CurvilinearGrid.from_centres(coarse.nav_lat.values, coarse.nav_lon.values).refine((5, 5))
    for ours, name in zip(refined.centres(), ("nav_lat", "nav_lon"), strict=True):
        theirs = fine[name].values
        rounding = 2 * np.spacing(np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, atol=0.01 / 30 + rounding, rtol=0)
