"""How basins share the coarse cells: which of them has which values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from xr_dip.basins import LabelArray
from xr_dip.blocks import FloatArray
from xr_dip.kriging.block_covariance import IntArray, Support


@dataclass(frozen=True, eq=False)
class LoneBasins:
    """Basins with one value.

    Attributes
    ----------
    labels : array of int, shape (n,)
    cells : array of int, shape (n,)
        Flat index of the coarse cell that each has a part in.
    points : array of int, shape (m,)
        Flat indices of the fine cells of those parts.
    matrix : sparse array, shape (n, m)
        Weighted means of the points.
    """

    labels: IntArray
    cells: IntArray
    points: IntArray
    matrix: csr_array

    def means(self, field: npt.NDArray[np.floating]) -> FloatArray:
        """Means of fine fields (..., ny * fy, nx * fx) in each basin, shape (..., n)."""
        lead = field.shape[:-2]
        columns = field.reshape(-1, field.shape[-2] * field.shape[-1])[:, self.points].T
        return np.asarray((self.matrix @ columns).T.reshape(*lead, len(self.labels)), dtype=np.float64)


class BasinShares:
    """The parts that basins have in the constrained cells.

    Parameters
    ----------
    labels : array of int, shape (ny * fy, nx * fx)
        From `xr_dip.basins.label_basins`.
    support : Support

    Attributes
    ----------
    owner : array of int, shape (ny, nx)
        Basin of the largest weight in each constrained cell, of two alike the lower number; 0 in other cells.
    counts : array of int, shape (basins + 1,)
        Constrained cells that each basin has a part in, by its number.
    lone : LoneBasins

    Raises
    ------
    ValueError
        If the shape of the labels is wrong, or a cell with weight is in no basin.

    Examples
    --------
    >>> support = Support(np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 1.0]]), (1, 3), np.array([[True, True]]))
    >>> shares = BasinShares(np.array([[1, 1, 1, 0, 0, 2]], dtype=np.int32), support)
    >>> shares.owner, shares.counts
    (array([[1, 2]]), array([0, 1, 1]))
    """

    def __init__(self, labels: LabelArray, support: Support) -> None:
        _check(labels, support)
        cell, label, weight = _parts(labels, support)
        self.counts = np.bincount(label, minlength=int(labels.max()) + 1)
        self.owner = np.zeros(support.shape, dtype=np.intp)
        order = np.lexsort((-label, weight))
        self.owner.ravel()[cell[order]] = label[order]  # Of several written to one place the last stays.
        alone = self.counts[label] == 1
        self.lone = _lone(cell[alone], label[alone], labels, support)


def _check(labels: LabelArray, support: Support) -> None:
    if labels.shape != support.weights.shape:
        raise ValueError(f"Invalid labels of shape {labels.shape}. They must have the shape {support.weights.shape}.")
    astray = (labels < 1) & (support.weights > 0)
    if astray.any():
        where = tuple(int(i) for i in np.argwhere(astray)[0])
        raise ValueError(
            f"Invalid label {labels[where]} at index {where}. A cell with weight must be in a basin: 1 or more."
        )


def _parts(labels: LabelArray, support: Support) -> tuple[IntArray, IntArray, FloatArray]:
    """Constrained cells, the number of each basin that has a part in them, and its weight: three equal shapes."""
    cell = _cell_of_point(support)
    seen = np.flatnonzero((support.weights.ravel() > 0) & support.cells.ravel()[cell])
    count = int(labels.max()) + 1
    pair, place = np.unique(cell[seen] * count + labels.ravel()[seen], return_inverse=True)
    weight = np.bincount(place.ravel(), weights=support.weights.ravel()[seen])
    return pair // count, pair % count, np.asarray(weight, dtype=np.float64)


def _cell_of_point(support: Support) -> IntArray:
    """Flat index of the coarse cell of each fine cell, flat."""
    (fy, fx), (rows, columns) = support.factor, support.weights.shape
    return np.asarray(np.add.outer(np.arange(rows) // fy * (columns // fx), np.arange(columns) // fx).ravel())


def _lone(cell: IntArray, label: IntArray, labels: LabelArray, support: Support) -> LoneBasins:
    """Gather the basins `label`, each of which has one value, in the coarse cell `cell`."""
    row = np.full(int(labels.max()) + 1, -1)
    row[label] = np.arange(len(label))
    row_of_point = row[labels.ravel()]
    home = np.append(cell, -1)[row_of_point]  # Row -1, of all other basins, takes the -1.
    points = np.flatnonzero((home == _cell_of_point(support)) & (support.weights.ravel() > 0))
    rows, weights = row_of_point[points], support.weights.ravel()[points]
    total = np.bincount(rows, weights=weights, minlength=len(label))
    index = (rows, np.arange(len(points)))
    return LoneBasins(label, cell, points, csr_array((weights / total[rows], index), shape=(len(label), len(points))))
