"""One ensemble of the methods table: fits of one generator and loss, then each constraint on the same fits.

A constraint comes after the fits and does not change them, so that all of them are compared on equal members. Networks
that work on every fine cell take minutes per member with the steps they were published with; here they are narrower and
have fewer. On the knots of a spline, a few to a coarse cell as for the default generator, they take seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr
from cases import Record, Twin, code_hash, make_twin, score
from fields import Field, open_field
from records import Store

import xr_dip
from xr_dip.blocks import Factor, FloatArray, misfit
from xr_dip.cf.netcdf import whole_file
from xr_dip.cf.provenance import configuration_hash
from xr_dip.combination import Combination, combine_enforced, combine_optimal
from xr_dip.constraints import make_constraint
from xr_dip.kriging.along_fronts import Claim, krige_along_fronts
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import fit_covariance
from xr_dip.kriging.estimator import Estimator
from xr_dip.presets import PRESETS, Preset
from xr_dip.sea import Sea, find_sea

Options = dict[str, object]


def _narrow(generator: str, steps: int, rate: float, **options: object) -> Callable[[Factor], Preset]:
    """Return a preset like that of Ulyanov et al. (2018), with fewer steps of a narrower network."""
    return lambda factor: replace(
        PRESETS["ulyanov2018"](factor),
        generator=generator,
        generator_options=options,
        iterations=steps,
        learning_rate=rate,
    )


def _on_knots(generator: str, steps: int, rate: float, **options: object) -> Callable[[Factor], Preset]:
    """Return the same on knots, as many to a coarse cell as the default generator has."""

    def preset(factor: Factor) -> Preset:
        default = PRESETS["balanced"](factor).generator_options
        knots = {name: default[name] for name in ("ratio", "padding")}
        return _narrow(generator, steps, rate, **options, **knots)(factor)

    return preset


SKIP = ("skip", 300, 1e-2, {"channels": 32})
DECODER = ("decoder", 400, 1e-2, {"channels": 32})
KNITWORK = ("knitwork", 300, 3e-3, {"channels": 64, "features": 64})
"""Name, steps, learning rate and options of generators that are tried on fine cells and on knots."""

KINDS: dict[str, Callable[[Factor], Preset]] = {
    "bandlimited": PRESETS["balanced"],
    "bandlimited, not whitened": lambda factor: replace(PRESETS["balanced"](factor), whitening=0.0),
    "dcgan": PRESETS["archambault2022"],
    **{name: _narrow(name, *numbers, **options) for name, *numbers, options in (SKIP, DECODER, KNITWORK)},
    **{
        f"{name} on knots": _on_knots(name, *numbers, **options)
        for name, *numbers, options in (SKIP, DECODER, KNITWORK)
    },
    "lapsrn": lambda factor: PRESETS["lapsrn"](factor).override(generator_options={"channels": 32}),
}
"""Generators with the numbers of their fits."""

ON_FINE_CELLS = (SKIP[0], DECODER[0], KNITWORK[0])
"""Those that take a minute or more for a member and are far from the others: tried on one window, without noise."""

CONSTRAINTS = ("none", "additive", "smooth", "geiss", "multiplicative", "softmax", "optimal")
"""`scadd` is left out: it equals `geiss`."""
WITH_NOISE = ("none", "optimal")
"""What makes sense where the coarse values are not to be trusted."""


@dataclass(frozen=True)
class Ensemble:
    """What makes the fits: `noise` is a share of the standard deviation of the coarse field."""

    field: Field
    factor: int
    kind: str
    loss: str = "mse"
    penalties: dict[str, float] = field(default_factory=dict)
    noise: float = 0.0
    members: int = 2
    seed: int = 0

    @property
    def preset(self) -> Preset:
        """All numbers of the fits."""
        penalties = self.penalties or None
        return KINDS[self.kind]((self.factor, self.factor)).override(loss=self.loss, penalties=penalties)

    @property
    def label(self) -> str:
        """Name of the loss with its penalties."""
        return " + ".join([self.loss, *(f"{weight:g} {name}" for name, weight in self.penalties.items())])

    @property
    def key(self) -> str:
        """Hash of everything that is known to change the fits, but for the code itself."""
        plain = asdict(self)
        plain["field"] = {**plain["field"], "pictured": None, "factors": None}
        return configuration_hash({**plain, "preset": asdict(self.preset), "version": xr_dip.__version__})[:16]

    @property
    def constraints(self) -> tuple[str, ...]:
        """Names of the constraints to compare."""
        return WITH_NOISE if self.noise else CONSTRAINTS

    @property
    def keys(self) -> list[str]:
        """Keys of all records of these fits."""
        return [f"{self.key}-{constraint}" for constraint in self.constraints]

    def __str__(self) -> str:
        """Show it on one line."""
        noise = f" noise {self.noise:.0%}" if self.noise else ""
        return f"{self.field.name} x{self.factor} {self.kind}, {self.label}{noise}"


@dataclass(frozen=True)
class EnsembleJob:
    """An ensemble to fit, and where: as `records.Job`."""

    ensemble: Ensemble
    device: str
    fits: Path | None = None
    """Folder that keeps the fitted members, see `run_ensemble`."""

    def is_done(self, store: Store) -> bool:
        """Tell whether all records are there."""
        return all(key in store for key in self.ensemble.keys)

    def run(self) -> list[Record]:
        """Return a record for each constraint."""
        return run_ensemble(self.ensemble, self.device, self.fits)

    def __str__(self) -> str:
        """Show the ensemble."""
        return str(self.ensemble)


def run_ensemble(ensemble: Ensemble, device: str = "cpu", fits: Path | None = None) -> list[Record]:
    """Fit the members once and score every constraint on them.

    Parameters
    ----------
    ensemble : Ensemble
    device : str
    fits : Path, optional
        Folder that keeps the fitted members, which take hours, and gives them back when only what comes after the fits
        has changed: constraints, kriging, scores. To be deleted by hand when the fits change.

    Returns
    -------
    list of dict
        A record for each constraint, see `cases.score`; ``misfit`` is the largest error of a block mean before it.
    """
    twin = make_twin(open_field(ensemble.field), ensemble.factor, ensemble.noise)
    members, seconds = _fit(ensemble, twin, device) if fits is None else _recall(ensemble, twin, device, fits)
    factor, values = (ensemble.factor, ensemble.factor), twin.coarse.values
    sea = find_sea(values, factor, mask=twin.sea.values, weights=None)
    before = float(np.nanmax(abs(misfit(members.mean(axis=0), values, sea.weights, factor))))
    fitted = {"seconds": seconds, "seconds_per_member": seconds / ensemble.members, "misfit": before}
    records = []
    for constraint in ensemble.constraints:
        record = {**_describe(ensemble, constraint), **fitted}
        try:
            combined = _enforce(constraint, members, twin, sea, ensemble)
        except ValueError as error:  # of a constraint that these fits cannot have
            records.append({**record, "refused": str(error)})
        else:
            records.append({**record, **score(_as_result(combined, twin), twin)})
    return records


def _fit(ensemble: Ensemble, twin: Twin, device: str) -> tuple[FloatArray, float]:
    """Return the members as they were fitted, and the processor seconds of all."""
    name = f"benchmark {ensemble.key}"
    PRESETS[name] = lambda factor: replace(ensemble.preset, constraint="none", constraint_options={})
    start = time.process_time()
    try:
        result = xr_dip.downscale(
            twin.coarse,
            ensemble.factor,
            preset=name,
            members=ensemble.members,
            mask=twin.sea,
            noise_std=twin.noise_std,
            seed=ensemble.seed,
            device=device,
            tile=None,
            keep_members=True,
            progress=False,
        )
    finally:
        del PRESETS[name]
    seconds = time.process_time() - start
    return result[f"{twin.fine.name}_members"].values.astype(np.float64), seconds


def _recall(ensemble: Ensemble, twin: Twin, device: str, folder: Path) -> tuple[FloatArray, float]:
    """Return what `_fit` gave before, or let it, and keep that."""
    path = folder / f"{ensemble.key}.npz"
    if not path.exists():
        members, seconds = _fit(ensemble, twin, device)
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial, partial.open("wb") as file:
            np.savez(file, members=members, seconds=seconds)
    with np.load(path) as kept:
        return kept["members"], float(kept["seconds"])


def _enforce(constraint: str, members: FloatArray, twin: Twin, sea: Sea, ensemble: Ensemble) -> Combination:
    values, factor = twin.coarse.values, _factor(twin)
    if constraint == "optimal":
        return _optimal(members, twin, sea, (ensemble.field, ensemble.factor, ensemble.noise), ensemble.seed)
    enforce = make_constraint(constraint, constraint_options(constraint, values))
    return combine_enforced(members, values, sea, factor, enforce)


def _factor(twin: Twin) -> Factor:
    return twin.fine.shape[0] // twin.coarse.shape[0], twin.fine.shape[1] // twin.coarse.shape[1]


def constraint_options(name: str, values: FloatArray) -> Options:
    """Return the options of a constraint, from the coarse values alone: their range, and as much more as fits may need.

    Parameters
    ----------
    name : str
    values : array, shape (ny, nx)

    Returns
    -------
    dict
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if name == "geiss":
        return {"value_range": (low - (high - low), high + (high - low))}
    return {"offset": 3 * (high - low) - low} if name in ("multiplicative", "softmax") else {}


