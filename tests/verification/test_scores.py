"""Scores of one field: closed forms, weights, missing values, chunks."""

import dask
import numpy as np
import pytest
import xarray as xr

from xr_dip.verification import (
    bias,
    compared_cells,
    gradient,
    gradient_rmse,
    laplacian,
    laplacian_rmse,
    mu_score,
    rmse,
    ssim,
)

DIMS = ("y", "x")
STEPS = (2e3, 3e3)


def never_compute(*args, **kwargs):
    raise AssertionError("computed while building")


def random_field(seed: int, shape: tuple[int, ...] = (24, 30)) -> xr.DataArray:
    dims = ("time", *DIMS)[-len(shape) :]
    return xr.DataArray(np.random.default_rng(seed).normal(size=shape), dims=dims, attrs={"units": "m"})


def plane(slope_y: float, slope_x: float, shape: tuple[int, int] = (6, 7)) -> xr.DataArray:
    """A plane with slopes per metre."""
    y, x = np.indices(shape) * np.array(STEPS)[:, None, None]
    return xr.DataArray(slope_y * y + slope_x * x, dims=DIMS, attrs={"units": "m"})


SCORES = {
    "bias": bias,
    "rmse": rmse,
    "mu_score": mu_score,
    "ssim": ssim,
    "gradient_rmse": lambda e, t, **k: gradient_rmse(e, t, spacing=STEPS, **k),
    "laplacian_rmse": lambda e, t, **k: laplacian_rmse(e, t, spacing=STEPS, **k),
}
PERFECT = {"bias": 0.0, "rmse": 0.0, "mu_score": 1.0, "ssim": 1.0, "gradient_rmse": 0.0, "laplacian_rmse": 0.0}


@pytest.fixture(params=SCORES)
def name(request) -> str:
    return request.param


def test_the_truth_scores_perfectly(name):
    truth = random_field(0)
    np.testing.assert_allclose(SCORES[name](truth, truth, dims=DIMS), PERFECT[name], atol=1e-14)


def test_chunks_do_not_change_a_score(name):
    truth, estimate = random_field(1, (3, 24, 30)), random_field(2, (3, 24, 30))
    weights = abs(random_field(3))
    expected = SCORES[name](estimate, truth, dims=DIMS, weights=weights)
    for chunks in ({"y": 7, "x": 11}, {"time": 1, "y": 24, "x": 5}):
        lazy = SCORES[name](estimate.chunk(chunks), truth.chunk(chunks), dims=DIMS, weights=weights)
        xr.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def test_building_computes_nothing(name):
    truth, estimate = random_field(1).chunk(y=8), random_field(2).chunk(x=10)
    with dask.config.set(scheduler=never_compute):
        score = SCORES[name](estimate, truth, dims=DIMS, weights=abs(truth))
    assert score.chunks is not None


def test_land_appended_anywhere_changes_nothing(name):
    truth, estimate = random_field(1), random_field(2)
    expected = SCORES[name](estimate, truth, dims=DIMS)
    pads = {"y": (3, 1), "x": (0, 4)}
    filled = SCORES[name](estimate.pad(pads, constant_values=99.0), truth.pad(pads), dims=DIMS)
    # a window or difference that reached over the border now reaches land: left out both times
    xr.testing.assert_allclose(filled, expected, rtol=1e-12)


def test_what_the_estimate_holds_on_land_does_not_matter(name):
    truth, estimate = random_field(1), random_field(2)
    land = xr.DataArray(np.zeros((24, 30), dtype=bool), dims=DIMS)
    land[2:4, 3:6] = True
    first = SCORES[name](estimate.where(~land), truth.where(~land), dims=DIMS)
    for filler in (np.nan, 1e20, np.inf):
        other = SCORES[name](estimate.where(~land, filler), truth.where(~land), dims=DIMS)
        xr.testing.assert_allclose(other, first, rtol=1e-12)
    assert np.isfinite(float(first))


def test_units_and_names_are_those_of_the_score(name):
    units = {"bias": "m", "rmse": "m", "gradient_rmse": "m m-1", "laplacian_rmse": "m m-2"}
    truth = random_field(0).assign_attrs(standard_name="sea_surface_height_above_geoid", cell_methods="area: mean")
    score = SCORES[name](truth, truth, dims=DIMS)
    assert score.name == name
    assert score.attrs["units"] == units.get(name, "1")
    assert set(score.attrs) == {"long_name", "units"}


def test_other_dimensions_are_kept(name):
    truth = random_field(0, (3, 24, 30)).assign_coords(time=[10, 20, 30])
    score = SCORES[name](truth, truth, dims=DIMS)
    assert score.dims == ("time",)
    np.testing.assert_array_equal(score.time, [10, 20, 30])


def test_dimensions_in_another_order_are_the_same_field(name):
    truth, estimate = random_field(1), random_field(2)
    xr.testing.assert_allclose(
        SCORES[name](estimate.transpose("x", "y"), truth, dims=DIMS), SCORES[name](estimate, truth, dims=DIMS)
    )


