"""One axis of a grid: cell edges from centres or bounds, subdivision, unwrapped longitudes."""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Factor = tuple[int, int]

CONTIGUITY = 0.01
"""Neighbouring bounds may differ by this part of a cell: float32 rounds 1/12 degree by 0.0004 of a cell."""


def check_factor(factor: object) -> Factor:
    """Require two whole numbers of fine cells per coarse cell, along y and x.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> check_factor((4, 2))
    (4, 2)
    """
    if not (isinstance(factor, tuple) and len(factor) == 2 and all(map(_is_count, factor))):
        raise ValueError(f"Invalid factor {factor!r}. It must be two whole numbers (fy, fx), each 1 or more.")
    return int(factor[0]), int(factor[1])


def _is_count(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and bool(number >= 1)


def check_cells(cells: slice, size: int, name: str) -> slice:
    """Write a window of an axis as start and stop, both within the axis.

    Raises
    ------
    ValueError
        If the window is empty or has a step.

    Examples
    --------
    >>> check_cells(slice(-3, None), 10, "yslice")
    slice(7, 10, 1)
    """
    start, stop, step = cells.indices(size)
    if step != 1 or stop <= start:
        raise ValueError(f"Invalid {name} {cells!r}. It must name one or more of the {size} cells, without a step.")
    return slice(start, stop, 1)


def read_only(values: npt.ArrayLike) -> FloatArray:
    """Copy to float64 and forbid writing.

    Examples
    --------
    >>> read_only([1, 2]).flags.writeable
    False
    """
    copy = np.array(values, dtype=np.float64)
    copy.flags.writeable = False
    return copy


def extend(values: FloatArray, order: int) -> FloatArray:
    """One more value before and after the first axis, on the polynomial through the nearest `order` values.

    Parameters
    ----------
    values : array, shape (n, ...)
    order : int
        1 repeats the end, 2 is linear, 3 quadratic; at most n.

    Returns
    -------
    array, shape (n + 2, ...)

    Examples
    --------
    >>> extend(np.array([1.0, 4.0, 9.0]), 3)
    array([ 0.,  1.,  4.,  9., 16.])
    """
    signed = [(-1) ** k * comb(order, k + 1) for k in range(order)]
    before = sum(weight * values[k] for k, weight in enumerate(signed))
    after = sum(weight * values[-1 - k] for k, weight in enumerate(signed))
    return np.concatenate([[before], values, [after]])


def midpoint_edges(centres: FloatArray) -> FloatArray:
    """Edges half-way between centres; the first and last cell reach as far out as in.

    Parameters
    ----------
    centres : array, shape (n,), n of 2 or more

    Returns
    -------
    array, shape (n + 1,)

    Examples
    --------
    >>> midpoint_edges(np.array([1.0, 2.0, 4.0]))
    array([0.5, 1.5, 3. , 5. ])
    """
    padded = extend(centres, 2)
    return (padded[:-1] + padded[1:]) / 2


def smooth_edges(centres: FloatArray) -> FloatArray:
    """Edges of a smoothly curved axis: the cubic through the four nearest centres, quadratic beyond the ends.

    Half-way points of chords lie inside of a curve by 1/8 of its second difference; these are right to third order.

    Parameters
    ----------
    centres : array, shape (n, ...), n of 2 or more

    Returns
    -------
    array, shape (n + 1, ...)

    Examples
    --------
    >>> smooth_edges(np.arange(5.0) ** 2)
    array([ 0.25,  0.25,  2.25,  6.25, 12.25, 20.25])
    """
    order = min(len(centres), 3)
    padded = extend(extend(centres, order), order)
    return (9 * (padded[1:-2] + padded[2:-1]) - (padded[:-3] + padded[3:])) / 16


def bounds_edges(bounds: FloatArray, centres: FloatArray, name: str) -> FloatArray:
    """Edges of an axis from CF bounds, in the direction of the centres.

    Parameters
    ----------
    bounds : array, shape (n, 2)
        The two ends of each cell, in either order; a single cell takes its direction from them.
    centres : array, shape (n,)
    name : str
        Used in messages.

    Returns
    -------
    array, shape (n + 1,)

    Raises
    ------
    ValueError
        If the shape is wrong, a cell does not hold its centre, or two neighbours share no edge.

    Examples
    --------
    >>> bounds_edges(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.5, 0.5]), "latitude_bounds")
    array([2., 1., 0.])
    """
    if bounds.shape != (len(centres), 2):
        raise ValueError(f"Invalid {name} of shape {bounds.shape}. It must be {(len(centres), 2)}, two ends per cell.")
    low, high = bounds.min(axis=1), bounds.max(axis=1)
    width = high - low
    if not np.all((width > 0) & (low - CONTIGUITY * width <= centres) & (centres <= high + CONTIGUITY * width)):
        raise ValueError(f"Invalid {name}. Each pair must be finite, hold the centre of its cell and have a width.")
    descending = centres[1] < centres[0] if len(centres) > 1 else bounds[0, 1] < bounds[0, 0]
    starts, ends = (high, low) if descending else (low, high)
    gap = np.abs(starts[1:] - ends[:-1])
    if np.any(gap > CONTIGUITY * np.minimum(width[1:], width[:-1])):
        index = int(np.argmax(gap))
        raise ValueError(
            f"Invalid {name}. Cells {index} and {index + 1} must share an edge; they are {gap[index]} apart."
        )
    return np.append(starts, ends[-1])


def subdivide(edges: FloatArray, factor: int) -> FloatArray:
    """Linear subdivision of edges along the first axis; the given edges stay among the result, bit for bit.

    Parameters
    ----------
    edges : array, shape (n + 1, ...)
    factor : int

    Returns
    -------
    array, shape (n * factor + 1, ...)

    Examples
    --------
    >>> subdivide(np.array([0.0, 1.0, 3.0]), 2)
    array([0. , 0.5, 1. , 2. , 3. ])
    """
    part = np.arange(factor, dtype=np.float64).reshape(-1, *[1] * (edges.ndim - 1)) / factor
    fine = (1 - part) * edges[:-1, None] + part * edges[1:, None]
    return np.concatenate([fine.reshape(-1, *edges.shape[1:]), edges[-1:]])


def unwrap(longitude: FloatArray, axis: int = -1) -> FloatArray:
    """Longitudes without jumps: whole turns are added where neighbours differ by more than half a turn.

    Unlike `numpy.unwrap`, it leaves the digits of values that need no turn alone.

    Examples
    --------
    >>> unwrap(np.array([179.0, -179.0, -177.0]))
    array([179., 181., 183.])
    """
    turns = np.round(np.diff(longitude, axis=axis) / 360.0)
    first = np.zeros_like(np.take(longitude, [0], axis=axis))
    return np.asarray(longitude - 360.0 * np.concatenate([first, np.cumsum(turns, axis=axis)], axis=axis))


def near(longitude: FloatArray, reference: FloatArray | float) -> FloatArray:
    """Move longitudes by whole turns to within half a turn of a reference.

    Examples
    --------
    >>> near(np.array([359.0, 1.0]), 0.0)
    array([-1.,  1.])
    """
    return np.asarray(longitude - 360.0 * np.round((longitude - reference) / 360.0))


def branch(longitude: FloatArray) -> float | None:
    """Where the longitudes of an input are cut: the middle of its convention, or None if it has no jump.

    Examples
    --------
    >>> branch(np.array([178.0, 179.0, -180.0])), branch(np.array([359.0, 0.0])), branch(np.array([359.0, 360.0]))
    (0.0, 180.0, None)
    """
    jumps = any(np.any(np.abs(np.diff(longitude, axis=axis)) > 180.0) for axis in range(longitude.ndim))
    if not jumps:
        return None
    return 0.0 if np.min(longitude) < 0 else 180.0


def rewrap(longitude: FloatArray, middle: float | None) -> FloatArray:
    """Longitudes in the convention of `branch`: [middle - 180, middle + 180), or as they are for None.

    Examples
    --------
    >>> rewrap(np.array([178.0, 182.0]), 0.0)
    array([ 178., -178.])
    """
    if middle is None:
        return longitude
    return np.asarray(longitude - 360.0 * np.floor((longitude - middle + 180.0) / 360.0))
