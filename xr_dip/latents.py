"""The two parts of the spread of an ensemble of networks: between networks, and between latents of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xr_dip.blocks import FloatArray
from xr_dip.fitting.fit import Fit
from xr_dip.standard import Standard


def latent_variances(
    fits: Sequence[Fit], standard: Standard, enforce: Callable[[FloatArray], FloatArray]
) -> FloatArray | None:
    r"""Divide the variance of fields of several networks at several latents by the law of total variance.

    With :math:`x_{mj}` the field of member m at latent j, each enforced as the members are,

    .. math:: \operatorname{var}_m \left( \overline{x_{mj}}^j \right), \qquad
        \overline{\operatorname{var}_j \left( x_{mj} \right)}^m

    (equation :eq:`latents` of the theory page) with ``ddof=1`` both: the sum of squares of all fields about their mean
    is n (M - 1) times the first plus M (n - 1) times the second.

    Parameters
    ----------
    fits : sequence of Fit
        M members, each with its fields at n further latents, or without any.
    standard : Standard
        Gives the fields their unit.
    enforce : callable
        From a fitted field (Y, X) to the field whose spread is wanted.

    Returns
    -------
    array, shape (2, Y, X), or None
        Squares of the unit of the field; the first is NaN for one member. None where no latents were drawn.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image
    prior: the spread of the ensemble and that of the latent, there of fields that are not enforced.

    Examples
    --------
    >>> fields = np.array([[0.0, 2.0], [4.0, 6.0]], np.float32)[..., None, None]
    >>> fits = [Fit(part[0].astype(float), np.ones(1), 0.1, "iterations", 0, at_latents=part) for part in fields]
    >>> latent_variances(fits, Standard(0.0, 0.0, 1.0), lambda field: field).ravel()
    array([8., 2.])
    """
    means, variances = [], []
    for fit in fits:
        if fit.at_latents is None:
            return None
        fields = np.stack([enforce(standard.undo(field.astype(np.float64))) for field in fit.at_latents])
        means.append(fields.mean(axis=0))
        variances.append(fields.var(axis=0, ddof=1))
    between = np.var(means, axis=0, ddof=1) if len(means) > 1 else np.full_like(means[0], np.nan)
    return np.stack([between, np.mean(variances, axis=0)])
