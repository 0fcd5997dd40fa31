"""Chains of days: what is done one day after the other, on one worker, where each day begins from the one before.

A chain has a fixed length and ends at a gap in time, so that a result depends neither on workers nor on shards. Without
warm starts each day is a chain by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any

import numpy as np

from xr_dip.archive.days import Day

LENGTH = 30
# Times the usual step: months differ less, and a day that is missing is more.
LARGEST_STEP = 1.5


def chain_length(chain: Any, *, warm_start: bool) -> int:
    """Return the days of a chain.

    Parameters
    ----------
    chain : int or None
        As asked for; None for the usual 30.
    warm_start : bool
        Whether days begin from one another; else each is a chain by itself.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no whole number of at least 1, or is asked for without warm starts.

    Examples
    --------
    >>> chain_length(None, warm_start=True), chain_length(10, warm_start=True), chain_length(None, warm_start=False)
    (30, 10, 1)
    """
    if chain is None:
        return LENGTH if warm_start else 1
    if isinstance(chain, bool) or not isinstance(chain, int) or chain < 1:
        raise ValueError(f"Invalid chain {chain!r}. It must be a whole number of days, at least 1.")
    if not warm_start:
        raise ValueError(f"Invalid chain {chain} without warm_start. It must be left out: only warm days have chains.")
    return chain


@dataclass(frozen=True, eq=False)
class Chain:
    """Days that follow one another.

    Attributes
    ----------
    days : tuple of Day
        The first begins from nothing.
    done : frozenset of str
        Labels of days whose results are there: computed again only where a later day needs them.

    Examples
    --------
    >>> chain = Chain((Day("a"), Day("b"), Day("c")))
    >>> [day.label for day in chain.to_do({"a", "c"}).days]
    ['a', 'b']
    """

    days: tuple[Day, ...]
    done: frozenset[str] = field(default_factory=frozenset)

    @property
    def label(self) -> str:
        """That of the first day."""
        return self.days[0].label

    @property
    def pending(self) -> list[Day]:
        """Days to write."""
        return [day for day in self.days if day.label not in self.done]

    def to_do(self, finished: Collection[str]) -> Chain:
        """Return the chain up to the last day that is not finished; without days if all are."""
        done = frozenset(day.label for day in self.days if day.label in finished)
        last = max((index for index, day in enumerate(self.days) if day.label not in done), default=-1)
        return Chain(self.days[: last + 1], done)

    def alone(self, variable: str) -> Chain:
        """Return the chain with its own parts of a Dataset only: what travels to a worker."""
        return replace(self, days=tuple(day.alone(variable) for day in self.days))


def make_chains(days: Sequence[Day], length: int) -> list[Chain]:
    """Divide days into chains.

    Parameters
    ----------
    days : sequence of Day
        All of the archive, in the order of time, unreadable ones last.
    length : int
        Days of a chain, of `chain_length`; fewer before a gap and at the end: a gap is a step half as long again as the
        usual one. An unreadable file is a chain by itself.

    Returns
    -------
    list of Chain

    Examples
    --------
    >>> dates = np.array(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-09"], "datetime64[ns]")
    >>> days = [Day(str(date)[:10], date) for date in dates]
    >>> [chain.label for chain in make_chains(days, 2)]
    ['2020-01-01', '2020-01-03', '2020-01-09']
    """
    return [Chain(part) for run in _runs(days) for part in _parts(run, length)]


def _runs(days: Sequence[Day]) -> Iterator[list[Day]]:
    """Days between gaps."""
    dated = [day for day in days if day.time is not None]
    steps = [_seconds(later.time - earlier.time) for earlier, later in pairwise(dated)]
    largest = LARGEST_STEP * median_low(steps) if steps else 0.0
    run = dated[:1]
    for day, step in zip(dated[1:], steps, strict=True):
        if step > largest:
            yield run
            run = []
        run.append(day)
    yield run
    yield from ([day] for day in days if day.time is None)


def _seconds(step: Any) -> float:
    """Length of a step, of datetime64 or of cftime dates."""
    return float(step / (np.timedelta64(1, "s") if isinstance(step, np.timedelta64) else timedelta(seconds=1)))


def _parts(run: Sequence[Day], length: int) -> Iterator[tuple[Day, ...]]:
    return (tuple(run[start : start + length]) for start in range(0, len(run), length))
