"""Every argument that cannot be used is refused before anything is computed, by name, with what is allowed."""

import numpy as np
import pytest
import xarray as xr
from robustness_files import open_robustness

import xr_dip
from xr_dip.inputs import find_target, parse_factor


def field(values=None, **attrs):
    values = np.random.default_rng(0).normal(size=(4, 6)) if values is None else values
    axes = {"lat": 40 + np.arange(values.shape[-2]) / 4.0, "lon": 5 + np.arange(values.shape[-1]) / 4.0}
    return xr.DataArray(values, axes, ("lat", "lon"), name="ssh", attrs={"units": "m", **attrs})


def target(da=None, factor=2, **options):
    return find_target(field() if da is None else da, factor, **options)[1]


@pytest.mark.parametrize("method", [xr_dip.downscale, xr_dip.interpolate])
@pytest.mark.parametrize(
    ("da", "options", "error", "message"),
    [
        (field(), {"factor": 0}, ValueError, "Invalid factor 0. It must be a whole number of at least 1"),
        (field(), {"factor": -2}, ValueError, "Invalid factor -2"),
        (field(), {"factor": 2.5}, ValueError, "Invalid factor 2.5"),
        (field(), {"factor": True}, ValueError, "Invalid factor True"),
        (field(), {"factor": "4"}, ValueError, "Invalid factor '4'"),
        (field(), {"factor": (2, 0)}, ValueError, "Invalid factor along x 0"),
        (field(), {"factor": {"depth": 2}}, ValueError, "must name the horizontal dimensions .'lat', 'lon'."),
        (field(), {"factor": {}}, ValueError, "must name the horizontal dimensions"),
        (field(), {"factor": {"lat": 1.5}}, ValueError, "Invalid factor of 'lat' 1.5"),
        (field(np.full((4, 6), np.nan)), {"factor": 2}, ValueError, "Every value is NaN"),
        (field(np.ones((4, 6), int)), {"factor": 2}, TypeError, "Invalid dtype int64 of 'ssh'"),
        (field(np.full((4, 6), "a")), {"factor": 2}, TypeError, "Invalid dtype <U1 of 'ssh'"),
        (field().values, {"factor": 2}, TypeError, "Invalid field of type ndarray"),
        (field().drop_vars("lat"), {"factor": 2}, ValueError, "latitude"),
        (field(), {"factor": 2, "x_dim": "x"}, ValueError, "Invalid x_dim 'x'"),
        (field(), {"factor": 2, "weights": "volume"}, ValueError, "Invalid weights 'volume'"),
        (field(), {"factor": 2, "weights": np.ones((4, 6))}, ValueError, r"weights of shape \(4, 6\).*\(8, 12\)"),
        (field(), {"factor": 2, "weights": field() + 9}, ValueError, r"weights of shape .* This is the coarse grid"),
        (field(), {"factor": 2, "mask": np.ones((4, 6))}, ValueError, r"mask of shape \(4, 6\).*\(8, 12\)"),
        (field(), {"factor": 2, "mask": np.full((8, 12), 2)}, ValueError, "mask with the value 2"),
        (
            field(),
            {"factor": 2, "mask": xr.DataArray(np.ones((8, 12)), dims=("a", "b"))},
            ValueError,
            "mask with dimensions .'a', 'b'.",
        ),
        (field(), {"factor": 2, "mask": xr.Dataset({"a": 1})}, TypeError, r"Invalid mask of type Dataset.*\['a'\]"),
        (
            field(),
            {"factor": 2, "mask": np.full((8, 12), "sea")},
            ValueError,
            "Invalid mask of type <U3. It must be of",
        ),
        (
            field(),
            {"factor": 2, "weights": np.ones((8, 12), complex)},
            ValueError,
            "Invalid weights of type complex128",
        ),
        (field(), {"factor": 2, "mask": "fine"}, ValueError, "Invalid mask 'fine'. It must be 'coarse', a DataArray"),
        (field(), {"factor": 2, "land_value": "0"}, ValueError, "Invalid land_value '0'. It must be a finite number"),
        (field(), {"factor": 2, "land_value": np.nan}, ValueError, "Invalid land_value nan"),
        (field(), {"factor": 2, "land_value": False}, ValueError, "Invalid land_value False"),
        (field(), {"factor": 2, "extrapolate": True}, ValueError, "Invalid extrapolate True without a fine mask"),
        (field(), {"factor": 2, "extrapolate": "yes"}, ValueError, "Invalid extrapolate 'yes'. It must be True or"),
        (field(), {"factor": 2, "periodic": True}, ValueError, "Invalid periodic True for RectilinearGrid.* no full"),
        (field(), {"factor": 2, "periodic": "x"}, ValueError, "Invalid periodic 'x'. It must be True, False or 'auto'"),
        (field(), {"factor": 2, "x_coord": "lun"}, ValueError, "Invalid x_coord 'lun'"),
    ],
)
def test_what_both_methods_refuse(method, da, options, error, message):
    with pytest.raises(error, match=message):
        method(da, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": 0}, "Invalid members 0. It must be a whole number of at least 1"),
        ({"members": 2.0}, "Invalid members 2.0"),
        ({"seed": -1}, "Invalid seed -1. It must be a whole number of at least 0"),
        ({"preset": "best"}, "Invalid preset 'best'. It must be one of .*'balanced'"),
        (
            {"generator": "gan"},
            "Invalid generator 'gan'. It must be one of "
            ".'bandlimited', 'dcgan', 'decoder', 'knitwork', 'lapsrn', 'skip'.",
        ),
        ({"loss": "mae"}, "Invalid loss 'mae'. It must be one of .'charbonnier', 'huber', 'l1', 'mse'."),
        (
            {"constraint": "hard"},
            "Invalid constraint 'hard'. It must be one of .'additive', 'geiss', 'multiplicative', 'none', 'optimal'",
        ),
        ({"operator": "sinc"}, "Invalid operator 'sinc'. It must be one of .'bicubic', 'block_mean', 'fir'"),
        ({"noise_std": 0}, "Invalid noise_std 0. It must be a positive number"),
        ({"noise_std": np.nan}, "Invalid noise_std nan"),
        ({"noise_std": "1 cm"}, "Invalid noise_std '1 cm'"),
        ({"device": "tpu"}, "Invalid device 'tpu'. It must be 'auto' or one of those here"),
    ],
)
def test_what_downscale_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        xr_dip.downscale(field(), 2, **options)


