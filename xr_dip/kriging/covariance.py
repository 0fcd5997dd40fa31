r"""Matérn covariance of a field, fitted to its block means by likelihood.

For each smoothness and length of a grid, with ``C`` the covariance of the block means at unit sill, ``X`` the plane
trend and ``Q = C^-1 - C^-1 X (X^T C^-1 X)^-1 X^T C^-1``, the sill and the restricted log likelihood of n values y are::

    s2 = y^T Q y / (n - p)
    L  = -(n - p)/2 log s2 - 1/2 log|C| - 1/2 log|X^T C^-1 X|

(Patterson & Thompson 1971; equation :eq:`likelihood` of the theory page). Few values leave many lengths possible, so
the default keeps all that are plausible, weighted by ``exp(L)`` and a wide log-normal prior on the length, and gives
half of the weight to the one of largest plain likelihood: on small windows now the one, now the other is better, and
their mean is rarely much worse than either. `average=False` keeps that one alone. Lengths are in coarse cells,
``sqrt(fy dy fx dx)`` metres each.

How wrong the estimate is depends on what the cells do not resolve, and their means say little about that: the
smoothness that is the likeliest for them is the one of larger scales. So the errors have kernels of their own, one of
each smoothness, fitted to the finest scales: to what is left when smooth fields join the trend. Their lengths are those
of eddies, at most 150 km: cells that are wider resolve none, only a circulation that is far smoother.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import SMALL_FACTOR, Factor, FloatArray, block_sum, cell_width
from xr_dip.kriging.block_covariance import BoolArray, Cells, Support
from xr_dip.kriging.covariance_sample import (
    Sample,
    signal_variance,
    take_samples,
    telling_cells,
    without_smooth_part,
)
from xr_dip.kriging.factorization import Cholesky, Regression, factorize
from xr_dip.kriging.matern import SMOOTHNESSES, coarse_width, fine_pitch, kernel_table

LENGTHS = (0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
LENGTHS_FINE = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""Up to `xr_dip.blocks.SMALL_FACTOR`."""

PRIOR_LENGTH, PRIOR_SPREAD = 3.0, 1.0
"""Median of the prior on the length, in coarse cells, and standard deviation of its logarithm."""
LIKELIEST_SHARE = 0.5
"""Weight of the kernel of largest plain likelihood beside the posterior average."""

LONGEST_LENGTH = 150e3
"""Metres, of the errors: eddies make them, however smooth the circulation is that wide cells resolve."""
SHORTEST_LENGTH = 0.5
"""Coarse cells: next to nothing of shorter eddies is left in block means, whose variance is of other things."""
EXCLUDED = 0.5
"""Log likelihood per cell by which a smoothness is excluded, even for what cells do not resolve."""
SMALLEST_WEIGHT = 0.02
NOISE_ROUNDS = 6


@dataclass(frozen=True)
class Kernel:
    """One Matérn covariance.

    Parameters
    ----------
    smoothness : {1.5, 2.5, 3.5}
    length : float
        In coarse cells.
    sill : float
        Variance, square of the unit of the values.
    weight : float
        Those of a `Covariance` sum to one.

    Examples
    --------
    >>> Kernel(smoothness=2.5, length=3.0, sill=0.04).weight
    1.0
    """

    smoothness: float
    length: float
    sill: float
    weight: float = 1.0


