"""The configuration of an archive: everything that its numbers depend on, so that one output never mixes two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.provenance import configuration_hash, configuration_json
from xr_dip.cf.summary import CONFIGURATION

HASH = f"{CONFIGURATION}_sha256"


def read_configuration(attributes: Mapping[Any, Any], place: str | Path) -> dict[str, Any]:
    """Read a configuration from the attributes of a file or store.

    Parameters
    ----------
    attributes : mapping
    place : str or Path
        For the message.

    Returns
    -------
    dict

    Raises
    ------
    FileExistsError
        If there is none: what is there was not made by this package.

    Examples
    --------
    >>> read_configuration({"xr_dip_configuration": '{"seed": 0}'}, "a.nc")
    {'seed': 0}
    """
    if CONFIGURATION not in attributes:
        raise FileExistsError(f"Invalid output '{place}'. It must be of an archive of xr_dip, this is something else.")
    return dict(json.loads(attributes[CONFIGURATION]))


def stamp(dataset: xr.Dataset, configuration: Mapping[str, object]) -> xr.Dataset:
    """Return a result with a configuration and its hash among its attributes.

    Parameters
    ----------
    dataset : Dataset
    configuration : mapping

    Returns
    -------
    Dataset
        The data are shared.

    Examples
    --------
    >>> stamp(xr.Dataset(), {"seed": 0}).attrs["xr_dip_configuration"]
    '{"seed": 0}'
    """
    attributes = {CONFIGURATION: configuration_json(configuration), HASH: configuration_hash(configuration)}
    return dataset.assign_attrs(attributes)


def refuse_another(place: str | Path, earlier: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
    """Refuse to go on in an output of another configuration.

    Parameters
    ----------
    place : str or Path
    earlier : mapping
        What the output says.
    configuration : mapping
        What is asked for.

    Raises
    ------
    FileExistsError
        With each option that differs, and both its values.

    Examples
    --------
    >>> refuse_another("out", {"seed": 0, "members": 10}, {"seed": 1, "members": 10})
    Traceback (most recent call last):
    ...
    FileExistsError: Invalid output 'out'. It must be of the same configuration, but differs in seed (0 there, 1...
    """
    different = difference(earlier, configuration)
    if different:
        raise FileExistsError(
            f"Invalid output '{place}'. It must be of the same configuration, but differs in {different}: choose "
            "another output."
        )


def difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Name the options that differ, with both values; empty if none does.

    Parameters
    ----------
    there, here : mapping
        As read from JSON.

    Returns
    -------
    str

    Examples
    --------
    >>> difference({"seed": 0, "members": 2}, {"seed": 0, "members": 3})
    'members (2 there, 3 here)'
    """
    keys = sorted(key for key in {*there, *here} if there.get(key) != here.get(key))
    return ", ".join(f"{key} ({_short(there.get(key))} there, {_short(here.get(key))} here)" for key in keys)


def digest(*parts: npt.NDArray[Any] | str) -> str:
    """SHA-256 of arrays and texts, for the configuration: what is too long to be written there.

    Parameters
    ----------
    *parts : array or str

    Returns
    -------
    str

    Examples
    --------
    >>> digest(np.array([1.0])) == digest(np.array([1.0])) != digest(np.array([2.0]))
    True
    """
    total = hashlib.sha256()
    for part in parts:
        text = part if isinstance(part, str) else f"{part.dtype.str}{part.shape}"
        total.update(text.encode())
        if not isinstance(part, str):
            total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def grid_digest(result: xr.Dataset, dims: tuple[str, str]) -> str:
    """Digest of the positions of the fine cells: a window elsewhere is another archive.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` returns it.
    dims : (str, str)
        Its horizontal dimensions.

    Returns
    -------
    str

    Examples
    --------
    >>> one, two = (xr.Dataset(coords={"lat": [0.0, 1.0], "lon": [start]}) for start in (5.0, 6.0))
    >>> grid_digest(one, ("lat", "lon")) == grid_digest(two, ("lat", "lon"))
    False
    """
    parts: list[npt.NDArray[Any] | str] = [f"{dim}={result.sizes[dim]}" for dim in dims]
    for name in sorted(map(str, result.coords)):
        coord = result.coords[name]
        if coord.dims and set(coord.dims) <= set(dims):
            parts += [name, np.asarray(coord.values)]
    return digest(*parts)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
