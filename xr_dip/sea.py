"""Which fine cells are sea, how much each counts in its coarse mean, and what is to be said of each in the output."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from xr_dip.basins import find_basins
from xr_dip.blocks import Factor, block_sum, repeat
from xr_dip.errors import DipWarning, first_index
from xr_dip.geometry.axis import check_factor

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

LARGEST_HEIGHT = 100.0
"""Metres. Beyond it a sea surface height is a fill value that was not declared."""


class Flag(IntFlag):
    """What is special about a fine cell; several may hold at once.

    Examples
    --------
    >>> Flag(5)
    <Flag.land|seam: 5>
    """

    land = 1
    """The fine mask says land, or there is no fine mask and the coarse value is missing."""
    no_data = 2
    """Fine sea under a missing coarse value: no estimate, unless `extrapolated`."""
    seam = 4
    """Blended from several tiles."""
    not_converged = 8
    """A fit ended far from the coarse values, by more than half of their standard deviation."""
    coarse_unused = 16
    """Fine land under a coarse value, which therefore constrains nothing."""
    extrapolated = 32
    """Fine sea under a missing coarse value beside a used one: an estimate on request, which nothing constrains."""


GAP = Flag.land | Flag.no_data
"""Of all cells at a time without any value: nobody can tell land from sea."""

FLAG_MASKS: tuple[int, ...] = tuple(flag.value for flag in Flag)
"""For the CF attribute ``flag_masks``."""

FLAG_MEANINGS: str = " ".join(str(flag.name) for flag in Flag)
"""For the CF attribute ``flag_meanings``."""


@dataclass(frozen=True, eq=False)
class Sea:
    """The sea on the fine grid, and the coarse cells that constrain it.

    Attributes
    ----------
    mask : array of bool, shape (ny * fy, nx * fx)
        Fine cells that get a value.
    weights : array of float64, shape (ny * fy, nx * fx)
        Weight of each fine cell in the mean of its coarse cell; 0 outside of `mask`, and where it is `extrapolated`.
    coarse : array of bool, shape (ny, nx)
        Coarse cells that have data and fine sea.
    flags : array of int8, shape (ny * fy, nx * fx)
        Sums of `Flag`.

    Examples
    --------
    >>> find_sea(np.array([[0.1, np.nan]]), (2, 2)).mask.astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0]])
    """

    mask: BoolArray
    weights: FloatArray
    coarse: BoolArray
    flags: npt.NDArray[np.int8]

    @property
    def water(self) -> BoolArray:
        """All cells that are not land, with data or without: what joins basins."""
        return np.asarray((self.flags & Flag.land) == 0)

    @property
    def extrapolated(self) -> BoolArray:
        """Cells of `mask` that no coarse value constrains: they have a value, but no weight."""
        return np.asarray(self.mask & (self.weights == 0))


def find_sea(
    values: npt.NDArray[np.floating],
    factor: Factor,
    *,
    mask: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    extrapolate: bool = False,
    periodic: bool = False,
    quiet: bool = False,
) -> Sea:
    """Find the fine cells that are sea: those whose coarse cell has data and that the fine mask and weights leave open.

    1. A coarse cell with data but no fine sea constrains nothing: flagged `coarse_unused`.
    2. Fine sea under a missing coarse value has no estimate: flagged `no_data`; or, with `extrapolate`, one within one
       coarse cell (eight neighbours) of data that are used, and in one basin with data: flagged `extrapolated` instead.

    Parameters
    ----------
    values : array, shape (ny, nx)
        Coarse field in metres, NaN where it has no data.
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    mask : array of bool or 0 and 1, shape (ny * fy, nx * fx), optional
        True or 1 on sea. By default all of a coarse cell with data is sea.
    weights : array, shape (ny * fy, nx * fx), optional
        Finite and not negative on the sea of `mask`, such as cell areas; 0 marks land. By default all 1.
    extrapolate : bool
        Whether fine sea beside the data gets a value, too.
    periodic : bool
        Whether the first column is a neighbour of the last.
    quiet : bool
        Do not warn: of a part of a field, whose indices mean nothing.

    Returns
    -------
    Sea

    Raises
    ------
    ValueError
        If the field, the mask or the weights are no such arrays, or no sea is left.

    Warns
    -----
    DipWarning
        If coarse cells have data but no fine sea: they constrain nothing.

    Examples
    --------
    >>> sea = find_sea(np.array([[0.1, np.nan]]), (1, 2), mask=[[1, 0, 0, 1]])
    >>> sea.weights
    array([[1., 0., 0., 0.]])
    >>> [Flag(flag).name for flag in sea.flags[0].tolist()]
    [None, 'land', 'land', 'no_data']
    >>> sea = find_sea(np.array([[0.1, np.nan]]), (1, 2), mask=[[1, 1, 1, 0]], extrapolate=True)
    >>> sea.mask.astype(int), sea.weights
    (array([[1, 1, 1, 0]]), array([[1., 1., 0., 0.]]))
    """
    factor = check_factor(factor)
    check_values(values, "values", largest=np.inf)  # who knows the unit has looked for fill values
    if values.ndim != 2:
        raise ValueError(f"Invalid values of shape {values.shape}. It must be 2-D (ny, nx).")
    shape = values.shape[0] * factor[0], values.shape[1] * factor[1]
    has_data = np.isfinite(values)
    under_data = _spread(has_data, factor)
    open_sea, weight = read_open_sea(under_data, shape, mask, weights)
    constrained = open_sea & under_data
    if not np.any(constrained):
        raise ValueError(
            "Invalid mask, weights. At least one fine cell under coarse data must be sea (1, weight above 0)."
        )
    coarse = block_sum(constrained.astype(np.float64), factor) > 0
    unused = has_data & ~coarse
    if not quiet:
        warn_of_unused(unused)
    without_data = open_sea & ~under_data
    beside = without_data & _spread(_grow(coarse, periodic), factor) if extrapolate else np.zeros(shape, dtype=bool)
    if extrapolate:  # a puddle without any data of its own says nothing
        labels = find_basins(open_sea, factor, periodic=periodic)
        beside &= np.isin(labels, np.unique(labels[constrained]))
    flags = np.where(open_sea, 0, Flag.land)
    flags |= np.where(beside, Flag.extrapolated, np.where(without_data, Flag.no_data, 0))
    flags |= np.where(_spread(unused, factor), Flag.coarse_unused, 0)
    return Sea(constrained | beside, np.where(constrained, weight, 0.0), coarse, flags.astype(np.int8))


def read_open_sea(
    under_data: BoolArray, shape: tuple[int, int], mask: npt.ArrayLike | None, weights: npt.ArrayLike | None
) -> tuple[BoolArray, FloatArray]:
    """Read the fine cells that mask and weights leave open, and their weights.

    Parameters
    ----------
    under_data : array of bool, shape (Y, X)
        Fine cells whose coarse cell has data: the sea, where there is no mask.
    shape : (int, int)
        Fine rows and columns.
    mask, weights : array, optional
        As for `find_sea`.

    Returns
    -------
    open_sea : array of bool, shape (Y, X)
    weight : array of float64, shape (Y, X)
        Arbitrary on land.

    Examples
    --------
    >>> read_open_sea(np.array([[True, True]]), (1, 2), None, [[2.0, 0.0]])[0]
    array([[ True, False]])
    """
    open_sea = under_data if mask is None else _read_mask(mask, shape)
    if weights is None:
        return open_sea, np.ones(shape)
    weight = _read_weights(weights, shape, open_sea & under_data)
    return open_sea & (weight != 0), weight


def check_values(values: npt.NDArray[np.floating], name: str, largest: float = LARGEST_HEIGHT) -> None:
    """Refuse what can be no field of sea surface height in metres.

    Parameters
    ----------
    values : array, shape (..., ny, nx)
        Metres, NaN where there is no data.
    name : str
        Used in messages.
    largest : float
        A hundred metres, in the unit of the field.

    Raises
    ------
    ValueError
        If `values` is not real, has less than two dimensions, is NaN everywhere, is infinite somewhere, or is beyond
        `largest`, as an undeclared fill value is.

    Examples
    --------
    >>> check_values(np.array([[0.1, 1e20]]), "ssh")
    Traceback (most recent call last):
    ...
    ValueError: Invalid ssh 1e+20 at index (0, 1). It must be within 100 of 0, which is 100 m. A fill value must be \
