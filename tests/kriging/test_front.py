"""Kriging along fronts."""

import numpy as np
import pytest
from real_fields import gulf_stream

from xr_dip.blocks import block_mean, block_sum
from xr_dip.kriging.along_fronts import Claim, carry_over, krige_along_fronts, moderate
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.covariance import Covariance, Kernel, fit_covariance
from xr_dip.kriging.estimator import LeftOut, left_out_sill
from xr_dip.kriging.front import Following, FrontKernel, FrontKriging, Places
from xr_dip.kriging.front_likelihood import _Likelihood, follow_fronts
from xr_dip.kriging.fronts import Fronts
from xr_dip.kriging.matern import colour
from xr_dip.kriging.mosaic import krige

KERNEL = Kernel(2.5, 2.0, 0.3)
FOLLOWING = Following(strength=0.5, contrast=0.4)


def setting(shape=(8, 9), factor=(4, 4), land=False, covariance=None, periodic=False):
    """Return plain kriging and values with a slanting front."""
    y, x = np.indices(shape)
    values = np.tanh((y - 0.5 * x + 1.2 * np.sin(0.9 * x)) / 1.5)
    weights = np.ones((shape[0] * factor[0], shape[1] * factor[1]))
    if land:
        weights[: factor[0] + 1, : 2 * factor[1] + 1] = 0.0
    cells = block_sum(weights, factor) > 0
    kriging = krige(weights, factor, (1.0, 1.0), covariance or Covariance((KERNEL,)), cells, periodic=periodic)
    return kriging, np.where(cells, values, np.nan)


def along(kriging, values, following=FOLLOWING, kernel=KERNEL):
    support = kriging.support
    sea = support.weights > 0
    fronts = Fronts(kriging.mean(values), sea, support.factor, kriging.pitch, periodic=support.periodic)
    return FrontKriging(kriging, fronts, FrontKernel(following, kernel))


@pytest.mark.parametrize("land", [False, True])
def test_without_strength_it_is_plain_kriging(land):
    """But for the four nodes that stand for a mean and the spline between knots."""
    kriging, values = setting(factor=(8, 8), land=land)
    estimate = along(kriging, values, following=Following()).estimate(values)
    sea = kriging.support.weights > 0
    plain = kriging.mean(values)
    assert np.abs(estimate.field - plain)[sea].max() < 0.02 * np.ptp(plain[sea])
    residuals, variances = kriging.left_out(values)
    np.testing.assert_allclose(estimate.residuals, residuals[0], atol=0.02)
    np.testing.assert_allclose(estimate.variances, variances[0], rtol=0.25)
    np.testing.assert_allclose(estimate.relative[kriging.support.cells], 1.0)


def test_pairs_of_cells_have_the_covariance_of_their_nodes():
    kriging, values = setting(land=True)
    places = Places(kriging, along(kriging, values).fronts, FOLLOWING, kriging.support)
    expected = (places.node_covariance(KERNEL) * places.nodes.share[:, :, None]).sum(axis=1)
    np.testing.assert_allclose(places.block_covariance(places.separation(), KERNEL), expected, atol=1e-14)


@pytest.mark.parametrize("land", [False, True])
def test_its_null_part_conserves(land):
    kriging, values = setting(land=land)
    added = kriging.null(along(kriging, values).estimate(values).field)
    cells = kriging.support.cells
    assert np.abs(block_mean(added, kriging.support.weights, (4, 4))[cells]).max() < 1e-8
    assert added[kriging.support.weights > 0].std() > 1e-3  # and it says something


def test_it_is_linear_where_the_fronts_are_given():
    kriging, values = setting()
    front = along(kriging, values)
    other = np.random.default_rng(0).standard_normal(values.shape)
    both = front.estimate(2 * values - other).field
    np.testing.assert_allclose(both, 2 * front.estimate(values).field - front.estimate(other).field, atol=1e-6)


