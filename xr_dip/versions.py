"""What is installed, for reports of bugs."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TextIO

from xr_dip._version import __version__

OPTIONAL = ("plot", "verify", "zarr")
"""Extras whose packages are listed, too; those for work on the package itself are not."""


def show_versions(file: TextIO | None = None) -> None:
    """Write the versions of Python, of xr_dip and of what it needs, and the device that "auto" stands for.

    Parameters
    ----------
    file : text file, optional
        Where to write; by default the standard output.

    Examples
    --------
    >>> from io import StringIO
    >>> text = StringIO()
    >>> show_versions(text)
    >>> [line.split()[0] for line in text.getvalue().splitlines()][:4]
    ['python', 'system', 'xr_dip', 'cf-xarray']
    """
    lines = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "xr_dip": __version__,
        **{name: _installed(name) for name in _needed()},
        "device": _device(),
    }
    width = max(map(len, lines))
    text = "".join(f"{name:<{width}}  {value}\n" for name, value in lines.items())
    (sys.stdout if file is None else file).write(text)


def _needed() -> list[str]:
    """Names of the packages that the metadata of this one ask for."""
    try:
        requirements = requires("xr-dip") or []
    except PackageNotFoundError:  # run from a folder that was never installed
        return ["torch", "xarray"]
    names = []
    for requirement in requirements:
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"](\w+)['\"]", requirement)
        if name and name[0] != "xr-dip" and (extra is None or extra[1] in OPTIONAL):
            names.append(name[0])
    return sorted(set(names), key=str.lower)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _device() -> str:
    """Return what device="auto" means here; torch is imported now, and not with the package."""
    try:
        return str(importlib.import_module("xr_dip.recipe").find_device("auto"))
    except (ImportError, OSError) as error:
        return f"none, for torch does not load: {error}"
