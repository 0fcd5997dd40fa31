"""Days per hour with and without warm starts, on a short series; for error and spread see `warm_start.py`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr
from cases import Record, number
from tables import show, table
from timing import ocean, race, ratio, times_of, warm_up

import xr_dip
from xr_dip.relay import Relay

FACTOR, MEMBERS = 16, 10
CELLS, QUICK_CELLS = 16, 8
DAYS, QUICK_DAYS = 5, 2
METHODS, QUICK_METHODS = ("fast", "balanced"), ("fast",)
COLD, WARM = "cold", "warm"


def measure(options: argparse.Namespace) -> list[Record]:
    """Return a record per preset and kind; the first day, which is cold in both, is not counted."""
    warm_up(options.device)
    cells, days = (QUICK_CELLS, QUICK_DAYS) if options.quick else (CELLS, options.days or DAYS)
    factor = (options.factors or (FACTOR,))[0]
    coarse, records = ocean((cells, cells), days), list[Record]()
    for method in QUICK_METHODS if options.quick else METHODS:
        found = measure_preset(coarse, factor, method, options)
        common = {"method": method, "members": options.members, "factor": factor, "cells": cells, "days": days - 1}
        records += [{**common, "kind": kind, **found[kind]} for kind in (COLD, WARM)]
    return records


def measure_preset(coarse: xr.DataArray, factor: int, method: str, options: argparse.Namespace) -> dict[str, Record]:
    """Return the seconds of each day and its steps, cold and warm in turn."""
    relay, steps = Relay(), dict[str, float]()

    def run(day: int, kind: str) -> None:
        result = xr_dip.downscale(
            coarse.isel(time=day),
            factor,
            members=options.members,
            preset=method,
            seed=options.seed,
            device=options.device,
            progress=False,
            relay=relay if kind == WARM else None,
        )
        steps[kind] = float(result.iterations)

    run(0, WARM)
    passed = [
        race({kind: partial(run, day, kind) for kind in (COLD, WARM)}, 1) for day in range(1, coarse.sizes["time"])
    ]
    return {
        kind: {
            "seconds": {clock: [getattr(times[kind], clock)[0] for times in passed] for clock in ("wall", "cpu")},
            "steps": steps[kind],
        }
        for kind in (COLD, WARM)
    }


def saving(records: Sequence[Record], method: str, clock: str = "wall") -> float:
    """Return how many times fewer seconds a warm day takes; NaN where it was not measured."""
    by_kind = {str(record["kind"]): times_of(record) for record in records if record["method"] == method}
    if len(by_kind) < 2:
        return np.nan
    return ratio(getattr(by_kind[COLD], clock), getattr(by_kind[WARM], clock))


def sections(records: Sequence[Record]) -> list[str]:
    """Return the table."""
    if not records:
        return []
    first = records[0]
    header = ["preset", "", "steps", "s per day", "days per hour", "cold / warm", "cold / warm, processor time"]
    rows = []
    for record in records:
        method, warm = str(record["method"]), record["kind"] == WARM
        gains = [show(saving(records, method, clock), 1) if warm else "1" for clock in ("wall", "cpu")]
        median = times_of(record).median
        steps = show(number(record, "steps"), 0)
        rows.append([method, str(record["kind"]), steps, show(median, 2), show(3600 / median, 0), *gains])
    text = (
        f"{first['days']} days of {first['cells']} x {first['cells']} coarse cells, x{first['factor']}, "
        f"{first['members']} members, on all cores, each day cold and warm in turn. The first day of a chain, which is "
        "cold in any case, is not counted."
    )
    return ["## Warm starts", text, table(header, rows)]
