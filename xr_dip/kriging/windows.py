"""Overlapping windows of a domain that is too large for one factorisation, and the shares in which they are blended."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xr_dip.blocks import FloatArray
from xr_dip.kriging.block_covariance import Cells, IntArray

CORE, HALO = 20, 6
"""Coarse cells of a window, and those added on each side."""


@dataclass(frozen=True, eq=False)
class Span:
    """One axis of a window.

    Attributes
    ----------
    cells : slice or array of int
        Its coarse cells; numbers where it goes round.
    core : slice
        Those that it alone owns.
    own : slice
        The place of these in the window.
    share : array, shape (cells * factor,)
        Share of each fine point; those of all windows sum to one.
    """

    cells: Cells
    core: slice
    own: slice
    share: FloatArray


def spans(n: int, factor: int, *, parts: bool = True, periodic: bool = False) -> list[Span]:
    """Windows along an axis.

    Parameters
    ----------
    n : int
        Coarse cells.
    factor : int
        Fine cells per coarse cell.
    parts : bool
        False makes one window of the whole axis.
    periodic : bool
        Whether the last cell and the first are neighbours. Then windows go on from the other end, or there is one that
        is the whole circle, where a window would meet itself.

    Returns
    -------
    list of Span

    Examples
    --------
    >>> [span.cells for span in spans(60, 2)]
    [slice(0, 26, None), slice(14, 46, None), slice(34, 60, None)]
    >>> spans(60, 2, periodic=True)[0].cells[:8]
    array([54, 55, 56, 57, 58, 59,  0,  1])
    """
    if not parts:
        return [_whole(n, factor)]
    return _around(n, factor) if periodic else _along(n, factor)


def _whole(n: int, factor: int) -> Span:
    return Span(slice(0, n), slice(0, n), slice(0, n), np.ones(n * factor))


def _edges(n: int) -> IntArray:
    """Borders of the cores."""
    return np.linspace(0, n, max(1, round(n / CORE)) + 1).round().astype(int)


def _along(n: int, factor: int) -> list[Span]:
    edges = _edges(n)
    position = (np.arange(n * factor) + 0.5) / factor
    # Shares change over half of the overlap: window borders, where estimates are poor, stay out.
    inner = [ramp((position - edge) / HALO) for edge in edges[1:-1]]
    ramps = [np.ones_like(position), *inner, np.zeros_like(position)]
    found = []
    for (start, stop), (rise, fall) in zip(pairwise(edges.tolist()), pairwise(ramps), strict=True):
        first, last = max(0, start - HALO), min(n, stop + HALO)
        share = (rise - fall)[first * factor : last * factor]
        found.append(Span(slice(first, last), slice(start, stop), slice(start - first, stop - first), share))
    return found


def _around(n: int, factor: int) -> list[Span]:
    edges = _edges(n)
    if np.diff(edges).max() + 2 * HALO > n:
        return [_whole(n, factor)]
    found = []
    for start, stop in pairwise(edges.tolist()):
        cells = np.arange(start - HALO, stop + HALO)
        position = start - HALO + (np.arange(len(cells) * factor) + 0.5) / factor
        share = ramp((position - start) / HALO) - ramp((position - stop) / HALO)
        found.append(Span(cells % n, slice(start, stop), slice(HALO, HALO + stop - start), share))
    return found


def ramp(position: FloatArray) -> FloatArray:
    """Smooth step from 0 at -1/2 to 1 at 1/2 with two continuous derivatives.

    Parameters
    ----------
    position : array

    Returns
    -------
    array of float64, same shape

    Examples
    --------
    >>> ramp(np.array([-0.5, 0.0, 2.0]))
    array([0. , 0.5, 1. ])
    """
    s = np.clip(position + 0.5, 0.0, 1.0)
    return np.asarray(s**3 * (10 - 15 * s + 6 * s**2))
