"""One optimisation of several members, whose parameters are the rows of one matrix.

Adam acts on each number by itself, and the sum of the losses gives each row the gradient of its own loss, so a batch
has the numbers of one fit after the other, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from torch.func import vmap

from xr_dip.fitting.fit import CHECK_EVERY, Fit, FitConfig, refuse_constrained
from xr_dip.fitting.problem import BoundProblem, Problem
from xr_dip.fitting.rates import make_rates
from xr_dip.fitting.recording import recorded
from xr_dip.fitting.stack import Stack, first_parameters
from xr_dip.fitting.stopping import StopRule
from xr_dip.generators.base import Generator

# As torch's Adam, which the plain loop uses.
ADAM_EPSILON = 1e-8


@dataclass(frozen=True)
class Job:
    """One member to be fitted.

    Attributes
    ----------
    make : callable
        Returns the same freshly seeded generator at each call.
    problem : Problem
        The same object for members that see the same values.
    stop : StopRule

    Examples
    --------
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.stopping import fixed
    >>> from xr_dip.generators import make_bandlimited
    >>> job = Job(lambda: make_bandlimited((2, 3), (2, 2), 0, channels=4), Problem((), mse), fixed)
    >>> job.make().draw().equal(job.make().draw())
    True
    """

    make: Callable[[], Generator]
    problem: Problem
    stop: StopRule


@dataclass
class _State:
    """What members have become: tensors whose first axis is the member, changed in place."""

    parameters: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor
    losses: torch.Tensor
    misfits: torch.Tensor
    lowest: torch.Tensor
    best: torch.Tensor

    def select(self, rows: list[int]) -> _State:
        """Return a copy of some of the members."""
        return _State(**{name: tensor[rows].clone() for name, tensor in vars(self).items()})


class Batch:
    """One optimisation of members of one architecture, from the first step to the last.

    Parameters
    ----------
    jobs : sequence of Job
        Those of one problem side by side.
    generators : sequence of Generator
        Those that the jobs make. They stay on the CPU, where they draw and where the fine fields are formed.
    config : FitConfig
    device : torch.device

    Examples
    --------
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.fitting.problem import Observation
    >>> from xr_dip.fitting.stopping import fixed
    >>> from xr_dip.generators import make_bandlimited
    >>> seen = Observation(BlockMean(np.ones((4, 6)), (2, 2)), torch.eye(2, 3), torch.ones(2, 3))
    >>> job = Job(lambda: make_bandlimited((2, 3), (2, 2), 0, channels=4), Problem((seen,), mse), fixed)
    >>> batch = Batch([job, job], [job.make(), job.make()], FitConfig(iterations=12), torch.device("cpu"))
    >>> [(row, fit.iterations) for row, fit in batch.ends()]
    [(0, 12), (1, 12)]
    """

    def __init__(
        self, jobs: Sequence[Job], generators: Sequence[Generator], config: FitConfig, device: torch.device
    ) -> None:
        self.config, self.device = config, device
        self.jobs, self.stack = list(jobs), Stack(generators, device)
        problems = {id(job.problem): job.problem for job in jobs}
        self.bound = {key: problem.bind(generators[0], device) for key, problem in problems.items()}
        self.state = self._begin(generators)
        self.rates = make_rates(config, len(jobs), device)
        count = torch.arange(1, config.iterations + 1, dtype=torch.float64, device=device)
        self.corrections = torch.stack([1 - beta**count for beta in config.betas])
        self.clock = torch.zeros(1, dtype=torch.int64, device=device)
        self._settle()

    def ends(self) -> Iterator[tuple[int, Fit | None]]:
        """Yield the row of each member and its fit when it ends; no fit if it became NaN."""
        rows = list(range(len(self.jobs)))
        for begin in range(0, self.config.iterations, CHECK_EVERY):
            taken = min(begin + CHECK_EVERY, self.config.iterations)
            self._load_latents(taken - begin)
            for _ in range(begin, taken):
                self.advance()
            if begin == 0:
                self._refuse_constrained()
            ended = dict(self._ended(taken))
            yield from ((rows[place], fit) for place, fit in ended.items())
            staying = [place for place in range(len(rows)) if place not in ended]
            if not staying:
                return
            if ended:
                rows = [rows[place] for place in staying]
                self._keep(staying)

    def _refuse_constrained(self) -> None:
        """Refuse networks that have their values whatever their weights, by their first misfits."""
        for generator, job, misfit in zip(
            self.stack.generators, self.jobs, self.state.misfits[:, 0].tolist(), strict=True
        ):
            refuse_constrained(generator, self.bound[id(job.problem)], misfit)

    def _begin(self, generators: Sequence[Generator]) -> _State:
        parameters = first_parameters(generators).to(self.device)
        history = torch.full((2, len(generators), self.config.iterations), torch.nan, dtype=torch.float64)
        losses, misfits = history.to(self.device)
        with torch.no_grad():
            working = self.stack(parameters, self._expected(range(len(generators))))
        return _State(
            parameters=parameters,
            mean=torch.zeros_like(parameters),
            square=torch.zeros_like(parameters),
            losses=losses,
            misfits=misfits,
            lowest=torch.full((len(generators),), torch.inf, dtype=parameters.dtype, device=self.device),
            best=torch.zeros_like(working),
        )

    def _settle(self) -> None:
        """Make what depends on which members are in the batch."""
        latents = self._expected(range(len(self.jobs)))
        self.latents = torch.zeros(CHECK_EVERY, *latents.shape, dtype=latents.dtype, device=self.device)
        self.problems = [
            (self.bound[key], len(list(group))) for key, group in groupby(id(job.problem) for job in self.jobs)
        ]
        self.advance = recorded(self._step, self.device)

    def _keep(self, rows: list[int]) -> None:
        """Go on with some of the members only."""
        self.state, self.rates, self.stack = self.state.select(rows), self.rates.select(rows), self.stack.select(rows)
        self.jobs = [self.jobs[row] for row in rows]
        self._settle()

    def _load_latents(self, steps: int) -> None:
        """Draw the latents of the next steps, each member from its own generator on the CPU."""
        drawn = torch.stack([self.stack.draw() for _ in range(steps)])
        self.latents[:steps].copy_(drawn)

    def _expected(self, rows: Sequence[int]) -> torch.Tensor:
        """Return the latents at which the final fields of members are taken."""
        return torch.stack([self.stack.generators[row].expected() for row in rows]).to(self.device)

    def _step(self) -> None:
        """Take one step; the host only starts it."""
        state = self.state
        parameters = state.parameters.detach().requires_grad_()
        latents = self.latents.index_select(0, self.clock % CHECK_EVERY)[0]
        working = self.stack(parameters, latents)
        losses, misfits = _evaluate(self.problems, working)
        (gradient,) = torch.autograd.grad(losses.sum(), parameters)
        with torch.no_grad():
            losses = losses.detach()
            if self.config.keep == "best":
                self._remember(working, losses)
            state.losses.index_copy_(1, self.clock, losses.double()[:, None])
            state.misfits.index_copy_(1, self.clock, misfits.double()[:, None])
            self._adam(gradient)
            self.rates.tell(losses)
            self.clock += 1

    def _remember(self, working: torch.Tensor, losses: torch.Tensor) -> None:
        """Keep the field of the lowest loss of each member."""
        better = (losses <= self.state.lowest)[:, None, None, None]
        self.state.best.copy_(torch.where(better, working, self.state.best))
        self.state.lowest.copy_(torch.minimum(self.state.lowest, losses))

    def _adam(self, gradient: torch.Tensor) -> None:
        """Move the parameters of each member at its own rate."""
        state, (first, second) = self.state, self.config.betas
        corrections = self.corrections.index_select(1, self.clock)
        state.mean.lerp_(gradient, 1 - first)
        state.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        root = corrections[1].sqrt().to(gradient.dtype)
        steps = (self.rates.at(self.clock) / corrections[0]).to(gradient.dtype)
        state.parameters.addcdiv_(-steps[:, None] * state.mean, state.square.sqrt() / root + ADAM_EPSILON)

    def _ended(self, taken: int) -> Iterator[tuple[int, Fit | None]]:
        """Yield the place of each member that ends after these steps, and its fit; no fit if it is NaN."""
        histories = torch.stack([self.state.losses[:, :taken], self.state.misfits[:, :taken]]).cpu()
        for place, job in enumerate(self.jobs):
            losses, misfits = histories[:, place].tolist()
            if not np.isfinite(losses[-1]):
                yield place, None
                continue
            reason = job.stop(losses, misfits)
            if reason is None and taken < self.config.iterations:
                continue
            field, latents = self._field(place), self._at_latents(place)
            sound = bool(np.isfinite(field).all()) and (latents is None or bool(np.isfinite(latents).all()))
            done = Fit(field, np.asarray(losses), misfits[-1], reason or "iterations", 0, at_latents=latents)
            yield place, done if sound else None

    def _field(self, place: int) -> npt.NDArray[np.float64]:
        """Form the fine field of one member."""
        with torch.no_grad():
            working = self.state.best[place]
            if self.config.keep == "last":
                working = self._alone(place, self._expected([place]))
            field = self.stack.generators[place].fine(working.cpu())[0].numpy()
        return np.asarray(field, dtype=np.float64)

    def _alone(self, place: int, latents: torch.Tensor) -> torch.Tensor:
        """Return the working field of one member at its latent (1, ...)."""
        return self.stack.select([place])(self.state.parameters[place : place + 1], latents)[0]

    def _at_latents(self, place: int) -> npt.NDArray[np.float32] | None:
        """Form the fields of one member at further latents."""
        if not self.config.latents:
            return None
        generator = self.stack.generators[place]
        with torch.no_grad():
            drawn = (latent[None].to(self.device) for latent in generator.further_latents(self.config.latents))
            fields = [generator.fine(self._alone(place, latent).cpu())[0].numpy() for latent in drawn]
        return np.stack(fields).astype(np.float32)


def _evaluate(problems: list[tuple[BoundProblem, int]], working: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss and the misfit of each member: each problem is asked once for all of its members."""
    fields = torch.split(working, [members for _, members in problems])
    parts = [vmap(problem.evaluate)(some) for (problem, _), some in zip(problems, fields, strict=True)]
    losses, misfits = (torch.cat(part) for part in zip(*parts, strict=True))
    return losses, misfits
