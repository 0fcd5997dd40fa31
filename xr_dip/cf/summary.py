"""What the attributes of a result say, ready to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
import xarray as xr

from xr_dip.cf.provenance import read_cost
from xr_dip.constraints import NOT_ENFORCED
from xr_dip.interpolation import CHANGE_BLOCK_MEANS

PREFIX = "xr_dip_"
CONFIGURATION = "xr_dip_configuration"
HEADLINES = {
    "predicted_rmse": ("predicted error", "root mean square of the standard error"),
    "predicted_skill": ("predicted gain", "share of the error of bicubic interpolation"),
    "largest_conservation_error": ("conservation", "largest error of a coarse value"),
    "blend_weight": ("part of the fits", "beside kriging"),
    "seam_ratio": ("seams of tiles", "1 if they do not show"),
}
"""Totals that say most, in this order: what each is called and what it is."""
OF_ERRORS = re.compile(
    r"(?P<of>.*?)(?P<kind>largest|mean_absolute|area_mean)_(?P<errors>conservation_error|fit_residual)"
)
IN_UNITS_OF_THE_FIELD = ("predicted_rmse", "conservation_error", "fit_residual")
# Colours of the notebook's own theme, light or dark, show through.
CARD = "border:1px solid rgba(128,128,128,.35);border-radius:.4em;padding:.4em .8em"
GRID = "display:flex;flex-wrap:wrap;gap:.6em;margin:.5em 0"
SOFT = "opacity:.75;font-size:.85em"


@dataclass(frozen=True)
class Summary:
    """Configuration and scalar totals of a downscaling; a notebook shows it as a card.

    Attributes
    ----------
    title : str
    configuration : mapping
        Every option of the run.
    totals : mapping of str to float
        Scalar diagnostics, of a result that was in memory when it was made.
    made : mapping of str to str
        With what it was made, at what time, in how many seconds and on which device, as far as the attributes say so.
        A lazy result was not computed when they were written: it has no seconds.
    units : str or mapping
        Of the field; of several in different units by name. Empty where they are unknown.

    Examples
    --------
    >>> Summary("ssh", {"seed": 0}, {"predicted_rmse": 0.0123}, units="m").totals["predicted_rmse"]
    0.0123
    """

    title: str
    configuration: Mapping[str, object] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    units: str | Mapping[str, str] = ""

    @property
    def remark(self) -> str:
        """What nobody should overlook: that the coarse values are not kept, and why; empty where they are."""
        why = why_not_enforced(self.configuration)
        what = "block means" if self.configuration.get("operator", "block_mean") == "block_mean" else "coarse values"
        return f"{what} not enforced: {why}" if why else ""

    def __repr__(self) -> str:
        """Aligned text, one line per entry."""
        width = max((len(key) for _, rows in self._sections() for key, _ in rows), default=0)
        lines = [self.title, self.remark] if self.remark else [self.title]
        for heading, rows in self._sections():
            lines += [heading, *(f"  {key:<{width}}  {value}" for key, value in rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Card for notebooks: the numbers that say most, then all, folded."""
        about = " · ".join(escape(self.made[key]) for key in ("with", "at") if key in self.made)
        cards = "".join(
            f"<div style='{CARD}'><div style='{SOFT}'>{escape(label)}</div><b>{escape(value)}</b>"
            f"<div style='{SOFT}'>{escape(remark)}</div></div>"
            for label, value, remark in self._headline()
        )
        folded = "".join(_folded(heading, rows) for heading, rows in self._sections() if rows and heading != "made")
        remark = f"<div>{escape(self.remark)}</div>" if self.remark else ""
        return (
            f"<div><b>{escape(self.title)}</b>{remark}<div style='{SOFT}'>{about}</div>"
            f"<div style='{GRID}'>{cards}</div>{folded}</div>"
        )

    def _headline(self) -> list[tuple[str, str, str]]:
        """Label, value and remark of the totals that say most; of several variables with their names."""
        totals = [
            (f"{label} {key.removesuffix(ending).rstrip('_')}".rstrip(), self._value(key), remark)
            for ending, (label, remark) in HEADLINES.items()
            for key in self.totals
            if key.endswith(ending)
        ]
        return totals + [("time", self.made[key], f"on {self.made['device']}") for key in ("time",) if key in self.made]

    def _value(self, key: str) -> str:
        units = self._units_of(key) if key.endswith(IN_UNITS_OF_THE_FIELD) else ""
        return f"{self.totals[key]:.4g} {units}".strip()

    def _units_of(self, key: str) -> str:
        if isinstance(self.units, str):
            return self.units
        name = max((name for name in self.units if key.startswith(f"{name}_")), key=len, default=None)
        return "" if name is None else self.units[name]

    def _sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        options = [
            (key, value if isinstance(value, str) else json.dumps(value)) for key, value in self.configuration.items()
        ]
        made = [("made", list(self.made.items()))] if self.made else []
        return [*made, ("configuration", options), ("totals", [(key, self._value(key)) for key in self.totals])]


def why_not_enforced(configuration: Mapping[str, object]) -> str:
    """Return what of a configuration leaves the coarse values as they come.

    Parameters
    ----------
    configuration : mapping
        Of a result.

    Returns
    -------
    str
        Empty where they are enforced.

    Examples
    --------
    >>> why_not_enforced({"constraint": "optimal", "noise_std": 0.02}), why_not_enforced({"constraint": "optimal"})
    ('noise_std', '')
    """
    # those of several variables that differ are kept by name
    for one in (configuration, *(part for part in configuration.values() if isinstance(part, Mapping))):
        if one.get("constraint") in NOT_ENFORCED:
            return f'constraint "{one["constraint"]}"'
        if one.get("noise_std") is not None:
            return "noise_std"
        if one.get("method") in CHANGE_BLOCK_MEANS:
            return f'method "{one["method"]}"'
    return ""


