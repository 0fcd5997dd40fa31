r"""Exact enforcement of coarse values that were seen through any linear map.

The nearest field with the coarse values, in the norm that weighs fine cells by their weights w, is

.. math:: x + W^{-1} A^T (A W^{-1} A^T)^{-1} (y - A x)

(equation :eq:`projection` of the theory page). For the block mean it is ``additive``. If the values are those of some
true field without error, no enforced field is farther from it than it was, for a projection onto a plane that holds the
truth takes a part of the error away and adds none. An error of the values is multiplied by up to
`xr_dip.observing.kernel.ObservationKernel.gain`, more at ragged coasts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray
from xr_dip.errors import DipWarning
from xr_dip.observing.kernel import ObservationKernel
from xr_dip.observing.kernels import block_mean
from xr_dip.observing.sampling import Sampling

BoolArray = npt.NDArray[np.bool_]
MOST_STEPS = 1000
TOLERANCE = 1e-11
"""Of the norm of the misfit that is left, against that of the values."""
VISIBLE = 1e-7
"""Part of the largest value that may be left without a word: float32 rounds as much."""
LEAST_EIGENVALUE = 1e-9
"""Of the largest: what the preconditioner divides by at least."""
ROUNDING = 1e-13
"""Of the largest eigenvalue: what a direction has that the coarse values do not feel."""


def projection(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    kernel: ObservationKernel | None = None,
) -> FloatArray:
    """``x + W^-1 A^T (A W^-1 A^T)^-1 (y - A x)``: the nearest field, in the weighted norm, with these coarse values.

    The system is solved in float64 by conjugate gradients with the inverse on an open, circular sea before it, which
    land and borders change little.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    periodic : bool
        Whether the last column borders on the first.
    kernel : ObservationKernel, optional
        What the values were seen through; the block mean by default.

    Returns
    -------
    array of float64, shape of `field`
        In its unit; as it was on land.

    Warns
    -----
    DipWarning
        If a part of the misfit is left, as where two coarse cells see nearly the same sea and have other values.

    References
    ----------
    Golub & Van Loan 2013, Matrix computations, sections 5.6 (minimum norm) and 11.3, 11.5 (conjugate gradients).

    Examples
    --------
    >>> projection(np.array([[0.0, 1.0]]), np.array([[2.0]]), np.ones((1, 2)), (1, 2))
    array([[1.5, 2.5]])
    """
    sampling = Sampling(block_mean(factor) if kernel is None else kernel, weights, periodic=periodic)
    lead = field.shape[:-2]
    fields = np.asarray(field, dtype=np.float64).reshape(-1, *weights.shape)
    targets = np.broadcast_to(values, (*lead, *sampling.shape)).reshape(-1, *sampling.shape)
    enforced = np.stack([_nearest(each, target, sampling) for each, target in zip(fields, targets, strict=True)])
    return enforced.reshape(np.shape(field))


def levelled_projection(
    field: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    factor: Factor,
    *,
    periodic: bool = False,
    kernel: ObservationKernel | None = None,
) -> FloatArray:
    """Bring a field to the level of the coarse values, then enforce these by `projection`.

    A whitened fit may leave the level off, for it is the last thing that counts. The smallest correction of it is not
    flat: at borders and coasts kernels see less, and it ripples. Adding the mean misfit everywhere is: all kernels keep
    a constant.

    Parameters
    ----------
    field, values, weights, factor, periodic, kernel
        As for `projection`.

    Returns
    -------
    array of float64, shape of `field`
        In its unit; brought to the level on land and in cells of no weight, too.

    Examples
    --------
    >>> levelled_projection(np.array([[0.0, 1.0, 5.0]]), np.array([[2.0]]), np.array([[1.0, 1.0, 0.0]]), (1, 3))
    array([[1.5, 2.5, 6.5]])
    """
    sampling = Sampling(block_mean(factor) if kernel is None else kernel, weights, periodic=periodic)
    targets = np.broadcast_to(values, (*field.shape[:-2], *sampling.shape))
    observed = np.isfinite(targets) & sampling.seen
    missed = sampling.misfit(field, targets).sum(axis=(-2, -1)) / observed.sum(axis=(-2, -1)).clip(min=1)
    return projection(field + missed[..., None, None], values, weights, factor, periodic=periodic, kernel=kernel)


def _nearest(field: FloatArray, values: FloatArray, sampling: Sampling) -> FloatArray:
    """Enforce the values on one field; a second round takes what rounding left of the first."""
    observed = np.isfinite(values) & sampling.seen
    scale = float(np.abs(values[observed]).max(initial=0.0))
    nearest = field
    for _ in range(2):
        missed = np.where(observed, sampling.misfit(nearest, values), 0.0)
        if np.abs(missed).max(initial=0.0) <= TOLERANCE * scale:
            break
        nearest = nearest + sampling.transposed(_solve(missed, observed, sampling, scale))
    left = float(np.abs(sampling.misfit(nearest, values)[observed]).max(initial=0.0))
    if left > VISIBLE * scale:
        warnings.warn(
            f"Enforcement left {left:.1g} of the coarse values, see conservation_error: some coarse cells see nearly "
            "the same sea. A narrower kernel, or a constraint 'soft' or 'none', does not ask for it.",
            DipWarning,
            stacklevel=4,
        )
    return nearest


def _solve(missed: FloatArray, observed: BoolArray, sampling: Sampling, scale: float) -> FloatArray:
    """Solve ``A W^-1 A^T u = missed`` over the observed cells."""
    largest = sampling.spectrum.max()
    spectrum = np.maximum(sampling.spectrum, LEAST_EIGENVALUE * largest)

    def normal(coarse: FloatArray) -> FloatArray:
        return np.where(observed, np.nan_to_num(sampling(sampling.transposed(coarse))), 0.0)

    def inverse(coarse: FloatArray) -> FloatArray:
        return np.where(observed, np.fft.ifft2(np.fft.fft2(coarse) / spectrum).real, 0.0)

    enough = TOLERANCE * scale * np.sqrt(observed.sum())
    return conjugate_gradients(normal, inverse, missed, enough=enough, flat=ROUNDING * largest)


def conjugate_gradients(
    system: Callable[[FloatArray], FloatArray],
    inverse: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    *,
    enough: float,
    flat: float,
) -> FloatArray:
    """Solve a symmetric system that may be singular: directions that it maps to nothing are left alone.

    Parameters
    ----------
    system, inverse : callable
        Symmetric, not negative; and about its inverse, positive.
    right : array
        Of any shape and unit.
    enough : float
        Norm of the residual to stop at.
    flat : float
        Curvature of a direction of norm one that counts as none.

    Returns
    -------
    array, shape of `right`

    References
    ----------
    Golub & Van Loan 2013, Matrix computations, algorithm 11.5.1.

    Examples
    --------
    >>> conjugate_gradients(lambda x: 2 * x, lambda x: x, np.array([2.0, 4.0]), enough=1e-12, flat=1e-12)
    array([1., 2.])
    """
    solution, residual = np.zeros_like(right), right
    direction = ahead = inverse(residual)
    for _ in range(MOST_STEPS):
        image = system(direction)
        curvature, slope = float((direction * image).sum()), float((residual * ahead).sum())
        if np.linalg.norm(residual) <= enough or curvature <= flat * float((direction**2).sum()):
            break
        solution = solution + slope / curvature * direction
        residual = residual - slope / curvature * image
        ahead = inverse(residual)
        direction = ahead + float((residual * ahead).sum()) / slope * direction
    return solution
