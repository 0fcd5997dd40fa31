"""A grid of rows and columns of which nothing is known but their number, or their distances on some plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xr_dip.geometry import axis, edges
from xr_dip.geometry.axis import Factor, FloatArray

WITHOUT = (
    "The grid has no latitude and longitude: name them with x_coord= and y_coord=, set their `standard_name`, or pass "
    "the Dataset that holds them."
)


@dataclass(frozen=True, eq=False, repr=False)
class IndexGrid:
    """Cells between lines of a plane that is nowhere on Earth; an immutable value.

    Attributes
    ----------
    y_edges : array, shape (ny + 1,)
        In cells or metres, strictly monotone in either direction.
    x_edges : array, shape (nx + 1,)
        In the same unit.

    Raises
    ------
    ValueError
        If edges are not 1-D, finite and strictly monotone.

    Examples
    --------
    >>> grid = IndexGrid.of_shape((2, 3))
    >>> grid.refine((2, 2)).spacing(), grid.refine((1, 2)).indices()[1]
    ((0.5, 0.5), array([-0.25,  0.25,  0.75,  1.25,  1.75,  2.25]))
    """

    y_edges: FloatArray
    x_edges: FloatArray

    def __post_init__(self) -> None:
        for name in ("y_edges", "x_edges"):
            edges = axis.read_only(getattr(self, name))
            axis.check_axis(edges, name, 2)
            object.__setattr__(self, name, edges)

    def __repr__(self) -> str:
        return f"IndexGrid(shape={self.shape}, spacing={self.spacing()})"

    @classmethod
    def of_shape(cls, shape: tuple[int, int]) -> IndexGrid:
        """Cells of size 1 around 0, 1, 2, ... along y and x.

        Parameters
        ----------
        shape : (int, int)

        Returns
        -------
        IndexGrid
        """
        return cls(*(axis.read_only(np.arange(count + 1) - 0.5) for count in shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells along y and x."""
        return len(self.y_edges) - 1, len(self.x_edges) - 1

    @property
    def periodic(self) -> bool:
        """Whether the last column ends where the first begins: nothing tells."""
        return False

    def refine(self, factor: Factor) -> IndexGrid:
        """Cells divided by a factor along y and x, evenly.

        Raises
        ------
        ValueError
            If the factor is not two whole numbers of 1 or more.
        """
        fy, fx = axis.check_factor(factor)
        return IndexGrid(edges.subdivide(self.y_edges, fy), edges.subdivide(self.x_edges, fx))

    def window(self, yslice: slice, xslice: slice) -> IndexGrid:
        """Cut out the part of the grid that two slices of cells name.

        Raises
        ------
        ValueError
            If a slice is empty or has a step.
        """
        rows = axis.check_cells(yslice, self.shape[0], "yslice")
        columns = axis.check_cells(xslice, self.shape[1], "xslice")
        return IndexGrid(self.y_edges[rows.start : rows.stop + 1], self.x_edges[columns.start : columns.stop + 1])

    def indices(self) -> tuple[FloatArray, FloatArray]:
        """Places (ny,) and (nx,) of the cells on their plane: 0, 1, 2, ... for a grid `of_shape`."""
        return axis.middles(self.y_edges), axis.middles(self.x_edges)

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """There are none.

        Raises
        ------
        ValueError
            Always: no latitude is invented.
        """
        raise ValueError(f"Invalid field without positions. {WITHOUT}")

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """There are none.

        Raises
        ------
        ValueError
            Always: no latitude is invented.
        """
        raise ValueError(f"Invalid field without positions. {WITHOUT}")

    def area(self) -> FloatArray:
        """There is none.

        Raises
        ------
        ValueError
            Always, as by ``weights="area"``.
        """
        raise ValueError(f"Invalid weights 'area' of a field without positions. They must be 'equal'. {WITHOUT}")

    def spacing(self) -> tuple[float, float]:
        """Median size of a cell along y and x, in cells (or in metres, where the edges are)."""
        return float(np.median(np.abs(np.diff(self.y_edges)))), float(np.median(np.abs(np.diff(self.x_edges))))
