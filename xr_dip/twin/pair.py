"""A truth and its coarse counterpart, with all that a method may know of the fine grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from xr_dip.arrays import check_array
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.checks import check_name
from xr_dip.coarsening import coarsen, fine_weights
from xr_dip.observation import BLOCK_MEAN
from xr_dip.verification.statistics import label

Boundary = Literal["exact", "trim"]


@dataclass(frozen=True, eq=False)
class Pair:
    """A truth, its coarse values, and what a method may know of the fine grid.

    Attributes
    ----------
    factor : int
    coarse, fine : DataArray
        In memory; `fine` is the truth, cut to whole blocks.
    sea : DataArray of bool, dimensions (y, x)
        Cells that have a value at some time.
    weights : DataArray, dimensions (y, x)
    equal : bool
        Whether the weights are all 1.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float, float)
        Size of a fine cell along y and x, metres.
    operator : str
        How the coarse values came from the truth, as of `coarsen`; methods are told it.
    operator_options : mapping or None
    """

    factor: int
    coarse: xr.DataArray
    fine: xr.DataArray
    sea: xr.DataArray
    weights: xr.DataArray
    equal: bool
    dims: tuple[str, str]
    spacing: tuple[float, float]
    operator: str = BLOCK_MEAN
    operator_options: Mapping[str, Any] | None = None


def make_pair(
    truth: xr.DataArray,
    factor: int,
    *,
    weights: str | xr.DataArray = "equal",
    boundary: Boundary = "trim",
    operator: str = BLOCK_MEAN,
    operator_options: Mapping[str, Any] | None = None,
    x_dim: str | None = None,
    y_dim: str | None = None,
) -> Pair:
    """Make a truth coarse.

    Parameters
    ----------
    truth, factor, weights, boundary, operator, operator_options, x_dim, y_dim
        As for `xr_dip.twin.coarsen`.

    Returns
    -------
    Pair

    Raises
    ------
    ValueError
        If the boundary is unknown or `coarsen` refuses its input.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> make_pair(synthetic.gulf_stream((10, 12)).ssh, 4).coarse.shape
    (2, 3)
    """
    check_name("boundary", boundary, ["exact", "trim"])
    horizontal = find_horizontal(truth, x_dim=x_dim, y_dim=y_dim)
    dims = (horizontal.y_dim, horizontal.x_dim)
    weight = fine_weights(truth, weights, horizontal)
    seen: dict[str, Any] = {"operator": operator, "operator_options": operator_options}
    coarse, fine = coarsen(truth, factor, weights=weight, boundary=boundary, x_dim=x_dim, y_dim=y_dim, **seen)
    # The mask goes by cells: coordinates of an uneven grid, refined again, are not those of the truth.
    sea = fine.notnull().any([dim for dim in fine.dims if dim not in dims]).reset_coords(drop=True)
    sea = sea.drop_vars(dims, errors="ignore")
    return Pair(
        factor,
        coarse.compute(),
        fine.compute(),
        sea.compute(),
        weight.isel({dim: slice(fine.sizes[dim]) for dim in dims}).compute(),
        isinstance(weights, str) and weights == "equal",
        dims,
        horizontal.grid.spacing(),
        operator,
        operator_options,
    )


def one_field(truth: xr.DataArray, *, x_dim: str | None = None, y_dim: str | None = None) -> xr.DataArray:
    """Return a truth of one time as (y, x); dimensions with one entry become scalar coordinates.

    Parameters
    ----------
    truth : DataArray
    x_dim, y_dim : str, optional
        Names of the horizontal dimensions, where they cannot be found.

    Returns
    -------
    DataArray, dimensions (y, x)

    Raises
    ------
    ValueError
        If it is of several times.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> one_field(synthetic.gulf_stream((8, 12)).ssh.expand_dims("time")).dims
    ('latitude', 'longitude')
    """
    check_array(truth, "truth")
    horizontal = find_horizontal(truth, x_dim=x_dim, y_dim=y_dim)
    dims = (horizontal.y_dim, horizontal.x_dim)
    extra = [str(dim) for dim in truth.dims if dim not in dims]
    if any(truth.sizes[dim] > 1 for dim in extra):
        raise ValueError(f"Invalid truth with dimensions {truth.dims}. It must be one field: select one of {extra}.")
    return truth.squeeze(extra).transpose(*dims)


def white_noise(field: xr.DataArray, seed: Sequence[int]) -> xr.DataArray:
    """Return white noise of standard deviation one on the cells of a field.

    Parameters
    ----------
    field : DataArray
    seed : sequence of int

    Returns
    -------
    DataArray

    Examples
    --------
    >>> white_noise(xr.DataArray([0.0, 0.0], dims="x"), [0]).dims
    ('x',)
    """
    return field.copy(data=np.random.default_rng(seed).standard_normal(field.shape))


def block_errors(pair: Pair, values: xr.DataArray, mean: xr.DataArray) -> xr.DataArray:
    """Coarse values of an estimate less the coarse field that it was made from.

    Parameters
    ----------
    pair : Pair
    values : DataArray
        The coarse field, noise included.
    mean : DataArray
        On the fine grid, dimensions in any order.

    Returns
    -------
    DataArray
        On the coarse grid.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> pair = make_pair(synthetic.gulf_stream((8, 12)).ssh, 4)
    >>> bool(abs(block_errors(pair, pair.coarse, pair.fine + 1.0) - 1.0).max() < 1e-6)
    True
    """
    placed = pair.fine.copy(data=mean.transpose(*pair.fine.dims).values)
    y_dim, x_dim = pair.dims
    seen: dict[str, Any] = {"operator": pair.operator, "operator_options": pair.operator_options}
    again, _ = coarsen(placed, pair.factor, weights=pair.weights, x_dim=x_dim, y_dim=y_dim, **seen)
    return again - values


def conservation_error(pair: Pair, values: xr.DataArray, mean: xr.DataArray) -> xr.DataArray:
    """Largest difference between the coarse values of an estimate and the field that it was made from.

    Parameters
    ----------
    pair, values, mean
        As for `block_errors`.

    Returns
    -------
    DataArray
        One number for each time.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> pair = make_pair(synthetic.gulf_stream((8, 12)).ssh, 4)
    >>> bool(conservation_error(pair, pair.coarse, pair.fine) < 1e-6)
    True
    """
    largest = abs(block_errors(pair, values, mean)).max(pair.dims)
    return label(largest, "conservation_error", "largest error of a coarse value", pair.fine.attrs.get("units"))
