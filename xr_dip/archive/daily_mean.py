"""Daily means of the steps of a date, as ``resample(time="1D").mean()`` makes them, with what CF says of a mean."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.archive.clock import Clock
from xr_dip.cf.coordinates import metadata
from xr_dip.cf.positions import find_positions
from xr_dip.heights import same_unit

BOUNDS_DIM = "bnds"
ROUNDING = 1e-6
"""Of a position, as a share of it or in its unit: files of one series may have it in single and double precision."""


def start_of_day(time: Any) -> Any:
    """Return midnight of the date of a time.

    Parameters
    ----------
    time : datetime64 or cftime date

    Returns
    -------
    datetime64 or cftime date
        Of the kind given.

    Examples
    --------
    >>> str(start_of_day(np.datetime64("2009-07-01T12:30", "s")))
    '2009-07-01T00:00:00'
    """
    if isinstance(time, np.datetime64):
        return time.astype("datetime64[D]").astype(time.dtype)
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def daily_mean_of(parts: Sequence[xr.Dataset], variable: str, clock: Clock) -> xr.Dataset:
    """Average the steps of one date.

    Parameters
    ----------
    parts : sequence of Dataset
        The steps, of one file or of several; what does not depend on time is taken from the first.
    variable : str
    clock : Clock

    Returns
    -------
    Dataset
        The field, float64, with one time: midnight, when the date begins. A cell that is missing in some steps has the
        mean of the others. Bounds say that it is the mean of a day; whatever else depends on time is left out. Lazy in,
        lazy out.

    Raises
    ------
    ValueError
        If steps are in another unit or on another grid than the first.

    Examples
    --------
    >>> hours = xr.date_range("2020-01-01", periods=4, freq="6h", unit="ns")
    >>> ds = xr.Dataset({"ssh": (("time", "x"), np.arange(8.0).reshape(4, 2))}, {"time": hours})
    >>> daily_mean_of([ds], "ssh", Clock("time", "time")).ssh.values
    array([[3., 4.]])
    """
    fields = [part[variable] for part in parts]
    order = (clock.dim, *(dim for dim in fields[0].dims if dim != clock.dim))
    for part in parts[1:]:
        _check_alike(parts[0], part, variable, clock)
    steps = xr.concat([xr.DataArray(field.variable.transpose(*order)) for field in fields], clock.dim)
    average = steps.mean(clock.dim, dtype=np.float64)
    mean = average.expand_dims(clock.dim).transpose(*fields[0].dims).variable
    mean.attrs = {**fields[0].attrs, "cell_methods": _cell_methods(fields[0].variable, clock.name)}
    # Where a grid mapping and the areas are named; packing would be that of the steps.
    kept = ("grid_mapping", "cell_measures", "coordinates")
    mean.encoding = {key: fields[0].encoding[key] for key in kept if key in fields[0].encoding}
    first = parts[0]
    constant = first.drop_vars([name for name, entry in first.variables.items() if clock.dim in entry.dims])
    return constant.assign({variable: mean}).assign_coords(_times(first[clock.name], clock))


def _check_alike(first: xr.Dataset, part: xr.Dataset, variable: str, clock: Clock) -> None:
    """Refuse steps that are not of the field that the first ones are of: values are averaged by place in the array."""
    one, other = first[variable], part[variable]
    if set(one.dims) != set(other.dims):
        raise ValueError(f"Invalid steps on {other.dims}. They must be on the dimensions of the first, {one.dims}.")
    units = [str(field.attrs.get("units", "")) for field in (one, other)]
    if not same_unit(*(unit or "m" for unit in units)):
        raise ValueError(f"Invalid steps in {units[1]!r}. They must be in the unit of the first, {units[0]!r}.")
    for name, place in _places(one, first).items():
        same = name in part.variables and part[name].sizes == dict(place.sizes)
        if not same or not np.allclose(
            part[name].transpose(*place.dims), place, rtol=ROUNDING, atol=ROUNDING, equal_nan=True
        ):
            raise ValueError(f"Invalid steps with another {name!r}. They must be on the grid of the first.")


def _places(field: xr.DataArray, dataset: xr.Dataset) -> dict[str, xr.Variable]:
    """Coordinates along single dimensions of a field, and its latitude and longitude."""
    numbers = {name: coord.variable for name, coord in field.coords.items() if coord.dtype.kind in "fiu"}
    places = {str(name): variable for name, variable in numbers.items() if variable.dims == (name,)}
    found = find_positions(field, dataset=dataset)
    return places if found is None else places | {found[0]: found[1], found[2]: found[3]}


def _times(times: xr.DataArray, clock: Clock) -> dict[str, xr.Variable]:
    """Return the time of a mean and its bounds."""
    start = start_of_day(times.values[0])
    midnight = np.array([start], dtype=times.dtype)
    day: Any = np.timedelta64(1, "D") if isinstance(start, np.datetime64) else datetime.timedelta(days=1)
    bounds = f"{clock.name}_bounds"
    attrs = {key: value for key, value in times.attrs.items() if key != "climatology"} | {"bounds": bounds}
    kept = {key: times.encoding[key] for key in ("units", "calendar") if key in times.encoding}
    return {
        clock.name: xr.Variable(clock.dim, midnight, attrs, kept),
        bounds: xr.Variable((clock.dim, BOUNDS_DIM), np.stack([midnight, midnight + day], axis=1)),
    }


def _cell_methods(variable: xr.Variable, time: str) -> str:
    """Say last that the field is a mean over time, in place of what was said of the steps."""
    earlier = re.sub(rf"\b{re.escape(time)}:\s*\w+(\s*\([^)]*\))?", "", metadata(variable, "cell_methods"))
    return " ".join([*earlier.split(), f"{time}:", "mean"])
