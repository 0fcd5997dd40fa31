"""What masks of models and products mean, and where a Dataset has its own."""

import numpy as np
import pytest
import xarray as xr

from xr_dip.cf.sea_masks import decode_mask, find_mask
from xr_dip.errors import DipWarning

GHRSST = {"flag_masks": np.array([1, 2, 4, 8], "int8"), "flag_meanings": "water land lake sea_ice"}


def mask(values, name="mask", **attrs):
    return xr.DataArray(values, dims=("y", "x")[-np.ndim(values) :], name=name, attrs=attrs)


@pytest.mark.parametrize(
    ("given", "sea"),
    [
        (mask([True, False]), [1, 0]),
        (mask(np.array([1, 0], "uint8")), [1, 0]),
        (mask([0.49, 0.5, 1.0, np.nan]), [0, 1, 1, 0]),
        (mask([1, 0], standard_name="sea_binary_mask"), [1, 0]),
        (mask([1, 0], standard_name="land_binary_mask"), [0, 1]),
        (mask([True, False], standard_name="land_binary_mask"), [0, 1]),
        (mask([0.2, 0.6], standard_name="sea_area_fraction"), [0, 1]),
        (mask([20.0, 60.0], standard_name="sea_area_fraction", units="%"), [0, 1]),
        (mask([0.2, 0.6, np.nan], standard_name="land_area_fraction"), [1, 0, 0]),
        (mask([1.0, 0.0], "tmask"), [1, 0]),
        (mask([1.0, 0.0], "mask_rho", standard_name="land_binary_mask"), [1, 0]),
        (mask([1, 0], "lsm"), [0, 1]),
        (mask([1, 0], "lsm", standard_name="sea_binary_mask"), [1, 0]),
        (mask([1, 2, 3, 4], flag_values=[1, 2, 3, 4], flag_meanings="sea land lake ice"), [1, 0, 0, 0]),
        (mask([1.0, np.nan], flag_values="1b, 2b", flag_meanings="open_water land"), [1, 0]),
        (mask([0, 1], flag_values="0.0, 1.0", flag_meanings="open_water land"), [1, 0]),
        (mask([0, 1], flag_values=[0, 1], flag_meanings="ocean land"), [1, 0]),
        (mask([1, 2, 4, 8, 9, 5, 3, 0], **GHRSST), [1, 0, 0, 1, 1, 0, 0, 0]),
        (mask([1, 2], flag_values=[1, 2], flag_meanings="inland_water sea"), [0, 1]),
    ],
)
def test_every_coding_is_read(given, sea):
    decoded = decode_mask(given)
    assert decoded.dtype == bool
    np.testing.assert_array_equal(decoded, np.array(sea, bool))


def test_a_coarse_cell_with_some_sea_can_have_data():
    share = mask([0.0, 0.1, 1.0, np.nan], standard_name="sea_area_fraction")
    np.testing.assert_array_equal(decode_mask(share, partly=True), [False, True, True, False])
    land = mask([0.0, 0.9, 1.0, np.nan], standard_name="land_area_fraction")
    np.testing.assert_array_equal(decode_mask(land, partly=True), [True, True, False, False])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (mask([0, 2]), "Invalid mask with the value 2 in 'mask'. It must hold 1 .sea. and 0 .land."),
        (mask([-1.0, 1.0]), "Invalid mask with the value -1.0"),
        (mask([50.0, 100.0], standard_name="sea_area_fraction"), "Invalid mask with the value 50.0"),
        (mask(["sea", "land"]), "Invalid mask of type <U4 in 'mask'. It must be of numbers or bool"),
        (mask([1, 9], flag_values=[1, 2], flag_meanings="sea land"), r"Invalid mask with the value 9.*in \[1, 2\]"),
        (mask([1], flag_values=[1, 2], flag_meanings="land ice"), "the flag_meanings 'land ice' in 'mask'. It must"),
        (mask([1], flag_values=[1], flag_meanings="sea land"), "as many flag_values or flag_masks as words"),
        (mask([1], flag_meanings="sea land"), "as many flag_values or flag_masks as words"),
    ],
)
def test_what_is_no_mask_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        decode_mask(given)


def dataset(**masks):
    field = xr.DataArray(np.zeros((1, 2, 3)), dims=("time", "y", "x"), name="zos")
    return xr.Dataset({"zos": field, **{name: array.rename(name) for name, array in masks.items()}})


PLANE = xr.DataArray(np.ones((2, 3)), dims=("y", "x"))


@pytest.mark.parametrize(
    ("masks", "found"),
    [
        ({}, None),
        ({"tmask": PLANE}, "tmask"),
        ({"TMASK": PLANE}, "TMASK"),
        ({"mask": PLANE, "mask_rho": PLANE}, "mask_rho"),
        ({"lsm": PLANE, "mask": PLANE}, "mask"),
        ({"mask": PLANE, "sftof": PLANE.assign_attrs(standard_name="sea_area_fraction")}, "sftof"),
        ({"tmask": PLANE.expand_dims(t=1)}, "tmask"),
        ({"mask": PLANE.expand_dims(z=2)}, None),
        ({"mask": PLANE.rename(x="x_u")}, None),
        ({"umask": PLANE}, None),
        ({"mask": PLANE.astype(str)}, None),
        ({"wet": PLANE.T}, "wet"),
    ],
)
def test_the_mask_of_a_dataset_is_found_by_standard_name_and_by_name(masks, found):
    ds = dataset(**masks)
    mask = find_mask(ds, ds.zos)
    assert (None if mask is None else mask.name) == found
    if mask is not None:
        assert set(mask.dims) == {"y", "x"}


def test_two_masks_of_one_kind_are_ambiguous():
    sea = PLANE.assign_attrs(standard_name="sea_binary_mask")
    ds = dataset(top=sea, bottom=sea)
    with pytest.raises(ValueError, match=r"masks \['top', 'bottom'\], each a sea_binary_mask.*drop_vars"):
        find_mask(ds, ds.zos)


def test_a_field_is_not_its_own_mask():
    ds = dataset(mask=PLANE)
    assert find_mask(ds, ds["mask"]) is None


def test_a_mask_of_more_levels_is_told_of():
    """As tmask of NEMO and maskC of MITgcm have them: which level is that of the surface is not ours to say."""
    dataset = xr.Dataset({"ssh": (("y", "x"), np.zeros((2, 3))), "tmask": (("z", "y", "x"), np.ones((4, 2, 3)))})
    with pytest.warns(DipWarning, match=r"'tmask' is not used for 'ssh', .* {'z': 4}.*ds\['tmask'\].isel\({'z': 0}\)"):
        assert find_mask(dataset, dataset.ssh) is None
    surface = dataset.assign(tmask=dataset["tmask"].isel({"z": 0}))
    assert find_mask(surface, surface.ssh).dims == ("y", "x")
