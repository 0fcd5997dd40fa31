"""Grids of a projection, and what happens where it contradicts the latitude and longitude beside it."""

import numpy as np
import pytest
import xarray as xr
from families import channel, polar, polar_without_positions
from robustness_files import open_robustness

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.errors import DipWarning
from xr_dip.geometry.grid import CurvilinearGrid, ProjectedGrid


def find(dataset, **arguments):
    return find_horizontal(dataset[dataset.attrs["field"]], dataset=dataset, **arguments)


def test_positions_of_the_file_are_reproduced():
    dataset = polar()
    latitude, longitude = find(dataset).grid.centres()
    np.testing.assert_allclose(latitude, dataset.lat, atol=1e-9)
    np.testing.assert_allclose(longitude, dataset.lon, atol=1e-9)


def test_longitudes_keep_the_convention_of_the_file():
    dataset = polar()
    dataset["lon"] = dataset.lon % 360
    np.testing.assert_allclose(find(dataset).grid.centres()[1], dataset.lon, atol=1e-9)


def test_a_projection_without_positions_stands_for_itself():
    grid = find(polar_without_positions()).grid
    np.testing.assert_allclose(grid.centres()[0], polar().lat, atol=1e-9)


def test_bounds_of_the_projection_are_used():
    dataset = polar()
    dataset.x.attrs["bounds"] = "x_rim"
    edges = np.append(dataset.x.values - 12.5, dataset.x.values[-1] + 17.5)
    dataset["x_rim"] = (("x", "two"), np.stack([edges[:-1], edges[1:]], axis=-1))
    np.testing.assert_allclose(find(dataset).grid.x_edges, 1e3 * edges, rtol=1e-6)


@pytest.mark.parametrize("order", [("x", "y"), ("y", "x")])
def test_the_order_of_the_dimensions_does_not_matter(order):
    horizontal = find(polar().transpose(*order))
    assert (horizontal.y_dim, horizontal.x_dim) == ("y", "x")
    assert isinstance(horizontal.grid, ProjectedGrid)


def test_a_mapping_that_contradicts_the_positions_is_left_out_with_a_warning():
    dataset = polar()
    dataset.polar.attrs["straight_vertical_longitude_from_pole"] = -40.0
    message = (
        r"grid mapping 'polar' is not that of latitude and longitude: by its CF attributes .* up to \d+ km.*y_coord='y'"
    )
    with pytest.warns(DipWarning, match=message):
        horizontal = find(dataset)
    assert isinstance(horizontal.grid, CurvilinearGrid)
    assert horizontal.mapping_name is None
    assert horizontal.lines == ()
    named = find(dataset, y_coord="y", x_coord="x")
    assert isinstance(named.grid, ProjectedGrid)


def test_a_mapping_that_cannot_be_read_is_left_out_only_beside_positions():
    for family in (polar(), polar_without_positions()):
        family.polar.attrs["grid_mapping_name"] = "swiss_cheese"
        if "lat" in family:
            with pytest.warns(DipWarning, match="not that of latitude and longitude: Invalid grid mapping 'polar'"):
                assert isinstance(find(family).grid, CurvilinearGrid)
        else:
            with pytest.raises(ValueError, match="Invalid grid mapping 'polar'"):
                find(family)


def test_names_of_positions_are_free_ones():
    dataset = polar_without_positions().assign_coords(latitude=75.0)
    horizontal = find(dataset)
    assert (horizontal.latitude_name, horizontal.longitude_name) == ("lat", "lon")


def test_distances_without_a_mapping_make_a_plane():
    with pytest.warns(DipWarning, match="taken as distances, without a grid mapping"):
        horizontal = find(channel())
    assert horizontal.grid.spacing() == (1e4, 5e3)


def test_dimensions_that_are_not_those_of_the_projection_are_refused():
    dataset = polar_without_positions()
    with pytest.raises(ValueError, match=r"Invalid y_dim 'x'. It must be 'y'"):
        find(dataset, y_dim="x", x_dim="y")


@pytest.mark.samples
def test_the_arctic_file_keeps_its_own_positions():
    """Its grid mapping places cells most of a cell away; and it is found in the Dataset only."""
    dataset = open_robustness("arctic")
    with pytest.warns(DipWarning, match="by its text proj4_string .* 17.9 km .*; by its CF attributes .* 28.3 km"):
        horizontal = find_horizontal(dataset.zeta, dataset=dataset)
    assert isinstance(horizontal.grid, CurvilinearGrid)
    np.testing.assert_allclose(horizontal.grid.centres()[0], dataset.latitude, atol=1e-3)
    projected = find_horizontal(dataset.zeta, dataset=dataset, x_coord="X", y_coord="Y").grid
    np.testing.assert_allclose(projected.x_edges[[0, -1]], [-1.981e6, -1.61e5])
    xr.testing.assert_identical(dataset.latitude, open_robustness("arctic").latitude)
