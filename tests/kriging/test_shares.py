"""Which basin has which coarse values: counted by hand, and against a loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.basins import label_basins
from xr_dip.blocks import block_mean, block_sum
from xr_dip.kriging.block_covariance import Support
from xr_dip.kriging.shares import BasinShares


@given(st.integers(0, 2**31), st.sampled_from([0.4, 0.6, 0.8]))
@settings(max_examples=30)
def test_shares_are_those_of_a_loop_over_basins(seed, share):
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((8, 12)) < share, rng.uniform(0.5, 1.0, (8, 12)), 0.0)
    weights[0, 0] = 1.0
    cells = block_sum(weights, (2, 3)) > 0
    cells[1, 1:3] = False
    labels = label_basins(weights > 0)
    shares = BasinShares(labels, Support(weights, (2, 3), cells))
    parts = np.stack([block_sum(np.where(labels == n, weights, 0.0), (2, 3)) * cells for n in range(labels.max() + 1)])
    parts[0] = 0.0
    np.testing.assert_array_equal(shares.counts, (parts > 0).sum(axis=(1, 2)))
    np.testing.assert_array_equal(shares.owner, parts.argmax(axis=0))
    np.testing.assert_array_equal(np.sort(shares.lone.labels), np.flatnonzero(shares.counts == 1))
    field = rng.standard_normal((3, *weights.shape))
    expected = [
        block_mean(field, np.where(labels == n, weights, 0.0), (2, 3)).reshape(3, -1)[:, cell]
        for n, cell in zip(shares.lone.labels, shares.lone.cells, strict=True)
    ]
    found = shares.lone.means(np.where(weights > 0, field, np.nan))
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 3).T, atol=1e-12)


def test_the_lower_number_owns_a_cell_of_equal_parts():
    weights = np.array([[1.0, 1.0, 0.0, 1.0, 1.0, 1.0]])
    shares = BasinShares(label_basins(weights > 0), Support(weights, (1, 3), np.array([[True, True]])))
    assert shares.owner.tolist() == [[2, 1]]
    weights = np.array([[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]])
    shares = BasinShares(label_basins(weights > 0), Support(weights, (1, 6), np.array([[True]])))
    assert shares.owner.tolist() == [[1]]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones((2, 3), dtype=np.int32), r"Invalid labels of shape \(2, 3\). They must have the shape \(2, 4\)"),
        (np.array([[1, 1, 1, 1], [1, 0, 1, 1]], dtype=np.int32), r"Invalid label 0 at index \(1, 1\). A cell with"),
    ],
)
def test_labels_must_fit_the_weights(labels, message):
    with pytest.raises(ValueError, match=message):
        BasinShares(labels, Support(np.ones((2, 4)), (2, 2), np.ones((1, 2), dtype=bool)))
