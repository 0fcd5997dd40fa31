"""Fields that can be drawn: checked, flat, and with the places of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.arrays import ONE_VARIABLE, check_array
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.geometry.grid import IndexGrid


def check_field(field: Any, argument: str = "field") -> None:
    """Refuse what is no DataArray.

    Parameters
    ----------
    field : DataArray
    argument : str
        What it is called in messages.

    Raises
    ------
    TypeError

    Examples
    --------
    >>> check_field(xr.Dataset({"ssh_mean": 0.0}))
    Traceback (most recent call last):
    ...
    TypeError: Invalid field of type Dataset. It must be an xarray.DataArray: pass one of its variables...
    """
    advice = ONE_VARIABLE
    if isinstance(field, xr.Dataset):
        names = [str(key) for key in field.data_vars]
        likely = next((key for key in names if key.endswith("_mean")), names[0] if names else "ssh_mean")
        advice = f": pass one of its variables, such as `.{likely}`, or draw a whole result by `.dip.plot()`"
    check_array(field, argument, advice)


def check_fields(fields: Any, argument: str) -> None:
    """Refuse what is no mapping of DataArrays by label.

    Parameters
    ----------
    fields : mapping of str to DataArray
    argument : str
        What it is called in messages.

    Raises
    ------
    TypeError

    Examples
    --------
    >>> check_fields(xr.DataArray(0.0), "fields")
    Traceback (most recent call last):
    ...
    TypeError: Invalid fields of type DataArray. It must be a mapping from labels to DataArrays, such as...
    """
    if not isinstance(fields, Mapping):
        raise TypeError(
            f"Invalid {argument} of type {type(fields).__name__}. It must be a mapping from labels to DataArrays, such "
            "as {'estimate': fine.ssh_mean}."
        )
    for label, field in fields.items():
        check_field(field, f"{argument} {label!r}")


def flat(field: xr.DataArray, horizontal: Horizontal) -> xr.DataArray:
    """Return a field as (y, x): other dimensions, of which each has one entry only, become scalar coordinates.

    Parameters
    ----------
    field : DataArray
    horizontal : Horizontal
        Its grid, as `find_grid` finds it.

    Returns
    -------
    DataArray, dimensions (y, x)

    Examples
    --------
    >>> day = xr.DataArray(np.eye(2), {"lat": [40.0, 41.0], "lon": [5.0, 6.0]}, ("lat", "lon")).expand_dims(time=[0])
    >>> flat(day, find_grid(day)).dims
    ('lat', 'lon')
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    return field.squeeze([dim for dim in field.dims if dim not in dims]).transpose(*dims)


def find_map(field: xr.DataArray, *, projected: bool) -> Horizontal:
    """Find the grid of a field that can be drawn as one map.

    Parameters
    ----------
    field : DataArray
    projected : bool
        Whether by cartopy.

    Returns
    -------
    Horizontal

    Raises
    ------
    ValueError
        As of `find_grid`; also if cartopy is to draw what has no positions.

    Examples
    --------
    >>> field = xr.DataArray(np.eye(2), {"lat": [40.0, 41.0], "lon": [5.0, 6.0]}, ("lat", "lon"))
    >>> find_map(field, projected=True).x_dim
    'lon'
    """
    horizontal = find_grid(field)
    if projected and isinstance(horizontal.grid, IndexGrid):
        raise ValueError(f"Invalid field {field.name!r} without positions. It must have them to be drawn by cartopy.")
    return horizontal


def find_grid(field: xr.DataArray) -> Horizontal:
    """Find the grid of a field that is one map: each of its other dimensions has one entry.

    Parameters
    ----------
    field : DataArray

    Returns
    -------
    Horizontal

    Raises
    ------
    ValueError
        If the field has other dimensions too, or no latitude and longitude are found.

    Examples
    --------
    >>> find_grid(xr.DataArray(np.eye(2), {"lat": [40.0, 41.0], "lon": [5.0, 6.0]}, ("lat", "lon"))).y_dim
    'lat'
    """
    horizontal = find_horizontal(field)
    extra = [dim for dim, size in field.sizes.items() if size > 1 and dim not in (horizontal.y_dim, horizontal.x_dim)]
    if extra:
        raise ValueError(
            f"Invalid field with dimensions {field.dims}. It must have the horizontal ones only: select one of "
            f"{extra} first, as in `.isel({extra[0]}=0)`."
        )
    return horizontal


class Places(NamedTuple):
    """Where cells are drawn: centres, how much longer a unit of y is than one of x, and what x and y are."""

    y: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    aspect: float
    labels: tuple[str, str]


def centres(horizontal: Horizontal) -> Places:
    """Find where the cells of a map are drawn.

    Parameters
    ----------
    horizontal : Horizontal

    Returns
    -------
    Places
        Latitude and longitude, without a jump at the date line; indices where there are no positions.

    Examples
    --------
    >>> field = xr.DataArray(np.eye(2), {"lat": [0.0, 1.0], "lon": [179.0, -179.0]}, ("lat", "lon"))
    >>> centres(find_grid(field)).x.round(6)
    array([179., 181.])
    """
    if isinstance(horizontal.grid, IndexGrid):
        return Places(*horizontal.grid.indices(), 1.0, (horizontal.x_dim, horizontal.y_dim))
    latitude, longitude = horizontal.grid.centres()
    for along in range(longitude.ndim):
        longitude = np.unwrap(longitude, period=360.0, axis=along)
    aspect = 1 / float(np.cos(np.deg2rad(np.mean(latitude))))
    return Places(latitude, longitude, aspect, ("longitude (°E)", "latitude (°N)"))
