r"""Kriging of basins that land separates: each from its own values alone.

With ``K_b`` the kriging of basin b from its share of the sea and ``1_b`` its fine cells::

    K(v) = sum_b 1_b K_b(v),     N(x) = sum_b 1_b (x - K_b(D_b x))

A coarse cell that several basins share has one value, and the part in each is taken to have that mean: so each
``K_b`` conserves it, and so does K. Nothing of one basin enters another, to the last bit, whether by kriging or by the
null space; no other rule does both. Its price is paid where seas of different level share a cell: the estimate is wrong
there by a part of the difference, of which the variance knows nothing.

A basin with one value is a constant, exactly as kriging makes it, and needs no operator: lakes are cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xr_dip.basins import LabelArray, Window, basin_windows, find_basins
from xr_dip.blocks import Factor, FloatArray, block_mean, block_sum
from xr_dip.kriging.block_covariance import BoolArray
from xr_dip.kriging.covariance import Covariance
from xr_dip.kriging.estimator import Estimator, LeftOut
from xr_dip.kriging.mosaic import krige
from xr_dip.kriging.shares import BasinShares

Make = Callable[..., Estimator]


@dataclass(frozen=True, eq=False)
class Part:
    """A basin, and the kriging in its window."""

    label: int
    window: Window
    estimator: Estimator


class BasinKriging(Estimator):
    """Kriging of each basin by itself.

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
    labels : array of int, shape (ny * fy, nx * fx)
        From `xr_dip.basins.label_basins`: the basin of each fine cell that is to have a value, 0 on land.
    periodic : bool
        Whether the last column borders on the first.
    make : callable
        Makes the kriging of one basin, with the arguments of `xr_dip.kriging.mosaic.krige`, of its window.

    Raises
    ------
    ValueError
        If shapes disagree, a weight is negative, a constrained cell has no weight, or a cell with weight no basin.

    See Also
    --------
    krige_basins : makes one where it is needed.

    Notes
    -----
    On land every field is 0, or as it was given to `null`; where a basin has no value it is NaN.

    Examples
    --------
    >>> from xr_dip.basins import label_basins
    >>> from xr_dip.kriging.covariance import Kernel
    >>> covariance, weights = Covariance((Kernel(2.5, 2.0, 1.0),)), np.array([[1.0, 1.0, 1.0, 0.0, 1.0, 1.0]])
    >>> cells, labels = np.ones((1, 3), dtype=bool), label_basins(weights > 0)
    >>> kriging = BasinKriging(weights, (1, 2), (1.0, 1.0), covariance, cells, labels)
    >>> kriging.mean(np.array([[1.0, 3.0, 8.0]])).round(2)
    array([[0.41, 1.59, 3.  , 0.  , 8.  , 8.  ]])
    """

    def __init__(
        self,
        weights: npt.NDArray[np.floating],
        factor: Factor,
        spacing: tuple[float, float],
        covariance: Covariance,
        constrained: BoolArray,
        labels: LabelArray,
        *,
        periodic: bool = False,
        make: Make = krige,
    ) -> None:
        super().__init__(weights, factor, spacing, covariance, constrained, periodic=periodic)
        self._labels, self._make = labels, make
        self._shares = BasinShares(labels, self.support)
        self.parts = list(self._build(np.flatnonzero(self._shares.counts > 1)))

    def _build(self, chosen: Iterable[int]) -> Iterator[Part]:
        """Make the kriging of some basins; those of one look share it."""
        factor, shared = self.support.factor, dict[bytes, Estimator]()
        chosen = [int(label) for label in chosen]
        windows = basin_windows(self._labels, factor, chosen, periodic=self.periodic)
        for label, window in zip(chosen, windows, strict=True):
            weights = np.where(window.inside, window.fine(self.support.weights), 0.0)
            cells = window.coarse(self.support.cells) & (block_sum(weights, factor) > 0)
            own = self.covariance.at(window.rows, window.columns)
            look = repr((cells.shape, window.closed)).encode() + cells.tobytes() + weights.tobytes()
            look += np.asarray(own.noise).tobytes()
            if look not in shared:
                shared[look] = self._make(weights, factor, self.spacing, own, cells, periodic=window.closed)
            yield Part(label, window, shared[look])

    def _select(self, index: int) -> None:
        self.parts = [replace(part, estimator=part.estimator.component(index)) for part in self.parts]

    def mean(self, values: npt.NDArray[np.floating]) -> FloatArray:  # noqa: D102
        fine = self._constants(values)
        for part in self.parts:
            part.window.paste(part.estimator.mean(part.window.coarse(values)), fine)
        return fine

    def _constants(self, values: npt.NDArray[np.floating]) -> FloatArray:
        """Fine fields of the basins with one value: 0 in the others and on land, NaN where there is no value."""
        self._columns(values)
        return self._spread(values.reshape(*values.shape[:-2], -1)[..., self._shares.lone.cells])

    def _spread(self, lone: npt.NDArray[np.floating]) -> FloatArray:
        """Fine fields, shape (..., ny * fy, nx * fx), of one number for each basin with one value, shape (..., n)."""
        table = np.where(self._shares.counts > 0, np.zeros((*lone.shape[:-1], 1)), np.nan)
        table[..., 0] = 0.0
        table[..., self._shares.lone.labels] = lone
        return np.ascontiguousarray(table[..., self._labels])

    def trend(self, values: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
        """Plane through the values of each basin; a constant where they are few.

        Parameters
        ----------
        values : array, shape (..., ny, nx)

        Returns
        -------
        (array, array)
            Its block means, shape (..., ny, nx), 0 in cells that are not constrained, and the fine planes, shape
            (..., ny * fy, nx * fx).
        """
        fine = self._constants(values)
        for part in self.parts:
            part.window.paste(part.estimator.trend(part.window.coarse(values))[1], fine)
        means = block_mean(fine, self.support.weights, self.support.factor)
        return np.where(self.support.cells, means, 0.0), fine

    def left_out(self, values: npt.NDArray[np.floating]) -> LeftOut:
        """Predict each cell from the others of its basin; a shared cell in the basin of its largest part.

        Parameters
        ----------
        values : array, shape (..., ny, nx)

        Returns
        -------
        LeftOut
            NaN in basins with one value, too.
        """
        self._columns(values)
        count = len(self.covariance.kernels)
        residuals = np.full((count, *values.shape), np.nan)
        variances = np.full((count, *self.support.shape), np.nan)
        for part in self.parts:
            self.replace_left_out(
                LeftOut(residuals, variances), part, part.estimator.left_out(part.window.coarse(values))
            )
        return LeftOut(residuals, variances)

    def replace_left_out(self, target: LeftOut, part: Part, found: LeftOut) -> None:
        """Write the residuals of a basin into those of all, in the cells that are its own or mostly so."""
        own = part.window.coarse(self._shares.owner) == part.label
        place = part.window.rows, part.window.columns
        for new, array in zip(found, target, strict=True):
            array[..., *place] = np.where(own, new, part.window.coarse(array))

    def null(self, field: npt.NDArray[np.floating]) -> FloatArray:
        """Part of a fine field that the means of each basin in each coarse cell do not determine.

        Parameters
        ----------
        field : array, shape (..., ny * fy, nx * fx)
            Anything on fine cells of weight 0.

        Returns
        -------
        array of float64, same shape
            Its block means are zero, also those of each part of a shared cell.
        """
        fine = np.asarray(field - self._spread(self._shares.lone.means(field)))
        for part in self.parts:
            part.window.paste(part.estimator.null(part.window.fine(field)), fine)
        return fine

    def variance(self, values: npt.NDArray[np.floating] | None = None) -> FloatArray:
        """Posterior variance of the fine field, from the cells of its basin.

        Parameters
        ----------
        values : array, shape (ny, nx), optional
            Adds the disagreement of the kernels of a mixture about these values.

        Returns
        -------
        array of float64, shape (ny * fy, nx * fx)
            Square of the unit of the values.
        """
        fine = self._spread(np.zeros(len(self._shares.lone.labels)))
        for parts in (self.parts, self._build(self._shares.lone.labels)):
            for part in parts:
                part.window.paste(part.estimator.variance(), fine)
        return fine if values is None else fine + self.disagreement(values)

    def whitener(self, exponent: float = 0.5) -> FloatArray:
        """Matrix that whitens residuals of the constrained cells, basin by basin, shape (n, n).

        Each basin weighs as much as it has cells, and a basin with one cell is left as it is. A shared cell counts in
        the basin of its largest part.

        Parameters
        ----------
        exponent : float
            As in `xr_dip.kriging.whitening.whitener`.

        Returns
        -------
        array of float64, shape (n, n)
            Zero between basins.
        """
        number = np.full(self.support.shape, -1)
        number[self.support.cells] = np.arange(self.support.cells.sum())
        matrix = np.eye(int(self.support.cells.sum()))
        for part in self.parts:
            own = part.window.coarse(self._shares.owner) == part.label
            if own.any():
                estimator = copy(part.estimator)
                estimator.support = replace(estimator.support, cells=own)
                index = part.window.coarse(number)[own]
                matrix[np.ix_(index, index)] = estimator.whitener(exponent)
        return matrix


def krige_basins(
    weights: npt.NDArray[np.floating],
    factor: Factor,
    spacing: tuple[float, float],
    covariance: Covariance,
    constrained: BoolArray,
    *,
    sea: BoolArray | None = None,
    periodic: bool = False,
    make: Make = krige,
) -> Estimator:
    """Kriging in which basins do not see each other; `krige` itself where there is one basin.

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
    sea : array of bool, shape (ny * fy, nx * fx), optional
        All water, with or without data: it joins what data gaps divide, and is where the estimate is defined. By
        default the cells with weight.
    periodic : bool
        Whether the last column borders on the first.
    make : callable
        As in `BasinKriging`.

    Returns
    -------
    Estimator

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Kernel
    >>> covariance, weights = Covariance((Kernel(2.5, 2.0, 1.0),)), np.ones((2, 6))
    >>> type(krige_basins(weights, (2, 2), (1.0, 1.0), covariance, np.ones((1, 3), dtype=bool))).__name__
    'BlockKriging'
    >>> weights[:, 3] = 0.0
    >>> type(krige_basins(weights, (2, 2), (1.0, 1.0), covariance, np.ones((1, 3), dtype=bool))).__name__
    'BasinKriging'
    """
    water = np.asarray(weights) > 0 if sea is None else np.asarray(sea, dtype=bool)
    labels = find_basins(water, factor, periodic=periodic)
    if labels.max(initial=0) <= 1:
        return make(weights, factor, spacing, covariance, constrained, periodic=periodic)
    return BasinKriging(weights, factor, spacing, covariance, constrained, labels, periodic=periodic, make=make)
