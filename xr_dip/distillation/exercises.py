"""Lessons as exercises of the network, and the settings that they ask for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.distillation.lessons import Lesson, Lessons
from xr_dip.distillation.settings import Settings
from xr_dip.distillation.standard import find_standard, see, share_of_sea
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import Covariance, Kernel, fit_covariance

WINDOW = 16
"""Coarse cells along a side of the windows of one step."""
SMALLEST_KERNEL = 0.05
"""Share of the training days that must speak for a kernel."""
SMALLEST_ADDED = 1e-3
"""Of what teachers add to kriging, in units of the roughness: less is rounding of single precision or near it."""
SMALLEST_SQUARE = 1e-12
"""Of what teachers add, where they add nothing: in units of the squared roughness."""


@dataclass(frozen=True, eq=False)
class Exercise:
    """A day as the network sees it.

    Attributes
    ----------
    seen : array of float32, shape (CHANNELS, ny + 2 margin, nx + 2 margin)
    goal : array of float32, shape (2, Y, X)
        What the teacher adds to kriging, and its variance, in units of the roughness; 0 where it is unknown.
    known : array of float32, shape (Y, X)
        1 where there is a goal.
    """

    seen: npt.NDArray[np.float32]
    goal: npt.NDArray[np.float32]
    known: npt.NDArray[np.float32]


def make_settings(lessons: Lessons, channels: int, layers: int) -> Settings:
    """Return the settings that the days ask for, with nothing said of the training yet."""
    target = lessons.target
    covariance = shared_covariance(lessons)
    spacing = target.fine_grid.spacing()
    size = spacing[0] * target.factor[0], spacing[1] * target.factor[1]
    return Settings(target.factor, size, covariance.kernels, channels, layers, {})


def shared_covariance(lessons: Lessons) -> Covariance:
    """Return the mean of the covariances of all days, sills in units of their squared roughness.

    Parameters
    ----------
    lessons : Lessons

    Returns
    -------
    Covariance
        Of the kernels that 5 % of the days speak for.
    """
    target, spacing = lessons.target, lessons.target.fine_grid.spacing()
    weights, sills = defaultdict[tuple[float, float], float](float), defaultdict[tuple[float, float], float](float)
    for day in lessons.days:
        roughness = find_standard(day.values, day.sea.coarse, periodic=target.periodic).roughness
        for kernel in fit_covariance(day.values, day.sea.weights, target.factor, spacing).kernels:
            shape = kernel.smoothness, kernel.length
            weights[shape] += kernel.weight / len(lessons.days)
            sills[shape] += kernel.weight / len(lessons.days) * kernel.sill / roughness**2
    kept = [shape for shape, weight in weights.items() if weight >= min(SMALLEST_KERNEL, max(weights.values()))]
    total = sum(weights[shape] for shape in kept)
    kernels = (Kernel(*shape, sills[shape] / weights[shape], weights[shape] / total) for shape in kept)
    return Covariance(tuple(sorted(kernels, key=lambda kernel: -kernel.weight)))


def make_exercises(lessons: Lessons, settings: Settings) -> list[Exercise]:
    """Return the days as the network sees them.

    Parameters
    ----------
    lessons : Lessons
    settings : Settings

    Returns
    -------
    list of Exercise
    """
    target = lessons.target
    found, look = list[Exercise](), b""
    for day in lessons.days:
        if look != (look := day.sea.coarse.tobytes()):
            kriging = krige_basins(
                day.sea.weights,
                target.factor,
                target.fine_grid.spacing(),
                settings.covariance,
                day.sea.coarse,
                sea=day.sea.water,
                periodic=target.periodic,
            )
        found.append(_exercise(day, kriging.mean(day.values), settings, periodic=target.periodic))
    return found


def _exercise(day: Lesson, kriged: FloatArray, settings: Settings, *, periodic: bool) -> Exercise:
    standard = find_standard(day.values, day.sea.coarse, periodic=periodic)
    seen = see(standard, share_of_sea(day.sea.weights, settings.factor), settings.margin, periodic=periodic)
    goal = np.stack([(day.mean - kriged) / standard.roughness, (day.std / standard.roughness) ** 2])
    goal = np.where(day.known, goal, 0.0)
    return Exercise(seen, np.asarray(goal, np.float32), np.asarray(day.known, np.float32))


def hold_out(exercises: Sequence[Exercise], share: float) -> tuple[list[Exercise], list[Exercise]]:
    """Part the last days, which are not neighbours of most others, from the first.

    Examples
    --------
    >>> [len(part) for part in hold_out([None] * 20, 0.2)], [len(part) for part in hold_out([None], 0.2)]
    ([16, 4], [1, 0])
    """
    count = int(len(exercises) * share)
    return list(exercises[: len(exercises) - count]), list(exercises[len(exercises) - count :])


def mean_squares(exercises: Sequence[Exercise]) -> tuple[float, float]:
    """Mean square of what teachers add to kriging, and their mean variance, both over all that is known.

    Examples
    --------
    >>> goal = np.array([[[2.0, 0.0]], [[5.0, 0.0]]], np.float32)
    >>> mean_squares([Exercise(np.zeros((3, 5, 5), np.float32), goal, np.array([[1.0, 0.0]], np.float32))])
    (4.0, 5.0)
    """
    count = max(1.0, sum(float(one.known.sum()) for one in exercises))
    added = sum(float((one.goal[0] ** 2 * one.known).sum()) for one in exercises)
    variance = sum(float((one.goal[1] * one.known).sum()) for one in exercises)
    return max(added / count, SMALLEST_SQUARE), variance / count


def check_added(exercises: Sequence[Exercise]) -> None:
    """Refuse teachers that add nothing to kriging: a network would be trained on rounding.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> zero, known = np.zeros((2, 1, 1), np.float32), np.ones((1, 1), np.float32)
    >>> check_added([Exercise(np.zeros((3, 5, 5), np.float32), zero, known)])
    Traceback (most recent call last):
    ...
    ValueError: Invalid estimates that differ from the kriging of a student by 1e-06 of the roughness of ...
    """
    added = math.sqrt(mean_squares(exercises)[0])
    if added < SMALLEST_ADDED:
        raise ValueError(
            f"Invalid estimates that differ from the kriging of a student by {added:.0e} of the roughness of the "
            f"coarse fields. They must by {SMALLEST_ADDED:.0e} or more, else there is nothing to learn: take estimates "
            "of xr_dip.downscale, or kriging itself by xr_dip.interpolate(..., method='kriging')."
        )


def draw_window(exercise: Exercise, settings: Settings, draws: np.random.Generator) -> Exercise:
    """Cut a window out of a day, flipped and with the opposite sign by chance.

    Parameters
    ----------
    exercise : Exercise
    settings : Settings
    draws : numpy.random.Generator

    Returns
    -------
    Exercise
    """
    (fy, fx), wide = settings.factor, 2 * settings.margin
    rows, columns = (n - wide for n in exercise.seen.shape[-2:])
    height, width = min(rows, WINDOW), min(columns, WINDOW)
    top, left = draws.integers(rows - height + 1), draws.integers(columns - width + 1)
    turn = np.s_[..., :: draws.choice([1, -1]), :: draws.choice([1, -1])]
    sign = np.float32(draws.choice([1, -1]))
    seen = exercise.seen[:, top : top + height + wide, left : left + width + wide][turn].copy()
    fine = np.s_[..., top * fy : (top + height) * fy, left * fx : (left + width) * fx]
    goal = exercise.goal[fine][turn].copy()
    seen[0] *= sign
    goal[0] *= sign
    return Exercise(seen, goal, exercise.known[fine][turn].copy())
