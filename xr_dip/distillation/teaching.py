"""From the results of an ensemble to a student."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import xarray as xr

from xr_dip.checks import check_seed, check_whole
from xr_dip.distillation.exercises import check_added, hold_out, make_exercises, make_settings
from xr_dip.distillation.lessons import read_lessons
from xr_dip.distillation.student import Student
from xr_dip.errors import DipWarning
from xr_dip.inputs import Periodic, Weights
from xr_dip.progress import import_quietly

HELD_OUT = 0.2
"""Share of the days, the last ones, that tell when to stop."""


def distill(
    coarse: xr.DataArray,
    estimates: xr.Dataset | xr.DataArray,
    *,
    weights: Weights = "equal",
    land_value: float | None = None,
    periodic: Periodic = "auto",
    x_dim: str | None = None,
    y_dim: str | None = None,
    x_coord: str | None = None,
    y_coord: str | None = None,
    dataset: xr.Dataset | None = None,
    channels: int = 64,
    layers: int = 4,
    steps: int = 1500,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> Student:
    """Train a feed-forward student on ensemble results of some days, to be applied to others.

    It learns to give at once what the ensemble is fitted to: the mean, and a standard error that contains that of the
    ensemble and what the student itself does not reproduce. It knows no units and no mean level. It has learned the
    scales of its training days: apply it to fields of the same kind, on cells of about the same size.

    Parameters
    ----------
    coarse : DataArray
        Coarse fields, as for `xr_dip.downscale`: all days of an archive, or those with an estimate.
    estimates : Dataset or DataArray
        Results of `xr_dip.downscale` for some of the days, such as ``xr.open_mfdataset("fine/*.nc")`` of an archive.
        Or one DataArray on the fine grid, such as a truth: its standard error is taken to be zero. Factor and fine sea
        mask are those of it.
    weights, land_value, periodic, x_dim, y_dim, x_coord, y_coord, dataset
        As for `xr_dip.downscale`, and as the estimates were made.
    channels, layers : int
        Width and number of the convolutions of 3 x 3 coarse cells.
    steps : int
        Of the training, each with eight windows of 16 x 16 coarse cells. The last fifth of the days tells which step
        was best, if there are five or more; of fewer none is held out.
    seed : int
        Every random number comes from it.
    device : str
        As for `xr_dip.downscale`; of the training.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Student
        ``student.downscale(da)`` applies it, ``student.save(path)`` keeps it, `xr_dip.load_student` reads it.

    Raises
    ------
    TypeError, ValueError
        For any argument or value that cannot be used, before anything is trained; for estimates made with
        ``noise_std``, and for those that are kriging with the covariance of the student, as of a single day.

    Warns
    -----
    DipWarning
        If the block means of the estimates are not those of the coarse field, which a student always has; if there are
        fewer than five days, so that none is held out; if the student is no nearer to the days held out than kriging
        is.

    References
    ----------
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, arXiv:1503.02531. Perspective of
    Archambault, Filoche, Charantonis, Béréziat (2022).

    Examples
    --------
    >>> import xr_dip
    >>> truth = xr_dip.synthetic.gulf_stream((24, 36), times=6).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> fine = truth[:5]  # or ensemble results: xr_dip.downscale(coarse[:5], 4)
    >>> student = xr_dip.distill(coarse, fine, steps=20, progress=False)
    >>> student.downscale(coarse[5]).ssh_std.shape
    (24, 36)
    """
    channels, layers = check_whole("channels", channels), check_whole("layers", layers)
    steps = check_whole("steps", steps)
    options: dict[str, Any] = {
        "weights": weights,
        "land_value": land_value,
        "periodic": periodic,
        "x_dim": x_dim,
        "y_dim": y_dim,
        "x_coord": x_coord,
        "y_coord": y_coord,
    }
    lessons = read_lessons(coarse, estimates, options, dataset)
    settings = make_settings(lessons, channels, layers)
    exercises = make_exercises(lessons, settings)
    check_added(exercises)
    taught, held_out = hold_out(exercises, HELD_OUT)
    _warn_of_no_judge(len(taught), len(held_out))
    train = importlib.import_module("xr_dip.distillation.training").train  # torch is imported here
    find_device = importlib.import_module("xr_dip.recipe").find_device
    tqdm = import_quietly("tqdm.auto").tqdm
    with tqdm(total=steps, desc="student", unit="step", disable=not progress) as bar:
        learned, scores = train(
            settings, taught, held_out, steps=steps, seed=check_seed(seed), device=find_device(device), step=bar.update
        )
    _warn_of_no_skill(scores)
    said = {
        "days": len(lessons.days),
        "held_out": len(held_out),
        "steps": steps,
        "seed": seed,
        "teacher": lessons.teacher,
        **scores,
    }
    return Student(replace(settings, training=said), learned)


def _warn_of_no_judge(taught: int, held_out: int) -> None:
    """Warn of so few days that none is held out: they may be learned by heart, and nothing tells."""
    if held_out == 0:
        days = "is one day" if taught == 1 else f"are {taught} days"
        warnings.warn(
            f"There {days} to learn from, and none is held out: nothing tells when the training is best, nor how good "
            "the student is. Give it five days or more for one to be held out.",
            DipWarning,
            stacklevel=3,
        )


def _warn_of_no_skill(scores: Mapping[str, float]) -> None:
    """Warn of a student that learned nothing of what its teacher adds to kriging."""
    if scores.get("skill", 1.0) <= 0:
        warnings.warn(
            f"The student has learned nothing: on the days held out it is no nearer to the estimates than the kriging "
            f"that it begins from, its skill is {scores['skill']:.2g}. Give it more days or steps, and check that the "
            "estimates are no kriging themselves.",
            DipWarning,
            stacklevel=3,
        )
