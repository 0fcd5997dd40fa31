"""Files that are either whole or not there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xarray as xr

COMPRESSION = {"zlib": True, "complevel": 4}
DAY = 86400.0
"""Seconds."""
_HOST = re.sub(r"\W", "_", socket.gethostname())
# How an earlier file stored the variable; some of it excludes compression by zlib.
STORAGE = ("contiguous", "chunksizes", "preferred_chunks", "szip", "zstd", "bzip2", "blosc")


def check_output(
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
) -> Path:
    """Path of a file that can be written; call it before a long computation.

    Parameters
    ----------
    path : str or path
    overwrite : bool
        Whether a file of that name may be replaced.
    inputs : iterable of str, path or None
        Files that are read for it: none of them is ever replaced.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    FileExistsError
        If it exists and ``overwrite`` is false, or if it is one of the inputs.
    IsADirectoryError
        If it is a folder.
    PermissionError
        If its folder cannot be written to.

    Examples
    --------
    >>> check_output("fine.nc").name
    'fine.nc'
    """
    target = Path(path)
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Invalid output '{target}'. Its folder must exist, '{folder}' does not: create it first."
        )
    if target.is_dir():
        raise IsADirectoryError(f"Invalid output '{target}'. It must be a file, this is a folder.")
    if target.exists() and any(Path(each).exists() and target.samefile(each) for each in inputs if each is not None):
        raise FileExistsError(f"Invalid output '{target}'. It must be another file than the input.")
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"Invalid output '{target}'. It must be a new file, this one exists: replace it with overwrite=True, "
            "on the command line --overwrite."
        )
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"Invalid output '{target}'. Its folder must allow writing, '{folder}' does not.")
    return target


def write_netcdf(dataset: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a compressed NetCDF file that appears only when it is complete.

    The file is written under another name and then renamed; after a failure nothing new is left and an earlier file is
    as it was.

    Parameters
    ----------
    dataset : Dataset
        Of any dimensions; dask-backed variables are computed here.
    path : str or path
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError
        See `check_output`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_netcdf(xr.Dataset({"ssh": ("x", [0.0, 1.0])}), Path(folder) / "fine.nc").name
    'fine.nc'
    """
    target = check_output(path, overwrite=overwrite)
    with whole_file(target) as partial:
        try:
            _compressed(dataset).to_netcdf(partial, engine="netcdf4")
        except RuntimeError as error:
            if "NetCDF" not in str(error):  # of the values, if they are lazy
                raise
            raise OSError(f"Cannot write '{target}': {error}. Is the disk full, or a source damaged?") from error
    return target


def copy_file(source: str | os.PathLike[str], path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Copy a file in the same all-or-nothing way.

    Parameters
    ----------
    source, path : str or path
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError
        See `check_output`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "a.nc"
    ...     _ = source.write_text("a")
    ...     copy_file(source, Path(folder) / "b.nc").read_text()
    'a'
    """
    target = check_output(path, overwrite=overwrite)
    with whole_file(target) as partial:
        shutil.copyfile(source, partial)
    return target


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a name to write to beside a file, which takes its place at the end, or is gone where that fails.

    Parameters
    ----------
    target : Path

    Yields
    ------
    Path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "a.txt") as partial:
    ...         _ = partial.write_text("a")
    ...     [path.name for path in Path(folder).iterdir()]
    ['a.txt']
    """
    partial = target.with_name(f"{target.name}.{_HOST}-{os.getpid()}.tmp")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Remove what killed processes left of files: those of this machine that are gone, and others after a day.

    Parameters
    ----------
    folder : Path
    names : collection of str
        Of the files.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     remove_leftovers(Path(folder), {"a.nc"})
    """
    for path in folder.glob("*.tmp"):
        name, _, owner = path.name.removesuffix(".tmp").rpartition(".")
        host, _, process = owner.rpartition("-")
        here = host == _HOST and process.isdigit() and os.name == "posix"
        with suppress(FileNotFoundError):  # another process was faster
            gone = not _is_running(int(process)) if here else time.time() - path.stat().st_mtime > DAY
            if name in names and gone:
                path.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True


def _compressed(dataset: xr.Dataset) -> xr.Dataset:
    """Copy a Dataset, its numeric arrays with the encoding of compression; the data are shared."""
    shallow = dataset.copy()
    for name in shallow.data_vars:
        variable = shallow.variables[name]
        if variable.ndim and variable.dtype.kind in "fiu":
            kept = {key: value for key, value in variable.encoding.items() if key not in STORAGE}
            variable.encoding = {**kept, **COMPRESSION}
    return shallow
