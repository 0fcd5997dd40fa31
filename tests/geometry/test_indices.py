"""Cells of which only the number is known."""

import numpy as np
import pytest

from xr_dip.geometry.grid import Grid, IndexGrid


def test_cells_are_counted_and_divided():
    grid: Grid = IndexGrid.of_shape((3, 4))
    assert grid.shape == (3, 4)
    assert grid.spacing() == (1.0, 1.0)
    assert grid.refine((2, 4)).shape == (6, 16)
    assert grid.refine((2, 4)).spacing() == (0.5, 0.25)
    assert grid.periodic is False
    window = grid.window(slice(1, 2), slice(2, None)).refine((1, 2))
    np.testing.assert_array_equal(window.indices()[0], [1.0])
    np.testing.assert_array_equal(window.indices()[1], [1.75, 2.25, 2.75, 3.25])


def test_distances_of_a_plane_give_the_spacing():
    assert IndexGrid([0.0, 10.0, 20.0], [5.0, 0.0]).spacing() == (10.0, 5.0)


@pytest.mark.parametrize("question", ["centres", "bounds", "area"])
def test_where_and_how_large_cells_are_is_not_known(question):
    message = "weights 'area' .* They must be 'equal'" if question == "area" else "Invalid field without positions"
    with pytest.raises(ValueError, match=rf"{message}.*x_coord= and y_coord="):
        getattr(IndexGrid.of_shape((2, 2)), question)()


def test_edges_that_are_no_grid_are_refused():
    with pytest.raises(ValueError, match=r"Invalid x_edges 1.0, 1.0 at index 1. It must be strictly monotone"):
        IndexGrid([0.0, 1.0], [0.0, 1.0, 1.0])