def test_interpolate_lists_its_methods():
    with pytest.raises(ValueError, match=r"Invalid method 'cubic'. It must be one of .*'bicubic'.*'kriging'"):
        xr_dip.interpolate(field(), 2, method="cubic")


@pytest.mark.parametrize("method", [xr_dip.downscale, xr_dip.interpolate])
def test_infinite_values_and_undeclared_fill_values_are_located(method):
    values = field().values
    values[1, 2] = np.inf
    with pytest.raises(ValueError, match=r"inf at lat=1, lon=2 \(lat 40.25, lon 5.5\)"):
        method(field(values), 2)
    values[1, 2] = -214748.0
    with pytest.raises(ValueError, match="_FillValue"):
        method(field(values), 2)


@pytest.mark.parametrize("key", ["_FillValue", "missing_value"])
@pytest.mark.parametrize("fill", [-99.0, 1e20])
@pytest.mark.parametrize("lazy", [True, False])
def test_fill_values_that_are_declared_and_not_decoded_are_missing(key, fill, lazy):
    """-99 is within the heights that are taken."""
    values = field().values
    values[1, 2] = np.nan
    decoded = xr_dip.interpolate(field(values), 2)
    raw = field(values).fillna(fill)
    raw.attrs[key] = raw.dtype.type(fill)
    xr.testing.assert_equal(xr_dip.interpolate(raw.chunk() if lazy else raw, 2).compute(), decoded)
    left = field(values).assign_attrs({key: fill})
    xr.testing.assert_equal(xr_dip.interpolate(left.chunk() if lazy else left, 2).compute(), decoded)


def test_packed_heights_are_refused_before_their_type_is():
    packed = (100 * field()).astype("int16")
    packed.attrs |= {"scale_factor": 0.01}
    floating = packed.astype("float64")
    for raw in (packed, floating, floating.chunk(), (0.01 * floating).chunk()):
        raw.attrs = packed.attrs
        with pytest.raises(
            ValueError, match=r"Invalid 'ssh' with the attributes {'scale_factor': 0.01}.*drop these attr"
        ):
            xr_dip.interpolate(raw, 2)
    scaled = (0.01 * floating).assign_attrs(packed.attrs)
    assert np.isfinite(xr_dip.interpolate(scaled, 2).ssh_mean).all()
    plain = field().assign_attrs(scale_factor=1.0, add_offset=0.0)
    assert np.isfinite(xr_dip.interpolate(plain.chunk(), 2).ssh_mean).all()