def test_residuals_are_those_of_a_cell_left_out():
    """Against kriging without the cell, with the same fronts."""
    kriging, values = setting(factor=(8, 8))
    front = along(kriging, values)
    residuals = front.estimate(values).residuals
    cell = np.unravel_index(np.abs(residuals[1:-1, 1:-1]).argmax(), (6, 7))
    cell = cell[0] + 1, cell[1] + 1
    fewer = kriging.support.cells.copy()
    fewer[cell] = False
    without = BlockKriging(kriging.support.weights, (8, 8), (1.0, 1.0), kriging.covariance, fewer)
    field = FrontKriging(without, front.fronts, front.kernel).estimate(values).field
    predicted = block_mean(field, kriging.support.weights, (8, 8))[cell]
    assert residuals[cell] == pytest.approx(values[cell] - predicted, abs=0.002)
    assert abs(residuals[cell]) > 0.03


def test_turning_the_field_turns_the_estimate():
    kriging, values = setting(shape=(8, 8))
    turned = krige(kriging.support.weights, (4, 4), (1.0, 1.0), kriging.covariance, kriging.support.cells)
    field = along(kriging, values).estimate(values).field
    np.testing.assert_allclose(along(turned, values.T).estimate(values.T).field, field.T, atol=1e-7)
    upside = along(turned, values[::-1]).estimate(values[::-1]).field
    np.testing.assert_allclose(upside, field[::-1], atol=1e-7)


def test_land_is_not_read():
    kriging, values = setting(land=True)
    filled = np.where(kriging.support.cells, values, 1e3)
    sea = kriging.support.weights > 0
    first, second = (along(kriging, field).estimate(field).field[sea] for field in (values, filled))
    np.testing.assert_array_equal(first, second)


def test_windows_agree_with_the_whole(monkeypatch):
    kriging, _ = setting(shape=(10, 48), factor=(2, 2))
    y, x = np.indices((10, 48))
    values = np.tanh((y - 4.5 + 2 * np.sin(0.5 * x)) / 1.5)
    whole = along(kriging, values).estimate(values)
    monkeypatch.setattr("xr_dip.kriging.front.LARGEST", 100)
    parts = along(kriging, values).estimate(values)
    added = kriging.null(whole.field)
    assert (kriging.null(parts.field) - added).std() < 0.2 * added.std()
    assert (parts.residuals - whole.residuals).std() < 0.2 * whole.residuals.std()
    np.testing.assert_allclose(parts.relative, whole.relative, rtol=0.05)


@pytest.mark.parametrize("largest", [1100, 100])
def test_around_the_globe_there_is_no_seam(monkeypatch, largest):
    """Rolling the field rolls the estimate, in one piece and in windows."""
    monkeypatch.setattr("xr_dip.kriging.front.LARGEST", largest)
    y, x = np.indices((6, 40))
    values = np.tanh((y - 3 + 2 * np.sin(2 * np.pi * x / 40)) / 1.2)
    kriging = setting(shape=(6, 40), factor=(2, 2), periodic=True)[0]
    field = along(kriging, values).estimate(values).field
    rolled = np.roll(values, 20, axis=1)
    np.testing.assert_allclose(along(kriging, rolled).estimate(rolled).field, np.roll(field, 40, axis=1), atol=2e-4)


@pytest.mark.parametrize("columns", [26, 36, 48])
def test_a_small_globe_with_a_front_is_no_singular_matrix(columns):
    """The shortest distance around a circle makes no covariance of every kernel."""
    y, x = np.indices((14, columns))
    values = np.tanh((y - 7 + 2 * np.sin(2 * np.pi * x / columns)) / 1.2)
    weights = np.ones((56, 4 * columns))
    covariance = fit_covariance(values, weights, (4, 4), (1.0, 1.0))
    kriging = krige(weights, (4, 4), (1.0, 1.0), covariance, np.ones(values.shape, bool), periodic=True)
    added, claim = krige_along_fronts(kriging, values)
    assert np.abs(block_mean(added, weights, (4, 4))).max() < 1e-6
    assert (claim is None) == (not added.any())
    if columns > 32:  # wide enough for windows that do not go round
        assert claim is not None


def test_windows_that_look_alike_have_errors_of_their_own_noise(monkeypatch):
    """The error over that of the isotropic kernel, one where nothing is followed, however noisy a window is."""
    noise = np.repeat([[1e-5, 0.05]], 26, axis=1).repeat(8, axis=0)
    kriging = setting(shape=(8, 52), factor=(2, 2), covariance=Covariance((KERNEL,), noise=noise))[0]
    monkeypatch.setattr("xr_dip.kriging.front.LARGEST", 100)
    values = np.random.default_rng(0).standard_normal((8, 52))
    relative = along(kriging, values, following=Following()).estimate(values).relative
    np.testing.assert_allclose(relative, 1.0, rtol=1e-6)


