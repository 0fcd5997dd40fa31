"""The optimisation loop on toys: answers, schedules, restarts and stops known on paper."""

import logging

import numpy as np
import pytest
import torch
from toys import Free, Script

from xr_dip.fitting.batch import Job
from xr_dip.fitting.batched import fit_batch
from xr_dip.fitting.fit import MOST_RESTARTS, FitConfig, FitError, fit
from xr_dip.fitting.losses import mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed, make_discrepancy, make_plateau
from xr_dip.generators import make_bandlimited, make_dcgan

SHAPE = (4, 6)
VALUES = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])


def mean_of_residuals(residual):
    """A loss whose gradient is constant: Adam then moves each cell by the learning rate itself."""
    return residual.mean()


def make_problem(*values, loss=mse):
    operator = BlockMean(np.ones(SHAPE), (2, 2))
    return Problem(tuple(Observation(operator, v, torch.ones(2, 3)) for v in values or (VALUES,)), loss)


def free():
    return Free(SHAPE)


class Constrained(Free):
    """A generator with a constraint inside: it has the block means whatever its weights."""

    def forward(self, latent):
        field = super().forward(latent)
        means = field.reshape(2, 2, 3, 2).mean(dim=(1, 3))
        return field + (VALUES - means).repeat_interleave(2, 0).repeat_interleave(2, 1)[None]


# The answer.


def test_a_free_field_finds_the_least_squares_answer():
    # Begun at zero, all cells of a block move alike: the smallest of all fields with these block means.
    result = fit(free, make_problem(), FitConfig(iterations=300, learning_rate=0.1), fixed)
    np.testing.assert_allclose(result.field, np.kron(VALUES, np.ones((2, 2))), atol=1e-4)
    assert result.misfit < 1e-4
    assert (result.field.dtype, result.field.shape) == (np.float64, SHAPE)


def test_two_observations_of_one_field_are_compromised():
    other = VALUES.flip(0)
    result = fit(free, make_problem(VALUES, other), FitConfig(iterations=300, learning_rate=0.1), fixed)
    np.testing.assert_allclose(result.field, np.kron((VALUES + other) / 2, np.ones((2, 2))), atol=1e-4)
    # What is left: half of the difference in either observation.
    np.testing.assert_allclose(result.misfit, (VALUES - other).div(2).square().mean().sqrt(), rtol=1e-4)


def test_history_begins_with_the_loss_of_the_first_field():
    result = fit(free, make_problem(), FitConfig(iterations=25, learning_rate=0.1), fixed)
    assert len(result.losses) == result.iterations == 25
    np.testing.assert_allclose(result.losses[0], VALUES.square().mean(), rtol=1e-6)
    assert result.losses[-1] < result.losses[0]
    assert (result.stopped, result.restarts) == ("iterations", 0)


@pytest.mark.parametrize("make", [make_bandlimited, make_dcgan], ids=["bandlimited", "dcgan"])
def test_same_seed_same_bits(make):
    def run():
        problem = Problem(make_problem().observations, mse)
        return fit(lambda: make((2, 3), (2, 2), 5), problem, FitConfig(iterations=12), fixed)

    first, again = run(), run()
    np.testing.assert_array_equal(first.field, again.field)
    np.testing.assert_array_equal(first.losses, again.losses)


# What is kept.


@pytest.mark.parametrize(("keep", "kept"), [("best", 1.0), ("last", 0.0)])
def test_best_is_the_field_of_lowest_loss(keep, kept):
    # The rate is too small to move anything; the script visits 3, 1, 2 ... and the values are all 0.
    config = FitConfig(iterations=5, learning_rate=1e-12, schedule="constant", keep=keep)
    result = fit(lambda: Script(SHAPE, [3, 1, 2, 5, 4]), make_problem(torch.zeros(2, 3)), config, fixed)
    np.testing.assert_allclose(result.field, kept, atol=1e-6)
    np.testing.assert_allclose(result.losses, [9, 1, 4, 25, 16], rtol=1e-6)


# Schedules.


def rates(schedule, iterations, rate=0.01):
    """Learning rates as the field has felt them, but the last one."""
    config = FitConfig(iterations=iterations, learning_rate=rate, schedule=schedule)
    return -np.diff(fit(free, make_problem(loss=mean_of_residuals), config, fixed).losses)


def test_constant_rate():
    np.testing.assert_allclose(rates("constant", 30), 0.01, rtol=1e-3)


def test_one_cycle_climbs_for_a_tenth_and_comes_down_to_nothing():
    felt = rates("onecycle", 100)
    assert abs(felt.argmax() - 10) <= 1
    np.testing.assert_allclose(felt.max(), 0.01, rtol=1e-3)
    np.testing.assert_allclose(felt[0], 0.01 / 25, rtol=1e-2)
    assert felt[-1] < 0.01 / 500
    assert (np.diff(felt[:9]) > 0).all()
    assert (np.diff(felt[12:]) < 1e-6).all()


@pytest.mark.parametrize("iterations", [*range(1, 31), 99, 100])
def test_one_cycle_of_any_length(iterations):
    result = fit(free, make_problem(), FitConfig(iterations=iterations, learning_rate=0.01), fixed)
    assert result.iterations == iterations
    assert result.losses[-1] <= result.losses[0]


