"""What kriging along fronts adds to plain kriging, basin by basin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.kriging.basins import BasinKriging
from xr_dip.kriging.estimator import Estimator, LeftOut, left_out_sill
from xr_dip.kriging.front_likelihood import follow_fronts


def krige_along_fronts(
    kriging: Estimator, values: npt.NDArray[np.floating], *, exact: bool = True
) -> tuple[FloatArray, LeftOut | None]:
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
    left_out : LeftOut or None
        Leave-one-out residuals that scale draws of its errors, see `moderate`; None where there are none.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Covariance, Kernel
    >>> from xr_dip.kriging.mosaic import krige
    >>> kriging = krige(np.ones((4, 4)), (2, 2), (1, 1), Covariance((Kernel(2.5, 2.0, 1.0),)), np.ones((2, 2), bool))
    >>> field, left_out = krige_along_fronts(kriging, np.eye(2))
    >>> field.any(), left_out is None
    (np.False_, True)
    """
    if isinstance(kriging, BasinKriging):
        return _in_basins(kriging, values, exact=exact)
    front = follow_fronts(kriging, values)
    if front is None:
        return np.zeros(kriging.support.weights.shape), None
    estimate = front.estimate(values)
    added = kriging.null(estimate.field) if exact else estimate.field - kriging.mean(values)
    return added, moderate(front.left_out(estimate), kriging.left_out(values))


def moderate(fronts: LeftOut, plain: LeftOut) -> LeftOut:
    """Residuals along fronts, scaled to speak for half of the gain, in logarithms, that they claim over plain kriging.

    The fronts were read from the values that are left out, so the claim is too large: over many fields the error falls
    by a third to a half of it.

    Parameters
    ----------
    fronts, plain : LeftOut
        Of the same kernels.

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
    residuals = fronts.residuals.copy()
    for kernel, variances in enumerate(fronts.variances):
        claimed = left_out_sill(residuals[kernel], variances)
        if claimed > 0:
            residuals[kernel] *= (left_out_sill(plain.residuals[kernel], plain.variances[kernel]) / claimed) ** 0.25
    return LeftOut(residuals, fronts.variances)


def carry_over(fronts: LeftOut, plain: LeftOut, others: LeftOut) -> LeftOut:
    """Residuals along fronts for kernels that they were not computed with: as much smaller, in the same places.

    Parameters
    ----------
    fronts, plain : LeftOut
        Of the same kernels, of which the first counts.
    others : LeftOut
        Of plain kriging with the other kernels.

    Returns
    -------
    LeftOut
        For each of the other kernels the sill that residuals speak for, times its ratio of `fronts` to `plain`.

    Examples
    --------
    >>> cells = np.ones((1, 2, 2))
    >>> carried = carry_over(LeftOut(cells, cells), LeftOut(2 * cells, cells), LeftOut(6 * cells, cells))
    >>> float(carried.residuals.max())
    3.0
    """
    residual, variance = fronts.residuals[0], fronts.variances[0]
    before, after = left_out_sill(plain.residuals[0], plain.variances[0]), left_out_sill(residual, variance)
    wanted = np.array([left_out_sill(*other) for other in zip(*others, strict=True)])
    # After times wanted over before is wanted here, and after is there.
    scales = np.sqrt(wanted / before) if before > 0 else np.zeros_like(wanted)
    return LeftOut(scales[:, None, None] * residual, np.stack([variance] * len(scales)))


def _in_basins(
    kriging: BasinKriging, values: npt.NDArray[np.floating], *, exact: bool
) -> tuple[FloatArray, LeftOut | None]:
    """Each basin from its own values; one without fronts keeps the residuals of plain kriging."""
    field = np.zeros(kriging.support.weights.shape)
    left_out, found = kriging.left_out(values), False
    for part in kriging.parts:
        added, residuals = krige_along_fronts(part.estimator, part.window.coarse(values), exact=exact)
        if residuals is not None:
            found = True
            part.window.paste(added, field)
            kriging.replace_left_out(left_out, part, residuals)
    return field, left_out if found else None
