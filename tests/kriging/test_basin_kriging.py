"""Kriging by basin: nothing passes land, and in each basin it is the kriging of that basin alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.basins import label_basins
from xr_dip.blocks import block_mean, block_sum
from xr_dip.kriging import windows
from xr_dip.kriging.basins import BasinKriging, krige_basins
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.calibration import conditional_draws, mean_variance
from xr_dip.kriging.covariance import Covariance, Kernel
from xr_dip.kriging.mosaic import MosaicKriging, krige

FACTOR, SPACING = (2, 3), (1.0, 1.3)
MIXTURE = Covariance((Kernel(2.5, 2.0, 0.5, 0.6), Kernel(1.5, 3.0, 2.0, 0.4)))
NOISY = replace(MIXTURE, noise=0.05)
COARSE, FINE = (5, 8), (10, 24)
WALL = np.ones(FINE)
WALL[:, 13] = 0.0
"""Land one cell wide in the middle of the cells of column 4, which both seas share."""
WEST, EAST = np.arange(24) < 13, np.arange(24) > 13
SHARED = 4


@pytest.fixture(params=[BlockKriging, MosaicKriging])
def make(request, monkeypatch):
    """Each class, the mosaic with windows so small that it has several."""
    monkeypatch.setattr(windows, "CORE", 3)
    monkeypatch.setattr(windows, "HALO", 2)
    return request.param


def build(weights=WALL, covariance=MIXTURE, constrained=None, **options):
    cells = block_sum(weights, FACTOR) > 0 if constrained is None else constrained
    return krige_basins(weights, FACTOR, SPACING, covariance, cells, **options)


def random_values(seed=0):
    return np.random.default_rng(seed).standard_normal(COARSE)


def alone(kriging, sea, make=krige):
    """Kriging of the part of a sea, on the whole domain."""
    weights = np.where(sea, kriging.support.weights, 0.0)
    cells = kriging.support.cells & (block_sum(weights, FACTOR) > 0)
    return make(weights, FACTOR, SPACING, kriging.covariance, cells)


def outputs(kriging, values, field):
    """All that is a fine field, and all that is a coarse one."""
    left_out = kriging.left_out(values)
    fine = {
        "mean": kriging.mean(values),
        "trend": kriging.trend(values)[1],
        "null": kriging.null(field),
        "variance": kriging.variance(values),
        "disagreement": kriging.disagreement(values),
        "component": kriging.component(1).mean(values),
    }
    coarse = {"residuals": left_out.residuals, "variances": left_out.variances, "trend": kriging.trend(values)[0]}
    return fine, coarse


@pytest.mark.parametrize("covariance", [MIXTURE, NOISY], ids=["exact", "noisy"])
def test_no_bit_passes_a_wall(make, covariance):
    kriging = build(covariance=covariance, make=make)
    values, field = random_values(), np.random.default_rng(1).standard_normal(FINE)
    other_values, other_field = random_values(2), np.random.default_rng(3).standard_normal(FINE)
    before = outputs(kriging, values, field)
    changed = np.where(np.arange(COARSE[1]) > SHARED, other_values, values)
    after = outputs(kriging, changed, np.where(WEST, field, other_field))
    for name, array in before[0].items():
        np.testing.assert_array_equal(array[..., WEST], after[0][name][..., WEST], err_msg=name)
        assert np.abs(array - after[0][name])[..., EAST].max() > 0, name
    for name, array in before[1].items():
        np.testing.assert_array_equal(array[..., :SHARED], after[1][name][..., :SHARED], err_msg=name)
    assert np.abs(before[1]["residuals"] - after[1]["residuals"])[..., SHARED + 1 :].max() > 0


def test_what_lies_behind_a_wall_says_nothing():
    """Plain kriging looks across it and claims to know more at the shore; far from it little changes."""
    wall = np.where(np.arange(24) == 12, 0.0, np.ones((10, 1)))  # at the border of a coarse cell: none is shared
    plain = krige(wall, FACTOR, SPACING, MIXTURE, np.ones(COARSE, dtype=bool))
    ratio = build(wall).variance() / plain.variance()
    assert ratio[:, [11, 13]].min() > 1.1
    assert 1.0 < ratio[:, [0, 23]].min() <= ratio[:, [0, 23]].max() < 1.06  # two planes for one


def test_a_strait_joins_two_seas_and_kriging_is_the_plain_one():
    strait = WALL.copy()
    strait[5, 13] = 1.0
    kriging = build(strait)
    plain = krige(strait, FACTOR, SPACING, MIXTURE, np.ones(COARSE, dtype=bool))
    values = random_values()
    assert type(kriging) is type(plain)
    np.testing.assert_array_equal(kriging.mean(values), plain.mean(values))
    np.testing.assert_array_equal(kriging.left_out(values).residuals, plain.left_out(values).residuals)
    np.testing.assert_array_equal(kriging.variance(), plain.variance())
    changed = np.where(np.arange(COARSE[1]) > SHARED, values + 1.0, values)
    assert np.abs(kriging.mean(values) - kriging.mean(changed))[:, 10:13].max() > 1e-3


@pytest.mark.parametrize("covariance", [MIXTURE, NOISY], ids=["exact", "noisy"])
def test_each_basin_is_kriged_as_if_alone(covariance):
    kriging = build(covariance=covariance)
    values, field = random_values(), np.random.default_rng(1).standard_normal((2, *FINE))
    for sea in (WEST, EAST):
        single = alone(kriging, sea)
        found, expected = outputs(kriging, values, field)[0], outputs(single, values, field)[0]
        for name, array in found.items():
            # Tiles of the variance begin at the border of the window.
            tolerance = 2e-3 if name == "variance" else 1e-8
            np.testing.assert_allclose(array[..., sea], expected[name][..., sea], atol=tolerance, err_msg=name)


def test_left_out_of_a_shared_cell_is_that_of_its_larger_part():
    values = random_values()
    heavier = WALL.copy()
    heavier[:, 14] = 2.0
    found, expected = build(heavier).left_out(values), alone(build(heavier), EAST).left_out(values)
    np.testing.assert_allclose(found.residuals[..., SHARED:], expected.residuals[..., SHARED:], atol=1e-8)
    np.testing.assert_allclose(found.variances[..., SHARED:], expected.variances[..., SHARED:], rtol=1e-6)
    # Of parts alike that of the larger basin counts.
    found, expected = build().left_out(values), alone(build(), WEST).left_out(values)
    np.testing.assert_allclose(found.residuals[..., : SHARED + 1], expected.residuals[..., : SHARED + 1], atol=1e-8)


def test_both_parts_of_a_shared_cell_have_its_value(make):
    values = random_values()
    fine = build(make=make).mean(values)
    for sea in (WEST, EAST):
        np.testing.assert_allclose(block_mean(fine, WALL * sea, FACTOR)[:, SHARED], values[:, SHARED], atol=1e-8)
    null = build(make=make).null(np.random.default_rng(0).standard_normal(FINE))
    for sea in (WEST, EAST):
        np.testing.assert_allclose(block_mean(null, WALL * sea, FACTOR)[:, SHARED], 0.0, atol=1e-8)


@st.composite
def coasts(draw):
    """Weights with random land, cells with a value, and whether the domain goes round the globe."""
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    fine = shape[0] * FACTOR[0], shape[1] * FACTOR[1]
    weights = np.where(rng.random(fine) < draw(st.sampled_from([0.1, 0.4, 0.7])), 0.0, rng.uniform(0.5, 1.0, fine))
    weights[0, 0] = 1.0
    cells = (block_sum(weights, FACTOR) > 0) & (rng.random(shape) < 0.9)
    cells[0, 0] = True
    return weights, cells, draw(st.booleans()), rng


@given(coasts())
@settings(max_examples=40)
def test_block_means_are_kept_whatever_the_coast(case):
    weights, cells, periodic, rng = case
    values = np.where(cells, rng.standard_normal((2, *cells.shape)), np.nan)
    kriging = build(weights, constrained=cells, periodic=periodic)
    fine = kriging.mean(values)
    np.testing.assert_allclose(block_mean(fine, weights, FACTOR)[:, cells], values[:, cells], atol=1e-8)
    labels = label_basins(weights > 0, periodic=periodic)
    seen = np.isin(labels, np.unique(labels[(weights > 0) & (np.kron(cells, np.ones(FACTOR)) > 0)]))
    np.testing.assert_array_equal(np.isfinite(fine[:, weights > 0]), np.stack([seen[weights > 0]] * 2))
    null = kriging.null(rng.standard_normal((2, *weights.shape)))
    assert np.abs(block_mean(null, weights, FACTOR)[:, cells]).max() < 1e-8
    np.testing.assert_allclose(kriging.null(null)[:, seen], null[:, seen], atol=1e-8)
    coarse, plane = kriging.trend(values)
    np.testing.assert_allclose(block_mean(plane, weights, FACTOR)[:, cells], coarse[:, cells], atol=1e-8)


@given(coasts())
@settings(max_examples=15)
def test_kriging_is_linear(case):
    weights, cells, periodic, rng = case
    kriging = build(weights, constrained=cells, periodic=periodic)
    first, second = rng.standard_normal((2, *cells.shape))
    both = kriging.mean(np.stack([first, second, 2 * first - 3 * second]))
    np.testing.assert_allclose(both[2], 2 * both[0] - 3 * both[1], atol=1e-7)


def lakes():
    """A sea and lakes of one value: a full cell, a part of one, and one beside the sea in a cell of it."""
    weights = np.zeros(FINE)
    weights[:, :8] = 1.0
    weights[2:4, 12:15] = 1.0
    weights[7, 19] = weights[8, 8 + 3] = 1.0
    weights[0, 8:] = 0.0
    weights[9, 8] = 0.0
    return weights


@pytest.mark.parametrize("covariance", [MIXTURE, NOISY], ids=["exact", "noisy"])
def test_a_lake_of_one_value_is_kriged_as_any_basin(covariance):
    weights = lakes()
    kriging = build(weights, covariance)
    labels, values = label_basins(weights > 0), random_values()
    field = np.random.default_rng(0).standard_normal(FINE)
    assert labels.max() == 4
    for label in (2, 3, 4):
        sea = labels == label
        single = alone(kriging, sea, BlockKriging)
        assert single.support.cells.sum() == 1
        np.testing.assert_allclose(kriging.mean(values)[sea], values[single.support.cells].item(), atol=1e-14)
        found, expected = outputs(kriging, values, field), outputs(single, values, field)
        for name, array in found[0].items():
            np.testing.assert_allclose(array[sea], expected[0][name][sea], atol=1e-8, err_msg=name)
        only = single.support.cells & ~(block_sum(weights * ~sea, FACTOR) > 0)
        assert np.isnan(found[1]["residuals"][:, only]).all()


def test_what_has_no_value_is_not_a_number():
    sea = lakes() > 0
    weights = np.where(np.arange(24) < 12, sea, 0.0)  # the data end before two of the lakes
    kriging = build(weights, sea=sea)
    labels, values = label_basins(sea), random_values()
    unseen = ~np.isin(labels, [0, *np.unique(labels[weights > 0])])
    assert unseen.sum() == 7
    field = np.random.default_rng(0).standard_normal(FINE)
    for name, array in outputs(kriging, values, field)[0].items():
        np.testing.assert_array_equal(np.isnan(array), unseen, err_msg=name)


def test_sea_without_data_joins_and_is_estimated():
    weights = np.where((np.arange(24) >= 9) & (np.arange(24) < 15), 0.0, np.ones(FINE))  # a gap of two coarse cells
    values = random_values()
    joined, parted = build(weights, sea=np.ones(FINE, dtype=bool)), build(weights)
    assert type(joined) is BlockKriging
    assert type(parted) is BasinKriging
    lake = np.ones(FINE, dtype=bool)
    lake[0, 0] = True
    lake[:, 22] = False
    kriging = build(np.where(lake, weights, 0.0), sea=lake)
    single = alone(kriging, np.arange(24) < 22)
    gap = np.s_[:, 9:15]
    np.testing.assert_allclose(kriging.mean(values)[gap], single.mean(values)[gap], atol=1e-8)
    assert np.abs(kriging.mean(values)[gap]).min() > 0


def test_land_never_matters():
    kriging = build(lakes())
    sea, cells = lakes() > 0, kriging.support.cells
    values, field = random_values(), np.random.default_rng(0).standard_normal(FINE)
    for fill in (np.nan, 1e20):
        np.testing.assert_array_equal(kriging.mean(np.where(cells, values, fill)), kriging.mean(values))
        np.testing.assert_array_equal(kriging.null(np.where(sea, field, fill))[sea], kriging.null(field)[sea])


def test_a_mixture_is_the_mean_of_its_components():
    kriging, values = build(), random_values()
    parts = [single.mean(values) for single in kriging.components()]
    np.testing.assert_allclose(kriging.mean(values), 0.6 * parts[0] + 0.4 * parts[1], atol=1e-8)
    spread = 0.6 * 0.4 * (parts[0] - parts[1]) ** 2
    np.testing.assert_allclose(kriging.disagreement(values), spread, atol=1e-8)
    np.testing.assert_allclose(kriging.variance(values), kriging.variance() + spread, atol=1e-8)


def test_residuals_of_different_basins_are_whitened_apart():
    """Of parts alike the larger basin has the shared cells; within basins the whitener is that of the basin."""
    kriging = build()
    matrix = kriging.whitener()
    west = np.broadcast_to(np.arange(COARSE[1]) <= SHARED, COARSE).ravel()
    np.testing.assert_array_equal(matrix[np.ix_(west, ~west)], 0.0)
    single = alone(kriging, WEST)
    np.testing.assert_allclose(matrix[np.ix_(west, west)], single.whitener(), atol=1e-8)
    assert np.trace(matrix @ matrix) == pytest.approx(len(matrix))


def test_a_lake_of_one_value_is_not_whitened():
    kriging = build(lakes())
    number = np.cumsum(kriging.support.cells).reshape(COARSE) - 1
    matrix, full = kriging.whitener(1.0), number[1, 4]
    np.testing.assert_array_equal(matrix[full], np.eye(len(matrix))[full])
    assert np.abs(matrix[0] - np.eye(len(matrix))[0]).max() > 0.1


@pytest.mark.parametrize("covariance", [MIXTURE, NOISY], ids=["exact", "noisy"])
def test_errors_are_drawn_for_basins(covariance):
    kriging, values = build(covariance=covariance), random_values()
    draws = conditional_draws(kriging, values, 4, seed=0)
    assert np.isfinite(draws).all()
    assert (draws.std(axis=0)[WALL > 0] > 0).all()
    assert 0 < mean_variance(kriging, values, seed=0) < 2.0
    if covariance is MIXTURE:
        for sea in (WEST, EAST):
            means = block_mean(draws, WALL * sea, FACTOR)
            assert np.nanmax(np.abs(means)) < 1e-8


@pytest.mark.parametrize("shift", [1, 3])
def test_rolling_a_globe_rolls_the_estimate(shift):
    """Two seas between two walls: one of them lies across the seam."""
    globe = WALL.copy()
    globe[:, 5] = 0.0
    values, fine = random_values(), 3 * shift
    expected = build(globe, periodic=True).mean(values)
    rolled = build(np.roll(globe, fine, 1), periodic=True).mean(np.roll(values, shift, 1))
    np.testing.assert_allclose(np.roll(rolled, -fine, 1), expected, atol=1e-8)
    assert build(globe, periodic=True).periodic


def test_two_hundred_lakes_share_what_they_can():
    """All alike: one is factorised, and one only."""
    made = []

    def count(*arguments, **options):
        made.append(arguments)
        return krige(*arguments, **options)

    weights = np.kron(np.ones((10, 20)), np.pad(np.ones((2, 6)), ((0, 2), (0, 3))))
    cells = block_sum(weights, FACTOR) > 0
    kriging = krige_basins(weights, FACTOR, SPACING, MIXTURE, cells, make=count)
    values = np.random.default_rng(0).standard_normal(cells.shape)
    assert label_basins(weights > 0).max() == 200
    assert len(made) == 1
    np.testing.assert_allclose(block_mean(kriging.mean(values), weights, FACTOR)[cells], values[cells], atol=1e-8)


def test_values_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"values of shape \(2, 2\). They must end in \(5, 8\)"):
        build().mean(np.ones((2, 2)))


def test_a_missing_value_is_refused():
    values = random_values()
    values[0, 0] = np.nan
    for method in ("mean", "trend", "left_out"):
        with pytest.raises(ValueError, match="a constrained cell holds NaN"):
            getattr(build(), method)(values)


def test_no_sea_at_all_is_refused():
    with pytest.raises(ValueError, match="no coarse cell has both a value and some sea"):
        build(np.zeros(FINE))
