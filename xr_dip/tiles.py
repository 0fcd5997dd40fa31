"""Estimate the tiles of a field too large for one fit, each from its own values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray, block_sum, repeat
from xr_dip.estimate import SliceEstimate
from xr_dip.kriging.covariance import Covariance
from xr_dip.land import watch_for_fill
from xr_dip.pieces import Blank, Piece
from xr_dip.recipe import Recipe
from xr_dip.sea import Flag, check_values, read_open_sea, warn_of_unused
from xr_dip.tiling import Tile, Tiling

FEWEST_CELLS = 50
"""Values that a covariance is fitted to at least, where the domain has as many."""


class TileEstimate:
    """Estimate the tiles of a divided domain.

    Covariance, fronts and weights are those of each tile: a domain of many tiles is not one homogeneous field. Only
    where a tile holds too few values to tell a covariance, it is that of a larger window.

    Parameters
    ----------
    estimate : SliceEstimate
        Of the whole domain, whose recipe says how it is divided.
    watch : bool
        Whether to warn of a value that may be land: of fields that nobody has looked at.
    """

    def __init__(self, estimate: SliceEstimate, watch: bool = False) -> None:
        self.estimate, self.watch = estimate, watch

    @property
    def recipe(self) -> Recipe:
        """The recipe of the whole domain."""
        return self.estimate.recipe

    @property
    def tiling(self) -> Tiling:
        """How the domain is divided."""
        assert self.recipe.tiling is not None
        return self.recipe.tiling

    def check(self, values: FloatArray) -> None:
        """Refuse values (ny, nx) of the whole domain that cannot be used."""
        check_values(values, self.recipe.name, self.recipe.largest)

    def look_at(self, values: FloatArray) -> None:
        """Warn, once for all tiles, of what is odd about values (ny, nx) of the whole domain."""
        if self.watch:
            watch_for_fill(values, self.recipe.name)
        warn_of_unused(_sea_of(self.recipe, values)[1])

    def piece(self, values: FloatArray, stamp: int, number: int) -> Piece | Blank:
        """Estimate a tile from the values (ny, nx) of the whole domain."""
        if number == 0:
            self.look_at(values)
        tile = self.tiling[number]
        estimate, recipe, part = self.estimate, self.recipe.of_tile(tile), tile.cut(values)
        open_sea, unused = _sea_of(recipe, part)
        if not (np.isfinite(part) & ~unused).any():
            for _ in range(recipe.members if np.isfinite(part).any() and estimate.step else 0):
                estimate.step()  # type: ignore[misc]  # fits that a progress bar waits for
            return _blank(recipe, open_sea, unused)
        covariance = self._covariance_around(values, tile, stamp) if recipe.needs_covariance else None
        return SliceEstimate(recipe, estimate.keep_members, estimate.step, estimate.relay).piece(
            part, stamp, covariance
        )

    def _covariance_around(self, values: FloatArray, tile: Tile, stamp: int) -> Covariance | None:
        """Fit the covariance of a window that holds enough values; None where the tile itself does."""
        grown, step = tile, max(tile.shape)
        while self._usable(values, grown) < FEWEST_CELLS and grown.shape != self.tiling.shape:
            grown = self.tiling.grow(grown, step)
        if grown is tile:
            return None
        return SliceEstimate(self.recipe.of_tile(grown)).covariance(grown.cut(values), stamp)

    def _usable(self, values: FloatArray, tile: Tile) -> int:
        """Count the values of a window that constrain something."""
        part = tile.cut(values)
        _, unused = _sea_of(self.recipe.of_tile(tile), part)
        return int((np.isfinite(part) & ~unused).sum())


def _sea_of(recipe: Recipe, values: FloatArray) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Fine cells that mask and weights leave open, and coarse cells that have a value but none of them."""
    known = np.isfinite(values)
    under_data = np.asarray(repeat(known, recipe.factor))
    open_sea, _ = read_open_sea(under_data, under_data.shape, recipe.mask, recipe.weights)
    seen = block_sum((open_sea & under_data).astype(np.float32), recipe.factor) > 0
    return open_sea, known & ~seen


def _blank(recipe: Recipe, open_sea: npt.NDArray[np.bool_], unused: npt.NDArray[np.bool_]) -> Blank:
    """Return the flags of a tile that nothing constrains."""
    flags = np.where(open_sea, Flag.no_data, Flag.land)
    flags |= np.where(repeat(unused.astype(np.float64), recipe.factor) > 0, Flag.coarse_unused, 0)
    return Blank(flags.astype(np.int8))
