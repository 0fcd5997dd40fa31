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
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import FloatArray, misfit, repeat
from xr_dip.combination import Combination, combine_enforced, combine_optimal, warn_of_few_cells
from xr_dip.constraints import NOT_ENFORCED, Constraint, bump, make_constraint, none
from xr_dip.errors import DipWarning
from xr_dip.fitting.ensemble import derive_seed, fit_members
from xr_dip.fitting.fit import Fit
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.penalties import Surroundings, make_penalties
from xr_dip.fitting.problem import DenseWhitening, Map, Observation, Problem, SpectralWhitening
from xr_dip.fitting.stopping import StopRule, fixed, make_discrepancy, make_plateau
from xr_dip.generators import GENERATORS, Generator
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import Covariance, fit_covariance
from xr_dip.kriging.estimator import Estimator
from xr_dip.pieces import SCALARS, Piece, finish
from xr_dip.recipe import Recipe, make_recipe
from xr_dip.relay import Baton, Relay
from xr_dip.sea import Flag, Sea, check_values, find_sea

__all__ = ["SCALARS", "SliceEstimate", "make_recipe"]

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
            warn_of_few_cells(int(piece.sea.coarse.sum()))
        return finish(piece, recipe.factor) | {name: np.asarray(piece.scalars[name]) for name in SCALARS}

    def piece(self, values: FloatArray, stamp: int, covariance: Covariance | None = None) -> Piece:
        """Estimate the fine field of coarse values (ny, nx), of which some are finite, in float64.

        A covariance is given where these values are too few to tell one.
        """
        sea = self._find_sea(values)
        seen = np.where(sea.coarse, values, np.nan)
        self._admit(seen, sea)
        kriging = self._kriging(seen, sea, covariance)
        standard = _standardise(seen, kriging)
        fits = self._fit(standard.apply(seen), sea, standard, kriging, stamp)
        fields = np.stack([standard.undo(fit.field) for fit in fits])
        combined = self._combine(fields, seen, sea, kriging, stamp)
        return self._make_piece(combined, fields, fits, seen, sea)

    def covariance(self, values: FloatArray) -> Covariance:
        """Fit a covariance to coarse values (ny, nx), of which some are finite."""
        sea = self._find_sea(values)
        return self._fit_covariance(np.where(sea.coarse, values, np.nan), sea)

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

    def _fit_covariance(self, values: FloatArray, sea: Sea) -> Covariance:
        recipe = self.recipe
        noise = 0.0 if recipe.noise_std is None else recipe.noise_std**2
        return fit_covariance(values, sea.weights, recipe.factor, recipe.spacing, noise=noise)

    def _kriging(self, values: FloatArray, sea: Sea, covariance: Covariance | None) -> Estimator | None:
        """Return the kriging operator, where the preset uses one."""
        if not self.recipe.needs_covariance:
            return None
        return self._krige(self._fit_covariance(values, sea) if covariance is None else covariance, sea)

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
        around = Surroundings(sea.weights > 0, recipe.factor, recipe.periodic, observation)
        penalties = make_penalties(preset.penalties_of_fits(), around)

        before = None if self.relay is None else self.relay.take(recipe.tile_label)
        baton = before or Baton(stamp, (None,) * recipe.members)

        def make(member: int) -> Callable[[], Generator]:
            seed = derive_seed(recipe.seed, baton.stamp, member, *recipe.tile_label)
            options = preset.options_of_member(member) | {"periodic": recipe.periodic}
            fresh = partial(GENERATORS[preset.generator], sea.coarse.shape, recipe.factor, seed, **options)
            return partial(_attentive, fresh, observation, recipe.periodic)

        fits = fit_members(
            make,
            recipe.members,
            Problem((observation,), LOSSES[preset.loss], penalties),
            recipe.fit_config if before is None else recipe.fit_config.warm(),
            _stop_rule(recipe, standard),
            device=recipe.device,
            batch=recipe.batch,
            starts=None if self.relay is None else baton.learned,
            done=self.step or (lambda: None),
        )
        if self.relay is not None:
            self.relay.hand_on(recipe.tile_label, Baton(baton.stamp, tuple(fit.learned for fit in fits)))
        return fits

    def _combine(
        self, fields: FloatArray, values: FloatArray, sea: Sea, kriging: Estimator | None, stamp: int
    ) -> Combination:
        recipe = self.recipe
        if recipe.preset.constraint == "optimal":
            assert kriging is not None
            exact = recipe.noise_std is None
            parts = (kriging if exact else self._krige(replace(kriging.covariance, noise=0.0), sea)).null(fields)
            seed = derive_seed(recipe.seed, stamp)
            return combine_optimal(parts, values, sea, kriging, seed, exact=exact, place=recipe.place)
        return combine_enforced(fields, values, sea, recipe.factor, self._constraint(), periodic=recipe.periodic)

    def _constraint(self) -> Constraint:
        """Return what enforces the coarse values on a member, where that is not kriging."""
        preset = self.recipe.preset
        if self.recipe.noise_std is not None:
            return none
        return make_constraint(preset.constraint, preset.constraint_options)

    def _once_joined(self) -> Constraint | None:
        """Return what parts of several tiles are to satisfy: those that promise bounds keep them."""
        name = self.recipe.preset.constraint
        if self.recipe.noise_std is not None or name in NOT_ENFORCED:
            return None
        return bump if name in ("optimal", "smooth", "additive") else self._constraint()

    def _admit(self, values: FloatArray, sea: Sea) -> None:
        """Let the constraint refuse values that it cannot enforce, before the long part."""
        recipe = self.recipe
        if recipe.preset.constraint != "optimal":
            blocks = np.nan_to_num(repeat(values, recipe.factor)).astype(np.float64)
            self._constraint()(blocks, values, sea.weights, recipe.factor, periodic=recipe.periodic)

    def _make_piece(
        self, combined: Combination, fields: FloatArray, fits: list[Fit], values: FloatArray, sea: Sea
    ) -> Piece:
        recipe = self.recipe
        raw = np.where(np.isnan(values), np.nan, -misfit(fields.mean(axis=0), values, sea.weights, recipe.factor))
        unconverged = any(fit.misfit > LARGEST_MISFIT for fit in fits)
        flags = np.where(sea.mask & unconverged, sea.flags | Flag.not_converged, sea.flags).astype(np.int8)
        return Piece(
            mean=combined.mean,
            variance=combined.std**2,
            fit_variance=_spread(fields),
            members=combined.members if self.keep_members else None,
            sea=replace(sea, flags=flags),
            values=values,
            fit_residual=raw,
            enforce=self._once_joined(),
            scalars={
                "blend_weight": combined.blend_weight,
                "front_weight": combined.front_weight,
                "predicted_rmse": combined.predicted_rmse,
                "predicted_skill": combined.predicted_skill,
                "iterations": float(np.mean([fit.iterations for fit in fits])),
                "seam_ratio": np.nan,
            },
        )


def _attentive(make: Callable[[], Generator], observation: Observation, periodic: bool) -> Generator:
    """Make a generator that has seen the coarse field."""
    generator = make()
    generator.attend(observation.values, observation.weights > 0, periodic=periodic)
    return generator


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
    """Return the variance over members (ddof 1); NaN for one."""
    if len(fields) == 1:
        warnings.warn("One member has no spread: fit_std is NaN. Ask for members=2 or more.", DipWarning, stacklevel=2)
        return np.full(fields.shape[1:], np.nan)
    return np.asarray(fields.var(axis=0, ddof=1))
