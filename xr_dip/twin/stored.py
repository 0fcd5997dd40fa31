"""Results kept in a folder: one NetCDF file for each configuration, never used if damaged or not ours."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xr_dip._version import __version__
from xr_dip.cf.netcdf import write_netcdf
from xr_dip.cf.provenance import configuration_hash
from xr_dip.errors import DipWarning

Folder = str | os.PathLike[str]

CONFIGURATION, CONTENT = "twin_configuration_sha256", "twin_content_sha256"
"""Attributes that say what a file was made from, and that it is whole."""


def stored(
    folder: Folder | None, name: str, configuration: Mapping[str, Any], compute: Callable[[], xr.Dataset]
) -> xr.Dataset:
    """Compute a result, or read it from a folder where it has been computed before.

    Parameters
    ----------
    folder : path or None
        Made where it does not exist; None keeps nothing.
    name : str
        First part of the name of the file.
    configuration : mapping
        All that the result depends on: plain values and DataArrays. The version of the package is added.
    compute : callable
        Returns the result.

    Returns
    -------
    Dataset
        In memory.

    Raises
    ------
    ValueError
        If a file of this name was not written here, or for another configuration: it is neither used nor replaced.

    Warns
    -----
    DipWarning
        If the file is damaged: it is computed anew, and replaced.

    Examples
    --------
    >>> stored(None, "scores", {}, lambda: xr.Dataset({"rmse": 1.0})).rmse.item()
    1.0
    """
    if folder is None:
        return compute()
    digest = configuration_hash({**_plain(configuration), "call": name, "version": __version__})
    path = Path(folder) / f"{name}_{digest[:16]}.nc"
    known = _read(path, digest) if path.exists() else None
    if known is not None:
        return known
    make_folder(path.parent)
    result = compute().load()
    result = result.assign_attrs({CONFIGURATION: digest, CONTENT: _content(result)})
    write_netcdf(result, path, overwrite=True)
    return result


def make_folder(folder: Path) -> None:
    """Make a folder, before anything is computed for it.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    NotADirectoryError
        If it is a file, or in one.

    Examples
    --------
    >>> make_folder(Path(__file__))
    Traceback (most recent call last):
    ...
    NotADirectoryError: Invalid cache '...stored.py'. It must be a folder, this is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(f"Invalid cache '{folder}'. It must be a folder, this is a file.") from error


def fingerprint(field: xr.DataArray) -> str:
    """Hash of the dimensions, values, coordinates and units of a field.

    Parameters
    ----------
    field : DataArray

    Returns
    -------
    str

    Examples
    --------
    >>> field = xr.DataArray([0.0, 1.0], dims="x")
    >>> fingerprint(field) == fingerprint(field.copy()), fingerprint(field) == fingerprint(2 * field)
    (True, False)
    """
    digest = hashlib.sha256(repr((field.name, field.dims, field.attrs.get("units"))).encode())
    for name, part in [("", field), *sorted(field.coords.items(), key=lambda item: str(item[0]))]:
        digest.update(repr((name, part.dims, part.shape, str(part.dtype))).encode())
        values = part.values
        digest.update(values.tobytes() if values.dtype.kind in "biufM" else repr(values.tolist()).encode())
        # positions in kilometres are others than in metres; those in degrees have one unit only
        units = str(part.attrs.get("units", ""))
        if name and units and not units.startswith("degree"):
            digest.update(repr((name, units)).encode())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Values as JSON knows them, fields as their fingerprint."""
    if isinstance(value, xr.DataArray):
        return fingerprint(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return fingerprint(xr.DataArray(value))
    return value


def _content(result: xr.Dataset) -> str:
    """Hash of the numbers of a result; texts and coordinates of time change their type in a file."""
    digest = hashlib.sha256()
    for name in sorted(map(str, result.data_vars)):
        values = result[name].values
        digest.update(repr((name, result[name].dims, values.shape)).encode())
        if values.dtype.kind in "iuf":
            digest.update(np.ascontiguousarray(values, values.dtype.newbyteorder("=")).tobytes())
    return digest.hexdigest()


def _read(path: Path, digest: str) -> xr.Dataset | None:
    """Return what a file holds; None, with a warning, where it is damaged."""
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            result = opened.load()
    except (OSError, ValueError, RuntimeError) as error:
        _warn(path, str(error))
        return None
    if result.attrs.get(CONFIGURATION) != digest:
        raise ValueError(
            f"Invalid cache file '{path}'. It must be written by xr_dip.twin for this configuration: move it away, or "
            "name another folder."
        )
    if result.attrs.get(CONTENT) != _content(result):
        _warn(path, "its numbers are not those that were written")
        return None
    return result


def _warn(path: Path, reason: str) -> None:
    warnings.warn(
        f"The cache file '{path}' is damaged ({reason}), so it is computed anew. Check the disk if that happens again.",
        DipWarning,
        stacklevel=4,
    )
