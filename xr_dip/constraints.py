"""Enforcement of the coarse values: a field becomes one whose weighted block means are the values.

Each leaves a field that satisfies the constraint as it is, and cells without weight (land) untouched. Applied after
the fit: inside the data loss the misfit would be identically zero and nothing would train, which `xr_dip.fitting.fit`
refuses. The forms are in the table "Other constraints" of the theory page, `geiss` is equation :eq:`correction` there,
and `projection` :eq:`projection`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np

from xr_dip.basins import by_basin
from xr_dip.blocks import Factor, FloatArray, block_mean, misfit, repeat
from xr_dip.interpolation import back_project
from xr_dip.observing.projection import projection
from xr_dip.positive import check_offset, multiplicative, softmax
from xr_dip.value_range import check_range, geiss, scadd

# Of the coarse mean square error beside the fine one in Geiss & Hardin 2023.
SOFT_WEIGHT = 16.0


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
    array, shape of `field`

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
    array of float64, shape of `field`

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
    array of float64, shape of `field`

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


def bump(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool = False
) -> FloatArray:
    """Add what is missed as a bump in each coarse cell that vanishes at its edges: no steps, and no other cell changes.

    For what misses little: a large bump is seen. Joining of tiles uses it, see `xr_dip.joining`.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing: no cell looks at its neighbours.

    Returns
    -------
    array of float64, shape of `field`

    Examples
    --------
    >>> bump(np.zeros((1, 4)), np.array([[1.0]]), np.ones((1, 4)), (1, 4)).round(2)
    array([[0.36, 1.64, 1.64, 0.36]])
    """
    missed = misfit(field, values, weights, factor)
    profiles = []
    for times in factor:
        t = (np.arange(times) + 0.5) / times
        profiles.append(t**2 * (1 - t) ** 2)
    shape = np.tile(profiles[0][:, None] * profiles[1], missed.shape[-2:]) * (weights > 0)
    mean = block_mean(shape, weights, factor)
    return np.asarray(field + repeat(np.where(mean > 0, missed / np.where(mean > 0, mean, 1.0), 0.0), factor) * shape)


def soft(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    alpha: float = SOFT_WEIGHT,
) -> FloatArray:
    """Leave the field as it was fitted: the values were held in the fit, by a penalty ``alpha mean((P_w x - y)^2)``.

    Nothing is exact, which is right for values with noise. The penalty is `xr_dip.fitting.penalties.CoarseMisfit`, the
    last of equation :eq:`penalties` of the theory page: it holds the values against other penalties, or beside a loss
    that is no mean square. Where the mean square of the misfit is all there is, it only multiplies the loss, which
    changes nothing; a run warns of that.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing.
    alpha : float
        Weight of the penalty, beside a loss of the standardised field; it is used in the fit.

    Returns
    -------
    array, shape of `field`

    References
    ----------
    Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super resolution.

    Examples
    --------
    >>> soft(np.zeros((2, 2)), np.ones((1, 1)), np.ones((2, 2)), (2, 2)).max()
    np.float64(0.0)
    """
    return field


def make_constraint(name: str, options: Mapping[str, Any]) -> Constraint:
    """Return a constraint with its options.

    Parameters
    ----------
    name : str
        In `CONSTRAINTS`.
    options : mapping
        Keywords of the function of that name.

    Returns
    -------
    Constraint

    Raises
    ------
    ValueError
        If the constraint has no such option, needs one more, or cannot use a value.

    Examples
    --------
    >>> enforce = make_constraint("geiss", {"value_range": (-2, 2)})
    >>> enforce(np.array([[0.0, 1.0]]), np.array([[1.25]]), np.ones((1, 2)), (1, 2))
    array([[1. , 1.5]])
    """
    function = CONSTRAINTS[name]
    found = inspect.signature(function).parameters.values()
    own = {each.name: each for each in found if each.kind is each.KEYWORD_ONLY and each.name not in SURROUNDINGS}
    unknown = sorted(set(options) - set(own))
    if unknown:
        raise ValueError(
            f"Invalid constraint_options {unknown}. They must be among those of the constraint {name!r}: {sorted(own)}."
        )
    missing = sorted(each.name for each in own.values() if each.default is each.empty and each.name not in options)
    if missing:
        raise ValueError(f"Invalid constraint_options {dict(options)}. The constraint {name!r} must have {missing}.")
    return partial(function, **{option: OPTION_CHECKS[option](value) for option, value in options.items()})


def _check_alpha(alpha: object) -> float:
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 < alpha < np.inf:
        raise ValueError(f"Invalid alpha {alpha!r}. It must be a positive number.")
    return float(alpha)


OPTION_CHECKS: dict[str, Callable[[object], Any]] = {
    "value_range": check_range,
    "offset": check_offset,
    "alpha": _check_alpha,
}
CONSTRAINTS: dict[str, Callable[..., FloatArray]] = {
    "none": none,
    "additive": additive,
    "smooth": smooth,
    "geiss": geiss,
    "scadd": scadd,
    "multiplicative": multiplicative,
    "softmax": softmax,
    "soft": soft,
    "projection": projection,
}
# Keywords that are no options: the run knows them.
SURROUNDINGS = ("periodic", "kernel")
# Those after which the block means are not those of the input.
NOT_ENFORCED = ("none", "soft")
# Those that may be asked for where the values have noise, which is not to be kept exactly: "optimal" filters it.
KEPT_WITH_NOISE = (*NOT_ENFORCED, "optimal")
# "optimal" distributes the misfit by the fitted covariance; it needs the kriging operator and lives in `estimate`.
CONSTRAINT_NAMES = (*CONSTRAINTS, "optimal")
