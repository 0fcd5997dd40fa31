"""The penalty on the correction that the constraint of Geiss and Hardin will make."""

import numpy as np
import pytest
import torch
from toys import Free

from xr_dip.fitting.correction import CorrectionStrength, range_of_cells
from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.penalties import PENALTIES
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed
from xr_dip.fitting.surroundings import Surroundings
from xr_dip.value_range import geiss

SHAPE, FACTOR, FINE = (3, 4), (2, 2), (6, 8)
RANGE = (-2.0, 3.0)


def penalty(values, field, weight=1.0, scale=1.0, trend=0.0, land=False):
    """The penalty of a field in its own unit, as the fits see it."""
    weights = np.ones(FINE)
    if land:
        weights[:2, :2] = 0.0
    seen = torch.ones(SHAPE) * (1.0 if not land else torch.from_numpy(weights[::2, ::2]))
    standard = torch.from_numpy((values - trend) / scale).float()
    observation = Observation(BlockMean(weights, FACTOR), standard, seen.float())
    ends = range_of_cells(RANGE, trend, scale)
    around = Surroundings(weights > 0, FACTOR, False, observation, ends)
    fine_trend = np.kron(np.broadcast_to(trend, SHAPE), np.ones(FACTOR))
    working = torch.from_numpy((field - fine_trend) / scale).float()[None]
    return float(CorrectionStrength(around, weight).bind(Free(FINE))(working))


def pair(seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.5, 2.5, SHAPE), rng.uniform(-1.5, 2.5, FINE)


def test_it_is_the_share_of_the_way_that_the_constraint_will_take():
    """From the constraint itself: x' - x = a (s - x) in each coarse cell."""
    values, field = pair()
    enforced = geiss(field, values, np.ones(FINE), FACTOR, value_range=RANGE)
    end = np.where(enforced > field, RANGE[1], RANGE[0])
    strength = ((enforced - field) / (end - field))[::2, ::2]
    assert penalty(values, field, weight=10.0) == pytest.approx(10 * strength.mean() ** 2, rel=1e-4)


def test_a_field_with_the_right_means_needs_no_correction():
    values, _ = pair()
    assert penalty(values, np.kron(values, np.ones(FACTOR))) < 1e-12


def test_a_value_at_the_end_of_the_range_needs_all_of_the_way():
    assert penalty(np.full(SHAPE, RANGE[1]), np.zeros(FINE)) == pytest.approx(1.0)
    assert penalty(np.full(SHAPE, RANGE[1]), np.full(FINE, RANGE[1])) == 0.0


def test_unit_and_trend_change_nothing():
    values, field = pair()
    trend = np.linspace(-0.3, 0.4, 12).reshape(SHAPE)
    assert penalty(values, field, scale=0.2, trend=trend) == pytest.approx(penalty(values, field), rel=1e-4)


def test_land_does_not_count():
    values, field = pair()
    other_values, other_field = values.copy(), field.copy()
    other_values[0, 0], other_field[:2, :2] = 2.0, -1.0
    assert penalty(values, field, land=True) == penalty(other_values, other_field, land=True)
    assert penalty(values, field, land=True) != pytest.approx(penalty(values, field), rel=1e-3)


def test_fields_beyond_the_range_have_a_finite_gradient():
    values = np.zeros(SHAPE)
    observation = Observation(BlockMean(np.ones(FINE), FACTOR), torch.zeros(SHAPE), torch.ones(SHAPE))
    around = Surroundings(np.ones(FINE, bool), FACTOR, False, observation, range_of_cells(RANGE, values, 1.0))
    working = torch.full((1, *FINE), 9.0, requires_grad=True)
    number = CorrectionStrength(around, 1.0).bind(Free(FINE))(working)
    number.backward()
    assert 0 < number.item() < 1
    assert torch.isfinite(working.grad).all()
    assert (working.grad > 0).all()


def test_alone_it_leads_to_the_values():
    values = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)).clamp(-1.5, 2.5)
    observation = Observation(BlockMean(np.ones(FINE), FACTOR), values, torch.ones(SHAPE))
    around = Surroundings(np.ones(FINE, bool), FACTOR, False, observation, range_of_cells(RANGE, np.zeros(SHAPE), 1.0))
    problem = Problem((observation,), lambda residual: 0 * residual.sum(), (CorrectionStrength(around, 10.0),))
    found = fit(lambda: Free(FINE), problem, FitConfig(iterations=200, learning_rate=0.05), fixed)
    assert found.losses[-1] < 1e-2 * found.losses[0]
    assert found.misfit < 0.1


def test_far_from_the_ends_it_is_a_squared_mean_absolute_misfit():
    """Why `coarse_misfit` does nearly the same: |y - m| / (R - m) with R far away is |y - m| / R."""
    rng = np.random.default_rng(0)
    values, field = 0.01 * rng.normal(size=SHAPE), 0.01 * rng.normal(size=FINE)
    misfit = np.abs(values - field.reshape(3, 2, 4, 2).mean((1, 3)))
    below = np.where(values > field.reshape(3, 2, 4, 2).mean((1, 3)), RANGE[1], -RANGE[0])
    assert penalty(values, field) == pytest.approx((misfit / below).mean() ** 2, rel=0.03)


def test_it_has_a_name():
    assert PENALTIES["correction"] is CorrectionStrength
