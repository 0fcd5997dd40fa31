"""Sections through a truth and through what methods make of it at each resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import xarray as xr

from xr_dip.checks import check_members, check_name, check_seed
from xr_dip.twin.comparison import check_numbers
from xr_dip.twin.methods import Methods, Settings, estimate, mean_of, parse_methods, preset_of
from xr_dip.twin.pair import make_pair, one_field
from xr_dip.twin.stored import Folder, stored


def sections(
    truth: xr.DataArray,
    factors: Sequence[int],
    methods: Methods,
    *,
    along: Literal["x", "y"] = "x",
    position: int | None = None,
    members: int = 10,
    weights: str | xr.DataArray = "equal",
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    x_dim: str | None = None,
    y_dim: str | None = None,
    cache: Folder | None = None,
) -> xr.Dataset:
    """Cut one row or column out of the truth, its block means and each estimate, at each factor.

    `xr_dip.twin.plot.sections` draws it.

    Parameters
    ----------
    truth : DataArray
        Fine field of one time.
    factors : sequence of int
        Cells beyond whole blocks are missing in the estimates.
    methods
        As for `xr_dip.twin.experiment`.
    along : {"x", "y"}
        Along a row or a column.
    position : int, optional
        Number of the row or column of the truth; by default its middle.
    members, weights, seed, device, progress, x_dim, y_dim, cache
        As for `xr_dip.twin.experiment`.

    Returns
    -------
    Dataset
        ``truth`` (distance), ``coarse`` (factor, distance), the block mean over each fine cell, and ``estimate``
        (factor, estimator, distance); ``distance`` in metres from the first cell.

    Raises
    ------
    ValueError
        If the truth is of several times, the position is outside of what a factor leaves of it, or an argument is
        unknown.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image
    prior, figure 5.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> cut = sections(synthetic.gulf_stream((24, 36)).ssh, [4], ["bicubic"])
    >>> cut.estimate.dims, cut.sizes["distance"]
    (('factor', 'estimator', 'distance'), 36)
    """
    calls = parse_methods(methods)
    check_numbers(factors)
    check_name("along", along, ["x", "y"])
    settings = Settings(check_members(members), check_seed(seed), device, progress)
    configuration: dict[str, Any] = {
        "truth": truth,
        "factors": factors,
        "along": along,
        "position": position,
        "weights": weights,
    }
    configuration |= {"members": members, "seed": seed, "dims": [x_dim, y_dim]}
    configuration["methods"] = [
        [name, call, [preset and asdict(preset) for preset in (preset_of(call, factor) for factor in factors)]]
        for name, call in calls.items()
    ]

    def compute() -> xr.Dataset:
        field = one_field(truth, x_dim=x_dim, y_dim=y_dim)
        parts = []
        for factor in factors:
            pair = make_pair(field, factor, weights=weights, x_dim=x_dim, y_dim=y_dim)
            means = [mean_of(estimate(pair, pair.coarse, call, settings)) for call in calls.values()]
            blocks = pair.coarse.values.repeat(factor, axis=0).repeat(factor, axis=1)
            cuts = [_cut(values, field.shape, along, position) for values in (blocks, *(mean.values for mean in means))]
            parts.append(np.stack(cuts))
        return _dataset(field, np.stack(parts), list(factors), list(calls), along, position, pair.spacing)

    return stored(cache, "sections", configuration, compute)


def _place(shape: tuple[int, ...], along: str, position: int | None) -> int:
    """Return the number of the row or column."""
    across = shape[0] if along == "x" else shape[1]
    place = across // 2 if position is None else position
    if not 0 <= place < across:
        raise ValueError(f"Invalid position {position}. It must be from 0 to {across - 1}.")
    return place


def _cut(values: np.ndarray, shape: tuple[int, ...], along: str, position: int | None) -> np.ndarray:
    """Return one row or column, missing cells at its end where whole blocks end before the truth does."""
    place = _place(shape, along, position)
    lines = values if along == "x" else values.T
    if place >= len(lines):
        raise ValueError(f"Invalid position {position}. It must be below {len(lines)}, where whole blocks end.")
    length = shape[1] if along == "x" else shape[0]
    return np.pad(lines[place].astype(np.float64), (0, length - lines.shape[1]), constant_values=np.nan)


def _dataset(
    field: xr.DataArray,
    cuts: np.ndarray,
    factors: list[int],
    labels: list[str],
    along: str,
    position: int | None,
    spacing: tuple[float, float],
) -> xr.Dataset:
    step = spacing[1] if along == "x" else spacing[0]
    distance = xr.Variable("distance", step * np.arange(cuts.shape[-1]), {"units": "m", "long_name": f"along {along}"})
    attrs = {key: value for key, value in field.attrs.items() if key == "units"} | {"long_name": "height"}
    line = _cut(field.values, field.shape, along, position)
    return xr.Dataset(
        {
            "truth": ("distance", line, attrs),
            "coarse": (("factor", "distance"), cuts[:, 0], attrs),
            "estimate": (("factor", "estimator", "distance"), cuts[:, 1:], attrs),
        },
        {"distance": distance, "factor": factors, "estimator": labels},
        {"title": "sections of a twin experiment", "position": _place(field.shape, along, position)},
    )
