"""The days of an archive: which time steps of which files belong to each.

A day is the unit of work: one time step, or all steps of one date where daily means are asked for. What it is does not
depend on what else is in the archive.
"""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask
import xarray as xr

from xr_dip.archive.clock import label_of, open_clocked
from xr_dip.archive.daily_mean import daily_mean_of, start_of_day

PathLike = str | os.PathLike[str]
Source = PathLike | list[PathLike] | xr.Dataset
# What a file that cannot be read, or does not hold what it should, makes of itself.
UNREADABLE = (OSError, ValueError, TypeError, RuntimeError, KeyError, IndexError)


@dataclass(frozen=True, eq=False)
class Steps:
    """Time steps of one source.

    Attributes
    ----------
    source : Path or Dataset
    indices : tuple of int
    """

    source: Path | xr.Dataset
    indices: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Day:
    """One unit of work.

    Attributes
    ----------
    label : str
        Its time stamp as part of a file name, ``2009-07-01`` or ``2009-07-01T1200``; the path of an unreadable file.
    time : datetime64 or cftime date
        None for an unreadable file.
    steps : tuple of Steps
    mean : bool
        Whether the steps are averaged.
    fault : str
        Why there is nothing to read.
    """

    label: str
    time: Any = None
    steps: tuple[Steps, ...] = ()
    mean: bool = False
    fault: str = ""

    def alone(self, variable: str) -> Day:
        """Return the day with its own part of a Dataset only: what travels to a worker."""
        return replace(self, steps=tuple(_part(step, variable) for step in self.steps))


def find_days(source: Source, variable: str, *, daily_mean: bool = False) -> list[Day]:
    """List the days of an archive in the order of time; files that cannot be read come last, with their fault.

    Parameters
    ----------
    source : path, pattern such as ``"data/*.nc"``, list of paths, or Dataset
    variable : str
        The field, with one time dimension or, in a file of one day, a scalar time.
    daily_mean : bool
        Average the steps of each date.

    Returns
    -------
    list of Day

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If nothing can be read, or a time stamp is there twice.

    Examples
    --------
    >>> import numpy as np
    >>> hours = xr.date_range("2020-01-01", periods=4, freq="12h", unit="ns")
    >>> ds = xr.Dataset({"ssh": (("time", "x"), np.zeros((4, 2)))}, {"time": hours})
    >>> [day.label for day in find_days(ds, "ssh")]
    ['2020-01-01', '2020-01-01T1200', '2020-01-02', '2020-01-02T1200']
    >>> [day.label for day in find_days(ds, "ssh", daily_mean=True)]
    ['2020-01-01', '2020-01-02']
    """
    single: list[Day] = []
    faults: list[Day] = []
    for place in _places(source):
        try:
            single += _steps(place, variable)
        except UNREADABLE as error:
            if isinstance(place, xr.Dataset):
                raise
            faults.append(Day(str(place), fault=" ".join(str(error).split())))
    if not single:
        first = f": {faults[0].label}: {faults[0].fault}" if faults else ", not even one."
        raise ValueError(f"Invalid source. It must have days of {variable!r}; there are none{first}")
    single.sort(key=lambda day: day.label)
    _refuse_twins(single)
    return [*(_by_date(single) if daily_mean else single), *faults]


@contextmanager
def open_day(day: Day, variable: str, *, lazy: bool = False) -> Iterator[xr.Dataset]:
    """Open a day as a Dataset whose field has one time; it is loaded by whoever uses it.

    Parameters
    ----------
    day : Day
    variable : str
    lazy : bool
        Do not read the field: its values may be those of a damaged file.

    Yields
    ------
    Dataset

    Raises
    ------
    OSError, ValueError, ...
        Whatever a source says that cannot be read.

    Examples
    --------
    >>> days = xr.date_range("2020-01-01", periods=2, unit="ns")
    >>> series = xr.Dataset({"ssh": (("time", "x"), [[0.0, 1.0], [2.0, 3.0]])}, {"time": days})
    >>> with open_day(find_days(series, "ssh")[1], "ssh") as dataset:
    ...     dataset.ssh.values
    array([[2., 3.]])
    """
    # Within a task of a cluster dask would otherwise wait for the worker that it occupies.
    with ExitStack() as stack, dask.config.set(scheduler="synchronous"):
        parts = []
        for step in day.steps:
            dataset, clock = stack.enter_context(open_clocked(step.source, variable))
            part = dataset.isel({clock.dim: list(step.indices)})
            parts.append(part.assign({variable: part[variable].chunk()}) if lazy else part)
        yield daily_mean_of(parts, variable, clock) if day.mean else parts[0]


def _places(source: Source) -> list[Path | xr.Dataset]:
    """List the files of a source, each once, or the Dataset that it is."""
    if isinstance(source, xr.Dataset):
        return [source]
    entries = source if isinstance(source, list) else [source]
    paths = {}
    for entry in entries:
        text = os.fspath(entry)
        found = sorted(glob.glob(text, recursive=True)) if glob.has_magic(text) else [text]
        if not found or not all(os.path.exists(path) for path in found):
            raise FileNotFoundError(f"Invalid source '{text}'. It must be a file or a pattern of files that exist.")
        paths.update(dict.fromkeys(map(os.path.abspath, found)))
    return [Path(path) for path in paths]


def _steps(place: Path | xr.Dataset, variable: str) -> list[Day]:
    """List the time steps of one source, each a day of its own."""
    with open_clocked(place, variable) as (dataset, clock):
        times = dataset[clock.name].values
    return [Day(label_of(time), time, (Steps(place, (index,)),)) for index, time in enumerate(times)]


def _refuse_twins(days: list[Day]) -> None:
    for one, other in itertools.pairwise(days):
        if one.label == other.label:
            places = sorted({str(day.steps[0].source) for day in (one, other) if isinstance(day.steps[0].source, Path)})
            where = f" in {places}" if places else ""
            raise ValueError(f"Invalid source with the time {one.label} twice{where}. Each time must be there once.")


def _by_date(single: list[Day]) -> list[Day]:
    """Gather time steps, in the order of time, by their date."""
    dates: dict[str, list[Day]] = {}
    for step in single:
        dates.setdefault(step.label[: len("2009-07-01")], []).append(step)
    return [Day(label, start_of_day(steps[0].time), _joined(steps), mean=True) for label, steps in dates.items()]


def _joined(days: list[Day]) -> tuple[Steps, ...]:
    """Join the steps of each source."""
    found: dict[int, Steps] = {}
    for day in days:
        [step] = day.steps
        key = id(step.source)
        earlier = found[key].indices if key in found else ()
        found[key] = Steps(step.source, earlier + step.indices)
    return tuple(found.values())


def _part(step: Steps, variable: str) -> Steps:
    if isinstance(step.source, Path):
        return step
    with open_clocked(step.source, variable) as (dataset, clock):
        return Steps(dataset.isel({clock.dim: list(step.indices)}), tuple(range(len(step.indices))))


def count_steps(days: Iterable[Day]) -> dict[str, int]:
    """Count the time steps of each day.

    Parameters
    ----------
    days : iterable of Day

    Returns
    -------
    dict of str to int
        By label, without unreadable files.

    Examples
    --------
    >>> count_steps([Day("2020-01-01", None, (Steps(Path("a.nc"), (0, 1)),))])
    {'2020-01-01': 2}
    """
    return {day.label: sum(len(step.indices) for step in day.steps) for day in days if not day.fault}
