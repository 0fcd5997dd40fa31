"""Corners of curved cells as unit vectors: interpolated between centres, or read from bounds of four corners each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt

from xr_dip.geometry import axis, edges, ellipsoid
from xr_dip.geometry.axis import FloatArray

BoolArray = npt.NDArray[np.bool_]

SEAM = 0.25
"""The step across the seam of a full circle differs by at most this part from its neighbours."""

SMALLEST_CIRCLE = 3
"""Columns: fewer great-circle arcs do not go around."""


def normalise(vectors: FloatArray) -> FloatArray:
    """Vectors of length 1.

    Examples
    --------
    >>> normalise(np.array([3.0, 0.0, 4.0]))
    array([0.6, 0. , 0.8])
    """
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def quad(corners: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Values at the four corners of each cell: from (j-1, i-1) along x, then around.

    Examples
    --------
    >>> [part.item() for part in quad(np.array([[1, 2], [4, 3]]))]
    [1, 2, 3, 4]
    """
    return corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]


def signed_area(corners: FloatArray) -> FloatArray:
    """Area of the cells between great-circle arcs, in square metres; positive where y runs to the left of x.

    Parameters
    ----------
    corners : array, shape (ny + 1, nx + 1, 3)

    Returns
    -------
    array, shape (ny, nx)

    Examples
    --------
    >>> octant = signed_area(np.array([[[1.0, 0, 0], [0, 1.0, 0]], [[0, 0, 1.0], [0, 0, 1.0]]]))
    >>> round(8 * octant.item())
    510065621724088
    """
    first, second, third, fourth = quad(corners)
    return ellipsoid.triangle_area(first, second, third) + ellipsoid.triangle_area(first, third, fourth)


def spacing(corners: FloatArray) -> tuple[float, float]:
    """Median distance of neighbouring corners along y and x, in metres.

    Examples
    --------
    >>> latitude, longitude = np.meshgrid([0.0, 1.0], [0.0, 1.0], indexing="ij")
    >>> [round(step / 1e3) for step in spacing(ellipsoid.unit_vectors(latitude, longitude))]
    [111, 111]
    """
    height = np.linalg.norm(np.diff(corners, axis=0), axis=-1)
    width = np.linalg.norm(np.diff(corners, axis=1), axis=-1)
    return float(np.median(height)) * ellipsoid.AUTHALIC_RADIUS, float(np.median(width)) * ellipsoid.AUTHALIC_RADIUS


def around_cells(
    latitude: FloatArray, longitude: FloatArray, centre_longitude: FloatArray, *, anticlockwise: bool
) -> tuple[FloatArray, FloatArray]:
    """Bounds of cells (ny, nx, 4) from a lattice of corners, anticlockwise from the one towards (j-1, i-1).

    Parameters
    ----------
    latitude, longitude : array, shape (ny + 1, nx + 1)
        Degrees north and east.
    centre_longitude : array, shape (ny, nx)
        Longitudes of the corners are within half a turn of it.
    anticlockwise : bool
        Whether y runs to the left of x.

    Returns
    -------
    latitude, longitude : array, shape (ny, nx, 4)

    Examples
    --------
    >>> latitude, longitude = np.meshgrid([1.0, 0.0], [359.0, 0.0], indexing="ij")
    >>> bounds = around_cells(latitude, longitude, np.array([[0.0]]), anticlockwise=False)
    >>> [part.ravel().tolist() for part in bounds]
    [[1.0, 0.0, 0.0, 1.0], [-1.0, -1.0, 0.0, 0.0]]
    """
    around = [0, 1, 2, 3] if anticlockwise else [0, 3, 2, 1]
    first, second = (np.stack([quad(part)[k] for k in around], axis=-1) for part in (latitude, longitude))
    return first, axis.near(second, centre_longitude[..., None])


def goes_around(centres: FloatArray) -> bool:
    """Tell whether rows are full circles: the first column is one step further along x than the last.

    Parameters
    ----------
    centres : array, shape (ny, nx, 3)
        Unit vectors; NaN where unknown, such rows do not count.

    Returns
    -------
    bool

    Examples
    --------
    >>> goes_around(ellipsoid.unit_vectors(np.zeros((1, 12)), np.arange(0.0, 360.0, 30.0)[None]))
    True
    """
    if centres.shape[1] < SMALLEST_CIRCLE:
        return False
    known = np.all(np.isfinite(centres[:, [0, 1, -2, -1]]), axis=(1, 2))
    first, second, before, last = np.moveaxis(centres[known][:, [0, 1, -2, -1]], 1, 0)
    across, steps = first - last, (second - first + last - before) / 2
    # One step further: as long as its neighbours, and in their direction, so never back over the whole row.
    apart = np.linalg.norm(across - steps, axis=-1) - SEAM * np.linalg.norm(steps, axis=-1)
    return bool(known.any() and np.all(apart <= 0))


