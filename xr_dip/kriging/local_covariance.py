r"""Covariance of block means where every point has a metric and an amplitude of its own.

Between points x and x' of metric Sigma and Sigma', and amplitude A and A', with ``S = (Sigma + Sigma') / 2``::

    k(x, x') = A A' |S|^-1/2 M( sqrt((x - x')^T S^-1 (x - x')) / l )

for ``|Sigma| = |Sigma'| = 1`` and M the Matérn correlation: positive definite for any field of metrics (Paciorek &
Schervish 2006; equation :eq:`fronts` of the theory page). A block mean is the weighted mean over a few nodes of its
cell, those of Gauss and Legendre in a full cell, and in one that land cuts the centroids of its parts, set apart alike.

References
----------
Paciorek & Schervish (2006), Spatial modelling using a new class of nonstationary covariance functions, equation 8,
doi:10.1002/env.785.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from xr_dip.blocks import FloatArray
from xr_dip.kriging.block_covariance import Support
from xr_dip.kriging.fronts import Metric
from xr_dip.kriging.matern import matern

EACH = slice(None), None
"""Index that sets points against each of others."""
LARGEST_PART = 2**20
"""Pairs of points that are evaluated at once: their intermediate arrays fit into a cache."""


@dataclass(frozen=True, eq=False)
class Points:
    """Places with a metric and an amplitude.

    Attributes
    ----------
    y, x : array, shape (n,)
        In units of coarse cells of equal area.
    metric : Metric
        Parts of shape (n,).
    amplitude : array, shape (n,)
        Standard deviation of a unit field there.
    period : float
        Length of the x axis where it closes on itself, else infinite.
    """

    y: FloatArray
    x: FloatArray
    metric: Metric
    amplitude: FloatArray
    period: float = np.inf

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.y)

    def at(self, index: Any) -> Points:
        """Return some of the points."""
        return Points(self.y[index], self.x[index], self.metric.at(index), self.amplitude[index], self.period)


@dataclass(frozen=True, eq=False)
class Nodes:
    """Points of each constrained cell, and their shares of its mean.

    Attributes
    ----------
    row, column : array, shape (cells, nodes)
        Positions in fine cells from the first edge.
    share : array, shape (cells, nodes)
        Sums to one for each cell.
    """

    row: FloatArray
    column: FloatArray
    share: FloatArray


def make_nodes(support: Support, order: int = 2) -> Nodes:
    """Place the nodes of the constrained cells of a support, in row-major order.

    Parameters
    ----------
    support : Support
    order : int
        Nodes along each axis of a cell.

    Returns
    -------
    Nodes

    Examples
    --------
    >>> nodes = make_nodes(Support(np.ones((2, 2)), (2, 2), np.array([[True]])))
    >>> nodes.row[0].round(3), nodes.share[0]
    (array([0.423, 0.423, 1.577, 1.577]), array([0.25, 0.25, 0.25, 0.25]))
    """
    (ny, nx), (fy, fx) = support.shape, support.factor
    cells = support.shares.reshape(ny, fy, nx, fx).transpose(0, 2, 1, 3)[support.cells]
    (wet_y, place_y), (wet_x, place_x) = _parts(order, fy), _parts(order, fx)
    share = wet_y @ cells @ wet_x.T
    total = np.maximum(share, np.finfo(np.float64).tiny)
    row, column = (wet_y * place_y) @ cells @ wet_x.T / total, wet_y @ cells @ (wet_x * place_x).T / total
    corner = np.argwhere(support.cells) * np.array(support.factor)
    flat = share.reshape(len(cells), -1)
    row, column = (_spread(part.reshape(flat.shape), flat, order) for part in (row, column))
    return Nodes(corner[:, :1] + row, corner[:, 1:] + column, flat)


def _parts(order: int, factor: int) -> tuple[FloatArray, FloatArray]:
    """Divide a cell into parts as wide as the weights of Gauss and Legendre: of each fine cell, what lies in a part.

    Returns the share of each fine cell and the centre of that share, in fine cells, both of shape (order, factor).
    """
    ends = np.concatenate([[0.0], np.cumsum(np.polynomial.legendre.leggauss(order)[1] / 2)]) * factor
    first = np.maximum(ends[:-1, None], np.arange(factor))
    last = np.minimum(ends[1:, None], np.arange(1, factor + 1))
    return np.maximum(last - first, 0.0), (first + last) / 2


def _spread(place: FloatArray, share: FloatArray, order: int) -> FloatArray:
    """Set the centres of the parts apart about their common centre, as far as the nodes of Gauss and Legendre are."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    apart = nodes[-1] / (1 - weights[-1] / 2) if order > 1 else 1.0
    centre = (place * share).sum(axis=1, keepdims=True)
    return np.asarray(centre + apart * (place - centre))


class Separation(NamedTuple):
    """How far points are from one another in their own metrics, for kernels of any smoothness and length."""

    distance: FloatArray
    """In coarse cells."""
    scale: FloatArray
    """``A A' |S|^-1/2``, of the same shape: less where two metrics differ."""

    def covariance(self, smoothness: float, length: float) -> FloatArray:
        """Covariance of a unit field, of the same shape."""
        return self.scale * matern(self.distance / length, smoothness)


def separate(points: Points, others: Points) -> Separation:
    """Measure the distances between points and others.

    Parameters
    ----------
    points, others : Points
        Of shapes that broadcast, as of arrays: with `EACH` those of each point from each other one.

    Returns
    -------
    Separation
        Of the common shape.

    Examples
    --------
    >>> unit = Metric(np.ones(2), np.zeros(2), np.ones(2))
    >>> points = Points(np.array([0.0, 1.0]), np.zeros(2), unit, np.array([1.0, 2.0]))
    >>> separate(points.at(EACH), points).covariance(1.5, 1.0).round(4)
    array([[1.    , 0.9667],
           [0.9667, 4.    ]])
    """
    yy, yx, xx = ((own + other) / 2 for own, other in zip(points.metric, others.metric, strict=True))
    determinant = yy * xx - yx**2
    dy, dx = points.y - others.y, points.x - others.x
    if np.isfinite(points.period):
        dx = dx - points.period * np.round(dx / points.period)
    square = (xx * dy**2 - 2 * yx * dy * dx + yy * dx**2) / determinant
    scale = points.amplitude * others.amplitude / np.sqrt(determinant)
    return Separation(np.sqrt(np.maximum(square, 0.0)), scale)


def weigh(points: Points, others: Points, smoothness: float, length: float, weights: FloatArray) -> FloatArray:
    """Covariance of a unit field between two sets of points, times weights: a few points at a time.

    Parameters
    ----------
    points, others : Points
    smoothness : {1.5, 2.5, 3.5}
    length : float
        In coarse cells.
    weights : array, shape (len(others), m)

    Returns
    -------
    array of float64, shape (len(points), m)
    """
    step = max(1, LARGEST_PART // len(others))
    parts = (points.at(slice(start, start + step)) for start in range(0, len(points), step))
    return np.concatenate([separate(part.at(EACH), others).covariance(smoothness, length) @ weights for part in parts])
