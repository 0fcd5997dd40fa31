"""One twin experiment of the benchmarks: a truth made coarse, made fine again by one method, and scored.

The truth gives the coarse field and the coastline, and is then used for scoring only.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from fields import Field, open_field

import xr_dip
from xr_dip.baselines import METHODS
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.cf.provenance import configuration_hash
from xr_dip.coarsening import coarsen
from xr_dip.interpolation import conservative
from xr_dip.kriging.coast import land_distance
from xr_dip.presets import PRESETS
from xr_dip.sea import find_sea
from xr_dip.verification import evaluate, rmse

CONSERVATIVE_BICUBIC = "conservative_bicubic"
"""Bicubic on land filled by its nearest sea, then iterated until the block means agree: the bar at coasts."""
PAPER = "archambault2022"
METHOD_NAMES = (*METHODS, CONSERVATIVE_BICUBIC, *PRESETS)

COAST_WIDTH = 2
"""Fine cells from land that count as coast."""
DIAGNOSTICS = ("blend_weight", "front_weight", "predicted_rmse", "predicted_skill", "iterations")

Record = dict[str, object]


@dataclass(frozen=True)
class Case:
    """What makes a result: `noise` is a share of the standard deviation of the coarse field."""

    field: Field
    factor: int
    method: str
    members: int
    noise: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        """Show it on one line, as the progress of a benchmark does."""
        noise = f" noise {self.noise:.0%}" if self.noise else ""
        return f"{self.field.name} x{self.factor} {self.method}{noise}"

    @property
    def fits(self) -> bool:
        """Whether the method fits members, or interpolates."""
        return self.method in PRESETS

    @property
    def key(self) -> str:
        """Hash of everything that is known to change the result, but for the code itself: see `code_hash`."""
        preset = asdict(PRESETS[self.method]((self.factor, self.factor))) if self.fits else None
        plain = {name: value for name, value in asdict(self).items() if self.fits or name != "members"}
        plain["field"] = {**plain["field"], "pictured": None, "factors": None}
        return configuration_hash({**plain, "preset": preset, "version": xr_dip.__version__})[:16]


class Twin(NamedTuple):
    """A truth, its coarse counterpart with noise, and what a method may know of the fine grid."""

    coarse: xr.DataArray
    fine: xr.DataArray
    sea: xr.DataArray
    horizontal: Horizontal
    noise_std: float | None

    @property
    def dims(self) -> tuple[str, str]:
        """Names of the dimensions along y and x."""
        return self.horizontal.y_dim, self.horizontal.x_dim


def make_twin(truth: xr.DataArray, factor: int, noise: float = 0.0, seed: int = 0) -> Twin:
    """Make a truth coarse; cells beyond whole blocks are left out."""
    coarse, fine = coarsen(truth, factor, boundary="trim")
    level = noise * float(coarse.std())
    white = np.random.default_rng([seed, factor]).standard_normal(coarse.shape)
    noisy = (coarse + level * white).assign_attrs(coarse.attrs)
    horizontal = find_horizontal(fine)
    # the mask goes by cells: coordinates of an uneven grid, refined again, are not those of the truth
    sea = fine.notnull().reset_coords(drop=True).drop_vars((horizontal.y_dim, horizontal.x_dim), errors="ignore")
    return Twin(noisy, fine, sea, horizontal, level if noise else None)


def estimate(twin: Twin, factor: int, method: str, *, members: int, seed: int = 0, device: str = "cpu") -> xr.Dataset:
    """Make the coarse field of a twin fine by one method, on the grid of the truth."""
    if method == CONSERVATIVE_BICUBIC:
        return _conservative_bicubic(twin, factor)
    if method in METHODS:
        told = twin.noise_std if method == "kriging" else None
        result = xr_dip.interpolate(twin.coarse, factor, method=method, mask=twin.sea, noise_std=told)
    else:
        result = xr_dip.downscale(
            twin.coarse,
            factor,
            members=members,
            preset=method,
            mask=twin.sea,
            noise_std=twin.noise_std,
            seed=seed,
            device=device,
            keep_members=members > 1,
            progress=False,
        )
    # refined coordinates of an uneven grid are not those of the truth, but the cells are the same
    return result.compute().drop_vars(twin.dims, errors="ignore")


def _conservative_bicubic(twin: Twin, factor: int) -> xr.Dataset:
    values = twin.coarse.values
    sea = find_sea(values, (factor, factor), mask=twin.sea.values, weights=None)
    field = conservative(values, sea.weights, (factor, factor), "bicubic")
    mean = xr.DataArray(np.where(sea.mask, field, np.nan), dims=twin.fine.dims, attrs=twin.fine.attrs)
    return mean.to_dataset(name=f"{twin.fine.name}_mean")


def score(result: xr.Dataset, twin: Twin) -> Record:
    """Return every score of one estimate as plain numbers, in the unit of the field; None where there is none."""
    truth = twin.fine
    scores = evaluate(result, truth, dims=twin.dims, spacing=twin.horizontal.grid.spacing())
    numbers = {str(name): float(value) for name, value in scores.items()}
    numbers |= {name: float(result[name]) for name in DIAGNOSTICS if name in result}
    numbers |= {"truth_std": float(truth.std()), "coarse_cells": int(twin.coarse.notnull().sum())}
    if "conservation_error" in result:
        numbers["conservation_error"] = float(abs(result.conservation_error).max())
    distance = land_distance(twin.sea.values)
    coast = twin.sea & (xr.DataArray(distance, dims=truth.dims) <= COAST_WIDTH)
    if coast.any():
        mean = result[f"{truth.name}_mean"]
        numbers["rmse_coast"] = float(rmse(mean, truth, dims=twin.dims, weights=coast.astype(np.float64)))
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def run_case(case: Case, *, device: str = "cpu", truth: xr.DataArray | None = None) -> tuple[Record, xr.Dataset, Twin]:
    """Run one case: its record, and what a picture of it needs.

    Parameters
    ----------
    case : Case
    device : str
        As in `xr_dip.downscale`.
    truth : DataArray, optional
        Instead of the case's own field.
    """
    twin = make_twin(open_field(case.field) if truth is None else truth, case.factor, case.noise, case.seed)
    if case.fits:
        importlib.import_module("xr_dip.estimate")  # imports torch: no part of the time of a fit
    start = time.perf_counter()
    result = estimate(twin, case.factor, case.method, members=case.members, seed=case.seed, device=device)
    seconds = time.perf_counter() - start
    return {**describe(case), "seconds": seconds, **score(result, twin)}, result, twin


def describe(case: Case) -> Record:
    """Return what a case is, as plain values; `key` and `code` tell if a record still holds."""
    return {
        "key": case.key,
        "code": code_hash(),
        "field": case.field.name,
        "sample": case.field.sample,
        "factor": case.factor,
        "method": case.method,
        "members": case.members if case.fits else None,
        "noise": case.noise,
        "seed": case.seed,
    }


def code_hash() -> str:
    """Hash of the sources of the package: records of other code are kept, and counted in the tables."""
    root = Path(xr_dip.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def number(record: Mapping[str, object], name: str) -> float:
    """Return one score of a record, NaN where it has none."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) else np.nan
