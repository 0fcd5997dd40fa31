"""A fit that is looked at on its way: the field after every so many steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import Factor
from xr_dip.fitting.fit import CHECK_EVERY, Fit, FitConfig, fit
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.generators import GENERATORS
from xr_dip.generators.base import Generator

FloatArray = npt.NDArray[np.float64]
Look = Callable[[int, FloatArray], object]


def plain_problem(values: FloatArray, weights: FloatArray, factor: Factor, loss: str = "mse") -> Problem:
    """Block means to be fitted, no scale weighed and nothing added.

    Parameters
    ----------
    values : array, shape (ny, nx)
        Standardised, NaN on land.
    weights : array, shape (ny * fy, nx * fx)
        Of the fine cells in their means.
    factor : (int, int)
        1 and 1 to fit the field itself.
    loss : str
        Name in `xr_dip.fitting.losses.LOSSES`.

    Returns
    -------
    Problem

    Examples
    --------
    >>> len(plain_problem(np.ones((2, 2)), np.ones((4, 4)), (2, 2)).observations)
    1
    """
    seen = np.isfinite(values)
    observation = Observation(
        operator=OPERATORS["block_mean"](weights, factor),
        values=torch.from_numpy(np.nan_to_num(values)).float(),
        weights=torch.from_numpy(seen.astype(np.float32)),
    )
    return Problem((observation,), LOSSES[loss])


def attentive_factory(
    name: str, problem: Problem, factor: Factor, seed: int, options: Mapping[str, Any]
) -> Callable[[], Generator]:
    """Return a factory of a generator for the first observation of a problem, which it has seen.

    Parameters
    ----------
    name : str
        In `xr_dip.generators.GENERATORS`.
    problem : Problem
    factor : (int, int)
    seed : int
    options : mapping
        Keywords of its factory.

    Returns
    -------
    callable

    Examples
    --------
    >>> problem = plain_problem(np.eye(8), np.ones((16, 16)), (2, 2))
    >>> make = attentive_factory("dcgan", problem, (2, 2), 0, {})
    >>> make().shape
    (16, 16)
    """
    observation = problem.observations[0]
    shape = (observation.values.shape[0], observation.values.shape[1])
    fresh = partial(GENERATORS[name], shape, factor, seed, **options)

    def make() -> Generator:
        generator = fresh()
        generator.attend(observation.values, observation.weights > 0, periodic=False)
        return generator

    return make


def follow(
    make: Callable[[], Generator],
    problem: Problem,
    config: FitConfig,
    look: Look,
    *,
    every: int = CHECK_EVERY,
    device: str = "cpu",
) -> Fit:
    """Fit one generator, and show its field on the way.

    The steps are those of `xr_dip.fitting.fit.fit`, and the field is that of the expected latent. Looking changes
    nothing but for generators that draw a new latent to be looked at.

    Parameters
    ----------
    make : callable
        Returns the same freshly seeded generator at each call.
    problem : Problem
    config : FitConfig
    look : callable
        Called with the number of steps taken and the standardised fine field (Y, X). After a restart it is called from
        the first steps again.
    every : int
        Steps between two looks, a multiple of 10.
    device : str

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If `every` is no multiple of 10.

    Examples
    --------
    >>> problem = plain_problem(np.eye(8), np.ones((16, 16)), (2, 2))
    >>> make = attentive_factory("bandlimited", problem, (2, 2), 0, {"channels": 4})
    >>> steps = []
    >>> done = follow(make, problem, FitConfig(iterations=20), lambda step, field: steps.append(step))
    >>> steps
    [10, 20]
    """
    if every < 1 or every % CHECK_EVERY:
        raise ValueError(f"Invalid every {every}. It must be a multiple of {CHECK_EVERY}.")
    latest: list[Generator] = []

    def remember() -> Generator:
        latest[:] = [make()]
        return latest[0]

    def watch(losses: Sequence[float], misfits: Sequence[float]) -> None:
        if len(losses) % every == 0:
            with torch.no_grad():
                generator = latest[0]
                field = generator.fine(generator(generator.expected()))[0]
            look(len(losses), field.cpu().numpy().astype(np.float64))

    return fit(remember, problem, config, watch, device)
