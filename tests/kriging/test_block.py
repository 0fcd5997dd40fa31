"""Kriging: against explicit matrices and scikit-learn, and by what it must keep whatever the field."""

from dataclasses import replace

import numpy as np
import pytest
from dense_kriging import DenseKriging
from hypothesis import given, settings
from hypothesis import strategies as st
from random_fields import sample_pair
from real_fields import balearic, gulf_stream, osmosis

from xr_dip.blocks import block_mean, block_sum
from xr_dip.kriging import mosaic, windows
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.covariance import Covariance, Kernel, constrained_cells, fit_covariance
from xr_dip.kriging.matern import kernel_table
from xr_dip.kriging.mosaic import MosaicKriging, krige

MIXTURE = Covariance((Kernel(2.5, 2.0, 0.5, 0.6), Kernel(1.5, 3.0, 2.0, 0.4)))
SINGLE = Covariance((Kernel(2.5, 2.0, 0.5),))
FACTOR, SPACING = (2, 3), (1.0, 1.3)


def ragged(shape=(5, 6), factor=FACTOR, seed=0):
    """Weights with land and unequal cells, and a hole in the values."""
    rng = np.random.default_rng(seed)
    fine = shape[0] * factor[0], shape[1] * factor[1]
    weights = np.where(rng.random(fine) < 0.25, 0.0, rng.uniform(0.5, 1.0, fine))
    weights[: 2 * factor[0]] = 1.0
    weights[-factor[0] :, -factor[1] :] = 0.0
    cells = block_sum(weights, factor) > 0
    cells[1, 2] = False
    values = np.where(cells, rng.standard_normal(shape), np.nan)
    return values, weights, cells


def whole(shape=(5, 6), factor=FACTOR, seed=0):
    fine = shape[0] * factor[0], shape[1] * factor[1]
    return np.random.default_rng(seed).standard_normal(shape), np.ones(fine), np.ones(shape, dtype=bool)


def equalish(shape=(5, 6), factor=FACTOR, seed=0):
    """Weights that change by 1 % inside a cell, as areas do."""
    values, weights, cells = whole(shape, factor, seed)
    return values, weights * np.linspace(1, 1.03, len(weights))[:, None], cells


GEOMETRIES = {"whole": whole, "ragged": ragged, "nearly equal": equalish}
KINDS = {"block": BlockKriging, "mosaic": MosaicKriging}


@pytest.fixture(params=GEOMETRIES)
def geometry(request):
    return GEOMETRIES[request.param]()


@pytest.fixture(params=KINDS)
def kind(request, monkeypatch):
    """Each class, the mosaic with windows so small that it has several."""
    monkeypatch.setattr(windows, "CORE", 3)
    monkeypatch.setattr(windows, "HALO", 2)
    return KINDS[request.param]


def dense(weights, cells, kernel, **options):
    pitch = BlockKriging(weights, FACTOR, SPACING, SINGLE, cells).pitch
    return DenseKriging(weights, FACTOR, pitch, kernel.smoothness, kernel.length, cells, **options)


def test_mean_is_the_dense_solution(geometry):
    values, weights, cells = geometry
    kriging = BlockKriging(weights, FACTOR, SPACING, MIXTURE, cells)
    expected = sum(k.weight * dense(weights, cells, k).mean(values[cells]) for k in MIXTURE.kernels)
    # The clean-up of nearly equal weights conserves exactly; what it cannot see differs a little.
    tolerance = 1e-6 if kriging.support.exact else 5e-3
    np.testing.assert_allclose(kriging.mean(values), expected, atol=tolerance)


def test_mean_with_noise_is_the_dense_solution():
    values, weights, cells = ragged()
    noisy = Covariance((Kernel(2.5, 2.0, 0.5),), noise=0.1)
    kriging = BlockKriging(weights, FACTOR, SPACING, noisy, cells)
    expected = dense(weights, cells, noisy.best, nugget=1e-8, noise=0.1 / 0.5).mean(values[cells])
    np.testing.assert_allclose(kriging.mean(values), expected, atol=1e-10)
    assert np.abs((block_mean(kriging.mean(values), weights, FACTOR) - values)[cells]).max() > 1e-3


def test_points_agree_with_scikit_learn():
    """With a factor of 1 the block means are points; a diffuse prior on a plane stands for the unknown trend."""
    gaussian_process = pytest.importorskip("sklearn.gaussian_process")
    kernels = gaussian_process.kernels
    values, weights, cells = whole((5, 6), (1, 1))
    cells[1::2, ::2] = False
    points = np.argwhere(np.ones((5, 6), dtype=bool)) / 5.0
    prior = kernels.Matern(length_scale=2 / 5, nu=2.5) + 1e5 * kernels.DotProduct(sigma_0=1.0)
    model = gaussian_process.GaussianProcessRegressor(prior, alpha=1e-8, optimizer=None)
    model.fit(points[cells.ravel()], values[cells])
    expected, std = model.predict(points, return_std=True)
    kriging = BlockKriging(weights, (1, 1), (1.0, 1.0), Covariance((Kernel(2.5, 2.0, 1.0),)), cells)
    np.testing.assert_allclose(kriging.mean(values).ravel(), expected, atol=1e-4)
    missing = ~cells.ravel()
    np.testing.assert_allclose(kriging.variance().ravel()[missing], std[missing] ** 2, rtol=1e-3)


