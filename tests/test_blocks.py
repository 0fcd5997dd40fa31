"""Sum, repetition and weighted mean over blocks: a pair of transposes and a projection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.blocks import block_mean, block_sum, repeat

SIZES = st.tuples(st.integers(1, 4), st.integers(1, 4))
SEEDS = st.integers(0, 2**31)


def random_field(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


@given(SIZES, SIZES, SEEDS)
@settings(max_examples=30, deadline=None)
def test_sum_is_the_transpose_of_repeat(shape, factor, seed):
    fine = random_field(seed, shape[0] * factor[0], shape[1] * factor[1])
    coarse = random_field(seed + 1, *shape)
    np.testing.assert_allclose((block_sum(fine, factor) * coarse).sum(), (fine * repeat(coarse, factor)).sum())


@given(SIZES, SIZES, SEEDS)
@settings(max_examples=30, deadline=None)
def test_mean_of_repeated_values_gives_them_back(shape, factor, seed):
    coarse = random_field(seed, 3, *shape)
    weights = np.random.default_rng(seed).uniform(0.1, 2, (shape[0] * factor[0], shape[1] * factor[1]))
    np.testing.assert_allclose(block_mean(repeat(coarse, factor), weights, factor), coarse, rtol=1e-13)


@given(SIZES, SIZES, SEEDS)
@settings(max_examples=30, deadline=None)
def test_mean_is_the_loop_over_blocks(shape, factor, seed):
    fine = random_field(seed, shape[0] * factor[0], shape[1] * factor[1])
    weights = np.random.default_rng(seed).integers(0, 3, fine.shape).astype(float)
    means = block_mean(fine, weights, factor)
    for (j, i), mean in np.ndenumerate(means):
        block = np.s_[j * factor[0] : (j + 1) * factor[0], i * factor[1] : (i + 1) * factor[1]]
        if weights[block].sum() == 0:
            assert np.isnan(mean)
        else:
            np.testing.assert_allclose(mean, np.average(fine[block], weights=weights[block]), atol=1e-14)


def test_land_never_counts_whatever_it_holds():
    weights = np.array([[1.0, 0.0, 0.0, 0.0]])
    for land in (0.0, 1e30, np.inf, np.nan):
        np.testing.assert_array_equal(block_mean(np.array([[2.0, land, land, land]]), weights, (1, 2)), [[2.0, np.nan]])


def test_missing_sea_is_not_averaged_away():
    assert np.isnan(block_mean(np.array([[1.0, np.nan]]), np.ones((1, 2)), (1, 2))).all()


def test_sums_of_float32_are_taken_in_float64():
    # 2^24 + 1 has no float32: a sum in single precision would lose the ones.
    fine = np.array([[2.0**24, 1.0, 1.0, 1.0]], dtype=np.float32)
    assert block_sum(fine, (1, 4)).dtype == np.float64
    assert block_sum(fine, (1, 4))[0, 0] == 2**24 + 3


def test_repeat_keeps_the_dtype():
    assert repeat(np.ones((1, 2), np.float32), (2, 2)).dtype == np.float32


@pytest.mark.parametrize("shape", [(4, 5), (3, 6)])
def test_a_shape_that_does_not_divide_is_refused(shape):
    with pytest.raises(ValueError, match=r"Invalid fine shape .* must be a multiple of the factor \(2, 3\)"):
        block_sum(np.ones(shape), (2, 3))
