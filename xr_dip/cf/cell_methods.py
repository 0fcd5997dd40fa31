"""Cell methods: what the values of a field are of their cells, and of an ensemble.

References
----------
Eaton et al., NetCDF Climate and Forecast (CF) Metadata Conventions, version 1.11, section 7.3 and appendix E.
"""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from xr_dip.cf.coordinates import is_time
from xr_dip.cf.horizontal import Horizontal

AREA = "area"
REALIZATION = "realization"
LABEL = {"standard_name": "realization", "units": "1"}
# A standard error is of the realizations that the coarse values allow, also where no ensemble was fitted.
WHOLE = "all realizations together"
# Names, method, and what is said of it in parentheses.
ENTRY = re.compile(r"((?:\w+:\s*)+)([^:(]*(?:\([^)]*\))?)(?=\s+\w+:|\s*$)")


def cell_methods(source: xr.DataArray, horizontal: Horizontal, *, points: bool) -> str:
    """Keep the cell methods of a source where they can still be read, then say what values are of an area.

    Parameters
    ----------
    source : DataArray
        Coarse field, of any unit.
    horizontal : Horizontal
    points : bool
        Whether values are interpolated between the centres of cells: those of points, no means.

    Returns
    -------
    str
        The left-most was applied first.

    Examples
    --------
    >>> from xr_dip.cf.horizontal import find_horizontal
    >>> axes = {"lat": ("lat", [40.0, 41.0]), "lon": ("lon", [5.0, 6.0, 7.0])}
    >>> ssh = xr.DataArray(np.zeros((2, 3)), axes, ("lat", "lon"), attrs={"cell_methods": "area: mean"})
    >>> [cell_methods(ssh, find_horizontal(ssh), points=points) for points in (False, True)]
    ['area: mean', 'area: point']
    """
    known = _axes(source) | {AREA: AREA}
    said = [
        (re.findall(r"\w+", names), method.strip())
        for names, method in ENTRY.findall(str(source.attrs.get("cell_methods", "")))
    ]
    if not all(name in known for names, _ in said for name in names):
        said = []
    named = [([known[name] for name in names], method) for names, method in said]
    if points:
        spatial = (AREA, horizontal.y_dim, horizontal.x_dim)
        named = [([name for name in names if name not in spatial], method) for names, method in named]
    kept = [" ".join([*(f"{name}:" for name in names), method]) for names, method in named if names]
    if not any(AREA in names for names, _ in named):
        kept.append(f"{AREA}: point" if points else f"{AREA}: mean")
    return " ".join(kept)


def _axes(source: xr.DataArray) -> dict[str, str]:
    """Find what each name in cell methods is of: standard names may stand there for dimensions.

    The output has the names of dimensions, for the CF checker knows no others.
    """
    axes = {}
    for name, coord in sorted(source.coords.items(), key=lambda item: item[0] in source.dims):  # dimensions go last
        if coord.ndim <= 1:
            usual = "time" if is_time(coord.variable) else name
            axes[str(coord.attrs.get("standard_name", usual))] = str(coord.dims[0] if coord.ndim else name)
    return axes | {str(name): str(name) for name in (*source.dims, *source.coords)}


def ensemble_label() -> xr.Variable:
    """Label all realizations together: the scalar coordinate that cell methods of an ensemble or an error name.

    Returns
    -------
    Variable

    Examples
    --------
    >>> ensemble_label().attrs["standard_name"]
    'realization'
    """
    return xr.Variable((), np.int32(0), LABEL | {"long_name": WHOLE})


def drop_ensemble_label(field: xr.DataArray) -> xr.DataArray:
    """Leave out the label of an ensemble, and what cell methods say of it: what is made of its mean is of none.

    Parameters
    ----------
    field : DataArray
        Of any dimensions and unit, such as ``<name>_mean`` of a result.

    Returns
    -------
    DataArray
        A coordinate of the same name that is not from `ensemble_label` stays, for nobody knows what it means.

    Examples
    --------
    >>> attrs = {"cell_methods": "area: mean realization: mean"}
    >>> bare = drop_ensemble_label(xr.DataArray(0.5, {"realization": ensemble_label()}, attrs=attrs))
    >>> list(bare.coords), bare.attrs
    ([], {'cell_methods': 'area: mean'})
    """
    label = field.coords.get(REALIZATION)
    if label is None or label.ndim or label.attrs.get("long_name") != WHOLE:
        return field
    bare = field.drop_vars(REALIZATION).copy(deep=False)  # or its attributes would be those of the field
    methods = re.sub(rf"\s*\b{REALIZATION}: \w+", "", str(bare.attrs.pop("cell_methods", "")))
    if methods:
        bare.attrs["cell_methods"] = methods
    return bare
