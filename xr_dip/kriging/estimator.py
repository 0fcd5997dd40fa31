"""What every form of kriging shares: a linear estimate of a fine field from its block means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, block_mean
from xr_dip.kriging.block_covariance import BoolArray, Support
from xr_dip.kriging.covariance import Covariance
from xr_dip.kriging.local_variance import local_variance
from xr_dip.kriging.matern import fine_pitch
from xr_dip.kriging.whitening import coarse_spectrum, whitener


class LeftOut(NamedTuple):
    """Leave-one-out check of each kernel.

    NaN in cells without a value, and in cells without which the others do not determine the trend.
    """

    residuals: FloatArray
    """Value minus its prediction from all other cells, shape (kernels, ..., ny, nx).

    Where some values are noisier than others, see `xr_dip.kriging.unequal_noise`."""
    variances: FloatArray
    """Variance of that residual at unit sill, shape (kernels, ny, nx)."""


def left_out_sill(residuals: FloatArray, variances: FloatArray) -> float:
    """Sill that leave-one-out residuals speak for: ``sqrt((sum e^2 / sum v) mean(e^2 / v))``.

    The first ratio is ruled by cells that are hard to predict, the second by surprises where cells are easy to.

    Parameters
    ----------
    residuals, variances : array, shape (ny, nx)
        Of `LeftOut`, of one kernel; some finite.

    Returns
    -------
    float

    Examples
    --------
    >>> left_out_sill(np.array([[1.0, np.nan, 2.0]]), np.array([[0.5, np.nan, 2.0]]))
    2.0
    """
    seen = np.isfinite(residuals)
    squares, expected = residuals[seen] ** 2, variances[seen]
    return float(np.sqrt(squares.sum() / expected.sum() * (squares / expected).mean()))


class Estimator(ABC):
    """A linear estimate K of a fine field from the weighted block means of its constrained cells.

    Parameters
    ----------
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell, 0 on land.
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    spacing : (float, float)
        Size of a fine cell along y and x, metres; only their ratio matters.
    covariance : Covariance
        From `xr_dip.kriging.covariance.fit_covariance`; its noise is one number, or one for each cell.
    constrained : array of bool, shape (ny, nx)
        Cells whose values are used; each needs some weight.
    periodic : bool
        Whether the last column and the first are neighbours.

    Raises
    ------
    ValueError
        If shapes disagree, a weight or the noise is negative, or a constrained cell has no weight.
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
        cells = np.asarray(constrained, dtype=bool)
        self.support = Support(np.asarray(weights, dtype=np.float64), factor, cells, periodic, covariance.noise)
        self.spacing = spacing
        self.covariance = covariance
        self.pitch = fine_pitch(factor, spacing)

    @property
    def periodic(self) -> bool:
        """Whether the last column and the first are neighbours."""
        return self.support.periodic

    @abstractmethod
    def mean(self, values: npt.NDArray[np.floating]) -> FloatArray:
        """Kriging estimate K(v): the fine field given its block means.

        Parameters
        ----------
        values : array, shape (..., ny, nx)
            Finite in the constrained cells, ignored elsewhere.

        Returns
        -------
        array of float64, shape (..., ny * fy, nx * fx)
            Its block means are the values, up to 1e-8 of their range, unless the covariance has noise.

        Raises
        ------
        ValueError
            If the shape is wrong or a constrained value is not finite.
        """

    @abstractmethod
    def trend(self, values: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
        """Plane through the values.

        Parameters
        ----------
        values : array, shape (..., ny, nx)

        Returns
        -------
        (array, array)
            Its block means, shape (..., ny, nx), and the fine plane, shape (..., ny * fy, nx * fx).
        """

    @abstractmethod
    def left_out(self, values: npt.NDArray[np.floating]) -> LeftOut:
        """Predict each cell from all others, with each kernel.

        Parameters
        ----------
        values : array, shape (..., ny, nx)

        Returns
        -------
        LeftOut
        """

    @abstractmethod
    def _select(self, index: int) -> None:
        """Keep only the parts of one kernel."""

    def component(self, index: int) -> Self:
        """Kriging with one kernel of the mixture alone; shares its factorisation.

        Parameters
        ----------
        index : int
            Position in ``covariance.kernels``.

        Returns
        -------
        Estimator
            Of the same class.
        """
        single = copy(self)
        single.covariance = replace(self.covariance, kernels=(replace(self.covariance.kernels[index], weight=1.0),))
        single._select(index)
        return single

    def components(self) -> Iterator[Self]:
        """Each `component` in turn."""
        return (self.component(index) for index in range(len(self.covariance.kernels)))

    def null(self, field: npt.NDArray[np.floating]) -> FloatArray:
        """Part of a fine field that its block means do not determine: ``N(x) = x - K(D x)``.

        Equation :eq:`null` of the theory page.

        Parameters
        ----------
        field : array, shape (..., ny * fy, nx * fx)
            Anything on fine cells of weight 0.

        Returns
        -------
        array of float64, same shape
            Its block means are zero, as exactly as `mean` conserves.
        """
        return np.asarray(field - self.mean(block_mean(field, self.support.weights, self.support.factor)))

    def variance(self, values: npt.NDArray[np.floating] | None = None) -> FloatArray:
        """Posterior variance of the fine field.

        Each cell is kriged from its neighbourhood of 11 x 11 cells: exact up to that size, and beyond it but for what
        more distant cells say, which the near ones mostly screen off.

        Parameters
        ----------
        values : array, shape (ny, nx), optional
            Adds the disagreement of the kernels of a mixture about these values.

        Returns
        -------
        array of float64, shape (ny * fy, nx * fx)
            Square of the unit of the values.
        """
        total = np.zeros(self.support.weights.shape)
        for kernel in self.covariance.kernels:
            unit = local_variance(self.support, self.pitch, kernel, nugget=self.covariance.nugget)
            total += kernel.weight * kernel.sill * unit
        return total if values is None else total + self.disagreement(values)

    def disagreement(self, values: npt.NDArray[np.floating]) -> FloatArray:
        """Variance between the kernels of a mixture: ``sum_k w_k (K_k v - K v)^2``.

        Parameters
        ----------
        values : array, shape (ny, nx)

        Returns
        -------
        array of float64, shape (ny * fy, nx * fx)
        """
        mean = self.mean(values)
        total = np.zeros_like(mean)
        if len(self.covariance.kernels) > 1:
            for weight, single in zip(self.covariance.weights, self.components(), strict=True):
                total += weight * (single.mean(values) - mean) ** 2
        return total

    def coarse_spectrum(self) -> FloatArray:
        """Variances of the modes of a DCT of coarse residuals, noise included, at unit sill; shape (ny, nx).

        Of the kernel of largest weight. Around the globe the modes are waves along x. Noise that differs between cells
        has a part in all modes: its harmonic mean is added to each.

        See Also
        --------
        xr_dip.kriging.whitening.coarse_spectrum
        """
        best = self.covariance.best
        return coarse_spectrum(self.support, self.pitch, best) + self.support.typical_noise / best.sill

    def whitener(self, exponent: float = 0.5) -> FloatArray:
        """Matrix that whitens residuals of the constrained cells, for the kernel of largest weight, shape (n, n).

        See Also
        --------
        xr_dip.kriging.whitening.whitener
        """
        return whitener(self.support, self.pitch, self.covariance.best, exponent)

    def _columns(self, values: npt.NDArray[np.floating]) -> FloatArray:
        """Values of the constrained cells, one column per field."""
        if values.shape[-2:] != self.support.shape:
            raise ValueError(f"Invalid values of shape {values.shape}. They must end in {self.support.shape}.")
        columns = values.reshape(-1, *self.support.shape)[:, self.support.cells].T
        if not np.isfinite(columns).all():
            raise ValueError("Invalid values: a constrained cell holds NaN or infinity. They must be finite there.")
        return np.asarray(columns, dtype=np.float64)

    def _grids(self, columns: FloatArray, fill: float = 0.0) -> FloatArray:
        """Columns back on the coarse grid, shape (m, ny, nx)."""
        grids = np.full((columns.shape[1], *self.support.shape), fill)
        grids[:, self.support.cells] = columns.T
        return grids
