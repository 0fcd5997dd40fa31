"""A truth placed cell by cell on the fine grid of a result: matched by position, in the unit of the result."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.arrays import ONE_VARIABLE, check_array
from xr_dip.cf.horizontal import Horizontal
from xr_dip.cf.lines import lines_away
from xr_dip.cf.roles import y_and_x
from xr_dip.geometry.grid import Grid, IndexGrid
from xr_dip.heights import UNITS_PER_METRE
from xr_dip.regular_mask import METRES_PER_DEGREE, own_positions

FloatArray = npt.NDArray[np.float64]
Positions = tuple[xr.Variable, xr.Variable]

FARTHEST = 0.25
"""Cells by which positions may differ: those of an uneven grid, averaged and refined again, differ by some hundredths,
those of the wrong grid by half a cell."""


def place_on(
    estimate: xr.DataArray, truth: xr.DataArray, horizontal: Horizontal, called: str = "truth"
) -> xr.DataArray:
    """Place a truth on the cells of an estimate.

    Parameters
    ----------
    estimate : DataArray
    truth : DataArray
        Its horizontal dimensions may have other names, its longitudes another convention.
    horizontal : Horizontal
        Of the estimate.
    called : str
        What messages call the truth.

    Returns
    -------
    DataArray
        The truth with the horizontal dimensions of the estimate, without coordinates along them, in its unit.

    Raises
    ------
    TypeError
        If the truth is no DataArray.
    ValueError
        If its dimensions or sizes are others, its positions are not those of the estimate to a quarter of a cell, or
        its units cannot be converted.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> axes = {"lat": [10.0, 11.0], "lon": [-5.0, -4.0]}
    >>> estimate = xr.DataArray(np.zeros((2, 2)), axes, ("lat", "lon"), attrs={"units": "m"})
    >>> truth = xr.DataArray(np.full((2, 2), 3.0), {"y": [10.0, 11.0], "x": [355.0, 356.0]}, ("y", "x"), "zos")
    >>> placed = place_on(estimate, truth.rename(y="latitude", x="longitude").assign_attrs(units="cm"),
    ...                   find_horizontal(estimate))
    >>> placed.dims, float(placed[0, 0]), list(placed.coords)
    (('lat', 'lon'), 0.03, [])
    """
    check_array(truth, called, ONE_VARIABLE)
    found = own_positions(truth)
    own, dims = _horizontal_dims(truth, found, horizontal, called), (horizontal.y_dim, horizontal.x_dim)
    for dim, size in zip(own, horizontal.grid.shape, strict=True):
        if truth.sizes[dim] != size:
            raise ValueError(
                f"Invalid {called} with {truth.sizes[dim]} cells along {dim!r}. It must be on the fine grid of the "
                f"result, which has {size}."
            )
    if found is not None and not isinstance(horizontal.grid, IndexGrid):
        latitude, longitude = (_along_both(position, own) for position in found)
        _check_positions(latitude, longitude, horizontal.grid, called)
    here = truth.rename({old: new for old, new in zip(own, dims, strict=True) if old != new})
    away = lines_away(horizontal.lines, here, {}) if found is None else 0.0
    if away > FARTHEST:
        raise ValueError(
            f"Invalid {called} on another grid: its coordinates along {dims} are {away:.2g} cells away. They must be "
            f"those of the result, to {FARTHEST} of a cell, in the same order; or leave them out."
        )
    bare = here.drop_vars([key for key, coord in here.coords.items() if set(dims) & set(coord.dims)])
    return in_units_of(estimate, bare, called)


def _horizontal_dims(
    truth: xr.DataArray, found: Positions | None, horizontal: Horizontal, called: str
) -> tuple[str, str]:
    """Dimensions of the truth along y and x: those of the estimate, or those of its own positions."""
    dims = (horizontal.y_dim, horizontal.x_dim)
    if set(dims) <= set(truth.dims):
        return dims
    if found is None:
        raise ValueError(f"Invalid {called} with the dimensions {truth.dims}. It must have {dims}, or positions.")
    latitude, longitude = found
    if latitude.ndim == 1:
        return str(latitude.dims[0]), str(longitude.dims[0])
    return y_and_x(truth, [str(dim) for dim in truth.dims if dim in latitude.dims], None, None)


def _along_both(position: xr.Variable, dims: tuple[str, str]) -> FloatArray:
    """Latitude or longitude as an array that broadcasts with (y, x)."""
    present = [dim for dim in dims if dim in position.dims]
    values = position.transpose(*present).values.astype(np.float64)
    return values[:, None] if present == [dims[0]] else values


def _check_positions(latitude: FloatArray, longitude: FloatArray, grid: Grid, called: str) -> None:
    """Refuse positions that are not those of a grid: the typical one, as single ones can be wrong on land."""
    north, east = grid.centres()
    if north.ndim == 1:
        north = north[:, None]
    height, width = (step / METRES_PER_DEGREE for step in grid.spacing())
    turn = (longitude - east + 180.0) % 360.0 - 180.0
    away = np.hypot((latitude - north) / height, turn * np.cos(np.radians(north)) / width)
    typical = float(np.nanmedian(np.where(np.isfinite(away), away, np.nan)))
    if not typical <= FARTHEST:
        raise ValueError(
            f"Invalid {called} on another grid: its latitude and longitude are {typical:.2g} cells away. They must be "
            f"those of the result, to {FARTHEST} of a cell, in the same order; or leave them out."
        )


def in_units_of(estimate: xr.DataArray, truth: xr.DataArray, called: str = "truth") -> xr.DataArray:
    """Bring a truth to the unit of the estimate; one without units is taken to be in it.

    Parameters
    ----------
    estimate, truth : DataArray
        Of any dimensions.
    called : str
        What messages call the truth.

    Returns
    -------
    DataArray

    Raises
    ------
    ValueError
        If one of two different units is no m, cm or mm.

    Examples
    --------
    >>> in_units_of(xr.DataArray(0.5, attrs={"units": "m"}), xr.DataArray(50.0, attrs={"units": "cm"})).item()
    0.5
    """
    own, wanted = (str(field.attrs.get("units", "")).strip().lower() for field in (truth, estimate))
    if own == wanted or not own or not wanted:
        return truth.assign_attrs({"units": estimate.attrs["units"]} if wanted else {})
    if own not in UNITS_PER_METRE or wanted not in UNITS_PER_METRE:
        raise ValueError(
            f"Invalid units {truth.attrs['units']!r} of the {called}. It must be {estimate.attrs['units']!r}, as the "
            "result has, or both m, cm or mm."
        )
    scaled = truth * (UNITS_PER_METRE[wanted] / UNITS_PER_METRE[own])
    return scaled.assign_attrs(truth.attrs).assign_attrs(units=estimate.attrs["units"])
