r"""Kriging of large domains, by overlapping windows that are blended and made consistent.

The kriging weights of distant cells are small, so each point is estimated from a window around it, ``K_w``, and the
windows are blended by a smooth partition of unity ``phi``. The blend misses the block means a little; repeating it for
what is missed restores them::

    x = sum_w phi_w K_w(v),   x <- x + sum_w phi_w K_w(v - D x)

until nothing is left. Windows without land and of one shape share one factorisation.

Around the globe windows go on from the other end of the grid. Where the circle is too short for that, because a window
would meet itself, each window is a whole band around it and kriged as periodic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_mean
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.block_covariance import BoolArray, fine_cells
from xr_dip.kriging.covariance import Covariance
from xr_dip.kriging.estimator import Estimator, LeftOut
from xr_dip.kriging.trend import coarse_plane, plane, trend_terms
from xr_dip.kriging.windows import Span, spans

ROUNDS = 12
TOLERANCE = 1e-11
"""Relative misfit of the block means at which the rounds stop."""

LARGEST_WITH_LAND, LARGEST_WITHOUT = 4100, 10000
"""Constrained cells up to which one dense factorisation is used."""


class MosaicKriging(Estimator):
    """Block kriging by windows, for domains too large for one factorisation.

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

    See Also
    --------
    krige : chooses between this and `BlockKriging`

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Kernel
    >>> covariance = Covariance((Kernel(2.5, 2.0, 1.0),))
    >>> kriging = MosaicKriging(np.ones((2, 100)), (2, 2), (1.0, 1.0), covariance, np.ones((1, 50), dtype=bool))
    >>> values = np.sin(np.arange(50.0))[None]
    >>> np.allclose(block_mean(kriging.mean(values), np.ones((2, 100)), (2, 2)), values)
    True
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
        (ny, nx), (fy, fx) = self.support.shape, factor
        across = spans(nx, fx, periodic=periodic)
        shared: dict[bytes, BlockKriging] = {}
        self._windows: list[tuple[Span, Span, BlockKriging]] = []
        for rows in spans(ny, fy):
            for columns in across:
                cells = self.support.cells[rows.cells, columns.cells]
                if not cells.any():
                    continue
                fine = fine_cells(rows.cells, fy), fine_cells(columns.cells, fx)
                part = np.ascontiguousarray(self.support.weights[fine])
                own = covariance.at(rows.cells, columns.cells)
                look = repr(cells.shape).encode() + cells.tobytes() + part.tobytes() + np.asarray(own.noise).tobytes()
                if look not in shared:
                    whole = periodic and len(across) == 1
                    shared[look] = BlockKriging(part, factor, spacing, own, cells, periodic=whole)
                self._windows.append((rows, columns, shared[look]))

    def _select(self, index: int) -> None:
        singles = {id(kriging): kriging.component(index) for _, _, kriging in self._windows}
        self._windows = [(rows, columns, singles[id(kriging)]) for rows, columns, kriging in self._windows]

    def mean(self, values: npt.NDArray[np.floating]) -> FloatArray:  # noqa: D102
        columns = self._columns(values)
        coarse, fine = self.trend(values)
        data = self._grids(columns)
        fine = fine.reshape(-1, *fine.shape[-2:])
        residual = self._grids(columns) - np.where(self.support.cells, coarse.reshape(data.shape), 0.0)
        limit = TOLERANCE * np.abs(columns).max(initial=0.0)
        for _ in range(1 if self.covariance.noisy else ROUNDS):
            if np.abs(residual).max(initial=0.0) <= limit:
                break
            fine = fine + self._blend(residual)
            means = block_mean(fine, self.support.weights, self.support.factor)
            residual = np.where(self.support.cells, data - means, 0.0)
        return np.asarray(fine.reshape(*values.shape[:-2], *fine.shape[-2:]))

    def _blend(self, grids: FloatArray) -> FloatArray:
        """Blend the estimates of all windows; 0 far from any value."""
        (fy, fx), fine = self.support.factor, np.zeros((len(grids), *self.support.weights.shape))
        for rows, columns, kriging in self._windows:
            estimate = kriging.mean(grids[:, rows.cells, columns.cells])
            estimate *= rows.share[:, None] * columns.share
            fine[:, fine_cells(rows.cells, fy), fine_cells(columns.cells, fx)] += estimate
        return fine

    def trend(self, values: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:  # noqa: D102
        # So many cells hardly differ in what they say about a plane, but for their noise.
        columns, terms = self._columns(values), trend_terms(self.support)
        coarse_terms = coarse_plane(self.support)[terms]
        trust = 1 / np.sqrt(self.covariance.best.sill + np.atleast_1d(self.support.noise_of_cells))[:, None]
        design = coarse_terms[:, self.support.cells].T
        slopes = np.linalg.lstsq(design * trust, columns * trust, rcond=None)[0].T
        rows, width = self.support.weights.shape
        coarse = np.tensordot(slopes, coarse_terms, axes=1)
        fine = np.tensordot(slopes, plane((rows, width))[terms], axes=1)
        lead = values.shape[:-2]
        return coarse.reshape(*lead, *coarse.shape[-2:]), fine.reshape(*lead, *fine.shape[-2:])

    def left_out(self, values: npt.NDArray[np.floating]) -> LeftOut:
        """Predict each cell from the others of the window that owns it.

        Parameters
        ----------
        values : array, shape (..., ny, nx)

        Returns
        -------
        LeftOut
        """
        count = len(self.covariance.kernels)
        residuals = np.full((count, *values.shape), np.nan)
        variances = np.full((count, *self.support.shape), np.nan)
        for rows, columns, kriging in self._windows:
            part = kriging.left_out(values[..., rows.cells, columns.cells])
            residuals[..., rows.core, columns.core] = part.residuals[..., rows.own, columns.own]
            variances[..., rows.core, columns.core] = part.variances[..., rows.own, columns.own]
        return LeftOut(residuals, variances)


def krige(
    weights: npt.NDArray[np.floating],
    factor: Factor,
    spacing: tuple[float, float],
    covariance: Covariance,
    constrained: BoolArray,
    *,
    periodic: bool = False,
) -> Estimator:
    """Kriging for a domain of any size: exact where one factorisation is affordable, by windows beyond.

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
        Cells whose values are used, from `xr_dip.kriging.covariance.constrained_cells`.
    periodic : bool
        Whether the last column and the first are neighbours, as around the globe.

    Returns
    -------
    Estimator
        A `BlockKriging` or a `MosaicKriging`.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import fit_covariance
    >>> values, weights = np.arange(16.0).reshape(4, 4) ** 2, np.ones((8, 8))
    >>> covariance = fit_covariance(values, weights, (2, 2), (1000.0, 1000.0))
    >>> fine = krige(weights, (2, 2), (1000.0, 1000.0), covariance, np.isfinite(values)).mean(values)
    >>> np.allclose(block_mean(fine, weights, (2, 2)), values)
    True
    """
    cells = np.asarray(constrained, dtype=bool)
    alike = cells.all() and np.ptp(weights) == 0 and np.ndim(covariance.noise) == 0
    limit = LARGEST_WITHOUT if alike else LARGEST_WITH_LAND
    kind = BlockKriging if cells.sum() <= limit else MosaicKriging
    return kind(weights, factor, spacing, covariance, cells, periodic=periodic)
