"""Reliability: the actual error in bins of the predicted one."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import xarray as xr

from xr_dip.verification.spread import spread_and_error
from xr_dip.verification.statistics import label, matched_weights, root_mean_square, sums, units_of, whole


def reliability(
    std: xr.DataArray,
    error: xr.DataArray,
    *,
    dims: Sequence[str],
    bins: int | Sequence[float] = 10,
    weights: xr.DataArray | None = None,
) -> xr.Dataset:
    """Predicted against actual error, by bins of the predicted one; both agree in each bin if calibrated.

    Parameters
    ----------
    std, error : DataArray
        Same unit and sizes.
    dims : sequence of str
        Dimensions to average over.
    bins : int or sequence of float
        Number of bins with as many cells each, or the increasing edges, in the unit of `std`; the last bin holds its
        upper edge.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    Dataset, dimensions (..., bin)
        ``spread`` and ``rmse``, root mean squares of std and error in the unit of the error; ``share``, the weight of
        the bin in the whole; ``lower`` and ``upper``, its edges.

    Raises
    ------
    ValueError
        If bins, dimensions, sizes, coordinates or weights are wrong.

    Examples
    --------
    >>> std = xr.DataArray([0.1, 0.1, 1.0], dims="x")
    >>> reliability(std, 2 * std, dims=("x",), bins=[0.0, 0.5, 1.0]).rmse.values
    array([0.2, 2. ])
    """
    spread, absolute = spread_and_error(std, error, dims)
    compared = matched_weights(weights, error)
    edges = _edges(spread, bins, dims)
    everything = sums(spread, dims=dims, weights=compared).weight
    count = edges.sizes["edge"] - 1
    parts = []
    for index in range(count):
        lower, upper = edges.isel(edge=index), edges.isel(edge=index + 1)
        inside = (spread >= lower) & ((spread < upper) | ((index == count - 1) & (spread == upper)))
        part = _bin_scores(spread.where(inside), absolute.where(inside), dims, compared, units_of(error))
        part["share"] = label(
            part["share"] / everything.where(everything > 0), "share", "share of the cells in the bin", "1"
        )
        parts.append(part.assign(lower=_edge(lower, "lower", error), upper=_edge(upper, "upper", error)))
    return xr.concat(parts, "bin").transpose(..., "bin")


def _bin_scores(
    spread: xr.DataArray,
    absolute: xr.DataArray,
    dims: Sequence[str],
    weights: xr.DataArray | None,
    units: str | None,
) -> xr.Dataset:
    predicted, actual = (root_mean_square(values, dims=dims, weights=weights) for values in (spread, absolute))
    return xr.Dataset(
        {
            "spread": label(predicted, "spread", "root mean square of the predicted std", units),
            "rmse": label(actual, "rmse", "root mean square error", units),
            "share": sums(spread, dims=dims, weights=weights).weight,
        }
    )


def _edge(edge: xr.DataArray, name: str, error: xr.DataArray) -> xr.DataArray:
    return label(edge, name, f"{name} edge of the bin", units_of(error))


def _edges(spread: xr.DataArray, bins: int | Sequence[float], dims: Sequence[str]) -> xr.DataArray:
    if isinstance(bins, Integral):
        count = int(bins)
        if count < 1:
            raise ValueError(f"Invalid bins {bins!r}. It must be at least 1, or a sequence of increasing edges.")
        levels = np.linspace(0.0, 1.0, count + 1)
        return whole(spread, dims).quantile(levels, list(dims)).rename(quantile="edge").drop_vars("edge")
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or not np.all(np.diff(edges) > 0):
        raise ValueError(f"Invalid bins {bins!r}. They must be increasing edges, at least two.")
    return xr.DataArray(edges, dims="edge")
