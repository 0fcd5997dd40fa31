"""Processors: how many there are, and one thread for linear algebra in however many threads of our own.

Several threads of a library add in another order, so the bits of a result would depend on the machine. The limit of
`threadpoolctl` belongs to the process: of two threads that set it, the first to end lifts it for the other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


def cores() -> int:
    """Processors that this process may use.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SharedLimit:
    """A limit that the first user sets and the last one lifts.

    Examples
    --------
    >>> limit = SharedLimit()
    >>> with limit.held(), limit.held():
    ...     limit.users
    2
    >>> limit.users
    0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._release = threading.Event()
        self._holder: threading.Thread | None = None
        self.users = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the limit within a ``with`` block."""
        with self._lock:
            if self.users == 0:
                self._begin()
            self.users += 1
        try:
            yield
        finally:
            with self._lock:
                self.users -= 1
                if self.users == 0:
                    self._end()

    def _begin(self) -> None:
        # `threadpoolctl` lets only the thread that set a limit lift it, and users come and go in any order.
        ready, self._release = threading.Event(), threading.Event()
        self._holder = threading.Thread(target=self._hold, args=(ready, self._release), daemon=True)
        self._holder.start()
        ready.wait()

    def _end(self) -> None:
        self._release.set()
        assert self._holder is not None
        self._holder.join()

    @staticmethod
    def _hold(ready: threading.Event, release: threading.Event) -> None:
        try:
            with threadpool_limits(1, "blas"):
                ready.set()
                release.wait()
        finally:
            ready.set()  # even if there is no limit to be had: nobody is to wait for ever


_LIMIT = SharedLimit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute with one thread of linear algebra, so that the same input gives the same bits everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    with _LIMIT.held():
        yield
