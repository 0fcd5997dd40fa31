"""How a preset does where nobody tuned it: many windows of all samples, small and elongated ones too.

For each window the preset and kriging make the same coarse field fine. Writes robustness.json, robustness.md with the
distribution of the ratios by factor and by number of cells, and a histogram.

    python benchmarks/robustness.py --jobs 2
    python benchmarks/robustness.py --quick
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases import Case, Record, number
from command import add_jobs, command_line, make_parser, output_folder, without_filters
from fields import check_names, select
from pictures import draw_histograms
from records import Job, Store, run_jobs
from tables import BASELINE, CENTRED, by_situation, geometric_mean, mean, millimetres, ratio, show, table, write_page
from windows import SWEEP

METHODS = (BASELINE, "balanced")
MEMBERS = 10
QUICK_WINDOWS, QUICK_MEMBERS = 6, 2

FACTOR_CLASSES = {"x3 to x4": (3, 4), "x5 to x6": (5, 6), "x8 to x12": (8, 12), "x16": (16, 16), "x32": (32, 32)}
CELL_CLASSES = {"up to 63 cells": (0, 63), "64 to 200 cells": (64, 200), "more than 200 cells": (201, 10**9)}
CALIBRATED = (0.8, 1.25)


@dataclass(frozen=True)
class Comparison:
    """One window: a preset against kriging."""

    name: str
    factor: int
    cells: int
    ratio: float
    spread_skill: float
    correlation: float
    coverage: float
    crps: float
    fair_crps: float
    kriging_crps: float
    blend_weight: float
    predicted: float
    rmse: float


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(
        __doc__, folder="accuracy", quick=f"the {QUICK_WINDOWS} windows of fewest cells, {QUICK_MEMBERS} members"
    )
    add_jobs(parser)
    options = parser.parse_args(arguments)
    check_names(options.fields, SWEEP)
    options.members = options.members or (QUICK_MEMBERS if options.quick else MEMBERS)
    return options


def make_cases(options: argparse.Namespace) -> list[Case]:
    """Return the cases that the options ask for; kriging always, as the ratios need it."""
    windows = [
        field for field in select(SWEEP, options.fields) if not options.factors or field.factors[0] in options.factors
    ]
    if options.quick:
        windows = sorted(windows, key=lambda field: field.rows[1] - field.rows[0])[:QUICK_WINDOWS]
    methods = dict.fromkeys([BASELINE, *(options.methods or METHODS)])
    return [
        Case(window, window.factors[0], method, options.members, seed=options.seed)
        for window in windows
        for method in methods
    ]


def compare(records: Sequence[Record], preset: str) -> list[Comparison]:
    """Return what the records say of a preset, for the windows that have both."""
    return [
        Comparison(
            name,
            factor,
            int(number(group[preset], "coarse_cells")),
            ratio(group, preset),
            number(group[preset], "spread_skill"),
            number(group[preset], "correlation"),
            number(group[preset], "coverage"),
            number(group[preset], "crps_gaussian"),
            number(group[preset], "crps"),
            number(group[BASELINE], "crps_gaussian"),
            number(group[preset], "blend_weight"),
            number(group[preset], "predicted_rmse"),
            number(group[preset], "rmse"),
        )
        for (name, factor, _), group in by_situation(records).items()
        if {preset, BASELINE} <= set(group)
    ]


def values(windows: Sequence[Comparison], name: str) -> np.ndarray:
    """Return one number of all windows."""
    return np.array([getattr(window, name) for window in windows], dtype=np.float64)


def calibrated_share(windows: Sequence[Comparison]) -> float:
    """Share of the windows whose spread/skill is between 0.8 and 1.25; NaN without any."""
    low, high = CALIBRATED
    found = values(windows, "spread_skill")
    return mean((found >= low) & (found <= high))


def crps_ratio(windows: Sequence[Comparison], name: str = "crps") -> float:
    """Geometric mean of the CRPS of a preset over that of kriging, both Gaussian unless `name` says otherwise."""
    found = values(windows, name) / values(windows, "kriging_crps")
    return geometric_mean(found[found > 0])


def targets(windows: Sequence[Comparison]) -> list[tuple[str, str, bool]]:
    """Return what was promised of the sweep, what was found, and if the promise is kept."""
    many = [window for window in windows if window.cells > 200]
    few = [window for window in windows if window.cells <= 200]
    ratios = values(windows, "ratio")
    share, worst = mean(ratios > 1.01), float(ratios.max())
    spread = geometric_mean(values(windows, "spread_skill"))
    correlation, coverage = (mean(values(windows, name)) for name in ("correlation", "coverage"))
    many_share, few_share = calibrated_share(many), calibrated_share(few)
    crps, fair_crps = crps_ratio(windows), crps_ratio(windows, "fair_crps")
    return [
        ("at least 40 windows", str(len(windows)), len(windows) >= 40),
        ("mean ratio at most 0.96", show(mean(ratios), 3), mean(ratios) <= 0.96),
        ("at most 5 % above 1.01", f"{share:.1%}", share <= 0.05),
        ("none above 1.05", show(worst, 3), worst <= 1.05),
        ("geometric mean of spread/skill 0.9 to 1.1", show(spread, 2), 0.9 <= spread <= 1.1),
        ("spread/skill 0.8 to 1.25 for 9 of 10 above 200 cells", show(many_share, 2), many_share >= 0.9),
        ("the same for 7 of 10 with fewer", show(few_share, 2), few_share >= 0.7),
        ("mean correlation of std and absolute error at least 0.35", show(correlation, 2), correlation >= 0.35),
        ("90 % intervals cover 0.85 to 0.95", show(coverage, 2), 0.85 <= coverage <= 0.95),
        ("Gaussian CRPS below that of kriging", show(crps, 3), crps < 1),
        ("fair CRPS of the members below that of kriging", show(fair_crps, 3), fair_crps < 1),
    ]


def summary_row(name: str, windows: Sequence[Comparison]) -> list[str]:
    """Return one line of the distribution."""
    ratios, spread = values(windows, "ratio"), values(windows, "spread_skill")
    return [
        name,
        str(len(windows)),
        show(mean(ratios), 3),
        show(float(ratios.max()), 3),
        str(int((ratios > 1.01).sum())),
        f"{show(geometric_mean(spread), 2)} ({show(float(spread.min()), 2)} to {show(float(spread.max()), 2)})",
        show(calibrated_share(windows), 2),
        show(mean(values(windows, "correlation")), 2),
        show(mean(values(windows, "coverage")), 2),
        show(crps_ratio(windows), 3),
    ]


def classes(windows: Sequence[Comparison]) -> str:
    """Return the table of the distribution by factor and by number of cells."""
    groups = {"all": list(windows)}
    for attribute, bounds in (("factor", FACTOR_CLASSES), ("cells", CELL_CLASSES)):
        for name, (low, high) in bounds.items():
            groups[name] = [window for window in windows if low <= getattr(window, attribute) <= high]
    header = ["windows", "number", "mean ratio", "worst", "above 1.01", "spread/skill", "calibrated"]
    header += ["corr", "90 %", "CRPS ratio"]
    return table(header, [summary_row(name, group) for name, group in groups.items() if group])


def each(windows: Sequence[Comparison]) -> str:
    """Return the table of all windows, the worst first."""
    header = ["window", "cells", "ratio", "spread/skill", "corr", "90 %", "CRPS", "fair CRPS"]
    header += ["CRPS of kriging", "weight", "RMSE mm"]
    rows = [
        [
            window.name,
            str(window.cells),
            show(window.ratio, 3),
            *(show(found, 2) for found in (window.spread_skill, window.correlation, window.coverage)),
            *(millimetres(found) for found in (window.crps, window.fair_crps, window.kriging_crps)),
            show(window.blend_weight, 2),
            f"{millimetres(window.rmse)} ({millimetres(window.predicted)} predicted)",
        ]
        for window in sorted(windows, key=lambda window: -window.ratio)
    ]
    return table(header, rows)


def write(out: Path, records: list[Record], presets: Sequence[str], command: str) -> None:
    """Write the page and the histograms of each preset."""
    parts = [
        "Windows of all samples, their sizes and factors fixed first and their places drawn by chance: see "
        "`benchmarks/windows.py`. Ratio: RMSE over that of maximum-likelihood block kriging. Spread/skill, correlation "
        "and coverage are those of the predicted standard error; calibrated: the share with spread/skill 0.8 to 1.25. "
        "CRPS in mm, Gaussian unless said otherwise. " + CENTRED,
    ]
    for preset in presets:
        windows = compare(records, preset)
        if not windows:
            continue
        picture = out / f"robustness_{preset}.png"
        draw_histograms(_panels(windows), picture)
        kept: Callable[[bool], str] = {True: "yes", False: "no"}.__getitem__
        rows = [[aim, found, kept(bool(good))] for aim, found, good in targets(windows)]
        parts += [f"## {preset}", table(["aim", "found", "reached"], rows), classes(windows)]
        parts += [f"![distribution]({picture.name})", each(windows)]
    write_page(out / "robustness.md", "Robustness", parts, records, command)


def _panels(windows: Sequence[Comparison]) -> list:
    return [
        ("RMSE / RMSE of kriging", values(windows, "ratio"), np.arange(0.7, 1.125, 0.025), 1.0),
        ("spread / skill", values(windows, "spread_skill"), np.arange(0.4, 2.05, 0.1), 1.0),
        ("coverage of the 90 % interval", values(windows, "coverage"), np.arange(0.5, 1.025, 0.025), 0.9),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then write the page."""
    options = parse(arguments)
    out, cases = output_folder(options), make_cases(options)
    store = Store(out / "robustness.json", options.fresh)
    failures = run_jobs([Job(case, options.device) for case in cases], store, options.jobs)
    shown = list(dict.fromkeys([*make_cases(without_filters(options)), *cases]))
    presets = list(dict.fromkeys(case.method for case in shown if case.fits))
    write(out, store.of(shown), presets, command_line("robustness.py", options))
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
