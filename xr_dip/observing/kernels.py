r"""Kernels of observation: how much each fine cell counts in one coarse value, around the centre of its coarse cell.

With ``t`` the distance of a fine cell from the centre of the coarse cell along one axis, in coarse cells, the weights
are ``k(t_y) k(t_x)``, divided by their sum:

=========== ================================================== ==========================
name        ``k(t)``                                           reach
=========== ================================================== ==========================
block_mean  1                                                  ``|t| < 1/2``
lanczos2    ``sinc(t) sinc(t / 2)``                            ``|t| < 2``
lanczos3    ``sinc(t) sinc(t / 3)``                            ``|t| < 3``
bicubic     Keys' cubic with a = -1/2, stretched by the factor ``|t| < 2``
gaussian    ``exp(-t^2 / (2 width^2))``                        ``|t| <= 4 width``
fir         numbers given by the user, in fine cells           their number
=========== ================================================== ==========================

``bicubic`` is what image libraries call bicubic with antialiasing. The reach grows with the factor.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray
from xr_dip.observing.kernel import ObservationKernel, product_kernel, table_kernel

GAUSSIAN_WIDTH = 0.5
"""Standard deviation of the Gaussian in coarse cells; 0.42 is a half-power width of one cell."""
GAUSSIAN_REACH = 4.0
"""Standard deviations where a Gaussian is cut off, as in scipy."""
WIDTHS = (0.1, 2.0)
"""Narrowest and widest Gaussian, in coarse cells."""


def block_mean(factor: Factor) -> ObservationKernel:
    """Return the mean of the fine cells of a coarse cell.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    ObservationKernel

    Examples
    --------
    >>> block_mean((2, 2)).table()
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    return product_kernel(np.ones(factor[0]), np.ones(factor[1]), factor)


def lanczos2(factor: Factor) -> ObservationKernel:
    """Return the sinc in a window of two coarse cells to each side.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    ObservationKernel

    References
    ----------
    Duchon 1979, Lanczos filtering in one and two dimensions, Journal of Applied Meteorology 18.

    Examples
    --------
    >>> lanczos2((4, 4)).shape
    (16, 16)
    """
    return _lanczos(2, factor)


def lanczos3(factor: Factor) -> ObservationKernel:
    """Return the sinc in a window of three coarse cells to each side.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    ObservationKernel

    References
    ----------
    Duchon 1979, Lanczos filtering in one and two dimensions, Journal of Applied Meteorology 18.

    Examples
    --------
    >>> lanczos3((1, 1)).table().round(12).max()  # at factor 1 nothing is to be filtered
    np.float64(1.0)
    """
    return _lanczos(3, factor)


def bicubic(factor: Factor) -> ObservationKernel:
    """Return Keys' cubic convolution with a = -1/2, stretched by the factor: bicubic with antialiasing.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    ObservationKernel

    References
    ----------
    Keys 1981, Cubic convolution interpolation for digital image processing, equation 15.

    Examples
    --------
    >>> bicubic((2, 2)).terms[0][0].round(4)
    array([-0.0117, -0.0352,  0.1133,  0.4336,  0.4336,  0.1133, -0.0352,
           -0.0117])
    """
    rows, columns = (_keys(_distances(times, 2.0)) for times in factor)
    return product_kernel(rows, columns, factor)


def gaussian(factor: Factor, *, width: float | tuple[float, float] = GAUSSIAN_WIDTH) -> ObservationKernel:
    """Return a Gaussian, cut off at four standard deviations: the spread of light or weight of many instruments.

    Parameters
    ----------
    factor : (int, int)
    width : float or (float, float)
        Standard deviation in coarse cells, for both axes or along y and x.

    Returns
    -------
    ObservationKernel

    Raises
    ------
    ValueError
        If a width is outside of 0.1 to 2 coarse cells.

    Examples
    --------
    >>> kernel = gaussian((8, 8), width=0.5)
    >>> position = np.arange(kernel.shape[0]) - kernel.shape[0] / 2 + 0.5
    >>> round(float((kernel.terms[0][0] * position**2).sum()), 2)  # the square of 0.5 x 8 fine cells
    15.98
    """
    widths = _check_width(width)
    lines = [_distances(times, GAUSSIAN_REACH * spread) / spread for times, spread in zip(factor, widths, strict=True)]
    rows, columns = (np.exp(-0.5 * line**2) for line in lines)
    return product_kernel(rows, columns, factor)


