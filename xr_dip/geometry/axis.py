"""One axis of a grid: what it must be, centres between edges, unwrapped longitudes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Factor = tuple[int, int]


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


def middles(edges: FloatArray) -> FloatArray:
    """Centres half-way between edges.

    Examples
    --------
    >>> middles(np.array([0.0, 1.0, 3.0]))
    array([0.5, 2. ])
    """
    return (edges[:-1] + edges[1:]) / 2


def pairs(edges: FloatArray) -> FloatArray:
    """Two ends of each cell, shape (n, 2), in the direction of the axis: CF bounds.

    Examples
    --------
    >>> pairs(np.array([0.0, 1.0, 3.0])).tolist()
    [[0.0, 1.0], [1.0, 3.0]]
    """
    return np.stack([edges[:-1], edges[1:]], axis=-1)


def check_axis(values: FloatArray, name: str, least: int) -> None:
    """Require a 1-D array of finite numbers, strictly monotone in either direction.

    Parameters
    ----------
    values : array
    name : str
        Used in messages.
    least : int
        Smallest length.

    Raises
    ------
    ValueError
        With the first wrong value and its index.

    Examples
    --------
    >>> check_axis(np.array([0.0, 2.0, 1.0]), "latitude", 1)
    Traceback (most recent call last):
    ...
    ValueError: Invalid latitude 2.0, 1.0 at index 1. It must be strictly monotone, ascending or descending.
    """
    check_finite_axis(values, name, least)
    steps = np.diff(values)
    if len(steps) and not (np.all(steps > 0) or np.all(steps < 0)):
        index = int(np.argmax(np.sign(steps) != np.sign(steps[0]))) if steps[0] else 0
        raise ValueError(
            f"Invalid {name} {values[index]}, {values[index + 1]} at index {index}. "
            "It must be strictly monotone, ascending or descending."
        )


def check_finite_axis(values: FloatArray, name: str, least: int) -> None:
    """Require a 1-D array of finite numbers.

    Raises
    ------
    ValueError
        With the first wrong value and its index.

    Examples
    --------
    >>> check_finite_axis(np.array([0.0, np.nan]), "latitude", 1)
    Traceback (most recent call last):
    ...
    ValueError: Invalid latitude nan at index 1. It must be finite.
    """
    if values.ndim != 1 or len(values) < least:
        raise ValueError(f"Invalid {name} of shape {values.shape}. It must be 1-D with at least {least} value(s).")
    if not np.all(np.isfinite(values)):
        index = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"Invalid {name} {values[index]} at index {index}. It must be finite.")


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
    return 0.0 if np.any(longitude < 0) else 180.0


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
