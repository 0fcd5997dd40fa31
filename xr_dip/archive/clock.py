"""The time of a source: which dimension it runs along, which coordinate tells it, and how it reads in a file name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.cf.coordinates import is_time
from xr_dip.variables import select_variable


@dataclass(frozen=True)
class Clock:
    """Where a field has its time.

    Attributes
    ----------
    dim : str
        The dimension.
    name : str
        The coordinate along it.
    """

    dim: str
    name: str


def find_clock(field: xr.DataArray) -> Clock:
    """Find the time of a field.

    Parameters
    ----------
    field : DataArray

    Returns
    -------
    Clock
        The coordinate of a dimension where it holds dates, else another one along it, as NEMO's ``time_centered``.

    Raises
    ------
    ValueError
        If there is none, or several dimensions have one.

    Examples
    --------
    >>> days = xr.date_range("2020-01-01", periods=2, unit="ns")
    >>> find_clock(xr.DataArray([0.0, 1.0], {"time": days}, "time"))
    Clock(dim='time', name='time')
    """
    found: dict[str, str] = {}
    for name, coord in field.coords.items():
        if coord.ndim == 1 and is_time(coord.variable) and (coord.dims[0] == name or coord.dims[0] not in found):
            found[str(coord.dims[0])] = str(name)
    if len(found) != 1:
        raise ValueError(
            f"Invalid times {sorted(found.values())} of {field.name!r} with the dimensions {list(field.dims)}. One "
            "dimension must have dates, of NumPy or of cftime: for a single field use `xr_dip.downscale`."
        )
    [(dim, name)] = found.items()
    return Clock(dim, name)


@contextmanager
def open_clocked(source: Path | xr.Dataset, variable: str) -> Iterator[tuple[xr.Dataset, Clock]]:
    """Open a source and find the time of its field; a scalar time becomes a dimension.

    Parameters
    ----------
    source : Path or Dataset
    variable : str

    Yields
    ------
    dataset : Dataset
        Not loaded.
    clock : Clock

    Raises
    ------
    OSError, ValueError
        If it cannot be opened, or has no such variable or no time.

    Examples
    --------
    >>> day = xr.Dataset({"ssh": ("x", [0.0, 1.0])}, {"time": np.datetime64("2020-01-01", "ns")})
    >>> with open_clocked(day, "ssh") as (dataset, clock):
    ...     dataset.ssh.dims, clock.name
    (('time', 'x'), 'time')
    """
    if isinstance(source, xr.Dataset):
        dataset = _with_dimension(source, variable)
        yield dataset, find_clock(dataset[variable])
        return
    with xr.open_dataset(source) as opened:
        dataset = _with_dimension(opened, variable)
        yield dataset, find_clock(dataset[variable])


def label_of(time: Any) -> str:
    """Write a time stamp as a part of a file name.

    Parameters
    ----------
    time : datetime64 or cftime date

    Returns
    -------
    str
        Sorted as the times are.

    Raises
    ------
    ValueError
        If the time is missing.

    Examples
    --------
    >>> label_of(np.datetime64("2009-07-01", "ns")), label_of(np.datetime64("2009-07-01T12:30"))
    ('2009-07-01', '2009-07-01T1230')
    """
    if isinstance(time, np.datetime64):
        if np.isnat(time):
            raise ValueError("Invalid time NaT. Every step must have a time.")
        text = str(time.astype("datetime64[s]"))
    else:
        text = str(time.isoformat())[: len("2009-07-01T12:30:00")]
    date, _, clock = text.partition("T")
    hours = clock.replace(":", "").removesuffix("00") if clock else ""
    return date if hours in ("", "0000") else f"{date}T{hours}"


def _with_dimension(dataset: xr.Dataset, variable: str) -> xr.Dataset:
    """Give the field of one day, whose time is a scalar, the dimension that a series has."""
    field = select_variable(dataset, variable)
    scalars = [str(name) for name, coord in field.coords.items() if coord.ndim == 0 and is_time(coord.variable)]
    along = any(coord.ndim == 1 and is_time(coord.variable) for coord in field.coords.values())
    if along or len(scalars) != 1:
        return dataset
    [name] = scalars
    return dataset.drop_vars(name).assign({variable: field.expand_dims(name)})
