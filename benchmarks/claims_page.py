"""The page of the published claims: verdicts, then each experiment with its figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cases import Record, number
from claims_verdicts import VERDICTS, best_of_many, together
from tables import millimetres, show, table, write_page

from xr_dip.twin.published import STATEMENTS

if TYPE_CHECKING:
    from claims_plan import Plan

Records = dict[str, list[Record]]

INTRODUCTION = (
    "What the papers say about the deep image prior, tried on real fields: eNATL60, made coarse by block means. Each "
    "experiment is a call of {py:mod}`xr_dip.twin`, so that it can be repeated on any field. The claims are about the "
    "published method (`archambault2022`) against bicubic interpolation, not about the default of this package, which "
    "is measured in [](../accuracy.md)."
)


def write_claims(path: Path, records: Records, plan: Plan, command: str) -> None:
    """Write the page of the parts that have records."""
    parts = [INTRODUCTION, _settings(plan), *_claims(records, plan)]
    for part, section in SECTIONS.items():
        if records[part]:
            heading, *rest = section(records[part], path.parent)
            parts += [heading, VERDICTS[part](records[part]), *rest]
    write_page(
        path, "Published claims, tried", parts, [record for part in records.values() for record in part], command
    )


def _settings(plan: Plan) -> str:
    windows = ", ".join(
        f"{each.name} (rows {each.rows[0]} to {each.rows[1]}, columns {each.columns[0]} to {each.columns[1]})"
        for each in plan.fields
    )
    return (
        f"The windows are cut small to keep the run short: {windows}. Of the published method {plan.members} fits are "
        f"averaged where nothing else is said, {plan.ensemble} in the ensemble; noise is {plan.noise:.0%} of the "
        "standard deviation of the truth, and no method is told of it. Where many fits are needed the quick network "
        '(`fast` with `constraint="smooth"`, so without kriging) stands in for it; that is said each time.'
    )


def _claims(records: Records, plan: Plan) -> list[str]:
    """Return the table of verdicts and the evidence."""
    judged = [record for part in ("by_factor", "ensembles", "quick_ensembles") for record in records[part]]
    if not judged:
        return []
    judged += best_of_many(records["sizes"], plan)
    names = [each.name for each in plan.fields]
    rows = []
    for letter, statement in STATEMENTS.items():
        for method in sorted({str(record["method"]) for record in judged}):  # published before quick
            found = {
                str(record["field"]): record
                for record in judged
                if (record["what"], record["method"]) == (letter, method)
            }
            if any(record["verdict"] != "not tested" for record in found.values()):
                words = [_short(found.get(name)) for name in names]
                rows.append([f"({letter}) {statement}", method, *words])
    evidence = "\n".join(
        f"- ({record['what']}) {record['field']}, {record['method']}: {record['evidence']}."
        for record in sorted(judged, key=lambda record: (str(record["what"]), record["method"] != "published"))
        if record["verdict"] != "not tested"
    )
    return ["## The claims", together(judged), table(["claim", "method", *names], rows), evidence]


def _short(record: Record | None) -> str:
    return "–" if record is None or record["verdict"] == "not tested" else str(record["verdict"])


def _figure(folder: Path, name: str, words: str) -> list[str]:
    return [f"![{words}]({name}.png)"] if (folder / f"{name}.png").exists() else []


def _by_factor(found: Sequence[Record], folder: Path) -> list[str]:
    words = "Scores over the factor, published method and bicubic, with and without noise"
    return ["## By factor, with and without noise", *_figure(folder, "by_factor", words)]


def _ensembles(found: Sequence[Record], folder: Path) -> list[str]:
    return [
        "## Members and their spread",
        *_figure(folder, "members", "RMSE of each member, of their mean and of bicubic interpolation"),
        *_figure(folder, "spreads", "Error of the mean, spread of the members and of the latents"),
    ]


def _sizes(found: Sequence[Record], folder: Path) -> list[str]:
    rows = [[str(record["what"]), millimetres(number(record, "rmse"))] for record in found]
    words = f"The quick network on a small window; bicubic has {millimetres(number(found[0], 'bicubic'))} mm."
    return [
        "## How many members",
        words,
        table(["members", "RMSE of their mean (mm)"], rows),
        *_figure(folder, "sizes", "RMSE of the mean over the number of members"),
    ]


def _sections(found: Sequence[Record], folder: Path) -> list[str]:
    return [
        "## Sections",
        "One fit at each factor.",
        *_figure(folder, "sections", "Truth, block means and estimates along a row"),
    ]


def _days(found: Sequence[Record], folder: Path) -> list[str]:
    words = "Two windows on each of three days, one fit each."
    return ["## All windows and days", words, *_figure(folder, "days", "RMSE of single fits over that of bicubic")]


def _losses(found: Sequence[Record], folder: Path) -> list[str]:
    rows = [
        [
            str(record["what"]),
            *(show(number(record, name), 2) for name in ("psnr", "best_psnr")),
            show(number(record, "ssim"), 4),
        ]
        for record in found
    ]
    return [
        "## Mean square or Charbonnier",
        "One fit of each, from the same weights. Published for photographs at x4: 25.45 dB and 26.28 dB.",
        table(["loss", "PSNR (dB)", "its largest", "SSIM"], rows),
        *_figure(folder, "losses_psnr", "PSNR over iterations"),
        *_figure(folder, "losses_ssim", "SSIM over iterations"),
    ]


def _enforcement(found: Sequence[Record], folder: Path) -> list[str]:
    rows = [
        [
            str(record["what"]),
            millimetres(number(record, "rmse")),
            show(number(record, "ssim"), 4),
            show(number(record, "gradient_rmse"), 3, 1e6),
            f"{number(record, 'conservation_error'):.1e}",
            f"{number(record, 'volume_error'):.1e}",
        ]
        for record in found
    ]
    header = [
        "constraint",
        "RMSE (mm)",
        "SSIM",
        "gradient RMSE (mm/km)",
        "largest error of a block mean (m)",
        "error of the mean (m)",
    ]
    return [
        "## With and without enforcement",
        "The same fits, enforced afterwards.",
        table(header, rows),
        *_figure(folder, "enforcement", "Change of the RMSE and errors of block means with each form"),
    ]


def _impedance(found: Sequence[Record], folder: Path) -> list[str]:
    rows = [[str(record["what"]), show(number(record, "loss"), 4)] for record in found]
    words = (
        "The published network fitted to a small window at its own resolution, and to what is made of its values: the "
        "median misfit of the last tenth of the steps. 1 is no fit at all."
    )
    return [
        "## Impedance",
        words,
        table(["target", "mean square misfit"], rows),
        *_figure(folder, "impedance", "Loss over iterations for each target"),
    ]


def _recurrence(found: Sequence[Record], folder: Path) -> list[str]:
    rows = [[str(record["what"]), millimetres(number(record, "error"))] for record in found]
    words = (
        "The most similar patch of 5 x 5 cells elsewhere in the field (internal), or in another one of another region "
        "(external), at the same scale or at half of it."
    )
    return [
        "## Recurrence of patches",
        words,
        table(["patches", "mean error (mm)"], rows),
        *_figure(folder, "recurrence", "Error of the nearest patch over the steepness of patches"),
    ]


SECTIONS = {
    "by_factor": _by_factor,
    "sections": _sections,
    "days": _days,
    "ensembles": _ensembles,
    "sizes": _sizes,
    "losses": _losses,
    "enforcement": _enforcement,
    "impedance": _impedance,
    "recurrence": _recurrence,
}
