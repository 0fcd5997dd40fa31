r"""The Laplacian pyramid network of Lai et al. 2017, trained on the pyramid of the one field at hand.

Each level doubles twice over: an image, by a transposed convolution that begins as linear interpolation, and features,
by convolutions and a transposed one; from the features comes what is added to the image,

.. math:: x_s = U x_{s-1} + R(\phi_s), \qquad \phi_s = F(\phi_{s-1}), \qquad x_0 = y

which is equation :eq:`lapsrn` of the theory page. As there is no archive, the pairs to learn from are crops of the
coarse field and the same crops coarsened, see `xr_dip.generators.pyramid`. Their Charbonnier misfits, summed over the
levels (equation :eq:`lessons`), are added to the loss of the fit, which sees the network applied to the field itself.
All levels have the same weights, as in Lai et al. 2019: a field is seldom large enough to teach the last levels
anything. The details begin as none, where the paper has noise that one field is too little to unlearn. Borders are
reflected, and those of the image continued by a straight line, where the paper has zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.nn import functional

from xr_dip.blocks import Factor
from xr_dip.generators.base import Generator, check_counts
from xr_dip.generators.layers import continued, conv3x3, with_border
from xr_dip.generators.pyramid import Lessons, coarsened, doubled_extent, doublings, seen_charbonnier

NEGATIVE_SLOPE = 0.2
# Of half the sum of the squares of all parameters: the `weight_decay` of torch's Adam as a term of the loss.
WEIGHT_DECAY = 1e-4


def he_weights(weight: torch.Tensor, rng: torch.Generator) -> None:
    """Fill such that features keep their size behind a leaky rectifier (He et al. 2015)."""
    nn.init.kaiming_normal_(weight, a=NEGATIVE_SLOPE, generator=rng)


def no_weights(weight: torch.Tensor, rng: torch.Generator) -> None:
    """Fill with zeros: details that are none as long as nothing is learned."""
    nn.init.zeros_(weight)


def active(features: torch.Tensor) -> torch.Tensor:
    """Return features behind the leaky rectifier."""
    return functional.leaky_relu(features, NEGATIVE_SLOPE)


class Double(nn.Module):
    """Transposed convolution of 4 x 4 and stride two, of features with a border of one.

    Parameters
    ----------
    channels : int
    rng : torch.Generator or None
        Without one it begins as linear interpolation of each channel, and has no bias.
    """

    def __init__(self, channels: int, rng: torch.Generator | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels, 4, 4))
        self.bias = None if rng is None else nn.Parameter(torch.zeros(channels))
        with torch.no_grad():
            if rng is None:
                line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
                self.weight.copy_(torch.eye(channels)[:, :, None, None] * line[:, None] * line)
            else:
                # A pixel is made of 2 x 2 pixels of each channel.
                size = math.sqrt(2 / ((1 + NEGATIVE_SLOPE**2) * 4 * channels))
                nn.init.normal_(self.weight, 0.0, size, generator=rng)

    def forward(self, wide: torch.Tensor) -> torch.Tensor:
        """Map features (batch, c, h + 2, w + 2) to (batch, c, 2 h, 2 w)."""
        return functional.conv_transpose2d(wide, self.weight, self.bias, stride=2, padding=3)


class Level(nn.Module):
    """Double the image and the features, and add to the image what the features tell.

    Parameters
    ----------
    channels, depth : int
        Of the features, and how many convolutions come before they are doubled.
    rng : torch.Generator
        Source of the first weights.
    """

    def __init__(self, channels: int, depth: int, rng: torch.Generator) -> None:
        super().__init__()
        self.body = nn.ModuleList(conv3x3(channels, channels, rng, he_weights) for _ in range(depth))
        self.grow = Double(channels, rng)
        self.head = conv3x3(channels, 1, rng, no_weights)
        self.image = Double(1, None)

    def forward(
        self, image: torch.Tensor, features: torch.Tensor, *, periodic: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map an image (batch, 1, h, w) and features (batch, c, h, w) to those of (2 h, 2 w)."""
        for convolution in self.body:
            features = active(convolution(with_border(features, periodic=periodic)))
        features = active(self.grow(with_border(features, periodic=periodic)))
        detail = self.head(with_border(features, periodic=periodic))
        return self.image(continued(image, periodic=periodic)) + detail, features


class Told(nn.Module):
    """What is added to the loss: what the network tells of itself in its last channel."""

    def forward(self, working: torch.Tensor) -> torch.Tensor:
        """Map a working field (2, h, w) to one number."""
        return working[-1].mean()


