"""Scores of members and of spread: closed forms of Gaussians, exchangeable ensembles, ties, missing values, chunks."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from xr_dip.verification import (
    correlation,
    coverage,
    crps,
    crps_gaussian,
    rank_histogram,
    reliability,
    rmse,
    spread_skill,
)

DIMS = ("y", "x")
CELLS = (100, 200)


def normal(seed: int, shape: tuple[int, ...] = CELLS, scale: float = 1.0) -> xr.DataArray:
    dims = ("member", *DIMS)[-len(shape) :]
    values = np.random.default_rng(seed).normal(scale=scale, size=shape)
    return xr.DataArray(values, dims=dims, attrs={"units": "m"})


def exchangeable(members: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Members and truth drawn from one distribution in each cell, with a mean that differs from cell to cell."""
    mean = normal(1)
    return mean + normal(2, (members, *CELLS)), mean + normal(3)


def predictions() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Mean, std and truth of a calibrated Gaussian forecast; std from 0.5 to 2."""
    std = xr.DataArray(np.linspace(0.5, 2.0, CELLS[1]), dims="x").broadcast_like(normal(0)).transpose(*DIMS)
    return normal(5), std, normal(5) + std * normal(6)


@settings(max_examples=30, deadline=None)
@given(members=arrays(np.float64, st.integers(2, 7), elements=st.floats(-5, 5)), truth=st.floats(-5, 5))
def test_fair_crps_is_its_double_sum(members, truth):
    count = members.size
    spread = np.abs(members[:, None] - members).sum() / (2 * count * (count - 1))
    score = crps(xr.DataArray(members, dims="member"), xr.DataArray(truth))
    np.testing.assert_allclose(score, np.abs(members - truth).mean() - spread, atol=1e-12)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_fair_crps_does_not_depend_on_the_number_of_members(count):
    # members and truth from N(0, 1): E|X - y| - E|X - X'| / 2 = 2/sqrt(pi) - 1/sqrt(pi), whatever the number.
    # The plain estimator would give (1 + 1 / count) of it; the mean over 20,000 cells scatters by less than 1 %.
    members, truth = exchangeable(count)
    np.testing.assert_allclose(crps(members, truth, dims=DIMS), 1 / np.sqrt(np.pi), rtol=0.02)


def test_crps_of_equal_members_is_the_absolute_error():
    truth = normal(0, (3, 4))
    members = xr.concat([truth + 0.3] * 4, "member")
    np.testing.assert_allclose(crps(members, truth), 0.3)
    assert crps(members, truth).attrs["units"] == "m"


def test_crps_of_many_members_is_that_of_the_gaussian():
    quantiles = (np.arange(4000) + 0.5) / 4000
    members = xr.DataArray(3.0 + 2.0 * special.ndtri(quantiles), dims="member")
    for truth in (3.0, 4.0, -6.0):
        expected = crps_gaussian(xr.DataArray(3.0), xr.DataArray(2.0), xr.DataArray(truth))
        np.testing.assert_allclose(crps(members, xr.DataArray(truth)), expected, rtol=2e-3)


def test_gaussian_crps_in_closed_form():
    # at the mean: std (sqrt(2) - 1) / sqrt(pi); with std 0: the absolute error; it scales with the unit
    zero = xr.DataArray(0.0)
    np.testing.assert_allclose(crps_gaussian(zero, zero + 3, zero), 3 * (2**0.5 - 1) / np.pi**0.5)
    np.testing.assert_allclose(crps_gaussian(zero, zero, zero - 0.7), 0.7)
    np.testing.assert_allclose(crps_gaussian(zero, zero + 2, zero + 1), 2 * crps_gaussian(zero, zero + 1, zero + 0.5))


def test_gaussian_crps_of_a_calibrated_forecast():
    # truth from N(mean, std): the expectation is std / sqrt(pi)
    mean, std, truth = predictions()
    np.testing.assert_allclose(crps_gaussian(mean, std, truth, dims=DIMS), std.mean() / np.pi**0.5, rtol=0.02)


def test_rank_histogram_of_an_exchangeable_ensemble_is_flat():
    # 20,000 cells in 6 ranks: each share scatters by 0.0026
    members, truth = exchangeable(5)
    histogram = rank_histogram(members, truth, dims=DIMS)
    np.testing.assert_allclose(histogram, 1 / 6, atol=0.012)
    np.testing.assert_allclose(histogram.sum(), 1.0)
    np.testing.assert_array_equal(histogram["rank"], range(6))


def test_rank_histogram_of_a_narrow_ensemble_is_u_shaped():
    members, truth = exchangeable(5)
    narrow = members.mean("member") + 0.2 * (members - members.mean("member"))
    histogram = rank_histogram(narrow, truth, dims=DIMS)
    assert float(histogram[0] + histogram[-1]) > 0.7


def test_ties_are_shared_by_the_ranks():
    # below none, equal to two of three: ranks 0, 1, 2 share; below two: rank 2
    members = xr.DataArray([[1.0, 0.0], [1.0, 0.0], [5.0, 3.0]], dims=("member", "x"))
    histogram = rank_histogram(members, xr.DataArray([1.0, 2.0], dims="x"), dims=("x",))
    np.testing.assert_allclose(histogram, [1 / 6, 1 / 6, 1 / 6 + 1 / 2, 0.0])


def test_spread_skill_of_an_exchangeable_ensemble_is_one():
    for count in (3, 12):
        members, truth = exchangeable(count)
        mean, std = members.mean("member"), members.std("member", ddof=1)
        corrected = spread_skill(std, mean, truth, dims=DIMS, members=count)
        np.testing.assert_allclose(corrected, 1.0, rtol=0.02)
        plain = spread_skill(std, mean, truth, dims=DIMS)
        np.testing.assert_allclose(corrected / plain, np.sqrt((count + 1) / count))


def test_a_calibrated_forecast_has_the_coverage_of_its_level():
    mean, std, truth = predictions()
    for level in (0.5, 0.9):
        np.testing.assert_allclose(coverage(mean, std, truth, dims=DIMS, level=level), level, atol=0.012)
    assert float(coverage(mean, 0.5 * std, truth, dims=DIMS)) < 0.7


def test_correlation_is_that_of_numpy():
    _, std, truth = predictions()
    error = truth - normal(5)
    expected = np.corrcoef(std.values.ravel(), np.abs(error.values).ravel())[0, 1]
    np.testing.assert_allclose(correlation(std, error, dims=DIMS), expected)
    for constant in (0.0, 0.1, 1.0):  # the mean of many 0.1 is not 0.1
        assert np.isnan(float(correlation(xr.full_like(std, constant), error, dims=DIMS)))


def test_reliability_of_a_calibrated_forecast_lies_on_the_diagonal():
    mean, std, truth = predictions()
    bins = reliability(std, truth - mean, dims=DIMS, bins=np.int64(5))
    xr.testing.assert_identical(bins, reliability(std, truth - mean, dims=DIMS, bins=5))
    np.testing.assert_allclose(bins.rmse, bins.spread, rtol=0.05)
    np.testing.assert_allclose(bins.share, 0.2, atol=0.01)
    assert (bins.spread.values >= bins.lower.values).all()
    assert (bins.spread.values <= bins.upper.values).all()


def test_the_bins_together_are_the_whole():
    mean, std, truth = predictions()
    bins = reliability(std, truth - mean, dims=DIMS, bins=[0.5, 0.7, 1.1, 2.0])
    np.testing.assert_allclose(bins.share.sum(), 1.0)
    np.testing.assert_allclose((bins.share * bins.rmse**2).sum() ** 0.5, rmse(mean, truth, dims=DIMS))


def test_what_lies_outside_the_bins_is_in_none():
    std = xr.DataArray([0.5, 1.5, 3.0], dims="x")
    bins = reliability(std, std, dims=("x",), bins=[1.0, 2.0, 2.5])
    np.testing.assert_allclose(bins.share, [1 / 3, 0.0])
    np.testing.assert_allclose(bins.rmse, [1.5, np.nan])


SCORES = {
    "crps": lambda members, truth, w: crps(members, truth, dims=DIMS, weights=w),
    "rank_histogram": lambda members, truth, w: rank_histogram(members, truth, dims=DIMS, weights=w),
    "crps_gaussian": lambda m, t, w: crps_gaussian(m.mean("member"), m.std("member"), t, dims=DIMS, weights=w),
    "spread_skill": lambda m, t, w: spread_skill(m.std("member"), m.mean("member"), t, dims=DIMS, weights=w),
    "coverage": lambda m, t, w: coverage(m.mean("member"), m.std("member"), t, dims=DIMS, weights=w),
    "correlation": lambda m, t, w: correlation(m.std("member"), m.mean("member") - t, dims=DIMS, weights=w),
    "reliability": lambda m, t, w: reliability(
        m.std("member"), m.mean("member") - t, dims=DIMS, weights=w, bins=3
    ).to_dataarray(),
}


@pytest.fixture(params=SCORES)
def score(request):
    return SCORES[request.param]


@pytest.fixture
def ensemble() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    return normal(1, (4, 12, 15)), normal(2, (12, 15)), abs(normal(3, (12, 15)))


def test_chunks_do_not_change_a_score(score, ensemble):
    members, truth, weights = ensemble
    lazy = score(members.chunk(member=2, y=5), truth.chunk(x=4), weights.chunk(x=7))
    xr.testing.assert_allclose(lazy.compute(), score(*ensemble), rtol=1e-10)


def test_building_computes_nothing(score, ensemble):
    def never_compute(*args, **kwargs):
        raise AssertionError("computed while building")

    members, truth, weights = (field.chunk(y=5) for field in ensemble)
    with dask.config.set(scheduler=never_compute):
        assert score(members, truth, weights).chunks is not None


def test_land_changes_nothing(score, ensemble):
    members, truth, weights = ensemble
    pads = {"y": (2, 0), "x": (0, 3)}
    expected = score(members, truth, weights)
    padded = score(members.pad(pads, constant_values=7.0), truth.pad(pads), weights.pad(pads, constant_values=1.0))
    np.testing.assert_allclose(padded, expected, rtol=1e-10)


def test_a_cell_with_a_missing_member_is_left_out():
    members, truth = exchangeable(3)
    holes = members.where((members.member != 1) | (members.x > 10))
    for score in (crps, rank_histogram):
        xr.testing.assert_allclose(
            score(holes, truth, dims=DIMS),
            score(members.isel(x=slice(11, None)), truth[..., 11:], dims=DIMS),
            rtol=1e-10,
        )


# quantile bins count cells, not weights: reliability is left out
@pytest.mark.parametrize("name", sorted(set(SCORES) - {"reliability"}))
def test_a_weight_of_two_is_two_cells(name, ensemble):
    members, truth, _ = ensemble
    once = xr.ones_like(truth)
    once[:, 3] = 2.0
    twice = [xr.concat([field, field[..., 3:4]], "x") for field in (members, truth)]
    expected = SCORES[name](*twice, xr.ones_like(twice[1]))
    np.testing.assert_allclose(SCORES[name](members, truth, once), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, t: crps(m[:1], t), "Invalid number of members 1. It must be at least 2"),
        (lambda m, t: crps(m, t, member_dim="realization"), "must be dimensions of the members"),
        (lambda m, t: crps(m, m), "Invalid member_dim 'member'. It must not be a dimension of the truth"),
        (lambda m, t: spread_skill(t, t, t, dims=DIMS, members=1), "Invalid members 1. It must be at least 2"),
        (lambda m, t: coverage(t, t**2, t, dims=DIMS, level=1.0), "Invalid level 1.0. It must be between 0 and 1"),
        (lambda m, t: crps_gaussian(t, -(t**2), t), "Invalid std with the value .* must not be negative"),
        (lambda m, t: correlation(-(t**2), t, dims=DIMS), "Invalid std with the value .* must not be negative"),
        (lambda m, t: reliability(t**2, t, dims=DIMS, bins=0), "Invalid bins 0. It must be at least 1"),
        (lambda m, t: reliability(t**2, t, dims=DIMS, bins=[1, 0]), "Invalid bins .* They must be increasing"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(normal(1, (4, 5, 6)), normal(2, (5, 6)))
