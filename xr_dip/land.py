"""Land in a coarse field that is not missing there: zeros of models, fill values, whatever a mask calls land."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import label

from xr_dip.blocks import FloatArray
from xr_dip.cf.sea_masks import decode_mask
from xr_dip.errors import DipWarning
from xr_dip.slices import SliceFunction

LEAST_SHARE, LEAST_CELLS = 0.05, 9
"""Of a field, connected: one and the same value on so many cells is more likely land than sea."""

CLOSE = 1e-6
"""Relative difference from the value of land that packing and decimals make."""


def drop_land(field: xr.DataArray, *, land_value: float | None, mask: xr.DataArray | None) -> xr.DataArray:
    """Set the land of a field missing, where a value or a mask tells it.

    Parameters
    ----------
    field : DataArray
        Lazy in, lazy out.
    land_value : float or None
        Cells of this value are land, within one part in a million.
    mask : DataArray or None
        On dimensions of the field, see `xr_dip.cf.sea_masks.decode_mask`; a cell with any share of sea is sea.

    Returns
    -------
    DataArray
        The field itself if there is nothing to set missing.

    Raises
    ------
    ValueError
        If the mask has no value, or the field contradicts it: it has different values on what the mask calls land (in a
        lazy field looked for in each chunk when it is computed); or nothing is left of a field in memory.

    Examples
    --------
    >>> zeta = xr.DataArray([0.0, 0.3, 0.0, -0.1], dims="x", name="zeta")
    >>> drop_land(zeta, land_value=0.0, mask=None).values
    array([ nan,  0.3,  nan, -0.1])
    """
    if land_value is None and mask is None:
        return field
    kept = field
    if mask is not None:
        kept = _without_land(field, mask.compute(scheduler="synchronous"))
    if land_value is not None:
        kept = kept.where(abs(kept - land_value) > CLOSE * abs(land_value))
    # A copy of the field, for `where` loses its encoding, and with it the name of its grid mapping.
    kept = field.copy(data=kept.transpose(*field.dims).data)
    if kept.chunks is None and kept.size and not bool(kept.notnull().any()):
        raise ValueError(f"Invalid field {field.name!r}. Every value is missing or land; there must be some sea.")
    return kept


def warn_of_fill(field: xr.DataArray, horizontal: tuple[Hashable, Hashable], *, land_is_known: bool) -> None:
    """Warn if the first field of a series with values looks like it has values on land, or is constant.

    Parameters
    ----------
    field : DataArray
        Looked at in memory only; for slices of lazy ones see `FillWatch`.
    horizontal : (str, str)
        Names of the y and the x dimension.
    land_is_known : bool
        Do not look for land.

    Warns
    -----
    DipWarning
        If one value fills 5 % of the cells, connected, and nine at least.

    Examples
    --------
    >>> warn_of_fill(xr.DataArray([[0.0, 0.1], [0.2, 0.0]], dims=("y", "x")), ("y", "x"), land_is_known=False)
    """
    if field.chunks is not None or not field.size:
        return
    slices = field.transpose(..., *horizontal).values.reshape(-1, *(field.sizes[dim] for dim in horizontal))
    values = next((part for part in slices if np.isfinite(part).any()), slices[0])
    fill = find_fill(values)
    if fill is None:
        return
    if fill.constant:
        _warn(
            f"Every value of {field.name!r} is {fill.value:g}. A constant field has nothing to make fine: check that "
            "this is the variable and the time you want."
        )
    elif not land_is_known:
        _warn(
            f"{fill.cells} connected cells of {field.name!r}, {fill.cells / values.size:.0%}, are exactly "
            f"{fill.value:g} {_advice(fill.value)}"
        )


class Fill(NamedTuple):
    """One and the same value on a large connected part of a field.

    Attributes
    ----------
    value : float
    cells : int
    constant : bool
        Whether no cell has another.
    """

    value: float
    cells: int
    constant: bool


def find_fill(values: npt.NDArray[np.floating]) -> Fill | None:
    """Find a value on so many connected cells of a field that it is more likely land than sea.

    Parameters
    ----------
    values : array, shape (ny, nx)

    Returns
    -------
    Fill or None
        Of 5 % of the cells, connected, and nine at least; or of all cells with a value, nine at least.

    Examples
    --------
    >>> find_fill(np.pad(np.zeros((3, 3)), ((0, 0), (0, 1)), constant_values=0.2))
    Fill(value=0.0, cells=9, constant=False)
    """
    numbers, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if not len(numbers) or counts.max() < LEAST_CELLS:
        return None
    value = numbers[np.argmax(counts)]
    fill = Fill(float(value) + 0.0, _largest_part(values == value), len(numbers) == 1)
    large = fill.constant or fill.cells >= max(LEAST_CELLS, LEAST_SHARE * values.size)
    return fill if large else None


@dataclass(frozen=True)
class FillWatch:
    """A function of one slice of a lazy field, which nobody has looked at before: it warns of a fill that may be land.

    Parameters
    ----------
    function : callable
        What is to be done with a slice.
    name : str
        Of the field, for messages.

    Examples
    --------
    >>> FillWatch(lambda values, stamp: {"mean": values}, "ssh")(np.array([[0.1, 0.2]]), 0)
    {'mean': array([[0.1, 0.2]])}
    """

    function: SliceFunction
    name: str

    def __call__(self, values: FloatArray, stamp: int) -> Mapping[str, npt.NDArray[Any]]:
        """Look at the values, shape (ny, nx), then hand them over."""
        watch_for_fill(values, self.name)
        return self.function(values, stamp)


def watch_for_fill(values: FloatArray, name: str) -> None:
    """Warn if one value fills a part of a slice that nobody has looked at before.

    Parameters
    ----------
    values : array, shape (ny, nx)
    name : str
        Of the field, for messages.

    Examples
    --------
    >>> watch_for_fill(np.array([[0.1, 0.2]]), "ssh")
    """
    fill = find_fill(values)
    if fill is not None and not fill.constant:
        # The same words for every slice: Python shows a repeated warning once.
        warnings.warn(
            f"A connected part of {name!r}, {LEAST_SHARE:.0%} of its cells or more, is exactly "
            f"{fill.value:g} {_advice(fill.value)}",
            DipWarning,
            stacklevel=3,
        )


def _advice(value: float) -> str:
    return f"and taken for sea. If it is land, pass land_value={value:g}, or mask= with a sea mask."


def _without_land(field: xr.DataArray, mask: xr.DataArray) -> xr.DataArray:
    if bool(mask.isnull().all()):
        raise ValueError(
            f"Invalid mask {mask.name!r} in the Dataset of {field.name!r}. It must have values, but each is missing: "
            f"leave it out with .drop_vars({mask.name!r})."
        )
    land = mask.copy(deep=False, data=~decode_mask(mask, partly=True))
    drop = partial(_drop_cells, field=str(field.name), mask=str(mask.name))
    dropped: xr.DataArray = xr.apply_ufunc(
        drop, field, land.reset_coords(drop=True), dask="parallelized", output_dtypes=[field.dtype]
    )
    return dropped


def _drop_cells(values: FloatArray, land: npt.NDArray[np.bool_], *, field: str, mask: str) -> FloatArray:
    """Values, missing on land; those that land has must be one and the same."""
    on_land = values[np.broadcast_to(land, values.shape)]
    on_land = on_land[np.isfinite(on_land)]
    if on_land.size and np.ptp(on_land) > 0:
        raise ValueError(
            f"Invalid mask {mask!r} in the Dataset of {field!r}. Cells that it calls land must be missing or of one "
            f"value, they have values from {on_land.min():g} to {on_land.max():g}. If 1 is land in it, set its "
            f"standard_name to 'land_binary_mask'; if it is another mask, leave it out with .drop_vars({mask!r})."
        )
    return np.where(land, values.dtype.type(np.nan), values)


def _largest_part(cells: npt.NDArray[np.bool_]) -> int:
    """Count the cells of the largest part that is connected by edges."""
    parts, _ = label(cells)
    return int(np.bincount(parts.ravel())[1:].max(initial=0))


def _warn(message: str) -> None:
    warnings.warn(message, DipWarning, stacklevel=5)
