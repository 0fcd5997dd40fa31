"""Currents: closed forms on every grid, units, coasts, the equator, members, laziness, metadata and real files.

Turning water in balance: u = w p with p the distance from the axis of the Earth needs h = Omega w p^2 / g, since
dp/dn = -sin(latitude) and f = 2 Omega sin(latitude). Its vorticity is 2 w sin(latitude), its Rossby number w / Omega.
"""

import inspect

import cloudpickle
import dask.array
import numpy as np
import pytest
import xarray as xr
from families import FAMILIES, NX, NY
from hypothesis import given, settings
from hypothesis import strategies as st
from results import build, check_cf, curvilinear, rectilinear

import xr_dip
from xr_dip import samples
from xr_dip.accessor import DipArray, DipDataset
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.geometry import ellipsoid
from xr_dip.geostrophy import GRAVITY, ROTATION, currents

TURN = 1e-6
"""Radians per second: currents of some metres per second, much for water but good for digits."""
PARTS = ["u", "v", "speed", "vorticity", "rossby_number", "eke"]


def on_axes(latitude, longitude, **attrs):
    axes = {"lat": np.asarray(latitude, float), "lon": np.asarray(longitude, float)}
    return xr.DataArray(np.zeros((len(latitude), len(longitude))), axes, ("lat", "lon"), "ssh", attrs)


def field(south=40.0, **attrs):
    return on_axes(south + 0.1 * np.arange(12), 5 + 0.1 * np.arange(14), **attrs)


def from_axis(latitude):
    return np.degrees(ellipsoid.degree_lengths(latitude)[1])


def turning(like, latitude):
    """Height of turning water at the latitudes (y, x) of a field, in metres."""
    height = ROTATION * TURN / GRAVITY * xr.apply_ufunc(from_axis, latitude) ** 2
    return (0 * like + height).transpose(*like.dims).rename("ssh").assign_attrs(like.attrs)


def placed_families():
    return [name for name in FAMILIES if name not in ("distances without a grid mapping", "no coordinates")]


@pytest.mark.parametrize("name", placed_families())
def test_turning_water_of_every_family(name):
    dataset = FAMILIES[name]()
    height = dataset[dataset.attrs["field"]].astype("float64")
    horizontal = find_horizontal(height, dataset=dataset)
    latitude = horizontal.grid.centres()[0]
    latitude = latitude if latitude.ndim == 2 else np.repeat(latitude[:, None], NX, axis=1)
    dims = (horizontal.y_dim, horizontal.x_dim)
    known = xr.DataArray(latitude, dims=dims)
    flow = currents(dataset.assign(ssh=turning(height, known)), "ssh")
    expected = {"u": TURN * from_axis(latitude), "v": 0 * latitude, "rossby_number": 0 * latitude + TURN / ROTATION}
    expected["eke"] = expected["u"] ** 2 / 2
    for key, values in expected.items():
        computed = flow[key].transpose(..., *dims).values.reshape(-1, NY, NX)
        close = np.isclose(computed, values, rtol=1e-3, atol=3e-3 * np.abs(values).max() or 3e-3)
        assert (close | np.isnan(computed)).all(), key
        if key == "u":
            assert np.isfinite(computed[:, 1:-1, 1:3]).all() or "land" in name
    assert flow.u.dims == height.dims


@pytest.mark.parametrize("south", [40.0, -41.0])
def test_turning_water_on_both_hemispheres(south):
    height = field(south)
    flow = currents(turning(height, height.lat))
    sea = flow.isel(lat=slice(2, -2), lon=slice(2, -2))
    np.testing.assert_allclose(sea.u, TURN * from_axis(sea.lat.values)[:, None].repeat(10, 1), rtol=1e-5)
    np.testing.assert_allclose(sea.v, 0.0, atol=1e-8)
    np.testing.assert_allclose(sea.speed, abs(sea.u), rtol=1e-12)
    np.testing.assert_allclose(sea.vorticity, (2 * TURN * np.sin(np.radians(sea.lat)) + 0 * sea.u), rtol=1e-4)
    np.testing.assert_allclose(sea.rossby_number, TURN / ROTATION, rtol=1e-4)


