"""How noisy the coarse values are: one number, or one for each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.blocks import FloatArray
from xr_dip.cf.horizontal import Horizontal
from xr_dip.checks import check_noise
from xr_dip.errors import first_index
from xr_dip.heights import same_unit
from xr_dip.masks import on_fine_grid
from xr_dip.slices import time_stamps
from xr_dip.tiling import Tile

NoiseLike = float | xr.DataArray | npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class NoiseField:
    """Standard deviation of the noise of each coarse value.

    Attributes
    ----------
    fields : mapping of int to array, shape (ny, nx)
        By the time stamp of a slice; those of one field are one array. NaN where nothing is known.
    """

    fields: Mapping[int, FloatArray]

    def at(self, stamp: int) -> FloatArray:
        """Return the noise of a time, shape (ny, nx)."""
        return self.fields[stamp]

    def __str__(self) -> str:
        """Tell it from another one, in the configuration of a result."""
        distinct = list({id(field): field for field in self.fields.values()}.values())
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(field).tobytes() for field in distinct)).hexdigest()
        known = [field for field in distinct if np.isfinite(field).any()]
        lowest, highest = (min(map(np.nanmin, known)), max(map(np.nanmax, known))) if known else (np.nan, np.nan)
        return f"given on the coarse grid, {lowest:.6g} to {highest:.6g}, sha256 {digest[:16]}"


def read_noise(noise_std: Any, field: xr.DataArray, horizontal: Horizontal) -> float | NoiseField | None:
    """Read the noise of a coarse field.

    Parameters
    ----------
    noise_std : float, DataArray, array or None
        Standard deviation in the unit of the field: one number, or one for each coarse value, as an array (ny, nx) or
        as a DataArray with the horizontal dimensions of the field and any of its others. NaN where there is no value.
    field : DataArray
        The coarse field; that of a lazy one is compared with its values when these are computed.
    horizontal : Horizontal
        Of the field.

    Returns
    -------
    float, NoiseField or None
        What is the same everywhere is one number.

    Raises
    ------
    ValueError
        If it is not positive, missing where there is a value, not on the grid of the field, or says that it is in
        another unit.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> ssh = xr.DataArray(np.zeros((1, 2)), {"lat": [10.0], "lon": [5.0, 6.0]}, ("lat", "lon"), name="ssh")
    >>> str(read_noise(np.array([[0.01, 0.02]]), ssh, find_horizontal(ssh)))[:36]
    'given on the coarse grid, 0.01 to 0.'
    >>> read_noise(-0.01, ssh, find_horizontal(ssh))
    Traceback (most recent call last):
    ...
    ValueError: Invalid noise_std -0.01. It must be a positive number in the unit of the field, or None; one for each \
