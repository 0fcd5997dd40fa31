"""Random fields for the tests of kriging, from one generator."""

import numpy as np

from xr_dip.kriging.matern import colour, torus_margin


def sample_pair(shape, pitch, smoothness, length, rng, *, periodic=False):
    """Draw two independent Matérn fields of unit variance; periodic ones go round along x."""
    margin = torus_margin(pitch, length)
    torus = [size + 2 * wide for size, wide in zip(shape, margin, strict=True)]
    if periodic:
        torus[1] = shape[1]
    fields = [colour(rng.standard_normal(torus), pitch, smoothness, length) for _ in range(2)]
    return tuple(np.ascontiguousarray(field[: shape[0], : shape[1]]) for field in fields)
