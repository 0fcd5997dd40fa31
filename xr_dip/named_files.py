"""Files and variables in them, as the command line names them: FILE, FILE:VAR, or a number instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xarray as xr

from xr_dip.variables import select_variable


def open_file(path: Path) -> xr.Dataset:
    """Open a NetCDF file, with errors that name it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Dataset
        Not loaded.

    Raises
    ------
    FileNotFoundError
        If it is no file.
    ValueError
        If xarray cannot open it.

    Examples
    --------
    >>> open_file(Path("none.nc"))
    Traceback (most recent call last):
    ...
    FileNotFoundError: Invalid input 'none.nc'. It must be a file, there is none of this name.
    """
    if not path.is_file():
        raise FileNotFoundError(f"Invalid input '{path}'. It must be a file, there is none of this name.")
    try:
        return xr.open_dataset(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"Invalid input '{path}'. It must be a NetCDF file that xarray can open: {error}") from error


def file_of(place: str | None) -> str | None:
    """Return the file of a FILE:VAR or FILE; None for a number or nothing.

    Parameters
    ----------
    place : str or None

    Returns
    -------
    str or None

    Examples
    --------
    >>> file_of("mesh.nc:tmask"), file_of("errors.nc"), file_of("0.02"), file_of(None)
    ('mesh.nc', 'errors.nc', None, None)
    """
    return None if place is None or _number(place) is not None else _split(place)[0]


@contextmanager
def open_mask(place: str | None) -> Iterator[xr.DataArray | None]:
    """Open a variable of a file; not loaded, as of a global mask only a window is needed.

    Parameters
    ----------
    place : str or None
        FILE:VAR.

    Yields
    ------
    DataArray or None

    Raises
    ------
    ValueError
        If it is no file and variable, or there is no such variable.

    Examples
    --------
    >>> with open_mask(None) as mask:
    ...     print(mask)
    None
    """
    if place is None:
        yield None
        return
    path, _, name = place.rpartition(":")
    if not path or not name:
        raise ValueError(
            f"Invalid mask '{place}'. It must be a file and a variable with a colon between: mesh.nc:tmask."
        )
    with open_file(Path(path)) as dataset:
        yield select_variable(dataset, name)


def read_noise_option(place: str | None) -> float | xr.DataArray | None:
    """Read the size of the noise: a number, or a variable of a file.

    Parameters
    ----------
    place : str or None
        A number, FILE:VAR, or FILE with one variable.

    Returns
    -------
    float, DataArray or None
        In memory.

    Raises
    ------
    FileNotFoundError
        If it is neither a number nor a file.
    ValueError
        If there is no such variable, or it is not named and there are several.

    Examples
    --------
    >>> read_noise_option("0.02"), read_noise_option(None)
    (0.02, None)
    """
    size = None if place is None else _number(place)
    if place is None or size is not None:
        return size
    path, name = _split(place)
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"Invalid noise-std '{place}'. It must be a number, or a file and a variable with a colon between, "
            f"errors.nc:err; there is no file '{path}'."
        )
    with open_file(Path(path)) as dataset:
        known = list(map(str, dataset.data_vars))
        if not name and len(known) != 1:
            raise ValueError(f"Invalid noise-std '{place}'. Its variable must be named, {place}:NAME: one of {known}.")
        return select_variable(dataset, name or known[0]).load()


def _number(place: str) -> float | None:
    with suppress(ValueError):
        return float(place)
    return None


def _split(place: str) -> tuple[str, str]:
    """File and variable; a file of that very name is one, though there is a colon in it."""
    path, _, name = place.rpartition(":")
    return (place, "") if not path or Path(place).is_file() else (path, name)
