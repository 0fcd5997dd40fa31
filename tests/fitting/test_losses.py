"""Misfits: closed forms and bounds."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xr_dip.fitting.losses import CHARBONNIER_EPSILON, HUBER_THRESHOLD, LOSSES, charbonnier, huber, l1, mse

RESIDUALS = st.lists(st.floats(-100, 100), min_size=1, max_size=20)


def as_tensor(residuals):
    return torch.tensor(residuals, dtype=torch.float64)


def test_names():
    assert {"mse": mse, "charbonnier": charbonnier, "l1": l1, "huber": huber} == LOSSES


@given(RESIDUALS)
def test_mse_is_the_mean_square(residuals):
    np.testing.assert_allclose(mse(as_tensor(residuals)), np.mean(np.square(residuals)), rtol=1e-12)


@given(RESIDUALS)
def test_charbonnier_is_the_mean_hypotenuse(residuals):
    expected = np.mean([math.hypot(e, 1e-3) for e in residuals])
    np.testing.assert_allclose(charbonnier(as_tensor(residuals)), expected, rtol=1e-12)


@given(RESIDUALS)
def test_charbonnier_is_the_absolute_value_within_epsilon(residuals):
    above = float(charbonnier(as_tensor(residuals))) - np.mean(np.abs(residuals))
    assert -1e-12 <= above <= CHARBONNIER_EPSILON + 1e-12


def test_one_outlier_pulls_charbonnier_no_harder_than_another_cell():
    residual = as_tensor([0.0, 1.0, -100.0]).requires_grad_()
    charbonnier(residual).backward()
    expected = as_tensor([0, 1 / math.hypot(1, 1e-3), -100 / math.hypot(100, 1e-3)]) / 3
    torch.testing.assert_close(residual.grad, expected)


def test_charbonnier_stays_finite_where_the_square_is_too_small_for_float32():
    residual = torch.full((2,), 1e-30, requires_grad=True)
    charbonnier(residual).backward()
    assert residual.grad.isfinite().all()


@given(RESIDUALS)
def test_l1_is_the_mean_absolute_value(residuals):
    np.testing.assert_allclose(l1(as_tensor(residuals)), np.mean(np.abs(residuals)), rtol=1e-12)


@given(RESIDUALS)
def test_huber_is_half_the_square_up_to_its_threshold_and_a_straight_line_beyond(residuals):
    d = HUBER_THRESHOLD
    expected = np.mean([e**2 / 2 if abs(e) <= d else d * (abs(e) - d / 2) for e in residuals])
    np.testing.assert_allclose(huber(as_tensor(residuals)), expected, rtol=1e-12)


def test_huber_is_smooth_at_its_threshold():
    around = as_tensor([HUBER_THRESHOLD * (1 - 1e-9), HUBER_THRESHOLD * (1 + 1e-9)]).requires_grad_()
    huber(around).backward()
    torch.testing.assert_close(around.grad, as_tensor([HUBER_THRESHOLD / 2] * 2), rtol=1e-8, atol=0)


def test_one_outlier_pulls_huber_no_harder_than_the_threshold():
    residual = as_tensor([0.05, -100.0]).requires_grad_()
    huber(residual).backward()
    torch.testing.assert_close(residual.grad, as_tensor([0.05, -HUBER_THRESHOLD]) / 2)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_every_loss_is_one_number_for_each_member(loss):
    # As a batch asks for it: a number for each row, that no other row has a part in.
    members = torch.randn(3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = torch.func.vmap(loss)(members)
    assert together.shape == (3,)
    torch.testing.assert_close(together, torch.stack([loss(member) for member in members]))
    assert loss(torch.zeros(4)) <= CHARBONNIER_EPSILON
