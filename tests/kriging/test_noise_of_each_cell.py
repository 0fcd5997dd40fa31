"""Kriging of values that are not equally noisy: a diagonal in place of a nugget."""

from dataclasses import replace

import numpy as np
import pytest
from dense_kriging import DenseKriging

from xr_dip.blocks import block_sum
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.block_covariance import Support
from xr_dip.kriging.calibration import conditional_draws, mean_variance
from xr_dip.kriging.covariance import Covariance, Kernel, fit_covariance
from xr_dip.kriging.front import Following, FrontKernel, FrontKriging
from xr_dip.kriging.fronts import Fronts
from xr_dip.kriging.mosaic import MosaicKriging, krige
from xr_dip.kriging.unequal_noise import equally_noisy

FACTOR, SPACING = (3, 2), (1.0, 1.5)
KERNELS = (Kernel(2.5, 2.0, 0.5, 0.7), Kernel(1.5, 3.0, 0.8, 0.3))


def setting(shape=(5, 6), land=False, seed=0):
    """Weights, constrained cells, values and variances of noise; with land a cell without any sea and a cut one."""
    rng = np.random.default_rng(seed)
    weights = np.ones((shape[0] * FACTOR[0], shape[1] * FACTOR[1]))
    if land:
        weights[:4, :3] = 0.0
    cells = block_sum(weights, FACTOR) > 0
    values = rng.normal(size=shape).cumsum(axis=0).cumsum(axis=1)
    return weights, cells, values, rng.uniform(0.01, 0.5, size=shape)


def kriged(noise, land=False, kind=BlockKriging, kernels=KERNELS, shape=(5, 6)):
    weights, cells, values, _ = setting(shape, land)
    return kind(weights, FACTOR, SPACING, Covariance(kernels, noise=noise), cells), values


@pytest.mark.parametrize("land", [False, True])
def test_mean_variance_and_left_out_are_the_dense_solution(land):
    weights, cells, values, noise = setting(land=land)
    kernel = Kernel(2.5, 2.0, 0.5)
    estimator, _ = kriged(noise, land, kernels=(kernel,))
    dense = DenseKriging(
        weights, FACTOR, estimator.pitch, 2.5, 2.0, cells, nugget=1e-8, noise=noise[cells] / kernel.sill
    )
    sea = weights > 0
    np.testing.assert_allclose(estimator.mean(values)[sea], dense.mean(values[cells])[sea], atol=1e-9)
    np.testing.assert_allclose(estimator.variance()[sea], kernel.sill * dense.variance()[sea], atol=1e-9)
    found = estimator.left_out(values)
    variances, residuals = 1 / np.diag(dense.q), (dense.q @ values[cells]) / np.diag(dense.q)
    # As if each value had the least noise: its own part of the variance is what is left without its noise.
    least = variances - (noise[cells] - noise[cells].min()) / kernel.sill
    np.testing.assert_allclose(found.variances[0][cells], least, atol=1e-9)
    np.testing.assert_allclose(found.residuals[0][cells], residuals * np.sqrt(least / variances), atol=1e-9)


@pytest.mark.parametrize("land", [False, True])
def test_the_same_noise_in_each_cell_is_one_number(land):
    """Without land this is the dense factor against the folded one."""
    (one, values), (each, _) = kriged(0.1, land), kriged(np.full((5, 6), 0.1), land)
    np.testing.assert_allclose(each.mean(values), one.mean(values), atol=1e-10)
    np.testing.assert_allclose(each.variance(values), one.variance(values), atol=1e-10)
    np.testing.assert_allclose(each.whitener(0.7), one.whitener(0.7), atol=1e-10)
    np.testing.assert_allclose(each.coarse_spectrum(), one.coarse_spectrum(), atol=1e-12)
    for part, expected in zip(each.left_out(values), one.left_out(values), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-10)
    for part, expected in zip(each.trend(values), one.trend(values), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-10)
    assert mean_variance(each, values, seed=1) == pytest.approx(mean_variance(one, values, seed=1), rel=1e-9)
    draws = [conditional_draws(estimator, values, 4, seed=1) for estimator in (each, one)]
    np.testing.assert_allclose(draws[0], draws[1], atol=1e-8)


