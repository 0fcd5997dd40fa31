"""Masks and weights of the fine cells, brought to the fine grid, (y, x): taken as they are, regridded, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.blocks import Factor, block_sum
from xr_dip.cf.horizontal import Horizontal
from xr_dip.cf.lines import lines_away
from xr_dip.cf.sea_masks import BoolArray, decode_mask
from xr_dip.geometry.grid import Grid, IndexGrid
from xr_dip.regular_mask import METRES_PER_DEGREE, RegularMask, find_regular_mask, own_positions

FARTHEST = 0.5
"""Cells by which the positions of an array may differ from those of the fine grid."""


def fine_mask(mask: xr.DataArray | npt.NDArray[Any], horizontal: Horizontal, factor: Factor) -> tuple[BoolArray, str]:
    """Sea of a mask on the fine grid.

    Parameters
    ----------
    mask : DataArray or array
        Of any coding that `xr_dip.cf.sea_masks.decode_mask` knows: on the fine grid, or with 1-D latitude and longitude
        on any other, which need not be loaded.
    horizontal : Horizontal
        The coarse grid.
    factor : (int, int)

    Returns
    -------
    sea : array of bool, shape (Y, X)
    kind : str
        How it came here, for the configuration.

    Raises
    ------
    ValueError
        If the mask is on no such grid, does not cover the field, is no mask or has no sea.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> ssh = xr.DataArray(np.zeros((2, 2)), {"lat": [10.0, 11.0], "lon": [5.0, 6.0]}, ("lat", "lon"))
    >>> mask = xr.DataArray([[1, 0], [1, 1]], {"lon": [5.0, 6.0], "lat": [10.0, 11.0]}, ("lon", "lat"))
    >>> fine_mask(mask, find_horizontal(ssh), (1, 2))
    (array([[ True,  True,  True,  True],
           [False, False,  True,  True]]), 'regridded by majority')
    """
    regular = find_regular_mask(mask) if isinstance(mask, xr.DataArray) else None
    if regular is not None and not _is_there(regular, horizontal, factor):
        sea = regular.share(_placed(horizontal, regular.mask).refine(factor)) >= 0.5
        kind = "regridded by majority"
    else:
        sea = decode_mask(on_fine_grid("mask", mask, horizontal, factor))
        kind = "given on the fine grid"
    if not sea.any():
        raise ValueError("Invalid mask. It must have some sea on the fine grid, but every value is land or missing.")
    return np.asarray(sea), kind


def on_fine_grid(
    argument: str,
    values: xr.DataArray | npt.NDArray[Any],
    horizontal: Horizontal,
    factor: Factor,
    *,
    grid: str = "fine",
) -> xr.DataArray:
    """Check that an array is on the fine grid.

    Parameters
    ----------
    argument : str
        Its name, for messages.
    values : DataArray or array
        A DataArray has the dimensions of the field in any order, others of size 1 are dropped; its latitude and
        longitude, where it has them, must be those of the fine cells to half a cell.
    horizontal : Horizontal
        The coarse grid.
    factor : (int, int)
    grid : str
        What the grid is called in messages: that of factor 1 is the coarse one.

    Returns
    -------
    DataArray, dimensions (y, x)

    Raises
    ------
    TypeError
        If it is a Dataset.
    ValueError
        If dimensions, shape or positions are others, or its values are no numbers.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> ssh = xr.DataArray(np.zeros((2, 2)), {"lat": [10.0, 11.0], "lon": [5.0, 6.0]}, ("lat", "lon"))
    >>> on_fine_grid("weights", np.ones((2, 4)), find_horizontal(ssh), (1, 2)).dims
    ('lat', 'lon')
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    _check_type(argument, values)
    if isinstance(values, xr.DataArray):
        extra = [dim for dim in values.dims if dim not in dims and values.sizes[dim] > 1]
        if extra or any(dim not in values.dims for dim in dims):
            raise ValueError(f"Invalid {argument} with dimensions {values.dims}. It must have the dimensions {dims}.")
        plane = values.squeeze([dim for dim in values.dims if dim not in dims], drop=True)
        _check_shape(argument, tuple(plane.sizes[dim] for dim in dims), horizontal.grid.shape, factor)
        # Loaded first: xarray would read a transposed file value by value.
        plane = plane.compute(scheduler="synchronous").transpose(*dims)
    else:
        array = np.asarray(values)
        _check_shape(argument, array.shape, horizontal.grid.shape, factor)
        plane = xr.DataArray(array, dims=dims)
    if plane.dtype.kind not in "biuf":
        raise ValueError(f"Invalid {argument} of type {plane.dtype}. It must be of numbers or bool.")
    away = _distance(plane, horizontal, factor)
    if away > FARTHEST:
        raise ValueError(
            f"Invalid {argument} with other positions than the {grid} grid, {away:.1f} cells away. It must have its "
            "latitude and longitude, in the order of the field, or none."
        )
    return plane


