"""Universal block kriging written out with explicit matrices on every fine cell: the reference of the kriging tests."""

import numpy as np

from xr_dip.kriging.matern import matern


class DenseKriging:
    """All matrices of one kernel at unit sill: small grids only. A periodic one sees 30 images on each side."""

    def __init__(
        self, weights, factor, pitch, smoothness, length, cells, nugget=0.0, noise=0.0, trend=True, periodic=False
    ):
        rows, columns = weights.shape
        self.shape = weights.shape
        y, x = np.indices(weights.shape).reshape(2, -1)
        images = columns * np.arange(-30, 31) if periodic else [0]
        self.k = sum(
            matern(np.hypot((y[:, None] - y) * pitch[0], (x[:, None] - x + image) * pitch[1]) / length, smoothness)
            for image in images
        )
        self.k /= self.k[0, 0]
        owner = (y // factor[0]) * cells.shape[1] + x // factor[1]
        self.d = np.zeros((cells.size, rows * columns))
        self.d[owner, np.arange(rows * columns)] = weights.ravel()
        self.d = self.d[cells.ravel()]
        self.d /= self.d.sum(axis=1, keepdims=True)
        self.t = np.stack([np.ones(y.size), y / rows, x / columns], axis=1)[:, : (2 if periodic else 3) if trend else 1]
        self.c = self.d @ self.k @ self.d.T
        ones = np.full(np.prod(factor), 1 / np.prod(factor))
        block = (y // factor[0] == 0) & (x // factor[1] == 0)
        variance = ones @ self.k[np.ix_(block, block)] @ ones
        self.c += (nugget * variance + noise) * np.eye(len(self.c))
        self.inverse = np.linalg.inv(self.c)
        self.design = self.d @ self.t
        normal = self.design.T @ self.inverse @ self.design
        self.slopes = np.linalg.solve(normal, self.design.T @ self.inverse)
        self.q = self.inverse - self.inverse @ self.design @ self.slopes
        self.normal = normal

    def mean(self, columns):
        """Estimate of the values of the constrained cells."""
        return (self.t @ self.slopes @ columns + self.k @ self.d.T @ self.q @ columns).reshape(self.shape)

    def variance(self):
        """Posterior variance of every fine cell at unit sill."""
        cross = self.d @ self.k
        unexplained = self.t.T - self.design.T @ self.inverse @ cross
        explained = (cross * (self.inverse @ cross)).sum(axis=0)
        return (1 - explained + (unexplained * np.linalg.solve(self.normal, unexplained)).sum(axis=0)).reshape(
            self.shape
        )
