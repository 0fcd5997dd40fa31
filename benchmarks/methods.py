"""Generators, losses and constraints in one table, on the three public windows of the Gulf Stream.

Each generator is fitted with each loss, and every constraint is tried on the same fits. Writes methods.json (a record
for each constraint; a broken run goes on where it ended) and the page methods.md.

    python benchmarks/methods.py --jobs 2
    python benchmarks/methods.py --jobs 2 --fields gulf_stream_200907 --kinds bandlimited dcgan
    python benchmarks/methods.py --quick
    python benchmarks/methods.py --fresh --fits ~/fits    # after a change of the constraints: fits from the last run
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cases import Case, Record
from command import add_jobs, command_line, make_parser, output_folder
from fields import FIELDS, SYNTHETIC, check_names, select
from method_fits import KINDS, ON_FINE_CELLS, Ensemble, EnsembleJob
from methods_page import methods_page
from records import Job, Store, run_jobs

FACTORS = (4, 8, 16, 32)
WINDOWS = "gulf_stream"
BASELINES = ("bicubic", "conservative_spline", "kriging")
NOISES = (0.0, 0.02)
MEMBERS = 2
"""The fewest that have a spread: most networks take a minute for each."""

LOSSES: tuple[tuple[str, dict[str, float]], ...] = (
    ("charbonnier", {}),
    ("l1", {}),
    ("huber", {}),
    ("mse", {"total_variation": 1e-3}),
    ("mse", {"gradient": 1e-3}),
    ("l1", {"coarse_misfit": 16.0}),
)
"""Losses and penalties that are compared with the mean square: of all generators the first, of two all."""
WITH_ALL_LOSSES = ("bandlimited", "dcgan")
LOSS_FIELDS = ("gulf_stream_200907",)
"""Windows on which they are compared."""

QUICK_KINDS, QUICK_FACTORS = ("bandlimited", "bandlimited, not whitened"), (8,)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__, folder="methods", quick="one window, one factor, generators of splines only")
    add_jobs(parser)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--noises", nargs="+", type=float, metavar="SHARE", help="default: 0 and 0.02")
    parser.add_argument("--without-losses", action="store_true", help="fit the mean square only")
    parser.add_argument("--fits", type=Path, metavar="FOLDER", help="keep fits there, and take those that are there")
    options = parser.parse_args(arguments)
    check_names(options.fields, (*FIELDS, SYNTHETIC))
    options.members = options.members or MEMBERS
    return options


def make_jobs(options: argparse.Namespace) -> tuple[list[Case], list[Ensemble]]:
    """Return the baselines and the ensembles that the options ask for, in the order in which they are run."""
    names = options.fields or [LOSS_FIELDS[0] if options.quick else WINDOWS]
    fields = select((*FIELDS, SYNTHETIC), names)
    factors = options.factors or (QUICK_FACTORS if options.quick else FACTORS)
    kinds = options.kinds or (QUICK_KINDS if options.quick else tuple(KINDS))
    noises = options.noises or (NOISES[:1] if options.quick else NOISES)
    situations = [(noise, field, factor) for noise in noises for field in fields for factor in factors]
    cases = [
        Case(field, factor, method, options.members, noise, options.seed)
        for noise, field, factor in situations
        for method in BASELINES
    ]
    ensembles = [
        Ensemble(field, factor, kind, loss, penalties, noise, options.members, options.seed)
        for noise, field, factor in situations
        for kind in kinds
        if kind not in ON_FINE_CELLS or _is_first(field.name, noise)
        for loss, penalties in [("mse", {}), *_losses(kind, field.name, noise, options)]
    ]
    # the rows of the first tables before the losses and penalties, which take as long again
    return cases, sorted(ensembles, key=lambda ensemble: ensemble.label != "mse")


def _is_first(field: str, noise: float) -> bool:
    """Tell whether what takes long is tried here."""
    return not noise and field in (*LOSS_FIELDS, SYNTHETIC.name)


def _losses(kind: str, field: str, noise: float, options: argparse.Namespace) -> Sequence[tuple[str, dict[str, float]]]:
    """Return what a generator is fitted with besides the mean square."""
    if not _is_first(field, noise) or options.without_losses or kind in ON_FINE_CELLS or kind == "lapsrn":
        return ()
    return LOSSES if kind in WITH_ALL_LOSSES else LOSSES[:1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then write the page."""
    options = parse(arguments)
    out = output_folder(options)
    cases, ensembles = make_jobs(options)
    store = Store(out / "methods.json", options.fresh)
    jobs = [Job(case, options.device) for case in cases]
    failures = run_jobs(
        [*jobs, *(EnsembleJob(ensemble, options.device, options.fits) for ensemble in ensembles)], store, options.jobs
    )
    write(out, store, options)
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


def write(out: Path, store: Store, options: argparse.Namespace) -> None:
    """Write the page: of all that has a record, also from earlier runs of other fields or kinds."""
    everything = argparse.Namespace(**{**vars(options), "quick": False, "without_losses": False})
    everything.fields = everything.factors = everything.kinds = everything.noises = None
    records: dict[str, Record] = {}
    for chosen in (everything, options):
        cases, ensembles = make_jobs(chosen)
        keys = [*(case.key for case in cases), *(key for ensemble in ensembles for key in ensemble.keys)]
        records |= {key: store.records[key] for key in keys if key in store.records}
    methods_page(out / "methods.md", list(records.values()), command_line("methods.py", options))


if __name__ == "__main__":
    sys.exit(main())
