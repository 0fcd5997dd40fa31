"""Enforcement by projection: exact, nearest, the additive one for block means, and never farther from the truth."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seas import CROOKED, OPERATORS, samplings

from xr_dip.blocks import block_sum
from xr_dip.constraints import additive, make_constraint
from xr_dip.errors import DipWarning
from xr_dip.observing.kernels import make_kernel
from xr_dip.observing.projection import levelled_projection, projection
from xr_dip.observing.sampling import Sampling

SEEDS = st.integers(0, 2**31)


def project(sampling, field, values):
    return projection(
        field, values, sampling.weights, sampling.factor, periodic=sampling.periodic, kernel=sampling.kernel
    )


def of_a_truth(sampling, seed):
    """A field, a truth, and the values of the truth in cells that have some sea of their own."""
    field, truth = np.random.default_rng(seed).normal(size=(2, *sampling.weights.shape))
    own = block_sum(sampling.weights, sampling.factor) > 0
    return field, truth, np.where(own & sampling.seen, sampling(truth), np.nan)


def distance(sampling, one, other):
    return np.sqrt((sampling.weights * (one - other) ** 2).sum())  # of the sum: there may be no sea at all


@given(samplings(), SEEDS)
@settings(max_examples=60, deadline=None)
def test_exact_nearer_to_any_truth_and_land_untouched(sampling, seed):
    field, truth, values = of_a_truth(sampling, seed)
    found = project(sampling, field, values)
    assert np.abs(sampling.misfit(found, values)).max() < 1e-8
    assert distance(sampling, found, truth) <= distance(sampling, field, truth) * (1 + 1e-9)
    np.testing.assert_array_equal(found[sampling.weights == 0], field[sampling.weights == 0])


@given(samplings(operators=("block_mean",)), SEEDS)
@settings(max_examples=40, deadline=None)
def test_of_block_means_it_is_additive_for_any_weights(sampling, seed):
    field, _, values = of_a_truth(sampling, seed)
    expected = additive(field, values, sampling.weights, sampling.factor)
    np.testing.assert_allclose(project(sampling, field, values), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", OPERATORS)
def test_the_correction_is_the_smallest(name):
    # Against the pseudo-inverse of the matrix written out, in the norm of the weights.
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.5, 2, (9, 12)) * (rng.random((9, 12)) < 0.8)
    sampling = Sampling(make_kernel(name, OPERATORS[name], (3, 3)), weights)
    field, _, values = of_a_truth(sampling, 1)
    sea = weights > 0
    units = np.zeros((sea.sum(), *weights.shape))
    units[(np.arange(sea.sum()), *np.nonzero(sea))] = 1.0
    matrix = sampling(units).reshape(len(units), -1).T[np.isfinite(values).ravel()]
    root = np.sqrt(weights[sea])
    missed = (values - sampling(field))[np.isfinite(values)]
    expected = np.linalg.pinv(matrix / root) @ missed / root
    np.testing.assert_allclose((project(sampling, field, values) - field)[sea], expected, atol=1e-8)


@given(samplings(), SEEDS)
@settings(max_examples=30, deadline=None)
def test_enforced_once_is_enforced(sampling, seed):
    field, _, values = of_a_truth(sampling, seed)
    once = project(sampling, field, values)
    np.testing.assert_allclose(project(sampling, once, values), once, rtol=0, atol=1e-7)


def test_members_are_projected_each_by_itself():
    sampling = Sampling(make_kernel("bicubic", {}, (2, 2)), np.ones((8, 10)))
    fields, values = np.random.default_rng(0).normal(size=(3, 8, 10)), np.ones((4, 5))
    both = project(sampling, fields, values)
    for field, found in zip(fields, both, strict=True):
        np.testing.assert_array_equal(found, project(sampling, field, values))


def test_cells_that_see_the_same_sea_with_other_values_are_warned_of():
    # Two coarse cells of land but for one fine cell in reach of both, and two different values.
    weights = np.zeros((2, 4))
    weights[:, 1] = 1.0
    kernel = make_kernel("gaussian", {"width": 0.6}, (2, 2))
    with pytest.warns(DipWarning, match="Enforcement left .* see nearly the same sea"):
        projection(np.zeros((2, 4)), np.array([[1.0, 2.0]]), weights, (2, 2), kernel=kernel)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        projection(np.zeros((2, 4)), np.array([[1.0, 1.0]]), weights, (2, 2), kernel=kernel)


def test_by_its_name_it_is_of_block_means_and_has_no_options():
    enforce = make_constraint("projection", {})
    np.testing.assert_allclose(enforce(np.zeros((1, 2)), np.array([[2.0]]), np.ones((1, 2)), (1, 2)), 2.0)
    with pytest.raises(ValueError, match=r"Invalid constraint_options \['kernel'\].* 'projection': \[\]"):
        make_constraint("projection", {"kernel": CROOKED})


def test_a_wrong_level_leaves_no_ripple():
    """What a constant more of the field becomes is the same field, at coasts and borders, too."""
    kernel = make_kernel("gaussian", {"width": 0.5}, (4, 4))
    draws = np.random.default_rng(3)
    weights = np.ones((24, 32))
    weights[:9, 20:] = 0.0
    field, truth = draws.standard_normal((2, 24, 32))
    values = Sampling(kernel, weights)(truth)
    for enforce, same in ((levelled_projection, True), (projection, False)):
        one, other = (enforce(field + level, values, weights, (4, 4), kernel=kernel) for level in (0.0, 2.0))
        assert np.allclose(one[weights > 0], other[weights > 0], rtol=0, atol=1e-6) == same
        np.testing.assert_allclose(Sampling(kernel, weights).misfit(other, values), 0, atol=1e-8)
    stack = np.stack([field, field + 1.0])
    both = levelled_projection(stack, values, weights, (4, 4), kernel=kernel)
    np.testing.assert_allclose(both[0], both[1], rtol=0, atol=1e-6)