@pytest.mark.parametrize("offset", [0.3, -0.3])
def test_a_constant_offset_is_the_bias_and_its_size_the_rmse(offset):
    truth = random_field(0)
    np.testing.assert_allclose(bias(truth + offset, truth, dims=DIMS), offset)
    np.testing.assert_allclose(rmse(truth + offset, truth, dims=DIMS), abs(offset))


def test_float32_fields_are_scored_in_float64():
    # float32 has steps of 1e-6 at 16: summed in float32 the mean error of a million cells would be lost
    truth = xr.full_like(random_field(0, (300, 300)), 16.0).astype(np.float32)
    estimate = truth + np.float32(2.0**-19)
    np.testing.assert_allclose(bias(estimate, truth, dims=DIMS), 2.0**-19, rtol=1e-12)


def test_weights_weigh():
    truth = xr.DataArray(np.zeros((1, 2)), dims=DIMS)
    estimate = truth + xr.DataArray([1.0, 3.0], dims="x")
    weights = xr.DataArray([3.0, 1.0], dims="x")
    assert float(bias(estimate, truth, dims=DIMS, weights=weights)) == 1.5
    assert float(rmse(estimate, truth, dims=DIMS, weights=weights)) == pytest.approx(3.0**0.5)


def test_mu_of_zeros_is_zero_and_of_a_scaled_truth_its_scale():
    truth = random_field(0) + 2.0
    np.testing.assert_allclose(mu_score(xr.zeros_like(truth), truth, dims=DIMS), 0.0, atol=1e-14)
    np.testing.assert_allclose(mu_score(0.9 * truth, truth, dims=DIMS), 0.9)


def test_mu_compares_with_the_reference_only_where_there_is_an_estimate():
    truth = xr.DataArray([1.0, 100.0], dims="x")
    estimate = xr.DataArray([0.5, np.nan], dims="x")
    assert float(mu_score(estimate, truth, dims=("x",))) == 0.5


def test_a_score_of_nothing_is_nan(name):
    truth = random_field(0)
    assert np.isnan(float(SCORES[name](truth * np.nan, truth, dims=DIMS)))


def test_compared_and_missing_cells_are_counted():
    truth = xr.DataArray([[1.0, 2.0, np.nan], [3.0, 4.0, np.nan]], dims=DIMS)
    estimate = xr.DataArray([[1.0, np.nan, 1.0], [np.nan, 1.0, np.nan]], dims=DIMS)
    counts = compared_cells(estimate, truth, dims=DIMS)
    assert (int(counts.cells), int(counts.missing_cells)) == (2, 2)


def test_gradient_of_a_plane_is_exact():
    along_y, along_x = gradient(plane(2e-6, -5e-6), dims=DIMS, spacing=STEPS)
    np.testing.assert_allclose(along_y[1:-1], 2e-6, rtol=1e-12)
    np.testing.assert_allclose(along_x[:, 1:-1], -5e-6, rtol=1e-12)
    assert int(along_y.count()) == 4 * 7
    assert int(along_x.count()) == 6 * 5


def test_gradient_rmse_of_a_plane_is_the_length_of_its_slope():
    truth = random_field(0, (6, 7))
    score = gradient_rmse(truth + plane(3e-6, 4e-6), truth, dims=DIMS, spacing=STEPS)
    np.testing.assert_allclose(score, 5e-6, rtol=1e-9)


def test_laplacian_of_a_quadratic_is_exact():
    # (a y^2 + b x^2 + c x y) has the Laplacian 2 a + 2 b
    y, x = np.indices((6, 7)) * np.array(STEPS)[:, None, None]
    bowl = xr.DataArray(3e-9 * y**2 - 1e-9 * x**2 + 2e-9 * x * y, dims=DIMS)
    inner = laplacian(bowl, dims=DIMS, spacing=STEPS)[1:-1, 1:-1]
    np.testing.assert_allclose(inner, 4e-9, rtol=1e-9)
    zero = xr.zeros_like(bowl)
    np.testing.assert_allclose(laplacian_rmse(bowl, zero, dims=DIMS, spacing=STEPS), 4e-9, rtol=1e-9)


def test_spacing_may_vary_over_the_field():
    # a slope of 1 m per cell is half as steep where cells are twice as wide
    truth = xr.DataArray(np.arange(5.0) * np.ones((2, 1)), dims=DIMS)
    width = xr.DataArray([1e3, 2e3], dims="y")
    _, along_x = gradient(truth, dims=DIMS, spacing=(1e3, width))
    np.testing.assert_allclose(along_x[:, 2], [1e-3, 5e-4])


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0)])
def test_wrong_distances_are_refused(spacing):
    truth = random_field(0)
    with pytest.raises(ValueError, match=r"Invalid spacing .* It must be positive and finite, in metres"):
        gradient_rmse(truth, truth, dims=DIMS, spacing=spacing)


def test_a_single_distance_is_refused():
    truth = random_field(0)
    with pytest.raises(ValueError, match=r"Invalid spacing \(1.0,\). It must be two distances"):
        laplacian_rmse(truth, truth, dims=DIMS, spacing=(1.0,))
