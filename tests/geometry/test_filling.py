"""Positions missing on land: found, filled smoothly, and refused under the sea."""

import numpy as np
import pytest

from xr_dip.geometry import ellipsoid
from xr_dip.geometry.filling import fill_positions, missing_positions
from xr_dip.geometry.grid import CurvilinearGrid

LATITUDE, LONGITUDE = np.meshgrid(30 + 0.5 * np.arange(12), -20 + 0.5 * np.arange(10), indexing="ij")
LONGITUDE = LONGITUDE + 0.1 * (LATITUDE - 30)


def tile(rows, columns):
    removed = np.zeros(LATITUDE.shape, dtype=bool)
    removed[rows, columns] = True
    return removed


INTERIOR = tile(slice(3, 8), slice(2, 6))
CORNER = tile(slice(0, 5), slice(6, None))
EDGE = tile(slice(None), slice(7, None))
CROSS = tile(slice(4, 6), slice(None)) | tile(slice(None), slice(3, 5))


@pytest.mark.parametrize("value", [0.0, -1.0, 12.0, np.nan, 1e20, -9999.0, 9.96921e36])
@pytest.mark.parametrize("removed", [INTERIOR, CORNER, EDGE, CROSS])
def test_missing_positions_are_found_however_they_are_written(removed, value):
    latitude, longitude = (np.where(removed, value, part) for part in (LATITUDE, LONGITUDE))
    np.testing.assert_array_equal(missing_positions(latitude, longitude), removed)


def test_the_crossing_of_the_equator_and_greenwich_is_a_position():
    latitude, longitude = np.meshgrid(np.arange(-2.0, 3), np.arange(-3.0, 4), indexing="ij")
    assert not missing_positions(latitude, longitude).any()
    assert not missing_positions(latitude, longitude % 360).any()


def test_a_cell_of_the_value_that_fills_land_is_missing_where_it_is_alone_too():
    removed = CORNER | tile(slice(8, 9), slice(2, 3))
    latitude, longitude = (np.where(removed, -1.0, part) for part in (LATITUDE, LONGITUDE))
    np.testing.assert_array_equal(missing_positions(latitude, longitude), removed)


def test_cells_around_a_pole_have_positions():
    latitude, longitude = np.meshgrid([88.0, 89.0, 90.0], np.arange(0.0, 360.0, 30.0), indexing="ij")
    assert not missing_positions(latitude, np.where(latitude == 90.0, 0.0, longitude)).any()


def test_a_lone_zero_far_from_its_neighbours_is_missing():
    removed = tile(slice(4, 5), slice(4, 5))
    latitude, longitude = (np.where(removed, 0.0, part) for part in (LATITUDE, LONGITUDE))
    np.testing.assert_array_equal(missing_positions(latitude, longitude), removed)


@pytest.mark.parametrize("removed", [INTERIOR, CORNER, EDGE, CROSS])
def test_filled_positions_are_near_the_true_ones(removed):
    """On a smooth grid of half degrees, straight lines stay within a fifth of a cell over tiles of five cells."""
    true = ellipsoid.unit_vectors(LATITUDE, LONGITUDE)
    filled = fill_positions(np.where(removed[..., None], np.nan, true))
    np.testing.assert_array_equal(filled[~removed], true[~removed])
    assert np.linalg.norm(filled - true, axis=-1).max() < 0.2 * np.radians(0.5)


def test_positions_are_filled_across_the_seam_of_a_full_circle():
    latitude, longitude = np.meshgrid(np.arange(-5.0, 6), np.arange(0.0, 360, 10), indexing="ij")
    true = ellipsoid.unit_vectors(latitude, longitude)
    removed = np.zeros(latitude.shape, dtype=bool)
    removed[:, [0, -1]] = True
    filled = fill_positions(np.where(removed[..., None], np.nan, true), periodic=True)
    # A chord over 30 degrees is nearer to the pole than the parallel, never by more than a degree here.
    assert np.degrees(np.linalg.norm(filled - true, axis=-1)).max() < 1.0


