"""Shares, summaries and configurations: what is plain Python."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.archive.configuration import difference, digest, read_configuration, refuse_another, stamp
from xr_dip.archive.cost import Cost
from xr_dip.archive.shard import Shard, parse_shard
from xr_dip.archive.summary import Outcome, Summary
from xr_dip.cf.provenance import configuration_hash


@given(st.integers(1, 7), st.integers(0, 30))
@settings(max_examples=25)
def test_shares_are_disjoint_complete_and_even(count, days):
    shares = [parse_shard(f"{number}/{count}").of(range(days)) for number in range(1, count + 1)]
    assert sorted(day for share in shares for day in share) == list(range(days))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_share_is_all_and_has_no_name_of_its_own():
    assert parse_shard(None).of([1, 2]) == [1, 2]
    assert (Shard().suffix, Shard(2, 3).suffix) == ("", "_2_of_3")


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "-1/3", "a/b", "1/2/3", 2])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValueError, match=rf"Invalid shard {text!r}. It must be 'i/n'"):
        parse_shard(text)


def test_totals_are_over_the_days_done(tmp_path):
    outcomes = (
        Outcome("a", "done", 1.0, 1e-9, 0.02),
        Outcome("b", "skipped"),
        Outcome("c", "done", 2.0, 3e-9, 0.04),
        Outcome("d", "failed", 0.5, reason="all NaN"),
    )
    summary = Summary(outcomes, 4.0)
    assert (summary.done, summary.skipped, summary.failed) == (["a", "c"], ["b"], ["d"])
    assert summary.largest_conservation_error == 3e-9
    assert summary.mean_predicted_rmse == pytest.approx(0.03)
    assert repr(summary).endswith("failed: d: all NaN")
    written = json.loads(summary.write(tmp_path / "summary.json").read_text())
    assert (written["done"], written["skipped"], written["failed"], written["seconds"]) == (2, 1, 1, 4.0)
    assert [day["label"] for day in written["days"]] == ["a", "b", "c", "d"]
    assert written["days"][1]["predicted_rmse"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


def test_without_days_there_are_no_totals():
    assert math.isnan(Summary(()).mean_predicted_rmse)
    assert math.isnan(Summary(()).largest_conservation_error)


def test_a_stamp_is_read_back_and_has_its_own_hash():
    configuration = {"seed": 0, "factor": [2, 2]}
    attrs = stamp(xr.Dataset(attrs={"title": "kept"}), configuration).attrs
    assert read_configuration(attrs, "a.nc") == configuration
    assert attrs["xr_dip_configuration_sha256"] == configuration_hash(configuration)
    assert attrs["title"] == "kept"
    with pytest.raises(FileExistsError, match=r"Invalid output 'a.nc'. It must be of an archive of xr_dip"):
        read_configuration({}, "a.nc")


def test_each_option_that_differs_is_named():
    assert difference({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3], "c": None}) == "b ([1, 2] there, [1, 3] here)"
    assert refuse_another("out", {"seed": 0}, {"seed": 0}) is None
    with pytest.raises(FileExistsError, match=r"differs in members \(2 there, 3 here\), seed \(0 there, 1 here\)"):
        refuse_another("out", {"seed": 0, "members": 2}, {"seed": 1, "members": 3})


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=4), st.integers(0, 3))
@settings(max_examples=25)
def test_a_digest_sees_every_bit_and_the_shape(values, place):
    array = np.array(values, dtype=np.float64)
    other = array.copy()
    other[place % len(array)] = np.nextafter(other[place % len(array)], 100)
    assert digest(array) == digest(array.copy()) != digest(other)
    assert digest(array) != digest(array[np.newaxis])


@pytest.mark.parametrize(
    ("seconds", "text"), [(5.0, "5.0 s"), (90.0, "1.5 min"), (5400.0, "1.5 h"), (1.3e5, "1.5 days")]
)
def test_durations_have_a_unit_that_reads(seconds, text):
    assert Cost(1, 10, seconds, seconds, 10**9, 2 * 10**6).rows()["time"] == text
    assert Cost(1, 10, seconds, seconds, 10**9, 2 * 10**6).rows()["memory"] == "1.0 GB"
