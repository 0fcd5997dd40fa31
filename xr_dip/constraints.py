"""Enforcement of the coarse values: a field becomes one whose weighted block means are the values.

Each leaves a field that satisfies the constraint as it is, and cells without weight (land) untouched. Applied after
the fit: inside the data loss the misfit would be identically zero and nothing would train.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from xr_dip.basins import by_basin
from xr_dip.blocks import Factor, FloatArray, misfit, repeat
from xr_dip.interpolation import back_project


class Constraint(Protocol):
    """What all constraints look like."""

    def __call__(
        self, field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool = False
    ) -> FloatArray:
        """Return the field, enforced; `periodic` says whether its last column borders on the first."""


def none(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool = False
) -> FloatArray:
    """Leave the field as it was fitted.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing.

    Returns
    -------
    array

    Examples
    --------
    >>> none(np.zeros((2, 2)), np.ones((1, 1)), np.ones((2, 2)), (2, 2)).max()
    np.float64(0.0)
    """
    return field


def additive(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool = False
) -> FloatArray:
    """``x + up(y - P_w x)``: the nearest field, in the weighted norm, with these block means.

    Leaves steps of the size of the misfit at the edges of coarse cells.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing: no cell looks at its neighbours.

    Returns
    -------
    array of float64

    References
    ----------
    Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super resolution.

    Examples
    --------
    >>> additive(np.array([[0.0, 1.0]]), np.array([[2.0]]), np.ones((1, 2)), (1, 2))
    array([[1.5, 2.5]])
    """
    correction = repeat(misfit(field, values, weights, factor), factor)
    return np.where(weights > 0, field + correction, field)


def smooth(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool = False
) -> FloatArray:
    """Repeat ``x += B(y - P_w x)`` with B bicubic upsampling, until nothing is left: no steps at cell edges.

    With cos(latitude) weights and a ragged coast some 60 rounds leave 1e-16; whatever is left is added by cell. Basins
    do not see each other (`xr_dip.basins.by_basin`): one in a single coarse cell is shifted as a whole.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    array of float64

    References
    ----------
    Irani & Peleg 1991, Improving resolution by image registration (iterative back-projection).

    Examples
    --------
    >>> from xr_dip.blocks import block_mean
    >>> field = smooth(np.zeros((4, 4)), np.array([[1.0, 3.0]]), np.ones((4, 4)), (4, 2))
    >>> np.allclose(block_mean(field, np.ones((4, 4)), (4, 2)), [[1, 3]])
    True
    """
    enforced = by_basin(_without_steps, field, values, weights, factor, periodic=periodic)
    return np.where(weights > 0, enforced, field)


def _without_steps(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool
) -> FloatArray:
    """Back-project, but at once where there is one coarse cell and thus no edge."""
    if np.isfinite(values).sum() == 1:
        return additive(field, values, weights, factor)
    return back_project(field, values, weights, factor, periodic=periodic)


# "optimal" distributes the misfit by the fitted covariance; it needs the kriging operator and lives in `estimate`.
CONSTRAINTS: dict[str, Constraint] = {"none": none, "additive": additive, "smooth": smooth}
CONSTRAINT_NAMES = (*CONSTRAINTS, "optimal")
