import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xr_dip.geometry.edges import bounds_edges, cell_edges, extend, midpoint_edges, smooth_edges, subdivide


@pytest.mark.parametrize("order", [1, 2, 3])
def test_extend_is_exact_for_polynomials_below_its_order(order):
    position = np.arange(-1.0, 6.0)
    values = (position[:, None] - [1.5, 7.0]) ** (order - 1)
    np.testing.assert_allclose(extend(values[1:-1], order), values, atol=1e-12)


def test_smooth_edges_are_exact_for_parabolas_and_inside_for_cubics():
    centres, edges = np.arange(8.0), np.arange(9.0) - 0.5
    np.testing.assert_allclose(smooth_edges(centres**2 - centres), edges**2 - edges, atol=1e-12)
    # Only the edges that have two centres on either side see the cubic.
    np.testing.assert_allclose(smooth_edges(centres**3)[2:-2], edges[2:-2] ** 3, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3])
def test_smooth_edges_of_few_centres_are_exact_for_straight_lines(size):
    np.testing.assert_allclose(smooth_edges(np.arange(float(size))), np.arange(size + 1) - 0.5, atol=1e-14)


def test_midpoint_edges_go_both_ways():
    np.testing.assert_array_equal(midpoint_edges(np.array([4.0, 2.0, 1.0])), [5.0, 3.0, 1.5, 0.5])


def test_bounds_edges_follow_the_centres_whatever_the_order_of_the_ends():
    up = np.array([[0.0, 1.0], [1.0, 3.0]])
    np.testing.assert_array_equal(bounds_edges(up, np.array([0.5, 2.0]), "bounds"), [0, 1, 3])
    np.testing.assert_array_equal(bounds_edges(up[:, ::-1], np.array([0.5, 2.0]), "bounds"), [0, 1, 3])
    np.testing.assert_array_equal(bounds_edges(up[::-1], np.array([2.0, 0.5]), "bounds"), [3, 1, 0])


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
        bounds_edges(np.array(bounds), np.array([0.5, 1.5]), "bounds")


@given(arrays(float, st.integers(2, 6), elements=st.floats(-100, 100)), st.integers(1, 7))
def test_subdivide_keeps_the_edges_bit_for_bit_and_divides_evenly(edges, factor):
    fine = subdivide(edges, factor)
    np.testing.assert_array_equal(fine[::factor], edges)
    np.testing.assert_allclose(np.diff(fine), np.repeat(np.diff(edges), factor) / factor, atol=1e-12)


def test_cell_edges_take_bounds_first_and_the_other_axis_last():
    centres, other = np.array([1.0]), np.array([0.0, 4.0])
    np.testing.assert_array_equal(cell_edges(centres, [[0.0, 1.5]], other, "y"), [0.0, 1.5])
    np.testing.assert_array_equal(cell_edges(centres, None, other, "y"), [-1.0, 3.0])
    with pytest.raises(ValueError, match=r"Invalid y of one value. It must come with bounds, or with another axis"):
        cell_edges(centres, None, centres, "y")
