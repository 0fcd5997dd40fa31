"""Which coarse cells the fine cells of a result belong to, as they are: perhaps a window of them, or turned round."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.blocks import Factor, FloatArray
from xr_dip.cf.horizontal import Horizontal
from xr_dip.geometry.ellipsoid import unit_vectors

Indices = dict[str, npt.NDArray[np.intp]]

SHIFT = 0.05
"""Cells: so far from the middle of their edges may centres lie on an uneven grid."""
RADIUS = 6.371e6
"""Of the Earth, metres."""


def find_cells(
    blocks: xr.DataArray, result: xr.Dataset, mean: xr.DataArray, horizontal: Horizontal, factor: Factor
) -> Indices | None:
    """Find the coarse cells of a result that its fine cells make up.

    Parameters
    ----------
    blocks : DataArray
        The fine cells in blocks of the factor, counted from the first one, with their positions.
    result : Dataset
        Positions of coarse cells are ``<name>_coarse``.
    mean : DataArray
        The fine cells.
    horizontal : Horizontal
        Of the fine cells.
    factor : (int, int)

    Returns
    -------
    dict of str to array of int, or None
        Place of each block along the coarse dimensions. None where blocks are no coarse cells, as in a window that
        begins within one, or nothing tells whether they are.

    Examples
    --------
    >>> import xr_dip
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> fine = xr_dip.interpolate(xr_dip.synthetic.gulf_stream((8, 8)).ssh, 2)
    >>> turned = fine.isel(latitude=slice(8), longitude=slice(4, 10)).sortby("latitude", ascending=False)
    >>> blocks = turned.ssh_mean.coarsen(latitude=2, longitude=2).mean()
    >>> cells = find_cells(blocks, turned, turned.ssh_mean, find_horizontal(turned.ssh_mean), (2, 2))
    >>> {dim: places.tolist() for dim, places in cells.items()}
    {'latitude_coarse': [3, 2, 1, 0], 'longitude_coarse': [2, 3, 4]}
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    lines = {dim: _line_along(dim, blocks, result) for dim in dims}
    positions = [name for name in (horizontal.latitude_name, horizontal.longitude_name) if name is not None]
    if all(name is not None for name in lines.values()):
        found = {
            f"{dim}_coarse": _match(blocks[name], result[f"{name}_coarse"], mean[name], parts)
            for (dim, name), parts in zip(lines.items(), factor, strict=True)
        }
    elif positions and all(name in blocks.coords and f"{name}_coarse" in result.coords for name in positions):
        found = _match_in_plane(blocks, result, horizontal, factor)
    else:  # without positions nothing but sizes can be compared
        sizes = {f"{dim}_coarse": blocks.sizes[dim] for dim in dims}
        found = {dim: np.arange(size) if result.sizes.get(dim) == size else None for dim, size in sizes.items()}
    known = {dim: places for dim, places in found.items() if places is not None}
    return known if len(known) == len(dims) else None


def _line_along(dim: str, blocks: xr.DataArray, result: xr.Dataset) -> Hashable | None:
    """Name of a coordinate along one dimension that the coarse cells have, too."""
    names = [name for name, coord in blocks.coords.items() if coord.dims == (dim,) and coord.dtype.kind in "fiu"]
    stored = (
        name for name in names if result.coords.get(f"{name}_coarse", xr.Variable((), 0)).dims == (f"{dim}_coarse",)
    )
    return next(stored, None)


def _tolerance(parts: int) -> float:
    """Less than the shift by one fine cell, in coarse cells, where that is more than what uneven grids ask for."""
    return max(0.5 / parts, SHIFT)


def _match(blocks: xr.DataArray, stored: xr.DataArray, fine: xr.DataArray, parts: int) -> npt.NDArray[np.intp] | None:
    """Places of blocks among coarse cells along a line; None if one is at none, or two at the same."""
    around = 360.0 if str(fine.attrs.get("units", "")).startswith("degree") else np.inf
    apart = blocks.values[:, np.newaxis] - stored.values
    apart = np.abs(apart - around * np.round(apart / around)) if np.isfinite(around) else np.abs(apart)
    places = apart.argmin(axis=1)
    steps = np.abs(np.diff(fine.values.astype(np.float64)))
    width = parts * float(np.median(steps)) if steps.size else np.inf
    near = apart.min(axis=1) <= _tolerance(parts) * width
    return places if near.all() and len(set(places.tolist())) == len(places) else None


def _match_in_plane(
    blocks: xr.DataArray, result: xr.Dataset, horizontal: Horizontal, factor: Factor
) -> dict[str, npt.NDArray[np.intp] | None]:
    """Places of blocks among coarse cells with positions on two dimensions: a window of them, perhaps turned round."""
    names = horizontal.latitude_name, horizontal.longitude_name
    dims = (horizontal.y_dim, horizontal.x_dim)
    coarse_dims = (f"{dims[0]}_coarse", f"{dims[1]}_coarse")
    here = unit_vectors(*(blocks[name].transpose(*dims).values for name in names))
    there = unit_vectors(*(result[f"{name}_coarse"].transpose(*coarse_dims).values for name in names))
    corners = [_nearest(there, here[index, index]) for index in (0, -1)]
    places = [_run(first, last, size) for first, last, size in zip(*corners, here.shape[:2], strict=True)]
    if places[0] is None or places[1] is None:
        return dict.fromkeys(coarse_dims)
    apart = np.linalg.norm(here - there[np.ix_(places[0], places[1])], axis=-1) * RADIUS
    size = min(step * parts for step, parts in zip(horizontal.grid.spacing(), factor, strict=True))
    near = bool(np.nanmax(apart, initial=0.0) <= _tolerance(max(factor)) * size)
    return dict(zip(coarse_dims, places if near else (None, None), strict=True))


def _nearest(there: FloatArray, point: FloatArray) -> tuple[int, int]:
    apart = np.nan_to_num(np.linalg.norm(there - point, axis=-1), nan=np.inf)
    row, column = np.unravel_index(int(apart.argmin()), apart.shape)
    return int(row), int(column)


def _run(first: int, last: int, size: int) -> npt.NDArray[np.intp] | None:
    """Return the places from one to another, in either direction, if they are as many as wanted."""
    step = 1 if last >= first else -1
    return np.arange(first, last + step, step) if abs(last - first) + 1 == size else None
