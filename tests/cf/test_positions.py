import numpy as np
import pytest
import xarray as xr

from xr_dip.cf.positions import find_positions

FLAT = np.zeros((3, 4))
CURVED_LATITUDE, CURVED_LONGITUDE = np.meshgrid([10.0, 11.0, 12.0], [0.0, 1.0, 2.0, 3.0], indexing="ij")


def field(coords, dims=("y", "x"), **attrs):
    return xr.DataArray(np.zeros([len(CURVED_LATITUDE), 4]), dims=dims, coords=coords, name="ssh", attrs=attrs)


def curved(latitude="nav_lat", longitude="nav_lon", **attrs):
    return {
        latitude: (("y", "x"), CURVED_LATITUDE, {"standard_name": "latitude"} if attrs else {}),
        longitude: (("y", "x"), CURVED_LONGITUDE, {"standard_name": "longitude"} if attrs else {}),
    }


def straight(latitude="lat", longitude="lon", latitude_attrs=None, longitude_attrs=None):
    return {
        latitude: ("y", CURVED_LATITUDE[:, 0], latitude_attrs),
        longitude: ("x", CURVED_LONGITUDE[0], longitude_attrs),
    }


def names(da, **arguments):
    latitude_name, latitude, longitude_name, longitude = find_positions(da, **arguments)
    assert latitude.dims == ("y", "x") or latitude.dims == ("y",)
    assert longitude.dims == ("y", "x") or longitude.dims == ("x",)
    return latitude_name, longitude_name


@pytest.mark.parametrize(
    "attrs",
    [
        ({"standard_name": "latitude"}, {"standard_name": "longitude"}),
        ({"units": "degrees_north"}, {"units": "degrees_east"}),
        ({"units": "degree_N"}, {"long_name": "longitude"}),
    ],
)
def test_metadata_is_enough_whatever_the_names(attrs):
    assert names(field(straight("phi", "lambda", *attrs))) == ("phi", "lambda")


@pytest.mark.parametrize(
    "pair",
    [("nav_lat", "nav_lon"), ("LAT", "Lon"), ("Latitude", "LONGITUDE"), ("lat_rho", "lon_rho"), ("gphit", "glamt")],
)
def test_names_are_enough_without_metadata(pair):
    assert names(field(curved(*pair))) == pair
    assert names(field(straight(*pair))) == pair


def test_metadata_comes_before_names():
    coords = {**curved("phi", "lambda", standard_name=True), **straight()}
    assert names(field(coords)) == ("phi", "lambda")


def test_plain_names_come_before_guesses():
    assert names(field({**curved(), **curved("gphif", "glamf")})) == ("nav_lat", "nav_lon")


def test_the_field_comes_before_its_dataset():
    ds = xr.Dataset(straight("phi", "lambda", {"units": "degrees_north"}, {"units": "degrees_east"}))
    assert names(field(straight()), dataset=ds) == ("lat", "lon")
    assert names(field({}), dataset=ds) == ("phi", "lambda")


def test_variables_of_the_dataset_on_other_cells_do_not_count():
    ds = xr.Dataset({"ssh": (("y", "x"), np.zeros((2, 2))), "lat": ("y", [0.0, 1.0]), "lon": ("x", [0.0, 1.0])})
    assert find_positions(field({}), dataset=ds) is None


def test_bounds_are_no_coordinates():
    """The bounds of `rim`, on the dimensions of the field, would be a second latitude by their units."""
    coords = straight("lat", "lon", {"units": "degrees_north", "bounds": "rim"}, {"units": "degrees_east"})
    da = field({**coords, "rim": (("y", "x"), CURVED_LATITUDE, {"units": "degrees_north"})})
    assert names(da) == ("lat", "lon")


def test_the_coordinates_attribute_settles_a_choice():
    coords = {**curved("a", "b", standard_name=True), **curved("c", "d", standard_name=True)}
    assert names(field(coords, coordinates="d c time")) == ("c", "d")
    da = field(coords)
    da.encoding["coordinates"] = "a b"
    assert names(da) == ("a", "b")


@pytest.mark.parametrize("coordinates", ["", "a d b c", "time"])
def test_ambiguity_is_an_error_that_says_how_to_resolve_it(coordinates):
    coords = {**curved("a", "b", standard_name=True), **curved("c", "d", standard_name=True)}
    message = "more than one latitude and longitude: 'a' with 'b' or .*y_coord= and x_coord=.*x_dim= and y_dim=.*drop_v"
    with pytest.raises(ValueError, match=message):
        find_positions(field(coords, coordinates=coordinates))


def test_dimensions_choose_between_pairs():
    da = xr.DataArray(
        np.zeros((2, 2, 2, 2)),
        dims=("a", "b", "c", "d"),
        coords={"lat1": ("a", [0, 1]), "lon1": ("b", [0, 1]), "lat2": ("c", [0, 1]), "lon2": ("d", [0, 1])},
    )
    assert find_positions(da, dims=frozenset({"d", "c"}))[::2] == ("lat2", "lon2")
    with pytest.raises(ValueError, match="more than one latitude and longitude"):
        find_positions(da)


