"""Which variables are the latitude and longitude of a field: CF metadata first, names second, ambiguity is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cf_xarray  # noqa: F401  (registers .cf)
import xarray as xr

Variables = Mapping[str, xr.Variable]
Pair = tuple[str, str]

LATITUDE_NAMES = ("nav_lat", "lat", "latitude")
LONGITUDE_NAMES = ("nav_lon", "lon", "longitude")


def find_positions(
    da: xr.DataArray, *, dims: frozenset[str] = frozenset(), dataset: xr.Dataset | None = None
) -> tuple[str, xr.Variable, str, xr.Variable]:
    """Find the latitude and longitude of a field.

    Looked for in the coordinates of the field, then in the Dataset; each time first by CF attributes (standard_name,
    units), then by the names nav_lat, lat, latitude and the like in any case, last by the names that cf-xarray guesses.

    Parameters
    ----------
    da : DataArray
        The field; not computed, not changed.
    dims : frozenset of str, optional
        Dimensions that they must be on.
    dataset : Dataset, optional
        The Dataset that the field came from, for latitude and longitude that are no coordinates.

    Returns
    -------
    latitude name, latitude, longitude name, longitude : str, Variable, str, Variable
        1-D on one dimension each, or 2-D on the same two.

    Raises
    ------
    ValueError
        If there is none, or more than one that the CF attribute ``coordinates`` of the field does not choose from.

    Examples
    --------
    >>> ssh = xr.DataArray([[0.0, 0.0]], dims=("y", "x"), coords={"LAT": ("y", [10]), "LON": ("x", [0, 10])})
    >>> find_positions(ssh)[::2]
    ('LAT', 'LON')
    """
    variables = _candidates(da, dataset)
    own = {name: variable for name, variable in variables.items() if name in da.coords}
    for place in (own, variables):
        for latitudes, longitudes in _ways_to_look(place):
            pairs = [
                (latitude, longitude)
                for latitude in latitudes
                for longitude in longitudes
                if _fit(place[latitude], place[longitude], dims)
            ]
            if pairs:
                latitude, longitude = _choose(da, pairs)
                return latitude, place[latitude], longitude, place[longitude]
    raise ValueError(_not_found(da, variables, dims))


def bounds_name(variable: xr.Variable) -> str | None:
    """Name in the attribute ``bounds``, which xarray moves to the encoding when it decodes all coordinates.

    Examples
    --------
    >>> bounds_name(xr.Variable("lat", [1.0], {"bounds": "lat_bnds"}))
    'lat_bnds'
    """
    return variable.attrs.get("bounds") or variable.encoding.get("bounds")


def _candidates(da: xr.DataArray, dataset: xr.Dataset | None) -> dict[str, xr.Variable]:
    """Numeric 1-D and 2-D variables on the dimensions of the field: its own coordinates, then those of the Dataset."""
    found = {str(name): coord.variable for name, coord in da.coords.items()}
    if dataset is not None:
        found |= {str(name): dataset.variables[name] for name in dataset.variables if name not in da.coords}
    bounds = {bounds_name(variable) for variable in found.values()}
    return {
        name: variable.to_base_variable()
        for name, variable in found.items()
        if name != da.name
        and name not in bounds
        and variable.ndim in (1, 2)
        and variable.dtype.kind in "fiu"
        and all(da.sizes.get(dim) == size for dim, size in variable.sizes.items())
    }


def _ways_to_look(variables: Variables) -> Iterator[tuple[list[str], list[str]]]:
    """Names of latitudes and of longitudes, the surest way first."""
    bare = xr.Dataset(coords={name: variable.copy(deep=False) for name, variable in variables.items()})
    yield _cf_names(bare)
    yield (
        [name for name in variables if name.lower() in LATITUDE_NAMES],
        [name for name in variables if name.lower() in LONGITUDE_NAMES],
    )
    yield _cf_names(bare.cf.guess_coord_axis())


def _cf_names(dataset: xr.Dataset) -> tuple[list[str], list[str]]:
    known = dataset.cf.coordinates
    return known.get("latitude", []), known.get("longitude", [])


def _fit(latitude: xr.Variable, longitude: xr.Variable, wanted: frozenset[str]) -> bool:
    """Whether both are axes of one grid (1-D on a dimension each, or 2-D on the same two) on the dimensions wanted."""
    dims = {*latitude.dims, *longitude.dims}
    return latitude.ndim == longitude.ndim and len(dims) == 2 and wanted <= dims


def _choose(da: xr.DataArray, pairs: list[Pair]) -> Pair:
    """Take the only pair, or the only one that the field itself names."""
    named = set(str(da.encoding.get("coordinates") or da.attrs.get("coordinates") or "").split())
    chosen = pairs if len(pairs) == 1 else [pair for pair in pairs if named.issuperset(pair)]
    if len(chosen) == 1:
        return chosen[0]
    listed = " or ".join(f"{latitude!r} with {longitude!r}" for latitude, longitude in pairs)
    raise ValueError(
        f"Invalid field {da.name!r} with more than one latitude and longitude: {listed}. It must have one pair: "
        "choose its dimensions with x_dim= and y_dim=, or drop the others with .drop_vars([...])."
    )


def _not_found(da: xr.DataArray, variables: Variables, dims: frozenset[str]) -> str:
    found = {name: dict(variable.sizes) for name, variable in variables.items()}
    where = f" on the dimensions {sorted(dims)}" if dims else ""
    return (
        f"Invalid field {da.name!r} without latitude and longitude{where}. Its dimensions are {dict(da.sizes)}, its "
        f"numeric coordinates {found}. It must have a pair of them, 1-D or 2-D: set their `standard_name` to latitude "
        "and longitude, or name them lat and lon, or pass the Dataset that holds them; x_dim= and y_dim= choose "
        "between several."
    )
