import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.geometry import ellipsoid
from xr_dip.geometry.grid import RectilinearGrid

FACTORS = st.tuples(st.integers(1, 5), st.integers(1, 5))


def cells(largest):
    return st.lists(st.floats(0.05, largest), min_size=1, max_size=6)


@st.composite
def grids(draw):
    """Uneven grids in both directions, anywhere, in any convention of longitude."""
    latitude = np.cumsum([draw(st.floats(-85, 60)), *draw(cells(5.0))])
    longitude = np.cumsum([draw(st.floats(-180, 350)), *draw(cells(30.0))])
    return RectilinearGrid(
        latitude[:: draw(st.sampled_from([1, -1]))],
        longitude[:: draw(st.sampled_from([1, -1]))],
        draw(st.sampled_from([None, 0.0, 180.0])),
    )


@settings(deadline=None)
@given(grids(), FACTORS)
def test_fine_cells_fill_their_coarse_cell(grid, factor):
    fy, fx = factor
    ny, nx = grid.shape
    blocks = grid.refine(factor).area().reshape(ny, fy, nx, fx)
    np.testing.assert_allclose(blocks.sum(axis=(1, 3)), grid.area(), rtol=1e-10)


@settings(deadline=None)
@given(grids(), FACTORS, FACTORS)
def test_refining_twice_is_refining_by_the_product(grid, first, second):
    twice = grid.refine(first).refine(second)
    once = grid.refine((first[0] * second[0], first[1] * second[1]))
    np.testing.assert_allclose(twice.latitude_edges, once.latitude_edges, atol=1e-11)
    np.testing.assert_allclose(twice.longitude_edges, once.longitude_edges, atol=1e-11)


@settings(deadline=None)
@given(grids(), FACTORS)
def test_fine_centres_lie_inside_their_coarse_cell(grid, factor):
    fine_latitude, fine_longitude = grid.refine(factor).centres()
    for fine, (low, high) in (
        (fine_latitude.reshape(-1, factor[0]), np.sort(grid.bounds()[0], axis=1).T),
        (fine_longitude.reshape(-1, factor[1]), np.sort(grid.bounds()[1], axis=1).T),
    ):
        turns = np.round((fine - (low + high)[:, None] / 2) / 360.0) * 360.0
        assert np.all((fine - turns > low[:, None]) & (fine - turns < high[:, None]))


@settings(deadline=None)
@given(grids())
def test_centres_and_bounds_make_the_same_grid(grid):
    latitude, longitude = grid.centres()
    again = RectilinearGrid.from_centres(latitude, longitude, *grid.bounds())
    turn = again.longitude_edges[0] - grid.longitude_edges[0]
    assert turn / 360.0 == pytest.approx(round(turn / 360.0), abs=1e-12)
    np.testing.assert_allclose(again.latitude_edges, grid.latitude_edges, atol=1e-9)
    np.testing.assert_allclose(again.longitude_edges - turn, grid.longitude_edges, atol=1e-9)


@settings(deadline=None)
@given(grids(), st.data())
def test_a_window_of_the_fine_grid_is_the_fine_grid_of_the_window(grid, data):
    start = data.draw(st.integers(0, grid.shape[0] - 1))
    window = grid.window(slice(start, None), slice(None, 1)).refine((2, 3))
    fine = grid.refine((2, 3)).window(slice(2 * start, None), slice(0, 3))
    np.testing.assert_array_equal(window.latitude_edges, fine.latitude_edges)
    np.testing.assert_array_equal(window.longitude_edges, fine.longitude_edges)


def test_the_globe_has_the_area_of_wgs84():
    grid = RectilinearGrid.from_centres(np.arange(-87.5, 90, 5), np.arange(0, 360, 7.5))
    assert grid.area().sum() == pytest.approx(510065621724088, abs=10)


def test_areas_add_up_over_boxes():
    grid = RectilinearGrid([30.0, 31.5, 40.0], [0.0, 1.0, 9.0])
    box = RectilinearGrid([30.0, 40.0], [0.0, 9.0])
    assert grid.area().sum() == pytest.approx(box.area().item(), rel=1e-13)


def test_edges_are_half_way_and_the_poles_cut():
    grid = RectilinearGrid.from_centres([89.9, 89.0, 88.0], [10.0, 11.0, 13.0])
    np.testing.assert_allclose(grid.latitude_edges, [90.0, 89.45, 88.5, 87.5])
    np.testing.assert_allclose(grid.longitude_edges, [9.5, 10.5, 12.0, 14.0])


def test_bounds_come_before_half_way_edges():
    grid = RectilinearGrid.from_centres([0.0, 1.0], [5.0, 6.0], [[-0.7, 0.4], [0.4, 1.2]], [[4.5, 5.2], [5.2, 7.0]])
    np.testing.assert_array_equal(grid.latitude_edges, [-0.7, 0.4, 1.2])
    np.testing.assert_array_equal(grid.longitude_edges, [4.5, 5.2, 7.0])


def test_one_centre_takes_the_spacing_of_the_other_axis():
    grid = RectilinearGrid.from_centres([10.0], [0.0, 0.5, 1.0])
    np.testing.assert_allclose(grid.latitude_edges, [9.75, 10.25])
    grid = RectilinearGrid.from_centres([10.0, 8.0], [0.0])
    np.testing.assert_allclose(grid.longitude_edges, [-1.0, 1.0])


