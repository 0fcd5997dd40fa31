"""Wall time of the presets beside the published method, in one process on the same cores, and what they err.

Each round runs every contestant once, so that a busy minute of the machine hits all of them alike; the times are
medians over the rounds. A contestant may be measured on fewer members or iterations than the whole ensemble; then its
time is scaled, and the table says so. Writes speed.json and speed.md.

    python benchmarks/speed.py
    python benchmarks/speed.py --quick
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import xarray as xr
from cases import PAPER, Twin, code_hash, estimate, make_twin
from command import command_line, make_parser, output_folder
from fields import FIELDS, SYNTHETIC, Field, check_names, open_field, select
from records import machine
from tables import NOTHING, millimetres, show, table, write_page

from xr_dip import DipWarning
from xr_dip.fitting.ensemble import cores
from xr_dip.presets import PRESETS
from xr_dip.verification import rmse

FIELD, FACTOR = "gulf_stream_200907", 16
METHODS = ("kriging", "fast", "balanced", "accurate", PAPER)
MEMBERS, PAPER_MEMBERS, ROUNDS = 10, 2, 3
QUICK_ITERATIONS = 60
AIMS = ((4, "both with their members side by side"), (30, "against the loop of the published fits"))


@dataclass(frozen=True)
class Contestant:
    """A method as it is run: `loop` fits one member alone and counts it as many times as there are members."""

    method: str
    members: int
    iterations: int | None = None
    loop: bool = False

    @property
    def label(self) -> str:
        """Name in the table."""
        return f"{self.method}, one after the other" if self.loop else self.method

    def scale(self, members: int, factor: int) -> float:
        """Return how many times longer the whole ensemble takes than what is measured."""
        if self.method not in PRESETS:
            return 1.0
        whole = PRESETS[self.method]((factor, factor)).iterations
        share = 1.0 if self.iterations is None else whole / min(self.iterations, whole)
        if self.loop:
            return share * members
        return share * math.ceil(members / cores()) / math.ceil(self.members / cores())


@dataclass(frozen=True)
class Timing:
    """One line of the table: seconds as measured in each round, and of the whole ensemble."""

    method: str
    members: int | None
    iterations: int | None
    seconds: tuple[float, ...]
    whole: float
    rmse: float | None


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(
        __doc__, folder="performance", quick=f"one round, two members, {QUICK_ITERATIONS} iterations of the published"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}; 1 with --quick")
    parser.add_argument("--paper-members", type=int, default=PAPER_MEMBERS, help=f"default: {PAPER_MEMBERS}")
    parser.add_argument("--paper-iterations", type=int, help="default: all 1500")
    options = parser.parse_args(arguments)
    check_names(options.fields, (*FIELDS, SYNTHETIC))
    if options.quick:
        options.rounds, options.paper_iterations = 1, options.paper_iterations or QUICK_ITERATIONS
    options.members = options.members or (2 if options.quick else MEMBERS)
    return options


def contestants(options: argparse.Namespace) -> list[Contestant]:
    """Return what runs in each round; the published method also as a loop."""
    found = []
    for method in options.methods or METHODS:
        paper = method == PAPER
        members = options.paper_members if paper else options.members
        found.append(Contestant(method, members, options.paper_iterations if paper else None))
        if paper:
            found.append(Contestant(method, 1, options.paper_iterations, loop=True))
    return found


def run(contestant: Contestant, twin: Twin, factor: int, seed: int, device: str) -> tuple[float, xr.Dataset]:
    """Run a contestant once: seconds, and its estimate."""
    method, variant = contestant.method, {}
    if contestant.iterations is not None:
        preset = PRESETS[method]
        variant = {method: lambda of: replace(preset(of), iterations=contestant.iterations)}
    with patch.dict(PRESETS, variant), warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # one member has no spread, and few iterations do not converge
        start = time.perf_counter()
        result = estimate(twin, factor, method, members=contestant.members, seed=seed, device=device)
        return time.perf_counter() - start, result


def measure(field: Field, factor: int, options: argparse.Namespace, truth: xr.DataArray | None = None) -> list[Timing]:
    """Run all rounds and return one timing per contestant."""
    importlib.import_module("xr_dip.estimate")  # imports torch: no part of the time of a fit
    twin = make_twin(open_field(field) if truth is None else truth, factor)
    racing = contestants(options)
    seconds: dict[Contestant, list[float]] = {contestant: [] for contestant in racing}
    errors: dict[Contestant, float | None] = {}
    for _ in range(options.rounds):
        for contestant in racing:
            taken, result = run(contestant, twin, factor, options.seed, options.device)
            seconds[contestant].append(taken)
            mean = result[f"{twin.fine.name}_mean"]
            finished = contestant.iterations is None and not contestant.loop
            errors[contestant] = float(rmse(mean, twin.fine, dims=twin.dims)) if finished else None
            print(f"{field.name} x{factor} {contestant.label}: {taken:.2f} s", flush=True)
    return [_timing(contestant, seconds[contestant], errors[contestant], factor, options) for contestant in racing]


def _timing(
    contestant: Contestant, seconds: list[float], error: float | None, factor: int, options: argparse.Namespace
) -> Timing:
    fits = contestant.method in PRESETS
    whole = float(np.median(seconds)) * contestant.scale(options.members, factor)
    members = contestant.members if fits else None
    return Timing(contestant.label, members, contestant.iterations, tuple(seconds), whole, error)


def rows(timings: Sequence[Timing]) -> list[list[str]]:
    """Return the lines of the table; the ratios are those of the published fits, side by side and as a loop."""
    whole = {timing.method: timing.whole for timing in timings}
    side_by_side, loop = (whole.get(label, np.nan) for label in (PAPER, f"{PAPER}, one after the other"))
    return [
        [
            timing.method,
            NOTHING if timing.members is None else str(timing.members),
            "all" if timing.iterations is None else str(timing.iterations),
            " ".join(show(taken, 2) for taken in timing.seconds),
            show(timing.whole, 1),
            show(side_by_side / timing.whole, 1),
            show(loop / timing.whole, 1),
            NOTHING if timing.rmse is None else millimetres(timing.rmse),
        ]
        for timing in timings
    ]


def verdict(timings: Sequence[Timing]) -> str:
    """Say if the default preset keeps the promises about its speed."""
    by_label = {timing.method: timing for timing in timings}
    if "balanced" not in by_label or PAPER not in by_label:
        return ""
    ours, paper = by_label["balanced"], by_label[PAPER]
    found = (paper.whole / ours.whole, by_label[f"{PAPER}, one after the other"].whole / ours.whole)
    lines = [
        f"- balanced {ratio:.1f} times faster, {how}: aim {aim}, {'reached' if ratio >= aim else 'not reached'}"
        for ratio, (aim, how) in zip(found, AIMS, strict=True)
    ]
    if ours.rmse is not None and paper.rmse is not None:
        lines.append(f"- RMSE {millimetres(ours.rmse)} mm against {millimetres(paper.rmse)} mm")
    return "\n".join(lines)


def write(out: Path, found: dict[str, list[Timing]], options: argparse.Namespace) -> None:
    """Write the records and the page."""
    out.mkdir(parents=True, exist_ok=True)
    common = {"code": code_hash(), "machine": machine(options.device), "seed": options.seed}
    records = [{"case": case, **asdict(timing), **common} for case, timings in found.items() for timing in timings]
    (out / "speed.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    header = ["method", "members", "iterations", "measured s", f"s for {options.members} members"]
    header += ["faster than the published", "than their loop", "RMSE mm"]
    parts = [
        "Side by side: one fit per core. One after the other: the plain loop, one fit at a time on one thread. "
        "Measured on the members and iterations given (one number per round), the median scaled to all. The published "
        "method with fewer members errs a little more than with all; with fewer iterations its error is left out.",
    ]
    for case, timings in found.items():
        parts += [f"## {case}", table(header, rows(timings)), verdict(timings)]
    write_page(out / "speed.md", "Speed", parts, records, command_line("speed.py", options))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write."""
    options = parse(arguments)
    fields = select((*FIELDS, SYNTHETIC), options.fields or [FIELD])
    found = {}
    for field in fields:
        for factor in options.factors or (FACTOR,):
            height, width = (stop - start for start, stop in (field.rows, field.columns))
            name = f"{field.name} x{factor}, {height} x {width} cells"
            found[name] = measure(field, factor, options)
            write(output_folder(options), found, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
