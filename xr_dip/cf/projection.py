"""The map projection of a field: its coordinates x and y, its grid mapping, and what pyproj makes of it.

References
----------
Eaton et al., NetCDF Climate and Forecast (CF) Metadata Conventions, version 1.11, section 5.6 and appendix F.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import xarray as xr
from pyproj.exceptions import CRSError

from xr_dip.cf.positions import METRES, candidates, is_projection

X_NAMES = ["x", "xc", "xt", "easting", "x_coordinate"]
Y_NAMES = ["y", "yc", "yt", "northing", "y_coordinate"]

TEXTS = ("proj4", "proj4_string", "proj4text", "proj4_params", "proj_params")
"""Attributes in which producers write a PROJ text beside those of CF."""

OF_THE_FILE = ("_FillValue", "missing_value", "GeoTransform")
"""Attributes that say nothing of the plane, but of the file; the last one gives its coarse cells, for GDAL."""

FIGURE = (
    "earth_radius",
    "semi_major_axis",
    "reference_ellipsoid_name",
    "horizontal_datum_name",
    "crs_wkt",
    "spatial_ref",
)
"""Attributes of which one tells the figure of the Earth."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Coordinates of a plane, and where the plane is on Earth.

    Attributes
    ----------
    y_name, x_name : str
    y, x : Variable
        1-D, in a unit of length.
    mapping_name : str or None
        Name of the grid mapping; None if there is none, so that nothing tells where the plane is.
    mapping : Variable or None
        Scalar with the attributes of the grid mapping, completed where CF asks for more.
    """

    y_name: str
    y: xr.Variable
    x_name: str
    x: xr.Variable
    mapping_name: str | None = None
    mapping: xr.Variable | None = None

    def metres(self) -> tuple[float, float]:
        """Units of y and x in metres."""
        first, second = (METRES.get(str(axis.attrs.get("units", "m")).lower(), np.nan) for axis in (self.y, self.x))
        return first, second

    def systems(self) -> dict[str, str]:
        """Well-known texts of the grid mapping, the likeliest first; see `read_mapping`."""
        return {} if self.mapping is None else read_mapping(str(self.mapping_name), self.mapping.attrs)


def find_projection(
    da: xr.DataArray,
    *,
    dims: frozenset[str] = frozenset(),
    y_coord: str | None = None,
    x_coord: str | None = None,
    dataset: xr.Dataset | None = None,
) -> Projection | None:
    """Find the coordinates of a projection, first by standard name, then by name or axis and a unit of length.

    Parameters
    ----------
    da : DataArray
        The field; not computed, not changed.
    dims : frozenset of str, optional
        Dimensions that they must be on.
    y_coord, x_coord : str, optional
        Their names, where known.
    dataset : Dataset, optional
        The Dataset that the field came from, for its grid mapping.

    Returns
    -------
    Projection or None

    Raises
    ------
    ValueError
        If there is more than one y or x, or a unit that is no length.

    Examples
    --------
    >>> axes = {"y": ("y", [0, 5], {"units": "km"}), "x": ("x", [0, 5], {"units": "km"})}
    >>> find_projection(xr.DataArray([[0.0, 0.0]] * 2, axes, ("y", "x"))).metres()
    (1000.0, 1000.0)
    """
    lines = {name: variable for name, variable in candidates(da, dataset).items() if variable.ndim == 1}
    y = _find_axis(da, lines, "y", y_coord)
    x = _find_axis(da, lines, "x", x_coord)
    if y is None or x is None or lines[y].dims == lines[x].dims or not dims <= {*lines[y].dims, *lines[x].dims}:
        return None
    projection = Projection(y, lines[y], x, lines[x], *find_mapping(da, dataset))
    if np.isnan(projection.metres()).any():
        units = [lines[name].attrs.get("units") for name in (y, x)]
        raise ValueError(f"Invalid units {units} of {y!r} and {x!r}. They must be one of {sorted(METRES)}.")
    return projection


def _find_axis(da: xr.DataArray, lines: Mapping[str, xr.Variable], letter: str, asked: str | None) -> str | None:
    if asked is not None:
        return asked if asked in lines and is_projection(lines[asked]) else None
    names = X_NAMES if letter == "x" else Y_NAMES
    standard = f"projection_{letter}_coordinate"
    by_standard_name = [name for name, line in lines.items() if line.attrs.get("standard_name") == standard]
    by_name = [
        name
        for name, line in lines.items()
        if is_projection(line) and (name.lower() in names or line.attrs.get("axis") == letter.upper())
    ]
    found = by_standard_name or by_name
    if len(found) > 1:
        raise ValueError(
            f"Invalid field {da.name!r} with more than one projection {letter}: {found}. It must have one: choose it "
            f"with {letter}_coord=."
        )
    return found[0] if found else None


def find_mapping(da: xr.DataArray, dataset: xr.Dataset | None) -> tuple[str | None, xr.Variable | None]:
    """Find the grid mapping that the field names, else the only one there is; of a plane, not of the globe.

    Parameters
    ----------
    da : DataArray
    dataset : Dataset or None
        The Dataset that it came from.

    Returns
    -------
    name, mapping : str and Variable, or None

    Examples
    --------
    >>> crs = xr.DataArray(0, attrs={"grid_mapping_name": "mercator"})
    >>> find_mapping(xr.DataArray([0.0], {"crs": crs}, "x"), None)[0]
    'crs'
    """
    everything = {} if dataset is None else {str(name): dataset.variables[name] for name in dataset.variables}
    everything |= {str(name): coord.variable for name, coord in da.coords.items()}
    planes = {name: variable for name, variable in everything.items() if is_plane(variable.attrs)}
    named = re.findall(r"\w+", str(da.attrs.get("grid_mapping") or da.encoding.get("grid_mapping") or ""))
    chosen = [name for name in named if name in planes] or (list(planes) if len(planes) == 1 and not named else [])
    if not chosen:
        return None, None
    return chosen[0], xr.Variable((), np.int32(0), complete_mapping(planes[chosen[0]].attrs))


def is_plane(attrs: Mapping[str, Any]) -> bool:
    """Tell whether attributes are those of a grid mapping other than of latitude and longitude themselves.

    Examples
    --------
    >>> is_plane({"grid_mapping_name": "latitude_longitude"}), is_plane({"grid_mapping_name": "mercator"})
    (False, True)
    """
    known = "grid_mapping_name" in attrs or "crs_wkt" in attrs or "spatial_ref" in attrs
    return known and attrs.get("grid_mapping_name") != "latitude_longitude"


def complete_mapping(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Add to the attributes of a grid mapping what CF asks for: its name, and the pole of a polar stereographic one.

    Parameters
    ----------
    attrs : mapping

    Returns
    -------
    dict
        The name and parameters are those of a well-known text; the pole is that of the standard parallel, or of
        ``lat_0`` in a PROJ text.

    Examples
    --------
    >>> attrs = {"grid_mapping_name": "polar_stereographic", "standard_parallel": -71.0}
    >>> complete_mapping(attrs)["latitude_of_projection_origin"]
    -90.0
    """
    complete = {str(key): value for key, value in attrs.items() if key not in OF_THE_FILE}
    if "grid_mapping_name" not in complete:
        complete = _named_mapping(complete)
    name = "latitude_of_projection_origin"
    if complete.get("grid_mapping_name") == "polar_stereographic" and name not in complete:
        texts = " ".join(str(complete.get(key, "")) for key in TEXTS)
        told = complete.get("standard_parallel", (re.findall(r"lat_0=(\S+)", texts) or [None])[0])
        if told is not None:
            complete[name] = float(np.copysign(90.0, float(told)))
    return complete


