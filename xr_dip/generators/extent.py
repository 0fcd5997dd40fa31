"""Where a generator works: on the fine cells themselves, or on the knots of a spline."""

from __future__ import annotations

import numpy as np
import torch

from xr_dip.blocks import Factor
from xr_dip.fitting.linear import Separable
from xr_dip.generators.bandlimited import working_grids

Extent = tuple[tuple[int, int], Separable | None]

USUAL_PADDING = (3, 3)


def halvings(size: tuple[int, int]) -> int:
    """Return how often a grid can be halved, rounded up, until two pixels are left along its longer side.

    A single pixel would have no statistics to normalise by.

    Parameters
    ----------
    size : (int, int)
        At least two pixels along one side.

    Returns
    -------
    int

    Examples
    --------
    >>> [halvings((2, longest)) for longest in (2, 3, 4, 5, 256)]
    [0, 1, 1, 2, 7]
    """
    return (max(size) - 1).bit_length() - 1


def fine_extent(shape: tuple[int, int], factor: Factor) -> Extent:
    """Work on the fine cells, as the published networks do: the cost grows with their number.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x.
    factor : (int, int)
        Fine cells per coarse cell.

    Returns
    -------
    (int, int)
        Pixels along y and x, two at least: a single pixel has no statistics to normalise by.
    Separable or None
        From the pixels to the fine cells: the mean of the two where there is one cell.

    Examples
    --------
    >>> fine_extent((37, 53), (3, 5))
    ((111, 265), None)
    >>> fine_extent((1, 4), (1, 2))
    ((2, 8), Separable((2, 8) -> (1, 8)))
    """
    fine = (shape[0] * factor[0], shape[1] * factor[1])
    if min(fine) > 1:
        return fine, None
    maps = (torch.full((1, 2), 0.5) if size == 1 else torch.eye(size) for size in fine)
    return (max(2, fine[0]), max(2, fine[1])), Separable(*(matrix.double() for matrix in maps))


def knot_extent(
    shape: tuple[int, int], factor: Factor, ratio: tuple[int, int], padding: tuple[int, int], *, periodic: bool
) -> Extent:
    """Work on the knots of a cubic B-spline, as the default generator does: the cost does not grow with the factor.

    Parameters
    ----------
    shape : (int, int)
        Coarse cells along y and x.
    factor : (int, int)
        Fine cells per coarse cell.
    ratio : (int, int)
        Knots per coarse cell.
    padding : (int, int)
        Coarse cells added on each side, cut off from the result; none along x if `periodic`.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    (int, int)
        Pixels along y and x.
    Separable
        From the pixels to the fine cells.

    Examples
    --------
    >>> knot_extent((5, 7), (16, 16), (2, 2), (3, 3), periodic=False)
    ((22, 26), Separable((22, 26) -> (80, 112)))
    """
    rows, columns = working_grids(shape, factor, ratio, padding, periodic=periodic)
    return (rows.size, columns.size), Separable(rows.synthesis(), columns.synthesis())


def working_extent(
    shape: tuple[int, int],
    factor: Factor,
    ratio: tuple[int, int] | None,
    padding: tuple[int, int],
    *,
    periodic: bool,
) -> Extent:
    """Work on the fine cells, or where there is a ratio on knots.

    Parameters
    ----------
    shape, factor
        As for `fine_extent`.
    ratio, padding, periodic
        As for `knot_extent`; or a ratio of None, with the padding that generators have by default.

    Returns
    -------
    (int, int), Separable or None

    Raises
    ------
    ValueError
        If there is a padding of one's own without a ratio: only knots are padded.

    Examples
    --------
    >>> working_extent((5, 7), (16, 16), None, (3, 3), periodic=False)
    ((80, 112), None)
    """
    if ratio is None:
        if not np.array_equal(padding, USUAL_PADDING):
            raise ValueError(
                f"Invalid padding {padding} without a ratio. It must be left out, or come with a ratio: only knots are "
                "padded, and without a ratio the network works on the fine cells."
            )
        return fine_extent(shape, factor)
    return knot_extent(shape, factor, ratio, padding, periodic=periodic)
