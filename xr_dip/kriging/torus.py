r"""Convolution of block weights with a kernel by FFT, on a torus twice as wide as the domain.

The torus is a whole number of coarse cells, so that the spectrum of values repeated over their cells is the spectrum of
the coarse grid, repeated, times the transform of one box: without partial cells no fine forward transform is needed.

Around the globe the torus is along x just as wide as the domain, whose ends then do see each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from xr_dip.blocks import FloatArray, repeat
from xr_dip.kriging.block_covariance import Support
from xr_dip.kriging.covariance import Kernel
from xr_dip.kriging.matern import kernel_table

ComplexArray = npt.NDArray[np.complex128]


class Torus:
    """A periodic fine grid, wide enough that no two ends of the domain see each other, unless the support goes round.

    Parameters
    ----------
    support : Support
    pitch : (float, float)
        From `xr_dip.kriging.matern.fine_pitch`.
    """

    def __init__(self, support: Support, pitch: tuple[float, float]) -> None:
        self.support = support
        self.pitch = pitch
        rows, columns = (fft.next_fast_len(2 * n) for n in support.shape)
        self.cells = (rows, support.shape[1] if support.periodic else columns)
        self.shape = tuple(n * f for n, f in zip(self.cells, support.factor, strict=True))

    def transfer(self, kernel: Kernel) -> FloatArray:
        """Transform of a unit kernel, which is real: its torus is symmetric."""
        half = (self.shape[0] // 2 + 1, self.shape[1] // 2 + 1)
        quarter = kernel_table(half, self.pitch, kernel.smoothness, kernel.length, period=self.support.period)
        rows, columns = (np.minimum(i := np.arange(n), n - i) for n in self.shape)
        return np.asarray(fft.rfft2(quarter[np.ix_(rows, columns)]).real)

    def deposit(self, coarse: FloatArray) -> ComplexArray:
        """Transform of ``D^T`` of coarse fields, shape (m, rows, columns // 2 + 1)."""
        if self.support.partial.any():
            fine = repeat(coarse, self.support.factor) * self.support.shares
            return np.asarray(fft.rfft2(fine, s=self.shape))
        # Repeating a value over its cell repeats the spectrum of the coarse grid, times the transform of one box.
        spectrum = fft.fft2(coarse, s=self.cells)
        rows, columns = np.arange(self.shape[0]), np.arange(self.shape[1] // 2 + 1)
        tiled = spectrum[:, (rows % self.cells[0])[:, None], columns % self.cells[1]]
        boxes = [
            np.exp(-2j * np.pi * np.outer(frequency, np.arange(f)) / n).mean(axis=1)
            for frequency, f, n in zip((rows, columns), self.support.factor, self.shape, strict=True)
        ]
        return np.asarray(tiled * (boxes[0][:, None] * boxes[1]))

    def fields(self, spectrum: ComplexArray) -> FloatArray:
        """Fine fields of their transforms, cut to the domain."""
        rows, columns = self.support.weights.shape
        return np.asarray(fft.irfft2(spectrum, s=self.shape)[..., :rows, :columns])
