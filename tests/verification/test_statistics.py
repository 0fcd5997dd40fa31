"""Sums that add, fields that match, and what is refused."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xr_dip.verification import bias, rmse
from xr_dip.verification.statistics import Sums, check_dims, difference, label, match, sums, units_of

ROWS, COLUMNS = 5, 4
VALUES = arrays(np.float64, (ROWS, COLUMNS), elements=st.floats(-10, 10) | st.just(np.nan))
WEIGHTS = arrays(np.float64, (ROWS, COLUMNS), elements=st.floats(0.1, 10) | st.just(0.0))


def field(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims=("y", "x"))


@settings(max_examples=30, deadline=None)
@given(values=VALUES, weights=WEIGHTS, cut=st.integers(1, ROWS - 1))
def test_sums_of_parts_add_to_the_sums_of_the_whole(values, weights, cut):
    statistic, weight = field(values), field(weights)
    whole = sums(statistic, dims=("y", "x"), weights=weight)
    parts = [
        sums(statistic.isel(y=rows), dims=("y", "x"), weights=weight.isel(y=rows))
        for rows in (slice(None, cut), slice(cut, None))
    ]
    added = parts[0] + parts[1]
    np.testing.assert_allclose(added.total, whole.total, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(added.weight, whole.weight, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(values=VALUES, weights=WEIGHTS)
def test_mean_is_the_weighted_mean_of_the_finite_cells(values, weights):
    mean = float(sums(field(values), dims=("y", "x"), weights=field(weights)).mean())
    counts = np.isfinite(values) & (weights > 0)
    expected = np.average(values[counts], weights=weights[counts]) if counts.any() else np.nan
    np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-12)


def test_a_mean_of_nothing_is_nan():
    assert np.isnan(float(sums(field(np.full((2, 2), np.nan)), dims=("y", "x")).mean()))


def test_weights_may_be_given_along_one_dimension():
    statistic = field(np.array([[1.0, 1.0], [4.0, 4.0]]))
    assert float(sums(statistic, dims=("y", "x"), weights=xr.DataArray([2.0, 1.0], dims="y")).mean()) == 2.0


def test_sums_are_lazy_and_float64():
    lazy = field(np.ones((4, 4), dtype=np.float32)).chunk(y=2, x=2)
    result = sums(lazy, dims=("y", "x"))
    assert isinstance(result, Sums)
    assert result.total.chunks is not None
    assert result.total.dtype == np.float64


def test_difference_is_missing_where_either_is_not_finite():
    estimate = xr.DataArray([1.0, np.inf, 3.0, np.nan], dims="x")
    truth = xr.DataArray([0.0, 1.0, np.inf, 1.0], dims="x")
    np.testing.assert_array_equal(difference(estimate, truth, dims=("x",)), [1.0, np.nan, np.nan, np.nan])


def test_coordinates_that_differ_by_rounding_still_match():
    latitude = np.linspace(10.0, 11.0, 7)
    truth = xr.DataArray(np.zeros(7), dims="lat", coords={"lat": latitude.astype(np.float32)})
    estimate = xr.DataArray(np.ones(7), dims="lat", coords={"lat": latitude + 1e-4})
    error = difference(estimate, truth, dims=("lat",))
    assert error.sizes["lat"] == 7
    np.testing.assert_array_equal(error.lat, truth.lat)


def test_coordinates_over_the_horizontal_are_those_of_the_truth():
    truth = xr.DataArray(np.zeros((2, 2)), dims=("y", "x"), coords={"nav_lat": (("y", "x"), np.ones((2, 2)))})
    estimate = truth.assign_coords(nav_lat=truth.nav_lat + 5.0)
    np.testing.assert_array_equal(difference(estimate, truth, dims=("y", "x")).nav_lat, truth.nav_lat)


@pytest.mark.parametrize(
    ("coordinate", "other", "message"),
    [
        ([0.0, 1.0, 2.0], [0.5, 1.5, 2.5], "Invalid coordinate 'x' of the estimate: 0.5 at index 0"),
        ([0.0, 1.0, 2.0], [2.0, 1.0, 0.0], "Invalid coordinate 'x' of the estimate: 2.0 at index 0"),
        (["a", "b", "c"], ["a", "d", "c"], "Invalid coordinate 'x' of the estimate: d at index 1"),
    ],
)
def test_shifted_coordinates_are_refused(coordinate, other, message):
    truth = xr.DataArray(np.zeros(3), dims="x", coords={"x": coordinate})
    with pytest.raises(ValueError, match=message):
        match(truth.assign_coords(x=other), truth, "estimate")


def test_different_dates_are_refused():
    days = np.array(["2009-07-01", "2009-07-02"], dtype="datetime64[ns]")
    truth = xr.DataArray(np.zeros(2), dims="time", coords={"time": days})
    with pytest.raises(ValueError, match="Invalid coordinate 'time' of the estimate"):
        match(truth.assign_coords(time=days + np.timedelta64(1, "D")), truth, "estimate")


def test_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"Invalid size of the dimension 'x' of the estimate: 3.*the truth, 2"):
        difference(xr.DataArray(np.zeros(3), dims="x"), xr.DataArray(np.zeros(2), dims="x"), dims=("x",))


@pytest.mark.parametrize(
    ("dims", "count", "message"),
    [
        (("lat", "x"), 2, r"Invalid dims \('lat', 'x'\). They must be dimensions of the truth: \('y', 'x'\)"),
        (("y",), 2, r"Invalid dims \('y',\). They must be 2 distinct names"),
        (("x", "x"), None, r"Invalid dims \('x', 'x'\). They must be distinct"),
    ],
)
def test_wrong_dims_are_refused(dims, count, message):
    with pytest.raises(ValueError, match=message):
        check_dims(field(np.zeros((2, 2))), dims, "truth", count=count)


def test_an_estimate_without_the_dims_is_refused():
    truth = field(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"Invalid dims \('y', 'x'\). They must be dimensions of the estimate"):
        rmse(truth.isel(y=0), truth, dims=("y", "x"))


def test_negative_weights_are_refused():
    truth = xr.DataArray([0.0, 0.0], dims="x")
    with pytest.raises(ValueError, match=r"Invalid weights with the value -1.0. They must not be negative"):
        bias(truth, truth, dims=("x",), weights=xr.DataArray([1.0, -1.0], dims="x"))


def test_weights_with_foreign_dimensions_are_refused():
    truth = xr.DataArray([0.0, 0.0], dims="x")
    with pytest.raises(ValueError, match=r"Invalid dimensions of the weights: \('z',\)"):
        bias(truth, truth, dims=("x",), weights=xr.DataArray([1.0, 1.0], dims="z"))


def test_a_score_has_its_own_attributes_only():
    stale = xr.DataArray(1.0, attrs={"standard_name": "sea_surface_height", "units": "m"})
    assert label(stale, "rmse", "root mean square error", units_of(stale)).attrs == {
        "long_name": "root mean square error",
        "units": "m",
    }
    assert "units" not in label(stale, "rmse", "root mean square error", units_of(xr.DataArray(1.0))).attrs
