"""A truth on the cells of a result: by position, whatever its names and units; anything else is refused."""

import numpy as np
import pytest
import xarray as xr

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.matching import place_on

LATITUDE, LONGITUDE = 40 + 0.1 * np.arange(4), -5 + 0.1 * np.arange(5)
VALUES = np.arange(20.0).reshape(4, 5)


def on_axes(dims=("lat", "lon"), latitude=LATITUDE, longitude=LONGITUDE, **attrs):
    return xr.DataArray(VALUES, {dims[0]: latitude, dims[1]: longitude}, dims, "ssh", attrs)


def on_mesh(dims=("y", "x"), shift=0.0, **attrs):
    latitude, longitude = np.meshgrid(LATITUDE + shift, LONGITUDE, indexing="ij")
    longitude = longitude + 0.2 * (latitude - 40 - shift)
    coords = {"nav_lat": (dims, latitude), "nav_lon": (dims, longitude)}
    return xr.DataArray(VALUES, coords, dims, "ssh", attrs)


def place(estimate, truth):
    return place_on(estimate, truth, find_horizontal(estimate))


@pytest.mark.parametrize(
    "truth",
    [
        on_axes(),
        on_axes(("latitude", "longitude")),
        on_axes().transpose("lon", "lat"),
        on_axes(longitude=LONGITUDE + 360),
        on_axes(latitude=LATITUDE + 0.02),
        on_axes().drop_vars(["lat", "lon"]),
        on_axes(latitude=LATITUDE.astype("float32")),
    ],
)
def test_a_truth_on_the_same_cells_is_placed_there(truth):
    placed = place(on_axes(), truth)
    assert set(placed.dims) == {"lat", "lon"}
    assert not placed.coords
    np.testing.assert_array_equal(placed.transpose("lat", "lon"), VALUES)


@pytest.mark.parametrize("truth", [on_mesh(), on_mesh(("j", "i")), on_mesh(shift=0.02), on_mesh().transpose()])
def test_positions_in_two_dimensions_are_compared(truth):
    placed = place(on_mesh(), truth)
    np.testing.assert_array_equal(placed.transpose("y", "x"), VALUES)


def test_times_stay():
    truth = on_axes().expand_dims(time=[3, 4])
    assert place(on_axes(), truth).time.values.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("estimate", "truth"),
    [
        (on_axes(), on_axes(latitude=LATITUDE + 0.05)),
        (on_axes(), on_axes(longitude=LONGITUDE - 0.05)),
        (on_axes(), on_axes(latitude=LATITUDE[::-1])),
        (on_mesh(), on_mesh(shift=0.05)),
        (on_mesh(), on_mesh()[::-1]),
        (on_axes(), on_mesh(("lat", "lon"), shift=0.05)),
        (on_mesh(), on_axes(latitude=LATITUDE + 0.3)),
    ],
)
def test_another_grid_is_refused(estimate, truth):
    with pytest.raises(
        ValueError, match=r"Invalid truth on another grid: its latitude and longitude are .* cells away"
    ):
        place(estimate, truth)


def test_sizes_and_dimensions_are_checked():
    with pytest.raises(
        ValueError, match=r"Invalid truth with 3 cells along 'lat'. It must be on the fine grid .* has 4"
    ):
        place(on_axes(), on_axes()[:3])
    bare = on_axes().drop_vars(["lat", "lon"]).rename(lat="a", lon="b")
    with pytest.raises(
        ValueError, match=r"Invalid truth with the dimensions \('a', 'b'\). It must have \('lat', 'lon'\)"
    ):
        place(on_axes(), bare)
    with pytest.raises(TypeError, match=r"Invalid truth of type Dataset. It must be an xarray.DataArray, such as one"):
        place(on_axes(), on_axes().to_dataset())


@pytest.mark.parametrize(("own", "wanted", "scale"), [("cm", "m", 0.01), ("m", "mm", 1000.0), ("metre", "m", 1.0)])
def test_units_are_those_of_the_estimate(own, wanted, scale):
    placed = place(on_axes(units=wanted), on_axes(units=own))
    np.testing.assert_allclose(placed, scale * VALUES)
    assert placed.units == wanted


def test_units_that_one_lacks_are_those_of_the_other():
    assert place(on_axes(units="m"), on_axes()).units == "m"
    np.testing.assert_array_equal(place(on_axes(), on_axes(units="m")), VALUES)
    with pytest.raises(ValueError, match=r"Invalid units 'K' of the truth. It must be 'm', as the result has"):
        place(on_axes(units="m"), on_axes(units="K"))
