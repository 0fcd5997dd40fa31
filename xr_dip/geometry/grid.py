"""Horizontal grids as immutable values: where the cells are, how large they are, and how they divide.

A grid knows nothing of fields, files or networks. All kinds share the methods of `Grid`; on an `IndexGrid`, whose cells
are nowhere on Earth, those that ask where they are or how large raise an error.
"""

from __future__ import annotations

from typing import Protocol, Self

from xr_dip.geometry.axis import Factor, FloatArray
from xr_dip.geometry.curvilinear import CurvilinearGrid
from xr_dip.geometry.indices import IndexGrid
from xr_dip.geometry.projected import ProjectedGrid
from xr_dip.geometry.rectilinear import RectilinearGrid

__all__ = ["CurvilinearGrid", "Factor", "Grid", "IndexGrid", "ProjectedGrid", "RectilinearGrid"]


class Grid(Protocol):
    """What every grid can do.

    Examples
    --------
    >>> grid: Grid = RectilinearGrid.from_centres([30.0, 31.0], [-60.0, -59.0, -58.0])
    >>> fine = grid.window(slice(0, 1), slice(1, 3)).refine((4, 4))
    >>> fine.shape
    (4, 8)
    >>> bool(abs(fine.area().sum() / grid.area()[0, 1:].sum() - 1) < 1e-12)
    True
    """

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells along y and x."""
        ...

    @property
    def periodic(self) -> bool:
        """Whether the last column ends where the first begins, all around the globe."""
        ...

    def refine(self, factor: Factor) -> Self:
        """Cells divided by a factor along y and x; they fill the cells of this grid exactly."""
        ...

    def window(self, yslice: slice, xslice: slice) -> Self:
        """Cut out the part of the grid that two slices of cells name."""
        ...

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude of the cells in degrees: (ny,) and (nx,), or both (ny, nx)."""
        ...

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude of the ends (ny, 2) and (nx, 2), or of the corners (ny, nx, 4), of each cell."""
        ...

    def area(self) -> FloatArray:
        """Area of each cell in square metres, shape (ny, nx)."""
        ...

    def spacing(self) -> tuple[float, float]:
        """Typical size of a cell along y and x, in metres (in cells on a grid of indices)."""
        ...
