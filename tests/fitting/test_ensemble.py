"""Members: functions of their seed alone, whatever runs beside them."""

import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import Free, Script

from xr_dip.fitting import ensemble
from xr_dip.fitting.ensemble import cores, derive_seed, fit_members
from xr_dip.fitting.fit import FitConfig, FitError
from xr_dip.fitting.losses import mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed
from xr_dip.generators import make_bandlimited

SHAPE = (4, 6)
PROBLEM = Problem((Observation(BlockMean(np.ones(SHAPE), (2, 2)), torch.ones(2, 3), torch.ones(2, 3)),), mse)
CONFIG = FitConfig(iterations=12)
LABELS = st.lists(st.integers(0, 2**62), min_size=1, max_size=4)


def network(member):
    seed = derive_seed(0, member)
    return lambda: make_bandlimited((2, 3), (2, 2), seed, ratio=(2, 2), padding=(2, 2), channels=8)


def free(member):
    return lambda: Free(SHAPE)


# Seeds.


@given(LABELS, LABELS)
def test_seeds_are_equal_only_for_equal_labels(first, second):
    assert (derive_seed(*first) == derive_seed(*second)) == (first == second)


@given(LABELS)
def test_seeds_fit_into_torch(labels):
    seed = derive_seed(*labels)
    assert 0 <= seed < 2**63
    torch.Generator().manual_seed(seed)


def test_a_last_zero_is_a_label():
    # The draws of a time are seeded by (seed, stamp), its first member by (seed, stamp, 0).
    assert derive_seed(0, 5) != derive_seed(0, 5, 0)


def test_words_of_large_labels_do_not_run_together():
    assert derive_seed(7 + 9 * 2**32, 3) != derive_seed(7, 9 + 3 * 2**32)


def test_neighbouring_seeds_share_no_member():
    seeds = [derive_seed(seed, 1, member) for seed in range(30) for member in range(30)]
    assert len(set(seeds)) == 900


# Members.


@pytest.fixture(scope="module")
def three():
    return fit_members(network, 3, PROBLEM, CONFIG, fixed)


@pytest.mark.parametrize(("members", "threads"), [*itertools.product([1, 2, 3], [1, 2])])
def test_a_member_is_the_same_among_any_number_and_on_any_number_of_threads(members, threads, three, monkeypatch):
    monkeypatch.setattr(ensemble, "cores", lambda: threads)
    monkeypatch.setattr(ensemble, "_SEATS", threading.BoundedSemaphore(threads))
    for found, expected in zip(fit_members(network, members, PROBLEM, CONFIG, fixed), three, strict=False):
        np.testing.assert_array_equal(found.field, expected.field)
        np.testing.assert_array_equal(found.losses, expected.losses)


def test_members_differ(three):
    for a, b in itertools.combinations(three, 2):
        assert np.abs(a.field - b.field).max() > 1e-3


def test_members_come_in_their_order(monkeypatch):
    monkeypatch.setattr(ensemble, "cores", lambda: 3)
    monkeypatch.setattr(ensemble, "_SEATS", threading.BoundedSemaphore(3))

    def slow_first(member):
        time.sleep(0.02 * (3 - member))
        return lambda: Free(SHAPE, start=10 * member)

    config = FitConfig(iterations=1, learning_rate=1e-9, schedule="constant")
    fits = fit_members(slow_first, 3, PROBLEM, config, fixed)
    assert [round(fit.field.mean()) for fit in fits] == [0, 10, 20]


# Failures.


def one_fails(member):
    return lambda: Script(SHAPE, [np.nan] * 100) if member == 1 else Free(SHAPE)


def test_a_failed_member_is_named_after_the_others_have_ended():
    ended = []
    with pytest.raises(FitError, match=r"Member 1 of 4 failed; the other 3 are sound\. The fit became NaN") as failed:
        fit_members(one_fails, 4, PROBLEM, CONFIG, fixed, done=lambda: ended.append(1))
    assert len(ended) == 4
    sound = fit_members(free, 4, PROBLEM, CONFIG, fixed)
    for kept, member in zip(failed.value.fits, (0, 2, 3), strict=True):
        np.testing.assert_array_equal(kept.field, sound[member].field)


def test_done_is_called_after_each_member():
    ended = []
    fit_members(free, 3, PROBLEM, CONFIG, fixed, done=lambda: ended.append(1))
    assert len(ended) == 3


def test_other_errors_come_through_as_they_are():
    def broken(member):
        raise ValueError("Invalid activation 'relu'.")

    with pytest.raises(ValueError, match="Invalid activation 'relu'"):
        fit_members(broken, 2, PROBLEM, CONFIG, fixed)


# Processors.


def test_no_more_fits_at_one_time_than_seats(monkeypatch):
    monkeypatch.setattr(ensemble, "cores", lambda: 4)
    monkeypatch.setattr(ensemble, "_SEATS", threading.BoundedSemaphore(2))
    running, most, lock = [], [], threading.Lock()

    class Counting(Free):
        def draw(self):
            with lock:
                running.append(self)
                most.append(len(running))
            time.sleep(0.002)
            with lock:
                running.remove(self)
            return super().draw()

    callers = [
        threading.Thread(target=fit_members, args=(lambda member: lambda: Counting(SHAPE), 3, PROBLEM, CONFIG, fixed))
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert max(most) == 2


def test_each_fit_computes_with_one_thread():
    counts = []

    class Asking(Free):
        def draw(self):
            counts.append(torch.get_num_threads())
            return super().draw()

    fit_members(lambda member: lambda: Asking(SHAPE), 2, PROBLEM, CONFIG, fixed)
    assert set(counts) == {1}


def test_cores_is_what_the_process_may_use():
    assert 1 <= cores() <= os.cpu_count()


def test_threads_of_the_process_are_left_as_they_were():
    # In a process of its own, with three threads: torch hands the last count set to threads that begin later.
    code = (
        "import sys, threading, torch; torch.set_num_threads(3);"
        "sys.path[:0] = sys.argv[1:]; import test_ensemble as t;"
        "t.fit_members(t.free, 3, t.PROBLEM, t.CONFIG, t.fixed); found = [torch.get_num_threads()];"
        "late = threading.Thread(target=lambda: found.append(torch.get_num_threads())); late.start(); late.join();"
        "assert found == [3, 3], found"
    )
    here = Path(__file__).parent
    folders = [str(here), str(here.parent)]
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
