"""How the estimates of tiles become one field.

1. Blend the tiles by their shares, a smooth partition of unity (`tiling`).
2. Enforce the coarse values on the blend: each tile has them, but the blend misses them a little where shares change
   within a cell. It is done cell by cell, so any part of a domain can be joined on its own, with the same bits, and
   without steps (`xr_dip.constraints.bump`); a constraint that keeps bounds is applied once more instead.
3. Compare the gradients at seams with those elsewhere.

The variance is blended, not the members' spread; members share one noise field (`kriging.white_noise`), so that their
spread does not shrink where tiles overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray
from xr_dip.interpolation import fill_nearest, upsample
from xr_dip.pieces import SCALARS, Blank, Piece, crop, fine_slice
from xr_dip.sea import Flag
from xr_dip.tiling import Stretch, Tile, Tiling

SEAM_REACH = 0.5
"""Coarse cells from where one tile hands over to the next that count as its seam."""


class Sums(NamedTuple):
    """What a joined part adds to the diagnostics of the whole field.

    Attributes
    ----------
    cells : float
        Fine cells that coarse values constrain.
    variance : float
        Sum of the variance over these.
    seam, elsewhere : (float, float)
        Sum of the squared gradient of the estimate, and of bicubic interpolation.
    """

    cells: float
    variance: float
    seam: tuple[float, float]
    elsewhere: tuple[float, float]


class Region(NamedTuple):
    """A part of the domain: the core of a tile and one coarse cell more below and to the right, if there is one.

    Attributes
    ----------
    rows, columns : (int, int)
        First and last but one coarse cell; columns may go past the end of a circle.
    core : (int, int)
        Coarse cells of the core along y and x.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    core: tuple[int, int]


def region_of(tile: Tile, tiling: Tiling) -> Region:
    """Return the region that a tile is the owner of."""
    (top, bottom), (left, right) = tile.rows.core, tile.columns.core
    more_rows = bottom < tiling.shape[0]
    more_columns = right < tiling.shape[1] or (tiling.periodic and len(tiling.columns) > 1)
    return Region((top, bottom + more_rows), (left, right + more_columns), (bottom - top, right - left))


def join(tile: Tile, tiling: Tiling, pieces: Mapping[int, Piece | Blank]) -> tuple[Piece | Blank, Sums]:
    """Join the estimates around a tile on its core.

    Parameters
    ----------
    tile : Tile
    tiling : Tiling
    pieces : mapping of int to Piece or Blank
        Of the tile and its neighbours, by number.

    Returns
    -------
    piece : Piece or Blank
        Of the core of the tile.
    sums : Sums

    Examples
    --------
    >>> from xr_dip.pieces import Blank
    >>> from xr_dip.tiling import make_tiling
    >>> tiling = make_tiling((20, 12), (2, 2), tile=8, overlap=2)
    >>> land = Blank(np.zeros((16, 16), np.int8))
    >>> piece, sums = join(tiling[0], tiling, {number: land for number in range(len(tiling))})
    >>> piece.flags.shape == tuple(2 * (stop - start) for start, stop in (tiling[0].rows.core, tiling[0].columns.core))
    True
    """
    own, region = pieces[tile.number], region_of(tile, tiling)
    rows, columns = (_within(*pair) for pair in ((region.rows, tile.rows), (region.columns, tile.columns)))
    fine = fine_slice(rows, tiling.factor[0]), fine_slice(columns, tiling.factor[1])
    core = slice(0, region.core[0]), slice(0, region.core[1])
    if isinstance(own, Blank):
        inner = fine_slice(core[0], tiling.factor[0]), fine_slice(core[1], tiling.factor[1])
        return Blank(own.flags[fine][inner]), Sums(0.0, 0.0, (0.0, 0.0), (0.0, 0.0))
    blended = _blend(crop(own, (rows, columns), tiling.factor), tile, tiling, region, pieces)
    around = tiling.is_circle(tile)
    reference = upsample(fill_nearest(own.values, periodic=around), tiling.factor, "bicubic", periodic=around)[fine]
    return crop(blended, core, tiling.factor), _sums(blended, reference, region, tile, tiling)


