"""What dividing cells keeps, on every kind of grid, wherever it is and whichever way its axes run."""

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from xr_dip.geometry import corners, ellipsoid
from xr_dip.geometry.grid import CurvilinearGrid, ProjectedGrid, RectilinearGrid

FACTORS = st.tuples(st.integers(1, 33), st.integers(1, 33))
FLIPS = st.sampled_from([1, -1])
WAYS = [(slice(None), slice(None, None, -1)), (slice(None, None, -1), slice(None))]
MERCATOR = pyproj.CRS("+proj=merc +ellps=WGS84 +lon_0=170").to_wkt()
NORTH_POLE = pyproj.CRS("EPSG:3413").to_wkt()


def steps(largest, least=0.1):
    return st.lists(st.floats(least * largest, largest), min_size=1, max_size=3)


@st.composite
def straight(draw):
    """Irregular axes, either way, across the dateline or not, in either convention."""
    latitude = np.cumsum([draw(st.floats(-80, 70)), *draw(steps(3.0))])[:: draw(FLIPS)]
    longitude = np.cumsum([draw(st.floats(-190, 350)), *draw(steps(20.0))])[:: draw(FLIPS)]
    low = draw(st.sampled_from([-180.0, 0.0]))
    return RectilinearGrid.from_centres(latitude, (longitude - low) % 360 + low)


@st.composite
def curved(draw):
    """A box turned to anywhere on the sphere, poles and dateline included."""
    # Corners at the border are extrapolated: where steps differ by much more, its cells fold.
    latitude = np.cumsum([0.0, *draw(steps(2.0, least=0.3))])[:: draw(FLIPS)]
    longitude = np.cumsum([0.0, *draw(steps(2.0, least=0.3))])
    flat = ellipsoid.unit_vectors(*np.meshgrid(latitude, longitude, indexing="ij"))
    angles = draw(st.tuples(st.floats(0, 360), st.floats(0, 180), st.floats(0, 360)))
    turned = Rotation.from_euler("zyz", angles, degrees=True).apply(flat.reshape(-1, 3)).reshape(flat.shape)
    return CurvilinearGrid.from_centres(*ellipsoid.latitude_longitude(turned))


@st.composite
def projected(draw):
    """Irregular axes of 10 to 100 km, either way, near the pole or the dateline."""
    y = np.cumsum([draw(st.floats(-2e6, 2e6)), *draw(steps(1e5))])[:: draw(FLIPS)]
    x = np.cumsum([draw(st.floats(-2e6, 2e6)), *draw(steps(1e5))])[:: draw(FLIPS)]
    return ProjectedGrid.from_centres(y, x, draw(st.sampled_from([MERCATOR, NORTH_POLE])))


def lattice(grid):
    """Corners (ny + 1, nx + 1, 3) of any grid, as unit vectors."""
    if isinstance(grid, CurvilinearGrid):
        return grid.corners
    if isinstance(grid, ProjectedGrid):
        return grid._vectors(grid.y_edges, grid.x_edges)
    return ellipsoid.unit_vectors(*np.meshgrid(grid.latitude_edges, grid.longitude_edges, indexing="ij"))


@settings(max_examples=25)
@given(st.one_of(straight(), curved(), projected()), FACTORS)
def test_fine_areas_sum_to_coarse_ones(grid, factor):
    (ny, nx), (fy, fx) = grid.shape, factor
    np.testing.assert_allclose(
        grid.refine(factor).area().reshape(ny, fy, nx, fx).sum(axis=(1, 3)), grid.area(), rtol=1e-10
    )


@settings(max_examples=25)
@given(st.one_of(straight(), curved(), projected()), FACTORS)
def test_fine_cells_share_the_corners_of_coarse_ones(grid, factor):
    fine = lattice(grid.refine(factor))[:: factor[0], :: factor[1]]
    np.testing.assert_allclose(fine, lattice(grid), atol=1e-14)


@settings(max_examples=25)
@given(st.one_of(curved(), projected()), FACTORS)
def test_fine_centres_lie_in_their_coarse_cell(grid, factor):
    """None lies beyond a side of its cell, seen from the middle; sides are straight to a hundredth of a cell."""
    latitude, longitude = grid.refine(factor).centres()
    if latitude.ndim == 1:
        latitude, longitude = np.meshgrid(latitude, longitude, indexing="ij")
    points = ellipsoid.unit_vectors(latitude, longitude)
    quads = [part.repeat(factor[0], axis=0).repeat(factor[1], axis=1) for part in corners.quad(lattice(grid))]
    middle = sum(quads)
    for start, end in zip(quads, quads[1:] + quads[:1], strict=True):
        side = np.cross(start, end - start)
        inside = np.sum(side * points, axis=-1) / np.sum(side * corners.normalise(middle), axis=-1)
        assert np.all(inside > -0.01)