def test_plateau_schedule_lowers_the_rate_after_ten_steps_without_progress():
    # The script adds 1 at each step, so the loss only grows; less the script it shows the rates.
    offsets = np.arange(26.0)
    config = FitConfig(iterations=26, learning_rate=0.01, schedule="plateau")
    result = fit(lambda: Script(SHAPE, offsets), make_problem(loss=mean_of_residuals), config, fixed)
    felt = -np.diff(result.losses - offsets)
    np.testing.assert_allclose(felt[:12], 0.01, rtol=1e-2)
    np.testing.assert_allclose(felt[12:23], 0.0095, rtol=1e-2)
    np.testing.assert_allclose(felt[23:], 0.0095 * 0.95, rtol=1e-2)


# Stopping early.


def test_plateau_stops_at_the_next_look_and_says_so():
    # Nothing moves: flat after 20 steps, seen at the look after 30.
    config = FitConfig(iterations=200, learning_rate=1e-12, schedule="constant")
    result = fit(free, make_problem(), config, make_plateau(window=20))
    assert (result.stopped, result.iterations) == ("plateau", 30)


def test_discrepancy_stops_at_the_noise_and_says_so():
    config = FitConfig(iterations=500, learning_rate=0.01, schedule="constant")
    result = fit(free, make_problem(), config, make_discrepancy(0.5))
    assert result.stopped == "discrepancy"
    assert 10 <= result.iterations < 500
    assert 0.3 < result.misfit <= 0.5


def test_a_rule_is_asked_at_the_last_step_too():
    asked = []

    def rule(losses, misfits):
        asked.append((len(losses), len(misfits)))

    fit(free, make_problem(), FitConfig(iterations=23), rule)
    assert asked == [(10, 10), (20, 20), (23, 23)]


# NaN.


class Failing:
    """Makes toys of which the first few become NaN at some step, or only in the final field."""

    def __init__(self, failures, step=0):
        self.failures, self.step, self.made = failures, step, 0

    def __call__(self):
        self.made += 1
        return Script(SHAPE, [0.0] * self.step + [np.nan] * 100) if self.made <= self.failures else free()


@pytest.mark.parametrize("step", [0, 15, 29])
@pytest.mark.parametrize("failures", [0, 1, 2, 3])
def test_nan_is_begun_anew(failures, step):
    make = Failing(failures, step)
    result = fit(make, make_problem(), FitConfig(iterations=30), fixed)
    assert result.restarts == failures
    assert make.made == failures + 1
    assert np.isfinite(result.field).all()
    assert len(result.losses) == 30
    assert np.isfinite(result.losses).all()


@pytest.mark.parametrize("failures", [0, 1, 2, 3])
def test_each_new_begin_has_a_third_of_the_rate(failures, caplog):
    # The first step of Adam moves a cell by the rate itself.
    config = FitConfig(iterations=1, learning_rate=0.9, schedule="constant")
    with caplog.at_level(logging.WARNING, logger="xr_dip.fitting.fit"):
        result = fit(Failing(failures), make_problem(torch.ones(2, 3)), config, fixed)
    np.testing.assert_allclose(result.field, 0.9 / 3**failures, rtol=1e-5)
    assert len(caplog.records) == failures


def test_after_three_new_begins_it_is_an_error():
    make = Failing(MOST_RESTARTS + 1)
    with pytest.raises(FitError, match=r"NaN 4 times, the last time at learning rate 1.1e-04.*Lower the learning rate"):
        fit(make, make_problem(), FitConfig(iterations=12, learning_rate=3e-3), fixed)
    assert make.made == 4


def test_a_final_field_that_is_nan_is_begun_anew():
    class BadEnd(Free):
        def expected(self):
            return torch.tensor(torch.nan)

    makes = iter([lambda: BadEnd(SHAPE), free])
    assert fit(lambda: next(makes)(), make_problem(), FitConfig(iterations=10), fixed).restarts == 1


# Numbers that cannot be.


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("iterations", 0, "at least 1"),
        ("iterations", -5, "at least 1"),
        ("learning_rate", 0.0, "positive"),
        ("learning_rate", float("nan"), "positive"),
        ("schedule", "cosine", "one of .*'onecycle', 'plateau', 'constant'"),
        ("keep", "first", "'last' or 'best'"),
    ],
)
def test_invalid_numbers_are_refused(name, value, allowed):
    with pytest.raises(ValueError, match=f"Invalid {name} .*It must be {allowed}"):
        FitConfig(**{name: value})


def test_a_constraint_inside_of_the_network_is_refused():
    with pytest.raises(FitError, match=r"The fresh network misses the values by .*nothing trains.*argument constraint"):
        fit(lambda: Constrained(SHAPE), make_problem(), FitConfig(iterations=20), fixed)


def test_a_batch_refuses_it_too():
    def make():
        generator = Constrained(SHAPE)
        generator.architecture = "constrained"
        return generator

    jobs = [Job(make, make_problem(), fixed)] * 2
    with pytest.raises(FitError, match="The fresh network misses the values by"):
        fit_batch(jobs, FitConfig(iterations=20), size=2)


def test_values_that_are_all_zero_are_no_reason_to_refuse():
    assert fit(free, make_problem(torch.zeros(2, 3)), FitConfig(iterations=5), fixed).iterations == 5
