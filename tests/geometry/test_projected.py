"""Cells on the plane of a map projection, against closed forms and PROJ's own scale factors."""

import pickle

import numpy as np
import pyproj
import pytest

from xr_dip.geometry import ellipsoid
from xr_dip.geometry.grid import ProjectedGrid, RectilinearGrid

POLAR, EQUAL_AREA, UTM = (pyproj.CRS(code).to_wkt() for code in ("EPSG:3413", "EPSG:3035", "EPSG:32633"))


def square(crs, step, y=0.0, x=0.0, size=6):
    centres = step * (np.arange(size) - (size - 1) / 2)
    return ProjectedGrid.from_centres(y + centres, x + centres, crs)


def test_cells_of_an_equal_area_projection_have_the_area_of_their_squares():
    grid = square(EQUAL_AREA, 2e4, 3.2e6, 4.3e6)
    np.testing.assert_allclose(grid.area(), 4e8, rtol=1e-8)


@pytest.mark.parametrize(("crs", "y", "x"), [(POLAR, 1e6, -5e5), (UTM, 5e6, 5e5)])
def test_areas_are_those_of_the_scale_factors_of_proj(crs, y, x):
    """A square of the plane is larger on the ellipsoid by 1 / areal scale at its middle, but for (step / radius)^2."""
    grid = square(crs, 1e3, y, x)
    latitude, longitude = grid.centres()
    scale = pyproj.Proj(crs).get_factors(longitude, latitude).areal_scale
    np.testing.assert_allclose(grid.area(), 1e6 / scale, rtol=1e-7)


def test_a_disk_of_cells_about_the_pole_has_the_area_of_its_cap():
    """Cells of 20 km fill the circle of 2000 km about the pole to half a per cent; its rim is one parallel."""
    grid = square(POLAR, 2e4, size=200)
    y, x = np.meshgrid(20e3 * (np.arange(200) - 99.5), 20e3 * (np.arange(200) - 99.5), indexing="ij")
    rim = pyproj.Proj(POLAR)(2e6, 0.0, inverse=True)[1]
    cap = 2 * np.pi * float(ellipsoid.zone(90.0) - ellipsoid.zone(rim))
    assert grid.area()[np.hypot(y, x) < 2e6].sum() == pytest.approx(cap, rel=5e-3)


def test_lines_of_mercator_are_parallels_and_meridians():
    """Their slivers are the difference between a parallel and its great circle, which is large for 10-degree cells."""
    mercator = pyproj.CRS("+proj=merc +ellps=WGS84")
    latitude, longitude = np.arange(30.0, 71, 10), np.arange(0.0, 41, 10)
    x, _ = pyproj.Proj(mercator)(longitude, np.zeros(5))
    _, y = pyproj.Proj(mercator)(np.zeros(5), latitude)
    expected = RectilinearGrid(latitude, longitude)
    grid = ProjectedGrid(y, x, mercator.to_wkt())
    np.testing.assert_allclose(grid.area(), expected.area(), rtol=1e-6)
    south, north = grid.bounds()[0].min(axis=-1), grid.bounds()[0].max(axis=-1)
    np.testing.assert_allclose([south[:, 0], north[:, 0]], [latitude[:-1], latitude[1:]], atol=1e-9)


def test_centres_bounds_and_spacing():
    grid = square(POLAR, 1e5, y=-1e6)
    latitude, longitude = grid.centres()
    expected = pyproj.Proj(POLAR)(
        *np.meshgrid(1e5 * (np.arange(6) - 2.5), -1e6 + 1e5 * (np.arange(6) - 2.5)), inverse=True
    )
    np.testing.assert_allclose([longitude, latitude], expected, atol=1e-9)
    latitude_bounds, longitude_bounds = grid.bounds()
    assert latitude_bounds.shape == (6, 6, 4)
    assert np.abs(longitude_bounds - longitude[..., None]).max() < 20
    sides = (
        np.roll(longitude_bounds, -1, axis=2) - longitude_bounds,
        np.roll(latitude_bounds, -1, axis=2) - latitude_bounds,
    )
    turns = sides[0] * np.roll(sides[1], -1, axis=2) - sides[1] * np.roll(sides[0], -1, axis=2)
    assert np.all(turns > 0)
    assert grid.spacing() == pytest.approx((1e5, 1e5), rel=0.05)
    assert grid.periodic is False