def _optimal(members: FloatArray, twin: Twin, sea: Sea, place: tuple[Field, int, float], seed: int) -> Combination:
    """Kriging where the coarse values speak, the fits in their null space: as `xr_dip.estimate` combines them."""
    kriging, blind, errors, fronts = _krige(*place)
    parts, told = blind.null(members), None if twin.noise_std is None else blind
    return combine_optimal(parts, twin.coarse.values, sea, kriging, seed, blind=told, errors=errors, fronts=fronts)


@lru_cache(maxsize=1)
def _krige(
    field: Field, factor: int, noise: float
) -> tuple[Estimator, Estimator, Estimator, tuple[FloatArray, Claim | None]]:
    """Kriging with and without noise, of errors and along fronts: the same for all fits of these coarse values."""
    twin = make_twin(open_field(field), factor, noise)
    values, fine = twin.coarse.values, twin.horizontal.grid.spacing()
    sea = find_sea(values, (factor, factor), mask=twin.sea.values, weights=None)
    variance = 0.0 if twin.noise_std is None else twin.noise_std**2
    covariance = fit_covariance(values, sea.weights, (factor, factor), fine, noise=variance)
    kriging, blind, errors = (
        krige_basins(sea.weights, (factor, factor), fine, each, sea.coarse, sea=sea.water)
        for each in (covariance, replace(covariance, noise=0.0), covariance.of_errors)
    )
    return kriging, blind, errors, krige_along_fronts(kriging, values, exact=twin.noise_std is None)


