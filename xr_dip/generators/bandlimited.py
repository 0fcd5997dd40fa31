r"""The default generator: smooth at every scale, drawn on a domain wider than the data.

Its output is a cubic B-spline whose knots lie a few to a coarse cell, on a domain padded by whole coarse cells: what
the convolutions do at their border falls outside the result. Each level doubles by half-pixel linear interpolation
(B-spline subdivision), because the ringing of bicubic interpolation is larger than the errors that are at stake.

A field that goes round the globe has no border along x: no padding, and every step along x is circular.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from xr_dip.blocks import Factor
from xr_dip.fitting.linear import Separable, border, cubic_bspline, halfpixel_circle, halfpixel_double
from xr_dip.generators.base import Generator, check_counts, check_whole
from xr_dip.generators.layers import SingleImageNorm, conv3x3
from xr_dip.generators.mixing import MapLast, RowsLast

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
}
LATENT_CHANNELS = 32


@dataclass(frozen=True)
class WorkingGrid:
    """The grid of knots along one axis.

    Parameters
    ----------
    cells : int
        Coarse cells.
    factor : int
        Fine cells per coarse cell.
    ratio : int
        Knots per coarse cell.
    padding : int
        Coarse cells added on each end; none on a circle.
    periodic : bool
        Whether the axis is a circle.

    Examples
    --------
    >>> WorkingGrid(cells=16, factor=16, ratio=4, padding=3).size
    88
    """

    cells: int
    factor: int
    ratio: int
    padding: int
    periodic: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers of knots and of cells that there cannot be."""
        check_counts(ratio=self.ratio)
        check_whole("padding", self.padding)
        if self.padding < 0:
            raise ValueError(f"Invalid padding {self.padding}. It must not be negative.")

    @property
    def size(self) -> int:
        """Number of knots."""
        return (self.cells + 2 * self._padding) * self.ratio

    @property
    def _padding(self) -> int:
        return 0 if self.periodic else self.padding

    def synthesis(self) -> torch.Tensor:
        """Matrix from knots to fine cells, shape (cells * factor, size)."""
        pixels, spacing = self.cells * self.factor, self.factor / self.ratio
        return cubic_bspline(self.size, pixels, spacing, float(self._padding * self.factor), periodic=self.periodic)

    def upsample(self, size: int, larger: int) -> torch.Tensor:
        """Matrix from one level of pixels to the next with a border of one, shape (larger + 2, size)."""
        step = halfpixel_circle if self.periodic else halfpixel_double
        return step(size, larger, border=1).float()


def working_grids(
    shape: tuple[int, int], factor: Factor, ratio: tuple[int, int], padding: tuple[int, int], *, periodic: bool
) -> tuple[WorkingGrid, WorkingGrid]:
    """Return the grids of knots along y and x.

    Parameters
    ----------
    shape, factor, ratio, padding : (int, int)
        As for `make_bandlimited`.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    (WorkingGrid, WorkingGrid)

    Raises
    ------
    ValueError
        If ratio or padding are no two numbers, or none that there can be.

    Examples
    --------
    >>> [grid.size for grid in working_grids((5, 7), (3, 3), (2, 2), (2, 2), periodic=True)]
    [18, 14]
    """
    for name, pair in {"ratio": ratio, "padding": padding}.items():
        if np.shape(pair) != (2,):
            raise ValueError(f"Invalid {name} {pair!r}. It must be two numbers, along y and x.")
    rows, columns = zip(shape, factor, ratio, padding, strict=True)
    return WorkingGrid(*rows), WorkingGrid(*columns, periodic=periodic)


