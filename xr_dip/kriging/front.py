r"""Kriging that follows fronts: a covariance whose metric turns and stretches with the field itself.

Sea surface height varies slowly along a current and fast across it, and more in a current than in calm water. The
structure tensor of the plain kriging estimate (`xr_dip.kriging.fronts`) gives each point its own metric and amplitude,
and the block means are kriged again with them. With ``F`` this
linear estimate, ``K`` plain kriging and ``N`` the null space of the block means, ``K(y) + N(F(y))`` is as exact as
plain kriging. Equation :eq:`kriging` of the theory page with the covariance :eq:`fronts`.

How strongly metric and amplitude follow the field, and the Matérn kernel, have the largest restricted likelihood, less
a price for each cell: the tensor has been read from the same values, so the likelihood alone believes in it too much.
Fields without plain fronts, and alike everywhere, get zeros, which is plain kriging.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from xr_dip.blocks import FloatArray
from xr_dip.kriging.block_covariance import IntArray, Support, fine_cells
from xr_dip.kriging.covariance import Kernel
from xr_dip.kriging.estimator import Estimator, LeftOut, left_out_sill
from xr_dip.kriging.factorization import DenseCholesky, Regression
from xr_dip.kriging.fronts import Fronts
from xr_dip.kriging.local_covariance import EACH, Points, Separation, make_nodes, separate, weigh
from xr_dip.kriging.trend import coarse_plane, plane, trend_terms
from xr_dip.kriging.unequal_noise import equally_noisy
from xr_dip.kriging.windows import Span, spans

LARGEST = 1100
"""Constrained cells up to which one factorisation is used; overlapping windows beyond."""
KNOTS = 4
"""Points per coarse cell at which the estimate is computed; a spline joins them."""
MARGIN = 8
"""Knots by which the estimate is continued for that spline."""
TINY = 1e-12


class Following(NamedTuple):
    """How far a covariance follows a field; not at all where both are zero."""

    strength: float = 0.0
    """Power of the structure tensor, for the metric."""
    contrast: float = 0.0
    """Power of the steepness, for the variance."""


@dataclass(frozen=True)
class FrontKernel:
    """A covariance that follows fronts.

    Attributes
    ----------
    following : Following
    kernel : Kernel
        Matérn smoothness, length in the mean metric, and sill where the steepness is its mean.
    """

    following: Following
    kernel: Kernel


class FrontEstimate(NamedTuple):
    """What kriging along fronts makes of a coarse field."""

    field: FloatArray
    """The estimate ``F(y)``, shape (Y, X); its block means are nearly the values."""
    residuals: FloatArray
    """Leave-one-out residuals, NaN where there is no value, shape (ny, nx)."""
    variances: FloatArray
    """Variances of these residuals at unit sill, shape (ny, nx)."""
    relative: FloatArray
    """Posterior variance in each cell over that of the best isotropic kernel, both at unit sill, shape (ny, nx)."""


class FrontKriging:
    """Kriging along the fronts of a field.

    Parameters
    ----------
    base : Estimator
        Plain kriging; gives the sea, the isotropic covariance and the noise.
    fronts : Fronts
        Of its estimate.
    kernel : FrontKernel

    See Also
    --------
    xr_dip.kriging.front_likelihood.follow_fronts : fits one to a field.
    """

    def __init__(self, base: Estimator, fronts: Fronts, kernel: FrontKernel) -> None:
        self.base, self.fronts, self.kernel = base, fronts, kernel
        self._isotropic: dict[bytes, FloatArray] = {}

    def estimate(self, values: npt.NDArray[np.floating]) -> FrontEstimate:
        """Estimate the fine field, and check it by leaving out each cell in turn.

        Parameters
        ----------
        values : array, shape (ny, nx)
            Finite in the constrained cells.

        Returns
        -------
        FrontEstimate
        """
        support, given = self.base.support, np.asarray(values, dtype=np.float64)
        field = np.zeros(support.weights.shape)
        checks = np.full((3, *support.shape), np.nan)
        for rows, columns in _windows(support):
            window = support.window(rows.cells, columns.cells)
            if window.cells.any():
                part = self._estimate_window(window, (_first(rows), _first(columns)), given[rows.cells, columns.cells])
                fine = fine_cells(rows.cells, support.factor[0]), fine_cells(columns.cells, support.factor[1])
                field[fine] += part.field * rows.share[:, None] * columns.share
                found = np.stack(part[1:])
                checks[:, rows.core, columns.core] = found[:, rows.own, columns.own]
        return FrontEstimate(field, *checks)

    def _estimate_window(self, support: Support, corner: tuple[int, int], values: FloatArray) -> FrontEstimate:
        """Krige one window that begins at a coarse cell."""
        kernel = self.kernel.kernel
        column = values[support.cells][:, None]
        places = Places(self.base, self.fronts, self.kernel.following, support, corner)
        own = Solution(places, kernel, self.base, column)
        checks = np.full((3, *support.shape), np.nan)
        checks[:, support.cells] = own.residuals, own.variances, own.posterior / self._isotropic_posterior(support)
        return FrontEstimate(_field(own, places, kernel), *checks)

    def _isotropic_posterior(self, support: Support) -> FloatArray:
        """Posterior variance of the best isotropic kernel, shape (cells,): the same in all windows that look alike."""
        if support.look not in self._isotropic:
            places, no_values = Places(self.base, self.fronts, Following(), support), np.zeros((support.cells.sum(), 1))
            isotropic = Solution(places, self.base.covariance.best, self.base, no_values)
            self._isotropic[support.look] = isotropic.posterior
        return self._isotropic[support.look]

    def left_out(self, estimate: FrontEstimate) -> LeftOut:
        """Residuals of this kriging in the form of those of the plain one, for draws of its errors.

        A draw of the error of the best plain kernel, scaled by residual over variance, then has the posterior variance
        of kriging along fronts. How large that is the residuals and the likelihood both tell, each with errors of its
        own: the residuals are scaled to the geometric mean of both.

        Parameters
        ----------
        estimate : FrontEstimate

        Returns
        -------
        LeftOut
            Of one kernel, shape (1, ny, nx).
        """
        found = left_out_sill(estimate.residuals, estimate.variances)
        scale = (self.kernel.kernel.sill / found) ** 0.25 if found > 0 else 1.0
        return LeftOut(scale * estimate.residuals[None], (estimate.variances / estimate.relative)[None])


def _windows(support: Support) -> Iterator[tuple[Span, Span]]:
    """All of a small domain, or overlapping parts of a large one, and of a circle wherever parts do not meet."""
    (ny, nx), (fy, fx), parts = support.shape, support.factor, support.cells.sum() > LARGEST
    for rows in spans(ny, fy, parts=parts):
        # Around a whole circle the shortest distance is no distance of a covariance.
        for columns in spans(nx, fx, parts=parts or support.periodic, periodic=support.periodic):
            yield rows, columns


def _first(span: Span) -> int:
    return span.cells.start if isinstance(span.cells, slice) else int(span.cells[0])


class Places:
    """Nodes of the cells of a window, with their metrics and amplitudes.

    Parameters
    ----------
    base : Estimator
    fronts : Fronts
        Of the whole domain.
    following : Following
    support : Support
        Of the window.
    corner : (int, int)
        Its first coarse cell.
    """

    def __init__(
        self,
        base: Estimator,
        fronts: Fronts,
        following: Following,
        support: Support,
        corner: tuple[int, int] = (0, 0),
    ) -> None:
        self.support, self.pitch = support, base.pitch
        self._fronts, self._following = fronts, following
        self._corner = corner[0] * support.factor[0], corner[1] * support.factor[1]
        self.period = support.weights.shape[1] * base.pitch[1] if support.periodic else np.inf
        self.nodes = make_nodes(support)
        self.points = self.at(self.nodes.row.ravel(), self.nodes.column.ravel())

    def at(self, row: FloatArray, column: FloatArray) -> Points:
        """Return points at positions in fine cells of the window."""
        place = row + self._corner[0], column + self._corner[1]
        metric = self._fronts.metric(self._following.strength, *place)
        amplitude = self._fronts.amplitude(self._following.contrast, *place)
        return Points(row * self.pitch[0], column * self.pitch[1], metric, amplitude, self.period)

    def node_covariance(self, kernel: Kernel) -> FloatArray:
        """Covariance of nodes with block means at unit sill, shape (cells, nodes, cells)."""
        share = self.nodes.share
        between = separate(self.points.at(EACH), self.points).covariance(kernel.smoothness, kernel.length)
        return np.asarray((between.reshape(len(between), *share.shape) * share).sum(axis=2).reshape(*share.shape, -1))

    def separation(self) -> Separation:
        """Measure the distances between the nodes of two cells, once for each two, shape (pairs, nodes, nodes)."""
        first, second = self._pairs
        nodes = np.arange(self.nodes.share.size).reshape(self.nodes.share.shape)
        return separate(self.points.at(nodes[first][:, :, None]), self.points.at(nodes[second][:, None, :]))

    def block_covariance(self, separation: Separation, kernel: Kernel) -> FloatArray:
        """Covariance of block means at unit sill, shape (cells, cells)."""
        share, (first, second) = self.nodes.share, self._pairs
        between = separation.covariance(kernel.smoothness, kernel.length)
        blocks = np.empty((len(share), len(share)))
        blocks[first, second] = blocks[second, first] = np.einsum("pij,pi,pj->p", between, share[first], share[second])
        return blocks

    @cached_property
    def _pairs(self) -> tuple[IntArray, IntArray]:
        """Numbers of the two cells of each pair, a cell and itself among them."""
        return np.tril_indices(len(self.nodes.share))

    def trend(self) -> FloatArray:
        """Trend at the nodes, shape (terms, cells * nodes)."""
        rows, columns = self.support.weights.shape
        y, x = 2 * self.nodes.row.ravel() / rows - 1, 2 * self.nodes.column.ravel() / columns - 1
        return np.stack([np.ones_like(y), y, x])[trend_terms(self.support)]

    def design(self) -> FloatArray:
        """Block means of the trend, shape (cells, terms)."""
        return coarse_plane(self.support)[trend_terms(self.support)][:, self.support.cells].T


def regress(places: Places, blocks: FloatArray, base: Estimator, sill: float) -> Regression:
    """Return the linear system of kriging with a covariance of block means, which it changes.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the covariance is singular but for rounding, as for lengths far beyond the domain.
    """
    blocks.ravel()[:: len(blocks) + 1] += (
        base.covariance.nugget * float(np.diag(blocks).mean()) + places.support.noise_of_cells / sill
    )
    return Regression(DenseCholesky(blocks), places.design())


class Solution:
    """Kriging of one column of values: coefficients of cells and trend, and how well it does in each cell.

    Attributes
    ----------
    alpha, beta : array, shape (cells,) and (terms,)
    residuals, variances : array, shape (cells,)
        Leave-one-out residuals, and their variances at unit sill; NaN in cells that nothing else predicts.
    posterior : array, shape (cells,)
        Mean posterior variance at the nodes, at unit sill.
    """

    def __init__(self, places: Places, kernel: Kernel, base: Estimator, column: FloatArray) -> None:
        nodes = places.node_covariance(kernel)
        blocks = (nodes * places.nodes.share[:, :, None]).sum(axis=1)
        blocks = (blocks + blocks.T) / 2  # nodes are symmetric only up to rounding
        regression = regress(places, blocks, base, kernel.sill)
        alpha, beta = regression.solve(column)
        self.alpha, self.beta = alpha[:, 0], beta[:, 0]
        variances = regression.left_out_variances()
        noise = places.support.noise_of_cells / kernel.sill
        self.residuals, self.variances = equally_noisy(self.alpha * variances, variances, noise)
        explained = regression.variance(nodes.reshape(-1, len(blocks)).T, places.trend()).reshape(nodes.shape[:2])
        prior = places.points.amplitude.reshape(explained.shape) ** 2
        self.posterior = np.maximum(((prior - explained) * places.nodes.share).sum(axis=1), TINY)


def _field(solution: Solution, places: Places, kernel: Kernel) -> FloatArray:
    """Fine field of a solution, by way of a few knots per coarse cell."""
    (rows, columns), factor = places.support.weights.shape, places.support.factor
    steps = [f / min(KNOTS, f) for f in factor]
    row, column = ((np.arange(round(n / step)) + 0.5) * step for n, step in zip((rows, columns), steps, strict=True))
    points = places.at(np.repeat(row, len(column)), np.tile(column, len(row)))
    weights = (solution.alpha[:, None] * places.nodes.share).reshape(-1, 1)
    knots = weigh(points, places.points, kernel.smoothness, kernel.length, weights).reshape(len(row), len(column))
    trend = np.tensordot(solution.beta, plane((rows, columns))[trend_terms(places.support)], axes=1)
    return np.asarray(_refine(knots, (rows, columns), (steps[0], steps[1]), places.support.periodic) + trend)


def _refine(knots: FloatArray, shape: tuple[int, int], steps: tuple[float, float], periodic: bool) -> FloatArray:
    """Cubic spline through knots that lie some fine cells apart."""
    if steps == (1.0, 1.0):
        return knots
    continued = _continue(_continue(knots, False).T, periodic).T
    places = [(np.arange(n) + 0.5) / step - 0.5 + MARGIN for n, step in zip(shape, steps, strict=True)]
    return np.asarray(map_coordinates(continued, np.meshgrid(*places, indexing="ij"), order=3, mode="nearest"))


def _continue(field: FloatArray, periodic: bool) -> FloatArray:
    """Continue the first axis beyond both ends: around, or by point reflection, which keeps slopes."""
    width = ((MARGIN, MARGIN), (0, 0))
    if periodic:
        return np.pad(field, width, mode="wrap")
    if len(field) <= MARGIN:
        return np.pad(field, width, mode="edge")
    return np.pad(field, width, mode="reflect", reflect_type="odd")