def test_the_same_noise_in_each_cell_fits_the_same_covariance():
    weights, _, values, _ = setting((8, 9))
    one, each = (fit_covariance(values, weights, FACTOR, SPACING, noise=noise) for noise in (0.1, np.full((8, 9), 0.1)))
    assert len(one.kernels) == len(each.kernels)
    for kernel, expected in zip(each.kernels, one.kernels, strict=True):
        assert (kernel.smoothness, kernel.length) == (expected.smoothness, expected.length)
        assert (kernel.sill, kernel.weight) == pytest.approx((expected.sill, expected.weight), rel=1e-8)


@pytest.mark.parametrize("garbage", [0.0, 50.0])
def test_a_value_of_huge_noise_is_one_that_is_not_there(garbage):
    weights, cells, values, noise = setting((6, 6))
    noise[2, 3], values[2, 3] = 1e9, garbage
    without = cells.copy()
    without[2, 3] = False
    noisy = BlockKriging(weights, FACTOR, SPACING, Covariance(KERNELS, noise=noise), cells)
    alone = BlockKriging(weights, FACTOR, SPACING, Covariance(KERNELS, noise=noise), without)
    np.testing.assert_allclose(noisy.mean(values), alone.mean(values), atol=1e-6)
    np.testing.assert_allclose(noisy.variance(values), alone.variance(values), atol=1e-6)
    np.testing.assert_allclose(noisy.trend(values)[1], alone.trend(values)[1], atol=1e-6)
    for part, expected in zip(noisy.left_out(values), alone.left_out(values), strict=True):
        np.testing.assert_allclose(part[:, without], expected[:, without], atol=1e-6)
        assert np.isnan(part[:, 2, 3]).all()
    fits = [
        fit_covariance(np.where(there, values, np.nan), weights, FACTOR, SPACING, noise=noise, average=False)
        for there in (cells, without)
    ]
    assert fits[0].best.length == fits[1].best.length
    assert fits[0].best.sill == pytest.approx(fits[1].best.sill, rel=1e-3)


def test_a_value_of_huge_noise_has_no_say_in_the_whitened_misfit():
    noise = np.full((5, 6), 0.1)
    noise[2, 3] = 1e9
    matrix = kriged(noise)[0].whitener(1.0)
    cell = 2 * 6 + 3
    assert np.abs(matrix[cell]).max() < 1e-2 * np.abs(matrix).max()
    assert np.isfinite(matrix).all()


def test_fully_whitened_noise_counts_by_one_over_its_variance():
    """Where there is nearly no field but noise: W W is the diagonal of 1 / noise, over its mean."""
    _, _, _, noise = setting()
    tiny = (Kernel(2.5, 2.0, 1e-9),)
    matrix = kriged(noise, kernels=tiny)[0].whitener(1.0)
    # The noise is cut off at 1e6 times the field, so take less noise than that.
    matrix = kriged(noise * 1e-5, kernels=tiny)[0].whitener(1.0)
    weights = 1 / noise.ravel()
    np.testing.assert_allclose(matrix @ matrix, np.diag(weights / weights.mean()), atol=2e-2)


def test_windows_of_a_large_domain_see_their_own_noise():
    """Far from the borders of its windows a mosaic is the exact solution."""
    weights, cells = np.ones((3, 100)), np.ones((1, 50), dtype=bool)
    rng = np.random.default_rng(3)
    values, noise = rng.normal(size=(1, 50)).cumsum(axis=1), rng.uniform(0.01, 1.0, (1, 50))
    covariance = Covariance((Kernel(1.5, 1.0, 1.0),), noise=noise)
    exact = BlockKriging(weights, (3, 2), SPACING, covariance, cells)
    mosaic = MosaicKriging(weights, (3, 2), SPACING, covariance, cells)
    np.testing.assert_allclose(mosaic.mean(values), exact.mean(values), atol=0.06 * values.std())
    swapped = MosaicKriging(weights, (3, 2), SPACING, replace(covariance, noise=noise[:, ::-1]), cells)
    assert np.abs(swapped.mean(values) - exact.mean(values)).max() > 0.2 * values.std()


