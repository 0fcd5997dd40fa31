"""The configuration as JSON, its hash, and the lines of the history."""

import datetime
import json
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.cf.provenance import (
    configuration_hash,
    configuration_json,
    history_line,
    note_cost,
    read_cost,
    source_line,
)

LEAVES = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    LEAVES | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
CONFIGURATIONS = st.dictionaries(st.text(max_size=5), VALUES, max_size=5)


@dataclass(frozen=True)
class Preset:
    name: str
    rate: np.float32


@settings(max_examples=50)
@given(CONFIGURATIONS)
def test_plain_configurations_survive_the_round_trip(configuration):
    assert json.loads(configuration_json(configuration)) == configuration


@settings(max_examples=50)
@given(CONFIGURATIONS)
def test_the_order_of_keys_does_not_matter(configuration):
    backwards = dict(reversed(configuration.items()))
    assert configuration_hash(backwards) == configuration_hash(configuration)


@settings(max_examples=50)
@given(CONFIGURATIONS, st.integers())
def test_another_value_gives_another_hash(configuration, seed):
    changed = [configuration_hash({**configuration, "seed": value}) for value in (seed, seed + 1)]
    assert changed[0] != changed[1]


def test_values_of_numpy_and_dataclasses_are_written_plainly():
    configuration = {
        "factor": (np.int64(2), 3),
        "window": np.arange(2.0),
        "preset": Preset("fast", np.float32(0.5)),
        "parts": MappingProxyType({"loss": "mse"}),
    }
    assert json.loads(configuration_json(configuration)) == {
        "factor": [2, 3],
        "window": [0.0, 1.0],
        "preset": {"name": "fast", "rate": 0.5},
        "parts": {"loss": "mse"},
    }


@pytest.mark.parametrize("value", [np.nan, np.inf, {1, 2}, print, Preset, [np.float64("nan")]])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(ValueError, match=r"Invalid configuration 'option': .* It must be made of finite numbers"):
        configuration_json({"seed": 0, "option": value})


def test_history_is_in_utc_with_the_newest_line_first():
    when = datetime.datetime(2026, 1, 2, 1, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    lines = history_line("b", history_line("a", "older\n", when=when), when=when).splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["b", "a", "older"]
    assert lines[0].startswith("2026-01-01T23:00:00Z xr_dip ")


def test_history_of_now_is_now():
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    written = datetime.datetime.strptime(history_line("a").split()[0], "%Y-%m-%dT%H:%M:%S%z")
    assert before <= written <= datetime.datetime.now(datetime.UTC)


def test_source_names_the_input_where_it_is_known():
    assert source_line("spline", "GLO12").endswith(", spline; input: GLO12")
    assert source_line("spline").endswith(", spline")


@given(st.floats(0, 1e6), st.sampled_from(["cpu", "cuda (NVIDIA H200)", "cuda:1 (a model; 80 s on it)"]))
def test_what_it_took_is_read_as_it_was_written(seconds, device):
    history = history_line("downscaled", "older; 3.0 s on cpu")
    newest, earlier = note_cost(history, seconds, device).splitlines()
    assert newest.startswith(history.splitlines()[0])
    assert earlier == "older; 3.0 s on cpu"
    found, on = read_cost(newest)
    assert abs(found - seconds) <= 0.05 + 1e-9 * seconds
    assert on == device


@pytest.mark.parametrize("line", ["", "t xr_dip: downscaled", "12.3 s on cpu", "t; some s on cpu"])
def test_a_line_that_does_not_tell_gives_none(line):
    assert read_cost(line) is None
