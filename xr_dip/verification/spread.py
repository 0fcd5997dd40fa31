"""Scores of a predicted standard deviation: is the error as large as it says, and large where it says so.

A cell counts where everything compared is finite. A standard deviation of 0 is a promise like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import special

from xr_dip.verification.statistics import (
    check_dims,
    check_not_negative,
    difference,
    finite,
    label,
    match,
    matched_weights,
    root_mean_square,
    sums,
    units_of,
)

ROUNDING = 1e-12
"""Part of its mean by which what is constant may seem to vary: sums in float64 round by less."""


def crps_gaussian(
    mean: xr.DataArray,
    std: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str] = (),
    weights: xr.DataArray | None = None,
) -> xr.DataArray:
    """CRPS of a Gaussian forecast: std (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)), z = (truth - mean) / std.

    Parameters
    ----------
    mean, std, truth : DataArray
        Same unit and sizes; `std` not negative; where it is 0, the score is the absolute error.
    dims : sequence of str
        Dimensions to average over; by default none: a map.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    DataArray
        In the unit of the truth.

    Raises
    ------
    ValueError
        If std is negative, or dimensions, sizes, coordinates or weights are wrong.

    References
    ----------
    Gneiting, Raftery, Westveld, Goldman (2005), Monthly Weather Review 133, eq. 5.

    Examples
    --------
    >>> zero = xr.DataArray([0.0], dims="x")
    >>> crps_gaussian(zero, zero + 1.0, zero).values.round(6)
    array([0.233695])
    """
    error, spread = _pair(mean, std, truth, dims)
    positive = spread.where(spread > 0)
    score = positive * xr.apply_ufunc(_standard_crps, error / positive, dask="parallelized", output_dtypes=[np.float64])
    score = score.where(spread > 0, abs(error))
    average = sums(score, dims=dims, weights=matched_weights(weights, truth)).mean()
    return label(average, "crps_gaussian", "continuous ranked probability score of a Gaussian", units_of(truth))


def _standard_crps(z: np.ndarray) -> np.ndarray:
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    return np.asarray(z * special.erf(z / np.sqrt(2.0)) + 2.0 * density - 1.0 / np.sqrt(np.pi))


def spread_skill(
    std: xr.DataArray,
    mean: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    weights: xr.DataArray | None = None,
    members: int | None = None,
) -> xr.DataArray:
    """Ratio of the predicted error to the error: root mean square of std over RMSE of the mean.

    1 if calibrated, below 1 if the spread is too small. With `members` = M, the spread is multiplied by sqrt((M + 1)
    / M): the error of the mean of M members exchangeable with the truth is that much larger than their standard
    deviation (ddof 1).

    Parameters
    ----------
    std, mean, truth : DataArray
        Same unit and sizes.
    dims : sequence of str
        Dimensions to average over.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.
    members : int, optional
        Number of members when `std` and `mean` are those of an ensemble. By default `std` is taken as the predicted
        error itself.

    Returns
    -------
    DataArray
        Without unit.

    Raises
    ------
    ValueError
        If members is below 2, or dimensions, sizes, coordinates or weights are wrong.

    References
    ----------
    Fortin et al. (2014), Why should ensemble spread match the RMSE of the ensemble mean?, J. Hydrometeorology 15, eq.
    15.

    Examples
    --------
    >>> truth = xr.DataArray([0.0, 0.0], dims="x")
    >>> std, mean = xr.full_like(truth, 0.3), xr.full_like(truth, 0.4)
    >>> round(float(spread_skill(std, mean, truth, dims=("x",))), 6)
    0.75
    """
    if members is not None and members < 2:
        raise ValueError(f"Invalid members {members!r}. It must be at least 2, or None for no correction.")
    error, spread = _pair(mean, std, truth, dims)
    compared = matched_weights(weights, truth)
    predicted, actual = (root_mean_square(values, dims=dims, weights=compared) for values in (spread, error))
    correction = 1.0 if members is None else np.sqrt((members + 1.0) / members)
    ratio = correction * predicted / actual.where(actual > 0)
    return label(ratio, "spread_skill", "ratio of predicted to actual error", "1")


def coverage(
    mean: xr.DataArray,
    std: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    level: float = 0.9,
    weights: xr.DataArray | None = None,
) -> xr.DataArray:
    """Share of the cells whose error lies in the central interval of a Gaussian; `level` if calibrated.

    Parameters
    ----------
    mean, std, truth : DataArray
        Same unit and sizes.
    dims : sequence of str
        Dimensions to average over.
    level : float
        Probability of the interval, between 0 and 1: ``|error| <= 1.645 std`` for 0.9.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    DataArray
        Between 0 and 1.

    Raises
    ------
    ValueError
        If level is out of range, or dimensions, sizes, coordinates or weights are wrong.

    Examples
    --------
    >>> truth = xr.DataArray([0.0, 0.0], dims="x")
    >>> float(coverage(truth + xr.DataArray([1.6, 1.7], dims="x"), truth + 1.0, truth, dims=("x",)))
    0.5
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"Invalid level {level!r}. It must be between 0 and 1.")
    error, spread = _pair(mean, std, truth, dims)
    inside = abs(error) <= special.ndtri(0.5 + 0.5 * level) * spread
    share = sums(inside.where(error.notnull()), dims=dims, weights=matched_weights(weights, truth)).mean()
    return label(share, "coverage", f"share of errors in the {level:.0%} interval", "1")


