"""How the fits see a field: without its trend, of standard deviation one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xr_dip.blocks import FloatArray
from xr_dip.kriging.estimator import Estimator
from xr_dip.observing.sampling import Sampling


@dataclass(frozen=True)
class Standard:
    """A field as the fits see it: without its trend, of standard deviation one.

    Attributes
    ----------
    coarse_trend, fine_trend : array or float
        Shapes (ny, nx) and (Y, X), unit of the field.
    scale : float
        Standard deviation of what is left, unit of the field.

    Examples
    --------
    >>> standard = Standard(1.0, 1.0, 0.5)
    >>> standard.apply(np.array([[2.0]])), standard.undo(np.array([[2.0]]))
    (array([[2.]]), array([[2.]]))
    """

    coarse_trend: FloatArray | float
    fine_trend: FloatArray | float
    scale: float

    def apply(self, values: FloatArray) -> FloatArray:
        """Return coarse values, standardised."""
        return np.asarray((values - self.coarse_trend) / self.scale)

    def undo(self, field: FloatArray) -> FloatArray:
        """Return a fine field in its own unit."""
        return field * self.scale + self.fine_trend


def standardise(values: FloatArray, kriging: Estimator | None, sampling: Sampling | None = None) -> Standard:
    """Return how the fits see the field: less its plane where a covariance is at hand, else less its mean.

    Parameters
    ----------
    values : array, shape (ny, nx)
        NaN where there is no data.
    kriging : Estimator or None
    sampling : Sampling, optional
        What the values were seen through, where they are no block means: of the plane, too.

    Returns
    -------
    Standard

    Examples
    --------
    >>> standardise(np.array([[1.0, 3.0]]), None)
    Standard(coarse_trend=2.0, fine_trend=2.0, scale=1.0)
    """
    coarse: FloatArray | float
    fine: FloatArray | float
    if kriging is None:
        coarse = fine = float(np.nanmean(values))
    else:
        coarse, fine = kriging.trend(values)
        coarse = coarse if sampling is None else sampling(fine)
    scale = float(np.nanstd(values - coarse))
    # A field that is nothing but its trend has the scale of rounding: what the fits make of it stays as small.
    rounding = 1e-12 * max(1e-6, float(np.nanmax(np.abs(values))))
    return Standard(coarse, fine, max(scale, rounding))
