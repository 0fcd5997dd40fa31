"""Fits that begin where another has ended."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from toys import Free

from xr_dip.fitting.ensemble import fit_members
from xr_dip.fitting.fit import FitConfig, fit, make_scheduler
from xr_dip.fitting.losses import mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed
from xr_dip.generators import make_bandlimited

CONSTANT = FitConfig(iterations=30, learning_rate=1e-2, schedule="constant")


@pytest.fixture
def problem():
    values = torch.tensor([[1.0, -1.0, 0.5], [0.0, 2.0, -0.5]])
    return Problem((Observation(BlockMean(np.ones((4, 6)), (2, 2)), values, torch.ones(2, 3)),), mse)


def make(seed=0):
    return partial(make_bandlimited, (2, 3), (2, 2), seed, channels=4)


def steps(problem, count, start=None, config=CONSTANT, seed=0):
    """Fit one member on one thread, as all members are."""
    [found] = fit_members(lambda _: make(seed), 1, problem, replace(config, iterations=count), fixed, starts=[start])
    return found


def test_thirty_steps_are_ten_and_twenty_from_there(problem):
    whole = steps(problem, 30)
    first = steps(problem, 10)
    then = steps(problem, 20, start=first.learned)
    np.testing.assert_array_equal(np.concatenate([first.losses, then.losses]), whole.losses)
    np.testing.assert_array_equal(then.field, whole.field)


def test_what_was_learned_stays_as_it_is(problem):
    learned = steps(problem, 10).learned
    once, again = (steps(problem, 20, start=learned) for _ in range(2))
    np.testing.assert_array_equal(once.losses, again.losses)


def test_a_restart_begins_from_the_same_start():
    # Adam steps by its rate at first: 0.9 from weights of 0.5, where a fresh one begins at 0.
    problem = Problem((Observation(BlockMean(np.ones((1, 1)), (1, 1)), torch.ones(1, 1), torch.ones(1, 1)),), mse)
    learned = fit(partial(Free, (1, 1), start=0.5), problem, FitConfig(1, 1e-9, schedule="constant"), fixed).learned
    calls = []

    class BadAtFirst(Free):
        def forward(self, latent):
            calls.append(self.field.item())
            return super().forward(latent) * (float("nan") if len(calls) == 1 else 1.0)

    found = fit(partial(BadAtFirst, (1, 1)), problem, FitConfig(10, 1e-3, schedule="constant"), fixed, start=learned)
    assert found.restarts == 1
    fresh_start = [call for call in calls if call == pytest.approx(0.5)]
    assert len(fresh_start) == 2


def test_a_line_falls_from_the_highest_rate_to_almost_nothing():
    optimiser = torch.optim.Adam([torch.zeros(1)], lr=0.8)
    scheduler = make_scheduler(optimiser, FitConfig(iterations=4, schedule="linear"), 0.8)
    rates = []
    for _ in range(4):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    assert rates == pytest.approx([0.8, 0.6, 0.4, 0.2])


def test_a_warm_fit_is_short_and_has_one_step_at_least():
    fresh = FitConfig(iterations=200, learning_rate=6e-3, betas=(0.5, 0.9), keep="best")
    assert fresh.warm() == FitConfig(20, fresh.learning_rate / 6, (0.5, 0.9), "linear", "best")
    assert FitConfig(iterations=1).warm().iterations == 1


def test_a_warm_fit_of_the_same_problem_is_as_good_in_a_tenth_of_the_steps(problem):
    fresh = FitConfig(iterations=100, learning_rate=6e-3)
    head = steps(problem, 100, config=fresh)
    warm = steps(problem, 10, start=head.learned, config=fresh.warm())
    assert warm.losses[-1] <= head.losses[-1]


def test_each_member_begins_from_its_own_start(problem):
    starts = [None, steps(problem, 10, seed=1).learned]
    fits = fit_members(make, 2, problem, CONSTANT, fixed, starts=starts)
    for seed, start in enumerate(starts):
        np.testing.assert_array_equal(fits[seed].losses, steps(problem, 30, start=start, seed=seed).losses)
