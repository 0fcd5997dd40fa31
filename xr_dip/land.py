"""Land in a coarse field that is not missing there: zeros of models, fill values, whatever a mask calls land."""

from __future__ import annotations

import warnings
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import label

from xr_dip.cf.sea_masks import decode_mask
from xr_dip.errors import DipWarning

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
        If a field in memory contradicts the mask: it has different values on what the mask calls land; or nothing is
        left.

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
        land = mask.copy(deep=False, data=~decode_mask(mask, partly=True))
        _check_mask(field, land)
        kept = kept.where(~land)
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
        Looked at in memory only.
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
    numbers, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if not len(numbers) or counts.max() < LEAST_CELLS:
        return
    value = numbers[np.argmax(counts)]
    connected = _largest_part(values == value)
    if len(numbers) == 1:
        _warn(f"Every value of {field.name!r} is {value:g}. A constant field has nothing to make fine.")
    elif not land_is_known and connected >= max(LEAST_CELLS, LEAST_SHARE * values.size):
        _warn(
            f"{connected} connected cells of {field.name!r}, {connected / values.size:.0%}, are exactly {value:g}, and "
            f"are taken for sea. If they are land, pass land_value={value:g}, or mask= with a sea mask."
        )


def _check_mask(field: xr.DataArray, land: xr.DataArray) -> None:
    if field.chunks is not None:
        return
    values = field.where(land).values
    on_land = values[np.isfinite(values)]
    if on_land.size and np.ptp(on_land) > 0:
        raise ValueError(
            f"Invalid mask {land.name!r} in the Dataset of {field.name!r}. Cells that it calls land must be missing or "
            f"of one value, they have values from {on_land.min():g} to {on_land.max():g}. If 1 is land in it, set its "
            "standard_name to 'land_binary_mask'; if it is another mask, leave it out with "
            f".drop_vars({land.name!r})."
        )


def _largest_part(cells: npt.NDArray[np.bool_]) -> int:
    """Count the cells of the largest part that is connected by edges."""
    parts, _ = label(cells)
    return int(np.bincount(parts.ravel())[1:].max(initial=0))


def _warn(message: str) -> None:
    warnings.warn(message, DipWarning, stacklevel=5)
