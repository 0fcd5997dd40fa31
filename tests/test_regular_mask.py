"""Majority on any grid: counted by brute force, whatever the direction, the convention and the seam."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip import regular_mask, samples
from xr_dip.geometry.grid import CurvilinearGrid, RectilinearGrid
from xr_dip.regular_mask import find_regular_mask


def make_mask(latitude, longitude, seed=0, dims=("lat", "lon")):
    values = np.random.default_rng(seed).random((len(latitude), len(longitude))) > 0.4
    array = xr.DataArray(values, {"lat": latitude, "lon": longitude}, ("lat", "lon"), name="mask")
    return array.transpose(*dims)


def count(mask, grid):
    """Share of the mask cells whose centres lie in each cell, cell by cell; NaN where none does."""
    south_north, west_east = (np.sort(bounds, axis=-1) for bounds in grid.bounds())
    latitude, longitude = mask.lat.values, mask.lon.values
    values = mask.transpose("lat", "lon").values
    share = np.full(grid.shape, np.nan)
    for j, (south, north) in enumerate(south_north):
        for i, (west, east) in enumerate(west_east):
            rows = (latitude >= south) & (latitude < north)
            columns = (longitude - west) % 360 < east - west
            if rows.any() and columns.any():
                share[j, i] = values[np.ix_(rows, columns)].mean()
    return share


@settings(max_examples=40)
@given(
    north=st.booleans(),
    east=st.booleans(),
    mask_north=st.booleans(),
    start=st.sampled_from([0.0, 170.0, 355.0, -180.0]),
    mask_start=st.sampled_from([0.0, -180.0, 20.0]),
    size=st.tuples(st.integers(1, 6), st.integers(1, 9)),
    step=st.sampled_from([(2.0, 2.0), (2.9, 3.7), (7.0, 5.0)]),
    band=st.sampled_from([1, 2**22]),
)
def test_the_share_is_that_of_the_mask_cells_in_a_cell(north, east, mask_north, start, mask_start, size, step, band):
    mask = make_mask(np.arange(-40.0, 41.0)[:: 1 if mask_north else -1], mask_start + np.arange(360.0))
    latitude_edges = (-7.3 + step[0] * np.arange(size[0] + 1))[:: 1 if north else -1]
    longitude_edges = (start - 0.21 + step[1] * np.arange(size[1] + 1))[:: 1 if east else -1]
    grid = RectilinearGrid(latitude_edges, longitude_edges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regular_mask, "BAND", band)
        share = find_regular_mask(mask).share(grid)
    np.testing.assert_allclose(share, count(mask, grid), atol=1e-12)


def test_a_cell_without_mask_cells_is_what_the_nearest_is():
    mask = make_mask(np.arange(10.0, 20.0), np.arange(-6.0, 6.0), dims=("lon", "lat"))
    fine = RectilinearGrid.from_centres(np.arange(12.0, 16.0), np.arange(-3.0, 3.0)).refine((5, 4))
    share = find_regular_mask(mask).share(fine)
    latitude, longitude = fine.centres()
    expected = mask.sel(lat=latitude, lon=longitude, method="nearest").transpose("lat", "lon")
    np.testing.assert_array_equal(share, expected)


def test_a_curvilinear_grid_of_straight_rows_gets_the_same():
    """Sampled at the centres of the mask cells: the same share as counted, up to the bend of the arcs."""
    mask = make_mask(np.arange(-5.0, 5.0, 0.25) + 0.125, np.arange(-5.0, 5.0, 0.25) + 0.125)
    straight = RectilinearGrid.from_centres(np.arange(-3.5, 4.0), np.arange(-3.5, 4.0))
    latitude, longitude = np.meshgrid(*straight.centres(), indexing="ij")
    curved = CurvilinearGrid.from_centres(latitude, longitude)
    found = find_regular_mask(mask)
    np.testing.assert_allclose(found.share(curved), found.share(straight), atol=1e-12)
    turned = CurvilinearGrid.from_centres(latitude.T, longitude.T)
    np.testing.assert_allclose(found.share(turned), found.share(straight).T, atol=1e-12)


def test_a_rotated_grid_sees_a_coast_where_it_is():
    """Sea is east of the dateline: for a grid across it, turned by 30 degrees."""
    mask = make_mask(np.arange(-9.0, 10.0, 0.1), np.arange(0.0, 360.0, 0.1))
    mask = mask.copy(data=np.broadcast_to(mask.lon.values > 180, mask.shape))
    y, x = np.meshgrid(np.arange(-3.0, 4.0), np.arange(-4.0, 5.0), indexing="ij")
    latitude, longitude = 0.9 * y + 0.5 * x, 0.9 * x - 0.5 * y
    grid = CurvilinearGrid.from_centres(latitude, (180 + longitude + 180) % 360 - 180)
    share = find_regular_mask(mask).share(grid)
    assert (share[longitude > 1] == 1).all()
    assert (share[longitude < -1] == 0).all()


def test_the_axes_may_be_global_and_the_field_too():
    latitude, longitude = np.arange(-89.5, 90.0), np.arange(0.5, 360.0)
    mask = make_mask(latitude, longitude)
    grid = RectilinearGrid.from_centres(np.arange(-88.0, 89.0, 4), np.arange(-178.0, 180.0, 4))
    np.testing.assert_allclose(find_regular_mask(mask).share(grid), count(mask, grid), atol=1e-12)


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        (
            (6.0, 0.0),
            "on latitudes 10 to 19 and longitudes -6 to 5. It must cover the field, but latitude 21 is outside",
        ),
        ((0.0, -9.0), "It must cover the field, but longitude -12 is outside"),
        ((0.0, 180.0), "It must cover the field, but longitude"),
    ],
)
def test_a_mask_must_cover_the_field(shift, message):
    mask = find_regular_mask(make_mask(np.arange(10.0, 20.0), np.arange(-6.0, 6.0)))
    grid = RectilinearGrid.from_centres(np.arange(12.0, 16.0) + shift[0], np.arange(-3.0, 3.0) + shift[1])
    with pytest.raises(ValueError, match=message):
        mask.share(grid)


@pytest.mark.parametrize(
    "array",
    [
        make_mask([0.0, 1.0], [0.0, 1.0]).expand_dims(time=2),
        make_mask([0.0], [0.0, 1.0]),
        make_mask([0.0, 1.0], [0.0, 1.0]).drop_vars(["lat", "lon"]).rename(lat="y", lon="x"),
    ],
)
def test_what_has_no_two_axes_is_no_regular_mask(array):
    assert find_regular_mask(array) is None


def test_a_mask_needs_all_of_its_positions():
    with pytest.raises(ValueError, match=r"Invalid lat of the mask nan at index 1. It must be finite"):
        find_regular_mask(make_mask([0.0, np.nan], [0.0, 1.0]))


def test_only_the_window_is_read():
    """Rows and columns around the field, in two parts where they go on from the last column to the first."""
    read = []

    class Watched(xr.backends.BackendArray):
        shape, dtype = (180, 360), np.dtype(bool)

        def __getitem__(self, key):
            return xr.core.indexing.explicit_indexing_adapter(
                key, self.shape, xr.core.indexing.IndexingSupport.BASIC, self.get
            )

        def get(self, key):
            read.append(key)
            return np.ones(self.shape, bool)[key]

    lazy = xr.core.indexing.LazilyIndexedArray(Watched())
    axes = {"lat": np.arange(-89.5, 90.0), "lon": np.arange(0.5, 360.0)}
    mask = find_regular_mask(xr.DataArray(xr.Variable(("lat", "lon"), lazy), axes))
    grid = RectilinearGrid.from_centres([10.0, 12.0], [356.0, 359.0, 2.0])
    assert not read
    assert mask.share(grid).all()
    cells = [tuple(len(range(*part.indices(size))) for part, size in zip(key, (180, 360), strict=True)) for key in read]
    assert [rows for rows, _ in cells] == [4, 4]
    assert sum(columns for _, columns in cells) == 9


@pytest.mark.samples
def test_the_mask_of_one_minute_on_the_balearic_sea_of_enatl60():
    """1 is land in it. It agrees with the coast of the model but along the shore, and is never read as a whole."""
    with samples.open_dataset("land_mask") as dataset, samples.open_dataset("balearic") as model:
        mask = find_regular_mask(dataset["mask"].assign_attrs(standard_name="land_binary_mask"))
        window = np.s_[::4, ::4]
        grid = CurvilinearGrid.from_centres(model.lat.values[window], model.lon.values[window])
        sea = mask.share(grid) >= 0.5
        truth = model.sossheig.notnull().values[window]
    assert 0.7 < truth.mean() < 0.8
    assert (sea == truth).mean() > 0.95
