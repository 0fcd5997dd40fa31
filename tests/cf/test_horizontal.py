import numpy as np
import pytest
import xarray as xr
from robustness_files import open_robustness

from xr_dip import samples
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.cf.refined import fine_coords
from xr_dip.errors import DipWarning
from xr_dip.geometry.grid import CurvilinearGrid, IndexGrid, RectilinearGrid

LATITUDE, LONGITUDE = np.array([10.0, 11.0, 12.0]), np.array([0.0, 1.0, 2.0, 3.0])
CURVED_LATITUDE, CURVED_LONGITUDE = np.meshgrid(LATITUDE, LONGITUDE, indexing="ij")


def cmems(latitude=LATITUDE, longitude=LONGITUDE, names=("latitude", "longitude")):
    """A field as the Copernicus Marine Service gives it."""
    attrs = (
        {
            "standard_name": "latitude",
            "units": "degrees_north",
            "axis": "Y",
            "long_name": "Latitude",
            "valid_min": 10.0,
        },
        {"standard_name": "longitude", "units": "degrees_east", "axis": "X", "long_name": "Longitude", "step": 1.0},
    )
    return xr.DataArray(
        np.zeros((2, len(latitude), len(longitude)), dtype=np.float32),
        dims=("time", *names),
        coords={"time": [0, 1], names[0]: (names[0], latitude, attrs[0]), names[1]: (names[1], longitude, attrs[1])},
        name="adt",
    )


def nemo(dims=("y", "x")):
    """A field as NEMO writes it: 2-D coordinates without attributes, dimensions without coordinates."""
    return xr.DataArray(
        np.zeros(CURVED_LATITUDE.shape),
        dims=dims,
        coords={"nav_lat": (dims, CURVED_LATITUDE), "nav_lon": (dims, CURVED_LONGITUDE)},
        name="sossheig",
    )


def edges(grid):
    if isinstance(grid, RectilinearGrid):
        return np.concatenate([grid.latitude_edges, grid.longitude_edges])
    return grid.corners


def write_and_read(horizontal, factor=(2, 3)):
    """The fine grid through a Dataset, as a user has it: bounds and areas are variables, the rest coordinates."""
    coords = fine_coords(horizontal, factor)
    shape = [size * part for size, part in zip(horizontal.grid.shape, factor, strict=True)]
    ssh = xr.Variable((horizontal.y_dim, horizontal.x_dim), np.zeros(shape))
    return xr.Dataset({"ssh": ssh, **coords}).set_coords([horizontal.latitude_name, horizontal.longitude_name])


def test_one_dimensional_coordinates_give_their_dimensions():
    horizontal = find_horizontal(cmems())
    assert (horizontal.y_dim, horizontal.x_dim) == ("latitude", "longitude")
    assert isinstance(horizontal.grid, RectilinearGrid)
    np.testing.assert_array_equal(horizontal.grid.centres()[0], LATITUDE)
    np.testing.assert_array_equal(horizontal.grid.centres()[1], LONGITUDE)


def test_the_order_of_the_dimensions_does_not_matter():
    horizontal = find_horizontal(cmems().transpose("longitude", "time", "latitude"))
    assert (horizontal.y_dim, horizontal.x_dim) == ("latitude", "longitude")
    assert horizontal.grid.shape == (3, 4)


def test_two_dimensional_coordinates_give_their_two_dimensions():
    horizontal = find_horizontal(nemo().expand_dims(time_counter=1))
    assert (horizontal.y_dim, horizontal.x_dim) == ("y", "x")
    assert isinstance(horizontal.grid, CurvilinearGrid)
    np.testing.assert_allclose(horizontal.grid.centres()[1], CURVED_LONGITUDE, atol=1e-3)


@pytest.mark.parametrize(
    ("dims", "expected"),
    [
        (("y", "x"), ("y", "x")),
        (("x", "y"), ("y", "x")),
        (("i", "j"), ("j", "i")),
        (("xi_rho", "eta_rho"), ("eta_rho", "xi_rho")),
        (("rows", "columns"), ("rows", "columns")),
    ],
)
def test_names_tell_y_from_x_where_they_can(dims, expected):
    horizontal = find_horizontal(nemo(dims))
    assert (horizontal.y_dim, horizontal.x_dim) == expected
    assert horizontal.latitude.dims == expected
    assert horizontal.grid.shape == tuple(nemo(dims).sizes[dim] for dim in expected)


def test_attributes_tell_y_from_x_where_they_can():
    da = nemo(("north", "east")).assign_coords(north=("north", [0, 1, 2], {"axis": "X"}))
    assert find_horizontal(da).x_dim == "north"


