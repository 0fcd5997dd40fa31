"""The numbers of the page: what a result says of itself, and its scores, as texts with units and meanings."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.reading import block_errors, configuration_of, part_of

MEANINGS = {
    "predicted_rmse": "Root mean square of the standard error: how wrong the estimate expects to be.",
    "predicted_skill": "Share by which it expects to err less than bicubic interpolation; negative if more.",
    "blend_weight": "Part of the fits in the estimate, beside kriging; 0 where nothing else speaks for them.",
    "front_weight": "Part of kriging along fronts; 0 where the field is alike in all directions and everywhere.",
    "seam_ratio": "Gradients at the seams of tiles over those elsewhere, each against bicubic: 1 if seams do not show.",
    "iterations": "Mean number of steps of the fits.",
}
FLAGS = {
    "land": "land, no estimate",
    "no_data": "sea under a missing coarse value, no estimate unless extrapolated",
    "seam": "blended from several tiles",
    "not_converged": "of a fit that ended far from the coarse values",
    "coarse_unused": "land under a coarse value, which therefore constrains nothing",
    "extrapolated": "sea beside the data, which nothing constrains",
}
LENGTHS = ("effective_resolution", "lambda_x")
"""Scores that are infinite where no wave is resolved."""
PERFECT = {
    **dict.fromkeys(("bias", "rmse", "gradient_rmse", "laplacian_rmse", "current_rmse", "vorticity_rmse"), "0"),
    **dict.fromkeys(("mu_score", "ssim", "spread_skill"), "1"),
    **dict.fromkeys((*LENGTHS, "crps", "crps_gaussian"), "small"),
    **{"coverage": "0.9", "correlation": "large"},
}
LARGE_LENGTH = 1e3
"""Metres from which a length is written in kilometres."""
LARGEST_COUNT = 1e9
"""Whole numbers up to here are written with every digit."""


def write_number(values: xr.DataArray | float, units: str = "", *, infinite: str = "infinite") -> str:
    """Write a number with its unit; of several the mean and the range.

    Parameters
    ----------
    values : DataArray or float
        NaN is not counted.
    units : str
        ``"1"`` is not written.
    infinite : str
        What infinite ones are called; they are counted apart.

    Returns
    -------
    str

    Examples
    --------
    >>> write_number(0.00338, "m"), write_number(xr.DataArray([0.5, 1.5]), "1"), write_number(np.nan)
    ('0.00338 m', '1 (0.5 to 1.5)', 'none')
    >>> write_number(xr.DataArray([1e5, np.inf, np.nan]), "m", infinite="not resolved")
    '100 km, 1 of 2 not resolved'
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = numbers[~np.isnan(numbers)]
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return infinite if numbers.size else "none"
    text, beyond = _write_finite(known, units), numbers.size - known.size
    return f"{text}, {beyond} of {numbers.size} {infinite}" if beyond else text


def headline(result: xr.Dataset, name: str, scores: xr.Dataset | None) -> list[tuple[str, str, str]]:
    """Pick the few numbers that matter most.

    Parameters
    ----------
    result : Dataset
    name : str
        What it was made from.
    scores : Dataset or None
        Of `xr_dip.verify`, where there is a truth.

    Returns
    -------
    list of (str, str, str)
        Label, value and remark.

    Examples
    --------
    >>> result = xr.Dataset({"ssh_mean": 0.0, "predicted_rmse": ((), 0.003, {"units": "m"})})
    >>> headline(result, "ssh", None)
    [('predicted error', '0.003 m', 'root mean square, without a truth')]
    """
    rows = []
    predicted, errors = part_of(result, name, "predicted_rmse"), block_errors(result, name)
    if scores is not None:
        rows.append(("error", _written(scores.rmse.mean(keep_attrs=True)), "root mean square, against the truth"))
        for key in ("kriging", "bicubic"):
            if f"skill_{key}" in scores:
                rows.append((f"gain over {key}", _percent(scores[f"skill_{key}"]), "share of its error that is gone"))
        if "coverage" in scores:
            rows.append(("within 90 % interval", _percent(scores.coverage), "of the errors; 90 % is right"))
    if predicted is not None:
        rows.append(("predicted error", _written(predicted.mean(keep_attrs=True)), "root mean square, without a truth"))
    if errors is not None:
        largest, unit = float(abs(errors).fillna(0.0).max()), str(errors.attrs.get("units", ""))
        rows.append(("conservation", f"{largest:.1e} {unit}".strip(), "largest error of a coarse value"))
    return rows


