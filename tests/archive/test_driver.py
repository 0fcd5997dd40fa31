"""An archive is the same bits however it is cut up, and only good days are in it."""

import json
import os
import random

import numpy as np
import pytest
import xarray as xr
from archives import (
    DAYS,
    FEW_FITS,
    STORES,
    assert_same_bits,
    assert_same_folders,
    coarse_days,
    files_of,
    names,
    opened,
    place,
    run,
)

import xr_dip
from xr_dip.archive import driver
from xr_dip.archive.days import find_days
from xr_dip.archive.job import Job, make_job
from xr_dip.archive.work import solve
from xr_dip.errors import DipWarning


def test_each_day_is_what_downscale_makes_of_it(tiny, tmp_path):
    series = coarse_days()
    summary = run(series, tmp_path / "out")
    assert summary.done == DAYS
    assert names(tmp_path / "out") == [*(f"ssh_{day}.nc" for day in DAYS), "summary.json"]
    options = {key: value for key, value in FEW_FITS.items() if key not in ("variable", "factor")}
    for index, day in enumerate(DAYS):
        fine = opened(tmp_path / "out" / f"ssh_{day}.nc")
        expected = xr_dip.downscale(series.ssh.isel(time=[index]), 2, dataset=series, **options)
        xr.testing.assert_equal(fine, expected)
    written = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (written["done"], written["failed"]) == (3, 0)
    assert 0 < written["largest_conservation_error"] < 1e-6


@pytest.mark.parametrize("kind", ["plain", "icechunk"])
def test_a_store_holds_what_the_files_hold(tiny, tmp_path, kind):
    series = coarse_days()
    series["ssh"] = series.ssh.transpose("lat", "time", "lon")
    run(series, tmp_path / "files")
    run(series, tmp_path / "out", **place(tmp_path, kind))
    assert names(tmp_path / "out") == ["summary.json"]
    whole = opened(tmp_path / "fine.zarr")
    assert (whole.day_status == 1).all()
    for day in DAYS:
        fine = opened(tmp_path / "files" / f"ssh_{day}.nc")
        xr.testing.assert_equal(whole.sel(time=[day]).drop_vars("day_status"), fine.transpose("time", ...))
        assert whole.ssh_mean.attrs == fine.ssh_mean.attrs
        assert fine.attrs["xr_dip_configuration"] == whole.attrs["xr_dip_configuration"]


def test_files_dataset_order_and_shards_change_no_bit(tiny, tmp_path):
    series = coarse_days(5)
    run(series, tmp_path / "whole")
    paths = files_of(series, tmp_path / "in", size=2)
    run(paths[::-1], tmp_path / "files")
    assert_same_folders(tmp_path / "whole", tmp_path / "files")
    for number in (3, 1, 2):
        summary = run(paths, tmp_path / "shards", shard=f"{number}/3")
        assert len(summary.done) == (1 if number == 3 else 2)
        os.unlink(tmp_path / "shards" / f"summary_{number}_of_3.json")
    os.unlink(tmp_path / "whole" / "summary.json")
    assert_same_folders(tmp_path / "whole", tmp_path / "shards")


def test_shards_share_a_plain_store(tiny, tmp_path):
    series = coarse_days(4)
    run(series, tmp_path / "out", zarr=tmp_path / "one.zarr", icechunk=False)
    for number in (2, 1):
        run(series, tmp_path / "out", zarr=tmp_path / "two.zarr", shard=f"{number}/2")
    assert_same_bits(opened(tmp_path / "one.zarr"), opened(tmp_path / "two.zarr"))


def test_days_in_any_order_are_the_same(tiny, tmp_path):
    days = find_days(coarse_days(4), "ssh")
    options = {key: value for key, value in FEW_FITS.items() if key not in ("variable", "factor", "progress")}
    job, _ = make_job(days[0], "ssh", 2, options, daily_mean=False)
    forward = {day.label: solve(job, day)[1] for day in days}
    for day in random.Random(0).sample(days, len(days)):
        assert_same_bits(solve(job, day)[1], forward[day.label])


@pytest.mark.parametrize("kind", STORES)
def test_days_that_are_there_are_not_done_again(tiny, tmp_path, monkeypatch, kind):
    series, options = coarse_days(), place(tmp_path, kind)
    run(series, tmp_path / "out", **options)
    with pytest.raises(
        FileExistsError, match="It must hold none of the days, but holds 3 of 3: go on with resume=True"
    ):
        run(series, tmp_path / "out", **options)
    monkeypatch.setattr(Job, "solve", None)
    assert run(series, tmp_path / "out", resume=True, **options).skipped == DAYS


@pytest.mark.parametrize("kind", STORES)
def test_another_configuration_is_refused_by_name(tiny, tmp_path, kind):
    series, options = coarse_days(), place(tmp_path, kind)
    run(series.isel(time=[0]) if kind == "files" else series, tmp_path / "out", **options)
    with pytest.raises(
        FileExistsError, match=r"differs in members \(2 there, 3 here\), seed \(0 there, 1 here\): choose"
    ):
        run(series, tmp_path / "out", members=3, seed=1, resume=True, **options)
    with pytest.raises(FileExistsError, match="differs in grid"):
        run(series.assign_coords(lon=series.lon + 10), tmp_path / "out", resume=True, **options)
    mask = np.ones((10, 12), bool)
    with pytest.raises(FileExistsError, match=r"differs in mask \(.coarse. there, .given on the fine grid. here\)"):
        run(series, tmp_path / "out", mask=mask, resume=True, **options)


