"""Columns that a grid has twice, because it goes around the globe and on."""

from __future__ import annotations

import numpy as np

from xr_dip.geometry.axis import FloatArray, middles
from xr_dip.geometry.corners import SMALLEST_CIRCLE, quad
from xr_dip.geometry.curvilinear import CurvilinearGrid
from xr_dip.geometry.grid import Grid
from xr_dip.geometry.rectilinear import RectilinearGrid

SAME = 0.1
"""Cells whose centres are this part of a cell apart are the same."""

ROWS = 16
"""Rows of a curved grid that are looked at, about."""


def repeated_columns(grid: Grid) -> int:
    """Count the columns at the end of a grid that lie on its first ones.

    One where the circle was closed for a plot, two in the files of NEMO's ORCA grids. There the first column and the
    last are no neighbours, so that the grid is not periodic; without them it is.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    int

    Examples
    --------
    >>> repeated_columns(RectilinearGrid.from_centres([0.0, 1.0], np.arange(0.0, 361.0, 90.0)))
    1
    """
    if isinstance(grid, RectilinearGrid):
        return _beyond_a_turn(grid.longitude_edges)
    return _on_the_first(grid.corners) if isinstance(grid, CurvilinearGrid) else 0


def _beyond_a_turn(edges: FloatArray) -> int:
    centres = middles(edges)
    return int(np.count_nonzero(np.abs(centres - centres[0]) > 360.0 - abs(edges[1] - edges[0]) / 2))


def _on_the_first(corners: FloatArray) -> int:
    """Count from the column that lies on the first one; half of the rows must tell, for some lie on land."""
    centres = sum(quad(corners), start=np.zeros(3))[:: max(1, corners.shape[0] // ROWS)]
    width = np.linalg.norm(centres[:, 1:2] - centres[:, :1], axis=-1)
    away = np.linalg.norm(centres[:, SMALLEST_CIRCLE:] - centres[:, :1], axis=-1)[width[:, 0] > 0]
    if not away.size:
        return 0
    apart = np.median(away / width[width[:, 0] > 0], axis=0)
    nearest = int(np.argmin(apart))
    return len(apart) - nearest if apart[nearest] < SAME else 0
