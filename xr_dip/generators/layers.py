"""Layers whose first weights come from an explicit random generator.

Nothing here touches torch's global random state, so members may be made and fitted side by side in threads, and member
k is the same whatever was made before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

Initialise = Callable[[torch.Tensor, torch.Generator], None]


def default_weights(weight: torch.Tensor, rng: torch.Generator) -> None:
    """Fill as torch does for convolutions: uniform, of variance ``1 / (3 fan_in)``."""
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=rng)


def dcgan_weights(weight: torch.Tensor, rng: torch.Generator) -> None:
    """Fill as in DCGAN: N(0, 0.02)."""
    nn.init.normal_(weight, 0.0, 0.02, generator=rng)


def conv3x3(inputs: int, outputs: int, rng: torch.Generator, initialise: Initialise = default_weights) -> nn.Conv2d:
    """3x3 convolution without padding of its own.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    rng : torch.Generator
        Source of the first weights; the biases begin at zero.
    initialise : callable

    Returns
    -------
    nn.Conv2d
    """
    layer: nn.Conv2d = nn.utils.skip_init(nn.Conv2d, inputs, outputs, 3)  # type: ignore[no-untyped-call]
    initialise(layer.weight, rng)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class Border(nn.Module):
    """Add one pixel around features: reflected, and along x from the other end where the field goes round.

    Parameters
    ----------
    periodic : bool

    Examples
    --------
    >>> Border(periodic=True)(torch.arange(6.0).reshape(1, 1, 2, 3))[0, 0, 1]
    tensor([2., 0., 1., 2., 0.])
    """

    def __init__(self, periodic: bool) -> None:
        super().__init__()
        self.periodic = periodic

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (1, c, h, w) to (1, c, h + 2, w + 2)."""
        if not self.periodic:
            return functional.pad(features, (1, 1, 1, 1), mode="reflect")
        return functional.pad(functional.pad(features, (1, 1, 0, 0), mode="circular"), (0, 0, 1, 1), mode="reflect")


class SingleImageNorm(nn.Module):
    """Batch normalisation of a batch of one image by its own statistics: each member on its own, at every call.

    Parameters
    ----------
    channels : int
    rng : torch.Generator or None
        With a generator, weights begin at N(1, 0.02) as in DCGAN; else at 1.
    """

    def __init__(self, channels: int, rng: torch.Generator | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        if rng is not None:
            nn.init.normal_(self.weight, 1.0, 0.02, generator=rng)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Normalise features of shape (1, channels, h, w)."""
        return functional.batch_norm(features, None, None, self.weight, self.bias, training=True)
