"""How far a result is from its coarse values, in a few numbers: the largest error, the usual one, and that of the mean.

Of the enforced estimate they are the errors after enforcement, of the mean of the fits those before it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_sum
from xr_dip.geometry.grid import Grid, IndexGrid


def summarize_errors(errors: FloatArray, areas: FloatArray) -> dict[str, float]:
    """Return the largest and the mean absolute error of the coarse values, and the error of their mean over the area.

    The last is zero where errors cancel; times the area it is the error of the volume.

    Parameters
    ----------
    errors : array, shape (..., ny, nx)
        Coarse values of a result minus those of the input, NaN where there are none.
    areas : array, shape (..., ny, nx)
        How much each counts in the mean, see `sea_areas`.

    Returns
    -------
    dict of str to float
        In the unit of the errors; empty where there are none.

    Examples
    --------
    >>> summarize_errors(np.array([[0.5, -0.25, np.nan]]), np.array([[1.0, 2.0, 1.0]]))
    {'largest': 0.5, 'mean_absolute': 0.375, 'area_mean': 0.0}
    """
    known = np.isfinite(errors)
    if not known.any():
        return {}
    totals = {"largest": float(np.abs(errors[known]).max()), "mean_absolute": float(np.abs(errors[known]).mean())}
    weights = np.broadcast_to(areas, errors.shape)[known]
    if weights.sum() > 0:
        totals["area_mean"] = float((weights * errors[known]).sum() / weights.sum())
    return totals


def sea_areas(mean: npt.NDArray[np.floating], grid: Grid, factor: Factor) -> FloatArray:
    """Return the area of the sea in each coarse cell: that of the cell, times the share of its fine cells with a value.

    Parameters
    ----------
    mean : array, shape (..., ny * fy, nx * fx)
        The fine field, NaN on land.
    grid : Grid
        Of the coarse field; where it has no positions all cells are alike.
    factor : (int, int)

    Returns
    -------
    array, shape (..., ny, nx)
        Square metres, or cells.

    Examples
    --------
    >>> sea_areas(np.array([[0.1, 0.2, 0.3, np.nan]]), IndexGrid.of_shape((1, 2)), (1, 2))
    array([[1. , 0.5]])
    """
    sea = np.isfinite(mean).astype(np.float32)
    share = block_sum(sea, factor) / (factor[0] * factor[1])
    area = np.ones(grid.shape) if isinstance(grid, IndexGrid) else np.nan_to_num(grid.area())
    return np.asarray(share * area)
