r"""Whitening of a coarse residual by the covariance of block means.

A misfit that weights every mode alike is dominated by the large scales; dividing by the standard deviation that the
covariance expects of each mode makes small ones count as much. On a rectangle the modes are those of the DCT-II, around
the globe waves along x; with land they are eigenvectors. Eigenvalues are at least 1e-6 of the largest.
Equation :eq:`whitened` of the theory page.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from xr_dip.blocks import FloatArray
from xr_dip.kriging.block_covariance import Support, block_table, covariance_matrix
from xr_dip.kriging.covariance import Kernel
from xr_dip.kriging.matern import kernel_table

EIGENVALUE_FLOOR = 1e-6
NOISE_CEILING = 1e6
"""Of the noise of a value, over the largest eigenvalue: beyond it, it has no say, and rounding would."""


def coarse_spectrum(support: Support, pitch: tuple[float, float], kernel: Kernel) -> FloatArray:
    """Eigenvalues of the covariance of full cells on a mirrored torus, one per DCT-II mode, at unit sill.

    Around the globe nothing is mirrored along x: column j is the mode of ``(j + 1) // 2`` waves, a cosine for odd j and
    a sine for even j.

    Parameters
    ----------
    support : Support
        Only its shape and factor matter, and whether it goes round.
    pitch : (float, float)
        From `xr_dip.kriging.matern.fine_pitch`.
    kernel : Kernel

    Returns
    -------
    array of float64, shape (ny, nx)

    Examples
    --------
    >>> support = Support(np.ones((2, 8)), (2, 2), np.ones((1, 4), dtype=bool))
    >>> coarse_spectrum(support, (0.5, 0.5), Kernel(1.5, 0.5, 1.0)).round(3)
    array([[1.224, 1.052, 0.697, 0.411]])
    """
    # Mirroring n cells gives a torus of 2 n, whose covariance needs the offsets 0 ... n.
    rows, columns = (n + f for n, f in zip(support.weights.shape, support.factor, strict=True))
    shape = (rows, support.period or columns)
    kernels = kernel_table(shape, pitch, kernel.smoothness, kernel.length, period=support.period)
    table = block_table(kernels, support.factor)
    if support.periodic:
        waves = (np.arange(support.shape[1]) + 1) // 2
        spectrum = fft.dct(fft.rfft(table, axis=1).real, type=1, axis=0)[:-1, waves]
    else:
        spectrum = fft.dctn(table, type=1)[:-1, :-1]
    return np.asarray(np.maximum(spectrum, EIGENVALUE_FLOOR * spectrum.max()))


def whitener(support: Support, pitch: tuple[float, float], kernel: Kernel, exponent: float = 0.5) -> FloatArray:
    """Symmetric matrix W whose square ``W^2`` is ``C^-s`` over its mean eigenvalue: ``|W e|^2`` is the weighed misfit.

    Equation :eq:`whitened` of the theory page.

    Parameters
    ----------
    support : Support
        The variance of its noise, over the sill of the kernel, is added to C.
    pitch : (float, float)
        From `xr_dip.kriging.matern.fine_pitch`.
    kernel : Kernel
    exponent : float
        s, from 0 (every residual weighs alike) to 1 (every mode of C does).

    Returns
    -------
    array of float64, shape (n, n)
        Constrained cells in row-major order.

    Examples
    --------
    >>> support = Support(np.ones((2, 8)), (2, 2), np.ones((1, 4), dtype=bool))
    >>> matrix = whitener(support, (0.5, 0.5), Kernel(1.5, 2.0, 1.0))
    >>> round(float(np.trace(matrix @ matrix)) / 4, 12)
    1.0
    """
    rows, columns = support.weights.shape
    table = kernel_table((rows, columns), pitch, kernel.smoothness, kernel.length, period=support.period)
    values, vectors = np.linalg.eigh(covariance_matrix(table, support))
    floor, noise = EIGENVALUE_FLOOR * values[-1], support.noise_of_cells / kernel.sill
    values = np.maximum(values, floor)
    if np.ndim(noise):
        # Noise that differs between cells turns the eigenvectors.
        diagonal = np.diag(np.minimum(noise, NOISE_CEILING * values[-1]))
        values, vectors = np.linalg.eigh((vectors * values) @ vectors.T + diagonal)
        values = np.maximum(values, floor)
    else:
        values = values + noise
    weights = values**-exponent
    return np.asarray((vectors * np.sqrt(weights / weights.mean())) @ vectors.T)
