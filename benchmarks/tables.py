"""Markdown tables, and the words above and below them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cases import Record, code_hash, number

import xr_dip

NOTHING = "–"
BASELINE = "kriging"

CENTRED = (
    "Where members are centred on their mean, their fair CRPS comes out too small, by about 5 % for ten Gaussian ones: "
    "the Gaussian CRPS compares like with like."
)


def show(value: float, digits: int, scale: float = 1.0) -> str:
    """Format a number with fixed digits; a dash for NaN."""
    return f"{scale * value:.{digits}f}" if np.isfinite(value) else NOTHING


def significant(value: float, digits: int = 3) -> str:
    """Format a number with so many significant digits, never with an exponent; a dash for NaN."""
    if not np.isfinite(value):
        return NOTHING
    text = np.format_float_positional(value, precision=digits, unique=False, fractional=False, trim="k")
    return text.rstrip(".")


def millimetres(value: float) -> str:
    """Format metres as millimetres of three digits."""
    return f"{1000.0 * value:#.3g}".rstrip(".") if np.isfinite(value) else NOTHING


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right of the first column."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_page(path: Path, title: str, parts: Iterable[str], records: Sequence[Record], command: str) -> None:
    """Write a page: title, parts, and how it was made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join([f"# {title}", *filter(None, parts), provenance(records, command)])
    path.write_text(text + "\n", encoding="utf-8")
    print(f"wrote {path}")


def provenance(records: Sequence[Record], command: str) -> str:
    """Say what made the records: version, machines, members, and how many the code has changed since."""
    machines = sorted({str(record["machine"]) for record in records if "machine" in record})
    members = sorted({(str(record["method"]), str(record["members"])) for record in records if record.get("members")})
    present = code_hash()
    older = [str(record.get("code")) for record in records if record.get("code") != present]
    lines = [f"Written by `{command}`, xr_dip {xr_dip.__version__}, {len(records)} records."]
    if members:
        lines.append("Members: " + ", ".join(f"{method} {count}" for method, count in members) + ".")
    if machines:
        lines.append("Machine: " + "; ".join(machines) + ".")
    if older:
        count = len(set(older))
        states = f"{count} earlier states of the code" if count > 1 else "an earlier state of the code"
        lines.append(f"{len(older)} of the records are of {states}.")
    return " ".join(lines)


def by_situation(records: Iterable[Record]) -> dict[tuple[str, int, float], dict[str, Record]]:
    """Group records that differ by their method only: (field, factor, noise) to method to record."""
    groups: dict[tuple[str, int, float], dict[str, Record]] = defaultdict(dict)
    for record in records:
        situation = (str(record["field"]), int(number(record, "factor")), number(record, "noise"))
        groups[situation][str(record["method"])] = record
    return dict(groups)


def ratio(methods: dict[str, Record], method: str, baseline: str = BASELINE, name: str = "rmse") -> float:
    """Score of a method over that of the baseline; NaN where one is missing."""
    if method not in methods or baseline not in methods:
        return np.nan
    return number(methods[method], name) / number(methods[baseline], name)


def mean(values: npt.ArrayLike) -> float:
    """Mean of the finite values, NaN without any."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    return float(finite.mean()) if finite.size else np.nan


def geometric_mean(values: npt.ArrayLike) -> float:
    """Geometric mean of the finite values, NaN without any."""
    return float(np.exp(mean(np.log(np.asarray(values, dtype=np.float64)))))
