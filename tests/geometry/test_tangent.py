"""Gradient and curl on every kind of grid: closed forms on the ellipsoid, invariances, and where values are missing."""

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.geometry import ellipsoid
from xr_dip.geometry.grid import ProjectedGrid
from xr_dip.geometry.tangent import TangentPlanes


def mesh(latitude, longitude):
    return np.meshgrid(latitude, longitude, indexing="ij")


def turned(angle, size=15, step=0.1, latitude=40.0, longitude=5.0):
    """Square cells whose rows make an angle with the parallels, near a point."""
    along_y, along_x = np.indices((size, size)) * step - step * (size - 1) / 2
    sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    north, east = along_x * sine + along_y * cosine, along_x * cosine - along_y * sine
    return latitude + north, longitude + east / np.cos(np.radians(latitude + north))


def polar(size=15, step=5e4):
    """Square cells around the north pole, which is the centre of one of them."""
    line = step * (np.arange(size) - size // 2)
    return ProjectedGrid.from_centres(line, line, pyproj.CRS("EPSG:3413").to_wkt()).centres()


GRIDS = {
    "north": mesh(np.arange(40.0, 42.0, 0.1), np.arange(5.0, 8.0, 0.1)),
    "southward": mesh(np.arange(-40.0, -42.0, -0.1), np.arange(5.0, 8.0, 0.1)),
    "westward": mesh(np.arange(40.0, 42.0, 0.1), np.arange(8.0, 5.0, -0.1)),
    "date line": mesh(np.arange(40.0, 42.0, 0.1), (np.arange(178.5, 181.5, 0.1) + 180) % 360 - 180),
    "uneven": mesh(40 + np.cumsum(np.linspace(0.08, 0.12, 20)), np.arange(5.0, 8.0, 0.1)),
    "turned": turned(30.0),
    "upside down": turned(160.0),
    "sheared": tuple(part[:, :12] for part in mesh(np.arange(40.0, 42.0, 0.1), np.arange(5.0, 8.0, 0.1))),
    "pole": polar(),
}
# Columns that lean by 45 degrees: rows and columns at no right angle.
GRIDS["sheared"] = (GRIDS["sheared"][0], GRIDS["sheared"][1] + (GRIDS["sheared"][0] - 40.0))


@pytest.fixture(params=GRIDS)
def grid(request):
    return GRIDS[request.param]


def inside(values):
    return values[..., 1:-1, 1:-1]


def from_axis(latitude):
    """Distance from the axis of the Earth, in metres."""
    return np.degrees(ellipsoid.degree_lengths(latitude)[1])


def test_the_gradient_of_a_function_of_latitude_is_its_derivative_along_the_meridian(grid):
    latitude, longitude = grid
    east, north = TangentPlanes.at_centres(latitude, longitude).gradient(np.sin(np.radians(latitude)))
    per_metre = np.radians(1) / ellipsoid.degree_lengths(latitude)[0]
    np.testing.assert_allclose(inside(north), inside(np.cos(np.radians(latitude)) * per_metre), atol=2e-12)
    np.testing.assert_allclose(inside(east), 0.0, atol=2e-12)  # slopes are 1e-7


@pytest.mark.parametrize("name", [name for name in GRIDS if name != "pole"])  # where longitude has no gradient
def test_the_gradient_of_a_function_of_longitude_is_its_derivative_along_the_parallel(name):
    latitude, longitude = GRIDS[name]
    east, north = TangentPlanes.at_centres(latitude, longitude).gradient(np.cos(np.radians(longitude)))
    expected = -np.sin(np.radians(longitude)) / from_axis(latitude)
    np.testing.assert_allclose(inside(east), inside(expected), atol=2e-12)
    np.testing.assert_allclose(inside(north), 0.0, atol=2e-12)


def test_the_curl_of_a_turning_earth_is_twice_its_vertical_rotation(grid):
    # u = p, the distance from the axis: curl = -(1/p) d(p u)/dn = -2 dp/dn = 2 sin(latitude), on the ellipsoid too.
    latitude, longitude = grid
    u = from_axis(latitude)
    curl = TangentPlanes.at_centres(latitude, longitude).curl(u, np.zeros_like(u))
    np.testing.assert_allclose(inside(curl), inside(2 * np.sin(np.radians(latitude))), rtol=2e-4)


def test_a_gradient_has_no_curl(grid):
    latitude, longitude = grid
    planes = TangentPlanes.at_centres(latitude, longitude)
    height = np.sin(np.radians(3 * latitude)) * np.cos(np.radians(latitude)) ** 3 * np.cos(np.radians(3 * longitude))
    curl = planes.curl(*planes.gradient(height))
    curvature = planes.curl(*(part * sign for part, sign in zip(planes.gradient(height)[::-1], (-1, 1), strict=True)))
    assert np.nanmax(np.abs(curl)) < 1e-3 * np.nanmax(np.abs(curvature))


def test_errors_fall_with_the_square_of_the_step():
    errors = []
    for step in (0.4, 0.2, 0.1):
        latitude, longitude = turned(30.0, 9, step)
        _, north = TangentPlanes.at_centres(latitude, longitude).gradient(np.sin(np.radians(20 * latitude)))
        per_metre = np.radians(1) / ellipsoid.degree_lengths(latitude)[0]
        errors.append(abs(north - 20 * np.cos(np.radians(20 * latitude)) * per_metre)[4, 4])
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("change", [np.transpose, np.flipud, np.fliplr, np.rot90])
def test_the_order_of_rows_and_columns_does_not_matter(change):
    latitude, longitude = turned(25.0, 6)
    height = np.random.default_rng(0).normal(size=latitude.shape)
    straight = TangentPlanes.at_centres(latitude, longitude)
    changed = TangentPlanes.at_centres(change(latitude), change(longitude))
    for one, other in zip(straight.gradient(height), changed.gradient(change(height)), strict=True):
        np.testing.assert_allclose(other, change(one), rtol=1e-9, atol=1e-15)
    curls = straight.curl(height, -height), changed.curl(change(height), change(-height))
    np.testing.assert_allclose(curls[1], change(curls[0]), rtol=1e-9, atol=1e-15)


@settings(max_examples=30)
@given(shift=st.integers(0, 11), seed=st.integers(0, 99))
def test_around_the_globe_it_does_not_matter_where_a_file_begins(shift, seed):
    latitude, longitude = mesh([-10.0, 20.0, 45.0, 60.0], np.arange(0.0, 360.0, 30.0))
    height = np.random.default_rng(seed).normal(size=latitude.shape)
    whole = TangentPlanes.at_centres(latitude, longitude, periodic=True)
    rolled = TangentPlanes.at_centres(latitude, np.roll(longitude, shift, 1), periodic=True)
    for one, other in zip(whole.gradient(height), rolled.gradient(np.roll(height, shift, 1)), strict=True):
        assert np.isfinite(one[1:-1]).all()
        np.testing.assert_allclose(other, np.roll(one, shift, 1), rtol=1e-9, atol=1e-18)


def test_cells_beside_a_missing_one_and_at_the_border_are_missing():
    planes = TangentPlanes.at_centres(*mesh(np.arange(40.0, 45.0), np.arange(5.0, 11.0)))
    height = np.zeros((5, 6))
    height[2, 3] = np.nan
    missing = np.ones((5, 6), dtype=bool)
    missing[1:-1, 1:-1] = [[False, False, True, False], [False, True, False, True], [False, False, True, False]]
    for part in (*planes.gradient(height), planes.curl(height, height)):
        np.testing.assert_array_equal(np.isnan(part), missing)


def test_cells_beside_no_position_or_on_one_line_are_missing_without_a_warning():
    latitude, longitude = mesh(np.arange(40.0, 45.0), np.arange(5.0, 11.0))
    latitude[2, 3] = np.inf  # as a projection says of what is outside
    east, _ = TangentPlanes.at_centres(latitude, longitude).gradient(np.ones((5, 6)))
    assert np.argwhere(np.isnan(inside(east))).tolist() == [[0, 2], [1, 1], [1, 2], [1, 3], [2, 2]]
    line = TangentPlanes.at_centres(np.full((3, 3), 40.0), np.full((3, 3), 5.0))
    assert np.isnan(line.gradient(np.ones((3, 3)))[0]).all()


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(np.zeros((2, 3)), np.zeros((2, 3))), (np.zeros((3, 3)), np.zeros((3, 4))), (np.zeros(3), np.zeros(3))],
)
def test_too_few_cells_or_two_shapes_are_refused(latitude, longitude):
    with pytest.raises(ValueError, match=r"Invalid latitude of shape .* at least 3 cells along each axis"):
        TangentPlanes.at_centres(latitude, longitude)
