"""Conditional draws, predicted errors, and the coast."""

import numpy as np
import pytest
from random_fields import sample_pair
from real_fields import balearic, gulf_stream, load, osmosis

from xr_dip.blocks import block_mean, block_sum
from xr_dip.combination import combine_optimal
from xr_dip.interpolation import conservative, upsample
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.calibration import (
    amplitude,
    conditional_draws,
    mean_variance,
    predicted_rmse,
    predicted_skill,
)
from xr_dip.kriging.coast import coast_blend, land_distance
from xr_dip.kriging.covariance import Covariance, Kernel, fit_covariance
from xr_dip.kriging.mosaic import MosaicKriging, krige
from xr_dip.sea import find_sea

KERNEL = Kernel(2.5, 2.0, 0.25)
MIXTURE = Covariance((Kernel(2.5, 2.0, 0.3, 0.7), Kernel(1.5, 3.0, 0.5, 0.3)))


def setting(covariance=MIXTURE, shape=(6, 7), factor=(4, 4), land=False, kind=BlockKriging):
    weights = np.ones((shape[0] * factor[0], shape[1] * factor[1]))
    if land:
        weights[:9, :10] = 0.0
    cells = block_sum(weights, factor) > 0
    values = np.where(cells, np.random.default_rng(0).standard_normal(shape), np.nan)
    return kind(weights, factor, (1.0, 1.0), covariance, cells), values


def unit_residuals(estimator, scale=1.0):
    """Residuals and variances of a model that is exactly right: squared residual = scale * sill * variance."""
    variances = np.where(estimator.support.cells, 0.01, np.nan)
    return np.sqrt(scale * KERNEL.sill * variances), variances


@pytest.mark.parametrize("land", [False, True])
@pytest.mark.parametrize("kind", [BlockKriging, MosaicKriging])
def test_draws_have_no_block_means_and_no_mean(land, kind):
    estimator, values = setting(land=land, kind=kind)
    draws = conditional_draws(estimator, values, 6, seed=3)
    assert draws.shape == (6, 24, 28)
    means = block_mean(draws, estimator.support.weights, (4, 4))[:, estimator.support.cells]
    assert np.abs(means).max() < 1e-8 * draws.std()  # centring and the nugget leave rounding
    np.testing.assert_allclose(draws.sum(axis=0), 0.0, atol=1e-12)


def test_draw_j_depends_on_the_seed_and_j_alone():
    """The difference of two draws does not see the centring."""
    estimator, values = setting()
    few, many = (conditional_draws(estimator, values, count, seed=[5, 20090701]) for count in (3, 8))
    np.testing.assert_allclose(few[1] - few[0], many[1] - many[0], atol=1e-12)
    np.testing.assert_allclose(few[2] - few[0], many[2] - many[0], atol=1e-12)
    other = conditional_draws(estimator, values, 3, seed=[6, 20090701])
    assert np.abs(other - few).max() > 0.1 * few.std()


def test_variance_of_the_draws_is_the_posterior_variance(monkeypatch):
    """For a known kernel, without the scaling by residuals: 400 draws, so within 5 % averaged over the field."""
    monkeypatch.setattr("xr_dip.kriging.calibration.amplitude", lambda *_: np.full((24, 28), 0.5))
    estimator, values = setting(Covariance((KERNEL,)))
    draws = conditional_draws(estimator, values, 400, seed=1)
    expected = estimator.variance()
    found = draws.var(axis=0, ddof=1)
    assert found.mean() == pytest.approx(expected.mean(), rel=0.05)
    assert np.corrcoef(np.log(found.ravel()), np.log(expected.ravel()))[0, 1] > 0.95


def test_draws_cover_the_kernels_by_weight():
    """Far apart sills tell which kernel made a draw: 3 of 10 come from the second, give or take one."""
    estimator, _ = setting(Covariance((Kernel(2.5, 2.0, 1e-6, 0.7), Kernel(2.5, 2.0, 1e6, 0.3))))
    size = conditional_draws(estimator, np.zeros((6, 7)), 10, seed=2).std(axis=(1, 2))
    assert 2 <= (size > 0.5 * size.max()).sum() <= 4


def test_amplitude_of_a_right_model_is_its_sill():
    estimator, _ = setting(Covariance((KERNEL,)))
    np.testing.assert_allclose(amplitude(*unit_residuals(estimator), KERNEL, estimator), 0.5)


def test_amplitude_moves_towards_the_residuals():
    """S = (n G + 100 s2) / (n + 100) with n = 42 cells and G = 4 s2."""
    estimator, _ = setting(Covariance((KERNEL,)))
    found = amplitude(*unit_residuals(estimator, scale=4.0), KERNEL, estimator)
    np.testing.assert_allclose(found**2, 0.25 * (42 * 4 + 100) / 142)


