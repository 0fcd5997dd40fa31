"""Real sea surface heights to try the package on: each with its version, hash, licence and source.

The files stay in the public repositories that hold them, at a fixed commit. :func:`fetch` downloads one into a cache by
pooch and checks its hash. The folder that the environment variable ``XR_DIP_DATA_DIR`` names is the cache if it is set;
a file there with the right hash needs no network and no right to write. Without a network, see
:func:`xr_dip.synthetic.gulf_stream`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import xarray as xr

from xr_dip.progress import import_quietly

ENVIRONMENT = "XR_DIP_DATA_DIR"


@dataclass(frozen=True)
class Sample:
    """One file: where it comes from, and how to know that it is the right one.

    Attributes
    ----------
    name, file : str
        What to ask for, and what the file is called.
    variable : str
        The sea surface height, or what the file has instead.
    size : int
        In bytes.
    sha256 : str
    version : str
        The commit in `url`.
    url : str
    licence : str
    attribution : str
        The producers: cite them if you publish anything made from the file.
    description : str

    Examples
    --------
    >>> sample = describe("gulf_stream_coarse")
    >>> sample.variable, sample.version in sample.url
    ('sossheig', True)
    """

    name: str
    file: str
    variable: str
    size: int
    sha256: str
    version: str
    url: str
    licence: str
    attribution: str
    description: str

    def __str__(self) -> str:
        """One line of the table that :func:`list` shows."""
        return f"{self.name:<26}{self.size / 1e6:5.1f} MB  {self.variable:<13} {self.description}"


class Catalogue(tuple[Sample, ...]):
    """Samples in order, shown as a table.

    Parameters
    ----------
    iterable : iterable of Sample

    Examples
    --------
    >>> Catalogue(list()[:1])
    gulf_stream_fine ...
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(str(sample) for sample in self)


def _read_catalogue() -> Catalogue:
    rows = json.loads(files("xr_dip").joinpath("_registry.json").read_text(encoding="utf-8"))
    return Catalogue(Sample(**row) for row in rows)


_CATALOGUE = _read_catalogue()


def list() -> Catalogue:
    """Every sample, as a tuple that shows itself as a table.

    Returns
    -------
    tuple of Sample

    Examples
    --------
    >>> samples = list()
    >>> samples[1].name, samples[1].variable
    ('gulf_stream_coarse', 'sossheig')
    >>> samples[0].url
    'https://raw.githubusercontent.com/VictorZaia/cyclogeostrophic_balance/...'
    """
    return _CATALOGUE


def describe(name: str) -> Sample:
    """Source, version, hash and licence of one sample.

    Parameters
    ----------
    name : str
        As in :func:`list`.

    Returns
    -------
    Sample

    Raises
    ------
    ValueError
        If there is no sample of that name; the message lists them.

    Examples
    --------
    >>> describe("balearic").attribution
    'eNATL60 (NEMO, MEOM/IGE): Brodeau, Le Sommer and Albert (2020), https://doi.org/10.5281/zenodo.4032732'
    """
    by_name = {sample.name: sample for sample in _CATALOGUE}
    if name not in by_name:
        raise ValueError(f"Invalid name '{name}'. It must be one of {', '.join(by_name)}.")
    return by_name[name]


def fetch(name: str) -> Path:
    """Path of a sample on this machine; downloads it the first time.

    A file that is there already but is not the right one is never replaced.

    Parameters
    ----------
    name : str
        As in :func:`list`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If there is no sample of that name, or the hash of the file, cached or downloaded, is wrong.
    OSError
        If the file is not in the cache and cannot be downloaded, or cannot be written there.

    Examples
    --------
    >>> fetch("gulf_stream")
    Traceback (most recent call last):
    ...
    ValueError: Invalid name 'gulf_stream'. It must be one of gulf_stream_fine, gulf_stream_coarse, ...
    """
    sample = describe(name)
    cache = _cache()
    path = Path(cache.abspath, sample.file)
    if path.exists():
        _check_hash(path, sample)
        return path
    try:
        return Path(cache.fetch(sample.file))
    except OSError as error:
        raise OSError(
            f"Cannot download sample '{name}' from {sample.url} to '{path}': {error}. "
            f"Without a network, set {ENVIRONMENT} to a folder that holds the file."
        ) from None


def open_dataset(name: str) -> xr.Dataset:
    """Open a sample lazily, as it is in its file; downloads it the first time.

    Parameters
    ----------
    name : str
        As in :func:`list`. For other ways to open the file, pass the path from :func:`fetch` to xarray.

    Returns
    -------
    Dataset
        With the dimensions, names and units of its file; what the sea surface height is called, :func:`describe` says.

    Raises
    ------
    ValueError, OSError
        As :func:`fetch` does.

    See Also
    --------
    xr_dip.synthetic.gulf_stream : a field that needs neither file nor network.

    Examples
    --------
    .. code-block:: python

        ds = xr_dip.samples.open_dataset("gulf_stream_coarse")
        ds.sossheig.dip.downscale(factor=5)

    A name that is none is refused before anything is downloaded:

    >>> open_dataset("gulf_stream")
    Traceback (most recent call last):
    ...
    ValueError: Invalid name 'gulf_stream'. It must be one of gulf_stream_fine, gulf_stream_coarse, ...
    """
    return xr.open_dataset(fetch(name))


def _cache() -> Any:
    """Make the cache anew at each call, so that a change of the environment counts."""
    pooch = import_quietly("pooch")
    return pooch.create(
        path=pooch.os_cache("xr_dip"),
        base_url="",
        registry={sample.file: f"sha256:{sample.sha256}" for sample in _CATALOGUE},
        urls={sample.file: sample.url for sample in _CATALOGUE},
        env=ENVIRONMENT,
    )


def _check_hash(path: Path, sample: Sample) -> None:
    found = import_quietly("pooch").file_hash(str(path), alg="sha256")
    if found != sample.sha256:
        raise ValueError(
            f"Invalid file '{path}'. Its sha256 must be {sample.sha256}, it is {found}. "
            f"Move it away to download sample '{sample.name}' again, or set {ENVIRONMENT} to another folder."
        )
