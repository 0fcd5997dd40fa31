"""Constraints that keep a field positive.

Heights have both signs, so what makes them positive is said explicitly, as `offset` in the unit of the field. Coarse
values that it leaves below zero are refused before anything is fitted.

Symbols: ``x`` the field, ``y`` its coarse values, ``c = up(y)``, all with the offset added.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_mean, block_sum, misfit, repeat

# Softmax is no projection: a cell whose mean is the value, to rounding, is left as it is.
ROUNDING = 1e-12


def multiplicative(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    offset: float = 0.0,
) -> FloatArray:
    """``x up(y / P_w x)`` of positive fields: every coarse cell times a number of its own, the result is positive.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing: no cell looks at its neighbours.
    offset : float
        Added to field and values before, and subtracted from the result. Large offsets come close to
        `xr_dip.constraints.additive`.

    Returns
    -------
    array of float64, shape of `field`

    Raises
    ------
    ValueError
        If a coarse value, or what was fitted in a cell with a value, is not above minus the offset.

    References
    ----------
    Harder et al. 2023, Hard-constrained deep learning for climate downscaling, JMLR 24, arXiv:2208.05424.

    Examples
    --------
    >>> multiplicative(np.array([[1.0, 3.0]]), np.array([[4.0]]), np.ones((1, 2)), (1, 2))
    array([[2., 6.]])
    """
    shifted, wanted, used = _positive(field, values, weights, factor, offset)
    lowest = shifted.min(where=used, initial=np.inf)
    if lowest <= 0:
        raise ValueError(
            f"Invalid offset {offset}. It must be larger than {offset - lowest:.6g}, as the fitted field has values "
            f"down to {lowest - offset:.6g}; or take the constraint 'softmax', which any fit can have."
        )
    ratio = repeat(wanted / block_mean(shifted, weights, factor), factor)
    return np.where(used, shifted * ratio - offset, field)


def softmax(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    offset: float = 0.0,
) -> FloatArray:
    """``exp(x / c) up(y / P_w exp(x / c))``: positive whatever was fitted.

    The division by c makes the exponent a number without unit, and the result that of `xr_dip.constraints.additive`
    where x departs little from c. By itself it changes a field with the right means, too: cells that have theirs, and
    no negative value, are left as they are.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing: no cell looks at its neighbours.
    offset : float
        Added to field and values before, and subtracted from the result.

    Returns
    -------
    array of float64, shape of `field`

    Raises
    ------
    ValueError
        If a coarse value is not above minus the offset.

    References
    ----------
    Harder et al. 2023, Hard-constrained deep learning for climate downscaling, JMLR 24, arXiv:2208.05424.

    Examples
    --------
    >>> softmax(np.array([[-2.0, 1.0]]), np.array([[3.0]]), np.ones((1, 2)), (1, 2)).round(3)
    array([[1.614, 4.386]])
    """
    shifted, wanted, used = _positive(field, values, weights, factor, offset)
    centre = repeat(wanted, factor)
    exponent = np.where(used, shifted / centre, -np.inf)
    # Any constant in a cell may be taken off the exponent; without its largest it cannot overflow.
    power = np.exp(exponent - np.where(used, repeat(_block_max(exponent, factor), factor), 0.0))
    enforced = power * centre / repeat(block_mean(power, weights, factor), factor)
    right = np.abs(repeat(misfit(shifted, wanted, weights, factor), factor)) <= ROUNDING * np.nan_to_num(centre)
    positive = repeat(_block_max(np.where(used, -shifted, -np.inf), factor), factor) <= 0
    return np.where(used & ~(right & positive), enforced - offset, field)


def check_offset(offset: object) -> float:
    """Return an offset if it is a finite number.

    Parameters
    ----------
    offset : float

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> check_offset(2)
    2.0
    """
    if isinstance(offset, bool) or not isinstance(offset, (int, float)) or not np.isfinite(offset):
        raise ValueError(f"Invalid offset {offset!r}. It must be a finite number, in the unit of the field.")
    return float(offset)


def _positive(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, offset: float
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return field and values plus the offset, 1 where they do not count, and the fine cells that do."""
    wanted = np.where(block_sum(weights, factor) > 0, values + check_offset(offset), np.nan)
    if (wanted <= 0).any():
        raise ValueError(
            f"Invalid offset {offset}. It must be larger than {-np.nanmin(values):.6g}: with it every coarse value has "
            "to be positive."
        )
    used = (weights > 0) & np.isfinite(repeat(wanted, factor))
    return np.where(used, field + offset, 1.0), wanted, used


def _block_max(fine: FloatArray, factor: Factor) -> FloatArray:
    """Return the largest of the fine cells in each coarse cell."""
    (fy, fx), (*lead, rows, columns) = factor, fine.shape
    return np.asarray(fine.reshape(*lead, rows // fy, fy, columns // fx, fx).max(axis=(-3, -1)))
