"""Small seas with land and weights, and the kernels that tests look through."""

import numpy as np
from hypothesis import strategies as st

from xr_dip.observing.kernels import make_kernel
from xr_dip.observing.sampling import Sampling

CROOKED = np.array([[0.0, 1.0, 2.0, 0.5], [-0.5, 4.0, 0.5, 1.0], [0.25, 0.0, 3.0, 2.0]])
OPERATORS = {
    "block_mean": {},
    "lanczos2": {},
    "lanczos3": {},
    "gaussian": {"width": 0.4},
    "bicubic": {},
    "fir": {"kernel": CROOKED},
}
KINDS = ("equal", "latitude", "land", "strips", "area and land")


def make_weights(kind, shape, seed):
    """Weights of fine cells; some are a product of rows and columns, some are not."""
    rng = np.random.default_rng(seed)
    weights = np.ones(shape)
    if kind == "latitude":
        weights *= np.cos(np.linspace(0.1, 1.2, shape[0]))[:, None]
    if kind == "strips":
        weights *= (rng.random(shape[0]) < 0.7)[:, None] * (rng.random(shape[1]) < 0.7)
    if kind == "area and land":
        weights = rng.uniform(0.5, 2, shape) * 1e8
    if "land" in kind:
        weights *= rng.random(shape) < 0.7
    weights[0, 0] = max(weights[0, 0], weights.max())
    return weights


@st.composite
def samplings(draw, kinds=KINDS, operators=tuple(OPERATORS)):
    """A map through any kernel, of up to 4 x 4 coarse cells."""
    pair = st.tuples(st.integers(1, 4), st.integers(1, 4))
    shape, factor = draw(pair), draw(pair)
    fine = shape[0] * factor[0], shape[1] * factor[1]
    weights = make_weights(draw(st.sampled_from(kinds)), fine, draw(st.integers(0, 2**31)))
    name = draw(st.sampled_from(operators))
    return Sampling(make_kernel(name, OPERATORS[name], factor), weights, periodic=draw(st.booleans()))
