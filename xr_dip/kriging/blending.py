r"""How much each proposal for what kriging misses is to be believed, from the coarse values alone.

Proposals are fields of zero block means: kriging along fronts, and the mean of the fits in the null space. Both are
added with weights of their own, the fits only as far as kriging along fronts confirms them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import SMALL_FACTOR, WIDE_CELLS, Factor, cell_width
from xr_dip.kriging.covariance import Covariance
from xr_dip.kriging.matern import SMOOTHNESSES

ROUGH_FIELD_TRUST = 0.5
"""Of the trust in fits, which are smooth, what is left of it where the field is rough."""
MOST_TRUSTED_RATIO = 0.6
"""Fits whose part in the null space is larger than this, against the kriging error, are mistrusted."""
USUAL_AGREEMENT = 0.5
"""Correlation of two fits where there is only one; in practice 0.2 to 0.8."""
SHORT_SIDE = 12
"""Coarse cells along the shorter side below which all is trusted less."""
SMALL_FACTOR_WEIGHT = 0.15
"""Up to `xr_dip.blocks.SMALL_FACTOR` fits may not change much."""
LESS_OF_FRONTS = 0.75
"""Weight of kriging along fronts there, and from `xr_dip.blocks.WIDE_CELLS` on; elsewhere all of it counts."""
CONFIRMED = 0.5
"""Correlation with kriging along fronts from which fits count as confirmed."""
BESIDE_FRONTS = 0.6
"""Part of confirmed fits that is right besides what kriging along fronts has of it."""
WIDE_CELLS_PART = 0.8
"""Part of any fits that is right from `xr_dip.blocks.WIDE_CELLS` on: fronts are narrower than a cell and not found."""
MOST_TRUSTED_FRONT_RATIO = 0.4
"""As for fits: what kriging along fronts adds is larger where it extrapolates beyond the border of a smooth field."""


def blend_weight(
    null_parts: npt.NDArray[np.floating],
    along_fronts: npt.NDArray[np.floating],
    variance: float,
    coarse_shape: tuple[int, int],
    factor: Factor,
    *,
    roughness: float = 0.0,
    sea: npt.NDArray[np.bool_] | None = None,
) -> float:
    """Weight a of the fits in the estimate, from how far they agree, with what, and how large they are.

    It is a in equation :eq:`weight` of the theory page.
    With c the mean correlation of two members, ``R = M c / (1 + (M - 1) c)`` is the reliability of their mean
    (Spearman-Brown), k its correlation with kriging along fronts, ``rho`` its size over the kriging error, d the cells
    along the shorter side, and q the roughness:
    ``a = 0.6 R^2 min(1, 2 k) min(1, (0.6 / rho)^4) min(1, d / 12) (1 - q / 2)``, not negative. It is at most 0.15 for
    factors up to 4, and from 24 on 0.8 stands for the 0.6 and for the term in k. (R guards against noise of single
    fits, k against a prejudice that they share: what two ways find that know nothing of one another is in the values.
    The term in rho guards against something implausible, that in d against too few cells, that in q against fields that
    are not as smooth as the fits.)

    Parameters
    ----------
    null_parts : array, shape (M, ny * fy, nx * fx)
        ``u_k = N(g_k)`` of each fit.
    along_fronts : array, shape (ny * fy, nx * fx)
        ``N(F(y))``, zero where there are none. In several basins there is one weight for all.
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
        From 0 to 0.8; below factor 24 to 0.6, and 0 without fronts. A single fit, whose reliability is unknown, is
        taken to agree by one half with others.

    Examples
    --------
    >>> parts = np.array([[[1.0, -1.0]], [[1.0, -1.0]]])
    >>> round(blend_weight(parts, parts[0], 25.0, (12, 12), (8, 8)), 6)
    0.6
    >>> round(blend_weight(parts, parts[0], 25.0, (6, 12), (8, 8)), 6)
    0.3
    >>> round(blend_weight(parts, -parts[0], 25.0, (12, 12), (8, 8)), 6)
    0.0
    """
    parts, other = (
        part.reshape(len(part), -1) if sea is None else part[:, sea] for part in (null_parts, along_fronts[None])
    )
    count, norms, mean = len(parts), np.linalg.norm(parts, axis=1), parts.mean(axis=0)
    size = float(np.sqrt((mean**2).mean()))
    if not norms.all() or size == 0:
        return 0.0
    correlation = (parts / norms[:, None]) @ (parts / norms[:, None]).T
    agreement = float(correlation[np.triu_indices(count, 1)].mean()) if count > 1 else USUAL_AGREEMENT
    reliability = max(0.0, count * agreement / (1 + (count - 1) * agreement)) if agreement > 0 else 0.0
    confirmed = min(1.0, max(0.0, _correlation(mean, other[0])) / CONFIRMED)
    plausible = _plausibility(size, variance, MOST_TRUSTED_RATIO)
    enough = min(1.0, min(coarse_shape) / SHORT_SIDE)
    smooth = 1 - (1 - ROUGH_FIELD_TRUST) * roughness
    width = cell_width(factor)
    right = WIDE_CELLS_PART if width >= WIDE_CELLS else BESIDE_FRONTS * confirmed
    weight = float(right * reliability**2 * plausible * enough * smooth)
    return min(weight, SMALL_FACTOR_WEIGHT) if width <= SMALL_FACTOR else weight


def _correlation(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> float:
    """Correlation of two fields of zero block means; 0 where there is none of one."""
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size > 0 else 0.0


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
    return min(1.0, (most * float(np.sqrt(variance)) / size) ** 4)


def front_weight(
    part: npt.NDArray[np.floating],
    variance: float,
    coarse_shape: tuple[int, int],
    factor: Factor,
    *,
    sea: npt.NDArray[np.bool_] | None = None,
) -> float:
    """Weight b of kriging along fronts in the estimate: ``min(1, (0.4 / rho)^4) min(1, d / 12)``.

    It is b in equation :eq:`weight` of the theory page.
    With rho the size of what it adds over the kriging error, and d the cells along the shorter side; three quarters of
    it at factors up to 4, where it adds little, and from 24 on, where few fronts are found. (A large difference comes
    from the border of a smooth field, where both extrapolate and a small error in the direction of a front is
    amplified: little of it is right.)

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
        From 0 to 1, 0 without fronts.

    Examples
    --------
    >>> part = np.array([[1.0, -1.0]])
    >>> front_weight(part, 25.0, (16, 20), (8, 8)), front_weight(part, 25.0, (16, 16), (3, 3))
    (1.0, 0.75)
    >>> round(front_weight(part, 25 / 16, (6, 9), (8, 8)), 6)
    0.03125
    """
    width = cell_width(factor)
    most = LESS_OF_FRONTS if width <= SMALL_FACTOR or width >= WIDE_CELLS else 1.0
    size = float(np.sqrt(((part if sea is None else part[sea]) ** 2).mean()))
    if size == 0:
        return 0.0
    plausible = _plausibility(size, variance, MOST_TRUSTED_FRONT_RATIO)
    return float(most * plausible * min(1.0, min(coarse_shape) / SHORT_SIDE))