@pytest.mark.parametrize("value", [0.0, np.nan])
@pytest.mark.parametrize("removed", [INTERIOR, CORNER, EDGE, CROSS])
def test_a_grid_without_positions_on_land_has_the_cells_of_the_sea(removed, value):
    """Far from land they are those of the whole grid; next to it corners follow the filled positions."""
    whole = CurvilinearGrid.from_centres(LATITUDE, LONGITUDE)
    latitude, longitude = (np.where(removed, value, part) for part in (LATITUDE, LONGITUDE))
    grid = CurvilinearGrid.from_centres(latitude, longitude, sea=~removed)
    np.testing.assert_allclose(grid.area()[~removed], whole.area()[~removed], rtol=0.05)
    blocks = grid.refine((3, 2)).area().reshape(12, 3, 10, 2).sum(axis=(1, 3))
    np.testing.assert_allclose(blocks, grid.area(), rtol=1e-10)


def test_a_missing_position_in_the_sea_is_refused():
    latitude, longitude = (np.where(INTERIOR, 0.0, part) for part in (LATITUDE, LONGITUDE))
    message = r"Invalid latitude 0.0, longitude 0.0 at index \(3, 2\). The cell has a value, so .*land_value="
    with pytest.raises(ValueError, match=message):
        CurvilinearGrid.from_centres(latitude, longitude, sea=np.ones(latitude.shape, dtype=bool))


def test_a_grid_without_any_position_is_refused():
    nowhere = np.full((3, 4), np.nan)
    with pytest.raises(ValueError, match="Every position is missing"):
        CurvilinearGrid.from_centres(nowhere, nowhere, sea=np.zeros((3, 4), dtype=bool))
    with pytest.raises(ValueError, match="Two neighbouring cells must have a position"):
        fill_positions(np.where(tile(0, 0)[..., None], ellipsoid.unit_vectors(LATITUDE, LONGITUDE), np.nan))


def test_cells_that_fold_are_refused_in_the_sea_only_with_the_way_to_cut_them():
    """The last two rows turn back, as halo rows of a tripolar grid do."""
    latitude, longitude = (
        np.concatenate([LATITUDE, LATITUDE[-3:-1][::-1]]),
        np.concatenate([LONGITUDE, LONGITUDE[-3:-1][::-1]]),
    )
    message = r"along 'j' \(\d+ to 13\): `.isel\(j=slice\(0, 1\d\)\)`"
    with pytest.raises(ValueError, match=message):
        CurvilinearGrid.from_centres(latitude, longitude, dims=("j", "i"))
    with pytest.raises(ValueError, match=message):
        CurvilinearGrid.from_centres(latitude, longitude, sea=np.ones(latitude.shape, bool), dims=("j", "i"))
    land = np.arange(14)[:, None] < 10
    assert CurvilinearGrid.from_centres(latitude, longitude, sea=np.broadcast_to(land, (14, 10))).shape == (14, 10)


def test_the_crossing_is_a_position_beside_land_of_zeros():
    latitude, longitude = np.meshgrid(np.arange(-2.0, 2.1, 0.25), np.arange(-3.0, 3.1, 0.25), indexing="ij")
    land = np.zeros(latitude.shape, dtype=bool)
    land[-4:, -6:] = True
    found = missing_positions(np.where(land, 0.0, latitude), np.where(land, 0.0, longitude))
    np.testing.assert_array_equal(found, land)


def test_a_column_that_is_twice_and_positions_of_the_nearest_sea_are_positions():
    latitude, longitude = LATITUDE.copy(), LONGITUDE.copy()
    for part in (latitude, longitude):
        part[:, -1] = part[:, -2]
        part[3:5, 2] = part[3, 1]
    assert not missing_positions(latitude, longitude).any()


def test_rounded_positions_are_looked_at_in_one_go():
    latitude, longitude = np.meshgrid(np.arange(900) / 300, np.arange(900) / 300, indexing="ij")
    assert not missing_positions(latitude.round(2)[100:], longitude.round(2)[100:]).any()