@pytest.mark.parametrize(("latitude", "sign"), [(35.0, 1), (-35.0, -1)])
def test_a_gaussian_low_is_a_cyclone_on_both_hemispheres(latitude, sign):
    # h = -A exp(-r^2 / 2 L^2): at the centre u = v = 0 and zeta = g/f laplacian(h) = 2 g A / (f L^2)
    depth, width = 0.2, 1e5
    height = on_axes(latitude + 0.02 * np.arange(-80, 81), 0.02 * np.arange(-80, 81))
    northward, eastward = (float(step) for step in ellipsoid.degree_lengths(latitude))
    squared = ((height.lat - latitude) * northward) ** 2 + (height.lon * eastward) ** 2
    centre = currents(height - depth * np.exp(-squared / (2 * width**2))).sel(lat=latitude, lon=0.0, method="nearest")
    coriolis = 2 * ROTATION * np.sin(np.radians(latitude))
    assert float(centre.vorticity) == pytest.approx(2 * GRAVITY * depth / (coriolis * width**2), rel=2e-3)
    assert np.sign(float(centre.vorticity)) == sign
    assert float(centre.rossby_number) > 0
    assert float(centre.speed) == pytest.approx(0, abs=2e-3)


@settings(max_examples=20)
@given(east=st.floats(-1, 1), north=st.floats(-1, 1))
def test_a_plane_flows_along_its_contours(east, north):
    height = field()
    plane = 0.01 * (east * (height.lon - 5) + north * (height.lat - 40))
    northward, eastward = ellipsoid.degree_lengths(height.lat)
    coriolis = 2 * ROTATION * np.sin(np.radians(height.lat))
    flow = currents(plane.rename("ssh").transpose("lat", "lon")).isel(lat=slice(1, -1), lon=slice(1, -1))
    expected_v = 0.01 * east * GRAVITY / coriolis / xr.DataArray(eastward, dims="lat")
    expected_u = -0.01 * north * GRAVITY / coriolis / xr.DataArray(northward, dims="lat")
    np.testing.assert_allclose(flow.u, expected_u.isel(lat=slice(1, -1)) + 0 * flow.lon, atol=1e-7)
    np.testing.assert_allclose(flow.v, expected_v.isel(lat=slice(1, -1)) + 0 * flow.lon, atol=1e-7)


@pytest.mark.parametrize(("units", "scale"), [("cm", 100.0), ("mm", 1000.0), ("Meters", 1.0)])
def test_units_are_converted(units, scale):
    height = turning(field(), field().lat)
    xr.testing.assert_allclose(currents((scale * height).assign_attrs(units=units)), currents(height), rtol=1e-12)


def test_missing_are_land_what_is_beside_it_and_the_border():
    height = turning(field(), field().lat)
    height[5, 6] = np.nan
    flow = currents(height)
    has = np.zeros(height.shape, bool)
    has[1:-1, 1:-1] = True
    for row, column in ((5, 6), (4, 6), (6, 6), (5, 5), (5, 7)):
        has[row, column] = False
    for key in ("u", "v", "speed", "eke"):
        np.testing.assert_array_equal(flow[key].notnull(), has)
    inner = np.zeros_like(has)
    inner[1:-1, 1:-1] = has[1:-1, 1:-1] & has[:-2, 1:-1] & has[2:, 1:-1] & has[1:-1, :-2] & has[1:-1, 2:]
    for key in ("vorticity", "rossby_number"):
        np.testing.assert_array_equal(flow[key].notnull(), inner)


@pytest.mark.parametrize("band", [3.0, 2.0, 7.5])
def test_the_band_around_the_equator_is_missing_and_said_to_be(band):
    height = on_axes(np.arange(-12.0, 12.5), np.arange(5.0, 12.0))
    flow = currents(turning(height, height.lat), equator_band=band)
    has = flow.u.isel(lon=3).notnull()
    np.testing.assert_array_equal(has, (abs(height.lat) >= band) & (abs(height.lat) < 12))
    assert f"within {band:g} degrees of the equator" in flow.vorticity.comment
    assert float(abs(flow.u).max()) < 8  # w p is 6.4 at the equator


