"""The generator of Archambault et al. 2022: a DCGAN from a latent vector to the fine field.

2,393,185 parameters at 256 x 256. Where the paper is silent we follow later code of the same group: bilinear
upsampling, weights N(0, 0.02), normalisation N(1, 0.02). Other sizes begin at ceil(size / 64) instead of 4 and are
cropped about the centre. Around the globe nothing can be cropped, so there the columns grow to their exact number.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from xr_dip.blocks import Factor
from xr_dip.fitting.linear import Separable, halfpixel_circle, halfpixel_double
from xr_dip.generators.base import Generator
from xr_dip.generators.layers import SingleImageNorm, conv3x3, dcgan_weights
from xr_dip.generators.mixing import MapLast

LATENT_CHANNELS = 100
WIDTHS = (512, 256, 128, 64, 32, 16)
LATENTS = ("normal", "uniform", "fixed")


class Level(nn.Module):
    """Double and convolve; the last one ends there, the others normalise and rectify.

    The features are mixed before they are doubled: the numbers of the plain form to rounding, at half the cost.
    """

    def __init__(self, channels: tuple[int, int], double: Separable, rng: torch.Generator) -> None:
        super().__init__()
        self.grow = MapLast(double)
        self.convolution = conv3x3(*channels, rng, dcgan_weights)
        last = channels[1] == 1
        self.finish = nn.Identity() if last else nn.Sequential(SingleImageNorm(channels[1], rng), nn.ReLU())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (1, c, h, w) to (1, c', h', w')."""
        finished: torch.Tensor = self.finish(self.grow(features, self.convolution))
        return finished


class Dcgan(Generator):
    """The network of the paper's table 1.

    Parameters
    ----------
    shape : (int, int)
        Fine cells along y and x.
    latent : {"normal", "uniform", "fixed"}
        Redrawn from N(mu, sigma^2) at each iteration as in the paper; from mu + U[0, 1) sigma; or mu for ever. mu and
        sigma are drawn once.
    rng : torch.Generator
        Source of the first weights and of every latent.
    periodic : bool
        Whether the last column and the first are neighbours.
    """

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, shape: tuple[int, int], latent: str, rng: torch.Generator, *, periodic: bool = False) -> None:
        super().__init__()
        self.shape, self.kind = shape, latent
        self.redrawn_by = None if latent == "fixed" else rng
        self.architecture = ("dcgan", shape, latent, periodic)
        doublings = len(WIDTHS)
        # Two at least: a single pixel has no statistics to normalise by.
        start = [max(2, math.ceil(size / 2**doublings)) for size in shape]
        kind, options = nn.ConvTranspose2d, {"bias": False}
        first = nn.utils.skip_init(kind, LATENT_CHANNELS, WIDTHS[0], start, **options)  # type: ignore[no-untyped-call]
        dcgan_weights(first.weight, rng)
        layers: list[nn.Module] = [first, SingleImageNorm(WIDTHS[0], rng), nn.ReLU()]
        doubles = _doubles(start, shape[1] if periodic else None)
        for channels, double in zip(pairwise((*WIDTHS, 1)), doubles, strict=True):
            layers.append(Level(channels, double, rng))
        self.layers = nn.Sequential(*layers)
        size = (1, LATENT_CHANNELS, 1, 1)
        self.register_buffer("mean", torch.randn(size, generator=rng), persistent=False)
        self.register_buffer("spread", torch.rand(size, generator=rng), persistent=False)

    def draw(self) -> torch.Tensor:
        """Return the latent of the next iteration."""
        if self.redrawn_by is None:
            return self.mean
        sample = torch.randn if self.kind == "normal" else torch.rand
        noise = sample(self.mean.shape, generator=self.redrawn_by).to(self.mean)
        return self.mean + self.spread * noise

    def expected(self) -> torch.Tensor:
        """Return mu: the centre of the latents that the network was fitted with."""
        return self.mean

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Map a latent (1, 100, 1, 1) to the fine field (1, Y, X)."""
        field: torch.Tensor = self.layers(latent)[0]
        (rows, columns), (y, x) = field.shape[-2:], self.shape
        top, left = (rows - y) // 2, (columns - x) // 2
        return field[:, top : top + y, left : left + x]


def _doubles(start: list[int], around: int | None) -> list[Separable]:
    """Return the maps that double features and add a border of one; around a circle to exactly so many columns."""
    doublings = len(WIDTHS)
    heights, widths = ([size * 2**level for level in range(doublings + 1)] for size in start)
    if around is not None:
        widths = [max(2, math.ceil(around / 2**left)) for left in range(doublings, 0, -1)] + [around]
    along_x = halfpixel_double if around is None else halfpixel_circle
    return [
        Separable(halfpixel_double(*rows, border=1).float(), along_x(*columns, border=1).float())
        for rows, columns in zip(pairwise(heights), pairwise(widths), strict=True)
    ]


def make_dcgan(
    shape: tuple[int, int], factor: Factor, seed: int, *, latent: str = "normal", periodic: bool = False
) -> Dcgan:
    """Make a fresh DCGAN generator.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x.
    factor : (int, int)
        Fine cells per coarse cell.
    seed : int
    latent : {"normal", "uniform", "fixed"}
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    Dcgan

    Raises
    ------
    ValueError
        If the kind of latent is unknown.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image
    prior, table 1.

    Examples
    --------
    >>> generator = make_dcgan((16, 16), (16, 16), seed=0)
    >>> sum(p.numel() for p in generator.parameters())
    2393185
    """
    if latent not in LATENTS:
        raise ValueError(f"Invalid latent {latent!r}. It must be one of {list(LATENTS)}.")
    fine = (shape[0] * factor[0], shape[1] * factor[1])
    return Dcgan(fine, latent, torch.Generator().manual_seed(seed), periodic=periodic)
