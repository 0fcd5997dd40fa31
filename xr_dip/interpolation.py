r"""Separable interpolation from coarse cells to fine cells: the classical baselines, plain or conserving.

Every method is one small matrix per axis, so a field is upsampled as ``A_y v A_x^T``. Both grids are centred: coarse
cell ``i`` covers the fine cells ``i f ... (i + 1) f - 1``, and its value sits at the fine position
``(i + 1/2) f - 1/2`` ("half-pixel centres", ``align_corners=False``). Every row of a matrix sums to one.

With ``periodic=True`` the first and the last column of a field are neighbours, as on a globe: rolling the coarse field
by k columns rolls the fine one by k f.

Plain interpolation treats the mean of a cell as the value at its centre, so it changes the block means. `conservative`
puts them back by iterative back-projection (Irani & Peleg 1991).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.ndimage import distance_transform_edt

from xr_dip.blocks import Factor, FloatArray, misfit, repeat

KEYS_A = -0.75  # the value of torch and OpenCV; Keys (1981) derives -0.5, which reproduces quadratics


def _positions(n: int, factor: int) -> FloatArray:
    """Positions of the fine centres in coarse index units, shape (n * factor,)."""
    return (np.arange(n * factor) + 0.5) / factor - 0.5


def _nearest(n: int, factor: int, periodic: bool) -> FloatArray:
    return np.repeat(np.eye(n), factor, axis=0)


def _convolution(
    n: int, positions: FloatArray, reach: int, kernel: Callable[[FloatArray], FloatArray], periodic: bool
) -> FloatArray:
    """Matrix of a kernel of half-width `reach`; neighbours beyond the border fall on the border cell, or go round."""
    below = np.floor(positions).astype(int)
    rows = np.arange(len(positions))
    matrix = np.zeros((len(positions), n))
    for offset in range(1 - reach, reach + 1):
        neighbour = below + offset
        cell = neighbour % n if periodic else np.clip(neighbour, 0, n - 1)
        np.add.at(matrix, (rows, cell), kernel(positions - neighbour))
    return matrix


def _hat(distance: FloatArray) -> FloatArray:
    return np.maximum(0.0, 1.0 - np.abs(distance))


def _keys(distance: FloatArray) -> FloatArray:
    """Cubic convolution kernel of Keys (1981), equation 4, with free parameter a."""
    r, a = np.abs(distance), KEYS_A
    near = (a + 2) * r**3 - (a + 3) * r**2 + 1
    far = a * (r**3 - 5 * r**2 + 8 * r - 4)
    return np.where(r <= 1, near, np.where(r < 2, far, 0.0))


def _bilinear(n: int, factor: int, periodic: bool) -> FloatArray:
    return _convolution(n, _positions(n, factor), 1, _hat, periodic)


def _bicubic(n: int, factor: int, periodic: bool) -> FloatArray:
    return _convolution(n, _positions(n, factor), 2, _keys, periodic)


def _spline(n: int, factor: int, periodic: bool) -> FloatArray:
    if n == 1:  # a single value has no slope
        return np.ones((factor, 1))
    if periodic:
        spline = CubicSpline(np.arange(n + 1), np.eye(n)[np.arange(n + 1) % n], bc_type="periodic")
    else:
        spline = CubicSpline(np.arange(n), np.eye(n), bc_type="natural")
    return np.asarray(spline(_positions(n, factor)), dtype=np.float64)


METHODS: dict[str, Callable[[int, int, bool], FloatArray]] = {
    "nearest": _nearest,
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "spline": _spline,
}
# Those that take the mean of a cell for the value at its centre.
CHANGE_BLOCK_MEANS = tuple(name for name in METHODS if name != "nearest")


def axis_matrix(method: str, n: int, factor: int, *, periodic: bool = False) -> FloatArray:
    """Interpolation matrix of one axis.

    Parameters
    ----------
    method : {"nearest", "bilinear", "bicubic", "spline"}
        ``"bicubic"`` is cubic convolution (Keys 1981) with a = -0.75 and clamped borders, as in torch and OpenCV;
        ``"spline"`` is the natural cubic spline through the values at the cell centres.
    n : int
        Number of coarse cells.
    factor : int
        Fine cells per coarse cell.
    periodic : bool
        The cells form a circle: there is no border.

    Returns
    -------
    array of float64, shape (n * factor, n)
        Its rows sum to one.

    Raises
    ------
    ValueError
        If the method is unknown, or `n` or `factor` is not positive.

    References
    ----------
    Keys, R. G. (1981). Cubic convolution interpolation for digital image processing. doi:10.1109/TASSP.1981.1163711

    Examples
    --------
    >>> axis_matrix("bilinear", 2, 2)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    >>> axis_matrix("bilinear", 2, 2, periodic=True)
    array([[0.75, 0.25],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.25, 0.75]])
    """
    if method not in METHODS:
        raise ValueError(f"Invalid method {method!r}. It must be one of {', '.join(METHODS)}.")
    if n < 1 or factor < 1:
        raise ValueError(f"Invalid sizes n={n}, factor={factor}. Both must be at least 1.")
    return METHODS[method](n, factor, periodic)


def upsample(
    values: npt.NDArray[np.floating], factor: Factor, method: str = "bicubic", *, periodic: bool = False
) -> FloatArray:
    """Interpolate coarse fields to the fine grid; block means are not kept.

    Parameters
    ----------
    values : array, shape (..., ny, nx)
        Finite everywhere: fill land first with `fill_nearest`.
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    method : str
        As in `axis_matrix`.
    periodic : bool
        Whether the last column and the first are neighbours.

    Returns
    -------
    array of float64, shape (..., ny * fy, nx * fx)

    Raises
    ------
    ValueError
        If a value is not finite, or the method is unknown.

    Examples
    --------
    >>> upsample(np.array([[0.0, 4.0]]), (1, 2), "bilinear")
    array([[0., 1., 3., 4.]])
    """
    finite = np.isfinite(values)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(
            f"Invalid values {values[where]} at index {where}. They must be finite: use fill_nearest first."
        )
    ny, nx = values.shape[-2:]
    along_y, along_x = axis_matrix(method, ny, factor[0]), axis_matrix(method, nx, factor[1], periodic=periodic)
    return np.asarray(along_y @ values.astype(np.float64) @ along_x.T)


def fill_nearest(values: npt.NDArray[np.floating], *, periodic: bool = False) -> FloatArray:
    """Give each missing (NaN) cell the value of the nearest cell that has one, distance in cells.

    Of two that are equally near it is their mean, of more the mean of those that are found first from each corner of
    the field, so that no direction counts more than another: flipping a field flips what is filled, bit for bit. Around
    the globe, a cell half-way round is found on either side and counts as two.

    Parameters
    ----------
    values : array, shape (..., ny, nx)
    periodic : bool
        Whether the nearest cell may lie across the seam between the last column and the first.

    Returns
    -------
    array of float64, same shape, finite

    Raises
    ------
    ValueError
        If a field has no finite value.

    Examples
    --------
    >>> fill_nearest(np.array([[1.0, np.nan, np.nan, 4.0]]))
    array([[1., 1., 4., 4.]])
    >>> fill_nearest(np.array([[1.0, np.nan, 4.0]]))
    array([[1. , 2.5, 4. ]])
    >>> fill_nearest(np.array([[1.0, 2.0, np.nan, np.nan, np.nan]]), periodic=True)
    array([[1. , 2. , 2. , 1.5, 1. ]])
    """
    fields = np.array(values, dtype=np.float64).reshape(-1, *values.shape[-2:])
    for index, field in enumerate(fields):
        missing = ~np.isfinite(field)
        if missing.all():
            raise ValueError(f"Invalid values: field {index} has no finite value. It must have at least one.")
        if missing.any():
            fields[index] = _filled_from_all_corners(field, missing, periodic)
    return fields.reshape(values.shape)


def _filled_from_all_corners(field: FloatArray, missing: npt.NDArray[np.bool_], periodic: bool) -> FloatArray:
    """Fill a field: of equally near cells the search takes the first, so it begins at each corner in turn."""
    found = {}
    for flips in product((1, -1), (1, -1)):
        turn = np.s_[:: flips[0], :: flips[1]]
        found[flips] = field[turn][_nearest_seen(missing[turn], periodic)][turn]
    # Flipping exchanges terms of these sums, which changes no bit.
    return np.asarray(((found[1, 1] + found[1, -1]) + (found[-1, 1] + found[-1, -1])) / 4)


def _nearest_seen(missing: npt.NDArray[np.bool_], periodic: bool) -> tuple[npt.NDArray[np.int32], ...]:
    """Row and column of the cell nearest to each cell that is not missing."""
    width = missing.shape[1]
    reach = (width + 1) // 2 if periodic else 0  # no cell of a circle is further than half of it
    wide = np.pad(missing, ((0, 0), (reach, reach)), mode="wrap")
    rows, columns = distance_transform_edt(wide, return_distances=False, return_indices=True)
    here = np.s_[:, reach : reach + width]
    return rows[here], (columns[here] - reach) % width


def back_project(
    field: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    method: str = "bicubic",
    *,
    tolerance: float = 1e-9,
    max_rounds: int = 60,
    periodic: bool = False,
) -> FloatArray:
    """Give a field its block means: ``x += B(y - P_w x)`` until they agree, then one exact step.

    ``B`` is an interpolation, so the correction has no steps at cell borders. The last step adds what is left (at most
    `tolerance` where the rounds converge) as a constant per coarse cell: the means are exact to round-off.

    Parameters
    ----------
    field : array, shape (..., ny * fy, nx * fx)
    values : array, shape (..., ny, nx)
        Coarse block means, NaN where there is no data.
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell, 0 on land.
    factor : (int, int)
    method : str
        As in `axis_matrix`.
    tolerance : float
        Largest misfit of a block mean at which the rounds stop, in the unit of `values`.
    max_rounds : int
        The rounds also stop here.
    periodic : bool
        As in `upsample`.

    Returns
    -------
    array of float64, shape (..., ny * fy, nx * fx)
        Arbitrary where the weight is 0.

    References
    ----------
    Irani, M. & Peleg, S. (1991). Improving resolution by image registration. doi:10.1016/1049-9652(91)90045-L

    Examples
    --------
    >>> back_project(np.zeros((1, 4)), np.array([[1.0, 2.0]]), np.ones((1, 4)), (1, 2), "nearest")
    array([[1., 1., 2., 2.]])
    """
    restored = np.asarray(field, dtype=np.float64)
    left = misfit(restored, values, weights, factor)
    for _ in range(max_rounds):
        if np.abs(left).max(initial=0.0) <= tolerance:
            break
        restored = restored + upsample(left, factor, method, periodic=periodic)
        left = misfit(restored, values, weights, factor)
    return np.asarray(restored + repeat(left, factor))


def conservative(
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    factor: Factor,
    method: str = "bicubic",
    *,
    tolerance: float = 1e-9,
    max_rounds: int = 200,
    periodic: bool = False,
) -> FloatArray:
    """Interpolate, then restore the block means with the same interpolation: see `back_project`.

    Parameters
    ----------
    values : array, shape (..., ny, nx)
        Coarse block means, NaN where there is no data.
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell, 0 on land.
    factor : (int, int)
    method : str
        As in `axis_matrix`.
    tolerance, max_rounds, periodic
        As in `back_project`.

    Returns
    -------
    array of float64, shape (..., ny * fy, nx * fx)
        Finite everywhere; arbitrary where the weight is 0.

    Examples
    --------
    >>> from xr_dip.blocks import block_mean
    >>> field = conservative(np.array([[1.0, 2.0, 6.0]]), np.ones((2, 6)), (2, 2))
    >>> block_mean(field, np.ones((2, 6)), (2, 2))
    array([[1., 2., 6.]])
    """
    first = upsample(fill_nearest(values, periodic=periodic), factor, method, periodic=periodic)
    return back_project(
        first, values, weights, factor, method, tolerance=tolerance, max_rounds=max_rounds, periodic=periodic
    )


def conservative_spline(
    values: npt.NDArray[np.floating], weights: npt.NDArray[np.floating], factor: Factor, *, periodic: bool = False
) -> FloatArray:
    """Cubic spline with exact block means: `conservative` with ``method="spline"``.

    Parameters
    ----------
    values : array, shape (..., ny, nx)
    weights : array, shape (ny * fy, nx * fx)
    factor : (int, int)
    periodic : bool
        As in `upsample`.

    Returns
    -------
    array of float64, shape (..., ny * fy, nx * fx)

    Examples
    --------
    >>> conservative_spline(np.array([[1.0, 3.0, 5.0]]), np.ones((1, 6)), (1, 2))
    array([[0.5, 1.5, 2.5, 3.5, 4.5, 5.5]])
    """
    return conservative(values, weights, factor, "spline", periodic=periodic)