def total(scalars: Sequence[Mapping[str, float]], sums: Sequence[Sums]) -> dict[str, float]:
    """Put the diagnostics of a whole field together.

    Parameters
    ----------
    scalars : sequence of mapping
        Of each tile; empty for one without any value.
    sums : sequence of Sums
        Of the core of each tile.

    Returns
    -------
    dict of str to float
        Weights and iterations are means over tiles, by their sea; the predicted RMSE is that of all cells.

    Examples
    --------
    >>> tiles = [{"blend_weight": weight, "predicted_rmse": 1.0, "predicted_skill": 0.5} for weight in (0.2, 0.8)]
    >>> parts = [Sums(cells, cells * 0.25, (1.0, 1.0), (4.0, 4.0)) for cells in (100.0, 300.0)]
    >>> found = total(tiles, parts)
    >>> {name: round(found[name], 6) for name in ("blend_weight", "predicted_rmse", "predicted_skill", "seam_ratio")}
    {'blend_weight': 0.65, 'predicted_rmse': 0.5, 'predicted_skill': 0.5, 'seam_ratio': 1.0}
    """
    pairs = [(numbers, part.cells) for numbers, part in zip(scalars, sums, strict=True) if numbers and part.cells > 0]
    if not pairs:
        return dict.fromkeys(SCALARS, np.nan)
    cells = np.array([count for _, count in pairs])

    def mean(name: str) -> float:
        return float(np.average([numbers.get(name, np.nan) for numbers, _ in pairs], weights=cells))

    def squared(amount: Callable[[Mapping[str, float]], float]) -> float:
        return float(np.average([amount(numbers) ** 2 for numbers, _ in pairs], weights=cells))

    of_tiles = squared(lambda numbers: numbers["predicted_rmse"])
    of_bicubic = squared(_error_of_bicubic)
    rmse = float(np.sqrt(sum(part.variance for part in sums) / cells.sum()))
    return {
        **{name: mean(name) for name in ("blend_weight", "front_weight", "iterations")},
        "predicted_rmse": rmse if np.isfinite(of_tiles) else np.nan,
        "predicted_skill": 0.0 if of_bicubic == 0 else float(1 - np.sqrt(of_tiles / of_bicubic)),
        "seam_ratio": _seam_ratio(sums),
    }


def _error_of_bicubic(scalars: Mapping[str, float]) -> float:
    """Predicted error of bicubic interpolation in a tile; 0 where the estimate is sure of itself, as of a constant."""
    share = 1 - scalars["predicted_skill"]
    return scalars["predicted_rmse"] / share if share != 0 else 0.0


def _seam_ratio(sums: Sequence[Sums]) -> float:
    """Root mean square gradient at seams over that elsewhere, each against that of bicubic interpolation."""
    seam, smooth_seam = (sum(part.seam[i] for part in sums) for i in range(2))
    elsewhere, smooth_elsewhere = (sum(part.elsewhere[i] for part in sums) for i in range(2))
    if min(smooth_seam, elsewhere) <= 0:
        return np.nan
    return float(np.sqrt(seam / smooth_seam / (elsewhere / smooth_elsewhere)))