def test_amplitude_is_larger_where_the_values_surprise():
    estimator, _ = setting(Covariance((KERNEL,)))
    residuals, variances = unit_residuals(estimator)
    residuals[:, :2] *= 3
    found = amplitude(residuals, variances, KERNEL, estimator)
    assert found[:, :4].min() > 1.2 * found[:, -4:].max()


def test_amplitude_is_half_as_large_again_at_the_coast():
    estimator, _ = setting(Covariance((KERNEL,)), land=True)
    found = amplitude(*unit_residuals(estimator), KERNEL, estimator)
    distance = land_distance(estimator.support.weights)
    np.testing.assert_allclose(found[(distance > 0) & (distance <= 2)], 0.75)
    np.testing.assert_allclose(found[distance > 2], 0.5)


@pytest.mark.parametrize(
    "values",
    [np.full((6, 6), 3.0), np.array([[1.0]]), np.array([[1.0, 2.0]]), np.add.outer(np.arange(4.0), np.arange(9.0))],
    ids=["constant", "1x1", "1x2", "plane"],
)
def test_degenerate_fields_have_finite_draws(values):
    weights = np.ones((values.shape[0] * 3, values.shape[1] * 3))
    covariance = fit_covariance(values, weights, (3, 3), (1.0, 1.0))
    estimator = krige(weights, (3, 3), (1.0, 1.0), covariance, np.isfinite(values))
    assert np.isfinite(conditional_draws(estimator, values, 4, seed=0)).all()
    assert np.isfinite(mean_variance(estimator, values, seed=0))


def test_one_draw_is_refused():
    estimator, values = setting()
    with pytest.raises(ValueError, match=r"Invalid count 1\. It must be at least 2"):
        conditional_draws(estimator, values, 1, seed=0)


def test_mean_variance_is_that_of_kriging():
    estimator, values = setting(shape=(9, 10))
    expected = estimator.variance(values).mean()
    assert mean_variance(estimator, values, seed=0, count=60) == pytest.approx(expected, rel=0.1)


def test_predicted_error_is_that_of_the_model_truth():
    """Ten fields drawn from a known kernel: predicted over true error averages to one."""
    weights, ratios = np.ones((96, 96)), []
    for seed in range(5):
        for truth in sample_pair((96, 96), (1 / 8, 1 / 8), 2.5, 2.0, np.random.default_rng(seed)):
            values = block_mean(truth, weights, (8, 8))
            estimator = BlockKriging(
                weights, (8, 8), (1.0, 1.0), Covariance((Kernel(2.5, 2.0, 1.0),)), np.isfinite(values)
            )
            error = np.sqrt(((estimator.mean(values) - truth) ** 2).mean())
            ratios.append(predicted_rmse(conditional_draws(estimator, values, 20, seed)) / error)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)
    assert np.ptp(ratios) < 0.4


def test_predicted_error_counts_sea_only():
    draws = np.array([[[1.0, 50.0]], [[-1.0, -50.0]]])
    assert predicted_rmse(draws, np.array([[True, False]])) == pytest.approx(np.sqrt(2))


def test_predicted_skill_of_bicubic_itself_is_zero():
    values = np.random.default_rng(0).standard_normal((4, 5))
    assert predicted_skill(upsample(values, (3, 3)), values, np.ones((12, 15)), (3, 3), rmse=0.1) == pytest.approx(0)
    assert predicted_skill(upsample(values, (3, 3)), values, np.ones((12, 15)), (3, 3), rmse=0.0) == 0.0


def test_distance_to_land_counts_cells():
    weights = np.ones((3, 5))
    assert np.isinf(land_distance(weights)).all()
    weights[:, 0] = 0
    np.testing.assert_array_equal(land_distance(weights), np.tile(np.arange(5.0), (3, 1)))


def test_coast_blend_is_mostly_interpolation_at_the_coast_and_nothing_far_off():
    """On cells without land the additive step is zero for fields that conserve, so the formula shows."""
    weights = np.ones((8, 128))
    weights[:, :8] = 0.0
    values = np.where(block_sum(weights, (8, 8)) > 0, np.random.default_rng(0).standard_normal((1, 16)), np.nan)
    smooth = sum(conservative(values, weights, (8, 8), method) for method in ("bicubic", "bilinear")) / 2
    bump = np.tile(np.cos(2 * np.pi * (np.arange(8) + 0.5) / 8), (8, 16))
    blended = coast_blend(smooth + bump, values, weights, (8, 8))
    np.testing.assert_allclose(block_mean(blended, weights, (8, 8)), values, atol=1e-12)
    away = (blended - smooth - bump)[:, 80:]
    assert np.abs(away).max() < 1e-4
    # Within the first cell the formula holds up to the constant that restores the block mean.
    share = 0.88 * np.exp(-np.arange(8) / 5.2)
    expected = bump[0, 8:16] * (1 - share)
    np.testing.assert_allclose((blended - smooth)[0, 8:16], expected - expected.mean(), atol=1e-12)
    # An error of a fifth of the departure allows a twenty-fifth of it.
    error = 0.2 * np.full_like(bump, np.sqrt((bump[0, 8:12] ** 2).mean()))
    within = coast_blend(smooth + bump, values, weights, (8, 8), error=error)
    np.testing.assert_allclose(within, smooth + bump + (blended - smooth - bump) / 25, atol=1e-12)
    np.testing.assert_array_equal(coast_blend(smooth + bump, values, weights, (8, 8), error=100 * error), blended)


