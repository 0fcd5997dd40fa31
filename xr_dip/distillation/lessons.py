"""The days that a student learns from, as arrays: coarse fields, and what is known of their fine fields."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.arrays import ONE_VARIABLE, check_array
from xr_dip.blocks import Factor, FloatArray, misfit
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.cf.summary import CONFIGURATION
from xr_dip.errors import DipWarning
from xr_dip.inputs import Target, find_target
from xr_dip.matching import place_on
from xr_dip.observation import BLOCK_MEAN
from xr_dip.reading import configuration_of
from xr_dip.sea import Sea, check_values, find_sea

LARGEST_MISFIT = 0.01
"""Of the block means of estimates, in standard deviations of the coarse field."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """One day.

    Attributes
    ----------
    values : array, shape (ny, nx)
        Coarse field, NaN where nothing constrains the fine one.
    sea : Sea
    mean : array, shape (Y, X)
        What the teacher makes of it.
    std : array, shape (Y, X)
        Its standard error; 0 of a truth.
    """

    values: FloatArray
    sea: Sea
    mean: FloatArray
    std: FloatArray

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Fine cells that have an estimate and weight."""
        return np.asarray(np.isfinite(self.mean) & np.isfinite(self.std) & (self.sea.weights > 0))


@dataclass(frozen=True, eq=False)
class Lessons:
    """Some days, one after the other.

    Attributes
    ----------
    days : tuple of Lesson
    target : Target
        The grid they share.
    teacher : str
        Who the estimates are from, in words.
    """

    days: tuple[Lesson, ...]
    target: Target
    teacher: str


def read_lessons(
    coarse: xr.DataArray, estimates: xr.Dataset | xr.DataArray, options: Mapping[str, Any], dataset: xr.Dataset | None
) -> Lessons:
    """Read the days that have an estimate.

    Parameters
    ----------
    coarse : DataArray
    estimates : Dataset or DataArray
    options : mapping
        Keywords of `xr_dip.inputs.find_target` but factor and mask: both are those of the estimates.
    dataset : Dataset or None

    Returns
    -------
    Lessons

    Raises
    ------
    TypeError, ValueError
        If the coarse field is no DataArray, or estimates are not on a refined grid of it, of other days, or of coarse
        values that are no block means or have noise.

    Warns
    -----
    DipWarning
        If their block means are not those of the coarse field.
    """
    check_array(coarse, "coarse", f"{ONE_VARIABLE}; the estimates come after it")
    mean, std = _fields(coarse, estimates)
    _check_made_of_block_means(estimates, str(coarse.name))
    names = {key: options.get(key) for key in ("x_dim", "y_dim", "x_coord", "y_coord")}
    horizontal = find_horizontal(coarse, dataset=dataset, **names)
    factor = _factor(mean, horizontal)
    fine = replace(horizontal, grid=horizontal.grid.refine(factor))
    mean, std = (place_on(coarse, field, fine) for field in (mean, std))
    chosen = _same_days(coarse, mean, (horizontal.y_dim, horizontal.x_dim)).compute()
    means, stds = (_stack(field, horizontal) for field in (mean, std))
    known = np.isfinite(means) & np.isfinite(stds)
    if not (known.any(axis=(1, 2)) & np.isfinite(_stack(chosen, horizontal)).any(axis=(1, 2))).any():
        raise ValueError(
            "Invalid estimates. They must have a day with values and standard errors, and its coarse field, too."
        )
    field, target = find_target(
        chosen, factor, mask=np.asarray(np.isfinite(means).any(axis=0)), dataset=dataset, **options
    )
    values = _stack(field, horizontal)
    days = tuple(_lessons(values, means, stds, target, str(coarse.name)))
    _warn_of_other_means(days, target.factor)
    return Lessons(days, target, _teacher(estimates))


