"""The field, grid, mask and weights that a user gives: checked before anything is computed, and refined."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.blocks import Factor
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.cf.sea_masks import find_mask
from xr_dip.cf.undecoded import without_fills
from xr_dip.checks import check_land_value, check_name, check_whole
from xr_dip.errors import DipWarning
from xr_dip.geometry.grid import CurvilinearGrid, Grid, RectilinearGrid
from xr_dip.geometry.overlap import repeated_columns
from xr_dip.heights import check_floating, check_heights, largest_height
from xr_dip.land import drop_land, warn_of_fill
from xr_dip.masks import check_orientation, fine_mask, on_fine_grid

FactorLike = int | tuple[int, int] | Mapping[str, int]
Weights = str | xr.DataArray | npt.NDArray[np.floating]
Mask = str | xr.DataArray | npt.NDArray[Any]
Periodic = bool | Literal["auto"]


@dataclass(frozen=True, eq=False)
class Target:
    """The fine grid asked for, with what is known about its cells.

    Attributes
    ----------
    horizontal : Horizontal
        The coarse grid and its names.
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    mask : array of bool, shape (Y, X), or None
        Fine sea mask; None where a fine cell is sea if its coarse cell is.
    weights : array of float64, shape (Y, X), or None
        Weight of each fine cell in its coarse mean; None for equal ones.
    largest : float
        A hundred metres in the unit of the field: values beyond it are undeclared fill values.
    periodic : bool
        Whether the first column is a neighbour of the last.
    extrapolate : bool
        Whether fine sea beside the coarse data gets values, see `xr_dip.sea.find_sea`.
    land_is_known : bool
        Whether a mask or the value of land was found or given.
    description : mapping
        What the configuration says of the above, plain values.
    """

    horizontal: Horizontal
    factor: Factor
    mask: npt.NDArray[np.bool_] | None
    weights: npt.NDArray[np.float64] | None
    largest: float
    periodic: bool
    extrapolate: bool
    land_is_known: bool
    description: Mapping[str, object]

    @property
    def fine_grid(self) -> Grid:
        """The refined grid."""
        return self.horizontal.grid.refine(self.factor)

    @property
    def coarse_shape(self) -> tuple[int, int]:
        """Coarse cells along y and x."""
        return self.horizontal.grid.shape

    @property
    def fine_shape(self) -> tuple[int, int]:
        """Fine cells along y and x."""
        return self.coarse_shape[0] * self.factor[0], self.coarse_shape[1] * self.factor[1]


def find_target(
    da: xr.DataArray,
    factor: FactorLike,
    *,
    mask: Mask | None = None,
    weights: Weights = "equal",
    land_value: float | None = None,
    extrapolate: bool = False,
    periodic: Periodic = "auto",
    x_dim: str | None = None,
    y_dim: str | None = None,
    x_coord: str | None = None,
    y_coord: str | None = None,
    dataset: xr.Dataset | None = None,
) -> tuple[xr.DataArray, Target]:
    """Check a field and what is asked of it.

    Parameters
    ----------
    da, factor, mask, weights, land_value, extrapolate, periodic, x_dim, y_dim, x_coord, y_coord, dataset
        As for `xr_dip.downscale`.

    Returns
    -------
    field : DataArray
        The field with its land missing.
    target : Target

    Raises
    ------
    TypeError, ValueError
        For anything that `xr_dip.downscale` refuses.

    Examples
    --------
    >>> zos = xr.DataArray([[0.1, 1e20]], {"lat": [10.0], "lon": [5.0, 6.0]}, ("lat", "lon"), name="zos")
    >>> field, target = find_target(zos, 4, land_value=1e20)
    >>> field.values, target.fine_shape
    (array([[0.1, nan]]), (4, 8))
    """
    check_floating(da)
    land = None if dataset is None else find_mask(dataset, da)
    field = drop_land(without_fills(da), land_value=check_land_value(land_value), mask=land)
    horizontal = find_horizontal(field, x_dim=x_dim, y_dim=y_dim, x_coord=x_coord, y_coord=y_coord, dataset=dataset)
    largest = largest_height(da)
    check_heights(field, largest)
    factors = parse_factor(factor, horizontal)
    wraps = check_periodic(periodic, horizontal.grid)
    if periodic is not False:
        _warn_of_overlap(da, horizontal)
    cell_weights = _fine_weights(weights, horizontal, factors)
    sea, kind = _fine_sea(mask, extrapolate, field, horizontal, factors)
    known = sea is not None or land is not None or land_value is not None
    warn_of_fill(field, (horizontal.y_dim, horizontal.x_dim), land_is_known=known)
    description = {
        "factor": list(factors),
        "weights": weights if isinstance(weights, str) else "given on the fine grid",
        "mask": kind,
        "coarse_mask": None if land is None else str(land.name),
        "land_value": land_value,
        "extrapolate": bool(extrapolate),
        "periodic": wraps,
    }
    return field, Target(horizontal, factors, sea, cell_weights, largest, wraps, bool(extrapolate), known, description)


def parse_factor(factor: FactorLike, horizontal: Horizontal) -> Factor:
    """Return the factor along y and x.

    Parameters
    ----------
    factor : int, (int, int) or mapping
        One whole number for both, one along y and one along x, or one by dimension; a horizontal dimension that is not
        named keeps its resolution.
    horizontal : Horizontal

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError, ValueError
        If it is no whole number of at least 1, or names another dimension.
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    if isinstance(factor, tuple) and len(factor) == 2:
        return check_whole("factor along y", factor[0]), check_whole("factor along x", factor[1])
    if not isinstance(factor, Mapping):
        whole = check_whole("factor", factor)
        return whole, whole
    unknown = [dim for dim in factor if dim not in dims]
    if unknown or not factor:
        raise ValueError(f"Invalid factor {dict(factor)!r}. It must name the horizontal dimensions {list(dims)}.")
    fy, fx = (check_whole(f"factor of {dim!r}", factor.get(dim, 1)) for dim in dims)
    return fy, fx


