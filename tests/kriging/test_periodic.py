"""Kriging around the globe: against explicit matrices with images, and by what turning it must not change."""

import numpy as np
import pytest
from dense_kriging import DenseKriging
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_fields import sample_pair

from xr_dip.blocks import block_mean, block_sum
from xr_dip.fitting.problem import circle_modes
from xr_dip.kriging import mosaic, windows
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.block_covariance import Support, fine_cells
from xr_dip.kriging.calibration import amplitude, conditional_draws, mean_variance, predicted_skill
from xr_dip.kriging.coast import coast_blend, land_distance
from xr_dip.kriging.covariance import Covariance, Kernel, constrained_cells, fit_covariance
from xr_dip.kriging.matern import kernel_table, matern
from xr_dip.kriging.mosaic import MosaicKriging, krige

MIXTURE = Covariance((Kernel(2.5, 2.0, 0.5, 0.6), Kernel(1.5, 1.5, 2.0, 0.4)))
SINGLE = Covariance((Kernel(2.5, 2.0, 0.5),))
FACTOR, SPACING = (2, 3), (1.0, 1.3)


def ragged(shape=(5, 8), factor=FACTOR, seed=0):
    """Land, unequal cells and a hole in the values; the seam is open sea."""
    rng = np.random.default_rng(seed)
    fine = shape[0] * factor[0], shape[1] * factor[1]
    weights = np.where(rng.random(fine) < 0.25, 0.0, rng.uniform(0.5, 1.0, fine))
    weights[: 2 * factor[0]] = 1.0
    weights[3 * factor[0] : 4 * factor[0], factor[1] : 3 * factor[1]] = 0.0
    cells = block_sum(weights, factor) > 0
    cells[1, 2] = False
    return np.where(cells, rng.standard_normal(shape), np.nan), weights, cells


def whole(shape=(5, 8), factor=FACTOR, seed=0):
    fine = shape[0] * factor[0], shape[1] * factor[1]
    return np.random.default_rng(seed).standard_normal(shape), np.ones(fine), np.ones(shape, dtype=bool)


@pytest.fixture(params=[whole, ragged], ids=["whole", "ragged"])
def geometry(request):
    return request.param()


@pytest.fixture(params=["block", "windows", "bands"])
def make(request, monkeypatch):
    """Each form of periodic kriging: exact, windows that go round, and bands that are whole circles."""
    monkeypatch.setattr(windows, "CORE", 2)
    monkeypatch.setattr(windows, "HALO", {"block": 1, "windows": 1, "bands": 4}[request.param])
    kind = BlockKriging if request.param == "block" else MosaicKriging

    def build(weights, cells, covariance=MIXTURE, factor=FACTOR, spacing=SPACING):
        return kind(weights, factor, spacing, covariance, cells, periodic=True)

    build.turn = 2 if request.param == "windows" else 3  # windows of two columns turn by whole windows
    return build


def turned(array, cells, factor=1):
    return np.roll(array, cells * factor, axis=-1)


# The kernel.


@pytest.mark.parametrize("length", [0.75, 3.0])
@pytest.mark.parametrize("smoothness", [1.5, 2.5, 3.5])
def test_kernel_around_the_globe_repeats_and_is_the_plain_one_on_a_large_globe(smoothness, length):
    table = kernel_table((4, 25), (0.5, 0.5), smoothness, length, period=12)
    np.testing.assert_array_equal(table[:, 12:24], table[:, :12])
    np.testing.assert_array_equal(table[:, 12:0:-1], table[:, :12])
    assert table[0, 0] == 1
    large = kernel_table((4, 9), (0.5, 0.5), smoothness, length, period=400)
    np.testing.assert_allclose(large, kernel_table((4, 9), (0.5, 0.5), smoothness, length), atol=1e-12)


def test_kernel_of_the_shortest_distance_would_not_be_a_covariance():
    """Why images are summed: with the shortest distance alone some wave has a negative variance."""
    shortest = matern(np.minimum(np.arange(12), 12 - np.arange(12)) / 8, 2.5)
    assert np.fft.rfft(shortest).real.min() < -1e-3
    assert np.fft.rfft(kernel_table((1, 12), (1.0, 1.0), 2.5, 8.0, period=12)[0]).real.min() > 0


