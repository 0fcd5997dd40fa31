"""A field that teaches a network by itself: its crops, turned and coarsened, are pairs of coarse and fine.

What a field looks like at one scale it about looks like at the next (Glasner et al. 2009), so a network that makes the
coarsened field fine again may do the same with the field (Shocher et al. 2018). Crops are coarsened by means over 2 x 2
cells, whatever the operator of the fit is. What the pairs are compared by is equation :eq:`lessons` of the theory page.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from xr_dip.blocks import Factor
from xr_dip.fitting.linear import Separable
from xr_dip.fitting.losses import CHARBONNIER_EPSILON
from xr_dip.generators.extent import Extent
from xr_dip.interpolation import fill_nearest

# Cells along a side of the coarsest crops, as published: 128 made eight times as coarse. Smaller ones teach the wrong
# thing: fields of 64 cells made four times as coarse, and fine again by what 4 x 4 cells taught, are further from
# themselves than by linear interpolation.
FEWEST_CELLS = 16


def doublings(factor: Factor) -> int:
    """Return how often the cells have to be doubled, at least once, to be as fine as asked for along both axes.

    Parameters
    ----------
    factor : (int, int)
        Fine cells per coarse cell.

    Returns
    -------
    int

    Examples
    --------
    >>> [doublings((factor, 1)) for factor in (1, 2, 3, 4, 5, 8, 9)]
    [1, 1, 2, 2, 3, 3, 4]
    """
    return max(1, (max(factor) - 1).bit_length())


def doubled_extent(shape: tuple[int, int], factor: Factor, *, periodic: bool = False) -> Extent:
    """Work on cells that are doubled until they are as fine as asked for, or finer.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x.
    factor : (int, int)
        Fine cells per coarse cell.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    (int, int)
        Pixels along y and x.
    Separable or None
        From the pixels to the fine cells, see `area_means`; None where both are the same.

    Examples
    --------
    >>> doubled_extent((37, 53), (4, 4))
    ((148, 212), None)
    >>> doubled_extent((2, 3), (3, 5))
    ((16, 24), Separable((16, 24) -> (6, 15)))
    """
    times = 2 ** doublings(factor)
    size = (shape[0] * times, shape[1] * times)
    if factor == (times, times):
        return size, None
    rows = area_means(shape[0], times, factor[0])
    return size, Separable(rows, area_means(shape[1], times, factor[1], periodic=periodic))


def area_means(cells: int, before: int, after: int, *, periodic: bool = False) -> torch.Tensor:
    """Matrix from `before` equal parts of each cell of a line to `after` equal parts: means of straight pieces.

    A part is taken as a piece of a straight line through its mean, with the slope between its neighbours: the second
    order conservative remapping of Jones (1999). It keeps the means of cells, and planes.

    Parameters
    ----------
    cells, before, after : int
        `before` at least 2.
    periodic : bool
        Whether the last part and the first are neighbours.

    Returns
    -------
    Tensor of float64, shape (cells * after, cells * before)
        Rows sum to one.

    References
    ----------
    Jones 1999, First- and second-order conservative remapping schemes for grids in spherical coordinates, Monthly
    Weather Review 127, doi:10.1175/1520-0493(1999)127<2204:FASOCR>2.0.CO;2.

    Examples
    --------
    >>> (area_means(2, 2, 1) @ torch.tensor([1.0, 3.0, 5.0, 9.0]).double()).tolist()
    [2.0, 7.0]
    >>> (area_means(1, 2, 3) @ torch.tensor([0.5, 1.5]).double()).round(decimals=3)
    tensor([0.3330, 1.0000, 1.6670], dtype=torch.float64)
    """
    # In units of 1 / (before * after) of a cell every end is a whole number.
    old, new = torch.arange(before + 1) * after, torch.arange(after + 1)[:, None] * before
    begin, end = torch.maximum(new[:-1], old[:-1]), torch.minimum(new[1:], old[1:])
    share = (end - begin).clamp(min=0).double() / before
    # From the middle of a part to the middle of what is taken of it, in parts.
    apart = ((begin + end) - (old[:-1] + old[1:])).double() / (2 * after)
    all_cells = torch.eye(cells, dtype=torch.float64)
    slopes = _slopes(cells * before, periodic=periodic)
    return torch.kron(all_cells, share) + torch.kron(all_cells, share * apart) @ slopes


def _slopes(size: int, *, periodic: bool) -> torch.Tensor:
    """Matrix of half the difference of the two neighbours; at an end of a line, of the difference to the only one."""
    number = torch.arange(size)
    before, after = number - 1, number + 1
    beside = [part % size if periodic else part.clamp(0, size - 1) for part in (before, after)]
    one = torch.eye(size, dtype=torch.float64)
    steps = torch.full((size, 1), 2.0, dtype=torch.float64)
    if not periodic:
        steps[[0, -1]] = 1.0
    return (one[beside[1]] - one[beside[0]]) / steps


def coarsenings(side: int, most: int) -> int:
    """Return how often a square can be coarsened by two and still teach something.

    Parameters
    ----------
    side : int
        Cells along each side.
    most : int

    Returns
    -------
    int
        At least 16 cells are left along a side; where there are fewer than 32, once if at all.

    Examples
    --------
    >>> [coarsenings(side, most=3) for side in (1, 2, 16, 63, 64, 128, 256)]
    [0, 1, 1, 1, 2, 3, 3]
    """
    deep = (side // FEWEST_CELLS).bit_length() - 1
    return min(most, max(deep, min(1, side // 2)))


def turned(crop: torch.Tensor, way: int) -> torch.Tensor:
    """Turn and flip the two last axes in one of eight ways.

    Parameters
    ----------
    crop : Tensor, shape (..., n, n)
    way : int
        From 0 to 7; 0 leaves it as it is.

    Returns
    -------
    Tensor, shape (..., n, n)

    Examples
    --------
    >>> crop = torch.arange(4).reshape(2, 2)
    >>> len({tuple(turned(crop, way).flatten().tolist()) for way in range(8)})
    8
    """
    flipped = crop.flip(-1) if way >= 4 else crop
    return torch.rot90(flipped, way % 4, (-2, -1))


class Lessons(nn.Module):
    """The coarse field, filled on land, and crops of it.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x.
    levels : int
        The crops can be coarsened so often, or less often where the field is small.
    batch : int
        Crops at one time.
    largest : int
        Cells along a side of a crop, at most.
    periodic : bool
        Whether the last column and the first are neighbours.
    rng : torch.Generator
        Source of the places and of the ways that crops are turned.
    """

    values: torch.Tensor
    seen: torch.Tensor

    def __init__(
        self,
        shape: tuple[int, int],
        levels: int,
        batch: int,
        largest: int,
        *,
        periodic: bool,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        side = min(*shape, largest)
        self.levels = coarsenings(side, levels)
        self.side = side >> self.levels << self.levels
        self.shape, self.batch, self.periodic, self.rng = shape, batch, periodic, rng
        self.architecture = (shape, self.levels, self.side, batch, periodic)
        # Before the values are known: noise.
        self.register_buffer("values", torch.randn(shape, generator=rng), persistent=False)
        self.register_buffer("seen", torch.ones(shape), persistent=False)

    def learn_from(self, values: torch.Tensor, seen: torch.Tensor) -> None:
        """Take a field (ny, nx), where `seen`; cells on land get the value of the nearest cell of the sea."""
        if seen.any():
            filled = fill_nearest(np.where(seen.cpu(), values.cpu(), np.nan), periodic=self.periodic)
            self.values, self.seen = torch.from_numpy(filled).to(self.values), seen.to(self.seen)

    def draw(self) -> torch.Tensor:
        """Return crops (batch, 2, n, n) of the values and of where they were seen."""
        rows, columns = self.shape
        last = (rows - self.side + 1, columns if self.periodic else columns - self.side + 1)
        places = [torch.randint(end, (self.batch,), generator=self.rng).tolist() for end in (*last, 8)]
        return torch.stack([turned(self._crop(y, x), way) for y, x, way in zip(*places, strict=True)])

    def none(self) -> torch.Tensor:
        """Return as many crops where nothing was seen."""
        return self.values.new_zeros(self.batch, 2, self.side, self.side)

    def _crop(self, row: int, column: int) -> torch.Tensor:
        columns = torch.arange(column, column + self.side, device=self.values.device) % self.shape[1]
        part = slice(row, row + self.side)
        return torch.stack([self.values[part, columns], self.seen[part, columns]])


def coarsened(crops: torch.Tensor, times: int) -> list[torch.Tensor]:
    """Return crops coarsened by two, `times` times, the coarsest first.

    Parameters
    ----------
    crops : Tensor, shape (batch, channels, n, n)
        n a multiple of ``2 ** times``.
    times : int

    Returns
    -------
    list of Tensor
        ``times + 1`` of them; the last are the crops.

    Examples
    --------
    >>> [part.shape[-1] for part in coarsened(torch.ones(1, 2, 8, 8), 2)]
    [2, 4, 8]
    """
    parts = [crops]
    for _ in range(times):
        parts.append(functional.avg_pool2d(parts[-1], 2))
    return parts[::-1]


def seen_charbonnier(misfit: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Mean of ``sqrt(e^2 + eps^2)``, each cell by how much of it was seen.

    Parameters
    ----------
    misfit, seen : Tensor, same shape

    Returns
    -------
    Tensor, shape ()
        Zero where nothing was seen.

    References
    ----------
    Lai, Huang, Ahuja, Yang 2017, Deep Laplacian pyramid networks for fast and accurate super-resolution, CVPR, eq. 2.

    Examples
    --------
    >>> round(float(seen_charbonnier(torch.tensor([1.0, 5.0]), torch.tensor([1.0, 0.0]))), 3)
    1.0
    """
    lengths = (misfit.square() + CHARBONNIER_EPSILON**2).sqrt()
    return (lengths * seen).sum() / seen.sum().clamp(min=1e-6)