def test_conserves(kind, geometry):
    values, weights, cells = geometry
    kriging = kind(weights, FACTOR, SPACING, MIXTURE, cells)
    fine = kriging.mean(values)
    assert np.isfinite(fine).all()
    np.testing.assert_allclose(block_mean(fine, weights, FACTOR)[cells], values[cells], atol=1e-9)


def test_is_linear(kind, geometry):
    values, weights, cells = geometry
    kriging = kind(weights, FACTOR, SPACING, MIXTURE, cells)
    other = np.random.default_rng(1).standard_normal(values.shape)
    stacked = kriging.mean(np.stack([values, other, 2 * values - 3 * other]))
    np.testing.assert_allclose(stacked[2], 2 * stacked[0] - 3 * stacked[1], atol=1e-8)
    np.testing.assert_allclose(stacked[0], kriging.mean(values), atol=1e-9)


def test_reproduces_a_plane(kind, geometry):
    _, weights, cells = geometry
    y, x = np.indices(weights.shape)
    field = 60.0 + 0.2 * y - 0.5 * x
    kriging = kind(weights, FACTOR, SPACING, MIXTURE, cells)
    values = block_mean(field, weights, FACTOR)
    np.testing.assert_allclose(kriging.mean(values), field, atol=1e-8)
    coarse, fine = kriging.trend(values)
    # Cells with hardly unequal weights count as equal in the trend.
    np.testing.assert_allclose(fine, field, atol=1e-3)
    np.testing.assert_allclose(coarse[cells], values[cells], atol=1e-2)


def test_null_has_no_means_and_is_a_projection(kind, geometry):
    _, weights, cells = geometry
    kriging = kind(weights, FACTOR, SPACING, MIXTURE, cells)
    field = np.random.default_rng(2).standard_normal((2, *weights.shape))
    null = kriging.null(field)
    assert np.abs(block_mean(null, weights, FACTOR)[:, cells]).max() < 1e-9
    np.testing.assert_allclose(kriging.null(null), null, atol=1e-8)


def test_land_never_matters(kind):
    values, weights, cells = ragged()
    kriging = kind(weights, FACTOR, SPACING, MIXTURE, cells)
    field = np.random.default_rng(3).standard_normal(weights.shape)
    sea = weights > 0
    for fill in (np.nan, 1e20):
        np.testing.assert_array_equal(kriging.null(np.where(sea, field, fill))[sea], kriging.null(field)[sea])
        np.testing.assert_array_equal(kriging.mean(np.where(cells, values, fill)), kriging.mean(values))


def test_transposes_with_its_input(kind, geometry):
    values, weights, cells = geometry
    upright = kind(weights, FACTOR, SPACING, MIXTURE, cells)
    turned = kind(np.ascontiguousarray(weights.T), FACTOR[::-1], SPACING[::-1], MIXTURE, cells.T)
    np.testing.assert_allclose(turned.mean(values.T), upright.mean(values).T, atol=1e-8)
    np.testing.assert_allclose(turned.variance(), upright.variance().T, rtol=1e-6)


def test_a_mixture_is_the_mean_of_its_components():
    values, weights, cells = ragged()
    kriging = BlockKriging(weights, FACTOR, SPACING, MIXTURE, cells)
    parts = [single.mean(values) for single in kriging.components()]
    np.testing.assert_allclose(kriging.mean(values), 0.6 * parts[0] + 0.4 * parts[1], atol=1e-8)
    spread = 0.6 * 0.4 * (parts[0] - parts[1]) ** 2
    np.testing.assert_allclose(kriging.disagreement(values), spread, atol=1e-8)
    np.testing.assert_allclose(kriging.variance(values), kriging.variance() + spread, atol=1e-8)


@pytest.mark.parametrize("make", [whole, ragged])
def test_variance_is_the_dense_one_on_small_grids(make):
    _, weights, cells = make()
    kriging = BlockKriging(weights, FACTOR, SPACING, MIXTURE, cells)
    expected = sum(k.weight * k.sill * dense(weights, cells, k, nugget=1e-8).variance() for k in MIXTURE.kernels)
    np.testing.assert_allclose(kriging.variance(), expected, rtol=1e-6)


