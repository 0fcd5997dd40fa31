r"""Fronts of a field: in which direction it varies more across than along, and where it varies most.

The structure tensor, products of the gradient smoothed over a coarse cell, tells the direction and the steepness of a
field around each point. Its power gives each point a metric of its own: distances across a front count more than those
along it, by the same factor that the steepness differs in, to a power called the strength::

    J = G * (grad x grad x^T) + 0.3 mean |grad x|^2,     Sigma = J^-s, scaled to det Sigma = 1

so the strength s = 0 is the isotropic metric. Its trace, the steepness, tells where the field has eddies and fronts and
where it is calm. Equation :eq:`metric` of the theory page.

References
----------
Bigün & Granlund (1987), Optimal orientation detection of linear symmetry; Weickert (1999), Coherence-enhancing
diffusion filtering, doi:10.1023/A:1008009714131.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from xr_dip.blocks import Factor, FloatArray
from xr_dip.interpolation import fill_nearest

SMOOTHING = 1.0
"""Standard deviation of the Gaussian that smooths the products of the gradient, coarse cells."""
FLOOR = 0.3
"""Part of the mean steepness that is added everywhere: flat water has no direction."""
TINY = np.finfo(np.float64).tiny


class Metric(NamedTuple):
    """Symmetric tensors Sigma of determinant one, the squared length scales around some points; each of one shape."""

    yy: FloatArray
    yx: FloatArray
    xx: FloatArray

    def at(self, index: Any) -> Metric:
        """Return the tensors of some of the points, indexed as an array is."""
        return Metric(*(part[index] for part in self))


class Fronts:
    """The structure tensor of a fine field.

    Parameters
    ----------
    field : array, shape (Y, X)
        Arbitrary outside of the sea.
    sea : array of bool, shape (Y, X)
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    pitch : (float, float)
        Size of a fine cell in coarse cells, from `xr_dip.kriging.matern.fine_pitch`.
    periodic : bool
        Whether the last column borders on the first.

    Examples
    --------
    >>> front = np.tanh(np.arange(16.0) - 7.5)[:, None] * np.ones(16)
    >>> fronts = Fronts(front, np.ones((16, 16), dtype=bool), (4, 4), (0.25, 0.25))
    >>> [abs(part.round(2).item()) for part in fronts.metric(0.5, np.array([8.0]), np.array([8.0]))]
    [0.63, 0.0, 1.59]
    """

    def __init__(
        self,
        field: npt.NDArray[np.floating],
        sea: npt.NDArray[np.bool_],
        factor: Factor,
        pitch: tuple[float, float],
        *,
        periodic: bool = False,
    ) -> None:
        filled = fill_nearest(np.where(sea, field, np.nan), periodic=periodic)
        along_y, along_x = _slope(filled, 0, pitch[0], False), _slope(filled, 1, pitch[1], periodic)
        products = (along_y * along_y, along_y * along_x, along_x * along_x)
        smooth = [_smooth(np.where(sea, product, 0.0), factor, periodic) for product in products]
        share = _smooth(sea.astype(np.float64), factor, periodic)
        yy, yx, xx = (part / np.maximum(share, 1e-12) for part in smooth)
        floor = FLOOR * float((yy + xx)[sea].mean())
        self._parts, self._periodic = (yy + floor, yx, xx + floor), periodic
        self._steepness = (yy + xx + 2 * floor) / max((1 + 2 * FLOOR) * float((yy + xx)[sea].mean()), TINY)

    def metric(self, strength: float, row: FloatArray, column: FloatArray) -> Metric:
        """Tensors at some points.

        Parameters
        ----------
        strength : float
            s, not negative; 0 gives unit tensors.
        row, column : array, shape (n,)
            Places in fine cells, from the first edge.

        Returns
        -------
        Metric
            Parts of shape (n,).
        """
        yy, yx, xx = (self._at(part, row, column) for part in self._parts)
        middle, half = (yy + xx) / 2, (yy - xx) / 2
        spread = np.hypot(half, yx)
        # A field without any slope, or of one slope in all directions, has no direction to prefer.
        sound = spread > 1e-9 * np.maximum(middle, TINY)
        safe = np.where(sound, spread, 1.0)
        steepest, flattest = np.where(sound, middle + spread, 1.0), np.where(sound, middle - spread, 1.0)
        ratio = (steepest / flattest) ** (strength / 2)
        mean, difference = (ratio + 1 / ratio) / 2, (1 / ratio - ratio) / 2
        cosine, sine = half / safe, yx / safe
        return Metric(mean + difference * cosine, difference * sine, mean - difference * cosine)

    def amplitude(self, contrast: float, row: FloatArray, column: FloatArray) -> FloatArray:
        """Tell how large the field is around some points: its standard deviation over that where the slope is the mean.

        Parameters
        ----------
        contrast : float
            p, not negative; 0 gives ones.
        row, column : array, shape (n,)
            As for `metric`.

        Returns
        -------
        array, shape (n,)
            Steepness over its mean, to the power p / 2; ones for a field without any slope.
        """
        steepness = self._at(self._steepness, row, column)
        return np.asarray(np.where(steepness > 0, steepness, 1.0) ** (contrast / 2))

    def _at(self, part: FloatArray, row: FloatArray, column: FloatArray) -> FloatArray:
        """Interpolate between fine cells."""
        mode = "grid-wrap" if self._periodic else "nearest"
        inside = np.clip(row - 0.5, 0, len(part) - 1)  # only the columns go around
        return np.asarray(map_coordinates(part, [inside, column - 0.5], order=1, mode=mode))


def _slope(field: FloatArray, axis: int, pitch: float, periodic: bool) -> FloatArray:
    """Central differences; one-sided at a border, none on an axis of one cell."""
    if field.shape[axis] == 1:
        return np.zeros_like(field)
    if periodic:
        return (np.roll(field, -1, axis) - np.roll(field, 1, axis)) / (2 * pitch)
    return np.asarray(np.gradient(field, pitch, axis=axis))


def _smooth(field: FloatArray, factor: Factor, periodic: bool) -> FloatArray:
    """Average over about a coarse cell."""
    width = [SMOOTHING * size for size in factor]
    return np.asarray(gaussian_filter(field, width, mode=["nearest", "wrap" if periodic else "nearest"]))