def test_a_band_thinner_than_a_cell_lets_no_vorticity_across():
    # Rows turned by 45 degrees: the four neighbours of a cell on the equator are not on it.
    j, i = np.indices((11, 11))
    coords = {"nav_lat": (("y", "x"), 0.5 * (j - i)), "nav_lon": (("y", "x"), 0.5 * (j + i))}
    height = xr.DataArray(np.zeros((11, 11)), coords, ("y", "x"), "ssh")
    flow = currents(turning(height, height.nav_lat), equator_band=0.1)
    on_equator = flow.nav_lat == 0
    assert flow.u.where(on_equator).isnull().all()
    assert flow.vorticity.where(on_equator).isnull().all()
    assert flow.vorticity.where(abs(flow.nav_lat) == 1.5).notnull().any()


def test_around_the_globe_there_is_no_seam():
    height = on_axes(np.arange(30.0, 40.0), np.arange(0.0, 360.0))
    wave = turning(height, height.lat) + 0.1 * np.cos(np.radians(3 * height.lon))
    flow = currents(wave)
    assert flow.vorticity.isel(lat=slice(2, -2)).notnull().all()
    rolled = currents(wave.roll(lon=100, roll_coords=True))
    np.testing.assert_allclose(rolled.u, flow.u.roll(lon=100), rtol=1e-9)
    window = currents(wave.isel(lon=slice(0, 180)))
    assert window.u.isel(lon=0).isnull().all()


def ensemble(source, seed=0):
    """A result with members that differ."""
    rng = np.random.default_rng(seed)

    def noise(shape, dtype="float64"):
        return rng.normal(size=shape).astype(dtype)

    return build(source, zeros=noise)


@pytest.mark.parametrize("source", [rectilinear(), curvilinear()], ids=["rectilinear", "curvilinear"])
def test_members_are_averaged_after_the_currents(source):
    out = ensemble(source)
    name = source.name
    flow, each = currents(out), currents(out[f"{name}_members"])
    assert each.speed.sizes["member"] == 3
    for key in PARTS:
        np.testing.assert_allclose(flow[key], each[key].astype("f8").mean("member"), rtol=2e-5, atol=1e-8)
        spread = each[key].astype("f8").std("member", ddof=1, skipna=False)
        np.testing.assert_allclose(flow[f"{key}_std"], spread, rtol=2e-5)
    of_mean = currents(out[f"{name}_members"].mean("member"))
    np.testing.assert_allclose(flow.u, of_mean.u, rtol=1e-3, atol=1e-3)
    sea = flow.eke.notnull()
    assert (flow.eke.where(sea, 1) > of_mean.eke.where(sea, 0)).all()
    assert flow.u.attrs["cell_methods"] == "realization: mean"
    assert flow.u_std.attrs["cell_methods"] == "realization: standard_deviation"


def test_without_members_it_is_the_mean_and_says_so():
    out = ensemble(rectilinear()).drop_vars("zos_members")
    flow = currents(out)
    assert list(flow) == PARTS
    np.testing.assert_array_equal(flow.u, currents(out.zos_mean).u)
    assert "of the ensemble mean" in flow.speed.comment
    assert "of the ensemble mean" not in currents(ensemble(rectilinear())).speed.comment
    coarse = xr_dip.synthetic.gulf_stream((8, 12)).ssh
    assert "of the ensemble mean" not in currents(xr_dip.interpolate(coarse, 2)).speed.comment  # of no ensemble


def test_the_energy_of_eddies_lacks_the_mean_current():
    steady = turning(field(), field().lat).expand_dims(time=4)
    assert float(currents(steady, eddy_dim="time").eke.max()) < 1e-15
    assert float(currents(steady).eke.max()) > 1
    flow = currents(steady * xr.DataArray([1.0, -1.0, 1.0, -1.0], dims="time"), eddy_dim="time")
    xr.testing.assert_allclose(flow.eke, (flow.speed**2 / 2).drop_attrs(), rtol=1e-9)
    assert "averaged over time" in flow.eke.long_name


