"""Apply a function of one coarse field to every slice of an array, in memory or lazily on dask.

Results change the horizontal size, so dask sees each slice as one task: chunks of one along the leading dimensions, the
horizontal ones whole. Building a lazy result computes nothing.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.errors import DipWarning
from xr_dip.threads import one_blas_thread

MEMBER = "member"
SliceFunction = Callable[[npt.NDArray[np.float64], int], Mapping[str, npt.NDArray[Any]]]


@dataclass(frozen=True)
class Output:
    """The form of one result of a slice.

    Attributes
    ----------
    dims : tuple of str
        Its own dimensions; the leading ones of the array come before them.
    sizes : tuple of int
    dtype : str
    missing : float
        What it holds for a slice without any value.
    """

    dims: tuple[str, ...]
    sizes: tuple[int, ...]
    dtype: str
    missing: float = np.nan


def apply_to_slices(
    function: SliceFunction, da: xr.DataArray, horizontal: tuple[str, str], outputs: Mapping[str, Output]
) -> dict[str, xr.Variable]:
    """Apply a function to each horizontal slice; one without any value among others stays missing, with a warning.

    Parameters
    ----------
    function : callable
        From values of shape (ny, nx) and the time stamp to a mapping with the keys of `outputs`.
    da : DataArray
        With the two horizontal dimensions anywhere among its own.
    horizontal : (str, str)
        Names of the y and the x dimension.
    outputs : mapping of str to Output

    Returns
    -------
    dict of str to Variable
        Leading dimensions in the order of `da`, then those of each output. Lazy where `da` is.
    """
    leading = [dim for dim in da.dims if dim not in horizontal]
    ordered = da.transpose(*leading, *horizontal)
    stamps = time_stamps(ordered, leading)
    if ordered.chunks is not None:
        ordered = ordered.chunk({**dict.fromkeys(leading, 1), **dict.fromkeys(horizontal, -1)})
        stamps = stamps.chunk(dict.fromkeys(leading, 1))
    results = xr.apply_ufunc(
        _LoopOverSlices(function, tuple(outputs.values()), tuple(outputs), may_miss=stamps.size > 1),
        ordered.variable,
        stamps.variable,
        input_core_dims=[list(horizontal), []],
        output_core_dims=[list(output.dims) for output in outputs.values()],
        exclude_dims=set(horizontal),
        dask="parallelized",
        output_dtypes=[np.dtype(output.dtype) for output in outputs.values()],
        dask_gufunc_kwargs={"output_sizes": _output_sizes(outputs)},
    )
    found = results if len(outputs) > 1 else (results,)
    return dict(zip(outputs, found, strict=True))


def time_stamps(da: xr.DataArray, leading: list[Any]) -> xr.DataArray:
    """Return a number for each slice that depends on its time, or on its place where there is no time.

    A day has the same stamp alone and within a series, so that its members are the same.

    Parameters
    ----------
    da : DataArray
    leading : list of str
        Dimensions to loop over.

    Returns
    -------
    DataArray of int64
        With the leading dimensions; below 2**62.

    Examples
    --------
    >>> days = xr.date_range("2020-01-01", periods=3, unit="ns")
    >>> da = xr.DataArray(np.zeros((3, 2)), {"time": days}, ("time", "x"))
    >>> series = time_stamps(da, ["time"])
    >>> bool(series[1] == time_stamps(da.isel(time=1), []))
    True
    """
    times = _times(da, leading)
    timeless = [dim for dim in leading if not any(dim in dims for dims, _ in times)]
    shape = tuple(da.sizes[dim] for dim in leading)
    stamps = np.empty(shape, dtype=np.int64)
    for index in np.ndindex(shape):
        place = dict(zip(leading, index, strict=True))
        found = [_text(values[tuple(place[dim] for dim in dims)]) for dims, values in times]
        key = sorted([*found, *(f"{dim}={place[dim]}" for dim in timeless)])
        digest = hashlib.blake2b("|".join(key).encode(), digest_size=8).digest()
        stamps[index] = int.from_bytes(digest, "big") >> 2
    return xr.DataArray(stamps, dims=leading)


def member_std(fields: xr.DataArray) -> xr.DataArray:
    """Take the standard deviation over the members, missing where fewer than two of them have a value.

    Parameters
    ----------
    fields : DataArray
        With the dimension ``member``, in any unit; lazy in, lazy out.

    Returns
    -------
    DataArray
        Without that dimension, in the unit of the fields.

    Examples
    --------
    >>> member_std(xr.DataArray([[1.0, np.nan], [3.0, np.nan]], dims=("member", "x"))).values.round(3)
    array([1.414,   nan])
    """
    # By hand, since `std` of most versions of xarray warns of cells without any value, such as land.
    spare = fields.count(MEMBER) - 1
    squares: xr.DataArray = ((fields - fields.mean(MEMBER)) ** 2).sum(MEMBER)
    return (squares / spare.where(spare > 0)) ** 0.5


@dataclass(frozen=True)
class _LoopOverSlices:
    """The function as dask and xarray call it: on blocks with leading axes, returning a tuple."""

    function: SliceFunction
    outputs: tuple[Output, ...]
    names: tuple[str, ...]
    may_miss: bool

    def __call__(self, values: npt.NDArray[Any], stamps: npt.NDArray[np.int64]) -> Any:
        lead = values.shape[:-2]
        results = [np.empty(lead + output.sizes, dtype=output.dtype) for output in self.outputs]
        with one_blas_thread():
            for index in np.ndindex(lead):
                answer = self._answer(np.asarray(values[index], dtype=np.float64), int(stamps[index]))
                for name, result in zip(self.names, results, strict=True):
                    result[index] = answer[name]
        return tuple(results) if len(results) > 1 else results[0]

    def _answer(self, values: npt.NDArray[np.float64], stamp: int) -> Mapping[str, Any]:
        """Results of one slice. A gap in a series stays a gap; a single empty slice is for the function to refuse."""
        if self.may_miss and np.isnan(values).all():
            warnings.warn(
                "A time without any value: its estimate is missing, too. To leave such times out, drop them first.",
                DipWarning,
                stacklevel=2,
            )
            return {name: output.missing for name, output in zip(self.names, self.outputs, strict=True)}
        return self.function(values, stamp)


def _output_sizes(outputs: Mapping[str, Output]) -> dict[str, int]:
    return {dim: size for output in outputs.values() for dim, size in zip(output.dims, output.sizes, strict=True)}


def _times(da: xr.DataArray, leading: list[Any]) -> list[tuple[tuple[Any, ...], npt.NDArray[Any]]]:
    """Dimensions and values of each coordinate that gives slices a time: the axis, NEMO's time_centered."""
    found = []
    for coord in da.coords.values():
        if coord.dtype.kind in "MO" and set(coord.dims) <= set(leading):
            # Few numbers, but perhaps lazy: read here, whatever scheduler will compute the fields.
            here = coord.reset_coords(drop=True).compute(scheduler="synchronous")
            # Dates with a time zone are an array of pandas, whose values would lose it.
            values = here.values if isinstance(here.dtype, np.dtype) else np.asarray(here.to_index().astype(object))
            if all(_is_time(value) for value in values.ravel()):
                found.append((coord.dims, values))
    return found


def _is_time(value: Any) -> bool:
    return isinstance(value, np.datetime64) or hasattr(value, "isoformat")


def _text(value: Any) -> str:
    return str(value.astype("datetime64[ns]")) if isinstance(value, np.datetime64) else str(value.isoformat())
