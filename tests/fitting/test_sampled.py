"""Kernels as torch modules: the numbers of `Sampling`, folded as unfolded, batched as looped, the right gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seas import OPERATORS as KERNELS
from seas import make_weights, samplings
from torch.func import vmap

from xr_dip.fitting.linear import Separable
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.sampled import Sampled, SumOfProducts
from xr_dip.fitting.sparse_map import SparseMap
from xr_dip.generators.bandlimited import WorkingGrid

NUMBERS = st.integers(1, 3)


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def synthesis_of(sampling, ratio, padding):
    circles = (False, sampling.periodic)
    grids = [
        WorkingGrid(cells, factor, min(ratio, factor), padding, circle)
        for cells, factor, circle in zip(sampling.shape, sampling.factor, circles, strict=True)
    ]
    return Separable(*(grid.synthesis() for grid in grids))


@given(samplings())
@settings(max_examples=60, deadline=None)
def test_it_has_the_numbers_of_the_sampling_and_zero_where_nothing_is_seen(sampling):
    field = random(1, *sampling.weights.shape)
    expected = np.nan_to_num(sampling(field.numpy()))
    np.testing.assert_allclose(Sampled(sampling)(field).numpy(), expected, rtol=0, atol=1e-12)


@given(samplings(), NUMBERS, NUMBERS)
@settings(max_examples=80, deadline=None)
def test_folded_operator_has_the_value_and_gradient_of_the_fine_field(sampling, ratio, padding):
    operator, synthesis = Sampled(sampling), synthesis_of(sampling, ratio, padding)
    working = random(1, synthesis.rows.shape[1], synthesis.columns.shape[1]).requires_grad_()
    direct, folded = operator(synthesis(working)), operator.fold(synthesis)(working)
    torch.testing.assert_close(folded, direct, rtol=0, atol=1e-11)
    cotangent = random(*direct.shape, seed=1)
    (expected,) = torch.autograd.grad(direct, working, cotangent)
    (gradient,) = torch.autograd.grad(folded, working, cotangent)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-11)


@given(samplings())
@settings(max_examples=40, deadline=None)
def test_autograd_is_the_adjoint_of_the_sampling(sampling):
    field = random(1, *sampling.weights.shape).requires_grad_()
    values = Sampled(sampling)(field)
    coarse = random(*values.shape, seed=2)
    (gradient,) = torch.autograd.grad(values, field, coarse)
    expected = sampling.weights * sampling.transposed(coarse[0].numpy())
    np.testing.assert_allclose(gradient[0].numpy(), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", ["equal", "land"])
@pytest.mark.parametrize("name", KERNELS)
def test_batched_as_looped(name, kind):
    operator = OPERATORS[name](make_weights(kind, (12, 15), 0), (3, 3), **KERNELS[name])
    grids = WorkingGrid(4, 3, 2, 1), WorkingGrid(5, 3, 2, 1)
    for module in (operator, operator.fold(Separable(*(grid.synthesis() for grid in grids)))):
        shape = (12, 15) if module is operator else tuple(grid.size for grid in grids)
        members = random(4, 1, *shape)
        torch.testing.assert_close(vmap(module)(members), torch.stack([module(member) for member in members]))


@pytest.mark.parametrize(
    ("name", "kind", "form"),
    [
        ("lanczos3", "equal", Separable),
        ("gaussian", "latitude", Separable),
        ("fir", "equal", SumOfProducts),
        ("bicubic", "land", SparseMap),
    ],
)
def test_only_what_is_no_product_needs_another_form(name, kind, form):
    operator = OPERATORS[name](make_weights(kind, (24, 24), 0), (3, 3), **KERNELS[name])
    grid = WorkingGrid(8, 3, 2, 1)
    assert type(operator.fold(Separable(grid.synthesis(), grid.synthesis()))) is form


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["equal", "land"])
def test_the_dtype_of_the_field_is_kept(dtype, kind):
    operator = OPERATORS["fir"](make_weights(kind, (6, 6), 0), (2, 2), **KERNELS["fir"])
    field = torch.ones(1, 6, 6, dtype=dtype, requires_grad=True)
    operator(field).sum().backward()
    assert operator(field).dtype == field.grad.dtype == dtype
    torch.testing.assert_close(operator(field).detach(), torch.ones(1, 3, 3, dtype=dtype))


def test_what_is_on_land_is_not_read():
    weights = np.ones((4, 4))
    weights[0, 0] = 0
    field = torch.ones(1, 4, 4)
    field[0, 0, 0] = torch.nan
    torch.testing.assert_close(OPERATORS["gaussian"](weights, (2, 2))(field), torch.ones(1, 2, 2))


def test_operators_have_nothing_to_learn_or_to_save():
    operator = OPERATORS["lanczos2"](np.ones((4, 4)), (2, 2))
    grid = WorkingGrid(2, 2, 2, 1)
    for module in (operator, operator.fold(Separable(grid.synthesis(), grid.synthesis()))):
        assert not list(module.parameters())
        assert not module.state_dict()
