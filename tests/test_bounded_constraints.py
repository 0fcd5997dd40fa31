"""Constraints with bounds: exact, idempotent, within bounds, and refused outside their domain."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_constraints import PAIRS, make_weights

from xr_dip.blocks import block_mean, block_sum
from xr_dip.constraints import additive
from xr_dip.positive import multiplicative, softmax
from xr_dip.value_range import geiss, scadd

LOW, HIGH = -1.5, 2.5
OFFSET = 1.6
# Each with its bounds, here all below what the cases hold.
BOUNDED = {
    "geiss": (partial(geiss, value_range=(LOW, HIGH)), LOW, HIGH),
    "scadd": (partial(scadd, value_range=(LOW, HIGH)), LOW, HIGH),
    "multiplicative": (partial(multiplicative, offset=OFFSET), -OFFSET, np.inf),
    "softmax": (partial(softmax, offset=OFFSET), -OFFSET, np.inf),
}
each = pytest.mark.parametrize("name", BOUNDED)


@st.composite
def cases(draw):
    """Two fields in [-1.5, 2.5], values likewise, with NaN where there is no sea; weights cos(latitude) and land."""
    shape, factor = draw(PAIRS), draw(PAIRS)
    seed = draw(st.integers(0, 2**31))
    weights = make_weights(shape, factor, draw(st.sampled_from([0.0, 0.3, 0.8])), seed)
    rng = np.random.default_rng(seed)
    fields = rng.uniform(LOW, HIGH, size=(2, *weights.shape))
    values = np.where(block_sum(weights, factor) > 0, rng.uniform(LOW, HIGH, size=shape), np.nan)
    # Some on the bounds themselves.
    values = np.where(rng.random(shape) < 0.1, np.clip(values * 10, LOW, HIGH), values)
    return fields, values, weights, factor


def means(field, case):
    _, _, weights, factor = case
    return block_mean(field, weights, factor)


@each
@given(cases())
@settings(max_examples=60, deadline=None)
def test_block_means_are_exact(name, case):
    constraint, _, _ = BOUNDED[name]
    fields, values, weights, factor = case
    enforced = constraint(fields, values, weights, factor)
    np.testing.assert_allclose(means(enforced, case), np.stack([values] * 2), rtol=0, atol=1e-13)
    stored = enforced.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(means(stored, case), np.stack([values] * 2), rtol=0, atol=1e-6)


@each
@given(cases())
@settings(max_examples=60, deadline=None)
def test_bounds_are_kept(name, case):
    constraint, low, high = BOUNDED[name]
    fields, values, weights, factor = case
    enforced = constraint(fields, values, weights, factor)[:, weights > 0]
    assert low <= enforced.min() <= enforced.max() <= high


@each
@given(cases())
@settings(max_examples=40, deadline=None)
def test_idempotent(name, case):
    constraint, _, _ = BOUNDED[name]
    fields, values, weights, factor = case
    once = constraint(fields, values, weights, factor)
    again = constraint(once, values, weights, factor) if name != "multiplicative" or _inside(once, case) else once
    np.testing.assert_allclose(again, once, rtol=0, atol=1e-12)


def _inside(field, case):
    return bool((field[:, case[2] > 0] > -OFFSET).all())


@each
@given(cases(), st.sampled_from([np.nan, np.inf, -9999.0]))
@settings(max_examples=40, deadline=None)
def test_land_is_neither_read_nor_changed(name, case, on_land):
    constraint, _, _ = BOUNDED[name]
    (field, _), values, weights, factor = case
    other = np.where(weights > 0, field, on_land)
    before = other.copy()
    enforced = constraint(other, values, weights, factor)
    np.testing.assert_array_equal(enforced[weights == 0], before[weights == 0])
    np.testing.assert_array_equal(other, before)
    np.testing.assert_array_equal(enforced[weights > 0], constraint(field, values, weights, factor)[weights > 0])


@each
@given(cases())
@settings(max_examples=40, deadline=None)
def test_cells_without_a_value_are_left_as_they_are(name, case):
    constraint, _, _ = BOUNDED[name]
    (field, _), values, weights, factor = case
    values = values.copy()
    values[0, 0] = np.nan
    enforced = constraint(field, values, weights, factor)
    block = np.s_[: factor[0], : factor[1]]
    # To rounding: those with a range map the field to [-1, 1] and back.
    np.testing.assert_allclose(enforced[block], field[block], rtol=0, atol=1e-15)


@each
@given(cases())
@settings(max_examples=40, deadline=None)
def test_members_are_enforced_one_by_one(name, case):
    constraint, _, _ = BOUNDED[name]
    fields, values, weights, factor = case
    together = constraint(fields, values, weights, factor)
    alone = np.stack([constraint(field, values, weights, factor) for field in fields])
    np.testing.assert_array_equal(together, alone)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_scadd_equals_geiss(case):
    fields, values, weights, factor = case
    found = [form(fields, values, weights, factor, value_range=(LOW, HIGH)) for form in (geiss, scadd)]
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-12)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_geiss_keeps_the_order_within_a_cell(case):
    (field, _), values, weights, factor = case
    enforced = geiss(field, values, weights, factor, value_range=(LOW, HIGH))
    block = np.s_[: factor[0], : factor[1]]
    sea = weights[block] > 0
    order = np.argsort(field[block][sea])
    assert (np.diff(enforced[block][sea][order]) >= -1e-14).all()


def test_geiss_on_paper():
    # In [-1, 1]: x = (-0.5, 0.5), m = 0, c = 0.5, s = 1, a = (c - m) / (s - m) = 1/2.
    enforced = geiss(np.array([[-0.5, 0.5]]), np.array([[0.5]]), np.ones((1, 2)), (1, 2), value_range=(-1, 1))
    np.testing.assert_allclose(enforced, [[0.25, 0.75]], rtol=1e-15)


def test_geiss_with_weights_on_paper():
    # w = (3, 1): m = -0.25, c = -0.5, s = -1, a = (-0.25) / (-0.75) = 1/3.
    weights = np.array([[3.0, 1.0]])
    enforced = geiss(np.array([[-0.5, 0.5]]), np.array([[-0.5]]), weights, (1, 2), value_range=(-1, 1))
    np.testing.assert_allclose(enforced, [[-0.5 - 0.5 / 3, 0.5 - 1.5 / 3]], rtol=1e-15)


@pytest.mark.parametrize("form", [geiss, scadd])
def test_what_the_fit_has_outside_of_the_range_is_cut_off(form):
    enforced = form(np.array([[-9.0, 9.0]]), np.array([[0.0]]), np.ones((1, 2)), (1, 2), value_range=(-1, 1))
    np.testing.assert_array_equal(enforced, [[-1.0, 1.0]])


@pytest.mark.parametrize("form", [geiss, scadd])
@pytest.mark.parametrize("end", [-1.0, 1.0])
def test_a_value_on_the_bound_fills_its_cell(form, end):
    enforced = form(np.array([[-0.5, 0.7]]), np.array([[end]]), np.ones((1, 2)), (1, 2), value_range=(-1, 1))
    np.testing.assert_array_equal(enforced, [[end, end]])
    again = form(enforced, np.array([[end]]), np.ones((1, 2)), (1, 2), value_range=(-1, 1))
    np.testing.assert_array_equal(again, enforced)


@pytest.mark.parametrize("form", [geiss, scadd])
def test_values_outside_of_the_range_are_refused(form):
    message = r"Invalid value_range \(-1.0, 1.0\). It must hold every coarse value, here from 0.5 to 1.25"
    with pytest.raises(ValueError, match=message):
        form(np.zeros((1, 4)), np.array([[0.5, 1.25]]), np.ones((1, 4)), (1, 2), value_range=(-1, 1))


def test_multiplicative_keeps_the_ratios():
    enforced = multiplicative(np.array([[1.0, 2.0, 3.0, 5.0]]), np.array([[6.0, 2.0]]), np.ones((1, 4)), (1, 2))
    np.testing.assert_allclose(enforced, [[4.0, 8.0, 1.5, 2.5]], rtol=1e-15)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_with_a_large_offset_both_are_additive(case):
    # x (1 + d / m) with m, x >> d: x + d + O(d / offset).
    (field, _), values, weights, factor = case
    plain = additive(field, values, weights, factor)
    for form in (multiplicative, softmax):
        found = form(field, values, weights, factor, offset=1e6)
        np.testing.assert_allclose(found, plain, rtol=0, atol=1e-4)


def test_softmax_on_paper():
    # exp(x / c) = (e, e^3) and c = 2: 4 / (1 + e^2) and 4 e^2 / (1 + e^2).
    enforced = softmax(np.array([[2.0, 6.0]]), np.array([[2.0]]), np.ones((1, 2)), (1, 2))
    square = np.exp(2.0)
    np.testing.assert_allclose(enforced, [[4 / (1 + square), 4 * square / (1 + square)]], rtol=1e-14)


def test_softmax_takes_any_fit():
    enforced = softmax(np.array([[-1e6, 1e6]]), np.array([[2.0]]), np.ones((1, 2)), (1, 2))
    np.testing.assert_array_equal(enforced, [[0.0, 4.0]])


def test_softmax_corrects_a_negative_fit_with_the_right_mean():
    enforced = softmax(np.array([[-1.0, 5.0]]), np.array([[2.0]]), np.ones((1, 2)), (1, 2))
    assert enforced.min() > 0
    assert enforced.mean() == pytest.approx(2.0)


@pytest.mark.parametrize("form", [multiplicative, softmax])
def test_values_that_are_not_positive_are_refused(form):
    case = (np.ones((1, 4)), np.array([[0.5, -0.75]]), np.ones((1, 4)), (1, 2))
    message = "Invalid offset 0.25. It must be larger than 0.75: with it every coarse value has to be positive"
    with pytest.raises(ValueError, match=message):
        form(*case, offset=0.25)
    assert means(form(*case, offset=0.76), (*case[:2], *case[2:]))[0, 1] == pytest.approx(-0.75)


def test_multiplicative_refuses_a_fit_that_is_not_positive():
    case = (np.array([[-0.5, 3.0]]), np.array([[1.0]]), np.ones((1, 2)), (1, 2))
    with pytest.raises(ValueError, match=r"Invalid offset 0.25. It must be larger than 0.5, as the fitted field"):
        multiplicative(*case, offset=0.25)
    assert multiplicative(*case, offset=0.6).mean() == pytest.approx(1.0)


@given(cases(), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_rolling_a_globe_rolls_the_enforced_field(case, shift):
    (field, _), values, weights, factor = case
    assume(values.shape[1] > 1)
    fine = shift * factor[1]
    for constraint, _, _ in BOUNDED.values():
        rolled = constraint(
            np.roll(field, fine, -1), np.roll(values, shift, -1), np.roll(weights, fine, -1), factor, periodic=True
        )
        np.testing.assert_allclose(
            np.roll(rolled, -fine, -1), constraint(field, values, weights, factor, periodic=True), rtol=0, atol=1e-12
        )
