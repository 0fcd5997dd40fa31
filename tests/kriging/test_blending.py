"""The trust in fits, and how two proposals share the null space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.kriging.blending import blend_weight, front_trust, roughness_of, share_null_space, trust_together
from xr_dip.kriging.covariance import Covariance, Kernel, fit_covariance


def members(agreement, count=4, size=1.0, seed=0):
    """Fields of that pairwise correlation on average, exactly equal where it is 1."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal((1, 64, 64)), rng.standard_normal((count, 64, 64))
    return size * (np.sqrt(agreement) * common + np.sqrt(1 - agreement) * own)


def test_equal_and_modest_members_are_trusted_fully():
    assert blend_weight(members(1.0), 100.0, (16, 16), (8, 8)) == pytest.approx(1.0)


def test_trust_is_the_squared_reliability():
    """Spearman-Brown: c = 0.5 and M = 4 give R = 4 0.5 / 2.5 = 0.8."""
    assert blend_weight(members(0.5), 100.0, (16, 16), (8, 8)) == pytest.approx(0.64, abs=0.02)


def test_large_members_are_mistrusted():
    """rho = 1 / sqrt(P) = 1.2, twice what is trusted: a = 1 / 16."""
    parts = members(1.0)
    variance = (parts[0] ** 2).mean() / 1.2**2
    assert blend_weight(parts, variance, (16, 16), (8, 8)) == pytest.approx(1 / 16)


@pytest.mark.parametrize(
    ("shape", "factor", "expected"),
    [
        ((6, 40), (8, 8), 0.25),
        ((6, 40), (16, 16), 0.5),
        ((16, 16), (4, 4), 0.15),
        ((16, 16), (3, 6), 1.0),
    ],
)
def test_small_domains_and_factors_limit_the_trust(shape, factor, expected):
    assert blend_weight(members(1.0), 100.0, shape, factor) == pytest.approx(expected)


@pytest.mark.parametrize("parts", [np.zeros((4, 8, 8)), np.array([[[1.0]], [[-1.0]]])])
def test_nothing_to_trust(parts):
    assert blend_weight(parts, 1.0, (16, 16), (8, 8)) == 0.0


def test_a_single_fit_is_trusted_a_little():
    assert blend_weight(members(1.0, count=1), 100.0, (16, 16), (8, 8)) == pytest.approx(0.25)


def test_trust_counts_sea_only():
    parts, sea = members(1.0), np.ones((64, 64), dtype=bool)
    sea[:32] = False
    noisy = parts.copy()
    noisy[:, ~sea] = np.random.default_rng(1).standard_normal((4, 2048)) * 1e6
    assert blend_weight(noisy, 100.0, (16, 16), (8, 8), sea=sea) == pytest.approx(1.0)


@pytest.mark.parametrize(("roughness", "expected"), [(0.0, 1.0), (0.4, 0.8), (1.0, 0.5)])
def test_fits_of_a_rough_field_are_trusted_by_half(roughness, expected):
    assert blend_weight(members(1.0), 100.0, (16, 16), (8, 8), roughness=roughness) == pytest.approx(expected)


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
    assert front_trust(part, variance, (16, 16), (8, 8)) == pytest.approx(1 / 16)
    assert front_trust(part / 2, variance, (16, 16), (8, 8)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("shape", "factor", "expected"), [((6, 40), (8, 8), 0.5), ((16, 16), (4, 4), 0.75), ((9, 16), (3, 3), 0.5625)]
)
def test_small_domains_and_factors_limit_the_trust_in_fronts(shape, factor, expected):
    assert front_trust(members(1.0)[0], 100.0, shape, factor) == pytest.approx(expected)


def test_trust_in_fronts_counts_sea_only():
    part, sea = np.ones((4, 4)), np.ones((4, 4), dtype=bool)
    sea[:2] = False
    part[:2] = 1e6
    assert front_trust(part, 100.0, (16, 16), (8, 8), sea=sea) == 1.0
    assert front_trust(part, 100.0, (16, 16), (8, 8)) < 1e-12