def test_variance_from_the_neighbourhood_is_nearly_the_dense_one():
    _, weights, cells = whole((20, 20), (2, 2))
    kriging = BlockKriging(weights, (2, 2), (1.0, 1.0), SINGLE, cells)
    expected = 0.5 * DenseKriging(weights, (2, 2), kriging.pitch, 2.5, 2.0, cells, nugget=1e-8).variance()
    assert kriging.variance().mean() == pytest.approx(expected.mean(), rel=0.03)
    np.testing.assert_allclose(kriging.variance(), expected, rtol=0.1)


def test_left_out_is_leaving_out():
    values, weights, cells = ragged()
    residuals, variances = BlockKriging(weights, FACTOR, SPACING, MIXTURE, cells).left_out(values)
    np.testing.assert_array_equal(np.isnan(variances), np.broadcast_to(~cells, variances.shape))
    for row, column in [(0, 0), (2, 3), (4, 1)]:
        fewer = cells.copy()
        fewer[row, column] = False
        for index, single in enumerate(MIXTURE.kernels):
            model = Covariance((replace(single, weight=1.0),))
            estimate = BlockKriging(weights, FACTOR, SPACING, model, fewer).mean(values)
            missed = values[row, column] - block_mean(estimate, weights, FACTOR)[row, column]
            assert residuals[index, row, column] == pytest.approx(missed, abs=1e-5)
            reference = dense(weights, cells, single, nugget=1e-8)
            number = cells[:row].sum() + cells[row, :column].sum()
            assert variances[index, row, column] == pytest.approx(1 / reference.q[number, number], rel=1e-6)


def test_left_out_of_a_lone_cell_is_missing():
    kriging = BlockKriging(np.ones((2, 2)), (2, 2), (1.0, 1.0), SINGLE, np.ones((1, 1), dtype=bool))
    residuals, variances = kriging.left_out(np.array([[3.0]]))
    assert np.isnan(residuals).all()
    assert np.isnan(variances).all()
    np.testing.assert_allclose(kriging.mean(np.array([[3.0]])), 3.0)


def test_windows_leave_out_nearly_the_same(monkeypatch):
    monkeypatch.setattr(windows, "CORE", 8)
    values, weights, cells = whole((16, 18), (2, 2))
    values = block_mean(sample_pair((32, 36), (0.5, 0.5), 2.5, 2.0, np.random.default_rng(4))[0], weights, (2, 2))
    exact, near = (kind(weights, (2, 2), (1.0, 1.0), SINGLE, cells).left_out(values) for kind in KINDS.values())
    np.testing.assert_allclose(near.variances, exact.variances, rtol=0.02)
    assert np.corrcoef(near.residuals.ravel(), exact.residuals.ravel())[0, 1] > 0.99


def test_windows_estimate_nearly_the_same():
    """The difference is a small part of the kriging error, so the error itself hardly grows."""
    truth = sample_pair((192, 160), (0.25, 0.25), 2.5, 3.0, np.random.default_rng(5))[0]
    weights = np.ones_like(truth)
    weights[30:50, 20:47] = 0
    values = block_mean(truth, weights, (4, 4))
    cells = np.isfinite(values)
    exact, near = (kind(weights, (4, 4), (1.0, 1.0), SINGLE, cells).mean(values) for kind in KINDS.values())
    sea = weights > 0
    assert np.sqrt(((near - exact)[sea] ** 2).mean()) < 0.1 * np.sqrt(((exact - truth)[sea] ** 2).mean())
    assert ((near - truth)[sea] ** 2).mean() < 1.01 * ((exact - truth)[sea] ** 2).mean()


def test_far_from_any_value_windows_fall_back_to_the_trend(monkeypatch):
    monkeypatch.setattr(windows, "CORE", 4)
    monkeypatch.setattr(windows, "HALO", 1)
    weights, cells = np.ones((2, 80)), np.zeros((1, 40), dtype=bool)
    cells[0, :10] = True
    values = np.where(cells, 2.0, np.nan)
    kriging = MosaicKriging(weights, (2, 2), (1.0, 1.0), SINGLE, cells)
    np.testing.assert_allclose(kriging.mean(values), 2.0)


@pytest.mark.parametrize(("without", "with_land", "kind"), [(30, 0, "BlockKriging"), (29, 0, "MosaicKriging")])
def test_size_chooses_the_form(monkeypatch, without, with_land, kind):
    monkeypatch.setattr(mosaic, "LARGEST_WITHOUT", without)
    monkeypatch.setattr(mosaic, "LARGEST_WITH_LAND", with_land)
    _, weights, cells = whole()
    assert type(krige(weights, FACTOR, SPACING, SINGLE, cells)).__name__ == kind
    weights[0, 0] = 0
    assert type(krige(weights, FACTOR, SPACING, SINGLE, cells)).__name__ == "MosaicKriging"


