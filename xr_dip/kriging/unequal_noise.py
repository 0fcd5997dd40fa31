"""Leave-one-out residuals of values that are not equally noisy."""

from __future__ import annotations

import numpy as np

from xr_dip.blocks import FloatArray

LEAST_SHARE = 1e-3
"""Of the variance of a left-out residual, beside its noise, below which it says nothing of the field."""


def equally_noisy(
    residuals: FloatArray, variances: FloatArray, noise: float | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Scale leave-one-out residuals to those of values that all have the least noise among them.

    What is left out of a noisy value is mostly its noise, of which the sill knows nothing. Each keeps its number of
    standard deviations.

    Parameters
    ----------
    residuals, variances : array, shape (n, m) and (n, 1), or both (n,)
        At unit sill, noise included.
    noise : float or array, shape (n,)
        Variance of the noise over the sill.

    Returns
    -------
    (array, array)
        As they were where all are equally noisy; NaN for a value that is nothing but noise, beside the others.

    Examples
    --------
    >>> equally_noisy(np.array([1.0, 4.0]), np.array([1.0, 4.0]), np.array([0.5, 3.5]))
    (array([1., 2.]), array([1., 1.]))
    """
    if np.ndim(noise) == 0:
        return residuals, variances
    excess = np.reshape(noise - np.min(noise), (len(residuals), *(1,) * (residuals.ndim - 1)))
    share = 1 - excess / variances
    share = np.where(share >= LEAST_SHARE, share, np.nan)
    return residuals * np.sqrt(share), variances * share
