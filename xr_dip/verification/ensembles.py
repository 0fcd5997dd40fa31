"""Scores of ensemble members: fair CRPS and rank histogram.

A cell counts where the truth and every member are finite.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.verification.statistics import (
    check_dims,
    finite,
    label,
    match,
    matched_weights,
    sums,
    units_of,
    whole,
)

FloatArray = npt.NDArray[np.float64]


def crps(
    members: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str] = (),
    weights: xr.DataArray | None = None,
    member_dim: str = "member",
) -> xr.DataArray:
    """Fair continuous ranked probability score of an ensemble.

    With members X_i, i = 1..M, and truth y the score is ``mean |X_i - y| - sum_ij |X_i - X_j| / (2 M (M - 1))``:
    its expectation does not depend on the number of members, and is the CRPS of the distribution that they are drawn
    from. It can be slightly negative.

    Parameters
    ----------
    members : DataArray
        With the dimension `member_dim` of size 2 or more.
    truth : DataArray
        Same unit, without that dimension.
    dims : sequence of str
        Dimensions to average over; by default none: a map.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.
    member_dim : str
        Name of the dimension of the members.

    Returns
    -------
    DataArray
        In the unit of the truth; the mean absolute error is its bound for a sharp ensemble.

    Raises
    ------
    ValueError
        If there are fewer than two members, or dimensions, sizes, coordinates or weights are wrong.

    References
    ----------
    Ferro (2014), Fair scores for ensemble forecasts, Q. J. R. Meteorol. Soc. 140, eq. 5.

    Examples
    --------
    >>> members = xr.DataArray([[1.0], [3.0]], dims=("member", "x"))
    >>> crps(members, xr.DataArray([0.0], dims="x")).values
    array([1.])
    """
    drawn, observed = _pair(members, truth, dims, member_dim)
    score = xr.apply_ufunc(
        _fair_crps,
        whole(drawn, (member_dim,)),
        observed,
        input_core_dims=[[member_dim], []],
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    mean = sums(score, dims=dims, weights=matched_weights(weights, truth)).mean()
    return label(mean, "crps", "fair continuous ranked probability score", units_of(truth))


def rank_histogram(
    members: xr.DataArray,
    truth: xr.DataArray,
    *,
    dims: Sequence[str],
    weights: xr.DataArray | None = None,
    member_dim: str = "member",
) -> xr.DataArray:
    """How often the truth takes each rank among the members.

    Flat at 1 / (M + 1) if truth and members are exchangeable; U-shaped if the ensemble is too narrow. Where the truth
    equals some members, its count is shared evenly by the ranks that it could take.

    Parameters
    ----------
    members : DataArray
        With the dimension `member_dim` of size M, 2 or more.
    truth : DataArray
        Same unit, without that dimension.
    dims : sequence of str
        Dimensions to count over.
    weights : DataArray, optional
        Weight of each cell. By default all weigh the same.
    member_dim : str
        Name of the dimension of the members.

    Returns
    -------
    DataArray, dimensions (..., rank)
        M + 1 frequencies, their sum is 1; rank r: r members lie below the truth.

    Raises
    ------
    ValueError
        If there are fewer than two members, or dimensions, sizes, coordinates or weights are wrong.

    Examples
    --------
    >>> members = xr.DataArray([[1.0, 1.0], [3.0, 3.0]], dims=("member", "x"))
    >>> rank_histogram(members, xr.DataArray([0.0, 3.0], dims="x"), dims=("x",)).values
    array([0.5 , 0.25, 0.25])
    """
    drawn, observed = _pair(members, truth, dims, member_dim)
    below = (drawn < observed).sum(member_dim)
    tied = (drawn == observed).sum(member_dim)
    share = (1.0 / (tied + 1.0)).where(observed.notnull())
    compared = matched_weights(weights, truth)
    ranks = range(members.sizes[member_dim] + 1)
    # one rank after the other: all at once would hold M + 1 fields
    frequencies = [
        sums(
            share.where((rank >= below) & (rank <= below + tied) | share.isnull(), 0.0), dims=dims, weights=compared
        ).mean()
        for rank in ranks
    ]
    histogram = xr.concat(
        frequencies, xr.Variable("rank", np.arange(len(ranks)), {"long_name": "members below the truth"})
    )
    return label(
        histogram.transpose(..., "rank"), "rank_histogram", "frequency of the rank of the truth among the members", "1"
    )


def _pair(
    members: xr.DataArray, truth: xr.DataArray, dims: Sequence[str], member_dim: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """Members on the truth, and the truth, both NaN where one of them is not finite."""
    check_dims(truth, dims, "truth")
    check_dims(members, (*dims, member_dim), "members")
    if member_dim in truth.dims:
        raise ValueError(f"Invalid member_dim '{member_dim}'. It must not be a dimension of the truth: {truth.dims}.")
    if members.sizes[member_dim] < 2:
        raise ValueError(f"Invalid number of members {members.sizes[member_dim]}. It must be at least 2.")
    drawn = finite(match(members, truth, "members"))
    complete = drawn.notnull().all(member_dim) & np.isfinite(truth)
    return drawn.where(complete), finite(truth).where(complete)


def _fair_crps(members: FloatArray, truth: FloatArray) -> FloatArray:
    """Fair CRPS of members (..., M) and truth (...): sorting turns the double sum into one with weights 2 i - M - 1."""
    count = members.shape[-1]
    skill = np.abs(members - truth[..., None]).mean(axis=-1)
    rank_weights = 2.0 * np.arange(1, count + 1) - count - 1.0
    spread = np.sort(members, axis=-1) @ rank_weights / (count * (count - 1.0))
    return np.asarray(skill - spread)
