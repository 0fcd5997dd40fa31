"""Verification of estimates against a truth: plain functions on DataArrays, without torch.

All functions leave out the cells where something compared is missing, weigh cells on request, keep the dimensions
that they are not told to average over, and stay lazy with dask. Only `ssim` needs scikit-image (``pip install
xr-dip[verify]``).
"""

from xr_dip.verification.derivatives import gradient, gradient_rmse, laplacian, laplacian_rmse
from xr_dip.verification.ensembles import crps, rank_histogram
from xr_dip.verification.error_bins import reliability
from xr_dip.verification.evaluation import evaluate
from xr_dip.verification.scores import bias, compared_cells, mu_score, rmse
from xr_dip.verification.similarity import ssim, ssim_map
from xr_dip.verification.spectra import effective_resolution, psd, psd_ratio, psd_score
from xr_dip.verification.spread import correlation, coverage, crps_gaussian, spread_skill
from xr_dip.verification.statistics import Sums, difference, sums

__all__ = [
    "Sums",
    "bias",
    "compared_cells",
    "correlation",
    "coverage",
    "crps",
    "crps_gaussian",
    "difference",
    "effective_resolution",
    "evaluate",
    "gradient",
    "gradient_rmse",
    "laplacian",
    "laplacian_rmse",
    "mu_score",
    "psd",
    "psd_ratio",
    "psd_score",
    "rank_histogram",
    "reliability",
    "rmse",
    "spread_skill",
    "ssim",
    "ssim_map",
    "sums",
]
