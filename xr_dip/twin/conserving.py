"""The same fits with and without each form of conservation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.checks import check_members, check_name, check_seed
from xr_dip.constraints import CONSTRAINTS, Constraint, make_constraint
from xr_dip.sea import Sea, find_sea
from xr_dip.twin.methods import Keywords, Settings, estimate, mean_of, parse_keywords, preset_of
from xr_dip.twin.pair import Pair, block_errors, make_pair, one_field
from xr_dip.twin.single import PUBLISHED, refuse_members
from xr_dip.twin.stored import Folder, stored
from xr_dip.verification import gradient_rmse, rmse, ssim
from xr_dip.verification.statistics import label

Constraints = Sequence[str] | Mapping[str, Mapping[str, Any]]


def enforcement(
    truth: xr.DataArray,
    factor: int,
    constraints: Constraints = ("none", "additive", "smooth"),
    method: Keywords = PUBLISHED,
    *,
    members: int = 10,
    weights: str | xr.DataArray = "equal",
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> xr.Dataset:
    """Fit an ensemble once, enforce the block means on its members in each way, and score what becomes of them.

    The table of Geiss and Hardin (2023) with and without enforcement. `xr_dip.twin.plot.enforcement` draws it.

    Parameters
    ----------
    truth : DataArray
        Fine field of one time; cells beyond whole blocks are left out.
    factor : int
    constraints : sequence of str, or mapping of str to mapping
        Names in `xr_dip.constraints.CONSTRAINTS`; or names with their options, ``{"none": {}, "geiss": {"value_range":
        (-2, 2)}}``. For "optimal", which is no constraint of single fits, use `xr_dip.twin.experiment`.
    method : mapping
        Keywords of `xr_dip.downscale`; its own constraint is left out.
    members : int
        At least 2.
    weights, seed, device, progress, x_dim, y_dim, cache
        As for `xr_dip.twin.experiment`, where `weights` are those of the coarse values; of the scores they weigh only
        ``volume_error``.

    Returns
    -------
    Dataset, dimension constraint
        Of the mean of the enforced members: ``rmse``, ``ssim``, ``gradient_rmse``; ``conservation_error`` and
        ``mean_conservation_error``, the largest and the mean absolute difference of a block mean; ``volume_error``, the
        difference of the weighted mean over the sea; ``member_rmse`` (constraint, member).

    Raises
    ------
    ValueError
        If a constraint is unknown, has wrong options or cannot enforce these values, or the method is no ensemble.

    References
    ----------
    Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super resolution,
    doi:10.1175/AIES-D-21-0012.1.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> truth = synthetic.gulf_stream((16, 24)).ssh
    >>> found = enforcement(truth, 4, ["none", "additive"], {"preset": "fast"}, members=2, progress=False)
    >>> errors = found.conservation_error
    >>> bool(errors.sel(constraint="additive") < 1e-6 < errors.sel(constraint="none"))
    True
    """
    functions = _functions(constraints)
    call = {name: value for name, value in parse_keywords(method).items() if not name.startswith("constraint")}
    call["constraint"] = "none"
    refuse_members(call)
    preset = preset_of(call, factor)
    if preset is None or check_members(members) < 2:
        raise ValueError(f"Invalid method {method!r} of {members} members. It must be an ensemble of at least 2 fits.")
    settings = Settings(members, check_seed(seed), device, progress)
    configuration = {"truth": truth, "factor": factor, "weights": weights, "members": members, "seed": seed}
    configuration |= {"call": call, "numbers": asdict(preset), "dims": [x_dim, y_dim]}
    configuration["constraints"] = constraints if isinstance(constraints, Mapping) else list(constraints)

    def compute() -> xr.Dataset:
        pair = make_pair(one_field(truth, x_dim=x_dim, y_dim=y_dim), factor, weights=weights, x_dim=x_dim, y_dim=y_dim)
        fits = _fits(estimate(pair, pair.coarse, call, settings), pair)
        sea = find_sea(pair.coarse.values, (factor, factor), mask=pair.sea.values, weights=pair.weights.values)
        found = [_score(pair, _enforced(function, fits, pair, sea)) for function in functions.values()]
        scores = xr.concat(found, xr.Variable("constraint", list(functions)))
        return scores.assign_attrs(title="enforcement in a twin experiment", factor=factor, members=members, seed=seed)

    return stored(cache, "enforcement", configuration, compute)


def _functions(constraints: Constraints) -> dict[str, Constraint]:
    if isinstance(constraints, str) or not constraints:
        raise ValueError(f"Invalid constraints {constraints!r}. It must be a sequence or mapping with at least one.")
    options = constraints if isinstance(constraints, Mapping) else {name: {} for name in constraints}
    for name in options:
        check_name("constraint", name, list(CONSTRAINTS))
    return {name: make_constraint(name, given) for name, given in options.items()}


def _fits(result: xr.Dataset, pair: Pair) -> xr.DataArray:
    name = str(mean_of(result).name).removesuffix("_mean")
    fits = result[f"{name}_members"].transpose("member", *pair.dims).astype(np.float64)
    return fits.drop_vars("member", errors="ignore")


def _enforced(enforce: Constraint, fits: xr.DataArray, pair: Pair, sea: Sea) -> xr.DataArray:
    """Return the members with the block means of the coarse field, NaN on land."""
    filled = np.where(sea.mask, fits.values, 0.0)
    factor = (pair.factor, pair.factor)
    values = enforce(filled, pair.coarse.values, sea.weights, factor)
    return fits.copy(data=np.where(sea.mask, values, np.nan))


def _score(pair: Pair, fits: xr.DataArray) -> xr.Dataset:
    mean, truth = fits.mean("member"), pair.fine.drop_vars(pair.dims, errors="ignore")
    errors = abs(block_errors(pair, pair.coarse, mean))
    units = truth.attrs.get("units")
    weights = pair.weights * pair.sea
    blocks = pair.coarse.values.repeat(pair.factor, axis=0).repeat(pair.factor, axis=1)
    volume = (mean - blocks).weighted(weights.drop_vars(weights.coords)).mean(pair.dims)
    scores = [
        rmse(mean, truth, dims=pair.dims),
        ssim(mean, truth, dims=pair.dims),
        gradient_rmse(mean, truth, dims=pair.dims, spacing=pair.spacing),
        label(errors.max(pair.dims), "conservation_error", "largest error of a block mean", units),
        label(errors.mean(pair.dims), "mean_conservation_error", "mean absolute error of a block mean", units),
        label(volume, "volume_error", "error of the weighted mean over the sea", units),
        rmse(fits, truth, dims=pair.dims).rename("member_rmse"),
    ]
    return xr.Dataset({str(score.name): score.reset_coords(drop=True) for score in scores})
