"""Warm starts: chains of days whose bits depend on nothing but the days of the chain."""

import shutil
from itertools import pairwise

import dask
import numpy as np
import pytest
import tiny_preset
import xarray as xr
from archives import assert_same_bits, assert_same_folders, coarse_days, names, opened, place, run
from hypothesis import given
from hypothesis import strategies as st

from xr_dip.archive.chains import Chain, make_chains
from xr_dip.archive.days import Day, find_days
from xr_dip.downscaling import downscale
from xr_dip.presets import PRESETS
from xr_dip.relay import Relay

PRESET = tiny_preset.__file__
WARM = {"warm_start": True, "chain": 3}


def fine(folder, day):
    return opened(folder / f"ssh_{day}.nc")


def labels(chains):
    return [[day.label[-2:] for day in chain.days] for chain in chains]


@pytest.fixture(scope="module")
def series():
    """Eight days, of which the sixth is missing: chains of three, two and two days."""
    return coarse_days(8).isel(time=[0, 1, 2, 3, 4, 6, 7])


def stamps(series):
    return [str(time)[:10] for time in series.time.values]


@pytest.fixture(scope="module")
def warm(tmp_path_factory, series):
    """Folder of an undisturbed run."""
    folder = tmp_path_factory.mktemp("undisturbed") / "warm"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "tiny", tiny_preset.make)
        run(series, folder, **WARM)
    return folder


def same_files(one, other):
    for folder in (one, other):
        for path in folder.glob("summary*.json"):
            path.unlink()
    assert_same_folders(one, other)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 7))
