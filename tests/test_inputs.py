"""Every argument that cannot be used is refused before anything is computed, by name, with what is allowed."""

import numpy as np
import pytest
import xarray as xr

import xr_dip
from xr_dip.inputs import find_target, parse_factor


def field(values=None, **attrs):
    values = np.random.default_rng(0).normal(size=(4, 6)) if values is None else values
    axes = {"lat": 40 + np.arange(values.shape[-2]) / 4.0, "lon": 5 + np.arange(values.shape[-1]) / 4.0}
    return xr.DataArray(values, axes, ("lat", "lon"), name="ssh", attrs={"units": "m", **attrs})


def target(da=None, factor=2, **options):
    defaults = {"mask": None, "weights": "equal", "x_dim": None, "y_dim": None, "dataset": None}
    return find_target(field() if da is None else da, factor, **{**defaults, **options})


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
        (field().drop_vars(["lat", "lon"]), {"factor": 2}, ValueError, "latitude"),
        (field(), {"factor": 2, "x_dim": "x"}, ValueError, "Invalid x_dim 'x'"),
        (field(), {"factor": 2, "weights": "volume"}, ValueError, "Invalid weights 'volume'"),
        (field(), {"factor": 2, "weights": np.ones((4, 6))}, ValueError, r"weights of shape \(4, 6\).*\(8, 12\)"),
        (field(), {"factor": 2, "mask": np.ones((4, 6))}, ValueError, r"mask of shape \(4, 6\).*\(8, 12\)"),
        (field(), {"factor": 2, "mask": np.full((8, 12), 2)}, ValueError, "mask with the value 2"),
        (
            field(),
            {"factor": 2, "mask": xr.DataArray(np.ones((8, 12)), dims=("a", "b"))},
            ValueError,
            "mask with dimensions .'a', 'b'.",
        ),
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
        ({"generator": "gan"}, "Invalid generator 'gan'. It must be one of .'bandlimited', 'dcgan'."),
        ({"loss": "mae"}, "Invalid loss 'mae'. It must be one of .'charbonnier', 'mse'."),
        (
            {"constraint": "hard"},
            "Invalid constraint 'hard'. It must be one of .'additive', 'none', 'optimal'",
        ),
        ({"operator": "sinc"}, "Invalid operator 'sinc'. It must be one of .'block_mean'."),
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


def test_heights_in_centimetres_may_be_larger():
    values = field().values.clip(-0.9, 0.9) * 100
    values[1, 2] = 150.0
    assert xr_dip.interpolate(field(values, units="cm"), 2).ssh_mean.attrs["units"] == "cm"
    with pytest.raises(ValueError, match=r"Invalid ssh 150.0 at lat=1, lon=2 .* within 100 of 0"):
        xr_dip.interpolate(field(values), 2)


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


def test_shapes_are_the_coarse_ones_times_the_factor():
    found = target(factor=(2, 3))
    assert (found.coarse_shape, found.fine_shape) == ((4, 6), (8, 18))
