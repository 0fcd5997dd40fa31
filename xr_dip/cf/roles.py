"""Which dimension of a field is y and which is x: as asked, else by attributes and names, else in the order given."""

from __future__ import annotations

import re

import cf_xarray  # noqa: F401  (registers .cf)
import xarray as xr

# Beginnings of names in any case: x, xi_rho, XC, xt_ocean, i, ni, nlon, rlon and the like for y.
X_NAME = re.compile(r"x|i$|i_|ni$|[nr]?lon", re.IGNORECASE)
Y_NAME = re.compile(r"y|j$|j_|nj$|[nr]?lat|eta", re.IGNORECASE)


def check_dims(da: xr.DataArray, x_dim: str | None, y_dim: str | None) -> None:
    """Refuse dimensions that the field has not.

    Raises
    ------
    ValueError
        If one is unknown, or both are the same.

    Examples
    --------
    >>> check_dims(xr.DataArray([[0.0]], dims=("y", "x")), "lon", None)
    Traceback (most recent call last):
    ...
    ValueError: Invalid x_dim 'lon'. It must be one of the dimensions ['y', 'x'].
    """
    for name, dim in (("x_dim", x_dim), ("y_dim", y_dim)):
        if dim is not None and dim not in da.dims:
            raise ValueError(f"Invalid {name} {dim!r}. It must be one of the dimensions {list(da.dims)}.")
    if x_dim is not None and x_dim == y_dim:
        raise ValueError(f"Invalid x_dim {x_dim!r}. It must be another dimension than y_dim.")


def check_roles(y: str, x: str, y_dim: str | None, x_dim: str | None) -> None:
    """Refuse dimensions other than those of 1-D coordinates.

    Raises
    ------
    ValueError
        If `y_dim` or `x_dim` is given and another.

    Examples
    --------
    >>> check_roles("lat", "lon", None, "lon")
    """
    for name, asked, dim, kind in (("y_dim", y_dim, y, "latitude"), ("x_dim", x_dim, x, "longitude")):
        if asked not in (None, dim):
            raise ValueError(f"Invalid {name} {asked!r}. It must be {dim!r}, the dimension of the {kind}.")


def y_and_x(da: xr.DataArray, dims: list[str], y_dim: str | None, x_dim: str | None) -> tuple[str, str]:
    """Tell y from x among two dimensions in the order of the field.

    Parameters
    ----------
    da : DataArray
    dims : list of two str
    y_dim, x_dim : str, optional
        As asked.

    Returns
    -------
    y, x : str

    Examples
    --------
    >>> y_and_x(xr.DataArray([[0.0]], dims=("XC", "YC")), ["XC", "YC"], None, None)
    ('YC', 'XC')
    """
    first, second = dims
    if x_dim is None and y_dim is None:
        reverse = _named_in_reverse(da, first, second)
    else:
        reverse = x_dim == first or y_dim == second
    return (second, first) if reverse else (first, second)


def plane_dims(da: xr.DataArray, y_dim: str | None, x_dim: str | None) -> tuple[str, str]:
    """Take the dimensions of a field without coordinates: those asked for, else the last two but time and depth.

    Parameters
    ----------
    da : DataArray
    y_dim, x_dim : str, optional

    Returns
    -------
    y, x : str

    Raises
    ------
    ValueError
        If there are not two.

    Examples
    --------
    >>> plane_dims(xr.DataArray([[[0.0]]], dims=("j", "i", "time")), None, None)
    ('j', 'i')
    """
    axes = _guessed_axes(da, [str(dim) for dim in da.dims])
    others = {*axes.get("T", []), *axes.get("Z", [])}
    asked = [dim for dim in (y_dim, x_dim) if dim is not None]
    free = [str(dim) for dim in da.dims if dim not in (*others, *asked)]
    chosen = {*asked, *free[len(free) - (2 - len(asked)) :]}
    if len(chosen) != 2:
        raise ValueError(
            f"Invalid field {da.name!r} with dimensions {da.dims}. It must have two horizontal ones: name them with "
            "y_dim= and x_dim=."
        )
    return y_and_x(da, [str(dim) for dim in da.dims if dim in chosen], y_dim, x_dim)


def _named_in_reverse(da: xr.DataArray, first: str, second: str) -> bool:
    """Whether CF attributes or names make the first dimension an x axis, or the second a y axis."""
    axes = _guessed_axes(da, [first, second])
    along_y, along_x = axes.get("Y", []), axes.get("X", [])
    if along_y or along_x:
        straight = first in along_y or second in along_x
        return not straight and (first in along_x or second in along_y)
    straight = bool(Y_NAME.match(first) or X_NAME.match(second))
    return not straight and bool(X_NAME.match(first) or Y_NAME.match(second))


def _guessed_axes(da: xr.DataArray, dims: list[str]) -> dict[str, list[str]]:
    """Dimensions by axis, by their attributes and the names that cf-xarray knows."""
    lines = {
        dim: da.coords[dim].variable if dim in da.coords else xr.Variable(dim, [0] * da.sizes[dim]) for dim in dims
    }
    axes = xr.Dataset(coords=lines).cf.guess_coord_axis().cf.axes
    return {axis: [str(name) for name in names] for axis, names in axes.items()}
