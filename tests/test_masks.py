"""Masks and weights come to the fine grid where they belong, or are refused with what is wrong."""

import numpy as np
import pytest
import xarray as xr

from xr_dip import samples
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.errors import DipWarning
from xr_dip.geometry.grid import IndexGrid
from xr_dip.masks import check_orientation, fine_mask, on_fine_grid

FACTOR = (2, 3)


def field(descending=False):
    latitude = 40 + np.arange(4) / 4.0
    axes = {"lat": latitude[::-1] if descending else latitude, "lon": 5 + np.arange(6) / 4.0}
    return xr.DataArray(np.zeros((4, 6)), axes, ("lat", "lon"), name="ssh")


def fine(values=None, **options):
    """Values on the fine grid with its coordinates."""
    latitude, longitude = find_horizontal(field(**options)).grid.refine(FACTOR).centres()
    values = np.random.default_rng(1).random((8, 18)) > 0.3 if values is None else values
    return xr.DataArray(values, {"lat": latitude, "lon": longitude}, ("lat", "lon"), name="mask")


def curved():
    """A field on rows and columns turned by some degrees."""
    y, x = np.meshgrid(np.arange(4.0), np.arange(6.0), indexing="ij")
    positions = {"nav_lat": (("y", "x"), 40 + y - 0.1 * x), "nav_lon": (("y", "x"), 5 + x + 0.1 * y)}
    return xr.DataArray(np.zeros((4, 6)), positions, ("y", "x"), name="ssh")


def without_positions():
    with pytest.warns(DipWarning):
        return find_horizontal(xr.DataArray(np.zeros((4, 6)), dims=("y", "x"), name="ssh"))


@pytest.mark.parametrize(
    "given",
    [
        fine().values,
        fine().values.astype(float),
        fine(),
        fine().T,
        fine().expand_dims(time=1),
        fine().drop_vars(["lat", "lon"]),
        fine().assign_coords(lon=fine().lon + 360.0),
        fine().assign_coords(lat=fine().lat.astype("float32")),
        (~fine()).assign_attrs(standard_name="land_binary_mask"),
    ],
)
def test_a_mask_on_the_fine_grid_is_taken_as_it_is(given):
    sea, kind = fine_mask(given, find_horizontal(field()), FACTOR)
    assert kind == "given on the fine grid"
    assert sea.dtype == bool
    np.testing.assert_array_equal(sea, fine().values)


def test_a_mask_from_south_to_north_fits_a_field_from_north_to_south():
    """By its coordinates, though its shape is that of the fine grid."""
    sea, kind = fine_mask(fine(), find_horizontal(field(descending=True)), FACTOR)
    assert kind == "regridded by majority"
    np.testing.assert_array_equal(sea, fine().values[::-1])


def test_the_mask_of_a_larger_region_is_cut():
    large = fine().pad(lat=(2, 3), lon=(4, 1), constant_values=False)
    axes = {"lat": 39.75 - 0.0625 + np.arange(13) / 8, "lon": 5 - 1 / 12 - 4 / 12 + np.arange(23) / 12}
    sea, kind = fine_mask(large.assign_coords(axes), find_horizontal(field()), FACTOR)
    assert kind == "regridded by majority"
    np.testing.assert_array_equal(sea[1:-1, 1:-1], fine().values[1:-1, 1:-1])


def test_half_a_cell_of_sea_is_sea():
    y, x = np.meshgrid(np.arange(16), np.arange(36), indexing="ij")
    latitude, longitude = find_horizontal(field()).grid.refine((4, 6)).centres()
    mask = xr.DataArray(x % 2 == 0, {"lat": latitude, "lon": longitude}, ("lat", "lon"))
    assert fine_mask(mask, find_horizontal(field()), FACTOR)[0].all()
    less = mask & ((y % 2 == 0) | (x > 17))
    np.testing.assert_array_equal(
        fine_mask(less, find_horizontal(field()), FACTOR)[0], np.arange(18) > 8 + np.zeros((8, 1))
    )


def test_a_coarse_mask_with_coordinates_holds_in_its_cells():
    coarse = field() + (np.arange(24).reshape(4, 6) % 3 > 0)
    sea, _ = fine_mask(coarse, find_horizontal(field()), FACTOR)
    np.testing.assert_array_equal(sea, np.kron(coarse.values, np.ones(FACTOR)) > 0)


def test_curved_grids_take_masks_on_their_own_cells_and_regular_ones():
    horizontal = find_horizontal(curved())
    latitude, longitude = horizontal.grid.refine(FACTOR).centres()
    own = xr.DataArray(
        longitude > 7, {"nav_lat": (("y", "x"), latitude), "nav_lon": (("y", "x"), longitude)}, ("y", "x")
    )
    axes = {"lat": np.arange(38.0, 46.0, 0.05), "lon": np.arange(4.0, 13.0, 0.05)}
    regular = xr.DataArray(np.tile(axes["lon"] > 7, (160, 1)), axes, ("lat", "lon"))
    sea, kind = fine_mask(own, horizontal, FACTOR)
    assert kind == "given on the fine grid"
    np.testing.assert_array_equal(sea, longitude > 7)
    regridded, kind = fine_mask(regular, horizontal, FACTOR)
    assert kind == "regridded by majority"
    np.testing.assert_array_equal(regridded, longitude > 7)


