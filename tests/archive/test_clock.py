"""The time of a source, and how it reads in a file name."""

import cftime
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.archive.clock import Clock, find_clock, label_of, open_clocked


def field(**coords):
    return xr.DataArray(np.zeros((2, 3)), coords, ("t", "x"), name="ssh")


DATES = xr.date_range("2020-01-01", periods=2, unit="ns")


def test_the_coordinate_of_the_dimension_comes_before_another_along_it():
    assert find_clock(field(time_centered=("t", DATES), t=DATES)) == Clock("t", "t")
    assert find_clock(field(time_centered=("t", DATES))) == Clock("t", "time_centered")
    assert find_clock(field(t=[cftime.DatetimeNoLeap(2020, 1, day) for day in (1, 2)])) == Clock("t", "t")


def test_no_time_and_two_times_are_refused():
    with pytest.raises(ValueError, match=r"Invalid times \[\] of 'ssh' with the dimensions \['t', 'x'\]"):
        find_clock(field(t=[0.0, 1.0]))
    both = field(t=DATES, x=xr.date_range("2020-01-01", periods=3, unit="ns"))
    with pytest.raises(ValueError, match=r"Invalid times \['t', 'x'\] of 'ssh'"):
        find_clock(both)


def test_a_scalar_time_becomes_a_dimension():
    dataset = xr.Dataset({"ssh": ("x", [1.0, 2.0]), "area": ("x", [3.0, 4.0])}, {"time": DATES[1], "x": [5, 6]})
    with open_clocked(dataset, "ssh") as (found, clock):
        assert clock == Clock("time", "time")
        assert found.ssh.dims == ("time", "x")
        assert found.area.dims == ("x",)
        assert found.time.values == [DATES[1].to_datetime64()]
    assert dataset.ssh.dims == ("x",)


@given(st.lists(st.integers(0, 4 * 10**9), min_size=2, max_size=2, unique=True))
@settings(max_examples=30)
def test_labels_are_in_the_order_of_time_and_tell_times_apart(seconds):
    early, late = (np.datetime64(number, "s").astype("datetime64[ns]") for number in sorted(seconds))
    assert label_of(early) < label_of(late)
    stamp = early.astype("datetime64[s]").item()
    assert label_of(cftime.datetime(*stamp.timetuple()[:6], calendar="standard")) == label_of(early)


def test_a_missing_time_has_no_label():
    with pytest.raises(ValueError, match="Invalid time NaT"):
        label_of(np.datetime64("NaT", "ns"))
