"""A day from its file to its place in the output, with what became of it; no day can stop the others."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import Protocol

import xarray as xr

from xr_dip.archive.days import UNREADABLE, Day
from xr_dip.archive.job import Job
from xr_dip.archive.summary import Outcome, known_mean
from xr_dip.errors import DipWarning

# What a field that cannot be downscaled makes of itself, besides: numbers, memory.
BAD = (*UNREADABLE, ArithmeticError, MemoryError)


class Output(Protocol):
    """Where days are written to."""

    @property
    def shared(self) -> bool:
        """Whether several processes may write days at one time."""
        ...

    def write(self, label: str, result: xr.Dataset) -> None:
        """Write a day, whole or not at all."""
        ...


@dataclass(frozen=True, eq=False)
class Work:
    """Solve a day and write it, where any process may write.

    Attributes
    ----------
    job : Job
    output : Output
    """

    job: Job
    output: Output

    def __call__(self, day: Day) -> tuple[Outcome, xr.Dataset | None]:
        """Return what became of a day, and the result if it is for the caller to write."""
        outcome, result = solve(self.job, day)
        if result is None or not self.output.shared:
            return outcome, result
        return write(self.output, outcome, result), None


def solve(job: Job, day: Day) -> tuple[Outcome, xr.Dataset | None]:
    """Downscale a day, whatever it holds.

    Parameters
    ----------
    job : Job
    day : Day

    Returns
    -------
    outcome : Outcome
    result : Dataset or None
        None if the day failed.

    See Also
    --------
    xr_dip.archive.job.make_job : where jobs come from.
    """
    if day.fault:
        return Outcome(day.label, "failed", reason=day.fault), None
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DipWarning)
        try:
            result = job.solve(day)
        except BAD as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            return Outcome(day.label, "failed", time.perf_counter() - begin, reason=reason), None
    said = tuple(dict.fromkeys(str(entry.message) for entry in caught if issubclass(entry.category, DipWarning)))
    outcome = Outcome(
        day.label,
        "done",
        time.perf_counter() - begin,
        float(abs(result.conservation_error).max()),
        known_mean(result.predicted_rmse.values.ravel().tolist()),
        warnings=said,
    )
    return outcome, result


def write(output: Output, outcome: Outcome, result: xr.Dataset) -> Outcome:
    """Write a day.

    Parameters
    ----------
    output : Output
    outcome : Outcome
        Of `solve`.
    result : Dataset

    Returns
    -------
    Outcome
        Its time grown, or "unwritten" with the reason.
    """
    begin = time.perf_counter()
    try:
        output.write(outcome.label, result)
    except (OSError, RuntimeError) as error:  # netCDF-C reports a full disk as a RuntimeError
        return replace(outcome, status="unwritten", reason=" ".join(str(error).split()))
    return replace(outcome, seconds=outcome.seconds + time.perf_counter() - begin)
