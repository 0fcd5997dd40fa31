import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xr_dip.geometry import axis


@pytest.mark.parametrize("factor", [(0, 2), (2, -1), (2.0, 2), (2,), [2, 2], 4, (True, 2), (np.bool_(True), 2), None])
def test_check_factor_refuses_what_is_not_two_whole_numbers(factor):
    with pytest.raises(ValueError, match=r"Invalid factor .* It must be two whole numbers \(fy, fx\), each 1 or more"):
        axis.check_factor(factor)


def test_check_factor_gives_plain_integers():
    factor = axis.check_factor((np.int64(3), 1))
    assert factor == (3, 1)
    assert all(type(part) is int for part in factor)


@pytest.mark.parametrize("cells", [slice(2, 2), slice(9, None), slice(0, 4, 2), slice(3, 1), slice(None, None, -1)])
def test_check_cells_refuses_empty_windows_and_steps(cells):
    with pytest.raises(ValueError, match=r"Invalid yslice slice.* one or more of the 5 cells, without a step"):
        axis.check_cells(cells, 5, "yslice")


def test_read_only_copies():
    given_values = np.zeros(3)
    copy = axis.read_only(given_values)
    given_values[0] = 1.0
    assert copy[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        copy[0] = 2.0


@pytest.mark.parametrize("order", [1, 2, 3])
def test_extend_is_exact_for_polynomials_below_its_order(order):
    position = np.arange(-1.0, 6.0)
    values = (position[:, None] - [1.5, 7.0]) ** (order - 1)
    np.testing.assert_allclose(axis.extend(values[1:-1], order), values, atol=1e-12)


def test_smooth_edges_are_exact_for_parabolas_and_inside_for_cubics():
    centres, edges = np.arange(8.0), np.arange(9.0) - 0.5
    np.testing.assert_allclose(axis.smooth_edges(centres**2 - centres), edges**2 - edges, atol=1e-12)
    # Only the edges that have two centres on either side see the cubic.
    np.testing.assert_allclose(axis.smooth_edges(centres**3)[2:-2], edges[2:-2] ** 3, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3])
def test_smooth_edges_of_few_centres_are_exact_for_straight_lines(size):
    np.testing.assert_allclose(axis.smooth_edges(np.arange(float(size))), np.arange(size + 1) - 0.5, atol=1e-14)


def test_midpoint_edges_go_both_ways():
    np.testing.assert_array_equal(axis.midpoint_edges(np.array([4.0, 2.0, 1.0])), [5.0, 3.0, 1.5, 0.5])


def test_bounds_edges_follow_the_centres_whatever_the_order_of_the_ends():
    up = np.array([[0.0, 1.0], [1.0, 3.0]])
    np.testing.assert_array_equal(axis.bounds_edges(up, np.array([0.5, 2.0]), "bounds"), [0, 1, 3])
    np.testing.assert_array_equal(axis.bounds_edges(up[:, ::-1], np.array([0.5, 2.0]), "bounds"), [0, 1, 3])
    np.testing.assert_array_equal(axis.bounds_edges(up[::-1], np.array([2.0, 0.5]), "bounds"), [3, 1, 0])


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ([[0.0, 1.0]], r"Invalid bounds of shape \(1, 2\). It must be \(2, 2\)"),
        ([[0.0, 1.0], [1.0, 1.0]], "Each pair must be finite, hold the centre"),
        ([[0.0, 1.0], [1.0, np.nan]], "Each pair must be finite, hold the centre"),
        ([[0.0, 0.25], [1.0, 2.0]], "Each pair must be finite, hold the centre"),
        ([[0.0, 0.9], [1.0, 2.0]], "Cells 0 and 1 must share an edge; they are 0.0999"),
    ],
)
def test_bounds_edges_refuses_bounds_that_are_no_cells(bounds, message):
    with pytest.raises(ValueError, match=message):
        axis.bounds_edges(np.array(bounds), np.array([0.5, 1.5]), "bounds")


@settings(deadline=None)
@given(arrays(float, st.integers(2, 6), elements=st.floats(-100, 100)), st.integers(1, 7))
def test_subdivide_keeps_the_edges_bit_for_bit_and_divides_evenly(edges, factor):
    fine = axis.subdivide(edges, factor)
    np.testing.assert_array_equal(fine[::factor], edges)
    np.testing.assert_allclose(np.diff(fine), np.repeat(np.diff(edges), factor) / factor, atol=1e-12)


@settings(deadline=None)
@given(st.floats(-180, 360), arrays(float, st.integers(2, 9), elements=st.floats(0.01, 170)), st.integers(0, 1))
def test_unwrap_undoes_any_convention(start, steps, convention):
    straight = start + np.concatenate([[0.0], np.cumsum(steps)])
    wrapped = axis.rewrap(straight, 180.0 * convention)
    np.testing.assert_allclose(np.diff(axis.unwrap(wrapped)), steps, atol=1e-9)


def test_unwrap_leaves_digits_alone():
    values = np.array([0.1, 0.2, 0.3])
    np.testing.assert_array_equal(axis.unwrap(values), values)


@settings(deadline=None)
@given(arrays(float, 4, elements=st.floats(-720, 720)), st.sampled_from([0.0, 180.0, -31.5]))
def test_rewrap_moves_by_whole_turns_into_the_convention(longitude, middle):
    wrapped = axis.rewrap(longitude, middle)
    turns = (wrapped - longitude) / 360.0
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)
    assert np.all((wrapped >= middle - 180.0 - 1e-9) & (wrapped <= middle + 180.0))
