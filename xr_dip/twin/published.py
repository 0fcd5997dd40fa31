"""The claims of Archambault et al. (2022), each judged by numbers: seen or not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.heights import UNITS_PER_METRE
from xr_dip.twin.comparison import check_numbers, experiment
from xr_dip.twin.methods import Keywords
from xr_dip.twin.pair import make_pair, one_field
from xr_dip.twin.single import PUBLISHED, check_ensemble, ensemble
from xr_dip.twin.stored import Folder

STATEMENTS = {
    "a": "The prior cannot fit even an exact field of factor 1, bicubic interpolation can.",
    "b": "The prior is more robust to noise than bicubic interpolation.",
    "c": "The prior is better than bicubic interpolation at factors 16 and 32.",
    "d": "The mean of the ensemble is better than its best member.",
    "e": "The spread of the latents is smaller than that of the ensemble.",
    "f": "The spread of the ensemble is correlated with the absolute error.",
    "g": "The errors are largest at fronts.",
}
"""What was published, by letter."""
SEEN, NOT_SEEN, NOT_TESTED = "seen", "not seen", "not tested"

EXACT = 1e-4
"""Metres: an RMSE below counts as none."""
FRONT_SHARE = 0.1
"""Share of the cells, those of the steepest slope, that count as fronts."""

LARGE = (16, 32)
"""Factors of claim c."""
LENGTHS = ("member_rmse", "rmse", "error", "latent_std", "ensemble_std")
"""What is compared, or said in words, of an ensemble."""
Verdict = tuple[str, float, str]


def claims(
    truth: xr.DataArray,
    factors: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    noise_share: float = 0.02,
    ensemble_factor: int = 16,
    method: Keywords = PUBLISHED,
    members: int = 10,
    latent_samples: int = 10,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> xr.Dataset:
    """Run the experiments that the published claims rest on, and say of each claim if this truth shows it.

    With the published method it takes hours on a processor: a fit of 256 x 256 cells is a minute. Give a `cache`, so
    that a broken run goes on where it ended; or a quicker `method`, which is then what is judged.

    Parameters
    ----------
    truth : DataArray
        Fine field of one time.
    factors : sequence of int
        Claim a needs 1, claim c 16 or 32.
    noise_share : float
        Noise of claim b, as a share of the standard deviation of the truth. The method is not told of it.
    ensemble_factor : int
        Factor of the claims d to g.
    method : mapping
        Keywords of `xr_dip.downscale`; its constraint must not be "optimal".
    members, latent_samples, seed, device, progress, x_dim, y_dim, cache
        As for `xr_dip.twin.ensemble`.

    Returns
    -------
    Dataset, dimension claim
        As of `judge`.

    Raises
    ------
    ValueError
        If the noise is negative, or `experiment` or `ensemble` refuses its input: before anything is fitted.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image
    prior.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> truth = synthetic.gulf_stream((24, 24)).ssh
    >>> quick = {"preset": "fast", "constraint": "none", "whiten": 0}
    >>> claims(truth, [4], method=quick, members=2, progress=False)
    Traceback (most recent call last):
    ValueError: Invalid method 'method' with ['whiten']. Its keywords must be among ...
    """
    options: dict[str, Any] = {"members": members, "latent_samples": latent_samples, "seed": seed, "device": device}
    options |= {"progress": progress, "x_dim": x_dim, "y_dim": y_dim, "cache": cache}
    options |= {"noise_share": noise_share, "ensemble_factor": ensemble_factor, "method": method}
    return judge(*evidence(truth, factors, **options))


def evidence(
    truth: xr.DataArray,
    factors: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    noise_share: float = 0.02,
    ensemble_factor: int = 16,
    method: Keywords = PUBLISHED,
    members: int = 10,
    latent_samples: int = 10,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Run the experiments that the published claims rest on, to be judged or drawn.

    Parameters
    ----------
    truth, factors, noise_share, ensemble_factor, method
        As for `claims`.
    members, latent_samples, seed, device, progress, x_dim, y_dim, cache
        As for `claims`.

    Returns
    -------
    scores, parts : Dataset
        Of `xr_dip.twin.experiment` and `xr_dip.twin.ensemble`, as `judge` takes them.

    Raises
    ------
    ValueError
        As of `claims`.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> evidence(synthetic.gulf_stream((24, 24)).ssh, [0])
    Traceback (most recent call last):
    ...
    ValueError: Invalid factor 0. It must be a whole number of at least 1.
    """
    check_numbers(factors)
    check_ensemble({"tile": None, **method}, ensemble_factor, members, None, latent_samples)
    for factor in (*factors, ensemble_factor):
        make_pair(one_field(truth, x_dim=x_dim, y_dim=y_dim), factor, x_dim=x_dim, y_dim=y_dim)
    noise = _noise(truth, noise_share)
    common: dict[str, Any] = {"members": members, "seed": seed, "device": device, "progress": progress, "cache": cache}
    common |= {"x_dim": x_dim, "y_dim": y_dim}
    # whole domains: a network of each tile would be another method
    hidden = {"tile": None, **method, "noise_std": None}
    pair = {"dip": hidden, "bicubic": {"method": "bicubic"}}
    # the ensemble first: a network without latents to draw is refused before hours of fits
    parts = ensemble(truth, ensemble_factor, {"tile": None, **method}, latent_samples=latent_samples, **common)
    scores = experiment(truth, factors, pair, noise_std=(0.0, noise) if noise else (0.0,), **common)
    return scores, parts


