"""What an archive will cost, from a few fits of one of its days on this machine."""

from __future__ import annotations

import importlib
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from xr_dip.archive.days import Day
from xr_dip.archive.job import Job
from xr_dip.archive.work import BAD
from xr_dip.combination import DRAWS
from xr_dip.errors import DipWarning
from xr_dip.threads import cores


@dataclass(frozen=True)
class Cost:
    """What a run would cost.

    Attributes
    ----------
    days, fits : int
    seconds_per_day : float
        On one worker. Warm starts, which are several times faster, are not counted.
    seconds : float
        Of the whole run.
    memory : int
        Bytes that the workers need together for the ensembles, the least that a machine must have to spare.
    disk : int
        Bytes of the output, before compression.

    Examples
    --------
    >>> Cost(365, 3650, 20.0, 3650.0, 43_000_000, 876_000_000).rows()["time"]
    '1.0 h'
    """

    days: int
    fits: int
    seconds_per_day: float
    seconds: float
    memory: int
    disk: int

    def rows(self) -> dict[str, str]:
        """Return the lines of a table."""
        return {
            "days to do": str(self.days),
            "fits": str(self.fits),
            "time of a day": _duration(self.seconds_per_day),
            "time": _duration(self.seconds),
            "memory": _size(self.memory),
            "disk, uncompressed": _size(self.disk),
        }


def estimate_cost(job: Job, days: Sequence[Day], template: xr.Dataset, *, workers: int = 1) -> Cost:
    """Fit a few members to one day, twice where there are more, and scale: kriging is paid once, not for each fit.

    Parameters
    ----------
    job : Job
    days : sequence of Day
        Those to do.
    template : Dataset
        Result of a day, lazy.
    workers : int
        Processes that share this machine.

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        If no day can be downscaled.
    """
    readable = [day for day in days if not day.fault]
    if not readable:
        return Cost(0, 0, 0.0, 0.0, 0, 0)
    count = len(readable)
    gpu = importlib.import_module("xr_dip.recipe").find_device(job.options.get("device", "auto")) != "cpu"
    processes = min(workers, count)
    per_day = _time_a_day(job, readable, abreast=1 if gpu else max(1, cores() // processes))
    return Cost(
        days=count,
        fits=count * job.members * _tiles(template),
        seconds_per_day=per_day,
        seconds=per_day * -(-count // processes),
        # Draws, and a few copies of the members, in float64.
        memory=processes * 8 * (DRAWS + 5 * job.members) * _cells_at_once(job, template),
        disk=count * sum(variable.nbytes for variable in template.data_vars.values()),
    )


def _cells_at_once(job: Job, template: xr.Dataset) -> int:
    """Fine cells that one process estimates at one time: a day, or as many tiles as there are processors."""
    tile = job.expected["tile"]
    if tile is None:
        return max(variable.size for variable in template.data_vars.values())
    return int(cores() * math.prod(tile) * math.prod(job.expected["factor"]))


def _tiles(template: xr.Dataset) -> int:
    """Tiles of a day: the chunks of its largest variable."""
    largest = max(template.data_vars.values(), key=lambda variable: variable.size)
    return math.prod(len(sizes) for sizes in largest.chunks or ())


def _time_a_day(job: Job, days: Sequence[Day], abreast: int) -> float:
    """Seconds of the first day that works: of a round of members side by side, and more for each further round."""
    importlib.import_module("xr_dip.estimate")  # its import is paid once, not every day
    rounds = -(-job.members // abreast)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # that one member has no spread
        for day in days:
            try:
                first = _time(job, day, min(abreast, job.members))
                further = _time(job, day, 2 * abreast) - first if rounds > 1 else 0.0
            except BAD:
                continue
            return first + (rounds - 1) * max(0.0, further)
    raise ValueError(f"Invalid source. It must have a day that can be downscaled; none of {len(days)} can.")


def _time(job: Job, day: Day, members: int) -> float:
    begin = time.perf_counter()
    job.solve(day, members=members)
    return time.perf_counter() - begin


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _size(count: int) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.1f} kB"
