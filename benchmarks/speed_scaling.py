"""How seconds grow with days, tiles and the factor; all cases of one kind in turn."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial

from cases import Record, number
from tables import show, table
from timing import ocean, race, ratio, times_of, warm_up

import xr_dip
from xr_dip.tiling import make_tiling

PRESET, MEMBERS, FACTOR, CELLS = "fast", 2, 16, 16
TILE, OVERLAP = 16, 4
DAYS, SIDES, FACTORS = (1, 2, 4), (16, 28, 52), (4, 8, 16, 32)
"""Days; cells along each side of a domain of tiles, so that they are 1, 4 and 16; factors."""
QUICK = {"days": (1, 2), "tiles": (8, 12), "factor": (4, 8)}
UNITS = {"days": "day", "tiles": "tile", "factor": "field"}


def measure(options: argparse.Namespace) -> list[Record]:
    """Return a record for each size of each kind."""
    warm_up(options.device)
    sizes = QUICK if options.quick else {"days": DAYS, "tiles": SIDES, "factor": FACTORS}
    cells = 8 if options.quick else CELLS
    kinds: dict[str, Callable[[int], tuple[int, Callable[[], object]]]] = {
        "days": lambda days: (days, _run(cells, cells, days, FACTOR, None, options)),
        "tiles": lambda side: _tiles(side, cells, options),
        "factor": lambda factor: (1, _run(cells, cells, 1, factor, None, options)),
    }
    records = []
    for kind, make in kinds.items():
        cases = {size: make(size) for size in sizes[kind]}
        times = race({f"{kind} {size}": run for size, (_, run) in cases.items()}, options.rounds)
        records += [
            {"kind": kind, "size": size, "units": units, "seconds": times[f"{kind} {size}"].record()}
            | {"method": PRESET, "members": MEMBERS, "cells": cells}
            for size, (units, _) in cases.items()
        ]
    return records


def _tiles(side: int, cells: int, options: argparse.Namespace) -> tuple[int, Callable[[], object]]:
    tiling = make_tiling((side, side), (FACTOR, FACTOR), tile=cells, overlap=OVERLAP)
    return 1 if tiling is None else len(tiling), _run(side, cells, 1, FACTOR, OVERLAP, options)


def _run(
    side: int, tile: int, days: int, factor: int, overlap: int | None, options: argparse.Namespace
) -> Callable[[], object]:
    """Return a function that downscales a series of square domains."""
    return partial(
        xr_dip.downscale,
        ocean((side, side), days),
        factor,
        members=MEMBERS,
        preset=PRESET,
        tile=tile,
        overlap=overlap,
        seed=options.seed,
        device=options.device,
        progress=False,
    )


def sections(records: Sequence[Record]) -> list[str]:
    """Return one table."""
    if not records:
        return []
    first = {kind: next(record for record in records if record["kind"] == kind) for kind in UNITS}
    cells = records[0]["cells"]
    header = ["grows", "size", "units", "s", "s per unit", "over the first, per unit", "the same, processor time"]
    text = (
        f"`{PRESET}`, {MEMBERS} members, all cores; {cells} x {cells} coarse cells, x{FACTOR} but where the factor "
        "grows. Days and tiles are independent, so the cost of one should stay. With the factor the preset changes too."
    )
    return ["## Growth", text, table(header, [_row(record, first[str(record["kind"])]) for record in records])]


def _row(record: Record, first: Record) -> list[str]:
    times, start = times_of(record), times_of(first)
    units = number(record, "units")
    share = number(first, "units") / units
    kind = str(record["kind"])
    size = (
        f"x{record['size']}"
        if kind == "factor"
        else f"{record['size']} x {record['size']}"
        if kind == "tiles"
        else str(record["size"])
    )
    return [
        kind,
        size,
        f"{units:.0f} {UNITS[kind]}" + ("s" if units > 1 else ""),
        show(times.median, 2),
        show(times.median / units, 2),
        show(share * ratio(times.wall, start.wall), 2),
        show(share * ratio(times.cpu, start.cpu), 2),
    ]
