"""What a user may ask for: checked before anything is computed, each error naming argument, value and rule."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.blocks import Factor
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.errors import first_index
from xr_dip.geometry.grid import Grid
from xr_dip.sea import LARGEST_HEIGHT

FactorLike = int | tuple[int, int] | Mapping[str, int]
Weights = str | xr.DataArray | npt.NDArray[np.floating]
UNITS_PER_METRE = {"m": 1.0, "metre": 1.0, "meter": 1.0, "cm": 100.0, "centimetre": 100.0, "mm": 1000.0}
Mask = xr.DataArray | npt.NDArray[Any]


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
        Fine sea mask.
    weights : array of float64, shape (Y, X), or None
        Weight of each fine cell in its coarse mean; None for equal ones.
    largest : float
        A hundred metres in the unit of the field: values beyond it are undeclared fill values.
    """

    horizontal: Horizontal
    factor: Factor
    mask: npt.NDArray[np.bool_] | None
    weights: npt.NDArray[np.float64] | None
    largest: float = LARGEST_HEIGHT

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
    mask: Mask | None,
    weights: Weights,
    x_dim: str | None,
    y_dim: str | None,
    dataset: xr.Dataset | None,
) -> Target:
    """Check a field and what is asked of it.

    Parameters
    ----------
    da, factor, mask, weights, x_dim, y_dim, dataset
        As for `xr_dip.downscale`.

    Returns
    -------
    Target

    Raises
    ------
    TypeError, ValueError
        For anything that `xr_dip.downscale` refuses.
    """
    check_array(da)
    horizontal = find_horizontal(da, x_dim=x_dim, y_dim=y_dim, dataset=dataset)
    factors = parse_factor(factor, horizontal)
    largest = LARGEST_HEIGHT * UNITS_PER_METRE.get(str(da.attrs.get("units", "m")), 1.0)
    check_heights(da, largest)
    bare = Target(horizontal, factors, None, None)
    return Target(
        horizontal,
        factors,
        None if mask is None else _fine_mask(mask, bare),
        _fine_weights(weights, bare),
        largest,
    )


def check_array(da: xr.DataArray) -> None:
    """Refuse what is no array of floating-point numbers with some value in it.

    Parameters
    ----------
    da : DataArray

    Raises
    ------
    TypeError
        If it is no DataArray, or of another dtype.
    ValueError
        If every value is NaN (looked at only where the array is in memory).

    Examples
    --------
    >>> check_array(xr.DataArray([1, 2], name="ssh"))
    Traceback (most recent call last):
    ...
    TypeError: Invalid dtype int64 of 'ssh'. It must be floating point; convert with .astype("float64")...
    """
    if not isinstance(da, xr.DataArray):
        raise TypeError(f"Invalid field of type {type(da).__name__}. It must be an xarray.DataArray.")
    if not np.issubdtype(da.dtype, np.floating):
        raise TypeError(
            f"Invalid dtype {da.dtype} of {da.name!r}. It must be floating point; convert with "
            '.astype("float64") if its values are metres, with land as NaN.'
        )
    if da.chunks is None and da.size and not bool(da.notnull().any()):
        raise ValueError(f"Invalid field {da.name!r}. Every value is NaN; there must be some sea.")


def check_heights(da: xr.DataArray, largest: float) -> None:
    """Refuse infinite values and undeclared fill values of a field in memory; lazy ones are looked at when computed.

    Parameters
    ----------
    da : DataArray
    largest : float
        A hundred metres in the unit of the field.

    Raises
    ------
    ValueError
        With the place of the first such value: its indices and its coordinates.

    Examples
    --------
    >>> check_heights(xr.DataArray([0.5, np.inf], {"lat": [40.0, 41.0]}, "lat", name="ssh"), 100.0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid ssh inf at lat=1 (lat 41.0). It must be finite, or NaN where there is no data.
    """
    if da.chunks is not None:
        return
    for wrong, rule in (
        (np.isinf(da.values), "It must be finite, or NaN where there is no data."),
        (
            np.abs(da.values) > largest,
            f"It must be within {largest:.0f} of 0, which is 100 m. A fill value must be declared: set `_FillValue`, "
            "or replace it by NaN.",
        ),
    ):
        if wrong.any():
            here = da[first_index(wrong)]
            index = ", ".join(f"{dim}={place}" for dim, place in zip(da.dims, first_index(wrong), strict=True))
            place = ", ".join(f"{name} {coord.values}" for name, coord in here.coords.items() if coord.ndim == 0)
            raise ValueError(f"Invalid {da.name} {here.values} at {index}{f' ({place})' if place else ''}. {rule}")


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
        return _whole("factor along y", factor[0]), _whole("factor along x", factor[1])
    if not isinstance(factor, Mapping):
        whole = _whole("factor", factor)
        return whole, whole
    unknown = [dim for dim in factor if dim not in dims]
    if unknown or not factor:
        raise ValueError(f"Invalid factor {dict(factor)!r}. It must name the horizontal dimensions {list(dims)}.")
    fy, fx = (_whole(f"factor of {dim!r}", factor.get(dim, 1)) for dim in dims)
    return fy, fx