@pytest.mark.parametrize(
    "coords",
    [
        {"lat": ("y", [0.0, 1.0, 2.0])},
        {"lat": ("y", [0.0, 1.0, 2.0]), "lon": (("y", "x"), CURVED_LONGITUDE)},
        {"lat": ("y", ["a", "b", "c"]), "lon": ("x", np.arange(4.0))},
    ],
)
def test_one_without_the_other_is_an_error_that_lists_what_is_there(coords):
    message = (
        r"Invalid field 'ssh' without latitude and longitude. Its dimensions are {'y': 3, 'x': 4}.*x_coord=.*y_dim="
    )
    with pytest.raises(ValueError, match=message) as caught:
        find_positions(field(coords))
    assert all(f"'{name}'" in str(caught.value) for name in coords if np.asarray(coords[name][1]).dtype != "<U1")


@pytest.mark.parametrize("given", [{}, {"y_coord": "clat", "x_coord": "clon"}])
def test_points_of_a_track_or_a_mesh_are_no_grid(given):
    angles = {
        name: ("cell", np.arange(4.0), {"standard_name": kind})
        for name, kind in (("clat", "latitude"), ("clon", "longitude"))
    }
    da = xr.DataArray(np.zeros((2, 4)), angles, ("time", "cell"), name="ssh")
    with pytest.raises(
        ValueError, match=r"'clat' and 'clon' along one dimension {'cell'}.*rows and col.*grid them first"
    ):
        find_positions(da, **given)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("names", [("nav_lat", "nav_lon"), ("XLAT", "XLONG"), ("a", "b")])
def test_positions_that_are_repeated_at_each_time_are_those_of_one(times, names):
    """As open_mfdataset joins files, and as WRF writes them; missing ones are missing at each time."""
    latitude = np.where(CURVED_LATITUDE.min() < CURVED_LATITUDE, CURVED_LATITUDE, np.nan)
    attrs = [{"units": unit} if "a" in names else {} for unit in ("degrees_north", "degrees_east")]
    repeated = {
        name: (("time", "y", "x"), np.repeat(part[None], times, axis=0), attr)
        for name, part, attr in zip(names, (latitude, CURVED_LONGITUDE), attrs, strict=True)
    }
    ds = xr.Dataset({"ssh": (("time", "y", "x"), np.zeros((times, *latitude.shape))), **repeated})
    for da in (ds.ssh, ds.set_coords(list(names)).ssh, ds.chunk(time=1).ssh):
        found = find_positions(da, dataset=ds)
        assert found[::2] == names
        assert found[1].dims == ("y", "x")
        np.testing.assert_array_equal(found[1], latitude)


def test_positions_that_move_are_not_those_of_one_time():
    moving = np.stack([CURVED_LATITUDE, CURVED_LATITUDE + 1.0])
    coords = {"nav_lat": (("time", "y", "x"), moving), "nav_lon": (("y", "x"), CURVED_LONGITUDE)}
    with pytest.raises(ValueError, match="without latitude and longitude"):
        find_positions(xr.DataArray(np.zeros(moving.shape), coords, ("time", "y", "x"), name="ssh"))


def test_asking_for_other_dimensions_is_an_error_that_names_them():
    da = field(straight()).expand_dims(time=2)
    with pytest.raises(ValueError, match=r"without latitude and longitude on the dimensions \['time', 'x'\]"):
        find_positions(da, dims=frozenset({"time", "x"}))


def test_looking_changes_nothing():
    da = field(straight())
    before = da.copy(deep=True)
    find_positions(da)
    xr.testing.assert_identical(da, before)
    assert da.lat.attrs == {}


def test_one_name_given_stands_for_whatever_else_is_found():
    coords = {**curved("a", "b", standard_name=True), **curved("c", "d", standard_name=True)}
    assert names(field(coords), y_coord="c", x_coord="b") == ("c", "b")
    da = field({**curved("a", "b", standard_name=True), "c": (("y", "x"), CURVED_LATITUDE)})
    assert names(da, y_coord="c") == ("c", "b")
    assert names(da, x_coord="b") == ("a", "b")


def test_a_name_given_that_makes_no_pair_is_an_error():
    da = field({**straight(), "c": (("y", "x"), CURVED_LATITUDE)})
    with pytest.raises(ValueError, match="without latitude and longitude"):
        find_positions(da, y_coord="c", x_coord="lon")


def test_positions_come_before_nominal_axes_of_the_same_dimensions():
    attrs = {"units": "degrees_north"}, {"units": "degrees_east"}
    coords = {**straight("yh", "xh", *attrs)}
    coords |= {"geolat": (("y", "x"), CURVED_LATITUDE, attrs[0]), "geolon": (("y", "x"), CURVED_LONGITUDE, attrs[1])}
    assert names(field(coords)) == ("geolat", "geolon")


def test_distances_are_neither_latitude_nor_longitude():
    coords = straight("yc", "xc", {"units": "m"}, {"units": "m"})
    assert find_positions(field(coords)) is None
    assert names(field(straight("yc", "xc"))) == ("yc", "xc")


def test_nothing_at_all_is_no_error():
    assert find_positions(field({})) is None
    assert find_positions(field({"y": ("y", [1, 2, 3]), "x": ("x", [1, 2, 3, 4])})) is None
