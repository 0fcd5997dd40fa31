"""The plain optimisation loop: fresh generators in, fitted fields out.

Archambault et al. 2022, equation 2: ``theta* = argmin loss(P g_theta(z) - y)``, the field is ``g_theta*(z)``: equation
:eq:`prior` of the theory page. Each member is fitted by itself, from its own seed: neither their number nor their order
changes a bit of any.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.optim import lr_scheduler

from xr_dip.fitting.learned import Learned, learned_by, restore
from xr_dip.fitting.problem import BoundProblem, Problem
from xr_dip.fitting.stopping import StopRule
from xr_dip.generators.base import Generator

logger = logging.getLogger(__name__)

SCHEDULES = ("onecycle", "plateau", "constant", "linear", "halving")
# Stretches of the schedule "halving".
HALVES = 5
MOST_RESTARTS = 3
# Of the steps and of the rate of a fresh fit: enough to follow a field from one day to the next. Larger steps would
# leave what was learned, and those at the end must be small, or their noise would be in the field.
WARM_STEPS, WARM_RATE = 1 / 10, 1 / 6
# Stop rules and the check for NaN read from the device only this often.
CHECK_EVERY = 10
# A network of random weights that misses the values by less than this, over their size, cannot miss them.
SMALLEST_FIRST_MISFIT = 1e-5


@dataclass(frozen=True)
class FitConfig:
    """Numbers of the optimisation.

    Attributes
    ----------
    iterations : int
        Steps at most.
    learning_rate : float
        The highest rate of the schedule.
    betas : (float, float)
        Of Adam.
    schedule : {"onecycle", "plateau", "constant", "linear", "halving"}
        One cycle with a tenth of warm-up; or times 0.95 when the loss has not fallen for 10 steps; or none; or a
        straight line down to zero, for fits that begin where another has ended; or half of it after each fifth of the
        steps.
    keep : {"last", "best"}
        Which field is the result: the last one, or the one of lowest loss.
    latents : int
        Further latents, drawn once the network is fitted, at which its fields are returned, too.

    Examples
    --------
    >>> FitConfig(iterations=200, keep="best").schedule
    'onecycle'
    """

    iterations: int = 100
    learning_rate: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.99)
    schedule: str = "onecycle"
    keep: str = "last"
    latents: int = 0

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"Invalid iterations {self.iterations}. It must be at least 1.")
        if not self.learning_rate > 0:
            raise ValueError(f"Invalid learning_rate {self.learning_rate}. It must be positive.")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"Invalid schedule {self.schedule!r}. It must be one of {list(SCHEDULES)}.")
        if self.keep not in ("last", "best"):
            raise ValueError(f"Invalid keep {self.keep!r}. It must be 'last' or 'best'.")

    def warm(self) -> FitConfig:
        """Return the numbers of a fit that begins where that of a similar problem has ended.

        Examples
        --------
        >>> FitConfig(iterations=200, learning_rate=6e-3).warm().iterations
        20
        """
        steps = math.ceil(self.iterations * WARM_STEPS)
        return replace(self, iterations=steps, learning_rate=self.learning_rate * WARM_RATE, schedule="linear")


@dataclass(frozen=True)
class Fit:
    """One fitted member.

    Attributes
    ----------
    field : array of float64, shape (Y, X)
        Fine field, standardised.
    losses : array, shape (iterations,)
    misfit : float
        Root mean square of the last raw residuals, standardised; by the weights of the values, where these differ.
    stopped : str
        Why it ended: "iterations" or what the stop rule said.
    restarts : int
        How often it was begun anew because it had become NaN.
    learned : Learned or None
        None of a fit in a batch.
    at_latents : array of float32, shape (latents, Y, X), or None
        Fields of the fitted network at further latents, where they were asked for.

    Examples
    --------
    >>> sound = Fit(np.zeros((2, 3)), np.array([1.0, 0.5]), 0.1, "iterations", 0)
    >>> sound.iterations
    2
    """

    field: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    misfit: float
    stopped: str
    restarts: int
    learned: Learned | None = None
    at_latents: npt.NDArray[np.float32] | None = None

    @property
    def iterations(self) -> int:
        """Steps taken."""
        return len(self.losses)


class FitError(RuntimeError):
    """A member that became NaN in spite of every restart, or that cannot be fitted at all.

    Attributes
    ----------
    fits : tuple of Fit
        The sound members of the same ensemble: their work is not lost.

    Examples
    --------
    >>> try:
    ...     raise FitError("Member 3 became NaN in spite of 3 restarts.", ())
    ... except FitError as error:
    ...     len(error.fits)
    0
    """

    def __init__(self, message: str, fits: Sequence[Fit] = ()) -> None:
        super().__init__(message)
        self.fits = tuple(fits)


class _Diverged(ArithmeticError):
    """The loss is no finite number."""


def fit(
    make: Callable[[], Generator],
    problem: Problem,
    config: FitConfig,
    stop: StopRule,
    device: str = "cpu",
    start: Learned | None = None,
) -> Fit:
    """Fit one generator to a problem.

    A fit that becomes NaN begins anew from the same seed, or the same start, at a third of the learning rate, three
    times at most.

    Parameters
    ----------
    make : callable
        Returns the same freshly seeded generator at each call.
    problem : Problem
    config : FitConfig
    stop : StopRule
    device : str
    start : Learned, optional
        Of an earlier fit of such a generator: begin from there and not from fresh weights.

    Returns
    -------
    Fit

    Raises
    ------
    FitError
        If it is NaN after the last restart, or if the fresh network has the values already, whatever its weights: with
        a constraint inside of it the loss is zero, and so is its gradient.

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
    >>> make = partial(make_bandlimited, (2, 3), (2, 2), 0, channels=4)
    >>> done = fit(make, Problem((seen,), mse), FitConfig(iterations=12), fixed, "cpu")
    >>> done.field.shape, done.iterations, done.stopped
    ((4, 6), 12, 'iterations')
    """
    rate = config.learning_rate
    for restarts in range(MOST_RESTARTS + 1):
        try:
            run = _Run(make().to(device), problem, config, rate, torch.device(device), start)
            return run.to_end(stop, restarts)
        except _Diverged:
            logger.warning("A fit became NaN at learning rate %g; begun anew at %g.", rate, rate / 3)
            rate /= 3
    raise FitError(
        f"The fit became NaN {MOST_RESTARTS + 1} times, the last time at learning rate {3 * rate:.1e}. "
        "Lower the learning rate of the preset, or look for extreme values in the field."
    )


class _Run:
    """One optimisation from the first step to the last."""

    def __init__(
        self,
        generator: Generator,
        problem: Problem,
        config: FitConfig,
        rate: float,
        device: torch.device,
        start: Learned | None = None,
    ) -> None:
        self.generator, self.config, self.device = generator, config, device
        self.problem: BoundProblem = problem.bind(generator, device)
        self.optimiser = torch.optim.Adam(generator.parameters(), lr=rate, betas=config.betas, fused=True)
        self.fresh = start is None
        if start is not None:
            restore(start, generator, self.optimiser)
        self.scheduler = make_scheduler(self.optimiser, config, rate)
        history = torch.full((2, config.iterations), torch.nan, dtype=torch.float64, device=device)
        self.losses, self.misfits = history
        self.best: torch.Tensor | None = None

    def to_end(self, stop: StopRule, restarts: int) -> Fit:
        reason = "iterations"
        for step in range(self.config.iterations):
            self._step(step)
            if step == 0 and self.fresh:
                refuse_constrained(self.generator, self.problem, float(self.misfits[0]))
            if (step + 1) % CHECK_EVERY == 0 or step + 1 == self.config.iterations:
                losses, misfits = self.losses[: step + 1].tolist(), self.misfits[: step + 1].tolist()
                if not np.isfinite(losses[-1]):
                    raise _Diverged
                answer = stop(losses, misfits)
                if answer is not None:
                    reason = answer
                    break
        done = np.asarray(losses)
        learned, latents = learned_by(self.generator, self.optimiser), self._at_latents()
        return Fit(self._field(), done, misfits[-1], reason, restarts, learned, latents)

    def _step(self, step: int) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        working = self.generator(self.generator.draw())
        loss, misfit = self.problem.evaluate(working)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.config.keep == "best":
            self._remember(working.detach(), loss.detach(), step)
        self.losses[step], self.misfits[step] = loss.detach(), misfit
        self.optimiser.step()
        if isinstance(self.scheduler, lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(loss.item())
        elif self.scheduler is not None:
            self.scheduler.step()

    def _remember(self, working: torch.Tensor, loss: torch.Tensor, step: int) -> None:
        """Keep the field of the lowest loss; chosen on the device, without a word to the host."""
        if step == 0 or self.best is None:
            self.best = working.clone()
        else:
            self.best = torch.where(loss <= self.losses[:step].min(), working, self.best)

    def _field(self) -> npt.NDArray[np.float64]:
        with torch.no_grad():
            working = self.best
            if working is None:
                working = self.generator(self.generator.expected())
            return self._fine(working)

    def _at_latents(self) -> npt.NDArray[np.float32] | None:
        """Return the fields of the network, as it is in the end, at further latents."""
        if not self.config.latents:
            return None
        with torch.no_grad():
            latents = self.generator.further_latents(self.config.latents)
            return np.stack([self._fine(self.generator(latent)).astype(np.float32) for latent in latents])

    def _fine(self, working: torch.Tensor) -> npt.NDArray[np.float64]:
        field = self.generator.fine(working)[0].cpu().numpy()
        if not np.isfinite(field).all():
            raise _Diverged
        return np.asarray(field, dtype=np.float64)


def refuse_constrained(generator: Generator, problem: BoundProblem, misfit: float) -> None:
    """Refuse a network that has the values before it has learned anything: nothing would train.

    Parameters
    ----------
    generator : Generator
        Fresh. One that teaches itself may well begin with an interpolation, and is let pass.
    problem : BoundProblem
    misfit : float
        Of its first field.

    Raises
    ------
    FitError

    Examples
    --------
    >>> from xr_dip.fitting.losses import mse
    >>> refuse_constrained(Generator(), BoundProblem((), mse), 0.3)
    """
    size = max((float(part.values.square().mean().sqrt()) for part in problem.parts), default=0.0)
    if generator.own_penalty is None and misfit < SMALLEST_FIRST_MISFIT * size:
        raise FitError(
            f"The fresh network misses the values by {misfit / size:.1e} of their size: it has them whatever its "
            "weights, so that the loss is zero and nothing trains. Leave the constraint out of the generator; it is "
            "enforced after the fit, by the argument constraint."
        )


def make_scheduler(
    optimiser: torch.optim.Optimizer, config: FitConfig, rate: float
) -> lr_scheduler.LRScheduler | lr_scheduler.ReduceLROnPlateau | None:
    """Make torch's scheduler of the name that a configuration gives.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
    config : FitConfig
    rate : float
        The highest learning rate.

    Returns
    -------
    torch scheduler or None
        None where the rate is constant.

    Examples
    --------
    >>> adam = torch.optim.Adam([torch.zeros(1)], lr=0.1)
    >>> make_scheduler(adam, FitConfig(schedule="constant"), 0.1) is None
    True
    """
    if config.schedule == "onecycle":
        total = config.iterations + 1
        # One step of warm-up at least: torch divides by their number.
        warmup = max(0.1, 2 / total)
        return lr_scheduler.OneCycleLR(optimiser, rate, total, pct_start=warmup, cycle_momentum=False)
    if config.schedule == "plateau":
        return lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.95, patience=10)
    if config.schedule == "linear":
        return lr_scheduler.LinearLR(optimiser, 1.0, 0.0, config.iterations)
    if config.schedule == "halving":
        return lr_scheduler.StepLR(optimiser, math.ceil(config.iterations / HALVES), gamma=0.5)
    return None
