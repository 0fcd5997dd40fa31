"""Which values a covariance is fitted to: those of whole cells, of a few windows, and not those that are all noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from xr_dip.blocks import Factor, FloatArray
from xr_dip.kriging.block_covariance import BoolArray, Support
from xr_dip.kriging.trend import coarse_plane, trend_terms

WINDOW, WINDOW_OF_UNEQUAL_NOISE = 32, 20
"""Cells along a side of the windows of a large field; those that cannot be folded cost far more."""
FEWEST_CELLS = 9
LARGEST_NOISE = 10.0
"""Variance of the noise of a value, over that of the field, beyond which it says nothing of the covariance."""
SMOOTH = 0.4
"""Wavenumber, as a share of the Nyquist wavenumber of the cells, below which a field is smooth."""
LARGEST_SHARE = 0.5
"""Share of the cells that the smooth part may use up."""
DEPENDENT = 1e-6
"""Singular value, over the largest, below which a column depends on the others."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Values of windows that share one support, one column each: cells in rows."""

    support: Support
    design: FloatArray
    columns: FloatArray


def window_starts(full: BoolArray, side: int) -> list[tuple[int, int, int, int]]:
    """Rows and columns (start, stop) of up to four windows of side^2 cells, with as many full cells as can be.

    One window is sought in each quarter of the possible positions; without land these are the four corners.

    Examples
    --------
    >>> window_starts(np.ones((4, 4), dtype=bool), 2)
    [(0, 2, 0, 2), (0, 2, 2, 4), (2, 4, 0, 2), (2, 4, 2, 4)]
    """
    ny, nx = full.shape
    height = min(ny, max(side, side**2 // nx))
    width = min(nx, max(side, side**2 // ny))
    total = np.pad(full.astype(np.int64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    count = total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]
    half_y, half_x = (count.shape[0] + 1) // 2, (count.shape[1] + 1) // 2
    starts: set[tuple[int, int, int, int]] = set()
    for flip_y, flip_x in product((1, -1), (1, -1)):
        # Flipping makes argmax, which takes the first of equals, prefer the corner.
        quarter = count[::flip_y, ::flip_x][:half_y, :half_x]
        row, column = divmod(int(quarter.argmax()), quarter.shape[1])
        top = row if flip_y > 0 else count.shape[0] - 1 - row
        left = column if flip_x > 0 else count.shape[1] - 1 - column
        starts.add((top, top + height, left, left + width))
    return sorted(starts)


def take_samples(
    values: FloatArray, weights: FloatArray, factor: Factor, data: BoolArray, noise: float | FloatArray
) -> list[Sample]:
    """Values to fit, grouped by equal support; cells cut by land are left out where enough others remain.

    Parameters
    ----------
    values : array, shape (ny, nx)
        Finite where there are data.
    weights : array, shape (ny * fy, nx * fx)
    factor : (int, int)
    data : array of bool, shape (ny, nx)
    noise : float or array, shape (ny, nx)
        Variance of the noise of each value.

    Returns
    -------
    list of Sample

    Examples
    --------
    >>> cells = np.ones((4, 4), bool)
    >>> [sample.columns.shape for sample in take_samples(np.eye(4), np.ones((8, 8)), (2, 2), cells, 0.0)]
    [(16, 1)]
    """
    support = Support(weights, factor, data)
    fitted = support.full if support.full.sum() >= FEWEST_CELLS else data
    side = WINDOW_OF_UNEQUAL_NOISE if np.ndim(noise) else WINDOW
    windows = [(0, data.shape[0], 0, data.shape[1])] if fitted.sum() <= side**2 else window_starts(fitted, side)
    groups: dict[bytes, list[tuple[BoolArray, float | FloatArray, FloatArray]]] = {}
    for top, bottom, left, right in windows:
        cells = np.ascontiguousarray(fitted[top:bottom, left:right])
        if cells.any():
            part = np.asarray(noise)[top:bottom, left:right] if np.ndim(noise) else noise
            look, column = cells.tobytes() + np.asarray(part).tobytes(), values[top:bottom, left:right][cells]
            groups.setdefault(look, []).append((cells, part, column - column.mean()))
    samples = []
    for members in groups.values():
        cells, part, _ = members[0]
        fine_shape = (cells.shape[0] * factor[0], cells.shape[1] * factor[1])
        window = Support(np.ones(fine_shape), factor, cells, noise=part)
        design = coarse_plane(window)[trend_terms(window)][:, cells].T
        samples.append(Sample(window, design, np.stack([column for *_, column in members], axis=1)))
    return samples


def without_smooth_part(sample: Sample) -> Sample:
    """Leave the likelihood of a sample to its finest scales: cosines of small wavenumber join the trend.

    The cosines are those of the smallest box around the cells. Where they are more than the cells, or would use up more
    than half of them, the sample is returned as it is; and one of noisy values, whose finest scales are the noise.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    Sample
        The columns of a design with cosines are orthonormal.

    Examples
    --------
    >>> sample, = take_samples(np.eye(8), np.ones((16, 16)), (2, 2), np.ones((8, 8), bool), 0.0)
    >>> sample.design.shape, without_smooth_part(sample).design.shape
    ((64, 3), (64, 15))
    """
    cells = sample.support.cells
    if np.any(sample.support.noise_of_cells):
        return sample
    rows, columns = (place - place.min() for place in np.nonzero(cells))
    ny, nx = int(rows.max()) + 1, int(columns.max()) + 1
    waves = [(i, j) for i, j in np.ndindex(ny, nx) if 0 < np.hypot(i / ny, j / nx) < SMOOTH]
    if len(waves) > cells.sum():
        return sample
    cosines = [np.cos(np.pi * i * (rows + 0.5) / ny) * np.cos(np.pi * j * (columns + 0.5) / nx) for i, j in waves]
    basis, sizes, _ = np.linalg.svd(np.column_stack([sample.design, *cosines]), full_matrices=False)
    independent = basis[:, sizes > DEPENDENT * sizes[0]]
    few = independent.shape[1] <= LARGEST_SHARE * cells.sum()
    return replace(sample, design=np.ascontiguousarray(independent)) if few else sample


def signal_variance(sample: Sample) -> float:
    """Variance of the values less that of their noise; where it differs between cells, of those with little noise.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    float
        Square of the unit of the values; negative where the noise is the larger one.

    Examples
    --------
    >>> whole = Support(np.ones((1, 2)), (1, 1), np.ones((1, 2), bool), noise=0.5)
    >>> signal_variance(Sample(whole, np.ones((2, 1)), np.array([[1.0], [-1.0]])))
    0.5
    """
    noise = np.atleast_1d(sample.support.noise_of_cells)
    if np.ptp(noise) == 0:
        return float(sample.columns.var() - noise[0])
    trust = 1 / np.maximum(noise, np.finfo(np.float64).tiny)
    mean = np.average(sample.columns, axis=0, weights=trust)
    return float(np.average((sample.columns - mean) ** 2, axis=0, weights=trust).mean() - sample.support.typical_noise)


def telling_cells(values: FloatArray, data: BoolArray, noise: float | FloatArray) -> BoolArray:
    """Cells but for those whose noise is far larger than the field, where noise differs and enough others remain.

    Parameters
    ----------
    values : array, shape (ny, nx)
    data : array of bool, shape (ny, nx)
        Cells with a value.
    noise : float or array, shape (ny, nx)
        Variance of the noise of each value.

    Returns
    -------
    array of bool, shape (ny, nx)

    Examples
    --------
    >>> noise = np.where(np.eye(4) > 0, 1e3, 0.1)
    >>> int(telling_cells(np.arange(16.0).reshape(4, 4), np.ones((4, 4), bool), noise).sum())
    12
    """
    if np.ndim(noise) == 0:
        return data
    trust = 1 / np.maximum(np.asarray(noise)[data], np.finfo(np.float64).tiny)
    mean = np.average(values[data], weights=trust)
    spread = np.average((values[data] - mean) ** 2, weights=trust)
    telling = data & (np.asarray(noise) <= LARGEST_NOISE * spread)
    return telling if telling.sum() >= FEWEST_CELLS else data
