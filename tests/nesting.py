"""Is a fine field made of the cells of its coarse one? Answers from what a reader of the two files sees only."""

import numpy as np
from scipy.spatial import cKDTree


def block_means(fine, factor):
    """Means over blocks of the last two axes in float64, NaN left out; NaN where there is nothing else."""
    values = np.asarray(fine, dtype=np.float64)
    ny, nx = (size // count for size, count in zip(values.shape[-2:], factor, strict=True))
    blocks = values.reshape(*values.shape[:-2], ny, factor[0], nx, factor[1])
    known = np.isfinite(blocks).sum(axis=(-3, -1))
    return np.where(known, np.nansum(blocks, axis=(-3, -1)) / np.maximum(known, 1), np.nan)


def assert_nested(fine, coarse, factor, turn=360.0, slack=0.0):
    """Each fine position is nearest to that of its own coarse cell; latitude and longitude, both 1-D or both 2-D.

    Edges half-way between centres are where the nearest centre changes; those of 2-D cells are smooth lines and may lie
    aside by the part `slack` of a distance. A plane, whose x does not come back to where it was, has the turn infinity.
    """
    if coarse[0].ndim == 1:
        for axis, (many, few) in enumerate(zip(fine, coarse, strict=True)):
            own = np.repeat(np.arange(few.size), factor[axis])
            away = np.abs(np.subtract.outer(many, few))
            away = np.minimum(away, turn - away) if axis else away
            assert np.all(away[np.arange(many.size), own] <= away.min(axis=1) + 1e-5)
        return
    own = np.kron(np.arange(coarse[0].size).reshape(coarse[0].shape), np.ones(factor, dtype=int))
    distance, _ = cKDTree(_points(*coarse)).query(_points(*fine))
    to_own = np.linalg.norm(_points(*fine) - _points(*coarse)[own.ravel()], axis=1)
    assert np.all(to_own <= (1 + slack) * distance + 1e-7)


def _points(latitude, longitude):
    """Positions on the unit sphere, shape (n, 3)."""
    lat, lon = np.radians(np.ravel(latitude)), np.radians(np.ravel(longitude))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
