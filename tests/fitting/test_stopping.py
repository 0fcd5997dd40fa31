"""Stop rules on histories made by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xr_dip.fitting.stopping import STOPPING, fixed, make_discrepancy, make_plateau

LOSSES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40)


def test_names():
    assert STOPPING == ("fixed", "plateau", "discrepancy")


@given(LOSSES, LOSSES)
def test_fixed_never_stops(losses, misfits):
    assert fixed(losses, misfits) is None


@pytest.mark.parametrize("length", [1, 99, 100])
def test_plateau_waits_for_one_window(length):
    assert make_plateau(window=100)([1.0] * length, []) is None


def test_plateau_stops_on_a_flat_loss_after_one_window():
    assert make_plateau(window=100)([1.0] * 101, []) == "plateau"


@pytest.mark.parametrize(("lately", "answer"), [(0.5, None), (0.89, None), (0.91, "plateau"), (2.0, "plateau")])
def test_plateau_asks_for_its_tolerance(lately, answer):
    assert make_plateau(window=2, tolerance=0.1)([1.0, lately, lately], []) == answer


def test_plateau_forgives_a_bump_in_the_window():
    assert make_plateau(window=3, tolerance=0.1)([1.0, 5.0, 0.5, 5.0], []) is None


def test_plateau_compares_with_the_best_ever_before():
    # Coming back to an old value is no progress.
    assert make_plateau(window=2, tolerance=0.1)([0.5, 5.0, 3.0, 0.5], []) == "plateau"


@given(st.floats(0.01, 0.5), st.integers(5, 30), st.integers(31, 200))
def test_plateau_on_an_exponential_decay(rate, window, length):
    # exp(-rate t): the best of a window is exp(-rate window) times the best before.
    losses = [math.exp(-rate * t) for t in range(length)]
    tolerance = 0.3
    answer = make_plateau(window, tolerance)(losses, [])
    assert answer == ("plateau" if math.exp(-rate * window) > 1 - tolerance else None)


def test_discrepancy_looks_at_the_last_misfit_only():
    rule = make_discrepancy(0.1)
    assert rule([9.0], [1.0, 0.1]) == "discrepancy"
    assert rule([0.0], [0.05, 0.11]) is None
    assert rule([], []) is None