coarse value is a DataArray or an array.
    """
    if isinstance(noise_std, xr.DataArray):
        _check_units(noise_std, field)
    if not isinstance(noise_std, xr.DataArray | np.ndarray) or noise_std.ndim == 0:
        return check_noise(noise_std)
    dims = (horizontal.y_dim, horizontal.x_dim)
    leading = [dim for dim in field.dims if dim not in dims]
    times = _leading_of(noise_std, field, leading)
    planes = _planes(noise_std, times, horizontal)
    stamps = time_stamps(field.transpose(*leading, *dims), leading)
    found: dict[int, FloatArray] = {}
    for index in np.ndindex(stamps.shape):
        place = dict(zip(leading, index, strict=True))
        plane = planes[tuple(place[dim] for dim in times)]
        if field.chunks is None:
            check_covers(plane, np.asarray(field.isel(place).transpose(*dims).values, dtype=np.float64))
        found[int(stamps.values[index])] = plane
    return NoiseField(found)


def check_covers(noise: FloatArray, values: FloatArray) -> None:
    """Refuse noise that is missing where there is a value.

    Parameters
    ----------
    noise, values : array, shape (ny, nx)

    Raises
    ------
    ValueError
        That names the first place.

    Examples
    --------
    >>> check_covers(np.array([[0.1, np.nan]]), np.array([[1.0, np.nan]]))
    """
    missing = np.isfinite(values) & ~np.isfinite(noise)
    if missing.any():
        raise ValueError(
            f"Invalid noise_std {noise[first_index(missing)]} at index {first_index(missing)}. It must be a positive "
            "number wherever the field has a value."
        )


def noise_of(
    noise_std: float | NoiseField | None, values: FloatArray, stamp: int, tile: Tile | None = None
) -> float | FloatArray:
    """Return the variance of the noise of coarse values.

    Parameters
    ----------
    noise_std : float, NoiseField or None
        Of the whole domain.
    values : array, shape (ny, nx)
        NaN where there are none.
    stamp : int
        Of the time.
    tile : Tile, optional
        The part of the domain that the values are of.

    Returns
    -------
    float or array, shape (ny, nx)
        0 where they are exact.

    Raises
    ------
    ValueError
        If it is missing where there is a value.

    Examples
    --------
    >>> noise_of(0.5, np.ones((1, 2)), 0), noise_of(None, np.ones((1, 2)), 0)
    (0.25, 0.0)
    """
    if not isinstance(noise_std, NoiseField):
        return 0.0 if noise_std is None else noise_std**2
    field = noise_std.at(stamp)
    field = field if tile is None else tile.cut(field)
    check_covers(field, values)
    return variance_of(field, np.isfinite(values))


def typical_variance(variance: float | FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    """Return the harmonic mean of the variance of the noise: values count by what they say.

    Parameters
    ----------
    variance : float or array, shape (ny, nx)
        Positive, or 0 for all.
    seen : array of bool, shape (ny, nx)

    Returns
    -------
    float

    Examples
    --------
    >>> typical_variance(np.array([[1.0, 1e9, 1e-9]]), np.array([[True, True, False]])).__round__(6)
    2.0
    """
    return float(1 / (1 / np.asarray(variance)[seen]).mean()) if np.ndim(variance) else float(variance)


def variance_of(noise_std: FloatArray, seen: npt.NDArray[np.bool_]) -> float | FloatArray:
    """Return the variance of the noise of the values that are seen; one number where all are alike.

    Parameters
    ----------
    noise_std : array, shape (ny, nx)
    seen : array of bool, shape (ny, nx)

    Returns
    -------
    float or array, shape (ny, nx)
        1 where nothing is seen.

    Examples
    --------
    >>> variance_of(np.array([[0.5, 3.0]]), np.array([[True, False]]))
    0.25
    >>> variance_of(np.array([[0.5, 3.0]]), np.array([[True, True]]))
    array([[0.25, 9.  ]])
    """
    if np.ptp(noise_std[seen]) == 0:
        return float(noise_std[seen][0]) ** 2
    return np.where(seen, noise_std**2, 1.0)


def _check_units(noise_std: xr.DataArray, field: xr.DataArray) -> None:
    """Refuse noise whose attributes name another unit than those of the field, where both name one."""
    own, wanted = (str(each.attrs.get("units", "")).strip() for each in (noise_std, field))
    if own and wanted and not same_unit(own, wanted):
        raise ValueError(
            f"Invalid noise_std in {own!r}. It must be in the unit of the field, {wanted!r}: convert it and set its "
            "attribute 'units'."
        )


def _leading_of(noise_std: Any, field: xr.DataArray, leading: list[Any]) -> list[Any]:
    """Return the dimensions of the noise that are no horizontal ones, all of the field and of its size."""
    if not isinstance(noise_std, xr.DataArray):
        return []
    times = [dim for dim in leading if dim in noise_std.dims]
    for dim in times:
        alike = noise_std.sizes[dim] == field.sizes[dim]
        if alike and dim in noise_std.coords and dim in field.coords:
            alike = bool((noise_std[dim].values == field[dim].values).all())
        if not alike:
            raise ValueError(f"Invalid noise_std along {dim!r}. It must have the {dim!r} of the field, or none.")
    return times


def _planes(noise_std: Any, times: list[Any], horizontal: Horizontal) -> dict[tuple[int, ...], FloatArray]:
    """Return the noise of each time, shape (ny, nx), by its place along the dimensions that it has beside these."""
    shape = tuple(noise_std.sizes[dim] for dim in times)
    planes = {}
    for index in np.ndindex(shape):
        part = noise_std.isel(dict(zip(times, index, strict=True))) if times else noise_std
        plane = np.asarray(on_fine_grid("noise_std", part, horizontal, (1, 1), grid="coarse").values, dtype=np.float64)
        wrong = ~np.isnan(plane) & ~((plane > 0) & np.isfinite(plane))
        if wrong.any():
            where = first_index(wrong)
            raise ValueError(
                f"Invalid noise_std {plane[where]} at index {where}. It must be a positive number in the unit of the "
                "field, or NaN where there is no value."
            )
        planes[index] = plane
    return planes
