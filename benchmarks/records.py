"""Records of finished cases in one JSON file: written after each case, so that a broken run goes on where it ended."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cases import Case, Record, number, run_case

from xr_dip.cf.netcdf import whole_file

DIGITS = 7
"""Of the numbers in a file of records, which has one record on a line."""


@dataclass(frozen=True)
class Job:
    """A case to run, where, and the file of its picture if it has one."""

    case: Case
    device: str
    picture: Path | None = None

    def is_done(self, store: Store) -> bool:
        """Tell whether the record is there, and the picture if one is wanted."""
        return self.case.key in store and (self.picture is None or self.picture.exists())

    def run(self) -> list[Record]:
        """Return the record of the case, and draw its picture."""
        record, result, twin = run_case(self.case, device=self.device)
        if self.picture is not None:
            from pictures import draw_case

            draw_case(self.case, result, twin, self.picture)
        return [record]

    def __str__(self) -> str:
        """Show the case."""
        return str(self.case)


class Work(Protocol):
    """What all jobs look like: one or more records, of which `is_done` knows whether they are there."""

    @property
    def device(self) -> str:
        """As in `xr_dip.downscale`."""

    def is_done(self, store: Store) -> bool:
        """Tell whether there is nothing to run."""

    def run(self) -> list[Record]:
        """Return the records."""


class Store:
    """Records by the key of their case, in a file that is whole at any time.

    Parameters
    ----------
    path : Path
        JSON; read if it exists.
    fresh : bool
        Run cases that have a record again; what is there of others is kept.
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self.path = path
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        self.records: dict[str, Record] = {record["key"]: record for record in known}
        self._old = set(self.records) if fresh else set()

    def __contains__(self, key: str) -> bool:
        return key in self.records and key not in self._old

    def add(self, record: Record) -> None:
        """Keep a record and write the file anew."""
        self.records[str(record["key"])] = record
        self._old.discard(str(record["key"]))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        ordered = sorted(self.records.values(), key=lambda record: json.dumps(_place(record)))
        lines = ",\n".join(json.dumps(_rounded(record)) for record in ordered)
        with whole_file(self.path) as partial:
            partial.write_text(f"[\n{lines}\n]\n", encoding="utf-8")

    def of(self, cases: Iterable[Case]) -> list[Record]:
        """Return the records of those cases that have one, in their order."""
        return [self.records[case.key] for case in cases if case.key in self.records]


def _rounded(value: object) -> object:
    """Round numbers to the digits that mean something, within whatever holds them."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _place(record: Record) -> list[object]:
    return [record[name] for name in ("field", "factor", "noise", "method", "key")]


def run_jobs(jobs: Sequence[Work], store: Store, processes: int) -> list[str]:
    """Run the jobs that are not done, and return what failed.

    Parameters
    ----------
    jobs : list of Job or of others like it
    store : Store
        Gets the records.
    processes : int
        With 1 in this process, its fits side by side on all cores; with more, each process on one core of its own.

    Returns
    -------
    list of str
        One line for each case that raised an error; it has no record and runs again next time.
    """
    waiting = [job for job in jobs if not job.is_done(store)]
    print(f"{len(jobs) - len(waiting)} of {len(jobs)} cases are done, {len(waiting)} to run", flush=True)
    failures = []
    with _runner(processes) as results:
        for count, (records, failure) in enumerate(results(waiting), start=1):
            if failure is not None:
                failures.append(failure)
                print(f"[{count}/{len(waiting)}] FAILED {failure}", flush=True)
            for record in records:
                store.add(record)
                print(f"[{count}/{len(waiting)}] {_line(record)}", flush=True)
    return failures


def _line(record: Record) -> str:
    what = " ".join(str(record[name]) for name in ("field", "factor", "method", "noise"))
    return f"{what}: rmse {number(record, 'rmse'):.3g}, {number(record, 'seconds'):.1f} s"


@contextmanager
def _runner(processes: int) -> Iterator:
    """Yield a function from jobs to their results as they end."""
    if processes == 1:
        yield lambda jobs: map(_run, jobs)
        return
    # read by the libraries of the new processes when they start
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_take_core) as pool:
        yield lambda jobs: pool.imap_unordered(_run, jobs)


def _take_core() -> None:
    """Keep this process on one core: the fits of an ensemble run side by side on as many cores as it may use."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        worker = int(multiprocessing.current_process().name.rpartition("-")[2])
        os.sched_setaffinity(0, {allowed[worker % len(allowed)]})


def _run(job: Work) -> tuple[list[Record], str | None]:
    """Run one job; an error of it is a result like any other, and told at the end."""
    try:
        records = job.run()
    except (ValueError, RuntimeError, ArithmeticError) as error:
        return [], f"{job}: {error}"
    return [{**record, "machine": machine(job.device)} for record in records], None


def machine(device: str) -> str:
    """Name the processor, the cores that this process may use, and the device if it is no CPU."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = "1 core" if cores == 1 else f"{cores} cores"
    return f"{_processor()}, {count}" + ("" if device == "cpu" else f", {device}")


def _processor() -> str:
    """Name of the processor: that of Linux, which Python does not tell, or else Python's."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
