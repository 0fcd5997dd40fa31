r"""Neural Knitworks (Czerkawski et al. 2022): a network of the position that tells a small patch around each point.

A position p becomes random Fourier features, and these, by a perceptron, the 3 x 3 values v(p, d) around p. What knits
the patches together is added to the loss: each patch must tell the values that its neighbours have in their centres,

.. math:: \kappa \, \overline{(v(p, d) - v(p + d, 0))^2}

and a small second network, trained in the same optimisation, must not be able to tell them from the patches of the
coarse field. It sees the gradient of its own loss, the first network the opposite (Ganin and Lempitsky 2015), which is
the game of Goodfellow et al. 2014 in one step. Patches of both are compared cell by cell, whatever the size of a cell.
Both terms are equation :eq:`knitwork` of the theory page.

No convolution, so no border: the same weights give the field at any other positions.
"""

from __future__ import annotations

import math
from itertools import pairwise, product

import torch
from torch import nn
from torch.nn import functional

from xr_dip.blocks import Factor
from xr_dip.generators.base import Generator, check_counts, standardising
from xr_dip.generators.extent import Extent, working_extent
from xr_dip.generators.layers import conv1x1, with_border

# The centre comes first: it is the field.
OFFSETS = tuple(sorted(product((-1, 0, 1), repeat=2), key=lambda offset: offset != (0, 0)))
JUDGE_CHANNELS = 64
NEGATIVE_SLOPE = 0.2


class Knitting(nn.Module):
    """What is added to the loss: the disagreement of neighbouring patches, and the game of the two networks.

    Parameters
    ----------
    consistency, adversarial : float
        Weights.
    periodic : bool
        Whether the last column and the first are neighbours.
    """

    def __init__(self, consistency: float, adversarial: float, *, periodic: bool) -> None:
        super().__init__()
        self.consistency, self.adversarial, self.periodic = consistency, adversarial, periodic

    def forward(self, working: torch.Tensor) -> torch.Tensor:
        """Map a working field (10, h, w) to one number."""
        told, game = working[: len(OFFSETS)], working[-1]
        apart = (told - neighbours(told[0], periodic=self.periodic)).square()
        # At a border some neighbours are none.
        whole = apart[:, 1:-1] if self.periodic else apart[:, 1:-1, 1:-1]
        return self.consistency * whole.sum() / max(1, whole.numel()) + self.adversarial * game.mean()


def neighbours(field: torch.Tensor, *, periodic: bool) -> torch.Tensor:
    """Return the values around each point, in the order of `OFFSETS`.

    Parameters
    ----------
    field : Tensor, shape (h, w)
    periodic : bool
        Whether the last column and the first are neighbours; elsewhere the field is reflected at its border.

    Returns
    -------
    Tensor, shape (9, h, w)

    Examples
    --------
    >>> neighbours(torch.arange(4.0).reshape(2, 2), periodic=False)[:, 0, 0].tolist()
    [0.0, 3.0, 2.0, 3.0, 1.0, 1.0, 3.0, 2.0, 3.0]
    """
    rows, columns = field.shape
    wide = with_border(field, periodic=periodic)
    return torch.stack([wide[1 + y : 1 + y + rows, 1 + x : 1 + x + columns] for y, x in OFFSETS])


def make_judge(rng: torch.Generator) -> nn.Sequential:
    """Make the perceptron that says how likely patches are those of the coarse field.

    Parameters
    ----------
    rng : torch.Generator
        Source of the first weights.

    Returns
    -------
    nn.Sequential
        From patches (1, 9, h, w) to log odds (1, 1, h, w).
    """
    return nn.Sequential(
        conv1x1(len(OFFSETS), JUDGE_CHANNELS, rng),
        nn.LeakyReLU(NEGATIVE_SLOPE),
        conv1x1(JUDGE_CHANNELS, JUDGE_CHANNELS, rng),
        nn.LeakyReLU(NEGATIVE_SLOPE),
        conv1x1(JUDGE_CHANNELS, 1, rng),
    )


