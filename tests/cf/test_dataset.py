"""The Dataset of a result: order, names, links, encodings, laziness."""

import json

import dask
import dask.array
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from results import FACTOR, ZOS, build, check_cf, make_fields, rectilinear

from xr_dip import cf
from xr_dip.cf.horizontal import find_horizontal

# -------------------------------------------------------------------------------------------------- order and names


@given(st.permutations(["time", "lat", "lon"]))
def test_fields_come_in_the_order_of_the_source(dims):
    out = build(rectilinear(tuple(dims)))
    assert out.zos_mean.dims == tuple(dims)
    assert out.conservation_error.dims == tuple({"lat": "lat_coarse", "lon": "lon_coarse"}.get(d, d) for d in dims)
    assert tuple(dim for dim in out.zos_members.dims if dim != "member") == tuple(dims)
    spatial = [out.zos_members.dims.index(dim) for dim in ("lat", "lon")]
    assert out.zos_members.dims.index("member") < min(spatial)


def test_values_follow_their_dimensions():
    source = rectilinear(("lon", "lat", "time"))
    fields = make_fields(source, find_horizontal(source), keys=["mean"])
    fields["mean"] = fields["mean"].copy(data=np.random.default_rng(0).normal(size=fields["mean"].shape))
    out = cf.build_dataset(source, find_horizontal(source), FACTOR, fields, configuration={}, totals={}, method="a")
    np.testing.assert_array_equal(out.zos_mean, np.moveaxis(fields["mean"].values, (0, 1, 2), (2, 1, 0)))


def test_a_field_without_time_stays_without_time():
    source = rectilinear()
    fields = make_fields(source, find_horizontal(source), keys=["mean", "flag"])
    fields["flag"] = fields["flag"][0]
    out = cf.build_dataset(source, find_horizontal(source), FACTOR, fields, configuration={}, totals={}, method="a")
    assert out.zos_flag.dims == ("lat", "lon")


def test_diagnostics_of_each_time_do_not_pass_for_the_field(tmp_path):
    source = rectilinear()
    fields = make_fields(source, find_horizontal(source), keys=["mean"])
    # Arithmetic of xarray keeps the attributes of the field on whatever is made of it.
    fields |= {
        key: xr.Variable("time", [0.01, 0.02], ZOS) for key in ("anything_else", "blend_weight", "predicted_rmse")
    }
    out = cf.build_dataset(source, find_horizontal(source), FACTOR, fields, configuration={}, totals={}, method="a")
    assert list(out.data_vars) == ["zos_mean", "predicted_rmse", "blend_weight", "anything_else"]
    assert [out[key].attrs.get("units") for key in list(out.data_vars)[1:]] == ["m", "1", None]
    assert out.anything_else.attrs == {"long_name": "anything else"}
    check_cf(out, tmp_path / "fine.nc")


def test_arguments_are_left_as_they_were():
    source = rectilinear()
    fields = make_fields(source, find_horizontal(source))
    before = source.copy(deep=True)
    cf.build_dataset(source, find_horizontal(source), FACTOR, fields, configuration={}, totals={}, method="a")
    xr.testing.assert_identical(source, before)
    assert all(not field.attrs and not field.encoding for field in fields.values())


# -------------------------------------------------------------------------------------------------- attributes


def test_each_field_says_what_it_is():
    out = build(rectilinear())
    name = "sea_surface_height_above_geoid"
    methods = {
        "zos_mean": "area: mean realization: mean",
        "zos_std": "area: mean realization: standard_deviation",
        "zos_fit_std": "area: mean realization: standard_deviation",
        "zos_members": "area: mean",
    }
    for key, expected in methods.items():
        assert out[key].attrs["cell_methods"] == expected
        assert (out[key].attrs["standard_name"], out[key].attrs["units"]) == (name, "m")
        assert not {"valid_min", "_ChunkSizes", "cell_measures"} & out[key].attrs.keys()
    assert out.zos_mean.attrs["ancillary_variables"] == "zos_std zos_fit_std zos_flag"
    assert out.zos_mean.attrs["long_name"] == "ensemble mean of Sea surface height"
    assert out.conservation_error.attrs["units"] == "m"
    assert "standard_name" not in out.conservation_error.attrs


def test_flags_are_explained_in_their_own_dtype():
    attrs = build(rectilinear()).zos_flag.attrs
    assert attrs["flag_masks"].dtype == np.int8
    assert len(attrs["flag_masks"]) == len(attrs["flag_meanings"].split())


