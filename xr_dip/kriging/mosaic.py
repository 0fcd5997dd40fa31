r"""Kriging of large domains, by overlapping windows that are blended and made consistent.

The kriging weights of distant cells are small, so each point is estimated from a window around it, ``K_w``, and the
windows are blended by a smooth partition of unity ``phi``. The blend misses the block means a little; repeating it for
what is missed restores them::

    x = sum_w phi_w K_w(v),   x <- x + sum_w phi_w K_w(v - D x)

until nothing is left. Windows without land and of one shape share one factorisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_mean
from xr_dip.kriging.block import BlockKriging
from xr_dip.kriging.block_covariance import BoolArray
from xr_dip.kriging.covariance import Covariance
from xr_dip.kriging.estimator import Estimator, LeftOut
from xr_dip.kriging.trend import coarse_plane, plane, trend_terms

CORE, HALO = 20, 6
"""Coarse cells of a window, and those added on each side."""

ROUNDS = 12
TOLERANCE = 1e-11
"""Relative misfit of the block means at which the rounds stop."""

LARGEST_WITH_LAND, LARGEST_WITHOUT = 4100, 10000
"""Constrained cells up to which one dense factorisation is used."""


@dataclass(frozen=True)
class _Span:
    """One axis of a window: its cells, those that it owns, and its share of each fine point."""

    cells: slice
    core: slice
    share: FloatArray


def _spans(n: int, factor: int) -> list[_Span]:
    """Windows along an axis; their shares are smooth and sum to one."""
    edges = np.linspace(0, n, max(1, round(n / CORE)) + 1).round().astype(int)
    position = (np.arange(n * factor) + 0.5) / factor
    # Shares change over half of the overlap: window borders, where estimates are poor, stay out.
    ramps = [
        np.ones_like(position),
        *(_ramp((position - edge) / HALO) for edge in edges[1:-1]),
        np.zeros_like(position),
    ]
    spans = []
    for (start, stop), (rise, fall) in zip(pairwise(edges), pairwise(ramps), strict=True):
        first, last = max(0, int(start) - HALO), min(n, int(stop) + HALO)
        share = (rise - fall)[first * factor : last * factor]
        spans.append(_Span(slice(first, last), slice(int(start), int(stop)), share))
    return spans


def _ramp(position: FloatArray) -> FloatArray:
    """Smooth step from 0 at -1/2 to 1 at 1/2 with two continuous derivatives."""
    s = np.clip(position + 0.5, 0.0, 1.0)
    return np.asarray(s**3 * (10 - 15 * s + 6 * s**2))


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
    ) -> None:
        super().__init__(weights, factor, spacing, covariance, constrained)
        (ny, nx), (fy, fx) = self.support.shape, factor
        shared: dict[bytes, BlockKriging] = {}
        self._windows: list[tuple[_Span, _Span, BlockKriging]] = []
        for rows in _spans(ny, fy):
            for columns in _spans(nx, fx):
                cells = self.support.cells[rows.cells, columns.cells]
                if not cells.any():
                    continue
                part = np.ascontiguousarray(self.support.weights[_fine(rows, fy), _fine(columns, fx)])
                look = repr(cells.shape).encode() + cells.tobytes() + part.tobytes()
                if look not in shared:
                    shared[look] = BlockKriging(part, factor, spacing, covariance, cells)
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
        for _ in range(1 if self.covariance.noise > 0 else ROUNDS):
            if np.abs(residual).max(initial=0.0) <= limit:
                break
            fine = fine + self._blend(residual)
            means = block_mean(fine, self.support.weights, self.support.factor)
            residual = np.where(self.support.cells, data - means, 0.0)
        return np.asarray(fine.reshape(*values.shape[:-2], *fine.shape[-2:]))

    def _blend(self, grids: FloatArray) -> FloatArray:
        """Blend the estimates of all windows; 0 far from any value."""
        fine = np.zeros((len(grids), *self.support.weights.shape))
        for rows, columns, kriging in self._windows:
            estimate = kriging.mean(grids[:, rows.cells, columns.cells])
            estimate *= rows.share[:, None] * columns.share
            fine[:, _fine(rows, self.support.factor[0]), _fine(columns, self.support.factor[1])] += estimate
        return fine

    def trend(self, values: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:  # noqa: D102
        # So many cells hardly differ in what they say about a plane: ordinary least squares.
        columns, terms = self._columns(values), trend_terms(self.support)
        coarse_terms = coarse_plane(self.support)[terms]
        slopes = np.linalg.lstsq(coarse_terms[:, self.support.cells].T, columns, rcond=None)[0].T
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
            own_y, own_x = (slice(s.core.start - s.cells.start, s.core.stop - s.cells.start) for s in (rows, columns))
            residuals[..., rows.core, columns.core] = part.residuals[..., own_y, own_x]
            variances[..., rows.core, columns.core] = part.variances[..., own_y, own_x]
        return LeftOut(residuals, variances)


def _fine(span: _Span, factor: int) -> slice:
    return slice(span.cells.start * factor, span.cells.stop * factor)


def krige(
    weights: npt.NDArray[np.floating],
    factor: Factor,
    spacing: tuple[float, float],
    covariance: Covariance,
    constrained: BoolArray,
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
    limit = LARGEST_WITHOUT if cells.all() and np.ptp(weights) == 0 else LARGEST_WITH_LAND
    kind = BlockKriging if cells.sum() <= limit else MosaicKriging
    return kind(weights, factor, spacing, covariance, cells)