def _named_mapping(attrs: dict[str, Any]) -> dict[str, Any]:
    """Spell a well-known text out in the attributes of CF; a text that cannot be read stays alone."""
    try:
        return {**pyproj.CRS.from_cf(attrs).to_cf(), **attrs}
    except CRSError:
        return attrs


def read_mapping(name: str, attrs: Mapping[str, Any]) -> dict[str, str]:
    """Coordinate reference systems that the attributes of a grid mapping describe.

    Parameters
    ----------
    name : str
        Used in messages.
    attrs : mapping

    Returns
    -------
    dict of str to str
        Well-known texts by what they were read from: the attributes of CF, and a PROJ text where there is one, which
        comes first if the attributes of CF do not tell the figure of the Earth.

    Raises
    ------
    ValueError
        If pyproj can read none.

    Examples
    --------
    >>> attrs = {"grid_mapping_name": "mercator", "proj4": "+proj=merc +R=6371000"}
    >>> {key: pyproj.CRS(text).ellipsoid.semi_major_metre for key, text in read_mapping("crs", attrs).items()}
    {'its text proj4': 6371000.0, 'its CF attributes': 6378137.0}
    """
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in attrs.items()}
    texts: dict[str, Any] = {f"its text {key}": str(attrs[key]) for key in TEXTS if key in attrs}
    by_attributes = {"its CF attributes": plain}
    told = any(key in attrs for key in FIGURE)
    found, wrong = {}, []
    for source, description in ({**by_attributes, **texts} if told else {**texts, **by_attributes}).items():
        try:
            system = pyproj.CRS.from_cf(plain) if description is plain else pyproj.CRS(description)
        except (CRSError, KeyError) as error:
            wrong.append(str(error))
            continue
        if system.is_projected:
            found[source] = system.to_wkt()
    if not found:
        raise ValueError(
            f"Invalid grid mapping {name!r}. It must be a map projection that pyproj can read: {wrong or plain}."
        )
    return found
