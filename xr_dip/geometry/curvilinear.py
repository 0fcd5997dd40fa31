"""A grid of curved rows and columns: cell corners on the sphere that keeps the areas of the WGS84 ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.errors import first_index
from xr_dip.geometry import axis, corners, edges, ellipsoid
from xr_dip.geometry.axis import Factor, FloatArray
from xr_dip.geometry.filling import BoolArray, fill_positions, missing_positions

PERIODIC = 0.01
"""Corners of the first and the last column are the same place within this part of a cell."""


@dataclass(frozen=True, eq=False, repr=False)
class CurvilinearGrid:
    """Cells between four corners, joined by great-circle arcs on the authalic sphere; an immutable value.

    Attributes
    ----------
    corners : array, shape (ny + 1, nx + 1, 3)
        Unit vectors on the authalic sphere (`xr_dip.geometry.ellipsoid.unit_vectors`).
    longitude_middle : float
        Centres are given in [middle - 180, middle + 180).

    Raises
    ------
    ValueError
        If the shape is wrong.

    Examples
    --------
    >>> latitude, longitude = np.meshgrid([10.0, 11.0, 12.0], [-1.0, 0.0, 1.0, 2.0], indexing="ij")
    >>> grid = CurvilinearGrid.from_centres(latitude, longitude)
    >>> grid.refine((2, 5)).shape
    (6, 20)
    """

    corners: FloatArray
    longitude_middle: float

    def __post_init__(self) -> None:
        lattice = axis.read_only(self.corners)
        if lattice.ndim != 3 or min(lattice.shape[:2]) < 2 or lattice.shape[2] != 3:
            raise ValueError(f"Invalid corners of shape {lattice.shape}. It must be (ny + 1, nx + 1, 3).")
        object.__setattr__(self, "corners", lattice)

    def __repr__(self) -> str:
        latitude, longitude = self.centres()
        return (
            f"CurvilinearGrid(shape={self.shape}, latitude={latitude.min():.3f}..{latitude.max():.3f}, "
            f"longitude={longitude.min():.3f}..{longitude.max():.3f})"
        )

    @classmethod
    def from_centres(
        cls,
        latitude: npt.ArrayLike,
        longitude: npt.ArrayLike,
        latitude_bounds: npt.ArrayLike | None = None,
        longitude_bounds: npt.ArrayLike | None = None,
        *,
        sea: BoolArray | None = None,
        dims: tuple[str, str] = ("y", "x"),
    ) -> CurvilinearGrid:
        """Grid of the cells around centres: between CF bounds, or else with corners interpolated between the centres.

        Parameters
        ----------
        latitude, longitude : array, shape (ny, nx)
            Degrees north and east. Jumps at 180 or 360 do not matter.
        latitude_bounds, longitude_bounds : array, shape (ny, nx, 4), optional
            Corners in either sense of rotation, from any corner on; both or none.
        sea : array of bool, shape (ny, nx), optional
            Cells that must be sound. Elsewhere missing positions (see `xr_dip.geometry.filling`) are filled, and cells
            may be empty or folded. By default all cells must be sound.
        dims : (str, str)
            Names of y and x in messages.

        Returns
        -------
        CurvilinearGrid
            Where rows are full circles, the last column shares its corners with the first.

        Raises
        ------
        ValueError
            If shapes differ, a position is missing, a latitude is beyond a pole, a single cell has no bounds, bounds
            of neighbours do not meet, or cells are empty or folded (as where coordinates are 0 on land).
        """
        latitude = np.asarray(latitude, dtype=np.float64)
        longitude = np.asarray(longitude, dtype=np.float64)
        _check_shapes(latitude, longitude)
        latitude, longitude = _check_positions(latitude, longitude, sea)
        middle = _middle(longitude)
        if latitude_bounds is not None and longitude_bounds is not None:
            lattice = corners.corners_of_bounds(latitude_bounds, longitude_bounds, latitude.shape)
        elif latitude.size > 1:
            centres = ellipsoid.unit_vectors(latitude, longitude)
            periodic = corners.goes_around(centres)
            lattice = corners.corners_between(fill_positions(centres, periodic=periodic), periodic=periodic)
        else:
            raise ValueError("Invalid latitude of one value. It must come with bounds, or with neighbours.")
        _check_cells(corners.signed_area(lattice), sea, dims)
        return cls(lattice, middle)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells along y and x."""
        return self.corners.shape[0] - 1, self.corners.shape[1] - 1

    @property
    def periodic(self) -> bool:
        """Whether the last column ends where the first begins, within a hundredth of a cell."""
        first, last = self.corners[:, 0], self.corners[:, -1]
        width = np.linalg.norm(self.corners[:, 1] - first, axis=-1)
        gap = np.linalg.norm(last - first, axis=-1)
        return bool(self.shape[1] >= corners.SMALLEST_CIRCLE and np.all(gap <= PERIODIC * width.max()))

    def refine(self, factor: Factor) -> CurvilinearGrid:
        """Cells divided by a factor along y and x: corners interpolated bilinearly, then put back on the sphere.

        Parameters
        ----------
        factor : (int, int)

        Returns
        -------
        CurvilinearGrid, shape (ny * fy, nx * fx)
            Its cells fill those of this grid exactly, for new corners lie on the arcs between the old ones.

        Raises
        ------
        ValueError
            If the factor is not two whole numbers of 1 or more.
        """
        fy, fx = axis.check_factor(factor)
        fine = edges.subdivide(edges.subdivide(self.corners, fy).swapaxes(0, 1), fx).swapaxes(0, 1)
        return CurvilinearGrid(corners.normalise(fine), self.longitude_middle)

    def window(self, yslice: slice, xslice: slice) -> CurvilinearGrid:
        """Cut out the part of the grid that two slices of cells name.

        Raises
        ------
        ValueError
            If a slice is empty or has a step.
        """
        rows = axis.check_cells(yslice, self.shape[0], "yslice")
        columns = axis.check_cells(xslice, self.shape[1], "xslice")
        lattice = self.corners[rows.start : rows.stop + 1, columns.start : columns.stop + 1]
        return CurvilinearGrid(lattice, self.longitude_middle)

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude (ny, nx) of the mean of the corners, in degrees; longitude as the input had it."""
        latitude, longitude = ellipsoid.latitude_longitude(sum(corners.quad(self.corners), start=np.zeros(3)))
        return latitude, axis.rewrap(longitude, self.longitude_middle)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude (ny, nx, 4) of the corners in degrees, anticlockwise from the one towards (j-1, i-1).

        Longitudes are within half a turn of those of the centres.
        """
        anticlockwise = bool(np.median(corners.signed_area(self.corners)) > 0)
        lattice = ellipsoid.latitude_longitude(self.corners)
        return corners.around_cells(*lattice, self.centres()[1], anticlockwise=anticlockwise)

    def area(self) -> FloatArray:
        """Area of each cell, shape (ny, nx), in square metres: exact for these corners, and additive."""
        return np.abs(corners.signed_area(self.corners))

    def spacing(self) -> tuple[float, float]:
        """Median size of a cell along y and x, in metres."""
        return corners.spacing(self.corners)