def fir(factor: Factor, *, kernel: npt.ArrayLike) -> ObservationKernel:
    """Return a kernel of the user: any weights in fine cells, centred on the coarse cell, divided by their sum.

    Parameters
    ----------
    factor : (int, int)
    kernel : array, shape (rows, columns) or (size,)
        Of any size, in the order of the fine grid; one line is taken along both axes. Where a size is odd and the
        factor even, or the reverse, it is shifted by half a fine cell by linear interpolation, which makes it one cell
        longer.

    Returns
    -------
    ObservationKernel

    Raises
    ------
    ValueError
        If it is no such array, not finite, or its sum is not clearly positive.

    Examples
    --------
    >>> fir((3, 3), kernel=[1, 2, 1]).table()
    array([[0.0625, 0.125 , 0.0625],
           [0.125 , 0.25  , 0.125 ],
           [0.0625, 0.125 , 0.0625]])
    >>> fir((2, 2), kernel=[[0, 0, 0], [0, 1, 0], [0, 0, 0]]).table()[1:3, 1:3]
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    table = _check_table(kernel)
    for axis, times in enumerate(factor):
        if (table.shape[axis] - times) % 2:
            table = _half_a_cell(table, axis)
    return table_kernel(table, factor)


def make_kernel(name: str, options: Mapping[str, Any], factor: Factor) -> ObservationKernel:
    """Make the kernel of an operator.

    Parameters
    ----------
    name : str
        In `KERNELS`.
    options : mapping
        Keywords of the function of that name.
    factor : (int, int)
        Fine cells per coarse cell.

    Returns
    -------
    ObservationKernel

    Raises
    ------
    ValueError
        If the operator has no such option, needs one more, or cannot use a value.

    Examples
    --------
    >>> make_kernel("gaussian", {"width": 0.3}, (5, 5)).shape
    (11, 11)
    """
    make = KERNELS[name]
    own = {key: each for key, each in inspect.signature(make).parameters.items() if key != "factor"}
    unknown = sorted(set(options) - set(own))
    if unknown:
        raise ValueError(
            f"Invalid operator_options {unknown}. They must be among those of the operator {name!r}: {sorted(own)}."
        )
    missing = sorted(key for key, each in own.items() if each.default is each.empty and key not in options)
    if missing:
        raise ValueError(f"Invalid operator_options {dict(options)}. The operator {name!r} must have {missing}.")
    return make(factor, **options)


def _check_table(kernel: npt.ArrayLike) -> FloatArray:
    """Return the weights of a user as an array of two dimensions whose sum is one."""
    try:
        table = np.asarray(kernel, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"Invalid kernel {kernel!r}. It must be an array of numbers.") from None
    if table.ndim not in (1, 2) or not table.size:
        raise ValueError(f"Invalid kernel of shape {table.shape}. It must have one or two dimensions and an entry.")
    if not np.isfinite(table).all():
        raise ValueError("Invalid kernel with NaN or infinite numbers. It must be finite.")
    if table.sum() <= 1e-6 * np.abs(table).sum():
        raise ValueError(f"Invalid kernel of sum {table.sum():g}. It must have a positive sum, which becomes 1.")
    table = np.outer(table, table) if table.ndim == 1 else table
    return np.asarray(table / table.sum())


def _half_a_cell(table: FloatArray, axis: int) -> FloatArray:
    """Move a table by half a cell along an axis, to the mean of neighbours; it becomes one cell longer."""
    before, behind = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
    before[axis], behind[axis] = (1, 0), (0, 1)
    return np.asarray((np.pad(table, before) + np.pad(table, behind)) / 2)


def _distances(factor: int, reach: float) -> FloatArray:
    """Distances of fine cells from the centre of a coarse cell, in coarse cells, within a reach."""
    most = math.ceil(reach * factor) + 1
    index = np.arange(-most, factor + most)
    distance = (index + 0.5 - factor / 2) / factor
    return np.asarray(distance[np.abs(distance) < reach * (1 - 1e-12)])


def _lanczos(lobes: int, factor: Factor) -> ObservationKernel:
    distances = (_distances(times, lobes) for times in factor)
    rows, columns = (np.sinc(distance) * np.sinc(distance / lobes) for distance in distances)
    return product_kernel(rows, columns, factor)


def _keys(distance: FloatArray) -> FloatArray:
    r = np.abs(distance)
    return np.where(r <= 1, 1.5 * r**3 - 2.5 * r**2 + 1, -0.5 * r**3 + 2.5 * r**2 - 4 * r + 2)


def _check_width(width: object) -> tuple[float, float]:
    pair = width if isinstance(width, (tuple, list)) else (width, width)
    sound = len(pair) == 2 and all(isinstance(w, Real) and not isinstance(w, bool) for w in pair)
    if not sound or not all(WIDTHS[0] <= w <= WIDTHS[1] for w in pair):
        raise ValueError(
            f"Invalid width {width!r}. It must be a number of coarse cells from {WIDTHS[0]} to {WIDTHS[1]}, or two of "
            "them, along y and x."
        )
    return float(pair[0]), float(pair[1])


KERNELS: dict[str, Callable[..., ObservationKernel]] = {
    "block_mean": block_mean,
    "lanczos2": lanczos2,
    "lanczos3": lanczos3,
    "gaussian": gaussian,
    "bicubic": bicubic,
    "fir": fir,
}
