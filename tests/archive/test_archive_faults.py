"""What goes wrong: bad days, a full disk, an output that takes nothing, and what a killed run leaves."""

import errno

import numpy as np
import pytest
import xarray as xr
from archives import DAYS, STORES, assert_same_bits, coarse_days, files_of, names, opened, place, run

from xr_dip.archive import driver, folder, store


def bad_days(folder):
    """Six files of a day: two good ones, one all NaN, one infinite, one with an undeclared fill, one unreadable."""
    series = coarse_days(6)
    series.ssh[1] = np.nan
    series.ssh[2, 3, 3] = np.inf
    series.ssh[3, 3, 3] = 1e20
    paths = files_of(series, folder)
    paths[4].write_text("no NetCDF")
    return paths


@pytest.mark.parametrize("kind", STORES)
def test_bad_days_do_not_stop_the_others(tiny, tmp_path, kind):
    paths = bad_days(tmp_path / "in")
    summary = run(paths, tmp_path / "out", **place(tmp_path, kind))
    assert summary.done == ["2020-01-01", "2020-01-06"]
    assert summary.failed == ["2020-01-02", "2020-01-03", "2020-01-04", str(paths[4])]
    reasons = [outcome.reason for outcome in summary.outcomes if outcome.reason]
    expected = ["Every value is NaN", "Invalid ssh inf at time=0, lat=3, lon=3", "A fill value must be declared", ""]
    assert all(text in reason for text, reason in zip(expected, reasons, strict=True))
    again = run(paths, tmp_path / "out", resume=True, **place(tmp_path, kind))
    assert (again.skipped, again.failed) == (summary.done, summary.failed)
    if kind != "files":
        whole = opened(tmp_path / "fine.zarr")
        assert whole.day_status.values.tolist() == [1, 0, 0, 0, 1]
        failed = whole.isel(time=[1, 2, 3])
        assert failed.ssh_mean.isnull().all()
        assert failed.predicted_rmse.isnull().all()
        assert (failed.ssh_flag == store.GAP).all()


def test_a_day_of_another_grid_or_kind_is_no_day_of_this_archive(tiny, tmp_path):
    paths = files_of(coarse_days(3), tmp_path / "in")
    coarse_days(1, start="2020-01-02").assign_coords(lon=np.arange(6.0)).to_netcdf(paths[1])
    masked = coarse_days(1, start="2020-01-03")
    masked["tmask"] = (("lat", "lon"), masked.ssh[0].notnull().values.astype("int8"))
    masked.to_netcdf(paths[2])
    summary = run(paths, tmp_path / "out")
    assert summary.done == DAYS[:1]
    reasons = [outcome.reason for outcome in summary.outcomes[1:]]
    assert "It must be on the same grid as the first" in reasons[0]
    assert 'differs in coarse_mask (null there, "tmask" here)' in reasons[1]


def fail_at(function, count, error):
    """A function that raises from its given call on."""
    calls = iter(range(count))

    def wrapped(*args, **kwargs):
        if next(calls, None) is None:
            raise error
        return function(*args, **kwargs)

    return wrapped


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error", [FULL, RuntimeError("NetCDF: HDF error")])
def test_a_full_disk_is_one_clear_error_and_finished_days_are_kept(tiny, tmp_path, error):
    series = coarse_days()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "write_netcdf", fail_at(folder.write_netcdf, 1, error))
        with pytest.raises(OSError, match=r"Cannot write 2020-01-02: .*What was done before it is kept: make room"):
            run(series, tmp_path / "out")
    assert names(tmp_path / "out") == [f"ssh_{DAYS[0]}.nc"]
    summary = run(series, tmp_path / "out", resume=True)
    assert (summary.skipped, summary.done) == (DAYS[:1], DAYS[1:])


@pytest.mark.parametrize("kind", ["plain", "icechunk"])
def test_a_store_without_its_mark_has_no_day(tiny, tmp_path, kind):
    # The template and each day's values and mark are one call each: the mark of the second day fails.
    series, options = coarse_days(), place(tmp_path, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xr.Dataset, "to_zarr", fail_at(xr.Dataset.to_zarr, 4, FULL))
        with pytest.raises(OSError, match=r"Cannot write 2020-01-02: .*No space left"):
            run(series, tmp_path / "out", **options)
    assert opened(tmp_path / "fine.zarr").day_status.values.tolist() == [1, 0, 0]
    run(series, tmp_path / "out", resume=True, **options)
    run(series, tmp_path / "out", **{**options, "zarr": tmp_path / "undisturbed.zarr"})
    assert_same_bits(opened(tmp_path / "fine.zarr"), opened(tmp_path / "undisturbed.zarr"))


def test_an_output_that_takes_nothing_is_named_before_anything_is_computed(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "work_on", None)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"Invalid output '.*file/out'. It must be a place to write to"):
        run(coarse_days(), tmp_path / "file" / "out")
    monkeypatch.setattr(driver.os, "access", lambda *_: False)
    with pytest.raises(
        OSError, match=r"Invalid output '.*out'. It must be a place to write to: it does not allow writing"
    ):
        run(coarse_days(), tmp_path / "out")


def test_what_a_killed_run_left_is_removed_but_not_that_of_another_shard(tiny, tmp_path):
    for day in DAYS[:2]:
        (tmp_path / f"ssh_{day}.nc.tmp").write_text("half a file")
    run(coarse_days(), tmp_path, shard="1/3")
    assert f"ssh_{DAYS[1]}.nc.tmp" in names(tmp_path)
    run(coarse_days(), tmp_path, shard="2/3")
    assert not list(tmp_path.glob("*.tmp"))


def test_parts_of_chunks_are_removed(tiny, tmp_path):
    path = tmp_path / "fine.zarr"
    run(coarse_days(), tmp_path / "out", zarr=path, shard="1/3")
    left = [path / "ssh_mean" / "c" / "1" / "0" / "0.abc.partial", path / "iterations" / "c" / "2.abc.partial"]
    for part in left:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text("half a chunk")
    run(coarse_days(), tmp_path / "out", zarr=path, shard="2/3")
    assert [part.exists() for part in left] == [False, True]


def test_a_dry_run_writes_nothing_and_counts_what_is_to_do(tiny, tmp_path):
    paths = bad_days(tmp_path / "in")
    rows = run(paths, tmp_path / "out", dry_run=True, members=3).estimate
    assert names(tmp_path) == ["in"]
    assert (rows["days to do"], rows["fits"]) == ("5", "15")
    assert "memory" in repr(run(paths[1:], tmp_path / "out", zarr=tmp_path / "fine.zarr", dry_run=True))
    assert names(tmp_path) == ["in"]
    run(coarse_days(), tmp_path / "out")
    assert run(coarse_days(), tmp_path / "out", dry_run=True).estimate["days to do"] == "0"
    with pytest.raises(ValueError, match="It must have a day that can be downscaled; none of 1 can"):
        run(paths[1:2], tmp_path / "other", dry_run=True)
