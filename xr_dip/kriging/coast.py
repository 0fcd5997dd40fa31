"""The sea near land, where a coarse cell says little and kriging extrapolates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from xr_dip.blocks import Factor, FloatArray, cell_width, misfit, repeat
from xr_dip.interpolation import conservative

COAST_SHARE, COAST_REACH = 0.88, 0.65
"""Share of the interpolation at the shore, and the distance over which it falls by e, in coarse cells."""


def land_distance(weights: npt.NDArray[np.floating], *, periodic: bool = False) -> FloatArray:
    """Distance of each fine cell to the nearest land, in fine cells; infinite where there is no land.

    Parameters
    ----------
    weights : array, shape (rows, columns)
        0 on land.
    periodic : bool
        Whether the nearest land may lie across the seam between the last column and the first.

    Returns
    -------
    array of float64, same shape

    Examples
    --------
    >>> land_distance(np.array([[0.0, 1.0, 1.0]]))
    array([[0., 1., 2.]])
    >>> land_distance(np.array([[0.0, 1.0, 1.0]]), periodic=True)
    array([[0., 1., 1.]])
    """
    sea = np.asarray(weights) > 0
    if sea.all():
        return np.full(sea.shape, np.inf)
    width = sea.shape[1]
    reach = width // 2 if periodic else 0  # no cell of a circle is further than half of it
    wide = distance_transform_edt(np.pad(sea, ((0, 0), (reach, reach)), mode="wrap"))
    return np.asarray(wide[:, reach : reach + width], dtype=np.float64)


def blend_within_error(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool = False
) -> FloatArray:
    """Blend a field at the coast as far as its error allows.

    Parameters
    ----------
    field : array, shape (2, ny * fy, nx * fx)
        A field and its standard error, in one array for `xr_dip.basins.by_basin`.
    values, weights, factor, periodic
        As of `coast_blend`.

    Returns
    -------
    array of float64, shape (2, ny * fy, nx * fx)
        The field blended, its error as it was.

    Examples
    --------
    >>> pair = np.array([[[1.0, 3.0, 9.0, 9.0]], [[0.1, 0.1, 0.1, 0.1]]])
    >>> blend_within_error(pair, np.array([[2.0, 9.0]]), np.ones((1, 4)), (1, 2))[0]
    array([[1., 3., 9., 9.]])
    """
    return np.stack([coast_blend(field[0], values, weights, factor, error=field[1], periodic=periodic), field[1]])


def coast_blend(
    field: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    *,
    error: npt.NDArray[np.floating] | None = None,
    periodic: bool = False,
) -> FloatArray:
    """Mix conservative interpolation into a field near land, where kriging extrapolates too boldly.

    ``x + g w (b - x)`` with ``w = 0.88 exp(-(distance - 1) / (0.65 f))`` and b the mean of bicubic and bilinear
    interpolation, both conservative, then one additive step for exact block means. On a smooth sea kriging is far
    better than either even at the coast: where they depart from it by more than it can be wrong, ``g = min(1, mean
    error^2 / mean (b - x)^2)``, both means over the sea within half a coarse cell of land.

    Parameters
    ----------
    field : array, shape (ny * fy, nx * fx)
        Finite in the sea.
    values : array, shape (ny, nx)
        NaN where there is no data.
    weights : array, shape (ny * fy, nx * fx)
        0 on land.
    factor : (int, int)
    error : array, shape (ny * fy, nx * fx), optional
        Standard error of the field; without, g is 1.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    array of float64, shape (ny * fy, nx * fx)
        The field itself where there is no land.

    Examples
    --------
    >>> field = np.array([[1.0, 3.0, 9.0, 9.0]])
    >>> coast_blend(field, np.array([[2.0, 9.0]]), np.ones((1, 4)), (1, 2))
    array([[1., 3., 9., 9.]])
    """
    if (np.asarray(weights) > 0).all():
        return np.asarray(field, dtype=np.float64)
    distance = land_distance(weights, periodic=periodic)
    if np.isinf(distance).all():
        return np.array(field, dtype=np.float64)
    reach = COAST_REACH * cell_width(factor)
    share = COAST_SHARE * np.exp(-np.maximum(distance - 1, 0.0) / reach)
    methods = ("bicubic", "bilinear")  # the one overshoots at a shore, the other is too flat
    smooth = sum(conservative(values, weights, factor, method, periodic=periodic) for method in methods) / len(methods)
    change = share * (smooth - field)
    if error is not None:
        near = (distance > 0) & (distance <= max(1.0, cell_width(factor) / 2))
        departure = float(((smooth - field)[near] ** 2).mean())
        change *= min(1.0, float((np.asarray(error)[near] ** 2).mean()) / departure) if departure else 1.0
    blended = field + change
    return np.asarray(blended + repeat(misfit(blended, values, weights, factor), factor))
