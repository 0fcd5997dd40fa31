"""Periodograms of arrays: detrend, taper, transform, and sum the power over rings or average it over lines.

Arrays are ``(..., y, x)``; leading axes are carried. Wavenumbers are in cycles per metre.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import signal

FloatArray = npt.NDArray[np.float64]
Detrend = Literal["linear", "constant"]


def line_wavenumbers(size: int, spacing: float) -> FloatArray:
    """Wavenumbers of a line: one cycle per line, two, ..., up to the Nyquist wavenumber.

    Examples
    --------
    >>> line_wavenumbers(5, 0.5)
    array([0.4, 0.8])
    """
    return np.asarray(np.arange(1, size // 2 + 1) / (size * spacing), dtype=np.float64)


def ring_wavenumbers(rows: int, columns: int, spacing: tuple[float, float]) -> FloatArray:
    """Wavenumbers of the rings of a 2-D spectrum, as far as every ring is whole.

    Rings are as wide as the coarser of the two spectral resolutions, and end at the smaller of the two Nyquist
    wavenumbers.

    Examples
    --------
    >>> ring_wavenumbers(8, 4, (1.0, 1.0))
    array([0.25, 0.5 ])
    """
    width = max(1.0 / (rows * spacing[0]), 1.0 / (columns * spacing[1]))
    nyquist = 0.5 / max(spacing)
    count = int(nyquist / width + 1e-9)  # the quotient of whole numbers may fall below the number by rounding
    return np.asarray(width * np.arange(1, count + 1), dtype=np.float64)


def line_spectrum(values: FloatArray, spacing: float, detrend: Detrend, window: str) -> FloatArray:
    """Mean one-sided power spectral density of the lines along the last axis.

    Parameters
    ----------
    values : array, shape (..., lines, size)
        Lines that hold a NaN are left out.
    spacing : float
        Metres.
    detrend : {"linear", "constant"}
    window : str
        A name known to `scipy.signal.get_window`.

    Returns
    -------
    array, shape (..., size // 2)
        Unit of the values squared, times metre; NaN where no line is complete.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * np.arange(8) / 4)[None]
    >>> line_spectrum(wave, 1.0, "constant", "boxcar").round(6) / 8
    array([0. , 0.5, 0. , 0. ])
    """
    complete = np.all(np.isfinite(values), axis=-1, keepdims=True)
    _, density = signal.periodogram(
        np.where(complete, values, 0.0), fs=1.0 / spacing, window=window, detrend=detrend, axis=-1
    )
    total = np.sum(density[..., 1:] * complete, axis=-2)
    count = np.sum(complete, axis=-2)
    return np.asarray(np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0))


def isotropic_spectrum(values: FloatArray, spacing: tuple[float, float], detrend: Detrend, window: str) -> FloatArray:
    """Power spectral density over the length of the wavenumber: the 2-D density summed over rings.

    Parameters
    ----------
    values : array, shape (..., y, x)
    spacing : (float, float)
        Metres along y and x.
    detrend : {"linear", "constant"}
    window : str
        A name known to `scipy.signal.get_window`; the 2-D taper is the product of one along y and one along x.

    Returns
    -------
    array, shape (..., rings)
        Unit of the values squared, times metre; NaN for a field with a NaN.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * np.arange(8) / 4) * np.ones((8, 1))
    >>> isotropic_spectrum(wave, (1.0, 1.0), "constant", "boxcar").round(6) / 8
    array([0. , 0.5, 0. , 0. ])
    """
    rows, columns = values.shape[-2:]
    complete = np.all(np.isfinite(values), axis=(-2, -1))[..., None]
    residual = _remove_plane(np.where(complete[..., None], values, 0.0), slopes=detrend == "linear")
    taper = signal.get_window(window, rows)[:, None] * signal.get_window(window, columns)
    power = np.abs(np.fft.fft2(residual * taper)) ** 2 / (rows * columns * np.sum(taper**2))
    wavenumbers = ring_wavenumbers(rows, columns, spacing)
    variance = _sum_rings(power, spacing, wavenumbers)
    return np.where(complete, variance / wavenumbers[0], np.nan)


def _sum_rings(power: FloatArray, spacing: tuple[float, float], wavenumbers: FloatArray) -> FloatArray:
    """Sum power (..., y, x) over the rings around each wavenumber, half a ring wide on either side."""
    rows, columns = power.shape[-2:]
    length = np.hypot(np.fft.fftfreq(rows, spacing[0])[:, None], np.fft.fftfreq(columns, spacing[1]))
    count = wavenumbers.size
    ring = np.rint(length / wavenumbers[0]).astype(int).ravel()
    flat = power.reshape(-1, rows * columns)
    totals = [np.bincount(ring, weights=field, minlength=count + 1)[1 : count + 1] for field in flat]
    return np.reshape(totals, (*power.shape[:-2], count))


def _remove_plane(values: FloatArray, *, slopes: bool) -> FloatArray:
    """Subtract the mean and, with slopes, the least-squares plane; on a full grid each slope is fitted by itself."""
    rows, columns = values.shape[-2:]
    residual: FloatArray = values - values.mean(axis=(-2, -1), keepdims=True)
    for line in np.indices((rows, columns)) - np.array([(rows - 1) / 2.0, (columns - 1) / 2.0])[:, None, None]:
        if slopes and line.any():
            slope = (residual * line).sum(axis=(-2, -1), keepdims=True) / np.sum(line**2)
            residual = residual - slope * line
    return residual