def test_lazy_in_lazy_out():
    height = turning(field(), field().lat).expand_dims(time=2)

    def refuse(*_args, **_kwargs):
        raise AssertionError("Something was computed.")

    with dask.config.set(scheduler=refuse):
        lazy = currents(height.chunk(time=1, lat=4, lon=7))
    assert all(lazy[key].chunks is not None for key in PARTS)
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), currents(height), rtol=1e-12)


def test_the_graph_of_a_lazy_field_carries_its_positions_only():
    axes = {"lat": np.linspace(20, 50, 200), "lon": np.linspace(0, 40, 300)}
    height = xr.DataArray(dask.array.zeros((4, 200, 300), chunks=(1, 200, 300)), axes, ("time", "lat", "lon"), "ssh")
    assert len(cloudpickle.dumps(currents(height).u.data.dask)) < 200 * 300


def test_noise_grows_towards_the_equator():
    # sqrt(2) mm over two cells, times g / f
    rng = np.random.default_rng(0)
    for latitude, expected in ((30, 0.0137), (5, 0.0785)):
        height = on_axes(latitude + np.arange(60) / 1e4, 5 + np.arange(600) / 16)
        noise = height + 1e-3 * rng.normal(size=height.shape)
        spacing = np.cos(np.radians(latitude))  # the parallel is that much shorter than 1/16 degree of latitude
        assert float(currents(noise).v.std()) * spacing == pytest.approx(expected, rel=0.03)


def test_coordinates_dimensions_and_dtype_are_those_of_the_height():
    height = turning(field(), field().lat).expand_dims(time=[3]).transpose("lon", "time", "lat").astype("float32")
    flow = currents(height.assign_coords(depth=0.5))
    assert flow.u.dims == ("lon", "time", "lat")
    assert {flow[key].dtype for key in PARTS} == {np.dtype("float32")}
    for name in ("lat", "lon", "time", "depth"):
        xr.testing.assert_identical(flow[name].variable, height.assign_coords(depth=0.5)[name].variable)


@pytest.mark.parametrize(("source", "members"), [(rectilinear(), False), (curvilinear(), True)])
def test_the_result_passes_the_cf_checker(tmp_path, source, members):
    out = ensemble(source)
    out = out if members else out.drop_vars(f"{source.name}_members")
    flow = currents(out)
    check_cf(flow, tmp_path / "flow.nc")
    assert not [key for key in flow.coords if str(key).endswith("_coarse")]
    assert flow.attrs["history"].splitlines()[0].endswith(f"currents, {source.name}_{'members' if members else 'mean'}")


def test_velocities_of_anomalies_are_named_so():
    flow = currents(field(standard_name="sea_surface_height_above_mean_sea_level", units="m"))
    suffix = "_sea_water_velocity_assuming_mean_sea_level_for_geoid"
    assert flow.u.standard_name == f"surface_geostrophic_eastward{suffix}"
    assert flow.v.standard_name == f"surface_geostrophic_northward{suffix}"
    assert currents(field()).v.standard_name == "surface_geostrophic_northward_sea_water_velocity"
    assert flow.vorticity.standard_name == "ocean_relative_vorticity"


