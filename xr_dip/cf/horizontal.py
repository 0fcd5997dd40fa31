"""The horizontal grid of a field: found in its coordinates, and written with bounds for the fine field.

Reading what was written gives the same grid again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cf_xarray  # noqa: F401  (registers .cf)
import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.positions import bounds_name, find_positions
from xr_dip.geometry.grid import CurvilinearGrid, Factor, Grid, RectilinearGrid

FloatArray = npt.NDArray[np.float64]

UNITS = {"latitude": "degrees_north", "longitude": "degrees_east"}
AXES = {"latitude": "Y", "longitude": "X"}


@dataclass(frozen=True, eq=False)
class Horizontal:
    """The horizontal dimensions of a field, their coordinates and the grid that they make.

    Attributes
    ----------
    y_dim, x_dim : str
        Dimensions of the field.
    grid : Grid
        Cells in the order (y_dim, x_dim).
    latitude_name, longitude_name : str
        Names of the coordinates.
    latitude, longitude : Variable
        The coordinates as they were found: 1-D along one dimension each, or 2-D on (y_dim, x_dim).

    Examples
    --------
    >>> ssh = xr.DataArray(np.zeros((2, 3)), dims=("lat", "lon"), coords={"lat": [10, 20], "lon": [0, 10, 20]})
    >>> horizontal = find_horizontal(ssh)
    >>> horizontal.y_dim, horizontal.x_dim, horizontal.grid.shape
    ('lat', 'lon', (2, 3))
    """

    y_dim: str
    x_dim: str
    grid: Grid
    latitude_name: str
    longitude_name: str
    latitude: xr.Variable
    longitude: xr.Variable


def find_horizontal(
    da: xr.DataArray, *, x_dim: str | None = None, y_dim: str | None = None, dataset: xr.Dataset | None = None
) -> Horizontal:
    """Find latitude and longitude of a field (`xr_dip.cf.positions.find_positions`), and the grid that they make.

    Parameters
    ----------
    da : DataArray
        The field; not computed, not changed.
    x_dim, y_dim : str, optional
        Its horizontal dimensions, to choose between several or to tell y from x where 2-D coordinates leave it open.
        By default the dimensions of latitude and longitude if these are 1-D; if they are 2-D, their dimensions in the
        order of the field, unless the dimensions are named the other way round (x and y, i and j).
    dataset : Dataset, optional
        The Dataset that the field came from, for what does not travel with it: bounds, and latitude and longitude that
        are no coordinates.

    Returns
    -------
    Horizontal

    Raises
    ------
    ValueError
        If latitude and longitude are not found, or more than one pair of them; if `x_dim` or `y_dim` does not fit; if
        they are not in degrees or make no grid (see `xr_dip.geometry.grid`).

    Examples
    --------
    >>> ds = xr.Dataset(
    ...     {
    ...         "ssh": (("y", "x"), np.zeros((2, 2))),
    ...         "nav_lat": (("y", "x"), [[10, 10], [11, 11]]),
    ...         "nav_lon": (("y", "x"), [[0, 1], [0, 1]]),
    ...     }
    ... )
    >>> find_horizontal(ds.ssh, dataset=ds).latitude_name
    'nav_lat'
    """
    _check_dims(da, x_dim, y_dim)
    wanted = frozenset(dim for dim in (x_dim, y_dim) if dim is not None)
    latitude_name, latitude, longitude_name, longitude = find_positions(da, dims=wanted, dataset=dataset)
    if latitude.ndim == 1:
        y, x = str(latitude.dims[0]), str(longitude.dims[0])
        _check_roles(y, x, y_dim, x_dim)
    else:
        y, x = _y_and_x(da, [str(dim) for dim in da.dims if dim in latitude.dims], y_dim, x_dim)
        latitude, longitude = latitude.transpose(y, x), longitude.transpose(y, x)
    _check_units(latitude_name, latitude)
    _check_units(longitude_name, longitude)
    kind = RectilinearGrid if latitude.ndim == 1 else CurvilinearGrid
    bounds = _read_bounds(latitude, dataset), _read_bounds(longitude, dataset)
    grid = kind.from_centres(latitude.values, longitude.values, *bounds)
    return Horizontal(y, x, grid, latitude_name, longitude_name, latitude, longitude)


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
        dimension ``nv`` (2 ends) or ``nvertex`` (4 corners, anticlockwise); for 2-D coordinates ``cell_area`` in m2,
        which is a data variable to CF. None has a fill value.

    Examples
    --------
    >>> ssh = xr.DataArray(np.zeros((2, 2)), dims=("lat", "lon"), coords={"lat": [10, 20], "lon": [0, 10]})
    >>> coords = fine_coords(find_horizontal(ssh), (1, 2))
    >>> coords["lon"].values
    array([-2.5,  2.5,  7.5, 12.5])
    >>> sorted(coords)
    ['lat', 'lat_bnds', 'lon', 'lon_bnds']
    """
    fine = horizontal.grid.refine(factor)
    latitude, longitude = fine.centres()
    latitude_bounds, longitude_bounds = fine.bounds()
    coords = {
        **_with_bounds("latitude", horizontal.latitude_name, horizontal.latitude, latitude, latitude_bounds),
        **_with_bounds("longitude", horizontal.longitude_name, horizontal.longitude, longitude, longitude_bounds),
    }
    if horizontal.latitude.ndim == 2:
        attrs = {"standard_name": "cell_area", "long_name": "area of the cell", "units": "m2"}
        area = _without_fill((horizontal.y_dim, horizontal.x_dim), fine.area(), attrs)
        # xarray says by itself where data variables are, but CF wants it said of areas among the coordinates, too.
        area.encoding["coordinates"] = f"{horizontal.latitude_name} {horizontal.longitude_name}"
        coords["cell_area"] = area
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
    }


