"""Grids of 2-D latitude and longitude, as files leave them."""

import numpy as np
import pytest
import xarray as xr
from families import CURVED, _land, nemo, nemo_zero_positions
from robustness_files import open_robustness

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.errors import DipWarning
from xr_dip.geometry.grid import CurvilinearGrid


def test_positions_are_filled_silently_where_the_field_is_missing_at_all_times():
    whole = find_horizontal(nemo().sossheig).grid
    grid = find_horizontal(nemo_zero_positions().sossheig).grid
    np.testing.assert_allclose(grid.area(), whole.area(), rtol=0.05)


@pytest.mark.parametrize("position", [0.0, np.nan])
def test_a_value_at_any_time_needs_a_position(position):
    dataset = _land(position, np.nan)
    dataset.sossheig[1, 0, 4] = 0.1
    with pytest.raises(ValueError, match=r"at index \(0, 4\). The cell has a value, so it must have a position"):
        find_horizontal(dataset.sossheig)


def test_zeros_on_land_need_to_be_declared():
    with pytest.raises(ValueError, match=r"set the field to NaN where it is land \(`land_value=`, or a mask\)"):
        find_horizontal(_land(0.0, 0.0).sossheig)


def test_positions_of_a_lazy_field_are_filled_with_a_warning():
    def refuse(block):
        raise AssertionError("computed")

    dataset = nemo_zero_positions()
    chunked = dataset.sossheig.chunk(time_counter=1)
    lazy = chunked.copy(data=chunked.data.map_blocks(refuse, dtype="f4", meta=np.empty((0, 0, 0), "f4")))
    with pytest.warns(DipWarning, match=r"4 cells of 'sossheig' have no latitude .* index \(0, 3\).*\.load\(\)"):
        grid = find_horizontal(lazy).grid
    np.testing.assert_array_equal(grid.corners, find_horizontal(dataset.sossheig).grid.corners)


def test_folded_rows_are_refused_in_the_sea_only():
    """The last two rows turn back, as halo rows of a tripolar grid do; a lazy field does not tell its sea."""
    latitude, longitude = (np.concatenate([part, part[-3:-1][::-1]]) for part in np.mgrid[40.0:48.0, 5.0:9.0])
    coords = {"nav_lat": (("y", "x"), latitude), "nav_lon": (("y", "x"), longitude)}
    field = xr.DataArray(np.zeros((10, 4)), coords, ("y", "x"), "ssh")
    cut = r"cut the cells that fold, 3 of 10 along 'y' \(7 to 9\): `\.isel\(y=slice\(0, 7\)\)`\."
    with pytest.raises(ValueError, match=rf"{cut}$"):
        find_horizontal(field)
    with pytest.raises(ValueError, match=rf"{cut} Or load the field"):
        find_horizontal(field.chunk())
    assert find_horizontal(field.isel(y=slice(0, 7))).grid.shape == (7, 4)
    assert find_horizontal(field.where(np.arange(10)[:, None] < 7)).grid.shape == (10, 4)


def test_corners_that_do_not_meet_are_left_out_with_a_warning():
    dataset = nemo()
    for name, bounds in zip(("nav_lat", "nav_lon"), CurvilinearGrid.from_centres(*CURVED).bounds(), strict=True):
        dataset[name].attrs["bounds"] = f"{name}_rim"
        dataset[f"{name}_rim"] = (("y", "x", "four"), bounds)
    given = find_horizontal(dataset.sossheig, dataset=dataset).grid
    dataset["nav_lat_rim"][2, 2] += 0.1
    with pytest.warns(
        DipWarning, match="corners of 'sossheig' are not used.*Neighbouring cells must share.*drop the bounds"
    ):
        grid = find_horizontal(dataset.sossheig, dataset=dataset).grid
    np.testing.assert_allclose(grid.corners, given.corners, atol=1e-5)


@pytest.mark.samples
def test_the_cmip_file_is_a_full_circle_with_two_northern_poles():
    """All but the cap south of 82 S, where the file has no rows."""
    dataset = open_robustness("cmip_bcc")
    grid = find_horizontal(dataset.zos, dataset=dataset).grid
    assert grid.periodic
    np.testing.assert_array_equal(grid.corners[:, 0], grid.corners[:, -1])
    cap = 0.5 * (1 - np.sin(np.radians(82.0)))
    assert grid.area().sum() / 510065621724088 == pytest.approx(1 - cap, abs=3e-4)
    rolled = dataset.roll(rlon=100, roll_coords=True)
    again = find_horizontal(rolled.zos, dataset=rolled).grid
    np.testing.assert_allclose(again.area(), np.roll(grid.area(), 100, axis=1), rtol=1e-6)
