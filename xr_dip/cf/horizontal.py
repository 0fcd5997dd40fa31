"""The horizontal grid of a field, found in its coordinates."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import xarray as xr

from xr_dip.cf.curved import curved_grid
from xr_dip.cf.lines import Line, index_lines, read_bounds
from xr_dip.cf.planes import plane_grid, projected_grid, projection_lines
from xr_dip.cf.positions import bounds_name, candidates, find_positions, is_only, is_projection
from xr_dip.cf.projection import Projection, find_mapping, find_projection
from xr_dip.cf.roles import check_dims, check_roles, plane_dims, y_and_x
from xr_dip.cf.undecoded import check_unpacked
from xr_dip.errors import DipWarning
from xr_dip.geometry.grid import Grid, IndexGrid, RectilinearGrid

Found = tuple[str, xr.Variable, str, xr.Variable]


@dataclass(frozen=True, eq=False)
class Horizontal:
    """The horizontal dimensions of a field, their coordinates and the grid that they make.

    Attributes
    ----------
    y_dim, x_dim : str
        Dimensions of the field.
    grid : Grid
        Cells in the order (y_dim, x_dim).
    latitude_name, longitude_name : str or None
        Names of the coordinates, to be written too; None for a grid that is nowhere on Earth.
    latitude, longitude : Variable or None
        The coordinates as they were found: 1-D along one dimension each, or 2-D on (y_dim, x_dim), missing positions on
        land filled. None where there are none, as in a file that gives a projection only.
    lines : tuple of Line
        Coordinates of a projection, or indices.
    mapping_name : str or None
        Name of the grid mapping of a projection.
    mapping : Variable or None
        The grid mapping.

    Examples
    --------
    >>> ssh = xr.DataArray([[0.0] * 3] * 2, dims=("lat", "lon"), coords={"lat": [10, 20], "lon": [0, 10, 20]})
    >>> horizontal = find_horizontal(ssh)
    >>> horizontal.y_dim, horizontal.x_dim, horizontal.grid.shape
    ('lat', 'lon', (2, 3))
    """

    y_dim: str
    x_dim: str
    grid: Grid
    latitude_name: str | None = None
    longitude_name: str | None = None
    latitude: xr.Variable | None = None
    longitude: xr.Variable | None = None
    lines: tuple[Line, ...] = ()
    mapping_name: str | None = None
    mapping: xr.Variable | None = None


def find_horizontal(
    da: xr.DataArray,
    *,
    x_dim: str | None = None,
    y_dim: str | None = None,
    x_coord: str | None = None,
    y_coord: str | None = None,
    dataset: xr.Dataset | None = None,
) -> Horizontal:
    """Find the coordinates of a field and the grid that they make.

    By CF metadata first, by names second (`xr_dip.cf.positions`, `xr_dip.cf.projection`). Coordinates of a projection
    with a grid mapping make a projected grid if that gives the same latitude and longitude as the file; else latitude
    and longitude make a rectilinear or a curvilinear one. A field without any gets a grid of indices, with a warning.

    Parameters
    ----------
    da : DataArray
        The field; not changed. If it is in memory, its missing values tell where a curvilinear grid needs no position;
        it is not computed otherwise.
    x_dim, y_dim : str, optional
        Its horizontal dimensions, to choose between several or to tell y from x where 2-D coordinates leave it open.
        By default the dimensions of latitude and longitude if these are 1-D; if they are 2-D, their dimensions in the
        order of the field, unless the dimensions are named the other way round (x and y, i and j).
    x_coord, y_coord : str, optional
        Names of longitude and latitude, or of x and y of a projection, to choose between several or where nothing
        tells them.
    dataset : Dataset, optional
        The Dataset that the field came from, for what does not travel with it: bounds, the grid mapping, and latitude
        and longitude that are no coordinates.

    Returns
    -------
    Horizontal

    Raises
    ------
    ValueError
        If a name given does not exist or does not fit; if there is a latitude without a longitude, or more than one
        pair of them; if they are not in degrees or make no grid (see `xr_dip.geometry.grid`).

    Examples
    --------
    >>> ds = xr.Dataset(
    ...     {
    ...         "ssh": (("y", "x"), [[0.0, 0.0], [0.0, 0.0]]),
    ...         "nav_lat": (("y", "x"), [[10, 10], [11, 11]]),
    ...         "nav_lon": (("y", "x"), [[0, 1], [0, 1]]),
    ...     }
    ... )
    >>> find_horizontal(ds.ssh, dataset=ds).latitude_name
    'nav_lat'
    """
    check_dims(da, x_dim, y_dim)
    names = {"y_coord": y_coord, "x_coord": x_coord}
    planar = _check_names(da, names, dataset)
    wanted = frozenset(dim for dim in (x_dim, y_dim) if dim is not None)
    if not planar:
        found = find_positions(da, dims=wanted, y_coord=y_coord, x_coord=x_coord, dataset=dataset)
        if found is not None and found[1].ndim == 1:
            return _rectilinear(found, y_dim, x_dim, dataset)
        projection = None if y_coord or x_coord else find_projection(da, dims=wanted, dataset=dataset)
    else:
        # Named by the user, so whatever latitude and longitude the file has is not asked.
        found = None
        projection = find_projection(da, dims=wanted, y_coord=y_coord, x_coord=x_coord, dataset=dataset)
    if projection is not None and projection.mapping is not None:
        projected = _projected(da, projection, found, y_dim, x_dim, dataset)
        if projected is not None:
            return projected
    if found is None:
        return _indexed(da, projection, y_dim, x_dim, dataset)
    return _curvilinear(da, found, y_dim, x_dim, dataset)


def _check_names(da: xr.DataArray, names: dict[str, str | None], dataset: xr.Dataset | None) -> bool:
    """Refuse coordinates that do not exist or do not fit; tell whether they are those of a projection."""
    usable = candidates(da, dataset)
    for argument, name in names.items():
        if name is not None and name not in usable:
            found = {key: dict(variable.sizes) for key, variable in usable.items()}
            raise ValueError(
                f"Invalid {argument} {name!r}. It must be numeric, 1-D or 2-D on the dimensions of the field "
                f"{dict(da.sizes)}: one of {found}."
            )
    for argument, wanted, other in (("y_coord", "latitude", "longitude"), ("x_coord", "longitude", "latitude")):
        name = names[argument]
        if name is not None and is_only(usable[name], other):
            raise ValueError(
                f"Invalid {argument} {name!r}. It must be a {wanted}, but its attributes call it a {other}: "
                f"{usable[name].attrs}."
            )
    planar = {is_projection(usable[name]) for name in names.values() if name is not None}
    if len(planar) > 1:
        raise ValueError(
            f"Invalid y_coord {names['y_coord']!r} with x_coord {names['x_coord']!r}. They must be latitude and "
            "longitude, or y and x of a projection in a unit of length."
        )
    return planar == {True}


def _rectilinear(found: Found, y_dim: str | None, x_dim: str | None, dataset: xr.Dataset | None) -> Horizontal:
    latitude_name, latitude, longitude_name, longitude = found
    y, x = str(latitude.dims[0]), str(longitude.dims[0])
    check_roles(y, x, y_dim, x_dim)
    _check_units(latitude_name, latitude)
    _check_units(longitude_name, longitude)
    bounds = read_bounds(latitude, dataset), read_bounds(longitude, dataset)
    try:
        grid = RectilinearGrid.from_centres(latitude.values, longitude.values, *bounds)
    except ValueError as error:
        raise ValueError(f"{error}{_advice_on_bounds(latitude, longitude, dataset)}") from None
    return Horizontal(y, x, grid, latitude_name, longitude_name, latitude, longitude)


def _advice_on_bounds(latitude: xr.Variable, longitude: xr.Variable, dataset: xr.Dataset | None) -> str:
    """Say what to do with bounds that are no longer those of the coordinates, as after a thinning or a coarsening."""
    known = {} if dataset is None else dataset.variables
    names = [name for name in (bounds_name(latitude), bounds_name(longitude)) if name in known]
    return f" If its bounds are of another grid, leave them out with .drop_vars({names})." if names else ""


def _curvilinear(
    da: xr.DataArray, found: Found, y_dim: str | None, x_dim: str | None, dataset: xr.Dataset | None
) -> Horizontal:
    latitude_name, latitude, longitude_name, longitude = found
    y, x = y_and_x(da, [str(dim) for dim in da.dims if dim in latitude.dims], y_dim, x_dim)
    latitude, longitude = latitude.transpose(y, x), longitude.transpose(y, x)
    _check_units(latitude_name, latitude)
    _check_units(longitude_name, longitude)
    bounds = read_bounds(latitude, dataset), read_bounds(longitude, dataset)
    grid, latitude, longitude = curved_grid(da, latitude, longitude, bounds)
    return Horizontal(y, x, grid, latitude_name, longitude_name, latitude, longitude)


def _projected(
    da: xr.DataArray,
    projection: Projection,
    found: Found | None,
    y_dim: str | None,
    x_dim: str | None,
    dataset: xr.Dataset | None,
) -> Horizontal | None:
    """Projected grid, its latitude and longitude under the names of the file or free ones; None if it does not fit."""
    y, x = str(projection.y.dims[0]), str(projection.x.dims[0])
    if found is not None and {y, x} != set(found[1].dims):
        return None
    check_roles(y, x, y_dim, x_dim)
    grid = projected_grid(projection, None if found is None else (found[1], found[3]), dataset)
    if grid is None:
        return None
    lines, mapping = projection_lines(projection, grid), (projection.mapping_name, projection.mapping)
    if found is None:
        return Horizontal(y, x, grid, *_free_names(da), None, None, lines, *mapping)
    latitude_name, latitude, longitude_name, longitude = found
    positions = latitude.transpose(y, x), longitude.transpose(y, x)
    return Horizontal(y, x, grid, latitude_name, longitude_name, *positions, lines, *mapping)


def _free_names(da: xr.DataArray) -> tuple[str, str]:
    """Names for the latitude and longitude of a field that has none."""
    taken = {str(name) for name in (*da.dims, *da.coords)}
    pairs = [("latitude", "longitude"), ("lat", "lon"), ("geodetic_latitude", "geodetic_longitude")]
    return next(pair for pair in pairs if taken.isdisjoint(pair))


def _indexed(
    da: xr.DataArray, projection: Projection | None, y_dim: str | None, x_dim: str | None, dataset: xr.Dataset | None
) -> Horizontal:
    """Grid of indices, or of distances on a plane that no grid mapping places on Earth."""
    if projection is None:
        y, x = plane_dims(da, y_dim, x_dim)
        grid, lines = IndexGrid.of_shape((da.sizes[y], da.sizes[x])), index_lines(da, (y, x))
        mapping = find_mapping(da, dataset)[0]
        unit = "" if mapping is None else f" (set their units, such as 'm', if they are those of {mapping!r})"
        known = f"all its cells are taken as equally large squares{unit}"
    else:
        y, x = str(projection.y.dims[0]), str(projection.x.dims[0])
        grid, lines = plane_grid(projection)
        known = "their coordinates are taken as distances, without a grid mapping that tells where they are"
    warnings.warn(
        f"The field {da.name!r} has no latitude and longitude: {y!r} and {x!r} are its horizontal dimensions, and "
        f"{known}. To give positions, name them with y_coord= and x_coord=, set their `standard_name`, or pass the "
        "Dataset that holds them (`ds.dip`); other dimensions can be chosen with y_dim= and x_dim=.",
        DipWarning,
        stacklevel=3,
    )
    return Horizontal(y, x, grid, lines=lines)


def _check_units(name: str, variable: xr.Variable) -> None:
    """Refuse angles that are not counted as ours are."""
    check_unpacked(name, variable)
    units = str(variable.attrs.get("units", ""))
    if units.lower().startswith("rad"):
        raise ValueError(f"Invalid units {units!r} of {name!r}. It must be in degrees: convert it with numpy.degrees.")
    if re.search("west|south", units, re.IGNORECASE):
        raise ValueError(
            f"Invalid units {units!r} of {name!r}. It must be in degrees north or east: change its sign and its units."
        )
    if re.match("arc_?(min|sec)|min|sec", units, re.IGNORECASE):
        raise ValueError(f"Invalid units {units!r} of {name!r}. It must be in degrees: divide it, and set its units.")
