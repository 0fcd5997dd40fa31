"""Times of a truth and of a result: never compared where they cannot be the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.coordinates import is_time

TIME = re.compile("time", re.IGNORECASE)
"""Of the names of times that are numbers, as in a file that was opened without decoding them."""
HALF_A_SECOND = timedelta(milliseconds=500)
OF_THE_FORECAST = "forecast_reference_time"
"""Standard name of a time that a truth may have another of: when a forecast began, not what it is of."""


def at_same_times(estimate: xr.DataArray, truth: xr.DataArray, dims: Sequence[str]) -> xr.DataArray:
    """Return a truth with the times of an estimate, if they can be the same.

    Dates are the same to a second, whatever their calendar and their unit in memory. A truth without a time is of any.

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
    _check_extra({dim: truth.sizes[dim] for dim in extra})
    flat = truth.squeeze(extra)
    shared = [str(key) for key in flat.coords if key in estimate.coords and not set(flat[key].dims) & set(dims)]
    timed = [key for key in shared if _are_times(estimate[key], flat[key])]
    for key in timed:
        _check_time(key, estimate[key], flat[key])
    # dates of one instant may differ in calendar or unit, which xarray takes for different labels
    dates = [key for key in timed if is_time(estimate[key].variable) and estimate[key].shape == flat[key].shape]
    return flat.assign_coords({key: estimate[key].variable for key in dates})


def _check_extra(sizes: dict[str, int]) -> None:
    for dim, size in sizes.items():
        if size != 1:
            raise ValueError(
                f"Invalid truth with {size} entries along {dim!r}, a dimension that the result has not. It must have "
                f"the dimensions of the result only: select one entry, as in `.isel({dim}=0)`."
            )


def _are_times(*coords: xr.DataArray) -> bool:
    """Whether all are times that can be compared: dates, or numbers with one unit."""
    if any(coord.attrs.get("standard_name") == OF_THE_FORECAST for coord in coords):
        return False
    if all(is_time(coord.variable) for coord in coords):
        return True
    numbers = all(np.issubdtype(coord.dtype, np.number) for coord in coords)
    one_unit = len({coord.attrs.get("units") for coord in coords}) == 1
    return numbers and one_unit and bool(TIME.search(str(coords[0].name)))


def _check_time(name: str, own: xr.DataArray, other: xr.DataArray) -> None:
    """Refuse another time; a dimension of another size is refused where fields are compared."""
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