@pytest.mark.parametrize("asked", [{"y_dim": "x"}, {"x_dim": "y"}, {"x_dim": "y", "y_dim": "x"}])
def test_the_user_tells_y_from_x(asked):
    horizontal = find_horizontal(nemo(), **asked)
    assert (horizontal.y_dim, horizontal.x_dim) == ("x", "y")
    np.testing.assert_allclose(horizontal.grid.centres()[0], CURVED_LATITUDE.T, atol=1e-3)


def test_the_user_chooses_between_pairs():
    da = (
        cmems()
        .expand_dims(phi=2, theta=2)
        .assign_coords(
            lat=("phi", [50.0, 60.0], {"units": "degrees_north"}), lon=("theta", [5.0, 6.0], {"units": "degrees_east"})
        )
    )
    with pytest.raises(ValueError, match="more than one latitude and longitude"):
        find_horizontal(da)
    assert find_horizontal(da, x_dim="theta", y_dim="phi").latitude_name == "lat"


@pytest.mark.parametrize(
    ("da", "asked", "message"),
    [
        (cmems(), {"x_dim": "lon"}, r"Invalid x_dim 'lon'. It must be one of the dimensions \['time', 'latitude'"),
        (nemo(), {"y_dim": "z"}, r"Invalid y_dim 'z'. It must be one of the dimensions \['y', 'x'\]"),
        (nemo(), {"y_dim": "y", "x_dim": "y"}, "Invalid x_dim 'y'. It must be another dimension than y_dim"),
        (
            cmems(),
            {"x_dim": "latitude"},
            "Invalid x_dim 'latitude'. It must be 'longitude', the dimension of the longitude",
        ),
        (
            cmems(),
            {"y_dim": "longitude"},
            "Invalid y_dim 'longitude'. It must be 'latitude', the dimension of the latitude",
        ),
        (cmems(), {"y_dim": "time"}, r"without latitude and longitude on the dimensions \['time'\]"),
    ],
)
def test_dimensions_that_do_not_fit_are_refused(da, asked, message):
    with pytest.raises(ValueError, match=message):
        find_horizontal(da, **asked)


@pytest.mark.parametrize("given", [{"y_coord": "lat"}, {"x_coord": "lon"}, {"y_coord": "lat", "x_coord": "lon"}])
def test_the_user_names_the_coordinates(given):
    more = {
        "lat": ("phi", [50.0, 60.0], {"units": "degrees_north"}),
        "lon": ("theta", [5.0, 6.0], {"units": "degrees_east"}),
    }
    da = cmems().expand_dims(phi=2, theta=2).assign_coords(more)
    if len(given) == 2:
        assert find_horizontal(da, **given).y_dim == "phi"
    else:
        with pytest.raises(ValueError, match="more than one latitude and longitude"):
            find_horizontal(da, **given)
        assert find_horizontal(da, **given, x_dim="theta", y_dim="phi").latitude_name == "lat"


def test_the_user_names_coordinates_that_nothing_tells():
    da = nemo().rename(nav_lat="a", nav_lon="b")
    with pytest.warns(DipWarning, match="no latitude and longitude"):
        assert find_horizontal(da).latitude_name is None
    horizontal = find_horizontal(da, y_coord="a", x_coord="b")
    np.testing.assert_array_equal(horizontal.grid.corners, find_horizontal(nemo()).grid.corners)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x_coord": "east"}, r"Invalid x_coord 'east'. It must be numeric, .*one of {'time': .*'longitude': "),
        ({"y_coord": "name"}, r"Invalid y_coord 'name'. It must be numeric, 1-D or 2-D on the dimensions"),
        (
            {"y_coord": "northing", "x_coord": "longitude"},
            "Invalid y_coord 'northing' with x_coord 'longitude'. They must be latitude and longitude, or y and x",
        ),
    ],
)
def test_names_that_do_not_fit_are_refused(given, message):
    da = cmems().assign_coords(
        name=("latitude", ["a", "b", "c"]), northing=("latitude", [0.0, 1.0, 2.0], {"units": "km"})
    )
    with pytest.raises(ValueError, match=message):
        find_horizontal(da, **given)


def test_a_field_without_coordinates_gets_indices_and_a_warning():
    da = xr.DataArray(np.zeros((2, 3, 4)), dims=("time", "rows", "columns"), name="ssh")
    message = "'ssh' has no latitude and longitude: 'rows' and 'columns' are .*equally large squares.*x_coord=.*x_dim="
    with pytest.warns(DipWarning, match=message):
        horizontal = find_horizontal(da)
    assert isinstance(horizontal.grid, IndexGrid)
    assert (horizontal.y_dim, horizontal.x_dim, horizontal.grid.shape) == ("rows", "columns", (3, 4))
    assert (horizontal.latitude_name, horizontal.latitude, horizontal.lines) == (None, None, ())
    with pytest.warns(DipWarning, match="'columns' and 'rows' are its horizontal dimensions"):
        assert find_horizontal(da, y_dim="columns", x_dim="rows").grid.shape == (4, 3)


