"""The block mean and its folding: the same numbers and the same gradient as forming the fine field."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.blocks import block_mean
from xr_dip.fitting.linear import Separable, identity
from xr_dip.fitting.operators import OPERATORS, BlockMean, make_block_mean
from xr_dip.fitting.sparse_map import SparseMap
from xr_dip.generators.bandlimited import WorkingGrid

KINDS = ("equal", "latitude", "land", "area and land")


def make_weights(kind, shape, seed):
    rng = np.random.default_rng(seed)
    weights = np.ones(shape)
    if kind == "latitude":
        weights *= np.cos(np.linspace(0.1, 1.2, shape[0]))[:, None]
    if kind == "area and land":
        weights = rng.uniform(0.5, 2, shape)
    if "land" in kind:
        weights *= rng.random(shape) < 0.7
    return weights


@st.composite
def cases(draw):
    """Operator, synthesis, and the numpy ingredients of a small problem."""
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    shape, factor, ratio, padding = (draw(pair) for _ in range(4))
    weights = make_weights(
        draw(st.sampled_from(KINDS)), (shape[0] * factor[0], shape[1] * factor[1]), draw(st.integers(0, 2**31))
    )
    grids = [WorkingGrid(*axis) for axis in zip(shape, factor, ratio, padding, strict=True)]
    return BlockMean(weights, factor), Separable(grids[0].synthesis(), grids[1].synthesis()), weights, factor


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def working_field(synthesis):
    return random(1, synthesis.rows.shape[1], synthesis.columns.shape[1]).requires_grad_()


@given(cases())
@settings(max_examples=40, deadline=None)
def test_block_mean_is_the_one_of_numpy_and_zero_without_weight(case):
    operator, synthesis, weights, factor = case
    fine = synthesis(working_field(synthesis)).detach()
    expected = np.nan_to_num(block_mean(fine.numpy(), weights, factor))
    np.testing.assert_allclose(operator(fine).numpy(), expected, atol=1e-13)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_folded_operator_has_the_value_and_gradient_of_the_fine_field(case):
    operator, synthesis, _, _ = case
    working = working_field(synthesis)
    direct, folded = operator(synthesis(working)), operator.fold(synthesis)(working)
    cotangent = random(*direct.shape, seed=1)
    torch.testing.assert_close(folded, direct, rtol=0, atol=1e-13)
    (expected,) = torch.autograd.grad(direct, working, cotangent)
    (gradient,) = torch.autograd.grad(folded, working, cotangent)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-13)


@given(cases())
@settings(max_examples=20, deadline=None)
def test_autograd_is_the_adjoint(case):
    operator, synthesis, _, _ = case
    folded, working = operator.fold(synthesis), working_field(synthesis)
    values = folded(working)
    other = random(*values.shape, seed=2)
    (adjoint,) = torch.autograd.grad(values, working, other)
    torch.testing.assert_close((values * other).sum(), (working * adjoint).sum(), rtol=1e-10, atol=1e-12)


def coastal(factor=(2, 3)):
    weights = make_weights("area and land", (2 * factor[0], 3 * factor[1]), seed=3)
    grids = WorkingGrid(2, factor[0], 2, 1), WorkingGrid(3, factor[1], 1, 1)
    return BlockMean(weights, factor).fold(Separable(*(grid.synthesis() for grid in grids)))


def test_sparse_product_passes_gradcheck():
    folded = coastal()
    assert isinstance(folded, SparseMap)
    assert torch.autograd.gradcheck(folded, random(1, 8, 5).requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sparse_product_keeps_the_dtype_of_the_field(dtype):
    working = random(1, 8, 5).to(dtype).requires_grad_()
    values = coastal()(working)
    values.sum().backward()
    assert values.dtype == dtype
    assert working.grad.dtype == dtype


@pytest.mark.parametrize(
    ("kind", "form"),
    [("equal", Separable), ("latitude", Separable), ("land", SparseMap), ("area and land", SparseMap)],
)
def test_only_weights_that_are_no_product_need_the_sparse_form(kind, form):
    operator = BlockMean(make_weights(kind, (12, 12), seed=0), (3, 3))
    assert type(operator.fold(identity((12, 12)))) is form


def test_one_land_cell_far_away_changes_no_other_mean():
    weights = np.ones((6, 6))
    weights[0, 0] = 0
    fine = random(1, 6, 6)
    everywhere = BlockMean(np.ones((6, 6)), (3, 3)).fold(identity((6, 6)))(fine)
    coast = BlockMean(weights, (3, 3)).fold(identity((6, 6)))(fine)
    torch.testing.assert_close(coast.flatten()[1:], everywhere.flatten()[1:])
    torch.testing.assert_close(coast[0, 0, 0], (fine[0, :3, :3].sum() - fine[0, 0, 0]) / 8)


def test_all_land_gives_zeros():
    folded = BlockMean(np.zeros((4, 4)), (2, 2)).fold(identity((4, 4)))
    assert torch.equal(folded(random(1, 4, 4)), torch.zeros(1, 2, 2, dtype=torch.float64))


def test_a_sparse_row_holds_the_knots_near_its_cell_only():
    # A cell of 2 knots is touched by the cubic splines of 2 + 4 knots along each axis, at most.
    grid = WorkingGrid(cells=8, factor=4, ratio=2, padding=3)
    folded = BlockMean(make_weights("land", (32, 32), seed=0), (4, 4)).fold(
        Separable(grid.synthesis(), grid.synthesis())
    )
    assert folded.forward_map.values().numel() <= 64 * 6**2
    assert "(64, 784)" in repr(folded)


def test_operators_have_nothing_to_learn_or_to_save():
    for module in (BlockMean(np.ones((4, 4)), (2, 2)), coastal()):
        assert not list(module.parameters())
        assert not module.state_dict()


def test_the_coast_warns_of_nothing():
    # In a process of its own: torch says only once that its compressed rows are in beta.
    code = (
        "import numpy as np, torch; from xr_dip.fitting.linear import identity;"
        "from xr_dip.fitting.operators import BlockMean;"
        "w = np.ones((4, 4)); w[0, 0] = 0; x = torch.ones(1, 4, 4, requires_grad=True);"
        "BlockMean(w, (2, 2)).fold(identity((4, 4)))(x).sum().backward()"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_named_operator_is_the_block_mean():
    assert OPERATORS["block_mean"] is make_block_mean
    assert isinstance(make_block_mean(np.ones((4, 4)), (2, 2)), BlockMean)


def test_weights_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="Invalid fine shape"):
        BlockMean(np.ones((5, 4)), (2, 2))
