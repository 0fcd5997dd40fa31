"""One ensemble looked at closely: its members, their number, and its two kinds of spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from xr_dip import downscaling
from xr_dip.checks import check_members, check_seed
from xr_dip.slices import member_std
from xr_dip.twin.methods import Keywords, Settings, estimate, mean_of, parse_keywords, preset_of
from xr_dip.twin.pair import Pair, make_pair, one_field
from xr_dip.twin.stored import Folder, stored
from xr_dip.verification import gradient, rmse, ssim
from xr_dip.verification.statistics import label, units_of

PUBLISHED: Keywords = {"preset": "archambault2022"}
ORDERS = 10
"""Random orders of the members over which the scores of the first k are averaged."""


def ensemble(
    truth: xr.DataArray,
    factor: int,
    method: Keywords = PUBLISHED,
    *,
    members: int = 10,
    sizes: Sequence[int] | None = None,
    latent_samples: int = 0,
    weights: str | xr.DataArray = "equal",
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> xr.Dataset:
    """Score each member, the mean of so many of them, and their spread as an error, in one ensemble.

    `xr_dip.twin.plot.ensemble_size`, `members` and `spreads` draw it.

    Parameters
    ----------
    truth : DataArray
        Fine field of one time; cells beyond whole blocks are left out.
    factor : int
    method : mapping
        Keywords of `xr_dip.downscale`. Members are to be fits, so its constraint must not be "optimal".
    members : int
        At least 2.
    sizes : sequence of int, optional
        Numbers of members of which the mean is scored; all up to `members` by default.
    latent_samples : int
        Latents drawn through each trained network, for the spread that they make; 0 for none.
    weights, seed, device, progress, x_dim, y_dim, cache
        As for `xr_dip.twin.experiment`, where `weights` are those of the coarse values; none weigh the scores.

    Returns
    -------
    Dataset
        ``member_rmse``, ``member_ssim`` (member); ``rmse``, ``ssim`` (size), averaged over 10 random orders of the
        members; ``bicubic_rmse``, ``bicubic_ssim``; maps of ``truth``, ``estimate``, ``error``, ``ensemble_std``,
        ``slope`` (of the truth), and ``latent_std`` if it was asked for; ``correlation`` of the ensemble spread with
        the absolute error, and ``latent_correlation``.

    Raises
    ------
    ValueError
        If it is of several times, there are fewer than two members, a size is none of theirs, or the method is no
        ensemble of fits.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image
    prior, figures 6 to 10.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> truth = synthetic.gulf_stream((24, 24)).ssh
    >>> quick = {"preset": "fast", "constraint": "additive"}
    >>> found = ensemble(truth, 4, quick, members=2, progress=False)
    >>> bool(found.rmse.sel(size=1) >= found.rmse.sel(size=2))
    True
    """
    call = check_ensemble(method, factor, members, sizes, latent_samples)
    counts = list(range(1, members + 1) if sizes is None else map(int, sizes))
    settings = Settings(members, check_seed(seed), device, progress)
    configuration = {"truth": truth, "factor": factor, "weights": weights, "members": members, "seed": seed}
    configuration |= {"call": call, "numbers": asdict(_preset(call, factor)), "dims": [x_dim, y_dim]}
    configuration |= {"sizes": counts, "latent_samples": latent_samples}
    if latent_samples:
        call["latent_samples"] = latent_samples

    def compute() -> xr.Dataset:
        pair = make_pair(one_field(truth, x_dim=x_dim, y_dim=y_dim), factor, weights=weights, x_dim=x_dim, y_dim=y_dim)
        found = _score(pair, estimate(pair, pair.coarse, call, settings), counts, settings.seed)
        return found.assign_attrs(title="ensemble of a twin experiment", factor=factor, seed=seed)

    return stored(cache, "ensemble", configuration, compute)


def _preset(call: dict[str, Any], factor: int) -> Any:
    preset = preset_of(call, factor)
    if preset is None or preset.constraint == "optimal":
        raise ValueError(
            f"Invalid method {call!r}. Its members must be fits, and those of the constraint 'optimal' are draws about "
            "the estimate: name another constraint, such as 'additive'."
        )
    return preset


def check_ensemble(
    method: Keywords, factor: int, members: int, sizes: Sequence[int] | None, latent_samples: int
) -> dict[str, Any]:
    """Check what an ensemble is asked for, and return the keywords of its method.

    Parameters
    ----------
    method, factor, members, sizes, latent_samples
        As for `ensemble`.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        As of `ensemble`, for all but the truth.

    Examples
    --------
    >>> check_ensemble({"preset": "fast"}, 4, 2, None, 0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid method ... Its members must be fits, and those of the constraint 'optimal' are draws ...
    """
    call = parse_keywords(method)
    refuse_members(call)
    _preset(call, factor)
    if check_members(members) < 2:
        raise ValueError(f"Invalid members {members}. It must be at least 2: one has no spread.")
    if sizes is not None and not (len(sizes) and all(1 <= size <= members for size in sizes)):
        raise ValueError(f"Invalid sizes {sizes!r}. They must be from 1 to the {members} members.")
    if latent_samples < 0:
        raise ValueError(f"Invalid latent_samples {latent_samples}. It must not be negative.")
    return call


def refuse_members(call: Keywords) -> None:
    """Refuse a method that names its own number of members, where one ensemble is all there is.

    Parameters
    ----------
    call : mapping

    Raises
    ------
    ValueError
        If it does.

    Examples
    --------
    >>> refuse_members({"preset": "fast"})
    """
    if "members" in call:
        raise ValueError(f"Invalid method {dict(call)!r}. It must not name members: give them as the argument members.")


def _score(pair: Pair, result: xr.Dataset, sizes: list[int], seed: int) -> xr.Dataset:
    """Return scores and maps of the result of one ensemble."""
    name = str(mean_of(result).name).removesuffix("_mean")
    fits = result[f"{name}_members"].transpose("member", *pair.dims).astype(np.float64)
    fits = _bare(fits, pair).drop_vars("member", errors="ignore")
    truth, mean = _bare(pair.fine, pair), fits.mean("member")
    own = f"{name}_ensemble_std"  # given with latents: of the means over them
    spread = _plain(result[own], pair) if own in result else member_std(fits)
    error = mean - truth
    along_y, along_x = gradient(truth, dims=pair.dims, spacing=pair.spacing)
    slope = (along_y**2 + along_x**2) ** 0.5
    found = xr.Dataset(
        {
            "member_rmse": rmse(fits, truth, dims=pair.dims),
            "member_ssim": ssim(fits, truth, dims=pair.dims),
            **_of_sizes(fits, truth, pair.dims, sizes, seed),
            **_bicubic(pair),
            "truth": truth,
            "estimate": mean.assign_attrs(truth.attrs),
            "error": error.assign_attrs(truth.attrs, long_name="error of the ensemble mean"),
            "ensemble_std": spread.assign_attrs(truth.attrs, long_name="spread of the ensemble"),
            "slope": label(slope, "slope", "slope of the truth", units_of(truth, "m-1")),
            "correlation": _correlation(spread, error, "ensemble"),
        }
    )
    if f"{name}_latent_std" in result:
        latent = _plain(result[f"{name}_latent_std"], pair)
        found["latent_std"] = latent.assign_attrs(truth.attrs, long_name="spread of the latents")
        found["latent_correlation"] = _correlation(latent, error, "latent")
    return found.assign_coords(pair.fine.coords)


def _plain(field: xr.DataArray, pair: Pair) -> xr.DataArray:
    """Return a map (y, x) of a result in float64, with neither coordinates nor attributes."""
    return _bare(field.transpose(*pair.dims).astype(np.float64), pair).drop_attrs()


def _bare(field: xr.DataArray, pair: Pair) -> xr.DataArray:
    """Return a field without coordinates: those of an uneven grid, refined, are not those of the truth."""
    return field.reset_coords(drop=True).drop_vars(pair.dims, errors="ignore")


def _of_sizes(
    fits: xr.DataArray, truth: xr.DataArray, dims: tuple[str, str], sizes: list[int], seed: int
) -> dict[str, xr.DataArray]:
    """Scores of the mean of so many members, averaged over random orders of them."""
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(fits.sizes["member"]) for _ in range(ORDERS)])
    scores: dict[str, list[float]] = {"rmse": [], "ssim": []}
    for size in sizes:
        # all members in any order are one mean
        subsets = {tuple(sorted(order[:size].tolist())) for order in orders}
        means = xr.concat([fits.isel(member=list(subset)).mean("member") for subset in sorted(subsets)], "subset")
        for name, score in (("rmse", rmse), ("ssim", ssim)):
            scores[name].append(float(score(means, truth, dims=dims).mean()))
    units = {"rmse": truth.attrs.get("units"), "ssim": "1"}
    return {
        name: label(xr.DataArray(found, {"size": sizes}, "size"), name, f"{name} of the mean of members", units[name])
        for name, found in scores.items()
    }


def _bicubic(pair: Pair) -> dict[str, xr.DataArray]:
    """Scores of bicubic interpolation, to compare with."""
    y_dim, x_dim = pair.dims
    weights = "equal" if pair.equal else pair.weights
    result = downscaling.interpolate(
        pair.coarse, pair.factor, "bicubic", mask=pair.sea, weights=weights, x_dim=x_dim, y_dim=y_dim
    )
    mean = mean_of(result).drop_vars(pair.dims, errors="ignore")
    scores = {"bicubic_rmse": rmse, "bicubic_ssim": ssim}
    return {name: score(mean, pair.fine, dims=pair.dims).reset_coords(drop=True) for name, score in scores.items()}


def _correlation(spread: xr.DataArray, error: xr.DataArray, what: str) -> xr.DataArray:
    value = xr.corr(spread, abs(error)).reset_coords(drop=True)
    return label(value, "correlation", f"correlation of the {what} spread with the absolute error", "1")