@pytest.mark.samples
def test_the_orca_file_without_positions_gets_indices():
    dataset = open_robustness("orca1")
    with pytest.warns(DipWarning, match="'y' and 'x' are its horizontal dimensions"):
        assert find_horizontal(dataset.ssh, dataset=dataset).grid.shape == (292, 362)


@pytest.mark.samples
def test_bounds_of_the_mars_file_are_used():
    dataset = open_robustness("mars3d")
    edges = find_horizontal(dataset.xe, dataset=dataset).grid.latitude_edges
    np.testing.assert_array_equal(edges[:-1], dataset.bounds_latitude[:, 0])


def test_radians_are_refused():
    da = xr.DataArray(np.zeros((2, 2)), dims=("y", "x"), coords={"lat": ("y", [0, 1]), "lon": ("x", [0, 1])})
    da.lon.attrs["units"] = "radians"
    with pytest.raises(ValueError, match=r"Invalid units 'radians' of 'lon'. It must be in degrees"):
        find_horizontal(da)


@pytest.mark.parametrize(
    ("name", "units", "message"),
    [
        (
            "longitude",
            "degrees_west",
            "Invalid units 'degrees_west' of 'longitude'. It must be in degrees north or east",
        ),
        ("latitude", "degrees_south", "Invalid units 'degrees_south' of 'latitude'.*change its sign"),
        ("latitude", "arcminutes", "Invalid units 'arcminutes' of 'latitude'. It must be in degrees: divide it"),
    ],
)
def test_angles_that_are_counted_in_another_way_are_refused(name, units, message):
    da = cmems()
    da[name].attrs = {"standard_name": name, "units": units}
    with pytest.raises(ValueError, match=message):
        find_horizontal(da)


def test_packed_positions_are_refused():
    da = cmems(latitude=np.array([10.0, 11.0, 12.0]))
    da.latitude.attrs["scale_factor"] = 1e-6
    with pytest.raises(ValueError, match=r"Invalid 'latitude' with the attributes {'scale_factor': 1e-06}. It must be"):
        find_horizontal(da)


def test_a_longitude_is_not_taken_for_the_latitude():
    da = cmems()
    da.latitude.attrs["units"], da.longitude.attrs["standard_name"] = "degrees_north", "longitude"
    message = (
        "Invalid y_coord 'longitude'. It must be a latitude, but its attributes call it a longitude: {.*standard_n"
    )
    with pytest.raises(ValueError, match=message):
        find_horizontal(da, y_coord="longitude", x_coord="latitude")


def test_bounds_of_another_grid_are_named():
    da = cmems()
    da.latitude.attrs["bounds"] = "rim"
    ds = da.to_dataset().assign(rim=(("latitude", "nv"), np.stack([LATITUDE - 0.1, LATITUDE + 0.1], axis=1)))
    with pytest.raises(
        ValueError, match=r"must share an edge.*of another grid, leave them out with .drop_vars\(\['rim'\]\)"
    ):
        find_horizontal(ds.adt, dataset=ds)
    assert find_horizontal(ds.adt, dataset=ds.drop_vars("rim")).grid.shape == find_horizontal(da).grid.shape


def test_a_plane_without_units_is_named():
    mapping = xr.DataArray(0, attrs={"grid_mapping_name": "polar_stereographic"})
    da = xr.DataArray(np.zeros((2, 2)), {"y": [0, 5e3], "x": [0, 5e3], "crs": mapping}, ("y", "x"), name="ssh")
    with pytest.warns(
        DipWarning, match=r"equally large squares \(set their units, such as 'm', if they are those of 'crs'\)"
    ):
        find_horizontal(da)


def test_coordinates_that_make_no_grid_are_refused():
    with pytest.raises(ValueError, match=r"Invalid latitude 11.0, 10.0 at index 1. It must be strictly monotone"):
        find_horizontal(cmems(latitude=np.array([10.0, 11.0, 10.0])))


def test_bounds_are_used_from_variables_and_coordinates_of_the_dataset():
    bounds = np.array([[9.2, 10.6], [10.6, 11.5], [11.5, 12.1]])
    da = cmems()
    da.latitude.attrs["bounds"] = "lat_bnds"
    ds = da.to_dataset().assign(lat_bnds=(("latitude", "nv"), bounds))
    half_way = find_horizontal(da).grid
    for horizontal in (
        find_horizontal(ds.adt, dataset=ds),
        find_horizontal(ds.set_coords("lat_bnds").rename(nv="time_bnds").adt, dataset=ds),
    ):
        np.testing.assert_array_equal(horizontal.grid.latitude_edges, [9.2, 10.6, 11.5, 12.1])
        np.testing.assert_array_equal(horizontal.grid.longitude_edges, half_way.longitude_edges)


