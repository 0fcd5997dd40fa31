"""Positions that a file lacks on land: found, and filled from the positions around so that a grid has every cell.

Ocean models leave out processors that hold land only; their latitude and longitude are missing there, or 0, or -1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xr_dip.geometry.axis import FloatArray
from xr_dip.geometry.corners import normalise

BoolArray = npt.NDArray[np.bool_]

LARGEST_LONGITUDE = 1e4
"""Degrees: unwrapped longitudes are smaller, fill values are larger."""

FAR = 5.0
"""A position that others have, or 0, 0, is none if it is this many typical steps away from its nearest neighbour."""


def missing_positions(latitude: FloatArray, longitude: FloatArray) -> BoolArray:
    """Tell which cells have no position: not finite, a fill value, one that neighbours share, or 0, 0 far from them.

    Parameters
    ----------
    latitude, longitude : array, shape (ny, nx)
        Degrees north and east.

    Returns
    -------
    array of bool, shape (ny, nx)

    Examples
    --------
    >>> latitude, longitude = np.meshgrid([50.0, 51.0, 0.0], [5.0, 6.0, 7.0], indexing="ij")
    >>> missing_positions(latitude, np.where(latitude == 0.0, 0.0, longitude)).any(axis=1)
    array([False, False,  True])
    """
    with np.errstate(invalid="ignore"):
        known = (np.abs(latitude) <= 90.0) & (np.abs(longitude) <= LARGEST_LONGITUDE)
    place = np.where(known, latitude + 1j * longitude, np.nan)
    shared = _same_as_a_neighbour(place) & (np.abs(latitude) < 90.0)  # at a pole cells may be at one place
    zero = known & (place == 0)
    # A value that fills connected land fills lone cells, too.
    suspect = zero | shared | (np.isin(place, place[shared]) if shared.any() else False)
    if not suspect.any():
        return ~known
    # A place that there is has others near it: the crossing of the equator, or a column that is there twice.
    others = known & ~suspect
    typical = np.median(_nearest_step(latitude, longitude, others, others)[others]) if others.any() else 0.0
    _, index = np.unique(place[suspect], return_inverse=True)
    nearest = np.full(index.max() + 1, np.inf)
    np.minimum.at(nearest, index, _nearest_step(latitude, longitude, known, others)[suspect])
    far = np.zeros(known.shape, dtype=bool)
    far[suspect] = nearest[index] > FAR * typical
    return np.asarray(~known | (zero & shared) | far)


def _same_as_a_neighbour(place: npt.NDArray[np.complex128]) -> BoolArray:
    """Cells at the same place as one of their four neighbours."""
    same = np.zeros(place.shape, dtype=bool)
    for dim in (0, 1):
        along, here = np.moveaxis(same, dim, 0), np.moveaxis(place, dim, 0)
        equal = here[1:] == here[:-1]
        along[1:] |= equal
        along[:-1] |= equal
    return same


def _nearest_step(latitude: FloatArray, longitude: FloatArray, known: BoolArray, others: BoolArray) -> FloatArray:
    """Smallest step in degrees to a neighbour, where both are known and one is among the others; infinite without."""
    nearest = np.full(latitude.shape, np.inf)
    for dim in (0, 1):
        first, second = (np.moveaxis(known, dim, 0)[part] for part in (slice(None, -1), slice(1, None)))
        one, two = (np.moveaxis(others, dim, 0)[part] for part in (slice(None, -1), slice(1, None)))
        north, east = (
            np.diff(np.where(known, latitude, 0.0), axis=dim),
            np.diff(np.where(known, longitude, 0.0), axis=dim),
        )
        step = np.moveaxis(np.hypot(north, east - 360.0 * np.round(east / 360.0)), dim, 0)
        step = np.where(first & second & (one | two), step, np.inf)
        along = np.moveaxis(nearest, dim, 0)
        along[:-1] = np.minimum(along[:-1], step)
        along[1:] = np.minimum(along[1:], step)
    return nearest


def fill_positions(centres: FloatArray, *, periodic: bool = False) -> FloatArray:
    """Fill missing positions from those along the same row and the same column, the nearer the more.

    Parameters
    ----------
    centres : array, shape (ny, nx, 3)
        Unit vectors, NaN where missing.
    periodic : bool
        Whether the first column follows the last.

    Returns
    -------
    array, shape (ny, nx, 3)
        Known positions bit for bit. Between two known cells of a line the vectors are linear, beyond the last they
        follow the line through the last two; then they are put back on the sphere.

    Raises
    ------
    ValueError
        If no two neighbouring positions are known.

    Examples
    --------
    >>> row = np.array([[[1.0, 0.0, 0.0], [np.nan] * 3, [0.0, 1.0, 0.0]]])
    >>> fill_positions(row)[0, 1].round(3)
    array([0.707, 0.707, 0.   ])
    """
    while True:
        known = np.isfinite(centres[..., 0])
        if known.all():
            return centres
        along_x, near_x = _along_rows(centres, known, periodic)
        along_y, near_y = _along_rows(centres.swapaxes(0, 1), known.T, False)
        weights = near_x, near_y.T
        total = weights[0] + weights[1]
        if not np.any(~known & (total > 0)):
            raise ValueError("Invalid latitude, longitude. Two neighbouring cells must have a position.")
        mixed = along_x * weights[0][..., None] + along_y.swapaxes(0, 1) * weights[1][..., None]
        filled = normalise(np.where((total > 0)[..., None], mixed, np.nan))
        # A row and a column that lack all cells cross in cells that only the second round reaches.
        centres = np.where(known[..., None], centres, filled)


def _along_rows(centres: FloatArray, known: BoolArray, periodic: bool) -> tuple[FloatArray, FloatArray]:
    """Linear continuation along x (ny, nx, 3), and its weight (ny, nx): 1 / distance^2, 0 where a row has too few."""
    nx = known.shape[1]
    if periodic:
        value, weight = _along_rows(np.tile(centres, (1, 3, 1)), np.tile(known, (1, 3)), False)
        return value[:, nx : 2 * nx], weight[:, nx : 2 * nx]
    left, left_next = _two_before(known)
    right, right_next = (nx - 1 - part[:, ::-1] for part in _two_before(known[:, ::-1]))
    has_left, has_right = left >= 0, right < nx
    # Beyond the last known cell, the line goes on through the two nearest on the same side.
    first = np.where(has_left, left, right)
    second = np.where(has_left & has_right, right, np.where(has_left, left_next, right_next))
    usable = (first >= 0) & (first < nx) & (second >= 0) & (second < nx) & (first != second)
    first, second = np.where(usable, first, 0), np.where(usable, second, 0)
    place = (np.arange(nx) - first) / np.where(usable, second - first, 1)
    start, end = (np.take_along_axis(centres, index[..., None], axis=1) for index in (first, second))
    distance = np.minimum(np.where(has_left, np.arange(nx) - left, nx), np.where(has_right, right - np.arange(nx), nx))
    value = start + place[..., None] * (end - start)
    return np.where(usable[..., None], value, 0.0), np.where(usable, 1.0 / np.maximum(distance, 1) ** 2, 0.0)


def _two_before(known: BoolArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Look back along rows for the nearest and the second known cell, the cell itself included; -1 if there is none."""
    columns = np.arange(known.shape[1])
    nearest = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    shifted = np.concatenate([np.full((len(known), 1), -1), nearest[:, :-1]], axis=1)
    second = np.where(nearest > 0, np.take_along_axis(shifted, np.maximum(nearest, 0), axis=1), -1)
    return nearest, second
