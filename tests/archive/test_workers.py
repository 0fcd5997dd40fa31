"""One worker, two workers, a cluster that is there: the bits of a run without any."""

import os
import signal
from pathlib import Path

import dask
import distributed
import pytest
from archives import DAYS, assert_same_bits, assert_same_folders, coarse_days, files_of, opened, run

from xr_dip.archive import workers
from xr_dip.archive.chains import Chain
from xr_dip.archive.days import Day
from xr_dip.archive.summary import Outcome

PRESET = str(Path(__file__).parent / "tiny_preset.py")


@pytest.fixture
def cluster():
    """Two workers that are threads of this process and say that they have a GPU."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", resources={"GPU": 1}
    ) as cluster:
        yield cluster


def test_two_processes_make_the_same_files(tiny, tmp_path):
    paths = files_of(coarse_days(), tmp_path / "in")
    run(paths, tmp_path / "alone")
    with dask.config.set({"distributed.worker.preload": [PRESET]}):
        assert run(paths, tmp_path / "two", workers=2).done == DAYS
    (tmp_path / "alone" / "summary.json").write_text("")
    (tmp_path / "two" / "summary.json").write_text("")
    assert_same_folders(tmp_path / "alone", tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("icechunk", [False, True])
def test_processes_make_the_same_store(tiny, tmp_path, count, icechunk):
    run(coarse_days(), tmp_path / "out", zarr=tmp_path / "alone.zarr", icechunk=icechunk)
    with dask.config.set({"distributed.worker.preload": [PRESET]}):
        run(coarse_days(), tmp_path / "out", zarr=tmp_path / "workers.zarr", icechunk=icechunk, workers=count)
    assert_same_bits(opened(tmp_path / "alone.zarr"), opened(tmp_path / "workers.zarr"))


@pytest.mark.parametrize("icechunk", [False, True])
def test_a_cluster_makes_the_same_store(tiny, tmp_path, cluster, icechunk):
    series = coarse_days()
    series.ssh[1] = float("nan")
    alone = run(series, tmp_path / "out", zarr=tmp_path / "alone.zarr", icechunk=icechunk)
    options = {"zarr": tmp_path / "cluster.zarr", "icechunk": icechunk, "scheduler": cluster.scheduler_address}
    # A field on dask is computed by the worker that has it, not by the cluster.
    there = run(series.chunk(time=1), tmp_path / "out", **options)
    assert there.done == alone.done == [DAYS[0], DAYS[2]]
    assert there.failed == alone.failed == [DAYS[1]]
    assert_same_bits(opened(tmp_path / "alone.zarr"), opened(tmp_path / "cluster.zarr"))


class Marked:
    """Work that says where and with what it was done, or dies."""

    def __init__(self, device="auto"):
        self.job = type("Job", (), {"variable": "ssh", "options": {"device": device}})

    def __call__(self, chain):
        if chain.label == "bad":
            raise SystemError("no memory")
        return [(Outcome(day.label, "done"), None) for day in chain.pending]


def test_days_are_handed_out_until_all_are_done(cluster):
    days = [*(Day(str(number)) for number in range(9)), Day("bad"), Day("worse"), Day("done")]
    chains = [
        *(Chain((day,)) for day in days[:5]),
        Chain(tuple(days[5:9])),
        Chain(tuple(days[9:]), frozenset(["done"])),
    ]
    with distributed.Client(cluster, set_as_default=False) as client:
        answers = list(workers._on_cluster(chains, Marked(), client, {}))
    assert sorted(outcome.label for outcome, _ in answers) == sorted(day.label for day in days[:-1])
    failed = [(outcome.label, outcome.reason) for outcome, _ in answers if outcome.status == "failed"]
    assert failed == [("bad", "error: no memory"), ("worse", "error: no memory")]


class Deadly(Marked):
    """Work that once ends its worker, as a machine without memory does."""

    def __init__(self, mark):
        super().__init__()
        self.mark = mark

    def __call__(self, chain):
        if not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(chain)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_no_day_is_lost(tmp_path):
    days = [Day(str(number)) for number in range(4)]
    chains = [Chain((day,)) for day in days]
    answers = list(workers.work_on(chains, Deadly(tmp_path / "mark"), workers=1, scheduler=None))
    assert sorted((outcome.label, outcome.status) for outcome, _ in answers) == [(day.label, "done") for day in days]


def test_a_gpu_is_asked_for_where_there_is_one_and_it_is_used(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        assert workers._resources(client, Marked()) == {"GPU": 1}
        assert workers._resources(client, Marked("cpu")) is None


def test_a_scheduler_that_is_not_there_is_named(tiny, tmp_path):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(
            ConnectionError, match=r"Invalid scheduler 'tcp://127.0.0.1:9'. It must be that of a running cluster"
        ),
    ):
        run(coarse_days(), tmp_path / "out", scheduler="tcp://127.0.0.1:9")


def test_processors_are_shared_out_evenly(monkeypatch):
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4}, raising=False)
    assert workers._shares(2) == {0: {0, 2, 4}, 1: {1, 3}}
    assert workers._shares(9) == {number: {number} for number in range(5)}
    monkeypatch.delattr(workers.os, "sched_getaffinity")
    assert workers._shares(2) == {}
