"""Power spectra in wavenumber, and the effective resolution of an estimate.

Spectra are densities over the wavenumber ``k`` in cycles per metre: their integral over k is the variance (Parseval).
A field is detrended and tapered first. Two kinds:

- isotropic: power of the 2-D spectrum summed over rings ``|k|``; NaN if a field has a missing value;
- along one dimension: mean over the lines of the other one; lines with a missing value are left out.

Missing values are never filled: the jump at a filled coast would put false power into the reference and flatter the
estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from xr_dip.verification.periodogram import (
    Detrend,
    FloatArray,
    isotropic_spectrum,
    line_spectrum,
    line_wavenumbers,
    ring_wavenumbers,
)
from xr_dip.verification.statistics import check_dims, difference, finite, label, match, whole


def psd(
    field: xr.DataArray,
    *,
    dims: Sequence[str],
    spacing: tuple[float, float],
    direction: str | None = None,
    detrend: Detrend = "linear",
    window: str = "hann",
) -> xr.DataArray:
    """Power spectral density of a field.

    Parameters
    ----------
    field : DataArray
        Values at cell centres; further dimensions are kept.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float, float)
        Distance between cell centres along y and x in metres.
    direction : str, optional
        The one of `dims` along which to take spectra; they are averaged over the other. By default the spectrum is
        isotropic.
    detrend : {"linear", "constant"}
        Remove the least-squares plane (or line), or the mean only.
    window : str
        Taper, by its name in `scipy.signal.get_window`; ``"boxcar"`` for none.

    Returns
    -------
    DataArray, dimensions (..., wavenumber)
        Density in (unit of the field)^2 m over ``wavenumber`` in cycles per metre, from one cycle per domain to the
        Nyquist wavenumber, the smaller one of both directions if isotropic.

    Raises
    ------
    ValueError
        If dims, spacing, direction or detrend are wrong.

    Examples
    --------
    A wave of amplitude 2 has the variance 2, all at its own wavenumber of 3 cycles in 16 km.

    >>> wave = xr.DataArray(2 * np.cos(2 * np.pi * 3 * np.arange(16) / 16), dims="x").expand_dims(y=16)
    >>> density = psd(wave, dims=("y", "x"), spacing=(1e3, 1e3), detrend="constant", window="boxcar")
    >>> float(density.idxmax()) * 16e3, round(float(density.sum() * density.wavenumber[0]), 6)
    (3.0, 2.0)
    """
    check_dims(field, dims, "field", count=2)
    _check_spectrum(dims, spacing, direction, detrend)
    sizes = [field.sizes[dim] for dim in dims]
    if direction is None:
        core, method = list(dims), partial(isotropic_spectrum, spacing=spacing, detrend=detrend, window=window)
        wavenumbers = ring_wavenumbers(sizes[0], sizes[1], spacing)
    else:
        axis = list(dims).index(direction)
        core = [dims[1 - axis], direction]
        method = partial(line_spectrum, spacing=spacing[axis], detrend=detrend, window=window)
        wavenumbers = line_wavenumbers(sizes[axis], spacing[axis])
    if not wavenumbers.size:
        raise ValueError(
            f"Invalid field of {sizes[0]} by {sizes[1]} cells. It must hold a wave: at least 2 cells each way."
        )
    density = xr.apply_ufunc(
        method,
        whole(finite(field), dims),
        input_core_dims=[core],
        output_core_dims=[["wavenumber"]],
        dask="parallelized",
        dask_gufunc_kwargs={"output_sizes": {"wavenumber": wavenumbers.size}},
        output_dtypes=[np.float64],
    )
    wavenumber = xr.Variable("wavenumber", wavenumbers, {"long_name": "wavenumber", "units": "m-1"})
    units = field.attrs.get("units")
    return label(
        density.assign_coords(wavenumber=wavenumber),
        "psd",
        "power spectral density",
        None if units is None else f"({units})2 m",
    )


def psd_ratio(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    spacing: tuple[float, float],
    direction: str | None = None,
    average: Sequence[str] = (),
    detrend: Detrend = "linear",
    window: str = "hann",
) -> xr.DataArray:
    """Share of the truth's power that the estimate has at each wavenumber: PSD(estimate) / PSD(truth).

    1 where the estimate has as much variance as the truth, in the right place or not; see `psd_score` for the place.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes.
    dims, spacing, direction, detrend, window
        As in `psd`.
    average : sequence of str
        Further dimensions, such as ``("time",)``, over which spectra are averaged before the ratio.

    Returns
    -------
    DataArray, dimensions (..., wavenumber)
        Without unit.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates, spacing, direction or detrend are wrong.

    Examples
    --------
    >>> truth = xr.DataArray(np.random.default_rng(0).normal(size=(8, 8)), dims=("y", "x"))
    >>> bool(np.allclose(psd_ratio(0.5 * truth, truth, dims=("y", "x"), spacing=(1.0, 1.0)), 0.25))
    True
    """
    compared = difference(estimate, truth, dims=dims).notnull()
    ratio = _ratio(
        match(estimate, truth, "estimate").where(compared),
        truth.where(compared),
        average,
        partial(psd, dims=dims, spacing=spacing, direction=direction, detrend=detrend, window=window),
    )
    return label(ratio, "psd_ratio", "PSD(estimate) / PSD(truth)", "1")


def psd_score(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    spacing: tuple[float, float],
    direction: str | None = None,
    average: Sequence[str] = (),
    detrend: Detrend = "linear",
    window: str = "hann",
) -> xr.DataArray:
    """Share of the truth's power that the estimate explains at each wavenumber: 1 - PSD(error) / PSD(truth).

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes.
    dims, spacing, direction, detrend, window
        As in `psd`.
    average : sequence of str
        Further dimensions, such as ``("time",)``, over which spectra are averaged before the ratio.

    Returns
    -------
    DataArray, dimensions (..., wavenumber)
        Without unit; 1 is perfect, 0 is no better than nothing at this scale.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates, spacing, direction or detrend are wrong.

    Examples
    --------
    >>> truth = xr.DataArray(np.random.default_rng(0).normal(size=(8, 8)), dims=("y", "x"))
    >>> bool(np.allclose(psd_score(0.5 * truth, truth, dims=("y", "x"), spacing=(1.0, 1.0)), 0.75))
    True
    """
    error = difference(estimate, truth, dims=dims)
    ratio = _ratio(
        error,
        truth.where(error.notnull()),
        average,
        partial(psd, dims=dims, spacing=spacing, direction=direction, detrend=detrend, window=window),
    )
    return label(1.0 - ratio, "psd_score", "1 - PSD(error) / PSD(truth)", "1")


def effective_resolution(score: xr.DataArray, *, threshold: float = 0.5) -> xr.DataArray:
    """Shortest wavelength that an estimate resolves: where its `psd_score` first falls below a threshold.

    The score lambda_x of the ocean data challenge 2020a. Going from long to short waves, the score is interpolated
    linearly in wavenumber between the two spectral lines around the crossing.

    Parameters
    ----------
    score : DataArray, dimensions (..., wavenumber)
        Result of `psd_score`.
    threshold : float
        Between 0 and 1.

    Returns
    -------
    DataArray
        Wavelength in metres. Infinite if not even the longest wave is resolved, the shortest wavelength of the
        spectrum if every wave is, NaN if there is no spectrum.

    Raises
    ------
    ValueError
        If the score has no wavenumber, or the threshold is out of range.

    References
    ----------
    Ocean data challenge 2020a, SSH mapping OSSE, https://doi.org/10.24400/527896/a01-2020.009

    Examples
    --------
    >>> score = xr.DataArray([1.0, 0.75, 0.25], dims="wavenumber", coords={"wavenumber": [1e-5, 2e-5, 3e-5]})
    >>> round(float(effective_resolution(score)))
    40000
    """
    if "wavenumber" not in score.coords:
        raise ValueError(
            f"Invalid score with dimensions {score.dims}. It must be a result of psd_score, over wavenumber."
        )
    if not 0.0 < threshold < 1.0:
        raise ValueError(f"Invalid threshold {threshold!r}. It must be between 0 and 1.")
    wavelength = xr.apply_ufunc(
        partial(_crossing, threshold=threshold),
        whole(score, ("wavenumber",)),
        score.wavenumber,
        input_core_dims=[["wavenumber"], ["wavenumber"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    return label(wavelength, "effective_resolution", "shortest resolved wavelength", "m")


def _crossing(score: FloatArray, wavenumber: FloatArray, threshold: float) -> float:
    """Wavelength of the first downward crossing of the threshold in one spectrum (wavenumber,)."""
    if np.isnan(score).any():
        return np.nan
    unresolved = score < threshold
    if not unresolved.any():
        return float(1.0 / wavenumber[-1])
    first = int(np.argmax(unresolved))
    if first == 0:
        return np.inf
    above, below = score[first - 1] - threshold, threshold - score[first]
    crossing = (below * wavenumber[first - 1] + above * wavenumber[first]) / (above + below)
    return float(1.0 / crossing)


def _ratio(
    numerator: xr.DataArray,
    denominator: xr.DataArray,
    average: Sequence[str],
    spectrum: Callable[[xr.DataArray], xr.DataArray],
) -> xr.DataArray:
    check_dims(denominator, average, "truth")
    above, below = (spectrum(field).mean(average) for field in (numerator, denominator))
    return above / below.where(below > 0)


def _check_spectrum(dims: Sequence[str], spacing: tuple[float, float], direction: str | None, detrend: str) -> None:
    if len(spacing) != 2 or not all(np.isfinite(step) and step > 0 for step in spacing):
        raise ValueError(f"Invalid spacing {spacing!r}. It must be two positive distances in metres, along (y, x).")
    if direction is not None and direction not in dims:
        raise ValueError(
            f"Invalid direction {direction!r}. It must be one of the dims {tuple(dims)}, or None for isotropic."
        )
    if detrend not in ("linear", "constant"):
        raise ValueError(f"Invalid detrend {detrend!r}. It must be 'linear' or 'constant'.")