def test_a_cell_that_nothing_predicts_says_nothing():
    """Without the one bulge of a straight strait no other cell tells the slope across it."""
    cells = np.vstack([np.ones(25, bool), np.arange(25) == 12])
    weights = np.repeat(np.repeat(cells, 2, axis=0), 2, axis=1).astype(float)
    kriging = krige(weights, (2, 2), (1.0, 1.0), Covariance((KERNEL,)), cells)
    values = np.random.default_rng(0).standard_normal(cells.shape).cumsum(axis=1)
    front = along(kriging, values, following=Following())
    estimate, plain = front.estimate(values), kriging.left_out(values)
    assert np.isnan(estimate.variances).sum() == np.isnan(plain.variances[0]).sum() == 25
    np.testing.assert_allclose(estimate.variances, plain.variances[0], rtol=0.25)
    found, expected = left_out_sill(estimate.residuals, estimate.variances), left_out_sill(*(x[0] for x in plain))
    assert found == pytest.approx(expected, rel=0.5)
    assert np.isfinite(moderate(front.left_out(estimate), plain).residuals).sum() == 25


def test_noise_is_left_in_the_residuals():
    """With a noise as large as the field the estimate keeps away from the values."""
    exact, values = setting()
    noisy = setting(covariance=Covariance((KERNEL,), noise=0.3))[0]
    misfits = [
        np.abs(block_mean(along(k, values).estimate(values).field, k.support.weights, (4, 4)) - values).mean()
        for k in (exact, noisy)
    ]
    assert misfits[1] > 10 * misfits[0]


def test_left_out_scales_draws_to_its_own_variance():
    """Residual over variance times the posterior variance of the best kernel is that of kriging along fronts."""
    mixture = Covariance((Kernel(2.5, 2.0, 0.3, 0.6), Kernel(2.5, 3.0, 0.9, 0.4)))
    kriging, values = setting(covariance=mixture)
    front = along(kriging, values)
    estimate = front.estimate(values)
    residuals, variances = front.left_out(estimate)
    assert residuals.shape == variances.shape == (1, *values.shape)
    found = left_out_sill(estimate.residuals, estimate.variances)
    both = left_out_sill(residuals[0], estimate.variances)
    assert both == pytest.approx(np.sqrt(found * KERNEL.sill))  # the mean of what residuals and likelihood say
    np.testing.assert_allclose(residuals[0] / estimate.residuals, residuals[0, 0, 0] / estimate.residuals[0, 0])
    np.testing.assert_allclose(variances[0] * estimate.relative, estimate.variances)


def some_left_out(rng, kernels):
    """Return residuals of some kernels, with land in one cell."""
    found = LeftOut(*np.abs(rng.standard_normal((2, kernels, 5, 6))))
    found.residuals[:, 2, 2] = found.variances[:, 2, 2] = np.nan
    return found


def sills(left_out):
    return np.array([left_out_sill(*kernel) for kernel in zip(*left_out, strict=True)])


def test_moderate_residuals_speak_for_half_of_the_claim():
    """The sills of both, and of the result, in geometric progression; land and other kernels stay out of it."""
    rng = np.random.default_rng(0)
    fronts, plain = some_left_out(rng, 1), some_left_out(rng, 2)
    found = moderate(fronts, plain)
    np.testing.assert_allclose(sills(found) ** 2, sills(fronts) * sills(plain)[:1])
    assert found.variances is fronts.variances
    np.testing.assert_allclose(np.nanstd(found.residuals / fronts.residuals), 0.0, atol=1e-12)
    np.testing.assert_array_equal(moderate(fronts, fronts).residuals, fronts.residuals)


def test_moderate_residuals_of_a_field_without_any_are_zero():
    zero, some = np.zeros((1, 3, 3)), np.ones((1, 3, 3))
    assert not moderate(LeftOut(zero, some), LeftOut(some, some)).residuals.any()


