"""The page of the benchmark of students."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cases import Record, number
from command import command_line
from tables import NOTHING, millimetres, show, significant, table, write_page

PROMISED_SPEED, PROMISED_MEANS = 100.0, 1e-6
FACTOR = 8
PICTURE = "student.png"
KINDS = ("cpu", "wall")
"""Seconds of the processors come first: they hardly depend on what else a machine does."""


def rows(records: Sequence[Record]) -> list[list[str]]:
    """Return the lines of the table of one split."""
    spline = next(number(one, "to_teacher") for one in records if one["method"] == "conservative_spline")
    lines = []
    for one in records:
        if one["method"] == "time":
            continue
        of_truth = one["method"] == "student of the truth"  # nobody asked it to be like the teacher
        skill = np.nan if of_truth else 1 - (number(one, "to_teacher") / spline) ** 2
        conserved = number(one, "conservation_error")
        lines.append(
            [
                str(one["method"]).replace("_", " "),
                millimetres(number(one, "to_teacher")),
                show(skill, 2),
                millimetres(number(one, "to_truth")),
                millimetres(number(one, "std")),
                millimetres(number(one, "std_to_teacher")),
                f"{conserved:.0e}" if np.isfinite(conserved) else NOTHING,
            ]
        )
    return lines


def speed(record: Record) -> tuple[list[str], float]:
    """Return what is to be said of the time, and how many times less a day of a series takes."""
    median = {
        name: {kind: float(np.median(values)) for kind, values in record[name].items()}  # type: ignore[attr-defined]
        for name in ("ensemble", "single", "series")
    }
    ratios = {kind: median["ensemble"][kind] / median["series"][kind] for kind in KINDS}
    lines = [
        [
            text,
            *(significant(median[name][kind]) for kind in KINDS),
            *(significant(median["ensemble"][kind] / median[name][kind]) for kind in KINDS),
        ]
        for name, text in (
            ("ensemble", "ensemble"),
            ("single", "student, a day alone"),
            ("series", "student, a day of the series"),
        )
    ]
    header = ["", "processor s per day", "s per day", "times less of the processor", "times less"]
    return [table(header, lines)], min(ratios.values())


TEXTS = {
    "first": "Taught: the first {taught} days. Scored: the {days} days after them",
    "spread": "Taught: {taught} days from all of the series. Scored: the {days} days between them, never more than a "
    "few days away from one that was taught",
}


def write(out: Path, records: Sequence[Record], options: argparse.Namespace) -> None:
    """Write the page."""
    header = [
        "",
        "RMSE to the teacher mm",
        "skill",
        "RMSE to the truth mm",
        "standard error mm",
        "its RMSE to that of the teacher mm",
        "block means m",
    ]
    parts = [
        f"Mediterranean, daily fields, factor {FACTOR}. The teacher is an ensemble of {options.members} members, warm "
        "starts in chains of 30 days. A student is to reproduce the teacher, at a small part of its cost: RMSE to the "
        "teacher, and the skill, the share of the mean square between teacher and conservative spline that is "
        "reproduced. The truth is for scoring; one student is trained on the truth of the same days instead, for "
        "comparison. Block means: the largest error of any coarse cell. All numbers are of days that were not taught.",
    ]
    for split in dict.fromkeys(str(record["split"]) for record in records):
        some = [record for record in records if record["split"] == split]
        parts += [f"## {TEXTS[split].format(**some[0])}", table(header, rows(some))]
    timed = [record for record in records if record["method"] == "time"]
    if timed:
        found, ratio = speed(timed[0])
        days = len(timed[0]["series"]["wall"])  # type: ignore[index]
        conserved = max(number(one, "conservation_error") for one in records if "student" in str(one["method"]))
        parts += [
            "## Time",
            f"Medians of {days} day(s), ensemble and student in turn, in one process. The ensemble is without a warm "
            "start. A student of a series of one sea factorises its kriging once.",
            *found,
            f"- {significant(ratio)} times less time per day: aim {PROMISED_SPEED:.0f}, "
            f"{'reached' if ratio >= PROMISED_SPEED else 'not reached'}\n"
            f"- block means within {conserved:.0e} m: aim {PROMISED_MEANS:.0e}, "
            f"{'reached' if conserved <= PROMISED_MEANS else 'not reached'}",
            f"![What teacher and student add to the conservative spline](_static/{PICTURE})",
            "*What the teacher adds to the conservative spline on a day in the middle of those after the first "
            "20, what a student of these adds, and what is left between them.*",
        ]
    command = command_line("distill.py", options) + (f" --days {options.days}" if options.days else "")
    write_page(out / "student.md", "A student of the ensemble", parts, records, command)
