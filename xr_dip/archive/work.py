"""Days from their files to their places in the output, with what became of each; no day can stop the others."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import xarray as xr

from xr_dip.archive.chains import Chain
from xr_dip.archive.days import UNREADABLE, Day
from xr_dip.archive.job import Job
from xr_dip.archive.summary import Outcome, known_mean
from xr_dip.errors import DipWarning
from xr_dip.relay import Relay

# What a field that cannot be downscaled makes of itself, besides: numbers, memory.
BAD = (*UNREADABLE, ArithmeticError, MemoryError)


Answer = tuple[Outcome, xr.Dataset | None]


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
    """Solve the days of a chain, one after the other, and write them, where any process may write.

    Attributes
    ----------
    job : Job
    output : Output
    """

    job: Job
    output: Output

    def __call__(self, chain: Chain) -> Iterator[Answer]:
        """Yield what became of each day to do, and the result if it is for the caller to write.

        A day that fails is a gap: the next begins from nothing.
        """
        relay = Relay()
        for day in chain.days:
            outcome, result = solve(self.job, day, relay if len(chain.days) > 1 else None)
            if result is None:
                relay = Relay()
            if day.label in chain.done:
                continue
            if result is not None and self.output.shared:
                outcome, result = write(self.output, outcome, result), None
            yield outcome, result
            if outcome.status == "unwritten":
                return


def solve(job: Job, day: Day, relay: Relay | None = None) -> Answer:
    """Downscale a day, whatever it holds.

    Parameters
    ----------
    job : Job
    day : Day
    relay : Relay, optional
        From the day before, and for the next.

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
            result = job.solve(day, relay)
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