def test_random_fields_go_round_with_the_kernel_around_the_globe():
    """Products at every distance along x, averaged over 4000 fields of 8 points: standard error about 0.01."""
    rng = np.random.default_rng(0)
    pairs = [sample_pair((1, 8), (0.5, 0.5), 2.5, 0.8, rng, periodic=True) for _ in range(2000)]
    fields = np.concatenate([pair[i] for pair in pairs for i in (0, 1)])
    found = (fields[:, :1] * fields).mean(axis=0)
    # Along y the torus is 8 rows: one, and four lengths of 1.6 fine cells more.
    table = kernel_table((9, 8), (0.5, 0.5), 2.5, 0.8, period=8)
    expected = table[0] + 2 * table[8]
    np.testing.assert_allclose(found, expected / expected[0], atol=0.05)


# The estimate.


@pytest.mark.parametrize("case", [whole, ragged])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_mean_and_left_out_are_the_dense_solution(case, noise):
    values, weights, cells = case()
    covariance = Covariance(SINGLE.kernels, noise=noise)
    kriging = BlockKriging(weights, FACTOR, SPACING, covariance, cells, periodic=True)
    options = {"nugget": 1e-8, "noise": noise / 0.5, "periodic": True}
    dense = DenseKriging(weights, FACTOR, kriging.pitch, 2.5, 2.0, cells, **options)
    np.testing.assert_allclose(kriging.mean(values), dense.mean(values[cells]), atol=1e-5)
    precision = np.diag(dense.q)
    residuals, variances = kriging.left_out(values)
    np.testing.assert_allclose(residuals[0][cells], dense.q @ values[cells] / precision, atol=1e-6)
    np.testing.assert_allclose(variances[0][cells], 1 / precision, rtol=1e-6)
    # Five rows and eight columns lie within one neighbourhood.
    np.testing.assert_allclose(kriging.variance(), 0.5 * dense.variance(), rtol=1e-6)


def test_conserves(make, geometry):
    values, weights, cells = geometry
    kriging = make(weights, cells)
    assert kriging.periodic
    assert all(single.periodic for single in kriging.components())
    means = block_mean(kriging.mean(values), weights, FACTOR)
    np.testing.assert_allclose(means[cells], values[cells], atol=1e-8)
    field = np.random.default_rng(2).standard_normal((2, *weights.shape))
    null = kriging.null(field)
    assert np.abs(block_mean(null, weights, FACTOR)[:, cells]).max() < 1e-8
    np.testing.assert_allclose(kriging.null(null), null, atol=1e-7)


def test_turning_the_globe_turns_the_estimate(make, geometry):
    """By any number of cells where it is exact or a band is a whole circle, by whole windows otherwise."""
    values, weights, cells = geometry
    there = make(turned(weights, make.turn, FACTOR[1]), turned(cells, make.turn))
    assert_turned(make(weights, cells), there, values, make.turn)