@pytest.mark.parametrize(
    ("source", "options", "error", "text"),
    [
        (field(), {"name": "ssh"}, ValueError, "Invalid name 'ssh'. It must be left out where the source is a Data"),
        (field().to_dataset(), {}, ValueError, r"Invalid name None. It must be one of \['ssh'\]"),
        (field().to_dataset(), {"name": "zos"}, ValueError, r"Invalid name 'zos'. It must be one of \['ssh'\]"),
        (field().astype(int), {}, TypeError, "Invalid dtype int64 of 'ssh'. It must be floating point"),
        (field(units="K"), {}, ValueError, "Invalid units 'K' of 'ssh'. It must be m, cm or mm"),
        (field()[:2], {}, ValueError, r"Invalid 'ssh' of \(2, 14\) cells. It must have at least 3 along 'lat' and"),
        (field(), {"equator_band": 0.0}, ValueError, "Invalid equator_band 0.0. It must be between 0 and 90"),
        (field(), {"equator_band": 90.0}, ValueError, "Invalid equator_band 90.0. It must be between 0 and 90"),
        (field(), {"eddy_dim": "lat"}, ValueError, r"Invalid eddy_dim 'lat'. It must be one of \[\], or None"),
    ],
)
def test_what_cannot_be_is_refused(source, options, error, text):
    with pytest.raises(error, match=text):
        currents(source, **options)


def test_a_field_that_is_nowhere_has_no_currents():
    with (
        pytest.warns(xr_dip.DipWarning, match="no latitude and longitude"),
        pytest.raises(ValueError, match="Invalid field without positions"),
    ):
        currents(xr.DataArray(np.zeros((4, 5)), dims=("y", "x"), name="ssh"))


@pytest.mark.parametrize(("accessor", "own"), [(DipArray, {"source", "name"}), (DipDataset, {"source"})])
def test_the_accessor_has_the_same_arguments(accessor, own):
    function = [item for item in inspect.signature(currents).parameters.values() if item.name not in own]
    method = list(inspect.signature(accessor.currents).parameters.values())[1:]
    assert [(item.name, item.kind, item.default) for item in method] == [
        (item.name, item.kind, item.default) for item in function
    ]


def test_the_accessor_hands_every_argument_over(monkeypatch):
    seen = []
    monkeypatch.setattr("xr_dip.geostrophy.currents", lambda *args, **options: seen.append((args, options)))
    options = {"equator_band": 4, "eddy_dim": "t", "x_dim": "a", "y_dim": "b", "x_coord": "c", "y_coord": "d"}
    height = field()
    dataset = height.to_dataset()
    height.dip.currents(**options)
    dataset.dip.currents("ssh", **options)
    assert seen[0][0][0] is height
    assert seen[1][0][0] is dataset
    assert (seen[1][0][1], seen[0][1], seen[1][1]) == ("ssh", options, options)


def agreement(one, other):
    """Correlation, and root mean square difference over root mean square, where both have values."""
    both = np.isfinite(one) & np.isfinite(other)
    first, second = one[both].astype("f8"), other[both].astype("f8")
    return np.corrcoef(first, second)[0, 1], np.sqrt(np.mean((first - second) ** 2) / np.mean(second**2))


@pytest.mark.samples
@pytest.mark.parametrize("name", ["global_duacs", "black_sea"])
def test_altimetry_products_have_nearly_these_currents(name):
    # Theirs are of a wider stencil, so a little faster at the smallest scales.
    dataset = samples.open_dataset(name)
    flow = currents(dataset, "adt", equator_band=5.0)
    for mine, theirs in (("u", "ugos"), ("v", "vgos")):
        correlation, error = agreement(flow[mine].values, dataset[theirs].values)
        assert correlation > 0.99
        assert error < 0.13


@pytest.mark.samples
def test_a_model_has_nearly_these_currents():
    # eNATL60, hourly, on its C grid: its currents hold wind, waves and tides, too. Correlation 0.987, 0.988.
    dataset = samples.open_dataset("gulf_stream_fine").isel(time_counter=0)
    flow = currents(dataset, "sossheig")
    u = dataset.sozocrtx.rolling(x=2).mean().values  # from the faces of a cell to its centre
    v = dataset.somecrty.rolling(y=2).mean().values
    angle = np.arctan2(
        dataset.nav_lat.differentiate("x"), dataset.nav_lon.differentiate("x") * np.cos(np.radians(dataset.nav_lat))
    ).values
    eastward, northward = u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle)
    for mine, theirs in ((flow.u, eastward), (flow.v, northward)):
        correlation, error = agreement(mine.values, theirs)
        assert correlation > 0.98
        assert error < 0.2
