"""What a fit has learned, for another to begin from: its weights and the moments of its optimiser."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from xr_dip.generators.base import Generator


@dataclass(frozen=True, eq=False)
class Learned:
    """What a fit has learned.

    Attributes
    ----------
    weights : mapping of str to Tensor
        Of the generator, each with the shape of its parameter, in units of the standardised field.
    moments : mapping
        Of Adam, by the number of the parameter. Without them its first steps are as large as any, and undo the fit.

    Examples
    --------
    >>> Learned({"scale": torch.ones(1)}, {}).weights["scale"]
    tensor([1.])
    """

    weights: Mapping[str, torch.Tensor]
    moments: Mapping[int, Mapping[str, torch.Tensor]]


def learned_by(generator: Generator, optimiser: torch.optim.Optimizer) -> Learned:
    """Return what a generator has learned; it is not to be trained further.

    Parameters
    ----------
    generator : Generator
    optimiser : torch.optim.Optimizer
        That has trained it.

    Returns
    -------
    Learned

    Examples
    --------
    >>> from xr_dip.generators import make_bandlimited
    >>> generator = make_bandlimited((2, 3), (2, 2), 0, channels=4)
    >>> learned = learned_by(generator, torch.optim.Adam(generator.parameters()))
    >>> set(learned.weights) == {name for name, _ in generator.named_parameters()}
    True
    """
    return Learned(generator.state_dict(), optimiser.state_dict()["state"])


def restore(learned: Learned, generator: Generator, optimiser: torch.optim.Optimizer) -> None:
    """Make a fresh generator and its optimiser go on from there.

    Parameters
    ----------
    learned : Learned
        Stays as it is: several fits may begin from it.
    generator : Generator
        Of the same architecture.
    optimiser : torch.optim.Optimizer
        Of its parameters, before any step.

    Examples
    --------
    >>> from xr_dip.generators import make_bandlimited
    >>> one, other = (make_bandlimited((2, 3), (2, 2), seed, channels=4) for seed in range(2))
    >>> restore(learned_by(one, torch.optim.Adam(one.parameters())), other, torch.optim.Adam(other.parameters()))
    >>> all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    True
    """
    generator.load_state_dict(learned.weights)
    # Adam changes its moments in place.
    optimiser.load_state_dict({**optimiser.state_dict(), "state": copy.deepcopy(learned.moments)})
