"""A grid of parallels and meridians: two lists of edges on the WGS84 ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.geometry import axis, edges, ellipsoid
from xr_dip.geometry.axis import Factor, FloatArray

PERIODIC = 1e-3
"""A span of 360 degrees is recognised within this part of a cell."""

SEAM = 0.05
"""Cells that leave or share less than this part of a cell go all around: float32 rounds 1/48 degree by 0.002."""


@dataclass(frozen=True, eq=False, repr=False)
class RectilinearGrid:
    """Cells between parallels and meridians; an immutable value.

    Attributes
    ----------
    latitude_edges : array, shape (ny + 1,)
        Degrees north, strictly monotone in either direction, within [-90, 90].
    longitude_edges : array, shape (nx + 1,)
        Degrees east, strictly monotone in either direction and without jumps: beyond 180 or 360 where they cross it.
    longitude_middle : float or None
        Centres are given in [middle - 180, middle + 180); None leaves them as they follow from the edges. Only an
        input that jumps (178, 179, -180, ...) has a middle, so that monotone coordinates stay monotone.

    Raises
    ------
    ValueError
        If edges are not 1-D, finite and strictly monotone, or a latitude is beyond a pole.

    Examples
    --------
    >>> grid = RectilinearGrid.from_centres([10.0, 20.0], [355.0, 0.0, 5.0])
    >>> grid
    RectilinearGrid(shape=(2, 3), latitude=5.0..25.0, longitude=352.5..367.5)
    >>> grid.refine((2, 2)).centres()[1]
    array([353.75, 356.25, 358.75,   1.25,   3.75,   6.25])
    """

    latitude_edges: FloatArray
    longitude_edges: FloatArray
    longitude_middle: float | None = None

    def __post_init__(self) -> None:
        for name in ("latitude_edges", "longitude_edges"):
            edges = axis.read_only(getattr(self, name))
            axis.check_axis(edges, name, 2)
            object.__setattr__(self, name, edges)
        _check_latitude(self.latitude_edges, "latitude_edges")

    def __repr__(self) -> str:
        south, north = self.latitude_edges[[0, -1]]
        west, east = self.longitude_edges[[0, -1]]
        return f"RectilinearGrid(shape={self.shape}, latitude={south}..{north}, longitude={west}..{east})"

    @classmethod
    def from_centres(
        cls,
        latitude: npt.ArrayLike,
        longitude: npt.ArrayLike,
        latitude_bounds: npt.ArrayLike | None = None,
        longitude_bounds: npt.ArrayLike | None = None,
    ) -> RectilinearGrid:
        """Grid of the cells around centres: between CF bounds, or else with edges half-way between the centres.

        Parameters
        ----------
        latitude : array, shape (ny,)
            Degrees north, strictly monotone.
        longitude : array, shape (nx,)
            Degrees east, strictly monotone but for one turn at 180 or 360.
        latitude_bounds : array, shape (ny, 2), optional
        longitude_bounds : array, shape (nx, 2), optional

        Returns
        -------
        RectilinearGrid
            Latitudes beyond a pole are cut there. A single centre without bounds gets the spacing of the other axis.
            Cells that go all around the globe but for rounding share the meridian where they meet: edges 360 apart.

        Raises
        ------
        ValueError
            If an axis is not 1-D, finite and strictly monotone, a latitude is beyond a pole, bounds do not fit the
            centres, or neither axis tells a spacing.

        Examples
        --------
        >>> RectilinearGrid.from_centres([89.5, 88.5], [0.5], longitude_bounds=[[0.0, 1.0]]).latitude_edges
        array([90., 89., 88.])
        """
        latitude = np.asarray(latitude, dtype=np.float64)
        given = np.asarray(longitude, dtype=np.float64)
        axis.check_axis(latitude, "latitude", 1)
        _check_latitude(latitude, "latitude")
        axis.check_finite_axis(given, "longitude", 1)
        longitude = axis.unwrap(given)
        axis.check_axis(longitude, "longitude", 1)
        if longitude_bounds is not None:
            longitude_bounds = _near_centres(np.asarray(longitude_bounds, dtype=np.float64), longitude)
        latitude_edges = edges.cell_edges(latitude, latitude_bounds, longitude, "latitude")
        longitude_edges = edges.cell_edges(longitude, longitude_bounds, latitude, "longitude")
        return cls(np.clip(latitude_edges, -90.0, 90.0), _closed(longitude_edges), axis.branch(given))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells along y and x."""
        return len(self.latitude_edges) - 1, len(self.longitude_edges) - 1

    @property
    def periodic(self) -> bool:
        """Whether the longitudes span 360 degrees, within a thousandth of a cell."""
        span = abs(self.longitude_edges[-1] - self.longitude_edges[0])
        return bool(abs(span - 360.0) <= PERIODIC * span / self.shape[1])

    def refine(self, factor: Factor) -> RectilinearGrid:
        """Cells divided by a factor along y and x, evenly in degrees.

        Parameters
        ----------
        factor : (int, int)

        Returns
        -------
        RectilinearGrid, shape (ny * fy, nx * fx)
            The edges of this grid are among its edges, bit for bit.

        Raises
        ------
        ValueError
            If the factor is not two whole numbers of 1 or more.
        """
        fy, fx = axis.check_factor(factor)
        return RectilinearGrid(
            edges.subdivide(self.latitude_edges, fy), edges.subdivide(self.longitude_edges, fx), self.longitude_middle
        )

    def window(self, yslice: slice, xslice: slice) -> RectilinearGrid:
        """Cut out the part of the grid that two slices of cells name.

        Raises
        ------
        ValueError
            If a slice is empty or has a step.
        """
        rows = axis.check_cells(yslice, self.shape[0], "yslice")
        columns = axis.check_cells(xslice, self.shape[1], "xslice")
        return RectilinearGrid(
            self.latitude_edges[rows.start : rows.stop + 1],
            self.longitude_edges[columns.start : columns.stop + 1],
            self.longitude_middle,
        )

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Latitude (ny,) and longitude (nx,) half-way between the edges, in degrees; longitude as the input had it."""
        return axis.middles(self.latitude_edges), axis.rewrap(axis.middles(self.longitude_edges), self.longitude_middle)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Latitude (ny, 2) and longitude (nx, 2) of the edges in the direction of the axis, around the centres."""
        turn = self.centres()[1] - axis.middles(self.longitude_edges)
        return axis.pairs(self.latitude_edges), axis.pairs(self.longitude_edges) + turn[:, None]

    def area(self) -> FloatArray:
        """Area of each cell on the WGS84 ellipsoid, shape (ny, nx), in square metres; exact and additive."""
        height = np.abs(np.diff(ellipsoid.zone(self.latitude_edges)))
        return height[:, None] * np.radians(np.abs(np.diff(self.longitude_edges)))

    def spacing(self) -> tuple[float, float]:
        """Median size of a cell along y and x, in metres."""
        northward, eastward = ellipsoid.degree_lengths(axis.middles(self.latitude_edges))
        height = np.median(northward * np.abs(np.diff(self.latitude_edges)))
        width = np.median(eastward) * np.median(np.abs(np.diff(self.longitude_edges)))
        return float(height), float(width)


def _closed(edges: FloatArray) -> FloatArray:
    """Edges of a full circle, the first and last the same meridian; others as they are."""
    turn = np.copysign(360.0, edges[-1] - edges[0])
    excess = edges[-1] - edges[0] - turn
    widths = np.abs(np.diff(edges))
    if abs(excess) > SEAM * (widths[0] + widths[-1]) / 2:
        return edges
    return np.concatenate([[edges[0] + excess / 2], edges[1:-1], [edges[0] + excess / 2 + turn]])


def _near_centres(bounds: FloatArray, centres: FloatArray) -> FloatArray:
    """Bounds moved by whole turns to their centres; a wrong shape passes, for `edges.bounds_edges` to refuse."""
    return axis.near(bounds, centres[:, None]) if bounds.ndim == 2 and len(bounds) == len(centres) else bounds


def _check_latitude(latitude: FloatArray, name: str) -> None:
    beyond = np.abs(latitude) > 90.0
    if np.any(beyond):
        index = int(np.argmax(beyond))
        raise ValueError(
            f"Invalid {name} {latitude[index]} at index {index}. It must be within -90 and 90 degrees north."
        )
