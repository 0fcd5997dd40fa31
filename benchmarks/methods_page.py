"""The page that shows the records of methods.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cases import Record, number
from method_fits import ON_FINE_CELLS
from tables import BASELINE, NOTHING, geometric_mean, mean, millimetres, show, table, write_page

Key = tuple[str, str, str]
"""Generator, loss and constraint; of a baseline its name and two empty words."""
Situation = tuple[str, int, float]
SHOWN = ("none", "smooth", "optimal")
"""Constraints of the first table; the others differ little from `smooth`, see the table of constraints."""


def methods_page(path: Path, records: list[Record], command: str) -> None:
    """Write every comparison that the records allow."""
    clean = [record for record in records if not record["noise"] and record.get("kind") not in ON_FINE_CELLS]
    noisy = _compared([record for record in records if record["noise"]])
    parts = [
        "Twin experiments on windows of 256 x 256 cells of eNATL60: block means made fine again, against the field. "
        f"Scores are means over {_count(clean)} windows, {_members(records)} members each, over fewer where `fields` "
        "says so; **bold** is the best of a column, ties not counted. A spread of two members is a rough one.",
        "What is compared: every generator with every constraint, the mean square loss, on all windows; other losses "
        "and penalties on the first window; with noise what does not keep it. Generators that work on every fine cell "
        "take the longest and come last, on the first window alone.",
        "## RMSE over that of kriging",
        "Mean square loss. Below 1 is better than kriging, the bar. Rows of `optimal` that are alike are those "
        "whose fits earned no weight: what is left is kriging along fronts.",
        _overview(clean, SHOWN),
        "## Fits",
        "Processor seconds.",
        _fits(clean),
        *(_factor(clean, factor) for factor in sorted({int(number(record, "factor")) for record in clean})),
        _constraints(clean),
        _losses(clean),
        _on_fine_cells(records),
    ]
    if noisy:
        parts += [
            "## With noise",
            "White noise of 2 % of the standard deviation of the coarse values. The fits are told its size and stop "
            "at it, no constraint is enforced. `optimal`: kriging with that noise, and the fits in its null space. "
            "RMSE over that of kriging of the same values.",
            _overview(noisy, SHOWN),
        ]
    write_page(path, "Generators, losses and constraints", [part for part in parts if part], records, command)


def _on_fine_cells(records: Sequence[Record]) -> str:
    """Compare networks on fine cells with the same ones on knots, where both have a record."""
    slow = [record for record in records if record.get("kind") in ON_FINE_CELLS]
    if not slow:
        return ""
    situations = {_situation(record) for record in slow}
    shown = [
        record
        for record in records
        if _situation(record) in situations and ("kind" not in record or str(record["kind"]).startswith(ON_FINE_CELLS))
    ]
    return (
        "## On every fine cell\n\n"
        "`skip`, `decoder` and `knitwork` as they were published work on every fine cell, and take hours with the "
        "steps they were published with. Here they are narrower and have fewer steps, as given: the rows show what a "
        "minute or so of one core can do, not what the published networks can. RMSE over that of kriging, first "
        "window.\n\n" + _overview(shown, SHOWN) + "\n\n" + _fits(slow)
    )


def _compared(records: Sequence[Record]) -> list[Record]:
    """Leave out situations in which a generator that has a record elsewhere has none: means are over the same."""
    kinds = {str(record["kind"]) for record in records if "kind" in record}
    found = defaultdict(set)
    for record in records:
        found[_situation(record)].add(str(record.get("kind")))
    return [record for record in records if kinds and found[_situation(record)] >= kinds]


def _count(records: Sequence[Record]) -> int:
    return len({record["field"] for record in records})


def _members(records: Sequence[Record]) -> str:
    return " or ".join(sorted({str(record["fits"]) for record in records if "fits" in record}))


def _key(record: Record) -> Key:
    if "kind" not in record:
        return str(record["method"]), "", ""
    return str(record["kind"]), str(record["loss"]), str(record["constraint"])


def _situation(record: Record) -> Situation:
    return str(record["field"]), int(number(record, "factor")), number(record, "noise")


def _by_key(records: Sequence[Record]) -> dict[Key, dict[Situation, Record]]:
    """Group records, the baselines first, the others in the order of the list of methods."""
    groups: dict[Key, dict[Situation, Record]] = defaultdict(dict)
    for record in records:
        groups[_key(record)][_situation(record)] = record
    return dict(groups)


def _bold(rows: list[list[float]], formatted: list[list[str]], best: Sequence[str]) -> list[list[str]]:
    """Mark the best of each column: the "low", the "high" or the one nearest to "one"; none of others, nor of ties."""
    values = np.array(rows, dtype=np.float64)
    for column, kind in enumerate(best):
        finite = np.isfinite(values[:, column])
        if not kind or finite.sum() < 2:
            continue
        distance = {"low": 1, "high": -1}.get(kind, 0) * values[:, column]
        if kind == "one":
            distance = abs(np.log(values[:, column]))
        winner = int(np.nanargmin(np.where(finite, distance, np.nan)))
        best_text = formatted[winner][column]
        if [row[column] for row in formatted].count(best_text) == 1:
            formatted[winner][column] = f"**{best_text}**"
    return formatted


def _overview(records: Sequence[Record], constraints: Sequence[str]) -> str:
    groups = _by_key(records)
    factors = sorted({factor for group in groups.values() for _, factor, _ in group})
    bars = groups.get((BASELINE, "", ""), {})
    labels, rows = [], []
    for (kind, loss, constraint), group in groups.items():
        if loss not in ("", "mse") or constraint not in ("", *constraints):
            continue
        ratios = {
            situation: number(record, "rmse") / number(bars.get(situation, {}), "rmse")
            for situation, record in group.items()
        }
        labels.append([kind, constraint or NOTHING])
        rows.append([mean([ratio for (_, of, _), ratio in ratios.items() if of == factor]) for factor in factors])
    shown = _bold(rows, [[show(value, 3) for value in row] for row in rows], ["low"] * len(factors))
    header = ["generator or baseline", "constraint", *(f"x{factor}" for factor in factors)]
    return table(header, [[*label, *row] for label, row in zip(labels, shown, strict=True)])


def _fits(records: Sequence[Record]) -> str:
    rows = []
    for (kind, loss, constraint), group in _by_key(records).items():
        if loss != "mse" or constraint != "none":
            continue
        steps = sorted({int(number(record, "steps")) for record in group.values()})
        options = {str(record.get("generator_options")): record.get("generator_options") for record in group.values()}
        first: dict[str, object] = dict(next(iter(options.values())) or {})  # type: ignore[call-overload]
        width = ", ".join(f"{name} {first[name]}" for name in ("channels", "features", "layers") if name in first)
        seconds = [number(record, "seconds_per_member") for record in group.values()]
        misfits = [number(record, "misfit") for record in group.values()]
        rows.append(
            [
                kind,
                width or "as published",
                " to ".join(str(step) for step in dict.fromkeys((steps[0], steps[-1]))),
                show(mean(seconds), 1),
                millimetres(mean(misfits)),
                str(len(group)),
            ]
        )
    header = ["generator", "width", "steps", "s per member", "largest error of a block mean, mm", "fields"]
    return table(header, rows)


def _factor(records: Sequence[Record], factor: int) -> str:
    chosen = [record for record in records if number(record, "factor") == factor]
    names = ("rmse", "ssim", "gradient_rmse", "effective_resolution", "spread_skill", "seconds_per_member")
    labels, rows = [], []
    for (kind, loss, constraint), group in _by_key(chosen).items():
        scores = [mean([number(record, name) for record in group.values()]) for name in names]
        labels.append([kind, loss or NOTHING, constraint or NOTHING, str(len(group))])
        rows.append(scores)
    formatted = [
        [
            millimetres(rmse),
            show(ssim, 4),
            show(gradient, 3, 1e6),
            show(wavelength, 1, 1e-3),
            show(ratio, 2),
            show(seconds, 1),
        ]
        for rmse, ssim, gradient, wavelength, ratio, seconds in rows
    ]
    marked = _bold(rows, formatted, ["low", "high", "low", "low", "one", ""])
    header = ["generator or baseline", "loss", "constraint", "fields", "RMSE mm", "SSIM", "gradient RMSE mm/km"]
    header += ["λx km", "spread/skill", "s per member"]
    body = table(header, [[*label, *row] for label, row in zip(labels, marked, strict=True)])
    return f"## Factor {factor}\n\n{body}"


def _pairs(
    records: Sequence[Record], part: int, reference: str, name: str = "rmse"
) -> dict[str, dict[str, list[float]]]:
    """Return ratios of a score to that with the reference part, all else equal: part, then generator."""
    known = {(_situation(record), *_key(record)): record for record in records if "kind" in record}
    ratios: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (situation, *key), record in known.items():
        other = list(key)
        other[part] = reference
        bar = known.get((situation, *other))
        if bar is not None and key[part] != reference:
            ratios[key[part]][key[0]].append(number(record, name) / number(bar, name))
    return ratios


def _constraints(records: Sequence[Record]) -> str:
    mse = [record for record in records if record.get("loss") == "mse"]
    ratios = _pairs(mse, 2, "none")
    kinds = list(dict.fromkeys(kind for by_kind in ratios.values() for kind in by_kind))
    rows = []
    for constraint, by_kind in ratios.items():
        worst = [number(record, "conservation_error") for record in mse if record["constraint"] == constraint]
        cells = [show(geometric_mean(by_kind.get(kind, [np.nan])), 3) for kind in kinds]
        rows.append([constraint, *cells, f"{max(worst):.0e}"])
    if not rows:
        return ""
    return (
        "## Constraints\n\nRMSE over that of the same fits without a constraint, geometric mean over fields and "
        "factors; and the largest error of a block mean afterwards, metres.\n\n"
        + table(["constraint", *kinds, "largest error m"], rows)
    )


def _losses(records: Sequence[Record]) -> str:
    parts = []
    for constraint in ("none", "optimal"):
        chosen = [record for record in records if record.get("constraint") == constraint]
        ratios = _pairs(chosen, 1, "mse")
        kinds = list(dict.fromkeys(kind for by_kind in ratios.values() for kind in by_kind))
        rows = [
            [loss, *(show(geometric_mean(by_kind.get(kind, [np.nan])), 3) for kind in kinds)]
            for loss, by_kind in ratios.items()
        ]
        if rows:
            parts.append(f"Constraint `{constraint}`:\n\n" + table(["loss", *kinds], rows))
    if not parts:
        return ""
    lead = "## Losses\n\nRMSE over that of the mean square loss, all else equal, geometric mean over factors."
    return "\n\n".join([lead, *parts])
