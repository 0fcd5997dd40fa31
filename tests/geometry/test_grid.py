"""What all kinds of grid that are somewhere on Earth share."""

import numpy as np
import pyproj
import pytest

from xr_dip.geometry.grid import CurvilinearGrid, ProjectedGrid, RectilinearGrid

LATITUDE, LONGITUDE = 30.0 + np.arange(4.0), -60.0 + np.arange(5.0)
GRIDS = [
    RectilinearGrid.from_centres(LATITUDE, LONGITUDE),
    CurvilinearGrid.from_centres(*np.meshgrid(LATITUDE, LONGITUDE, indexing="ij")),
    ProjectedGrid.from_centres(1e5 * np.arange(4.0), 1e5 * np.arange(5.0), pyproj.CRS("EPSG:3413").to_wkt()),
]


@pytest.fixture(params=GRIDS, ids=lambda grid: type(grid).__name__)
def grid(request):
    return request.param


def test_refining_by_one_changes_nothing(grid):
    for before, after in zip(grid.centres(), grid.refine((1, 1)).centres(), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-12)


def test_shapes(grid):
    fine = grid.refine((2, 3))
    assert grid.shape == (4, 5)
    assert fine.shape == fine.area().shape == (8, 15)
    assert fine.window(slice(1, 4), slice(-2, None)).shape == (3, 2)


def test_areas_are_positive_and_like_the_spacing(grid):
    assert np.all(grid.area() > 0)
    assert np.prod(grid.spacing()) == pytest.approx(np.median(grid.area()), rel=0.02)
    np.testing.assert_allclose(grid.refine((2, 4)).spacing(), np.divide(grid.spacing(), (2, 4)), rtol=1e-3)


def test_a_window_keeps_its_cells(grid):
    window = grid.window(slice(1, 3), slice(0, 2))
    np.testing.assert_array_equal(window.area(), grid.area()[1:3, 0:2])


@pytest.mark.parametrize("factor", [(0, 1), (1.5, 2), 3])
def test_a_factor_that_is_none_is_refused(grid, factor):
    with pytest.raises(ValueError, match="Invalid factor"):
        grid.refine(factor)


def test_an_empty_window_is_refused(grid):
    with pytest.raises(ValueError, match="Invalid yslice"):
        grid.window(slice(3, 3), slice(None))
    with pytest.raises(ValueError, match="Invalid xslice"):
        grid.window(slice(None), slice(0, 5, 2))


def test_a_grid_says_what_it_is(grid):
    assert type(grid).__name__ in repr(grid)
    assert "shape=(4, 5)" in repr(grid)
