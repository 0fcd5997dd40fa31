"""Scores of the field on its way through a fit, for one loss and another."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.checks import check_members, check_name, check_seed
from xr_dip.presets import Preset
from xr_dip.sea import find_sea
from xr_dip.twin.methods import Keywords, parse_keywords, preset_of
from xr_dip.twin.pair import Pair, make_pair, one_field
from xr_dip.twin.single import PUBLISHED
from xr_dip.twin.stored import Folder, stored
from xr_dip.verification import rmse, ssim
from xr_dip.verification.statistics import label


def losses(
    truth: xr.DataArray,
    factor: int,
    names: Sequence[str] = ("mse", "charbonnier"),
    method: Keywords = PUBLISHED,
    *,
    iterations: int | None = None,
    every: int = 50,
    members: int = 1,
    noise_std: float = 0.0,
    weights: str | xr.DataArray = "equal",
    seed: int = 0,
    device: str = "cpu",
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> xr.Dataset:
    """Score the field of each fit against the truth while it is fitted, for each loss from the same first weights.

    The comparison of Indulkar and Upadhyay: PSNR and SSIM over iterations. `xr_dip.twin.plot.losses` draws it. The fit
    is the plain one: no whitening, no penalty, nothing enforced, no stopping.

    Parameters
    ----------
    truth : DataArray
        Fine field of one time; cells beyond whole blocks are left out.
    factor : int
    names : sequence of str
        In `xr_dip.fitting.losses.LOSSES`.
    method : mapping
        ``preset``, ``generator`` and ``generator_options`` of `xr_dip.downscale`.
    iterations : int, optional
        By default those of the preset.
    every : int
        Iterations between two scores, a multiple of 10.
    members : int
        Fits of each loss; fit k begins from the same weights for all losses.
    noise_std : float
        Standard deviation of white noise added to the coarse field, in its unit.
    weights, seed, x_dim, y_dim, cache
        As for `xr_dip.twin.experiment`.
    device : str
        As for `xr_dip.downscale`.

    Returns
    -------
    Dataset, dimensions (loss, member, iteration)
        ``rmse``, in the unit of the truth; ``psnr``, 20 log10(range of the truth / rmse), in dB; ``ssim``.

    Raises
    ------
    ValueError
        If a loss is unknown, `every` is no multiple of 10 or more than the iterations, the noise is negative, the truth
        is constant, or the method has other keywords.

    References
    ----------
    Indulkar, Upadhyay, Robust loss with deep image prior. Charbonnier: Lai et al. 2017, Deep Laplacian pyramid
    networks for fast and accurate super-resolution.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> quick = {"preset": "fast"}
    >>> found = losses(synthetic.gulf_stream((24, 24)).ssh, 4, method=quick, iterations=20, every=10)
    >>> found.psnr.dims, found.iteration.values
    (('loss', 'member', 'iteration'), array([10, 20]))
    """
    preset = _check(names, method, factor, iterations)
    _check_numbers(every, preset.iterations, noise_std)
    count, first = check_members(members), check_seed(seed)
    configuration = {"truth": truth, "factor": factor, "names": list(names), "numbers": asdict(preset), "every": every}
    configuration |= {"members": members, "noise": noise_std, "weights": weights, "seed": seed, "dims": [x_dim, y_dim]}

    def compute() -> xr.Dataset:
        field = one_field(truth, x_dim=x_dim, y_dim=y_dim)
        pair = make_pair(field, factor, weights=weights, x_dim=x_dim, y_dim=y_dim)
        if not pair.fine.max() > pair.fine.min():
            raise ValueError(f"Invalid truth {field.name!r}. It must not be constant: PSNR is relative to its range.")
        noise = noise_std * np.random.default_rng([first, factor]).standard_normal(pair.coarse.shape)
        values = pair.coarse.values + noise
        followed = [
            [_follow(pair, values, preset, name, k, first, every, device) for k in range(count)] for name in names
        ]
        scores = xr.concat(
            [xr.concat(fits, "member") for fits in followed], xr.Variable("loss", list(names))
        ).transpose("loss", "member", "iteration")
        return scores.assign_attrs(title="losses in a twin experiment", factor=factor, seed=seed, noise_std=noise_std)

    return stored(cache, "losses", configuration, compute)


def _check(names: Sequence[str], method: Keywords, factor: int, iterations: int | None) -> Preset:
    known = importlib.import_module("xr_dip.fitting.losses").LOSSES
    if isinstance(names, str) or not names:
        raise ValueError(f"Invalid names {names!r}. It must be a sequence with at least one loss.")
    for name in names:
        check_name("loss", name, list(known))
    allowed = ("preset", "generator", "generator_options")
    call = parse_keywords(method)
    preset = preset_of(call, factor)
    if preset is None or set(call) - set(allowed):
        raise ValueError(f"Invalid method {method!r}. Its keywords must be among {list(allowed)}.")
    return preset if iterations is None else replace(preset, iterations=iterations)


def _check_numbers(every: int, iterations: int, noise_std: float) -> None:
    if every > iterations:
        raise ValueError(f"Invalid every {every}. It must be at most the {iterations} iterations.")
    if not (np.isfinite(noise_std) and noise_std >= 0):
        raise ValueError(f"Invalid noise_std {noise_std!r}. It must be finite and not negative.")


def _follow(
    pair: Pair, values: np.ndarray, preset: Preset, loss: str, member: int, seed: int, every: int, device: str
) -> xr.Dataset:
    """Scores along one fit."""
    following = importlib.import_module("xr_dip.fitting.following")  # torch is imported here, not with the package
    fitting, seeds = (importlib.import_module(f"xr_dip.fitting.{name}") for name in ("fit", "ensemble"))
    factor = (pair.factor, pair.factor)
    sea = find_sea(values, factor, mask=pair.sea.values, weights=pair.weights.values)
    middle, scale = float(np.nanmean(values)), float(np.nanstd(values)) or 1.0
    standard = np.where(sea.coarse, (values - middle) / scale, np.nan)
    problem = following.plain_problem(standard, sea.weights, factor, loss)
    options = preset.options_of_member(member)
    make = following.attentive_factory(preset.generator, problem, factor, seeds.derive_seed(seed, member), options)
    found = importlib.import_module("xr_dip.recipe").find_device(device)
    config = fitting.FitConfig(preset.iterations, preset.learning_rate, preset.betas, preset.schedule)
    scores: dict[int, Mapping[str, float]] = {}

    def look(step: int, field: Any) -> None:
        scores[step] = _score(pair, middle + scale * field)

    following.follow(make, problem, config, look, every=every, device=found)
    return _dataset(scores, pair.fine.attrs.get("units"))


def _score(pair: Pair, field: np.ndarray) -> dict[str, float]:
    truth = pair.fine
    error = float(rmse(truth.copy(data=field), truth, dims=pair.dims))
    span = float(truth.max() - truth.min())
    similarity = float(ssim(truth.copy(data=field), truth, dims=pair.dims))
    return {"rmse": error, "psnr": float(20 * np.log10(span / error)), "ssim": similarity}


def _dataset(scores: Mapping[int, Mapping[str, float]], units: str | None) -> xr.Dataset:
    steps = sorted(scores)
    words = {
        "rmse": ("root mean square error", units),
        "psnr": ("peak signal-to-noise ratio", "dB"),
        "ssim": ("structural similarity", "1"),
    }
    return xr.Dataset(
        {
            name: label(xr.DataArray([scores[step][name] for step in steps], dims="iteration"), name, *texts)
            for name, texts in words.items()
        },
        {"iteration": steps},
    )
