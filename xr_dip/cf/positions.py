"""Which variables are the latitude and longitude of a field: CF metadata first, names second, ambiguity is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product

import cf_xarray  # noqa: F401  (registers .cf)
import xarray as xr

Variables = Mapping[str, xr.Variable]
Pair = tuple[str, str]

# What model families call them, in any case: NEMO, CMEMS, ROMS and CROCO (also through XIOS), MITgcm, MOM, POP and
# CICE, HYCOM, WRF.
LATITUDE_NAME = re.compile(r"(nav_)?lat(itude|s|_rho)?|yc|yt_ocean|yh|geolat(_t)?|[tpx]lat|gphit", re.IGNORECASE)
LONGITUDE_NAME = re.compile(r"(nav_)?lon(gitude|s|_rho)?|xc|xt_ocean|xh|geolon(_t)?|[tpx]long?|glamt", re.IGNORECASE)

METRES = {
    **dict.fromkeys(("m", "metre", "meter", "metres", "meters"), 1.0),
    **dict.fromkeys(("km", "kilometre", "kilometer", "kilometres", "kilometers"), 1000.0),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), 0.01),
}
"""Length of a unit in metres, as coordinates of a projection are written."""


def find_positions(
    da: xr.DataArray,
    *,
    dims: frozenset[str] = frozenset(),
    y_coord: str | None = None,
    x_coord: str | None = None,
    dataset: xr.Dataset | None = None,
) -> tuple[str, xr.Variable, str, xr.Variable] | None:
    """Find the latitude and longitude of a field.

    Looked for in the coordinates of the field, then in the Dataset; each time first by CF attributes (standard_name,
    units), then by the names that model families use in any case, last by the names that cf-xarray guesses.

    Parameters
    ----------
    da : DataArray
        The field; not computed, not changed.
    dims : frozenset of str, optional
        Dimensions that they must be on.
    y_coord, x_coord : str, optional
        Names of latitude and longitude, where known.
    dataset : Dataset, optional
        The Dataset that the field came from, for latitude and longitude that are no coordinates.

    Returns
    -------
    latitude name, latitude, longitude name, longitude : str, Variable, str, Variable
        1-D on one dimension each, or 2-D on the same two. None if nothing tells of any.

    Raises
    ------
    ValueError
        If there is one without the other, or more than one pair that the CF attribute ``coordinates`` of the field does
        not choose from.

    Examples
    --------
    >>> ssh = xr.DataArray([[0.0, 0.0]], dims=("y", "x"), coords={"LAT": ("y", [10]), "LON": ("x", [0, 10])})
    >>> find_positions(ssh)[::2]
    ('LAT', 'LON')
    """
    variables = candidates(da, dataset)
    angles = {name: variable for name, variable in variables.items() if not is_projection(variable)}
    own = {name: variable for name, variable in angles.items() if name in da.coords}
    for place in (own, angles):
        for names in _ways_to_look(place, y_coord, x_coord):
            pairs = [pair for pair in product(*names) if _fit(place[pair[0]], place[pair[1]], dims)]
            if pairs:
                latitude, longitude = _choose(da, place, pairs)
                return latitude, place[latitude], longitude, place[longitude]
    if y_coord is None and x_coord is None and not _any_hint(own, angles):
        return None
    raise ValueError(_not_found(da, variables, dims))


def candidates(da: xr.DataArray, dataset: xr.Dataset | None) -> dict[str, xr.Variable]:
    """Numeric 1-D and 2-D variables on the dimensions of the field: its own coordinates, then those of the Dataset.

    Parameters
    ----------
    da : DataArray
    dataset : Dataset or None

    Returns
    -------
    dict of str to Variable
        Without bounds.

    Examples
    --------
    >>> list(candidates(xr.DataArray([0.0], dims="x", coords={"lon": ("x", [5.0]), "depth": 0.5}), None))
    ['lon']
    """
    found = {str(name): coord.variable for name, coord in da.coords.items()}
    if dataset is not None:
        found |= {str(name): dataset.variables[name] for name in dataset.variables if name not in da.coords}
    bounds = {bounds_name(variable) for variable in found.values()}
    return {
        name: still.to_base_variable()
        for name, variable in found.items()
        if name != da.name
        and name not in bounds
        and variable.dtype.kind in "fiu"
        and all(da.sizes.get(dim) == size for dim, size in variable.sizes.items())
        and (still := _at_rest(name, variable)).ndim in (1, 2)
    }


def _at_rest(name: str, variable: xr.Variable) -> xr.Variable:
    """Take one of the positions that a file repeats at each time, as those of WRF or of joined files; others as is."""
    told = _kinds(variable) or LATITUDE_NAME.fullmatch(name) or LONGITUDE_NAME.fullmatch(name)
    if variable.ndim < 3 or not told:
        return variable
    first = variable.isel(dict.fromkeys(variable.dims[:-2], 0))
    same = (variable == first) | (variable.isnull() & first.isnull())
    return first if bool(same.all()) else variable


def _kinds(variable: xr.Variable) -> list[str]:
    """Which of latitude and longitude the attributes of a variable call it."""
    names = _cf_names(xr.Dataset(coords={"angle": variable.copy(deep=False)}))
    return [kind for kind, found in zip(("latitude", "longitude"), names, strict=True) if found]


def is_only(variable: xr.Variable, kind: str) -> bool:
    """Tell whether the attributes of a variable say that it is of one kind, and not of the other.

    Parameters
    ----------
    variable : Variable
    kind : {"latitude", "longitude"}

    Returns
    -------
    bool

    Examples
    --------
    >>> is_only(xr.Variable("y", [0.0], {"standard_name": "longitude"}), "longitude")
    True
    """
    return _kinds(variable) == [kind]


def bounds_name(variable: xr.Variable) -> str | None:
    """Name in the attribute ``bounds``, which xarray moves to the encoding when it decodes all coordinates.

    Examples
    --------
    >>> bounds_name(xr.Variable("lat", [1.0], {"bounds": "lat_bnds"}))
    'lat_bnds'
    """
    return variable.attrs.get("bounds") or variable.encoding.get("bounds")


def is_projection(variable: xr.Variable) -> bool:
    """Tell whether a variable holds distances on the plane of a projection, by its standard name or its units.

    Examples
    --------
    >>> is_projection(xr.Variable("x", [0.0], {"units": "km"}))
    True
    """
    standard_name = str(variable.attrs.get("standard_name", ""))
    return standard_name.startswith("projection_") or str(variable.attrs.get("units", "")).lower() in METRES


def _ways_to_look(
    variables: Variables, y_coord: str | None, x_coord: str | None
) -> Iterator[tuple[list[str], list[str]]]:
    """Names of latitudes and of longitudes, the surest way first; a name that is given stands for all that is found."""
    for latitudes, longitudes in _found_names(variables):
        yield (
            latitudes if y_coord is None else [name for name in variables if name == y_coord],
            longitudes if x_coord is None else [name for name in variables if name == x_coord],
        )


def _found_names(variables: Variables) -> Iterator[tuple[list[str], list[str]]]:
    bare = xr.Dataset(coords={name: variable.copy(deep=False) for name, variable in variables.items()})
    yield _cf_names(bare)
    yield _family_names(variables)
    yield _cf_names(bare.cf.guess_coord_axis())


def _cf_names(dataset: xr.Dataset) -> tuple[list[str], list[str]]:
    known = dataset.cf.coordinates
    return known.get("latitude", []), known.get("longitude", [])


def _family_names(variables: Variables) -> tuple[list[str], list[str]]:
    return (
        [name for name in variables if LATITUDE_NAME.fullmatch(name)],
        [name for name in variables if LONGITUDE_NAME.fullmatch(name)],
    )


def _fit(latitude: xr.Variable, longitude: xr.Variable, wanted: frozenset[str]) -> bool:
    """Whether both are axes of one grid (1-D on a dimension each, or 2-D on the same two) on the dimensions wanted."""
    dims = {*latitude.dims, *longitude.dims}
    return latitude.ndim == longitude.ndim and len(dims) == 2 and wanted <= dims


def _choose(da: xr.DataArray, place: Variables, pairs: list[Pair]) -> Pair:
    """Take the only pair, or the only one that the field itself names, or the only one that is no nominal axis."""
    named = set(str(da.encoding.get("coordinates") or da.attrs.get("coordinates") or "").split())
    dims = {frozenset(dim for name in pair for dim in place[name].dims) for pair in pairs}
    # MOM and CMIP write 1-D axes beside the true positions, on the same dimensions: right but for the curved north.
    true = [pair for pair in pairs if place[pair[0]].ndim == 2] if len(dims) == 1 else []
    for chosen in (pairs, [pair for pair in pairs if named.issuperset(pair)], true):
        if len(chosen) == 1:
            return chosen[0]
    listed = " or ".join(f"{latitude!r} with {longitude!r}" for latitude, longitude in pairs)
    raise ValueError(
        f"Invalid field {da.name!r} with more than one latitude and longitude: {listed}. It must have one pair: "
        "choose it with y_coord= and x_coord=, or its dimensions with x_dim= and y_dim=, or drop the others with "
        ".drop_vars([...])."
    )


def _any_hint(own: Variables, everything: Variables) -> bool:
    """Whether there is any latitude or longitude at all; guesses count for the field's own coordinates only."""
    guessed = [name for names in _found_names(own) for part in names for name in part]
    bare = xr.Dataset(coords={name: variable.copy(deep=False) for name, variable in everything.items()})
    return bool(guessed or any(_cf_names(bare)) or any(_family_names(everything)))


def _not_found(da: xr.DataArray, variables: Variables, dims: frozenset[str]) -> str:
    found = {name: dict(variable.sizes) for name, variable in variables.items()}
    where = f" on the dimensions {sorted(dims)}" if dims else ""
    for pair in (pair for names in _found_names(variables) for pair in product(*names)):
        dims_of_both = {dim for name in pair for dim in variables[name].dims}
        if len(dims_of_both) == 1:
            return (
                f"Invalid field {da.name!r} with {pair[0]!r} and {pair[1]!r} along one dimension {dims_of_both}. It "
                "must have rows and columns; points of a track or of an unstructured mesh have none: grid them first."
            )
    return (
        f"Invalid field {da.name!r} without latitude and longitude{where}. Its dimensions are {dict(da.sizes)}, its "
        f"numeric coordinates {found}. It must have a pair of them, 1-D or 2-D: name them with y_coord= and x_coord=, "
        "or set their `standard_name` to latitude and longitude, or pass the Dataset that holds them; x_dim= and "
        "y_dim= choose between several."
    )
