"""The parts of a result by what they are: variables, configuration, and the coarse field that it was made from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr

from xr_dip.cf.cell_methods import drop_ensemble_label
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.cf.summary import configuration_in, why_not_enforced
from xr_dip.coarsening import coarsen, fine_weights
from xr_dip.observation import BLOCK_MEAN
from xr_dip.sea import Flag
from xr_dip.whole_cells import Indices, find_cells

KNOWN_WEIGHTS = ("equal", "area")
"""Weights that a result names; any others it does not hold."""


def source_name(result: xr.Dataset, name: Hashable | None = None) -> str:
    """Name of what a result was made from.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` or `xr_dip.interpolate` returns it.
    name : str, optional
        One of several; by default the only one.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If it is no Dataset, such as one variable of it.
    ValueError
        If there is no such name, or are several and none was given, or the Dataset is no result.

    Examples
    --------
    >>> source_name(xr.Dataset({"ssh_mean": 0.0, "ssh_std": 0.1}))
    'ssh'
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(f"Invalid result of type {type(result).__name__}. It must be the Dataset that xr_dip returned.")
    names = [str(key).removesuffix("_mean") for key in result.data_vars if str(key).endswith("_mean")]
    if not names:
        raise ValueError(
            f"Invalid Dataset with the variables {[str(key) for key in result.data_vars]}. It must be a result of "
            "xr_dip, which has '<name>_mean'."
        )
    if (name is None and len(names) != 1) or (name is not None and name not in names):
        raise ValueError(f"Invalid name {name!r}. It must be one of {names}, for which the result has '<name>_mean'.")
    return names[0] if name is None else str(name)


def part_of(result: xr.Dataset, name: str, key: str) -> xr.DataArray | None:
    """One part of a result, or None where it has no such part.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` or `xr_dip.interpolate` returns it.
    name : str
        What it was made from.
    key : str
        Such as "mean", "std", "members", "conservation_error", "predicted_rmse".

    Returns
    -------
    DataArray or None

    Examples
    --------
    >>> result = xr.Dataset({"adt_mean": 0.0, "sla_mean": 0.0, "adt_iterations": 120.0, "seam_ratio": 1.0})
    >>> [None if part is None else part.name for part in (part_of(result, "adt", key) for key in
    ...  ("mean", "std", "iterations", "seam_ratio"))]
    ['adt_mean', None, 'adt_iterations', 'seam_ratio']
    """
    for candidate in (f"{name}_{key}", key):
        if candidate in result.data_vars:
            return result[candidate]
    return None


def block_errors(
    result: xr.Dataset, name: Hashable | None = None, key: str = "conservation_error"
) -> xr.DataArray | None:
    """Errors of the block means of a result, or None where it has none.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` or `xr_dip.interpolate` returns it.
    name : str, optional
        What it was made from, where it is of several variables.
    key : {"conservation_error", "fit_residual"}
        Of the estimate, or of the mean of the fits before anything was enforced.

    Returns
    -------
    DataArray or None
        On the coarse grid, in the unit of the field.

    Raises
    ------
    ValueError
        If the errors are of several variables and no name was given.

    Examples
    --------
    >>> block_errors(xr.Dataset({"conservation_error": 0.0})).item(), block_errors(xr.Dataset({"ssh_mean": 0.0}))
    (0.0, None)
    """
    if name is None and sum(str(variable).endswith(key) for variable in result.data_vars) <= 1:
        return result.get(key)
    return part_of(result, source_name(result, name), key)


def configuration_of(result: xr.Dataset, name: str) -> Mapping[str, object]:
    """Every option that one variable of a result was made with.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` or `xr_dip.interpolate` returns it.
    name : str
        What it was made from.

    Returns
    -------
    mapping

    Raises
    ------
    ValueError
        If the Dataset is no result.

    Examples
    --------
    >>> configuration_of(xr.Dataset(attrs={"xr_dip_configuration": '{"ssh": {"seed": 0}}'}), "ssh")
    {'seed': 0}
    """
    configuration = configuration_in(result)
    own = configuration.get(name)
    return own if isinstance(own, Mapping) else configuration


def coarse_input(result: xr.Dataset, name: str) -> xr.DataArray | None:
    """Coarse field that a result was made from: the coarse values of the estimate, less their errors.

    Parameters
    ----------
    result : Dataset
        Lazy in, lazy out.
    name : str
        What it was made from.

    Returns
    -------
    DataArray or None
        On the coarse grid, in the unit of the field; NaN where there was no value, with an estimate or without. None if
        it was made with weights or a kernel of the user that it does not hold, or if its fine cells are not those of
        whole coarse cells that it has, as in a window that begins within one.

    Raises
    ------
    ValueError
        If the Dataset is no result.

    Examples
    --------
    >>> import xr_dip
    >>> coarse = xr_dip.synthetic.gulf_stream((8, 12)).ssh
    >>> found = coarse_input(xr_dip.interpolate(coarse, 2), "ssh")
    >>> bool(abs(found.values - coarse.values).max() < 1e-12)
    True
    """
    configuration = configuration_of(result, name)
    weights = str(configuration["weights"])
    seen = _operator_of(configuration)
    if weights not in KNOWN_WEIGHTS or seen is None:
        return None
    mean = drop_ensemble_label(result[f"{name}_mean"])
    horizontal = find_horizontal(mean, dataset=result)
    along_y, along_x = cast(Sequence[int], configuration["factor"])
    if mean.sizes[horizontal.y_dim] % along_y or mean.sizes[horizontal.x_dim] % along_x:
        return None
    cells = find_cells(result, mean, horizontal, (along_y, along_x))
    errors_are_known = part_of(result, name, "conservation_error") is not None or not why_not_enforced(configuration)
    if cells is None or not errors_are_known:
        return None
    areas = fine_weights(mean, weights, horizontal)
    dims: dict[str, Any] = {"y_dim": horizontal.y_dim, "x_dim": horizontal.x_dim}
    coarse, _ = coarsen(_constrained(result, name, mean), (along_y, along_x), weights=areas, **dims, **seen)
    return (
        (coarse - _errors_on(result, name, mean, horizontal, cells))
        .rename(name)
        .assign_attrs(mean.attrs)
        .transpose(*mean.dims)
    )


def _operator_of(configuration: Mapping[str, object]) -> dict[str, Any] | None:
    """Return how coarse values come from fine ones; None where a result does not hold all that they come from."""
    operator = str(configuration.get("operator", BLOCK_MEAN))
    options = dict(cast(Mapping[str, Any], configuration.get("operator_options") or {}))
    if operator == BLOCK_MEAN:
        return {}
    if isinstance(options.get("kernel"), Mapping):
        return None
    return {"operator": operator, "operator_options": options, "periodic": bool(configuration["periodic"])}


def choose_truth(
    known: xr.Dataset, result: xr.Dataset, name: Hashable | None = None, truth_name: Hashable | None = None
) -> xr.DataArray:
    """Find the truth of a result among the variables of a file.

    Parameters
    ----------
    known : Dataset
        What the file holds.
    result : Dataset
    name : str, optional
        What the result was made from, where it is of several variables.
    truth_name : str, optional
        Variable of `known`; by default that of the name of the source, or else the only one that is a field.

    Returns
    -------
    DataArray
        On dimensions and in a unit of its own, see `xr_dip.matching.place_on`.

    Raises
    ------
    ValueError
        If there is no such variable, or none can be chosen.

    Examples
    --------
    >>> known = xr.Dataset({"zos": (("y", "x"), [[0.5]]), "crs": 0})
    >>> choose_truth(known, xr.Dataset({"ssh_mean": 0.0})).name
    'zos'
    """
    source = source_name(result, name)
    fields = [key for key, variable in known.data_vars.items() if variable.ndim >= 2]
    likely = source if source in known.data_vars else fields[0] if len(fields) == 1 else None
    chosen = likely if truth_name is None else truth_name
    if chosen not in known.data_vars:
        wanted = source if truth_name is None else truth_name
        raise ValueError(f"Invalid truth without a variable {wanted!r}. It must be named: one of {fields}.")
    return known[chosen]


def _constrained(result: xr.Dataset, name: str, mean: xr.DataArray) -> xr.DataArray:
    """Leave out the estimates that no coarse value constrains: they are no part of any."""
    flag = part_of(result, name, "flag")
    if flag is None:
        return mean
    if flag.dtype.kind == "f":  # with times that are missing, or of an average, which is no sum of flags
        flag = flag.where(flag == flag.round(), 0.0)
    return mean.where((flag.variable.astype(np.int8) & Flag.extrapolated) == 0)


def _errors_on(
    result: xr.Dataset, name: str, mean: xr.DataArray, horizontal: Horizontal, cells: Indices
) -> xr.DataArray:
    """Errors of the coarse values of some cells, on the dimensions of the estimate; NaN without value, 0 if unknown."""
    error = part_of(result, name, "conservation_error")
    if error is None:  # of an estimate that keeps them, see `coarse_input`
        return xr.DataArray(0.0)
    dims = (horizontal.y_dim, horizontal.x_dim)
    # `Dataset.where` with a condition on fine cells repeats the coarse ones along them.
    alone = error.mean([dim for dim in dims if dim in error.dims])
    bare = alone.drop_vars([key for key in alone.coords if key not in mean.dims]).isel(cells)
    return bare.rename({f"{dim}_coarse": dim for dim in dims})