@pytest.mark.samples
@pytest.mark.parametrize("factor", [2, 4])
def test_at_the_coast_of_a_smooth_sea_the_estimate_stays_what_kriging_knows(factor):
    """Conservative interpolation has 7 and 2 times its error there."""
    truth = load("balearic", np.s_[100 : 100 + 16 * factor, 0 : 16 * factor])
    wet = np.isfinite(truth)
    values = np.where(block_sum(wet.astype(float), (factor, factor)) > 0, 0.0, np.nan)
    values += block_mean(np.where(wet, truth, 0.0), wet.astype(float), (factor, factor))
    sea = find_sea(values, (factor, factor), mask=wet)
    covariance = fit_covariance(values, sea.weights, (factor, factor), (1.0, 1.0))
    kriging = krige(sea.weights, (factor, factor), (1.0, 1.0), covariance, sea.coarse)
    estimate = combine_optimal(np.zeros((2, *truth.shape)), values, sea, kriging, seed=0).mean
    error, bold = (np.sqrt(((field - truth)[wet] ** 2).mean()) for field in (estimate, kriging.mean(values)))
    assert error < 1.1 * bold


@pytest.mark.samples
@pytest.mark.parametrize(
    ("field", "factor"),
    [(gulf_stream, 8), (gulf_stream, 32), (osmosis, 8), (osmosis, 16), (balearic, 16)],
)
def test_predicts_the_error_of_kriging_within_a_fifth(field, factor):
    """Not everywhere: Gulf Stream x16 is at 0.76, OSMOSIS x32 at 0.72, the Balearic Sea x8 at 1.29 and x32 at 0.80."""
    truth = field()
    weights = np.ones_like(truth)
    values = block_mean(truth, weights, (factor, factor))
    covariance = fit_covariance(values, weights, (factor, factor), (1.0, 1.0))
    kriging = krige(weights, (factor, factor), (1.0, 1.0), covariance, np.isfinite(values))
    error = np.sqrt(((kriging.mean(values) - truth) ** 2).mean())
    assert predicted_rmse(conditional_draws(kriging, values, 20, seed=0)) == pytest.approx(error, rel=0.2)


@pytest.mark.samples
@pytest.mark.parametrize("corner", [(184, 778), (101, 790), (221, 787), (83, 910)], ids=str)
def test_predicts_the_error_in_cells_that_resolve_no_eddies(corner):
    """Global altimetry in cells of 450 km; kernels of no more than what these resolve predict half of the error."""
    row, column = corner
    truth = load("global_duacs", np.s_[row : row + 160, column : column + 160])
    weights = np.ones_like(truth)
    values = block_mean(truth, weights, (16, 16))

    def predicted_over_actual(spacing):
        covariance = fit_covariance(values, weights, (16, 16), spacing)
        kriging, errors = (
            krige(weights, (16, 16), spacing, each, np.isfinite(values)) for each in (covariance, covariance.of_errors)
        )
        error = np.sqrt(((kriging.mean(values) - truth) ** 2).mean())
        return predicted_rmse(conditional_draws(errors, values, 20, seed=0)) / error

    assert 0.7 < predicted_over_actual((28e3, 28e3)) < 1.4
    assert predicted_over_actual((1.0, 1.0)) < 0.5


def test_the_amplitude_is_smaller_where_cells_are_wider_than_eddies():
    kernel = Kernel(2.5, 2.0, 4.0)
    residuals, variances = np.full((2, 2), 2.0), np.ones((2, 2))
    found = [
        amplitude(
            residuals,
            variances,
            kernel,
            BlockKriging(np.ones((2 * f, 2 * f)), (f, f), (1, 1), Covariance((kernel,)), np.ones((2, 2), dtype=bool)),
        )
        for f in (23, 24)
    ]
    np.testing.assert_allclose(found[0], 2.0)
    np.testing.assert_allclose(found[1], 0.85 * 2.0)
