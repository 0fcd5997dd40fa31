r"""Block kriging: the best linear estimate of a fine field from its block means.

With ``k`` the covariance of the fine field, ``D`` the block mean, ``C = D k D^T`` (plus noise) and ``T`` a plane trend
(universal kriging, Chilès & Delfiner 2012, section 3.4)::

    K(v) = T beta + k D^T alpha,   alpha = Q v,   beta = (X^T C^-1 X)^-1 X^T C^-1 v,   X = D T

so ``D K = 1``: kriging conserves block means. ``N(x) = x - K(D x)`` projects on the fields whose block means are zero.
Equations :eq:`kriging` and :eq:`null` of the theory page.
A mixture of kernels is the weighted sum of their operators, which keeps both properties.

Around the globe (`periodic`) k is the covariance of a field that repeats along x, and the trend has no slope along x.

``k D^T alpha`` is a convolution, done by FFT. Land is never read: values on fine cells of weight 0 are arbitrary on
return, and whatever they held before changes nothing in the sea.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_mean
from xr_dip.kriging.block_covariance import BoolArray, block_table
from xr_dip.kriging.covariance import Covariance, Kernel
from xr_dip.kriging.estimator import Estimator, LeftOut
from xr_dip.kriging.factorization import Regression, factorize
from xr_dip.kriging.matern import kernel_table
from xr_dip.kriging.torus import ComplexArray, Torus
from xr_dip.kriging.trend import coarse_plane, plane, trend_terms
from xr_dip.kriging.unequal_noise import equally_noisy

LARGEST_TRANSFORM = 2**23
"""Fine points of the torus, over all fields, that are transformed at once."""

CLEAN_UP_ROUNDS = 12
CLEAN_UP = 1e-10
"""Relative misfit at which the clean-up stops."""


class BlockKriging(Estimator):
    """Kriging of a fine field from the weighted block means of its constrained cells.

    Equation :eq:`kriging` of the theory page.
    Exact for any factor and land mask, by one Cholesky factorisation per kernel: for up to some 4000 cells with land
    and 10000 without. `xr_dip.kriging.mosaic.krige` chooses by size.

    Parameters
    ----------
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell, 0 on land.
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    spacing : (float, float)
        Size of a fine cell along y and x, metres; only their ratio matters.
    covariance : Covariance
        From `xr_dip.kriging.covariance.fit_covariance`.
    constrained : array of bool, shape (ny, nx)
        Cells whose values are used; each needs some weight.
    periodic : bool
        Whether the last column and the first are neighbours.

    Raises
    ------
    ValueError
        If shapes disagree, a weight is negative, or a constrained cell has no weight.

    Examples
    --------
    >>> covariance = Covariance((Kernel(2.5, 2.0, 1.0),))
    >>> kriging = BlockKriging(np.ones((4, 4)), (2, 2), (1.0, 1.0), covariance, np.ones((2, 2), dtype=bool))
    >>> fine = kriging.mean(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> block_mean(fine, np.ones((4, 4)), (2, 2)).round(6)
    array([[1., 2.],
           [3., 4.]])
    """

    def __init__(
        self,
        weights: npt.NDArray[np.floating],
        factor: Factor,
        spacing: tuple[float, float],
        covariance: Covariance,
        constrained: BoolArray,
        *,
        periodic: bool = False,
    ) -> None:
        super().__init__(weights, factor, spacing, covariance, constrained, periodic=periodic)
        terms = trend_terms(self.support)
        rows, columns = self.support.weights.shape
        self._torus = Torus(self.support, self.pitch)
        self._coarse_plane = coarse_plane(self.support)[terms]
        self._fine_plane = plane((rows, columns))[terms]
        self._parts = [self._part(kernel) for kernel in covariance.kernels]

    def _part(self, kernel: Kernel) -> tuple[FloatArray, Regression, float]:
        """Transform of a kernel, its regression, and the nugget in it."""
        rows, columns = self.support.weights.shape
        period = self.support.period
        table = kernel_table((rows, columns), self.pitch, kernel.smoothness, kernel.length, period=period)
        nugget, noise = self.covariance.nugget, self.support.noise_of_cells / kernel.sill
        cholesky = factorize(table, self.support, nugget=nugget, noise=noise)
        regression = Regression(cholesky, self._coarse_plane[:, self.support.cells].T)
        return self._torus.transfer(kernel), regression, nugget * block_table(table, self.support.factor)[0, 0]

    def _select(self, index: int) -> None:
        self._parts = [self._parts[index]]

    def mean(self, values: npt.NDArray[np.floating]) -> FloatArray:  # noqa: D102
        columns = self._columns(values)
        batch = max(1, LARGEST_TRANSFORM // int(np.prod(self._torus.shape)))
        fine = np.empty((columns.shape[1], *self.support.weights.shape))
        for start in range(0, columns.shape[1], batch):
            fine[start : start + batch] = self._clean(columns[:, start : start + batch])
        return fine.reshape(*values.shape[:-2], *fine.shape[-2:])

    def _clean(self, columns: FloatArray) -> FloatArray:
        """Apply K, and iterate K <- K + K (1 - D K) as long as it misses the values.

        It does where nearly equal weights were taken as equal, and where one kernel of a mixture all but excludes a
        part of the values: a long one the difference of the two columns of a small globe.
        """
        fine = self._estimate(columns)
        if self.covariance.noisy:
            return fine
        limit = CLEAN_UP * np.abs(columns).max(initial=0.0)
        for _ in range(CLEAN_UP_ROUNDS):
            residual = columns - self._columns(block_mean(fine, self.support.weights, self.support.factor))
            if np.abs(residual).max(initial=0.0) <= limit:
                break
            fine += self._estimate(residual)
        return fine

    def _estimate(self, columns: FloatArray) -> FloatArray:
        """Apply K for the shares of the support, shape (m, ny * fy, nx * fx)."""
        spectrum: ComplexArray | float = 0.0
        slopes: FloatArray | float = 0.0
        for kernel, (transfer, regression, nugget) in zip(self.covariance.kernels, self._parts, strict=True):
            noisy = self.covariance.noisy
            alpha, beta = regression.solve(columns) if noisy else regression.interpolate(columns, nugget)
            spectrum = spectrum + self._torus.deposit(self._grids(kernel.weight * alpha)) * transfer
            slopes = slopes + kernel.weight * beta
        return self._torus.fields(np.asarray(spectrum)) + np.tensordot(np.asarray(slopes).T, self._fine_plane, axes=1)

    def trend(self, values: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:  # noqa: D102
        columns = self._columns(values)
        fits = [regression.solve(columns)[1].T for _, regression, _ in self._parts]
        slopes = np.tensordot(self.covariance.weights, np.stack(fits), axes=1)
        coarse, fine = (np.tensordot(slopes, part, axes=1) for part in (self._coarse_plane, self._fine_plane))
        lead = values.shape[:-2]
        return coarse.reshape(*lead, *coarse.shape[-2:]), fine.reshape(*lead, *fine.shape[-2:])

    def left_out(self, values: npt.NDArray[np.floating]) -> LeftOut:
        """Predict each cell from all others, in closed form.

        With ``Q`` the precision of the residuals, the residual of cell c is ``(Q v)_c / Q_cc`` and its variance at unit
        sill ``1 / Q_cc``. Where some values are noisier than others both are scaled, see
        `xr_dip.kriging.unequal_noise.equally_noisy`.

        Parameters
        ----------
        values : array, shape (..., ny, nx)

        Returns
        -------
        LeftOut

        References
        ----------
        Dubrule, O. (1983). Cross validation of kriging in a unique neighborhood. doi:10.1007/BF01033232
        """
        columns = self._columns(values)
        residuals, variances = [], []
        for kernel, (_, regression, _) in zip(self.covariance.kernels, self._parts, strict=True):
            variance = regression.left_out_variances()[:, None]
            residual = regression.solve(columns)[0] * variance
            residual, variance = equally_noisy(residual, variance, self.support.noise_of_cells / kernel.sill)
            residuals.append(self._grids(residual, np.nan).reshape(values.shape))
            variances.append(self._grids(variance, np.nan)[0])
        return LeftOut(np.stack(residuals), np.stack(variances))
