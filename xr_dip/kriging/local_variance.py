r"""Posterior variance of block kriging, tile by tile from the neighbourhood.

The variance does not depend on the values, so tiles whose neighbourhoods look the same share it: an open ocean of any
size costs as much as its borders.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from xr_dip.blocks import Factor, FloatArray
from xr_dip.kriging.block_covariance import Cells, Support, patches, point_table
from xr_dip.kriging.covariance import Kernel
from xr_dip.kriging.factorization import Regression, factorize
from xr_dip.kriging.matern import kernel_table
from xr_dip.kriging.trend import coarse_plane, plane, trend_terms

TILE, REACH = 3, 4
"""Coarse cells along a tile, and of its neighbourhood beyond on each side; at borders it is shifted, not cut.

Around the globe the neighbourhood goes on from the other end, or is the whole circle."""


def local_variance(support: Support, pitch: tuple[float, float], kernel: Kernel, *, nugget: float) -> FloatArray:
    """Posterior variance at unit sill, each cell from at least four cells on each side.

    Parameters
    ----------
    support : Support
        Holds the noise of the values, too.
    pitch : (float, float)
        From `xr_dip.kriging.matern.fine_pitch`.
    kernel : Kernel
    nugget : float
        As in `xr_dip.kriging.factorization.factorize`.

    Returns
    -------
    array of float64, shape (ny * fy, nx * fx)
        One, the prior variance, where no cell of the neighbourhood has a value.

    Examples
    --------
    >>> support = Support(np.ones((1, 8)), (1, 2), np.ones((1, 4), dtype=bool))
    >>> variance = local_variance(support, (0.7, 0.7), Kernel(2.5, 2.0, 1.0), nugget=1e-8)
    >>> bool((variance > 0).all()), np.allclose(variance, variance[:, ::-1])
    (True, True)
    """
    (ny, nx), (fy, fx) = support.shape, support.factor
    size_y, size_x = min(ny, TILE + 2 * REACH), min(nx, TILE + 2 * REACH)
    period = support.period if size_x == nx else None
    table = kernel_table((size_y * fy, size_x * fx), pitch, kernel.smoothness, kernel.length, period=period)
    sources = _Sources(table, support.factor)
    known: dict[bytes, FloatArray] = {}
    variance = np.ones((ny * fy, nx * fx))
    for row, column in ((i, j) for i in range(0, ny, TILE) for j in range(0, nx, TILE)):
        top, left = _shifted(row, ny, size_y), _shifted(column, nx, size_x)
        across: Cells = slice(left, left + size_x)
        if support.periodic and size_x < nx:
            left = column - REACH
            across = np.arange(left, left + size_x) % nx
        window = slice(top, top + size_y), across
        if not support.cells[window].any():
            continue
        tile = slice(row - top, min(row + TILE, ny) - top), slice(column - left, min(column + TILE, nx) - left)
        near = support.window(*window)
        look = repr(tile).encode() + near.look
        if look not in known:
            known[look] = _explained(near, sources, tile, nugget, kernel.sill)
        block = known[look]
        variance[row * fy : row * fy + block.shape[0], column * fx : column * fx + block.shape[1]] -= block
    return np.maximum(variance, 0.0)


def _shifted(start: int, n: int, size: int) -> int:
    """First cell of a neighbourhood of `size` cells, shifted into the n cells there are."""
    return min(max(start - REACH, 0), n - size)


def _explained(
    support: Support, sources: _Sources, tile: tuple[slice, slice], nugget: float, sill: float
) -> FloatArray:
    """Share of the unit variance that the cells of a window explain in the fine points of a tile of it."""
    terms = trend_terms(support)
    rows, columns = support.weights.shape
    design = coarse_plane(support)[terms][:, support.cells].T
    noise = support.noise_of_cells / sill
    regression = Regression(factorize(sources.table, support, nugget=nugget, noise=noise), design)
    fine = tuple(slice(s.start * f, s.stop * f) for s, f in zip(tile, support.factor, strict=True))
    trends = plane((rows, columns))[terms][:, fine[0], fine[1]]
    covariances = sources.covariances(support, tile)
    explained = regression.variance(covariances.reshape(len(covariances), -1), trends.reshape(len(terms), -1))
    return explained.reshape(trends.shape[1:])


class _Sources:
    """Covariance of block means with fine points, for windows of one shape.

    Parameters
    ----------
    table : array
        Kernel table of the fine shape of the window.
    factor : (int, int)
    """

    def __init__(self, table: FloatArray, factor: Factor) -> None:
        self.table = table
        self._points = point_table(table, factor)
        mirrored = np.concatenate([table[:0:-1], table])
        self._symmetric = np.concatenate([mirrored[:, :0:-1], mirrored], axis=1)
        self._partial: dict[bytes, FloatArray] = {}

    def covariances(self, support: Support, tile: tuple[slice, slice]) -> FloatArray:
        """Of each constrained cell of a window with the fine points of a tile, shape (n, rows, columns)."""
        (ny, nx), (fy, fx) = support.shape, support.factor
        near, far = np.arange(tile[0].start, tile[0].stop), np.arange(tile[1].start, tile[1].stop)
        shape = len(near) * fy, len(far) * fx
        found = []
        for row, column in np.argwhere(support.cells):
            if support.full[row, column]:
                part = self._points[row - near + ny - 1][:, :, column - far + nx - 1].reshape(shape)
            else:
                field = self._around(patches(support, np.array([row]), np.array([column])).reshape(fy, fx))
                top, left = (int(near[0] - row) + ny - 1) * fy, (int(far[0] - column) + nx - 1) * fx
                part = field[top : top + shape[0], left : left + shape[1]]
            found.append(part)
        return np.stack(found)

    def _around(self, shares: FloatArray) -> FloatArray:
        """Of one partial cell with every fine point of the cells around it, itself in the middle."""
        look = shares.tobytes()
        if look not in self._partial:
            self._partial[look] = np.asarray(fftconvolve(self._symmetric, shares, mode="valid"))
        return self._partial[look]
