"""Errors of the derivatives of a field: slopes, which are currents, and curvature, which is vorticity.

Derivatives are central differences of cell means: second order, exact for planes (gradient) and for quadratics
(both). Cells at the border or next to land have none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from xr_dip.verification.statistics import (
    check_dims,
    difference,
    label,
    match,
    matched_weights,
    root_mean_square,
    sums,
    units_of,
)

Spacing = tuple[float | xr.DataArray, float | xr.DataArray]


def gradient(field: xr.DataArray, *, dims: Sequence[str], spacing: Spacing) -> tuple[xr.DataArray, xr.DataArray]:
    """Gradient of a field by central differences.

    Parameters
    ----------
    field : DataArray
        Values at cell centres, NaN on land.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float or DataArray, float or DataArray)
        Distance between cell centres along y and x in metres; an array where it varies.

    Returns
    -------
    (DataArray, DataArray)
        Derivatives along y and x, unit of the field per metre; NaN where a neighbour is missing.

    Raises
    ------
    ValueError
        If dims or spacing are wrong.

    Examples
    --------
    >>> plane = xr.DataArray(np.arange(3.0)[:, None] + 10 * np.arange(3.0), dims=("y", "x"))
    >>> along_y, along_x = gradient(plane, dims=("y", "x"), spacing=(1.0, 5.0))
    >>> float(along_y[1, 1]), float(along_x[1, 1]), bool(along_x[1, 0].isnull())
    (1.0, 2.0, True)
    """
    check_dims(field, dims, "field", count=2)
    steps = _spacing_on(field, spacing)
    along = [
        (field.shift({dim: -1}) - field.shift({dim: 1})) / (2.0 * step) for dim, step in zip(dims, steps, strict=True)
    ]
    return along[0], along[1]


def laplacian(field: xr.DataArray, *, dims: Sequence[str], spacing: Spacing) -> xr.DataArray:
    """Laplacian of a field by second differences.

    Parameters
    ----------
    field : DataArray
        Values at cell centres, NaN on land.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float or DataArray, float or DataArray)
        Distance between cell centres along y and x in metres; an array where it varies.

    Returns
    -------
    DataArray
        Unit of the field per square metre; NaN where a neighbour is missing.

    Raises
    ------
    ValueError
        If dims or spacing are wrong.

    Examples
    --------
    >>> bowl = xr.DataArray(np.arange(3.0)[:, None] ** 2 + np.arange(3.0) ** 2, dims=("y", "x"))
    >>> float(laplacian(bowl, dims=("y", "x"), spacing=(1.0, 1.0))[1, 1])
    4.0
    """
    check_dims(field, dims, "field", count=2)
    (dim_y, dim_x), (step_y, step_x) = dims, _spacing_on(field, spacing)
    along_y = (field.shift({dim_y: -1}) - 2.0 * field + field.shift({dim_y: 1})) / step_y**2
    along_x = (field.shift({dim_x: -1}) - 2.0 * field + field.shift({dim_x: 1})) / step_x**2
    return along_y + along_x


def gradient_rmse(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    spacing: Spacing,
    weights: xr.DataArray | None = None,
) -> xr.DataArray:
    """Root mean square length of the error of the gradient.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float or DataArray, float or DataArray)
        Distance between cell centres along y and x in metres; an array where it varies.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    DataArray
        Unit of the truth per metre.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates, spacing or weights are wrong.

    Examples
    --------
    >>> truth = xr.DataArray(np.zeros((3, 3)), dims=("y", "x"))
    >>> estimate = truth + xr.DataArray([0.0, 2.0, 4.0], dims="x")
    >>> float(gradient_rmse(estimate, truth, dims=("y", "x"), spacing=(1e3, 1e3)))
    0.002
    """
    along_y, along_x = gradient(difference(estimate, truth, dims=dims), dims=dims, spacing=spacing)
    squares = sums(along_y**2 + along_x**2, dims=dims, weights=matched_weights(weights, truth)).mean()
    return label(squares**0.5, "gradient_rmse", "root mean square error of the gradient", units_of(truth, "m-1"))


def laplacian_rmse(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    spacing: Spacing,
    weights: xr.DataArray | None = None,
) -> xr.DataArray:
    """Root mean square error of the Laplacian.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float or DataArray, float or DataArray)
        Distance between cell centres along y and x in metres; an array where it varies.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.

    Returns
    -------
    DataArray
        Unit of the truth per square metre.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates, spacing or weights are wrong.

    Examples
    --------
    >>> truth = xr.DataArray(np.zeros((3, 3)), dims=("y", "x"))
    >>> estimate = truth + xr.DataArray([0.0, 1.0, 4.0], dims="x")
    >>> float(laplacian_rmse(estimate, truth, dims=("y", "x"), spacing=(1.0, 1.0)))
    2.0
    """
    curvature = laplacian(difference(estimate, truth, dims=dims), dims=dims, spacing=spacing)
    root = root_mean_square(curvature, dims=dims, weights=matched_weights(weights, truth))
    return label(root, "laplacian_rmse", "root mean square error of the Laplacian", units_of(truth, "m-2"))


def _spacing_on(field: xr.DataArray, spacing: Spacing) -> Spacing:
    if len(spacing) != 2:
        raise ValueError(f"Invalid spacing {spacing!r}. It must be two distances in metres, along (y, x).")
    step_y, step_x = (_step_on(field, step) for step in spacing)
    return step_y, step_x


def _step_on(field: xr.DataArray, step: float | xr.DataArray) -> float | xr.DataArray:
    if isinstance(step, xr.DataArray):
        return match(step, field, "spacing")
    if not (np.isfinite(step) and step > 0):
        raise ValueError(f"Invalid spacing {step!r}. It must be positive and finite, in metres.")
    return step
