"""The weights of fits and of kriging along fronts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.kriging.blending import BESIDE_FRONTS, blend_weight, front_weight, roughness_of
from xr_dip.kriging.covariance import Covariance, Kernel, fit_covariance


def members(agreement, count=4, size=1.0, seed=0):
    """Fields of that pairwise correlation on average, exactly equal where it is 1."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal((1, 64, 64)), rng.standard_normal((count, 64, 64))
    return size * (np.sqrt(agreement) * common + np.sqrt(1 - agreement) * own)


def trust(parts, variance=100.0, shape=(16, 16), factor=(8, 8), fronts=None, **options):
    """Weight of fits over that of perfect ones; fronts that say just what they do confirm them."""
    along_fronts = parts.mean(axis=0) if fronts is None else fronts
    return blend_weight(parts, along_fronts, variance, shape, factor, **options) / BESIDE_FRONTS


def test_equal_and_modest_members_are_trusted_fully():
    assert BESIDE_FRONTS == 0.6  # of the theory page
    assert trust(members(1.0)) == pytest.approx(1.0)


def test_trust_is_the_squared_reliability():
    """Spearman-Brown: c = 0.5 and M = 4 give R = 4 0.5 / 2.5 = 0.8."""
    assert trust(members(0.5)) == pytest.approx(0.64, abs=0.02)


def test_large_members_are_mistrusted():
    """rho = 1 / sqrt(P) = 1.2, twice what is trusted: a = 1 / 16."""
    parts = members(1.0)
    variance = (parts[0] ** 2).mean() / 1.2**2
    assert trust(parts, variance) == pytest.approx(1 / 16)


@pytest.mark.parametrize(
    ("shape", "factor", "expected"),
    [
        ((6, 40), (8, 8), 0.5),
        ((16, 16), (4, 4), 0.15 / 0.6),
        ((16, 16), (3, 6), 1.0),
    ],
)
def test_small_domains_and_factors_limit_the_trust(shape, factor, expected):
    assert trust(members(1.0), shape=shape, factor=factor) == pytest.approx(expected)


@pytest.mark.parametrize("parts", [np.zeros((4, 8, 8)), np.array([[[1.0]], [[-1.0]]])])
def test_nothing_to_trust(parts):
    assert trust(parts, 1.0, fronts=np.ones(parts.shape[1:])) == 0.0


def test_a_single_fit_is_trusted_a_little():
    assert trust(members(1.0, count=1)) == pytest.approx(0.25)


def test_trust_counts_sea_only():
    parts, sea = members(1.0), np.ones((64, 64), dtype=bool)
    sea[:32] = False
    noisy = parts.copy()
    noisy[:, ~sea] = np.random.default_rng(1).standard_normal((4, 2048)) * 1e6
    assert trust(noisy, sea=sea) == pytest.approx(1.0)


@pytest.mark.parametrize(("roughness", "expected"), [(0.0, 1.0), (0.4, 0.8), (1.0, 0.5)])
def test_fits_of_a_rough_field_are_trusted_by_half(roughness, expected):
    assert trust(members(1.0), roughness=roughness) == pytest.approx(expected)


def test_roughness_is_the_weight_of_the_roughest_kernels():
    kernels = (Kernel(1.5, 1.0, 1.0, 0.5), Kernel(2.5, 1.0, 1.0, 0.3), Kernel(1.5, 2.0, 1.0, 0.2))
    assert roughness_of(Covariance(kernels)) == pytest.approx(0.7)
    assert roughness_of(Covariance((Kernel(3.5, 1.0, 1.0),))) == 0.0


def test_noise_is_rough_and_a_wave_is_not():
    noise = np.random.default_rng(0).standard_normal((12, 12))
    wave = np.add.outer(np.sin(np.arange(12) / 2.0), np.cos(np.arange(12) / 3.0))
    found = [roughness_of(fit_covariance(field, np.ones((96, 96)), (8, 8), (1.0, 1.0))) for field in (noise, wave)]
    assert found[0] > 0.2 > 0.05 > found[1]


