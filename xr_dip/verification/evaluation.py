"""All scores of an estimate at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xr_dip.verification.derivatives import Spacing, gradient_rmse, laplacian_rmse
from xr_dip.verification.ensembles import crps
from xr_dip.verification.scores import bias, compared_cells, mu_score, rmse
from xr_dip.verification.similarity import ssim
from xr_dip.verification.spectra import effective_resolution, psd_score
from xr_dip.verification.spread import correlation, coverage, crps_gaussian, spread_skill
from xr_dip.verification.statistics import difference

FEWEST = 2
"""Members that have a spread."""


@dataclass(frozen=True, eq=False)
class _Parts:
    mean: xr.DataArray
    std: xr.DataArray | None
    members: xr.DataArray | None


def evaluate(
    estimate: xr.Dataset | xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    spacing: Spacing | None = None,
    std: xr.DataArray | None = None,
    members: xr.DataArray | None = None,
    weights: xr.DataArray | None = None,
    name: str | None = None,
    member_dim: str = "member",
) -> xr.Dataset:
    """Every scalar score that the parts of an estimate allow.

    Parameters
    ----------
    estimate : Dataset or DataArray
        A result of `xr_dip.downscale` with ``<name>_mean``, perhaps ``<name>_std`` and ``<name>_members``; or the
        mean alone.
    truth : DataArray
        Same unit and sizes; dimensions other than `dims` are kept.
    dims : (str, str)
        Names of the dimensions along y and x.
    spacing : (float or DataArray, float or DataArray), optional
        Distance between cell centres along y and x in metres, an array where it varies; spectra, which know one only,
        take its median. Without it, scores of derivatives and spectra are left out.
    std, members : DataArray, optional
        Predicted standard deviation and members, where `estimate` is a DataArray. Without `std`, the standard
        deviation of the members stands for it, with the correction for their number. A single member says nothing of
        a distribution, and is left out.
    weights : DataArray, optional
        Weight of each cell in the means, for example its area in m2. By default all weigh the same.
    name : str, optional
        Name of the variable where `estimate` is a Dataset with several ``*_mean``.
    member_dim : str
        Name of the dimension of the members.

    Returns
    -------
    Dataset
        ``cells``, ``missing_cells``, ``bias``, ``rmse``, ``mu_score``, ``ssim``; with spacing ``gradient_rmse``,
        ``laplacian_rmse``, ``effective_resolution`` (isotropic; NaN with land); with std ``spread_skill``,
        ``coverage`` (of 90 %), ``correlation``, ``crps_gaussian``; with members ``crps``. Lazy if the input is.

    Raises
    ------
    ValueError
        If name, std or members do not fit the estimate, or dimensions, sizes, coordinates, spacing or weights are
        wrong.
    ImportError
        If scikit-image is missing.

    Examples
    --------
    >>> import numpy as np
    >>> truth = xr.DataArray(np.random.default_rng(0).normal(size=(16, 16)), dims=("y", "x"))
    >>> scores = evaluate(truth + 0.1, truth, dims=("y", "x"))
    >>> list(scores), round(float(scores.rmse), 6)
    (['cells', 'missing_cells', 'bias', 'rmse', 'mu_score', 'ssim'], 0.1)
    """
    parts = _parts(estimate, std, members, name, member_dim)
    mean = parts.mean
    scores = [
        bias(mean, truth, dims=dims, weights=weights),
        rmse(mean, truth, dims=dims, weights=weights),
        mu_score(mean, truth, dims=dims, weights=weights),
        ssim(mean, truth, dims=dims, weights=weights),
    ]
    if spacing is not None:
        scores += [
            gradient_rmse(mean, truth, dims=dims, spacing=spacing, weights=weights),
            laplacian_rmse(mean, truth, dims=dims, spacing=spacing, weights=weights),
            effective_resolution(psd_score(mean, truth, dims=dims, spacing=_typical(spacing))),
        ]
    scores += _spread_scores(parts, truth, dims, weights, member_dim)
    if parts.members is not None:
        scores.append(crps(parts.members, truth, dims=dims, weights=weights, member_dim=member_dim))
    return compared_cells(mean, truth, dims=dims).assign({str(score.name): score for score in scores})


def _typical(spacing: Spacing) -> tuple[float, float]:
    along_y, along_x = (float(np.median(step)) for step in spacing)
    return along_y, along_x


def _spread_scores(
    parts: _Parts, truth: xr.DataArray, dims: Sequence[str], weights: xr.DataArray | None, member_dim: str
) -> list[xr.DataArray]:
    """Scores of the predicted std, or else of the members' own."""
    std, count = parts.std, None
    if std is None and parts.members is not None:
        std, count = parts.members.std(member_dim, ddof=1, skipna=False), parts.members.sizes[member_dim]
    if std is None:
        return []
    error = difference(parts.mean, truth, dims=dims)
    return [
        spread_skill(std, parts.mean, truth, dims=dims, weights=weights, members=count),
        coverage(parts.mean, std, truth, dims=dims, weights=weights),
        correlation(std, error, dims=dims, weights=weights),
        crps_gaussian(parts.mean, std, truth, dims=dims, weights=weights),
    ]


def several(members: xr.DataArray | None, member_dim: str = "member") -> xr.DataArray | None:
    """Return members if they are two or more, for the scores of a distribution; None if they are fewer.

    Examples
    --------
    >>> several(xr.DataArray([[0.5]], dims=("member", "x"))) is None
    True
    """
    return None if members is None or members.sizes.get(member_dim, FEWEST) < FEWEST else members


def _parts(
    estimate: xr.Dataset | xr.DataArray,
    std: xr.DataArray | None,
    members: xr.DataArray | None,
    name: str | None,
    member_dim: str,
) -> _Parts:
    if isinstance(estimate, xr.DataArray):
        if name is not None:
            raise ValueError(f"Invalid name {name!r}. It must be left out where the estimate is a DataArray.")
        return _Parts(estimate, std, several(members, member_dim))
    if std is not None or members is not None:
        raise ValueError(
            "Invalid std or members. They must be left out where the estimate is a Dataset, which holds them."
        )
    names = [str(variable).removesuffix("_mean") for variable in estimate.data_vars if str(variable).endswith("_mean")]
    if (name is None and len(names) != 1) or (name is not None and name not in names):
        raise ValueError(f"Invalid name {name!r}. It must be one of {names}, for which the estimate has '<name>_mean'.")
    chosen = names[0] if name is None else name
    held = several(estimate.get(f"{chosen}_members"), member_dim)
    return _Parts(estimate[f"{chosen}_mean"], estimate.get(f"{chosen}_std"), held)