def _folded(heading: str, rows: list[tuple[str, str]]) -> str:
    """Write a table that opens on a click."""
    cells = "".join(
        f"<tr><td style='text-align:left'>{escape(key)}</td><td style='text-align:left'>{escape(value)}</td></tr>"
        for key, value in rows
    )
    return f"<details><summary>{escape(heading)} ({len(rows)})</summary><table>{cells}</table></details>"


def summarize(result: xr.Dataset) -> Summary:
    """Read the configuration of a result from its attributes, and its totals.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` returns it, or as read back from a file. Totals are those of the times that it has: of
        one that is part of a series, or joined of several, the attributes tell those of others.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        If the Dataset is no result of xr_dip.

    Examples
    --------
    >>> summarize(xr.Dataset(attrs={"xr_dip_configuration": '{"seed": 0}', "xr_dip_predicted_rmse": 0.0123}))
    xr_dip result
    configuration
      seed            0
    totals
      predicted_rmse  0.0123
    """
    configuration = configuration_in(result)
    attrs = {str(key): value for key, value in result.attrs.items()}
    told = {
        key.removeprefix(PREFIX): float(value)
        for key, value in attrs.items()
        if key.startswith(PREFIX) and not isinstance(value, str)
    }
    small = _in_memory(result, told)
    found = {key: _total(small, key, told) for key in told}
    totals = {key: value for key, value in found.items() if not np.isnan(value)}
    title = str(attrs.get("title", "xr_dip result"))
    made = _made(attrs) | _cost(result)
    return Summary(title, configuration, totals, made, _units(result))


def configuration_in(result: xr.Dataset) -> dict[str, object]:
    """Read every option that a result was made with.

    Parameters
    ----------
    result : Dataset

    Returns
    -------
    dict
        Of several variables by name, where they differ.

    Raises
    ------
    ValueError
        If the Dataset is no result of xr_dip.

    Examples
    --------
    >>> configuration_in(xr.Dataset(attrs={"xr_dip_configuration": '{"seed": 0}'}))
    {'seed': 0}
    """
    if CONFIGURATION not in result.attrs:
        raise ValueError(
            f"Invalid Dataset with the attributes {sorted(map(str, result.attrs))}. It must be a result of xr_dip, "
            f"with the attribute '{CONFIGURATION}'."
        )
    return dict(json.loads(result.attrs[CONFIGURATION]))


def _in_memory(result: xr.Dataset, told: Mapping[str, float]) -> xr.Dataset:
    """Load what totals are of, in one go; everything else stays as it is."""
    parts = {name for key in told if (name := _part_of_total(result, key)[1]) is not None}
    return result.assign(result[sorted(parts)].compute()) if parts else result


def _part_of_total(result: xr.Dataset, key: str) -> tuple[str, str | None]:
    """Split the name of a total into how it sums up and the variable that it is of, None where that is not there."""
    match = OF_ERRORS.fullmatch(key)
    kind, variable = ("mean", key) if match is None else (match["kind"], match["of"] + match["errors"])
    # The name of the field is in front of a variable only where several have one of its kind.
    fields = [str(name).removesuffix("_mean") for name in result.data_vars if str(name).endswith("_mean")]
    names = [variable, *(variable.removeprefix(f"{field}_") for field in fields)]
    return kind, next((name for name in names if name in result.data_vars), None)


def _total(result: xr.Dataset, key: str, told: Mapping[str, float]) -> float:
    """Total of the times of a result; as it was told where the variable is not there, NaN where it is not known."""
    kind, name = _part_of_total(result, key)
    if name is None:
        return told[key]
    part = result[name]
    if not part.size:
        return np.nan
    if kind == "mean":
        return float(part.mean())
    if kind == "largest":
        return float(abs(part).max())
    absolute = float(abs(part).mean())
    if kind == "mean_absolute":
        return absolute
    # That over the area needs areas: it is what it was if the errors are.
    same = np.isclose(absolute, told.get(key.replace(kind, "mean_absolute"), np.nan), rtol=1e-3, atol=0.0)
    return told[key] if same else np.nan


def _made(attrs: Mapping[str, object]) -> dict[str, str]:
    """With what, and when: the time stamp before the first line of the history."""
    created = str(attrs.get("history", "")).partition(" ")[0]
    facts = {"with": str(attrs.get("source", "")), "at": created if created.endswith("Z") else ""}
    return {key: text for key, text in facts.items() if text}


def _cost(result: xr.Dataset) -> dict[str, str]:
    """Seconds and device by the newest line of the history about each variable, the seconds of several added."""
    names = [str(key).removesuffix("_mean") for key in result.data_vars if str(key).endswith("_mean")]
    history = str(result.attrs.get("history", "")).splitlines()
    newest = [next((line for line in history if f", {name}, factor=" in line), "") for name in names]
    costs = [cost for cost in map(read_cost, newest) if cost]
    if not costs:
        return {}
    devices = dict.fromkeys(device for _, device in costs)
    return {"time": f"{sum(seconds for seconds, _ in costs):.1f} s", "device": ", ".join(devices)}


def _units(result: xr.Dataset) -> str | dict[str, str]:
    """Units of the estimates, by name where they differ."""
    parts = {
        str(key).removesuffix("_mean"): part for key, part in result.data_vars.items() if str(key).endswith("_mean")
    }
    units = {name: str(part.attrs.get("units", "")) for name, part in parts.items()}
    return next(iter(units.values()), "") if len(set(units.values())) <= 1 else units
