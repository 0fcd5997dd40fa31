"""What is done with each day of an archive: checked once, before the first day, and then the same for all."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xr_dip import downscaling
from xr_dip._version import __version__
from xr_dip.archive.configuration import difference, digest, grid_digest, stamp
from xr_dip.archive.days import Day, open_day
from xr_dip.cf.provenance import configuration_json
from xr_dip.cf.summary import CONFIGURATION
from xr_dip.heights import same_unit
from xr_dip.inputs import FactorLike, Target, find_target
from xr_dip.relay import Relay

# Set by the archive itself.
OWN = ("progress", "dataset", "relay")


@dataclass(frozen=True, eq=False)
class Job:
    """How to make a day fine; plain values and arrays, which travel to any worker.

    Attributes
    ----------
    variable : str
    factor : int, (int, int) or mapping
    options : mapping
        Keywords of `xr_dip.downscale`; mask and weights read from their files and brought to the fine grid.
    expected : mapping
        Configuration that the result of a single day must have.
    configuration : mapping
        That of the archive.
    dims : (str, str)
        Horizontal dimensions.
    """

    variable: str
    factor: FactorLike
    options: Mapping[str, Any]
    expected: Mapping[str, Any]
    configuration: Mapping[str, Any]
    dims: tuple[str, str]

    @property
    def members(self) -> int:
        """Fits of each time."""
        return int(self.options["members"])

    def solve(self, day: Day, relay: Relay | None = None, **changed: Any) -> xr.Dataset:
        """Downscale a day.

        Parameters
        ----------
        day : Day
        relay : Relay, optional
            From the day before, and for the next.
        **changed
            Options to use instead of those of the job.

        Returns
        -------
        Dataset
            In memory.

        Raises
        ------
        OSError, ValueError, ...
            If the day cannot be read or downscaled, or is of another grid or kind than the first one.
        """
        with open_day(day, self.variable) as dataset:
            field = dataset[self.variable].load()
            options = {**self.options, **changed}
            own: dict[str, Any] = {"progress": False, "dataset": dataset, "relay": relay}
            fine = downscaling.downscale(field, self.factor, **own, **options).load()
        if not changed:
            self._compare(fine)
        return stamp(fine, self.configuration)

    def _compare(self, fine: xr.Dataset) -> None:
        """Refuse a day that does not fit the others."""
        different = difference(self.expected, json.loads(fine.attrs[CONFIGURATION]))
        if different:
            raise ValueError(f"Invalid day. It must be of the same kind as the first, but differs in {different}.")
        if grid_digest(fine, self.dims) != self.configuration["grid"]:
            raise ValueError("Invalid day. It must be on the same grid as the first, but its positions differ.")
        units = _units(fine, self.variable)
        if not same_unit(units or "m", str(self.configuration["units"] or "m")):
            raise ValueError(
                f"Invalid day in {units!r}. It must be in the unit of the first: convert it, or leave it out."
            )


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse keywords that `xr_dip.downscale` does not know.

    Parameters
    ----------
    options : mapping

    Raises
    ------
    TypeError
        That lists those there are.

    Examples
    --------
    >>> check_options({"seed": 3, "noise_std": 0.02})
    """
    parameters = inspect.signature(downscaling.downscale).parameters.values()
    allowed = [entry.name for entry in parameters if entry.kind is entry.KEYWORD_ONLY and entry.name not in OWN]
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise TypeError(f"Invalid options {unknown}. They must be among {allowed}.")


def make_job(
    day: Day, variable: str, factor: FactorLike, options: Mapping[str, Any], *, daily_mean: bool, chain: int = 1
) -> tuple[Job, xr.Dataset]:
    """Check all options on a day, without computing it.

    Parameters
    ----------
    day : Day
        Any readable one.
    variable : str
    factor : int, (int, int) or mapping
    options : mapping
        Keywords of `xr_dip.downscale`.
    daily_mean : bool
    chain : int
        Days that follow one another with warm starts; with 1 there are none.

    Returns
    -------
    job : Job
    template : Dataset
        The result of the day, with lazy fields that are not to be computed and coordinates in memory.

    Raises
    ------
    TypeError, ValueError
        As `xr_dip.downscale`.

    Examples
    --------
    >>> import xr_dip
    >>> from xr_dip.archive.days import find_days
    >>> series = xr_dip.synthetic.gulf_stream((8, 8), times=2)
    >>> day = find_days(series, "ssh")[0]
    >>> job, template = make_job(day, "ssh", 2, {"members": 3, "preset": "fast"}, daily_mean=False)
    >>> job.configuration["members"], template.ssh_mean.shape
    (3, (1, 16, 16))
    """
    with open_day(day, variable, lazy=True) as dataset:
        lazy = dataset[variable]
        target = _find_target(lazy, factor, options, dataset)
        prepared = {**options, **_arrays(target)}
        template = downscaling.downscale(lazy, factor, progress=False, dataset=dataset, **prepared)
        template = template.assign_coords({name: coord.load() for name, coord in template.coords.items()})
    expected = json.loads(template.attrs[CONFIGURATION])
    dims = (target.horizontal.y_dim, target.horizontal.x_dim)
    configuration = {
        **expected,
        **target.description,
        **{f"{name}_sha256": digest(array) for name, array in _arrays(target).items()},
        "variable": variable,
        "daily_mean": daily_mean,
        "chain": chain,
        "keep_members": bool(options.get("keep_members", False)),
        "grid": grid_digest(template, dims),
        "units": _units(template, variable),
        "version": __version__,
    }
    plain = json.loads(configuration_json(configuration))
    return Job(variable, factor, prepared, expected, plain, dims), stamp(template, plain)


def _find_target(field: xr.DataArray, factor: FactorLike, options: Mapping[str, Any], dataset: xr.Dataset) -> Target:
    known = inspect.signature(find_target).parameters
    chosen = {name: value for name, value in options.items() if name in known}
    return find_target(field, factor, dataset=dataset, **chosen)[1]


def _units(result: xr.Dataset, variable: str) -> str:
    return str(result[f"{variable}_mean"].attrs.get("units", ""))


def _arrays(target: Target) -> dict[str, Any]:
    """Mask and weights on the fine grid, where they were given as such: read and regridded once, not every day."""
    given = target.description["weights"] not in ("equal", "area")
    found = {"mask": target.mask, "weights": target.weights if given else None}
    return {name: np.asarray(array) for name, array in found.items() if array is not None}
