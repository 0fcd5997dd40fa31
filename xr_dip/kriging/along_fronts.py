"""What kriging along fronts adds to plain kriging, and takes from its error, basin by basin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.kriging.basins import BasinKriging
from xr_dip.kriging.estimator import Estimator, LeftOut, left_out_sill
from xr_dip.kriging.front_likelihood import follow_fronts


class Claim(NamedTuple):
    """How large the errors of kriging along fronts are, beside those of plain kriging."""

    left_out: LeftOut
    """Residuals and variances of one kernel, shape (1, ny, nx); where there are no fronts those of plain kriging."""
    share: float
    """The sill that these residuals speak for, over that of the residuals of plain kriging."""


def krige_along_fronts(
    kriging: Estimator, values: npt.NDArray[np.floating], *, exact: bool = True
) -> tuple[FloatArray, Claim | None]:
    """Follow the fronts of a field, where it has any: ``N(F(y))`` of equation :eq:`estimate` of the theory page.

    Parameters
    ----------
    kriging : Estimator
        Plain kriging of the field.
    values : array, shape (ny, nx)
        Finite in its constrained cells.
    exact : bool
        Whether what is added has zero block means; not wanted for noisy values.

    Returns
    -------
    field : array, shape (Y, X)
        To be added to the plain estimate; zero where there are no fronts.
    claim : Claim or None
        What it says of its errors, moderately, see `moderate`; None where there are no fronts.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Covariance, Kernel
    >>> from xr_dip.kriging.mosaic import krige
    >>> kriging = krige(np.ones((4, 4)), (2, 2), (1, 1), Covariance((Kernel(2.5, 2.0, 1.0),)), np.ones((2, 2), bool))
    >>> field, claim = krige_along_fronts(kriging, np.eye(2))
    >>> field.any(), claim is None
    (np.False_, True)
    """
    if isinstance(kriging, BasinKriging):
        return _in_basins(kriging, values, exact=exact)
    front = follow_fronts(kriging, values)
    if front is None:
        return np.zeros(kriging.support.weights.shape), None
    try:
        estimate = front.estimate(values)
    except np.linalg.LinAlgError:  # around a small circle not every kernel is a covariance
        return np.zeros(kriging.support.weights.shape), None
    added = kriging.null(estimate.field) if exact else estimate.field - kriging.mean(values)
    plain = kriging.left_out(values)
    return added, _claim(moderate(front.left_out(estimate), plain), plain)


def moderate(fronts: LeftOut, plain: LeftOut) -> LeftOut:
    """Residuals along fronts, scaled to speak for half of the gain, in logarithms, that they claim over plain kriging.

    The fronts were read from the values that are left out, so the claim is too large: over many fields the error falls
    by a third to a half of it.

    Parameters
    ----------
    fronts : LeftOut
        Of one kernel.
    plain : LeftOut
        Its first kernel counts.

    Returns
    -------
    LeftOut
        The variances of `fronts`; the sill that residuals speak for (`xr_dip.kriging.estimator.left_out_sill`) is the
        geometric mean of both.

    Examples
    --------
    >>> cells = np.ones((1, 2, 2))
    >>> moderate(LeftOut(cells, cells), LeftOut(4 * cells, cells)).residuals.max() ** 2
    np.float64(4.0)
    """
    claimed = _sill(fronts)
    scale = (_sill(plain) / claimed) ** 0.25 if claimed > 0 else 1.0
    return LeftOut(scale * fronts.residuals, fronts.variances)


def carry_over(claim: Claim, plain: LeftOut) -> LeftOut:
    """Residuals along fronts for other kernels than those of the estimate: as much smaller, in the same places.

    Parameters
    ----------
    claim : Claim
    plain : LeftOut
        Of plain kriging with the other kernels.

    Returns
    -------
    LeftOut
        For each kernel the sill that residuals speak for is that of `plain`, times the share that is claimed.

    Examples
    --------
    >>> cells = np.ones((1, 2, 2))
    >>> float(carry_over(Claim(LeftOut(cells, cells), 0.25), LeftOut(6 * cells, cells)).residuals.max())
    3.0
    """
    here = _sill(claim.left_out)
    wanted = np.array([left_out_sill(*kernel) for kernel in zip(*plain, strict=True)])
    scales = np.sqrt(claim.share * wanted / here) if here > 0 else np.zeros_like(wanted)
    variances = np.broadcast_to(claim.left_out.variances, plain.variances.shape)
    return LeftOut(scales[:, None, None] * claim.left_out.residuals, variances)


def _sill(left_out: LeftOut) -> float:
    """Sill that the residuals of the first kernel speak for."""
    return left_out_sill(left_out.residuals[0], left_out.variances[0])


def _claim(found: LeftOut, plain: LeftOut) -> Claim:
    """Set residuals of one kernel against those of plain kriging."""
    before = _sill(plain)
    return Claim(found, _sill(found) / before if before > 0 else 1.0)


def _in_basins(
    kriging: BasinKriging, values: npt.NDArray[np.floating], *, exact: bool
) -> tuple[FloatArray, Claim | None]:
    """Each basin from its own values; one without fronts keeps the residuals of plain kriging."""
    field, plain = np.zeros(kriging.support.weights.shape), kriging.left_out(values)
    found, any_fronts = LeftOut(plain.residuals[:1].copy(), plain.variances[:1].copy()), False
    for part in kriging.parts:
        added, claim = krige_along_fronts(part.estimator, part.window.coarse(values), exact=exact)
        if claim is not None:
            any_fronts = True
            part.window.paste(added, field)
            kriging.replace_left_out(found, part, claim.left_out)
    return field, _claim(found, plain) if any_fronts else None
