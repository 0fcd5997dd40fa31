"""Misfits: closed forms and bounds."""

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from xr_dip.fitting.losses import CHARBONNIER_EPSILON, LOSSES, charbonnier, mse

RESIDUALS = st.lists(st.floats(-100, 100), min_size=1, max_size=20)


def as_tensor(residuals):
    return torch.tensor(residuals, dtype=torch.float64)


def test_names():
    assert {"mse": mse, "charbonnier": charbonnier} == LOSSES


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
