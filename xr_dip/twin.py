"""Twin experiments: make a truth coarse, make it fine again, and score the result against the truth.

The truth gives the coarse field and the coastline, and is then used for scoring only: no method sees it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from xr_dip import baselines, downscaling
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.coarsening import coarsen, fine_weights
from xr_dip.inputs import check_members, check_name, check_seed
from xr_dip.presets import PRESETS
from xr_dip.verification import evaluate
from xr_dip.verification.statistics import label

__all__ = ["coarsen", "experiment"]


def experiment(
    truth: xr.DataArray,
    factors: Sequence[int],
    methods: Sequence[str],
    *,
    members: int = 10,
    noise_std: Sequence[float] = (0.0,),
    weights: str | xr.DataArray = "equal",
    boundary: Literal["exact", "trim"] = "trim",
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
) -> xr.Dataset:
    """Score methods on a truth made coarse by each factor, without and with noise.

    The comparison of Archambault et al. (2022) by factor, with and without noise, is one call of it.

    Parameters
    ----------
    truth : DataArray
        Fine field, see `coarsen`; further dimensions, such as time, are scored one by one. Methods are told its
        coastline: cells that have a value at some time.
    factors : sequence of int
        Fine cells per coarse cell, along both axes.
    methods : sequence of str
        Names of interpolations (`xr_dip.interpolate`) and of presets (`xr_dip.downscale`).
    members : int
        Fits of each ensemble.
    noise_std : sequence of float
        Standard deviations of white noise added to the coarse field, in its unit; 0 for none. Presets are told its
        size. The noise of all sizes has the same pattern.
    weights, x_dim, y_dim
        As in `coarsen`.
    boundary : {"exact", "trim"}
        Where a factor does not divide a size: refuse, or leave out the last cells.
    seed : int
        Of the noise and of the fits.
    device : str
        As in `xr_dip.downscale`.
    progress : bool
        Show the progress of each fit.

    Returns
    -------
    Dataset, dimensions (factor, estimator, noise_std, ...)
        The names of the methods are the coordinate ``estimator``, as ``sel(method=...)`` means something else to
        xarray. Every score of `xr_dip.verification.evaluate`, NaN where a method gives no spread or members;
        ``conservation_error``, the largest difference between the block means and the coarse input; and ``seconds``,
        the wall time of a method.

    Raises
    ------
    ValueError
        If a method is unknown, a list is empty, a noise is negative, or `coarsen` or a method refuses its input.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> truth = synthetic.gulf_stream((24, 36)).ssh
    >>> rmse = experiment(truth, [4], ["bicubic", "conservative_spline"]).rmse
    >>> dict(rmse.sizes), bool((rmse.sel(estimator="conservative_spline") < rmse.sel(estimator="bicubic")).all())
    ({'factor': 1, 'estimator': 2, 'noise_std': 1}, True)
    """
    levels = _check(factors, methods, noise_std)
    options = _Options(check_members(members), check_seed(seed), device, progress)
    by_factor = []
    for factor in factors:
        twin = _make_twin(truth, factor, weights, boundary, x_dim, y_dim)
        by_noise = []
        for level in levels:
            noisy = twin.coarse + level * _white_noise(twin.coarse, [options.seed, factor])
            by_method = [_score(twin, noisy, method, level, options) for method in methods]
            by_noise.append(xr.concat(by_method, xr.Variable("estimator", list(methods))))
        by_factor.append(xr.concat(by_noise, xr.Variable("noise_std", list(levels))))
    scores = xr.concat(by_factor, xr.Variable("factor", list(factors))).transpose(
        "factor", "estimator", "noise_std", ...
    )
    return scores.assign_attrs(title="twin experiment", members=members, seed=seed, boundary=boundary)


@dataclass(frozen=True, eq=False)
class _Twin:
    """A truth, its coarse counterpart, and what a method may know of the fine grid."""

    factor: int
    coarse: xr.DataArray
    fine: xr.DataArray
    sea: xr.DataArray
    weights: xr.DataArray
    equal: bool
    dims: tuple[str, str]
    spacing: tuple[float, float]


@dataclass(frozen=True)
class _Options:
    members: int
    seed: int
    device: str
    progress: bool


def _check(factors: Sequence[int], methods: Sequence[str], noise_std: Sequence[float]) -> tuple[float, ...]:
    for argument, values in (("factors", factors), ("methods", methods), ("noise_std", noise_std)):
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ValueError(f"Invalid {argument} {values!r}. It must be a sequence with at least one entry.")
        if len(set(values)) < len(values):
            raise ValueError(f"Invalid {argument} {values!r}. Its entries must differ.")
    for method in methods:
        check_name("method", method, [*baselines.METHODS, *PRESETS])
    if not all(np.isfinite(level) and level >= 0 for level in noise_std):
        raise ValueError(f"Invalid noise_std {noise_std!r}. Its entries must be finite and not negative.")
    return tuple(float(level) for level in noise_std)


def _make_twin(
    truth: xr.DataArray,
    factor: int,
    weights: str | xr.DataArray,
    boundary: Literal["exact", "trim"],
    x_dim: str | None,
    y_dim: str | None,
) -> _Twin:
    check_name("boundary", boundary, ["exact", "trim"])
    horizontal = find_horizontal(truth, x_dim=x_dim, y_dim=y_dim)
    dims = (horizontal.y_dim, horizontal.x_dim)
    weight = fine_weights(truth, weights, horizontal)
    coarse, fine = coarsen(truth, factor, weights=weight, boundary=boundary, x_dim=x_dim, y_dim=y_dim)
    # The mask goes by cells: coordinates of an uneven grid, refined again, are not those of the truth.
    sea = fine.notnull().any([dim for dim in fine.dims if dim not in dims]).reset_coords(drop=True)
    sea = sea.drop_vars(dims, errors="ignore")
    return _Twin(
        factor,
        coarse.compute(),
        fine.compute(),
        sea.compute(),
        weight.isel({dim: slice(fine.sizes[dim]) for dim in dims}).compute(),
        isinstance(weights, str) and weights == "equal",
        dims,
        horizontal.grid.spacing(),
    )


def _white_noise(field: xr.DataArray, seed: list[int]) -> xr.DataArray:
    return field.copy(data=np.random.default_rng(seed).standard_normal(field.shape))


def _score(twin: _Twin, noisy: xr.DataArray, method: str, level: float, options: _Options) -> xr.Dataset:
    start = time.perf_counter()
    estimate = _estimate(twin, noisy.assign_attrs(twin.coarse.attrs), method, level, options).compute()
    seconds = time.perf_counter() - start
    # refined coordinates of an uneven grid are not those of the truth, but the cells are the same by construction
    placed = estimate.drop_vars(twin.dims, errors="ignore")
    scores = evaluate(placed, twin.fine, dims=twin.dims, spacing=twin.spacing)
    scores["conservation_error"] = _conservation_error(twin, noisy, placed)
    return scores.assign(seconds=label(xr.DataArray(seconds), "seconds", "wall time", "s"))


def _estimate(twin: _Twin, noisy: xr.DataArray, method: str, level: float, options: _Options) -> xr.Dataset:
    weights = "equal" if twin.equal else twin.weights
    y_dim, x_dim = twin.dims
    if method in baselines.METHODS:
        return downscaling.interpolate(
            noisy, twin.factor, method=method, mask=twin.sea, weights=weights, x_dim=x_dim, y_dim=y_dim
        )
    return downscaling.downscale(
        noisy,
        twin.factor,
        members=options.members,
        preset=method,
        mask=twin.sea,
        weights=weights,
        noise_std=level if level > 0 else None,
        x_dim=x_dim,
        y_dim=y_dim,
        seed=options.seed,
        device=options.device,
        keep_members=options.members > 1,
        progress=options.progress,
    )


def _conservation_error(twin: _Twin, noisy: xr.DataArray, estimate: xr.Dataset) -> xr.DataArray:
    """Largest difference between the block means of the estimate and the field that it was made from."""
    (name,) = (name for name in estimate.data_vars if str(name).endswith("_mean"))
    mean = twin.fine.copy(data=estimate[name].transpose(*twin.fine.dims).values)
    y_dim, x_dim = twin.dims
    again, _ = coarsen(mean, twin.factor, weights=twin.weights, x_dim=x_dim, y_dim=y_dim)
    largest = abs(again - noisy).max(twin.dims)
    return label(largest, "conservation_error", "largest error of a block mean", twin.fine.attrs.get("units"))