def test_heights_in_centimetres_may_be_larger():
    values = field().values.clip(-0.9, 0.9) * 100
    values[1, 2] = 150.0
    assert xr_dip.interpolate(field(values, units="cm"), 2).ssh_mean.attrs["units"] == "cm"
    with pytest.raises(ValueError, match=r"Invalid ssh 150.0 at lat=1, lon=2 .* within 100 of 0"):
        xr_dip.interpolate(field(values), 2)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ("kelvin", "must be a sea surface height in m, cm or mm.* its units are 'kelvin'"),
        ("m s-1", "its units are 'm s-1'. If it is a height, set its units; if the value is a fill value, set `_Fill"),
        ("Metres ", "within 100 of 0, which is 100 m. A fill value must be declared"),
        ("mm", "within 100000 of 0, which is 100 m. A fill value must be declared"),
        ("", "within 100 of 0, which is 100 m. A fill value must be declared"),
    ],
)
def test_units_that_are_no_height_are_named(units, message):
    with pytest.raises(ValueError, match=f"Invalid ssh 285000.0 at lat=0, lon=0 .*{message}"):
        xr_dip.interpolate(field(np.full((4, 6), 285e3), units=units), 2)


@pytest.mark.parametrize("method", [xr_dip.downscale, xr_dip.interpolate])
def test_lazy_fields_are_looked_at_when_they_are_computed(method):
    values = field().values
    values[1, 2] = -214748.0
    lazy = method(field(values).chunk(), 2, **({} if method is xr_dip.interpolate else {"members": 1}))
    with pytest.raises(ValueError, match=r"Invalid ssh -214748.0 at index \(1, 2\).*_FillValue"):
        lazy.compute(scheduler="synchronous")


def test_factor_by_dimension():
    horizontal = target().horizontal
    assert parse_factor(3, horizontal) == (3, 3)
    assert parse_factor((2, 5), horizontal) == (2, 5)
    assert parse_factor({"lon": 5, "lat": 2}, horizontal) == (2, 5)
    assert parse_factor({"lon": np.int64(5)}, horizontal) == (1, 5)


def test_a_mask_may_come_in_any_order_of_dimensions():
    mask = np.random.default_rng(1).random((8, 12)) > 0.3
    straight = target(mask=xr.DataArray(mask, dims=("lat", "lon")))
    turned = target(mask=xr.DataArray(mask.T[None], dims=("time", "lon", "lat")))
    np.testing.assert_array_equal(straight.mask, mask)
    np.testing.assert_array_equal(turned.mask, mask)


def test_area_weights_are_the_areas_of_the_fine_cells():
    found = target(weights="area")
    assert found.weights is not None
    np.testing.assert_allclose(found.weights, found.fine_grid.area())
    assert target().weights is None


def test_weights_of_the_cells_may_be_given_in_any_order_of_dimensions():
    metres = xr.DataArray(np.random.default_rng(2).random((12, 8)), dims=("lon", "lat"))
    np.testing.assert_array_equal(target(weights=metres).weights, metres.T)


def test_a_mask_the_wrong_way_round_is_refused_where_the_field_is_known():
    values = field().values
    values[:, :2] = np.nan
    land = xr.DataArray(np.isnan(np.repeat(np.repeat(values, 2, 0), 2, 1)), dims=("lat", "lon"))
    with pytest.raises(ValueError, match=r"Invalid mask. It must be 1 on sea, but is land on 100%"):
        target(field(values), mask=land)
    assert target(field(values), mask=~land).mask.sum() == 64
    assert target(field(values).chunk(), mask=land).mask.sum() == 32


def test_periodic_is_seen_from_the_longitudes_or_told():
    around = xr.DataArray(field().values, {"lat": np.arange(4.0), "lon": np.arange(0.0, 360.0, 60.0)}, ("lat", "lon"))
    assert [target(around, periodic=told).periodic for told in ("auto", True, False)] == [True, True, False]
    assert [target(periodic=told).periodic for told in ("auto", False)] == [False, False]


