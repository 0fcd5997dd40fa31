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

LATENT_CHANNELS = 100
WIDTHS = (512, 256, 128, 64, 32, 16)
LATENTS = ("normal", "uniform", "fixed")


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
        doubles = _doubles(start[0], shape[1], periodic)
        for double, inputs, outputs in zip(doubles, WIDTHS, (*WIDTHS[1:], 1), strict=True):
            layers += double
            layers += [conv3x3(inputs, outputs, rng, dcgan_weights)]
            if outputs > 1:
                layers += [SingleImageNorm(outputs, rng), nn.ReLU()]
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


def _doubles(rows: int, columns: int, periodic: bool) -> list[list[nn.Module]]:
    """Layers of each level that double features and add a border of one: `rows` at first, `columns` in the end."""
    if not periodic:
        return [[nn.Upsample(scale_factor=2, mode="bilinear"), nn.ReflectionPad2d(1)] for _ in WIDTHS]
    widths = [max(2, math.ceil(columns / 2**left)) for left in range(len(WIDTHS), 0, -1)] + [columns]
    heights = [rows * 2**level for level in range(len(WIDTHS) + 1)]
    along_y = [halfpixel_double(*pair, border=1).float() for pair in pairwise(heights)]
    along_x = [halfpixel_circle(*pair, border=1).float() for pair in pairwise(widths)]
    return [[Separable(*maps)] for maps in zip(along_y, along_x, strict=True)]


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