def test_residuals_carried_over_keep_their_pattern_and_the_share_of_sills():
    rng = np.random.default_rng(0)
    fronts, others = some_left_out(rng, 1), some_left_out(rng, 3)
    found = carry_over(Claim(fronts, 0.7), others)
    np.testing.assert_allclose(sills(found), 0.7 * sills(others))
    pattern = found.residuals**2 / found.variances / (fronts.residuals[0] ** 2 / fronts.variances[0])
    np.testing.assert_allclose(np.nanstd(pattern, axis=(1, 2)) / np.nanmean(pattern, axis=(1, 2)), 0.0, atol=1e-12)


def test_residuals_carried_over_from_a_field_without_any_are_zero():
    zero, some = np.zeros((1, 3, 3)), np.ones((1, 3, 3))
    assert not carry_over(Claim(LeftOut(zero, some), 1.0), LeftOut(some, some)).residuals.any()


def test_errors_along_fronts_are_moderate():
    kriging, values = setting(shape=(12, 13))
    _, claim = krige_along_fronts(kriging, values)
    front = follow_fronts(kriging, values)
    claimed, plain = front.left_out(front.estimate(values)), kriging.left_out(values)
    found = [sills(part)[0] for part in (claimed, claim.left_out, plain)]
    assert found[0] < found[1] < found[2]
    assert claim.share == pytest.approx(found[1] / found[2])


def even_and_uneven(n, factor, seed):
    """Return a random field, and the same with a fourth of the size in one half and four times it in the other."""
    noise = np.random.default_rng(seed).standard_normal((2 * n * factor, 2 * n * factor))
    field = colour(noise, (1 / factor, 1 / factor), 3.5, 2.0)[: n * factor, : n * factor]
    return field, field * 4.0 ** np.tanh((np.arange(n * factor) / factor - n / 2) / 4)


def fitted(field, factor):
    weights = np.ones_like(field)
    values = block_mean(field, weights, (factor, factor))
    covariance = fit_covariance(values, weights, (factor, factor), (1.0, 1.0))
    kriging = krige(weights, (factor, factor), (1.0, 1.0), covariance, np.ones(values.shape, bool))
    return follow_fronts(kriging, values), kriging, values


def test_calm_water_is_told_from_eddies():
    """The same random field has contrast where its amplitude changes, and none where it is alike everywhere."""
    for seed in range(3):
        even, uneven = (fitted(field, 4) for field in even_and_uneven(14, 4, seed))
        assert even[0] is None or even[0].kernel.following.contrast == 0
        assert uneven[0].kernel.following.contrast >= 0.4


def test_the_error_is_larger_where_the_field_is():
    front, _, values = fitted(even_and_uneven(14, 4, 0)[1], 4)
    relative = front.estimate(values).relative
    assert relative[:, -4:].mean() > 3 * relative[:, :4].mean()


def test_a_rough_field_has_no_contrast():
    """Of smoothness 3/2, four times as large in one half."""
    noise = np.random.default_rng(3).standard_normal((112, 112))
    field = colour(noise, (0.25, 0.25), 1.5, 3.0)[:56, :56] * np.where(np.arange(56) < 28, 0.5, 2.0)
    front, kriging, _ = fitted(field, 4)
    assert kriging.covariance.best.smoothness == 1.5
    assert front is None or front.kernel.following.contrast == 0


def test_one_row_of_cells_may_have_contrast():
    values = np.random.default_rng(0).standard_normal((1, 40)).cumsum(axis=1) * np.where(np.arange(40) < 20, 0.05, 1.0)
    weights = np.ones((4, 160))
    covariance = fit_covariance(values, weights, (4, 4), (1.0, 1.0))
    kriging = krige(weights, (4, 4), (1.0, 1.0), covariance, np.ones(values.shape, bool))
    added, claim = krige_along_fronts(kriging, values)
    assert claim is not None
    assert np.abs(block_mean(added, weights, (4, 4))).max() < 1e-6


def test_where_no_likelihood_is_finite_there_are_no_fronts(monkeypatch):
    kriging, values = setting()
    monkeypatch.setattr("xr_dip.kriging.front_likelihood._profile", lambda *_: (-np.inf, 1.0))
    assert follow_fronts(kriging, values) is None


