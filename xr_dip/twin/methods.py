"""Methods of a twin experiment: names, or any combination of parts, as the keywords of one call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import xarray as xr

from xr_dip import baselines, downscaling
from xr_dip.checks import check_name
from xr_dip.observation import BLOCK_MEAN
from xr_dip.presets import PRESETS, Preset
from xr_dip.twin.pair import Pair

Keywords = Mapping[str, Any]
Methods = Sequence[str] | Mapping[str, Keywords]

TOLD = ("da", "factor", "mask", "weights", "x_dim", "y_dim", "x_coord", "y_coord", "dataset", "relay", "progress")
"""Keywords of `xr_dip.downscale` that are not for a method to choose."""
PARTS = (
    "generator",
    "generator_options",
    "loss",
    "penalties",
    "constraint",
    "constraint_options",
    "operator",
    "operator_options",
)
"""Keywords of `xr_dip.downscale` that replace parts of a preset."""


@dataclass(frozen=True)
class Settings:
    """What ensembles are told that do not say otherwise: fits, seed, device, and whether to show progress."""

    members: int
    seed: int
    device: str
    progress: bool


def parse_methods(methods: Methods) -> dict[str, dict[str, Any]]:
    """Return the keywords of each method by its label.

    Parameters
    ----------
    methods : sequence of str, or mapping of str to mapping
        Names of interpolations and presets; or labels with the keywords of `xr_dip.interpolate`, ``{"method":
        "bicubic"}`` or ``{"method": "kriging", "noise_std": None}``, or of `xr_dip.downscale`, ``{"preset": "balanced",
        "generator": "skip"}``.

    Returns
    -------
    dict of str to dict

    Raises
    ------
    ValueError
        If there is none, or a name or keyword is unknown.

    Examples
    --------
    >>> parse_methods(["bicubic", "fast"])
    {'bicubic': {'method': 'bicubic'}, 'fast': {'preset': 'fast'}}
    """
    if isinstance(methods, Mapping) and methods:
        return {label: parse_keywords(keywords, label) for label, keywords in methods.items()}
    if isinstance(methods, str) or not isinstance(methods, Sequence) or not methods:
        raise ValueError(
            f"Invalid methods {methods!r}. It must be a sequence with at least one entry, or a mapping from labels to "
            "keywords."
        )
    if len(set(methods)) < len(methods):
        raise ValueError(f"Invalid methods {methods!r}. Its entries must differ.")
    for method in methods:
        check_name("method", method, [*baselines.METHODS, *PRESETS])
    return {method: {"method" if method in baselines.METHODS else "preset": method} for method in methods}


def parse_keywords(keywords: Keywords, label: str = "method") -> dict[str, Any]:
    """Check the keywords of one method.

    Parameters
    ----------
    keywords : mapping
    label : str
        Of the method, for messages.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If they are no mapping, or one is unknown or not to be chosen.

    Examples
    --------
    >>> parse_keywords({"preset": "fast", "loss": "charbonnier"})
    {'preset': 'fast', 'loss': 'charbonnier'}
    """
    if not isinstance(keywords, Mapping) or not keywords:
        raise ValueError(f"Invalid method {label!r}: {keywords!r}. It must be a mapping with 'method' or 'preset'.")
    if "method" in keywords:
        check_name("method", keywords["method"], list(baselines.METHODS))
        allowed = ["method", "noise_std"] if keywords["method"] == baselines.KRIGING else ["method"]
    else:
        allowed = [name for name in signature(downscaling.downscale).parameters if name not in TOLD]
        check_name("preset", keywords.get("preset", "balanced"), list(PRESETS))
    unknown = [name for name in keywords if name not in allowed]
    if unknown:
        raise ValueError(f"Invalid method {label!r} with {unknown}. Its keywords must be among {allowed}.")
    return dict(keywords)


def preset_of(keywords: Keywords, factor: int) -> Preset | None:
    """Return all numbers of an ensemble at a factor; None of an interpolation.

    Parameters
    ----------
    keywords : mapping
        As `parse_keywords` returns them.
    factor : int

    Returns
    -------
    Preset or None

    Examples
    --------
    >>> preset_of({"preset": "archambault2022", "loss": "l1"}, 16).loss
    'l1'
    """
    if "method" in keywords:
        return None
    preset = PRESETS[keywords.get("preset", "balanced")]((factor, factor))
    return preset.override(**{name: keywords[name] for name in PARTS if name in keywords})


def estimate(
    pair: Pair, values: xr.DataArray, keywords: Keywords, settings: Settings, *, noise_std: float = 0.0
) -> xr.Dataset:
    """Make coarse values fine by one method, on the cells of the truth.

    Parameters
    ----------
    pair : Pair
    values : DataArray
        The coarse field, noise included.
    keywords : mapping
        As `parse_keywords` returns them.
    settings : Settings
    noise_std : float
        What ensembles and kriging are told of the noise, unless their keywords say otherwise; 0 for none.

    Returns
    -------
    Dataset
        In memory, without coordinates along the horizontal dimensions: refined coordinates of an uneven grid are not
        those of the truth, but the cells are the same by construction.
    """
    y_dim, x_dim = pair.dims
    common: dict[str, Any] = {
        "mask": pair.sea,
        "weights": "equal" if pair.equal else pair.weights,
        "x_dim": x_dim,
        "y_dim": y_dim,
    }
    noise = {"noise_std": noise_std if noise_std > 0 else None}
    if "method" in keywords:
        known = noise if keywords["method"] == baselines.KRIGING else {}
        result = downscaling.interpolate(values, pair.factor, **common, **{**known, **keywords})
    else:
        told = {
            **noise,
            "members": settings.members,
            "seed": settings.seed,
            "device": settings.device,
            **({} if "operator" in keywords else _operator_of(pair)),
            **keywords,
        }
        kept = {"keep_members": told["members"] > 1, "progress": settings.progress}
        result = downscaling.downscale(values, pair.factor, **common, **{**kept, **told})
    return result.compute().drop_vars(pair.dims, errors="ignore")


def _operator_of(pair: Pair) -> dict[str, Any]:
    """Return what ensembles are told of the coarse values, where they are no block means."""
    if pair.operator == BLOCK_MEAN:
        return {}
    return {"operator": pair.operator, "operator_options": pair.operator_options}


def mean_of(result: xr.Dataset) -> xr.DataArray:
    """Return the estimate of a result of one variable.

    Parameters
    ----------
    result : Dataset

    Returns
    -------
    DataArray

    Examples
    --------
    >>> mean_of(xr.Dataset({"ssh_mean": ("x", [1.0]), "ssh_std": ("x", [0.1])})).name
    'ssh_mean'
    """
    (name,) = (name for name in result.data_vars if str(name).endswith("_mean"))
    return result[name]