@dataclass(frozen=True)
class Covariance:
    """A weighted mixture of Matérn covariances, and the noise of the block means.

    Parameters
    ----------
    kernels : tuple of Kernel
        By decreasing weight.
    noise : float or array, shape (ny, nx)
        Variance of independent noise on each coarse value, square of the unit of the values.
    nugget : float
        Share of the variance of a block mean that is added to it for a stable factorisation.
    unresolved : tuple of Kernel
        Those of what the cells do not resolve, for the errors of the estimate, by increasing smoothness: so the same
        draw has the same kernel in neighbouring tiles. By default they are `kernels`.

    Raises
    ------
    ValueError
        If the weights do not sum to one.

    Examples
    --------
    >>> Covariance((Kernel(2.5, 3.0, 0.04),)).best.length
    3.0
    """

    kernels: tuple[Kernel, ...]
    noise: float | FloatArray = 0.0
    nugget: float = 1e-8
    unresolved: tuple[Kernel, ...] = ()

    def __post_init__(self) -> None:
        for kernels in (self.kernels, self.unresolved or self.kernels):
            total = sum(kernel.weight for kernel in kernels)
            if abs(total - 1) > 1e-9:
                raise ValueError(f"Invalid kernels with weights that sum to {total}. They must sum to 1.")

    @property
    def of_errors(self) -> Covariance:
        """The covariance from which the errors of the estimate are drawn."""
        return replace(self, kernels=self.unresolved, unresolved=()) if self.unresolved else self

    @property
    def best(self) -> Kernel:
        """Kernel of largest weight."""
        return max(self.kernels, key=lambda kernel: kernel.weight)

    @property
    def noisy(self) -> bool:
        """Whether the values have noise, so that an estimate does not keep them."""
        return bool(np.any(np.asarray(self.noise) > 0))

    def at(self, rows: Cells, columns: Cells) -> Covariance:
        """Return the covariance of a part of the domain."""
        noise = np.asarray(self.noise)
        return replace(self, noise=np.ascontiguousarray(noise[rows, columns])) if noise.ndim else self

    @property
    def weights(self) -> FloatArray:
        """Weights, one per kernel."""
        return np.array([kernel.weight for kernel in self.kernels])


Shapes = Sequence[tuple[float, float]]
"""Smoothnesses and lengths, those of one smoothness next to each other."""


class _Profile(NamedTuple):
    """Sill of one smoothness and length, and how likely it is."""

    sill: float
    restricted: float
    plain: float


def _smallest_sill(values: FloatArray) -> float:
    """Sill of a field that is a plane up to rounding: tiny, but its square root and logarithm are fine."""
    return max(1e-24, float((1e-12 * np.abs(values).max()) ** 2))


class _Factors:
    """Factors of the covariance of samples for one smoothness and length; computed once where there is no noise."""

    def __init__(self, pitch: tuple[float, float], smoothness: float, length: float, nugget: float) -> None:
        self.pitch, self.smoothness, self.length, self.nugget = pitch, smoothness, length, nugget
        self._known: dict[Support, Cholesky] = {}

    def of(self, support: Support, sill: float) -> Cholesky:
        """Factorise the covariance of block means at unit sill, with the noise over this sill."""
        if np.any(support.noise_of_cells):
            return self._factorize(support, support.noise_of_cells / sill)
        if support not in self._known:
            self._known[support] = self._factorize(support, 0.0)
        return self._known[support]

    def _factorize(self, support: Support, noise: float | FloatArray) -> Cholesky:
        kernel = kernel_table(support.weights.shape, self.pitch, self.smoothness, self.length)
        return factorize(kernel, support, nugget=self.nugget, noise=noise)


def _profile(samples: Sequence[Sample], factors: _Factors, *, floor: float, restricted: bool) -> _Profile:
    """Sill and log likelihood of one smoothness and length, the sill the best of the restricted or plain likelihood.

    With noise of variances N the sill solves ``y^T Q y = n - p`` for the covariance ``s2 C + N`` by fixed-point
    iteration.
    """
    noisy = any(np.any(sample.support.noise_of_cells) for sample in samples)
    sill = max(floor, float(np.mean([signal_variance(sample) for sample in samples])))
    for _ in range(NOISE_ROUNDS if noisy else 1):
        squares, determinants, trends, freedom, count = 0.0, 0.0, 0.0, 0, 0
        for sample in samples:
            cholesky = factors.of(sample.support, sill)
            regression = Regression(cholesky, sample.design)
            alpha, _ = regression.solve(sample.columns)
            cells, fields = sample.columns.shape
            squares += float((alpha * sample.columns).sum())
            determinants += fields * cholesky.log_determinant
            trends += fields * regression.log_determinant
            freedom += fields * max(1, cells - sample.design.shape[1])
            count += fields * cells
        sill = max(floor, squares / (freedom if restricted else count))
    reml = -0.5 * (freedom * np.log(max(floor, squares / freedom)) + determinants + trends)
    return _Profile(sill, reml, -0.5 * (count * np.log(max(floor, squares / count)) + determinants))


