"""Chains of days on several processes: those of this machine, or those of a dask cluster that is there already.

The same path serves both. The work reaches each worker once, also one that is restarted, and chains are handed out
as workers become free.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from xr_dip.archive.chains import Chain
from xr_dip.archive.summary import Outcome
from xr_dip.archive.work import Answer, Work
from xr_dip.progress import import_quietly

# Chains handed out for each thread: the next is there when one is done.
AHEAD = 2


def work_on(chains: Iterable[Chain], work: Work, *, workers: int | None, scheduler: str | None) -> Iterator[Answer]:
    """Work on chains of days, here or on workers.

    Parameters
    ----------
    chains : iterable of Chain
    work : Work
    workers : int or None
        Processes on this machine; None works in this one.
    scheduler : str or None
        Address of a dask scheduler.

    Yields
    ------
    outcome : Outcome
        Of each day, as they come.
    result : Dataset or None
        What is for the caller to write.

    Examples
    --------
    >>> from xr_dip.archive.days import Day
    >>> broken = Day("a.nc", fault="no NetCDF")
    >>> [(outcome, _)] = work_on([Chain((broken,))], Work(None, None), workers=None, scheduler=None)
    >>> outcome.status, outcome.reason
    ('failed', 'no NetCDF')
    """
    if workers is None and scheduler is None:
        yield from itertools.chain.from_iterable(map(work, chains))
        return
    shares = {} if scheduler else _shares(workers or 1)
    with _client(workers, scheduler) as client:
        yield from _on_cluster(chains, work, client, shares)


def check_workers(workers: int | None, scheduler: str | None) -> None:
    """Refuse numbers and combinations that mean nothing.

    Parameters
    ----------
    workers : int or None
    scheduler : str or None

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_workers(2, None)
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise ValueError(f"Invalid workers {workers!r}. It must be a whole number of at least 1, or None.")
    if workers is not None and scheduler is not None:
        raise ValueError(f"Invalid workers {workers} with the scheduler {scheduler!r}. It must be one of the two.")


@contextmanager
def _client(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    """Connect to a cluster; nobody else's dask computations go there."""
    distributed = import_quietly("distributed")
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"Invalid scheduler {scheduler!r}. It must be that of a running cluster: {error}"
            ) from error
        with client:
            yield client
        return
    with (
        distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _on_cluster(chains: Iterable[Chain], work: Work, client: Any, shares: Mapping[Any, set[int]]) -> Iterator[Answer]:
    distributed = import_quietly("distributed")
    name = f"xr_dip-{uuid.uuid4()}"
    client.register_plugin(_plugin(work, shares), name=name)
    wanted = _resources(client, work)
    coming = iter(chains)
    handed: dict[str, Chain] = {}

    def submit(count: int) -> list[Any]:
        futures = []
        for chain in itertools.islice(coming, count):
            alone = chain.alone(work.job.variable)
            future = client.submit(_run, name, alone, pure=False, key=f"{name}-{chain.label}", resources=wanted)
            handed[future.key] = chain
            futures.append(future)
        return futures

    try:
        client.wait_for_workers(1)
        running = distributed.as_completed(submit(AHEAD * _threads(client)), loop=client.loop)
        for future in running:
            yield from _answers(future, handed[future.key])
            # Workers may come and go.
            running.update(submit(max(1, AHEAD * _threads(client) - running.count())))
    finally:
        client.unregister_worker_plugin(name)


def _threads(client: Any) -> int:
    return int(sum(client.nthreads().values()))


def _answers(future: Any, chain: Chain) -> list[Answer]:
    """Return the results of a chain; days whose worker died again and again have failed."""
    if future.status == "finished":
        answers: list[Answer] = future.result()
        return answers
    error = future.exception() if future.status == "error" else None
    reason = " ".join(f"{future.status}: {error or 'its worker is gone'}".split())
    return [(Outcome(day.label, "failed", reason=reason), None) for day in chain.pending]


def _plugin(work: Work, shares: Mapping[Any, set[int]]) -> Any:
    """Make what each worker keeps; made here, so that distributed is not imported with the package."""
    plugin = import_quietly("distributed").WorkerPlugin()
    plugin.work, plugin.shares = work, shares
    return plugin


def _run(name: str, chain: Chain) -> list[Answer]:
    """Work on a chain, on a worker."""
    worker = import_quietly("distributed").get_worker()
    plugin = worker.plugins[name]
    share = plugin.shares.get(worker.name)
    if share:
        # Fits run side by side on all processors that their thread may use, see `xr_dip.fitting.ensemble.cores`.
        os.sched_setaffinity(0, share)
    return list(plugin.work(chain))


def _shares(workers: int) -> dict[int, set[int]]:
    """Divide the processors among workers, by their number; nothing where that cannot be."""
    if not hasattr(os, "sched_getaffinity"):
        return {}
    processors = sorted(os.sched_getaffinity(0))
    return {number: set(processors[number::workers]) for number in range(min(workers, len(processors)))}


def _resources(client: Any, work: Work) -> dict[str, float] | None:
    """One GPU for each chain, where workers say that they have one."""
    described = client.scheduler_info(n_workers=-1)["workers"].values()
    has_gpu = any("GPU" in worker.get("resources", {}) for worker in described)
    return {"GPU": 1} if has_gpu and work.job.options.get("device", "auto") != "cpu" else None
