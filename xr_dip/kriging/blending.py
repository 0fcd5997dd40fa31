r"""How much each proposal for what kriging misses is to be believed, from the coarse values alone.

Proposals are fields of zero block means: the mean of the fits in the null space, and kriging along fronts. Each has a
part that is trusted by itself, more or less as the other says the same, and where two agree they share the weight.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor
from xr_dip.kriging.covariance import Covariance
from xr_dip.kriging.matern import SMOOTHNESSES

ROUGH_FIELD_TRUST = 0.5
"""Of the trust in fits, which are smooth, what is left of it where the field is rough."""
MOST_TRUSTED_RATIO = 0.6
"""Fits whose part in the null space is larger than this, against the kriging error, are mistrusted."""
USUAL_AGREEMENT = 0.5
"""Correlation of two fits where there is only one; in practice 0.2 to 0.8."""
SHORT_SIDE = 12
"""Coarse cells along the shorter side below which fits are trusted less."""
LARGE_FACTOR = 16
"""From here on kriging leaves so much open that fits help on few cells, too."""
SMALL_FACTOR, SMALL_FACTOR_WEIGHT = 4, 0.15
"""At factors this small kriging is nearly perfect, and fits may not change it much."""
FRONT_TRUST, SMALL_FACTOR_FRONT_TRUST = 1.0, 0.75
"""Part of kriging along fronts that is trusted."""
FULL_CONCORD = 0.5
"""Correlation with kriging along fronts from which fits are trusted as far as they deserve by themselves."""
FRONT_GAIN = 0.6
"""By how much more kriging along fronts is trusted where fits say just the same: by itself it says too little."""
MOST_TRUSTED_FRONT_RATIO = 0.4
"""As for fits: what kriging along fronts adds is larger where it extrapolates beyond the border of a smooth field."""


def blend_weight(
    null_parts: npt.NDArray[np.floating],
    variance: float,
    coarse_shape: tuple[int, int],
    factor: Factor,
    *,
    roughness: float = 0.0,
    sea: npt.NDArray[np.bool_] | None = None,
) -> float:
    """Weight a of the fits in ``x = K(y) + a mean_k u_k``, from how far they agree and how large they are.

    It is alpha in equation :eq:`weight` of the theory page.
    With c the mean correlation of two members, ``R = M c / (1 + (M - 1) c)`` is the reliability of their mean
    (Spearman-Brown), ``rho`` its size over the kriging error, d the cells along the shorter side, and q the roughness:
    ``a = R^2 min(1, (0.6 / rho)^4) min(1, d / 12)^m (1 - q / 2)``, with m = 2, or 1 from factor 16 on, and at most 0.15
    for factors up to 4. (The first guards against noise of single fits, the second against fits that agree on something
    implausible, the third against too few cells, the fourth against fields that are not as smooth as the fits.)

    Parameters
    ----------
    null_parts : array, shape (M, ny * fy, nx * fx)
        ``u_k = N(g_k)`` of each fit.
    variance : float
        From `mean_variance`.
    coarse_shape : (int, int)
    factor : (int, int)
    roughness : float
        From `roughness_of`.
    sea : array of bool, shape (ny * fy, nx * fx), optional
        Fine cells that count; all by default.

    Returns
    -------
    float
        From 0 to 1. A single fit, whose reliability is unknown, is taken to agree by one half with others.

    Examples
    --------
    >>> parts = np.array([[[1.0, -1.0]], [[1.0, -1.0]]])
    >>> round(blend_weight(parts, 25.0, (12, 12), (8, 8)), 6)
    1.0
    >>> round(blend_weight(parts, 25.0, (6, 12), (8, 8)), 6)
    0.25
    """
    count = len(null_parts)
    parts = null_parts.reshape(count, -1) if sea is None else null_parts[:, sea]
    norms = np.linalg.norm(parts, axis=1)
    size = float(np.sqrt((parts.mean(axis=0) ** 2).mean()))
    if not norms.all() or size == 0:
        return 0.0
    correlation = (parts / norms[:, None]) @ (parts / norms[:, None]).T
    agreement = float(correlation[np.triu_indices(count, 1)].mean()) if count > 1 else USUAL_AGREEMENT
    reliability = max(0.0, count * agreement / (1 + (count - 1) * agreement)) if agreement > 0 else 0.0
    plausible = _plausibility(size, variance, MOST_TRUSTED_RATIO)
    smooth = 1 - (1 - ROUGH_FIELD_TRUST) * roughness
    large = np.sqrt(np.prod(factor)) >= LARGE_FACTOR
    enough = min(1.0, min(coarse_shape) / SHORT_SIDE) ** (1 if large else 2)
    weight = float(reliability**2 * plausible * enough * smooth)
    return min(weight, SMALL_FACTOR_WEIGHT) if np.sqrt(np.prod(factor)) <= SMALL_FACTOR else weight


def roughness_of(covariance: Covariance) -> float:
    """How sure it is that a field is rough: the weight of the kernels of the least smoothness, 3/2.

    Altimetry and coarse models have such fields at the scale of their cells. Fits add little that is right there.

    Parameters
    ----------
    covariance : Covariance
        Fitted to the field.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Kernel
    >>> roughness_of(Covariance((Kernel(2.5, 3.0, 1.0, 0.75), Kernel(1.5, 4.0, 1.0, 0.25))))
    0.25
    """
    return float(sum(kernel.weight for kernel in covariance.kernels if kernel.smoothness == min(SMOOTHNESSES)))


def _plausibility(size: float, variance: float, most: float) -> float:
    """One for a part of up to `most` times the kriging error, then falling with the fourth power of its size."""
    return min(1.0, (most * float(np.sqrt(variance)) / size) ** 4) if size > 0 else 1.0


def front_trust(
    part: npt.NDArray[np.floating],
    variance: float,
    coarse_shape: tuple[int, int],
    factor: Factor,
    *,
    sea: npt.NDArray[np.bool_] | None = None,
) -> float:
    """Part of kriging along fronts that is trusted: ``min(1, (0.4 / rho)^4) min(1, d / 12)``.

    It is beta in equation :eq:`weight` of the theory page.
    With rho the size of what it adds over the kriging error, and d the cells along the shorter side; three quarters of
    it at factors up to 4, where it adds little. (A large difference comes from the border of a smooth field, where both
    extrapolate and a small error in the direction of a front is amplified: little of it is right.)

    Parameters
    ----------
    part : array, shape (ny * fy, nx * fx)
        ``N(F(y))``.
    variance : float
        From `mean_variance`.
    coarse_shape : (int, int)
    factor : (int, int)
    sea : array of bool, shape (ny * fy, nx * fx), optional
        Fine cells that count; all by default.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> part = np.array([[1.0, -1.0]])
    >>> front_trust(part, 25.0, (16, 20), (8, 8)), front_trust(part, 25.0, (16, 16), (3, 3))
    (1.0, 0.75)
    >>> round(front_trust(part, 25 / 16, (6, 9), (8, 8)), 6)
    0.03125
    """
    most = SMALL_FACTOR_FRONT_TRUST if np.sqrt(np.prod(factor)) <= SMALL_FACTOR else FRONT_TRUST
    size = float(np.sqrt(((part if sea is None else part[sea]) ** 2).mean()))
    plausible = _plausibility(size, variance, MOST_TRUSTED_FRONT_RATIO)
    return most * plausible * min(1.0, min(coarse_shape) / SHORT_SIDE)


def trust_together(
    fields: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
    trust: tuple[float, float],
    *,
    sea: npt.NDArray[np.bool_] | None = None,
) -> tuple[float, float]:
    """Trust in kriging along fronts and in fits, once each has heard the other: ``b (1 + 0.6 k)``, ``a min(1, 2 k)``.

    Equation :eq:`together` of the theory page.
    With k the correlation of both proposals, 0 where it is negative. The two know nothing of one another: where they
    agree, what they say is in the values. Fits that agree with each other alone share a prejudice, and do harm as often
    as good.

    Parameters
    ----------
    fields : (array, array), shape (Y, X) each
        Of kriging along fronts and of the mean fit, of zero block means.
    trust : (float, float)
        Of each by itself, from `front_trust` and `blend_weight`.
    sea : array of bool, shape (Y, X), optional
        Fine cells that count; all by default.

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    >>> trust_together((first, first), (1.0, 0.5))
    (1.6, 0.5)
    >>> trust_together((first, second), (1.0, 0.5))
    (1.0, 0.0)
    """
    first, second = (field.ravel() if sea is None else field[sea] for field in fields)
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    concord = max(0.0, float(first @ second) / size) if size > 0 else 0.0
    return trust[0] * (1 + FRONT_GAIN * concord), trust[1] * min(1.0, concord / FULL_CONCORD)


def share_null_space(
    fields: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
    trust: tuple[float, float],
    *,
    sea: npt.NDArray[np.bool_] | None = None,
) -> tuple[float, float]:
    r"""Weights of two proposals for what kriging misses, which agree in part.

    Each proposal f_i for the error e of kriging is expected to be right by a part t_i: ``<f_i, e> = t_i <f_i, f_i>``,
    so that alone its best weight would be t_i. Together the best weights solve the normal equations::

        <f_1, f_1> w_1 + <f_1, f_2> w_2 = t_1 <f_1, f_1>
        <f_1, f_2> w_1 + <f_2, f_2> w_2 = t_2 <f_2, f_2>

    and where one would be negative the other stands alone. Equation :eq:`shares` of the theory page.

    Parameters
    ----------
    fields : (array, array), shape (Y, X) each
        Fields of zero block means.
    trust : (float, float)
        t_i, from 0.
    sea : array of bool, shape (Y, X), optional
        Fine cells that count; all by default.

    Returns
    -------
    (float, float)
        Not negative.

    Examples
    --------
    >>> first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    >>> share_null_space((first, second), (1.0, 0.5))
    (1.0, 0.5)
    >>> share_null_space((first, first), (1.0, 0.5))
    (1.0, 0.0)
    """
    first, second = (field.ravel() if sea is None else field[sea] for field in fields)
    own, other, common = float(first @ first), float(second @ second), float(first @ second)
    determinant = own * other - common**2
    if determinant <= 1e-9 * own * other:  # one is empty, or both are the same
        return (trust[0] * (own > 0), 0.0) if own > 0 else (0.0, trust[1] * (other > 0))
    weights = (
        other * (trust[0] * own - common * trust[1]) / determinant,
        own * (trust[1] * other - common * trust[0]) / determinant,
    )
    if weights[0] < 0:
        return 0.0, trust[1]
    return (trust[0], 0.0) if weights[1] < 0 else weights