class LapSrn(Generator):
    """The pyramid.

    Parameters
    ----------
    lessons : Lessons
        The coarse field.
    factor : (int, int)
        Fine cells per coarse cell.
    channels, depth : int
    weights : tuple of float
        Of the misfits, one for each level.
    shared : bool
    rng : torch.Generator
        Source of the first weights.
    """

    def __init__(
        self,
        lessons: Lessons,
        factor: Factor,
        channels: int,
        depth: int,
        weights: tuple[float, ...],
        *,
        shared: bool,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.lessons, self.weights = lessons, weights
        self.synthesis = doubled_extent(lessons.shape, factor, periodic=lessons.periodic)[1]
        self.own_penalty = Told()
        self.architecture = ("lapsrn", lessons.architecture, factor, channels, depth, weights, shared)
        self.lift = conv3x3(1, channels, rng, he_weights)
        self.levels = nn.ModuleList(Level(channels, depth, rng) for _ in range(1 if shared else len(weights)))

    def attend(self, values: torch.Tensor, seen: torch.Tensor, *, periodic: bool) -> None:
        """Take the coarse field as what is made fine, and its crops as what to learn from."""
        self.lessons.learn_from(values, seen)

    def draw(self) -> torch.Tensor:
        """Return the crops of the next iteration, (batch, 2, n, n): values, and 1 where they were seen."""
        return self.lessons.draw()

    def expected(self) -> torch.Tensor:
        """Return crops without a cell: the field itself is a part of the network."""
        return self.lessons.none()

    def pyramid(self, image: torch.Tensor, times: int, *, periodic: bool) -> list[torch.Tensor]:
        """Return images (batch, 1, h, w) doubled once, twice, ... `times` times."""
        features = active(self.lift(with_border(image, periodic=periodic)))
        images = []
        for number in range(times):
            level = self.levels[number % len(self.levels)]
            image, features = level(image, features, periodic=periodic)
            images.append(image)
        return images

    def lesson(self, crops: torch.Tensor) -> torch.Tensor:
        """Return the weighed sum over levels of the misfits of crops (batch, 2, n, n) made fine again."""
        coarsest, *finer = coarsened(crops, self.lessons.levels)
        told = self.pyramid(coarsest[:, :1], len(finer), periodic=False)
        loss = crops.new_zeros(())
        for weight, image, truth in zip(self.weights, told, finer, strict=False):
            loss = loss + weight * seen_charbonnier(image - truth[:, :1], truth[:, 1:])
        return loss

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Map crops to a working field (2, h, w): the field, and what is added to the loss, the same everywhere."""
        field = self.pyramid(self.lessons.values[None, None], len(self.weights), periodic=self.lessons.periodic)[-1][0]
        told = self.lesson(latent) + WEIGHT_DECAY / 2 * _squares(self.parameters())
        return torch.cat([field, told.expand_as(field)])

    def fine(self, working: torch.Tensor) -> torch.Tensor:
        """Form the fine field (1, Y, X)."""
        return super().fine(working[:1])


def _squares(parameters: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.stack([parameter.square().sum() for parameter in parameters]).sum()


def make_lapsrn(
    shape: tuple[int, int],
    factor: Factor,
    seed: int,
    *,
    channels: int = 64,
    depth: int = 5,
    level_weights: Sequence[float] | None = None,
    shared: bool = True,
    batch: int = 16,
    crop: int = 128,
    periodic: bool = False,
) -> LapSrn:
    """Make a fresh Laplacian pyramid network.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x; any size, any aspect.
    factor : (int, int)
        Fine cells per coarse cell. What is no power of two, or not the same along both axes, is made of the next larger
        power, by conservative remapping.
    seed : int
        Every random number of the network comes from it.
    channels, depth : int
        Of the features, and convolutions in each level.
    level_weights : sequence of float, optional
        Weight of the misfit of each level, beside 1 for the misfit of the coarse values; by default 1. A small field
        teaches the first ones only. 0 everywhere leaves a deep image prior.
    shared : bool
        Whether all levels have the same weights. As published in 2017 they have not; levels that are deeper than the
        pyramid of the field then learn from the misfit of the coarse values alone.
    batch : int
        Crops of the field in each step, turned and flipped by chance.
    crop : int
        Cells along a side of a crop, at most.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    LapSrn

    Raises
    ------
    ValueError
        If a number is not positive, the weights are not one for each level, or `shared` is neither true nor false.

    References
    ----------
    Lai, Huang, Ahuja, Yang 2017, Deep Laplacian pyramid networks for fast and accurate super-resolution, CVPR,
    arXiv:1704.03915; 2019, Fast and accurate image super-resolution with deep Laplacian pyramid networks, TPAMI,
    arXiv:1710.01992.
    Shocher, Cohen, Irani 2018, Zero-shot super-resolution using deep internal learning, CVPR, arXiv:1712.06087.

    Examples
    --------
    >>> generator = make_lapsrn((8, 9), (3, 3), seed=0, channels=8)
    >>> working = generator(generator.draw())
    >>> working.shape, generator.fine(working).shape
    (torch.Size([2, 32, 36]), torch.Size([1, 24, 27]))
    """
    check_counts(channels=channels, depth=depth, batch=batch, crop=crop)
    if not isinstance(shared, bool):
        raise ValueError(f"Invalid shared {shared!r}. It must be True or False.")
    weights = _check_weights((1.0,) * doublings(factor) if level_weights is None else level_weights, factor)
    rng = torch.Generator().manual_seed(seed)
    lessons = Lessons(shape, doublings(factor), batch, crop, periodic=periodic, rng=rng)
    return LapSrn(lessons, factor, channels, depth, weights, shared=shared, rng=rng)


def _check_weights(weights: Sequence[float], factor: Factor) -> tuple[float, ...]:
    """Return the weights if there is one for each level, none negative."""
    levels = doublings(factor)
    found = tuple(weights) if isinstance(weights, Sequence) else ()
    if len(found) != levels or not all(0 <= weight < math.inf for weight in found):
        raise ValueError(
            f"Invalid level_weights {weights}. It must be {levels} numbers that are not negative, one for each level "
            f"at factor {factor}."
        )
    return found
