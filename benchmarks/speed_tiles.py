"""Tiles per second by their size, and members fitted together by their number."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr
from cases import Record, number
from tables import NOTHING, show, table
from timing import ocean, one_core, race, ratio, times_of, warm_up

import xr_dip
from xr_dip.presets import PRESETS
from xr_dip.tiling import make_tiling

FACTOR, PRESET, MEMBERS = 16, "fast", 2
SIDE, QUICK_SIDE = 64, 12
TILES, QUICK_TILES = (16, 24, 40, None), (8, None)
BATCHES, QUICK_BATCHES = (1, 2, 4, 8, 16, 32), (1, 2)
STEPS, QUICK_STEPS = 20, 2
CELLS = 16
NETWORKS = ("fast", "balanced")


def measure(options: argparse.Namespace) -> list[Record]:
    """Return a record for each size of a tile, and for each preset and number of members in a batch."""
    warm_up(options.device)
    return [*measure_tiles(options), *measure_batches(options)]


def measure_tiles(options: argparse.Namespace) -> list[Record]:
    """Downscale one domain in tiles of several sizes."""
    side, sizes = (QUICK_SIDE, QUICK_TILES) if options.quick else (SIDE, TILES)
    factor = (options.factors or (FACTOR,))[0]
    coarse, results = ocean((side, side)).isel(time=0), dict[str, xr.Dataset]()

    def run(name: str, tile: int | None) -> None:
        results[name] = xr_dip.downscale(
            coarse,
            factor,
            members=MEMBERS,
            preset=PRESET,
            tile=tile,
            seed=options.seed,
            device=options.device,
            progress=False,
        )

    times = race({str(tile): partial(run, str(tile), tile) for tile in sizes}, options.rounds)
    records = []
    for tile in sizes:
        tiling = make_tiling((side, side), (factor, factor), tile=tile)
        known = {"tile": tile, "tiles": 1 if tiling is None else len(tiling), "seconds": times[str(tile)].record()}
        seam = float(results[str(tile)].seam_ratio) if tiling is not None else None
        records.append(
            {"kind": "tiles", "method": PRESET, "members": MEMBERS, "factor": factor, "side": side, **known}
            | {"seam_ratio": seam}
        )
    return records


def measure_batches(options: argparse.Namespace) -> list[Record]:
    """Fit the same members in batches of several sizes, on one core, or on the GPU."""
    sizes = QUICK_BATCHES if options.quick else options.batches or BATCHES
    steps = QUICK_STEPS if options.quick else STEPS
    records = []
    for method in NETWORKS:
        runs = {f"{method}, {size} together": make_fits(method, max(sizes), size, steps, options) for size in sizes}
        times = race(runs, options.rounds)
        records += [
            {"kind": "batch", "method": method, "members": max(sizes), "batch": size, "steps": steps}
            | {"seconds": times[f"{method}, {size} together"].record()}
            for size in sizes
        ]
    return records


def make_fits(method: str, members: int, batch: int, steps: int, options: argparse.Namespace) -> Callable[[], None]:
    """Return a function that fits members of one architecture to 16 x 16 coarse cells."""
    import torch

    from xr_dip.fitting.ensemble import fit_members
    from xr_dip.fitting.fit import FitConfig
    from xr_dip.fitting.losses import LOSSES
    from xr_dip.fitting.operators import OPERATORS
    from xr_dip.fitting.problem import Observation, Problem
    from xr_dip.fitting.stopping import fixed
    from xr_dip.generators import GENERATORS

    factor = (FACTOR, FACTOR)
    preset, values = PRESETS[method](factor), ocean((CELLS, CELLS)).values[0]
    standard = torch.from_numpy((values - values.mean()) / values.std()).float()
    operator = OPERATORS[preset.operator](np.ones((CELLS * FACTOR, CELLS * FACTOR)), factor)
    problem = Problem((Observation(operator, standard, torch.ones(CELLS, CELLS)),), LOSSES[preset.loss])
    config = FitConfig(steps, preset.learning_rate, preset.betas, preset.schedule, preset.keep)
    make = partial(GENERATORS[preset.generator], (CELLS, CELLS), factor, **preset.options_of_member(0))

    def run() -> None:
        with one_core():
            fit_members(
                lambda member: partial(make, member),
                members,
                problem,
                config,
                fixed,
                device=options.device,
                batch=batch,
            )

    return run


def sections(records: Sequence[Record]) -> list[str]:
    """Return both tables."""
    tiles = [record for record in records if record["kind"] == "tiles"]
    batches = [record for record in records if record["kind"] == "batch"]
    parts = []
    if tiles:
        side = tiles[0]["side"]
        parts += [
            f"## Tiles of a domain of {side} x {side} coarse cells, x{tiles[0]['factor']}",
            f"`{PRESET}`, {MEMBERS} members, all cores. Cells per second are those of the domain: overlaps count once.",
            table(
                ["tile, coarse cells", "tiles", "s", "tiles per s", "coarse cells per s", "over whole", "seam ratio"],
                [_tile_row(record, tiles[-1]) for record in tiles],
            ),
        ]
    if batches:
        members, steps = batches[0]["members"], batches[0]["steps"]
        parts += [
            f"## Members fitted together, {CELLS} x {CELLS} coarse cells, x{FACTOR}",
            f"{members} members of {steps} steps on one core, or on the GPU that the page names. One together is the "
            "plain loop.",
            table(
                ["preset", "together", "ms per member and step", "over plain loop", "over plain loop, processor time"],
                [_batch_row(record, batches) for record in batches],
            ),
        ]
    return parts


def _tile_row(record: Record, whole: Record) -> list[str]:
    times, seam = times_of(record), number(record, "seam_ratio")
    side = number(record, "side")
    return [
        "whole" if record["tile"] is None else str(record["tile"]),
        str(record["tiles"]),
        show(times.median, 1),
        show(number(record, "tiles") / times.median, 2),
        show(side * side / times.median, 0),
        show(ratio(times.wall, times_of(whole).wall), 2),
        NOTHING if record["tile"] is None else show(seam, 3),
    ]


def _batch_row(record: Record, batches: Sequence[Record]) -> list[str]:
    times = times_of(record)
    loop = next(times_of(other) for other in batches if other["method"] == record["method"])
    work = number(record, "members") * number(record, "steps")
    return [
        str(record["method"]),
        str(record["batch"]),
        show(1000 * times.median / work, 2),
        show(ratio(times.wall, loop.wall), 2),
        show(ratio(times.cpu, loop.cpu), 2),
    ]
