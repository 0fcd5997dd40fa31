"""One check for every function that takes a DataArray."""

from __future__ import annotations

from typing import Any

import xarray as xr

ONE_VARIABLE = ", such as one variable of a Dataset"
"""What to pass instead, where nothing more is known of it."""


def check_array(value: Any, name: str, hint: str = "") -> None:
    """Refuse what is no DataArray.

    Parameters
    ----------
    value : DataArray
    name : str
        What it is called in messages.
    hint : str
        What the message goes on with, before its full stop.

    Raises
    ------
    TypeError
        If it is anything else, such as the Dataset that holds it.

    Examples
    --------
    >>> check_array(xr.Dataset({"ssh": 0.0}), "truth", ONE_VARIABLE)
    Traceback (most recent call last):
    ...
    TypeError: Invalid truth of type Dataset. It must be an xarray.DataArray, such as one variable of a Dataset.
    """
    if not isinstance(value, xr.DataArray):
        raise TypeError(f"Invalid {name} of type {type(value).__name__}. It must be an xarray.DataArray{hint}.")
