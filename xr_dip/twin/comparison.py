"""Scores of several methods by factor and noise."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import xarray as xr

from xr_dip.arrays import check_array
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.checks import check_members, check_seed
from xr_dip.constraints import KEPT_WITH_NOISE
from xr_dip.twin.methods import Methods, Settings, estimate, mean_of, parse_methods, preset_of
from xr_dip.twin.pair import Pair, conservation_error, make_pair, white_noise
from xr_dip.twin.stored import Folder, stored
from xr_dip.verification import evaluate
from xr_dip.verification.statistics import label

SCORES = (
    *("cells", "missing_cells", "bias", "rmse", "mu_score", "ssim"),
    *("gradient_rmse", "laplacian_rmse", "effective_resolution"),
    *("spread_skill", "coverage", "correlation", "crps_gaussian", "crps"),
    *("conservation_error", "seconds"),
)
"""What an experiment may find; those of a spread only where a method gives one."""


def experiment(
    truth: xr.DataArray,
    factors: Sequence[int],
    methods: Methods,
    *,
    members: int = 10,
    noise_std: Sequence[float] = (0.0,),
    weights: str | xr.DataArray = "equal",
    boundary: Literal["exact", "trim"] = "trim",
    operator: str = "block_mean",
    operator_options: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> xr.Dataset:
    """Score methods on a truth made coarse by each factor, without and with noise.

    The comparison of Archambault et al. (2022) by factor, with and without noise, is one call of it, and so is that of
    all days at one factor. `xr_dip.twin.plot.by_factor` and `xr_dip.twin.plot.days` draw them.

    Parameters
    ----------
    truth : DataArray
        Fine field, see `coarsen`; further dimensions, such as time, are scored one by one. Methods are told its
        coastline: cells that have a value at some time.
    factors : sequence of int
        Fine cells per coarse cell, along both axes.
    methods : sequence of str, or mapping of str to mapping
        Names of interpolations (`xr_dip.interpolate`) and of presets (`xr_dip.downscale`). Or labels, each with the
        keywords of a call: ``{"method": "bicubic"}``, or any of `xr_dip.downscale`, such as ``{"preset": "balanced",
        "generator": "skip", "loss": "charbonnier"}``; ``"noise_std": None`` among them, or among those of kriging,
        hides the noise from it.
    members : int
        Fits of each ensemble that does not say otherwise.
    noise_std : sequence of float
        Standard deviations of white noise added to the coarse field, in its unit; 0 for none. Presets and kriging are
        told its size. The noise of all sizes has the same pattern.
    weights
        As in `coarsen`: of the fine cells in the coarse values. In the scores all cells weigh the same.
    x_dim, y_dim
        As in `coarsen`.
    boundary : {"exact", "trim"}
        Where a factor does not divide a size: refuse, or leave out the last cells.
    operator, operator_options
        How the truth is made coarse, as in `coarsen`. Ensembles are told it, unless their keywords name another;
        interpolations take any coarse values for block means.
    seed : int
        Of the noise and of the fits.
    device : str
        As in `xr_dip.downscale`.
    progress : bool
        Show the progress of each fit.
    cache : path, optional
        Folder in which results are kept, and looked for.

    Returns
    -------
    Dataset, dimensions (factor, estimator, noise_std, ...)
        The names of the methods are the coordinate ``estimator``, as ``sel(method=...)`` means something else to
        xarray. Every score of `xr_dip.verification.evaluate`, NaN where a method gives no spread or members, those of
        derivatives and spectra with the typical size of a cell;
        ``conservation_error``, the largest difference between its coarse values and the input; and ``seconds``,
        the wall time of a method.

    Raises
    ------
    ValueError
        If a method is unknown, a list is empty, a noise is negative, a method that is told of it is to keep the
        coarse values exactly, or `coarsen` or a method refuses its input.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image
    prior, figures 3 and 4.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> truth = synthetic.gulf_stream((24, 36)).ssh
    >>> rmse = experiment(truth, [4], ["bicubic", "conservative_spline"]).rmse
    >>> dict(rmse.sizes), bool((rmse.sel(estimator="conservative_spline") < rmse.sel(estimator="bicubic")).all())
    ({'factor': 1, 'estimator': 2, 'noise_std': 1}, True)
    """
    calls = parse_methods(methods)
    levels = check_numbers(factors, noise_std)
    settings = Settings(check_members(members), check_seed(seed), device, progress)
    grid: dict[str, Any] = {"weights": weights, "boundary": boundary, "x_dim": x_dim, "y_dim": y_dim}
    grid |= {"operator": operator, "operator_options": operator_options}
    configuration = {"truth": truth, "factors": factors, "noise": levels, "members": members, "seed": seed, **grid}
    configuration["methods"] = [[name, call, _numbers(call, factors)] for name, call in calls.items()]

    _check_factors(truth, factors, grid)
    for name, call in calls.items():
        _check_noise(name, call, max(levels))

    def compute() -> xr.Dataset:
        by_factor = [_of_factor(make_pair(truth, factor, **grid), calls, levels, settings) for factor in factors]
        scores = xr.concat(by_factor, xr.Variable("factor", list(factors)))
        scores = scores.transpose("factor", "estimator", "noise_std", ...)
        return scores.assign_attrs(title="twin experiment", members=members, seed=seed, boundary=boundary)

    return stored(cache, "experiment", configuration, compute)


def check_numbers(factors: Sequence[int], noise_std: Sequence[float] = (0.0,)) -> tuple[float, ...]:
    """Check factors and sizes of noise, and return the latter.

    Parameters
    ----------
    factors : sequence of int
    noise_std : sequence of float

    Returns
    -------
    tuple of float

    Raises
    ------
    ValueError
        If one is no sequence, is empty or repeats itself, or a noise is negative.

    Examples
    --------
    >>> check_numbers([4, 8], [0, 0.02])
    (0.0, 0.02)
    """
    lists: dict[str, Any] = {"factors": factors, "noise_std": noise_std}
    for argument, values in lists.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ValueError(f"Invalid {argument} {values!r}. It must be a sequence with at least one entry.")
        if len(set(values)) < len(values):
            raise ValueError(f"Invalid {argument} {values!r}. Its entries must differ.")
    if not all(isinstance(factor, Integral) for factor in lists["factors"]):
        raise ValueError(f"Invalid factors {factors!r}. Its entries must be whole numbers.")
    if not all(_is_size(level) for level in noise_std):
        raise ValueError(f"Invalid noise_std {noise_std!r}. Its entries must be finite and not negative.")
    return tuple(float(level) for level in noise_std)


def _is_size(level: Any) -> bool:
    return isinstance(level, Real) and bool(np.isfinite(float(level)) and float(level) >= 0)


def _check_factors(truth: xr.DataArray, factors: Sequence[int], grid: Mapping[str, Any]) -> None:
    """Make the first time coarse by each factor, so that none is refused when others have been fitted for hours."""
    check_array(truth, "truth")
    horizontal = find_horizontal(truth, x_dim=grid["x_dim"], y_dim=grid["y_dim"])
    extra = {dim: slice(1) for dim in truth.dims if dim not in (horizontal.y_dim, horizontal.x_dim)}
    for factor in factors:
        make_pair(truth.isel(extra), factor, **grid)


def _check_noise(name: str, call: Mapping[str, Any], largest: float) -> None:
    """Refuse a constraint that cannot be had with noise, before what has none is fitted for hours."""
    told, constraint = call.get("noise_std", largest or None), call.get("constraint")
    if told is not None and constraint is not None and constraint not in KEPT_WITH_NOISE:
        raise ValueError(
            f"Invalid constraint {constraint!r} of the method {name!r} with noise_std. It must be one of "
            f'{list(KEPT_WITH_NOISE)}, or the keywords of the method must hide the noise from it: "noise_std": None.'
        )


def _numbers(call: dict[str, Any], factors: Sequence[int]) -> list[dict[str, Any] | None]:
    """All numbers of a method at each factor: a preset that changes is another method."""
    presets = [preset_of(call, factor) for factor in factors]
    return [None if preset is None else asdict(preset) for preset in presets]


def _of_factor(
    pair: Pair, calls: dict[str, dict[str, Any]], levels: tuple[float, ...], settings: Settings
) -> xr.Dataset:
    by_noise = []
    for level in levels:
        noisy = pair.coarse + level * white_noise(pair.coarse, [settings.seed, pair.factor])
        values = noisy.assign_attrs(pair.coarse.attrs)
        by_method = [_score(pair, values, call, level, settings) for call in calls.values()]
        by_noise.append(xr.concat(by_method, xr.Variable("estimator", list(calls))))
    return xr.concat(by_noise, xr.Variable("noise_std", list(levels)))


def _score(pair: Pair, values: xr.DataArray, call: dict[str, Any], level: float, settings: Settings) -> xr.Dataset:
    start = time.perf_counter()
    result = estimate(pair, values, call, settings, noise_std=level)
    seconds = time.perf_counter() - start
    scores = evaluate(result, pair.fine, dims=pair.dims, spacing=pair.spacing)
    scores["conservation_error"] = conservation_error(pair, values, mean_of(result))
    return scores.assign(seconds=label(xr.DataArray(seconds), "seconds", "wall time", "s"))
