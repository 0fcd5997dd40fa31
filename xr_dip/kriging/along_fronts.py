"""What kriging along fronts adds to plain kriging, basin by basin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.kriging.basins import BasinKriging
from xr_dip.kriging.estimator import Estimator, LeftOut
from xr_dip.kriging.front_likelihood import follow_fronts


def krige_along_fronts(
    kriging: Estimator, values: npt.NDArray[np.floating], *, exact: bool = True
) -> tuple[FloatArray, LeftOut | None]:
    """Follow the fronts of a field, where it has any.

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
        Leave-one-out residuals with the fronts; None where there are none.

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
    return added, front.left_out(estimate)


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
