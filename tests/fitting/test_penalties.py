"""Penalties: closed forms, land, and the same number on every working grid and in every batch."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Free

from xr_dip.fitting.correction import CorrectionStrength
from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.linear import Separable
from xr_dip.fitting.losses import l1, mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.penalties import (
    PENALTIES,
    TOTAL_VARIATION_EPSILON,
    CoarseMisfit,
    SquaredGradient,
    TotalVariation,
    check_penalties,
    make_penalties,
)
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed
from xr_dip.fitting.surroundings import Surroundings

FACTOR = (2, 3)
FINE = (6, 12)
CPU = torch.device("cpu")

each_slope = pytest.mark.parametrize("penalty", [TotalVariation, SquaredGradient])


def surroundings(sea=None, periodic=False, values=None, factor=FACTOR):
    sea = np.ones(FINE, bool) if sea is None else sea
    coarse = (sea.shape[0] // factor[0], sea.shape[1] // factor[1])
    values = torch.zeros(coarse, dtype=torch.float64) if values is None else values
    counted = np.any(sea.reshape(coarse[0], factor[0], coarse[1], factor[1]), axis=(1, 3))
    seen = Observation(BlockMean(sea.astype(float), factor), values, torch.from_numpy(counted).double())
    ends = torch.full(coarse, -10.0).double(), torch.full(coarse, 10.0).double()
    return Surroundings(sea, factor, periodic, seen, ends)


def value(penalty, field, around=None, weight=1.0, synthesis=None):
    generator = Free(field.shape[-2:], synthesis=synthesis)
    return float(penalty(around or surroundings(), weight).bind(generator)(torch.as_tensor(field)[None]))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def plane(along_y, along_x, shape=FINE, factor=FACTOR):
    """Slopes per coarse cell."""
    y, x = np.indices(shape)
    return along_y * y / factor[0] + along_x * x / factor[1]


def test_names():
    named = {"total_variation": TotalVariation, "gradient": SquaredGradient, "coarse_misfit": CoarseMisfit}
    assert named | {"correction": CorrectionStrength} == PENALTIES


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_gradient_of_a_plane(along_y, along_x):
    # Of 6 rows 5 have a row beyond, of 12 columns 11.
    expected = along_y**2 * 5 / 6 + along_x**2 * 11 / 12
    np.testing.assert_allclose(value(SquaredGradient, plane(along_y, along_x)), expected, rtol=1e-9, atol=1e-12)


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_total_variation_of_a_plane(along_y, along_x):
    def length(*slopes):
        return math.hypot(*slopes, TOTAL_VARIATION_EPSILON) - TOTAL_VARIATION_EPSILON

    inside, last_row, last_column = 5 * 11 * length(along_y, along_x), 11 * length(along_x), 5 * length(along_y)
    expected = (inside + last_row + last_column) / 72
    np.testing.assert_allclose(value(TotalVariation, plane(along_y, along_x)), expected, rtol=1e-9, atol=1e-12)


def test_a_step_costs_its_height_in_total_variation_and_its_square_in_the_gradient():
    # What makes one of them keep fronts, and not the other.
    step = (np.indices(FINE)[1] >= 6) * 1.0
    ramp = np.clip((np.indices(FINE)[1] - 2) / 6, 0, 1)
    assert value(TotalVariation, step) == pytest.approx(value(TotalVariation, ramp), abs=2e-3)
    assert value(SquaredGradient, step) == pytest.approx(6 * value(SquaredGradient, ramp))


@each_slope
@given(seed=st.integers(0, 1000), weight=st.floats(1e-3, 1e3))
@settings(max_examples=20, deadline=None)
def test_weights_multiply_and_constants_cost_nothing(penalty, seed, weight):
    field = noise(*FINE, seed=seed)
    np.testing.assert_allclose(value(penalty, field + 7, weight=weight), weight * value(penalty, field), rtol=1e-9)
    assert value(penalty, np.full(FINE, 3.0)) == pytest.approx(0, abs=1e-12)


@each_slope
@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_land_is_not_read(penalty, seed):
    sea = np.random.default_rng(seed).random(FINE) > 0.3
    sea[0, 0] = True
    field, other = noise(*FINE, seed=seed), noise(*FINE, seed=seed + 1)
    around = surroundings(sea)
    np.testing.assert_allclose(
        value(penalty, np.where(sea, field, other), around), value(penalty, field, around), rtol=1e-12
    )


@each_slope
def test_a_coast_is_no_front(penalty):
    sea = np.ones(FINE, bool)
    sea[:, 4:6] = False
    field = np.where(np.arange(12) < 5, 0.0, 100.0) * np.ones(FINE)
    assert value(penalty, field, surroundings(sea)) == pytest.approx(0, abs=1e-12)
    assert value(penalty, field) > 1


@each_slope
def test_rolling_a_globe_changes_nothing_and_a_line_something(penalty):
    field = noise(*FINE)
    rolled = np.roll(field, 5, axis=1)
    around = surroundings(periodic=True)
    np.testing.assert_allclose(value(penalty, rolled, around), value(penalty, field, around), rtol=1e-12)
    assert value(penalty, rolled) != pytest.approx(value(penalty, field), rel=1e-3)


@each_slope
def test_a_plane_costs_the_same_at_every_factor(penalty):
    # Slopes are per coarse cell; only the share of cells at the border differs.
    found = []
    for factor in ((2, 3), (8, 8), (32, 32)):
        shape = (3 * factor[0], 4 * factor[1])
        around = surroundings(np.ones(shape, bool), factor=factor)
        share_y, share_x = (shape[0] - 1) / shape[0], (shape[1] - 1) / shape[1]
        if penalty is SquaredGradient:
            found.append(value(penalty, plane(1.0, 0, shape, factor), around) / share_y)
            found.append(value(penalty, plane(0, 1.0, shape, factor), around) / share_x)
        else:
            found.append(value(penalty, plane(0, 1.0, shape, factor), around) / share_x)
    np.testing.assert_allclose(found, 1, rtol=2e-3)


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_a_working_field_costs_what_its_fine_field_costs(penalty):
    synthesis = Separable(torch.from_numpy(noise(6, 4)), torch.from_numpy(noise(12, 5, seed=1)))
    working = noise(4, 5, seed=2)
    fine = synthesis(torch.from_numpy(working)).numpy()
    np.testing.assert_allclose(value(penalty, working, synthesis=synthesis), value(penalty, fine), rtol=1e-9)


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_one_number_for_each_member(penalty):
    module = penalty(surroundings(), 2.0).bind(Free(FINE))
    members = torch.from_numpy(noise(3, 1, *FINE))
    together = torch.func.vmap(module)(members)
    assert together.shape == (3,)
    torch.testing.assert_close(together, torch.stack([module(member) for member in members]))


def test_coarse_misfit_is_the_mean_square_of_the_residual():
    sea = np.ones(FINE, bool)
    sea[:2, :3] = False
    values = torch.from_numpy(noise(3, 4))
    field = noise(*FINE, seed=1)
    means = field.reshape(3, 2, 4, 3).mean(axis=(1, 3))
    squares = (means - values.numpy()) ** 2
    squares[0, 0] = 0
    found = value(CoarseMisfit, field, surroundings(sea, values=values), weight=16.0)
    np.testing.assert_allclose(found, 16 * squares.sum() / 11, rtol=1e-9)


def test_coarse_misfit_is_whitened_as_the_loss_is():
    around = surroundings()
    whitened = replace(around, observation=replace(around.observation, whiten=lambda residual: 3 * residual))
    field = noise(*FINE)
    assert value(CoarseMisfit, field, whitened) == pytest.approx(9 * value(CoarseMisfit, field, around))


def test_penalties_are_added_to_the_loss():
    around = surroundings()
    working = torch.from_numpy(noise(1, *FINE))
    bare = Problem((around.observation,), mse).bind(Free(FINE), CPU)
    both = make_penalties({"gradient": 0.5, "total_variation": 2.0}, around)
    whole = Problem((around.observation,), mse, both).bind(Free(FINE), CPU)
    added = value(SquaredGradient, working[0], weight=0.5) + value(TotalVariation, working[0], weight=2.0)
    assert float(whole.evaluate(working)[0]) == pytest.approx(float(bare.evaluate(working)[0]) + added)
    torch.testing.assert_close(whole.evaluate(working)[1], bare.evaluate(working)[1])


def fitted(penalties, loss=mse):
    values = torch.tensor([[0.0, 4.0]])
    seen = Observation(BlockMean(np.ones((1, 8)), (1, 4)), values, torch.ones(1, 2))
    around = Surroundings(np.ones((1, 8), bool), (1, 4), False, seen)
    problem = Problem((seen,), loss, make_penalties(penalties, around))
    config = FitConfig(iterations=1500, learning_rate=0.03, schedule="onecycle")
    return fit(lambda: Free((1, 8)), problem, config, fixed).field[0]


def test_a_heavier_gradient_penalty_makes_a_flatter_fit():
    steps = [float(np.abs(np.diff(fitted({"gradient": weight}))).sum()) for weight in (1e-3, 1e-1, 10.0)]
    assert steps[0] > steps[1] > 10 * steps[2]


def test_total_variation_leaves_a_monotone_fit():
    # The field of least total variation with these means: it turns nowhere.
    steps = np.diff(fitted({"total_variation": 0.05}))
    assert steps.min() > -0.02
    assert steps.sum() == pytest.approx(4, abs=0.5)


def test_coarse_misfit_holds_what_another_term_pulls_at():
    pulled = fitted({"gradient": 0.3}, loss=l1)
    held = fitted({"gradient": 0.3, "coarse_misfit": 16.0}, loss=l1)
    means = [field.reshape(2, 4).mean(axis=1) for field in (pulled, held)]
    away = [float(np.abs(mean - [0, 4]).max()) for mean in means]
    assert away[1] < away[0] / 2


def test_a_penalty_leaves_the_synthesis_of_the_generator_where_it_is():
    synthesis = Separable(torch.eye(6).double(), torch.eye(12).double())
    generator = Free(FINE, synthesis=synthesis)
    SquaredGradient(surroundings(), 1.0).bind(generator).float()
    assert generator.synthesis.rows.dtype == torch.float64


@pytest.mark.parametrize(("published", "here"), [("alpha", "correction"), ("l2reg", "coarse_misfit")])
def test_whoever_asks_by_a_published_name_is_told_the_one_here(published, here):
    with pytest.raises(
        ValueError, match=rf"They must be among .*'{published}' of Geiss and Hardin is '{here}' here[.]"
    ):
        check_penalties({published: 1.0})


def test_unknown_names_list_the_right_ones():
    expected = r"Invalid penalties \['tv'\]. They must be among \['coarse_misfit', 'correction', 'gradient', 'total"
    with pytest.raises(ValueError, match=expected):
        check_penalties({"tv": 1.0})


@pytest.mark.parametrize("weight", [0, -1.0, math.nan, math.inf, "much", True, None])
def test_weights_that_are_no_positive_numbers_are_refused(weight):
    with pytest.raises(ValueError, match=r"Invalid weight .* of the penalty 'gradient'. It must be a positive number"):
        check_penalties({"gradient": weight})
