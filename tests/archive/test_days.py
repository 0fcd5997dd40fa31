"""Which steps of which files make a day."""

import numpy as np
import pytest
import xarray as xr
from archives import coarse_days, files_of

from xr_dip.archive.days import find_days, open_day


def labels(days):
    return [day.label for day in days]


def test_files_patterns_lists_and_datasets_have_the_same_days(tmp_path):
    series = coarse_days(4)
    paths = files_of(series, tmp_path, size=3)
    expected = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]
    for source in (series, paths, list(map(str, reversed(paths))), tmp_path / "*.nc", f"{tmp_path}/in_*.nc"):
        days = find_days(source, "ssh")
        assert labels(days) == expected
        for index, day in enumerate(days):
            with open_day(day, "ssh") as dataset:
                xr.testing.assert_equal(dataset.ssh.load(), series.ssh.isel(time=[index]))


def test_a_day_that_travels_holds_nothing_of_the_others():
    series = coarse_days(4)
    for day in find_days(series, "ssh"):
        [step] = day.alone("ssh").steps
        assert step.source.sizes["time"] == 1
        with open_day(day.alone("ssh"), "ssh") as alone, open_day(day, "ssh") as whole:
            xr.testing.assert_identical(alone.load(), whole.load())


def test_files_of_one_day_with_a_scalar_time_make_a_series(tmp_path):
    series = coarse_days(2)
    for index in range(2):
        series.isel(time=index).to_netcdf(tmp_path / f"{index}.nc")
    days = find_days(tmp_path / "*.nc", "ssh")
    assert labels(days) == ["2020-01-01", "2020-01-02"]
    with open_day(days[1], "ssh") as dataset:
        xr.testing.assert_equal(dataset.ssh.load(), series.ssh.isel(time=[1]))


def test_unreadable_files_come_last_with_their_fault(tmp_path):
    paths = files_of(coarse_days(3), tmp_path)
    paths[0].write_text("no NetCDF")
    coarse_days(1).rename(ssh="sla").to_netcdf(paths[1])
    days = find_days(paths, "ssh")
    assert labels(days) == ["2020-01-03", str(paths[0]), str(paths[1])]
    assert days[1].fault
    assert "Invalid variable 'ssh'. It must be among ['sla']" in days[2].fault


def test_sources_without_any_day_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Invalid source '.*absent.nc'. It must be a file or a pattern"):
        find_days(tmp_path / "absent.nc", "ssh")
    with pytest.raises(FileNotFoundError, match=r"Invalid source '.*\*.nc'"):
        find_days(tmp_path / "*.nc", "ssh")
    with pytest.raises(ValueError, match="It must have days of 'ssh'; there are none"):
        find_days([], "ssh")
    (tmp_path / "text.nc").write_text("no NetCDF")
    with pytest.raises(ValueError, match=r"there are none: .*text.nc"):
        find_days(tmp_path / "text.nc", "ssh")
    with pytest.raises(ValueError, match="Invalid variable 'sla'"):
        find_days(coarse_days(1), "sla")


def test_a_time_that_is_there_twice_is_refused(tmp_path):
    one, two = files_of(coarse_days(2), tmp_path)
    coarse_days(1).to_netcdf(two)
    with pytest.raises(ValueError, match=r"Invalid source with the time 2020-01-01 twice in \['.*0.nc', '.*1.nc'\]"):
        find_days([one, two], "ssh")
    assert labels(find_days([one, one], "ssh")) == ["2020-01-01"]


@pytest.mark.parametrize("calendar", ["standard", "noleap"])
@pytest.mark.parametrize("size", [4, 5, 12])
def test_daily_means_are_those_of_resample(tmp_path, size, calendar):
    # 12 steps of 6 h from noon on, in files that do not end with the day: half a day, two whole ones, half a day.
    series = coarse_days(12, freq="6h", start="2020-02-27T12:00", calendar=calendar)
    series.ssh[3, 4, 4] = np.nan  # missing in one step only
    expected = series.ssh.resample(time="1D").mean()
    days = find_days(files_of(series, tmp_path, size), "ssh", daily_mean=True)
    assert len(days) == expected.sizes["time"] == 4
    for index, day in enumerate(days):
        with open_day(day, "ssh") as dataset:
            # float32 values below one, added up in another order.
            np.testing.assert_allclose(dataset.ssh[0], expected[index], atol=1e-6)
            assert dataset.time.values == expected.time.values[[index]]
            assert dataset.ssh.dtype == np.float64
            bounds = dataset[dataset.time.attrs["bounds"]].values
            assert bounds[0, 0] == dataset.time.values[0]
            np.testing.assert_array_equal(np.asarray(bounds[0, 1] - bounds[0, 0], "timedelta64[h]"), 24)


def test_a_mean_says_so_and_leaves_out_what_belongs_to_the_steps():
    series = coarse_days(2, freq="12h")
    series.ssh.attrs["cell_methods"] = "area: mean time: point (interval: 12 hours)"
    series["wind"] = series.ssh * 2
    series["depth"] = (("lat", "lon"), np.ones((5, 6)))
    [day] = find_days(series, "ssh", daily_mean=True)
    with open_day(day, "ssh") as dataset:
        assert dataset.ssh.attrs["cell_methods"] == "area: mean time: mean"
        assert dataset.ssh.attrs["units"] == "m"
        assert set(dataset.data_vars) == {"ssh", "depth"}
