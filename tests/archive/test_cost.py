"""What a dry run says: closed forms of a day whose kriging and fits take known times."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import xarray as xr

from xr_dip.archive import cost
from xr_dip.archive.days import Day

KRIGING, ROUND = 7.0, 2.0


@dataclass
class Clock:
    """Time that passes only while somebody works."""

    now: float = 0.0

    def perf_counter(self):
        return self.now


@dataclass
class FakeJob:
    """A day costs seven seconds, and two for each round of three members."""

    clock: Clock
    members: int
    tile: list | None = None
    options: dict = field(default_factory=lambda: {"device": "cpu"})

    @property
    def expected(self):
        return {"tile": self.tile, "factor": [4, 5]}

    def solve(self, day, members):
        self.clock.now += KRIGING + ROUND * math.ceil(members / 3)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(cost, "time", clock)
    monkeypatch.setattr(cost, "cores", lambda: 3)
    return clock


def template(chunks=None):
    return xr.Dataset({"ssh_mean": (("y", "x"), np.zeros((80, 100), dtype="f4"))}).chunk(chunks or {})


@pytest.mark.parametrize("members", [1, 3, 4, 10, 31])
def test_kriging_is_paid_once_and_each_round_of_fits_once(members, clock):
    found = cost.estimate_cost(FakeJob(clock, members), [Day("a"), Day("b")], template())
    assert found.seconds_per_day == KRIGING + ROUND * math.ceil(members / 3)
    assert found.seconds == 2 * found.seconds_per_day
    assert found.fits == 2 * members
    assert found.memory == 8 * (cost.DRAWS + 5 * members) * 8000


def test_tiles_are_counted_and_bound_the_memory(clock):
    job = FakeJob(clock, 2, tile=[10, 10])
    found = cost.estimate_cost(job, [Day("a")], template({"y": 40, "x": 50}))
    assert found.fits == 8
    assert found.memory == 8 * (cost.DRAWS + 10) * 3 * 10 * 10 * 20


def test_workers_share_days_and_processors(clock):
    # One processor each: three members are three rounds for it, of which the clock tells the first and the second.
    found = cost.estimate_cost(FakeJob(clock, 6), [Day(label) for label in "abc"], template(), workers=3)
    assert found.seconds == found.seconds_per_day
    assert found.seconds_per_day == KRIGING + ROUND  # members 1 and 2 are in one round of the fake day
    assert found.memory == 3 * 8 * (cost.DRAWS + 30) * 8000