def test_a_field_without_positions_takes_masks_of_its_own_cells_only():
    horizontal = without_positions()
    assert isinstance(horizontal, Horizontal)
    assert isinstance(horizontal.grid, IndexGrid)
    np.testing.assert_array_equal(fine_mask(fine().values, horizontal, FACTOR)[0], fine().values)
    with pytest.raises(ValueError, match=r"Invalid mask 'mask' on another grid. It must be on the fine grid"):
        fine_mask(fine(), horizontal, FACTOR)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones((4, 6)), r"mask of shape \(4, 6\). It must have the fine shape \(8, 18\).*This is the coarse grid"),
        (np.ones(8), r"mask of shape \(8,\). It must have the fine shape \(8, 18\)"),
        (np.full((8, 18), 2), "mask with the value 2"),
        (xr.DataArray(np.ones((8, 18)), dims=("a", "b")), "mask with dimensions .'a', 'b'."),
        (fine().expand_dims(time=2), "mask with dimensions .'time', 'lat', 'lon'."),
        (np.zeros((8, 18)), "Invalid mask. It must have some sea on the fine grid"),
        (fine(np.full((8, 18), np.nan)), "every value is land or missing"),
        (fine().assign_coords(lat=fine().lat + 3), "It must cover the field, but latitude 39.9375 is outside"),
    ],
)
def test_other_masks_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        fine_mask(given, find_horizontal(field()), FACTOR)


def test_positions_elsewhere_are_refused():
    horizontal = find_horizontal(field())
    with pytest.raises(ValueError, match=r"Invalid weights with other positions than the fine grid, 7.0 cells away"):
        on_fine_grid("weights", fine(descending=True), horizontal, FACTOR)
    with pytest.raises(ValueError, match=r"Invalid weights with other positions than the fine grid, 1.0 cells away"):
        on_fine_grid("weights", fine().assign_coords(lon=fine().lon + 1 / 12), horizontal, FACTOR)
    horizontal = find_horizontal(curved())
    latitude, longitude = horizontal.grid.refine(FACTOR).centres()
    positions = {"nav_lat": (("y", "x"), latitude[::-1]), "nav_lon": (("y", "x"), longitude[::-1])}
    with pytest.raises(ValueError, match="Invalid mask with other positions than the fine grid"):
        fine_mask(xr.DataArray(np.ones((8, 18)), positions, ("y", "x")), horizontal, FACTOR)


def test_positions_that_are_zero_on_land_do_not_matter():
    horizontal = find_horizontal(curved())
    latitude, longitude = (np.where(np.eye(8, 18), 0.0, part) for part in horizontal.grid.refine(FACTOR).centres())
    positions = {"nav_lat": (("y", "x"), latitude), "nav_lon": (("y", "x"), longitude)}
    mask = xr.DataArray(np.ones((8, 18)), positions, ("y", "x"))
    assert on_fine_grid("mask", mask, horizontal, FACTOR).shape == (8, 18)


def test_a_mask_the_wrong_way_round_is_told_from_one_of_a_part():
    has_data = np.ones((4, 6), bool)
    has_data[:2] = False
    sea = np.kron(has_data, np.ones(FACTOR, bool)).astype(bool)
    part = np.zeros_like(sea)
    part[4:5] = True
    for right in (sea, part, np.ones_like(sea)):
        check_orientation(right, has_data, FACTOR)
    check_orientation(~sea, np.ones_like(has_data), FACTOR)
    with pytest.raises(ValueError, match=r"land on 100% of the cells with data and sea on 100% .* 'land_binary_mask'"):
        check_orientation(~sea, has_data, FACTOR)


@pytest.mark.samples
def test_the_empty_mask_of_an_analysis_of_temperature_is_refused_and_its_field_is_one():
    """The flags of this GHRSST file are all missing; where it has a temperature is sea, on a grid thrice as fine."""
    with samples.open_dataset("black_sea") as sea_level, samples.open_dataset("black_sea_sst") as temperature:
        horizontal = find_horizontal(sea_level.adt, dataset=sea_level)
        with pytest.raises(ValueError, match=r"Invalid mask.*every value is land or missing"):
            fine_mask(temperature["mask"], horizontal, FACTOR)
        sea, kind = fine_mask(temperature.analysed_sst.notnull(), horizontal, FACTOR)
        has_data = np.kron(sea_level.adt.squeeze().notnull(), np.ones(FACTOR)) == 1
    assert kind == "regridded by majority"
    assert (sea == has_data).mean() > 0.93
