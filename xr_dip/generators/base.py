"""What every generator is: a freshly seeded network whose output is a standardised field."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import torch
from torch import nn

from xr_dip.fitting.linear import Separable


class Generator(nn.Module):
    """A network from a latent to a working field.

    Attributes
    ----------
    synthesis : Separable or None
        The fixed linear map from the working field (1, h, w) to the fine field (1, Y, X); None where they are the same.
        The observation operator is folded with it, so that the fine field is formed only once, after the fit.
    architecture : hashable or None
        Generators for which it is the same differ in their numbers alone, so they may be fitted in one batch, see
        `xr_dip.fitting.batched`. None: like no other.
    own_penalty : nn.Module or None
        A map without parameters from the working field to one number that is added to the loss: what the network asks
        of itself.
    redrawn_by : torch.Generator or None
        What the latent of each iteration is drawn by; None where it is the same in all.

    Examples
    --------
    >>> class Noise(Generator):
    ...     def draw(self):
    ...         return torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(0))
    ...
    ...     def forward(self, latent):
    ...         return latent
    >>> noise = Noise()
    >>> noise.fine(noise(noise.draw())).shape
    torch.Size([1, 2, 3])
    """

    synthesis: Separable | None
    architecture: Hashable
    own_penalty: nn.Module | None
    redrawn_by: torch.Generator | None

    def __init__(self) -> None:
        super().__init__()
        self.synthesis = None
        self.architecture = None
        self.own_penalty = None
        self.redrawn_by = None

    def attend(self, values: torch.Tensor, seen: torch.Tensor, *, periodic: bool) -> None:
        """Look at the standardised coarse field (ny, nx), where `seen`; most networks learn it from the fit alone."""

    def draw(self) -> torch.Tensor:
        """Return the latent of the next iteration, drawn on the CPU."""
        raise TypeError(f"{type(self).__name__} must define draw().")

    def expected(self) -> torch.Tensor:
        """Return the latent at which the final field is taken."""
        return self.draw()

    def further_latents(self, count: int) -> list[torch.Tensor]:
        """Draw latents like those of the iterations, but from a seed of their own: however long the fit was.

        Of a generator that draws its latents anew.
        """
        assert self.redrawn_by is not None
        own = self.redrawn_by
        # Seeds of generators are hashes: the next number is no other one's.
        self.redrawn_by = torch.Generator().manual_seed((own.initial_seed() + 1) % 2**63)
        try:
            return [self.draw() for _ in range(count)]
        finally:
            self.redrawn_by = own

    def fine(self, working: torch.Tensor) -> torch.Tensor:
        """Form the fine field (1, Y, X) from a working field (1, h, w), in float64."""
        return working.double() if self.synthesis is None else self.synthesis(working.double())


def standardising(generator: Generator, latent: torch.Tensor) -> torch.Tensor:
    """Return the factor after which the first field of a fresh network has standard deviation one.

    Parameters
    ----------
    generator : Generator
    latent : Tensor

    Returns
    -------
    Tensor, shape ()
        One where the field is constant.
    """
    with torch.no_grad():
        spread = generator(latent)[0].std(correction=0)
        return torch.where(spread > 1e-6, 1 / spread, torch.ones_like(spread))


def check_counts(**counts: int) -> None:
    """Refuse numbers of channels, layers, knots and the like that are not whole or below one.

    Parameters
    ----------
    **counts : int
        By the name of the option.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_counts(channels=8, layers=0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid layers 0. It must be at least 1.
    """
    for name, count in counts.items():
        check_whole(name, count)
        if count < 1:
            raise ValueError(f"Invalid {name} {count}. It must be at least 1.")


def check_whole(name: str, number: object) -> None:
    """Refuse what is no whole number.

    Parameters
    ----------
    name : str
        Of the option.
    number : int

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_whole("padding", 2)
    """
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise ValueError(f"Invalid {name} {number!r}. It must be a whole number.")
