"""Variables of a Dataset: chosen by name, one or several, and the results of several in one Dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping

import xarray as xr

from xr_dip.cf.positions import find_positions
from xr_dip.cf.provenance import configuration_hash, configuration_json
from xr_dip.cf.summary import CONFIGURATION, PREFIX

Names = Hashable | list[str]


def select_variable(dataset: xr.Dataset, name: Hashable) -> xr.DataArray:
    """One variable of a Dataset.

    Parameters
    ----------
    dataset : Dataset
    name : hashable
        A data variable.

    Returns
    -------
    DataArray

    Raises
    ------
    ValueError
        If there is no such variable; the message lists those there are.

    Examples
    --------
    >>> select_variable(xr.Dataset({"ssh": ("x", [0.5])}), "ssh").item()
    0.5
    """
    if name not in dataset.data_vars:
        raise ValueError(f"Invalid variable {name!r}. It must be among {sorted(map(str, dataset.data_vars))}.")
    return dataset[name]


def apply_to_variables(dataset: xr.Dataset, name: Names, function: Callable[[xr.DataArray], xr.Dataset]) -> xr.Dataset:
    """Apply a function to one variable, or to each of a list on one grid.

    Parameters
    ----------
    dataset : Dataset
    name : hashable or list of str
    function : callable
        From a DataArray to its result, such as `xr_dip.downscale`.

    Returns
    -------
    Dataset
        For a list see `gather`.

    Raises
    ------
    ValueError
        If a variable is not there, a list is empty or names one twice, or they are on several grids.

    Examples
    --------
    >>> ds = xr.Dataset({"adt": ("x", [0.5]), "sla": ("x", [0.2])})
    >>> list(apply_to_variables(ds, ["adt", "sla"], lambda field: field.rename(f"{field.name}_mean").to_dataset()))
    ['adt_mean', 'sla_mean']
    """
    if not isinstance(name, list):
        return function(select_variable(dataset, name))
    if not name or len(set(name)) < len(name):
        raise ValueError(f"Invalid variables {name}. It must name one variable or more, each once.")
    fields = {key: select_variable(dataset, key) for key in name}
    places = {key: _place(field, dataset) for key, field in fields.items()}
    if len(set(places.values())) > 1:
        raise ValueError(f"Invalid variables {name} on several grids. They must be on the same, but are on {places}.")
    return gather({key: function(field) for key, field in fields.items()})


def gather(results: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Put the results of several variables on one grid together.

    Parameters
    ----------
    results : mapping of str to Dataset
        By the name of the variable that each was made from.

    Returns
    -------
    Dataset
        Variables of the same name in several results, such as ``conservation_error``, get the name of theirs in front;
        so do the totals among the attributes. Titles and the lines of the histories come one after the other.

    Examples
    --------
    >>> results = {name: xr.Dataset({f"{name}_mean": 0.0, "iterations": 3.0}) for name in ("adt", "sla")}
    >>> list(gather(results))
    ['adt_mean', 'adt_iterations', 'sla_mean', 'sla_iterations']
    """
    every = [str(key) for result in results.values() for key in result.data_vars]
    renamed = [
        result.rename({key: f"{name}_{key}" for key in result.data_vars if every.count(str(key)) > 1})
        for name, result in results.items()
    ]
    merged = xr.merge(renamed, compat="override", join="override", combine_attrs="override")
    merged.attrs = _attributes(results)
    return merged


def _place(field: xr.DataArray, dataset: xr.Dataset) -> tuple[str, ...]:
    """Name the latitude and longitude of a field, or its last dimensions where it has none."""
    try:
        found = find_positions(field, dataset=dataset)
    except ValueError:  # for the function to say, which may know their names
        found = None
    return tuple(str(dim) for dim in field.dims[-2:]) if found is None else (found[0], found[2])


def _attributes(results: Mapping[str, xr.Dataset]) -> dict[str, object]:
    """Merge global attributes: those of the first, totals of each by name, titles and histories joined."""
    attributes: dict[str, object] = {}
    for name, result in results.items():
        for key, value in result.attrs.items():
            total = key.startswith(PREFIX) and not isinstance(value, str)
            attributes.setdefault(f"{PREFIX}{name}_{key.removeprefix(PREFIX)}" if total else key, value)
    for key, separator in (("title", "; "), ("history", "\n")):
        lines = [line for result in results.values() for line in str(result.attrs.get(key, "")).split("\n") if line]
        if lines:
            attributes[key] = separator.join(dict.fromkeys(lines))
    configurations = {name: result.attrs.get(CONFIGURATION) for name, result in results.items()}
    if len(set(configurations.values())) > 1:
        nested = {name: json.loads(text or "{}") for name, text in configurations.items()}
        attributes |= {
            CONFIGURATION: configuration_json(nested),
            f"{CONFIGURATION}_sha256": configuration_hash(nested),
        }
    return attributes
