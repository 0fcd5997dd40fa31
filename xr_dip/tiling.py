"""Tiles of a domain that is too large for one fit: overlapping windows of one size, in whole coarse cells.

Along each axis windows of `tile` cells begin at even distances, the last one pushed back to end with the domain, and
share at least `overlap` cells with their neighbours. Each hands over to the next at the middle of their overlap: the
cells nearer to it than to any other are its core. Shares change smoothly, over half of the overlap, so that the borders
of windows, where estimates are poor, stay out; they sum to one.

Around the globe windows go on from the other end of the grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray
from xr_dip.kriging.block_covariance import Cells, fine_cells
from xr_dip.kriging.white_noise import Place
from xr_dip.kriging.windows import ramp

TileLike = int | Literal["auto"] | None

USUAL_TILE, USUAL_OVERLAP = 40, 8
LARGEST_WHOLE = 48
"""Coarse cells along the longer side up to which a domain is not divided, unless a size is asked for."""
LEAST_TILE, LEAST_OVERLAP = 8, 2


@dataclass(frozen=True)
class Stretch:
    """A window along one axis, in coarse cells.

    Attributes
    ----------
    start, size : int
        First cell, which is below 0 where it begins before the end of a circle, and number of cells.
    core : (int, int)
        First and last but one of the cells that it owns.
    handover : (float or None, float or None)
        Where its share is one half; None at an end of the domain.
    width : float
        Over which its share changes.
    period : int or None
        Cells of the circle, if it is a part of one.

    Examples
    --------
    >>> stretch = Stretch(0, 8, (0, 6), (None, 6.0), 2.0, None)
    >>> stretch.share(np.array([1.0, 6.0, 6.5, 7.5]))
    array([1.        , 0.5       , 0.10351562, 0.        ])
    """

    start: int
    size: int
    core: tuple[int, int]
    handover: tuple[float | None, float | None]
    width: float
    period: int | None

    @property
    def cells(self) -> Cells:
        """Its cells in the domain."""
        if self.period is None:
            return slice(self.start, self.start + self.size)
        return np.arange(self.start, self.start + self.size) % self.period

    def share(self, position: FloatArray) -> FloatArray:
        """Its share in the estimate at some positions, in cells from the beginning of the domain."""
        left, right = self.handover
        rise = np.ones_like(position) if left is None else ramp((position - left) / self.width)
        return rise if right is None else rise - ramp((position - right) / self.width)


def stretches(n: int, tile: int, overlap: int, *, periodic: bool = False) -> list[Stretch]:
    """Windows along an axis.

    Parameters
    ----------
    n : int
        Coarse cells.
    tile, overlap : int
        Cells of a window, and those that neighbours share at least.
    periodic : bool
        Whether the last cell and the first are neighbours.

    Returns
    -------
    list of Stretch
        One of them, the whole axis, where it is no longer than a tile.

    Examples
    --------
    >>> [(stretch.start, stretch.core) for stretch in stretches(20, 8, 2)]
    [(0, (0, 7)), (6, (7, 13)), (12, (13, 20))]
    >>> [(stretch.start, stretch.core) for stretch in stretches(12, 8, 2, periodic=True)]
    [(-1, (0, 6)), (5, (6, 12))]
    """
    if n <= tile:
        return [Stretch(0, n, (0, n), (None, None), 1.0, None)]
    width = overlap / 2
    if periodic:
        edges = np.linspace(0, n, math.ceil(n / (tile - overlap)) + 1).round().astype(int).tolist()
        found = []
        for start, stop in pairwise(edges):
            before = (tile - (stop - start)) // 2
            found.append(Stretch(start - before, tile, (start, stop), (float(start), float(stop)), width, n))
        return found
    count = math.ceil((n - overlap) / (tile - overlap))
    starts = np.linspace(0, n - tile, count).round().astype(int).tolist()
    middles = [(later + earlier + tile) / 2 for earlier, later in pairwise(starts)]
    edges = [0, *(math.floor(middle) for middle in middles), n]
    handovers = [None, *middles, None]
    return [
        Stretch(start, tile, (edges[i], edges[i + 1]), (handovers[i], handovers[i + 1]), width, None)
        for i, start in enumerate(starts)
    ]


@dataclass(frozen=True)
class Tile:
    """One window of a domain.

    Attributes
    ----------
    row, column : int
        Its place among the tiles.
    rows, columns : Stretch
        Along y and x.
    number : int
        Its place in the order of all tiles, by rows.

    Examples
    --------
    >>> tile = make_tiling((20, 12), (4, 4), tile=8, overlap=2)[0]
    >>> tile.shape, tile.cut(np.ones((20, 12))).shape
    ((8, 8), (8, 8))
    """

    row: int
    column: int
    rows: Stretch
    columns: Stretch
    number: int

    @property
    def shape(self) -> tuple[int, int]:
        """Coarse cells along y and x."""
        return self.rows.size, self.columns.size

    def cut(self, array: npt.NDArray[Any], factor: Factor = (1, 1)) -> npt.NDArray[Any]:
        """Return its part of an array (..., y, x) of the domain, `factor` times as fine as the coarse grid."""
        rows, columns = (
            fine_cells(stretch.cells, times) for stretch, times in zip((self.rows, self.columns), factor, strict=True)
        )
        return np.ascontiguousarray(array[..., rows, :][..., columns])


@dataclass(frozen=True)
class Tiling:
    """All tiles of a domain.

    Attributes
    ----------
    shape : (int, int)
        Coarse cells of the domain along y and x.
    factor : (int, int)
    periodic : bool
        Whether the last column borders on the first.
    overlap : int
        Coarse cells that neighbours share at least.
    rows, columns : tuple of Stretch

    Examples
    --------
    >>> tiling = make_tiling((20, 12), (4, 4), tile=8, overlap=2, periodic=True)
    >>> len(tiling), tiling.chunks
    (6, ((7, 6, 7), (6, 6)))
    >>> [(tile.number, shift) for tile, _, shift in tiling.neighbours(tiling[0])]
    [(1, -12), (0, 0), (1, 0), (3, -12), (2, 0), (3, 0)]
    """

    shape: tuple[int, int]
    factor: Factor
    periodic: bool
    overlap: int
    rows: tuple[Stretch, ...]
    columns: tuple[Stretch, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def __getitem__(self, number: int) -> Tile:
        row, column = divmod(number, len(self.columns))
        return Tile(row, column, self.rows[row], self.columns[column], number)

    def __iter__(self) -> Iterator[Tile]:
        return (self[number] for number in range(len(self)))

    @property
    def chunks(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Coarse cells of the cores along y and x."""
        rows, columns = (tuple(s.core[1] - s.core[0] for s in axis) for axis in (self.rows, self.columns))
        return rows, columns

    def is_circle(self, tile: Tile) -> bool:
        """Whether a tile is a whole band around the globe."""
        return self.periodic and tile.columns.size == self.shape[1]

    def grow(self, tile: Tile, cells: int) -> Tile:
        """Return a tile with more cells on every side, as far as the domain goes."""
        rows, columns = _grow(tile.rows, cells, self.shape[0]), _grow(tile.columns, cells, self.shape[1])
        return replace(tile, rows=rows, columns=columns)

    def place(self, tile: Tile) -> Place:
        """Return where a tile lies, for what is random in it."""
        period = self.shape[1] * self.factor[1] if self.periodic else None
        return Place(tile.rows.start * self.factor[0], tile.columns.start * self.factor[1], period)

    def neighbours(self, tile: Tile) -> list[tuple[Tile, int, int]]:
        """Return the tiles around one, itself among them, and by how many cells each is to be moved to lie beside it.

        Only around a circle is one moved, and it may then be there twice.
        """
        down = [(row, 0) for row in range(tile.row - 1, tile.row + 2) if 0 <= row < len(self.rows)]
        count, around = len(self.columns), self.periodic and len(self.columns) > 1
        across = [
            (column % count, (column // count) * self.shape[1])
            for column in range(tile.column - 1, tile.column + 2)
            if around or 0 <= column < count
        ]
        return [
            (self[row * count + column], shift_down, shift_across)
            for row, shift_down in down
            for column, shift_across in across
        ]


def make_tiling(
    shape: tuple[int, int],
    factor: Factor,
    *,
    tile: TileLike = "auto",
    overlap: int | None = None,
    periodic: bool = False,
) -> Tiling | None:
    """Divide a domain into tiles, if it is larger than one.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x.
    factor : (int, int)
    tile : int, "auto" or None
        Coarse cells along each side of a tile, its overlaps included. "auto" leaves a domain of up to 48 cells along
        each side whole, and takes 40 for a larger one; None leaves any whole.
    overlap : int, optional
        Coarse cells that neighbours share; 8 by default, or a quarter of a smaller tile. A domain that is small enough
        to be one tile does without; with a tile of None there must be none.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    Tiling or None
        None where the domain is one tile.

    Raises
    ------
    ValueError
        If tile or overlap is no such number, or there is an overlap of no tiles.

    Examples
    --------
    >>> len(make_tiling((128, 128), (16, 16)))
    16
    >>> make_tiling((48, 40), (16, 16)) is None
    True
    """
    size, shared = _check(tile, overlap)
    if size is None or (tile == "auto" and max(shape) <= LARGEST_WHOLE) or max(shape) <= size:
        return None
    rows, columns = stretches(shape[0], size, shared), stretches(shape[1], size, shared, periodic=periodic)
    return Tiling(shape, factor, periodic, shared, tuple(rows), tuple(columns))


def _grow(stretch: Stretch, cells: int, n: int) -> Stretch:
    if stretch.period is not None:
        size = min(n, stretch.size + 2 * cells)
        return replace(stretch, start=stretch.start - (size - stretch.size) // 2, size=size)
    start, stop = max(0, stretch.start - cells), min(n, stretch.start + stretch.size + cells)
    return replace(stretch, start=start, size=stop - start)


def _check(tile: Any, overlap: Any) -> tuple[int | None, int]:
    """Return the cells of a tile and of an overlap, or say what is wrong with them."""
    whole = isinstance(tile, int | np.integer) and not isinstance(tile, bool)
    if not (tile is None or tile == "auto" or (whole and tile >= LEAST_TILE)):
        raise ValueError(
            f"Invalid tile {tile!r}. It must be 'auto', None, or a whole number of coarse cells, at least {LEAST_TILE}."
        )
    if tile is None and overlap is not None:
        raise ValueError(
            f"Invalid overlap {overlap!r} with the tile None. It must be None, too: a domain that is left whole, as it "
            "is with every operator but 'block_mean', has no tiles to share cells."
        )
    size = USUAL_TILE if tile == "auto" else None if tile is None else int(tile)
    most = (USUAL_TILE if size is None else size) // 2
    if overlap is None:
        return size, min(USUAL_OVERLAP, max(LEAST_OVERLAP, most // 2))
    if isinstance(overlap, bool) or not isinstance(overlap, int | np.integer) or not LEAST_OVERLAP <= overlap <= most:
        raise ValueError(
            f"Invalid overlap {overlap!r}. It must be a whole number of coarse cells from {LEAST_OVERLAP} to {most}, "
            "half a tile."
        )
    return size, int(overlap)
