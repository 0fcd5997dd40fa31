r"""Covariance of block means: ``C = D k D^T`` for a kernel ``k`` on the fine grid and the block mean ``D``.

A cell whose fine cells all have the same weight is *full*; two full cells share one entry of a table of coarse offsets,
``T_y k T_x^T``, where ``T`` averages an axis of the kernel over the two boxes. Cells cut by land are *partial*: their
weights enter entry by entry. Everything is exact up to rounding, for any factor and any mask.

Axis order is (y, x) and cells are numbered row by row. `kernel` is always a table of non-negative fine offsets as made
by `xr_dip.kriging.matern.kernel_table`, of the fine shape; around the globe it repeats along x, and nothing else here
changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_sum, repeat

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
Cells = slice | IntArray
"""Cells of one axis: a slice, or their numbers where a window goes round."""

EQUAL_WEIGHTS = 0.02
"""Relative range of weights below which a cell counts as full; the caller iterates the small difference away."""


@dataclass(frozen=True, eq=False)
class Support:
    """Where the block means live: the fine cells of each coarse cell and their shares of its mean.

    Parameters
    ----------
    weights : array, shape (ny * fy, nx * fx)
        Not negative, 0 on land.
    factor : (int, int)
    cells : array of bool, shape (ny, nx)
        The coarse cells that have a value; each needs some weight.
    periodic : bool
        Whether the last column and the first are neighbours, as around the globe.
    noise : float or array, shape (ny, nx)
        Variance of independent noise on each value; arbitrary in cells that are not chosen.

    Raises
    ------
    ValueError
        If shapes disagree, a weight is negative or not finite, no cell is chosen, a chosen cell has no weight, or its
        noise is negative or not finite.

    Examples
    --------
    >>> support = Support(np.array([[1.0, 1.0, 1.0, 0.0]]), (1, 2), np.array([[True, True]]))
    >>> support.full
    array([[ True, False]])
    >>> support.shares
    array([[0.5, 0.5, 1. , 0. ]])
    """

    weights: FloatArray
    factor: Factor
    cells: BoolArray
    periodic: bool = False
    noise: float | FloatArray = 0.0

    def __post_init__(self) -> None:
        expected = tuple(n * f for n, f in zip(self.cells.shape, self.factor, strict=True))
        if self.weights.shape != expected:
            raise ValueError(
                f"Invalid weights of shape {self.weights.shape}. They must have the fine shape {expected}."
            )
        if not (np.isfinite(self.weights).all() and (self.weights >= 0).all()):
            raise ValueError(f"Invalid weights from {self.weights.min()}. They must be finite and not negative.")
        if not self.cells.any():
            raise ValueError(
                "Invalid values: no coarse cell has both a value and some sea. There must be one at least."
            )
        dry = self.cells & ~(self._total > 0)
        if dry.any():
            where = tuple(int(i) for i in np.argwhere(dry)[0])
            raise ValueError(
                f"Invalid cell {where}: it has a value but no weight. Each constrained cell must have some."
            )
        if np.ndim(self.noise):
            self._check_noise(np.asarray(self.noise))

    def _check_noise(self, noise: FloatArray) -> None:
        if noise.shape != self.shape:
            raise ValueError(f"Invalid noise of shape {noise.shape}. It must be one number or of shape {self.shape}.")
        wrong = self.cells & ~((noise >= 0) & np.isfinite(noise))
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ValueError(f"Invalid noise {noise[where]} in cell {where}. It must be 0 or a positive variance.")

    @cached_property
    def _total(self) -> FloatArray:
        return block_sum(self.weights, self.factor)

    @cached_property
    def _range(self) -> FloatArray:
        """Relative range of the weights in each cell."""
        (ny, nx), (fy, fx) = self.cells.shape, self.factor
        blocks = self.weights.reshape(ny, fy, nx, fx)
        highest, lowest = blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3))
        return np.asarray((highest - lowest) / np.where(highest > 0, highest, 1.0))

    @cached_property
    def full(self) -> BoolArray:
        """Constrained cells of (nearly) equal weights, shape (ny, nx)."""
        return self.cells & (self._range < EQUAL_WEIGHTS)

    @cached_property
    def partial(self) -> BoolArray:
        """Constrained cells of unequal weights, shape (ny, nx)."""
        return self.cells & ~self.full

    @property
    def exact(self) -> bool:
        """Whether the shares are those of the weights, with no full cell rounded to equal weights."""
        return not (self._range[self.full] > 1e-12).any()

    @property
    def complete(self) -> bool:
        """Whether every cell is constrained and full: a rectangle without land."""
        return bool(self.full.all())

    @cached_property
    def shares(self) -> FloatArray:
        """Share of each fine cell in the mean of its coarse cell; 0 in cells without a value. Of the fine shape."""
        scale = np.where(self.partial, self._total, np.inf)
        equal = np.where(self.full, 1.0 / np.prod(self.factor), 0.0)
        return np.asarray(repeat(equal, self.factor) + self.weights / repeat(scale, self.factor))

    @property
    def shape(self) -> tuple[int, int]:
        """Coarse shape (ny, nx)."""
        return self.cells.shape[0], self.cells.shape[1]

    @property
    def period(self) -> int | None:
        """Fine columns around the globe, None where the support does not go round."""
        return self.weights.shape[1] if self.periodic else None

    @property
    def noise_of_cells(self) -> float | FloatArray:
        """Variance of the noise of the constrained cells: one number, or shape (n,)."""
        return np.asarray(self.noise, dtype=np.float64)[self.cells] if np.ndim(self.noise) else self.noise

    @property
    def typical_noise(self) -> float:
        """Harmonic mean of the variance of the noise: cells count by what they say."""
        noise = np.atleast_1d(self.noise_of_cells)
        return float(1 / (1 / noise).mean()) if (noise > 0).all() else 0.0

    @cached_property
    def look(self) -> bytes:
        """What tells it from others: covariances and variances of one are those of all that look alike."""
        numbers = self.cells, self.shares, np.asarray(self.noise_of_cells)
        plain = repr((self.shape, self.factor, self.periodic)).encode()
        return plain + b"".join(np.ascontiguousarray(part).tobytes() for part in numbers)

    def window(self, rows: Cells, columns: Cells) -> Support:
        """Part of the support, cut in whole coarse cells; it goes round if it has all columns of one that does."""
        cells = self.cells[rows, columns]
        weights = self.weights[fine_cells(rows, self.factor[0]), fine_cells(columns, self.factor[1])]
        noise = np.asarray(self.noise)[rows, columns] if np.ndim(self.noise) else self.noise
        return Support(weights, self.factor, cells, self.periodic and cells.shape[1] == self.shape[1], noise)


def fine_cells(cells: Cells, factor: int) -> Cells:
    """Fine cells of some coarse cells along one axis.

    Parameters
    ----------
    cells : slice or array of int
        A slice has a start and a stop.
    factor : int

    Returns
    -------
    slice or array of int

    Examples
    --------
    >>> fine_cells(slice(1, 3), 2), fine_cells(np.array([5, 0]), 2)
    (slice(2, 6, None), array([10, 11,  0,  1]))
    """
    if isinstance(cells, slice):
        return slice(cells.start * factor, cells.stop * factor)
    return np.asarray((cells[:, None] * factor + np.arange(factor)).ravel())


def _box(n: int, factor: int) -> FloatArray:
    """Mean over one box: entry [o, a, d] is the share of fine offset d between point a of a cell and the cell o away.

    Offsets o run from -(n - 1) to n - 1, points a over the `factor` fine cells. Shape (2 n - 1, factor, n * factor).
    """
    cell = np.arange(1 - n, n)[:, None, None]
    point, other = np.arange(factor)[:, None], np.arange(factor)
    distance = np.abs(cell * factor + other - point)
    matrix = np.zeros((2 * n - 1, factor, n * factor))
    rows, points = np.arange(2 * n - 1)[:, None, None], point
    np.add.at(matrix, (np.broadcast_to(rows, distance.shape), np.broadcast_to(points, distance.shape), distance), 1.0)
    return matrix / factor


def _triangle(n: int, factor: int) -> FloatArray:
    """Mean over two boxes: shares of the fine offsets in the covariance of full cells 0 ... n - 1 apart, (n, n * f)."""
    lag = np.arange(1 - factor, factor)
    share = (factor - np.abs(lag)) / factor**2
    matrix = np.zeros((n, n * factor))
    cell = np.arange(n)[:, None]
    distance = np.abs(cell * factor + lag)
    np.add.at(matrix, (np.broadcast_to(cell, distance.shape), distance), np.broadcast_to(share, distance.shape))
    return matrix


def block_table(kernel: FloatArray, factor: Factor) -> FloatArray:
    """Covariance of the means of two full cells, by coarse offset.

    Parameters
    ----------
    kernel : array, shape (ny * fy, nx * fx)
    factor : (int, int)

    Returns
    -------
    array of float64, shape (ny, nx)

    Examples
    --------
    >>> block_table(np.array([[1.0, 0.5, 0.0, 0.0]]), (1, 2))
    array([[0.75 , 0.125]])
    """
    ny, nx = (n // f for n, f in zip(kernel.shape, factor, strict=True))
    return np.asarray(_triangle(ny, factor[0]) @ kernel @ _triangle(nx, factor[1]).T)


def point_table(kernel: FloatArray, factor: Factor) -> FloatArray:
    """Covariance of the value at a fine point and the mean of a full cell.

    Parameters
    ----------
    kernel : array, shape (ny * fy, nx * fx)
    factor : (int, int)

    Returns
    -------
    array of float64, shape (2 ny - 1, fy, 2 nx - 1, fx)
        Entry [oy + ny - 1, a, ox + nx - 1, b]: point (a, b) of a cell and the cell that is (oy, ox) cells further.

    Examples
    --------
    >>> point_table(np.array([[1.0, 0.5]]), (1, 2))[0, 0, 0]
    array([0.75, 0.75])
    """
    ny, nx = (n // f for n, f in zip(kernel.shape, factor, strict=True))
    along_y = np.tensordot(_box(ny, factor[0]), kernel, axes=1)
    return np.asarray(np.tensordot(along_y, _box(nx, factor[1]), axes=([2], [2])))


def local_kernel(kernel: FloatArray, factor: Factor, offset: tuple[int, int]) -> FloatArray:
    """Kernel between the fine points of a cell and those of the cell `offset` away, shape (fy * fx, fy * fx)."""
    (fy, fx), (oy, ox) = factor, offset
    y = np.abs(oy * fy + np.arange(fy) - np.arange(fy)[:, None])
    x = np.abs(ox * fx + np.arange(fx) - np.arange(fx)[:, None])
    return np.asarray(kernel[y[:, None, :, None], x[None, :, None, :]].reshape(fy * fx, fy * fx))


def patches(support: Support, rows: IntArray, columns: IntArray) -> FloatArray:
    """Shares of the fine cells of some coarse cells, shape (number of cells, fy * fx)."""
    (ny, nx), (fy, fx) = support.shape, support.factor
    return np.asarray(support.shares.reshape(ny, fy, nx, fx)[rows, :, columns, :].reshape(len(rows), fy * fx))


def _between_partial(
    kernel: FloatArray, factor: Factor, shares: FloatArray, rows: IntArray, columns: IntArray
) -> FloatArray:
    """Covariance of the means of partial cells: one product per distinct offset, shape (m, m)."""
    first, second = np.tril_indices(len(rows))
    offsets = np.stack([rows[second] - rows[first], columns[second] - columns[first]], axis=1)
    distinct, group = np.unique(offsets, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    members = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
    matrix = np.empty((len(rows), len(rows)))
    for offset, pairs in zip(distinct, members, strict=True):
        i, j = first[pairs], second[pairs]
        local = local_kernel(kernel, factor, (int(offset[0]), int(offset[1])))
        matrix[i, j] = matrix[j, i] = ((shares[i] @ local) * shares[j]).sum(axis=1)
    return matrix


def covariance_matrix(kernel: FloatArray, support: Support) -> FloatArray:
    """Covariance of the block means of all constrained cells.

    Parameters
    ----------
    kernel : array, shape (ny * fy, nx * fx)
    support : Support

    Returns
    -------
    array of float64, shape (n, n)
        Cells in row-major order.

    Examples
    --------
    >>> support = Support(np.array([[1.0, 1.0, 1.0, 0.0]]), (1, 2), np.array([[True, True]]))
    >>> covariance_matrix(np.array([[1.0, 0.5, 0.0, 0.0]]), support)
    array([[0.75, 0.25],
           [0.25, 1.  ]])
    """
    rows, columns = np.nonzero(support.cells)
    table = block_table(kernel, support.factor)
    matrix = table[np.abs(rows[:, None] - rows), np.abs(columns[:, None] - columns)]
    partial = np.flatnonzero(support.partial[rows, columns])
    if partial.size:
        (ny, nx), (fy, fx) = support.shape, support.factor
        p_rows, p_columns = rows[partial], columns[partial]
        shares = patches(support, p_rows, p_columns)
        to_cells = np.tensordot(shares.reshape(-1, fy, fx), point_table(kernel, support.factor), axes=([1, 2], [1, 3]))
        here = np.arange(len(partial))[:, None]
        block = to_cells[here, rows - p_rows[:, None] + ny - 1, columns - p_columns[:, None] + nx - 1]
        matrix[partial], matrix[:, partial] = block, block.T
        matrix[np.ix_(partial, partial)] = _between_partial(kernel, support.factor, shares, p_rows, p_columns)
    return np.asarray(matrix)
