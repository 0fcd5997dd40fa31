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


def conv3x3(
    inputs: int, outputs: int, rng: torch.Generator, initialise: Initialise = default_weights, *, stride: int = 1
) -> nn.Conv2d:
    """3x3 convolution without padding of its own.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    rng : torch.Generator
        Source of the first weights; the biases begin at zero.
    initialise : callable
    stride : int

    Returns
    -------
    nn.Conv2d
    """
    return _convolution((inputs, outputs, 3, stride), rng, initialise)


def conv1x1(inputs: int, outputs: int, rng: torch.Generator, initialise: Initialise = default_weights) -> nn.Conv2d:
    """Linear map of the channels of each pixel.

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
    return _convolution((inputs, outputs, 1, 1), rng, initialise)


def _convolution(sizes: tuple[int, int, int, int], rng: torch.Generator, initialise: Initialise) -> nn.Conv2d:
    layer: nn.Conv2d = nn.utils.skip_init(nn.Conv2d, *sizes)  # type: ignore[no-untyped-call]
    initialise(layer.weight, rng)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def with_border(features: torch.Tensor, *, periodic: bool = False) -> torch.Tensor:
    """Add a border of one pixel: reflected, or from the other end where x is a circle.

    Parameters
    ----------
    features : Tensor, shape (..., h, w)
    periodic : bool

    Returns
    -------
    Tensor, shape (..., h + 2, w + 2)
        A line of a single pixel, which has nothing to reflect, is repeated.

    Examples
    --------
    >>> with_border(torch.tensor([[1.0, 2.0, 3.0]]), periodic=True)
    tensor([[3., 1., 2., 3., 1.],
            [3., 1., 2., 3., 1.],
            [3., 1., 2., 3., 1.]])
    """
    below, above = _beside(features.shape[-2], -2, features)
    tall = torch.cat([below, features, above], dim=-2)
    ends = (tall[..., -1:], tall[..., :1]) if periodic else _beside(tall.shape[-1], -1, tall)
    return torch.cat([ends[0], tall, ends[1]], dim=-1)


def _beside(size: int, dim: int, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the lines that are the reflections about the first line and the last."""
    inner = min(1, size - 1)
    return features.narrow(dim, inner, 1), features.narrow(dim, size - 1 - inner, 1)


def continued(image: torch.Tensor, *, periodic: bool = False) -> torch.Tensor:
    """Add a border of one pixel: on the straight line through the last two, or from the other end of a circle.

    Parameters
    ----------
    image : Tensor, shape (..., h, w)
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    Tensor, shape (..., h + 2, w + 2)
        A line of a single pixel is repeated.

    Examples
    --------
    >>> continued(torch.tensor([[1.0, 2.0, 4.0]]))[1]
    tensor([0., 1., 2., 4., 6.])
    """
    tall = torch.cat(_straight(image, -2), dim=-2)
    wide = (tall[..., -1:], tall, tall[..., :1]) if periodic else _straight(tall, -1)
    return torch.cat(wide, dim=-1)


def _straight(image: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the line before the first, the image, and the line behind the last."""
    size = image.shape[dim]
    first, second, last, before = (image.narrow(dim, n, 1) for n in (0, min(1, size - 1), size - 1, max(0, size - 2)))
    return 2 * first - second, image, 2 * last - before


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
