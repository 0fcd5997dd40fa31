r"""The deep decoder of Heckel and Hand 2019: no convolution, fewer numbers than pixels.

A layer mixes the channels of each pixel, doubles, cuts off what is negative and normalises:

.. math:: B_{i+1} = \operatorname{cn}(\operatorname{relu}(U_i B_i C_i)), \qquad x = B_d C_d

with a random first :math:`B_0` (equation :eq:`decoder` of the theory page); the last layer does not double. What
neighbours have in common comes from the linear interpolation :math:`U_i` alone. 99,968 parameters with six layers of
128 channels. There is no sigmoid in the end: heights have no range.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from xr_dip.blocks import Factor
from xr_dip.fitting.linear import Separable, halfpixel_circle, halfpixel_double
from xr_dip.generators.base import Generator, check_counts, standardising
from xr_dip.generators.extent import Extent, halvings, working_extent
from xr_dip.generators.layers import SingleImageNorm, default_weights


class Mix(nn.Module):
    """Linear map of the channels of each pixel, without a constant.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    rng : torch.Generator
    """

    def __init__(self, inputs: int, outputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        with torch.no_grad():
            default_weights(self.weight, rng)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (1, c, h, w) to (1, c', h, w)."""
        mixed: torch.Tensor = self.weight @ features.flatten(2)
        return mixed.reshape(*mixed.shape[:2], *features.shape[2:])


class Decoder(Generator):
    """The deep decoder.

    Parameters
    ----------
    extent : (int, int), Separable or None
        Pixels along y and x, and the map from there to the fine cells.
    channels, layers : int
    periodic : bool
    rng : torch.Generator
        Source of the latent and of the first weights.
    """

    latent: torch.Tensor
    scale: torch.Tensor

    def __init__(self, extent: Extent, channels: int, layers: int, *, periodic: bool, rng: torch.Generator) -> None:
        super().__init__()
        size, self.synthesis = extent
        doublings = min(layers - 1, halvings(size))
        self.architecture = ("decoder", size, self.synthesis is None, channels, doublings, periodic)
        sizes = [tuple(math.ceil(n / 2 ** (doublings - level)) for n in size) for level in range(doublings + 1)]
        latent = torch.rand(1, channels, *sizes[0], generator=rng)
        self.register_buffer("latent", latent, persistent=False)
        double = halfpixel_circle if periodic else halfpixel_double
        steps: list[nn.Module] = []
        for before, after in pairwise(sizes):
            grow = Separable(halfpixel_double(before[0], after[0]).float(), double(before[1], after[1]).float())
            steps += [Mix(channels, channels, rng), grow, nn.ReLU(), SingleImageNorm(channels)]
        steps += [Mix(channels, channels, rng), nn.ReLU(), SingleImageNorm(channels), Mix(channels, 1, rng)]
        self.steps = nn.Sequential(*steps)
        self.register_buffer("scale", torch.ones(()), persistent=False)
        self.scale = standardising(self, self.latent)

    def draw(self) -> torch.Tensor:
        """Return the latent, fixed from the start."""
        return self.latent

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Map the latent to a working field of shape (1, h, w) and standard deviation about one at the start."""
        field: torch.Tensor = self.steps(latent)[0]
        return field * self.scale


def make_decoder(
    shape: tuple[int, int],
    factor: Factor,
    seed: int,
    *,
    channels: int = 128,
    layers: int = 6,
    ratio: tuple[int, int] | None = None,
    padding: tuple[int, int] = (3, 3),
    periodic: bool = False,
) -> Decoder:
    """Make a fresh deep decoder.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x; any size, any aspect.
    factor : (int, int)
        Fine cells per coarse cell.
    seed : int
        Every random number of the network comes from it.
    channels : int
        Of all layers.
    layers : int
        At most, each but the last one doubles; small fields have fewer.
    ratio : (int, int), optional
        Knots of a spline per coarse cell; by default the network works on the fine cells, as published.
    padding : (int, int)
        Coarse cells added on each side; with `ratio` only.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    Decoder

    Raises
    ------
    ValueError
        If the number of channels or layers is not positive.

    References
    ----------
    Heckel, Hand 2019, Deep decoder: concise image representations from untrained non-convolutional networks, ICLR,
    arXiv:1810.03982, section 2.

    Examples
    --------
    >>> generator = make_decoder((16, 16), (16, 16), seed=0)
    >>> sum(p.numel() for p in generator.parameters())
    99968
    """
    check_counts(channels=channels, layers=layers)
    extent = working_extent(shape, factor, ratio, padding, periodic=periodic)
    return Decoder(extent, channels, layers, periodic=periodic, rng=torch.Generator().manual_seed(seed))
