"""Several variables of a Dataset: one result, in which nothing of one is taken for the other."""

import json

import numpy as np
import pytest
import xarray as xr

from xr_dip.variables import apply_to_variables, gather, select_variable


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    axes = {"lat": np.arange(40.0, 44.0), "lon": np.arange(5.0, 11.0), "lon_u": np.arange(5.5, 11.5)}
    fields = {name: (("lat", "lon"), rng.normal(size=(4, 6)), {"units": "m"}) for name in ("adt", "sla")}
    fields["u"] = (("lat", "lon_u"), rng.normal(size=(4, 6)))
    ds = xr.Dataset(fields, axes, {"history": "made by hand", "institution": "here"})
    ds["lon_u"].attrs["standard_name"] = "longitude"
    return ds


def test_several_variables_make_one_dataset(dataset):
    both = dataset.dip.interpolate(["adt", "sla"], 2)
    alone = {name: dataset.dip.interpolate(name, 2) for name in ("adt", "sla")}
    assert set(both.data_vars) == {
        f"{name}_{part}" for name in alone for part in ("mean", "flag", "conservation_error")
    }
    for name, result in alone.items():
        for part in ("mean", "flag"):
            xr.testing.assert_identical(both[f"{name}_{part}"], result[f"{name}_{part}"])
            assert str(both[f"{name}_{part}"].encoding) == str(result[f"{name}_{part}"].encoding)
        error = result.conservation_error.rename(f"{name}_conservation_error")
        xr.testing.assert_identical(both[f"{name}_conservation_error"], error)
        assert all(str(both[key].encoding) == str(result[key].encoding) for key in result.coords)
        total = "largest_conservation_error"
        assert both.attrs[f"xr_dip_{name}_{total}"] == result.attrs[f"xr_dip_{total}"]
    assert both.attrs["xr_dip_configuration"] == alone["adt"].attrs["xr_dip_configuration"]
    assert both.attrs["title"].count("downscaled by 2 x 2") == 2
    assert both.attrs["history"].count("interpolation") == 2
    assert both.attrs["history"].count("made by hand") == 1
    assert (both.attrs["institution"], both.attrs["Conventions"]) == ("here", "CF-1.11")
    assert both.dip.summary().totals.keys() >= {"adt_largest_conservation_error", "sla_largest_conservation_error"}


def test_one_name_is_no_list(dataset):
    result = apply_to_variables(dataset, "adt", lambda field: field.to_dataset())
    assert list(result) == ["adt"]
    assert list(apply_to_variables(dataset, ["adt"], lambda field: field.to_dataset())) == ["adt"]


def test_configurations_that_differ_are_kept_by_name():
    results = {name: xr.Dataset(attrs={"xr_dip_configuration": json.dumps({"mask": name})}) for name in ("a", "b")}
    gathered = gather(results)
    assert json.loads(gathered.attrs["xr_dip_configuration"]) == {"a": {"mask": "a"}, "b": {"mask": "b"}}
    assert len(gathered.attrs["xr_dip_configuration_sha256"]) == 64


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["adt", "u"], r"Invalid variables .'adt', 'u'. on several grids. They must be on the same.*'lon_u'"),
        (["adt", "mdt"], "Invalid variable 'mdt'. It must be among .'adt', 'sla', 'u'."),
        (["adt", "adt"], "Invalid variables .'adt', 'adt'.. It must name one variable or more, each once"),
        ([], "Invalid variables ... It must name one"),
        (("adt", "sla"), "Invalid variable .'adt', 'sla'.. It must be among"),
    ],
)
def test_before_anything_is_computed_the_names_are_checked(dataset, names, message):
    def forbidden(field):
        raise AssertionError("computed")

    with pytest.raises(ValueError, match=message):
        apply_to_variables(dataset, names, forbidden)


def test_a_coordinate_is_no_variable(dataset):
    with pytest.raises(ValueError, match="Invalid variable 'lat'"):
        select_variable(dataset, "lat")
