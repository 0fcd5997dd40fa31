"""The coordinates of a projection and the grid mapping, as files write them."""

import numpy as np
import pyproj
import pytest
import xarray as xr
from families import POLAR, channel, cmems, cmip_rotated, polar, utm

from xr_dip.cf.projection import complete_mapping, find_projection, read_mapping

SPHERE = "+proj=stere +lat_0=-90 +lat_ts=-60 +lon_0=0 +R=6371000"


def without(*names, **more):
    return {key: value for key, value in POLAR.items() if key not in names} | more


def test_projections_are_found_by_their_standard_names_and_units():
    dataset = polar()
    projection = find_projection(dataset.ssh.rename(x="easting_km", y="northing_km"), dataset=dataset)
    assert (projection.y_name, projection.x_name) == ("northing_km", "easting_km")
    assert projection.metres() == (1e3, 1e3)
    assert (projection.mapping_name, projection.mapping.shape) == ("polar", ())


def test_projections_are_found_by_names_with_a_unit_of_length():
    projection = find_projection(utm().ssh)
    assert (projection.y_name, projection.x_name, projection.mapping_name) == ("y", "x", "spatial_ref")
    assert [pyproj.CRS(text).to_epsg() for text in projection.systems().values()] == [32633]
    assert find_projection(channel().eta).mapping is None


@pytest.mark.parametrize("family", [cmems, cmip_rotated])
def test_angles_are_no_projection(family):
    dataset = family()
    assert find_projection(dataset[dataset.attrs["field"]], dataset=dataset) is None


def test_a_depth_in_metres_is_no_coordinate_of_a_plane():
    dataset = channel().rename(y="depth")
    assert find_projection(dataset.eta) is None


def test_the_mapping_that_the_field_names_comes_first_in_the_extended_form_too():
    dataset = polar().assign(other=((), 0, {"grid_mapping_name": "mercator"}))
    assert find_projection(dataset.ssh, dataset=dataset).mapping_name == "polar"
    dataset.ssh.attrs["grid_mapping"] = "wgs84: lat lon other: x y"
    assert find_projection(dataset.ssh, dataset=dataset).mapping_name == "other"
    del dataset.ssh.attrs["grid_mapping"]
    assert find_projection(dataset.ssh, dataset=dataset).mapping_name is None  # two, and nothing to tell which
    assert find_projection(dataset.ssh, dataset=dataset.drop_vars("other")).mapping_name == "polar"


def test_the_geotransform_of_the_coarse_cells_is_not_that_of_the_fine_ones():
    attrs = {"grid_mapping_name": "mercator", "GeoTransform": "0 25000 0 0 0 -25000"}
    assert "GeoTransform" not in complete_mapping(attrs)
    globe = {"grid_mapping_name": "latitude_longitude", "GeoTransform": "4.875 0.25 0 41.875 0 -0.25"}
    dataset = cmems().assign_coords(crs=((), 0, globe))
    field = dataset[dataset.attrs["field"]]
    field.encoding["grid_mapping"] = "crs"
    fine = field.dip.interpolate(2)
    assert fine.crs.attrs == {"grid_mapping_name": "latitude_longitude", "long_name": "crs"}
    assert (field.attrs, dataset.crs.attrs) == (dataset[dataset.attrs["field"]].attrs, globe)


def test_more_than_one_x_is_an_error_that_x_coord_settles():
    dataset = utm().assign_coords(easting=("x", np.arange(5.0), {"units": "m"}))
    with pytest.raises(ValueError, match=r"more than one projection x: \['x', 'easting'\].*choose it with x_coord="):
        find_projection(dataset.ssh)
    assert find_projection(dataset.ssh, x_coord="easting", y_coord="y").x_name == "easting"


def test_units_that_are_no_length_are_refused():
    dataset = polar()
    dataset.x.attrs["units"] = "furlong"
    with pytest.raises(ValueError, match=r"Invalid units \['km', 'furlong'\] of 'y' and 'x'. They must be one of"):
        find_projection(dataset.ssh)


@pytest.mark.parametrize(
    ("attrs", "pole"),
    [
        (without(), 90.0),
        (without(standard_parallel=np.float32(-71)), -90.0),
        (without("standard_parallel", proj4="+proj=stere +lat_0=-90 +k=1"), -90.0),
        (without(latitude_of_projection_origin=-90.0), -90.0),
    ],
)
def test_the_pole_of_a_polar_projection_is_completed(attrs, pole):
    assert complete_mapping(attrs)["latitude_of_projection_origin"] == pole


def test_a_pole_that_nothing_tells_is_left_out():
    assert "latitude_of_projection_origin" not in complete_mapping(without("standard_parallel"))
    assert complete_mapping({"grid_mapping_name": "mercator"}) == {"grid_mapping_name": "mercator"}


@pytest.mark.parametrize(
    "attrs", [POLAR, without(latitude_of_projection_origin=90.0), {"crs_wkt": pyproj.CRS(3413).to_wkt()}]
)
def test_mappings_are_read_by_pyproj(attrs):
    (system,) = read_mapping("polar", complete_mapping(attrs)).values()
    assert pyproj.Proj(system)(-45.0, 80.0) == pytest.approx(pyproj.Proj(3413)(-45.0, 80.0), abs=1e-6)


def test_a_text_of_proj_stands_in_for_a_figure_of_the_earth_that_is_left_out():
    vague = without("semi_major_axis", "inverse_flattening", proj4_string=SPHERE)
    text, attributes = ("its text proj4_string", 6371000), ("its CF attributes", 6378137)
    assert radii(vague) == [text, attributes]
    assert radii(without(proj4_string=SPHERE)) == [attributes, text]


def radii(attrs):
    """What each reading was made from, and its figure of the Earth, in their order."""
    read = read_mapping("polar", attrs)
    return [(source, pyproj.CRS(text).ellipsoid.semi_major_metre) for source, text in read.items()]


@pytest.mark.parametrize(
    "attrs", [{"grid_mapping_name": "swiss_cheese"}, {"grid_mapping_name": "lambert_conformal_conic"}]
)
def test_a_mapping_that_cannot_be_read_is_refused(attrs):
    with pytest.raises(
        ValueError, match=r"Invalid grid mapping 'crs'. It must be a map projection that pyproj can read"
    ):
        read_mapping("crs", attrs)


def test_finding_computes_and_changes_nothing():
    dataset = polar()
    before = dataset.copy(deep=True)
    find_projection(dataset.ssh, dataset=dataset)
    xr.testing.assert_identical(dataset, before)