def test_chains_hold_each_day_once_and_end_at_gaps(offsets, length):
    dates = np.datetime64("2020-01-01", "ns") + np.array(sorted(offsets)).astype("timedelta64[D]")
    days = [*(Day(str(date)[:10], date) for date in dates), Day("broken.nc", fault="no NetCDF")]
    chains = make_chains(days, length)
    assert [day for chain in chains for day in chain.days] == days
    steps = np.diff(sorted(offsets))
    usual = sorted(steps)[(len(steps) - 1) // 2] if len(steps) else 0
    for chain in chains[:-1]:
        assert len(chain.days) <= length
        assert all(np.diff([day.time for day in chain.days]) <= 1.5 * usual * np.timedelta64(1, "D"))
    for chain, following in pairwise(chains[:-1]):
        gap = following.days[0].time - chain.days[-1].time > 1.5 * usual * np.timedelta64(1, "D")
        assert gap or len(chain.days) == length
    assert chains[-1].label == "broken.nc"


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_chains_know_every_calendar(calendar):
    days = find_days(coarse_days(8, calendar=calendar).isel(time=[0, 1, 2, 5, 6, 7]), "ssh")
    assert labels(make_chains(days, 2)) == [["01", "02"], ["03"], ["06", "07"], ["08"]]


def test_months_are_no_gaps():
    days = find_days(coarse_days(12, freq="MS"), "ssh")
    assert [len(chain.days) for chain in make_chains(days, 30)] == [12]


def test_a_chain_is_done_again_up_to_its_last_day_to_do():
    chain = Chain(tuple(Day(label) for label in "abcd"))
    left = chain.to_do({"a", "c", "d"})
    assert ([day.label for day in left.days], [day.label for day in left.pending]) == (["a", "b"], ["b"])
    assert chain.to_do(set("abcd")).days == ()


@pytest.mark.parametrize("length", [0, -1, 2.5, True])
def test_a_length_that_means_nothing_is_refused(tiny, tmp_path, length):
    with pytest.raises(ValueError, match=rf"Invalid chain {length}. It must be a whole number of days"):
        run(coarse_days(), tmp_path / "out", warm_start=True, chain=length)


def test_a_length_is_of_warm_starts(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"Invalid chain 5 without warm_start\. It must be left out"):
        run(coarse_days(), tmp_path / "out", chain=5)
    with pytest.raises(ValueError, match=r"Invalid chain 0\. It must be a whole number of days"):
        run(coarse_days(), tmp_path / "out", chain=0)
    assert names(tmp_path) == []


def test_warm_members_are_no_batch(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"Invalid batch 2 with a warm start\. It must be None or 1"):
        run(coarse_days(), tmp_path / "out", batch=2, **WARM)
    assert names(tmp_path) == []
    options = {"members": 2, "preset": "tiny", "device": "cpu", "progress": False, "relay": Relay()}
    with pytest.raises(ValueError, match=r"Invalid batch 2 with a warm start\. It must be None or 1"):
        downscale(coarse_days(1).ssh, 2, batch=2, **options)
    assert float(downscale(coarse_days(1).ssh, 2, batch=1, **options).iterations[0]) == 8


def test_heads_are_those_of_a_cold_run_and_the_others_are_not(tiny, warm, series, tmp_path):
    run(series, tmp_path / "cold")
    heads = [stamps(series)[index] for index in (0, 3, 5)]
    for day in stamps(series):
        one, other = fine(warm, day), fine(tmp_path / "cold", day)
        same = [np.array_equal(one[name], other[name], equal_nan=True) for name in ("ssh_fit_std", "fit_residual")]
        assert same == [day in heads] * 2  # the mean may be without the fits
        assert float(one.iterations[0]) == (8 if day in heads else 1)
        assert float(abs(one.conservation_error).max()) < 1e-6


def test_a_gap_begins_a_chain(tiny, warm, series, tmp_path):
    run(series.isel(time=slice(5, None)), tmp_path / "after", **WARM)
    for day in stamps(series)[5:]:
        assert_same_bits(fine(warm, day), fine(tmp_path / "after", day))


def test_the_bits_are_those_of_calls_with_one_relay(tiny, warm, series):
    options = {"members": 2, "preset": "tiny", "device": "cpu", "progress": False, "dataset": series}
    relay = Relay()
    for index in range(3):
        expected = downscale(series.ssh.isel(time=[index]), 2, relay=relay, **options)
        xr.testing.assert_equal(fine(warm, stamps(series)[index]), expected)


def test_a_series_in_memory_is_a_chain(tiny):
    field = coarse_days(3).ssh
    options = {"members": 2, "preset": "tiny", "device": "cpu", "progress": False}
    relay, whole = Relay(), downscale(field, 2, relay=Relay(), **options)
    for index in range(3):
        xr.testing.assert_equal(whole.isel(time=[index]), downscale(field[[index]], 2, relay=relay, **options))


def test_lazy_fields_have_no_order(tiny):
    with pytest.raises(ValueError, match=r"Invalid relay with a lazy field. The field must be in memory"):
        downscale(coarse_days().ssh.chunk(time=1), 2, preset="tiny", relay=Relay())


def test_times_in_tiles_have_no_order_either(tiny):
    with pytest.raises(ValueError, match=r"Invalid relay with several times of a domain in tiles"):
        downscale(coarse_days(shape=(9, 14)).ssh, 2, preset="tiny", tile=8, overlap=2, relay=Relay())


def test_shards_are_of_chains(tiny, warm, series, tmp_path):
    for number in (3, 1, 2):
        done = run(series, tmp_path / "shards", shard=f"{number}/3", **WARM).done
        assert done == [stamps(series)[index] for index in ((0, 1, 2), (3, 4), (5, 6))[number - 1]]
    same_files(warm, tmp_path / "shards")


@pytest.mark.slow
def test_two_workers_make_the_same_files(tiny, warm, series, tmp_path):
    with dask.config.set({"distributed.worker.preload": [PRESET]}):
        assert run(series, tmp_path / "two", workers=2, **WARM).done == stamps(series)
    same_files(warm, tmp_path / "two")


@pytest.mark.parametrize("lost", [[1], [0, 2, 6], [3]])
def test_days_that_are_missing_are_made_again_with_the_same_bits(tiny, warm, series, tmp_path, lost):
    shutil.copytree(warm, tmp_path / "again")
    for index in lost:
        (tmp_path / "again" / f"ssh_{stamps(series)[index]}.nc").unlink()
    summary = run(series, tmp_path / "again", resume=True, **WARM)
    assert summary.done == [stamps(series)[index] for index in lost]
    assert len(summary.skipped) == len(series.time) - len(lost)
    same_files(warm, tmp_path / "again")


def test_a_store_holds_the_same(tiny, warm, series, tmp_path):
    run(series, tmp_path / "out", **place(tmp_path, "plain"), **WARM)
    whole = opened(tmp_path / "fine.zarr")
    for day in stamps(series):
        np.testing.assert_array_equal(whole.ssh_mean.sel(time=day), fine(warm, day).ssh_mean[0])


def test_a_day_that_fails_is_a_gap(tiny, tmp_path):
    series = coarse_days(4)
    series.ssh[1] = np.nan
    summary = run(series, tmp_path / "warm", **WARM)
    assert summary.failed == ["2020-01-02"]
    run(series, tmp_path / "cold")
    assert_same_bits(
        fine(tmp_path / "warm", "2020-01-03").drop_attrs(deep=False),
        fine(tmp_path / "cold", "2020-01-03").drop_attrs(deep=False),
    )


def test_the_sea_may_change_within_a_chain(tiny, tmp_path):
    series = coarse_days(2)
    series.ssh[1, -1, -1] = np.nan
    assert run(series, tmp_path, **WARM).done == ["2020-01-01", "2020-01-02"]
    changed = fine(tmp_path, "2020-01-02")
    assert bool(changed.ssh_mean[0, -2:, -2:].isnull().all())
    assert float(abs(changed.conservation_error).max()) < 1e-6


def test_tiles_are_chained_each_with_itself(tiny, tmp_path):
    series = coarse_days(2, shape=(9, 14))
    options = {"tile": 8, "overlap": 2, **WARM}
    run(series, tmp_path / "warm", **options)
    run(series, tmp_path / "again", **options)
    same_files(tmp_path / "warm", tmp_path / "again")
    assert [float(fine(tmp_path / "warm", day).iterations[0]) for day in stamps(series)] == [8, 1]


def test_another_chain_is_another_configuration(tiny, warm, series):
    with pytest.raises(FileExistsError, match=r"differs in chain \(3 there, 4 here\)"):
        run(series, warm, resume=True, warm_start=True, chain=4)
    with pytest.raises(FileExistsError, match=r"differs in chain \(3 there, 1 here\)"):
        run(series, warm, resume=True)


def test_workers_do_not_hand_days_of_a_chain_to_a_store_of_icechunk(tiny, tmp_path):
    with pytest.raises(ValueError, match="Invalid warm_start with workers and a store of icechunk"):
        run(coarse_days(), tmp_path / "out", zarr=tmp_path / "fine.zarr", icechunk=True, workers=2, **WARM)
    assert names(tmp_path) == []
