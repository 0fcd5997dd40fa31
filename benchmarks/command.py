"""What the benchmarks ask for on the command line, the same for all."""

from __future__ import annotations

import argparse
from pathlib import Path

from cases import METHOD_NAMES

DOCS = Path(__file__).resolve().parent.parent / "docs"
TRIAL = DOCS.parent / "demo-output" / "benchmarks"
"""Where a quick run writes: it must not replace the tables of a whole one."""


def make_parser(description: str | None, *, folder: str, quick: str) -> argparse.ArgumentParser:
    """Return a parser of the common options.

    Parameters
    ----------
    description : str
    folder : str
        Within docs, where the results go.
    quick : str
        What ``--quick`` does.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(folder=folder)
    parser.add_argument("--fields", nargs="+", metavar="NAME", help="fields whose name begins so; all by default")
    parser.add_argument("--factors", nargs="+", type=int, metavar="N", help="fine cells per coarse cell")
    parser.add_argument("--methods", nargs="+", choices=METHOD_NAMES, metavar="METHOD", help=", ".join(METHOD_NAMES))
    parser.add_argument("--members", type=int, help="fits of each ensemble")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="as in xr_dip.downscale (default: cpu)")
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument(
        "--out", type=Path, help=f"folder (default: docs/{folder}; demo-output/benchmarks with --quick)"
    )
    return parser


def output_folder(options: argparse.Namespace) -> Path:
    """Return where the results go."""
    if options.out is not None:
        return options.out
    return TRIAL if options.quick else DOCS / options.folder


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the options of a benchmark that is a list of cases."""
    parser.add_argument("--jobs", type=int, default=1, help="processes, each on one core (default: 1, on all cores)")
    parser.add_argument("--fresh", action="store_true", help="run all cases again, also those that have a record")


def without_filters(options: argparse.Namespace) -> argparse.Namespace:
    """Return options that ask for everything, with the same numbers: what a page shows, as far as it has records."""
    return argparse.Namespace(**{**vars(options), "fields": None, "factors": None, "methods": None, "quick": False})


def command_line(script: str, options: argparse.Namespace) -> str:
    """Return a command that makes the same records."""
    given = " --quick" if options.quick else ""
    return f"python benchmarks/{script}{given} --members {options.members} --seed {options.seed}"
