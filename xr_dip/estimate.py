"""The fine field of one time: fits, constraint, error and diagnostics.

1. Find the sea and standardise the coarse field (`sea`, `standardise`).
2. Fit a covariance to it, where the preset asks for one (`covariance`, `kriging`).
3. Fit the members (`ensemble`).
4. Combine them: with constraint "optimal" as ``K(y) + b N(F(y)) + a N(g)``, kriging where the data speak, the prior in
their
   null space; else each member is enforced on its own (`combination`).
5. Check what came out against the input, in float64.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import FloatArray, misfit
from xr_dip.combination import Combination, combine_enforced, combine_optimal
from xr_dip.constraints import CONSTRAINTS
from xr_dip.errors import DipWarning
from xr_dip.fitting.ensemble import derive_seed, fit_members
from xr_dip.fitting.fit import Fit
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.problem import DenseWhitening, Map, Observation, Problem, SpectralWhitening
from xr_dip.fitting.stopping import StopRule, fixed, make_discrepancy, make_plateau
from xr_dip.generators import GENERATORS, Generator
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import Covariance, fit_covariance
from xr_dip.kriging.estimator import Estimator
from xr_dip.recipe import Recipe, make_recipe
from xr_dip.sea import Flag, Sea, check_values, find_sea

__all__ = ["SCALARS", "SliceEstimate", "make_recipe"]

# Diagnostics of one time, one number each.
SCALARS = ("blend_weight", "front_weight", "predicted_rmse", "predicted_skill", "iterations")
# Above so many sea cells a dense whitening costs more than it gives.
MOST_DENSE_CELLS = 3000
# A fit that leaves more than this share of the standard deviation unexplained has not converged.
LARGEST_MISFIT = 0.5


@dataclass(frozen=True)
class Standard:
    """A field as the fits see it: without its trend, of standard deviation one.

    Attributes
    ----------
    coarse_trend, fine_trend : array or float
    scale : float
        Standard deviation of what is left, unit of the field.
    """

    coarse_trend: FloatArray | float
    fine_trend: FloatArray | float
    scale: float

    def apply(self, values: FloatArray) -> FloatArray:
        """Return coarse values, standardised."""
        return np.asarray((values - self.coarse_trend) / self.scale)

    def undo(self, field: FloatArray) -> FloatArray:
        """Return a fine field in its own unit."""
        return field * self.scale + self.fine_trend


class SliceEstimate:
    """Estimate one slice by a recipe.

    Parameters
    ----------
    recipe : Recipe
    keep_members : bool
        Also return the members.
    step : callable, optional
        Called after each fitted member.
    """

    def __init__(self, recipe: Recipe, keep_members: bool = False, step: Callable[[], object] | None = None) -> None:
        self.recipe, self.keep_members, self.step = recipe, keep_members, step

    def __call__(self, values: FloatArray, stamp: int) -> dict[str, npt.NDArray[Any]]:
        """Estimate the fine field of coarse values (ny, nx) of a time stamp."""
        recipe = self.recipe
        check_values(values, recipe.name, recipe.largest)
        sea = find_sea(
            values,
            recipe.factor,
            mask=recipe.mask,
            weights=recipe.weights,
            extrapolate=recipe.extrapolate,
            periodic=recipe.periodic,
        )
        seen = np.where(sea.coarse, values, np.nan)
        kriging = self._kriging(seen, sea)
        standard = _standardise(seen, kriging)
        fits = self._fit(standard.apply(seen), sea, standard, kriging, stamp)
        fields = np.stack([standard.undo(fit.field) for fit in fits])
        combined = self._combine(fields, seen, sea, kriging, stamp)
        return self._results(combined, fields, fits, seen, sea)

    def _kriging(self, values: FloatArray, sea: Sea) -> Estimator | None:
        """Return the kriging operator, where the preset uses one."""
        recipe = self.recipe
        if not recipe.preset.whitening and recipe.preset.constraint != "optimal":
            return None
        noise = 0.0 if recipe.noise_std is None else recipe.noise_std**2
        covariance = fit_covariance(values, sea.weights, recipe.factor, recipe.spacing, noise=noise)
        return self._krige(covariance, sea)

    def _krige(self, covariance: Covariance, sea: Sea) -> Estimator:
        recipe = self.recipe
        return krige_basins(
            sea.weights, recipe.factor, recipe.spacing, covariance, sea.coarse, sea=sea.water, periodic=recipe.periodic
        )

    def _fit(
        self, values: FloatArray, sea: Sea, standard: Standard, kriging: Estimator | None, stamp: int
    ) -> list[Fit]:
        recipe, preset = self.recipe, self.recipe.preset
        observation = Observation(
            operator=OPERATORS[preset.operator](sea.weights, recipe.factor),
            values=torch.from_numpy(np.nan_to_num(values)).float(),
            weights=torch.from_numpy(sea.coarse.astype(np.float32)),
            whiten=None if kriging is None else _whitening(kriging, sea, preset.whitening),
        )

        def make(member: int) -> Callable[[], Generator]:
            seed = derive_seed(recipe.seed, stamp, member)
            options = preset.options_of_member(member) | {"periodic": recipe.periodic}
            return partial(GENERATORS[preset.generator], sea.coarse.shape, recipe.factor, seed, **options)

        return fit_members(
            make,
            recipe.members,
            Problem((observation,), LOSSES[preset.loss]),
            recipe.fit_config,
            _stop_rule(recipe, standard),
            device=recipe.device,
            done=self.step or (lambda: None),
        )

    def _combine(
        self, fields: FloatArray, values: FloatArray, sea: Sea, kriging: Estimator | None, stamp: int
    ) -> Combination:
        recipe = self.recipe
        if recipe.preset.constraint == "optimal":
            assert kriging is not None
            exact = recipe.noise_std is None
            parts = (kriging if exact else self._krige(replace(kriging.covariance, noise=0.0), sea)).null(fields)
            return combine_optimal(parts, values, sea, kriging, derive_seed(recipe.seed, stamp), exact=exact)
        name = recipe.preset.constraint if recipe.noise_std is None else "none"
        return combine_enforced(fields, values, sea, recipe.factor, CONSTRAINTS[name], periodic=recipe.periodic)

    def _results(
        self, combined: Combination, fields: FloatArray, fits: list[Fit], values: FloatArray, sea: Sea
    ) -> dict[str, npt.NDArray[Any]]:
        """Return what is written: NaN on land, float32, checked against the input."""
        factor = self.recipe.factor
        land = ~sea.mask

        def masked(field: FloatArray) -> npt.NDArray[np.float32]:
            return np.where(land, np.nan, field).astype(np.float32)

        mean = masked(combined.mean)
        raw = np.where(np.isnan(values), np.nan, -misfit(fields.mean(axis=0), values, sea.weights, factor))
        error = np.where(np.isnan(values), np.nan, -misfit(mean.astype(np.float64), values, sea.weights, factor))
        unconverged = any(fit.misfit > LARGEST_MISFIT for fit in fits)
        flag = np.where(sea.mask & unconverged, sea.flags | Flag.not_converged, sea.flags)
        results: dict[str, npt.NDArray[Any]] = {
            "mean": mean,
            "std": masked(combined.std),
            "fit_std": masked(_spread(fields)),
            "flag": flag.astype(np.int8),
            "conservation_error": error,
            "fit_residual": raw,
            "blend_weight": np.asarray(combined.blend_weight),
            "front_weight": np.asarray(combined.front_weight),
            "predicted_rmse": np.asarray(combined.predicted_rmse),
            "predicted_skill": np.asarray(combined.predicted_skill),
            "iterations": np.asarray(np.mean([fit.iterations for fit in fits])),
        }
        if self.keep_members:
            results["members"] = masked(combined.members)
        return results


def _standardise(values: FloatArray, kriging: Estimator | None) -> Standard:
    """Return how the fits see the field: less its plane where a covariance is at hand, else less its mean."""
    coarse: FloatArray | float
    fine: FloatArray | float
    if kriging is None:
        coarse = fine = float(np.nanmean(values))
    else:
        coarse, fine = kriging.trend(values)
    scale = float(np.nanstd(values - coarse))
    # A field that is nothing but its trend has the scale of rounding: what the fits make of it stays as small.
    rounding = 1e-12 * max(1e-6, float(np.nanmax(np.abs(values))))
    return Standard(coarse, fine, max(scale, rounding))


def _whitening(kriging: Estimator, sea: Sea, exponent: float) -> Map | None:
    """Return the map that gives small scales, whose values are small, a say in the misfit."""
    if not exponent:
        return None
    if sea.coarse.all() or sea.coarse.sum() > MOST_DENSE_CELLS:
        return SpectralWhitening(kriging.coarse_spectrum(), exponent, periodic=kriging.periodic)
    return DenseWhitening(kriging.whitener(exponent), sea.coarse)


def _stop_rule(recipe: Recipe, standard: Standard) -> StopRule:
    if recipe.preset.stopping == "discrepancy":
        if recipe.noise_std is None:
            raise ValueError(
                "Invalid noise_std None. The discrepancy rule stops at the noise: give its standard deviation."
            )
        return make_discrepancy(recipe.noise_std / standard.scale)
    return make_plateau() if recipe.preset.stopping == "plateau" else fixed


def _spread(fields: FloatArray) -> FloatArray:
    """Return the standard deviation over members (ddof 1); NaN for one."""
    if len(fields) == 1:
        warnings.warn("One member has no spread: fit_std is NaN. Ask for members=2 or more.", DipWarning, stacklevel=2)
        return np.full(fields.shape[1:], np.nan)
    return np.asarray(fields.std(axis=0, ddof=1))
