"""SSIM: the same as scikit-image on a full field, and windows that touch land left out."""

import sys

import numpy as np
import pytest
import xarray as xr
from skimage.metrics import structural_similarity

from xr_dip.verification import ssim, ssim_map

DIMS = ("y", "x")


def pair(shape: tuple[int, int] = (20, 26)) -> tuple[xr.DataArray, xr.DataArray]:
    generator = np.random.default_rng(7)
    truth = xr.DataArray(generator.normal(size=shape).cumsum(axis=0), dims=DIMS)
    return truth + 0.5 * generator.normal(size=shape), truth


def reference(estimate: xr.DataArray, truth: xr.DataArray, data_range: float) -> float:
    return structural_similarity(
        estimate.values,
        truth.values,
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        K1=0.01,
        K2=0.03,
        use_sample_covariance=False,
    )


def test_equal_to_scikit_image_without_land():
    estimate, truth = pair()
    span = float(truth.max() - truth.min())
    np.testing.assert_allclose(ssim(estimate, truth, dims=DIMS), reference(estimate, truth, span), rtol=1e-12)
    np.testing.assert_allclose(
        ssim(estimate, truth, dims=DIMS, data_range=3.0), reference(estimate, truth, 3.0), rtol=1e-12
    )


def test_land_leaves_out_its_windows_and_no_other():
    # land at (10, 3): windows of 11 reach 5 cells, and the border takes 5 more: centres with x > 8 remain
    estimate, truth = pair()
    island = truth.copy()
    island[10, 3] = np.nan
    with_land = ssim_map(estimate, island, dims=DIMS, data_range=3.0)
    without = ssim_map(estimate, truth, dims=DIMS, data_range=3.0)
    np.testing.assert_allclose(with_land[:, 9:], without[:, 9:], rtol=1e-12)
    assert with_land[5:-5, 5:9].isnull().all()
    assert int(with_land.count()) == 10 * (26 - 5 - 9)


def test_a_field_smaller_than_the_window_has_no_similarity():
    estimate, truth = pair((10, 26))
    assert np.isnan(float(ssim(estimate, truth, dims=DIMS)))


def test_a_truth_without_range_has_no_similarity():
    estimate, truth = pair()
    assert np.isnan(float(ssim(estimate, xr.zeros_like(truth), dims=DIMS)))


@pytest.mark.parametrize("data_range", [0.0, -1.0, np.nan])
def test_a_wrong_data_range_is_refused(data_range):
    estimate, truth = pair()
    with pytest.raises(ValueError, match=r"Invalid data_range .* It must be positive and finite"):
        ssim(estimate, truth, dims=DIMS, data_range=data_range)


def test_one_dimension_is_refused():
    estimate, truth = pair()
    with pytest.raises(ValueError, match=r"Invalid dims \('x',\). They must be 2 distinct names"):
        ssim(estimate, truth, dims=("x",))


def test_without_scikit_image_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    estimate, truth = pair()
    with pytest.raises(ImportError, match=r"pip install xr-dip\[verify\]"):
        ssim(estimate, truth, dims=DIMS)
