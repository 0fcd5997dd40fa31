r"""Arithmetic of blocks: the weighted mean of fine cells in a coarse cell, and its transpose.

Symbols, as in the whole package: ``f = (fy, fx)`` the factor, ``w`` the weight of each fine cell (0 on land),
``P_w(x) = P(w x) / P(w)`` the weighted block mean (Geiss & Hardin 2023, section 2), ``up`` the repetition of a coarse
value over its fine cells. Arrays are ``(..., y, x)``; leading axes are carried.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Factor = tuple[int, int]
SMALL_FACTOR = 4
"""Width up to which coarse cells resolve the field, and kriging is nearly perfect."""
WIDE_CELLS = 24
"""Width from which a coarse cell is wider than most eddies."""


def cell_width(factor: Factor) -> float:
    """Fine cells across a coarse cell: the geometric mean of both axes.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    float

    Examples
    --------
    >>> cell_width((2, 8))
    4.0
    """
    return float(np.sqrt(np.prod(factor)))


def block_sum(fine: npt.NDArray[np.floating], factor: Factor) -> FloatArray:
    """Sum of the fine cells in each coarse cell.

    Parameters
    ----------
    fine : array, shape (..., ny * fy, nx * fx)
        Values on the fine grid, any unit.
    factor : (int, int)
        Fine cells per coarse cell along y and x.

    Returns
    -------
    array of float64, shape (..., ny, nx)

    Raises
    ------
    ValueError
        If the fine shape is no multiple of the factor.

    Examples
    --------
    >>> block_sum(np.ones((4, 6)), (2, 3))
    array([[6., 6.],
           [6., 6.]])
    """
    fy, fx = factor
    rows, columns = fine.shape[-2:]
    if rows % fy or columns % fx:
        raise ValueError(f"Invalid fine shape {(rows, columns)}. It must be a multiple of the factor {factor}.")
    blocks = fine.reshape(*fine.shape[:-2], rows // fy, fy, columns // fx, fx)
    return np.asarray(blocks.sum(axis=(-3, -1), dtype=np.float64))


def repeat(coarse: npt.NDArray[np.floating], factor: Factor) -> npt.NDArray[np.floating]:
    """Repeat each coarse value over its fine cells: nearest-neighbour upsampling.

    Parameters
    ----------
    coarse : array, shape (..., ny, nx)
    factor : (int, int)

    Returns
    -------
    array, shape (..., ny * fy, nx * fx), of the same dtype

    Examples
    --------
    >>> repeat(np.array([[1.0, 2.0]]), (1, 2))
    array([[1., 1., 2., 2.]])
    """
    return np.repeat(np.repeat(coarse, factor[0], axis=-2), factor[1], axis=-1)


def block_mean(fine: npt.NDArray[np.floating], weights: npt.NDArray[np.floating], factor: Factor) -> FloatArray:
    """Weighted mean of the fine cells in each coarse cell; NaN where a cell has no weight.

    Equation :eq:`mean` of the theory page. Fine cells of weight 0 never count, whatever they hold, NaN included.

    Parameters
    ----------
    fine : array, shape (..., ny * fy, nx * fx)
    weights : array, shape (ny * fy, nx * fx)
        Not negative; 0 on land.
    factor : (int, int)

    Returns
    -------
    array of float64, shape (..., ny, nx)

    Examples
    --------
    >>> block_mean(np.array([[1.0, np.nan], [3.0, 5.0]]), np.array([[1.0, 0.0], [1.0, 2.0]]), (2, 2))
    array([[3.5]])
    """
    total = block_sum(weights, factor)
    weighted = np.where(weights > 0, fine, 0.0) * weights
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, block_sum(weighted, factor) / total, np.nan)


def misfit(
    field: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
) -> FloatArray:
    """``y - P_w x``; 0 where nothing is observed: no value, or no weight.

    Parameters
    ----------
    field : array, shape (..., ny * fy, nx * fx)
        A NaN at sea is a NaN in the misfit.
    values : array, shape (ny, nx)
        Coarse values; NaN where there are none.
    weights : array, shape (ny * fy, nx * fx)
        0 on land.
    factor : (int, int)

    Returns
    -------
    array of float64, shape (..., ny, nx), unit of the field

    Examples
    --------
    >>> misfit(np.zeros((2, 4)), np.array([[0.5, np.nan]]), np.ones((2, 4)), (2, 2))
    array([[0.5, 0. ]])
    """
    unseen = np.isnan(values) | (block_sum(weights, factor) <= 0)
    return np.asarray(np.where(unseen, 0.0, values - block_mean(field, weights, factor)))