def _blend(base: Piece, tile: Tile, tiling: Tiling, region: Region, pieces: Mapping[int, Piece | Blank]) -> Piece:
    """Return the weighted mean of all tiles in a region, its coarse values enforced."""
    factor = tiling.factor
    count = 0 if base.members is None else len(base.members)
    spreads = 2 if base.latent_variances is None else 4
    total, fields = np.zeros(base.mean.shape), np.zeros((1 + spreads + count, *base.mean.shape))
    shares = np.zeros(base.mean.shape, dtype=np.int8)
    for other, down, across in tiling.neighbours(tile):
        piece = pieces[other.number]
        if isinstance(piece, Blank):
            continue
        y, x = _overlap(region.rows, other.rows, down), _overlap(region.columns, other.columns, across)
        if y is None or x is None:
            continue
        here = fine_slice(y[0], factor[0]), fine_slice(x[0], factor[1])
        there = crop(piece, (y[1], x[1]), factor)
        share = _share(other.rows, y[1], factor[0])[:, None] * _share(other.columns, x[1], factor[1])
        share = np.where(there.sea.mask, share, 0.0)
        total[here] += share
        shares[here] += share > 0
        more = (() if part is None else part for part in (there.latent_variances, there.members))
        stack = [there.mean, there.variance, there.fit_variance, *chain.from_iterable(more)]
        for field, part in zip(fields, stack, strict=True):
            field[here] += share * np.where(share > 0, part, 0.0)
    known = base.sea.mask & (total > 0)
    fields = np.where(known, fields / np.where(known, total, 1.0), 0.0)
    flags = np.where(known & (shares > 1), base.sea.flags | Flag.seam, base.sea.flags).astype(np.int8)
    if base.enforce is not None:
        for index in (0, *range(1 + spreads, len(fields))):
            fields[index] = base.enforce(fields[index], base.values, base.sea.weights, factor)
    return replace(
        base,
        mean=fields[0],
        variance=fields[1],
        fit_variance=fields[2],
        members=fields[1 + spreads :] if count else None,
        latent_variances=None if base.latent_variances is None else fields[3:5],
        sea=replace(base.sea, flags=flags),
    )


def _sums(piece: Piece, reference: FloatArray, region: Region, tile: Tile, tiling: Tiling) -> Sums:
    """Return what a region adds to the diagnostics; gradients go on to the first cells beyond its core."""
    fy, fx = tiling.factor
    core = slice(0, region.core[0] * fy), slice(0, region.core[1] * fx)
    known = piece.sea.weights > 0
    rows = _distance(region.rows, tile.rows, fy) <= SEAM_REACH
    columns = _distance(region.columns, tile.columns, fx) <= SEAM_REACH
    seam = rows[:, None] | columns
    squares = [_squared_gradient(field, known)[core] for field in (piece.mean, reference)]
    at_seam, beside = (
        (float(squares[0][where[core]].sum()), float(squares[1][where[core]].sum())) for where in (seam, ~seam)
    )
    return Sums(float(known[core].sum()), float(piece.variance[core][known[core]].sum()), at_seam, beside)


def _squared_gradient(field: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
    """Sum of the squared steps to the cell below and to the right; 0 where one of the two is not known."""
    squares = np.zeros(field.shape)
    squares[:-1] += np.where(known[:-1] & known[1:], np.diff(field, axis=0) ** 2, 0.0)
    squares[:, :-1] += np.where(known[:, :-1] & known[:, 1:], np.diff(field, axis=1) ** 2, 0.0)
    return squares


def _distance(cells: tuple[int, int], stretch: Stretch, factor: int) -> FloatArray:
    """Distance of the fine cells of a region from where its tile hands over, in coarse cells."""
    position = _positions(cells[0], cells[1], factor)
    edges = [edge for edge in stretch.handover if edge is not None]
    return np.min([np.abs(position - edge) for edge in edges], axis=0) if edges else np.full(position.shape, np.inf)


def _within(cells: tuple[int, int], stretch: Stretch) -> slice:
    """Cells of a region, counted from the beginning of its tile."""
    return slice(cells[0] - stretch.start, cells[1] - stretch.start)


def _overlap(cells: tuple[int, int], other: Stretch, shift: int) -> tuple[slice, slice] | None:
    """Return what a region and a moved tile have in common, counted from the beginning of each."""
    begin = other.start + shift
    first, last = max(cells[0], begin), min(cells[1], begin + other.size)
    return (slice(first - cells[0], last - cells[0]), slice(first - begin, last - begin)) if last > first else None


def _share(stretch: Stretch, cells: slice, factor: int) -> FloatArray:
    """Share of the fine cells of a part of a tile."""
    return stretch.share(_positions(stretch.start + cells.start, stretch.start + cells.stop, factor))


def _positions(first: int, last: int, factor: int) -> FloatArray:
    """Centres of fine cells, in coarse cells from the beginning of the domain."""
    return np.asarray(first + (np.arange((last - first) * factor) + 0.5) / factor)
