r"""Constraints that keep a field in a range of values.

Heights have no range of their own, so it is said explicitly, as `value_range` in the unit of the field. Coarse values
outside are refused before anything is fitted.

Symbols: ``x`` the field, ``y`` its coarse values, ``m = up(P_w x)``, ``c = up(y)``. With weights the formulas are exact
too, because what multiplies x is constant in a coarse cell: ``P_w`` of it is the same formula of m.
"""

from __future__ import annotations

import numpy as np

from xr_dip.blocks import Factor, FloatArray, block_mean, misfit, repeat

ValueRange = tuple[float, float]


def geiss(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    value_range: ValueRange,
) -> FloatArray:
    """``x + (c - m) (s - x) / (s - m)`` with ``s = sign(c - m)``, in units of the range: the result stays in it.

    Equation :eq:`correction` of the theory page.
    All cells of a block move towards the same end of the range, those that are furthest from it by most. Their order
    stays, and so does a field with the right means. What the fit has outside of the range is first cut off, where
    Geiss and Hardin have a network that ends in a tanh.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Changes nothing: no cell looks at its neighbours.
    value_range : (float, float)
        Lowest and highest value of a fine cell, in the unit of the field.

    Returns
    -------
    array of float64, shape of `field`

    Raises
    ------
    ValueError
        If the range is none, or a coarse value lies outside.

    References
    ----------
    Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super resolution,
    doi:10.1175/AIES-D-21-0012.1.

    Examples
    --------
    >>> geiss(np.array([[0.0, 1.0]]), np.array([[1.25]]), np.ones((1, 2)), (1, 2), value_range=(-2.0, 2.0))
    array([[1. , 1.5]])
    """
    inside, mean, missed = _in_range(field, values, weights, factor, value_range)
    end = np.sign(missed)
    share = np.divide(missed, end - mean, out=np.zeros_like(missed), where=(missed != 0) & (end != mean))
    return _out_of_range(inside + share.clip(0, 1) * (end - inside), field, weights, value_range)


def scadd(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    value_range: ValueRange,
) -> FloatArray:
    """``x + d (sigma + x) / (sigma + m)`` with ``d = c - m``, ``sigma = sign(-d)``: another form of `geiss`.

    Parameters
    ----------
    field, values, weights, factor, periodic, value_range
        As for `geiss`.

    Returns
    -------
    array of float64, shape of `field`
        That of `geiss`, to rounding: ``s = -sigma``.

    Raises
    ------
    ValueError
        As for `geiss`.

    References
    ----------
    Harder et al. 2023, Hard-constrained deep learning for climate downscaling, JMLR 24, arXiv:2208.05424.

    Examples
    --------
    >>> scadd(np.array([[0.0, 1.0]]), np.array([[1.25]]), np.ones((1, 2)), (1, 2), value_range=(-2.0, 2.0))
    array([[1. , 1.5]])
    """
    inside, mean, missed = _in_range(field, values, weights, factor, value_range)
    sigma = np.sign(-missed)
    moved = (missed != 0) & (sigma + mean != 0)
    reach = np.divide(sigma + inside, sigma + mean, out=np.zeros_like(inside), where=moved)
    return _out_of_range(inside + missed * reach, field, weights, value_range)


def check_range(value_range: object) -> ValueRange:
    """Return a range of values if it is one.

    Parameters
    ----------
    value_range : (float, float)

    Returns
    -------
    (float, float)

    Raises
    ------
    ValueError
        If it is not two finite numbers, the lower one first.

    Examples
    --------
    >>> check_range([-2, 2])
    (-2.0, 2.0)
    """
    try:
        low, high = (float(end) for end in value_range)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        low = high = np.nan
    if not -np.inf < low < high < np.inf:
        raise ValueError(
            f"Invalid value_range {value_range!r}. It must be the lowest and the highest value of a fine cell, as in "
            "(-2, 2)."
        )
    return low, high


def _in_range(
    field: FloatArray, values: FloatArray, weights: FloatArray, factor: Factor, value_range: ValueRange
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the field mapped to [-1, 1], and on its grid its block means and what they miss."""
    low, high = check_range(value_range)
    seen = values[np.isfinite(values)]
    if seen.size and not low <= seen.min() <= seen.max() <= high:
        raise ValueError(
            f"Invalid value_range {(low, high)}. It must hold every coarse value, here from {seen.min():.6g} to "
            f"{seen.max():.6g}."
        )
    centre, half = (low + high) / 2, (high - low) / 2
    inside = np.where(weights > 0, ((field - centre) / half).clip(-1, 1), 0.0)
    missed = misfit(inside, (values - centre) / half, weights, factor)
    mean, missed = (
        np.asarray(repeat(part, factor), np.float64) for part in (block_mean(inside, weights, factor), missed)
    )
    return inside, mean, missed


def _out_of_range(inside: FloatArray, field: FloatArray, weights: FloatArray, value_range: ValueRange) -> FloatArray:
    """Return a field of [-1, 1] in its own unit, and land as it was."""
    low, high = check_range(value_range)
    return np.where(weights > 0, ((low + high) / 2 + (high - low) / 2 * inside).clip(low, high), field)
