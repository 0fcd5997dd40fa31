"""What a year of NATL60 at 1/20 degree costs: a model, from the seconds that were measured.

With T tiles, D days, M members, n cores of efficiency e, f seconds for one fit and r for the rest of an ensemble, both
on one core,

    seconds = D T (M f + r) / (n e).

A warm start divides f by the steps that it saves, but for the first day of a chain. On a GPU the fits of an ensemble
take, with k steps of c operations and b bytes for each member,

    seconds = k (M c / C + M b / B + l) / u

C operations and B bytes per second at the most, l to start the kernels of one recorded step, and u the share of this
floor that is reached; the rest is done by the cores of the host meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import speed_dask
import speed_loop
from cases import Record, number
from tables import show, table
from timing import times_of

from xr_dip.archive.chains import LENGTH

DAYS, TILES, MEMBERS = 365, 40, 10
"""40 tiles of 256 x 256 cells of 1/20 degree cover its 5422 x 3454 cells of 1/60 degree."""
METHODS = ("fast", "balanced")


@dataclass(frozen=True)
class Gpu:
    """A GPU by its data sheet: float32 operations and bytes per second, seconds to start a step, cores of the host."""

    name: str
    operations: float
    bytes: float
    start: float
    cores: int


H200 = Gpu("H200", 67e12, 4.8e12, 80e-6, 16)
SHARES = (1.0, 0.25)
"""Of the speed of the floor: all of it, and what small convolutions may reach, which nobody has measured here."""
CLUSTER = 64


@dataclass(frozen=True)
class Tile:
    """Seconds of one tile of one day on one core, and the work of one step of one member."""

    method: str
    fit: float
    rest: float
    steps: float
    operations: float
    bytes: float
    warm: float
    """Steps of a warm fit over those of a cold one, the first day of a chain included; NaN where not measured."""

    def on_cores(self, cores: float, warm: bool = False) -> tuple[float, float]:
        """Return hours of fits and of the rest of the year."""
        share = self.warm if warm else 1.0
        return _hours(MEMBERS * self.fit * share / cores), _hours(self.rest / cores)

    def on_gpu(self, gpu: Gpu, share: float) -> tuple[float, float]:
        """Return hours of fits on a GPU, and of the rest on its host."""
        step = MEMBERS * (self.operations / gpu.operations + self.bytes / gpu.bytes) + gpu.start
        return _hours(self.steps * step / share), _hours(self.rest / gpu.cores)


def _hours(seconds_per_tile: float) -> float:
    return DAYS * TILES * seconds_per_tile / 3600


def make_tile(loop: Record, warm: Sequence[Record]) -> Tile:
    """Return what the records say of a tile."""
    method = str(loop["method"])
    kinds = {str(record["kind"]): number(record, "steps") for record in warm if record["method"] == method}
    saved = kinds.get("warm", np.nan) / kinds.get("cold", np.nan)
    return Tile(
        method,
        speed_loop.fit_seconds(loop),
        speed_loop.rest_seconds(loop),
        number(loop, "iterations"),
        number(loop, "operations"),
        number(loop, "bytes"),
        (1 + (LENGTH - 1) * saved) / LENGTH,
    )


def sections(records: Sequence[Record]) -> list[str]:
    """Return the table of the year; nothing before the loop of one tile was measured."""
    parts = {name: [record for record in records if record["part"] == name] for name in ("loop", "dask", "warm")}
    on_cpu = {name: [record for record in some if record["device"] == "cpu"] for name, some in parts.items()}
    alike = [record for record in on_cpu["loop"] if record["method"] in METHODS]
    tiles = [make_tile(record, on_cpu["warm"]) for record in alike]
    if not tiles:
        return []
    efficiency = min(1.0, speed_dask.efficiency(on_cpu["dask"][0])) if on_cpu["dask"] else 1.0
    cores = int(number(alike[0], "cores"))
    lines = [row for tile in tiles for row in _rows(tile, cores, efficiency)]
    lines += [
        _measured(record) for record in parts["loop"] if record["device"] != "cpu" and record["method"] in METHODS
    ]
    header = ["preset", "machine", "how", "fits h", "rest h", "year h"]
    return [_text(str(alike[0]["case"]), cores, efficiency, bool(on_cpu["dask"])), table(header, lines), _work(tiles)]


def _rows(tile: Tile, cores: int, efficiency: float) -> list[list[str]]:
    here, gpu = f"{cores} cores", f"one {H200.name}, {H200.cores} cores"
    rows = [_row(tile.method, here, "model, from measured tiles", *tile.on_cores(cores * efficiency), together=False)]
    if np.isfinite(tile.warm):
        hours = tile.on_cores(cores * efficiency, warm=True)
        rows.append(_row(tile.method, f"{here}, warm starts", "model, from measured tiles", *hours, together=False))
    rows += [_row(tile.method, gpu, _how(share), *tile.on_gpu(H200, share), together=True) for share in SHARES]
    uneven = math.ceil(DAYS / CLUSTER) / DAYS
    hours = tuple(uneven * hour for hour in tile.on_gpu(H200, SHARES[-1]))
    return [*rows, _row(tile.method, f"{CLUSTER} times that", _how(SHARES[-1]), *hours, together=True)]


def _row(method: str, machine: str, how: str, fits: float, rest: float, *, together: bool) -> list[str]:
    """Return a line; the year takes the sum of both, or the longer where they run at the same time."""
    year = max(fits, rest) if together else fits + rest
    return [method, machine, how, *(_show(hours) for hours in (fits, rest, year))]


def _how(share: float) -> str:
    return "model, floor" if share == 1 else f"model, {share:.0%} of the floor's speed"


def _show(hours: float) -> str:
    return show(hours, 0) if hours >= 10 else f"{hours:.2g}"


def _measured(record: Record) -> list[str]:
    """Return the line of a GPU that was at hand: its ensembles, one after the other."""
    hours = _hours(times_of(record, "whole").median)
    return [str(record["method"]), f"one GPU, {record['machine']}", "from measured ensembles", "", "", _show(hours)]


def _text(case: str, cores: int, efficiency: float, known: bool) -> str:
    said = f"measured, {efficiency:.2f}" if known else "taken to be 1"
    return (
        f"{DAYS} days x {TILES} tiles x {MEMBERS} members are {DAYS * TILES * MEMBERS:,} fits. **This is a model.** "
        f"Seconds of one fit and of the rest are those of {case}, on one core; all its cells are sea, and so are those "
        f"of every tile here. The efficiency of {cores} cores is {said}. No line of a GPU that says "
        f"model was measured: its floor is the sum of arithmetic ({H200.operations / 1e12:.0f} Tflop/s in float32), "
        f"memory traffic ({H200.bytes / 1e12:.1f} TB/s) and {H200.start * 1e6:.0f} microseconds to start each recorded "
        f"step of the {MEMBERS} members of a tile. There the rest runs on {H200.cores} cores of the host meanwhile, "
        "given as many threads; the cluster does whole days on each GPU. Reading and writing are not counted."
    )


def _work(tiles: Sequence[Tile]) -> str:
    rows = [
        [
            tile.method,
            show(tile.fit, 2),
            show(tile.rest, 2),
            show(tile.steps, 0),
            show(tile.operations / 1e9, 2),
            show(tile.bytes / 1e6, 0),
            show(tile.warm, 2),
        ]
        for tile in tiles
    ]
    header = ["preset", "one fit s", "rest s", "steps", "Gflop per step", "MB per step", "steps of warm starts / cold"]
    return "What it is made of, one core:\n\n" + table(header, rows)