def correlation(
    std: xr.DataArray,
    error: xr.DataArray,
    *,
    dims: Sequence[str],
    weights: xr.DataArray | None = None,
) -> xr.DataArray:
    """Pearson correlation of the predicted standard deviation with the absolute error.

    It tells if errors are large where they are predicted to be. Even a perfect std stays well below 1, as single
    errors scatter.

    Parameters
    ----------
    std, error : DataArray
        Same unit and sizes; the error is signed or absolute.
    dims : sequence of str
        Dimensions to correlate over.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    DataArray
        Between -1 and 1; NaN if one of both is constant but for rounding.

    Raises
    ------
    ValueError
        If std is negative, or dimensions, sizes, coordinates or weights are wrong.

    Examples
    --------
    >>> std = xr.DataArray([1.0, 2.0, 3.0], dims="x")
    >>> round(float(correlation(std, -2 * std, dims=("x",))), 6)
    1.0
    """
    spread, absolute = spread_and_error(std, error, dims)
    compared = matched_weights(weights, error)
    first, second = (_standardized(values, dims, compared) for values in (spread, absolute))
    product = sums(first * second, dims=dims, weights=compared).mean()
    return label(product, "correlation", "correlation of std and absolute error", "1")


def _standardized(values: xr.DataArray, dims: Sequence[str], weights: xr.DataArray | None) -> xr.DataArray:
    """Departures from the mean over their root mean square; NaN where that is but the rounding of the mean."""
    mean = sums(values, dims=dims, weights=weights).mean()
    departure = values - mean
    scale = root_mean_square(departure, dims=dims, weights=weights)
    return departure / scale.where(scale > ROUNDING * abs(mean))


def _pair(
    mean: xr.DataArray, std: xr.DataArray, truth: xr.DataArray, dims: Sequence[str]
) -> tuple[xr.DataArray, xr.DataArray]:
    """Error and std on the truth, both NaN where one of them is not finite."""
    error = difference(mean, truth, dims=dims)
    check_dims(std, dims, "std")
    check_not_negative(std, "std")
    spread = finite(match(std, truth, "std"))
    compared = error.notnull() & spread.notnull()
    return error.where(compared), spread.where(compared)


def spread_and_error(std: xr.DataArray, error: xr.DataArray, dims: Sequence[str]) -> tuple[xr.DataArray, xr.DataArray]:
    """Place a predicted std on an error: both, the error absolute, NaN where one of them is not finite.

    Raises
    ------
    ValueError
        If dimensions, sizes or coordinates disagree.

    Examples
    --------
    >>> error = xr.DataArray([-2.0, np.nan], dims="x")
    >>> spread, absolute = spread_and_error(xr.ones_like(error), error, ("x",))
    >>> spread.values, absolute.values
    (array([ 1., nan]), array([ 2., nan]))
    """
    check_dims(error, dims, "error")
    check_dims(std, dims, "std")
    check_not_negative(std, "std")
    spread, absolute = finite(match(std, error, "std")), abs(finite(error))
    compared = spread.notnull() & absolute.notnull()
    return spread.where(compared), absolute.where(compared)
