r"""Gradient and curl on any grid: differences of neighbouring cells, measured in metres east and north.

The neighbours of a cell on either side along x are ``d_x = (e_x, n_x)`` metres apart in the plane that touches the
WGS84 ellipsoid at the cell, those along y ``d_y``. The gradient of a field h solves

    d_x . grad h = h[i + 1] - h[i - 1],        d_y . grad h = h[j + 1] - h[j - 1],

whatever the angle between rows and columns and whichever way they point. Vectors are compared as vectors in space, so
that the turning of east and north from cell to cell is in the curl, at the poles too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.geometry.ellipsoid import ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS

FloatArray = npt.NDArray[np.float64]

SMALLEST = 3
"""Cells along each axis: fewer have no central difference."""


@dataclass(frozen=True, eq=False, repr=False)
class TangentPlanes:
    """The plane that touches the ellipsoid at each cell, and the neighbours in it; an immutable value.

    Attributes
    ----------
    east, north : array, shape (3, ny, nx)
        Unit vectors in space.
    inverse : array, shape (2, 2, ny, nx)
        From differences along (x, y) to derivatives towards (east, north), per metre; NaN at the border.
    periodic : bool
        Whether the first column is a neighbour of the last.

    Examples
    --------
    >>> latitude, longitude = np.meshgrid([44.0, 45.0, 46.0], [4.0, 5.0, 6.0], indexing="ij")
    >>> planes = TangentPlanes.at_centres(latitude, longitude)
    >>> east, north = planes.gradient(latitude)
    >>> round(float(1 / north[1, 1])), bool(abs(east[1, 1]) < 1e-12)
    (111126, True)
    """

    east: FloatArray
    north: FloatArray
    inverse: FloatArray
    periodic: bool

    @classmethod
    def at_centres(cls, latitude: npt.ArrayLike, longitude: npt.ArrayLike, *, periodic: bool = False) -> TangentPlanes:
        """Planes at the centres of cells.

        Parameters
        ----------
        latitude, longitude : array, shape (ny, nx)
            Geodetic, degrees north and east; not finite where there is no cell.
        periodic : bool
            Whether the first column is a neighbour of the last.

        Returns
        -------
        TangentPlanes

        Raises
        ------
        ValueError
            If the arrays are not 2-D and of one shape with at least 3 cells along each axis.
        """
        phi, meridian = (_radians(part) for part in (latitude, longitude))
        if phi.ndim != 2 or phi.shape != meridian.shape or min(phi.shape) < SMALLEST:
            raise ValueError(
                f"Invalid latitude of shape {phi.shape} and longitude of shape {meridian.shape}. They must be 2-D, of "
                f"one shape, with at least {SMALLEST} cells along each axis, for central differences."
            )
        outward = _sphere(np.sin(phi), np.cos(phi), meridian)
        north = _sphere(np.cos(phi), -np.sin(phi), meridian)
        east = np.stack([-np.sin(meridian), np.cos(meridian), np.zeros_like(phi)])
        return cls(east, north, _inverse(_places(outward), east, north, periodic), periodic)

    def gradient(self, field: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Differentiate a field towards east and north.

        Parameters
        ----------
        field : array, shape (..., ny, nx)

        Returns
        -------
        east, north : array of float64, shape (..., ny, nx)
            Unit of the field per metre; NaN where one of the four neighbours is missing. Exact for planes, second
            order where the grid is smooth.
        """
        along_x, along_y = _across(field, -1, self.periodic), _across(field, -2)
        (east_x, east_y), (north_x, north_y) = self.inverse
        return east_x * along_x + east_y * along_y, north_x * along_x + north_y * along_y

    def curl(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Return the vertical component of the curl of a horizontal vector field.

        Parameters
        ----------
        u, v : array, shape (..., ny, nx)
            Components towards the east and the north of each cell.

        Returns
        -------
        array of float64, shape (..., ny, nx)
            Unit of the components per metre, anticlockwise positive; NaN where one of the four neighbours is missing.
        """
        total = np.zeros(np.shape(u))
        for east, north in zip(self.east, self.north, strict=True):  # one direction in space at a time: less memory
            towards_east, towards_north = self.gradient(u * east + v * north)
            total += towards_east * north - towards_north * east
        return total


def _radians(degrees: npt.ArrayLike) -> FloatArray:
    """Radians, NaN where a projection gives infinity for what is outside of it."""
    values = np.asarray(degrees, dtype=np.float64)
    return np.radians(np.where(np.isfinite(values), values, np.nan))


def _sphere(up: FloatArray, outward: FloatArray, meridian: FloatArray) -> FloatArray:
    """Vectors in space (3, ny, nx) from their parts along the axis of the Earth and away from it."""
    return np.stack([outward * np.cos(meridian), outward * np.sin(meridian), up])


def _places(outward: FloatArray) -> FloatArray:
    """Points of the ellipsoid (3, ny, nx) where these are the normals, in metres from its centre."""
    radius = SEMI_MAJOR_AXIS / np.sqrt(1 - ECCENTRICITY_SQUARED * outward[2] ** 2)
    flattened = outward * np.array([1.0, 1.0, 1 - ECCENTRICITY_SQUARED])[:, None, None]
    return np.asarray(radius * flattened)


def _inverse(places: FloatArray, east: FloatArray, north: FloatArray, periodic: bool) -> FloatArray:
    """Inverse (2, 2, ny, nx) of the steps between the neighbours; NaN where these are one place or on one line."""
    along_x, along_y = _across(places, -1, periodic), _across(places, -2)
    east_x, north_x = np.sum(along_x * east, axis=0), np.sum(along_x * north, axis=0)
    east_y, north_y = np.sum(along_y * east, axis=0), np.sum(along_y * north, axis=0)
    determinant = east_x * north_y - north_x * east_y
    determinant = np.where(determinant != 0, determinant, np.nan)
    return np.stack([np.stack([north_y, -north_x]), np.stack([-east_y, east_x])]) / determinant


def _across(values: FloatArray, axis: int, periodic: bool = False) -> FloatArray:
    """Next value minus the one before along an axis; NaN at the ends of one that does not close."""
    difference = np.asarray(np.roll(values, -1, axis) - np.roll(values, 1, axis), dtype=np.float64)
    if not periodic:
        ends = np.moveaxis(difference, axis, 0)
        ends[[0, -1]] = np.nan
    return difference