def test_another_mask_of_the_same_kind_is_refused(tiny, tmp_path):
    masks = np.ones((2, 10, 12), bool)
    masks[1, -1, -1] = False
    run(coarse_days(1), tmp_path / "out", mask=masks[0])
    with pytest.raises(FileExistsError, match="differs in mask_sha256"):
        run(coarse_days(2), tmp_path / "out", mask=masks[1], resume=True)


def test_a_stranger_in_the_place_of_a_day_is_kept(tiny, tmp_path):
    stranger = tmp_path / f"ssh_{DAYS[0]}.nc"
    stranger.write_text("mine")
    with pytest.raises(
        FileExistsError, match=r"must be a day of an archive, but cannot be read: .* Delete it, .*or move it"
    ):
        run(coarse_days(), tmp_path, resume=True)
    assert stranger.read_text() == "mine"
    (tmp_path / "fine.zarr").mkdir()
    with pytest.raises(FileExistsError, match="It must be a Zarr store of an archive"):
        run(coarse_days(), tmp_path / "out", zarr=tmp_path / "fine.zarr")


def test_options_are_checked_before_any_day(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "work_on", None)
    wrong = [
        (TypeError, "Invalid options \\['sead'\\]. They must be among", {"sead": 1}),
        (ValueError, "Invalid preset 'slow'", {"preset": "slow"}),
        (ValueError, "Invalid members 0", {"members": 0}),
        (ValueError, "Invalid shard '4/3'", {"shard": "4/3"}),
        (ValueError, "Invalid workers 0", {"workers": 0}),
        (ValueError, "Invalid workers 2 with the scheduler 'tcp://a:1'", {"workers": 2, "scheduler": "tcp://a:1"}),
        (ValueError, "Invalid shard with a store of icechunk", {"zarr": "a.zarr", "icechunk": True, "shard": "1/2"}),
    ]
    for error, text, options in wrong:
        with pytest.raises(error, match=text):
            run(coarse_days(), tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())


def test_a_store_has_one_form(tiny, tmp_path, monkeypatch):
    run(coarse_days(), tmp_path / "out", zarr=tmp_path / "plain.zarr", icechunk=False)
    with pytest.raises(FileExistsError, match=r"Invalid icechunk True for '.*plain.zarr'. That store is a plain one"):
        run(coarse_days(), tmp_path / "out", zarr=tmp_path / "plain.zarr", icechunk=True, resume=True)
    assert run(coarse_days(), tmp_path / "out", zarr=tmp_path / "plain.zarr", resume=True).skipped == DAYS
    with pytest.raises(
        FileExistsError, match="It must have a place for each day, but has none for 1, the first 2020-01-04"
    ):
        run(coarse_days(4), tmp_path / "out", zarr=tmp_path / "plain.zarr", resume=True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"Invalid icechunk True. It must be installed"):
        run(coarse_days(), tmp_path / "out", zarr=tmp_path / "new.zarr", icechunk=True)


@pytest.mark.parametrize("calendar", ["standard", "noleap"])
def test_daily_means_are_downscaled_into_files_and_stores(tiny, tmp_path, calendar):
    hours = coarse_days(7, freq="8h", calendar=calendar)
    with pytest.warns(DipWarning, match="Days with fewer than 3 time steps: 1, the first 2020-01-03"):
        summary = run(hours, tmp_path / "out", daily_mean=True)
    assert summary.done == DAYS
    fine = opened(tmp_path / "out" / f"ssh_{DAYS[1]}.nc")
    assert fine.ssh_mean.attrs["cell_methods"] == "time: mean area: mean realization: mean"
    mean = hours.ssh.isel(time=slice(3, 6)).astype("float64").mean("time")
    block = fine.ssh_mean[0].astype("float64").coarsen(lat=2, lon=2).mean()
    np.testing.assert_allclose(block, mean, atol=1e-6)
    with pytest.warns(DipWarning, match="Days with fewer than 3 time steps"):
        run(hours, tmp_path / "out", daily_mean=True, zarr=tmp_path / "fine.zarr")
    whole = opened(tmp_path / "fine.zarr")
    np.testing.assert_array_equal(whole.ssh_mean[1], fine.ssh_mean[0])
    np.testing.assert_array_equal(whole.time[1], fine.time[0])


def test_warnings_are_repeated_once_with_their_number(tiny, tmp_path):
    with pytest.warns(DipWarning, match=r"One member has no spread.*\(Days: 3.\)") as caught:
        run(coarse_days(), tmp_path / "out", members=1)
    assert len([entry for entry in caught if "One member" in str(entry.message)]) == 1


@pytest.mark.samples
def test_two_days_of_the_mediterranean(tiny, tmp_path):
    with xr_dip.samples.open_dataset("mediterranean") as ds:
        window = ds.isel(time=slice(0, 2), latitude=slice(40, 56), longitude=slice(60, 84))
        window.to_netcdf(tmp_path / "in.nc")
    summary = run(tmp_path / "in.nc", tmp_path / "out", variable="adt")
    assert len(summary.done) == 2
    assert summary.largest_conservation_error < 1e-6
    run(tmp_path / "in.nc", tmp_path / "out", variable="adt", zarr=tmp_path / "fine.zarr")
    whole = opened(tmp_path / "fine.zarr")
    for index, label in enumerate(summary.done):
        np.testing.assert_array_equal(opened(tmp_path / "out" / f"adt_{label}.nc").adt_mean[0], whole.adt_mean[index])
