"""The fine field of one time: fits, constraint, error and diagnostics.

1. Find the sea and standardise the coarse field (`sea`, `standardise`).
2. Fit a covariance to it, where the preset asks for one (`covariance`, `kriging`).
3. Fit the members (`ensemble`).
4. Combine them: with constraint "optimal" as ``K(y) + b N(F(y)) + a N(g)``, kriging where the data speak, the prior in
   their null space; else each member is enforced on its own (`combination`).
5. Check what came out against the input, in float64 (`pieces`).

A tile of a larger domain is estimated in the same way, from its own values (`tiles`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray, repeat
from xr_dip.combination import Combination, combine_enforced, combine_optimal, warn_of_few_cells, warn_of_one_cell
from xr_dip.constraints import NOT_ENFORCED, Constraint, bump, make_constraint, none
from xr_dip.errors import DipWarning
from xr_dip.fitting.ensemble import derive_seed, fit_members
from xr_dip.fitting.fit import Fit
from xr_dip.fitting.problem import Observation
from xr_dip.generators import GENERATORS, Generator
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import Covariance, fit_covariance
from xr_dip.kriging.estimator import Estimator
from xr_dip.latents import latent_variances
from xr_dip.observing.projection import levelled_projection
from xr_dip.observing.sampling import Sampling
from xr_dip.pieces import SCALARS, Piece, finish
from xr_dip.problems import make_problems, make_stop_rule
from xr_dip.recipe import Recipe, describe_device, make_recipe
from xr_dip.relay import Baton, Relay
from xr_dip.sea import Flag, Sea, check_values, find_sea
from xr_dip.standard import Standard, standardise

__all__ = ["SCALARS", "SliceEstimate", "describe_device", "make_recipe"]

# A fit that leaves more than this share of the standard deviation unexplained has not converged, unless that is noise.
LARGEST_MISFIT = 0.5


class SliceEstimate:
    """Estimate one slice by a recipe.

    Parameters
    ----------
    recipe : Recipe
    keep_members : bool
        Also return the members.
    step : callable, optional
        Called after each fitted member.
    relay : Relay, optional
        What the fits of the last time have learned, for those of the next. By default each time begins from nothing.
    """

    def __init__(
        self,
        recipe: Recipe,
        keep_members: bool = False,
        step: Callable[[], object] | None = None,
        relay: Relay | None = None,
    ) -> None:
        self.recipe, self.keep_members, self.step, self.relay = recipe, keep_members, step, relay

    def __call__(self, values: FloatArray, stamp: int) -> dict[str, npt.NDArray[Any]]:
        """Estimate the fine field of coarse values (ny, nx) of a time stamp."""
        recipe = self.recipe
        check_values(values, recipe.name, recipe.largest)
        piece = self.piece(values, stamp)
        if recipe.preset.constraint == "optimal":
            cells = int(piece.sea.coarse.sum())
            warn_of_one_cell(cells)
            warn_of_few_cells(cells)
            piece = piece if cells > 1 else _without_error(piece)
        return finish(piece, recipe.factor) | {name: np.asarray(piece.scalars[name]) for name in SCALARS}

    def piece(self, values: FloatArray, stamp: int, covariance: Covariance | None = None) -> Piece:
        """Estimate the fine field of coarse values (ny, nx), of which some are finite, in float64.

        A covariance is given where these values are too few to tell one.
        """
        sea = self._find_sea(values)
        seen = np.where(sea.coarse, values, np.nan)
        noise = self.recipe.noise_of(seen, stamp)
        self._admit(seen, sea)
        kriging = self._kriging(seen, sea, covariance, noise)
        standard = standardise(seen, kriging, self._sampling(sea))
        fits = self._fit(seen, sea, standard, kriging, noise, stamp)
        fields = np.stack([standard.undo(fit.field) for fit in fits])
        null_space = self._null_space(kriging, sea)
        combined = self._combine(fields, seen, sea, kriging, null_space, stamp)
        latent = latent_variances(fits, standard, self._enforcement(seen, sea, null_space))
        return self._make_piece(combined, fields, fits, seen, sea, latent)

    def covariance(self, values: FloatArray, stamp: int) -> Covariance:
        """Fit a covariance to coarse values (ny, nx) of a time stamp, of which some are finite."""
        sea = self._find_sea(values)
        seen = np.where(sea.coarse, values, np.nan)
        return self._fit_covariance(seen, sea, self.recipe.noise_of(seen, stamp))

    def _find_sea(self, values: FloatArray) -> Sea:
        recipe = self.recipe
        return find_sea(
            values,
            recipe.factor,
            mask=recipe.mask,
            weights=recipe.weights,
            extrapolate=recipe.extrapolate,
            periodic=recipe.periodic,
            quiet=recipe.tile is not None,  # of all tiles together it is said once
        )

    def _sampling(self, sea: Sea) -> Sampling | None:
        """Return the map through a kernel; None for block means."""
        kernel = self.recipe.kernel
        if kernel is None:
            return None
        sampling = Sampling(kernel, sea.weights, periodic=self.recipe.periodic)
        sampling.check(sea.coarse)
        return sampling

    def _fit_covariance(self, values: FloatArray, sea: Sea, noise: float | FloatArray) -> Covariance:
        recipe = self.recipe
        return fit_covariance(values, sea.weights, recipe.factor, recipe.spacing, noise=noise)

    def _kriging(
        self, values: FloatArray, sea: Sea, covariance: Covariance | None, noise: float | FloatArray
    ) -> Estimator | None:
        """Return the kriging operator, where the preset uses one."""
        if not self.recipe.needs_covariance:
            return None
        fitted = self._fit_covariance(values, sea, noise) if covariance is None else covariance
        return self._krige(replace(fitted, noise=noise), sea)

    def _krige(self, covariance: Covariance, sea: Sea) -> Estimator:
        recipe = self.recipe
        return krige_basins(
            sea.weights, recipe.factor, recipe.spacing, covariance, sea.coarse, sea=sea.water, periodic=recipe.periodic
        )

    def _fit(
        self,
        values: FloatArray,
        sea: Sea,
        standard: Standard,
        kriging: Estimator | None,
        noise: float | FloatArray,
        stamp: int,
    ) -> list[Fit]:
        recipe, preset = self.recipe, self.recipe.preset
        problems = make_problems(recipe, values, sea, standard, kriging, noise, stamp)
        before = None if self.relay is None else self.relay.take(recipe.tile_label)
        baton = before or Baton(stamp, (None,) * recipe.members)

        def make(member: int) -> Callable[[], Generator]:
            seed = derive_seed(recipe.seed, baton.stamp, member, *recipe.tile_label)
            options = preset.options_of_member(member) | {"periodic": recipe.periodic}
            fresh = partial(GENERATORS[preset.generator], sea.coarse.shape, recipe.factor, seed, **options)
            return partial(_attentive, fresh, problems[member].observations[0], recipe.periodic)

        fits = fit_members(
            make,
            recipe.members,
            problems,
            recipe.fit_config if before is None else recipe.fit_config.warm(),
            make_stop_rule(recipe, sea, standard, noise),
            device=recipe.device,
            batch=recipe.batch,
            starts=None if self.relay is None else baton.learned,
            done=self.step or (lambda: None),
        )
        if self.relay is not None:
            self.relay.hand_on(recipe.tile_label, Baton(baton.stamp, tuple(fit.learned for fit in fits)))
        return fits

    def _null_space(self, kriging: Estimator | None, sea: Sea) -> Estimator | None:
        """Return the kriging that keeps block means, whose null space is that of the data; None without "optimal"."""
        if kriging is None or self.recipe.preset.constraint != "optimal":
            return None
        return self._krige(replace(kriging.covariance, noise=0.0), sea) if kriging.covariance.noisy else kriging

    def _enforcement(
        self, values: FloatArray, sea: Sea, null_space: Estimator | None
    ) -> Callable[[FloatArray], FloatArray]:
        """Return what makes of a fitted field what is free to differ between the fields that have the coarse values."""
        if null_space is not None:
            return null_space.null
        constraint, recipe = self._constraint(), self.recipe
        return lambda field: constraint(field, values, sea.weights, recipe.factor, periodic=recipe.periodic)

    def _combine(
        self,
        fields: FloatArray,
        values: FloatArray,
        sea: Sea,
        kriging: Estimator | None,
        null_space: Estimator | None,
        stamp: int,
    ) -> Combination:
        recipe = self.recipe
        if null_space is not None:
            assert kriging is not None
            seed, parts = derive_seed(recipe.seed, stamp), null_space.null(fields)
            blind = None if recipe.noise_std is None else null_space
            errors = self._krige(kriging.covariance.of_errors, sea)
            return combine_optimal(parts, values, sea, kriging, seed, blind=blind, errors=errors, place=recipe.place)
        return combine_enforced(fields, values, sea, recipe.factor, self._constraint(), periodic=recipe.periodic)

    def _constraint(self) -> Constraint:
        """Return what enforces the coarse values on a member, where that is not kriging."""
        preset = self.recipe.preset
        if self.recipe.noise_std is not None:
            return none
        if preset.constraint == "projection":
            return partial(levelled_projection, kernel=self.recipe.kernel)
        return make_constraint(preset.constraint, preset.constraint_options)

    def _once_joined(self) -> Constraint | None:
        """Return what parts of several tiles are to satisfy: those that promise bounds keep them."""
        name = self.recipe.preset.constraint
        if self.recipe.noise_std is not None or name in NOT_ENFORCED:
            return None
        return bump if name in ("optimal", "smooth", "additive", "projection") else self._constraint()

    def _admit(self, values: FloatArray, sea: Sea) -> None:
        """Let the constraint refuse values that it cannot enforce, before the long part."""
        recipe = self.recipe
        if recipe.preset.constraint not in ("optimal", "projection"):
            blocks = np.nan_to_num(repeat(values, recipe.factor)).astype(np.float64)
            self._constraint()(blocks, values, sea.weights, recipe.factor, periodic=recipe.periodic)

    def _make_piece(
        self,
        combined: Combination,
        fields: FloatArray,
        fits: list[Fit],
        values: FloatArray,
        sea: Sea,
        latent: FloatArray | None,
    ) -> Piece:
        recipe = self.recipe
        missed = recipe.misfit(fields.mean(axis=0), values, sea.weights, recipe.factor)
        unconverged = any(fit.misfit > LARGEST_MISFIT and fit.stopped != "discrepancy" for fit in fits)
        flags = np.where(sea.mask & unconverged, sea.flags | Flag.not_converged, sea.flags).astype(np.int8)
        return Piece(
            mean=combined.mean,
            variance=combined.std**2,
            fit_variance=_spread(fields),
            members=combined.members if self.keep_members else None,
            sea=replace(sea, flags=flags),
            values=values,
            fit_residual=np.where(np.isnan(values), np.nan, -missed),
            enforce=self._once_joined(),
            scalars={
                "blend_weight": combined.blend_weight,
                "front_weight": combined.front_weight,
                "predicted_rmse": combined.predicted_rmse,
                "predicted_skill": combined.predicted_skill,
                "iterations": float(np.mean([fit.iterations for fit in fits])),
                "seam_ratio": np.nan,
            },
            misfit=recipe.misfit,
            latent_variances=latent,
        )


def _attentive(make: Callable[[], Generator], observation: Observation, periodic: bool) -> Generator:
    """Make a generator that has seen the coarse field."""
    generator = make()
    generator.attend(observation.values, observation.weights > 0, periodic=periodic)
    return generator


def _without_error(piece: Piece) -> Piece:
    """Leave out the standard error: one value does not tell how much the field varies."""
    unknown = dict.fromkeys(("predicted_rmse", "predicted_skill"), np.nan)
    return replace(piece, variance=np.full_like(piece.variance, np.nan), scalars={**piece.scalars, **unknown})


def _spread(fields: FloatArray) -> FloatArray:
    """Return the variance over members (ddof 1); NaN for one."""
    if len(fields) == 1:
        warnings.warn("One member has no spread: fit_std is NaN. Ask for members=2 or more.", DipWarning, stacklevel=2)
        return np.full(fields.shape[1:], np.nan)
    return np.asarray(fields.var(axis=0, ddof=1))
