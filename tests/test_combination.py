"""From kriging, its version along fronts and fits to the estimate."""

import numpy as np
import pytest

from xr_dip.blocks import block_mean
from xr_dip.combination import combine_optimal
from xr_dip.kriging.along_fronts import krige_along_fronts
from xr_dip.kriging.calibration import mean_variance
from xr_dip.kriging.covariance import Covariance, Kernel
from xr_dip.kriging.mosaic import krige
from xr_dip.sea import find_sea

FACTOR, SHAPE = (4, 4), (14, 15)


def setting(noise=0.0):
    """Return values with a front, their sea, and kriging with and without noise."""
    y, x = np.indices(SHAPE)
    values = np.tanh((y - 0.5 * x - 2 + np.sin(0.7 * x)) / 1.5)
    sea = find_sea(values, FACTOR)
    told, blind = (
        krige(sea.weights, FACTOR, (1.0, 1.0), Covariance((Kernel(2.5, 2.0, 0.3),), noise=each), sea.coarse)
        for each in (noise, 0.0)
    )
    return values, sea, told, blind


def fits_like(field, kriging, count=4, own=0.1):
    """Return null-space parts that are a field and something of their own."""
    others = kriging.null(np.random.default_rng(0).standard_normal((count, *field.shape)).cumsum(axis=1).cumsum(axis=2))
    scale = own * field.std() / others.std()
    return field + scale * others


def test_kriging_and_both_proposals_are_added_by_their_weights():
    values, sea, kriging, _ = setting()
    added, claim = krige_along_fronts(kriging, values)
    parts = fits_like(added, kriging)
    found = combine_optimal(parts, values, sea, kriging, 0, fronts=(added, claim))
    assert found.front_weight > 0.1
    assert found.blend_weight > 0.1
    expected = kriging.mean(values) + found.front_weight * added + found.blend_weight * parts.mean(axis=0)
    np.testing.assert_allclose(found.mean, expected, atol=1e-6)
    np.testing.assert_allclose(block_mean(found.mean, sea.weights, FACTOR), values, atol=1e-12)


def test_errors_are_drawn_from_kernels_of_their_own():
    """Twice the amplitude, with the same pattern: twice the standard error, and the same mean."""
    values, sea, kriging, _ = setting()
    fronts, parts = krige_along_fronts(kriging, values), np.zeros((2, *sea.weights.shape))
    one, other = (
        combine_optimal(parts, values, sea, kriging, 0, fronts=fronts, errors=errors) for errors in (None, kriging)
    )
    np.testing.assert_allclose(other.std, one.std, rtol=1e-6)
    rougher = krige(sea.weights, FACTOR, (1.0, 1.0), Covariance((Kernel(1.5, 2.0, 0.3),)), sea.coarse)
    found = combine_optimal(parts, values, sea, kriging, 0, fronts=fronts, errors=rougher)
    np.testing.assert_array_equal(found.mean, one.mean)
    assert found.predicted_rmse > 1.2 * one.predicted_rmse
    np.testing.assert_allclose(block_mean(found.members, sea.weights, FACTOR), values[None].repeat(2, 0), atol=1e-9)


def test_fits_against_the_fronts_have_no_weight():
    values, sea, kriging, _ = setting()
    fronts = krige_along_fronts(kriging, values)
    found = combine_optimal(-fits_like(fronts[0], kriging), values, sea, kriging, 0, fronts=fronts)
    assert found.blend_weight == 0.0
    np.testing.assert_allclose(found.mean, kriging.mean(values) + found.front_weight * fronts[0], atol=1e-6)


@pytest.mark.parametrize("noise", [1e-4, 1e-3])
def test_noise_does_not_keep_fronts_from_confirming_fits(noise):
    """What kriging along fronts makes of the noise is no part of the null space, in which fits are compared with it."""
    values, sea, told, blind = setting(noise)
    exact = krige_along_fronts(blind, values)[0]
    parts = fits_like(exact, blind, own=0.0)
    found = combine_optimal(parts, values, sea, told, 0, blind=blind)
    known = combine_optimal(parts, values, sea, blind, 0)
    assert mean_variance(told, values, 0) > mean_variance(blind, values, 0)
    assert found.blend_weight > 0.5 * known.blend_weight > 0
