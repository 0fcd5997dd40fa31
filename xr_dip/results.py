"""What all methods return, fits, baselines and students alike: fields of single times, and the Dataset of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip import cf
from xr_dip.blocks import Factor, FloatArray, misfit
from xr_dip.cf.provenance import note_cost
from xr_dip.conservation import sea_areas, summarize_errors
from xr_dip.inputs import Target
from xr_dip.land import FillWatch
from xr_dip.pieces import LATENT_SPREADS
from xr_dip.sea import GAP, Sea
from xr_dip.slices import MEMBER, Output, SliceFunction, apply_to_slices


def output_forms(target: Target, members: int, scalars: tuple[str, ...], *, latents: bool = False) -> dict[str, Output]:
    """Return the form of each field of one slice.

    Parameters
    ----------
    target : Target
    members : int
        Members to be returned, 0 for none.
    scalars : tuple of str
        Names of diagnostics that are one number.
    latents : bool
        Whether the spread over latents is returned.

    Returns
    -------
    dict of str to Output
    """
    dims = (target.horizontal.y_dim, target.horizontal.x_dim)
    coarse_dims = (f"{dims[0]}_coarse", f"{dims[1]}_coarse")
    fine = Output(dims, target.fine_shape, "float32")
    coarse = Output(coarse_dims, target.coarse_shape, "float64")
    outputs = {
        "mean": fine,
        "std": fine,
        "fit_std": fine,
        "flag": Output(dims, target.fine_shape, "int8", missing=GAP),
        "conservation_error": coarse,
        "fit_residual": coarse,
    }
    if latents:
        outputs |= dict.fromkeys(LATENT_SPREADS, fine)
    if members:
        outputs["members"] = Output((MEMBER, *dims), (members, *target.fine_shape), "float32")
    return outputs | {name: Output((), (), "float64") for name in scalars}


def slice_fields(
    mean: FloatArray, std: FloatArray, values: FloatArray, sea: Sea, factor: Factor
) -> dict[str, npt.NDArray[Any]]:
    """Return the fields of one slice of a method without fits.

    Parameters
    ----------
    mean, std : array, shape (Y, X)
        In the unit of the values; arbitrary on land.
    values : array, shape (ny, nx)
        NaN where there is none.
    sea : Sea
    factor : (int, int)

    Returns
    -------
    dict of str to array
        ``mean`` and ``std`` in float32, NaN on land; ``flag``; and ``conservation_error``, that of the mean in float32,
        NaN where there is no value.

    Examples
    --------
    >>> from xr_dip.sea import find_sea
    >>> values = np.array([[1.0, 2.0]])
    >>> sea = find_sea(values, (1, 2))
    >>> fields = slice_fields(np.array([[0.0, 1.0, 2.0, 2.0]]), np.ones((1, 4)), values, sea, (1, 2))
    >>> fields["mean"].dtype, fields["conservation_error"].tolist()
    (dtype('float32'), [[-0.5, -0.0]])
    """
    masked, spread = (np.where(sea.mask, field, np.nan).astype(np.float32) for field in (mean, std))
    error = np.where(sea.coarse, -misfit(masked.astype(np.float64), values, sea.weights, factor), np.nan)
    return {"mean": masked, "std": spread, "flag": sea.flags, "conservation_error": error}


def solve(
    function: SliceFunction, da: xr.DataArray, target: Target, outputs: Mapping[str, Output]
) -> dict[str, xr.Variable]:
    """Apply a method to each time of a field, lazily where it is; of a lazy one, warn of a fill that may be land.

    Parameters
    ----------
    function : callable
        See `xr_dip.slices.apply_to_slices`.
    da : DataArray
        With its land missing, from `xr_dip.inputs.find_target`.
    target : Target
    outputs : mapping of str to Output
        Of `output_forms`, those that the method gives.

    Returns
    -------
    dict of str to Variable
    """
    horizontal = target.horizontal
    if da.chunks is not None and not target.land_is_known:
        function = FillWatch(function, str(da.name))
    return apply_to_slices(function, da, (horizontal.y_dim, horizontal.x_dim), outputs)


def rehearse(da: xr.DataArray, target: Target, outputs: Mapping[str, Output], dataset: xr.Dataset | None) -> None:
    """Assemble the Dataset of a result on the coarse grid, without values, before they are computed.

    Parameters
    ----------
    da, target, outputs, dataset
        As for `solve` and `finish`.

    Raises
    ------
    TypeError, ValueError
        If the metadata of the field, or of its Dataset, cannot be those of a result.
    """
    horizontal = target.horizontal
    coarse = dict(zip((horizontal.y_dim, horizontal.x_dim), target.coarse_shape, strict=True))
    lead = {str(dim): size for dim, size in da.sizes.items() if dim not in coarse}
    fields = {}
    for name, output in outputs.items():
        own = dict(zip(output.dims, output.sizes, strict=True))
        sizes = lead | {dim: coarse.get(dim, size) for dim, size in own.items()}
        fields[name] = xr.Variable(tuple(sizes), np.broadcast_to(np.zeros((), output.dtype), tuple(sizes.values())))
    _assemble(da, target, (1, 1), fields, dataset, configuration={}, totals={}, method="")


def finish(
    da: xr.DataArray,
    target: Target,
    fields: dict[str, xr.Variable],
    configuration: Mapping[str, object],
    method: str,
    dataset: xr.Dataset | None,
) -> xr.Dataset:
    """Make the Dataset of the fields of a method, see `xr_dip.cf.dataset.build_dataset`.

    Parameters
    ----------
    da : DataArray
        The coarse field.
    target : Target
    fields : dict of str to Variable
        From `solve`.
    configuration : mapping
    method : str
        One phrase that says how the fine field was made.
    dataset : Dataset or None
        Where the coarse field comes from.

    Returns
    -------
    Dataset
    """
    totals = _totals(fields, target)
    return _assemble(
        da, target, target.factor, fields, dataset, configuration=configuration, totals=totals, method=method
    )


def _assemble(
    da: xr.DataArray,
    target: Target,
    factor: Factor,
    fields: dict[str, xr.Variable],
    dataset: xr.Dataset | None,
    **said: Any,
) -> xr.Dataset:
    return cf.build_dataset(
        da,
        target.horizontal,
        factor,
        fields,
        extra=cf.related_variables(da, dataset),
        source_attributes=None if dataset is None else dict(dataset.attrs),
        **said,
    )


def _totals(fields: Mapping[str, xr.Variable], target: Target) -> dict[str, float]:
    """Return scalar diagnostics of fields in memory; a lazy result has none."""
    if any(variable.chunks is not None for variable in fields.values()):
        return {}
    totals: dict[str, float] = {}
    areas = sea_areas(fields["mean"].values, target.horizontal.grid, target.factor)
    for name in ("conservation_error", "fit_residual"):
        if name in fields:
            errors = summarize_errors(fields[name].values, areas)
            totals |= {f"{key}_{name}": value for key, value in errors.items()}
    for name, variable in fields.items():
        if variable.ndim <= _leading(fields) and np.isfinite(variable.values).any():
            totals[name] = float(np.nanmean(variable.values))
    return totals


def _leading(fields: Mapping[str, xr.Variable]) -> int:
    return fields["mean"].ndim - 2


def with_cost(result: xr.Dataset, begin: float, device: str, *, lazy: bool) -> xr.Dataset:
    """Note in the history what a result took; a lazy one is yet to be computed.

    Parameters
    ----------
    result : Dataset
        Of `finish`; its history is changed.
    begin : float
        When the work began, by ``time.perf_counter()``.
    device : str
    lazy : bool
        Whether it has not been computed.

    Returns
    -------
    Dataset
        The same.

    Examples
    --------
    >>> result = xr.Dataset(attrs={"history": "2026-01-02T03:04:05Z xr_dip: downscaled"})
    >>> with_cost(result, time.perf_counter(), "cpu", lazy=False).history
    '2026-01-02T03:04:05Z xr_dip: downscaled; 0.0 s on cpu'
    """
    if not lazy:
        seconds = time.perf_counter() - begin
        result.attrs["history"] = note_cost(result.attrs["history"], seconds, device)
    return result
