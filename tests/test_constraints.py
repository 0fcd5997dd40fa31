"""Enforcement: exact, idempotent, linear, and it leaves land alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.blocks import block_mean, block_sum, misfit
from xr_dip.constraints import CONSTRAINT_NAMES, CONSTRAINTS, additive, make_constraint, none, smooth, soft
from xr_dip.interpolation import back_project
from xr_dip.observing.projection import projection
from xr_dip.positive import multiplicative, softmax
from xr_dip.value_range import geiss, scadd

EXACT = {"additive": additive, "smooth": smooth}
PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))


def make_weights(shape, factor, land_share, seed):
    """cos(latitude) on random land."""
    rng = np.random.default_rng(seed)
    rows, columns = shape[0] * factor[0], shape[1] * factor[1]
    latitude = np.linspace(-60, 70, rows)
    weights = np.cos(np.deg2rad(latitude))[:, None] * (rng.random((rows, columns)) >= land_share)
    if not weights.any():
        weights[0, 0] = 1
    return weights


@st.composite
def cases(draw):
    """Two fields and their values, with NaN where there is no sea."""
    shape, factor = draw(PAIRS), draw(PAIRS)
    seed = draw(st.integers(0, 2**31))
    weights = make_weights(shape, factor, draw(st.sampled_from([0.0, 0.3, 0.8])), seed)
    rng = np.random.default_rng(seed)
    fields = rng.normal(size=(2, *weights.shape))
    values = np.where(block_sum(weights, factor) > 0, rng.normal(size=(2, *shape)), np.nan)
    return fields, values, weights, factor


def at_sea(field, weights):
    return np.where(weights > 0, field, 0)


each_exact = pytest.mark.parametrize("constraint", EXACT.values(), ids=EXACT)


@each_exact
@given(cases())
@settings(max_examples=40, deadline=None)
def test_block_means_are_exact(constraint, case):
    (field, _), (values, _), weights, factor = case
    found = block_mean(constraint(field, values, weights, factor), weights, factor)
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-13)


@each_exact
@given(cases())
@settings(max_examples=40, deadline=None)
def test_idempotent(constraint, case):
    (field, _), (values, _), weights, factor = case
    once = constraint(field, values, weights, factor)
    np.testing.assert_allclose(constraint(once, values, weights, factor), once, rtol=0, atol=1e-13)


@each_exact
@given(cases(), st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_linear_in_field_and_values(constraint, case, share):
    # `smooth` stops at a tolerance of 1e-9, so it is linear to about as much.
    fields, values, weights, factor = case
    first, second = (constraint(x, y, weights, factor) for x, y in zip(fields, values, strict=True))
    both = constraint(fields[0] + share * fields[1], values[0] + share * values[1], weights, factor)
    np.testing.assert_allclose(both, first + share * second, rtol=0, atol=1e-7)


@each_exact
@given(cases(), st.sampled_from([np.nan, np.inf, -9999.0]))
@settings(max_examples=40, deadline=None)
def test_land_is_neither_read_nor_changed(constraint, case, on_land):
    (field, _), (values, _), weights, factor = case
    other = np.where(weights > 0, field, on_land)
    before = other.copy()
    enforced = constraint(other, values, weights, factor)
    np.testing.assert_array_equal(enforced[weights == 0], before[weights == 0])
    np.testing.assert_array_equal(other, before)
    np.testing.assert_array_equal(
        at_sea(enforced, weights), at_sea(constraint(field, values, weights, factor), weights)
    )


@given(cases())
@settings(max_examples=40, deadline=None)
def test_cells_without_a_value_are_left_as_they_are(case):
    (field, _), (values, _), weights, factor = case
    values = values.copy()
    values[0, 0] = np.nan
    enforced = additive(field, values, weights, factor)
    block = np.s_[: factor[0], : factor[1]]
    np.testing.assert_array_equal(enforced[block], field[block])
    assert misfit(field, values, weights, factor)[0, 0] == 0


@given(cases())
@settings(max_examples=40, deadline=None)
def test_additive_gives_the_nearest_field_in_the_weighted_norm(case):
    # The change is orthogonal to every field whose block means are 0.
    (field, other), (values, _), weights, factor = case
    change = additive(field, values, weights, factor) - field
    null = additive(other, np.where(np.isnan(values), np.nan, 0.0), weights, factor)
    np.testing.assert_allclose((weights * change * at_sea(null, weights)).sum(), 0, atol=1e-12)


@each_exact
@given(cases())
@settings(max_examples=20, deadline=None)
def test_members_are_enforced_one_by_one(constraint, case):
    fields, (values, _), weights, factor = case
    together = constraint(fields, values, weights, factor)
    alone = np.stack([constraint(field, values, weights, factor) for field in fields])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-8)


def test_smooth_converges_as_methods_say():
    # With 30 % random land and cos(latitude) weights the largest error falls to 0.31, 1.5e-2,
    # 1.4e-6 and 2e-16 of what it was in 1, 5, 20 and 60 rounds.
    weights = make_weights((8, 8), (4, 4), 0.3, seed=0)
    rng = np.random.default_rng(0)
    field, values = rng.normal(size=weights.shape), rng.normal(size=(8, 8))

    def back_projected(rounds):
        return back_project(field, values, weights, (4, 4), tolerance=0.0, max_rounds=rounds)

    # What the rounds leave is what the last, blockwise step has to add: how far the field is from its limit.
    limit = np.where(weights > 0, back_projected(200), 0)
    errors = [np.abs(np.where(weights > 0, back_projected(rounds), 0) - limit).max() for rounds in (0, 1, 5, 20, 60)]
    left = np.array(errors[1:]) / errors[0]
    assert (left < [0.6, 6e-2, 1e-4, 1e-12]).all()
    assert (left[:3] > [0.1, 3e-3, 1e-8]).all()


def test_smooth_leaves_no_steps_at_the_edges_of_cells():
    # A parabola in x, x16, from nothing: the steps of `additive` are as large as the field.
    values = np.broadcast_to(np.linspace(-1, 1, 8) ** 2, (4, 8))
    weights = np.ones((64, 128))
    edges, insides = [], []
    for constraint in (additive, smooth):
        steps = np.abs(np.diff(constraint(np.zeros(weights.shape), values, weights, (16, 16)), axis=1))
        at_edge = np.arange(127) % 16 == 15
        edges.append(steps[:, at_edge].max())
        insides.append(steps[:, ~at_edge].max())
    assert edges[0] > 0.4
    assert insides[0] < 1e-12
    assert edges[1] < 1.5 * insides[1] < 0.1


def test_smooth_of_a_constant_misfit_is_that_constant():
    field = np.random.default_rng(0).normal(size=(4, 6))
    values = block_mean(field, np.ones((4, 6)), (2, 3)) + 0.25
    np.testing.assert_allclose(smooth(field, values, np.ones((4, 6)), (2, 3)), field + 0.25, atol=1e-14)


def walled(strait=False):
    """Two seas with land one cell wide between them, inside of the coarse cells of column 2, and a lake in the land."""
    weights = make_weights((4, 6), (4, 4), 0.0, seed=0)
    weights[:, 9] = 0
    weights[:4, 9:16] = 0
    weights[1, 13] = 1
    weights[10, 9] = strait
    rng = np.random.default_rng(0)
    return rng.normal(size=weights.shape), rng.normal(size=(4, 6)), weights


def test_smooth_passes_no_bit_through_a_wall():
    field, values, weights = walled()
    west = np.arange(24) < 9
    before = smooth(field, values, weights, (4, 4))
    changed = np.where(np.arange(6) > 2, values + 1, values)
    after = smooth(np.where(west, field, 2 * field), changed, weights, (4, 4))
    np.testing.assert_array_equal(before[:, west], after[:, west])
    assert np.abs(before - after)[4:, 10:].min() > 0


def test_smooth_looks_through_a_strait_like_back_projection():
    field, values, weights = walled(strait=True)
    weights[1, 13] = 0  # one basin
    found = smooth(field, values, weights, (4, 4))
    plain = back_project(field, values, weights, (4, 4))
    np.testing.assert_array_equal(found, np.where(weights > 0, plain, field))
    changed = np.where(np.arange(6) > 2, values + 1, values)
    assert np.abs(smooth(field, changed, weights, (4, 4)) - found)[:, :9].max() > 1e-3


def test_smooth_gives_a_shared_cell_to_both_parts():
    field, values, weights = walled()
    enforced = smooth(field, values, weights, (4, 4))
    for part in (np.arange(24) < 9, np.arange(24) > 9):
        means = block_mean(enforced, weights * part, (4, 4))
        np.testing.assert_allclose(means[1:, 2], values[1:, 2], rtol=0, atol=1e-13)


def test_smooth_shifts_a_basin_in_one_cell_as_a_whole():
    field, values, weights = walled()
    weights[1:3, 12:15] = 1
    shift = (smooth(field, values, weights, (4, 4)) - field)[1:3, 12:15]
    np.testing.assert_allclose(shift, values[0, 3] - block_mean(field, weights, (4, 4))[0, 3], rtol=0, atol=1e-13)


@each_exact
@given(cases(), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_rolling_a_globe_rolls_the_enforced_field(constraint, case, shift):
    (field, _), (values, _), weights, factor = case

    def roll(array, cells):
        return np.roll(array, cells, axis=-1)

    fine = shift * factor[1]
    rolled = constraint(roll(field, fine), roll(values, shift), roll(weights, fine), factor, periodic=True)
    expected = constraint(field, values, weights, factor, periodic=True)
    np.testing.assert_allclose(roll(rolled, -fine), expected, rtol=0, atol=1e-8)


@given(cases())
@settings(max_examples=20, deadline=None)
def test_block_means_are_exact_around_the_globe(case):
    (field, _), (values, _), weights, factor = case
    found = block_mean(smooth(field, values, weights, factor, periodic=True), weights, factor)
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-13)


def test_none_changes_no_bit():
    field = np.array([[np.nan, 1.0]])
    np.testing.assert_array_equal(none(field, np.ones((1, 1)), np.ones((1, 2)), (1, 2)), field)


def test_names():
    bounded = {"geiss": geiss, "scadd": scadd, "multiplicative": multiplicative, "softmax": softmax}
    plain = {"none": none, "additive": additive, "smooth": smooth, "soft": soft, "projection": projection}
    assert {**plain, **bounded} == CONSTRAINTS
    assert (*CONSTRAINTS, "optimal") == CONSTRAINT_NAMES


def test_soft_leaves_every_bit_to_the_fit():
    field = np.array([[np.nan, 1.0]])
    np.testing.assert_array_equal(soft(field, np.ones((1, 1)), np.ones((1, 2)), (1, 2), alpha=3.0), field)


def test_options_arrive():
    enforce = make_constraint("multiplicative", {"offset": 1})
    case = (np.array([[0.0, 2.0]]), np.array([[5.0]]), np.ones((1, 2)), (1, 2))
    np.testing.assert_array_equal(enforce(*case, periodic=True), multiplicative(*case, offset=1.0))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("geiss", {}, r"Invalid constraint_options {}. The constraint 'geiss' must have \['value_range'\]"),
        ("additive", {"offset": 1}, r"Invalid constraint_options \['offset'\]. They must be among .* 'additive': \[\]"),
        ("softmax", {"alpha": 1}, r"Invalid constraint_options \['alpha'\]. .* 'softmax': \['offset'\]"),
        ("geiss", {"value_range": (1, -1)}, r"Invalid value_range \(1, -1\). It must be the lowest and the highest"),
        ("scadd", {"value_range": 3}, "Invalid value_range 3. It must be the lowest and the highest"),
        ("scadd", {"value_range": (0, np.inf)}, "Invalid value_range .* It must be the lowest and the highest"),
        ("softmax", {"offset": np.nan}, "Invalid offset nan. It must be a finite number"),
        ("multiplicative", {"offset": "2"}, "Invalid offset '2'. It must be a finite number"),
        ("soft", {"alpha": 0}, "Invalid alpha 0. It must be a positive number"),
    ],
)
def test_options_that_cannot_be_used_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_constraint(name, options)