def test_the_pole_may_be_a_centre_or_a_corner():
    for step in (1e5, 0.5e5):
        area = square(POLAR, step, y=step / 2 - 5e4 / 2, size=7).area()
        assert np.all(np.isfinite(area))
        assert area.max() / area.min() < 1.01


def test_units_of_the_projection_itself_do_not_matter():
    """Edges are in metres also where PROJ counts in feet."""
    feet = pyproj.CRS("+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +ellps=WGS84 +units=us-ft").to_wkt()
    metres = pyproj.CRS("+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +ellps=WGS84").to_wkt()
    np.testing.assert_allclose(square(feet, 1e5, -1e6).centres(), square(metres, 1e5, -1e6).centres(), atol=1e-7)


def test_longitudes_are_in_the_convention_asked_for():
    grid = ProjectedGrid.from_centres([-1e6, -1.1e6], [-1e5, 0.0, 1e5], POLAR, longitude_middle=180.0)
    assert np.all((grid.centres()[1] >= 0) & (grid.centres()[1] < 360))


def test_bounds_and_single_centres():
    grid = ProjectedGrid.from_centres([0.0, 2.0], [7.0], UTM, y_bounds=[[-0.5, 1.0], [1.0, 2.5]])
    np.testing.assert_array_equal(grid.y_edges, [-0.5, 1.0, 2.5])
    np.testing.assert_array_equal(grid.x_edges, [6.0, 8.0])


def test_a_window_of_the_fine_grid_is_the_fine_grid_of_the_window():
    grid = square(POLAR, 1e5)
    window = grid.window(slice(1, 3), slice(2, None)).refine((2, 3))
    fine = grid.refine((2, 3)).window(slice(2, 6), slice(6, None))
    np.testing.assert_array_equal(window.y_edges, fine.y_edges)
    np.testing.assert_array_equal(window.area(), fine.area())


@pytest.mark.parametrize("step", [1e4, 4.9e4, 1e5, 1e6])
def test_areas_of_cells_of_any_size_add_up(step):
    grid = square(POLAR, step, -1e6)
    fine = grid.refine((5, 3)).area().reshape(6, 5, 6, 3).sum(axis=(1, 3))
    np.testing.assert_allclose(fine, grid.area(), rtol=1e-10)


def test_areas_do_not_depend_on_the_strips_they_are_computed_in(monkeypatch):
    grid = square(POLAR, 1e5)
    whole = grid.area()
    monkeypatch.setattr("xr_dip.geometry.projected.STRIP", 12)
    np.testing.assert_array_equal(grid.area(), whole)


def test_the_value_can_be_pickled_and_not_changed():
    grid = square(POLAR, 1e5)
    again = pickle.loads(pickle.dumps(grid))
    np.testing.assert_array_equal(again.area(), grid.area())
    assert again.crs == grid.crs
    with pytest.raises(ValueError, match="read-only"):
        grid.y_edges[0] = 1.0


@pytest.mark.parametrize(
    ("y", "x", "message"),
    [
        ([0.0, 0.0], [0.0, 1.0], "Invalid y 0.0, 0.0 at index 0. It must be strictly monotone"),
        ([0.0, 1.0], [[0.0]], r"Invalid x of shape \(1, 1\). It must be 1-D"),
        ([0.0], [0.0], "Invalid y of one value. It must come with bounds"),
        (
            [0.0, 1e9],
            [0.0, 1e9],
            "Invalid projection coordinates y .* They must be within the projection: check the units",
        ),
    ],
)
def test_centres_that_are_no_grid_are_refused(y, x, message):
    orthographic = pyproj.CRS("+proj=ortho +lat_0=40 +lon_0=0 +ellps=sphere").to_wkt()
    with pytest.raises(ValueError, match=message):
        ProjectedGrid.from_centres(y, x, orthographic)
