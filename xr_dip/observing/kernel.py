"""A kernel of observation: how much each fine cell counts in one coarse value, around the centre of its coarse cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray

Term = tuple[FloatArray, FloatArray]
NEGLIGIBLE = 1e-14
"""Share of the largest singular value below which a term of a kernel is rounding."""


@dataclass(frozen=True, eq=False)
class ObservationKernel:
    """Weights of fine cells around the centre of a coarse cell, as a sum of products of weights along y and along x.

    Attributes
    ----------
    terms : tuple of (array, array)
        Weights along y and along x of each term, shapes (rows,) and (columns,), shares of the sum, which is 1. One term
        for a kernel that is a product.
    positive : tuple of (array, array)
        The same, of these shapes, with what is negative left out: for coasts, see `xr_dip.observing.sampling`.
    factor : (int, int)
        Fine cells per coarse cell along y and x.

    Examples
    --------
    >>> kernel = product_kernel(np.array([1.0, 1.0]), np.array([1.0, 2.0, 1.0]), (2, 1))
    >>> kernel.table()
    array([[0.125, 0.25 , 0.125],
           [0.125, 0.25 , 0.125]])
    """

    terms: tuple[Term, ...]
    positive: tuple[Term, ...]
    factor: Factor

    @property
    def shape(self) -> tuple[int, int]:
        """Fine cells along y and x; each even where the factor is."""
        return len(self.terms[0][0]), len(self.terms[0][1])

    @property
    def negative(self) -> bool:
        """Whether some weight is below zero."""
        return self.positive is not self.terms

    def table(self) -> FloatArray:
        """Return all weights, shape (rows, columns), their sum one."""
        return np.asarray(sum(np.outer(rows, columns) for rows, columns in self.terms))

    def gain(self) -> float:
        """Return the largest factor by which exact enforcement may multiply an error of the coarse values.

        The smallest field (root mean square) with given coarse values is at most so many times as large as they are,
        on an open sea without borders: 1 for the block mean. It is large where the kernel hides a pattern of coarse
        cells, as a wide Gaussian does. Equation :eq:`gain` of the theory page.

        Returns
        -------
        float

        Examples
        --------
        >>> round(product_kernel(np.ones(4), np.ones(4), (4, 4)).gain(), 6)
        1.0
        """
        spectrum = self.spectrum((48, 48))
        cells = self.factor[0] * self.factor[1]
        return float(np.inf if spectrum.min() <= 0 else (cells * spectrum.min()) ** -0.5)

    def spectrum(self, shape: tuple[int, int]) -> FloatArray:
        """Eigenvalues of ``A A^T`` on a torus of coarse cells, where it is a convolution.

        Parameters
        ----------
        shape : (int, int)
            Coarse cells along y and x; a kernel wider than that goes round.

        Returns
        -------
        array, shape (ny, nx)
            In the order of ``np.fft.fft2``; not negative.
        """
        waves = [_waves([term[axis] for term in self.terms], shape[axis], self.factor[axis]) for axis in range(2)]
        rows, columns = (np.einsum("tpk,spk->tsk", each, each.conj()) for each in waves)
        return np.asarray(np.einsum("tsy,tsx->yx", rows, columns).real.clip(min=0.0))


def _waves(lines: list[FloatArray], cells: int, factor: int) -> npt.NDArray[np.complex128]:
    """Fourier transform over coarse cells of each term and phase of weights along one axis, (terms, phases, cells).

    Of one phase are the weights that are whole coarse cells apart.
    """
    position = first_tap(len(lines[0]), factor) + np.arange(len(lines[0]))
    found = np.zeros((len(lines), factor, cells))
    for weights, line in zip(found, lines, strict=True):
        np.add.at(weights, (position % factor, (position // factor) % cells), line)
    return np.asarray(np.fft.fft(found, axis=-1))


def first_tap(size: int, factor: int) -> int:
    """Return where a centred kernel begins, counted from the first fine cell of its coarse cell.

    Parameters
    ----------
    size : int
        Fine cells of the kernel, even where the factor is.
    factor : int

    Returns
    -------
    int

    Examples
    --------
    >>> first_tap(3, 3), first_tap(8, 2)
    (0, -3)
    """
    return (factor - size) // 2


def product_kernel(rows: FloatArray, columns: FloatArray, factor: Factor) -> ObservationKernel:
    """Make a kernel of one term, its sum one.

    Parameters
    ----------
    rows, columns : array, shapes (rows,) and (columns,)
        Weights along y and along x, shares of any positive sum.
    factor : (int, int)

    Returns
    -------
    ObservationKernel

    Examples
    --------
    >>> product_kernel(np.ones(2), np.ones(2), (2, 2)).table()
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    lines = rows / rows.sum(), columns / columns.sum()
    if min(line.min() for line in lines) >= 0:
        terms = (lines,)
        return ObservationKernel(terms, terms, factor)
    return ObservationKernel((lines,), ((np.maximum(lines[0], 0.0), np.maximum(lines[1], 0.0)),), factor)


def table_kernel(table: FloatArray, factor: Factor) -> ObservationKernel:
    """Make a kernel of a table of weights whose sum is one, as the sum of products of its singular vectors.

    Parameters
    ----------
    table : array, shape (rows, columns)
        Shares of the sum; each size even where the factor is.
    factor : (int, int)

    Returns
    -------
    ObservationKernel

    Examples
    --------
    >>> len(table_kernel(np.full((3, 3), 1 / 9), (3, 3)).terms), len(table_kernel(np.eye(3) / 3, (3, 3)).terms)
    (1, 3)
    """
    positive = np.maximum(table, 0.0)
    terms = _products(table)
    return ObservationKernel(terms, terms if np.array_equal(positive, table) else _products(positive), factor)


def _products(table: FloatArray) -> tuple[Term, ...]:
    """Write a table as a sum of products: its singular value decomposition."""
    left, size, right = np.linalg.svd(table, full_matrices=False)
    count = int((size > NEGLIGIBLE * size[0]).sum())
    return tuple((left[:, k] * size[k], right[k]) for k in range(count))