def test_basins_see_their_own_noise():
    weights, _, values, noise = setting()
    weights[:, 6] = 0.0
    covariance = Covariance(KERNELS, noise=noise)
    both = krige_basins(weights, FACTOR, SPACING, covariance, np.ones((5, 6), dtype=bool))
    # The left basin: three whole columns of cells.
    left = krige(weights[:, :6], FACTOR, SPACING, covariance.at(slice(0, 5), slice(0, 3)), np.ones((5, 3), bool))
    np.testing.assert_allclose(both.mean(values)[:, :6], left.mean(values[:, :3]), atol=1e-10)
    np.testing.assert_allclose(both.variance()[:, :6], left.variance(), atol=1e-10)


def test_kriging_along_fronts_sees_the_noise_of_each_cell():
    """At strength zero it is plain kriging of one kernel, up to the few nodes that stand for a cell."""
    kernel = Kernel(2.5, 2.0, 0.5)
    weights, cells, values, noise = setting((7, 8))
    base = BlockKriging(weights, FACTOR, SPACING, Covariance((kernel,), noise=noise), cells)
    fronts = Fronts(base.mean(values), weights > 0, FACTOR, base.pitch)
    found = FrontKriging(base, fronts, FrontKernel(Following(), kernel)).estimate(values)
    np.testing.assert_allclose(found.field, base.mean(values), atol=0.02 * values.std())
    plain = base.left_out(values)
    np.testing.assert_allclose(found.residuals, plain.residuals[0], atol=0.05 * values.std())
    np.testing.assert_allclose(found.variances, plain.variances[0], rtol=0.05)


def test_random_errors_have_the_noise_of_each_cell_in_them():
    """Their mean square is the posterior variance, which kriging knows in closed form."""
    _, _, _, noise = setting()
    estimator, values = kriged(noise, kernels=(Kernel(2.5, 2.0, 0.5),))
    expected = estimator.variance().mean()
    assert mean_variance(estimator, values, seed=0, count=100) == pytest.approx(expected, rel=0.08)
    assert mean_variance(kriged(noise.min(), kernels=(Kernel(2.5, 2.0, 0.5),))[0], values, 0, 100) < 0.9 * expected


def test_large_domains_of_unequal_noise_are_divided_earlier():
    weights, cells = np.ones((70, 70)), np.ones((70, 70), dtype=bool)
    covariance = Covariance((Kernel(1.5, 1.0, 1.0),), noise=np.full((70, 70), 0.1))
    assert isinstance(krige(weights, (1, 1), (1.0, 1.0), covariance, cells), MosaicKriging)


def test_equally_noisy_values_keep_their_residuals():
    residuals, variances = np.array([[1.0], [2.0]]), np.array([[0.5], [0.7]])
    assert equally_noisy(residuals, variances, 0.3)[0] is residuals
    for part, expected in zip(
        equally_noisy(residuals, variances, np.full(2, 0.3)), (residuals, variances), strict=True
    ):
        np.testing.assert_array_equal(part, expected)


def test_a_number_of_standard_deviations_stays_what_it_is():
    residuals, variances, noise = np.array([1.0, -3.0]), np.array([0.5, 2.0]), np.array([0.1, 1.0])
    scaled = equally_noisy(residuals, variances, noise)
    np.testing.assert_allclose(scaled[0] / np.sqrt(scaled[1]), residuals / np.sqrt(variances))


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.ones((2, 2)), r"Invalid noise of shape \(2, 2\). It must be one number or of shape \(1, 2\)"),
        (np.array([[0.1, -0.1]]), r"Invalid noise -0.1 in cell \(0, 1\). It must be 0 or a positive variance"),
        (np.array([[np.nan, 0.1]]), r"Invalid noise nan in cell \(0, 0\)"),
    ],
)
def test_what_is_no_noise_is_refused(noise, message):
    with pytest.raises(ValueError, match=message):
        Support(np.ones((1, 4)), (1, 2), np.ones((1, 2), dtype=bool), noise=noise)


def test_noise_of_cells_without_values_is_never_read():
    support = Support(np.ones((1, 4)), (1, 2), np.array([[True, False]]), noise=np.array([[0.1, np.nan]]))
    np.testing.assert_array_equal(support.noise_of_cells, [0.1])
    assert support.window(slice(0, 1), slice(0, 1)).noise_of_cells == pytest.approx([0.1])