@pytest.mark.parametrize(
    ("longitude", "fine"),
    [
        ([358.0, 2.0], [357.0, 359.0, 1.0, 3.0]),  # 0..360 with a seam
        ([178.0, -178.0], [177.0, 179.0, -179.0, -177.0]),  # +-180 with a seam
        ([-178.0, 178.0], [-177.0, -179.0, 179.0, 177.0]),  # the same, westward
        ([358.0, 362.0], [357.0, 359.0, 361.0, 363.0]),  # monotone stays monotone
        ([0.0, 4.0], [-1.0, 1.0, 3.0, 5.0]),
        ([350.0, 354.0], [349.0, 351.0, 353.0, 355.0]),
    ],
)
def test_fine_longitudes_keep_the_convention_of_the_input(longitude, fine):
    grid = RectilinearGrid.from_centres([0.0, 4.0], longitude).refine((1, 2))
    np.testing.assert_allclose(grid.centres()[1], fine, atol=1e-12)
    np.testing.assert_allclose(grid.bounds()[1].mean(axis=1), fine, atol=1e-12)


def test_bounds_in_another_convention_than_the_centres_are_moved():
    grid = RectilinearGrid.from_centres([0.0, 1.0], [-0.5, 0.5], longitude_bounds=[[359.0, 360.0], [0.0, 1.0]])
    np.testing.assert_array_equal(grid.longitude_edges, [-1.0, 0.0, 1.0])


def test_descending_axes_stay_descending():
    grid = RectilinearGrid.from_centres([3.0, 2.0, 1.0], [8.0, 6.0]).refine((2, 2))
    np.testing.assert_allclose(grid.centres()[0], [3.25, 2.75, 2.25, 1.75, 1.25, 0.75])
    np.testing.assert_allclose(grid.centres()[1], [8.5, 7.5, 6.5, 5.5])
    np.testing.assert_allclose(grid.bounds()[0][0], [3.5, 3.0])
    assert np.all(grid.area() > 0)


@pytest.mark.parametrize(
    ("longitude", "periodic"),
    [
        (np.arange(0.125, 360, 0.25), True),
        (np.arange(-180, 180, 1 / 12), True),
        (np.arange(-180, 180, 1 / 12).astype(np.float32), True),
        (np.arange(179.5, -180, -1.0), True),
        (np.arange(0.0, 359, 1.0), False),
        (np.arange(0.0, 361, 1.0), False),
    ],
)
def test_periodic_means_360_degrees(longitude, periodic):
    grid = RectilinearGrid.from_centres([0.0, 1.0], longitude)
    assert grid.periodic is periodic
    assert grid.refine((2, 4)).periodic is periodic


def test_spacing_in_metres():
    """Along the meridian M(phi), along the parallel N(phi) cos(phi), at the middle of the grid."""
    grid = RectilinearGrid.from_centres(np.arange(39.0, 42.0), np.arange(3.0))
    northward, eastward = ellipsoid.degree_lengths(40.0)
    assert grid.spacing() == pytest.approx((northward, eastward), rel=1e-12)
    assert np.prod(grid.spacing()) == pytest.approx(grid.area()[1, 0], rel=1e-4)


def test_the_value_cannot_be_changed():
    latitude = np.array([0.0, 1.0])
    grid = RectilinearGrid(latitude, [0.0, 1.0])
    latitude[0] = -5.0
    assert grid.latitude_edges[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        grid.latitude_edges[0] = 1.0
    with pytest.raises(AttributeError, match="cannot assign"):
        grid.latitude_edges = latitude


@pytest.mark.parametrize(
    ("latitude", "longitude", "message"),
    [
        ([0.0, 2.0, 1.0], [0.0, 1.0], "Invalid latitude 2.0, 1.0 at index 1. It must be strictly monotone"),
        ([0.0, 0.0], [0.0, 1.0], "Invalid latitude 0.0, 0.0 at index 0. It must be strictly monotone"),
        ([0.0, 1.0], [3.0, 1.0, 2.0], "Invalid longitude 1.0, 2.0 at index 1. It must be strictly monotone"),
        ([0.0, np.nan], [0.0, 1.0], "Invalid latitude nan at index 1. It must be finite"),
        ([0.0, 1.0], [0.0, np.inf], "Invalid longitude inf at index 1. It must be finite"),
        ([0.0, 91.0], [0.0, 1.0], "Invalid latitude 91.0 at index 1. It must be within -90 and 90"),
        ([[0.0, 1.0]], [0.0, 1.0], r"Invalid latitude of shape \(1, 2\). It must be 1-D"),
        ([0.0, 1.0], [[0.0]], r"Invalid longitude of shape \(1, 1\). It must be 1-D"),
        ([0.0, 1.0], [], r"Invalid longitude of shape \(0,\). It must be 1-D with at least 1"),
        ([0.0], [0.0], "Invalid latitude of one value. It must come with bounds, or with another axis"),
    ],
)
def test_centres_that_are_no_axis_are_refused(latitude, longitude, message):
    with pytest.raises(ValueError, match=message):
        RectilinearGrid.from_centres(latitude, longitude)


def test_bounds_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"Invalid longitude_bounds of shape \(3,\). It must be \(2, 2\)"):
        RectilinearGrid.from_centres([0.0, 1.0], [0.0, 1.0], longitude_bounds=[0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"Invalid latitude_bounds of shape \(1, 2\). It must be \(2, 2\)"):
        RectilinearGrid.from_centres([0.0, 1.0], [0.0, 1.0], latitude_bounds=[[0.0, 1.0]])


def test_edges_that_are_no_grid_are_refused():
    with pytest.raises(ValueError, match=r"Invalid latitude_edges of shape \(1,\). It must be 1-D with at least 2"):
        RectilinearGrid([0.0], [0.0, 1.0])
    with pytest.raises(ValueError, match=r"Invalid latitude_edges 90.5 at index 1"):
        RectilinearGrid([0.0, 90.5], [0.0, 1.0])