class Level(nn.Module):
    """Double and convolve, normalise, activate."""

    def __init__(self, channels: tuple[int, int], upsample: Separable, activation: str, rng: torch.Generator) -> None:
        super().__init__()
        self.grow = RowsLast(upsample)
        self.convolution = conv3x3(*channels, rng)
        self.norm = SingleImageNorm(channels[1])
        self.activation = ACTIVATIONS[activation]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (1, c, h, w) to (1, c', h', w')."""
        return self.activation(self.norm(self.grow(features, self.convolution)))


class BandLimited(Generator):
    """The band-limited generator.

    Parameters
    ----------
    grids : (WorkingGrid, WorkingGrid)
        Knots along y and x.
    channels : (int, int)
        Of all levels but the last, and of the last, which costs most.
    activation : {"tanh", "gelu", "silu"}
    rng : torch.Generator
    """

    latent: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self, grids: tuple[WorkingGrid, WorkingGrid], channels: tuple[int, int], activation: str, rng: torch.Generator
    ) -> None:
        super().__init__()
        self.architecture = ("bandlimited", grids, channels, activation)
        size = (grids[0].size, grids[1].size)
        depth = max(1, math.ceil(math.log2(max(size) / 4)))
        sizes = [tuple(math.ceil(n / 2 ** (depth - level)) for n in size) for level in range(depth + 1)]
        widths = [LATENT_CHANNELS] + [channels[0]] * (depth - 1) + [channels[1]]
        latent = torch.randn(1, LATENT_CHANNELS, *sizes[0], generator=rng)
        self.register_buffer("latent", latent, persistent=False)
        doublings = [
            Separable(grids[0].upsample(before[0], after[0]), grids[1].upsample(before[1], after[1]))
            for before, after in pairwise(sizes)
        ]
        self.levels = nn.Sequential(
            *(Level((widths[i], widths[i + 1]), doublings[i], activation, rng) for i in range(depth))
        )
        frame = (border(grid.size, periodic=grid.periodic).float() for grid in grids)
        self.frame = MapLast(Separable(*frame))
        self.head = conv3x3(channels[1], 1, rng)
        self.synthesis = Separable(grids[0].synthesis(), grids[1].synthesis())
        self.register_buffer("scale", torch.ones(()), persistent=False)
        with torch.no_grad():
            self.scale = 1 / self(self.latent).std().clamp(min=1e-6)

    def draw(self) -> torch.Tensor:
        """Return the latent, fixed from the start."""
        return self.latent

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Map the latent to a working field of shape (1, h, w) and standard deviation about one at the start."""
        field: torch.Tensor = self.frame(self.levels(latent), self.head)[0]
        return field * self.scale


def make_bandlimited(
    shape: tuple[int, int],
    factor: Factor,
    seed: int,
    *,
    ratio: tuple[int, int] = (4, 4),
    padding: tuple[int, int] = (3, 3),
    channels: int = 64,
    last_channels: int | None = None,
    activation: str = "gelu",
    periodic: bool = False,
) -> BandLimited:
    """Make a fresh band-limited generator.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x; any size, any aspect.
    factor : (int, int)
        Fine cells per coarse cell.
    seed : int
        Every random number of the network comes from it.
    ratio : (int, int)
        Knots of the spline per coarse cell along y and x.
    padding : (int, int)
        Coarse cells added on each side of the domain, cut off from the result; none along x if `periodic`.
    channels : int
    last_channels : int, optional
        Channels of the last and largest level; as many as elsewhere by default. Half as many cost a third less time.
    activation : {"tanh", "gelu", "silu"}
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    BandLimited

    Raises
    ------
    ValueError
        If the activation is unknown, or a number of knots, cells or channels is none that there can be.

    Examples
    --------
    >>> generator = make_bandlimited((5, 7), (3, 3), seed=0, ratio=(2, 2), padding=(2, 2), channels=8)
    >>> generator.fine(generator(generator.draw())).shape
    torch.Size([1, 15, 21])
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"Invalid activation {activation!r}. It must be one of {sorted(ACTIVATIONS)}.")
    widths = (channels, channels if last_channels is None else last_channels)
    check_counts(channels=widths[0], last_channels=widths[1])
    rng = torch.Generator().manual_seed(seed)
    return BandLimited(working_grids(shape, factor, ratio, padding, periodic=periodic), widths, activation, rng)
