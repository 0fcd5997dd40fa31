"""What goes wrong: bad days, a full disk, an output that takes nothing, and what a killed run leaves."""

import contextlib
import errno
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from archives import DAYS, STORES, assert_same_bits, coarse_days, files_of, names, opened, place, run

import xr_dip
from xr_dip.archive import driver, folder, store, transactions
from xr_dip.cf import netcdf


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
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = [f"ssh_{day}.nc.{netcdf._HOST}-{gone.pid}.tmp" for day in DAYS[:2]]
    for name in left:
        (tmp_path / name).write_text("half a file")
    run(coarse_days(), tmp_path, shard="1/3")
    assert [name in names(tmp_path) for name in left] == [False, True]
    run(coarse_days(), tmp_path, shard="2/3")
    assert not list(tmp_path.glob("*.tmp"))


def test_what_another_run_is_writing_is_left_to_it(tiny, tmp_path):
    """Of a process that lives, or of another machine until it has not been touched for a day."""
    mine, other = (
        tmp_path / f"ssh_{DAYS[0]}.nc.{owner}.tmp" for owner in (f"{netcdf._HOST}-{os.getppid()}", "node7-12")
    )
    for path in (mine, other):
        path.write_text("half a file")
    run(coarse_days(), tmp_path, shard="1/3")
    assert mine.exists()
    assert other.exists()
    os.utime(other, (0, 0))
    (tmp_path / f"ssh_{DAYS[0]}.nc").unlink()
    run(coarse_days(), tmp_path, shard="1/3")
    assert (mine.exists(), other.exists()) == (True, False)


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


@pytest.mark.parametrize("kind", STORES)
def test_a_day_in_another_unit_is_no_day_of_this_archive(tiny, tmp_path, kind):
    paths = files_of(coarse_days(3), tmp_path / "in")
    for path, factor, unit in ((paths[1], 100, "cm"), (paths[2], 1, "metres")):
        day = opened(path)
        day["ssh"] = (factor * day.ssh).assign_attrs(day.ssh.attrs, units=unit)
        path.unlink()
        day.to_netcdf(path)
    summary = run(paths, tmp_path / "out", **place(tmp_path, kind))
    assert (summary.done, summary.failed) == ([DAYS[0], DAYS[2]], DAYS[1:2])
    assert "Invalid day in 'cm'. It must be in the unit of the first" in summary.outcomes[1].reason
    if kind == "files":
        with pytest.raises(FileExistsError, match=r'differs in units \("m" there, "cm" here\)'):
            run(paths[1:2], tmp_path / "out", resume=True)


def changed_noon(change):
    """Two steps of a date in Datasets of their own, the second changed."""
    hours = coarse_days(2, freq="12h")
    return [hours.isel(time=[0]), change(hours.isel(time=[1]))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda ds: ds.assign(ssh=ds.ssh.assign_attrs(units="cm")),
            "Invalid steps in 'cm'. They must be in the unit of",
        ),
        (
            lambda ds: ds.isel(lat=slice(None, None, -1)),
            "Invalid steps with another 'lat'. They must be on the grid of",
        ),
        (lambda ds: ds.assign_coords(lon=ds.lon + 10), "Invalid steps with another 'lon'"),
        (lambda ds: ds.rename(lat="y"), r"Invalid steps on \('time', 'y', 'lon'\). They must be on the dimensions of"),
    ],
)
def test_steps_that_are_not_alike_are_not_averaged(tiny, tmp_path, change, message):
    for index, part in enumerate(changed_noon(change)):
        part.to_netcdf(tmp_path / f"{index}.nc")
    coarse_days(1, start="2020-01-02").to_netcdf(tmp_path / "2.nc")
    with pytest.warns(xr_dip.DipWarning, match="Days with fewer than 2 time steps"):
        summary = run(str(tmp_path / "*.nc"), tmp_path / "out", daily_mean=True)
    assert summary.done == DAYS[1:2]
    assert re.search(message, summary.outcomes[0].reason)


def rounded(dataset):
    """Positions in single precision, no unit, and a static field that the first file does not have."""
    angles = {name: dataset[name].astype("float32") for name in ("lat", "lon")}
    bare = dataset.assign(ssh=dataset.ssh.drop_attrs(), bathy=dataset.ssh[0].drop_vars("time"))
    return bare.assign_coords(angles)


