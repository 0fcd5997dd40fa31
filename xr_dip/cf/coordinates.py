"""Coordinates of the output: those of the fine and the coarse grid, and what else the source carries.

Bounds are named by attributes, as CF and cf-xarray read them. Nothing here computes: lazy coordinates stay lazy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.cf.horizontal import Horizontal
from xr_dip.cf.projection import is_plane
from xr_dip.cf.refined import coarse_coords, fine_coords

# They describe packed or coarse values, or are set again here, so a carried coordinate would lie with them.
STALE = (
    *("valid_min", "valid_max", "valid_range", "actual_range", "missing_value", "bounds", "climatology"),
    "GeoTransform",
)
LINKS = ("bounds", "climatology")


def output_coordinates(
    source: xr.DataArray,
    horizontal: Horizontal,
    factor: tuple[int, int],
    extra: Mapping[str, xr.Variable] | None = None,
) -> dict[str, xr.Variable]:
    """Gather the coordinates of the fine and the coarse grid, and every other one of the source.

    Parameters
    ----------
    source : DataArray
        Its coordinates on horizontal dimensions, other than latitude and longitude, go to the coarse grid as
        ``<name>_coarse``: nothing is known of them between its cells.
    horizontal : Horizontal
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    extra : mapping of str to Variable, optional
        As from `related_variables`.

    Returns
    -------
    dict of str to Variable
        Without fill values and packing, links only to what is there.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> axes = {"lat": ("lat", [40.0, 41.0]), "lon": ("lon", [5.0, 6.0, 7.0]), "depth": 0.5}
    >>> ssh = xr.DataArray(np.zeros((2, 3)), axes, ("lat", "lon"))
    >>> coords = output_coordinates(ssh, find_horizontal(ssh), (2, 2))
    >>> coords["lat"].values, coords["lat_coarse"].dims, coords["depth"].item()
    (array([39.75, 40.25, 40.75, 41.25]), ('lat_coarse',), 0.5)
    """
    available = {**(extra or {}), **{str(name): coord.variable for name, coord in source.coords.items()}}
    carried = _carry(source, horizontal, available)
    coarse = {name: _as_angle(name, variable) for name, variable in coarse_coords(horizontal).items()}
    fine = fine_coords(horizontal, factor)
    sizes = {str(dim): size for variable in fine.values() for dim, size in variable.sizes.items()}
    coords = {**{name: _with_own_dims(variable, sizes) for name, variable in carried.items()}, **coarse, **fine}
    linked = {name: _link(variable, coords) for name, variable in coords.items()}
    bounds = {variable.attrs[link] for variable in linked.values() for link in LINKS if link in variable.attrs}
    return {name: variable if name in bounds else _describe(name, variable) for name, variable in linked.items()}


def related_variables(source: xr.DataArray, dataset: xr.Dataset | None) -> dict[str, xr.Variable]:
    """Find the variables of a Dataset that the metadata of one of its arrays names: grid mapping and bounds.

    They do not travel with ``dataset[name]`` unless they are coordinates of it, so the output would lose them.

    Parameters
    ----------
    source : DataArray
    dataset : Dataset or None
        The Dataset that the array came from.

    Returns
    -------
    dict of str to Variable

    Examples
    --------
    >>> ds = xr.Dataset({"ssh": ("x", [0.0], {"grid_mapping": "crs"}), "crs": ((), 0)})
    >>> list(related_variables(ds.ssh, ds))
    ['crs']
    """
    if dataset is None:
        return {}
    texts = [metadata(source.variable, "grid_mapping")]
    texts += [metadata(coord.variable, link) for coord in source.coords.values() for link in LINKS]
    names = [name for text in texts for name in re.findall(r"\w+", text)]
    return {name: dataset.variables[name] for name in names if name in dataset.variables and name not in source.coords}


def metadata(variable: xr.Variable, key: str) -> str:
    """Read an attribute that xarray may have moved to the encoding; empty if there is none.

    Parameters
    ----------
    variable : Variable
    key : str

    Returns
    -------
    str

    Examples
    --------
    >>> metadata(xr.Variable((), 0, {}, {"grid_mapping": "crs"}), "grid_mapping")
    'crs'
    """
    return str(variable.attrs.get(key) or variable.encoding.get(key) or "")


def is_time(variable: xr.Variable) -> bool:
    """Tell whether a variable holds dates, of NumPy or of cftime.

    Parameters
    ----------
    variable : Variable

    Returns
    -------
    bool

    Examples
    --------
    >>> is_time(xr.Variable("time", np.array(["2009-07-01"], "datetime64[ns]")))
    True
    """
    return _calendar(variable) is not None


def _calendar(variable: xr.Variable) -> str | None:
    """Calendar of dates, those of NumPy and of cftime; None if a variable holds none."""
    if "calendar" in variable.encoding:
        return str(variable.encoding["calendar"])
    if not isinstance(variable.dtype, np.dtype):  # intervals, periods and categories of pandas
        return None
    if np.issubdtype(variable.dtype, np.datetime64):
        return "standard"
    if variable.dtype == object and variable.size and variable.chunks is None:
        return getattr(variable.values.flat[0], "calendar", None)
    return None


def _carry(
    source: xr.DataArray, horizontal: Horizontal, variables: Mapping[str, xr.Variable]
) -> dict[str, xr.Variable]:
    """Clean all variables but the horizontal coordinates, those on horizontal dimensions moved to the coarse ones."""
    own = {horizontal.latitude_name, horizontal.longitude_name}
    refined = own | {line.name for line in horizontal.lines}
    bounds = {metadata(source.coords[name].variable, "bounds") for name in refined if name in source.coords}
    # A grid mapping is not that of coordinates which are not refined; that of the grid is written anew.
    mappings = {name for name, variable in variables.items() if is_plane(variable.attrs)}
    replaced = own | bounds | mappings
    coarse = {dim: f"{dim}_coarse" for dim in (horizontal.y_dim, horizontal.x_dim)}
    kept = {name: variable for name, variable in variables.items() if name not in replaced}
    return {
        name if coarse.keys().isdisjoint(variable.dims) else f"{name}_coarse": _clean(variable, coarse)
        for name, variable in kept.items()
    }


def _with_own_dims(variable: xr.Variable, sizes: Mapping[str, int]) -> xr.Variable:
    """Rename dimensions that the fine grid has with another size: that of its corners may be that of bounds of time."""
    renamed = variable.copy(deep=False)
    renamed.dims = tuple(
        dim if sizes.get(str(dim), size) == size else f"{dim}_{size}" for dim, size in variable.sizes.items()
    )
    return renamed


def _clean(variable: xr.Variable, coarse: Mapping[str, str]) -> xr.Variable:
    """Copy a variable without packing, fill value and stale attributes; dates keep the units of the source."""
    clean = variable.to_base_variable()
    clean.dims = tuple(coarse.get(str(dim), dim) for dim in variable.dims)
    moved = clean.dims != variable.dims
    clean.attrs = {
        key: value
        for key, value in variable.attrs.items()
        # A second latitude, longitude or axis in the file would be ambiguous.
        if (key in ("long_name", "units") if moved else key not in STALE and not key.startswith("_"))
    }
    if moved and str(clean.attrs.get("units", "")).startswith("degree"):
        clean.attrs["units"] = "degrees"  # in degrees north it would be a latitude of the file, see `_as_angle`
    if not moved:
        clean.attrs |= {link: text for link in LINKS if (text := metadata(variable, link))}
    clean.encoding = _encode_dates(variable) if is_time(variable) else {}
    return clean


def _encode_dates(variable: xr.Variable) -> dict[str, Any]:
    """Keep how the source counts its dates: unit, calendar, and whether in whole numbers."""
    encoding = {key: variable.encoding[key] for key in ("units", "calendar") if key in variable.encoding}
    if np.issubdtype(variable.encoding.get("dtype", np.int64), np.floating):
        encoding["dtype"] = np.dtype("float64")
    if metadata(variable, "bounds"):
        # Otherwise xarray would count a time and its bounds from different dates.
        encoding.setdefault("units", "seconds since 1970-01-01")
    return encoding


def _link(variable: xr.Variable, coords: Mapping[str, xr.Variable]) -> xr.Variable:
    """Copy a coordinate, without fill value (CF 1.11, section 2.5.1) and without links that lead nowhere."""
    linked = variable.copy(deep=False)
    linked.attrs = {key: value for key, value in variable.attrs.items() if key not in LINKS or value in coords}
    linked.encoding = {**variable.encoding, "_FillValue": None}
    return linked


def _as_angle(name: str, variable: xr.Variable) -> xr.Variable:
    """Leave only the dimension coordinates of the coarse grid in degrees north and east.

    Readers and the CF checker take every variable in these units for a latitude or longitude of the file, and one that
    is neither a dimension nor named as such for a faulty one.
    """
    if variable.dims == (name,):
        return variable
    angle = variable.copy(deep=False)
    angle.attrs = {**variable.attrs, "units": "degrees"}
    return angle


def _describe(name: str, variable: xr.Variable) -> xr.Variable:
    """Add what CF asks of a coordinate and the source did not say: a name to read, and what its dates count."""
    described = variable.copy(deep=False)
    if "standard_name" not in variable.attrs:
        described.attrs.setdefault("long_name", name)
        if is_time(variable) and variable.dims == (name,):
            described.attrs["standard_name"] = "time"
    if _calendar(variable) in ("standard", "gregorian", "proleptic_gregorian", "julian"):
        # Section 4.4.1: these calendars could have leap seconds, the dates of xarray have none.
        described.attrs["units_metadata"] = "leap_seconds: none"
    return described
