"""Scores of every method on every public field: twin experiments over sea, at coasts, and with noise.

Each truth is made coarse, made fine again by each method, and compared with itself. Writes accuracy.json (one record
per case; a broken run goes on where it ended), the tables accuracy.md, coast.md, noise.md and prediction.md, and one
picture per field.

    python benchmarks/accuracy.py --jobs 2
    python benchmarks/accuracy.py --quick
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from accuracy_pages import coast_page, main_page, noise_page, prediction_page
from cases import CONSERVATIVE_BICUBIC, PAPER, Case
from command import add_jobs, command_line, make_parser, output_folder, without_filters
from fields import COASTS, FIELDS, SYNTHETIC, Field, check_names, fits, select
from records import Job, Store, run_jobs

FACTORS = (4, 8, 16, 32)
METHODS = ("bicubic", "conservative_spline", "kriging", PAPER, "fast", "balanced", "accurate")
MEMBERS = 10
PAPER_MEMBERS = 3
"""The published fits take a minute each; three show their error well enough."""

COAST_METHODS = ("bicubic", CONSERVATIVE_BICUBIC, "kriging", "balanced")
NOISES = (0.0, 0.01, 0.02, 0.05)
NOISE_METHODS = ("bicubic", "kriging", PAPER, "balanced")
NOISE_FIELDS, NOISE_FACTOR = ("gulf_stream_200907", "balearic_sea"), 16

QUICK_FIELDS, QUICK_FACTORS, QUICK_MEMBERS = ("gulf_stream_200907", "balearic_sea"), (8, 16), 2
QUICK_METHODS = ("bicubic", "conservative_spline", "kriging", "fast", "balanced")
PARTS = ("main", "coast", "noise")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(
        __doc__, folder="accuracy", quick="two fields, two members, without the published fits: under three minutes"
    )
    add_jobs(parser)
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="default: all; main with --quick")
    parser.add_argument("--paper-members", type=int, default=PAPER_MEMBERS, help=f"default: {PAPER_MEMBERS}")
    options = parser.parse_args(arguments)
    check_names(options.fields, (*FIELDS, *COASTS, SYNTHETIC))
    options.parts = options.parts or (["main"] if options.quick else list(PARTS))
    options.members = options.members or (QUICK_MEMBERS if options.quick else MEMBERS)
    return options


def make_cases(options: argparse.Namespace) -> dict[str, list[Case]]:
    """Return the cases of each part that the options ask for."""
    makers = {"main": _main_cases, "coast": _coast_cases, "noise": _noise_cases}
    return {part: makers[part](options) for part in PARTS if part in options.parts}


def _main_cases(options: argparse.Namespace) -> list[Case]:
    names = options.fields or (QUICK_FIELDS if options.quick else None)
    fields = select((*FIELDS, SYNTHETIC) if names else FIELDS, names)
    factors = options.factors or (QUICK_FACTORS if options.quick else FACTORS)
    methods = options.methods or (QUICK_METHODS if options.quick else METHODS)
    return _product(fields, factors, methods, (0.0,), options)


def _coast_cases(options: argparse.Namespace) -> list[Case]:
    factors = options.factors or sorted({factor for field in COASTS for factor in field.factors})
    return _product(select(COASTS, options.fields), factors, options.methods or COAST_METHODS, (0.0,), options)


def _noise_cases(options: argparse.Namespace) -> list[Case]:
    fields = [field for field in select(FIELDS, options.fields) if field.name in NOISE_FIELDS]
    return _product(fields, options.factors or (NOISE_FACTOR,), options.methods or NOISE_METHODS, NOISES, options)


def _product(
    fields: Sequence[Field],
    factors: Sequence[int],
    methods: Sequence[str],
    noises: Sequence[float],
    options: argparse.Namespace,
) -> list[Case]:
    return [
        Case(field, factor, method, options.paper_members if method == PAPER else options.members, noise, options.seed)
        for field in fields
        for factor in factors
        if fits(field, factor)
        for noise in noises
        for method in methods
    ]


def pictures(cases: Sequence[Case], out: Path) -> dict[Case, Path]:
    """Return the file of the picture of each case that gets one: the default preset, once per field."""
    return {
        case: out / f"{case.field.name}_x{case.factor}.png"
        for case in cases
        if case.method == "balanced" and case.factor == case.field.pictured and not case.noise
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then write tables and pictures."""
    options = parse(arguments)
    out, parts = output_folder(options), make_cases(options)
    cases = list(dict.fromkeys(case for part in parts.values() for case in part))
    shown = pictures(cases, out)
    store = Store(out / "accuracy.json", options.fresh)
    failures = run_jobs([Job(case, options.device, shown.get(case)) for case in cases], store, options.jobs)
    write(out, store, options)
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


def write(out: Path, store: Store, options: argparse.Namespace) -> None:
    """Write the pages: of all cases that have a record, also from earlier runs of other fields or methods."""
    whole = without_filters(options)
    whole.parts = PARTS
    asked, known = make_cases(options), make_cases(whole)
    cases = {part: list(dict.fromkeys([*known[part], *asked.get(part, [])])) for part in PARTS}
    records = {part: store.of(cases[part]) for part in PARTS}
    command = command_line("accuracy.py", options)
    if records["main"]:
        main_page(out / "accuracy.md", records["main"], list(pictures(cases["main"], out).values()), command)
    if records["coast"]:
        coast_page(out / "coast.md", records["coast"], list(pictures(cases["coast"], out).values()), command)
    if records["noise"]:
        noise_page(out / "noise.md", records["noise"], command)
    if records["main"] or records["coast"]:
        prediction_page(out / "prediction.md", [*records["main"], *records["coast"]], command)


if __name__ == "__main__":
    sys.exit(main())
