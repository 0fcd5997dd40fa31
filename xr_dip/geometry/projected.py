"""A grid of straight rows and columns on the plane of a map projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj.enums import TransformDirection

from xr_dip.errors import first_index
from xr_dip.geometry import axis, corners, edges, ellipsoid
from xr_dip.geometry.axis import Factor, FloatArray

LARGEST = 5e4
"""Metres: the area of larger cells is that of their parts, so that the rule for sides of cells is exact to 1e-11."""

STRIP = 2**18
"""Cells whose areas are computed at a time, to bound memory."""


@dataclass(frozen=True, eq=False, repr=False)
class ProjectedGrid:
    """Cells between lines of constant y and x of a map projection; an immutable value.

    Attributes
    ----------
    y_edges : array, shape (ny + 1,)
        Metres, strictly monotone in either direction.
    x_edges : array, shape (nx + 1,)
        Metres, strictly monotone in either direction.
    crs : str
        The projection as well-known text, so that a grid can be pickled.
    longitude_middle : float
        Centres are given in [middle - 180, middle + 180).

    Raises
    ------
    ValueError
        If edges are not 1-D, finite and strictly monotone.

    Examples
    --------
    >>> polar = pyproj.CRS("EPSG:3413").to_wkt()
    >>> grid = ProjectedGrid.from_centres([-5e5, -6e5], [0.0, 1e5, 2e5], polar)
    >>> grid
    ProjectedGrid(shape=(2, 3), y=-450000.0..-650000.0, x=-50000.0..250000.0, crs='WGS 84 / NSIDC Sea Ice Polar ...')
    >>> bool(abs(grid.refine((2, 4)).area().sum() / grid.area().sum() - 1) < 1e-10)
    True
    """

    y_edges: FloatArray
    x_edges: FloatArray
    crs: str
    longitude_middle: float = 0.0

    def __post_init__(self) -> None:
        for name in ("y_edges", "x_edges"):
            edges = axis.read_only(getattr(self, name))
            axis.check_axis(edges, name, 2)
            object.__setattr__(self, name, edges)

    def __repr__(self) -> str:
        (south, north), (west, east) = self.y_edges[[0, -1]], self.x_edges[[0, -1]]
        return (
            f"ProjectedGrid(shape={self.shape}, y={south}..{north}, x={west}..{east}, "
            f"crs={pyproj.CRS(self.crs).name!r})"
        )

    @classmethod
    def from_centres(
        cls,
        y: npt.ArrayLike,
        x: npt.ArrayLike,
        crs: str,
        y_bounds: npt.ArrayLike | None = None,
        x_bounds: npt.ArrayLike | None = None,
        *,
        longitude_middle: float = 0.0,
    ) -> ProjectedGrid:
        """Grid of the cells around centres: between CF bounds, or else with edges half-way between the centres.

        Parameters
        ----------
        y : array, shape (ny,)
            Metres, strictly monotone.
        x : array, shape (nx,)
            Metres, strictly monotone.
        crs : str
            Well-known text of the projection.
        y_bounds : array, shape (ny, 2), optional
            Metres.
        x_bounds : array, shape (nx, 2), optional
            Metres.
        longitude_middle : float

        Returns
        -------
        ProjectedGrid
            A single centre without bounds gets the spacing of the other axis.

        Raises
        ------
        ValueError
            If an axis is not 1-D, finite and strictly monotone, bounds do not fit the centres, neither axis tells a
            spacing, or a corner lies outside of the projection.
        """
        y, x = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
        axis.check_axis(y, "y", 1)
        axis.check_axis(x, "x", 1)
        grid = cls(
            edges.cell_edges(y, y_bounds, x, "y"), edges.cell_edges(x, x_bounds, y, "x"), crs, float(longitude_middle)
        )
        outside = np.isnan(grid._vectors(grid.y_edges, grid.x_edges)[..., 0])
        if outside.any():
            row, column = first_index(outside)
            raise ValueError(
                f"Invalid projection coordinates y {grid.y_edges[row]}, x {grid.x_edges[column]} in metres. "
                "They must be within the projection: check the units of y and x, and the grid mapping."
            )
        return grid

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells along y and x."""
        return len(self.y_edges) - 1, len(self.x_edges) - 1

    @property
    def periodic(self) -> bool:
        """Whether the last column ends where the first begins: never on a plane."""
        return False

    def refine(self, factor: Factor) -> ProjectedGrid:
        """Cells divided by a factor along y and x, evenly on the plane.

        Parameters
        ----------
        factor : (int, int)

        Returns
        -------
        ProjectedGrid, shape (ny * fy, nx * fx)
            The edges of this grid are among its edges, bit for bit.

        Raises
        ------
        ValueError
            If the factor is not two whole numbers of 1 or more.
        """
        fy, fx = axis.check_factor(factor)
        return self._with_edges(edges.subdivide(self.y_edges, fy), edges.subdivide(self.x_edges, fx))

    def window(self, yslice: slice, xslice: slice) -> ProjectedGrid:
        """Cut out the part of the grid that two slices of cells name.

        Raises
        ------
        ValueError
            If a slice is empty or has a step.
        """
        rows = axis.check_cells(yslice, self.shape[0], "yslice")
        columns = axis.check_cells(xslice, self.shape[1], "xslice")
        return self._with_edges(
            self.y_edges[rows.start : rows.stop + 1], self.x_edges[columns.start : columns.stop + 1]
        )

    def positions(self, y: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude of the points of a lattice on the plane.

        Parameters
        ----------
        y : array, shape (n,)
            Metres.
        x : array, shape (m,)
            Metres.

        Returns
        -------
        latitude, longitude : array, shape (n, m)
            Degrees north and east, infinite outside of the projection.
        """
        crs = pyproj.CRS(self.crs)
        unit = crs.axis_info[0].unit_conversion_factor
        to_plane = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
        lattice = np.meshgrid(x / unit, y / unit)
        longitude, latitude = to_plane.transform(*lattice, direction=TransformDirection.INVERSE)
        return np.asarray(latitude), np.asarray(longitude)

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude (ny, nx) of the point half-way between the edges, in degrees."""
        latitude, longitude = self.positions(axis.middles(self.y_edges), axis.middles(self.x_edges))
        return latitude, axis.rewrap(longitude, self.longitude_middle)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude (ny, nx, 4) of the corners in degrees, anticlockwise from the one towards (j-1, i-1).

        Longitudes are within half a turn of those of the centres.
        """
        anticlockwise = bool(self.window(slice(0, 1), slice(0, 1))._signed_area() > 0)
        lattice = self.positions(self.y_edges, self.x_edges)
        return corners.around_cells(*lattice, self.centres()[1], anticlockwise=anticlockwise)

    def area(self) -> FloatArray:
        """Area of each cell on the WGS84 ellipsoid, shape (ny, nx), in square metres.

        It is the area between great-circle arcs, and the slivers between these and the lines of the plane. Fine areas
        add up to coarse ones to 1e-10.
        """
        fy, fx = (int(np.ceil(np.abs(np.diff(edge)).max() / LARGEST)) for edge in (self.y_edges, self.x_edges))
        if max(fy, fx) > 1:
            ny, nx = self.shape
            return np.asarray(self.refine((fy, fx)).area().reshape(ny, fy, nx, fx).sum(axis=(1, 3)))
        rows = max(1, STRIP // self.shape[1])
        strips = [self.window(slice(start, start + rows), slice(None)) for start in range(0, self.shape[0], rows)]
        return np.asarray(np.abs(np.concatenate([strip._signed_area() for strip in strips])))

    def spacing(self) -> tuple[float, float]:
        """Median size of a cell along y and x, in metres on the ellipsoid."""
        return corners.spacing(self._vectors(self.y_edges, self.x_edges))

    def _with_edges(self, y_edges: FloatArray, x_edges: FloatArray) -> ProjectedGrid:
        return ProjectedGrid(y_edges, x_edges, self.crs, self.longitude_middle)

    def _vectors(self, y: FloatArray, x: FloatArray) -> FloatArray:
        latitude, longitude = self.positions(y, x)
        outside = ~np.isfinite(latitude)
        latitude[outside], longitude[outside] = np.nan, np.nan
        return ellipsoid.unit_vectors(latitude, longitude)

    def _signed_area(self) -> FloatArray:
        """Positive where y runs to the left of x, seen from above."""
        along_x = self._vectors(self.y_edges, edges.subdivide(self.x_edges, 2))
        along_y = self._vectors(edges.subdivide(self.y_edges, 2), self.x_edges)
        beside_x, beside_y = _slivers(along_x), _slivers(along_y.swapaxes(0, 1)).T
        return corners.signed_area(along_x[:, ::2]) - np.diff(beside_x, axis=0) + np.diff(beside_y, axis=1)


def _slivers(points: FloatArray) -> FloatArray:
    """Signed areas (n, m) between curves and their chords, each curve through three of points (n, 2 m + 1, 3).

    Two chords leave a quarter of what one chord leaves, to leading order (Simpson's rule).
    """
    return 4 * ellipsoid.triangle_area(points[:, :-1:2], points[:, 1::2], points[:, 2::2]) / 3
