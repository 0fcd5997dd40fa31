"""Days of a lazy series on one and on two worker processes of dask, one thread and one core each.

Both clusters are up, each worker has done a day before the clock begins, and the series runs on them in turn. Workers
are held on one core each, as those of an archive are: members of a day would else run side by side on all cores, also
with one worker. The same series done by the two workers at once, each all of it, tells what the machine itself loses
when both of its cores work.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from cases import Record, number
from tables import show, table
from timing import ocean, race, times_of

import xr_dip

FACTOR, PRESET, MEMBERS = 16, "fast", 2
CELLS, QUICK_CELLS = 16, 8
DAYS, QUICK_DAYS = 16, 2
AIM = 0.9
ONE, TWO, BOTH = "one worker", "two workers", "two workers, each the whole series"


def measure(options: argparse.Namespace) -> list[Record]:
    """Return one record."""
    cells, days = (QUICK_CELLS, QUICK_DAYS) if options.quick else (CELLS, options.days or DAYS)
    factor = (options.factors or (FACTOR,))[0]
    series = [_lazy(cells, days, factor, options.seed + number) for number in range(2)]
    with ExitStack() as stack:
        one, two = (_start(stack, count) for count in (1, 2))
        for client in (one, two):
            _warm_up(client, series[0])
        times = race(
            {
                ONE: partial(_compute, one, series[:1]),
                TWO: partial(_compute, two, series[:1]),
                BOTH: partial(_compute, two, series, apart=True),
            },
            options.rounds,
        )
    seconds = {name: found.record() for name, found in times.items()}
    known = {"cells": cells, "factor": factor, "days": days, "method": PRESET, "members": MEMBERS}
    return [{**known, "seconds": seconds, "cores": len(processors())}]


def _lazy(cells: int, days: int, factor: int, seed: int) -> xr.Dataset:
    coarse = ocean((cells, cells), days).chunk(time=1)
    return xr_dip.downscale(coarse, factor, members=MEMBERS, preset=PRESET, seed=seed, device="cpu", progress=False)


def _start(stack: ExitStack, workers: int) -> Any:
    """Return a client of a fresh cluster, each of its workers on a core of its own."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
    client = stack.enter_context(Client(stack.enter_context(cluster), set_as_default=False))
    client.wait_for_workers(workers)
    known = processors()
    for place, address in enumerate(sorted(client.scheduler_info(n_workers=-1)["workers"])):
        client.run(hold, known[place % len(known)], workers=[address])
    return client


def processors() -> list[int]:
    """Return the processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def hold(processor: int) -> None:
    """Keep all threads of this process, and those that they start, on one processor."""
    if hasattr(os, "sched_setaffinity"):
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), {processor})


def _warm_up(client: Any, series: xr.Dataset) -> None:
    """Let every worker do a day: imports are paid once."""
    day = series.isel(time=slice(1))
    addresses = sorted(client.scheduler_info(n_workers=-1)["workers"])
    for address in addresses:
        client.gather(client.compute(day, workers=[address]))
        _wait_until_forgotten(client)


def _compute(client: Any, series: Sequence[xr.Dataset], apart: bool = False) -> None:
    """Compute every series, each by a worker of its own if they are to be apart."""
    addresses = sorted(client.scheduler_info(n_workers=-1)["workers"])
    places = [{"workers": [addresses[place]]} if apart else {} for place in range(len(series))]
    futures = [client.compute(_small(some), **place) for some, place in zip(series, places, strict=True)]
    client.gather(futures)
    for future in futures:
        future.release()
    _wait_until_forgotten(client)


def _wait_until_forgotten(client: Any) -> None:
    """Wait until the scheduler holds no result, for the next round must not find those of this one."""
    while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
        time.sleep(0.01)


def _small(series: xr.Dataset) -> Any:
    """Return a few numbers that need all of a series: what a worker writes to a file does not go through the client."""
    return series[["ssh_mean", "ssh_std"]].mean(["latitude", "longitude"])


def efficiency(record: Record, name: str = TWO) -> float:
    """Return the share of two workers' time that one of twice their speed would need: 1 if nothing is lost."""
    seconds: Any = record["seconds"]
    one, other = (np.asarray(times_of(seconds, key).wall) for key in (ONE, name))
    work = 1 if name == TWO else 2
    return float(np.median(work * one / (2 * other)))


def sections(records: Sequence[Record]) -> list[str]:
    """Return the table."""
    if not records:
        return []
    record = records[0]
    seconds: Any = record["seconds"]
    days, found = number(record, "days"), efficiency(record)
    rows = [
        [
            name,
            show(times_of(seconds, name).median, 1),
            show(3600 * (2 if name == BOTH else 1) * days / times_of(seconds, name).median, 0),
            "1" if name == ONE else show(efficiency(record, name), 2),
        ]
        for name in (ONE, TWO, BOTH)
    ]
    text = (
        f"{days:.0f} days of {record['cells']} x {record['cells']} coarse cells, x{record['factor']}, `{PRESET}`, "
        f"{MEMBERS} members; `LocalCluster` with one thread per worker, each worker on one core. Efficiency: half of "
        "the time of one worker over that of two. The last line has two copies of the series, one for each worker: "
        "what it lacks to 1 is lost by the machine and not by dask."
    )
    verdict = f"- Efficiency {found:.2f}: aim {AIM:g}, {'reached' if found >= AIM else 'not reached'}."
    return ["## Workers of dask", text, table(["", "s", "days per hour", "efficiency"], rows), verdict]
