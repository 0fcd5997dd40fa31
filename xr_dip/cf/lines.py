"""1-D coordinates of a plane: refined with the grid though they are no latitude or longitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.positions import bounds_name
from xr_dip.geometry.edges import cell_edges

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