def test_coarse_spectrum_diagonalises_the_mirrored_torus():
    _, weights, cells = whole((4, 5))
    kriging = BlockKriging(weights, FACTOR, SPACING, MIXTURE, cells)
    spectrum = kriging.coarse_spectrum()
    table = kernel_table((2 * (4 + 1), 3 * (5 + 1)), kriging.pitch, 2.5, 2.0)
    block = DenseKriging(np.ones((10, 18)), FACTOR, kriging.pitch, 2.5, 2.0, np.ones((5, 6), bool), trend=False).c
    covariance = block[0].reshape(5, 6)
    assert table.shape == (10, 18)
    for mode in [(0, 0), (1, 2), (3, 4)]:
        y, x = np.arange(-3, 5), np.arange(-4, 6)
        waves = np.cos(np.pi * mode[0] * y / 4)[:, None] * np.cos(np.pi * mode[1] * x / 5)
        expected = (covariance[np.abs(y)[:, None], np.abs(x)] * waves).sum()
        assert spectrum[mode] == pytest.approx(max(expected, 1e-6 * spectrum.max()), rel=1e-9)


@pytest.mark.parametrize(("exponent", "power"), [(1.0, 1), (0.5, 2)])
def test_whitener_is_a_scaled_root_of_the_inverse(exponent, power):
    """``(W^2)^(1/s)`` is the inverse covariance, up to a scale."""
    _, weights, cells = ragged()
    matrix = BlockKriging(weights, FACTOR, SPACING, MIXTURE, cells).whitener(exponent)
    weigh = matrix @ matrix
    np.testing.assert_allclose(weigh, weigh.T, atol=1e-12)
    assert np.trace(weigh) == pytest.approx(len(weigh))
    identity = np.linalg.matrix_power(weigh, power) @ dense(weights, cells, MIXTURE.best).c
    np.testing.assert_allclose(identity / identity[0, 0], np.eye(len(weigh)), atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_fit_and_krige_conserve_any_small_field(seed, ny, nx, fy, fx):
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((ny * fy, nx * fx)) < 0.3, 0.0, 1.0)
    weights[:fy, :fx] = 1.0
    values = rng.standard_normal((ny, nx))
    cells = constrained_cells(values, weights, (fy, fx))
    covariance = fit_covariance(np.where(cells, values, np.nan), weights, (fy, fx), (1.0, 2.0))
    fine = krige(weights, (fy, fx), (1.0, 2.0), covariance, cells).mean(values)
    assert np.isfinite(fine).all()
    np.testing.assert_allclose(block_mean(fine, weights, (fy, fx))[cells], values[cells], atol=1e-6)


def test_wrong_shape_is_named(kind):
    _, weights, cells = whole()
    kriging = kind(weights, FACTOR, SPACING, SINGLE, cells)
    with pytest.raises(ValueError, match=r"values of shape \(6, 5\). They must end in \(5, 6\)"):
        kriging.mean(np.ones((6, 5)))


def test_missing_value_in_a_constrained_cell_is_refused(kind):
    values, weights, cells = whole()
    values[1, 1] = np.nan
    with pytest.raises(ValueError, match="a constrained cell holds NaN"):
        kind(weights, FACTOR, SPACING, SINGLE, cells).mean(values)


@pytest.mark.samples
@pytest.mark.parametrize(
    ("field", "factor", "rmse"),
    [
        (gulf_stream, 32, 0.07090),
        (gulf_stream, 16, 0.01848),
        (gulf_stream, 8, 0.00404),
        (osmosis, 16, 0.00824),
        (balearic, 16, 0.00242),
    ],
)
def test_published_errors(field, factor, rmse):
    """Maximum likelihood kriging, as measured by an independent prototype."""
    truth = field()
    weights = np.ones_like(truth)
    values = block_mean(truth, weights, (factor, factor))
    covariance = fit_covariance(values, weights, (factor, factor), (1.0, 1.0), average=False)
    kriging = krige(weights, (factor, factor), (1.0, 1.0), covariance, np.isfinite(values))
    assert np.sqrt(((kriging.mean(values) - truth) ** 2).mean()) == pytest.approx(rmse, abs=6e-6)


@pytest.mark.samples
def test_published_error_with_land():
    """Exact wet weights, as measured by an independent prototype on [200:456, 90:346] x8."""
    truth = balearic(np.s_[200:456, 90:346])
    weights = np.isfinite(truth).astype(float)
    values = block_mean(truth, weights, (8, 8))
    covariance = fit_covariance(values, weights, (8, 8), (1.0, 1.0), average=False)
    kriging = krige(weights, (8, 8), (1.0, 1.0), covariance, np.isfinite(values))
    assert np.sqrt(np.nanmean((kriging.mean(values) - truth) ** 2)) == pytest.approx(0.00058, abs=6e-6)