declared: set `_FillValue`, or replace it by NaN.
    """
    if values.dtype.kind not in "fiu" or values.ndim < 2:
        raise ValueError(
            f"Invalid {name} of type {values.dtype} and shape {values.shape}. It must be real numbers (..., ny, nx)."
        )
    infinite = np.isinf(values)
    if np.any(infinite):
        index = first_index(infinite)
        raise ValueError(
            f"Invalid {name} {values[index]} at index {index}. It must be finite, or NaN where there is no data."
        )
    if not np.any(np.isfinite(values)):
        raise ValueError(f"Invalid {name} of shape {values.shape}. It must hold data, but it is NaN everywhere.")
    beyond = np.abs(values) > largest
    if np.any(beyond):
        index = first_index(beyond)
        raise ValueError(
            f"Invalid {name} {values[index]} at index {index}. It must be within {largest:.0f} of 0, "
            "which is 100 m. A fill value must be declared: set `_FillValue`, or replace it by NaN."
        )


def _read_mask(mask: npt.ArrayLike, shape: tuple[int, int]) -> BoolArray:
    array = np.asarray(mask)
    _check_shape(array, "mask", shape)
    if array.dtype == bool:
        return array
    wrong = (array != 0) & (array != 1)
    if np.any(wrong):
        index = first_index(wrong)
        raise ValueError(
            f"Invalid mask {array[index]} at index {index}. It must be 1 or True on sea, 0 or False on land."
        )
    return array.astype(bool)


def _read_weights(weights: npt.ArrayLike, shape: tuple[int, int], sea: BoolArray) -> FloatArray:
    array = np.asarray(weights, dtype=np.float64)
    _check_shape(array, "weights", shape)
    wrong = sea & ~((array >= 0) & np.isfinite(array))
    if np.any(wrong):
        index = first_index(wrong)
        raise ValueError(f"Invalid weights {array[index]} at index {index}. It must be finite and not negative on sea.")
    return array


def _check_shape(array: npt.NDArray[np.generic], name: str, shape: tuple[int, int]) -> None:
    if array.shape != shape:
        raise ValueError(
            f"Invalid {name} of shape {array.shape}. It must be {shape}, the coarse shape times the factor."
        )


def warn_of_unused(unused: BoolArray) -> None:
    """Warn of coarse cells that have data but no fine sea.

    Parameters
    ----------
    unused : array of bool, shape (ny, nx)

    Warns
    -----
    DipWarning
        If there are any.

    Examples
    --------
    >>> warn_of_unused(np.array([[False]]))
    """
    if np.any(unused):
        warnings.warn(
            f"{np.count_nonzero(unused)} coarse cell(s) with data have no sea on the fine grid and constrain nothing; "
            f"the first is at index {first_index(unused)}. They are flagged 'coarse_unused': if there is sea, correct "
            "the mask.",
            DipWarning,
            stacklevel=3,
        )


def _grow(coarse: BoolArray, periodic: bool) -> BoolArray:
    """Cells that are True or have a neighbour, also across a corner, that is."""
    framed = np.pad(np.pad(coarse, ((1, 1), (0, 0))), ((0, 0), (1, 1)), mode="wrap" if periodic else "constant")
    return np.asarray(sliding_window_view(framed, (3, 3)).any(axis=(2, 3)))


def _spread(coarse: BoolArray, factor: Factor) -> BoolArray:
    return repeat(coarse.astype(np.float64), factor) > 0
