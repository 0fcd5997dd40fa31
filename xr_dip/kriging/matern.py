r"""Matérn correlation: its closed forms, and random fields that follow it.

Lengths and distances are in coarse cells, ``sqrt(fy dy fx dx)`` metres each, so that one grid of lengths serves every
factor. ``pitch = (hy, hx)`` is the size of a fine cell in that unit; cells need not be square.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from xr_dip.blocks import Factor, FloatArray

SMOOTHNESSES = (1.5, 2.5, 3.5)
NEGLIGIBLE = 21.0
"""Length scales after which every one of these correlations is below 1e-14."""
POLYNOMIALS = {1.5: (1.0, 1.0), 2.5: (1.0, 1.0, 1 / 3), 3.5: (1.0, 1.0, 2 / 5, 1 / 15)}


def coarse_width(factor: Factor, spacing: tuple[float, float]) -> float:
    """Width of a square of the area of a coarse cell.

    Parameters
    ----------
    factor : (int, int)
    spacing : (float, float)
        Size of a fine cell along y and x, metres.

    Returns
    -------
    float
        Metres.

    Examples
    --------
    >>> coarse_width((4, 4), (1000.0, 1000.0))
    4000.0
    """
    return float(np.sqrt(np.prod(factor) * np.prod(spacing)))


def fine_pitch(factor: Factor, spacing: tuple[float, float]) -> tuple[float, float]:
    """Size of a fine cell, in coarse cells of the same area.

    Parameters
    ----------
    factor : (int, int)
    spacing : (float, float)
        Size of a fine cell along y and x, metres.

    Returns
    -------
    (float, float)

    Raises
    ------
    ValueError
        If the spacing is not positive and finite.

    Examples
    --------
    >>> fine_pitch((4, 4), (1000.0, 1000.0))
    (0.25, 0.25)
    """
    if not all(np.isfinite(size) and size > 0 for size in spacing):
        raise ValueError(f"Invalid spacing {spacing}. It must be two positive lengths in metres.")
    cell = coarse_width(factor, spacing)
    return float(spacing[0]) / cell, float(spacing[1]) / cell


def matern(distance: npt.ArrayLike, smoothness: float) -> FloatArray:
    r"""Evaluate the unit Matérn correlation at a distance in units of its length scale.

    With ``s = sqrt(2 nu) r``: ``exp(-s)`` times ``1 + s`` (nu = 1.5), ``1 + s + s^2/3`` (2.5),
    ``1 + s + 2 s^2/5 + s^3/15`` (3.5).

    Parameters
    ----------
    distance : array
        Not negative.
    smoothness : {1.5, 2.5, 3.5}

    Returns
    -------
    array of float64, same shape

    Raises
    ------
    ValueError
        If the smoothness is another one.

    References
    ----------
    Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, equation 4.16.

    Examples
    --------
    >>> matern([0.0, 1.0], 1.5).round(4)
    array([1.    , 0.4834])
    """
    if smoothness not in POLYNOMIALS:
        raise ValueError(f"Invalid smoothness {smoothness}. It must be one of {SMOOTHNESSES}.")
    s = np.sqrt(2 * smoothness) * np.asarray(distance, dtype=np.float64)
    *lower, highest = POLYNOMIALS[smoothness]
    found = np.full(s.shape, highest)
    for coefficient in reversed(lower):  # in place: most of the time of kriging along fronts is spent here
        found *= s
        found += coefficient
    found *= np.exp(-s)
    return found


def kernel_table(
    shape: tuple[int, int],
    pitch: tuple[float, float],
    smoothness: float,
    length: float,
    *,
    period: int | None = None,
) -> FloatArray:
    """Correlation of two points of the fine grid that are ``(i, j)`` fine cells apart.

    Around the globe it is that of a field which repeats after `period` columns: the sum over all images of a point,
    scaled to one at distance zero. (Of the shortest distance alone it would not be positive definite.)

    Parameters
    ----------
    shape : (int, int)
        Numbers of offsets, from 0, along y and x.
    pitch : (float, float)
        From `fine_pitch`.
    smoothness : {1.5, 2.5, 3.5}
    length : float
        In coarse cells.
    period : int, optional
        Fine columns around the globe; by default the field does not go round.

    Returns
    -------
    array of float64, of that shape

    Examples
    --------
    >>> kernel_table((1, 3), (0.5, 0.5), 1.5, 1.0).round(3)
    array([[1.   , 0.785, 0.483]])
    >>> kernel_table((1, 5), (0.5, 0.5), 1.5, 0.5, period=4).round(3)
    array([[1.   , 0.511, 0.276, 0.511, 1.   ]])
    """
    y, x = np.arange(shape[0]) * pitch[0], np.arange(shape[1]) * pitch[1]
    if period is None:
        return matern(np.hypot(y[:, None], x) / length, smoothness)
    offset = np.arange(shape[1]) % period
    x, circumference = np.minimum(offset, period - offset) * pitch[1], period * pitch[1]
    around = int(np.ceil(NEGLIGIBLE * length / circumference))
    total = np.zeros(shape)
    for turn in range(-around, around + 1):
        total += matern(np.hypot(y[:, None], x + turn * circumference) / length, smoothness)
    return np.asarray(total / total[0, 0])


def torus_margin(pitch: tuple[float, float], length: float) -> tuple[int, int]:
    """Fine cells along y and x after which two points of a coloured field have nothing to do with each other's noise.

    Parameters
    ----------
    pitch : (float, float)
        From `fine_pitch`.
    length : float
        In coarse cells.

    Returns
    -------
    (int, int)
        Two lengths.

    Examples
    --------
    >>> torus_margin((0.25, 0.5), 3.0)
    (24, 12)
    """
    rows, columns = (int(np.ceil(2 * length / size)) for size in pitch)
    return rows, columns


def colour(noise: FloatArray, pitch: tuple[float, float], smoothness: float, length: float) -> FloatArray:
    """Turn white noise on a torus into a random field of unit variance with this correlation.

    The noise is weighed by the root of the spectral density ``(2 nu / l^2 + |k|^2)^-(nu + 1)`` of the plane. On a part
    of the torus that is smaller by `torus_margin` on each side its ends do not see each other. (Embedding the truncated
    kernel instead gives negative eigenvalues, and clipping them a variance that is far too large.)

    Parameters
    ----------
    noise : array, shape (rows, columns)
        Independent standard normal numbers.
    pitch : (float, float)
        From `fine_pitch`.
    smoothness : float
    length : float
        In coarse cells.

    Returns
    -------
    array of float64, same shape

    Examples
    --------
    >>> response = colour(np.eye(1, 64 * 64).reshape(64, 64), (0.5, 0.5), 2.5, 2.0)
    >>> float((response**2).sum()).__round__(9)
    1.0
    """
    rows, columns = noise.shape
    ky = 2 * np.pi * fft.fftfreq(rows, pitch[0])
    whole, half = (2 * np.pi * frequencies(columns, pitch[1]) for frequencies in (fft.fftfreq, fft.rfftfreq))
    roots = [(2 * smoothness / length**2 + ky[:, None] ** 2 + kx**2) ** (-(smoothness + 1) / 2) for kx in (whole, half)]
    scale = np.sqrt(noise.size / (roots[0] ** 2).sum())
    return np.asarray(fft.irfft2(scale * roots[1] * fft.rfft2(noise), s=noise.shape))