def _middle(longitude: FloatArray) -> float:
    """Middle of the convention of the input, NaN where it has none."""
    middle = axis.branch(longitude)
    return float(np.nanmin(longitude) + np.nanmax(longitude)) / 2 if middle is None else middle


def _check_shapes(latitude: FloatArray, longitude: FloatArray) -> None:
    if latitude.ndim != 2 or latitude.shape != longitude.shape or not latitude.size:
        raise ValueError(
            f"Invalid latitude of shape {latitude.shape} and longitude of shape {longitude.shape}. "
            "They must be 2-D and of the same shape."
        )


def _check_positions(
    latitude: FloatArray, longitude: FloatArray, sea: BoolArray | None
) -> tuple[FloatArray, FloatArray]:
    """Positions with NaN where they are missing, which none may be in the sea."""
    if sea is not None:
        missing = missing_positions(latitude, longitude)
        if np.any(missing & sea):
            index = first_index(missing & sea)
            raise ValueError(
                f"Invalid latitude {latitude[index]}, longitude {longitude[index]} at index {index}. The cell has a "
                "value, so it must have a position: set the field to NaN where it is land (`land_value=`, or a mask)."
            )
        latitude, longitude = np.where(missing, np.nan, latitude), np.where(missing, np.nan, longitude)
        if missing.all():
            raise ValueError("Invalid latitude, longitude. Every position is missing.")
        return latitude, longitude
    for name, values in (("latitude", latitude), ("longitude", longitude)):
        if not np.all(np.isfinite(values)):
            index = first_index(~np.isfinite(values))
            raise ValueError(f"Invalid {name} {values[index]} at index {index}. It must be finite, on land too.")
    if np.any(np.abs(latitude) > 90.0):
        index = first_index(np.abs(latitude) > 90.0)
        raise ValueError(
            f"Invalid latitude {latitude[index]} at index {index}. It must be within -90 and 90 degrees north."
        )
    return latitude, longitude


def _check_cells(signed_area: FloatArray, sea: BoolArray | None, dims: tuple[str, str]) -> None:
    """Every cell of the sea has an area, and all turn the same way."""
    folded = corners.folded_cells(signed_area)
    if sea is not None:
        folded &= sea
    if np.any(folded):
        raise ValueError(
            f"Invalid cell at index {first_index(folded)}: its corners are not finite, coincide or cross those of its "
            "neighbours. Latitude and longitude must be valid everywhere, on land too, where some models write 0"
            f"{_way_out(folded, dims)}."
        )


def _way_out(folded: BoolArray, dims: tuple[str, str]) -> str:
    """Name the rows or columns that fold, as where a tripolar grid is sewn together, and how to leave them out."""
    for along, dim in enumerate(dims):
        lines = np.asarray(folded.any(axis=1 - along))
        start, stop = _longest_run(~lines)
        if stop - start > len(lines) // 2:
            first, last = (int(index) for index in np.flatnonzero(lines)[[0, -1]])
            return (
                f"; or cut the cells that fold, {int(lines.sum())} of {len(lines)} along '{dim}' "
                f"({first} to {last}): `.isel({dim}=slice({start}, {stop}))`"
            )
    return ""


def _longest_run(condition: BoolArray) -> tuple[int, int]:
    """Start and stop of the longest run of True."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], condition, [False]]).astype(np.int8)))
    if not len(ends):
        return 0, 0
    starts, stops = ends[::2], ends[1::2]
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])
