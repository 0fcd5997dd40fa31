"""How well small patches of a field are found again: elsewhere in itself, and in another field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.arrays import check_array
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.heights import UNITS_PER_METRE

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROWS_AT_ONCE = 256
"""Patches whose distances to all others are held in memory together."""


@dataclass(frozen=True)
class Patches:
    """Patches without land and without their means.

    Attributes
    ----------
    values : array, shape (count, size * size)
    places : array, shape (count, 2)
        First row and column of each, cells.
    """

    values: FloatArray
    places: IntArray

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)


def patch_recurrence(
    field: xr.DataArray,
    external: xr.DataArray | None = None,
    *,
    size: int = 5,
    scales: Sequence[int] = (1,),
    stride: int = 2,
    x_dim: str | None = None,
    y_dim: str | None = None,
) -> xr.Dataset:
    """Find for each patch of a field the most similar one elsewhere in it, and in another field.

    Patches are compared without their means, as a height is known up to a constant. Within the field only patches that
    share no cell with the first one count, at the same scale. Where internal errors are the smaller ones, a field says
    more about its own small scales than an archive of others does.

    Parameters
    ----------
    field : DataArray, dimensions (y, x)
        Of one time; patches with land are left out.
    external : DataArray, optional
        Another field on cells of the same size, in the same unit, or both in m, cm or mm.
    size : int
        Cells along a side of a patch, at least 2.
    scales : sequence of int
        Where to look for similar patches: 1 is the field itself, 2 its means over 2 x 2 cells, and so on.
    stride : int
        Every how many cells a patch is taken that is searched for; all are searched in.
    x_dim, y_dim : str, optional
        Names of the horizontal dimensions, where they cannot be found.

    Returns
    -------
    Dataset, dimension patch
        ``internal`` and, with another field, ``external``: root mean square differences from the most similar patch, in
        the unit of the field; ``gradient``, the mean size of the differences of neighbouring cells in the patch;
        ``row`` and ``column``, its first cell.

    Raises
    ------
    ValueError
        If a number is wrong, a field is of several times, the units differ, or no patch is left to search for or in.

    References
    ----------
    Zontak, Irani 2011, Internal statistics of a single natural image, CVPR.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(24) / 8)
    >>> axes = {"lat": np.arange(12.0), "lon": np.arange(24.0)}
    >>> field = xr.DataArray(np.tile(wave, (12, 1)), axes, ("lat", "lon"))
    >>> bool(patch_recurrence(field, size=4).internal.max() < 1e-6)
    True
    """
    _check(size, scales, stride)
    values = _plane(field, x_dim, y_dim, "field")
    wanted = cut_patches(values, size, stride)
    if not wanted.count:
        raise ValueError(f"Invalid size {size}. It must leave a patch without land in a field of {values.shape} cells.")
    found = {"internal": _over_scales(wanted, values, size, scales, itself=True)}
    if external is not None:
        other = _unit_ratio(field, external) * _plane(external, None, None, "external")
        found["external"] = _over_scales(wanted, other, size, scales, itself=False)
    units = field.attrs.get("units", "1")
    return _dataset(wanted, values, size, found, units)


def cut_patches(values: FloatArray, size: int, stride: int = 1) -> Patches:
    """Cut a field into overlapping patches, leave out those with land, and take off their means.

    Parameters
    ----------
    values : array, shape (ny, nx)
        NaN on land.
    size, stride : int

    Returns
    -------
    Patches

    Examples
    --------
    >>> cut_patches(np.arange(6.0).reshape(2, 3), 2).values
    array([[-2., -1.,  1.,  2.],
           [-2., -1.,  1.,  2.]])
    """
    if min(values.shape) < size:
        return Patches(np.empty((0, size * size)), np.empty((0, 2), dtype=np.int64))
    windows = np.lib.stride_tricks.sliding_window_view(values, (size, size))[::stride, ::stride]
    places = np.argwhere(np.isfinite(windows).all(axis=(-2, -1)))
    patches = windows[places[:, 0], places[:, 1]].reshape(len(places), size * size)
    return Patches(patches - patches.mean(axis=1, keepdims=True), places.astype(np.int64) * stride)


def nearest_error(wanted: Patches, library: Patches, apart: int = 0) -> FloatArray:
    """Root mean square difference of each patch from the most similar one of a library.

    Parameters
    ----------
    wanted, library : Patches
    apart : int
        Only patches of which the first cells are at least so many rows or columns apart; 0 for all.

    Returns
    -------
    array, shape (count of wanted,)
        NaN where no patch is left.

    Examples
    --------
    >>> one, two = (Patches(np.array([[value, -value]]), np.array([[0, 0]])) for value in (1.0, 3.0))
    >>> nearest_error(one, two)
    array([2.])
    """
    squares = (library.values**2).sum(axis=1)
    errors = np.empty(wanted.count)
    for first in range(0, wanted.count, ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        part = wanted.values[rows]
        distance = (part**2).sum(axis=1)[:, None] + squares - 2 * part @ library.values.T
        if apart:
            away = np.abs(wanted.places[rows][:, None] - library.places).max(axis=-1)
            distance = np.where(away >= apart, distance, np.inf)
        errors[rows] = _exact(part, library.values, distance)
    return errors


def _exact(part: FloatArray, library: FloatArray, distance: FloatArray) -> FloatArray:
    """Root mean square difference from the nearest, anew: the expanded square loses small ones to rounding."""
    nearest = distance.argmin(axis=1)
    error = np.sqrt(((part - library[nearest]) ** 2).mean(axis=1))
    none = np.isinf(distance[np.arange(len(part)), nearest])
    return np.where(none, np.nan, error)


def _over_scales(wanted: Patches, values: FloatArray, size: int, scales: Sequence[int], *, itself: bool) -> FloatArray:
    """Smallest error over the scales of a field."""
    errors = []
    for scale in scales:
        library = cut_patches(_coarse(values, scale), size)
        if library.count:
            errors.append(nearest_error(wanted, library, size if itself and scale == 1 else 0))
    if not errors or not np.isfinite(errors).any():
        raise ValueError(
            f"Invalid scales {list(scales)}. They must leave patches of {size} x {size} cells to search in."
        )
    return np.asarray(np.fmin.reduce(errors))


def _coarse(values: FloatArray, scale: int) -> FloatArray:
    """Means over blocks, missing where a cell is; cells beyond whole blocks are left out."""
    rows, columns = (length // scale for length in values.shape)
    blocks = values[: rows * scale, : columns * scale].reshape(rows, scale, columns, scale)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _unit_ratio(field: xr.DataArray, external: xr.DataArray) -> float:
    """Return what values of the other field are multiplied by to be in the unit of the first."""
    own, other = (str(one.attrs.get("units", "")).strip().lower() for one in (field, external))
    if own == other or not own or not other:
        return 1.0
    if own not in UNITS_PER_METRE or other not in UNITS_PER_METRE:
        raise ValueError(
            f"Invalid units {external.attrs['units']!r} of external. They must be {field.attrs['units']!r}, as the "
            "field has, or both m, cm or mm."
        )
    return UNITS_PER_METRE[own] / UNITS_PER_METRE[other]


def _is_whole(number: Any, least: int) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and bool(number >= least)


def _check(size: int, scales: Sequence[int], stride: int) -> None:
    if not _is_whole(size, 2):
        raise ValueError(f"Invalid size {size!r}. It must be at least 2 cells, a whole number.")
    if not _is_whole(stride, 1):
        raise ValueError(f"Invalid stride {stride!r}. It must be at least 1 cell, a whole number.")
    listed = isinstance(scales, Sequence) and len(scales) > 0
    if not listed or not all(_is_whole(scale, 1) for scale in scales):
        raise ValueError(f"Invalid scales {scales!r}. They must be whole numbers of at least 1, in a sequence.")


def _plane(field: xr.DataArray, x_dim: str | None, y_dim: str | None, name: str) -> FloatArray:
    check_array(field, name)
    horizontal = find_horizontal(field, x_dim=x_dim, y_dim=y_dim)
    dims = (horizontal.y_dim, horizontal.x_dim)
    extra = [dim for dim in field.dims if dim not in dims]
    if any(field.sizes[dim] > 1 for dim in extra):
        raise ValueError(f"Invalid {name} with dimensions {field.dims}. It must be one map: select one of {extra}.")
    return field.squeeze(extra).transpose(*dims).values.astype(np.float64)


def _dataset(wanted: Patches, values: FloatArray, size: int, found: dict[str, FloatArray], units: str) -> xr.Dataset:
    windows = np.lib.stride_tricks.sliding_window_view(values, (size, size))
    patches = windows[wanted.places[:, 0], wanted.places[:, 1]]
    along = [np.abs(np.diff(patches, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    names = {"internal": "difference from the most similar patch of the field"}
    names["external"] = "difference from the most similar patch of another field"
    data = {name: ("patch", error, {"units": units, "long_name": names[name]}) for name, error in found.items()}
    data["gradient"] = ("patch", np.hypot(*along), {"units": units, "long_name": "difference of neighbouring cells"})
    places = {"row": ("patch", wanted.places[:, 0]), "column": ("patch", wanted.places[:, 1])}
    return xr.Dataset(data, places, {"title": "recurrence of patches", "size": size})
