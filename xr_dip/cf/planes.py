"""The grid of the coordinates of a projection, checked against the latitude and longitude of the file."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.lines import Line, read_bounds
from xr_dip.cf.projection import Projection
from xr_dip.errors import DipWarning
from xr_dip.geometry import ellipsoid
from xr_dip.geometry.axis import branch
from xr_dip.geometry.edges import cell_edges
from xr_dip.geometry.filling import missing_positions
from xr_dip.geometry.grid import IndexGrid, ProjectedGrid

FloatArray = npt.NDArray[np.float64]
Positions = tuple[xr.Variable, xr.Variable] | None

AGREEMENT = 0.1
"""A projection is that of a field if it gives its latitude and longitude within this part of a cell."""


def projected_grid(projection: Projection, positions: Positions, dataset: xr.Dataset | None) -> ProjectedGrid | None:
    """Make the grid of the coordinates of a projection.

    Parameters
    ----------
    projection : Projection
        With a grid mapping.
    positions : (Variable, Variable) or None
        Latitude and longitude of the file on the dimensions of the projection. Of several readings of the grid mapping
        the first that agrees with them is taken.
    dataset : Dataset or None
        For bounds.

    Returns
    -------
    ProjectedGrid or None
        None, with a warning, if the grid mapping contradicts the positions or cannot be read beside them.

    Raises
    ------
    ValueError
        If there are no positions and the grid mapping cannot be read, or the coordinates make no grid.

    Examples
    --------
    >>> mapping = xr.Variable((), 0, {"grid_mapping_name": "mercator"})
    >>> y, x = (xr.Variable(dim, [0.0, 1e3], {"units": "m"}) for dim in ("y", "x"))
    >>> projected_grid(Projection("y", y, "x", x, "crs", mapping), None, None).shape
    (2, 2)
    """
    if positions is None:
        return _grid(projection, next(iter(projection.systems().values())), 0.0, dataset)
    y, x = str(projection.y.dims[0]), str(projection.x.dims[0])
    latitude, longitude = (np.asarray(part.transpose(y, x).values, dtype=np.float64) for part in positions)
    middle = branch(longitude)
    middle = float(np.nanmin(longitude) + np.nanmax(longitude)) / 2 if middle is None else middle
    wrong = []
    try:
        for source, system in projection.systems().items():
            grid = _grid(projection, system, middle, dataset)
            off = _disagreement(projection, grid, latitude, longitude)
            if off <= AGREEMENT * min(grid.spacing()):
                return grid
            wrong.append(f"by {source} cells are up to {off / 1000:.3g} km away from them")
    except ValueError as error:
        wrong.append(str(error))
    warnings.warn(
        f"The grid mapping {projection.mapping_name!r} is not that of latitude and longitude: {'; '.join(wrong)}. "
        f"Latitude and longitude are used; to use the projection name it with y_coord={projection.y_name!r}, "
        f"x_coord={projection.x_name!r}.",
        DipWarning,
        stacklevel=4,
    )
    return None


def projection_lines(projection: Projection, grid: ProjectedGrid) -> tuple[Line, Line]:
    """Coordinates of a projection with the edges of a grid, in their own units.

    Examples
    --------
    >>> mapping = xr.Variable((), 0, {"grid_mapping_name": "mercator"})
    >>> y, x = (xr.Variable(dim, [0.0, 2.0], {"units": "km"}) for dim in ("y", "x"))
    >>> projection = Projection("y", y, "x", x, "crs", mapping)
    >>> projection_lines(projection, projected_grid(projection, None, None))[1].edges
    array([-1.,  1.,  3.])
    """
    y_unit, x_unit = projection.metres()
    return (
        Line(projection.y_name, projection.y, grid.y_edges / y_unit, "projection_y_coordinate"),
        Line(projection.x_name, projection.x, grid.x_edges / x_unit, "projection_x_coordinate"),
    )


def plane_grid(projection: Projection) -> tuple[IndexGrid, tuple[Line, Line]]:
    """Grid of distances, of the coordinates of a projection without a grid mapping.

    Examples
    --------
    >>> y, x = (xr.Variable(dim, [0.0, 2.0], {"units": "km"}) for dim in ("y", "x"))
    >>> plane_grid(Projection("y", y, "x", x))[0].spacing()
    (2000.0, 2000.0)
    """
    y, x = (np.asarray(part.values, dtype=np.float64) for part in (projection.y, projection.x))
    y_unit, x_unit = projection.metres()
    lines = (
        Line(projection.y_name, projection.y, cell_edges(y, None, x * x_unit / y_unit, projection.y_name)),
        Line(projection.x_name, projection.x, cell_edges(x, None, y * y_unit / x_unit, projection.x_name)),
    )
    return IndexGrid(lines[0].edges * y_unit, lines[1].edges * x_unit), lines


def _grid(projection: Projection, system: str, middle: float, dataset: xr.Dataset | None) -> ProjectedGrid:
    (y, y_bounds), (x, x_bounds) = (
        (unit * np.asarray(line.values, dtype=np.float64), None if given is None else unit * given)
        for line, unit in zip((projection.y, projection.x), projection.metres(), strict=True)
        for given in [read_bounds(line, dataset)]
    )
    return ProjectedGrid.from_centres(y, x, system, y_bounds, x_bounds, longitude_middle=middle)


def _disagreement(projection: Projection, grid: ProjectedGrid, latitude: FloatArray, longitude: FloatArray) -> float:
    """Largest distance in metres between the points of the plane and positions, missing ones left out."""
    y, x = (
        unit * np.asarray(line.values, dtype=np.float64)
        for line, unit in zip((projection.y, projection.x), projection.metres(), strict=True)
    )
    known = ~missing_positions(latitude, longitude)
    ours, theirs = ellipsoid.unit_vectors(*grid.positions(y, x)), ellipsoid.unit_vectors(latitude, longitude)
    return float(np.max(np.linalg.norm(ours - theirs, axis=-1)[known], initial=0.0)) * ellipsoid.AUTHALIC_RADIUS
