"""Structural similarity (SSIM) of an estimate and the truth, computed by scikit-image.

Settings of Wang et al. (2004), as in Archambault et al. (2022): Gaussian window of 11 cells with sigma 1.5, k1 =
0.01, k2 = 0.03, population covariances.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from xr_dip.verification.statistics import check_dims, difference, finite, label, match, matched_weights, sums, whole

WINDOW = 11
"""Width of the window in cells."""

FloatArray = npt.NDArray[np.float64]


def ssim(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    data_range: float | None = None,
    weights: xr.DataArray | None = None,
) -> xr.DataArray:
    """Mean structural similarity of two fields; 1 where they are the same.

    Windows that touch land, or reach over the border, are left out.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : (str, str)
        Names of the dimensions along y and x.
    data_range : float, optional
        Range of the values, in their unit. By default maximum minus minimum of each field of the truth.
    weights : DataArray, optional
        Weight of each window, given at its centre. By default all weigh the same.

    Returns
    -------
    DataArray
        Without unit; NaN where no window fits between land and border.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates, data_range or weights are wrong.
    ImportError
        If scikit-image is missing.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli (2004), Image quality assessment: from error visibility to structural similarity,
    IEEE Transactions on Image Processing 13(4), eq. 13.

    Examples
    --------
    >>> truth = xr.DataArray(np.random.default_rng(0).normal(size=(16, 16)), dims=("y", "x"))
    >>> float(ssim(truth, truth, dims=("y", "x")))
    1.0
    """
    similarity = ssim_map(estimate, truth, dims=dims, data_range=data_range)
    mean = sums(similarity, dims=dims, weights=matched_weights(weights, truth)).mean()
    return label(mean, "ssim", "structural similarity", "1")


def ssim_map(
    estimate: xr.DataArray, truth: xr.DataArray, *, dims: Sequence[str], data_range: float | None = None
) -> xr.DataArray:
    """Structural similarity in the window around each cell; NaN where the window touches land or the border.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit and sizes; further dimensions are kept.
    dims : (str, str)
        Names of the dimensions along y and x.
    data_range : float, optional
        Range of the values, in their unit. By default maximum minus minimum of each field of the truth.

    Returns
    -------
    DataArray
        Without unit, the horizontal dimensions last.

    Raises
    ------
    ValueError
        If dimensions, sizes, coordinates or data_range are wrong.
    ImportError
        If scikit-image is missing.

    Examples
    --------
    >>> truth = xr.DataArray(np.random.default_rng(0).normal(size=(12, 11)), dims=("y", "x"))
    >>> int(ssim_map(truth, truth, dims=("y", "x")).count())
    2
    """
    check_dims(truth, dims, "truth", count=2)
    _structural_similarity()
    if data_range is not None and not (np.isfinite(data_range) and data_range > 0):
        raise ValueError(
            f"Invalid data_range {data_range!r}. It must be positive and finite, in the unit of the fields."
        )
    error = difference(estimate, truth, dims=dims)
    span = finite(truth).max(dims) - finite(truth).min(dims) if data_range is None else xr.DataArray(data_range)
    similarity = xr.apply_ufunc(
        _similarity,
        whole(finite(match(estimate, truth, "estimate")).where(error.notnull()), dims),
        whole(finite(truth).where(error.notnull()), dims),
        span,
        input_core_dims=[list(dims), list(dims), []],
        output_core_dims=[list(dims)],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    return label(similarity, "ssim", "structural similarity", "1")


def _similarity(estimate: FloatArray, truth: FloatArray, data_range: float) -> FloatArray:
    """SSIM of one field (ny, nx), NaN at the centre of every window that is not whole."""
    if min(truth.shape) < WINDOW or not data_range > 0:
        return np.full(truth.shape, np.nan)
    missing = np.isnan(truth)
    _, similarity = _structural_similarity()(
        np.where(missing, 0.0, estimate),
        np.where(missing, 0.0, truth),
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        K1=0.01,
        K2=0.03,
        use_sample_covariance=False,
        full=True,
    )
    broken = ndimage.maximum_filter(missing, size=WINDOW, mode="constant", cval=True)
    return np.where(broken, np.nan, similarity)


def _structural_similarity() -> Any:
    try:
        return import_module("skimage.metrics").structural_similarity
    except ModuleNotFoundError as error:
        raise ImportError("SSIM needs scikit-image. Install it with `pip install xr-dip[verify]`.") from error
