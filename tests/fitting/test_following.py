"""A fit that is looked at: the same fit, and its field at each look."""

import numpy as np
import pytest
from toys import Free

from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.following import follow, plain_problem
from xr_dip.fitting.stopping import fixed

CONFIG = FitConfig(iterations=40, learning_rate=0.05, schedule="constant")


def test_looking_changes_nothing_and_the_last_look_is_the_result():
    values = np.random.default_rng(0).normal(size=(3, 4))
    values[0, 0] = np.nan
    problem = plain_problem(values, np.kron(np.isfinite(values), np.ones((2, 2))), (2, 2), "mse")
    seen = {}
    followed = follow(lambda: Free((6, 8)), problem, CONFIG, seen.__setitem__, every=20)
    plain = fit(lambda: Free((6, 8)), problem, CONFIG, fixed)
    np.testing.assert_array_equal(followed.losses, plain.losses)
    np.testing.assert_array_equal(followed.field, plain.field)
    assert list(seen) == [20, 40]
    np.testing.assert_array_equal(seen[40], plain.field)


def test_the_plain_problem_is_the_mean_square_of_block_means():
    """From a field of zeros the first loss is the mean square of the values that are there."""
    values = np.array([[1.0, np.nan], [3.0, -2.0]])
    problem = plain_problem(values, np.kron(np.isfinite(values), np.ones((2, 2))), (2, 2))
    losses = fit(lambda: Free((4, 4)), problem, CONFIG, fixed).losses
    assert losses[0] == pytest.approx((1 + 9 + 4) / 3)


def test_steps_between_looks_are_counted_in_tens():
    with pytest.raises(ValueError, match=r"Invalid every 15\. It must be a multiple of 10"):
        follow(lambda: Free((2, 2)), plain_problem(np.eye(2), np.ones((2, 2)), (1, 1)), CONFIG, print, every=15)
