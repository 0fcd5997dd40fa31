"""A sea mask on its own regular grid of latitude and longitude, put on the cells of any other grid by majority.

Only the window that is needed is read, a band at a time: a global mask of one minute is 233 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.sparse import coo_array, csr_array

from xr_dip.blocks import block_sum
from xr_dip.cf.positions import find_positions
from xr_dip.cf.sea_masks import BoolArray, decode_mask
from xr_dip.geometry.axis import FloatArray, check_finite_axis, unwrap
from xr_dip.geometry.grid import Grid, RectilinearGrid

IntArray = npt.NDArray[np.intp]

BAND = 2**22
"""Cells of the mask that are read at once, about."""

MOST_SAMPLES = 8
"""Points along each side of a cell that is no box of latitude and longitude."""

METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, eq=False)
class RegularMask:
    """A mask with a latitude for each row and a longitude for each column.

    Attributes
    ----------
    mask : DataArray
        Not loaded. What its values mean is for `xr_dip.cf.sea_masks.decode_mask` to say.
    dims : (str, str)
        Its dimensions of latitude and longitude, which it has in either order.
    latitude, longitude : array, shape (y,), (x,)
        Degrees, in any direction and convention.

    Examples
    --------
    >>> axes = {"lat": [10.25, 10.75], "lon": [0.25, 0.75, 1.25, 1.75]}
    >>> mask = xr.DataArray([[1, 1, 0, 1], [1, 0, 0, 0]], axes, ("lat", "lon"))
    >>> grid = RectilinearGrid.from_centres([10.5], [0.5, 1.5], [[10.0, 11.0]])
    >>> find_regular_mask(mask).share(grid)
    array([[0.75, 0.25]])
    """

    mask: xr.DataArray
    dims: tuple[str, str]
    latitude: FloatArray
    longitude: FloatArray

    def share(self, grid: Grid) -> FloatArray:
        """Share of sea in each cell of a grid.

        Of a cell between meridians and parallels it is the share of the mask cells whose centres lie in it, or the
        nearest mask cell where none does. Other cells are sampled as densely as the mask, at 8 x 8 points at most.

        Parameters
        ----------
        grid : Grid

        Returns
        -------
        array of float64, shape (ny, nx), from 0 to 1

        Raises
        ------
        ValueError
            If the mask does not cover the grid, or its values are no mask.
        """
        self._check_cover(grid)
        samples = self._samples(grid)
        height = max(1, BAND // (samples[0] * samples[1] * grid.shape[1]))
        bands = [slice(first, min(first + height, grid.shape[0])) for first in range(0, grid.shape[0], height)]
        return np.concatenate([self._share(grid.window(rows, slice(None)), samples) for rows in bands])

    def _share(self, grid: Grid, samples: tuple[int, int]) -> FloatArray:
        if isinstance(grid, RectilinearGrid):
            return self._counted(grid)
        return self._sampled(grid, (min(samples[0], MOST_SAMPLES), min(samples[1], MOST_SAMPLES)))

    def _counted(self, grid: RectilinearGrid) -> FloatArray:
        latitude, longitude = grid.centres()
        west = grid.longitude_edges.min()
        along_y = _members(
            _cells(self.latitude, grid.latitude_edges), grid.shape[0], _nearest(self.latitude, latitude)[0]
        )
        along_x = _members(
            _cells(west + (self.longitude - west) % 360.0, grid.longitude_edges),
            grid.shape[1],
            _nearest(self.longitude, longitude, turn=360.0)[0],
        )
        rows, columns = _span(along_y.indices), _cyclic_span(along_x.indices, len(self.longitude))
        sea = self._read(rows, columns).astype(np.float64)
        counted = along_y[:, rows] @ sea @ along_x[:, columns].T
        return np.asarray(counted / (along_y.sum(axis=1)[:, None] * along_x.sum(axis=1)))

    def _sampled(self, grid: Grid, samples: tuple[int, int]) -> FloatArray:
        latitude, longitude = grid.refine(samples).centres()
        y, x = _nearest(self.latitude, latitude)[0], _nearest(self.longitude, longitude, turn=360.0)[0]
        rows, columns = _span(y), _cyclic_span(x, len(self.longitude))
        sea = self._read(rows, columns)[y - rows[0], (x - columns[0]) % len(self.longitude)]
        return block_sum(sea.astype(np.float64), samples) / (samples[0] * samples[1])

    def _read(self, rows: IntArray, columns: IntArray) -> BoolArray:
        """Decode a window of consecutive rows and columns; the columns may go on from the last to the first."""
        y, x = self.dims
        runs = np.split(columns, np.flatnonzero(np.diff(columns) < 0) + 1)
        windows = [{y: slice(rows[0], rows[-1] + 1), x: slice(run[0], run[-1] + 1)} for run in runs]
        parts = [decode_mask(self.mask.isel(window)) for window in windows]
        return np.concatenate([part if self.mask.dims == self.dims else part.T for part in parts], axis=1)

    def _samples(self, grid: Grid) -> tuple[int, int]:
        """Mask cells along a cell of the grid, in y and x, one at least."""
        height, width = grid.spacing()
        shrink = max(0.01, float(np.cos(np.radians(np.median(grid.centres()[0])))))
        steps = np.median(np.abs(np.diff(self.latitude))), np.median(np.abs(np.diff(unwrap(self.longitude)))) * shrink
        along_y, along_x = (
            int(np.ceil(size / (step * METRES_PER_DEGREE) - 0.01))
            for size, step in zip((height, width), steps, strict=True)
        )
        return max(1, along_y), max(1, along_x)

    def _check_cover(self, grid: Grid) -> None:
        """Every centre lies in some cell of the mask, a thousandth of a cell aside."""
        latitude, longitude = grid.centres()
        _, north = _nearest(self.latitude, latitude)
        _, east = _nearest(self.longitude, longitude, turn=360.0)
        reach = 0.501 * np.max(np.abs(np.diff(self.latitude))), 0.501 * np.max(np.abs(np.diff(unwrap(self.longitude))))
        if north.max() <= reach[0] and east.max() <= reach[1]:
            return
        name, value = (
            ("latitude", latitude.flat[np.argmax(north)])
            if north.max() > reach[0]
            else ("longitude", longitude.flat[np.argmax(east)])
        )
        raise ValueError(
            f"Invalid mask {self.mask.name!r} on latitudes {self.latitude.min():g} to {self.latitude.max():g} and "
            f"longitudes {self.longitude.min():g} to {self.longitude.max():g}. It must cover the field, but {name} "
            f"{value:g} is outside of it."
        )


def find_regular_mask(mask: xr.DataArray) -> RegularMask | None:
    """Find the axes of a mask on a regular grid.

    Parameters
    ----------
    mask : DataArray
        Not loaded, of any coding. On latitude and longitude in degrees: dimensions in any order, others of size 1 are
        dropped.

    Returns
    -------
    RegularMask or None
        None if it has no 1-D latitude and longitude of two or more values, or other dimensions.

    Raises
    ------
    ValueError
        If a latitude or longitude is missing.

    Examples
    --------
    >>> find_regular_mask(xr.DataArray(np.ones((2, 3)), dims=("y", "x"))) is None
    True
    """
    found = own_positions(mask)
    if found is None or found[0].ndim != 1 or min(position.size for position in found) < 2:
        return None
    latitude, longitude = found
    dims = str(latitude.dims[0]), str(longitude.dims[0])
    plane = mask.squeeze([dim for dim in mask.dims if dim not in dims and mask.sizes[dim] == 1], drop=True)
    if plane.ndim > 2:
        return None
    axes = tuple(np.asarray(axis.values, dtype=np.float64) for axis in (latitude, longitude))
    for name, axis in zip(dims, axes, strict=True):
        check_finite_axis(axis, f"{name} of the mask", 2)
    # Not transposed: xarray would read the rest value by value.
    return RegularMask(plane, dims, *axes)


def own_positions(array: xr.DataArray) -> tuple[xr.Variable, xr.Variable] | None:
    """Find the latitude and longitude that an array carries, 1-D or 2-D.

    Parameters
    ----------
    array : DataArray

    Returns
    -------
    latitude, longitude : Variable, Variable
        None where there is no pair of them, or no clear one.

    Examples
    --------
    >>> own_positions(xr.DataArray(np.ones((2, 3)), dims=("y", "x"))) is None
    True
    """
    try:
        found = find_positions(array)
    except ValueError:
        return None
    return None if found is None else (found[1], found[3])


def _cells(positions: FloatArray, edges: FloatArray) -> IntArray:
    """Index of the cell that holds each position, -1 for none; the edges may descend."""
    n, ascending = len(edges) - 1, edges[0] < edges[-1]
    found = np.searchsorted(edges if ascending else edges[::-1], positions, side="right") - 1
    inside = (found >= 0) & (found < n)
    return np.asarray(np.where(inside, found if ascending else n - 1 - found, -1))


def _members(cells: IntArray, n: int, nearest: IntArray) -> csr_array:
    """Matrix (n, mask cells) of 1 where a mask cell lies in a cell; a cell without one takes the nearest."""
    members = np.flatnonzero(cells >= 0)
    empty = np.setdiff1d(np.arange(n), cells)
    rows, columns = np.concatenate([cells[members], empty]), np.concatenate([members, nearest[empty]])
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, len(cells))).tocsr()


def _nearest(axis: FloatArray, positions: FloatArray, turn: float | None = None) -> tuple[IntArray, FloatArray]:
    """Index of the value of an axis that is nearest to each position, and its distance; on a circle of a given turn."""
    if turn is not None:
        axis, positions = axis % turn, positions % turn
    order = np.argsort(axis)
    ordered = axis[order]
    if turn is not None:
        order = np.concatenate([order[-1:], order, order[:1]])
        ordered = np.concatenate([ordered[-1:] - turn, ordered, ordered[:1] + turn])
    found = np.searchsorted((ordered[1:] + ordered[:-1]) / 2, positions)
    return order[found], np.abs(ordered[found] - positions)


def _span(used: IntArray) -> IntArray:
    """All indices from the first to the last."""
    return np.arange(used.min(), used.max() + 1)


def _cyclic_span(used: IntArray, n: int) -> IntArray:
    """All indices between the used ones, going on from the last to the first where that is shorter."""
    places = np.unique(used)
    gaps = np.diff(np.append(places, places[0] + n))
    widest = int(np.argmax(gaps))
    first = places[(widest + 1) % len(places)]
    return np.asarray((first + np.arange(n - gaps[widest] + 1)) % n)