class Knitwork(Generator):
    """The network of positions and its judge.

    Parameters
    ----------
    extent : (int, int), Separable or None
        Pixels along y and x, and the map from there to the fine cells.
    cells : (float, float)
        Coarse cells between two pixels.
    features, channels, layers : int
    scale : float
        Standard deviation of the frequencies, cycles per coarse cell.
    knitting : Knitting
    rng : torch.Generator
        Source of the frequencies and of the first weights.
    """

    positions: torch.Tensor
    frequencies: torch.Tensor
    patches: torch.Tensor
    size: torch.Tensor

    def __init__(
        self,
        extent: Extent,
        cells: tuple[float, float],
        features: int,
        channels: int,
        layers: int,
        scale: float,
        knitting: Knitting,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        pixels, self.synthesis = extent
        self.own_penalty = knitting
        key = (pixels, self.synthesis is None, cells, features, channels, layers)
        self.key = ("knitwork", *key, knitting.consistency, knitting.adversarial, knitting.periodic)
        axes = [torch.arange(count) * step for count, step in zip(pixels, cells, strict=True)]
        positions = torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]
        frequencies = torch.randn(features, 2, generator=rng) * scale
        if knitting.periodic:
            around = pixels[1] * cells[1]
            frequencies[:, 1] = (frequencies[:, 1] * around).round() / around
        self.register_buffer("positions", positions, persistent=False)
        self.register_buffer("frequencies", frequencies[:, :, None, None], persistent=False)
        widths = [2 * features] + [channels] * layers
        steps: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            steps += [conv1x1(inputs, outputs, rng), nn.ReLU()]
        self.steps = nn.Sequential(*steps, conv1x1(channels, len(OFFSETS), rng))
        self.judge = make_judge(rng)
        # Before the values are known: the patch of a flat field.
        self.register_buffer("patches", torch.zeros(1, len(OFFSETS), 1, 1), persistent=False)
        self.architecture = (*self.key, 1)
        self.register_buffer("size", torch.ones(()), persistent=False)
        self.size = standardising(self, self.positions)

    def attend(self, values: torch.Tensor, seen: torch.Tensor, *, periodic: bool) -> None:
        """Take the patches of the coarse field, those without land or border, as what the judge compares with."""
        told = neighbours(torch.where(seen, values, torch.nan), periodic=periodic)
        inside = torch.ones_like(seen)
        inside[[0, -1]] = False
        inside[:, [0, -1]] &= periodic
        patches = told[:, inside]
        whole = patches[:, patches.isfinite().all(dim=0)]
        if whole.numel():
            self.patches = whole[None, :, :, None].to(self.patches)
        # Fields of a batch are stacked: those with as many patches may share one.
        self.architecture = (*self.key, self.patches.shape[2])

    def draw(self) -> torch.Tensor:
        """Return the positions of the pixels, (1, 2, h, w), coarse cells."""
        return self.positions

    def told(self, positions: torch.Tensor) -> torch.Tensor:
        """Return the patches (9, h, w) at any positions (1, 2, h, w): those of a finer grid, of a track.

        Examples
        --------
        >>> generator = make_knitwork((3, 4), (2, 2), seed=0, features=8, channels=8)
        >>> track = torch.tensor([[0.0, 0.7, 1.9], [0.2, 2.0, 3.1]]).reshape(1, 2, 1, 3)  # coarse cells along y and x
        >>> generator.told(track).shape
        torch.Size([9, 1, 3])
        """
        phase = 2 * math.pi * functional.conv2d(positions, self.frequencies)
        patches: torch.Tensor = self.steps(torch.cat([phase.cos(), phase.sin()], dim=1))[0]
        return patches * self.size

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Map positions to a working field (10, h, w): the patches, the centre first, and the loss of the judge."""
        told = self.told(latent)
        # The value of x, and minus its gradient.
        mirrored = 2 * told.detach() - told
        lies = functional.softplus(self.judge(mirrored[None])[0])
        truths = functional.softplus(-self.judge(self.patches)).mean()
        return torch.cat([told, lies + truths])

    def fine(self, working: torch.Tensor) -> torch.Tensor:
        """Form the fine field (1, Y, X), from the centres of the patches."""
        return super().fine(working[:1])


def make_knitwork(
    shape: tuple[int, int],
    factor: Factor,
    seed: int,
    *,
    features: int = 256,
    channels: int = 256,
    layers: int = 4,
    scale: float = 0.25,
    consistency: float = 1e-3,
    adversarial: float = 1e-4,
    ratio: tuple[int, int] | None = None,
    padding: tuple[int, int] = (3, 3),
    periodic: bool = False,
) -> Knitwork:
    """Make a fresh knitwork.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x; any size, any aspect.
    factor : (int, int)
        Fine cells per coarse cell.
    seed : int
        Every random number of the network comes from it.
    features : int
        Random frequencies; each gives a cosine and a sine.
    channels, layers : int
        Of the perceptron.
    scale : float
        Standard deviation of the frequencies, in cycles per coarse cell: 1/4 is 10 in a field of 40 cells.
    consistency, adversarial : float
        Weights of the two terms that are added to the loss; 0 leaves one out. With ten times as much, fits of whitened
        misfits do not come down to the coarse values.
    ratio : (int, int), optional
        Knots of a spline per coarse cell; by default the network works on the fine cells.
    padding : (int, int)
        Coarse cells added on each side; with `ratio` only.
    periodic : bool
        Whether the last column and the first are neighbours: then all waves fit around.

    Returns
    -------
    Knitwork

    Raises
    ------
    ValueError
        If a number of features, channels or layers is not positive, or the scale or a weight is negative.

    References
    ----------
    Czerkawski, Cardona, Atkinson, Michie, Andonovic, Clemente, Tachtatzis 2022, Neural Knitworks: patched neural
    implicit representation networks, arXiv:2109.14406.
    Ganin, Lempitsky 2015, Unsupervised domain adaptation by backpropagation, ICML.

    Examples
    --------
    >>> generator = make_knitwork((3, 4), (2, 2), seed=0, features=8, channels=8)
    >>> generator(generator.draw()).shape, generator.fine(generator(generator.draw())).shape
    (torch.Size([10, 6, 8]), torch.Size([1, 6, 8]))
    """
    check_counts(features=features, channels=channels, layers=layers)
    for name, weight in {"scale": scale, "consistency": consistency, "adversarial": adversarial}.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"Invalid {name} {weight}. It must not be negative.")
    extent = working_extent(shape, factor, ratio, padding, periodic=periodic)
    y, x = factor if ratio is None else ratio
    knitting = Knitting(consistency, adversarial, periodic=periodic)
    rng = torch.Generator().manual_seed(seed)
    return Knitwork(extent, (1 / y, 1 / x), features, channels, layers, scale, knitting, rng)