def corners_between(centres: FloatArray, *, periodic: bool = False) -> FloatArray:
    """Corners interpolated between centres along y and x.

    By cubics (`xr_dip.geometry.edges.smooth_edges`), but half-way where steps change so much that cubics overshoot and
    cells would fold.

    Parameters
    ----------
    centres : array, shape (ny, nx, 3)
        Unit vectors. A single row or column is taken to be as wide as its steps are long; not both.
    periodic : bool
        Whether the first column follows the last, and shares its corners.

    Returns
    -------
    array, shape (ny + 1, nx + 1, 3)

    Examples
    --------
    >>> latitude, longitude = np.meshgrid([0.0, 1.0, 2.0], [4.0, 5.0], indexing="ij")
    >>> corners_between(ellipsoid.unit_vectors(latitude, longitude)).shape
    (4, 3, 3)
    """
    if 1 in centres.shape[:2]:
        return _corners_of_a_line(centres, periodic)
    smooth = _edges_both_ways(centres, edges.smooth_edges, periodic)
    folded = folded_cells(signed_area(smooth))
    if not folded.any():
        return smooth
    at_fault = np.zeros(smooth.shape[:2], dtype=bool)
    for rows, columns in product((slice(None, -1), slice(1, None)), repeat=2):
        at_fault[rows, columns] |= folded
    if periodic:
        at_fault[:, [0, -1]] = at_fault[:, [0]] | at_fault[:, [-1]]
    return np.where(at_fault[..., None], _edges_both_ways(centres, edges.midpoint_edges, periodic), smooth)


def folded_cells(area: FloatArray) -> BoolArray:
    """Tell which cells are empty or turn the other way than most.

    Examples
    --------
    >>> folded_cells(np.array([[2.0, 1.0, -1.0]]))
    array([[False, False,  True]])
    """
    return np.asarray(~(area * np.sign(np.median(area)) > 0))


def _edges_both_ways(
    centres: FloatArray, interpolate: Callable[[FloatArray], FloatArray], periodic: bool
) -> FloatArray:
    rows = interpolate(centres)
    around = np.concatenate([rows[:, -2:], rows, rows[:, :2]], axis=1) if periodic else rows
    lattice = interpolate(around.swapaxes(0, 1)).swapaxes(0, 1)
    return normalise(lattice[:, 2:-2] if periodic else lattice)


def _corners_of_a_line(centres: FloatArray, periodic: bool) -> FloatArray:
    """Corners of one row or one column, between two more that are laid beside it at right angles."""
    if centres.shape[0] == 1:
        beside = np.cross(centres, np.gradient(centres, axis=1))
        rows = normalise(np.concatenate([centres - beside, centres, centres + beside]))
        return corners_between(rows, periodic=periodic)[1:3]
    beside = np.cross(np.gradient(centres, axis=0), centres)
    return corners_between(normalise(np.concatenate([centres - beside, centres, centres + beside], axis=1)))[:, 1:3]


def corners_of_bounds(
    latitude_bounds: npt.ArrayLike, longitude_bounds: npt.ArrayLike, shape: tuple[int, ...]
) -> FloatArray:
    """Corners that neighbouring cells share, from CF bounds that start at any corner and run in either sense.

    Parameters
    ----------
    latitude_bounds, longitude_bounds : array, shape (ny, nx, 4)
        Degrees north and east.
    shape : (int, int)
        Cells along y and x.

    Returns
    -------
    array, shape (ny + 1, nx + 1, 3)

    Raises
    ------
    ValueError
        If the shape is wrong, or neighbours are apart by more than a hundredth of a cell.

    Examples
    --------
    >>> corners_of_bounds([[[0, 0, 1, 1]]], [[[0, 1, 1, 0]]], (1, 1)).shape
    (2, 2, 3)
    """
    latitude_bounds = np.asarray(latitude_bounds, dtype=np.float64)
    longitude_bounds = np.asarray(longitude_bounds, dtype=np.float64)
    for name, bounds in (("latitude_bounds", latitude_bounds), ("longitude_bounds", longitude_bounds)):
        if bounds.shape != (*shape, 4):
            raise ValueError(
                f"Invalid {name} of shape {bounds.shape}. It must be {(*shape, 4)}, four corners per cell."
            )
    vectors = ellipsoid.unit_vectors(latitude_bounds, longitude_bounds)
    turns = [np.roll([0, 1, 2, 3][::sense], start) for start, sense in product(range(4), (1, -1))]
    # The order that CF asks for comes first, so that it wins where a single cell leaves the choice open.
    turns.sort(key=lambda turn: turn[0] != 0)
    gaps = [_gap(vectors[..., turn, :]) for turn in turns]
    best = int(np.argmin(gaps))
    if not gaps[best] <= edges.CONTIGUITY:
        raise ValueError(
            f"Invalid latitude_bounds, longitude_bounds. Neighbouring cells must share their corners; "
            f"they are up to {gaps[best]:.2g} of a cell apart."
        )
    return _join(vectors[..., turns[best], :])


def _join(quads: FloatArray) -> FloatArray:
    """One corner field (ny + 1, nx + 1, 3) from the corners of each cell (ny, nx, 4, 3)."""
    rows = np.concatenate([quads[:, :, 0], quads[:, -1:, 1]], axis=1)
    last = np.concatenate([quads[-1:, :, 3], quads[-1:, -1:, 2]], axis=1)
    return np.concatenate([rows, last], axis=0)


def _gap(quads: FloatArray) -> float:
    """Largest distance of a cell's own corners from the shared ones, in parts of the smallest cell."""
    distance = np.linalg.norm(quads - np.stack(quad(_join(quads)), axis=2), axis=-1)
    size = np.linalg.norm(quads[:, :, 0] - quads[:, :, 2], axis=-1)
    return float(np.max(distance) / max(np.min(size), np.finfo(np.float64).tiny))