def fit_covariance(
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    spacing: tuple[float, float],
    *,
    noise: float | FloatArray = 0.0,
    nugget: float = 1e-8,
    average: bool = True,
) -> Covariance:
    """Fit Matérn covariances with a plane trend to one coarse field.

    Only cells without land enter, if there are nine of them, and of those that are not equally noisy none whose noise
    has ten times the variance of the field. Above 1024 cells the likelihood is that of four windows of 32 x 32 cells,
    in the corners or where the sea is, with a common sill; of values that are not equally noisy above 400, and of
    windows of 20 x 20.

    Parameters
    ----------
    values : array, shape (ny, nx)
        Block means, NaN where there is no data.
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell, 0 on land.
    factor : (int, int)
    spacing : (float, float)
        Size of a fine cell along y and x, metres; but for the errors only their ratio matters.
    noise : float or array, shape (ny, nx)
        Variance of independent noise on each value.
    nugget : float
        As in `Covariance`.
    average : bool
        Keep every kernel of posterior weight 0.02 or more (restricted likelihood and prior) beside the one of largest
        plain likelihood, which has half of the weight; or keep only that.

    Returns
    -------
    Covariance
        A constant or exactly planar field gets a tiny positive sill. With `average` the errors have kernels of their
        own, at most one of each smoothness.

    Raises
    ------
    ValueError
        If shapes disagree, no cell has both a value and weight, or `noise` or `nugget` is negative.

    References
    ----------
    Patterson & Thompson (1971), doi:10.1093/biomet/58.3.545; Hoeting et al. (1999), doi:10.1214/ss/1009212519.

    Examples
    --------
    >>> values = np.sin(np.arange(8.0))[:, None] * np.cos(np.arange(8.0))
    >>> covariance = fit_covariance(values, np.ones((32, 32)), (4, 4), (1.0, 1.0))
    >>> round(float(covariance.weights.sum()), 12)
    1.0
    """
    if not (nugget >= 0 and (np.ndim(noise) or noise >= 0)):
        raise ValueError(f"Invalid noise {noise} or nugget {nugget}. Both must be 0 or positive variances.")
    field = np.asarray(values, dtype=np.float64)
    data = telling_cells(field, constrained_cells(field, weights, factor), noise)
    samples = take_samples(field, np.asarray(weights, dtype=np.float64), factor, data, noise)
    pitch, floor = fine_pitch(factor, spacing), _smallest_sill(field[data])
    shapes = list(product(SMOOTHNESSES, lengths_for(factor)))
    shapes_of_errors = list(product(SMOOTHNESSES, lengths_of_errors(factor, spacing)))
    factors = {shape: _Factors(pitch, *shape, nugget) for shape in [*shapes, *shapes_of_errors]}
    profiles = [_profile(samples, factors[shape], floor=floor, restricted=average) for shape in shapes]
    likeliest = _likeliest(profiles)
    if not average:
        return Covariance(_kernels(shapes, profiles, likeliest), noise, nugget)
    weights = LIKELIEST_SHARE * likeliest + (1 - LIKELIEST_SHARE) * _posterior(_scores(shapes, profiles))
    kernels = sorted(_kernels(shapes, profiles, weights), key=lambda kernel: -kernel.weight)
    finest = [without_smooth_part(sample) for sample in samples]
    details = [_profile(finest, factors[shape], floor=floor, restricted=True) for shape in shapes_of_errors]
    cells = sum(sample.columns.size for sample in samples)
    weigh = _posterior if cell_width(factor) <= SMALL_FACTOR else partial(_plausible, margin=EXCLUDED * cells)
    of_errors = _one_of_each_smoothness(_scores(shapes_of_errors, details), weigh)
    unresolved = _kernels(shapes_of_errors, details, of_errors)
    return Covariance(tuple(kernels), noise, nugget, unresolved)


