r"""White noise that belongs to a place: any window of a domain sees the same noise there.

The noise of a member is an endless array, made in blocks that are seeded by their own number. A window of it is cut
out, so that members of neighbouring tiles agree where these overlap, and their spread does not shrink when they are
blended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import FloatArray

BLOCK = 64
"""Cells along a side: smaller ones take more generators of random numbers, larger ones more beside the window."""
FIRST_BLOCK = 2**20
"""Added to the number of a block, since seeds are not negative and noise goes on beyond the domain on every side."""


@dataclass(frozen=True)
class Place:
    """Where a window lies in its domain.

    Attributes
    ----------
    row, column : int
        Number of its first fine row and column; columns may go past the end of a circle.
    period : int, optional
        Fine columns of the domain, where its last one borders on its first.

    Examples
    --------
    >>> Place(32, 48).coarsen((16, 16))
    Place(row=2, column=3, period=None)
    """

    row: int = 0
    column: int = 0
    period: int | None = None

    def coarsen(self, factor: tuple[int, int]) -> Place:
        """Return the place on the coarse grid."""
        period = None if self.period is None else self.period // factor[1]
        return Place(self.row // factor[0], self.column // factor[1], period)


def white_noise(
    entropy: list[int], shape: tuple[int, int], place: Place, margin: tuple[int, int] = (0, 0)
) -> FloatArray:
    """Cut standard normal noise out of the endless array of a seed.

    Parameters
    ----------
    entropy : list of int
        Seed, not negative.
    shape : (int, int)
        Rows and columns to cut out.
    place : Place
    margin : (int, int)
        Rows and columns by which it begins before the place.

    Returns
    -------
    array of float64, of that shape

    Examples
    --------
    >>> whole = white_noise([1], (8, 300), Place())
    >>> bool((white_noise([1], (4, 100), Place(2, 200)) == whole[2:6, 200:]).all())
    True
    >>> around = white_noise([1], (1, 4), Place(0, 298, period=300))
    >>> bool((around[0, 2:] == whole[0, :2]).all())
    True
    """
    rows = place.row - margin[0] + np.arange(shape[0])
    columns = place.column - margin[1] + np.arange(shape[1])
    if place.period is not None:
        columns = columns % place.period
    found = np.empty(shape)
    for down, into_rows in _blocks(rows):
        for across, into_columns in _blocks(columns):
            rng = np.random.default_rng([*entropy, FIRST_BLOCK + down, FIRST_BLOCK + across])
            block = rng.standard_normal((BLOCK, BLOCK))
            cut = block[np.ix_(rows[into_rows] - down * BLOCK, columns[into_columns] - across * BLOCK)]
            found[np.ix_(into_rows, into_columns)] = cut
    return found


def _blocks(numbers: npt.NDArray[np.intp]) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """Each block that holds some of the numbers of one axis, and the places of those."""
    owner = numbers // BLOCK
    return [(int(block), np.flatnonzero(owner == block)) for block in np.unique(owner)]
