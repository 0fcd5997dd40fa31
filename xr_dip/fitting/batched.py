"""Many members in one optimisation: the numbers of the plain loop to rounding, at the pace of a GPU.

The members of a batch have generators of one architecture. Their parameters are the rows of one matrix, their losses
are summed, so that each row has the gradient of its own loss, and Adam (Kingma and Ba 2015) acts on each number by
itself. They may have different problems: other tiles, other days. Within a stretch of steps nothing asks the device.

A member that ends early keeps its field of that moment and leaves the batch. One that becomes NaN is fitted again by
itself, by the plain loop with its restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from xr_dip.fitting.batch import Batch, Job
from xr_dip.fitting.fit import Fit, FitConfig, FitError, fit
from xr_dip.fitting.memory import members_at_once
from xr_dip.generators.base import Generator


def fit_batch(
    jobs: Sequence[Job],
    config: FitConfig,
    *,
    device: str = "cpu",
    size: int | None = None,
    done: Callable[[], object] = lambda: None,
) -> list[Fit | FitError]:
    """Fit many members together.

    Parameters
    ----------
    jobs : sequence of Job
        Of any generators; those of one architecture share batches, others are fitted by the plain loop.
    config : FitConfig
    device : str
    size : int, optional
        Members in a batch at most; as many as the free memory holds by default.
    done : callable
        Called after each member.

    Returns
    -------
    list of Fit or FitError
        In the order of the jobs, with the numbers of `xr_dip.fitting.fit.fit` to rounding. An error where a member
        stays NaN after its restarts.

    Raises
    ------
    ValueError
        If the size is not positive.

    References
    ----------
    Kingma, Ba 2015, Adam: a method for stochastic optimization, ICLR, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from functools import partial
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.fitting.problem import Observation, Problem
    >>> from xr_dip.fitting.stopping import fixed
    >>> from xr_dip.generators import make_bandlimited
    >>> seen = Observation(BlockMean(np.ones((4, 6)), (2, 2)), torch.eye(2, 3), torch.ones(2, 3))
    >>> makes = [partial(make_bandlimited, (2, 3), (2, 2), seed, channels=4) for seed in range(3)]
    >>> jobs = [Job(make, Problem((seen,), mse), fixed) for make in makes]
    >>> [fit.iterations for fit in fit_batch(jobs, FitConfig(iterations=12), size=3)]
    [12, 12, 12]
    """
    generators = [job.make() for job in jobs]
    results: dict[int, Fit | FitError] = {}
    for numbers in batches(jobs, generators, size, device):
        some, theirs = [jobs[number] for number in numbers], [generators[number] for number in numbers]
        results |= zip(numbers, fit_together(some, theirs, config, device, done), strict=True)
    return [results[number] for number in range(len(jobs))]


def batches(
    jobs: Sequence[Job], generators: Sequence[Generator], size: int | None = None, device: str = "cpu"
) -> list[list[int]]:
    """Divide jobs into batches: of one architecture, the members of one problem side by side.

    Parameters
    ----------
    jobs : sequence of Job
    generators : sequence of Generator
        What the jobs make.
    size : int, optional
        Members in a batch at most; as many as the free memory holds by default.
    device : str

    Returns
    -------
    list of list of int
        Numbers of jobs, each in one batch.

    Raises
    ------
    ValueError
        If the size is not positive.

    Examples
    --------
    >>> from functools import partial
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.problem import Problem
    >>> from xr_dip.fitting.stopping import fixed
    >>> from xr_dip.generators import make_bandlimited
    >>> makes = [partial(make_bandlimited, (2, 3), (2, 2), 0, activation=name) for name in ("tanh", "gelu", "tanh")]
    >>> jobs = [Job(make, Problem((), mse), fixed) for make in makes]
    >>> batches(jobs, [make() for make in makes], size=8)
    [[0, 2], [1]]
    """
    if size is not None and size < 1:
        raise ValueError(f"Invalid size {size}. It must be at least 1.")
    found = []
    for group in _groups(jobs, generators):
        first = group[0]
        most = members_at_once(generators[first], jobs[first].problem, torch.device(device)) if size is None else size
        found += [group[begin : begin + most] for begin in range(0, len(group), most)]
    return found


def fit_together(
    jobs: Sequence[Job],
    generators: Sequence[Generator],
    config: FitConfig,
    device: str = "cpu",
    done: Callable[[], object] = lambda: None,
) -> list[Fit | FitError]:
    """Fit one batch of `batches`, and by themselves those of its members that become NaN.

    Parameters
    ----------
    jobs : sequence of Job
    generators : sequence of Generator
        What the jobs make, of one architecture.
    config : FitConfig
    device : str
    done : callable
        Called after each member.

    Returns
    -------
    list of Fit or FitError
        In the order of the jobs.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from functools import partial
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.fitting.problem import Observation, Problem
    >>> from xr_dip.fitting.stopping import fixed
    >>> from xr_dip.generators import make_bandlimited
    >>> seen = Observation(BlockMean(np.ones((4, 6)), (2, 2)), torch.eye(2, 3), torch.ones(2, 3))
    >>> make = partial(make_bandlimited, (2, 3), (2, 2), 0, channels=4)
    >>> jobs = [Job(make, Problem((seen,), mse), fixed)] * 2
    >>> fits = fit_together(jobs, [job.make() for job in jobs], FitConfig(iterations=12), "cpu", lambda: None)
    >>> [fit.iterations for fit in fits]
    [12, 12]
    """
    results: dict[int, Fit | FitError] = {}
    # One member gains nothing from a batch, but has the very bits of the loop without one.
    ends = [(0, None)] if len(jobs) == 1 else Batch(jobs, generators, config, torch.device(device)).ends()
    for row, result in ends:
        results[row] = _alone(jobs[row], config, device) if result is None else result
        done()
    return [results[row] for row in range(len(jobs))]


def _groups(jobs: Sequence[Job], generators: Sequence[Generator]) -> list[list[int]]:
    """Return the numbers of jobs that may share a batch, those of one problem side by side."""
    groups: dict[object, list[int]] = {}
    for number, generator in enumerate(generators):
        # A generator that names no architecture is like no other.
        key = (number,) if generator.architecture is None else (generator.architecture, "shared")
        groups.setdefault(key, []).append(number)
    places = {id(job.problem): place for place, job in reversed(list(enumerate(jobs)))}
    return [sorted(group, key=lambda number: places[id(jobs[number].problem)]) for group in groups.values()]


def _alone(job: Job, config: FitConfig, device: str) -> Fit | FitError:
    """Fit one member by the plain loop."""
    try:
        return fit(job.make, job.problem, config, job.stop, device)
    except FitError as error:
        return error
