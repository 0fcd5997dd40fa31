"""The coordinates of a result: fine and coarse grid, dates, what the source carries."""

import cf_xarray  # noqa: F401
import numpy as np
import pytest
import xarray as xr
from results import build, check_cf, curvilinear, days, rectilinear


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


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "julian", "all_leap", "standard"])
def test_dates_of_every_calendar_pass_the_checker(tmp_path, calendar):
    time = xr.date_range("2001-02-27", periods=2, calendar=calendar, use_cftime=True)
    out = build(rectilinear().assign_coords(time=("time", time, {"standard_name": "time", "axis": "T"})))
    check_cf(out, tmp_path / "fine.nc")


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("labelled", [True, False])
def test_no_time_and_one_time_with_and_without_a_coordinate(tmp_path, count, labelled):
    source = rectilinear().isel(time=slice(count))
    out = build(source if labelled else source.drop_vars("time"))
    assert out.zos_mean.sizes["time"] == count
    assert ("time" in out.coords) is labelled
    out.to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        assert read.zos_mean.dims == source.dims
        if labelled:
            np.testing.assert_array_equal(read.time, source.time)


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
