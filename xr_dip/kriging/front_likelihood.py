"""How far a covariance follows a field: the restricted likelihood of its block means, less what that overrates.

See `xr_dip.kriging.front` for the covariance. Equation :eq:`likelihood` of the theory page, with :eq:`fronts` in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.kriging.covariance import Kernel, lengths_for
from xr_dip.kriging.covariance_sample import window_starts
from xr_dip.kriging.estimator import Estimator
from xr_dip.kriging.front import Following, FrontKernel, FrontKriging, Places, regress
from xr_dip.kriging.fronts import Fronts
from xr_dip.kriging.local_covariance import Separation
from xr_dip.kriging.matern import SMOOTHNESSES

STRENGTHS = (0.2, 0.4, 0.6)
CONTRASTS = (0.25, 0.5, 0.75, 1.0)
PRICES = Following(strength=0.2, contrast=0.1)
"""In log likelihood, for each cell and unit: what fields that are alike everywhere would gain by chance, and more."""
FEWEST_CELLS = 20
ROUNDING = 1e-9
"""Of the values: a plane that varies about itself by less than this has no fronts."""
SIDE = 16
"""Cells along a side of the windows whose likelihood is taken where there are many cells."""

Shape = tuple[int, int]
"""Indices of a smoothness and a length."""
NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1))


class _Found(NamedTuple):
    """Where a climb ended."""

    score: float
    following: Following
    shape: Shape
    sill: float


class _Window(NamedTuple):
    """Cells whose likelihood is taken, with the distances between their nodes at one strength and contrast."""

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
        None where the values do not call for it: few cells, or few close together, or a field that is alike in all
        directions and everywhere.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import fit_covariance
    >>> from xr_dip.kriging.mosaic import krige
    >>> y, x = np.mgrid[:10, :10]
    >>> values, weights = np.tanh((y + 0.3 * x - 6) / 1.5), np.ones((40, 40))
    >>> covariance = fit_covariance(values, weights, (4, 4), (1.0, 1.0))
    >>> base = krige(weights, (4, 4), (1.0, 1.0), covariance, np.ones((10, 10), dtype=bool))
    >>> follow_fronts(base, values).kernel.following.strength > 0
    True
    """
    support, sill = base.support, base.covariance.best.sill
    largest = np.abs(values[support.cells]).max(initial=0.0)
    if support.cells.sum() < FEWEST_CELLS or np.sqrt(sill) <= ROUNDING * largest:
        return None
    fronts = Fronts(base.mean(values), support.weights > 0, support.factor, base.pitch, periodic=support.periodic)
    likelihood = _Likelihood(base, fronts, values)
    if not likelihood.starts:
        return None
    kernel = likelihood.maximise()
    return FrontKriging(base, fronts, kernel) if any(kernel.following) else None


class _Likelihood:
    """Likelihood of kernels that follow fronts, over up to four windows of a field."""

    def __init__(self, base: Estimator, fronts: Fronts, values: npt.NDArray[np.floating]) -> None:
        self.base, self.fronts, self.values = base, fronts, np.asarray(values, dtype=np.float64)
        cells = base.support.cells
        self.starts = [(0, cells.shape[0], 0, cells.shape[1])]
        if cells.sum() > SIDE**2 * 5 // 4:
            starts = window_starts(cells, SIDE)
            self.starts = [start for start in starts if _cells(cells, start) >= FEWEST_CELLS]
        self.lengths = lengths_for(base.support.factor)

    def maximise(self) -> FrontKernel:
        """Climb from the isotropic kernel, one strength after the other, and then contrasts until one is worse."""
        best = self.base.covariance.best
        shape = SMOOTHNESSES.index(best.smoothness), self.lengths.index(best.length)
        highest = _Found(-np.inf, Following(), shape, best.sill)
        for strength in (0.0, *STRENGTHS):
            found = self._climb(Following(strength), shape)
            shape, highest = found.shape, found if found.score > highest.score else highest
        # the gradient of a rough field is that of its smallest scales, and tells nothing of its amplitude
        if best.smoothness > SMOOTHNESSES[0]:
            uneven = self._add_contrast(highest)
            highest = uneven if uneven.shape[0] > 0 else highest
        smoothness, length = highest.shape
        return FrontKernel(highest.following, Kernel(SMOOTHNESSES[smoothness], self.lengths[length], highest.sill))

    def _add_contrast(self, found: _Found) -> _Found:
        """Climb from one contrast to the next as long as that helps."""
        for contrast in CONTRASTS:
            steeper = self._climb(found.following._replace(contrast=contrast), found.shape)
            if steeper.score <= found.score:
                break
            found = steeper
        return found

    def _climb(self, following: Following, shape: Shape) -> _Found:
        """Go to better neighbours until there are none."""
        windows = [self._window(following, *start) for start in self.starts]
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
                paid = sum(price * power for price, power in zip(PRICES, following, strict=True))
                return _Found(score - paid * cells, following, shape, sill)
            shape = neighbour

    def _window(self, following: Following, top: int, bottom: int, left: int, right: int) -> _Window:
        rows, columns = slice(top, bottom), slice(left, right)
        support = self.base.support.window(rows, columns)
        places = Places(self.base, self.fronts, following, support, (top, left))
        return _Window(places, places.separation(), self.values[rows, columns][support.cells][:, None])


def _cells(cells: npt.NDArray[np.bool_], start: tuple[int, int, int, int]) -> int:
    top, bottom, left, right = start
    return int(cells[top:bottom, left:right].sum())


def _profile(windows: list[_Window], kernel: Kernel, base: Estimator) -> tuple[float, float]:
    """Restricted log likelihood of all windows at their common best sill, and this sill."""
    squares, determinants, freedom = 0.0, 0.0, 0
    for places, separation, column in windows:
        blocks = places.block_covariance(separation, kernel)
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