def _noise(truth: xr.DataArray, share: float) -> float:
    """Return the standard deviation of the noise, in the unit of the truth."""
    if not (np.isfinite(share) and share >= 0):
        raise ValueError(f"Invalid noise_share {share!r}. It must be finite and not negative.")
    return share * float(truth.std())


def judge(scores: xr.Dataset | None = None, parts: xr.Dataset | None = None) -> xr.Dataset:
    """Say of each published claim if results show it, with the number that decides.

    Parameters
    ----------
    scores : Dataset, optional
        As `xr_dip.twin.experiment` returns it for one field, with the estimators "dip" and "bicubic".
    parts : Dataset, optional
        As `xr_dip.twin.ensemble` returns it.

    Returns
    -------
    Dataset, dimension claim
        ``statement``, ``verdict`` ("seen", "not seen", "not tested"), ``value``, the number that decides, in metres or
        a ratio without unit, and ``evidence``, in words. Coordinate ``claim``: "a" to "g".

    Raises
    ------
    ValueError
        If scores are of several fields, or of other estimators.

    Examples
    --------
    >>> rmse = xr.DataArray(
    ...     [[[0.05]], [[0.08]]],
    ...     {"estimator": ["dip", "bicubic"], "factor": [16], "noise_std": [0.0]},
    ...     ("estimator", "factor", "noise_std"),
    ... )
    >>> found = judge(rmse.to_dataset(name="rmse"))
    >>> found.verdict.sel(claim="c").item(), found.verdict.sel(claim="d").item()
    ('seen', 'not tested')
    """
    verdicts: dict[str, Verdict] = dict.fromkeys(STATEMENTS, (NOT_TESTED, np.nan, "nothing here tests it"))
    if scores is not None:
        errors = _errors(scores)
        verdicts |= {"a": _exact(errors), "b": _robust(errors), "c": _large_factors(errors)}
    if parts is not None:
        parts = parts.assign({name: _in_metres(parts[name]) for name in LENGTHS if name in parts})
        verdicts |= {"d": _mean_wins(parts), "e": _latents(parts), "f": _spread(parts), "g": _fronts(parts)}
    columns = zip(*verdicts.values(), strict=True)
    found = {
        name: ("claim", list(values)) for name, values in zip(("verdict", "value", "evidence"), columns, strict=True)
    }
    statements = {"statement": ("claim", list(STATEMENTS.values()))}
    return xr.Dataset(statements | found, {"claim": list(verdicts)}, {"title": "published claims, seen or not"})


def _errors(scores: xr.Dataset) -> xr.DataArray:
    """Errors of the prior and of bicubic interpolation, metres."""
    needed, there = ["dip", "bicubic"], scores.estimator.values.tolist()
    if not set(needed) <= set(there):
        raise ValueError(f"Invalid scores of the estimators {there}. They must have {needed} among them.")
    extra = [str(dim) for dim in scores.rmse.dims if dim not in ("factor", "estimator", "noise_std")]
    if any(scores.sizes[dim] > 1 for dim in extra):
        raise ValueError(f"Invalid scores with {extra}. They must be of one field: select one, or take the mean.")
    return _in_metres(scores.rmse.squeeze(extra).sel(estimator=needed))