def check_orientation(sea: BoolArray, has_data: BoolArray, factor: Factor) -> None:
    """Refuse a mask that is the wrong way round: land where there are data, sea where there are none.

    Parameters
    ----------
    sea : array of bool, shape (ny * fy, nx * fx)
    has_data : array of bool, shape (ny, nx)
        Coarse cells with a value.
    factor : (int, int)

    Raises
    ------
    ValueError
        If most of the area with data is land, and most of that without is sea.

    Examples
    --------
    >>> check_orientation(np.array([[False, True]]), np.array([[True, False]]), (1, 1))
    Traceback (most recent call last):
    ...
    ValueError: Invalid mask. It must be 1 on sea, but is land on 100% of the cells with data and sea on 100% of those \
without. If 1 is land in it, set its standard_name to 'land_binary_mask'.
    """
    if has_data.all() or not has_data.any():
        return
    share = block_sum(sea.astype(np.float64), factor) / (factor[0] * factor[1])
    land_under_data, sea_elsewhere = 1 - share[has_data].mean(), share[~has_data].mean()
    if min(land_under_data, sea_elsewhere) > 0.5:
        raise ValueError(
            f"Invalid mask. It must be 1 on sea, but is land on {land_under_data:.0%} of the cells with data and sea "
            f"on {sea_elsewhere:.0%} of those without. If 1 is land in it, set its standard_name to 'land_binary_mask'."
        )


def _check_type(argument: str, values: object) -> None:
    if isinstance(values, xr.Dataset):
        raise TypeError(
            f"Invalid {argument} of type Dataset. It must be one of its variables {list(values)}, or an array."
        )


def _check_shape(argument: str, shape: tuple[int, ...], coarse: tuple[int, int], factor: Factor) -> None:
    fine = coarse[0] * factor[0], coarse[1] * factor[1]
    if shape == fine:
        return
    on_coarse = " This is the coarse grid, which says nothing of the cells within." if shape == coarse else ""
    if factor == (1, 1):
        raise ValueError(f"Invalid {argument} of shape {shape}. It must have the shape of the field, {coarse}.")
    raise ValueError(
        f"Invalid {argument} of shape {shape}. It must have the fine shape {fine}: {coarse} coarse cells times the "
        f"factor {factor}.{on_coarse}"
    )


def _is_there(mask: RegularMask, horizontal: Horizontal, factor: Factor) -> bool:
    """Whether a mask has the dimensions, the shape and the positions of the fine grid."""
    ny, nx = horizontal.grid.shape
    same = mask.dims == (horizontal.y_dim, horizontal.x_dim)
    same = same and (mask.latitude.size, mask.longitude.size) == (ny * factor[0], nx * factor[1])
    return same and _distance(mask.mask, horizontal, factor) <= FARTHEST


def _placed(horizontal: Horizontal, mask: xr.DataArray) -> Grid:
    """Return the grid, if it knows where on the globe it is."""
    if isinstance(horizontal.grid, IndexGrid):
        raise ValueError(
            f"Invalid mask {mask.name!r} on another grid. It must be on the fine grid, for the field has no latitude "
            "and longitude."
        )
    return horizontal.grid


def _distance(plane: xr.DataArray, horizontal: Horizontal, factor: Factor) -> float:
    """Distance of an array from the fine cells, in cells; 0 where nothing is known.

    The largest of an axis, the typical one of 2-D positions, which can be wrong on land.
    """
    found = own_positions(plane)
    if found is None or isinstance(horizontal.grid, IndexGrid):
        return lines_away(horizontal.lines, plane, dict(zip((horizontal.y_dim, horizontal.x_dim), factor, strict=True)))
    latitude, longitude = found
    fine = horizontal.grid.refine(factor)
    own_latitude, own_longitude = fine.centres()
    if latitude.ndim != own_latitude.ndim:
        return 0.0
    order = plane.dims if latitude.ndim == 2 else (...,)
    north = np.abs(latitude.transpose(*order).values - own_latitude)
    east = np.abs((longitude.transpose(*order).values - own_longitude + 180.0) % 360.0 - 180.0)
    shrink = np.cos(np.radians(own_latitude if latitude.ndim == 2 else np.median(own_latitude)))
    height, width = (size / METRES_PER_DEGREE for size in fine.spacing())
    if latitude.ndim == 1:
        return float(max(np.max(north) / height, np.max(east) * shrink / width))
    return float(np.nanmedian(np.hypot(north, east * shrink)) / max(height, width))
