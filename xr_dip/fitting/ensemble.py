"""From one seed to many members: each fitted from its own explicit seed, side by side, one thread each."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain

import torch

from xr_dip.fitting.batch import Job
from xr_dip.fitting.batched import batches, fit_together
from xr_dip.fitting.fit import Fit, FitConfig, FitError, fit
from xr_dip.fitting.learned import Learned
from xr_dip.fitting.problem import Problem
from xr_dip.fitting.stopping import StopRule
from xr_dip.generators.base import Generator
from xr_dip.threads import cores

MemberFactory = Callable[[int], Callable[[], Generator]]


# Fits of this process that run at one time, whatever asks for them: dask threads share the processors too.
_SEATS = threading.BoundedSemaphore(cores())
_ONE_ON_THE_GPU = threading.Lock()
_THREADS = torch.get_num_threads()


def derive_seed(seed: int, *labels: int) -> int:
    """Return a seed that depends on all of the labels, and on nothing else.

    Parameters
    ----------
    seed : int
        The seed of the whole run, not negative.
    *labels : int
        Time stamp, window, member, ...: not negative.

    Returns
    -------
    int
        Below 2**63.

    Examples
    --------
    >>> derive_seed(0, 5, 1) == derive_seed(0, 5, 1), derive_seed(0, 5, 1) == derive_seed(0, 1, 5)
    (True, False)
    """
    # Not numpy's SeedSequence: it pads with zeros, so that (5,) and (5, 0) would be one.
    digest = hashlib.blake2b("|".join(map(str, (seed, *labels))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def fit_members(
    make: MemberFactory,
    members: int,
    problem: Problem | Sequence[Problem],
    config: FitConfig,
    stop: StopRule,
    *,
    device: str = "cpu",
    batch: int | None = None,
    starts: Sequence[Learned | None] | None = None,
    done: Callable[[], object] = lambda: None,
) -> list[Fit]:
    """Fit all members, to one problem or each to its own.

    Parameters
    ----------
    make : callable
        From the number of a member to the factory of its generator.
    members : int
    problem : Problem or sequence of Problem
        Of all, or of each.
    config : FitConfig
    stop : StopRule
    device : str
        On the CPU members run side by side, one thread each; on a GPU in batches, one after the other.
    batch : int, optional
        Members fitted together in one optimisation. By default one on the CPU, and on a GPU as many as its free memory
        holds. Small networks gain from it on the CPU too, see `xr_dip.fitting.batched`.
    starts : sequence, optional
        What each member begins from, None for a fresh one. Members are then fitted one by one, and there must be no
        batch but 1: those of a batch neither begin from what others have learned nor tell what they have.
    done : callable
        Called after each member.

    Returns
    -------
    list of Fit
        Member k is the same whatever the number of members or of processors; in a batch of several to rounding.

    Raises
    ------
    ValueError
        If the batch is not positive, or one of several has starts.
    FitError
        If a member stays NaN after its restarts. It is raised after the others have ended, names the member
        and holds the fits of the others.
    """
    if batch is not None and batch < 1:
        raise ValueError(f"Invalid batch {batch}. It must be at least 1.")
    if starts is not None and batch not in (None, 1):
        raise ValueError(f"Invalid batch {batch} with starts. It must be None or 1: they are for one fit at a time.")
    problems = [problem] * members if isinstance(problem, Problem) else problem

    def one(member: int) -> Fit | FitError:
        start = None if starts is None else starts[member]
        try:
            with _seat(device):
                return fit(make(member), problems[member], config, stop, device, start)
        except FitError as error:
            return error
        finally:
            done()

    workers = 1 if device != "cpu" else min(members, cores())
    with ThreadPoolExecutor(workers, thread_name_prefix="xr_dip") as pool:
        if starts is not None or batch == 1 or (batch is None and device == "cpu"):
            results = list(pool.map(one, range(members)))
        else:
            jobs = [Job(make(member), problems[member], stop) for member in range(members)]
            results = _in_batches(pool, jobs, config, device, batch, done)
    fits = [result for result in results if isinstance(result, Fit)]
    for member, result in enumerate(results):
        if isinstance(result, FitError):
            message = f"Member {member} of {members} failed; the other {len(fits)} are sound. {result}"
            raise FitError(message, fits) from result
    return fits


def _in_batches(
    pool: ThreadPoolExecutor,
    jobs: list[Job],
    config: FitConfig,
    device: str,
    size: int | None,
    done: Callable[[], object],
) -> list[Fit | FitError]:
    """Fit batches side by side; which members share one depends on neither the pool nor the seats."""
    generators = [job.make() for job in jobs]
    numbers = batches(jobs, generators, size, device)

    def some(mine: list[int]) -> list[Fit | FitError]:
        with _seat(device):
            return fit_together([jobs[n] for n in mine], [generators[n] for n in mine], config, device, done)

    found = dict(zip(chain(*numbers), chain(*pool.map(some, numbers)), strict=True))
    return [found[number] for number in range(len(jobs))]


@contextmanager
def _seat(device: str) -> Iterator[None]:
    """Wait for a processor, or for the GPU, and compute with one thread meanwhile."""
    if device != "cpu":
        with _ONE_ON_THE_GPU:
            yield
        return
    with _SEATS:
        # The count belongs to the calling thread, but threads that begin later take over the last one set: put it back.
        # A thread takes it over when it first asks, which must not be after it has set its own.
        torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(_THREADS)