def _in_metres(values: xr.DataArray) -> xr.DataArray:
    """Lengths in metres; those without a unit of length are taken to be."""
    units = str(values.attrs.get("units", "m")).strip().lower()
    return values / UNITS_PER_METRE.get(units, 1.0)


def _verdict(seen: bool, value: float, evidence: str) -> Verdict:
    return SEEN if seen else NOT_SEEN, float(value), evidence


def _millimetres(*values: Any) -> str:
    return " and ".join(f"{1000 * float(value):.3g} mm" for value in values)


def _clean(errors: xr.DataArray) -> xr.DataArray:
    return errors.isel(noise_std=0, drop=True) if 0.0 not in errors.noise_std else errors.sel(noise_std=0.0, drop=True)


def _exact(errors: xr.DataArray) -> Verdict:
    if 1 not in errors.factor:
        return NOT_TESTED, np.nan, "factor 1 was not run"
    one = _clean(errors).sel(factor=1)
    dip, bicubic = float(one.sel(estimator="dip")), float(one.sel(estimator="bicubic"))
    return _verdict(bicubic < EXACT < dip, dip, f"RMSE at x1: prior and bicubic {_millimetres(dip, bicubic)}")


def _robust(errors: xr.DataArray) -> Verdict:
    if errors.sizes["noise_std"] < 2 or 0.0 not in errors.noise_std:
        return NOT_TESTED, np.nan, "no noise was added"
    rise = errors.isel(noise_std=-1) - _clean(errors)
    dip, bicubic = rise.sel(estimator="dip"), rise.sel(estimator="bicubic")
    fewer = int((dip < bicubic).sum())
    gain = float(bicubic.mean() - dip.mean())
    words = f"noise adds {_millimetres(dip.mean(), bicubic.mean())} to the RMSE of prior and bicubic on average"
    return _verdict(gain > 0, gain, f"{words}, less for the prior at {fewer} of {rise.sizes['factor']} factors")


def _large_factors(errors: xr.DataArray) -> Verdict:
    known = [factor for factor in LARGE if factor in errors.factor]
    if not known:
        return NOT_TESTED, np.nan, "factors 16 and 32 were not run"
    large = _clean(errors).sel(factor=known)
    ratio = large.sel(estimator="dip") / large.sel(estimator="bicubic")
    words = ", ".join(f"{float(value):.2f} at x{factor}" for factor, value in zip(known, ratio, strict=True))
    return _verdict(bool((ratio < 1).all()), float(ratio.max()), f"RMSE of the prior over that of bicubic: {words}")


def _mean_wins(parts: xr.Dataset) -> Verdict:
    best, mean = float(parts.member_rmse.min()), float(parts.rmse.isel(size=-1))
    words = f"RMSE of the mean of {int(parts['size'][-1])} and of the best member: {_millimetres(mean, best)}"
    return _verdict(mean < best, mean / best, words)


def _latents(parts: xr.Dataset) -> Verdict:
    if "latent_std" not in parts:
        return NOT_TESTED, np.nan, "no latents were drawn"
    latent, fits = (float(np.sqrt((parts[name] ** 2).mean())) for name in ("latent_std", "ensemble_std"))
    return _verdict(
        latent < fits, latent / fits, f"spread of latents and of the ensemble: {_millimetres(latent, fits)}"
    )


def _spread(parts: xr.Dataset) -> Verdict:
    value = float(parts.correlation)
    words = f"correlation {value:.2f}"
    if "latent_correlation" in parts:
        words += f", of the spread of the latents {float(parts.latent_correlation):.2f}"
    return _verdict(value > 0, value, words)


def _fronts(parts: xr.Dataset) -> Verdict:
    size, slope = abs(parts.error), parts.slope
    steep = slope >= slope.quantile(1 - FRONT_SHARE)
    ratio = float(size.where(steep).mean() / size.where(~steep & slope.notnull()).mean())
    words = f"mean absolute error on the steepest {FRONT_SHARE:.0%} of the cells over that elsewhere: {ratio:.2f}"
    return _verdict(ratio > 1, ratio, words)