def assert_turned(here, there, values, k):
    fine = k * FACTOR[1]
    moved = turned(values, k)
    np.testing.assert_allclose(there.mean(moved), turned(here.mean(values), fine), atol=1e-7)
    np.testing.assert_allclose(there.trend(moved)[1], turned(here.trend(values)[1], fine), atol=1e-7)
    np.testing.assert_allclose(there.variance(moved), turned(here.variance(values), fine), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(there.disagreement(moved), turned(here.disagreement(values), fine), atol=1e-7)
    for found, expected in zip(there.left_out(moved), here.left_out(values), strict=True):
        np.testing.assert_allclose(found, turned(expected, k), rtol=1e-5, atol=1e-7)


def test_windows_estimate_nearly_the_same():
    """Mosaics at any angle differ from the exact estimate by a small part of its error, at the seam as elsewhere."""
    truth = sample_pair((48, 192), (0.25, 0.25), 2.5, 2.0, np.random.default_rng(5), periodic=True)[0]
    weights = np.ones_like(truth)
    weights[:20, 40:60] = 0
    values, sea = block_mean(truth, weights, (4, 4)), weights > 0
    exact, near = (
        kind(weights, (4, 4), (1.0, 1.0), SINGLE, np.isfinite(values), periodic=True).mean(values)
        for kind in (BlockKriging, MosaicKriging)
    )
    error = np.where(sea, exact - truth, 0.0)
    difference = np.where(sea, near - exact, 0.0)
    assert 0 < (difference**2).mean() < 0.01 * (error**2).mean()
    seam = np.r_[0:16, 176:192]
    assert (difference[:, seam] ** 2).mean() < 0.01 * (error**2).mean()


def test_a_wave_has_no_seam():
    """Averaged along y: the largest error anywhere is a small part of that at the ends of a field with two ends."""
    x = 2 * np.pi * (np.arange(48) + 0.5) / 48
    wave = np.tile(np.cos(x + 0.7) + 0.3 * np.sin(2 * x), (12, 1))
    weights = np.ones_like(wave)
    values = block_mean(wave, weights, (3, 3))
    circle, line = (
        (krige(weights, (3, 3), (1.0, 1.0), SINGLE, np.isfinite(values), periodic=periodic).mean(values) - wave).mean(0)
        for periodic in (True, False)
    )
    assert np.abs(circle).max() < 0.1 * np.abs(line[[0, -1]]).max()


@pytest.mark.parametrize(("limit", "kind"), [(40, "BlockKriging"), (39, "MosaicKriging")])
def test_size_chooses_the_form(monkeypatch, limit, kind):
    monkeypatch.setattr(mosaic, "LARGEST_WITHOUT", limit)
    _, weights, cells = whole()
    kriging = krige(weights, FACTOR, SPACING, SINGLE, cells, periodic=True)
    assert (type(kriging).__name__, kriging.periodic) == (kind, True)
    assert not krige(weights, FACTOR, SPACING, SINGLE, cells).periodic


@given(st.integers(1, 120), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_shares_around_a_circle_sum_to_one(n, factor):
    total, owned = np.zeros(n * factor), np.zeros(n)
    for span in windows.spans(n, factor, periodic=True):
        cells = np.arange(n)[span.cells]
        assert len(set(cells.tolist())) == len(cells)
        np.testing.assert_array_equal(cells[span.own], np.arange(n)[span.core])
        owned[span.core] += 1
        total[fine_cells(cells, factor)] += span.share
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    np.testing.assert_array_equal(owned, 1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 7), st.integers(1, 4), st.integers(1, 4))
@example(0, 2, 2, 2, 1)  # two columns, whose difference long kernels all but exclude
@settings(max_examples=25, deadline=None)
def test_fit_and_krige_conserve_any_small_field(seed, ny, nx, fy, fx):
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((ny * fy, nx * fx)) < 0.3, 0.0, 1.0)
    weights[:fy, :fx] = 1.0
    values = rng.standard_normal((ny, nx))
    cells = constrained_cells(values, weights, (fy, fx))
    covariance = fit_covariance(np.where(cells, values, np.nan), weights, (fy, fx), (1.0, 2.0))
    fine = krige(weights, (fy, fx), (1.0, 2.0), covariance, cells, periodic=True).mean(values)
    np.testing.assert_allclose(block_mean(fine, weights, (fy, fx))[cells], values[cells], atol=1e-6)


def test_a_window_across_the_seam_has_the_cells_of_both_ends():
    _, weights, cells = ragged()
    support = Support(weights, FACTOR, cells, periodic=True)
    across = support.window(slice(1, 3), np.array([7, 0, 1]))
    np.testing.assert_array_equal(across.weights, turned(weights, 1, FACTOR[1])[2:6, :9])
    np.testing.assert_array_equal(across.cells, turned(cells, 1)[1:3, :3])
    assert (support.period, across.period) == (24, None)
    assert support.window(slice(0, 2), slice(0, 8)).period == 24


# Variance from the neighbourhood.


def test_variance_of_an_open_zonal_channel_is_the_same_at_every_longitude():
    """12 columns are more than a neighbourhood has, so this one goes on from the other end."""
    _, weights, cells = whole((4, 12))
    variance = BlockKriging(weights, FACTOR, SPACING, SINGLE, cells, periodic=True).variance()
    np.testing.assert_allclose(variance, turned(variance, 9), rtol=1e-9)
    cut = BlockKriging(weights, FACTOR, SPACING, SINGLE, cells).variance()
    assert cut[:, 0].mean() > 1.2 * variance[:, 0].mean()


def test_variance_sees_values_across_the_seam():
    _, weights, cells = whole((4, 15))
    cells[:, :2] = False
    variance = BlockKriging(weights, FACTOR, SPACING, SINGLE, cells, periodic=True).variance()
    np.testing.assert_allclose(variance[:, :6], variance[:, 5::-1], rtol=0.02)


