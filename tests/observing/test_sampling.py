"""Coarse values through a kernel: constants, the transpose, borders, coasts and circles."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seas import OPERATORS, samplings

from xr_dip.blocks import block_mean, misfit
from xr_dip.observing.kernels import make_kernel
from xr_dip.observing.sampling import Sampling, misfit_through

SEEDS = st.integers(0, 2**31)


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@given(samplings(), st.floats(-5, 5))
@settings(max_examples=80, deadline=None)
def test_a_constant_stays_one_at_every_coast_and_border(sampling, value):
    field = np.where(sampling.weights > 0, value, np.nan)
    np.testing.assert_allclose(sampling(field)[sampling.seen], value, rtol=1e-12, atol=1e-12)


@given(samplings(), SEEDS)
@settings(max_examples=80, deadline=None)
def test_transposed_is_the_adjoint_in_the_inner_product_of_the_weights(sampling, seed):
    # <A x, u> = <x, W^-1 A^T u>_W
    field, coarse = random(sampling.weights.shape, seed), random(sampling.shape, seed + 1)
    left = np.nan_to_num(sampling(field)) * coarse * sampling.seen
    right = sampling.weights * field * sampling.transposed(coarse)
    scale = np.abs(right).sum() + 1
    assert abs(left.sum() - right.sum()) < 1e-12 * scale


@given(samplings(operators=("block_mean",)), SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_box_is_the_block_mean(sampling, seed):
    field = random((2, *sampling.weights.shape), seed)
    expected = block_mean(field, sampling.weights, sampling.factor)
    np.testing.assert_allclose(sampling(field), expected, rtol=1e-10, atol=1e-12)


@given(samplings(kinds=("equal", "latitude"), operators=("gaussian", "block_mean")), SEEDS)
@settings(max_examples=40, deadline=None)
def test_positive_kernels_keep_bounds(sampling, seed):
    field = random(sampling.weights.shape, seed)
    values = sampling(field)
    assert field.min() - 1e-12 <= values.min() <= values.max() <= field.max() + 1e-12


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_bicubic_is_that_of_torch_with_antialias_up_to_the_border(factor):
    field = random((6 * factor, 7 * factor))
    whole = torch.from_numpy(field)[None, None]
    expected = torch.nn.functional.interpolate(whole, (6, 7), mode="bicubic", antialias=True, align_corners=False)
    found = Sampling(make_kernel("bicubic", {}, (factor, factor)), np.ones_like(field))(field)
    np.testing.assert_allclose(found, expected[0, 0].numpy(), atol=1e-13)


def test_coast_by_hand():
    # Weights 1, 2, 1 around each cell; the last cell is land and drops out: (0 + 2 x 6) / 3 = 4 at the coast.
    kernel = make_kernel("fir", {"kernel": [[1, 2, 1]]}, (1, 1))
    sampling = Sampling(kernel, np.array([[1.0, 1.0, 1.0, 0.0]]))
    values = sampling(np.array([[3.0, 0.0, 6.0, np.nan]]))
    np.testing.assert_allclose(values, [[2.0, 2.25, 4.0, 6.0]])


def test_weights_count_by_hand():
    kernel = make_kernel("fir", {"kernel": [[1, 2, 1]]}, (1, 1))
    values = Sampling(kernel, np.array([[1.0, 3.0]]))(np.array([[10.0, 0.0]]))
    np.testing.assert_allclose(values, [[20 / 5, 10 / 7]])


@pytest.mark.parametrize("name", OPERATORS)
def test_a_circle_rolls_with_its_values(name):
    kernel = make_kernel(name, OPERATORS[name], (3, 3))
    field = random((9, 21))
    sampling = Sampling(kernel, np.ones(field.shape), periodic=True)
    np.testing.assert_allclose(
        sampling(np.roll(field, 6, axis=1)), np.roll(sampling(field), 2, axis=1), rtol=0, atol=1e-13
    )


def test_a_kernel_longer_than_the_circle_goes_round_it():
    # All weights of a line fall on its two cells: 1 + 1 + 1 on the one, 1 + 1 on the other.
    kernel = make_kernel("fir", {"kernel": [[1, 1, 1, 1, 1]]}, (1, 1))
    values = Sampling(kernel, np.ones((1, 2)), periodic=True)(np.array([[5.0, 0.0]]))
    np.testing.assert_allclose(values, [[3.0, 2.0]])


def test_negative_lobes_are_left_out_where_they_would_leave_little():
    # The middle cell is land but for one fine cell at its edge: Lanczos has more in the far sea, negative.
    weights = np.zeros((8, 40))
    weights[:, 29:] = 1.0
    weights[3, 23] = 1.0
    sampling = Sampling(make_kernel("lanczos2", {}, (8, 8)), weights)
    assert sampling.lacking[0, 2]
    assert not sampling.lacking[0, 4]
    values = sampling(np.where(weights > 0, np.arange(40.0), np.nan))
    assert 23 <= values[0, 2] <= 39
    np.testing.assert_allclose(sampling(np.where(weights > 0, 7.0, np.nan))[0, 2:], 7.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["lanczos2", "lanczos3", "bicubic"])
def test_borders_of_open_sea_keep_the_negative_lobes(name):
    assert not Sampling(make_kernel(name, {}, (4, 4)), np.ones((24, 24))).lacking.any()


def test_no_sea_in_sight_is_missing_and_misses_nothing():
    weights = np.ones((2, 8))
    weights[:, 2:] = 0
    kernel = make_kernel("block_mean", {}, (2, 2))
    sampling = Sampling(kernel, weights)
    np.testing.assert_array_equal(np.isnan(sampling(np.ones((2, 8)))), [[False, True, True, True]])
    np.testing.assert_array_equal(sampling.misfit(np.ones((2, 8)), np.full((1, 4), 3.0)), [[2.0, 0.0, 0.0, 0.0]])


def test_misfit_of_the_box_is_that_of_blocks():
    weights = np.random.default_rng(0).random((6, 8)) * (random((6, 8)) > -0.5)
    field, values = random((6, 8)), np.where(random((3, 4)) > -1, 1.0, np.nan)
    kernel = make_kernel("block_mean", {}, (2, 2))
    found = misfit_through(field, values, weights, (2, 2), kernel=kernel)
    np.testing.assert_allclose(found, misfit(field, values, weights, (2, 2)), atol=1e-13)


def test_weights_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"Invalid fine shape \(5, 4\). It must be a multiple of the factor \(2, 2\)"):
        Sampling(make_kernel("bicubic", {}, (2, 2)), np.ones((5, 4)))


def test_a_kernel_that_sees_no_sea_in_a_cell_with_sea_is_refused():
    hollow = make_kernel("fir", {"kernel": [[1, 0, 1]]}, (1, 1))
    sampling = Sampling(hollow, np.array([[0.0, 1.0, 0.0]]))
    with pytest.raises(ValueError, match=r"Invalid kernel. It must see sea .* index \(0, 1\) it sees none"):
        sampling.check(np.array([[False, True, False]]))