def diagnostics(result: xr.Dataset, name: str) -> list[tuple[str, str, str]]:
    """List what a result says of itself, and what that means.

    Parameters
    ----------
    result : Dataset
    name : str
        What it was made from.

    Returns
    -------
    list of (str, str, str)
        Name, value and meaning.

    Examples
    --------
    >>> diagnostics(xr.Dataset({"ssh_mean": 0.0, "ssh_std": 0.5, "iterations": 120.0}), "ssh")[0]
    ('mean standard error', '0.5', 'Mean of the map; the largest value is 0.5.')
    """
    rows = []
    std = part_of(result, name, "std")
    if std is not None:
        unit = str(std.attrs.get("units", ""))
        remark = f"Mean of the map; the largest value is {write_number(float(std.max()), unit)}."
        rows.append(("mean standard error", write_number(float(std.mean()), unit), remark))
    for key, meaning in MEANINGS.items():
        part = part_of(result, name, key)
        if part is not None:
            rows.append((key.replace("_", " "), _written(part), meaning))
    return rows + _misfits(result, name) + _shares(result, name)


def score_rows(scores: xr.Dataset) -> list[tuple[str, str, str, str]]:
    """List the scores of `xr_dip.verify`.

    Parameters
    ----------
    scores : Dataset

    Returns
    -------
    list of (str, str, str, str)
        Name, value, what is perfect, and meaning.

    Examples
    --------
    >>> score_rows(xr.Dataset({"rmse": ((), 0.5, {"units": "m", "long_name": "root mean square error"})}))
    [('rmse', '0.5 m', '0', 'root mean square error')]
    """
    return [
        (
            str(key),
            _written(score, infinite="not resolved" if key in LENGTHS else "infinite"),
            "1" if str(key).startswith("skill_") else PERFECT.get(str(key), ""),
            str(score.attrs.get("long_name", "")),
        )
        for key, score in scores.data_vars.items()
        if key != "rank_histogram"
    ]


def options(result: xr.Dataset, name: str) -> list[tuple[str, str]]:
    """List every option that a result was made with.

    Parameters
    ----------
    result : Dataset
    name : str
        What it was made from.

    Returns
    -------
    list of (str, str)

    Examples
    --------
    >>> options(xr.Dataset(attrs={"xr_dip_configuration": '{"factor": [5, 5], "mask": null, "preset": "fast"}'}), "ssh")
    [('factor', '[5, 5]'), ('mask', 'none'), ('preset', 'fast')]
    """
    configuration: Mapping[str, object] = configuration_of(result, name)
    return [(key, _option(value)) for key, value in configuration.items()]


def _option(value: object) -> str:
    """Write a value as readers do who do not know JSON."""
    if value is None or value == {}:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def _write_finite(known: npt.NDArray[np.float64], units: str) -> str:
    """Write the mean of numbers, their range where they differ, and the unit, in kilometres where they are long."""
    if units == "m" and float(abs(known).mean()) >= LARGE_LENGTH:
        known, units = known / 1e3, "km"
    mean = float(known.mean())
    text = f"{mean:.0f}" if mean == round(mean) and abs(mean) < LARGEST_COUNT else f"{mean:.3g}"
    if known.size > 1 and f"{known.min():.3g}" != f"{known.max():.3g}":
        text += f" ({known.min():.3g} to {known.max():.3g})"
    return f"{text} {units}".strip() if units != "1" else text


def _written(values: xr.DataArray, *, infinite: str = "infinite") -> str:
    return write_number(values, str(values.attrs.get("units", "")), infinite=infinite)


def _percent(share: xr.DataArray) -> str:
    value = float(share.mean())
    return f"{value:.0%}".replace("%", " %") if np.isfinite(value) else "none"


def _misfits(result: xr.Dataset, name: str) -> list[tuple[str, str, str]]:
    """Largest errors of the coarse values, of the estimate and of the fits."""
    meanings = {
        "conservation_error": "Largest difference of a coarse value of the estimate from the input.",
        "fit_residual": "The same for the mean of the fits, before anything was enforced.",
    }
    rows = []
    for key, meaning in meanings.items():
        errors = block_errors(result, name, key)
        if errors is not None:
            unit = str(errors.attrs.get("units", ""))
            rows.append((f"largest {key.replace('_', ' ')}", f"{float(abs(errors).max()):.2g} {unit}".strip(), meaning))
    return rows


def _shares(result: xr.Dataset, name: str) -> list[tuple[str, str, str]]:
    """Shares of the fine cells that have a flag."""
    flag = part_of(result, name, "flag")
    if flag is None or "flag_masks" not in flag.attrs or flag.dtype.kind not in "iu":  # of a mean there are none
        return []
    masks = zip(str(flag.attrs["flag_meanings"]).split(), np.atleast_1d(flag.attrs["flag_masks"]), strict=True)
    shares = {meaning: float(((flag & mask) != 0).mean()) for meaning, mask in masks}
    return [
        (f"cells: {meaning.replace('_', ' ')}", f"{100 * share:.3g} %", f"Share that is {FLAGS.get(meaning, 'so')}.")
        for meaning, share in shares.items()
        if share
    ]
