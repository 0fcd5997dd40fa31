"""Block means of a truth: conservation, land, coordinates, boundaries, attributes."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xr_dip.blocks import block_mean
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.coarsening import coarsen, fine_weights
from xr_dip.samples import open_dataset


def truth_on(shape: tuple[int, int], *, west: float = -60.0, seed: int = 0) -> xr.DataArray:
    """Regular grid of a tenth of a degree."""
    latitude = 40.0 + 0.1 * np.arange(shape[0])
    longitude = (west + 0.1 * np.arange(shape[1]) + 180.0) % 360.0 - 180.0
    values = np.random.default_rng(seed).normal(size=shape)
    return xr.DataArray(
        values, {"latitude": latitude, "longitude": longitude}, ("latitude", "longitude"), "ssh", {"units": "m"}
    )


def curvilinear(shape: tuple[int, int], *, west: float = -60.0) -> xr.DataArray:
    rows, columns = np.indices(shape)
    longitude = (west + 0.1 * columns + 0.02 * rows + 180.0) % 360.0 - 180.0
    coords = {"nav_lat": (("y", "x"), 40.0 + 0.1 * rows - 0.02 * columns), "nav_lon": (("y", "x"), longitude)}
    return xr.DataArray(np.random.default_rng(0).normal(size=shape), coords, ("y", "x"), "sossheig")


VALUES = arrays(np.float64, (6, 8), elements=st.floats(-2, 2) | st.just(np.nan))
WEIGHTS = arrays(np.float64, (6, 8), elements=st.floats(0.1, 10) | st.just(0.0))


@settings(max_examples=30, deadline=None)
@given(values=VALUES, weights=WEIGHTS)
def test_block_means_are_those_of_the_operator(values, weights):
    truth = truth_on((6, 8)).copy(data=values)
    coarse, fine = coarsen(truth, (3, 2), weights=xr.DataArray(weights, dims=("latitude", "longitude")))
    expected = block_mean(values, np.where(np.isnan(values), 0.0, weights), (3, 2))
    np.testing.assert_allclose(coarse, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(fine, values)


def test_equal_weights_are_those_of_xarray():
    truth = truth_on((6, 8))
    truth[1:4, 2:5] = np.nan
    expected = truth.coarsen(latitude=2, longitude=2).mean()
    xr.testing.assert_allclose(coarsen(truth, 2)[0], expected)


def test_area_weights_conserve_the_volume():
    truth = truth_on((6, 8)) + 1.0
    coarse, fine = coarsen(truth, 2, weights="area")
    areas = [find_horizontal(field).grid.area() for field in (coarse, fine)]
    np.testing.assert_allclose((coarse * areas[0]).sum(), (fine * areas[1]).sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("min_sea", "known"), [(0.0, [True, True, True]), (0.5, [False, True, True]), (1.0, [False, False, True])]
)
def test_blocks_with_too_little_sea_have_no_value(min_sea, known):
    # shares of sea of 1/4, 2/4 and 4/4
    truth = truth_on((2, 6))
    truth[:, :4] = [[np.nan, np.nan, np.nan, 1.0], [np.nan, 1.0, np.nan, 1.0]]
    coarse, _ = coarsen(truth, 2, min_sea=min_sea)
    np.testing.assert_array_equal(coarse.notnull()[0], known)


def test_weights_in_another_order_of_dimensions_are_the_same_through_a_kernel():
    rng = np.random.default_rng(0)
    truth = xr.DataArray(rng.normal(size=(16, 16)), {"lat": np.arange(16.0), "lon": np.arange(16.0)}, ("lat", "lon"))
    weights = xr.DataArray(rng.uniform(0.5, 2.0, truth.shape), dims=truth.dims)
    options = {"operator": "gaussian", "operator_options": {"width": (0.3, 0.8)}}
    one, other = (coarsen(truth, 4, weights=part, **options)[0] for part in (weights, weights.T))
    xr.testing.assert_identical(one, other)


def test_land_alone_has_no_value():
    truth = truth_on((2, 4))
    truth[:, :2] = np.nan
    assert coarsen(truth, 2)[0].isnull()[0, 0]


def test_other_dimensions_names_and_order_are_kept():
    time = np.array(["2009-07-01", "2009-07-02"], dtype="datetime64[ns]")
    days = xr.concat([truth_on((4, 6)), truth_on((4, 6), seed=1)], xr.Variable("time", time))
    turned = days.transpose("longitude", "time", "latitude").assign_coords(depth=0.5)
    coarse, fine = coarsen(turned, {"longitude": 3, "latitude": 2})
    assert coarse.dims == fine.dims == ("longitude", "time", "latitude")
    assert coarse.shape == (2, 2, 2)
    assert float(coarse.depth) == 0.5
    np.testing.assert_array_equal(coarse.time, time)
    single, _ = coarsen(days.isel(time=1), (2, 3))
    xr.testing.assert_allclose(coarse.isel(time=1).transpose(*single.dims).drop_vars("depth"), single)


def test_coarsening_is_lazy_and_chunks_change_nothing():
    def never_compute(*args, **kwargs):
        raise AssertionError("computed while building")

    truth = truth_on((6, 8))
    expected, _ = coarsen(truth, 2, weights="area")
    with dask.config.set(scheduler=never_compute):
        coarse, fine = coarsen(truth.chunk(latitude=3, longitude=5), 2, weights="area")
    assert coarse.chunks is not None
    assert fine.chunks is not None
    xr.testing.assert_allclose(coarse.compute(), expected)


@pytest.mark.parametrize("west", [-60.0, 179.75])
@pytest.mark.parametrize("make", [truth_on, curvilinear])
def test_positions_are_block_means_also_across_the_dateline(make, west):
    coarse, _ = coarsen(make((4, 6), west=west), 2)
    grid = find_horizontal(coarse)
    latitude, longitude = grid.latitude.values, grid.longitude.values
    reference, _ = coarsen(make((4, 6), west=-60.0), 2)
    expected = find_horizontal(reference).longitude.values + (west + 60.0)
    np.testing.assert_allclose((longitude - expected + 180.0) % 360.0 - 180.0, 0.0, atol=1e-9)
    np.testing.assert_allclose(latitude, find_horizontal(reference).latitude.values)
    assert (np.abs(longitude) <= 180.0).all()


def test_the_coarse_grid_refined_is_the_fine_grid():
    coarse, fine = coarsen(truth_on((6, 8)), 2)
    for refined, centre in zip(
        find_horizontal(coarse).grid.refine((2, 2)).centres(), find_horizontal(fine).grid.centres(), strict=True
    ):
        np.testing.assert_allclose(refined, centre, atol=1e-9)


@pytest.mark.parametrize("make", [truth_on, curvilinear])
def test_trim_drops_the_last_cells(make):
    truth = make((7, 8))
    coarse, fine = coarsen(truth, 3, boundary="trim")
    xr.testing.assert_identical(fine, truth[:6, :6])
    xr.testing.assert_identical(coarse, coarsen(truth[:6, :6], 3)[0])


@pytest.mark.parametrize("make", [truth_on, curvilinear])
@pytest.mark.parametrize("west", [-60.0, 179.45])
def test_pad_completes_the_last_block(make, west):
    # the last block along x holds columns 6 and 7 and one that is missing, at the position of column 8
    full = make((6, 9), west=west)
    coarse, fine = coarsen(full[:, :8], 3, boundary="pad")
    xr.testing.assert_allclose(fine, full.where(np.arange(9) < 8))
    np.testing.assert_allclose(coarse[0, 2], full[:3, 6:8].mean())
    expected, _ = coarsen(full, 3)
    for name in expected.coords:
        np.testing.assert_allclose(coarse[name], expected[name], atol=1e-9)


def test_attributes_that_still_hold_are_kept():
    truth = truth_on((4, 4)).assign_attrs(
        standard_name="sea_surface_height_above_geoid", cell_methods="time: mean", cell_measures="area: cell_area"
    )
    truth.latitude.attrs = {"units": "degrees_north", "bounds": "lat_bnds"}
    coarse, _ = coarsen(truth.assign_coords(tmask=(("latitude", "longitude"), np.ones((4, 4)))), 2)
    assert coarse.name == "ssh"
    assert coarse.attrs == {
        "units": "m",
        "standard_name": "sea_surface_height_above_geoid",
        "cell_methods": "time: mean area: mean",
    }
    assert coarse.latitude.attrs == {"units": "degrees_north"}
    assert "tmask" not in coarse.coords
    assert coarsen(coarse, 2)[0].attrs["cell_methods"] == "time: mean area: mean"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 4}, "Invalid factor 4 along 'latitude'. It must divide the size 6, unless boundary is"),
        ({"factor": 7, "boundary": "trim"}, "Invalid factor 7 along 'latitude'. It must not be above the size 6"),
        ({"boundary": "wrap"}, "Invalid boundary 'wrap'. It must be one of"),
        ({"min_sea": 1.5}, "Invalid min_sea 1.5. It must be a share between 0 and 1"),
        ({"weights": "volume"}, "Invalid weights 'volume'. It must be one of"),
        ({"weights": xr.DataArray([1.0] * 6, dims="latitude")}, r"Invalid weights with dimensions \('latitude',\)"),
        ({"weights": -(truth_on((6, 8)) ** 2)}, "Invalid weights with the value"),
        ({"weights": truth_on((4, 8)) ** 2}, "Invalid size of the dimension 'latitude' of the weights: 4"),
        ({"factor": 0}, "Invalid factor 0"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        coarsen(truth_on((6, 8)), **({"factor": 2} | options))


def test_a_single_row_cannot_be_padded():
    truth = truth_on((1, 8))
    with pytest.raises(ValueError, match="Invalid boundary 'pad' along 'latitude' of size 1"):
        coarsen(truth, 2, boundary="pad")


def test_equal_weights_are_one():
    truth = truth_on((2, 3))
    weights = fine_weights(truth, "equal", find_horizontal(truth))
    np.testing.assert_array_equal(weights, np.ones((2, 3)))
    assert weights.dims == ("latitude", "longitude")


@pytest.mark.samples
def test_the_coarse_sample_is_the_fine_one_coarsened():
    """eNATL60 lr files are plain 5x5 means of the hr files; their last column is incomplete."""
    fine, coarse = (open_dataset(f"gulf_stream_{kind}") for kind in ("fine", "coarse"))
    block_means, trimmed = coarsen(fine.sossheig, 5, boundary="trim")
    assert trimmed.sizes["x"] == 305
    np.testing.assert_allclose(block_means, coarse.sossheig, atol=1e-5)
    for name in ("nav_lat", "nav_lon"):
        np.testing.assert_allclose(block_means[name], coarse[name], atol=2e-5)
