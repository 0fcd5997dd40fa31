"""What a DataArray must hold to be a field of sea surface height: numbers, some of them, none absurd."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xr_dip.arrays import ONE_VARIABLE, check_array
from xr_dip.cf.undecoded import check_unpacked
from xr_dip.errors import first_index
from xr_dip.sea import LARGEST_HEIGHT

UNITS_PER_METRE = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), 1.0),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), 100.0),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters"), 1000.0),
}


def largest_height(da: xr.DataArray) -> float:
    """Return a hundred metres in the unit of a field, metres where it has none.

    Examples
    --------
    >>> largest_height(xr.DataArray(0.0, attrs={"units": "cm"}))
    10000.0
    """
    return LARGEST_HEIGHT * UNITS_PER_METRE.get(_units(da) or "m", 1.0)


def same_unit(one: str, other: str) -> bool:
    """Return whether two names are of one unit: the same word, or both of metres, centimetres or millimetres.

    Parameters
    ----------
    one, other : str

    Returns
    -------
    bool

    Examples
    --------
    >>> same_unit("m", "Meters"), same_unit("m", "cm"), same_unit("%", "%")
    (True, False, True)
    """
    one, other = one.strip().lower(), other.strip().lower()
    return one == other or (one in UNITS_PER_METRE and UNITS_PER_METRE[one] == UNITS_PER_METRE.get(other))


def _units(da: xr.DataArray) -> str:
    return str(da.attrs.get("units", "")).strip().lower()


def check_floating(da: xr.DataArray) -> None:
    """Refuse what is no array of floating-point numbers with some value in it, or of packed ones.

    Parameters
    ----------
    da : DataArray

    Raises
    ------
    TypeError
        If it is no DataArray, or of another dtype.
    ValueError
        If it is packed, or every value is NaN (looked at only where the array is in memory).

    Examples
    --------
    >>> check_floating(xr.DataArray([1, 2], name="ssh"))
    Traceback (most recent call last):
    ...
    TypeError: Invalid dtype int64 of 'ssh'. It must be floating point; convert with .astype("float64")...
    """
    check_array(da, "field", ONE_VARIABLE)
    check_unpacked(str(da.name), da.variable)
    if not np.issubdtype(da.dtype, np.floating):
        raise TypeError(
            f"Invalid dtype {da.dtype} of {da.name!r}. It must be floating point; convert with "
            '.astype("float64") if its values are metres, with land as NaN.'
        )
    if da.chunks is None and da.size and not bool(da.notnull().any()):
        raise ValueError(f"Invalid field {da.name!r}. Every value is NaN; there must be some sea.")


def check_heights(da: xr.DataArray, largest: float) -> None:
    """Refuse infinite values and undeclared fill values of a field in memory; lazy ones are looked at when computed.

    Parameters
    ----------
    da : DataArray
    largest : float
        A hundred metres in the unit of the field.

    Raises
    ------
    ValueError
        With the place of the first such value: its indices and its coordinates.

    Examples
    --------
    >>> check_heights(xr.DataArray([0.5, np.inf], {"lat": [40.0, 41.0]}, "lat", name="ssh"), 100.0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid ssh inf at lat=1 (lat 41.0). It must be finite, or NaN where there is no data.
    """
    if da.chunks is not None:
        return
    for wrong, rule in (
        (np.isinf(da.values), "It must be finite, or NaN where there is no data."),
        (np.abs(da.values) > largest, _rule_of_heights(da, largest)),
    ):
        if wrong.any():
            here = da[first_index(wrong)]
            index = ", ".join(f"{dim}={place}" for dim, place in zip(da.dims, first_index(wrong), strict=True))
            place = ", ".join(f"{name} {coord.values}" for name, coord in here.coords.items() if coord.ndim == 0)
            raise ValueError(f"Invalid {da.name} {here.values} at {index}{f' ({place})' if place else ''}. {rule}")


def _rule_of_heights(da: xr.DataArray, largest: float) -> str:
    """Say what a value beyond a hundred metres may be: no height at all, or a fill value."""
    if _units(da) in ("", *UNITS_PER_METRE):
        return (
            f"It must be within {largest:.0f} of 0, which is 100 m. A fill value must be declared: set `_FillValue`, "
            "or replace it by NaN."
        )
    return (
        f"It must be a sea surface height in m, cm or mm, within 100 m of 0, but its units are {da.attrs['units']!r}. "
        "If it is a height, set its units; if the value is a fill value, set `_FillValue`, or replace it by NaN."
    )
