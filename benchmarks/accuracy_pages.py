"""The pages that show the records of accuracy.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cases import CONSERVATIVE_BICUBIC, Record, number
from tables import (
    BASELINE,
    CENTRED,
    NOTHING,
    by_situation,
    geometric_mean,
    mean,
    millimetres,
    ratio,
    show,
    table,
    write_page,
)

from xr_dip.presets import PRESETS

Situation = tuple[str, int, float]
Groups = dict[Situation, dict[str, Record]]

PREDICTION_FACTOR = 8
"""Predictions are promised from this factor on."""
TOLERANCE = 0.2
COAST_TARGET = 0.85


def main_page(path: Path, records: list[Record], pictures: Sequence[Path], command: str) -> None:
    """Write the table of all fields over sea."""
    groups, methods = by_situation(records), _methods(records)
    parts = [
        "Twin experiments: exact block means of a field of an ocean model, made fine again, against the field. Nothing "
        "but the block means was known to a method. The members of the published preset are fewer; their seconds are "
        "for those.",
        "## Ratio to kriging",
        "RMSE over that of maximum-likelihood block kriging, the best linear estimate if its covariance is that of the "
        "field. A fitted one need not be: where the conservative spline is below 1 it is not. Mean over the fields of "
        "each factor.",
        _ratio_summary(groups, methods),
        _ratio_rows(groups, methods),
    ]
    for factor in sorted({factor for _, factor, _ in groups}):
        parts += [f"## Factor {factor}", _score_rows({key: group for key, group in groups.items() if key[1] == factor})]
    parts.append(
        "RMSE and CRPS in mm. λx: wavelength from which on half of the variance is resolved. Spread/skill, correlation "
        "of the standard error with the absolute error, and share of errors in the 90 % interval, from the predicted "
        "standard error: 1, high, 0.90 are best. CRPS: of a Gaussian with that standard error; fair CRPS: of the "
        "members. " + CENTRED
    )
    parts += _shown(pictures)
    write_page(path, "Accuracy", parts, records, command)


def _shown(pictures: Sequence[Path]) -> list[str]:
    return [f"## {picture.stem}\n\n![{picture.stem}]({picture.name})" for picture in pictures if picture.exists()]


def _methods(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(str(record["method"]) for record in records))


def _ratio_summary(groups: Groups, methods: Sequence[str]) -> str:
    rows = []
    for factor in sorted({factor for _, factor, _ in groups}):
        chosen = [group for (_, of, _), group in groups.items() if of == factor]
        means = [show(mean([ratio(group, method) for group in chosen]), 3) for method in methods]
        rows.append([f"mean x{factor}", str(len(chosen)), *means])
    return table(["", "fields", *methods], rows)


def _ratio_rows(groups: Groups, methods: Sequence[str]) -> str:
    rows = [
        [f"{field} x{factor}", *(show(ratio(group, method), 3) for method in methods)]
        for (field, factor, _), group in groups.items()
    ]
    return table(["field", *methods], rows)


def _score_rows(groups: Groups) -> str:
    header = ["field", "method", "RMSE", "ratio", "SSIM", "λx km", "spread/skill", "corr", "90 %", "CRPS"]
    header += ["fair CRPS", "seconds"]
    rows = []
    for (field, _, _), group in groups.items():
        for method, record in group.items():
            rows.append(
                [
                    field,
                    method,
                    millimetres(number(record, "rmse")),
                    show(ratio(group, method), 3),
                    show(number(record, "ssim"), 4),
                    show(number(record, "effective_resolution"), 1, 1e-3),
                    show(number(record, "spread_skill"), 2),
                    show(number(record, "correlation"), 2),
                    show(number(record, "coverage"), 2),
                    millimetres(number(record, "crps_gaussian")),
                    millimetres(number(record, "crps")),
                    show(number(record, "seconds"), 1),
                ]
            )
    return table(header, rows)


def coast_page(path: Path, records: list[Record], pictures: Sequence[Path], command: str) -> None:
    """Write the tables of fields with land."""
    groups, methods = by_situation(records), _methods(records)

    def errors(name: str) -> str:
        rows = [
            [f"{field} x{factor}", *(millimetres(number(group.get(m, {}), name)) for m in methods)]
            for (field, factor, _), group in groups.items()
        ]
        return table(["mm", *methods], rows)

    rows = []
    for (field, factor, _), group in groups.items():
        everywhere, coast = (ratio(group, "balanced", CONSERVATIVE_BICUBIC, name) for name in ("rmse", "rmse_coast"))
        missing = np.isnan(everywhere) or np.isnan(coast)
        verdict = NOTHING if missing else "yes" if everywhere <= COAST_TARGET and coast <= 1 else "no"
        rows.append([f"{field} x{factor}", show(everywhere, 3), show(coast, 3), verdict])
    parts = [
        "Balearic Sea, NaN on land. A coarse cell has a value where it has any sea, the mean of its sea cells. "
        f"`{CONSERVATIVE_BICUBIC}`: land filled by its nearest sea, bicubic, iterated until the block means agree.",
        "## RMSE over sea",
        errors("rmse"),
        "## RMSE within two fine cells of land",
        errors("rmse_coast"),
        "## balanced against conservative bicubic",
        f"Aim: at most {COAST_TARGET} over sea and at most 1 at the coast.",
        table(["field", "sea", "coast", "reached"], rows),
        *_shown(pictures),
    ]
    write_page(path, "Coasts", parts, records, command)


def noise_page(path: Path, records: list[Record], command: str) -> None:
    """Write the table of noisy coarse fields."""
    groups, methods = by_situation(records), _methods(records)
    rows = [
        [f"{field} x{factor}", f"{noise:.0%}", *(millimetres(number(group.get(m, {}), "rmse")) for m in methods)]
        for (field, factor, noise), group in groups.items()
    ]
    best = [
        min((m for m in methods if m in group), key=lambda m: number(group[m], "rmse")) for group in groups.values()
    ]
    rows = [[*row, winner] for row, winner in zip(rows, best, strict=True)]
    parts = [
        "White noise on the coarse values, its standard deviation a share of theirs. Presets and kriging are told its "
        "size (`noise_std`): they fit to within it, or have it as a nugget; bicubic interpolation takes the values as "
        "they are. RMSE in mm.",
        table(["field", "noise", *methods, "best"], rows),
    ]
    write_page(path, "Noise", parts, records, command)


def prediction_page(path: Path, records: list[Record], command: str) -> None:
    """Write the table of predicted and actual errors."""
    groups = by_situation(records)
    presets = [method for method in _methods(records) if method in PRESETS]
    rows, departures = [], []
    for (field, factor, _), group in groups.items():
        for preset in presets:
            record = group.get(preset, {})
            actual, predicted = number(record, "rmse"), number(record, "predicted_rmse")
            if factor < PREDICTION_FACTOR or np.isnan(predicted):
                continue
            departures.append(predicted / actual)
            kriging = number(group.get(BASELINE, {}), "spread_skill")
            within = "yes" if abs(predicted / actual - 1) <= TOLERANCE else "no"
            rows.append(
                [
                    f"{field} x{factor}",
                    preset,
                    show(number(record, "coarse_cells"), 0),
                    millimetres(actual),
                    millimetres(predicted),
                    show(predicted / actual, 2),
                    within,
                    show(kriging, 2),
                ]
            )
    inside = sum(abs(departure - 1) <= TOLERANCE for departure in departures)
    header = ["field", "preset", "cells", "actual mm", "predicted mm", "predicted/actual", "within 20 %", "kriging's"]
    parts = [
        "`predicted_rmse` of a result is known without a truth: the root mean square of its standard error. Here it "
        "stands beside the actual error. Last column: the same ratio for the standard error of kriging itself.",
        f"{inside} of {len(rows)} are within {TOLERANCE:.0%}; geometric mean {show(geometric_mean(departures), 2)}.",
        table(header, rows),
    ]
    write_page(path, "Predicted error", parts, records, command)
