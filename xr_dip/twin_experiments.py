"""The experiments that ``xr-dip twin`` offers by name: which options each takes, and what becomes of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from xr_dip import twin
from xr_dip.canvas import find_library
from xr_dip.twin import tables
from xr_dip.twin.comparison import SCORES
from xr_dip.twin.published import evidence

Common = Mapping[str, Any]
"""Members, seed, device, progress and cache, as all calls take them."""


@dataclass(frozen=True)
class Experiment:
    """One experiment of the command line.

    Attributes
    ----------
    defaults : mapping of str to str or int
        The options that it takes, besides those that all take.
    run : callable
        From the truth, these options and the common ones to what it finds, by name: what is written comes
        first.
    write : callable
        From what is found and the name of a score to lines of text.
    draw : mapping of str to callable
        Names of what is found to functions that draw it, from it and the name of a score.
    scores : tuple of str
        What ``score`` may be, where it is an option.
    """

    defaults: Mapping[str, Any]
    run: Callable[[xr.DataArray, Mapping[str, Any], Common], dict[str, xr.Dataset]]
    write: Callable[[xr.Dataset, str], str]
    draw: Mapping[str, Callable[[xr.Dataset, str], object]]
    scores: tuple[str, ...] = ()


def _factors(field: xr.DataArray, given: Mapping[str, Any], common: Common) -> dict[str, xr.Dataset]:
    noise = numbers(given["noise_std"], float, "noise_std")
    observed = {name: given[name] for name in ("operator", "operator_options") if given[name] is not None}
    options = {**common, **observed}
    factors = numbers(given["factors"], int, "factors")
    return {"by_factor": twin.experiment(field, factors, words(given["methods"]), noise_std=noise, **options)}


def _sections(field: xr.DataArray, given: Mapping[str, Any], common: Common) -> dict[str, xr.Dataset]:
    factors = numbers(given["factors"], int, "factors")
    return {"sections": twin.sections(field, factors, words(given["methods"]), **common)}


def _ensemble(field: xr.DataArray, given: Mapping[str, Any], common: Common) -> dict[str, xr.Dataset]:
    method = {"preset": only(words(given["methods"]), "methods")}
    if given["constraints"]:
        method["constraint"] = only(words(given["constraints"]), "constraints")
    options = {**common, "latent_samples": given["latent_samples"]}
    return {"ensemble_size": twin.ensemble(field, _one_factor(given), method, **options)}


def _enforcement(field: xr.DataArray, given: Mapping[str, Any], common: Common) -> dict[str, xr.Dataset]:
    method = {"preset": only(words(given["methods"]), "methods")}
    found = twin.enforcement(field, _one_factor(given), words(given["constraints"]), method, **common)
    return {"enforcement": found}


def _losses(field: xr.DataArray, given: Mapping[str, Any], common: Common) -> dict[str, xr.Dataset]:
    options = {name: value for name, value in common.items() if name != "progress"}
    options["noise_std"] = only(numbers(given["noise_std"], float, "noise_std"), "noise_std")
    options["every"] = given["every"]
    method = {"preset": only(words(given["methods"]), "methods")}
    return {"losses": twin.losses(field, _one_factor(given), words(given["losses"]), method, **options)}


def _claims(field: xr.DataArray, given: Mapping[str, Any], common: Common) -> dict[str, xr.Dataset]:
    scores, parts = evidence(field, numbers(given["factors"], int, "factors"), **common)
    drawn = {"ensemble_size": parts, "members": parts, "spreads": parts}
    return {"claims": twin.judge(scores, parts), "by_factor": scores, **drawn}


PUBLISHED = "archambault2022"
EXPERIMENTS = {
    "factors": Experiment(
        {
            "factors": "4,8,16",
            "methods": "bicubic,kriging,balanced",
            "members": 10,
            "noise_std": "0",
            "score": "rmse",
            "operator": None,
            "operator_options": None,
        },
        _factors,
        tables.of_factors,
        {"by_factor": lambda found, score: twin.plot.by_factor(found, score)},
        SCORES,
    ),
    "sections": Experiment(
        {"factors": "4,8,16", "methods": "bicubic,kriging,balanced", "members": 10},
        _sections,
        lambda found, score: tables.of_sections(found),
        {"sections": lambda found, score: twin.plot.sections(found)},
    ),
    "ensemble": Experiment(
        {
            "factors": "16",
            "methods": PUBLISHED,
            "constraints": None,
            "members": 10,
            "score": "rmse",
            "latent_samples": 0,
        },
        _ensemble,
        tables.of_ensemble,
        {"ensemble_size": lambda found, score: twin.plot.ensemble_size(found, score)},
        ("rmse", "ssim"),
    ),
    "enforcement": Experiment(
        {"factors": "16", "methods": PUBLISHED, "constraints": "none,additive,smooth", "members": 10},
        _enforcement,
        lambda found, score: tables.of_enforcement(found),
        {"enforcement": lambda found, score: twin.plot.enforcement(found)},
    ),
    "losses": Experiment(
        {
            "factors": "16",
            "methods": PUBLISHED,
            "losses": "mse,charbonnier",
            "members": 1,
            "noise_std": "0",
            "score": "psnr",
            "every": 50,
        },
        _losses,
        tables.of_losses,
        {"losses": lambda found, score: twin.plot.losses(found, score)},
        ("psnr", "ssim", "rmse"),
    ),
}
"""By the words of ``--experiment``."""
CLAIMS = Experiment(
    {"factors": "4,8,16", "members": 10},
    _claims,
    lambda found, score: tables.of_claims(found),
    {
        "by_factor": lambda found, score: twin.plot.by_factor(found),
        "ensemble_size": lambda found, score: twin.plot.ensemble_size(found),
        "members": lambda found, score: twin.plot.members(found),
        "spreads": lambda found, score: twin.plot.spreads(found),
    },
)
"""Of ``--claims``: four pictures, so a folder of them."""


def draw(experiment: Experiment, found: Mapping[str, xr.Dataset], score: str, places: Mapping[str, Path]) -> None:
    """Save the pictures of what was found, in a folder that is made where it is missing.

    Parameters
    ----------
    experiment : Experiment
    found : mapping of str to Dataset
        By name, as it returns it.
    score : str
    places : mapping of str to Path
        Files, by the names of what is drawn.

    Examples
    --------
    >>> draw(EXPERIMENTS["sections"], {}, "rmse", {})
    """
    for name, path in places.items():
        pyplot = find_library("matplotlib.pyplot")  # here, for without a picture it need not be installed
        path.parent.mkdir(exist_ok=True)
        experiment.draw[name](found[name], score)
        pyplot.savefig(path, dpi=150)
        pyplot.close()


def numbers(text: str, kind: type, name: str) -> list[Any]:
    """Read numbers with commas between.

    Parameters
    ----------
    text : str
    kind : type
        int or float.
    name : str
        Of the option, for the message.

    Returns
    -------
    list

    Raises
    ------
    ValueError
        If there is something else.

    Examples
    --------
    >>> numbers("4,8", int, "factors")
    [4, 8]
    """
    try:
        return [kind(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(f"Invalid {name} {text!r}. It must be numbers with commas between: 4,8.") from None


def words(text: str) -> list[str]:
    """Read names with commas between.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> words("bicubic, kriging")
    ['bicubic', 'kriging']
    """
    return [word.strip() for word in text.split(",")]


def only(values: list[Any], name: str) -> Any:
    """Return the one value of an option that takes several elsewhere.

    Parameters
    ----------
    values : list
    name : str
        Of the option, for the message.

    Returns
    -------
    Any

    Raises
    ------
    ValueError
        If there are several.

    Examples
    --------
    >>> only([4], "factors")
    4
    """
    if len(values) != 1:
        raise ValueError(f"Invalid {name} {values}. It must be one in this experiment.")
    return values[0]


def _one_factor(given: Mapping[str, Any]) -> int:
    return int(only(numbers(given["factors"], int, "factors"), "factors"))