def test_steps_whose_files_differ_in_what_does_not_matter_are_averaged(tiny, tmp_path):
    for index, part in enumerate(changed_noon(rounded)):
        part.to_netcdf(tmp_path / f"{index}.nc")
    assert run(str(tmp_path / "?.nc"), tmp_path / "out", daily_mean=True).done == DAYS[:1]


def test_steps_in_another_order_of_dimensions_are_averaged(tiny, tmp_path):
    for kind, change in (("same", lambda ds: ds), ("turned", lambda ds: ds.transpose("lon", "lat", "time"))):
        for index, part in enumerate(changed_noon(change)):
            part.to_netcdf(tmp_path / f"{kind}{index}.nc")
        run(str(tmp_path / f"{kind}?.nc"), tmp_path / kind, daily_mean=True)
    assert_same_bits(*(opened(tmp_path / kind / f"ssh_{DAYS[0]}.nc") for kind in ("same", "turned")))


def damage_values(path):
    """Overwrite a part of a file so that it opens, and its heights cannot be read."""
    whole = path.read_bytes()
    for start in range(len(whole) - 50, 0, -50):
        path.write_bytes(whole[:start] + b"\xff" * 50 + whole[start + 50 :])
        try:
            with xr.open_dataset(path) as dataset:
                dataset.drop_vars("ssh").load()
                with pytest.raises(RuntimeError):
                    dataset.ssh.load()
        except (OSError, RuntimeError, ValueError, pytest.fail.Exception):
            continue
        return
    raise AssertionError("The heights are nowhere.")


def test_a_first_day_of_damaged_values_does_not_stop_the_means_of_others(tiny, tmp_path):
    paths = []
    for index, part in enumerate([coarse_days(2, freq="12h"), coarse_days(2, freq="12h", start="2020-01-02")]):
        paths.append(tmp_path / f"{index}.nc")
        part.to_netcdf(paths[-1], encoding={"ssh": {"zlib": True, "fletcher32": True}})
    damage_values(paths[0])
    summary = run(paths, tmp_path / "out", daily_mean=True)
    assert (summary.failed, summary.done) == (DAYS[:1], DAYS[1:2])


def test_a_second_run_on_a_store_keeps_what_the_first_is_writing(tiny, tmp_path, monkeypatch):
    """Its chunks are of no transaction yet: to remove them as left over would lose a day that counts as done."""
    series, options = coarse_days(shape=(10, 12)), {"zarr": tmp_path / "fine.zarr", "icechunk": True}
    writing = transactions.Transactions.writing

    @contextlib.contextmanager
    def beside_another(self, message):
        with writing(self, message) as session:
            yield session
            if message == f"day {DAYS[1]}":
                monkeypatch.setattr(transactions.Transactions, "writing", writing)
                again = run(series.isel(time=[0]), tmp_path / "again", resume=True, **options)
                assert again.skipped == DAYS[:1]

    monkeypatch.setattr(transactions.Transactions, "writing", beside_another)
    run(series, tmp_path / "out", **options)
    assert transactions.Transactions.writing is writing
    assert opened(tmp_path / "fine.zarr").ssh_std.notnull().any(["lat", "lon"]).all()


def test_two_runs_that_write_to_one_store_are_one_clear_error(tiny, tmp_path):
    run(coarse_days(), tmp_path / "out", zarr=tmp_path / "fine.zarr", icechunk=True)
    output = transactions.Transactions(tmp_path / "fine.zarr", "time", "time")
    status = xr.Dataset({store.STATUS: ("time", np.ones(1, np.int8))})

    def write_at_once():
        with output.writing("one") as one, output.writing("other") as other:
            for session in (one, other):
                status.to_zarr(session, region={"time": slice(0, 1)}, consolidated=False)

    with pytest.raises(OSError, match=r"another run has written to the store since .*let one run write to it"):
        write_at_once()


def test_a_place_that_takes_no_store_of_icechunk_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(transactions.os, "access", lambda *_: False)
    with pytest.raises(OSError, match=r"Invalid output '.*fine.zarr'. It must be a place to write to"):
        run(coarse_days(), tmp_path / "out", zarr=tmp_path / "fine.zarr", icechunk=True)
