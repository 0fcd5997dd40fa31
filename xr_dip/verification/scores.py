"""Scores of one field against the truth: bias, RMSE and the mu score of the ocean data challenge.

All take ``dims``, the dimensions to average over, keep the others, leave out the cells where either field is not
finite, weigh cells on request (by area, say), and stay lazy with dask.
"""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from xr_dip.verification.statistics import difference, finite, label, matched_weights, root_mean_square, sums, units_of


def bias(
    estimate: xr.DataArray, truth: xr.DataArray, *, dims: Sequence[str], weights: xr.DataArray | None = None
) -> xr.DataArray:
    """Mean of estimate minus truth.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : sequence of str
        Dimensions to average over, such as ``("y", "x")``.
    weights : DataArray, optional
        Weight of each cell, for example its area in m2. By default all weigh the same.

    Returns
    -------
    DataArray
        In the unit of the truth; NaN where no cell can be compared.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates or weights are wrong.

    Examples
    --------
    >>> import numpy as np
    >>> truth = xr.DataArray([[0.0, 1.0], [2.0, np.nan]], dims=("y", "x"))
    >>> float(bias(truth + 0.5, truth, dims=("y", "x")))
    0.5
    """
    error = difference(estimate, truth, dims=dims)
    mean = sums(error, dims=dims, weights=matched_weights(weights, truth)).mean()
    return label(mean, "bias", "mean error", units_of(truth))


def rmse(
    estimate: xr.DataArray, truth: xr.DataArray, *, dims: Sequence[str], weights: xr.DataArray | None = None
) -> xr.DataArray:
    """Root mean square error.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : sequence of str
        Dimensions to average over, such as ``("y", "x")``.
    weights : DataArray, optional
        Weight of each cell, for example its area in m2. By default all weigh the same.

    Returns
    -------
    DataArray
        In the unit of the truth; NaN where no cell can be compared.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates or weights are wrong.

    Examples
    --------
    >>> import numpy as np
    >>> truth = xr.DataArray([[0.0, 1.0], [2.0, np.nan]], dims=("y", "x"), attrs={"units": "m"})
    >>> score = rmse(truth - 0.25, truth, dims=("y", "x"))
    >>> float(score), score.units
    (0.25, 'm')
    """
    error = difference(estimate, truth, dims=dims)
    root = root_mean_square(error, dims=dims, weights=matched_weights(weights, truth))
    return label(root, "rmse", "root mean square error", units_of(truth))


def mu_score(
    estimate: xr.DataArray, truth: xr.DataArray, *, dims: Sequence[str], weights: xr.DataArray | None = None
) -> xr.DataArray:
    """Score mu of the ocean data challenge 2020a: 1 - RMS(error) / RMS(truth).

    1 is perfect, 0 is no better than a field of zeros. The truth keeps its mean, so fields with different means do
    not compare. The challenge takes the mean over time and space at once: ``dims=("time", "lat", "lon")``.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : sequence of str
        Dimensions to average over.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    DataArray
        Without unit; NaN where no cell can be compared.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates or weights are wrong.

    References
    ----------
    Ocean data challenge 2020a, SSH mapping OSSE, https://doi.org/10.24400/527896/a01-2020.009

    Examples
    --------
    >>> truth = xr.DataArray([3.0, -4.0], dims="x")
    >>> float(mu_score(0.75 * truth, truth, dims=("x",)))
    0.75
    """
    error = difference(estimate, truth, dims=dims)
    compared = matched_weights(weights, truth)
    reference = root_mean_square(truth.where(error.notnull()), dims=dims, weights=compared)
    ratio = root_mean_square(error, dims=dims, weights=compared) / reference.where(reference > 0)
    return label(1.0 - ratio, "mu_score", "1 - RMS(error) / RMS(truth)", "1")


def compared_cells(estimate: xr.DataArray, truth: xr.DataArray, *, dims: Sequence[str]) -> xr.Dataset:
    """How many cells the other scores rest on, and how many the estimate leaves out.

    Scores skip the cells where the estimate has no value; an estimate that fails where it is hard would look good
    without this count.

    Parameters
    ----------
    estimate, truth : DataArray
    dims : sequence of str
        Dimensions to count over.

    Returns
    -------
    Dataset
        ``cells``, where both are finite; ``missing_cells``, where only the truth is.

    Raises
    ------
    ValueError
        If dimensions, sizes or coordinates are wrong.

    Examples
    --------
    >>> import numpy as np
    >>> counts = compared_cells(xr.DataArray([1.0, np.nan], dims="x"), xr.DataArray([1.0, 2.0], dims="x"), dims=("x",))
    >>> int(counts.cells), int(counts.missing_cells)
    (1, 1)
    """
    compared = difference(estimate, truth, dims=dims).notnull()
    missing = finite(truth).notnull() & ~compared
    return xr.Dataset(
        {
            "cells": label(compared.sum(dims), "cells", "cells compared", "1"),
            "missing_cells": label(missing.sum(dims), "missing_cells", "cells of the truth without an estimate", "1"),
        }
    )
