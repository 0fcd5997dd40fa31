"""Corners between centres, and from bounds that start anywhere."""

import numpy as np
import pytest

from xr_dip.geometry import ellipsoid
from xr_dip.geometry.corners import around_cells, corners_between, corners_of_bounds, goes_around
from xr_dip.geometry.grid import CurvilinearGrid


def vectors(latitude, longitude):
    return ellipsoid.unit_vectors(*np.meshgrid(latitude, longitude, indexing="ij"))


@pytest.mark.parametrize(
    ("longitude", "around"),
    [
        (np.arange(0.0, 360, 10), True),
        (np.arange(180.0, -180, -10), True),
        (np.arange(0.0, 350, 10), False),  # a column is missing
        (np.arange(0.0, 361, 10), False),  # a column is there twice
        (np.arange(0.0, 90, 10), False),
        (np.array([0.0, 180.0]), False),
    ],
)
def test_rows_go_around_if_the_first_column_follows_the_last(longitude, around):
    assert goes_around(vectors([-60.0, 0.0, 85.0], longitude)) is around


def test_rows_without_positions_do_not_tell_whether_they_go_around():
    centres = vectors([-60.0, 0.0], np.arange(0.0, 360, 10))
    centres[0, :5] = np.nan
    assert goes_around(centres)
    assert not goes_around(np.full_like(centres, np.nan))


def test_a_full_circle_shares_its_corners():
    centres = vectors(np.arange(0.0, 50, 10), np.arange(5.0, 360, 10))
    closed, open_ended = corners_between(centres, periodic=True), corners_between(centres)
    np.testing.assert_array_equal(closed[:, 0], closed[:, -1])
    # Where the neighbours on both sides are the same, so is the answer.
    np.testing.assert_allclose(closed[:, 3:-3], open_ended[:, 3:-3], atol=1e-15)
    grid = CurvilinearGrid(closed, 180.0)
    assert grid.periodic
    assert grid.refine((2, 3)).periodic
    assert not grid.window(slice(None), slice(1, None)).periodic
    assert not CurvilinearGrid(open_ended, 180.0).window(slice(None), slice(0, 20)).periodic


@pytest.mark.parametrize("along", [0, 1])
def test_a_single_row_or_column_is_as_wide_as_its_steps(along):
    line = np.arange(5) * 0.5
    latitude, longitude = (line, [8.0]) if along == 0 else ([0.0], line)
    grid = CurvilinearGrid.from_centres(*np.meshgrid(latitude, longitude, indexing="ij"))
    height, width = grid.spacing()
    assert height == pytest.approx(width, rel=0.01)
    middle, _ = grid.centres()
    np.testing.assert_allclose(middle.ravel(), line if along == 0 else np.zeros(5), atol=1e-4)


def test_steps_that_change_at_once_do_not_fold_the_cells():
    """Cubics through centres 0, 1, 11, 12 overshoot beyond them; half-way edges do not."""
    grid = CurvilinearGrid.from_centres(*np.meshgrid([0.0, 1.0, 11.0, 11.2], [0.0, 1.0, 2.0], indexing="ij"))
    assert np.all(np.diff(grid.centres()[0], axis=0) > 0)
    np.testing.assert_allclose(grid.refine((4, 1)).area().reshape(4, 4, 3).sum(axis=1), grid.area(), rtol=1e-12)


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("sense", [1, -1])
def test_bounds_may_start_at_any_corner_and_run_either_way(start, sense):
    expected = corners_between(vectors([40.0, 41.0, 42.0], [5.0, 6.0]))
    turn = np.roll([0, 1, 2, 3][::sense], start)
    lattice = ellipsoid.latitude_longitude(expected)
    latitude, longitude = around_cells(*lattice, np.full((3, 2), 5.5), anticlockwise=True)
    found = corners_of_bounds(latitude[..., turn], longitude[..., turn], (3, 2))
    np.testing.assert_allclose(found, expected, atol=1e-14)