def _whole(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number, or say what is wrong with it."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool_) or number < least:
        raise ValueError(f"Invalid {name} {value!r}. It must be a whole number of at least {least}.")
    return number


def check_members(members: Any) -> int:
    """Return the number of members, at least 1.

    Examples
    --------
    >>> check_members(0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid members 0. It must be a whole number of at least 1.
    """
    return _whole("members", members)


def check_seed(seed: Any) -> int:
    """Return the seed, not negative.

    Examples
    --------
    >>> check_seed(3)
    3
    """
    return _whole("seed", seed, least=0)


def check_noise(noise_std: Any) -> float | None:
    """Return the standard deviation of the noise, positive, in the unit of the field; or None.

    Examples
    --------
    >>> check_noise(-0.01)
    Traceback (most recent call last):
    ...
    ValueError: Invalid noise_std -0.01. It must be a positive number in the unit of the field, or None.
    """
    if noise_std is None:
        return None
    try:
        number = float(noise_std)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number > 0):
        raise ValueError(
            f"Invalid noise_std {noise_std!r}. It must be a positive number in the unit of the field, or None."
        )
    return number


def check_name(argument: str, name: Any, allowed: Sequence[str]) -> str:
    """Return a name if it is one of those allowed.

    Examples
    --------
    >>> check_name("loss", "mes", ["mse", "charbonnier"])
    Traceback (most recent call last):
    ...
    ValueError: Invalid loss 'mes'. It must be one of ['charbonnier', 'mse'].
    """
    if not isinstance(name, str) or name not in allowed:
        raise ValueError(f"Invalid {argument} {name!r}. It must be one of {sorted(allowed)}.")
    return name


def _fine_mask(mask: Mask, target: Target) -> npt.NDArray[np.bool_]:
    values = _on_fine_grid("mask", mask, target)
    if not np.isin(values, (0, 1)).all():
        odd = values[~np.isin(values, (0, 1))].flat[0]
        raise ValueError(f"Invalid mask with the value {odd}. It must hold 1 (sea) and 0 (land) only.")
    return values.astype(bool)


def _fine_weights(weights: Weights, target: Target) -> npt.NDArray[np.float64] | None:
    if isinstance(weights, str):
        check_name("weights", weights, ["equal", "area"])
        return None if weights == "equal" else target.fine_grid.area()
    return _on_fine_grid("weights", weights, target).astype(np.float64)


def _on_fine_grid(argument: str, values: Mask, target: Target) -> npt.NDArray[Any]:
    """Return an argument as an array on the fine grid, (y, x)."""
    if isinstance(values, xr.DataArray):
        dims = (target.horizontal.y_dim, target.horizontal.x_dim)
        extra = [dim for dim in values.dims if dim not in dims and values.sizes[dim] > 1]
        if extra or any(dim not in values.dims for dim in dims):
            raise ValueError(f"Invalid {argument} with dimensions {values.dims}. It must have the dimensions {dims}.")
        values = values.squeeze([dim for dim in values.dims if dim not in dims]).transpose(*dims).values
    array = np.asarray(values)
    if array.shape != target.fine_shape:
        raise ValueError(
            f"Invalid {argument} of shape {array.shape}. It must have the fine shape {target.fine_shape}: "
            f"{target.coarse_shape} coarse cells times the factor {target.factor}."
        )
    return array
