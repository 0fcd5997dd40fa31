"""Columns that are there twice are counted, and no others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from xr_dip.geometry import ellipsoid
from xr_dip.geometry.grid import CurvilinearGrid, IndexGrid, ProjectedGrid, RectilinearGrid
from xr_dip.geometry.overlap import repeated_columns


def around(count, repeated, start=0.0):
    """Longitudes of so many columns around the globe, the first of them once more at the end."""
    return start + 360.0 / count * np.arange(count + repeated)


@given(st.integers(3, 40), st.integers(0, 3), st.floats(-180, 180), st.sampled_from([-1, 1]), st.booleans())
@settings(max_examples=40)
def test_of_a_globe_those_at_its_end_are_counted(count, repeated, start, way, wrapped):
    longitude = around(count, repeated, start)[::way]
    grid = RectilinearGrid.from_centres([0.0, 10.0], longitude % 360 if wrapped else longitude)
    assert repeated_columns(grid) == repeated
    assert grid.periodic is (repeated == 0)


@pytest.mark.parametrize("repeated", [0, 1, 2, 3])
@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 50, 70)])
def test_so_they_are_on_curved_rows(repeated, angles):
    flat = ellipsoid.unit_vectors(*np.meshgrid(np.linspace(-60, 60, 30), around(36, repeated), indexing="ij"))
    vectors = Rotation.from_euler("zyz", angles, degrees=True).apply(flat.reshape(-1, 3)).reshape(flat.shape)
    grid = CurvilinearGrid.from_centres(*ellipsoid.latitude_longitude(vectors))
    assert repeated_columns(grid) == repeated
    assert grid.periodic is (repeated == 0)


@pytest.mark.parametrize(
    "grid",
    [
        RectilinearGrid.from_centres([0.0, 1.0], [5.0, 6.0, 7.0]),
        RectilinearGrid.from_centres([0.0, 1.0], [5.0]),
        CurvilinearGrid.from_centres(*np.meshgrid([0.0, 1.0], np.arange(9.0), indexing="ij")),
        CurvilinearGrid.from_centres(*np.meshgrid([0.0, 1.0], [0.0, 1.0], indexing="ij")),
        ProjectedGrid.from_centres(np.arange(3e3, step=1e3), np.arange(5e3, step=1e3), "EPSG:3413"),
        IndexGrid.of_shape((3, 9)),
    ],
)
def test_a_region_has_each_column_once(grid):
    assert repeated_columns(grid) == 0