@pytest.mark.parametrize("field", [np.full((8, 8), 0.7), 5.0 + 0.1 * np.indices((8, 8)).sum(axis=0)])
def test_rounding_is_no_front(field):
    weights = np.ones((16, 16))
    covariance = fit_covariance(field, weights, (2, 2), (1.0, 1.0))
    assert follow_fronts(krige(weights, (2, 2), (1.0, 1.0), covariance, np.ones((8, 8), bool)), field) is None


@pytest.mark.parametrize("shape", [(1, 12), (4, 4), (2, 3)])
def test_few_cells_have_no_fronts(shape):
    weights = np.ones((shape[0] * 2, shape[1] * 2))
    values = np.random.default_rng(0).standard_normal(shape)
    covariance = fit_covariance(values, weights, (2, 2), (1.0, 1.0))
    assert follow_fronts(krige(weights, (2, 2), (1.0, 1.0), covariance, np.ones(shape, bool)), values) is None


def test_cells_far_from_one_another_have_no_fronts():
    """Many in all, and few in any window."""
    cells = np.zeros((48, 160), bool)
    cells[:, ::20] = True
    weights = np.repeat(np.repeat(np.ones(cells.shape), 2, axis=0), 2, axis=1)
    kriging = krige(weights, (2, 2), (1.0, 1.0), Covariance((KERNEL,)), cells)
    values = np.random.default_rng(0).standard_normal(cells.shape)
    assert follow_fronts(kriging, values) is None


@pytest.mark.parametrize("cells", [(3, 6), (3, 7)])
def test_from_twenty_cells_on_there_may_be_fronts(cells, monkeypatch):
    searched = []
    monkeypatch.setattr(_Likelihood, "maximise", lambda self: searched.append(self) or FrontKernel(FOLLOWING, KERNEL))
    kriging, values = setting(shape=cells)
    assert (follow_fronts(kriging, values) is None) == (cells == (3, 6)) == (not searched)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_has_no_fronts(seed):
    weights, values = np.ones((24, 24)), np.random.default_rng(seed).standard_normal((12, 12))
    covariance = fit_covariance(values, weights, (2, 2), (1.0, 1.0))
    assert follow_fronts(krige(weights, (2, 2), (1.0, 1.0), covariance, np.ones((12, 12), bool)), values) is None


@pytest.mark.samples
def test_it_is_closer_to_the_gulf_stream_than_plain_kriging():
    truth = gulf_stream()[:128, :128]
    values, weights = block_mean(truth, np.ones_like(truth), (8, 8)), np.ones_like(truth)
    covariance = fit_covariance(values, weights, (8, 8), (1.0, 1.0))
    kriging = krige(weights, (8, 8), (1.0, 1.0), covariance, np.ones(values.shape, bool))
    front = follow_fronts(kriging, values)
    plain = kriging.mean(values)
    followed = plain + kriging.null(front.estimate(values).field)
    assert np.square(followed - truth).mean() < 0.9 * np.square(plain - truth).mean()


def test_a_basin_without_fronts_keeps_its_residuals():
    """Two seas, of which one has a front and the other is too small for one: the claim is of both together."""
    weights = np.ones((48, 80))
    weights[:, 52:60] = weights[12:, 60:] = 0.0
    cells = block_sum(weights, (4, 4)) > 0
    y, x = np.indices(cells.shape)
    values = np.where(cells, np.tanh((y - 0.5 * x + 1.2 * np.sin(0.9 * x)) / 1.5), np.nan)
    kriging = krige_basins(weights, (4, 4), (1.0, 1.0), Covariance((KERNEL,)), cells)
    added, claim = krige_along_fronts(kriging, values)
    plain = kriging.left_out(values)
    small, large = cells & (x >= 15), cells & (x < 13)
    assert added[:, :52].any()
    assert not added[:, 60:].any()
    np.testing.assert_array_equal(claim.left_out.residuals[0][small], plain.residuals[0][small])
    assert np.abs(claim.left_out.residuals[0] - plain.residuals[0])[large].min() > 0
    assert claim.share == pytest.approx(sills(claim.left_out)[0] / sills(plain)[0])
    assert 0 < claim.share < 1