def _fields(coarse: xr.DataArray, estimates: xr.Dataset | xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean and standard error; of a single field it is zero."""
    if isinstance(estimates, xr.DataArray):
        return estimates, xr.zeros_like(estimates).where(estimates.notnull()).assign_attrs(estimates.attrs)
    if not isinstance(estimates, xr.Dataset):
        raise TypeError(
            f"Invalid estimates of type {type(estimates).__name__}. They must be a Dataset of xr_dip, or a DataArray."
        )
    wanted = [f"{coarse.name}_mean", f"{coarse.name}_std"]
    missing = [name for name in wanted if name not in estimates]
    if missing:
        raise ValueError(
            f"Invalid estimates without {missing}. They must have both: results of xr_dip for the field "
            f"{coarse.name!r}; or be a DataArray."
        )
    return estimates[wanted[0]], estimates[wanted[1]]


def _check_made_of_block_means(estimates: xr.Dataset | xr.DataArray, name: str) -> None:
    """Refuse results of coarse values that are not exactly block means, which a student would take them for."""
    if not isinstance(estimates, xr.Dataset) or CONFIGURATION not in estimates.attrs:
        return
    configuration = configuration_of(estimates, name)
    operator, noise = configuration.get("operator", BLOCK_MEAN), configuration.get("noise_std")
    if operator != BLOCK_MEAN:
        raise ValueError(
            f"Invalid estimates with the operator {operator!r}. It must be {BLOCK_MEAN!r}: a student takes coarse "
            "values for block means."
        )
    if noise is not None:
        raise ValueError(
            f"Invalid estimates with the noise_std {noise!r}. It must be None: a student keeps the coarse values as "
            "they are, with their noise."
        )


def _factor(mean: xr.DataArray, horizontal: Horizontal) -> Factor:
    """Fine cells per coarse cell; horizontal dimensions of the estimates have the names of the coarse ones or follow.

    Those of a truth may be other, then they are the last two.
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    own = dims if set(dims) <= set(mean.dims) else mean.dims[-2:]
    sizes = [mean.sizes[dim] for dim in own]
    if any(size % cells for size, cells in zip(sizes, horizontal.grid.shape, strict=True)):
        raise ValueError(
            f"Invalid estimates of {sizes[0]} x {sizes[1]} cells. Their sizes must be multiples of the "
            f"{horizontal.grid.shape} coarse cells."
        )
    ny, nx = horizontal.grid.shape
    return sizes[0] // ny, sizes[1] // nx


def _same_days(coarse: xr.DataArray, mean: xr.DataArray, horizontal: tuple[str, str]) -> xr.DataArray:
    """Coarse fields of the days of the estimates, found by their coordinate."""
    leading = [dim for dim in mean.dims if dim not in horizontal]
    others = [dim for dim in coarse.dims if dim not in horizontal]
    if set(leading) != set(others) or len(leading) > 1:
        raise ValueError(
            f"Invalid estimates with the dimensions {leading} beside the horizontal ones. They must be those of the "
            f"coarse field, {others}, and one at most."
        )
    for dim in leading:
        if dim in coarse.indexes and dim in mean.indexes:
            twice = coarse.indexes[dim][coarse.indexes[dim].duplicated()]
            if len(twice):
                raise ValueError(
                    f"Invalid coarse field with {twice[0]} along {dim!r} more than once. Its days must differ."
                )
            unknown = mean.indexes[dim].difference(coarse.indexes[dim])
            if len(unknown):
                raise ValueError(
                    f"Invalid estimates of {unknown[0]} along {dim!r}. They must be of days of the coarse field."
                )
            return coarse.sel({dim: mean.indexes[dim]})
        if coarse.sizes[dim] != mean.sizes[dim]:
            raise ValueError(
                f"Invalid estimates of {mean.sizes[dim]} days along {dim!r} without a coordinate. They must be as many "
                f"as the coarse fields, {coarse.sizes[dim]}."
            )
    return coarse


def _stack(field: xr.DataArray, horizontal: Horizontal) -> FloatArray:
    """Values with one leading axis, shape (days, rows, columns)."""
    values = field.transpose(..., horizontal.y_dim, horizontal.x_dim).values.astype(np.float64)
    return np.asarray(values.reshape(-1, *values.shape[-2:]))


def _lessons(values: FloatArray, means: FloatArray, stds: FloatArray, target: Target, name: str) -> Iterator[Lesson]:
    """Yield the days that have values and an estimate."""
    for field, mean, std in zip(values, means, stds, strict=True):
        if np.isnan(field).all() or np.isnan(mean).all():
            continue
        check_values(field, name, target.largest)
        sea = find_sea(field, target.factor, mask=target.mask, weights=target.weights, quiet=True)
        yield Lesson(np.where(sea.coarse, field, np.nan), sea, mean, std)


def _warn_of_other_means(days: tuple[Lesson, ...], factor: Factor) -> None:
    """Warn of estimates with other block means: of other fields, or of a method that does not conserve them."""
    ratios = []
    for day in days:
        missed = misfit(day.mean, day.values, day.sea.weights, factor)
        ratios.append(float(np.sqrt(np.nanmean(missed**2)) / max(float(np.nanstd(day.values)), 1e-12)))
    if max(ratios) > LARGEST_MISFIT:
        warnings.warn(
            f"The block means of the estimates differ from the coarse field by up to {max(ratios):.0%} of its standard "
            "deviation. Those of a student are the coarse values: it is not for coarse fields with noise. Check that "
            "these are estimates of this field.",
            DipWarning,
            stacklevel=4,
        )


def _teacher(estimates: xr.Dataset | xr.DataArray) -> str:
    """Name the teacher by the hash of its configuration, if it says so."""
    if isinstance(estimates, xr.DataArray):
        return "fields without a standard error"
    digest = str(estimates.attrs.get("xr_dip_configuration_sha256", ""))
    source = str(estimates.attrs.get("source", "")).partition(";")[0]
    return f"{source or 'estimates'}{f', configuration {digest}' if digest else ''}"
