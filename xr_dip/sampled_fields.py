"""A labelled field seen through a kernel: coarse values of each time, lazily where the field is."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from xr_dip.blocks import FloatArray
from xr_dip.observing.kernel import ObservationKernel
from xr_dip.observing.sampling import Sampling


def sample_field(
    field: xr.DataArray,
    weight: xr.DataArray,
    kernel: ObservationKernel,
    dims: tuple[Hashable, Hashable],
    *,
    periodic: bool = False,
) -> xr.DataArray:
    """Coarse values of a fine field through a kernel, over its cells that are not NaN and have weight.

    Parameters
    ----------
    field : DataArray
        Of any unit, with dimensions y and x among others; NaN on land, which may differ from time to time. Lazy in,
        lazy out: a chunk holds whole fields.
    weight : DataArray, dimensions (y, x)
        Of the fine cells, without unit or areas.
    kernel : ObservationKernel
    dims : (str, str)
        Names of the dimensions y and x.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    DataArray
        Float64, with the dimensions of the field in its order, without coordinates on the coarse ones; NaN where the
        kernel sees no sea.

    Examples
    --------
    >>> from xr_dip.observing.kernels import make_kernel
    >>> field = xr.DataArray([[1.0, 3.0, np.nan, 5.0]], dims=("y", "x"))
    >>> sample_field(field, xr.ones_like(field), make_kernel("block_mean", {}, (1, 2)), ("y", "x")).values
    array([[2., 5.]])
    """
    whole = dict.fromkeys(dims, -1)
    parts = [part.chunk(whole) if part.chunks is not None else part for part in (field, weight)]
    sizes = {dim: field.sizes[dim] // factor for dim, factor in zip(dims, kernel.factor, strict=True)}
    found: xr.DataArray = xr.apply_ufunc(
        _sample,
        *parts,
        kwargs={"kernel": kernel, "periodic": periodic},
        input_core_dims=[dims, dims],
        output_core_dims=[dims],
        exclude_dims=set(dims),
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": sizes},
    )
    return found.transpose(*field.dims)


def _sample(field: FloatArray, weight: FloatArray, *, kernel: ObservationKernel, periodic: bool) -> FloatArray:
    """Sample fields (..., Y, X), each with its own sea."""
    lead = field.shape[:-2]
    values = []
    for each in field.reshape(-1, *field.shape[-2:]):
        share = np.where(np.isfinite(each) & (weight > 0), weight, 0.0)
        values.append(Sampling(kernel, share, periodic=periodic)(each))
    coarse = tuple(size // factor for size, factor in zip(field.shape[-2:], kernel.factor, strict=True))
    return np.asarray(values).reshape(*lead, *coarse)
