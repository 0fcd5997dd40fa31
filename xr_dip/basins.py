"""Basins: parts of the sea that no water joins, and how to treat each as if it were alone.

Two fine cells belong to one basin if a chain of cells that share a side leads from one to the other. A corner joins
nothing: a C-grid model moves water through the sides of its cells only, so no water passes a diagonal gap. (Where the
mask is that of the coarse cells, whose corners may hide a strait, corners join.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from xr_dip.blocks import Factor, FloatArray, block_sum

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
LabelArray = npt.NDArray[np.int32]
Scalar = TypeVar("Scalar", bound=np.generic)

MARGIN = 2
"""Coarse cells of land around a basin that is treated alone: as far as a cubic convolution sees."""


def label_basins(sea: BoolArray, *, corners: bool = False, periodic: bool = False) -> LabelArray:
    """Find the basins of a sea and number them, the largest first.

    Parameters
    ----------
    sea : array of bool, shape (Y, X)
    corners : bool
        Whether cells that meet in a corner are joined, too.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    array of int32, shape (Y, X)
        0 on land, else the number of the basin, from 1. Basins of one size are in the order of their first cells.

    Raises
    ------
    ValueError
        If `sea` has another number of dimensions.

    Examples
    --------
    >>> sea = np.array([[1, 0, 1, 1], [0, 1, 0, 0]], dtype=bool)
    >>> label_basins(sea)
    array([[2, 0, 1, 1],
           [0, 3, 0, 0]], dtype=int32)
    >>> label_basins(sea, periodic=True)
    array([[1, 0, 1, 1],
           [0, 2, 0, 0]], dtype=int32)
    """
    if np.ndim(sea) != 2:
        raise ValueError(f"Invalid sea of shape {np.shape(sea)}. It must have two dimensions (Y, X).")
    labels, count = ndimage.label(sea, np.ones((3, 3)) if corners else None)
    group = _joined_at_seam(labels, count, corners) if periodic else np.arange(count + 1)
    sizes = np.bincount(group[labels.ravel()], minlength=int(group.max()) + 1)
    sizes[group[0]] = labels.size + 1  # Land comes first, whatever its size: its number is 0.
    rank = np.empty(len(sizes), dtype=np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.asarray(rank[group][labels])


def find_basins(sea: BoolArray, factor: Factor, *, periodic: bool = False) -> LabelArray:
    """Label the basins of a sea as far as its mask can tell them: one of whole coarse cells leaves corners open.

    Parameters
    ----------
    sea : array of bool, shape (ny * fy, nx * fx)
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    array of int32, shape (ny * fy, nx * fx)
        As of `label_basins`.

    Examples
    --------
    >>> coarse = np.eye(2, dtype=bool)
    >>> int(label_basins(coarse).max()), int(find_basins(np.kron(coarse, np.ones((2, 2), bool)), (2, 2)).max())
    (2, 1)
    """
    wet = block_sum(np.asarray(sea, dtype=np.float64), factor)
    size = factor[0] * factor[1]
    whole = bool(((wet == 0) | (wet == size)).all())
    return label_basins(sea, corners=whole and size > 1, periodic=periodic)


def _joined_at_seam(labels: npt.NDArray[np.integer], count: int, corners: bool) -> IntArray:
    """Group of each label: one for all labels that meet between the last column and the first."""
    first, last = labels[:, 0], labels[:, -1]
    if corners:
        first, last = (
            np.concatenate([first, first[1:], first[:-1]]),
            np.concatenate([last, last[:-1], last[1:]]),
        )
    both = (first > 0) & (last > 0)
    ends = first[both], last[both]
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(count + 1, count + 1))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Window:
    """Whole coarse cells around a basin, and the fine cells among them that are the basin.

    Attributes
    ----------
    rows : slice
        Coarse rows.
    columns : array of int
        Coarse columns; those of a basin across the seam begin before it and end behind it.
    factor : (int, int)
    inside : array of bool, of the fine shape of the window
        Whether a cell belongs to the basin.
    closed : bool
        Whether the columns are a full circle.
    """

    rows: slice
    columns: IntArray
    factor: Factor
    inside: BoolArray
    closed: bool

    def coarse(self, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Cut the window out of an array of shape (..., ny, nx)."""
        return np.asarray(np.take(array[..., self.rows, :], self.columns, axis=-1))

    def fine(self, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Cut the window out of an array of shape (..., ny * fy, nx * fx)."""
        rows, columns = self._fine()
        return np.asarray(np.take(array[..., rows, :], columns, axis=-1))

    def paste(self, part: npt.NDArray[Scalar], target: npt.NDArray[Scalar]) -> None:
        """Write the basin, of a part of the shape of the window, into an array of shape (..., ny * fy, nx * fx)."""
        rows, columns = self._fine()
        target[..., rows, columns] = np.where(self.inside, part, self.fine(target))

    def _fine(self) -> tuple[slice, IntArray]:
        return slice(self.rows.start * self.factor[0], self.rows.stop * self.factor[0]), _points(
            self.columns, self.factor[1]
        )


def _points(cells: IntArray, factor: int) -> IntArray:
    """Fine cells of some coarse cells of an axis."""
    return np.asarray((cells[:, None] * factor + np.arange(factor)).ravel())


def basin_windows(
    labels: LabelArray, factor: Factor, chosen: Iterable[int], *, margin: int = 0, periodic: bool = False
) -> Iterator[Window]:
    """Find the smallest windows around some basins.

    Parameters
    ----------
    labels : array of int, shape (ny * fy, nx * fx)
        From `label_basins`.
    factor : (int, int)
    chosen : iterable of int
        Numbers of basins.
    margin : int
        Coarse cells added on each side, where there are such.
    periodic : bool
        Whether the last column borders on the first.

    Yields
    ------
    Window

    Examples
    --------
    >>> sea = np.array([[0, 1, 0, 0, 0, 0, 1, 1]], dtype=bool)
    >>> [window.columns.tolist() for window in basin_windows(label_basins(sea), (1, 2), [1, 2])]
    [[3], [0]]
    """
    boxes = ndimage.find_objects(labels)
    for label in chosen:
        box = boxes[label - 1]
        basin = labels[box] == label
        used = np.unique((box[1].start + np.flatnonzero(basin.any(axis=0))) // factor[1])
        count = labels.shape[1] // factor[1]
        columns = _arc(used, count, margin) if periodic else _stretch(used, count, margin)
        rows = _stretch(np.array([box[0].start, box[0].stop - 1]) // factor[0], labels.shape[0] // factor[0], margin)
        fine_rows = slice(int(rows[0]) * factor[0], (int(rows[-1]) + 1) * factor[0])
        inside = np.take(labels[fine_rows], _points(columns, factor[1]), axis=1) == label
        closed = periodic and len(columns) == count
        yield Window(slice(int(rows[0]), int(rows[-1]) + 1), columns, factor, inside, closed)


def _stretch(used: IntArray, count: int, margin: int) -> IntArray:
    """Cells of an axis from the first to the last that is used."""
    return np.arange(max(0, int(used[0]) - margin), min(count, int(used[-1]) + 1 + margin))


def _arc(used: IntArray, count: int, margin: int) -> IntArray:
    """Cells of a circle but for the widest gap between those used."""
    gaps = np.diff(np.append(used, used[0] + count)) - 1
    widest = int(gaps.argmax())
    if gaps[widest] <= 2 * margin:
        return np.arange(count)
    first = used[(widest + 1) % len(used)] - margin
    return np.asarray((first + np.arange(count - gaps[widest] + 2 * margin)) % count)


class Operation(Protocol):
    """A change of a field that looks at its coarse values, and at neighbours.

    Examples
    --------
    >>> def flat(field, values, weights, factor, *, periodic=False):
    ...     return field * 0.0 + np.nanmean(values)
    >>> shift: Operation = flat
    >>> by_basin(shift, np.ones((1, 4)), np.array([[2.0, 4.0]]), np.ones((1, 4)), (1, 2), sea=np.ones((1, 4), bool))
    array([[3., 3., 3., 3.]])
    """

    def __call__(
        self, field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool
    ) -> FloatArray:
        """Return the changed field; arguments as for `xr_dip.blocks.misfit`."""


def by_basin(
    operation: Operation,
    field: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    *,
    sea: BoolArray | None = None,
    periodic: bool = False,
) -> FloatArray:
    """Change each basin as if the others were land; of one basin, the field as a whole.

    A coarse cell that two basins share gives its value to both: the part in each is taken to have that mean.

    Parameters
    ----------
    operation : callable
        Such as `xr_dip.interpolation.back_project` or `xr_dip.kriging.coast.coast_blend`.
    field : array, shape (..., ny * fy, nx * fx)
        Arbitrary on land.
    values : array, shape (..., ny, nx)
        NaN where there is no data.
    weights : array, shape (ny * fy, nx * fx)
        0 on land.
    factor : (int, int)
    sea : array of bool, shape (ny * fy, nx * fx), optional
        What is joined and changed; by default the cells with weight.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    array of float64, shape (..., ny * fy, nx * fx)
        Where there are several basins, the field as it was on land and in basins without a value.

    Examples
    --------
    >>> from functools import partial
    >>> from xr_dip.interpolation import back_project
    >>> weights = np.array([[1.0, 0.0, 1.0, 1.0]])
    >>> nearest = partial(back_project, method="nearest")
    >>> by_basin(nearest, np.zeros((1, 4)), np.array([[1.0, 3.0]]), weights, (1, 2))
    array([[1., 0., 3., 3.]])
    """
    labels = find_basins(np.asarray(weights) > 0 if sea is None else sea, factor, periodic=periodic)
    whole, data, share = (np.asarray(array, dtype=np.float64) for array in (field, values, weights))
    count = int(labels.max(initial=0))
    if count <= 1:
        return operation(whole, data, share, factor, periodic=periodic)
    changed = whole.copy()
    for window in basin_windows(labels, factor, range(1, count + 1), margin=MARGIN, periodic=periodic):
        own = np.where(window.inside, window.fine(share), 0.0)
        seen = np.where(block_sum(own, factor) > 0, window.coarse(data), np.nan)
        if np.isfinite(seen).any():
            part = np.where(window.inside, window.fine(whole), 0.0)
            window.paste(operation(part, seen, own, factor, periodic=window.closed), changed)
    return changed
