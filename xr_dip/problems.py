"""What the fits of a window are asked to explain, by a recipe: the coarse values, how they count, and when to stop."""

from __future__ import annotations

import numpy as np
import torch

from xr_dip.blocks import FloatArray
from xr_dip.fitting.correction import range_of_cells
from xr_dip.fitting.ensemble import derive_seed
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.penalties import make_penalties
from xr_dip.fitting.problem import DenseWhitening, Map, Observation, Problem, SpectralWhitening
from xr_dip.fitting.stopping import StopRule, fixed, make_discrepancy, make_plateau
from xr_dip.fitting.surroundings import Surroundings
from xr_dip.kriging.estimator import Estimator
from xr_dip.kriging.white_noise import white_noise
from xr_dip.noise import typical_variance
from xr_dip.recipe import Recipe
from xr_dip.sea import Sea
from xr_dip.standard import Standard

# Above so many sea cells a dense whitening costs more than it gives.
MOST_DENSE_CELLS = 3000
# What tells the random numbers of perturbed values from those of the standard error.
PERTURBED = 4


def make_problems(
    recipe: Recipe,
    values: FloatArray,
    sea: Sea,
    standard: Standard,
    kriging: Estimator | None,
    noise: float | FloatArray,
    stamp: int,
) -> list[Problem]:
    """Make the problem of each member: the same for all, unless their values are perturbed.

    Parameters
    ----------
    recipe : Recipe
    values : array, shape (ny, nx)
        In the unit of the field, NaN where there are none.
    sea : Sea
    standard : Standard
    kriging : Estimator or None
        Gives the whitening.
    noise : float or array, shape (ny, nx)
        Variance of the noise of the values, 0 where they are exact.
    stamp : int
        Of the time.

    Returns
    -------
    list of Problem
    """
    preset = recipe.preset
    operator = OPERATORS[preset.operator](
        sea.weights, recipe.factor, periodic=recipe.periodic, **preset.operator_options
    )
    trust = sea.coarse * (typical_variance(noise, sea.coarse) / noise if np.ndim(noise) else 1.0)
    whiten = None if kriging is None else _whitening(kriging, sea, preset.whitening)

    def make(seen: FloatArray) -> Problem:
        observation = Observation(
            operator,
            torch.from_numpy(np.nan_to_num(standard.apply(seen))).float(),
            torch.from_numpy(trust).float(),
            whiten=whiten,
        )
        ends = range_of_cells(preset.constraint_options.get("value_range"), standard.coarse_trend, standard.scale)
        around = Surroundings(sea.weights > 0, recipe.factor, recipe.periodic, observation, ends)
        return Problem((observation,), LOSSES[preset.loss], make_penalties(preset.penalties_of_fits(), around))

    if not recipe.perturb_observations:
        return [make(values)] * recipe.members
    shape = sea.coarse.shape[0], sea.coarse.shape[1]
    return [make(values + _perturbation(recipe, noise, shape, stamp, member)) for member in range(recipe.members)]


def _perturbation(
    recipe: Recipe, noise: float | FloatArray, shape: tuple[int, int], stamp: int, member: int
) -> FloatArray:
    """Draw noise of the size that the values have: the same where tiles overlap."""
    entropy = [derive_seed(recipe.seed, stamp), PERTURBED, member]
    return np.asarray(np.sqrt(noise) * white_noise(entropy, shape, recipe.place.coarsen(recipe.factor)))


def _whitening(kriging: Estimator, sea: Sea, exponent: float) -> Map | None:
    """Return the map that gives small scales, whose values are small, a say in the misfit."""
    if not exponent:
        return None
    alike = sea.coarse.all() and np.ndim(kriging.covariance.noise) == 0
    if alike or sea.coarse.sum() > MOST_DENSE_CELLS:
        return SpectralWhitening(kriging.coarse_spectrum(), exponent, periodic=kriging.periodic)
    return DenseWhitening(kriging.whitener(exponent), sea.coarse)


def make_stop_rule(recipe: Recipe, sea: Sea, standard: Standard, noise: float | FloatArray) -> StopRule:
    """Make the rule that says when a fit ends.

    At ``mean(r^2 / noise) <= 1`` by the discrepancy rule; at 2 where the values were perturbed, because what a member
    sees has the noise twice.

    Parameters
    ----------
    recipe : Recipe
    sea : Sea
    standard : Standard
    noise : float or array, shape (ny, nx)
        Variance of the noise of the values.

    Returns
    -------
    StopRule

    Raises
    ------
    ValueError
        If the rule stops at the noise, and nothing is known of it.
    """
    if recipe.preset.stopping == "discrepancy":
        if recipe.noise_std is None:
            raise ValueError(
                "Invalid noise_std None. The discrepancy rule stops at the noise: give its standard deviation."
            )
        times = 2 if recipe.perturb_observations else 1
        return make_discrepancy(np.sqrt(times * typical_variance(noise, sea.coarse)) / standard.scale)
    return make_plateau() if recipe.preset.stopping == "plateau" else fixed