def _as_result(combined: Combination, twin: Twin) -> xr.Dataset:
    """Return what `cases.score` takes."""
    name, dims = twin.fine.name, twin.fine.dims
    return xr.Dataset(
        {
            f"{name}_mean": (dims, combined.mean, twin.fine.attrs),
            f"{name}_std": (dims, combined.std, twin.fine.attrs),
            f"{name}_members": (("member", *dims), combined.members, twin.fine.attrs),
            "conservation_error": _conservation_error(combined.mean, twin),
        }
    )


def _conservation_error(mean: FloatArray, twin: Twin) -> xr.DataArray:
    blocks = dict(zip(twin.dims, _factor(twin), strict=True))
    error = xr.DataArray(mean, dims=twin.fine.dims).coarsen(blocks).mean() - twin.coarse.values
    return error.rename({dim: f"{dim}_coarse" for dim in twin.dims})


def _describe(ensemble: Ensemble, constraint: str) -> Record:
    preset = ensemble.preset
    return {
        "key": f"{ensemble.key}-{constraint}",
        "code": code_hash(),
        "field": ensemble.field.name,
        "factor": ensemble.factor,
        "noise": ensemble.noise,
        "method": f"{ensemble.kind}, {ensemble.label}, {constraint}",
        "kind": ensemble.kind,
        "generator": preset.generator,
        "generator_options": preset.generator_options,
        "loss": ensemble.label,
        "constraint": constraint,
        "fits": ensemble.members,
        "seed": ensemble.seed,
        "steps": preset.iterations,
    }
