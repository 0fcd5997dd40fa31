"""Times of runs that are compared: in turn in one process, so that a busy minute of the machine hits all of them alike.

Two clocks: seconds on the wall are what a user waits, on a quiet machine. Seconds of the processors, all threads of
the process together, hardly change when others use the machine too, and tell if the first can be believed.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from unittest.mock import patch

import numpy as np
import xarray as xr
from cases import Record

import xr_dip
from xr_dip import DipWarning, synthetic
from xr_dip.presets import PRESETS

CELL_DEGREES = 0.25
"""Coarse cells of the synthetic domains."""


@dataclass(frozen=True)
class Times:
    """Seconds of one contestant, one number per round: on the wall, and of the processors."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median on the wall."""
        return float(np.median(self.wall))

    def record(self) -> Record:
        """Return both as plain values."""
        return asdict(self)


def times_of(record: Mapping[str, object], name: str = "seconds") -> Times:
    """Return the times that a record holds."""
    known = record[name]
    assert isinstance(known, Mapping)
    return Times(tuple(known["wall"]), tuple(known["cpu"]))


def race(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Run every contestant once in each round.

    Parameters
    ----------
    runs : mapping of str to callable
    rounds : int

    Returns
    -------
    dict of str to Times
    """
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begin, begin_cpu = time.perf_counter(), time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DipWarning)  # one member has no spread, few steps do not converge
                run()
            wall[name].append(time.perf_counter() - begin)
            cpu[name].append(time.process_time() - begin_cpu)
            print(f"{name}: {wall[name][-1]:.2f} s", flush=True)
    return {name: Times(tuple(wall[name]), tuple(cpu[name])) for name in runs}


def warm_up(device: str) -> None:
    """Make a small estimate: what a process pays once, such as the import of torch, is no part of a time."""
    with warnings.catch_warnings(), with_steps("fast", 2):
        warnings.simplefilter("ignore", DipWarning)
        xr_dip.downscale(ocean((12, 12))[0], 4, members=2, preset="fast", device=device, progress=False)


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the median over the rounds of the ratio within a round."""
    return float(np.median(np.asarray(over) / np.asarray(under)))


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and those that it starts, on one core, so that members are fitted one after the other."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def with_steps(preset: str, steps: int | None) -> Iterator[None]:
    """Let a preset take so many steps; its own number if None."""
    if steps is None:
        yield
        return
    make = PRESETS[preset]
    with patch.dict(PRESETS, {preset: lambda factor: replace(make(factor), iterations=steps)}):
        yield


@dataclass(frozen=True)
class Line:
    """Seconds as a straight line in the number of steps: two runs that differ by their steps alone tell both numbers.

    Attributes
    ----------
    step : float
        Seconds of one step.
    rest : float
        Seconds of all else.
    """

    step: float
    rest: float

    def seconds(self, steps: float) -> float:
        """Return the seconds of a run of so many steps."""
        return self.rest + steps * self.step


def line(steps: Sequence[int], seconds: Sequence[float]) -> Line:
    """Return the line through two points."""
    slope = (seconds[1] - seconds[0]) / (steps[1] - steps[0])
    return Line(slope, seconds[0] - steps[0] * slope)


def ocean(cells: tuple[int, int], days: int = 1) -> xr.DataArray:
    """Return coarse fields (time, latitude, longitude) of so many cells, synthetic, in memory."""
    resolution = min(CELL_DEGREES, 100 / cells[0], 360 / cells[1])
    field = synthetic.gulf_stream(cells, times=days, resolution=resolution).ssh.astype(np.float64)
    return field if "time" in field.dims else field.expand_dims("time")
