r"""Plane trend of a field, and of its block means.

The columns are a constant and one coordinate per axis, centred and scaled to about one. A slope is only as good as the
cells that carry it: with fewer than three cells per coefficient, or cells all in one line, the trend is a constant.
Around the globe there is no slope along x: it would not meet itself.
"""

from __future__ import annotations

import numpy as np

from xr_dip.blocks import FloatArray, block_mean, repeat
from xr_dip.kriging.block_covariance import Support

CELLS_PER_COEFFICIENT = 3


def plane(shape: tuple[int, int]) -> FloatArray:
    """Constant and coordinates of a grid, from -1 to 1 across it.

    Parameters
    ----------
    shape : (int, int)

    Returns
    -------
    array of float64, shape (3, rows, columns)

    Examples
    --------
    >>> plane((1, 2))[2]
    array([[-0.5,  0.5]])
    """
    y, x = ((2 * np.arange(n) + 1) / n - 1 for n in shape)
    return np.stack([np.ones(shape), *np.meshgrid(y, x, indexing="ij")])


def coarse_plane(support: Support) -> FloatArray:
    """Block means of `plane`; the plain mean in cells without a value.

    Parameters
    ----------
    support : Support

    Returns
    -------
    array of float64, shape (3, ny, nx)

    Examples
    --------
    >>> coarse_plane(Support(np.ones((2, 4)), (2, 2), np.array([[True, True]])))[2]
    array([[-0.5,  0.5]])
    """
    shares = np.where(repeat(support.cells.astype(float), support.factor) > 0, support.shares, 1.0)
    rows, columns = support.weights.shape
    return block_mean(plane((rows, columns)), shares, support.factor)


def trend_terms(support: Support) -> list[int]:
    """Columns of `plane` that the constrained cells determine: all varying ones, or the constant alone.

    Parameters
    ----------
    support : Support

    Returns
    -------
    list of int

    Examples
    --------
    >>> trend_terms(Support(np.ones((2, 20)), (2, 2), np.ones((1, 10), dtype=bool)))
    [0, 2]
    >>> trend_terms(Support(np.ones((2, 4)), (2, 2), np.ones((1, 2), dtype=bool)))
    [0]
    >>> trend_terms(Support(np.ones((8, 8)), (2, 2), np.ones((4, 4), dtype=bool), periodic=True))
    [0, 1]
    """
    columns = coarse_plane(support)[:, support.cells]
    axes = (1,) if support.periodic else (1, 2)
    terms = [0] + [axis for axis in axes if np.ptp(columns[axis]) > 1e-9]
    enough = columns.shape[1] >= CELLS_PER_COEFFICIENT * len(terms)
    independent = np.linalg.matrix_rank(columns[terms], tol=1e-6 * np.sqrt(columns.shape[1])) == len(terms)
    return terms if enough and independent else [0]
