"""How strongly a field follows its fronts: the restricted likelihood of its block means, less what it overrates.

See `xr_dip.kriging.front` for the covariance. Equation :eq:`likelihood` of the theory page, with :eq:`fronts` in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.kriging.covariance import LENGTHS, LENGTHS_FINE, Kernel
from xr_dip.kriging.covariance_sample import window_starts
from xr_dip.kriging.estimator import Estimator
from xr_dip.kriging.front import FrontKernel, FrontKriging, Places, regress
from xr_dip.kriging.fronts import Fronts
from xr_dip.kriging.local_covariance import Separation
from xr_dip.kriging.matern import SMOOTHNESSES

STRENGTHS = (0.2, 0.4, 0.6)
PENALTY = 0.2
"""Of the log likelihood, for each cell and unit of strength."""
FEWEST_CELLS = 20
SIDE = 16
"""Cells along a side of the windows whose likelihood is taken where there are many cells."""

Shape = tuple[int, int]
"""Indices of a smoothness and a length."""
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1))


class _Window(NamedTuple):
    """Cells whose likelihood is taken, with the distances between their nodes at one strength."""

    places: Places
    separation: Separation
    column: FloatArray


def follow_fronts(base: Estimator, values: npt.NDArray[np.floating]) -> FrontKriging | None:
    """Fit kriging along the fronts of a coarse field.

    Parameters
    ----------
    base : Estimator
        Plain kriging of the field.
    values : array, shape (ny, nx)
        Finite in its constrained cells.

    Returns
    -------
    FrontKriging or None
        None where the values do not call for it: few cells, or no front that is plain enough.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import fit_covariance
    >>> from xr_dip.kriging.mosaic import krige
    >>> y, x = np.mgrid[:10, :10]
    >>> values, weights = np.tanh((y + 0.3 * x - 6) / 1.5), np.ones((40, 40))
    >>> covariance = fit_covariance(values, weights, (4, 4), (1.0, 1.0))
    >>> base = krige(weights, (4, 4), (1.0, 1.0), covariance, np.ones((10, 10), dtype=bool))
    >>> follow_fronts(base, values).kernel.strength > 0
    True
    """
    support = base.support
    if support.cells.sum() < FEWEST_CELLS:
        return None
    fronts = Fronts(base.mean(values), support.weights > 0, support.factor, base.pitch, periodic=support.periodic)
    kernel = _Likelihood(base, fronts, values).maximise()
    return FrontKriging(base, fronts, kernel) if kernel.strength > 0 else None


class _Likelihood:
    """Likelihood of kernels that follow fronts, over up to four windows of a field."""

    def __init__(self, base: Estimator, fronts: Fronts, values: npt.NDArray[np.floating]) -> None:
        self.base, self.fronts, self.values = base, fronts, np.asarray(values, dtype=np.float64)
        cells = base.support.cells
        self.starts = [(0, cells.shape[0], 0, cells.shape[1])]
        if cells.sum() > SIDE**2 * 5 // 4:
            starts = window_starts(cells, SIDE)
            self.starts = [start for start in starts if _cells(cells, start) >= FEWEST_CELLS]
        self.lengths = LENGTHS_FINE if np.sqrt(np.prod(base.support.factor)) <= 4 else LENGTHS

    def maximise(self) -> FrontKernel:
        """Climb from the isotropic kernel, one strength after the other."""
        best = self.base.covariance.best
        shape = SMOOTHNESSES.index(best.smoothness), self.lengths.index(best.length)
        highest, chosen = -np.inf, (0.0, shape, best.sill)
        for strength in (0.0, *STRENGTHS):
            score, shape, sill = self._climb(strength, shape)
            if score > highest:
                highest, chosen = score, (strength, shape, sill)
        strength, (smoothness, length), sill = chosen
        return FrontKernel(strength, Kernel(SMOOTHNESSES[smoothness], self.lengths[length], sill))

    def _climb(self, strength: float, shape: Shape) -> tuple[float, Shape, float]:
        """Score, shape and sill that steps to better neighbours lead to."""
        windows = [self._window(strength, *start) for start in self.starts]
        known: dict[Shape, tuple[float, float]] = {}

        def profile(place: Shape) -> tuple[float, float]:
            if place not in known:
                kernel = Kernel(SMOOTHNESSES[place[0]], self.lengths[place[1]], 1.0)
                known[place] = _profile(windows, kernel, self.base)
            return known[place]

        while True:
            around = [(shape[0] + i, shape[1] + j) for i, j in NEIGHBOURS]
            inside = [(i, j) for i, j in around if 0 <= i < len(SMOOTHNESSES) and 0 <= j < len(self.lengths)]
            neighbour = max(inside, key=lambda place: profile(place)[0])
            score, sill = profile(shape)
            if profile(neighbour)[0] <= score:
                cells = sum(len(window.column) for window in windows)
                return score - PENALTY * strength * cells, shape, sill
            shape = neighbour

    def _window(self, strength: float, top: int, bottom: int, left: int, right: int) -> _Window:
        rows, columns = slice(top, bottom), slice(left, right)
        support = self.base.support.window(rows, columns)
        places = Places(self.base, self.fronts, strength, support, (top, left))
        return _Window(places, places.separation(), self.values[rows, columns][support.cells][:, None])


def _cells(cells: npt.NDArray[np.bool_], start: tuple[int, int, int, int]) -> int:
    top, bottom, left, right = start
    return int(cells[top:bottom, left:right].sum())


def _profile(windows: list[_Window], kernel: Kernel, base: Estimator) -> tuple[float, float]:
    """Restricted log likelihood of all windows at their common best sill, and this sill."""
    squares, determinants, freedom = 0.0, 0.0, 0
    for places, separation, column in windows:
        _, blocks = places.block_covariance(separation, kernel)
        try:
            regression = regress(places, blocks, base, base.covariance.best.sill)
        except np.linalg.LinAlgError:
            return -np.inf, 1.0
        alpha, _ = regression.solve(column)
        squares += float((alpha * column).sum())
        determinants += regression.cholesky.log_determinant + regression.log_determinant
        freedom += len(column) - regression.design.shape[1]
    sill = max(squares / freedom, np.finfo(np.float64).tiny)
    return -0.5 * (freedom * np.log(sill) + determinants), sill
