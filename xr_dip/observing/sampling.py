r"""Coarse values of a fine field seen through a kernel, with land, weights and borders.

.. math:: (A x)_c = \frac{\sum_p k_{cp} w_p x_p}{\sum_p k_{cp} w_p}

(equation :eq:`sampling` of the theory page) with ``k_cp`` the kernel centred on coarse cell c and ``w_p`` the weight of
fine cell p, 0 on land. What is beyond a border counts as land, unless the domain is a circle. So a constant stays one
at every coast and border. At borders, equal weights give the numbers of image libraries, which divide by the sum of
what is inside of the image.

Kernels with negative lobes may have next to nothing to divide by at a ragged coast. Where the net weight is less than
half of what it is in the open sea, against the weight of what is positive, the negative weights along each axis (of a
kernel that is no product, in its table) are left out for that coarse cell.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from xr_dip.blocks import Factor, FloatArray
from xr_dip.errors import first_index
from xr_dip.observing.kernel import ObservationKernel, Term, first_tap

LEAST_NET = 0.5
"""Part of the net weight in the open sea below which the negative lobes of a kernel are left out."""
NOTHING = 1e-12
"""Part of the weight of the open sea that counts as none."""


class Sampling:
    """The map from a fine field to its coarse values through a kernel.

    Parameters
    ----------
    kernel : ObservationKernel
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell, not negative; 0 on land.
    periodic : bool
        Whether the last column borders on the first.

    Attributes
    ----------
    seen : array of bool, shape (ny, nx)
        Coarse cells whose kernel holds some sea.

    Raises
    ------
    ValueError
        If the shape of the weights is no multiple of the factor.

    Examples
    --------
    >>> from xr_dip.observing.kernels import make_kernel
    >>> kernel = make_kernel("fir", {"kernel": [[1, 2, 1]]}, (1, 1))
    >>> Sampling(kernel, np.array([[1.0, 1.0, 0.0]]))(np.array([[3.0, 0.0, np.nan]]))
    array([[2., 1., 0.]])
    """

    def __init__(self, kernel: ObservationKernel, weights: npt.NDArray[np.floating], *, periodic: bool = False) -> None:
        rows, columns = weights.shape
        fy, fx = self.factor = kernel.factor
        if rows % fy or columns % fx:
            raise ValueError(f"Invalid fine shape {(rows, columns)}. It must be a multiple of the factor {(fy, fx)}.")
        self.kernel, self.periodic = kernel, periodic
        self.weights = np.asarray(weights, dtype=np.float64)
        self.shape = rows // fy, columns // fx
        self.terms = [self._matrices(term) for term in kernel.terms]
        total = self._summed(self.terms, self.weights)
        self.lacking = np.zeros(self.shape, dtype=bool)
        self.positive: list[tuple[csr_array, csr_array]] = []
        if kernel.negative:
            self.positive = [self._matrices(term) for term in kernel.positive]
            most = self._summed(self.positive, self.weights)
            in_open_sea = sum(float(r.sum() * c.sum()) for r, c in kernel.positive)
            self.lacking = total * in_open_sea < LEAST_NET * most
            total = np.where(self.lacking, most, total)
        self.total = total
        self.seen = total > NOTHING * self.weights.max(initial=0.0)

    def __call__(self, field: npt.NDArray[np.floating]) -> FloatArray:
        """Return the coarse values (..., ny, nx) of a field (..., ny * fy, nx * fx), NaN where no sea is seen.

        Fine cells of weight 0 never count, whatever they hold, NaN included.
        """
        weighted = np.where(self.weights > 0, field, 0.0) * self.weights
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.seen, self._gathered(weighted) / self.total, np.nan)

    def misfit(self, field: npt.NDArray[np.floating], values: npt.NDArray[np.floating]) -> FloatArray:
        """Return ``y - A x``; 0 where nothing is observed: no value, or no weight. Shapes as for calls."""
        unseen = np.isnan(values) | ~self.seen
        return np.asarray(np.where(unseen, 0.0, values - self(field)))

    def transposed(self, coarse: FloatArray) -> FloatArray:
        """Return ``W^-1 A^T`` of coarse numbers (ny, nx), of shape (ny * fy, nx * fx); 0 on land.

        It is the transpose of the map in the inner product that weighs fine cells by their weights.
        """
        shared = np.divide(coarse, self.total, out=np.zeros(self.shape), where=self.seen)
        field = _back(self.terms, np.where(self.lacking, 0.0, shared))
        if self.lacking.any():
            field = field + _back(self.positive, np.where(self.lacking, shared, 0.0))
        return np.where(self.weights > 0, field, 0.0)

    def check(self, cells: npt.NDArray[np.bool_]) -> None:
        """Refuse a kernel that sees no sea in one of these coarse cells (ny, nx), which have some."""
        blind = cells & ~self.seen
        if blind.any():
            raise ValueError(
                f"Invalid kernel. It must see sea wherever a coarse cell has some, but of the cell at index "
                f"{first_index(blind)} it sees none."
            )

    @cached_property
    def spectrum(self) -> FloatArray:
        """Eigenvalues of ``A W^-1 A^T``, if the domain were a torus of open sea, (ny, nx), for `np.fft.fft2`."""
        sea = self.weights[self.weights > 0]
        return self.kernel.spectrum(self.shape) / float(sea.mean())

    def _gathered(self, weighted: FloatArray) -> FloatArray:
        """Sum what each coarse cell sees."""
        sums = self._summed(self.terms, weighted)
        if self.lacking.any():
            sums = np.where(self.lacking, self._summed(self.positive, weighted), sums)
        return sums

    def _summed(self, terms: list[tuple[csr_array, csr_array]], field: FloatArray) -> FloatArray:
        """Apply all terms to a field with any leading axes."""
        lead = field.shape[:-2]
        flat = field.reshape(-1, *field.shape[-2:])
        found = [sum((columns @ (rows @ each).T).T for rows, columns in terms) for each in flat]
        return np.asarray(found).reshape(*lead, *self.shape)

    def _matrices(self, term: Term) -> tuple[csr_array, csr_array]:
        rows, columns = term
        return (
            axis_rows(rows, self.shape[0], self.factor[0]),
            axis_rows(columns, self.shape[1], self.factor[1], periodic=self.periodic),
        )


class Misfit(Protocol):
    """What says how far a field is from coarse values."""

    def __call__(
        self,
        field: npt.NDArray[np.floating],
        values: npt.NDArray[np.floating],
        weights: npt.NDArray[np.floating],
        factor: Factor,
    ) -> FloatArray:
        """Return values minus those of the field, shape (..., ny, nx); arguments as of `xr_dip.blocks.misfit`."""


def misfit_through(
    field: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    *,
    kernel: ObservationKernel,
    periodic: bool = False,
) -> FloatArray:
    """``y - A x`` through a kernel; 0 where nothing is observed: no value, or no weight.

    Parameters
    ----------
    field, values, weights, factor
        As for `xr_dip.blocks.misfit`.
    kernel : ObservationKernel
        Of the same factor.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    array of float64, shape (..., ny, nx), unit of the field

    Examples
    --------
    >>> from xr_dip.observing.kernels import make_kernel
    >>> kernel = make_kernel("lanczos2", {}, (2, 2))
    >>> misfit_through(np.ones((2, 4)), np.array([[1.5, np.nan]]), np.ones((2, 4)), (2, 2), kernel=kernel).round(9)
    array([[0.5, 0. ]])
    """
    assert kernel.factor == tuple(factor)
    return Sampling(kernel, weights, periodic=periodic).misfit(field, values)


def axis_rows(taps: FloatArray, cells: int, factor: int, *, periodic: bool = False) -> csr_array:
    """Matrix of the weights of fine cells in each coarse cell along one axis.

    Parameters
    ----------
    taps : array
        Weights around the centre of a coarse cell; their number is even where the factor is.
    cells : int
        Coarse cells.
    factor : int
    periodic : bool
        Weights beyond an end fall on the other end; else they are left out.

    Returns
    -------
    csr_array, shape (cells, cells * factor)

    Examples
    --------
    >>> axis_rows(np.array([1.0, 2.0, 3.0]), 2, 1).toarray()
    array([[2., 3.],
           [1., 2.]])
    >>> axis_rows(np.array([1.0, 2.0, 3.0]), 3, 1, periodic=True).toarray()
    array([[2., 3., 1.],
           [1., 2., 3.],
           [3., 1., 2.]])
    """
    size = cells * factor
    row = np.repeat(np.arange(cells), len(taps))
    column = row * factor + np.tile(first_tap(len(taps), factor) + np.arange(len(taps)), cells)
    weight = np.tile(taps, cells)
    inside = np.ones(len(row), dtype=bool) if periodic else (column >= 0) & (column < size)
    entries = (weight[inside], (row[inside], column[inside] % size))
    return csr_array(entries, shape=(cells, size))


def _back(terms: list[tuple[csr_array, csr_array]], coarse: FloatArray) -> FloatArray:
    return np.asarray(sum((columns.T @ (rows.T @ coarse).T).T for rows, columns in terms))
