"""Coordinates of the refined grid, written with bounds as CF wants them, and of the coarse grid beside them.

Reading what was written gives the same grid again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.horizontal import Horizontal
from xr_dip.cf.lines import Line
from xr_dip.geometry import axis
from xr_dip.geometry.axis import Factor
from xr_dip.geometry.edges import subdivide
from xr_dip.geometry.grid import Grid

FloatArray = npt.NDArray[np.float64]

UNITS = {"latitude": "degrees_north", "longitude": "degrees_east"}
AXES = {
    "latitude": "Y",
    "longitude": "X",
    "projection_y_coordinate": "Y",
    "projection_x_coordinate": "X",
}


def fine_coords(horizontal: Horizontal, factor: Factor) -> dict[str, xr.Variable]:
    """Coordinates of the refined grid with their bounds, as CF wants them.

    Parameters
    ----------
    horizontal : Horizontal
        The coarse grid.
    factor : (int, int)
        Fine cells per coarse cell along y and x.

    Returns
    -------
    dict of str to Variable
        Latitude and longitude in degrees under their own names and dimensions, float64; ``<name>_bnds`` with a last
        dimension ``nv`` (2 ends) or ``nvertex`` (4 corners, anticlockwise); where they are 2-D, ``cell_area`` in m2,
        which is a data variable to CF. Coordinates of a projection in their own unit, with bounds, and the grid
        mapping; or indices, in parts of the coarse ones. None has a fill value.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> ssh = xr.DataArray(np.zeros((2, 2)), dims=("lat", "lon"), coords={"lat": [10, 20], "lon": [0, 10]})
    >>> coords = fine_coords(find_horizontal(ssh), (1, 2))
    >>> coords["lon"].values
    array([-2.5,  2.5,  7.5, 12.5])
    >>> sorted(coords)
    ['lat', 'lat_bnds', 'lon', 'lon_bnds']
    """
    coords: dict[str, xr.Variable] = {}
    for line in horizontal.lines:
        along_y = line.variable.dims == (horizontal.y_dim,)
        coords |= _refined_line(line, factor[0] if along_y else factor[1])
    if horizontal.mapping_name is not None and horizontal.mapping is not None:
        coords[horizontal.mapping_name] = horizontal.mapping
    if horizontal.latitude_name is not None and horizontal.longitude_name is not None:
        coords |= _positions(horizontal, horizontal.grid.refine(factor))
    return coords


def coarse_coords(horizontal: Horizontal) -> dict[str, xr.Variable]:
    """Coordinates of the coarse grid beside the fine ones: ``<name>_coarse`` on ``<dim>_coarse``.

    Parameters
    ----------
    horizontal : Horizontal

    Returns
    -------
    dict of str to Variable
        The values as they were found. They have no standard name: two variables that are the latitude of one file
        mislead readers and the CF checker.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> ssh = xr.DataArray(np.zeros((2, 2)), dims=("lat", "lon"), coords={"lat": [10, 20], "lon": [0, 10]})
    >>> coarse_coords(find_horizontal(ssh))["lon_coarse"].dims
    ('lon_coarse',)
    """
    return {
        f"{name}_coarse": _without_fill(
            [f"{dim}_coarse" for dim in variable.dims],
            variable.values,
            {"long_name": f"{kind} of the coarse cells", "units": UNITS[kind]},
        )
        for kind, name, variable in (
            ("latitude", horizontal.latitude_name, horizontal.latitude),
            ("longitude", horizontal.longitude_name, horizontal.longitude),
        )
        if variable is not None
    }


def _positions(horizontal: Horizontal, fine: Grid) -> dict[str, xr.Variable]:
    """Latitude and longitude with their bounds, and the areas of cells that are not told by 1-D bounds."""
    coords: dict[str, xr.Variable] = {}
    dims = (horizontal.y_dim, horizontal.x_dim)
    names = str(horizontal.latitude_name), str(horizontal.longitude_name)
    sources = horizontal.latitude, horizontal.longitude
    for kind, name, source, centres, bounds in zip(UNITS, names, sources, fine.centres(), fine.bounds(), strict=True):
        placed = xr.Variable(dims, np.empty((0, 0))) if source is None else source
        coords |= _with_bounds(kind, name, placed, centres, bounds)
    if coords[names[0]].ndim == 2:
        attrs = {"standard_name": "cell_area", "long_name": "area of the cell", "units": "m2"}
        area = _without_fill(dims, fine.area(), attrs)
        # xarray says by itself where data variables are, but CF wants it said of areas among the coordinates, too.
        area.encoding["coordinates"] = " ".join(names)
        coords["cell_area"] = area
    return coords


def _refined_line(line: Line, factor: int) -> dict[str, xr.Variable]:
    """Coordinate of a plane on the fine grid; an index has no bounds, for it is no place."""
    edges = subdivide(line.edges, factor)
    if line.kind is not None:
        return _with_bounds(line.kind, line.name, line.variable, axis.middles(edges), axis.pairs(edges))
    attrs = {key: line.variable.attrs[key] for key in ("long_name", "units") if key in line.variable.attrs}
    return {line.name: _without_fill(line.variable.dims, axis.middles(edges), attrs)}


def _with_bounds(
    kind: str, name: str, source: xr.Variable, centres: FloatArray, bounds: FloatArray
) -> dict[str, xr.Variable]:
    attrs = {
        "standard_name": kind,
        "long_name": source.attrs.get("long_name", kind.replace("_", " ")),
        "units": UNITS.get(kind) or source.attrs.get("units", "m"),
        "bounds": f"{name}_bnds",
    }
    if source.dims == (name,):
        attrs["axis"] = AXES[kind]
    vertex = "nv" if source.ndim == 1 else "nvertex"
    return {
        name: _without_fill(source.dims, centres, attrs),
        f"{name}_bnds": _without_fill([*source.dims, vertex], bounds, {}),
    }


def _without_fill(dims: Sequence[Any], values: npt.NDArray[np.generic], attrs: Mapping[str, Any]) -> xr.Variable:
    """Make a variable that xarray writes without the `_FillValue` that CF forbids on coordinates."""
    return xr.Variable(dims, values, attrs, encoding={"_FillValue": None})
