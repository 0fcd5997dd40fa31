"""Which coarse cells the fine cells of a result belong to, as they are: perhaps a window of them, or turned round."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import product

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.blocks import Factor, FloatArray
from xr_dip.cf.horizontal import Horizontal
from xr_dip.geometry.axis import middles, near, unwrap
from xr_dip.geometry.corners import normalise
from xr_dip.geometry.edges import midpoint_edges
from xr_dip.geometry.ellipsoid import unit_vectors

Indices = dict[str, npt.NDArray[np.intp]]
Places = npt.NDArray[np.intp]

UNEVEN = 0.05
"""Coarse cells: half of all centres may lie so far from the middle of their cell, on a grid with bounds of its own."""
RADIUS = 6.371e6
"""Of the Earth, metres."""


def find_cells(result: xr.Dataset, mean: xr.DataArray, horizontal: Horizontal, factor: Factor) -> Indices | None:
    """Find the coarse cells of a result that its fine cells make up.

    Parameters
    ----------
    result : Dataset
        Positions of coarse cells are ``<name>_coarse``.
    mean : DataArray
        The fine cells, a multiple of the factor along both dimensions.
    horizontal : Horizontal
        Of the fine cells.
    factor : (int, int)

    Returns
    -------
    dict of str to array of int, or None
        Along the coarse dimensions the place of each block of the factor, counted from the first fine cell. None where
        blocks are no coarse cells, as in a window that begins within one, or nothing tells whether they are.

    Examples
    --------
    >>> import xr_dip
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> fine = xr_dip.interpolate(xr_dip.synthetic.gulf_stream((8, 8)).ssh, 2)
    >>> turned = fine.isel(latitude=slice(8), longitude=slice(4, 10)).sortby("latitude", ascending=False)
    >>> cells = find_cells(turned, turned.ssh_mean, find_horizontal(turned.ssh_mean), (2, 2))
    >>> {dim: places.tolist() for dim, places in cells.items()}
    {'latitude_coarse': [3, 2, 1, 0], 'longitude_coarse': [2, 3, 4]}
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    lines = [_line_along(dim, mean, result) for dim in dims]
    positions = [name for name in (horizontal.latitude_name, horizontal.longitude_name) if name is not None]
    found: list[Places | None]
    if lines[0] is not None and lines[1] is not None:
        found = [
            _match(
                mean[name].values.astype(np.float64),
                result[f"{name}_coarse"].values.astype(np.float64),
                parts,
                around=name == horizontal.longitude_name,
                limit=90.0 if name == horizontal.latitude_name else np.inf,
            )
            for name, parts in zip(lines, factor, strict=True)
        ]
    elif positions and all(name in mean.coords and f"{name}_coarse" in result.coords for name in positions):
        found = _match_in_plane(mean, result, horizontal, factor)
    else:  # without positions nothing but sizes can be compared
        sizes = [mean.sizes[dim] // parts for dim, parts in zip(dims, factor, strict=True)]
        found = [
            np.arange(size) if result.sizes.get(f"{dim}_coarse") == size else None
            for dim, size in zip(dims, sizes, strict=True)
        ]
    known = {f"{dim}_coarse": places for dim, places in zip(dims, found, strict=True) if places is not None}
    return known if len(known) == len(dims) else None


def _line_along(dim: str, mean: xr.DataArray, result: xr.Dataset) -> Hashable | None:
    """Name of a coordinate along one dimension that the coarse cells have, too."""
    for name, coord in mean.coords.items():
        coarse = f"{name}_coarse"
        known = coarse in result.coords and result.coords[coarse].dims == (f"{dim}_coarse",)
        if known and coord.dims == (dim,) and coord.dtype.kind in "fiu":
            return name
    return None


def _match(fine: FloatArray, stored: FloatArray, parts: int, *, around: bool, limit: float) -> Places | None:
    """Places of blocks among coarse cells along a line; None if one is at none, or two at the same."""
    fine, centres = (unwrap(fine), unwrap(stored)) if around else (fine, stored)
    # A cell reaches half-way to its neighbours, so that its middle is not its centre where the grid is uneven.
    half = parts / 2 * (float(np.median(np.abs(np.diff(fine)))) if len(fine) > 1 else 1.0)
    edges = midpoint_edges(centres) if len(centres) > 1 else np.array([centres[0] - half, centres[0] + half])
    edges = np.clip(edges, -limit, limit)
    apart = fine.reshape(-1, parts).mean(axis=1)[:, np.newaxis] - middles(edges)
    apart = np.abs(near(apart, 0.0) if around else apart) / np.abs(np.diff(edges))
    places = apart.argmin(axis=1)
    if apart.min(axis=1).max() < 0.5 / parts and len(set(places.tolist())) == len(places):
        return np.asarray(places)
    if len(places) != len(centres):
        return None
    every = np.arange(len(centres))
    for places in (every, every[::-1]):
        if np.median(apart[every, places]) < max(0.5 / parts, UNEVEN):
            return np.asarray(places)
    return None


def _match_in_plane(
    mean: xr.DataArray, result: xr.Dataset, horizontal: Horizontal, factor: Factor
) -> list[Places | None]:
    """Places of blocks among coarse cells with positions on two dimensions: all or a window of them, perhaps turned."""
    names = horizontal.latitude_name, horizontal.longitude_name
    dims = (horizontal.y_dim, horizontal.x_dim)
    coarse_dims = (f"{dims[0]}_coarse", f"{dims[1]}_coarse")
    fine = unit_vectors(*(mean[name].transpose(*dims).values for name in names))
    there = unit_vectors(*(result[f"{name}_coarse"].transpose(*coarse_dims).values for name in names))
    rows, columns = fine.shape[0] // factor[0], fine.shape[1] // factor[1]
    here = normalise(fine.reshape(rows, factor[0], columns, factor[1], 3).mean(axis=(1, 3)))
    size = min(step * parts for step, parts in zip(horizontal.grid.spacing(), factor, strict=True))
    exact = 0.5 / max(factor)

    def shifts(y: Places, x: Places) -> FloatArray:
        return np.asarray(np.linalg.norm(here - there[np.ix_(y, x)], axis=-1) * RADIUS / size)

    if here.shape == there.shape:
        ways = ((np.arange(count), np.arange(count)[::-1]) for count in (rows, columns))
        y, x = min(product(*ways), key=lambda places: float(np.nanmedian(shifts(*places))))
        if np.nanmedian(shifts(y, x)) < max(exact, UNEVEN):
            return [y, x]
    first, last = (_nearest(there, here[index, index]) for index in (0, -1))
    along_y, along_x = (_run(first[dim], last[dim], here.shape[dim], there.shape[dim]) for dim in (0, 1))
    if along_y is None or along_x is None or not np.nanmax(shifts(along_y, along_x)) < exact:
        return [None, None]
    return [along_y, along_x]


def _nearest(there: FloatArray, point: FloatArray) -> tuple[int, int]:
    apart = np.nan_to_num(np.linalg.norm(there - point, axis=-1), nan=np.inf)
    row, column = np.unravel_index(int(apart.argmin()), apart.shape)
    return int(row), int(column)


def _run(first: int, last: int, count: int, total: int) -> Places | None:
    """Return the places from one to another, in either direction and around the end, if they are as many as wanted."""
    for step in (1, -1):
        if step * (last - first) % total + 1 == count:
            return (first + step * np.arange(count)) % total
    return None
