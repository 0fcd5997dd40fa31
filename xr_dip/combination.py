"""From fitted members to an estimate: its mean, its standard error, and members that carry both."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from xr_dip.basins import by_basin
from xr_dip.blocks import Factor, FloatArray
from xr_dip.constraints import Constraint, additive, none
from xr_dip.errors import DipWarning
from xr_dip.kriging.along_fronts import Claim, carry_over, krige_along_fronts
from xr_dip.kriging.blending import blend_weight, front_weight, roughness_of
from xr_dip.kriging.calibration import WHOLE, conditional_draws, mean_variance, predicted_skill
from xr_dip.kriging.coast import blend_within_error
from xr_dip.kriging.estimator import Estimator
from xr_dip.kriging.white_noise import Place
from xr_dip.sea import Sea

# Draws behind a standard error: twenty leave 16 % of noise in it.
DRAWS = 32
# With fewer coarse cells the standard error of one field in three is off by more than a quarter, even where the
# covariance is of the fitted kind.
CELLS_FOR_A_STANDARD_ERROR = 100


@dataclass(frozen=True, eq=False)
class Combination:
    """An estimate in float64, in the unit of the field; arbitrary on land.

    Attributes
    ----------
    mean, std : array, shape (Y, X)
    members : array, shape (members, Y, X)
        Each with the block means of the input.
    blend_weight : float
        Weight of the fits in the null space of the data; NaN where they are the estimate.
    front_weight : float
        Weight of kriging along fronts there; 0 where the field is alike in all directions and everywhere, NaN where
        fits are the estimate.
    predicted_rmse : float
        Root mean square of `std` over sea: what the error should be.
    predicted_skill : float
        One minus predicted RMSE over the predicted RMSE of bicubic interpolation; NaN where not predicted.

    Examples
    --------
    >>> from xr_dip.constraints import additive
    >>> from xr_dip.sea import find_sea
    >>> values = np.array([[1.0, 3.0]])
    >>> found = combine_enforced(np.zeros((2, 2, 4)), values, find_sea(values, (2, 2)), (2, 2), additive)
    >>> found.mean[0], float(found.std.max())
    (array([1., 1., 3., 3.]), 0.0)
    """

    mean: FloatArray
    std: FloatArray
    members: FloatArray
    blend_weight: float
    front_weight: float
    predicted_rmse: float
    predicted_skill: float


def combine_enforced(
    fields: FloatArray, values: FloatArray, sea: Sea, factor: Factor, constraint: Constraint, *, periodic: bool = False
) -> Combination:
    """Enforce the coarse values on each member; mean and standard deviation of the members.

    Parameters
    ----------
    fields : array, shape (members, Y, X)
        In the unit of the values.
    values : array, shape (ny, nx)
        NaN on land.
    sea : Sea
    factor : (int, int)
    constraint : callable
        See `xr_dip.constraints`.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    Combination
        Without predictions: the spread of the fits is no calibrated error.

    Examples
    --------
    >>> from xr_dip.blocks import block_mean
    >>> from xr_dip.sea import find_sea
    >>> values = np.array([[1.0, 3.0]])
    >>> fits = np.random.default_rng(0).normal(size=(3, 2, 4))
    >>> found = combine_enforced(fits, values, find_sea(values, (2, 2)), (2, 2), additive)
    >>> block_mean(found.members[2], np.ones((2, 4)), (2, 2)).round(12)
    array([[1., 3.]])
    """
    members = np.stack([constraint(field, values, sea.weights, factor, periodic=periodic) for field in fields])
    spread = members.std(axis=0, ddof=1) if len(members) > 1 else np.full(members.shape[1:], np.nan)
    return Combination(members.mean(axis=0), spread, members, np.nan, np.nan, np.nan, np.nan)


def combine_optimal(
    parts: FloatArray,
    values: FloatArray,
    sea: Sea,
    kriging: Estimator,
    seed: int,
    *,
    blind: Estimator | None = None,
    errors: Estimator | None = None,
    place: Place = WHOLE,
    fronts: tuple[FloatArray, Claim | None] | None = None,
) -> Combination:
    """``K(y) + b N(F(y)) + a mean_k N(g_k)``: kriging where the data speak, and two proposals in their null space.

    Equation :eq:`estimate` of the theory page.
    One is kriging along the fronts of the field, weighted by its size (`xr_dip.kriging.blending.front_weight`), the
    other the mean of the fits, weighted by their agreement with each other and with the first
    (`xr_dip.kriging.blending.blend_weight`).

    The standard error is that of conditional draws from the fitted covariance, scaled by left-out residuals: the
    members of a deep image prior agree too well with one another to be an error by themselves. Member k is the
    estimate plus the departure of fit k from the mean fit plus one draw: equation :eq:`std`.

    Parameters
    ----------
    parts : array, shape (members, Y, X)
        What each fit adds in the null space of the block means, ``N(g_k)``.
    values : array, shape (ny, nx)
        NaN on land.
    sea : Sea
    kriging : Estimator
    seed : int
        Of the draws.
    blind : Estimator, optional
        For noisy values: kriging of the same covariance that knows of no noise, whose null space is that of the data.
        Exact values, without it, are kept: what the nugget leaves of the misfit, micrometres, is removed.
    errors : Estimator, optional
        Kriging with the kernels of the errors (`xr_dip.kriging.covariance.Covariance.of_errors`), `kriging` by default.
    place : Place
        Where the field lies in a larger domain.
    fronts : (array, Claim), optional
        As of `xr_dip.kriging.along_fronts.krige_along_fronts`, the array of shape (Y, X); found here by default.

    Returns
    -------
    Combination

    Examples
    --------
    >>> from xr_dip.kriging.block import BlockKriging
    >>> from xr_dip.kriging.covariance import Covariance, Kernel
    >>> from xr_dip.sea import find_sea
    >>> values = np.hypot.outer(range(4), range(6))
    >>> sea = find_sea(values, (2, 2))
    >>> covariance = Covariance((Kernel(2.5, 2.0, 1.0),))
    >>> kriging = BlockKriging(sea.weights, (2, 2), (1.0, 1.0), covariance, np.ones((4, 6), dtype=bool))
    >>> found = combine_optimal(np.zeros((3, 8, 12)), values, sea, kriging, seed=0)
    >>> found.members.shape, bool((found.std > 0).all()), bool(found.predicted_rmse < values.std())
    ((3, 8, 12), True, True)
    """
    factor, known, exact = kriging.support.factor, sea.weights > 0, blind is None
    mean_part = parts.mean(axis=0)
    variance = mean_variance(kriging, values, seed)
    rough = roughness_of(kriging.covariance)
    along_fronts, claim = krige_along_fronts(kriging, values, exact=exact) if fronts is None else fronts
    along_weight = front_weight(along_fronts, variance, values.shape, factor, sea=known)
    unseen = along_fronts if blind is None else blind.null(along_fronts)
    weight = blend_weight(parts, unseen, variance, values.shape, factor, roughness=rough, sea=known)
    enforce = additive if exact else none
    errors = kriging if errors is None else errors
    left_out = errors.left_out(values)
    if claim is not None and along_weight:
        left_out = carry_over(claim, left_out)
    draws = conditional_draws(errors, values, max(DRAWS, len(parts)), seed, left_out, place)
    departures = weight * (parts - mean_part)
    std = np.sqrt(draws.var(axis=0, ddof=1) + departures.var(axis=0, ddof=min(1, len(parts) - 1)))
    mean = kriging.mean(values) + along_weight * along_fronts + weight * mean_part
    if exact:
        pair = np.stack([mean, std])
        mean, _ = by_basin(
            blend_within_error, pair, values, sea.weights, factor, sea=sea.mask, periodic=kriging.periodic
        )
    mean = enforce(mean, values, sea.weights, factor)
    own = draws[: len(parts)] - draws[: len(parts)].mean(axis=0)
    members = enforce(mean + departures + own, values, sea.weights, factor)
    rmse = float(np.sqrt((std[known] ** 2).mean()))
    skill = predicted_skill(mean, values, sea.weights, factor, rmse, periodic=kriging.periodic)
    return Combination(mean, std, members, weight, along_weight, rmse, skill)


def warn_of_one_cell(cells: int) -> None:
    """Warn where the size of an error cannot be known at all.

    Parameters
    ----------
    cells : int
        Coarse cells with a value.

    Warns
    -----
    DipWarning
        At 1.

    Examples
    --------
    >>> warn_of_one_cell(2)
    """
    if cells == 1:
        warnings.warn(
            "The field has one coarse cell. It does not tell how much the field varies, so that the standard error is "
            "NaN: take a larger window if there is one.",
            DipWarning,
            stacklevel=3,
        )


def warn_of_few_cells(cells: int) -> None:
    """Warn where the size of an error is known, but not well.

    Parameters
    ----------
    cells : int
        Coarse cells with a value.

    Warns
    -----
    DipWarning
        From 2 to 99.

    Examples
    --------
    >>> warn_of_few_cells(100)
    """
    if 1 < cells < CELLS_FOR_A_STANDARD_ERROR:
        warnings.warn(
            f"The field has {cells} coarse cells. Below {CELLS_FOR_A_STANDARD_ERROR} the standard error is itself "
            "uncertain, often by a third: take a larger window if there is one.",
            DipWarning,
            stacklevel=3,
        )
