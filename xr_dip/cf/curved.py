"""The grid of 2-D latitude and longitude, with what files leave out: positions on land, corners that meet."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import binary_dilation

from xr_dip.errors import DipWarning, first_index
from xr_dip.geometry.curvilinear import CurvilinearGrid
from xr_dip.geometry.filling import missing_positions

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Bounds = tuple[FloatArray | None, FloatArray | None]

REACH = 2
"""Cells that the interpolation of corners looks at, each way."""


def curved_grid(
    da: xr.DataArray, latitude: xr.Variable, longitude: xr.Variable, bounds: Bounds
) -> tuple[CurvilinearGrid, xr.Variable, xr.Variable]:
    """Make the grid of 2-D latitude and longitude.

    Parameters
    ----------
    da : DataArray
        The field, which tells land: cells without a value at any time need no position, and may fold. A lazy field is
        not computed, so that positions are filled with a warning, and no other cell may fold.
    latitude, longitude : Variable, (y, x)
    bounds : (array or None, array or None)
        Latitude and longitude (y, x, 4) of the corners. Corners that do not meet are left out with a warning.

    Returns
    -------
    CurvilinearGrid
    latitude, longitude : Variable
        With missing positions filled.

    Raises
    ------
    ValueError
        If a cell of the sea has no position, or is folded.

    Examples
    --------
    >>> positions = [xr.Variable(("y", "x"), part) for part in np.mgrid[40.0:43.0, 5.0:9.0]]
    >>> curved_grid(xr.DataArray(np.zeros((3, 4)), dims=("y", "x")), *positions, (None, None))[0].shape
    (3, 4)
    """
    dims = str(latitude.dims[0]), str(latitude.dims[1])
    values = tuple(np.asarray(part.values, dtype=np.float64) for part in (latitude, longitude))
    missing = missing_positions(values[0], values[1])
    sea = _sea(da, dims, missing)
    if bounds[0] is not None and bounds[1] is not None:
        try:
            grid = CurvilinearGrid.from_centres(values[0], values[1], bounds[0], bounds[1], sea=sea, dims=dims)
            return grid, *_filled(grid, latitude, longitude, missing)
        except ValueError as error:
            warnings.warn(
                f"The corners of {da.name!r} are not used: {error} Corners between the cells are taken instead; drop "
                "the bounds, or correct them.",
                DipWarning,
                stacklevel=4,
            )
    try:
        grid = CurvilinearGrid.from_centres(values[0], values[1], sea=sea, dims=dims)
    except ValueError as error:
        advice = "" if da.chunks is None else " Or load the field (`.load()`): cells without data may fold."
        raise ValueError(f"{error}{advice}") from None
    return grid, *_filled(grid, latitude, longitude, missing)


def _sea(da: xr.DataArray, dims: tuple[str, str], missing: BoolArray) -> BoolArray | None:
    """Cells that need a position: those with a value, or, of a lazy field, those away from missing positions."""
    if da.chunks is None:
        return np.asarray(
            da.variable.notnull().any([dim for dim in da.dims if dim not in dims]).transpose(*dims).values
        )
    if not missing.any():
        return None
    warnings.warn(
        f"{int(missing.sum())} cells of {da.name!r} have no latitude and longitude, the first at index "
        f"{first_index(missing)}. They are taken for land, their positions filled: check that the field has no values "
        "there, or load it (`.load()`).",
        DipWarning,
        stacklevel=5,
    )
    return np.asarray(~binary_dilation(missing, np.ones((3, 3)), iterations=REACH))


def _filled(
    grid: CurvilinearGrid, latitude: xr.Variable, longitude: xr.Variable, missing: BoolArray
) -> tuple[xr.Variable, xr.Variable]:
    """Positions as they were found, those of the grid where there were none."""
    if not missing.any():
        return latitude, longitude
    first, second = (
        variable.copy(data=np.where(missing, centres, variable.values).astype(variable.dtype))
        for variable, centres in zip((latitude, longitude), grid.centres(), strict=True)
    )
    return first, second