def check_periodic(periodic: Any, grid: Grid) -> bool:
    """Return whether the first column is a neighbour of the last.

    Parameters
    ----------
    periodic : bool or "auto"
    grid : Grid

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If it is something else, or True for a grid whose positions say otherwise. A projected grid or one without
        positions may be periodic, as in an idealised channel.

    Examples
    --------
    >>> check_periodic("auto", RectilinearGrid.from_centres([0.0, 1.0], [0.0, 120.0, 240.0]))
    True
    """
    if isinstance(periodic, str) and periodic == "auto":
        return grid.periodic
    if not isinstance(periodic, bool | np.bool_):
        raise ValueError(f"Invalid periodic {periodic!r}. It must be True, False or 'auto'.")
    if periodic and isinstance(grid, RectilinearGrid | CurvilinearGrid) and not grid.periodic:
        raise ValueError(
            f"Invalid periodic True for {grid!r}. It must be False or 'auto', for the columns are no full circle."
        )
    return bool(periodic)


def _warn_of_overlap(field: xr.DataArray, horizontal: Horizontal) -> None:
    count, dim = repeated_columns(horizontal.grid), horizontal.x_dim
    if count:
        warnings.warn(
            f"The last {count} column(s) of {field.name!r} along {dim!r} lie on its first, so that the globe has a "
            f"seam there. Leave them out with `.isel({{{dim!r}: slice(None, -{count})}})`, or pass periodic=False.",
            DipWarning,
            stacklevel=4,
        )


def _fine_sea(
    mask: Mask | None, extrapolate: bool, field: xr.DataArray, horizontal: Horizontal, factor: Factor
) -> tuple[npt.NDArray[np.bool_] | None, str]:
    """Return the fine mask, if there is one, and how it came here."""
    if not isinstance(extrapolate, bool | np.bool_):
        raise ValueError(f"Invalid extrapolate {extrapolate!r}. It must be True or False.")
    if isinstance(mask, str) and mask != "coarse":
        raise ValueError(f"Invalid mask {mask!r}. It must be 'coarse', a DataArray or an array.")
    if mask is None or isinstance(mask, str):
        if extrapolate:
            raise ValueError(
                "Invalid extrapolate True without a fine mask. It must come with mask=, for else no fine cell beside "
                "the coarse data is known to be sea."
            )
        return None, "coarse"
    sea, kind = fine_mask(mask, horizontal, factor)
    if field.chunks is None:
        dims = (horizontal.y_dim, horizontal.x_dim)
        has_data = field.notnull().any([dim for dim in field.dims if dim not in dims]).transpose(*dims)
        check_orientation(sea, np.asarray(has_data.values), factor)
    return sea, kind


def _fine_weights(weights: Weights, horizontal: Horizontal, factor: Factor) -> npt.NDArray[np.float64] | None:
    if isinstance(weights, str):
        check_name("weights", weights, ["equal", "area"])
        return None if weights == "equal" else horizontal.grid.refine(factor).area()
    return np.asarray(on_fine_grid("weights", weights, horizontal, factor).values, dtype=np.float64)
