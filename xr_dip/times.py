"""Times of a truth and of a result: never compared where they cannot be the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.coordinates import is_time

TIME = re.compile("time", re.IGNORECASE)
"""Of the names of times that are numbers, as in a file that was opened without decoding them."""
LEAD = re.compile("lead|step|forecast", re.IGNORECASE)
"""Of the names of numbers that say how far ahead a forecast looks, or count steps: no time of day."""
SINCE = re.compile(r"\bsince\b", re.IGNORECASE)
"""In the units of numbers that count from a date."""
HALF_A_SECOND = timedelta(milliseconds=500)
OF_THE_FORECAST = ("forecast_reference_time", "forecast_period")
"""Standard names of what a truth may have another of: when a forecast began and how far it looks, not what it is of."""
Pair = tuple[xr.DataArray, xr.DataArray]


def at_same_times(estimate: xr.DataArray, truth: xr.DataArray, dims: Sequence[str]) -> xr.DataArray:
    """Return a truth with the times of an estimate, if they can be the same.

    Dates are the same to a second, whatever their calendar and their unit in memory. Times are compared by name, and
    where no name is shared, the one of each side. A truth without a time is of any.

    Parameters
    ----------
    estimate : DataArray
    truth : DataArray
        On the grid of the estimate, as `xr_dip.matching.place_on` returns it.
    dims : (str, str)
        The horizontal dimensions.

    Returns
    -------
    DataArray
        The truth, without dimensions of one entry that the estimate has not.

    Raises
    ------
    ValueError
        If the truth is of another time, of one where the estimate is of several, or has further dimensions.

    Examples
    --------
    >>> days = xr.DataArray(np.zeros((2, 1, 1)), {"time": np.array(["2009-07-01", "2009-07-02"], "M8[ns]")},
    ...                     ("time", "y", "x"))
    >>> at_same_times(days[0], days[1], ("y", "x"))
    Traceback (most recent call last):
    ...
    ValueError: Invalid 'time' of the truth, 2009-07-02T00:00:00. It must be that of the result, 2009-07-01T00:00:00...
    """
    extra = [str(dim) for dim in truth.dims if dim not in (*estimate.dims, *dims)]
    missing = {str(dim): size for dim, size in estimate.sizes.items() if dim not in truth.dims}
    for dim in extra:
        _check_extra(dim, truth.sizes[dim], missing)
    flat = truth.squeeze(extra)
    pairs = _pairs(_times_of(estimate, dims), _times_of(flat, dims))
    for own, other in pairs:
        _check_time(own, other)
    # dates of one instant may differ in calendar or unit, which xarray takes for different labels
    alike = [own for own, other in pairs if own.name == other.name and own.shape == other.shape]
    same = [str(own.name) for own in alike if is_time(own.variable)]
    return flat.assign_coords({key: estimate[key].variable for key in (*same, *_leads(estimate, flat))})


def _check_extra(dim: str, size: int, missing: Mapping[str, int]) -> None:
    """Refuse a dimension of several entries; it may be one that the result has by another name."""
    if size == 1:
        return
    own = [key for key, other in missing.items() if other == size]
    rename = f'if it is {own[0]!r} of the result, rename it, as in `.rename({dim}="{own[0]}")`, else ' if own else ""
    raise ValueError(
        f"Invalid truth with {size} entries along {dim!r}, a dimension that the result has not. It must have "
        f"the dimensions of the result only: {rename}select one entry, as in `.isel({dim}=0)`."
    )


def _times_of(field: xr.DataArray, dims: Sequence[str]) -> dict[str, xr.DataArray]:
    """Return times by name: dates, numbers that count from a date as dates, and numbers that are called times."""
    found = {str(key): _decoded(coord) for key, coord in field.coords.items() if not set(coord.dims) & set(dims)}
    return {key: coord for key, coord in found.items() if _is_of_a_field(coord)}


def _decoded(coord: xr.DataArray) -> xr.DataArray:
    """Make dates of numbers that count from one, as in a file that was opened without decoding them."""
    if np.issubdtype(coord.dtype, np.number) and SINCE.search(str(coord.attrs.get("units", ""))):
        with suppress(ValueError):  # a unit that only looks like one of CF
            dates = xr.decode_cf(xr.Dataset({"dates": coord.variable.to_base_variable()}))["dates"]
            return dates.rename(coord.name)
    return coord


def _is_of_a_field(coord: xr.DataArray) -> bool:
    """Whether this says when a field is of."""
    number = np.issubdtype(coord.dtype, np.number)
    named = is_time(coord.variable) or (number and bool(TIME.search(str(coord.name))))
    return named and not _is_of_a_forecast(coord)


def _is_of_a_forecast(coord: xr.DataArray) -> bool:
    """Whether this says when a forecast began or how far it looks, of which a truth may have another."""
    if coord.attrs.get("standard_name") in OF_THE_FORECAST or np.issubdtype(coord.dtype, np.timedelta64):
        return True
    return np.issubdtype(coord.dtype, np.number) and bool(LEAD.search(str(coord.name)))


def _leads(estimate: xr.DataArray, truth: xr.DataArray) -> list[str]:
    """Dimensions of one entry that are of a forecast: xarray would take another lead for another place."""
    single = [dim for dim in truth.dims if truth.sizes[dim] == estimate.sizes.get(dim) == 1]
    labelled = [str(dim) for dim in single if dim in truth.coords and dim in estimate.coords]
    return [key for key in labelled if _is_of_a_forecast(estimate[key]) and _is_of_a_forecast(truth[key])]


def _pairs(own: Mapping[str, xr.DataArray], other: Mapping[str, xr.DataArray]) -> list[Pair]:
    """Pair the times to compare: those of one name, else the only dates of each side."""
    shared = [(own[key], other[key]) for key in own if key in other]
    if shared:
        return [pair for pair in shared if _are_comparable(*pair)]
    mine, others = _dates(own), _dates(other)
    return [(mine[0], others[0])] if len(mine) == len(others) == 1 else []


def _are_comparable(own: xr.DataArray, other: xr.DataArray) -> bool:
    """Whether both are dates, or numbers of one unit."""
    dated = [is_time(coord.variable) for coord in (own, other)]
    return all(dated) or (not any(dated) and own.attrs.get("units") == other.attrs.get("units"))


def _dates(times: Mapping[str, xr.DataArray]) -> list[xr.DataArray]:
    """Of several dates, as `time_counter` and `time_centered` of NEMO, those that are said to be the axis."""
    dates = [coord for coord in times.values() if is_time(coord.variable)]
    return [coord for coord in dates if coord.attrs.get("axis") == "T"] or dates


def _check_time(own: xr.DataArray, other: xr.DataArray) -> None:
    """Refuse another time; a dimension of another size is refused where fields are compared."""
    name = str(other.name)
    if other.size == 1 and own.size > 1 and not other.dims:
        raise ValueError(
            f"Invalid {name!r} of the truth, {_stamps(other)[0]} alone. It must be all {own.size} of the result: "
            f"select one of them there, or, if the truth is the same for all, leave it out by `.drop_vars({name!r})`."
        )
    if own.size != other.size or (own.size > 1 and not is_time(own.variable)):
        return
    expected, found = _stamps(own), _stamps(other)
    wrong = expected != found
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"Invalid {name!r} of the truth, {found[first]}. It must be that of the result, {expected[first]}: select "
            f"it, or, if the truth is of that time, leave out what it says by `.drop_vars({name!r})`."
        )


def _stamps(coord: xr.DataArray) -> npt.NDArray[Any]:
    """Dates as texts to the second, so that calendars compare; numbers as they are."""
    values = np.atleast_1d(coord.values).ravel()
    if np.issubdtype(values.dtype, np.datetime64):
        return np.datetime_as_string((values + np.timedelta64(HALF_A_SECOND)).astype("datetime64[s]"))
    if values.dtype == object:
        return np.array([(date + HALF_A_SECOND).strftime("%Y-%m-%dT%H:%M:%S") for date in values])
    return values
