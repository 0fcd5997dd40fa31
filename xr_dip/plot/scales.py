"""What a picture says of its numbers: limits of colours, units, and a title from the attributes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xr_dip.canvas import Limits

LARGEST_SHOWN = 99.5
"""Percentile of absolute errors and of spreads that ends a colour scale; single larger values are clipped."""


def value_range(*fields: xr.DataArray) -> Limits:
    """Smallest and largest value of fields that share a colour scale; 0 to 1 where there is none.

    Parameters
    ----------
    *fields : DataArray

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> value_range(xr.DataArray([0.5, np.nan]), xr.DataArray([2.0]))
    (0.5, 2.0)
    """
    values = np.concatenate([field.values[np.isfinite(field.values)] for field in fields])
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)


def usual_size(*fields: xr.DataArray) -> float:
    """Size that nearly all values of each field keep within; 1 where there is none but zero, which is no scale.

    Parameters
    ----------
    *fields : DataArray

    Returns
    -------
    float

    Examples
    --------
    >>> usual_size(xr.DataArray([-2.0, np.nan]), xr.DataArray([1.0]))
    2.0
    """
    sizes = [abs(field.values[np.isfinite(field.values)]) for field in fields]
    return max((float(np.percentile(part, LARGEST_SHOWN)) for part in sizes if part.any()), default=1.0)


def unit_of(field: xr.DataArray) -> str:
    """Write the unit of a field in brackets; nothing where it has none, or is a plain number.

    Parameters
    ----------
    field : DataArray

    Returns
    -------
    str

    Examples
    --------
    >>> unit_of(xr.DataArray(0.0, attrs={"units": "m"})), unit_of(xr.DataArray(0.0, attrs={"units": "1"}))
    ('(m)', '')
    """
    units = str(field.attrs.get("units", ""))
    return f"({units})" if units not in ("", "1") else ""


def date_of(field: xr.DataArray) -> str:
    """Time stamp of a field of one time, to the minute and without midnight; nothing where it has none.

    Parameters
    ----------
    field : DataArray
        With a scalar coordinate of time, of any calendar, or one along a dimension with one entry.

    Returns
    -------
    str

    Examples
    --------
    >>> date_of(xr.DataArray(0.0, {"time": np.datetime64("2009-07-01T12:00", "ns")}))
    '2009-07-01 12:00'
    """
    for coord in field.coords.values():
        if coord.size != 1:
            continue
        if np.issubdtype(coord.dtype, np.datetime64):
            return _shortened(str(np.datetime_as_string(coord.values.reshape(-1)[0], unit="m")))
        if hasattr(coord.values.item(), "isoformat"):  # a date of cftime
            return _shortened(coord.values.item().isoformat())
    return ""


def _shortened(stamp: str) -> str:
    return stamp.replace("T", " ")[:16].removesuffix(" 00:00")


def heading(field: xr.DataArray) -> str:
    """Title of a map: what the field says it is, and when.

    Parameters
    ----------
    field : DataArray

    Returns
    -------
    str

    Examples
    --------
    >>> heading(xr.DataArray(0.0, name="zos", attrs={"long_name": "sea surface height"}))
    'sea surface height'
    """
    what = str(field.attrs.get("long_name") or (field.name if field.name is not None else ""))
    return ", ".join(filter(None, (what, date_of(field))))
