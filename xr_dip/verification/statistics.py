"""Statistics of the verification: what is compared, with which weight, and how partial results add up.

A score is made in three steps that stay apart: a *statistic* at each cell (the squared error, say), its *sums* over
some dimensions, and the score, a function of the sums. Sums of parts add, so the chunks, the tiles or the days in
which a field comes cannot change a score. A cell counts where everything compared is finite and its weight is
positive; a score of no cell is NaN.

Fields are matched by position: an estimate's refined coordinates differ from the truth's by rounding, and xarray
would join them to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

COORDINATE_TOLERANCE = 0.1
"""How far coordinates may lie from the truth's, in cells: rounding passes, a shift of half a cell does not."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sum of a statistic, and the sum of the weights: the partial result of a score.

    Attributes
    ----------
    total : DataArray
        Sum of weight times statistic, on the dimensions that were not averaged over; unit of the weights times that of
        the statistic.
    weight : DataArray
        Sum of the weights of the cells that count, on the same dimensions.

    Examples
    --------
    >>> days = xr.DataArray([1.0, 2.0, 6.0], dims="time")
    >>> first, rest = (sums(part, dims=("time",)) for part in (days[:1], days[1:]))
    >>> float((first + rest).mean())
    3.0
    """

    total: xr.DataArray
    weight: xr.DataArray

    def __add__(self, other: Sums) -> Sums:
        """Add the sums of another part."""
        return Sums(self.total + other.total, self.weight + other.weight)

    def mean(self) -> xr.DataArray:
        """Weighted mean of the statistic; NaN where nothing counted."""
        return self.total / self.weight.where(self.weight > 0)


def sums(statistic: xr.DataArray, *, dims: Sequence[str], weights: xr.DataArray | None = None) -> Sums:
    """Sum a statistic over dimensions, in float64, leaving out the cells where it is not finite.

    Parameters
    ----------
    statistic : DataArray
        Any dimensions, any unit; lazy arrays stay lazy.
    dims : sequence of str
        Dimensions to sum over; ``()`` keeps every cell.
    weights : DataArray, optional
        Weight of each cell, for example its area in m2, on some of the dimensions of the statistic. Cells of weight 0
        or NaN do not count. By default all cells weigh the same.

    Returns
    -------
    Sums

    Raises
    ------
    ValueError
        If a weight is negative; weights that are lazy are not looked at.

    Examples
    --------
    >>> statistic = xr.DataArray([1.0, np.nan, 5.0], dims="x")
    >>> float(sums(statistic, dims=("x",), weights=xr.DataArray([3.0, 1.0, 1.0], dims="x")).mean())
    2.0
    """
    values = finite(statistic)
    if weights is None:
        weight = values.notnull().astype(np.float64)
    else:
        check_not_negative(weights, "weights")
        weight = weights.astype(np.float64).where(values.notnull() & (weights > 0), 0.0)
    return Sums((values.fillna(0.0) * weight).sum(dims), weight.sum(dims))


def root_mean_square(values: xr.DataArray, *, dims: Sequence[str], weights: xr.DataArray | None = None) -> xr.DataArray:
    """Root of the weighted mean square of values over dimensions, in the unit of the values.

    Examples
    --------
    >>> float(root_mean_square(xr.DataArray([3.0, 4.0, 5.0, np.nan], dims="x"), dims=("x",)) ** 2)
    16.666...
    """
    return sums(values**2, dims=dims, weights=weights).mean() ** 0.5


def finite(field: xr.DataArray) -> xr.DataArray:
    """Return the field in float64 with every value that is not finite replaced by NaN.

    Examples
    --------
    >>> finite(xr.DataArray(np.float32([1, np.inf]), dims="x")).values
    array([ 1., nan])
    """
    return field.astype(np.float64).where(np.isfinite(field))


def difference(estimate: xr.DataArray, truth: xr.DataArray, *, dims: Sequence[str]) -> xr.DataArray:
    """Error of an estimate, estimate minus truth in float64; NaN where either is not finite.

    Parameters
    ----------
    estimate, truth : DataArray
        Same unit, same sizes along the dimensions they share.
    dims : sequence of str
        Dimensions that both must have.

    Returns
    -------
    DataArray with the coordinates of the truth

    Raises
    ------
    ValueError
        If dimensions, sizes or coordinates disagree.

    Examples
    --------
    >>> difference(xr.DataArray([1.5, 2.0], dims="x"), xr.DataArray([1.0, np.nan], dims="x"), dims=("x",)).values
    array([0.5, nan])
    """
    check_dims(truth, dims, "truth")
    check_dims(estimate, dims, "estimate")
    return finite(match(estimate, truth, "estimate")) - finite(truth)


def match(field: xr.DataArray, truth: xr.DataArray, name: str) -> xr.DataArray:
    """Place a field cell by cell on the truth: the field without its own coordinates along shared dimensions.

    Parameters
    ----------
    field : DataArray
        Estimate, spread, members or weights.
    truth : DataArray
        The field whose coordinates the scores keep.
    name : str
        What the field is, for messages.

    Returns
    -------
    DataArray
        With index coordinates along the dimensions that only it has, such as members.

    Raises
    ------
    ValueError
        If a shared dimension differs in size, or in its coordinate by more than a tenth of a cell.

    Examples
    --------
    >>> truth = xr.DataArray([0.0, 0.0], dims="lat", coords={"lat": [10.0, 11.0]})
    >>> match(truth.assign_coords(lat=[10.5, 11.5]), truth, "estimate")
    Traceback (most recent call last):
    ValueError: Invalid coordinate 'lat' of the estimate: 10.5 at index 0. It must be that of the truth, 10.0, ...
    """
    for dim in set(field.dims) & set(truth.dims):
        if field.sizes[dim] != truth.sizes[dim]:
            raise ValueError(
                f"Invalid size of the dimension '{dim}' of the {name}: {field.sizes[dim]}. "
                f"It must be that of the truth, {truth.sizes[dim]}."
            )
        if dim in field.indexes and dim in truth.indexes:
            _check_coordinate(field[dim].values, truth[dim].values, f"coordinate '{dim}' of the {name}")
    return field.reset_coords(drop=True).drop_vars([dim for dim in truth.dims if dim in field.coords])


def matched_weights(weights: xr.DataArray | None, truth: xr.DataArray) -> xr.DataArray | None:
    """Place optional weights on the truth.

    Raises
    ------
    ValueError
        If their sizes or coordinates disagree with the truth's, or if they have dimensions that the truth has not.

    Examples
    --------
    >>> matched_weights(None, xr.DataArray([0.0], dims="x")) is None
    True
    """
    if weights is None:
        return None
    if not set(weights.dims) <= set(truth.dims):
        raise ValueError(
            f"Invalid dimensions of the weights: {weights.dims}. They must be among those of the truth: {truth.dims}."
        )
    return match(weights, truth, "weights")


def _check_coordinate(values: np.ndarray, expected: np.ndarray, what: str) -> None:
    numbers = (np.issubdtype(one.dtype, np.number) and one.dtype.kind != "m" for one in (values, expected))
    if all(numbers):  # of lengths of time, which NumPy counts among them, no tenth of a cell is known
        cell = np.median(np.abs(np.diff(expected))) if expected.size > 1 else max(abs(float(expected[0])), 1.0)
        wrong = ~(np.abs(values - expected) <= COORDINATE_TOLERANCE * cell)
    else:
        wrong = values != expected
    if np.any(wrong):
        first = int(np.argmax(wrong))
        raise ValueError(
            f"Invalid {what}: {values[first]} at index {first}. "
            f"It must be that of the truth, {expected[first]}, within a tenth of a cell."
        )


def check_dims(field: xr.DataArray, dims: Sequence[str], name: str, *, count: int | None = None) -> None:
    """Refuse dimensions that a field does not have, or that are not as many as asked.

    Parameters
    ----------
    field : DataArray
    dims : sequence of str
    name : str
        What the field is, for messages.
    count : int, optional
        How many dimensions there must be: 2 for the functions that need ``(y, x)``.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_dims(xr.DataArray([0.0], dims="x"), ("lon",), "truth")
    Traceback (most recent call last):
    ValueError: Invalid dims ('lon',). They must be dimensions of the truth: ('x',).
    """
    given = tuple(dims)
    if not set(given) <= set(field.dims):
        raise ValueError(f"Invalid dims {given}. They must be dimensions of the {name}: {field.dims}.")
    if len(set(given)) != len(given) or (count is not None and len(given) != count):
        expected = "distinct" if count is None else f"{count} distinct names, in the order (y, x)"
        raise ValueError(f"Invalid dims {given}. They must be {expected}.")


def check_not_negative(field: xr.DataArray, name: str) -> None:
    """Refuse negative values; those of a lazy array are not looked at.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_not_negative(xr.DataArray([1.0, -2.0], dims="x"), "weights")
    Traceback (most recent call last):
    ValueError: Invalid weights with the value -2.0. They must not be negative.
    """
    if field.chunks is None and bool((field < 0).any()):
        raise ValueError(f"Invalid {name} with the value {float(field.min())}. They must not be negative.")


def whole(field: xr.DataArray, dims: Sequence[str]) -> xr.DataArray:
    """Return the field with one chunk along dimensions if it is lazy, itself if not.

    Examples
    --------
    >>> whole(xr.DataArray(np.zeros(4), dims="x").chunk(x=2), ("x",)).chunks
    ((4,),)
    """
    return field if field.chunks is None else field.chunk(dict.fromkeys(dims, -1))


def label(score: xr.DataArray, name: str, long_name: str, units: str | None) -> xr.DataArray:
    """Name a score and give it its own attributes, none of those that arithmetic carried over.

    Examples
    --------
    >>> label(xr.DataArray(0.1, attrs={"cell_methods": "area: mean"}), "rmse", "root mean square error", "m").attrs
    {'long_name': 'root mean square error', 'units': 'm'}
    """
    named = score.rename(name)
    named.attrs = {"long_name": long_name} | ({} if units is None else {"units": units})
    return named


def units_of(truth: xr.DataArray, per: str = "") -> str | None:
    """Units of a score: those of the truth, and a divisor; None if the truth has none.

    Examples
    --------
    >>> units_of(xr.DataArray(0.0, attrs={"units": "m"}), "m-1")
    'm m-1'
    """
    units = truth.attrs.get("units")
    return None if units is None else f"{units} {per}".strip()
