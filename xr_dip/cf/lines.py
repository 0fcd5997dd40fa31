"""1-D coordinates of a plane: refined with the grid though they are no latitude or longitude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.positions import bounds_name
from xr_dip.geometry.axis import middles
from xr_dip.geometry.edges import cell_edges, subdivide

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """A 1-D coordinate and the edges of its cells.

    Attributes
    ----------
    name : str
    variable : Variable
        As it was found.
    edges : array, shape (n + 1,)
        In its own unit.
    kind : str or None
        Its standard name; None for an index.
    """

    name: str
    variable: xr.Variable
    edges: FloatArray
    kind: str | None = None


def lines_away(lines: tuple[Line, ...], array: xr.DataArray, factor: Mapping[str, int]) -> float:
    """Tell how far the coordinates of an array are from those of a plane, in fine cells.

    Parameters
    ----------
    lines : tuple of Line
        Those of the plane.
    array : DataArray
        On the dimensions of the plane.
    factor : mapping of str to int
        Fine cells per cell of the plane along each dimension.

    Returns
    -------
    float
        The largest distance along an axis of a projection. Indices may begin anywhere, but must run the same way: else
        it is the number of cells. 0 where the array has no such coordinates, or in another unit.

    Examples
    --------
    >>> axis = xr.Variable("x", [0.0, 10.0], {"units": "km"})
    >>> line = Line("x", axis, np.array([-5.0, 5.0, 15.0]), "projection_x_coordinate")
    >>> field = xr.DataArray(np.zeros(4), {"x": ("x", [-2.5, 2.5, 7.5, 12.5], {"units": "km"})}, "x")
    >>> lines_away((line,), field, {"x": 2}), lines_away((line,), field[::-1], {"x": 2})
    (0.0, 3.0)
    """
    away = 0.0
    for line in lines:
        (dim,) = line.variable.dims
        # `coords.get` would make indices up for a dimension that has none.
        coord = array.coords[line.name] if line.name in array.coords else xr.DataArray(0.0)
        same_unit = coord.attrs.get("units") in (None, line.variable.attrs.get("units"))
        if coord.dims != (dim,) or coord.dtype.kind not in "fiu" or not same_unit:
            continue
        edges = subdivide(line.edges, factor.get(str(dim), 1))
        own, fine = coord.values.astype(np.float64), middles(edges)
        if len(own) != len(fine):
            continue
        if line.kind is not None:
            away = max(away, float(np.max(np.abs(own - fine) / np.abs(np.diff(edges)))))
        elif len(own) > 1 and np.sign(own[-1] - own[0]) != np.sign(fine[-1] - fine[0]):
            away = max(away, float(len(own)))
    return away


def read_bounds(variable: xr.Variable, dataset: xr.Dataset | None) -> FloatArray | None:
    """Read the bounds of a coordinate; they come with the Dataset only, on a dimension that the field has not.

    Parameters
    ----------
    variable : Variable
    dataset : Dataset or None

    Returns
    -------
    array, dimensions of the coordinate and one more, or None

    Raises
    ------
    ValueError
        If they are on other dimensions, or no numbers.

    Examples
    --------
    >>> ds = xr.Dataset({"lat": ("lat", [1.0], {"bounds": "rim"}), "rim": (("lat", "two"), [[0.5, 1.5]])})
    >>> read_bounds(ds.lat.variable, ds)
    array([[0.5, 1.5]])
    """
    name = bounds_name(variable)
    if dataset is None or name not in dataset.variables:
        return None
    bounds = dataset.variables[name]
    if not set(variable.dims) <= set(bounds.dims):
        raise ValueError(
            f"Invalid bounds {name!r} on {bounds.dims}. It must be on {variable.dims} and one dimension more."
        )
    if bounds.dtype.kind not in "fiu":
        raise ValueError(f"Invalid bounds {name!r} of type {bounds.dtype}. It must be of numbers.")
    return np.asarray(bounds.transpose(*variable.dims, ...).values, dtype=np.float64)


def index_lines(da: xr.DataArray, dims: tuple[str, str]) -> tuple[Line, ...]:
    """Find the coordinates of two dimensions that count their cells or measure them: numbers that go one way.

    Parameters
    ----------
    da : DataArray
    dims : (str, str)

    Returns
    -------
    tuple of Line
        None of a dimension without such a coordinate.

    Examples
    --------
    >>> da = xr.DataArray([[0.0, 0.0]], {"i": [5, 7]}, ("j", "i"))
    >>> [(line.name, line.edges.tolist()) for line in index_lines(da, ("j", "i"))]
    [('i', [4.0, 6.0, 8.0])]
    """
    lines = []
    for dim in dims:
        variable = da.coords[dim].variable.to_base_variable() if dim in da.coords else xr.Variable(dim, [])
        if not variable.size or variable.dtype.kind not in "fiu":
            continue
        values = variable.values.astype(np.float64)
        steps = np.diff(values)
        if np.all(steps > 0) or np.all(steps < 0):
            lines.append(Line(dim, variable, cell_edges(values, None, np.array([0.0, 1.0]), dim)))
    return tuple(lines)