def test_one_field_is_not_called_an_ensemble():
    out = build(rectilinear(), ["mean"])
    assert out.zos_mean.attrs["long_name"] == "downscaled Sea surface height"
    assert out.zos_mean.attrs["cell_methods"] == "area: mean"
    assert "realization" not in out.coords


def test_an_estimate_with_its_error_is_not_called_an_ensemble(tmp_path):
    out = build(rectilinear(), ["mean", "std"])
    assert out.zos_mean.attrs["cell_methods"] == "area: mean"
    assert out.zos_std.attrs["cell_methods"] == "area: mean realization: standard_deviation"
    assert out.realization.attrs["long_name"] == "all realizations together"
    check_cf(out, tmp_path / "fine.nc")


def test_global_attributes_say_who_and_how():
    origin = {"history": "2020: made", "source": "MOI GLO12", "institution": "Mercator", "comment": "not ours"}
    out = build(rectilinear(), configuration={"b": 1, "a": (2, 3)}, source_attributes=origin)
    assert out.Conventions == "CF-1.11"
    assert out.history.splitlines()[1] == "2020: made"
    assert out.source.endswith("input: MOI GLO12")
    assert out.institution == "Mercator"
    assert "comment" not in out.attrs
    assert json.loads(out.xr_dip_configuration) == {"a": [2, 3], "b": 1}
    assert out.xr_dip_spread == 0.25


def test_attributes_that_are_arrays_are_texts():
    origin = {"history": np.array(["2020: made", "2021: changed"]), "institution": np.array(["here", "there"])}
    out = build(rectilinear(), source_attributes=origin)
    assert out.history.splitlines()[1:] == ["2020: made", "2021: changed"]
    assert out.institution == "here\nthere"


def test_the_record_dimension_is_a_time_that_comes_first():
    """Classic formats have one, and know no other place for it."""
    assert build(rectilinear()).encoding["unlimited_dims"] == {"time"}
    assert build(rectilinear().transpose(..., "time")).encoding["unlimited_dims"] == set()


# -------------------------------------------------------------------------------------------------- laziness


def test_nothing_is_computed():
    def refuse(*_args, **_kwargs):
        raise AssertionError("a dask array was computed")

    with dask.config.set(scheduler=refuse):
        out = build(rectilinear().chunk(time=1), zeros=dask.array.zeros)
        assert all(variable.chunks is not None for variable in out.data_vars.values())


# -------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("name", [None, "", 3, "adt/sla"])
def test_an_array_needs_a_name(name):
    with pytest.raises(ValueError, match=r"Invalid name .* It must be a text.*rename\('ssh'\)"):
        cf.variable_name(rectilinear().rename(name))


@pytest.mark.parametrize("name", ["member", "realization", "zos_mean", "conservation_error", "lat_coarse", "nv"])
def test_names_of_the_output_must_be_free(name):
    with pytest.raises(
        ValueError, match=rf"Invalid dimension or coordinate \['{name}'\] of 'zos'. It must have another"
    ):
        cf.variable_name(rectilinear().assign_coords({name: 1}))


@pytest.mark.parametrize("keys", [["mean", "std"], None])
def test_a_result_can_be_made_fine_itself(tmp_path, keys):
    first = build(rectilinear(attrs=ZOS | {"cell_methods": "time: mean area: mean"}), keys)
    first.to_netcdf(tmp_path / "first.nc")
    with xr.open_dataset(tmp_path / "first.nc") as read:
        out = build(read.zos_mean, keys, read)
    assert out.zos_mean_mean.dims == first.zos_mean.dims
    assert "realization" in out.coords
    expected = "time: mean area: mean realization: mean" if keys is None else "time: mean area: mean"
    assert out.zos_mean_mean.attrs["cell_methods"] == expected
    check_cf(out, tmp_path / "fine.nc")


def test_a_field_on_unknown_dimensions_is_refused():
    source = rectilinear()
    fields = {"mean": xr.Variable(("time", "y"), np.zeros((2, 2)))}
    with pytest.raises(ValueError, match=r"Invalid dimensions \('time', 'y'\) of 'zos_mean'"):
        cf.build_dataset(source, find_horizontal(source), FACTOR, fields, configuration={}, totals={}, method="a")


def test_a_misspelt_field_is_no_diagnostic():
    source = rectilinear()
    fields = make_fields(source, find_horizontal(source), keys=["mean"])
    with pytest.raises(ValueError, match=r"Invalid dimensions .* of 'meen'. They must be among \['time', 'member'\]"):
        cf.build_dataset(
            source, find_horizontal(source), FACTOR, {"meen": fields["mean"]}, configuration={}, totals={}, method="a"
        )
