"""From one seed to many members: each fitted from its own explicit seed, side by side, one thread each."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from xr_dip.fitting.fit import Fit, FitConfig, FitError, fit
from xr_dip.fitting.problem import Problem
from xr_dip.fitting.stopping import StopRule
from xr_dip.generators.base import Generator

MemberFactory = Callable[[int], Callable[[], Generator]]


def cores() -> int:
    """Processors that this process may use.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    problem: Problem,
    config: FitConfig,
    stop: StopRule,
    *,
    device: str = "cpu",
    done: Callable[[], object] = lambda: None,
) -> list[Fit]:
    """Fit all members to one problem.

    Parameters
    ----------
    make : callable
        From the number of a member to the factory of its generator.
    members : int
    problem : Problem
    config : FitConfig
    stop : StopRule
    device : str
        On the CPU members run side by side, one thread each; on a GPU one after the other.
    done : callable
        Called after each member.

    Returns
    -------
    list of Fit
        Member k is the same whatever the number of members or of processors.

    Raises
    ------
    FitError
        If a member stays NaN after its restarts. It is raised after the others have ended, names the member
        and holds the fits of the others.
    """

    def one(member: int) -> Fit | FitError:
        try:
            with _seat(device):
                return fit(make(member), problem, config, stop, device)
        except FitError as error:
            return error
        finally:
            done()

    workers = 1 if device != "cpu" else min(members, cores())
    with ThreadPoolExecutor(workers, thread_name_prefix="xr_dip") as pool:
        results = list(pool.map(one, range(members)))
    fits = [result for result in results if isinstance(result, Fit)]
    for member, result in enumerate(results):
        if isinstance(result, FitError):
            message = f"Member {member} of {members} failed; the other {len(fits)} are sound. {result}"
            raise FitError(message, fits) from result
    return fits


@contextmanager
def _seat(device: str) -> Iterator[None]:
    """Wait for a processor, or for the GPU, and compute with one thread meanwhile."""
    if device != "cpu":
        with _ONE_ON_THE_GPU:
            yield
        return
    with _SEATS:
        # The count belongs to the calling thread, but threads that begin later take over the last one set: put it back.
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(_THREADS)
