"""The CF-compliant Dataset of a current that was derived from a height: names, units, coordinates and comments.

References
----------
Eaton et al., NetCDF Climate and Forecast (CF) Metadata Conventions, version 1.11, sections 3.3, 3.4 and 7.3.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from xr_dip.cf.cell_methods import REALIZATION, ensemble_label
from xr_dip.cf.coordinates import metadata, related_variables
from xr_dip.cf.dataset import CONVENTIONS, MEMBER, record_dims
from xr_dip.cf.provenance import attribute_text, history_line
from xr_dip.slices import member_std

VELOCITY = "surface_geostrophic_{}_sea_water_velocity"
# Heights above a mean sea level lack the mean current, which the standard name of their velocity says.
ANOMALIES = ("sea_surface_height_above_mean_sea_level", "sea_surface_height_above_sea_level")
OF_ANOMALIES = "_assuming_mean_sea_level_for_geoid"

# Standard name where CF has one of a geostrophic or any current, description, units.
PARTS: dict[str, tuple[str | None, str, str]] = {
    "u": (VELOCITY.format("eastward"), "eastward geostrophic velocity", "m s-1"),
    "v": (VELOCITY.format("northward"), "northward geostrophic velocity", "m s-1"),
    "speed": (None, "geostrophic speed", "m s-1"),
    "vorticity": ("ocean_relative_vorticity", "relative vorticity of the geostrophic velocity", "s-1"),
    "rossby_number": (None, "relative vorticity over the Coriolis parameter", "1"),
    "eke": ("specific_kinetic_energy_of_sea_water", "kinetic energy of the geostrophic velocity", "m2 s-2"),
}


def build_flow(
    height: xr.DataArray,
    dataset: xr.Dataset | None,
    parts: xr.Dataset,
    *,
    averaged: bool,
    comment: str,
    eddy_dim: str | None = None,
) -> xr.Dataset:
    """Assemble the fields of a current, averaged over members or as they are.

    Parameters
    ----------
    height : DataArray
        What they were made from: gives the order of the dimensions, the coordinates and the dtype.
    dataset : Dataset or None
        Where it came from: bounds and grid mapping are looked up there, and its attributes kept.
    parts : Dataset
        Variables among `PARTS`, in their units.
    averaged : bool
        Average over the dimension ``member``, and add the standard deviation over it.
    comment : str
        Where values are missing and what they are of.
    eddy_dim : str, optional
        Dimension whose mean current the energy lacks.

    Returns
    -------
    Dataset
        With ``<key>``, and ``<key>_std`` if averaged; lazy if the parts are.

    Examples
    --------
    >>> height = xr.DataArray([0.0, 0.0], dims="x", name="ssh")
    >>> flow = build_flow(height, None, xr.Dataset({"u": height + 1.0}), averaged=False, comment="")
    >>> flow.u.attrs["standard_name"], flow.u.units
    ('surface_geostrophic_eastward_sea_water_velocity', 'm s-1')
    """
    fields: dict[str, xr.DataArray] = {}
    for key, part in ((str(key), part) for key, part in parts.items()):
        attrs = _attributes(key, height, eddy_dim) | ({"comment": comment} if comment else {})
        if averaged:
            spread = f"{key}_std"
            fields[key] = _labelled(part.mean(MEMBER), height, attrs | _method("mean", spread))
            fields[spread] = _labelled(member_std(part), height, attrs | _method("standard_deviation"))
        else:
            fields[key] = _labelled(part, height, attrs)
    coords = {**related_variables(height, dataset), **{str(key): coord for key, coord in height.coords.items()}}
    if averaged:
        coords.pop(MEMBER, None)
        coords.setdefault(REALIZATION, ensemble_label())
    flow = xr.Dataset({key: field.variable for key, field in fields.items()}, coords)
    flow.encoding["unlimited_dims"] = record_dims(
        height, {str(name): variable for name, variable in flow.variables.items()}
    )
    flow.attrs = _global_attributes(height, {} if dataset is None else dataset.attrs)
    return flow


def _labelled(part: xr.DataArray, height: xr.DataArray, attrs: Mapping[str, str]) -> xr.DataArray:
    """One field in the order and dtype of the height, with attributes and an encoding of its own."""
    field = part.transpose(*[dim for dim in height.dims if dim in part.dims]).astype(height.dtype)
    field.attrs = dict(attrs)
    links = {key: metadata(height.variable, key) for key in ("grid_mapping", "cell_measures")}
    field.encoding = {key: text for key, text in links.items() if text} | {"_FillValue": height.dtype.type(np.nan)}
    return field


def _attributes(key: str, height: xr.DataArray, eddy_dim: str | None) -> dict[str, str]:
    standard_name, long_name, units = PARTS[key]
    if standard_name in (PARTS["u"][0], PARTS["v"][0]) and height.attrs.get("standard_name") in ANOMALIES:
        standard_name = f"{standard_name}{OF_ANOMALIES}"
    if key == "eke" and eddy_dim is not None:
        long_name = f"eddy kinetic energy, of the departure from the geostrophic velocity averaged over {eddy_dim}"
    named = {} if standard_name is None else {"standard_name": standard_name}
    return named | {"long_name": long_name, "units": units}


def _method(method: str, ancillary: str | None = None) -> dict[str, str]:
    """Say what was done over the members, and the variable that says how far they differ."""
    link = {} if ancillary is None else {"ancillary_variables": ancillary}
    return {"cell_methods": f"realization: {method}"} | link


def _global_attributes(height: xr.DataArray, inherited: Mapping[str, object]) -> dict[str, object]:
    earlier = attribute_text(inherited, "history") or attribute_text(height.attrs, "history")
    return {
        **inherited,
        "Conventions": CONVENTIONS,
        "title": f"geostrophic currents of {height.attrs.get('long_name', height.name)}",
        "history": history_line(f"currents, {height.name}", earlier),
    }
