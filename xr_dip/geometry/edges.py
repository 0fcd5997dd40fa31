"""Edges of the cells along one axis: from centres or bounds, and divided."""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt

from xr_dip.geometry.axis import FloatArray

CONTIGUITY = 0.01
"""Neighbouring bounds may differ by this part of a cell: float32 rounds 1/12 degree by 0.0004 of a cell."""


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


def cell_edges(centres: FloatArray, bounds: npt.ArrayLike | None, other: FloatArray, name: str) -> FloatArray:
    """Edges from bounds, else between the centres, else around one centre with the spacing of the other axis.

    Parameters
    ----------
    centres : array, shape (n,)
    bounds : array, shape (n, 2), optional
    other : array, shape (m,)
        Centres of the other axis.
    name : str
        Used in messages.

    Returns
    -------
    array, shape (n + 1,)

    Raises
    ------
    ValueError
        If bounds do not fit the centres, or there is one centre and nothing to tell a spacing.

    Examples
    --------
    >>> cell_edges(np.array([7.0]), None, np.array([1.0, 3.0]), "latitude")
    array([6., 8.])
    """
    if bounds is not None:
        return bounds_edges(np.asarray(bounds, dtype=np.float64), centres, f"{name}_bounds")
    if len(centres) > 1:
        return midpoint_edges(centres)
    if len(other) > 1:
        half = np.median(np.abs(np.diff(other))) / 2
        return np.array([centres[0] - half, centres[0] + half])
    raise ValueError(f"Invalid {name} of one value. It must come with bounds, or with another axis that has a spacing.")


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
