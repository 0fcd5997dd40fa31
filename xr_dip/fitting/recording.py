"""One step as a recording that a GPU repeats by itself: a CUDA graph, where there is a GPU and it can record.

A step of a small network is some hundred kernels of a few microseconds, which the host can hardly start as fast.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

logger = logging.getLogger(__name__)

# Libraries choose their kernels and fetch their workspace in the first steps, which cannot be recorded.
PLAIN_STEPS = 3


def recorded(step: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Return a step that does the same, on a GPU from a recording.

    Parameters
    ----------
    step : callable
        Changes tensors of the device in place, always the same ones, and asks the host for nothing.
    device : torch.device

    Returns
    -------
    callable

    Examples
    --------
    >>> count = torch.zeros(())
    >>> step = recorded(lambda: count.copy_(count + 1), torch.device("cpu"))
    >>> step(), step()
    (tensor(2.), tensor(2.))
    """
    return Recording(step) if device.type == "cuda" else step


class Recording:
    """A step that is taken plainly a few times, then recorded, then repeated.

    Parameters
    ----------
    step : callable
        See `recorded`.
    """

    def __init__(self, step: Callable[[], object]) -> None:
        self.step = step
        self.taken = 0
        self.can_record = True
        self.graph: torch.cuda.CUDAGraph | None = None
        self.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def __call__(self) -> None:
        """Take the step once."""
        if self.graph is None and self.taken >= PLAIN_STEPS and self.can_record:
            self._record()
        if self.graph is None:
            self._take_plainly()
        else:
            self.graph.replay()
        self.taken += 1

    def _take_plainly(self) -> None:
        """Take the step on a stream of its own, as recording asks of the steps before it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self.step()
        torch.cuda.current_stream().wait_stream(self.stream)

    def _record(self) -> None:
        """Record the step, which does not take it."""
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self.step()
        except RuntimeError as error:
            logger.info("The step cannot be recorded, so it is taken plainly: %s", error)
            self.can_record = False
        else:
            self.graph = graph
