"""What the page is about: a result, one time of it in memory to draw, and its scores."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import xarray as xr

from xr_dip import scoring
from xr_dip.cf.dataset import MEMBER
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.drawable import flat
from xr_dip.matching import place_on
from xr_dip.reading import coarse_input

MOST_MEMBERS = 20
"""Members that are read for the pictures."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page draws: one time of everything, in memory.

    Attributes
    ----------
    result : Dataset
        Every time, for the numbers.
    name : str
        What it was made from.
    day : Dataset
        The one time that is drawn.
    mean : DataArray, dimensions (y, x)
    std, coarse, truth : DataArray or None
    members : DataArray or None, dimensions (member, y, x)
    scores : Dataset or None
        Of every time, where there is a truth.
    """

    result: xr.Dataset
    name: str
    day: xr.Dataset
    mean: xr.DataArray
    std: xr.DataArray | None
    coarse: xr.DataArray | None
    truth: xr.DataArray | None
    members: xr.DataArray | None
    scores: xr.Dataset | None


def show(result: xr.Dataset, name: str, truth: xr.DataArray | None = None) -> Shown:
    """Compute what is drawn: the first time of a result.

    Parameters
    ----------
    result : Dataset
    name : str
        What it was made from.
    truth : DataArray, optional
        As for `xr_dip.verify`.

    Returns
    -------
    Shown

    Raises
    ------
    ValueError
        If it is no result, or the truth is on another grid or of another time.

    Examples
    --------
    >>> import xr_dip
    >>> week = xr_dip.synthetic.gulf_stream((8, 12), times=7).ssh
    >>> shown = show(xr_dip.interpolate(week, 2), "ssh")
    >>> shown.mean.dims, shown.coarse.shape, shown.result.sizes["time"]
    (('latitude', 'longitude'), (8, 12), 7)
    """
    scores = None if truth is None else scoring.verify(result, truth, name).compute()  # looks at the truth first
    mean = result[f"{name}_mean"]
    horizontal = find_horizontal(mean, dataset=result)
    others = [dim for dim in mean.dims if dim not in (horizontal.y_dim, horizontal.x_dim)]
    day = result.isel(dict.fromkeys(others, 0)).compute()
    drawn = day.get(f"{name}_members")
    coarse = coarse_input(day, name)
    return Shown(
        result=result,
        name=name,
        day=day,
        mean=day[f"{name}_mean"].transpose(horizontal.y_dim, horizontal.x_dim),
        std=day.get(f"{name}_std"),
        coarse=coarse,
        truth=None if truth is None else _first_truth(day[f"{name}_mean"], truth, horizontal, others),
        members=None if drawn is None else drawn.transpose(MEMBER, ...)[:MOST_MEMBERS],
        scores=scores,
    )


def _first_truth(
    mean: xr.DataArray, truth: xr.DataArray, horizontal: Horizontal, others: list[Hashable]
) -> xr.DataArray:
    """Truth of the time that is drawn, on the cells of the estimate."""
    known = place_on(mean, truth, horizontal)
    first = known.isel({dim: 0 for dim in known.dims if dim in others})
    placed = first.assign_coords({key: mean[key] for key in mean.coords if key not in first.coords})
    return flat(placed, horizontal).compute()
