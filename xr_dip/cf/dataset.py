"""The CF-compliant Dataset that a downscaling returns: names, attributes and encodings.

A plain ``to_netcdf()`` writes it as it is. The grid mapping and the cell areas are named in the encoding of the fields,
as ``xr.open_dataset(..., decode_coords="all")`` does it, or xarray would list their targets as auxiliary coordinates.
Nothing here computes: dask-backed fields stay lazy.

References
----------
Eaton et al., NetCDF Climate and Forecast (CF) Metadata Conventions, version 1.11, sections 2.6, 3.4, 3.5, 7.1 to 7.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from xr_dip.cf.cell_methods import LABEL, REALIZATION, cell_methods, drop_ensemble_label, ensemble_label
from xr_dip.cf.coordinates import is_time, metadata, output_coordinates, related_variables
from xr_dip.cf.horizontal import Horizontal
from xr_dip.cf.provenance import attribute_text, configuration_hash, configuration_json, history_line, source_line
from xr_dip.interpolation import CHANGE_BLOCK_MEANS
from xr_dip.sea import FLAG_MASKS, FLAG_MEANINGS

__all__ = ["build_dataset", "related_variables", "variable_name"]

CONVENTIONS = "CF-1.11"
MEMBER = "member"
REFERENCES = (
    "Archambault, Filoche, Charantonis, Bereziat (2022), Unlearned downscaling of sea surface height with deep image "
    "prior; "
    "Geiss, Hardin (2023), Strictly enforcing invertibility and conservation in CNN-based super resolution for "
    "scientific datasets, https://doi.org/10.1175/AIES-D-21-0012.1"
)
# Statements that stay true of a product made from the input, or that its licence asks to keep.
INHERITED = ("institution", "credit", "license", "licence")


@dataclass(frozen=True)
class _Part:
    """What one output variable is called and says; its units are given, or those of the source."""

    name: str
    long_name: str
    cell_methods: str = ""
    where: Literal["fine", "coarse", "nowhere"] = "fine"
    units: str | None = "source"


_PARTS = {
    "mean": _Part("{}_mean", "ensemble mean of {}", "realization: mean"),
    "std": _Part("{}_std", "standard error of {}", "realization: standard_deviation"),
    "fit_std": _Part("{}_fit_std", "raw spread of the fits of {}", "realization: standard_deviation"),
    "ensemble_std": _Part(
        "{}_ensemble_std",
        "spread between members, of their means over latents, of {}",
        "realization: standard_deviation",
    ),
    "latent_std": _Part(
        "{}_latent_std", "spread over latents, root mean square over members, of {}", "realization: root_mean_square"
    ),
    "members": _Part("{}_members", "ensemble members of {}"),
    "flag": _Part("{}_flag", "status of {}"),
    "conservation_error": _Part(
        "conservation_error", "coarse mean of the estimate minus the input, {}", where="coarse"
    ),
    "fit_residual": _Part("fit_residual", "coarse mean of the raw ensemble mean minus the input, {}", where="coarse"),
    "predicted_rmse": _Part("predicted_rmse", "predicted root mean square error of {}", where="nowhere"),
    "predicted_skill": _Part(
        "predicted_skill", "predicted reduction of the error of bicubic interpolation", where="nowhere", units="1"
    ),
    "seam_ratio": _Part(
        "seam_ratio", "gradient at seams of tiles over that elsewhere, each against bicubic", where="nowhere", units="1"
    ),
    "blend_weight": _Part("blend_weight", "weight of the fits beside kriging", where="nowhere", units="1"),
    "front_weight": _Part("front_weight", "weight of kriging along fronts", where="nowhere", units="1"),
    "iterations": _Part("iterations", "mean number of iterations of the fits", where="nowhere", units="1"),
}
_SINGLE = _Part("{}_mean", "downscaled {}")


def build_dataset(
    source: xr.DataArray,
    horizontal: Horizontal,
    factor: tuple[int, int],
    fields: Mapping[str, xr.Variable],
    *,
    configuration: Mapping[str, object],
    totals: Mapping[str, float],
    method: str,
    extra: Mapping[str, xr.Variable] | None = None,
    source_attributes: Mapping[str, object] | None = None,
) -> xr.Dataset:
    """Assemble the fields of a downscaling into a Dataset that passes the CF checker.

    Parameters
    ----------
    source : DataArray
        The coarse input; it gives the name, the standard name, the units, the order of the dimensions and every other
        coordinate, see `xr_dip.cf.coordinates.output_coordinates`.
    horizontal : Horizontal
        Its horizontal dimensions and grid.
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    fields : mapping of str to Variable
        Keys among mean, std, fit_std, ensemble_std, latent_std, members, flag (dimensions: the leading ones of the
        source, then ``member`` for members, then y and x of the fine grid), conservation_error and fit_residual
        (``<y>_coarse``, ``<x>_coarse``).
        Values in the units of the source; dask-backed ones are not computed. Any other key names a diagnostic on
        leading dimensions only.
    configuration : mapping
        Every option of the run, as plain values; written as JSON with its hash.
    totals : mapping of str to float
        Scalar diagnostics, written as attributes ``xr_dip_<name>``.
    method : str
        One phrase that says how the fine field was made.
    extra : mapping of str to Variable, optional
        Variables that the metadata of the source names, see `xr_dip.cf.coordinates.related_variables`.
    source_attributes : mapping, optional
        Global attributes of the Dataset that the source came from: its history, source and licence are kept.

    Returns
    -------
    Dataset
        Variables ``<name>_mean`` and so on, ``conservation_error`` and ``fit_residual``.

    Raises
    ------
    ValueError
        If a dimension of a field is unknown, or the name or a coordinate of the source cannot be used.

    See Also
    --------
    xr_dip.cf.coordinates.related_variables : what to give as ``extra``.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> axes = {"lat": ("lat", [40.0, 41.0]), "lon": ("lon", [5.0, 6.0, 7.0])}
    >>> ssh = xr.DataArray(np.zeros((2, 3)), axes, ("lat", "lon"), name="ssh", attrs={"units": "m"})
    >>> fine = {"mean": xr.Variable(("lat", "lon"), np.zeros((4, 6), "float32"))}
    >>> out = build_dataset(
    ...     ssh, find_horizontal(ssh), (2, 2), fields=fine, configuration={}, totals={}, method="repetition"
    ... )
    >>> out.ssh_mean.attrs["long_name"], out.ssh_mean.attrs["units"], out.Conventions
    ('downscaled ssh', 'm', 'CF-1.11')
    """
    name = variable_name(source)
    source = drop_ensemble_label(source)
    coords = output_coordinates(source, horizontal, factor, extra)
    parts = {key: _part(key, fields) for key in sorted(fields, key=_rank)}
    if any(REALIZATION in part.cell_methods for part in parts.values()):
        coords |= _label_ensemble(fields.get("members"))
    links = _links(source, horizontal, coords)
    methods = cell_methods(source, horizontal, points=configuration.get("method") in CHANGE_BLOCK_MEANS)
    variables = {
        part.name.format(name): _variable(source, horizontal, fields[key], part, links, methods)
        for key, part in parts.items()
    }
    _link_ancillary(name, variables)
    _qualify(variables, name, configuration)
    attributes = _global_attributes(source, factor, method, configuration, totals, source_attributes or {})
    out = xr.Dataset(variables, coords, attributes)
    out.encoding["unlimited_dims"] = record_dims(source, coords)
    return out


def record_dims(source: xr.DataArray, coords: Mapping[str, xr.Variable]) -> set[str]:
    """Name the record dimension: files can be joined along it, and the checker accepts members between time and space.

    Parameters
    ----------
    source : DataArray
    coords : mapping of str to Variable
        Of the output.

    Returns
    -------
    set of str
        The first dimension, if it is a time; classic formats have no other record dimension.

    Examples
    --------
    >>> times = {"time": xr.Variable("time", np.array(["2009-07-01"], "datetime64[ns]"))}
    >>> [record_dims(xr.DataArray([[0.0]], dims=dims), times) for dims in (("time", "x"), ("x", "time"))]
    [{'time'}, set()]
    """
    first = {str(dim) for dim in source.dims[:1]}
    return {dim for dim in first if dim in coords and is_time(coords[dim])}


def variable_name(source: xr.DataArray) -> str:
    """Name of the field, after a check that the names of the output are free.

    Call it before anything is computed.

    Parameters
    ----------
    source : DataArray
        Of any dimensions and unit.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the array has no name that a file can hold, or a dimension or coordinate of a name that the output needs:
        ``member``, ``realization`` (but for that of a result), ``nv``, ``nvertex``, ``<dim>_coarse``, or that of one of
        its variables.

    Examples
    --------
    >>> variable_name(xr.DataArray([1.0], name="ssh"))
    'ssh'
    """
    if not isinstance(source.name, str) or not source.name or "/" in source.name:
        raise ValueError(
            f"Invalid name {source.name!r} of the DataArray. It must be a text without '/', the output is named after "
            "it: use `.rename('ssh')`."
        )
    needed = {MEMBER, REALIZATION, "nv", "nvertex", *(f"{dim}_coarse" for dim in source.dims)}
    needed |= {part.name.format(source.name) for part in _PARTS.values()}
    taken = needed & {str(key) for key in (*source.dims, *drop_ensemble_label(source).coords)}
    if taken:
        raise ValueError(
            f"Invalid dimension or coordinate {sorted(taken)} of {source.name!r}. It must have another name, the "
            f"output uses it for its own: use `.rename({{{min(taken)!r}: 'input_{min(taken)}'}})`, or drop it."
        )
    return source.name


def _rank(key: str) -> int:
    """Order the table first, then the diagnostics as they come."""
    return [*_PARTS].index(key) if key in _PARTS else len(_PARTS)


def _part(key: str, fields: Mapping[str, xr.Variable]) -> _Part:
    """Describe one field; without an ensemble the mean is no mean."""
    if key == "mean" and fields.keys().isdisjoint(("fit_std", "members")):
        return _SINGLE
    return _PARTS.get(key, _Part(key, key.replace("_", " "), where="nowhere", units=None))


def _label_ensemble(members: xr.Variable | None) -> dict[str, xr.Variable]:
    """Label what cell methods call realizations, and the members of an ensemble."""
    coords = {REALIZATION: ensemble_label()}
    if members is not None:
        numbers = np.arange(members.sizes[MEMBER], dtype=np.int32)
        coords[MEMBER] = xr.Variable((MEMBER,), numbers, LABEL | {"long_name": "ensemble member"})
    return coords


def _variable(
    source: xr.DataArray,
    horizontal: Horizontal,
    values: xr.Variable,
    part: _Part,
    links: Mapping[str, str],
    methods: str,
) -> xr.Variable:
    """Give one field the order of the source, and attributes and an encoding of its own."""
    order = _order(source, horizontal, part)
    if not set(values.dims) <= set(order):
        raise ValueError(
            f"Invalid dimensions {values.dims} of {part.name.format(source.name)!r}. They must be among {order}."
        )
    variable = values.transpose(*[dim for dim in order if dim in values.dims])
    variable.attrs = _attributes(source, part, methods)
    variable.encoding = dict(links) if part.where == "fine" else {}
    if np.issubdtype(variable.dtype, np.floating):
        variable.encoding["_FillValue"] = variable.dtype.type(np.nan)
    return variable


def _order(source: xr.DataArray, horizontal: Horizontal, part: _Part) -> list[str]:
    """List the dimensions as in the source, the member left of the horizontal ones as CF recommends (section 2.4)."""
    dims = [str(dim) for dim in source.dims]
    spatial = (horizontal.y_dim, horizontal.x_dim)
    dims.insert(min(dims.index(dim) for dim in spatial), MEMBER)
    if part.where == "nowhere":
        return [dim for dim in dims if dim not in spatial]
    return [f"{dim}_coarse" if part.where == "coarse" and dim in spatial else dim for dim in dims]


def _attributes(source: xr.DataArray, part: _Part, methods: str) -> dict[str, Any]:
    """Describe a field; what its source says of itself is kept where it is true of the field, too."""
    attrs: dict[str, Any] = {"long_name": part.long_name.format(_long_name(source))}
    if part == _PARTS["flag"]:
        masks = np.array(FLAG_MASKS, np.int8)
        return attrs | {"standard_name": "status_flag", "flag_masks": masks, "flag_meanings": FLAG_MEANINGS}
    units = source.attrs.get("units") if part.units == "source" else part.units
    if units is not None:
        attrs["units"] = units
    if part.where == "fine":
        attrs |= {key: source.attrs[key] for key in ("standard_name", "comment") if key in source.attrs}
        attrs["cell_methods"] = f"{methods} {part.cell_methods}".strip()
    return attrs


def _long_name(source: xr.DataArray) -> str:
    return str(source.attrs.get("long_name", source.name))


def _links(source: xr.DataArray, horizontal: Horizontal, coords: Mapping[str, xr.Variable]) -> dict[str, str]:
    """Name the grid mapping and the cell areas in the encoding, where they are there."""
    links = {}
    mapping = horizontal.mapping_name or metadata(source.variable, "grid_mapping")
    if mapping and set(re.findall(r"\w+", mapping)) <= set(coords):
        links["grid_mapping"] = mapping
    areas = [name for name, variable in coords.items() if variable.attrs.get("standard_name") == "cell_area"]
    if areas:
        links["cell_measures"] = f"area: {areas[0]}"
    return links


def _link_ancillary(name: str, variables: Mapping[str, xr.Variable]) -> None:
    """Name the spread and the flags in the attributes of the mean and the members."""
    spreads = ("std", "fit_std", "ensemble_std", "latent_std", "flag")
    helpers = [key for key in (f"{name}_{spread}" for spread in spreads) if key in variables]
    for key in (f"{name}_mean", f"{name}_members"):
        if key in variables and helpers:
            variables[key].attrs["ancillary_variables"] = " ".join(helpers)


def _qualify(variables: Mapping[str, xr.Variable], name: str, configuration: Mapping[str, object]) -> None:
    """Say where a spread is no calibrated error, and where coarse values are no block means."""
    constraint, operator = (str(configuration.get(key, "")) for key in ("constraint", "operator"))
    std = variables.get(f"{name}_std")
    if std is not None and constraint not in ("", "optimal"):
        _comment(std, f"Spread of the members after the constraint {constraint!r}: not calibrated.")
    for key in ("conservation_error", "fit_residual"):
        if key in variables and operator not in ("", "block_mean"):
            _comment(variables[key], f"Coarse values are those of the operator {operator!r}, see xr_dip_configuration.")


def _comment(variable: xr.Variable, text: str) -> None:
    variable.attrs["comment"] = f"{variable.attrs.get('comment', '')} {text}".strip()


def _global_attributes(
    source: xr.DataArray,
    factor: tuple[int, int],
    method: str,
    configuration: Mapping[str, object],
    totals: Mapping[str, float],
    inherited: Mapping[str, object],
) -> dict[str, Any]:
    """Who made this from what, and how."""
    attrs: dict[str, Any] = {
        "Conventions": CONVENTIONS,
        "title": f"{_long_name(source)}, downscaled by {factor[0]} x {factor[1]} with xr_dip",
    }
    attrs |= {key: text for key in INHERITED if (text := attribute_text(inherited, key))}
    earlier = attribute_text(inherited, "history") or attribute_text(source.attrs, "history")
    attrs["source"] = source_line(method, attribute_text(inherited, "source"))
    attrs["history"] = history_line(f"{method}, {source.name}, factor=({factor[0]}, {factor[1]})", earlier)
    attrs["references"] = REFERENCES
    attrs["xr_dip_configuration"] = configuration_json(configuration)
    attrs["xr_dip_configuration_sha256"] = configuration_hash(configuration)
    return attrs | {f"xr_dip_{key}": float(value) for key, value in totals.items()}