def test_bounds_are_found_in_the_encoding_and_in_any_order():
    bounds = np.stack([LATITUDE - 0.4, LATITUDE + 0.6])
    da = cmems()
    da.latitude.encoding["bounds"] = "rim"
    ds = xr.Dataset({"adt": da, "rim": (("nv", "latitude"), bounds)})
    ds.latitude.encoding["bounds"] = "rim"
    np.testing.assert_allclose(find_horizontal(ds.adt, dataset=ds).grid.latitude_edges, [9.6, 10.6, 11.6, 12.6])


def test_bounds_on_other_dimensions_are_refused():
    da = cmems()
    da.latitude.attrs["bounds"] = "rim"
    ds = da.to_dataset().assign(rim=(("other", "nv"), np.zeros((3, 2))))
    with pytest.raises(ValueError, match=r"Invalid bounds 'rim' on \('other', 'nv'\). It must be on \('latitude',\)"):
        find_horizontal(ds.adt, dataset=ds)


def test_finding_changes_and_computes_nothing():
    def refuse(block):
        raise AssertionError("computed")

    da = cmems()
    lazy = da.chunk(time=1).map_blocks(lambda block: refuse(block), template=da.chunk(time=1))
    before = {name: dict(coord.attrs) for name, coord in lazy.coords.items()}
    find_horizontal(lazy)
    assert {name: dict(coord.attrs) for name, coord in lazy.coords.items()} == before


@pytest.mark.parametrize("da", [cmems(), nemo(), cmems(LATITUDE[::-1], np.array([178.0, 179.0, -180.0, -179.0]))])
def test_what_is_written_is_read_as_the_same_grid(da):
    horizontal = find_horizontal(da)
    ds = write_and_read(horizontal)
    again = find_horizontal(ds.ssh, dataset=ds)
    assert (again.latitude_name, again.longitude_name) == (horizontal.latitude_name, horizontal.longitude_name)
    np.testing.assert_allclose(edges(again.grid), edges(horizontal.grid.refine((2, 3))), atol=1e-9)


@pytest.mark.parametrize("da", [cmems(), nemo()])
def test_what_is_written_survives_a_file(da, tmp_path):
    horizontal = find_horizontal(da)
    write_and_read(horizontal).to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc", decode_coords="all") as ds:
        again = find_horizontal(ds.ssh, dataset=ds)
        assert all("_FillValue" not in variable.encoding for name, variable in ds.variables.items() if name != "ssh")
    np.testing.assert_allclose(edges(again.grid), edges(horizontal.grid.refine((2, 3))), atol=1e-9)


SAMPLES = {
    "glo12": (RectilinearGrid, (85, 146), (28.125, 35.208), (-56.375, -44.208)),
    "mediterranean": (RectilinearGrid, (128, 344), (30.0, 46.0), (-6.0, 37.0)),
    "global_duacs": (RectilinearGrid, (720, 1440), (-90.0, 90.0), (0.0, 360.0)),
    "black_sea": (RectilinearGrid, (56, 120), (40.0, 47.0), (27.0, 42.0)),
    "gulf_stream_coarse": (CurvilinearGrid, (77, 61), None, None),
    "balearic": (CurvilinearGrid, (602, 346), None, None),
    "osmosis": (CurvilinearGrid, (452, 203), None, None),
}


@pytest.mark.samples
@pytest.mark.parametrize("name", SAMPLES)
def test_the_grids_of_real_files_are_found_and_survive_writing(name):
    kind, shape, latitude, longitude = SAMPLES[name]
    ds = samples.open_dataset(name)
    da = ds[samples.describe(name).variable]
    horizontal = find_horizontal(da, dataset=ds)
    assert isinstance(horizontal.grid, kind)
    assert horizontal.grid.shape == shape == (da.sizes[horizontal.y_dim], da.sizes[horizontal.x_dim])
    if isinstance(horizontal.grid, RectilinearGrid):
        np.testing.assert_allclose(horizontal.grid.latitude_edges[[0, -1]], latitude, atol=1e-3)
        np.testing.assert_allclose(horizontal.grid.longitude_edges[[0, -1]], longitude, atol=1e-3)
        assert horizontal.grid.periodic is (name == "global_duacs")
    fine = write_and_read(horizontal, (1, 2))
    again = find_horizontal(fine.ssh, dataset=fine)
    np.testing.assert_allclose(edges(again.grid), edges(horizontal.grid.refine((1, 2))), atol=1e-9)