def test_no_fronts_are_no_matter():
    assert front_trust(np.zeros((4, 4)), 0.0, (16, 16), (8, 8)) == 1.0


@given(st.integers(0, 1000), st.floats(0, 1), st.integers(1, 6), st.floats(1e-6, 1e6))
@settings(max_examples=40, deadline=None)
def test_trust_is_a_share(seed, agreement, count, size):
    assert 0.0 <= blend_weight(members(agreement, count, size, seed), 1.0, (16, 16), (8, 8)) <= 1.0 + 1e-12


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 1.0), st.floats(0.2, 1.0))
def test_shares_are_the_best_weights_if_each_proposal_is_right_by_its_part(seed, first, second):
    """An error is made that has just these products with both proposals: no other weights leave less of it."""
    rng = np.random.default_rng(seed)
    fields = rng.standard_normal((2, 40)) + rng.standard_normal(40)
    products = fields @ fields.T
    wanted = np.array([first, second]) * np.diag(products)
    noise = rng.standard_normal(40)
    error = fields.T @ np.linalg.solve(products, wanted - fields @ noise) + noise
    weights = share_null_space((fields[:1], fields[1:]), (first, second))
    assert min(weights) >= 0
    left = np.square(error - np.array(weights) @ fields).sum()
    for other in (np.array(weights) + step for step in ((0.05, 0), (0, 0.05), (-0.05, 0), (0, -0.05))):
        if min(other) >= 0:
            assert left <= np.square(error - other @ fields).sum() + 1e-9


def test_shares_of_land_and_of_empty_proposals():
    field = np.array([[1.0, 2.0, 0.0]])
    sea = np.array([[True, False, True]])
    assert share_null_space((0 * field, field), (1.0, 0.5)) == (0.0, 0.5)
    assert share_null_space((field, 0 * field), (1.0, 0.5)) == (1.0, 0.0)
    assert share_null_space((0 * field, 0 * field), (1.0, 0.5)) == (0.0, 0.0)
    assert share_null_space((field, 3 * field[:, ::-1]), (1.0, 0.5), sea=sea) == (1.0, 0.5)


# What each proposal is worth once it has heard the other.


def at_angle(correlation, sizes=(1.0, 1.0)):
    """Two fields of that correlation."""
    return np.array([[sizes[0], 0.0]]), sizes[1] * np.array([[correlation, np.sqrt(1 - correlation**2)]])


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [(1.0, (1.6, 0.8)), (0.5, (1.3, 0.8)), (0.25, (1.15, 0.4)), (0.0, (1.0, 0.0)), (-0.5, (1.0, 0.0))],
)
def test_what_the_other_confirms_is_trusted_more(correlation, expected):
    assert trust_together(at_angle(correlation), (1.0, 0.8)) == pytest.approx(expected)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 10))
def test_trust_together_depends_on_the_direction_alone(correlation, first, second, size):
    plain, scaled = (trust_together(at_angle(correlation, sizes), (first, second)) for sizes in ((1, 1), (size, 3.0)))
    assert scaled == pytest.approx(plain, abs=1e-6)
    assert plain[0] >= first
    assert 0 <= plain[1] <= second


def test_without_fronts_nothing_speaks_for_fits():
    field = np.ones((2, 3))
    assert trust_together((0 * field, field), (1.0, 0.7)) == (1.0, 0.0)
    assert trust_together((field, 0 * field), (1.0, 0.7)) == (1.0, 0.0)


def test_trust_together_counts_sea_only():
    sea = np.array([[True, True, False]])
    first, second = np.array([[1.0, 0.0, 5.0]]), np.array([[2.0, 0.0, -9.0]])
    assert trust_together((first, second), (1.0, 0.5), sea=sea) == pytest.approx((1.6, 0.5))
