"""A grid of curved rows and columns: cell corners on the sphere that keeps the areas of the WGS84 ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xr_dip.errors import first_index
from xr_dip.geometry import axis, ellipsoid
from xr_dip.geometry.axis import Factor, FloatArray


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
        corners = axis.read_only(self.corners)
        if corners.ndim != 3 or min(corners.shape[:2]) < 2 or corners.shape[2] != 3:
            raise ValueError(f"Invalid corners of shape {corners.shape}. It must be (ny + 1, nx + 1, 3).")
        object.__setattr__(self, "corners", corners)

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
    ) -> CurvilinearGrid:
        """Grid of the cells around centres: between CF bounds, or else with corners interpolated between the centres.

        Parameters
        ----------
        latitude, longitude : array, shape (ny, nx)
            Degrees north and east. Jumps at 180 or 360 do not matter.
        latitude_bounds, longitude_bounds : array, shape (ny, nx, 4), optional
            Corners in either sense of rotation, from the corner towards (j - 1, i - 1) on; both or none.

        Returns
        -------
        CurvilinearGrid

        Raises
        ------
        ValueError
            If shapes differ, a value is not finite, a latitude is beyond a pole, an axis of length 1 has no bounds,
            bounds of neighbours do not meet, or cells are empty or folded (as where coordinates are 0 on land).
        """
        latitude = np.asarray(latitude, dtype=np.float64)
        longitude = np.asarray(longitude, dtype=np.float64)
        _check_centres(latitude, longitude)
        middle = axis.branch(longitude)
        if middle is None:
            middle = float(longitude.min() + longitude.max()) / 2
        if latitude_bounds is not None and longitude_bounds is not None:
            return cls(_bounds_corners(latitude_bounds, longitude_bounds, latitude.shape), middle)._checked()
        if min(latitude.shape) < 2:
            raise ValueError(
                f"Invalid latitude of shape {latitude.shape}. Without bounds it must have 2 or more rows and columns."
            )
        centres = ellipsoid.unit_vectors(latitude, longitude)
        columns = axis.smooth_edges(axis.smooth_edges(centres).swapaxes(0, 1)).swapaxes(0, 1)
        return cls(_normalise(columns), middle)._checked()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells along y and x."""
        return self.corners.shape[0] - 1, self.corners.shape[1] - 1

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
        fine = axis.subdivide(axis.subdivide(self.corners, fy).swapaxes(0, 1), fx).swapaxes(0, 1)
        return CurvilinearGrid(_normalise(fine), self.longitude_middle)

    def window(self, yslice: slice, xslice: slice) -> CurvilinearGrid:
        """Cut out the part of the grid that two slices of cells name.

        Raises
        ------
        ValueError
            If a slice is empty or has a step.
        """
        rows = axis.check_cells(yslice, self.shape[0], "yslice")
        columns = axis.check_cells(xslice, self.shape[1], "xslice")
        corners = self.corners[rows.start : rows.stop + 1, columns.start : columns.stop + 1]
        return CurvilinearGrid(corners, self.longitude_middle)

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude (ny, nx) of the mean of the corners, in degrees; longitude as the input had it."""
        latitude, longitude = ellipsoid.latitude_longitude(sum(self._quad(), start=np.zeros(3)))
        return latitude, axis.rewrap(longitude, self.longitude_middle)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude (ny, nx, 4) of the corners in degrees, anticlockwise from the one towards (j-1, i-1).

        Longitudes are within half a turn of those of the centres.
        """
        latitude, longitude = ellipsoid.latitude_longitude(self.corners)
        anticlockwise = np.sum(self._signed_area()) > 0
        around = [0, 1, 2, 3] if anticlockwise else [0, 3, 2, 1]
        latitude_bounds = np.stack([_quad(latitude)[k] for k in around], axis=-1)
        longitude_bounds = np.stack([_quad(longitude)[k] for k in around], axis=-1)
        return latitude_bounds, axis.near(longitude_bounds, self.centres()[1][..., None])

    def area(self) -> FloatArray:
        """Area of each cell, shape (ny, nx), in square metres: exact for these corners, and additive."""
        return np.abs(self._signed_area())

    def spacing(self) -> tuple[float, float]:
        """Median size of a cell along y and x, in metres."""
        height = np.linalg.norm(np.diff(self.corners, axis=0), axis=-1)
        width = np.linalg.norm(np.diff(self.corners, axis=1), axis=-1)
        return float(np.median(height)) * ellipsoid.AUTHALIC_RADIUS, float(np.median(width)) * ellipsoid.AUTHALIC_RADIUS

    def _quad(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        return _quad(self.corners)

    def _checked(self) -> CurvilinearGrid:
        _check_cells(self._signed_area())
        return self

    def _signed_area(self) -> FloatArray:
        """Positive where y runs to the left of x, seen from above."""
        first, second, third, fourth = self._quad()
        return ellipsoid.triangle_area(first, second, third) + ellipsoid.triangle_area(first, third, fourth)


def _quad(corners: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Values at the four corners of each cell: from (j-1, i-1) along x, then around."""
    return corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]


def _normalise(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _bounds_corners(
    latitude_bounds: npt.ArrayLike, longitude_bounds: npt.ArrayLike, shape: tuple[int, ...]
) -> FloatArray:
    """Corners that neighbouring cells share, from CF bounds in either sense of rotation."""
    latitude_bounds = np.asarray(latitude_bounds, dtype=np.float64)
    longitude_bounds = np.asarray(longitude_bounds, dtype=np.float64)
    for name, bounds in (("latitude_bounds", latitude_bounds), ("longitude_bounds", longitude_bounds)):
        if bounds.shape != (*shape, 4):
            raise ValueError(
                f"Invalid {name} of shape {bounds.shape}. It must be {(*shape, 4)}, four corners per cell."
            )
    vectors = ellipsoid.unit_vectors(latitude_bounds, longitude_bounds)
    anticlockwise, clockwise = _join(vectors), _join(vectors[..., [0, 3, 2, 1], :])
    gaps = [_gap(vectors, anticlockwise), _gap(vectors[..., [0, 3, 2, 1], :], clockwise)]
    if not min(gaps) <= axis.CONTIGUITY:
        raise ValueError(
            f"Invalid latitude_bounds, longitude_bounds. Neighbouring cells must share their corners; "
            f"they are up to {min(gaps):.2g} of a cell apart."
        )
    return anticlockwise if gaps[0] <= gaps[1] else clockwise


def _join(quads: FloatArray) -> FloatArray:
    """One corner field (ny + 1, nx + 1, 3) from the corners of each cell (ny, nx, 4, 3)."""
    rows = np.concatenate([quads[:, :, 0], quads[:, -1:, 1]], axis=1)
    last = np.concatenate([quads[-1:, :, 3], quads[-1:, -1:, 2]], axis=1)
    return np.concatenate([rows, last], axis=0)


def _gap(quads: FloatArray, corners: FloatArray) -> float:
    """Largest distance of a cell's own corners from the shared ones, in parts of the smallest cell."""
    distance = np.linalg.norm(quads - np.stack(_quad(corners), axis=2), axis=-1)
    size = np.linalg.norm(quads[:, :, 0] - quads[:, :, 2], axis=-1)
    return float(np.max(distance) / max(np.min(size), np.finfo(np.float64).tiny))


def _check_centres(latitude: FloatArray, longitude: FloatArray) -> None:
    if latitude.ndim != 2 or latitude.shape != longitude.shape:
        raise ValueError(
            f"Invalid latitude of shape {latitude.shape} and longitude of shape {longitude.shape}. "
            "They must be 2-D and of the same shape."
        )
    for name, values in (("latitude", latitude), ("longitude", longitude)):
        if not np.all(np.isfinite(values)):
            index = first_index(~np.isfinite(values))
            raise ValueError(f"Invalid {name} {values[index]} at index {index}. It must be finite, on land too.")
    if np.any(np.abs(latitude) > 90.0):
        index = first_index(np.abs(latitude) > 90.0)
        raise ValueError(
            f"Invalid latitude {latitude[index]} at index {index}. It must be within -90 and 90 degrees north."
        )


def _check_cells(signed_area: FloatArray) -> None:
    """Every cell has an area, and all turn the same way."""
    sound = signed_area * np.sign(np.median(signed_area)) > 0
    if not np.all(sound):
        index = first_index(~sound)
        raise ValueError(
            f"Invalid cell at index {index}: its corners are not finite, coincide or cross those of its neighbours. "
            "Latitude and longitude must be valid everywhere, on land too, where some models write 0."
        )
