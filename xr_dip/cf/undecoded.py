"""Numbers of a file as they are stored, which are to be scaled yet, or stand for nothing."""

from __future__ import annotations

import numpy as np
import xarray as xr

NO_PACKING = {"scale_factor": 1.0, "add_offset": 0.0}
FILLS = ("_FillValue", "missing_value")
"""Attributes that xarray moves to the encoding when it decodes a file: where they are left, the values may be raw."""


def check_unpacked(name: str, variable: xr.Variable) -> None:
    """Refuse the numbers of a file that are to be scaled yet.

    Parameters
    ----------
    name : str
        Of the variable, for messages.
    variable : Variable

    Raises
    ------
    ValueError
        If it has an attribute ``scale_factor`` or ``add_offset`` that changes something, and is of whole numbers, or
        lazy.

    Examples
    --------
    >>> check_unpacked("ssh", xr.Variable("x", [50.0], {"scale_factor": 0.01}))
    Traceback (most recent call last):
    ...
    ValueError: Invalid 'ssh' with the attributes {'scale_factor': 0.01}. It must be decoded: open the file without...
    """
    told = {key: variable.attrs[key] for key in NO_PACKING if key in variable.attrs}
    packing = {key: value for key, value in told.items() if value != NO_PACKING[key]}
    if packing and (variable.chunks is not None or _is_whole(variable)):
        raise ValueError(
            f"Invalid {name!r} with the attributes {packing}. It must be decoded: open the file without "
            "mask_and_scale=False or decode_cf=False, or decode it with xr.decode_cf(ds). If it is decoded, drop these "
            "attributes."
        )


def _is_whole(variable: xr.Variable) -> bool:
    """Tell whether all values are whole numbers, as packed ones are."""
    values = variable.values
    if values.dtype.kind != "f":
        return values.dtype.kind in "iu"
    known = values[np.isfinite(values)]
    return bool((known == np.round(known)).all())


def without_fills(field: xr.DataArray) -> xr.DataArray:
    """Set missing what the attributes of a field declare to be a fill value, as xarray does when it decodes a file.

    Parameters
    ----------
    field : DataArray
        Floating-point numbers; lazy in, lazy out.

    Returns
    -------
    DataArray
        The field itself where it has no such value.

    Examples
    --------
    >>> without_fills(xr.DataArray([0.5, -99.0], dims="x", attrs={"_FillValue": -99.0})).values
    array([0.5, nan])
    """
    told = [np.ravel(field.attrs[key]) for key in FILLS if key in field.attrs]
    with np.errstate(over="ignore"):
        fills = [
            value for values in told if values.dtype.kind in "fiu" for value in values.astype(field.dtype).tolist()
        ]
    fills = [value for value in fills if np.isfinite(value)]
    if not fills:
        return field
    declared = field.isin(fills)
    return field if field.chunks is None and not bool(declared.any()) else field.where(~declared)
