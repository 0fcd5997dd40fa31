r"""How wrong the estimate is: fields that the coarse values allow, and what they say about error and trust.

The spread of the fits is too small to be an error: they agree with one another far better than with the truth. What
the coarse values leave open is known from the covariance instead. With ``N(x) = x - K(D x)``, a random field h of the
kernel k_j of the errors (`Covariance.of_errors`) and an amplitude F, each ::

    e_j = N_j(F_j N_j(h_j)) + K_j(y) - K(y)

has zero block means, so it can be added to the estimate. F is scaled by leave-one-out residuals: it corrects a sill
that the likelihood got wrong, and is larger where the values surprise and at the coast. Equations :eq:`draw`,
:eq:`amplitude` and :eq:`std` of the theory page.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import gaussian_filter

from xr_dip.blocks import WIDE_CELLS, Factor, FloatArray, cell_width
from xr_dip.interpolation import fill_nearest, upsample
from xr_dip.kriging.coast import land_distance
from xr_dip.kriging.covariance import Kernel
from xr_dip.kriging.estimator import Estimator, LeftOut, left_out_sill
from xr_dip.kriging.matern import colour, torus_margin
from xr_dip.kriging.white_noise import Place, white_noise

LOCAL_SHARE = 0.5
"""Share of the amplitude that follows the local residuals; the rest is uniform."""
SMOOTHING = 1.5
"""Standard deviation of the Gaussian that smooths squared residuals, coarse cells."""
PRIOR_CELLS = 100
"""Cells that the fitted sill is worth against the residuals."""
COAST_INFLATION = 1.5
WIDE_CELLS_DEFLATION = 0.85
"""From `xr_dip.blocks.WIDE_CELLS` on the fitted sill is too large, by so much."""
WHOLE = Place()


def _local_share(ratios: FloatArray, periodic: bool) -> FloatArray:
    """Smooth map of squared standardised residuals, NaN where there are none, filled everywhere."""
    seen = np.isfinite(ratios)
    if not seen.any():
        return np.ones_like(ratios)
    modes = ("constant", "wrap" if periodic else "constant")
    total = gaussian_filter(np.where(seen, ratios, 0.0), SMOOTHING, mode=modes)
    share = gaussian_filter(seen.astype(np.float64), SMOOTHING, mode=modes)
    return fill_nearest(np.where(seen, total / np.where(seen, share, 1.0), np.nan), periodic=periodic)


def amplitude(residuals: FloatArray, variances: FloatArray, kernel: Kernel, estimator: Estimator) -> FloatArray:
    """Map the standard deviation of the field from leave-one-out residuals of one kernel.

    With e the residuals, v their variances at unit sill, ``z2 = e^2 / v`` and n their number, the variance is on
    average ``S = (n G + 100 s2) / (n + 100)`` with ``G = sqrt((sum e^2 / sum v) mean(z2))``; half of it follows the
    smoothed z2. Equation :eq:`amplitude` of the theory page.

    Parameters
    ----------
    residuals, variances : array, shape (ny, nx)
        From `Estimator.left_out`.
    kernel : Kernel
        Its sill s2 is worth a hundred cells.
    estimator : Estimator
        Gives the sea and the factor.

    Returns
    -------
    array of float64, shape (ny * fy, nx * fx)
        Half as large again within half a coarse cell of land; 0.85 of it from factor 24 on.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Covariance
    >>> from xr_dip.kriging.block import BlockKriging
    >>> kernel = Kernel(2.5, 2.0, 4.0)
    >>> estimator = BlockKriging(np.ones((4, 4)), (2, 2), (1, 1), Covariance((kernel,)), np.ones((2, 2), dtype=bool))
    >>> np.allclose(amplitude(np.full((2, 2), 2.0), np.ones((2, 2)), kernel, estimator), 2.0)
    True
    """
    weights, factor, periodic = estimator.support.weights, estimator.support.factor, estimator.periodic
    ratios = residuals**2 / variances
    seen = np.isfinite(ratios)
    count, scale = int(seen.sum()), kernel.sill
    if count:
        found = left_out_sill(residuals, variances)
        scale = (count * found + PRIOR_CELLS * kernel.sill) / (count + PRIOR_CELLS)
    local = _local_share(ratios / kernel.sill, periodic)
    mixed = (1 - LOCAL_SHARE) * local[estimator.support.cells].mean() + LOCAL_SHARE * local
    squares = upsample(mixed, factor, "bilinear", periodic=periodic)
    sea = weights > 0
    shape = np.sqrt(squares / squares[sea].mean()) if squares[sea].mean() > 0 else np.ones_like(squares)
    width = cell_width(factor)
    coast = land_distance(weights, periodic=periodic) <= width / 2
    deflation = WIDE_CELLS_DEFLATION if width >= WIDE_CELLS else 1.0
    return np.asarray(deflation * np.sqrt(scale) * shape * np.where(coast, COAST_INFLATION, 1.0))


def _kernel_of_draw(posterior: FloatArray, index: int, shift: float) -> int:
    """Kernel of a draw: any first few draws meet the kernels about as often as their weights say.

    The quantile is the van der Corput sequence in base 2, shifted, so it does not depend on the number of draws.
    """
    quantile, place = shift, 0.5
    while index:
        quantile, index, place = quantile + place * (index % 2), index // 2, place / 2
    return min(int(np.searchsorted(np.cumsum(posterior), quantile % 1.0, side="right")), len(posterior) - 1)


def conditional_draws(
    estimator: Estimator,
    values: npt.NDArray[np.floating],
    count: int,
    seed: int | list[int],
    left_out: LeftOut | None = None,
    place: Place = WHOLE,
) -> FloatArray:
    """Draw random differences between the fine field and its kriging estimate.

    Equation :eq:`draw` of the theory page.

    Parameters
    ----------
    estimator : Estimator
    values : array, shape (ny, nx)
    count : int
        At least 2: the draws are centred, and their standard deviation (``ddof=1``) is the standard error.
    seed : int or list of int
        Draw j is a function of (seed, j) and its place alone, before centring.
    left_out : LeftOut, optional
        Residuals that scale the draws, those of `estimator` by default: other ones where it is not the last word.
    place : Place
        Where the field lies in a larger domain: draw j of neighbouring windows comes from the same noise.

    Returns
    -------
    array of float64, shape (count, ny * fy, nx * fx)
        Block means zero (unless the values are noisy), sum over draws zero; arbitrary on land.

    Raises
    ------
    ValueError
        If `count` is below 2.

    Examples
    --------
    >>> from xr_dip.blocks import block_mean
    >>> from xr_dip.kriging.covariance import Covariance
    >>> from xr_dip.kriging.block import BlockKriging
    >>> covariance = Covariance((Kernel(2.5, 2.0, 1.0),))
    >>> estimator = BlockKriging(np.ones((4, 4)), (2, 2), (1.0, 1.0), covariance, np.ones((2, 2), dtype=bool))
    >>> draws = conditional_draws(estimator, np.array([[1.0, 2.0], [0.0, 4.0]]), 4, seed=1)
    >>> bool(np.abs(block_mean(draws, np.ones((4, 4)), (2, 2))).max() < 1e-9)
    True
    """
    if count < 2:
        raise ValueError(f"Invalid count {count}. It must be at least 2: one draw has no spread.")
    field = np.asarray(values, dtype=np.float64)
    entropy = [seed] if isinstance(seed, int) else list(seed)
    shift = float(np.random.default_rng([*entropy, 0]).random())
    kernels = np.array([_kernel_of_draw(estimator.covariance.weights, j, shift) for j in range(count)])
    residuals, variances = estimator.left_out(field) if left_out is None else left_out
    mean = estimator.mean(field)
    draws = np.empty((count, *mean.shape))
    for index in np.unique(kernels):
        single = estimator.component(int(index))
        kernel = single.covariance.kernels[0]
        deviation = amplitude(residuals[index], variances[index], kernel, single)
        members = np.flatnonzero(kernels == index)
        errors = deviation * single.null(_unit_fields(single, kernel, members, entropy, place))
        # Noisy values are not kept, so nothing is to be projected; but their noise is in the estimate.
        noisy = single.covariance.noisy
        errors = errors - _noise_in_estimate(single, members, entropy, place) if noisy else single.null(errors)
        draws[members] = errors + single.mean(field) - mean
    return np.asarray(draws - draws.mean(axis=0))


def _noise_in_estimate(
    estimator: Estimator, members: npt.NDArray[np.intp], entropy: list[int], place: Place
) -> FloatArray:
    """Return what the noise of the values makes of the estimate, for some members."""
    shape, coarse = estimator.support.shape, place.coarsen(estimator.support.factor)
    noise = np.stack([white_noise([*entropy, 3, int(member)], shape, coarse) for member in members])
    return estimator.mean(np.sqrt(estimator.covariance.noise) * noise)


def _unit_fields(
    estimator: Estimator, kernel: Kernel, members: npt.NDArray[np.intp], entropy: list[int], place: Place
) -> FloatArray:
    """Draw unit random fields for some members."""
    shape = rows, columns = estimator.support.weights.shape
    margin = torus_margin(estimator.pitch, kernel.length)
    torus = [fft.next_fast_len(size + 2 * wide, real=True) for size, wide in zip(shape, margin, strict=True)]
    if estimator.periodic:
        margin, torus[1] = (margin[0], 0), columns
    fields = np.empty((len(members), rows, columns))
    for field, member in zip(fields, members, strict=True):
        noise = white_noise([*entropy, 1, int(member)], (torus[0], torus[1]), place, margin)
        coloured = colour(noise, estimator.pitch, kernel.smoothness, kernel.length)
        field[:] = coloured[margin[0] : margin[0] + rows, margin[1] : margin[1] + columns]
    return fields


def mean_variance(estimator: Estimator, values: npt.NDArray[np.floating], seed: int, count: int = 6) -> float:
    """Kriging variance averaged over sea: what the estimate misses, and what the kernels disagree about.

    ``sum_k w_k (s2_k mean N_k(h)^2 + mean (K_k y - K y)^2)``, the first mean over a few unit random fields h.

    Parameters
    ----------
    estimator : Estimator
    values : array, shape (ny, nx)
    seed : int
    count : int
        Random fields per kernel.

    Returns
    -------
    float
        Square of the unit of the values.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Covariance
    >>> from xr_dip.kriging.block import BlockKriging
    >>> covariance = Covariance((Kernel(1.5, 2.0, 1.0),))
    >>> estimator = BlockKriging(np.ones((8, 8)), (4, 4), (1.0, 1.0), covariance, np.ones((2, 2), dtype=bool))
    >>> 0 < mean_variance(estimator, np.eye(2), seed=0) < 1
    True
    """
    field = np.asarray(values, dtype=np.float64)
    sea = estimator.support.weights > 0
    total = float(estimator.disagreement(field)[sea].mean())
    for kernel, single in zip(estimator.covariance.kernels, estimator.components(), strict=True):
        members = np.arange(count)
        parts = np.sqrt(kernel.sill) * single.null(_unit_fields(single, kernel, members, [seed, 2], WHOLE))
        if single.covariance.noisy:
            parts = parts - _noise_in_estimate(single, members, [seed, 2], WHOLE)
        total += kernel.weight * float((parts[:, sea] ** 2).mean())
    return total


def predicted_rmse(draws: npt.NDArray[np.floating], sea: npt.NDArray[np.bool_] | None = None) -> float:
    """Root mean square error that the draws predict for the kriging estimate.

    Parameters
    ----------
    draws : array, shape (count, rows, columns)
        From `conditional_draws`.
    sea : array of bool, shape (rows, columns), optional
        Fine cells that count; all by default.

    Returns
    -------
    float
        In the unit of the values.

    Examples
    --------
    >>> predicted_rmse(np.array([[[3.0]], [[-3.0]]])).__round__(3)
    4.243
    """
    variance = np.var(draws, axis=0, ddof=1)
    return float(np.sqrt(variance.mean() if sea is None else variance[sea].mean()))


def predicted_skill(
    estimate: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    rmse: float,
    *,
    periodic: bool = False,
) -> float:
    """Predict by which share the estimate is better than bicubic interpolation.

    ``1 - rmse / sqrt(mean (bicubic - estimate)^2 + rmse^2)``: the estimate's error is taken to be independent of how
    far bicubic interpolation departs from it.

    Parameters
    ----------
    estimate : array, shape (ny * fy, nx * fx)
    values : array, shape (ny, nx)
        NaN where there is no data.
    weights : array, shape (ny * fy, nx * fx)
    factor : (int, int)
    rmse : float
        From `predicted_rmse`.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    float
        From 0 to 1: a share of the error of bicubic interpolation.

    Examples
    --------
    >>> values = np.array([[0.0, 1.0], [2.0, 3.0]])
    >>> estimate = upsample(values, (2, 2)) + 3.0
    >>> round(predicted_skill(estimate, values, np.ones((4, 4)), (2, 2), rmse=4.0), 6)
    0.2
    """
    sea = np.asarray(weights) > 0
    bicubic = upsample(fill_nearest(values, periodic=periodic), factor, "bicubic", periodic=periodic)
    reference = np.sqrt(((bicubic - estimate)[sea] ** 2).mean() + rmse**2)
    return float(1 - rmse / reference) if reference > 0 else 0.0