def test_columns_that_a_globe_has_twice_are_named():
    """As where a plotting tool has closed the circle: the seam is told of, and how to be without it."""
    axes = {"lat": np.arange(4.0), "lon": np.arange(0.0, 361.0, 60.0)}
    closed = xr.DataArray(np.pad(field().values, ((0, 0), (0, 1)), mode="wrap"), axes, ("lat", "lon"), name="ssh")
    with pytest.warns(
        xr_dip.DipWarning, match=r"last 1 column.* of 'ssh' along 'lon'.*isel\({'lon': slice\(None, -1\)}"
    ):
        assert target(closed).periodic is False
    assert target(closed, periodic=False).periodic is False
    assert target(closed.isel({"lon": slice(None, -1)})).periodic is True


def test_a_field_without_positions_may_be_told_to_be_periodic():
    channel = field().drop_vars(["lat", "lon"])
    with pytest.warns(xr_dip.DipWarning):
        assert [target(channel, periodic=told).periodic for told in ("auto", True)] == [False, True]


def test_land_is_missing_in_the_field_that_is_used():
    values = field().values
    values[:, :2] = 0.0
    found, told = find_target(field(values), 2, land_value=0.0)
    np.testing.assert_array_equal(found, np.where(values == 0, np.nan, values))
    assert told.description["land_value"] == 0.0
    dataset = field(values).to_dataset().assign(tmask=(("lon", "lat"), (values != 0).T))
    also, by_mask = find_target(dataset.ssh, 2, dataset=dataset)
    xr.testing.assert_identical(also, found)
    assert by_mask.description["coarse_mask"] == "tmask"
    with pytest.raises(ValueError, match="Invalid mask 'tmask' in the Dataset of 'ssh'"):
        find_target(dataset.ssh, 2, dataset=dataset.assign(tmask=dataset.tmask == 0))


def test_the_position_of_missing_land_may_be_missing_too():
    """A value of land is set missing before the grid is made, so positions on land need not be right."""
    y, x = np.meshgrid(np.arange(5.0), np.arange(6.0), indexing="ij")
    positions = {"nav_lat": (("y", "x"), 40 + y), "nav_lon": (("y", "x"), 5 + x)}
    da = xr.DataArray(np.random.default_rng(0).normal(size=(5, 6)), positions, ("y", "x"), name="ssh")
    da[:2, :2] = 0.0
    for name in positions:
        da[name][:2, :2] = np.nan
    assert target(da, land_value=0.0).fine_shape == (10, 12)


def test_what_was_done_is_described():
    given = target(mask=np.ones((8, 12)), weights=np.ones((8, 12)), extrapolate=True, periodic=False)
    assert given.description == {
        "factor": [2, 2],
        "weights": "given on the fine grid",
        "mask": "given on the fine grid",
        "coarse_mask": None,
        "land_value": None,
        "extrapolate": True,
        "periodic": False,
    }
    assert given.extrapolate
    assert [target(mask=mask).description["mask"] for mask in (None, "coarse")] == ["coarse", "coarse"]
    regular = xr.DataArray(np.ones((9, 9)), {"lat": np.arange(36.0, 45.0), "lon": np.arange(2.0, 11.0)}, ("lat", "lon"))
    assert target(mask=regular).description["mask"] == "regridded by majority"


@pytest.mark.samples
@pytest.mark.parametrize("method", [xr_dip.downscale, xr_dip.interpolate])
def test_the_undeclared_fill_value_of_a_real_file_is_refused(method):
    with open_robustness("duacs_undeclared_fill") as dataset:
        with pytest.raises(ValueError, match=r"Invalid adt -214748.* at time=0, latitude=0, longitude=0 .*_FillValue"):
            method(dataset.adt, 2)
        window = dataset.adt.isel(latitude=slice(480, 500), longitude=slice(1100, 1130))
        missing = find_target(window, 2, land_value=-214748.3647)[0]
    assert 0 < missing.isnull().sum() < missing.size


def test_shapes_are_the_coarse_ones_times_the_factor():
    found = target(factor=(2, 3))
    assert (found.coarse_shape, found.fine_shape) == ((4, 6), (8, 18))