def test_fronts_that_change_much_are_mistrusted():
    """Twice the trusted size, rho = 0.8 = 2 0.4: a sixteenth."""
    part = members(1.0, count=1)[0]
    variance = (part**2).mean() / 0.8**2
    assert front_weight(part, variance, (16, 16), (8, 8)) == pytest.approx(1 / 16)
    assert front_weight(part / 2, variance, (16, 16), (8, 8)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("shape", "factor", "expected"),
    [((6, 40), (8, 8), 0.5), ((16, 16), (4, 4), 0.75), ((9, 16), (3, 3), 0.5625), ((16, 16), (24, 24), 0.75)],
)
def test_small_domains_and_factors_limit_the_trust_in_fronts(shape, factor, expected):
    assert front_weight(members(1.0)[0], 100.0, shape, factor) == pytest.approx(expected)


def test_trust_in_fronts_counts_sea_only():
    part, sea = np.ones((4, 4)), np.ones((4, 4), dtype=bool)
    sea[:2] = False
    part[:2] = 1e6
    assert front_weight(part, 100.0, (16, 16), (8, 8), sea=sea) == 1.0
    assert front_weight(part, 100.0, (16, 16), (8, 8)) < 1e-12


def test_no_fronts_have_no_weight():
    assert front_weight(np.zeros((4, 4)), 0.0, (16, 16), (8, 8)) == 0.0


@given(st.integers(0, 1000), st.floats(0, 1), st.integers(1, 6), st.floats(1e-6, 1e6))
@settings(max_examples=40, deadline=None)
def test_trust_is_a_share(seed, agreement, count, size):
    assert 0.0 <= trust(members(agreement, count, size, seed), 1.0) <= 1.0 + 1e-12


# Confirmation by kriging along fronts.


def fronts_of(parts, correlation, seed=5):
    """Return a field that has this correlation with the mean of parts."""
    mean = parts.mean(axis=0).ravel()
    other = np.random.default_rng(seed).standard_normal(mean.size)
    mean, other = mean / np.linalg.norm(mean), other - mean * (other @ mean) / (mean @ mean)
    field = correlation * mean + np.sqrt(1 - correlation**2) * other / np.linalg.norm(other)
    return field.reshape(parts.shape[1:])


@pytest.mark.parametrize(
    ("correlation", "expected"), [(1.0, 1.0), (0.5, 1.0), (0.25, 0.5), (0.1, 0.2), (0.0, 0.0), (-0.7, 0.0)]
)
def test_fits_count_as_far_as_fronts_confirm_them(correlation, expected):
    parts = members(1.0)
    assert trust(parts, fronts=fronts_of(parts, correlation)) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 1000), st.floats(-1, 1), st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_the_size_of_fronts_does_not_matter_to_fits(seed, correlation, size):
    parts = members(0.6, seed=seed)
    fronts = fronts_of(parts, correlation, seed)
    assert trust(parts, fronts=size * fronts) == pytest.approx(trust(parts, fronts=fronts), abs=1e-9)


def test_cells_wider_than_eddies_need_no_fronts():
    """From factor 24 on, on 0.8 of what fits deserve by themselves."""
    parts = members(1.0)
    for fronts in (np.zeros((64, 64)), parts[0], -parts[0]):
        assert trust(parts, fronts=fronts, factor=(24, 24)) == pytest.approx(0.8 / 0.6)
    assert trust(parts, fronts=np.zeros((64, 64)), factor=(23, 24)) == 0.0


def test_without_fronts_nothing_speaks_for_fits():
    assert trust(members(1.0), fronts=np.zeros((64, 64))) == 0.0


def test_confirmation_counts_sea_only():
    parts, sea = members(1.0), np.ones((64, 64), dtype=bool)
    sea[:32] = False
    fronts = np.where(sea, parts[0], -1e6 * parts[0])
    assert trust(parts, fronts=fronts, sea=sea) == pytest.approx(1.0)
    assert trust(parts, fronts=fronts) == 0.0
