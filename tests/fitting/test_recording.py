"""Steps from a recording: on stand-ins for the streams and graphs of a GPU, which take and repeat plain functions."""

import contextlib

import pytest
import torch

from xr_dip.fitting.recording import PLAIN_STEPS, recorded

GPU = torch.device("cuda")


class Stream:
    def wait_stream(self, other):
        pass


class Graph:
    """Repeats what it has heard while it was recording, as a real one does."""

    recording = None

    def replay(self):
        for taken in self.heard:
            taken()


@pytest.fixture
def gpu(monkeypatch):
    """Stand-ins for what torch.cuda offers."""

    @contextlib.contextmanager
    def graph(into, capture_error_mode):
        into.heard, Graph.recording = [], into
        try:
            yield
        finally:
            Graph.recording = None

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)


class Counter:
    """A step whose kernels run at once, or are heard by the graph that records."""

    def __init__(self, *, refuses=False):
        self.count, self.asked, self.refuses = 0, 0, refuses

    def kernel(self):
        self.count += 1

    def __call__(self):
        self.asked += 1
        if Graph.recording is None:
            self.kernel()
        elif self.refuses:
            raise RuntimeError("operation not permitted when stream is capturing")
        else:
            Graph.recording.heard.append(self.kernel)


def test_on_a_cpu_the_step_is_itself():
    step = Counter()
    assert recorded(step, torch.device("cpu")) is step


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("steps", [1, PLAIN_STEPS, PLAIN_STEPS + 1, 20])
def test_each_call_is_one_step_and_the_host_is_asked_only_at_first(steps):
    step = Counter()
    take = recorded(step, GPU)
    for _ in range(steps):
        take()
    assert step.count == steps
    assert step.asked == min(steps, PLAIN_STEPS + 1)


@pytest.mark.usefixtures("gpu")
def test_a_step_that_cannot_be_recorded_is_taken_plainly():
    step = Counter(refuses=True)
    take = recorded(step, GPU)
    for _ in range(20):
        take()
    # The one attempt asked the host too, in vain.
    assert (step.count, step.asked) == (20, 21)