def lengths_for(factor: Factor) -> tuple[float, ...]:
    """Lengths that are tried at a factor, in coarse cells.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> lengths_for((2, 8))[0], lengths_for((3, 8))[0]
    (1.5, 0.75)
    """
    return LENGTHS_FINE if cell_width(factor) <= SMALL_FACTOR else LENGTHS


def lengths_of_errors(factor: Factor, spacing: tuple[float, float]) -> tuple[float, ...]:
    """Lengths that are tried for the errors, in coarse cells: those of `lengths_for` up to 150 km, or else one.

    Parameters
    ----------
    factor : (int, int)
    spacing : (float, float)
        Size of a fine cell along y and x, metres.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> lengths_of_errors((8, 8), (10e3, 10e3)), lengths_of_errors((8, 8), (50e3, 50e3))
    ((0.75, 1.0, 1.5), (0.5,))
    """
    longest = LONGEST_LENGTH / coarse_width(factor, spacing)
    return tuple(length for length in lengths_for(factor) if length <= longest) or (max(longest, SHORTEST_LENGTH),)


def _kernels(shapes: Shapes, profiles: Sequence[_Profile], weights: FloatArray) -> tuple[Kernel, ...]:
    """Return the kernels that have a weight, in the order of their smoothness and length."""
    all_of_them = zip(shapes, profiles, weights, strict=True)
    return tuple(Kernel(*shape, profile.sill, float(weight)) for shape, profile, weight in all_of_them if weight > 0)


def _likeliest(profiles: Sequence[_Profile]) -> FloatArray:
    """All weight on the kernel of largest plain likelihood."""
    weights = np.zeros(len(profiles))
    weights[int(np.argmax([profile.plain for profile in profiles]))] = 1.0
    return weights


def _scores(shapes: Shapes, profiles: Sequence[_Profile]) -> FloatArray:
    """Restricted log likelihood and log prior of each kernel."""
    prior = -0.5 * (np.log([length / PRIOR_LENGTH for _, length in shapes]) / PRIOR_SPREAD) ** 2
    return np.asarray(prior + [profile.restricted for profile in profiles])


def _posterior(scores: FloatArray) -> FloatArray:
    """Posterior weights of all kernels, those of next to none dropped."""
    posterior = np.exp(scores - scores.max())
    posterior /= posterior.sum()
    posterior[posterior < SMALLEST_WEIGHT] = 0.0
    return np.asarray(posterior / posterior.sum())


def _plausible(scores: FloatArray, margin: float) -> FloatArray:
    """Equal weights of all kernels, but for those that are less likely than the best by more than a margin."""
    plausible = scores >= scores.max() - margin
    return np.asarray(plausible / plausible.sum())


def _one_of_each_smoothness(scores: FloatArray, weigh: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Weights of the likeliest length of each smoothness, by their scores, and none of all other kernels."""
    table = scores.reshape(len(SMOOTHNESSES), -1)
    best = table.argmax(axis=1)
    weights, each = np.zeros_like(table), np.arange(len(table))
    weights[each, best] = weigh(table[each, best])
    return weights.ravel()


def constrained_cells(values: npt.NDArray[np.floating], weights: npt.NDArray[np.floating], factor: Factor) -> BoolArray:
    """Coarse cells that have both a finite value and some weight.

    Parameters
    ----------
    values : array, shape (..., ny, nx)
        A cell counts if it has a value in every field.
    weights : array, shape (ny * fy, nx * fx)
    factor : (int, int)

    Returns
    -------
    array of bool, shape (ny, nx)

    Raises
    ------
    ValueError
        If the shapes disagree.

    Examples
    --------
    >>> constrained_cells(np.array([[1.0, np.nan]]), np.ones((2, 4)), (2, 2))
    array([[ True, False]])
    """
    expected = tuple(n * f for n, f in zip(values.shape[-2:], factor, strict=True))
    if weights.shape != expected:
        raise ValueError(f"Invalid weights of shape {weights.shape}. They must have the fine shape {expected}.")
    finite = np.isfinite(values).reshape(-1, *values.shape[-2:]).all(axis=0)
    return np.asarray(finite & (block_sum(weights, factor) > 0))
