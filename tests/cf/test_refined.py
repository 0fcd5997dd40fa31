import numpy as np
import pytest
import xarray as xr
from families import (
    LONGITUDE,
    channel,
    cmems,
    nemo,
    nemo_missing_positions,
    polar,
    polar_without_positions,
)

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.cf.refined import coarse_coords, fine_coords
from xr_dip.errors import DipWarning


def test_fine_coordinates_of_a_rectilinear_grid():
    field = cmems().adt
    field.latitude.attrs |= {"long_name": "Latitude", "valid_min": 40.0}
    coords = fine_coords(find_horizontal(field), (2, 1))
    assert list(coords) == ["latitude", "latitude_bnds", "longitude", "longitude_bnds"]
    latitude = coords["latitude"]
    assert latitude.dims == ("latitude",)
    assert latitude.dtype == np.float64
    assert latitude.attrs == {
        "standard_name": "latitude",
        "long_name": "Latitude",
        "units": "degrees_north",
        "bounds": "latitude_bnds",
        "axis": "Y",
    }
    np.testing.assert_allclose(latitude, 39.9375 + 0.125 * np.arange(8))
    bounds = coords["longitude_bnds"]
    assert bounds.dims == ("longitude", "nv")
    assert bounds.attrs == {}
    np.testing.assert_allclose(bounds.mean("nv"), LONGITUDE)
    assert coords["longitude"].attrs["axis"] == "X"
    assert all(variable.encoding["_FillValue"] is None for variable in coords.values())


def test_fine_coordinates_of_a_curvilinear_grid():
    horizontal = find_horizontal(nemo().sossheig)
    coords = fine_coords(horizontal, (1, 2))
    assert coords["nav_lat"].dims == ("y", "x")
    assert coords["nav_lon"].attrs == {
        "standard_name": "longitude",
        "long_name": "longitude",
        "units": "degrees_east",
        "bounds": "nav_lon_bnds",
    }
    assert coords["nav_lat_bnds"].sizes == {"y": 4, "x": 10, "nvertex": 4}
    assert coords["cell_area"].attrs["standard_name"] == "cell_area"
    assert coords["cell_area"].encoding["coordinates"] == "nav_lat nav_lon"
    np.testing.assert_array_equal(coords["cell_area"], horizontal.grid.refine((1, 2)).area())
    assert all(variable.encoding["_FillValue"] is None for variable in coords.values())


def test_one_dimensional_coordinates_that_are_no_index_have_no_axis():
    """CF wants `axis` on coordinate variables, which are named as their dimension."""
    da = xr.DataArray(np.zeros((2, 2)), dims=("y", "x"), coords={"lat": ("y", [0, 1]), "lon": ("x", [0, 1])})
    coords = fine_coords(find_horizontal(da), (2, 2))
    assert coords["lat"].dims == ("y",)
    assert "axis" not in coords["lat"].attrs


@pytest.mark.parametrize("da", [cmems().adt, nemo().sossheig])
def test_coarse_coordinates_stand_beside_the_fine_ones(da):
    horizontal = find_horizontal(da)
    coords = coarse_coords(horizontal)
    name = f"{horizontal.latitude_name}_coarse"
    assert coords[name].dims == tuple(f"{dim}_coarse" for dim in horizontal.latitude.dims)
    assert coords[name].attrs == {"long_name": "latitude of the coarse cells", "units": "degrees_north"}
    np.testing.assert_array_equal(coords[name].values, da[horizontal.latitude_name].values)
    assert not set(coords) & set(fine_coords(horizontal, (2, 2)))
    xr.Dataset(coords={**fine_coords(horizontal, (2, 2)), **coords})


def test_positions_that_were_missing_are_filled_in_the_coarse_coordinates():
    dataset = nemo_missing_positions()
    coords = coarse_coords(find_horizontal(dataset.sossheig))
    assert np.isfinite(coords["nav_lat_coarse"]).all()
    known = dataset.nav_lat.notnull().values
    np.testing.assert_array_equal(coords["nav_lat_coarse"].values[known], dataset.nav_lat.values[known])


def test_coordinates_of_a_projection_come_with_bounds_mapping_positions_and_areas():
    dataset = polar_without_positions()
    horizontal = find_horizontal(dataset.ssh, dataset=dataset)
    coords = fine_coords(horizontal, (2, 2))
    assert {name: variable.dims for name, variable in coords.items()} == {
        "y": ("y",),
        "y_bnds": ("y", "nv"),
        "x": ("x",),
        "x_bnds": ("x", "nv"),
        "polar": (),
        "latitude": ("y", "x"),
        "latitude_bnds": ("y", "x", "nvertex"),
        "longitude": ("y", "x"),
        "longitude_bnds": ("y", "x", "nvertex"),
        "cell_area": ("y", "x"),
    }
    assert coords["y"].attrs == {
        "standard_name": "projection_y_coordinate",
        "long_name": "projection y coordinate",
        "units": "km",
        "bounds": "y_bnds",
        "axis": "Y",
    }
    assert coords["polar"].attrs["latitude_of_projection_origin"] == 90.0
    assert coords["cell_area"].encoding["coordinates"] == "latitude longitude"
    np.testing.assert_array_equal(coords["cell_area"], horizontal.grid.refine((2, 2)).area())
    assert coarse_coords(horizontal) == {}


def test_coarse_positions_of_a_projection_are_those_of_the_file():
    dataset = polar()
    coords = coarse_coords(find_horizontal(dataset.ssh, dataset=dataset))
    np.testing.assert_array_equal(coords["lat_coarse"], dataset.lat)


def test_indices_are_written_in_parts_of_the_coarse_ones_only_where_there_are_some():
    field = xr.DataArray(np.zeros((2, 2, 3)), {"x": ("x", [5, 7, 9], {"axis": "X"})}, ("time", "y", "x"), "ssh")
    with pytest.warns(DipWarning, match="no latitude and longitude"):
        coords = fine_coords(find_horizontal(field), (2, 2))
    assert list(coords) == ["x"]
    np.testing.assert_array_equal(coords["x"], [4.5, 5.5, 6.5, 7.5, 8.5, 9.5])
    assert coords["x"].attrs == {}


def test_distances_keep_their_unit():
    dataset = channel()
    with pytest.warns(DipWarning, match="without a grid mapping"):
        coords = fine_coords(find_horizontal(dataset.eta, dataset=dataset), (2, 2))
    assert coords["y"].attrs == {"units": "km"}
