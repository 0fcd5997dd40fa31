"""Matérn tables, covariance of block means, their factors, the trend, and the likelihood fit."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from dense_kriging import DenseKriging
from hypothesis import given, settings
from hypothesis import strategies as st
from random_fields import sample_pair
from scipy.special import gamma, kv

from xr_dip.blocks import block_mean, block_sum, repeat
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.block_covariance import Support, covariance_matrix
from xr_dip.kriging.covariance import (
    LENGTHS,
    LENGTHS_FINE,
    Covariance,
    Kernel,
    constrained_cells,
    fit_covariance,
    lengths_for,
    lengths_of_errors,
)
from xr_dip.kriging.covariance_sample import take_samples, without_smooth_part
from xr_dip.kriging.factorization import DenseCholesky, FoldedCholesky, Regression, factorize
from xr_dip.kriging.matern import SMOOTHNESSES, fine_pitch, kernel_table, matern
from xr_dip.kriging.trend import trend_terms

smoothnesses = pytest.mark.parametrize("smoothness", SMOOTHNESSES)


@smoothnesses
def test_matern_is_its_bessel_form(smoothness):
    r = np.linspace(0.05, 6, 40)
    s = np.sqrt(2 * smoothness) * r
    expected = 2 ** (1 - smoothness) / gamma(smoothness) * s**smoothness * kv(smoothness, s)
    np.testing.assert_allclose(matern(r, smoothness), expected, rtol=1e-12)
    assert matern(0.0, smoothness) == 1.0


def test_other_smoothness_is_refused():
    with pytest.raises(ValueError, match=r"Invalid smoothness 2.0. It must be one of \(1.5, 2.5, 3.5\)"):
        matern(1.0, 2.0)


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -2.0), (1.0, np.nan)])
def test_spacing_must_be_positive(spacing):
    with pytest.raises(ValueError, match=r"Invalid spacing .* two positive lengths"):
        fine_pitch((2, 2), spacing)


def test_a_coarse_cell_has_unit_area_in_its_own_unit():
    pitch = fine_pitch((4, 2), (1000.0, 3000.0))
    assert pitch[0] * 4 * pitch[1] * 2 == pytest.approx(1.0)
    assert pitch[1] / pitch[0] == pytest.approx(3.0)


@smoothnesses
def test_random_fields_have_the_correlation(smoothness):
    """Differences over a few cells, averaged over 40 fields of 64 x 64 cells, lengths of 1 cell: within 5 %."""
    pitch, fields = (0.25, 0.5), []
    for seed in range(20):
        fields += sample_pair((64, 64), pitch, smoothness, 1.0, np.random.default_rng(seed))
    h = np.stack(fields)
    table = kernel_table((5, 5), pitch, smoothness, 1.0)
    assert ((h[:, 4:] - h[:, :-4]) ** 2).mean() / 2 == pytest.approx(1 - table[4, 0], rel=0.05)
    assert ((h[:, :, 4:] - h[:, :, :-4]) ** 2).mean() / 2 == pytest.approx(1 - table[0, 4], rel=0.05)


def random_support(seed, shape, factor, land):
    rng = np.random.default_rng(seed)
    fine = shape[0] * factor[0], shape[1] * factor[1]
    # In steps of a tenth: a cell of weights that are nearly equal is taken as one of equal weights.
    weights = np.where(rng.random(fine) < land, 0.0, rng.integers(5, 11, fine) / 10)
    weights[: factor[0], :] = 1.0
    cells = (block_sum(weights, factor) > 0) & (rng.random(shape) < 0.9)
    cells[0, 0] = True
    return Support(weights, factor, cells)


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 4), st.integers(1, 5)),
    st.tuples(st.integers(1, 3), st.integers(1, 4)),
    st.sampled_from([0.0, 0.3, 0.7]),
)
@settings(max_examples=40, deadline=None)
def test_covariance_of_block_means_is_the_sum_over_fine_cells(seed, shape, factor, land):
    support = random_support(seed, shape, factor, land)
    pitch = fine_pitch(factor, (1.0, 1.4))
    dense = DenseKriging(support.weights, factor, pitch, 2.5, 1.7, support.cells, nugget=1e-3, trend=False)
    kernel = kernel_table(support.weights.shape, pitch, 2.5, 1.7)
    found = covariance_matrix(kernel, support)
    np.testing.assert_allclose(found, dense.d @ dense.k @ dense.d.T, atol=1e-14)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_folding_changes_nothing(ny, nx, fy, fx):
    pitch = fine_pitch((fy, fx), (1.0, 0.8))
    support = Support(np.ones((ny * fy, nx * fx)), (fy, fx), np.ones((ny, nx), dtype=bool))
    kernel = kernel_table((ny * fy, nx * fx), pitch, 1.5, 2.0)
    folded = factorize(kernel, support, nugget=1e-3, noise=0.1)
    assert isinstance(folded, FoldedCholesky)
    matrix = covariance_matrix(kernel, support)
    matrix += (1e-3 * matrix[0, 0] + 0.1) * np.eye(ny * nx)
    dense = DenseCholesky(matrix.copy())
    np.testing.assert_allclose(folded.solve(matrix), np.eye(ny * nx), atol=1e-10)
    np.testing.assert_allclose(folded.inverse_diagonal(), np.diag(np.linalg.inv(matrix)), rtol=1e-9)
    np.testing.assert_allclose(dense.inverse_diagonal(), np.diag(np.linalg.inv(matrix)), rtol=1e-9)
    expected = np.linalg.slogdet(matrix)[1]
    np.testing.assert_allclose([folded.log_determinant, dense.log_determinant], expected, atol=1e-9)


def test_regression_is_generalised_least_squares():
    rng = np.random.default_rng(0)
    root, design, values = rng.standard_normal((8, 8)), rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    matrix = root @ root.T + np.eye(8)
    inverse = np.linalg.inv(matrix)
    alpha, beta = Regression(DenseCholesky(matrix.copy()), design).solve(values)
    expected = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ values)
    np.testing.assert_allclose(beta, expected, atol=1e-10)
    np.testing.assert_allclose(alpha, inverse @ (values - design @ expected), atol=1e-10)


def test_shares_are_those_of_the_weights():
    support = random_support(5, (3, 4), (2, 3), 0.4)
    weights = np.where(np.repeat(np.repeat(support.cells, 2, 0), 3, 1), support.weights, 0)
    expected = weights / np.repeat(np.repeat(np.maximum(block_sum(weights, (2, 3)), 1e-300), 2, 0), 3, 1)
    np.testing.assert_allclose(support.shares, expected, atol=1e-15)
    assert support.exact


def test_nearly_equal_weights_count_as_full():
    weights = np.array([[1.0, 1.01, 1.0, 1.1]])
    support = Support(weights, (1, 2), np.array([[True, True]]))
    np.testing.assert_array_equal(support.full, [[True, False]])
    assert not support.exact


@pytest.mark.parametrize(
    ("weights", "cells", "message"),
    [
        (np.ones((2, 3)), np.ones((1, 2), bool), r"shape \(2, 3\). They must have the fine shape \(2, 4\)"),
        (-np.ones((2, 4)), np.ones((1, 2), bool), "finite and not negative"),
        (np.full((2, 4), np.nan), np.ones((1, 2), bool), "finite and not negative"),
        (np.ones((2, 4)), np.zeros((1, 2), bool), "no coarse cell has both a value and some sea"),
        (np.zeros((2, 4)), np.ones((1, 2), bool), r"Invalid cell \(0, 0\): it has a value but no weight"),
    ],
)
def test_support_refuses(weights, cells, message):
    with pytest.raises(ValueError, match=message):
        Support(weights, (2, 2), cells)


@pytest.mark.parametrize(
    ("cells", "terms"),
    [
        (np.ones((3, 3), bool), [0, 1, 2]),
        (np.ones((2, 4), bool), [0]),
        (np.ones((1, 6), bool), [0, 2]),
        (np.ones((5, 1), bool), [0]),
        (np.ones((1, 1), bool), [0]),
        (np.eye(12, dtype=bool), [0]),
    ],
)
def test_trend_has_a_slope_only_where_cells_carry_it(cells, terms):
    assert trend_terms(Support(np.ones([2 * n for n in cells.shape]), (2, 2), cells)) == terms


def test_fit_is_the_likelihood_of_the_dense_model():
    """Restricted and plain log likelihood of the best kernels, by explicit matrices."""
    values = sample_pair((6, 7), (1, 1), 2.5, 2.0, np.random.default_rng(3))[0]
    weights, factor, n = np.ones((18, 14)), (3, 2), 42
    pitch = fine_pitch(factor, (1.0, 1.5))

    def scores(restricted, length):
        dense = DenseKriging(weights, factor, pitch, 2.5, length, np.ones((6, 7), bool), nugget=1e-8)
        square = values.ravel() @ dense.q @ values.ravel()
        freedom = n - 3 * restricted
        score = -freedom / 2 * np.log(square / freedom) - np.linalg.slogdet(dense.c)[1] / 2
        prior = np.log(length / 3) ** 2 / 2
        return score - restricted * (np.linalg.slogdet(dense.normal)[1] / 2 + prior), square / freedom

    mixed = fit_covariance(values, weights, factor, (1.0, 1.5))
    likeliest = fit_covariance(values, weights, factor, (1.0, 1.5), average=False).best
    share = {  # of the posterior, without the half that the likeliest kernel has besides
        kernel.length: kernel.weight - 0.5 * (kernel.length == likeliest.length)
        for kernel in mixed.kernels
        if kernel.smoothness == 2.5
    }
    first, second = [kernel for kernel in mixed.kernels if kernel.smoothness == 2.5][:2]
    (high, sill), (low, _) = scores(True, first.length), scores(True, second.length)
    assert np.log(share[first.length] / share[second.length]) == pytest.approx(high - low, abs=1e-5)
    assert first.sill == pytest.approx(sill, rel=1e-6)
    assert mixed.weights.sum() == pytest.approx(1.0)
    assert list(mixed.weights) == sorted(mixed.weights, reverse=True)

    plain = fit_covariance(values, weights, factor, (1.0, 1.5), average=False)
    assert len(plain.kernels) == 1
    best = max(LENGTHS_FINE, key=lambda length: scores(False, length)[0])
    assert plain.best == Kernel(2.5, best, pytest.approx(scores(False, best)[1], rel=1e-6))


def test_fit_finds_the_kernel_that_made_the_field():
    """A field of 24 x 24 cells of length 3 cells, sill 4: neighbours on the grid of lengths are allowed."""
    fine = 2 * sample_pair((192, 192), (1 / 8, 1 / 8), 2.5, 3.0, np.random.default_rng(0))[0]
    values = block_mean(fine, np.ones_like(fine), (8, 8))
    best = fit_covariance(values, np.ones_like(fine), (8, 8), (1.0, 1.0)).best
    assert best.length in (2.0, 3.0, 4.0)
    assert 2 < best.sill < 8


def test_fit_scales_with_the_unit_and_ignores_a_plane():
    values = sample_pair((9, 9), (1, 1), 1.5, 2.0, np.random.default_rng(4))[0]
    y, x = np.indices((9, 9))
    weights = np.ones((72, 72))
    one = fit_covariance(values, weights, (8, 8), (1.0, 1.0))
    other = fit_covariance(1000 * values + 7 * y - 30 * x + 5000, weights, (8, 8), (1.0, 1.0))
    for a, b in zip(one.kernels, other.kernels, strict=True):
        assert (a.smoothness, a.length) == (b.smoothness, b.length)
        assert b.sill == pytest.approx(1e6 * a.sill, rel=1e-6)
        assert b.weight == pytest.approx(a.weight, rel=1e-5)


def test_fit_of_large_fields_takes_windows():
    """Above 1024 cells the corners decide: what lies between them must not matter."""
    fine = sample_pair((160, 160), (0.5, 0.5), 2.5, 2.0, np.random.default_rng(5))[0]
    values = block_mean(fine, np.ones_like(fine), (2, 2))
    changed = values.copy()
    changed[32:48] += np.random.default_rng(6).standard_normal((16, 80))
    assert fit_covariance(values, np.ones_like(fine), (2, 2), (1.0, 1.0)) == fit_covariance(
        changed, np.ones_like(fine), (2, 2), (1.0, 1.0)
    )


def test_fit_of_large_fields_with_land_takes_the_sea():
    fine = sample_pair((96, 192), (0.5, 0.5), 2.5, 2.0, np.random.default_rng(7))[0]
    weights = np.ones_like(fine)
    weights[:20, :20] = 0.0
    values = np.where(block_sum(weights, (2, 2)) > 0, block_mean(fine, np.ones_like(fine), (2, 2)), np.nan)
    assert fit_covariance(values, weights, (2, 2), (1.0, 1.0)).best.length in (1.5, 2.0, 3.0)


def test_cells_cut_by_land_do_not_enter_the_fit():
    values = sample_pair((8, 8), (1, 1), 2.5, 2.0, np.random.default_rng(8))[0]
    weights = np.ones((32, 32))
    weights[0, ::4] = 0.0
    changed = values.copy()
    changed[0] += 100.0
    spacing = (1.0, 1.0)
    assert fit_covariance(values, weights, (4, 4), spacing) == fit_covariance(changed, weights, (4, 4), spacing)


def test_noise_is_told_from_signal():
    """White noise of variance 1 on a smooth field of variance 1: without a noise variance the kernel becomes rough."""
    rng = np.random.default_rng(9)
    fine = sample_pair((192, 192), (1 / 8, 1 / 8), 2.5, 4.0, rng)[0]
    weights = np.ones_like(fine)
    values = block_mean(fine, weights, (8, 8)) + rng.standard_normal((24, 24))
    blind = fit_covariance(values, weights, (8, 8), (1.0, 1.0), average=False).best
    aware = fit_covariance(values, weights, (8, 8), (1.0, 1.0), noise=1.0, average=False)
    assert blind.length == min(LENGTHS)
    assert aware.best.length >= 2.0
    assert 0.3 < aware.best.sill < 3.0
    assert aware.noise == 1.0


@pytest.mark.parametrize(
    "values",
    [
        np.full((6, 6), 3.0),
        np.zeros((4, 4)),
        np.add.outer(np.arange(6.0), 0.1 * np.arange(8.0)),
        np.array([[1.0]]),
        np.array([[1.0, 2.0]]),
        np.arange(7.0)[:, None] ** 2,
        np.array([[1.0, 2.0], [4.0, 3.0]]),
    ],
    ids=["constant", "zero", "plane", "1x1", "1x2", "7x1", "2x2"],
)
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_degenerate_fields_have_a_covariance(values, average, noise):
    fitted = fit_covariance(
        values, np.ones((values.shape[0] * 3, values.shape[1] * 2)), (3, 2), (1.0, 2.0), average=average, noise=noise
    )
    assert all(0 < kernel.sill < np.inf for kernel in fitted.kernels)
    assert fitted.weights.sum() == pytest.approx(1.0)


def test_covariance_turns_into_json():
    fitted = fit_covariance(np.eye(4), np.ones((8, 8)), (2, 2), (1.0, 1.0))
    restored = tuple(Kernel(**kernel) for kernel in json.loads(json.dumps(asdict(fitted)))["kernels"])
    assert restored == fitted.kernels


def test_cells_need_a_value_in_every_field_and_some_weight():
    values = np.array([[[1.0, 2.0, np.nan]], [[1.0, np.nan, 2.0]]])
    weights = np.ones((1, 6))
    np.testing.assert_array_equal(constrained_cells(values, weights, (1, 2)), [[True, False, False]])
    weights[0, :2] = 0
    assert not constrained_cells(values, weights, (1, 2)).any()


@pytest.mark.parametrize("options", [{"noise": -1.0}, {"nugget": -1e-8}, {"noise": float("nan")}])
def test_negative_variances_are_refused(options):
    with pytest.raises(ValueError, match="Both must be 0 or positive variances"):
        fit_covariance(np.eye(4), np.ones((8, 8)), (2, 2), (1.0, 1.0), **options)


def test_fit_names_a_wrong_fine_shape():
    with pytest.raises(ValueError, match=r"weights of shape \(8, 9\). They must have the fine shape \(8, 8\)"):
        fit_covariance(np.eye(4), np.ones((8, 9)), (2, 2), (1.0, 1.0))


def test_fit_without_values_is_refused():
    with pytest.raises(ValueError, match="no coarse cell has both a value and some sea"):
        fit_covariance(np.full((4, 4), np.nan), np.ones((8, 8)), (2, 2), (1.0, 1.0))


@pytest.mark.parametrize("weights", [(), (0.5,), (0.7, 0.7)])
def test_weights_of_a_mixture_sum_to_one(weights):
    with pytest.raises(ValueError, match=r"Invalid kernels with weights that sum to .*must sum to 1"):
        Covariance(tuple(Kernel(2.5, 2.0, 1.0, weight) for weight in weights))


def sample_of(cells):
    """Return the one sample of random values in some cells."""
    weights = np.repeat(np.repeat(cells, 2, axis=0), 2, axis=1).astype(float)
    values = np.random.default_rng(0).standard_normal(cells.shape)
    (sample,) = take_samples(values, weights, (2, 2), cells, 0.0)
    return sample


def cosine(i, j, shape):
    y, x = (np.arange(n) + 0.5 for n in shape)
    return np.cos(np.pi * i * y / shape[0])[:, None] * np.cos(np.pi * j * x / shape[1])


@pytest.mark.parametrize("land", [False, True])
def test_the_smooth_part_is_the_plane_and_all_long_cosines(land):
    """Of 12 x 13 cells waves (i, j) with (i/12)^2 + (j/13)^2 < 0.16; what is left of them is rounding."""
    cells = np.ones((12, 13), bool)
    if land:
        cells[:5, :4] = False
    sample = without_smooth_part(sample_of(cells))
    design = sample.design
    np.testing.assert_allclose(design.T @ design, np.eye(design.shape[1]), atol=1e-12)
    for i, j, smooth in [(0, 0, True), (0, 5, True), (4, 2, True), (3, 3, True), (4, 3, False), (0, 6, False)]:
        wave = cosine(i, j, cells.shape)[cells]
        left = np.linalg.norm(wave - design @ (design.T @ wave)) / np.linalg.norm(wave)
        assert (left < 1e-10) == smooth, (i, j, left)
    plane = np.indices(cells.shape)[0][cells]
    np.testing.assert_allclose(design @ (design.T @ plane), plane, atol=1e-10)


def test_a_sample_of_few_cells_keeps_its_trend():
    """Of a row of 3 cells a constant and a cosine would leave one cell to tell a kernel."""
    sample = sample_of(np.ones((1, 3), bool))
    assert without_smooth_part(sample) is sample


def test_independent_columns_remain_where_cells_do_not_tell_cosines_apart():
    cells = np.zeros((12, 12), bool)
    cells[::3, ::3] = cells[0] = cells[:, 0] = True
    design = without_smooth_part(sample_of(cells)).design
    assert np.linalg.matrix_rank(design) == design.shape[1] < cells.sum()


def rough_field(seed=0, shape=(12, 12), factor=8):
    (truth, _) = sample_pair(
        (shape[0] * factor, shape[1] * factor), (1 / factor, 1 / factor), 2.5, 2.0, np.random.default_rng(seed)
    )
    return block_mean(truth, np.ones_like(truth), (factor, factor))


def fitted(values, factor, noise=0.0):
    weights = np.ones([n * factor for n in values.shape])
    return fit_covariance(values, weights, (factor, factor), (1.0, 1.0), noise=noise)


def test_errors_have_one_kernel_of_each_smoothness():
    """For the estimate a field of 144 cells all but excludes a smoothness of 1.5; for its errors it does not."""
    covariance = fitted(rough_field(), 8)
    errors = covariance.of_errors
    assert errors.kernels == covariance.unresolved
    assert errors.of_errors is errors
    assert [kernel.smoothness for kernel in errors.kernels] == list(SMOOTHNESSES)
    np.testing.assert_allclose(errors.weights, 1 / 3)
    assert sum(kernel.weight for kernel in covariance.kernels if kernel.smoothness == 1.5) < 0.1


def test_cells_that_resolve_the_field_tell_the_smoothness_of_its_errors():
    errors = fitted(rough_field(), 4).of_errors
    assert [kernel.smoothness for kernel in errors.kernels] == list(SMOOTHNESSES)  # not by weight: alike in all tiles
    assert errors.best.smoothness == 2.5
    assert errors.best.weight > 0.5


def test_a_smooth_field_has_smooth_errors():
    """Where each cell excludes a smoothness it is not in the errors either, whatever the factor."""
    y, x = np.indices((16, 16))
    values = np.sin(0.21 * x + 0.1 * y) + np.cos(0.17 * y - 0.05 * x)
    for factor in (3, 8):
        assert {kernel.smoothness for kernel in fitted(values, factor).unresolved} == {3.5}


def test_smooth_fields_say_nothing_of_what_cells_do_not_resolve():
    values, weights = rough_field(), np.ones((96, 96))
    smooth = 3 * cosine(2, 3, (12, 12)) + 0.2 * np.arange(12)
    one, other = (fit_covariance(field, weights, (8, 8), (1.0, 1.0)) for field in (values, values + smooth))
    for found, expected in zip(other.unresolved, one.unresolved, strict=True):
        assert (found.smoothness, found.length) == (expected.smoothness, expected.length)
        assert found.sill == pytest.approx(expected.sill, rel=1e-6)
    assert other.kernels != one.kernels


def test_the_unresolved_variance_of_a_known_field_is_its_own():
    """Posterior variance of block kriging by the kernel of its own smoothness: within a third for each of 8 fields."""
    weights, ratios = np.ones((96, 96)), []
    known = Covariance((Kernel(2.5, 2.0, 1.0),))
    cells = np.ones((12, 12), bool)
    expected = BlockKriging(weights, (8, 8), (1.0, 1.0), known, cells).variance().mean()
    for seed in range(8):
        kernels = fit_covariance(rough_field(seed), weights, (8, 8), (1.0, 1.0)).unresolved
        own = next(kernel for kernel in kernels if kernel.smoothness == 2.5)
        covariance = Covariance((Kernel(2.5, own.length, own.sill),))
        ratios.append(BlockKriging(weights, (8, 8), (1.0, 1.0), covariance, cells).variance().mean() / expected)
    assert np.mean(np.log(ratios)) == pytest.approx(0.0, abs=0.15)
    assert np.abs(np.log(ratios)).max() < 0.5


def fitted_in_metres(values, width, factor=8):
    weights = np.ones([n * factor for n in values.shape])
    return fit_covariance(values, weights, (factor, factor), (width / factor, width / factor))


def test_the_size_of_cells_matters_to_the_errors_alone_and_only_where_it_is_that_of_eddies():
    values = np.sin(0.21 * np.arange(16.0)) + rough_field(shape=(16, 16))
    small, equal, large = (fitted_in_metres(values, width) for width in (1.0, 18e3, 100e3))
    assert small == equal
    assert large.kernels == small.kernels
    assert max(kernel.length for kernel in small.unresolved) > 1.5
    assert max(kernel.length for kernel in large.unresolved) == 1.5


@given(
    factor=st.tuples(st.integers(1, 16), st.integers(1, 16)),
    spacing=st.tuples(st.floats(10.0, 1e5), st.floats(10.0, 1e5)),
)
def test_lengths_of_errors_are_those_of_eddies(factor, spacing):
    metres = np.sqrt(np.prod(factor) * np.prod(spacing))
    found = lengths_of_errors(factor, spacing)
    assert len(found) >= 1
    for length in found:
        assert length * metres <= 150e3 * (1 + 1e-12) or found == (0.5,)
    if metres <= 12.5e3:
        assert found == lengths_for(factor)


def predicted_error(covariance):
    weights, cells = np.ones((192, 192)), np.ones((12, 12), bool)
    return np.sqrt(BlockKriging(weights, (16, 16), (1.0, 1.0), covariance.of_errors, cells).variance().mean())


@pytest.mark.parametrize("seed", range(3))
def test_cells_that_resolve_the_circulation_alone_hide_eddies(seed):
    """Eddies with a length of 60 km, of which cells of 400 km keep a little, on a circulation of 800 km."""
    rng = np.random.default_rng(seed)
    circulation = sample_pair((192, 192), (1 / 16, 1 / 16), 3.5, 2.0, rng)[0]
    eddies = 0.2 * sample_pair((192, 192), (1 / 16, 1 / 16), 2.5, 0.15, rng)[0]
    values, weights = block_mean(circulation + eddies, np.ones((192, 192)), (16, 16)), np.ones((192, 192))
    error = (eddies - repeat(block_mean(eddies, weights, (16, 16)), (16, 16))).std()
    found, blind = (predicted_error(fitted_in_metres(values, width, 16)) for width in (400e3, 4e3))
    assert 0.7 * error < found < 1.4 * error
    assert blind < 0.5 * error


def test_without_average_errors_have_the_kernel_of_the_estimate():
    covariance = fit_covariance(rough_field(), np.ones((96, 96)), (8, 8), (1.0, 1.0), average=False)
    assert covariance.of_errors is covariance


def test_weights_of_unresolved_kernels_must_sum_to_one():
    with pytest.raises(ValueError, match=r"Invalid kernels with weights that sum to 0.5. They must sum to 1"):
        Covariance((Kernel(2.5, 2.0, 1.0),), unresolved=(Kernel(1.5, 2.0, 1.0, 0.5),))


@pytest.mark.parametrize("noise", [0.2, np.full((12, 12), 0.2)], ids=["one number", "one for each cell"])
def test_noise_that_is_overstated_does_not_make_errors_vanish(noise):
    """The finest scales of noisy values are those of the noise, of which there is less than stated here."""
    rng = np.random.default_rng(0)
    truth = sample_pair((48, 48), (1 / 4, 1 / 4), 3.5, 4.0, rng)[0]
    values = block_mean(truth, np.ones_like(truth), (4, 4)) + 0.05 * rng.standard_normal((12, 12))
    covariance = fitted(values, 4, noise=np.square(noise))
    found, expected = (
        BlockKriging(np.ones((48, 48)), (4, 4), (1.0, 1.0), each, np.ones((12, 12), bool)).variance().mean()
        for each in (covariance.of_errors, covariance)
    )
    assert found > 0.5 * expected


@pytest.mark.parametrize("padding", [4, 9])
def test_errors_of_a_sea_do_not_depend_on_the_land_around_it(padding):
    values = rough_field()
    around = np.pad(values, padding, constant_values=np.nan)
    weights = np.kron(np.isfinite(around), np.ones((8, 8)))
    found = fit_covariance(around, weights, (8, 8), (1.0, 1.0)).unresolved
    for kernel, expected in zip(found, fitted(values, 8).unresolved, strict=True):
        assert (kernel.smoothness, kernel.length) == (expected.smoothness, expected.length)
        assert kernel.sill == pytest.approx(expected.sill, rel=1e-6)


def test_cells_scattered_over_a_wide_sea_are_a_sample_as_they_are():
    cells = np.zeros((60, 60), bool)
    cells[::7, ::7] = True
    sample = sample_of(cells)
    assert without_smooth_part(sample) is sample