# Whitening.


@pytest.mark.parametrize("columns", [5, 6])
def test_coarse_spectrum_belongs_to_the_waves_around_the_circle(columns):
    """One row has one mirror image, so the torus is two rows: the eigenvalues of ``C_0 + C_1`` of their cells."""
    kriging = BlockKriging(
        *whole((1, columns))[1:2], FACTOR, SPACING, SINGLE, np.ones((1, columns), bool), periodic=True
    )
    _, weights, cells = whole((2, columns))
    c = DenseKriging(weights, FACTOR, kriging.pitch, 2.5, 2.0, cells, trend=False, periodic=True).c
    modes = circle_modes(columns)
    np.testing.assert_allclose(modes @ modes.T, np.eye(columns), atol=1e-12)
    eigenvalues = modes @ (c[:columns, :columns] + c[:columns, columns:]) @ modes.T
    np.testing.assert_allclose(eigenvalues, np.diag(np.diag(eigenvalues)), atol=1e-9)
    np.testing.assert_allclose(kriging.coarse_spectrum()[0], np.diag(eigenvalues), rtol=1e-6)


def test_whitener_is_a_scaled_root_of_the_inverse():
    _, weights, cells = ragged()
    kriging = BlockKriging(weights, FACTOR, SPACING, SINGLE, cells, periodic=True)
    weigh = np.linalg.matrix_power(kriging.whitener(1.0), 2)
    dense = DenseKriging(weights, FACTOR, kriging.pitch, 2.5, 2.0, cells, periodic=True)
    identity = weigh @ dense.c
    np.testing.assert_allclose(identity / identity[0, 0], np.eye(len(weigh)), atol=1e-6)


# Calibration and coast.


def test_draws_go_round(make, geometry):
    """Jumps across the seam are as large as between other neighbours, and block means are zero."""
    values, weights, cells = geometry
    kriging = make(weights, cells)
    draws = conditional_draws(kriging, values, 40, seed=3)
    assert np.abs(block_mean(draws, weights, FACTOR)[:, cells]).max() < 1e-7
    steps = ((draws - turned(draws, 1)) ** 2)[:, :4].mean(axis=(0, 1))
    assert steps[0] < 2 * steps.mean()
    assert np.isfinite(mean_variance(kriging, values, seed=0))


def test_turning_the_globe_turns_the_amplitude():
    values, weights, cells = ragged()
    variances = np.where(cells, 0.01, np.nan)
    estimators = [
        BlockKriging(turned(weights, k, 3), FACTOR, SPACING, SINGLE, turned(cells, k), periodic=True) for k in (0, 3)
    ]
    here, there = (
        amplitude(turned(values, k), turned(variances, k), SINGLE.best, estimator)
        for k, estimator in zip((0, 3), estimators, strict=True)
    )
    np.testing.assert_allclose(there, turned(here, 9), rtol=1e-12)


@pytest.mark.parametrize("k", [1, 4, 7])
def test_turning_the_globe_turns_the_coast(k):
    values, weights, _ = ragged()
    values = np.where(block_sum(weights, FACTOR) > 0, np.nan_to_num(values), np.nan)
    distance = land_distance(weights, periodic=True)
    moved = turned(weights, k, 3)
    np.testing.assert_array_equal(land_distance(moved, periodic=True), turned(distance, k, 3))
    field = np.random.default_rng(1).standard_normal(weights.shape)
    blended = coast_blend(field, values, weights, FACTOR, periodic=True)
    found = coast_blend(turned(field, k, 3), turned(values, k), moved, FACTOR, periodic=True)
    np.testing.assert_allclose(found, turned(blended, k, 3), atol=1e-8)
    skill = predicted_skill(field, values, weights, FACTOR, 0.1, periodic=True)
    assert predicted_skill(turned(field, k, 3), turned(values, k), moved, FACTOR, 0.1, periodic=True) == pytest.approx(
        skill
    )


def test_land_across_the_seam_is_near():
    weights = np.ones((1, 9))
    weights[0, 0] = 0
    np.testing.assert_array_equal(land_distance(weights, periodic=True)[0], [0, 1, 2, 3, 4, 4, 3, 2, 1])
