r"""What a student sees of a coarse field: the same for a field, a multiple of it, and one with a plane added.

With ``p`` the plane of least squares through the values and ``r`` their roughness, the standard deviation of the
differences of neighbours, it sees ``(y - p) / r``, where there are data, and ``log(std(y - p) / r)``. It gives back
fields in units of ``r``. So a student knows no units, no mean level and no amplitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_mean
from xr_dip.interpolation import fill_nearest
from xr_dip.sea import BoolArray

CHANNELS = 3
"""Anomaly, share of sea, and the logarithm of the size of the anomalies."""

SMALLEST = 1e-12
"""Roughness of a field that is a plane up to rounding, over its largest value."""


@dataclass(frozen=True, eq=False)
class Standard:
    """A coarse field without its plane, in units of its roughness.

    Attributes
    ----------
    anomaly : array, shape (ny, nx)
        NaN where there are no data.
    roughness : float
        Unit of the field.

    Examples
    --------
    >>> ramp = np.arange(12.0).reshape(3, 4)
    >>> bumpy = ramp + np.eye(3, 4)
    >>> first, second = (find_standard(y, np.isfinite(y)) for y in (bumpy, 2 * bumpy + ramp))
    >>> bool(np.allclose(first.anomaly, second.anomaly)), round(second.roughness / first.roughness, 6)
    (True, 2.0)
    """

    anomaly: FloatArray
    roughness: float


def find_standard(values: FloatArray, data: BoolArray, *, periodic: bool = False) -> Standard:
    """Take the plane from a field and divide it by its roughness.

    Parameters
    ----------
    values : array, shape (ny, nx)
    data : array of bool, shape (ny, nx)
        Cells that have a value; one at least.
    periodic : bool
        Whether the last column borders on the first. Then the plane has no slope along x.

    Returns
    -------
    Standard
    """
    left = np.where(data, values - _plane(values, data, periodic), np.nan)
    steps = [np.diff(left, axis=0), np.diff(left, axis=1)]
    if periodic:
        steps.append(left[:, :1] - left[:, -1:])
    known = np.concatenate([step[np.isfinite(step)] for step in steps])
    floor = SMALLEST * max(1e-6, float(np.abs(values[data]).max()))
    size = float(np.sqrt(np.mean(known**2))) if known.size else float(np.nanstd(left))
    roughness = max(size, floor)
    return Standard(left / roughness, roughness)


def _plane(values: FloatArray, data: BoolArray, periodic: bool) -> FloatArray:
    """Plane of least squares, or the mean of fewer than nine values."""
    rows, columns = np.indices(values.shape, dtype=np.float64) - np.reshape(values.shape, (2, 1, 1)) / 2
    terms = [np.ones(values.shape)]
    if data.sum() >= 9:
        terms += [rows] if periodic else [rows, columns]
    design = np.stack(terms)
    slopes, *_ = np.linalg.lstsq(design[:, data].T, values[data], rcond=None)
    return np.asarray(np.tensordot(slopes, design, axes=1))


def see(standard: Standard, sea_share: FloatArray, margin: int, *, periodic: bool = False) -> npt.NDArray[np.float32]:
    """Return what the network sees of a field, wider by a margin of coarse cells without data.

    Parameters
    ----------
    standard : Standard
    sea_share : array, shape (ny, nx)
        Share of the fine cells in each coarse cell that are sea; 0 where there are no data.
    margin : int
        Coarse cells on each side. Around a circle the margin along x is what lies beyond the seam.
    periodic : bool

    Returns
    -------
    array of float32, shape (CHANNELS, ny + 2 margin, nx + 2 margin)
        Where there are no data the anomaly is that of the nearest cell.

    Examples
    --------
    >>> values = np.array([[0.0, 1.0, 0.5]])
    >>> see(find_standard(values, np.isfinite(values)), np.ones((1, 3)), 2).shape
    (3, 5, 7)
    """
    filled = fill_nearest(standard.anomaly, periodic=periodic)
    size = np.log(max(float(np.nanstd(standard.anomaly)), 1e-3))
    around = ((margin, margin), (0, 0)), ((0, 0), (margin, margin))
    wide = np.pad(np.pad(filled, around[0], mode="edge"), around[1], mode="wrap" if periodic else "edge")
    share = np.pad(np.pad(sea_share, around[0]), around[1], mode="wrap" if periodic else "constant")
    return np.stack([wide, share, np.full(wide.shape, size)]).astype(np.float32)


def share_of_sea(weights: FloatArray, factor: Factor) -> FloatArray:
    """Share of the fine cells in each coarse cell that have weight, shape (ny, nx).

    Examples
    --------
    >>> share_of_sea(np.array([[1.0, 0.0, 2.0, 3.0]]), (1, 2))
    array([[0.5, 1. ]])
    """
    return block_mean((weights > 0).astype(np.float64), np.ones_like(weights), factor)
