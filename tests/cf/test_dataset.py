"""The Dataset of a result: order, names, links, encodings, and the verdict of the CF checker."""

import json
import subprocess
import sys
from pathlib import Path

import cf_xarray  # noqa: F401
import dask
import dask.array
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xr_dip import cf
from xr_dip.cf.horizontal import find_horizontal

FACTOR = (2, 3)
CHECKER = Path(sys.executable).with_name("compliance-checker")
# What a data producer writes, with what is stale or forbidden in a product made from it.
ZOS = {
    "standard_name": "sea_surface_height_above_geoid",
    "long_name": "Sea surface height",
    "units": "m",
    "cell_methods": "area: mean",
    "valid_min": np.float32(-2),
    "_ChunkSizes": np.array([1, 3, 4]),
    "ancillary_variables": "err",
    "cell_measures": "area: coarse_area",
}


def days(count):
    time = xr.Variable("time", np.datetime64("2009-07-01T12", "ns") + np.arange(count) * np.timedelta64(1, "D"))
    time.attrs = {"standard_name": "time", "axis": "T", "_CoordinateAxisType": "Time", "valid_min": 632292.0}
    return time


def rectilinear(dims=("time", "lat", "lon"), attrs=ZOS):
    coords = {
        "time": days(2),
        "lat": ("lat", [30.0, 31.0, 32.0], {"standard_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", [5.0, 6.0, 7.0, 8.0], {"standard_name": "longitude", "units": "degrees_east"}),
    }
    used = {name: coords[name] for name in dims}
    shape = [{"time": 2, "lat": 3, "lon": 4}[dim] for dim in dims]
    return xr.DataArray(np.zeros(shape, "float32"), used, dims, "zos", attrs)


def curvilinear(leading=("time",)):
    y, x = np.meshgrid(np.arange(3.0), np.arange(4.0), indexing="ij")
    coords = {"time": days(2), "nav_lat": (("y", "x"), 40 + y + 0.1 * x), "nav_lon": (("y", "x"), 5 + x - 0.1 * y)}
    used = {name: value for name, value in coords.items() if name in (*leading, "nav_lat", "nav_lon")}
    return xr.DataArray(np.zeros((2, 3, 4)[-2 - len(leading) :], "float32"), used, (*leading, "y", "x"), "sossheig")


def make_fields(source, horizontal, factor=FACTOR, members=3, keys=None, zeros=np.zeros):
    """Fields as the solver hands them over: leading dimensions, member, y, x."""
    leading = [dim for dim in source.dims if dim not in (horizontal.y_dim, horizontal.x_dim)]
    lengths = [source.sizes[dim] for dim in leading]
    ny, nx = source.sizes[horizontal.y_dim], source.sizes[horizontal.x_dim]
    fine = (*leading, horizontal.y_dim, horizontal.x_dim), (*lengths, ny * factor[0], nx * factor[1])
    coarse = (*leading, f"{horizontal.y_dim}_coarse", f"{horizontal.x_dim}_coarse"), (*lengths, ny, nx)
    full = {
        **{key: xr.Variable(fine[0], zeros(fine[1], dtype="float32")) for key in ("mean", "std", "fit_std")},
        "flag": xr.Variable(fine[0], zeros(fine[1], dtype="int8")),
        "members": xr.Variable(
            (*leading, "member", *fine[0][-2:]), zeros((*lengths, members, *fine[1][-2:]), dtype="float32")
        ),
        **{key: xr.Variable(coarse[0], zeros(coarse[1])) for key in ("conservation_error", "fit_residual")},
    }
    return {key: full[key] for key in keys or full}


def build(source, keys=None, dataset=None, zeros=np.zeros, **kwargs):
    horizontal = find_horizontal(source, dataset=dataset)
    fields = make_fields(source, horizontal, keys=keys, zeros=zeros)
    options = {"configuration": {"seed": 0}, "totals": {"spread": 0.25}, "method": "a test"} | kwargs
    extra = cf.related_variables(source, dataset)
    return cf.build_dataset(source, horizontal, FACTOR, fields, extra=extra, **options)


def check_cf(out, path):
    """The checker's findings on the file that a plain to_netcdf writes."""
    out.to_netcdf(path)
    command = [CHECKER, "-t", "cf:1.11", "-c", "normal", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# -------------------------------------------------------------------------------------------------- compliance


@pytest.mark.parametrize("keys", [None, ["mean"], ["mean", "std", "fit_std", "flag", "conservation_error"]])
def test_rectilinear_result_passes_the_checker(tmp_path, keys):
    check_cf(build(rectilinear(), keys), tmp_path / "fine.nc")


@pytest.mark.parametrize("leading", [("time",), ()])
def test_curvilinear_result_without_attributes_passes_the_checker(tmp_path, leading):
    out = build(curvilinear(leading))
    check_cf(out, tmp_path / "fine.nc")
    assert "units" not in out.sossheig_mean.attrs
    assert "standard_name" not in out.sossheig_mean.attrs


def test_latitude_on_a_dimension_of_another_name_passes_the_checker(tmp_path):
    source = rectilinear(("lat", "lon")).rename(lat="y", lon="x").reset_index(["y", "x"]).rename(y="lat", x="lon")
    check_cf(build(source), tmp_path / "fine.nc")


def test_index_coordinates_and_time_bounds_pass_the_checker(tmp_path):
    source = curvilinear().assign_coords(x=np.arange(4), y=np.arange(3), depth=0.5)
    source.coords["time"].attrs["bounds"] = "time_bounds"
    edges = source.time.values[:, None] + np.array([-12, 12]) * np.timedelta64(1, "h")
    dataset = xr.Dataset({"sossheig": source, "time_bounds": (("time", "nbounds"), edges)})
    out = build(dataset.sossheig, dataset=dataset)
    check_cf(out, tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc", decode_coords="all") as read:
        np.testing.assert_array_equal(read.time_bounds, edges)
        np.testing.assert_array_equal(read.x_coarse, np.arange(4))


def test_grid_mapping_of_the_dataset_passes_the_checker(tmp_path):
    crs = xr.Variable((), np.int32(0), {"grid_mapping_name": "latitude_longitude"})
    dataset = xr.Dataset({"zos": rectilinear().assign_attrs(grid_mapping="crs"), "crs": crs})
    out = build(dataset.zos, dataset=dataset)
    check_cf(out, tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        assert read.zos_mean.attrs["grid_mapping"] == "crs"
        assert "crs" not in read.zos_mean.encoding["coordinates"]


@pytest.mark.samples
@pytest.mark.parametrize(
    ("sample", "name", "decode_coords"),
    [
        ("glo12", "zos", True),
        ("gulf_stream_coarse", "sossheig", True),
        ("osmosis", "ssh", True),
        ("black_sea", "adt", True),
        ("black_sea", "sla", "all"),
    ],
)
def test_results_from_real_files_pass_the_checker(tmp_path, sample, name, decode_coords):
    from xr_dip import samples

    with xr.open_dataset(samples.fetch(sample), decode_coords=decode_coords) as dataset:
        part = dataset.isel({dim: slice(12) for dim in dataset[name].dims})
        out = build(part[name], dataset=part, source_attributes=dataset.attrs)
        check_cf(out, tmp_path / "fine.nc")
        assert out.attrs.get("institution") == dataset.attrs.get("institution")
        assert str(dataset.attrs.get("history", "")) in out.history


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
    check_cf(out, tmp_path / "fine.nc")


@pytest.mark.parametrize(
    ("given_methods", "kept"),
    [
        ("time: mean", "time: mean area: mean"),
        ("area: mean", "area: mean"),
        ("time: point area: mean where sea", "time: point area: mean where sea"),
        ("time_counter: mean (interval: 60 s)", "area: mean"),
        (None, "area: mean"),
    ],
)
def test_cell_methods_of_the_source_come_first_where_they_can_be_read(given_methods, kept):
    attrs = {} if given_methods is None else {"cell_methods": given_methods}
    assert build(rectilinear(attrs=attrs), ["mean"]).zos_mean.attrs["cell_methods"] == kept


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


# -------------------------------------------------------------------------------------------------- coordinates


def test_every_other_coordinate_of_the_source_is_there():
    source = rectilinear().assign_coords(
        run="control", depth=0.5, day=("time", [182, 183]), basin=("lat", ["a", "b", "c"])
    )
    out = build(source)
    for name in ("time", "run", "depth", "day"):
        np.testing.assert_array_equal(out[name], source[name])
    np.testing.assert_array_equal(out.basin_coarse, source.basin)
    assert out.basin_coarse.dims == ("lat_coarse",)


def test_fine_cells_lie_in_their_coarse_cells():
    out = build(rectilinear())
    np.testing.assert_allclose(out.lat.coarsen(lat=2).mean(), [30, 31, 32])
    np.testing.assert_allclose(out.lon.coarsen(lon=3).mean(), [5, 6, 7, 8])
    np.testing.assert_allclose(out.lat_coarse, [30, 31, 32])


def test_bounds_can_be_found_by_cf_xarray_before_and_after_writing(tmp_path):
    out = build(curvilinear())
    assert out.cf.get_bounds("latitude").shape == (6, 12, 4)
    out.to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        np.testing.assert_array_equal(read.cf.get_bounds("latitude"), out.cf.get_bounds("latitude"))


def test_links_to_absent_variables_are_dropped():
    source = rectilinear().assign_attrs(grid_mapping="crs")
    source.coords["time"].attrs["bounds"] = "time_bounds"
    out = build(source)
    assert "bounds" not in out.time.attrs
    assert "grid_mapping" not in {*out.zos_mean.attrs, *out.zos_mean.encoding}


def test_fill_values_are_on_fields_only():
    source = rectilinear().assign_coords(depth=("time", np.array([0.5, 1.5], "float32")))
    source.coords["depth"].encoding = {"_FillValue": -999.0, "scale_factor": 0.5, "dtype": "int16"}
    out = build(source)
    for name, coord in out.coords.items():
        assert coord.encoding.get("_FillValue") is None, name
        assert "scale_factor" not in coord.encoding
    assert np.isnan(out.zos_mean.encoding["_FillValue"])


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "standard"])
def test_dates_of_other_calendars_are_carried(tmp_path, calendar):
    time = xr.date_range("2001-02-27", periods=2, calendar=calendar, use_cftime=True)
    out = build(rectilinear().assign_coords(time=time))
    out.to_netcdf(tmp_path / "fine.nc")
    coder = xr.coders.CFDatetimeCoder(use_cftime=True)
    with xr.open_dataset(tmp_path / "fine.nc", decode_times=coder) as read:
        assert list(read.time.values) == list(time)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("units", ["hours since 1950-01-01", "days since 1950-01-01"])
def test_dates_are_counted_as_in_the_source_and_lose_nothing(tmp_path, units, dtype):
    time = days(2) if "hours" in units or dtype != np.int64 else days(2) + np.timedelta64(12, "h")
    time.encoding = {"units": units, "dtype": np.dtype(dtype), "calendar": "gregorian"}
    out = build(rectilinear().assign_coords(time=time))
    out.to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        np.testing.assert_array_equal(read.time, time)
        assert read.time.encoding["units"].startswith(units)


# -------------------------------------------------------------------------------------------------- laziness


def test_nothing_is_computed():
    def refuse(*_args, **_kwargs):
        raise AssertionError("a dask array was computed")

    with dask.config.set(scheduler=refuse):
        out = build(rectilinear().chunk(time=1), zeros=dask.array.zeros)
        assert all(variable.chunks is not None for variable in out.data_vars.values())


# -------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("name", [None, "", 3])
def test_an_array_needs_a_name(name):
    with pytest.raises(ValueError, match=r"Invalid name .* It must be a text.*rename\('ssh'\)"):
        cf.variable_name(rectilinear().rename(name))


@pytest.mark.parametrize("name", ["member", "realization"])
def test_names_of_the_ensemble_must_be_free(name):
    with pytest.raises(
        ValueError, match=rf"Invalid dimension or coordinate \['{name}'\] of 'zos'. It must have another"
    ):
        cf.variable_name(rectilinear().assign_coords({name: 1}))


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
