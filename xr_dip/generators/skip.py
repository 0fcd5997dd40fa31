"""The hourglass with skip connections of Ulyanov et al. 2018, in the form they use for super-resolution.

Levels of stride two go down and come up again by half-pixel linear interpolation; at each a few channels go straight
across. 2,217,573 parameters with five levels of 128 channels. There is no sigmoid in the end: heights have no range.

By default it works on the fine cells, as published: a step costs about 1 MFLOP for each fine cell. With `ratio` it
works on the knots of a spline instead, see `xr_dip.generators.bandlimited`.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from xr_dip.blocks import Factor
from xr_dip.fitting.linear import Separable, halfpixel_circle, halfpixel_double
from xr_dip.generators.base import Generator, check_counts, standardising
from xr_dip.generators.extent import Extent, halvings, working_extent
from xr_dip.generators.layers import SingleImageNorm, conv1x1, conv3x3, with_border

LATENT_CHANNELS = 32
LATENT_SIZE = 0.1
NEGATIVE_SLOPE = 0.2


class Unit(nn.Module):
    """Convolve, normalise, activate.

    Parameters
    ----------
    convolution : nn.Conv2d
        1x1, or 3x3 without padding of its own.
    periodic : bool
        Whether the last column and the first are neighbours.
    """

    def __init__(self, convolution: nn.Conv2d, *, periodic: bool) -> None:
        super().__init__()
        self.convolution, self.periodic = convolution, periodic
        self.norm = SingleImageNorm(convolution.out_channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (1, c, h, w) to (1, c', h', w')."""
        wide = with_border(features, periodic=self.periodic) if self.convolution.kernel_size[0] == 3 else features
        return functional.leaky_relu(self.norm(self.convolution(wide)), NEGATIVE_SLOPE)


class Level(nn.Module):
    """Down by two, through what is below, up again, joined with what went straight across.

    Parameters
    ----------
    inputs, channels, across : int
        Channels that come in, that go out, and that go across.
    size : (int, int)
        Pixels.
    below : nn.Module
        What follows at half the size.
    periodic : bool
    rng : torch.Generator
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        across: int,
        size: tuple[int, int],
        below: nn.Module,
        *,
        periodic: bool,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.across = Unit(conv1x1(inputs, across, rng), periodic=periodic)
        self.down = nn.Sequential(
            Unit(conv3x3(inputs, channels, rng, stride=2), periodic=periodic),
            Unit(conv3x3(channels, channels, rng), periodic=periodic),
        )
        self.below = below
        double = halfpixel_circle if periodic else halfpixel_double
        (rows, columns), (half_rows, half_columns) = size, half(size)
        self.grow = Separable(halfpixel_double(half_rows, rows).float(), double(half_columns, columns).float())
        self.norm = SingleImageNorm(across + channels)
        self.up = nn.Sequential(
            Unit(conv3x3(across + channels, channels, rng), periodic=periodic),
            Unit(conv1x1(channels, channels, rng), periodic=periodic),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (1, c, h, w) to (1, c', h, w)."""
        grown = self.grow(self.below(self.down(features)))
        joined: torch.Tensor = self.up(self.norm(torch.cat([self.across(features), grown], dim=1)))
        return joined


class Skip(Generator):
    """The hourglass.

    Parameters
    ----------
    extent : (int, int), Separable or None
        Pixels along y and x, and the map from there to the fine cells.
    channels, across, levels : int
    jitter : float
    periodic : bool
    rng : torch.Generator
        Source of the latent, of the first weights, and of the jitter.
    """

    latent: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        extent: Extent,
        channels: int,
        across: int,
        levels: int,
        jitter: float,
        *,
        periodic: bool,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        size, self.synthesis = extent
        self.jitter, self.redrawn_by = jitter, rng if jitter else None
        latent = torch.rand(1, LATENT_CHANNELS, *size, generator=rng) * LATENT_SIZE
        self.register_buffer("latent", latent, persistent=False)
        depth = min(levels, halvings(size))
        self.architecture = ("skip", size, self.synthesis is None, channels, across, depth, periodic)
        sizes = [size]
        for _ in range(depth):
            sizes.append(half(sizes[-1]))
        body: nn.Module = nn.Identity()
        for level in reversed(range(depth)):
            inputs = channels if level else LATENT_CHANNELS
            body = Level(inputs, channels, across, sizes[level], body, periodic=periodic, rng=rng)
        self.body = body
        self.head = conv1x1(channels if depth else LATENT_CHANNELS, 1, rng)
        self.register_buffer("scale", torch.ones(()), persistent=False)
        self.scale = standardising(self, self.latent)

    def draw(self) -> torch.Tensor:
        """Return the latent with a little noise, new at each iteration."""
        if self.redrawn_by is None:
            return self.latent
        noise = torch.randn(self.latent.shape, generator=self.redrawn_by).to(self.latent)
        return self.latent + self.jitter * noise

    def expected(self) -> torch.Tensor:
        """Return the latent without noise."""
        return self.latent

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Map a latent to a working field of shape (1, h, w) and standard deviation about one at the start."""
        field: torch.Tensor = self.head(self.body(latent))[0]
        return field * self.scale


def half(size: tuple[int, int]) -> tuple[int, int]:
    """Return the pixels after a stride of two.

    Examples
    --------
    >>> half((8, 5))
    (4, 3)
    """
    return math.ceil(size[0] / 2), math.ceil(size[1] / 2)


def make_skip(
    shape: tuple[int, int],
    factor: Factor,
    seed: int,
    *,
    channels: int = 128,
    across: int = 4,
    levels: int = 5,
    jitter: float = 0.03,
    ratio: tuple[int, int] | None = None,
    padding: tuple[int, int] = (3, 3),
    periodic: bool = False,
) -> Skip:
    """Make a fresh hourglass with skip connections.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x; any size, any aspect.
    factor : (int, int)
        Fine cells per coarse cell.
    seed : int
        Every random number of the network comes from it.
    channels : int
        Of all levels.
    across : int
        Channels that go straight across at each level.
    levels : int
        At most; small fields have fewer.
    jitter : float
        Standard deviation of the noise that is added to the latent, which is uniform from 0 to 0.1, in each iteration.
    ratio : (int, int), optional
        Knots of a spline per coarse cell; by default the network works on the fine cells, as published.
    padding : (int, int)
        Coarse cells added on each side; with `ratio` only.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    Skip

    Raises
    ------
    ValueError
        If a number of channels or levels is not positive.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky 2018, Deep image prior, CVPR, and its supplement: super-resolution.

    Examples
    --------
    >>> generator = make_skip((4, 4), (16, 16), seed=0)
    >>> sum(p.numel() for p in generator.parameters())
    2217573
    """
    check_counts(channels=channels, across=across, levels=levels)
    extent = working_extent(shape, factor, ratio, padding, periodic=periodic)
    rng = torch.Generator().manual_seed(seed)
    return Skip(extent, channels, across, levels, jitter, periodic=periodic, rng=rng)
