"""Learning rates of members that are fitted together, as tensors: no step has to ask the host.

The numbers are those of torch's schedulers in the plain loop, which see one member at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch.optim import lr_scheduler

from xr_dip.fitting.fit import FitConfig, make_scheduler


class Rates(Protocol):
    """What every schedule offers."""

    def at(self, step: torch.Tensor) -> torch.Tensor:
        """Return the rates of a step, a tensor of shape (1,): shape (members,) or (1,), float64."""
        ...

    def tell(self, losses: torch.Tensor) -> None:
        """Note the losses (members,) of a step, after it was taken."""
        ...

    def select(self, rows: Sequence[int]) -> Rates:
        """Return the schedule of some of the members."""
        ...


def make_rates(config: FitConfig, members: int, device: torch.device) -> Rates:
    """Make the schedule that a configuration names.

    Parameters
    ----------
    config : FitConfig
    members : int
    device : torch.device

    Returns
    -------
    Rates

    Examples
    --------
    >>> rates = make_rates(FitConfig(schedule="constant", learning_rate=0.5), 3, torch.device("cpu"))
    >>> rates.at(torch.tensor([7]))
    tensor([0.5000], dtype=torch.float64)
    """
    optimiser = torch.optim.Adam([torch.zeros(1)], lr=config.learning_rate)
    scheduler = make_scheduler(optimiser, config, config.learning_rate)
    if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
        return PlateauRates(scheduler, torch.full((members,), config.learning_rate, dtype=torch.float64, device=device))
    rates = []
    for _ in range(config.iterations):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if scheduler is not None:
            scheduler.step()
    return KnownRates(torch.tensor(rates, dtype=torch.float64, device=device))


class KnownRates:
    """Rates that are the same for all members and known beforehand.

    Parameters
    ----------
    table : Tensor of float64, shape (iterations,)
    """

    def __init__(self, table: torch.Tensor) -> None:
        self.table = table

    def at(self, step: torch.Tensor) -> torch.Tensor:
        """Return the rate of a step, shape (1,)."""
        return self.table.index_select(0, step)

    def tell(self, losses: torch.Tensor) -> None:
        """Do nothing: no loss changes the rates."""

    def select(self, rows: Sequence[int]) -> KnownRates:
        """Return the schedule itself."""
        return self


class PlateauRates:
    """The rate of a member falls when its loss has not fallen for a while.

    Parameters
    ----------
    rule : ReduceLROnPlateau
        Whose numbers are used.
    rate : Tensor of float64, shape (members,)
        At the start.
    """

    def __init__(self, rule: lr_scheduler.ReduceLROnPlateau, rate: torch.Tensor) -> None:
        self.rule, self.rate = rule, rate
        self.best = torch.full_like(rate, torch.inf)
        self.waited = torch.zeros_like(rate)

    def at(self, step: torch.Tensor) -> torch.Tensor:
        """Return the present rates, shape (members,)."""
        return self.rate

    def tell(self, losses: torch.Tensor) -> None:
        """Wait one step more, or less the rate, as `torch.optim.lr_scheduler.ReduceLROnPlateau` does."""
        losses = losses.double()
        better = losses < self.best * (1 - self.rule.threshold)
        self.best.copy_(torch.where(better, losses, self.best))
        self.waited.copy_(torch.where(better, 0.0, self.waited + 1))
        lower = self.rate * self.rule.factor
        patient = self.waited <= self.rule.patience
        self.rate.copy_(torch.where(patient | (self.rate - lower <= self.rule.eps), self.rate, lower))
        self.waited.copy_(torch.where(patient, self.waited, 0.0))

    def select(self, rows: Sequence[int]) -> PlateauRates:
        """Return the schedule of some of the members."""
        chosen = PlateauRates(self.rule, self.rate[list(rows)])
        chosen.best, chosen.waited = self.best[list(rows)], self.waited[list(rows)]
        return chosen