def _without_fill(dims: Sequence[str], values: npt.NDArray[np.generic], attrs: Mapping[str, str]) -> xr.Variable:
    """Make a variable that xarray writes without the `_FillValue` that CF forbids on coordinates."""
    return xr.Variable(dims, values, attrs, encoding={"_FillValue": None})


def _with_bounds(
    kind: str, name: str, source: xr.Variable, centres: FloatArray, bounds: FloatArray
) -> dict[str, xr.Variable]:
    attrs = {
        "standard_name": kind,
        "long_name": source.attrs.get("long_name", kind),
        "units": UNITS[kind],
        "bounds": f"{name}_bnds",
    }
    if source.dims == (name,):
        attrs["axis"] = AXES[kind]
    dims = [str(dim) for dim in source.dims]
    vertex = "nv" if source.ndim == 1 else "nvertex"
    return {name: _without_fill(dims, centres, attrs), f"{name}_bnds": _without_fill([*dims, vertex], bounds, {})}


def _check_dims(da: xr.DataArray, x_dim: str | None, y_dim: str | None) -> None:
    for name, dim in (("x_dim", x_dim), ("y_dim", y_dim)):
        if dim is not None and dim not in da.dims:
            raise ValueError(f"Invalid {name} {dim!r}. It must be one of the dimensions {list(da.dims)}.")
    if x_dim is not None and x_dim == y_dim:
        raise ValueError(f"Invalid x_dim {x_dim!r}. It must be another dimension than y_dim.")


def _check_roles(y: str, x: str, y_dim: str | None, x_dim: str | None) -> None:
    for name, asked, dim, kind in (("y_dim", y_dim, y, "latitude"), ("x_dim", x_dim, x, "longitude")):
        if asked not in (None, dim):
            raise ValueError(f"Invalid {name} {asked!r}. It must be {dim!r}, the dimension of the {kind}.")


def _y_and_x(da: xr.DataArray, dims: list[str], y_dim: str | None, x_dim: str | None) -> tuple[str, str]:
    """Tell y from x among two dimensions in the order of the field: as asked, else as named, else in that order."""
    first, second = dims
    if x_dim is None and y_dim is None:
        reverse = _named_in_reverse(da, first, second)
    else:
        reverse = x_dim == first or y_dim == second
    return (second, first) if reverse else (first, second)


def _named_in_reverse(da: xr.DataArray, first: str, second: str) -> bool:
    """Whether CF attributes or names make the first dimension an x axis, or the second a y axis."""
    indices = {dim: da.coords[dim].variable if dim in da.coords else xr.Variable(dim, [0]) for dim in (first, second)}
    axes = xr.Dataset(coords=indices).cf.guess_coord_axis().cf.axes
    along_y, along_x = axes.get("Y", []), axes.get("X", [])
    straight = first in along_y or second in along_x
    return not straight and (first in along_x or second in along_y)


def _read_bounds(variable: xr.Variable, dataset: xr.Dataset | None) -> FloatArray | None:
    """Bounds of a coordinate; they come with the Dataset only, for they have a dimension that the field has not."""
    name = bounds_name(variable)
    if dataset is None or name not in dataset.variables:
        return None
    bounds = dataset.variables[name]
    if not set(variable.dims) <= set(bounds.dims):
        raise ValueError(
            f"Invalid bounds {name!r} on {bounds.dims}. It must be on {variable.dims} and one dimension more."
        )
    return np.asarray(bounds.transpose(*variable.dims, ...).values, dtype=np.float64)


def _check_units(name: str, variable: xr.Variable) -> None:
    units = str(variable.attrs.get("units", ""))
    if units.lower().startswith("rad"):
        raise ValueError(f"Invalid units {units!r} of {name!r}. It must be in degrees: convert it with numpy.degrees.")