@settings(max_examples=25)
@given(straight(), FACTORS, st.sampled_from(WAYS))
def test_flipping_a_rectilinear_grid_flips_the_fine_one(grid, factor, way):
    edges = grid.latitude_edges[way[0]], grid.longitude_edges[way[1]]
    flipped = RectilinearGrid(*edges, grid.longitude_middle).refine(factor)
    for ours, theirs, part in zip(grid.refine(factor).centres(), flipped.centres(), way, strict=True):
        np.testing.assert_allclose(ours[part], theirs, atol=1e-10)


@settings(max_examples=25)
@given(curved(), FACTORS, st.sampled_from(WAYS))
def test_flipping_a_curvilinear_grid_flips_the_fine_one(grid, factor, way):
    flipped = CurvilinearGrid(grid.corners[way], grid.longitude_middle)
    np.testing.assert_allclose(grid.refine(factor).corners[way], flipped.refine(factor).corners, atol=1e-14)


@given(st.integers(0, 23), st.sampled_from([(1, 2), (3, 4)]))
def test_rolling_a_global_rectilinear_grid_rolls_the_fine_one(count, factor):
    latitude, longitude = np.array([-10.0, 0.0, 10.0]), np.arange(7.5, 360, 15)
    grid = RectilinearGrid.from_centres(latitude, longitude)
    rolled = RectilinearGrid.from_centres(latitude, np.roll(longitude, count))
    assert grid.periodic
    assert rolled.periodic
    ours = np.roll(grid.refine(factor).centres()[1], count * factor[1])
    np.testing.assert_allclose(rolled.refine(factor).centres()[1], ours, atol=1e-10)


@given(st.integers(0, 23), st.sampled_from([(1, 2), (3, 4)]))
def test_rolling_a_global_curvilinear_grid_rolls_the_fine_one(count, factor):
    """Circles about a pole of their own at 50 N: a tripolar grid has such in the north."""
    latitude, longitude = np.meshgrid(np.arange(-20.0, 80, 10), np.arange(7.5, 360, 15), indexing="ij")
    turn = Rotation.from_euler("y", 40, degrees=True)
    vectors = turn.apply(ellipsoid.unit_vectors(latitude, longitude).reshape(-1, 3)).reshape(*latitude.shape, 3)
    latitude, longitude = ellipsoid.latitude_longitude(vectors)
    grid = CurvilinearGrid.from_centres(latitude, longitude)
    rolled = CurvilinearGrid.from_centres(np.roll(latitude, count, axis=1), np.roll(longitude, count, axis=1))
    assert grid.periodic
    assert rolled.periodic
    ours = np.roll(grid.refine(factor).corners[:, :-1], count * factor[1], axis=1)
    np.testing.assert_allclose(rolled.refine(factor).corners[:, :-1], ours, atol=1e-12)


@pytest.mark.parametrize("cells", [432, 1440, 4320, 8640, 17280])
@pytest.mark.parametrize("start", [0.0, -180.0, 73.0])
def test_float32_longitudes_of_a_global_file_close(cells, start):
    longitude = (start + (np.arange(cells) + 0.5) * 360 / cells).astype(np.float32)
    grid = RectilinearGrid.from_centres([0.0, 1.0], longitude)
    assert grid.periodic
    assert grid.longitude_edges[-1] - grid.longitude_edges[0] == pytest.approx(360.0, abs=1e-12)
    assert grid.area().sum() == pytest.approx(grid.refine((2, 3)).area().sum(), rel=1e-12)


def test_gaussian_latitudes_reach_the_poles_with_the_area_of_the_globe():
    sines, _ = np.polynomial.legendre.leggauss(64)
    grid = RectilinearGrid.from_centres(np.degrees(np.arcsin(sines)), np.arange(0, 360, 2.8125))
    assert np.abs(grid.latitude_edges[[0, -1]]).min() > 88.5
    globe = RectilinearGrid(np.concatenate([[-90.0], grid.latitude_edges[1:-1], [90.0]]), grid.longitude_edges)
    assert globe.refine((2, 3)).area().sum() == pytest.approx(510065621724088, abs=100)
