"""From a result to the file of its page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import cast

import xarray as xr

from xr_dip._version import __version__
from xr_dip.cf.netcdf import check_output, copy_file
from xr_dip.reading import configuration_of, source_name
from xr_dip.report import page
from xr_dip.report.sections import SECTIONS
from xr_dip.report.shown import Shown, show


def write_report(
    result: xr.Dataset,
    path: str | os.PathLike[str],
    truth: xr.DataArray | None = None,
    name: Hashable | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write one self-contained HTML page about a result.

    It holds maps, spectra, members, diagnostics, scores where there is a truth, how to read all that, and how the
    result was made. Nothing is loaded from elsewhere and nothing runs, so it can be mailed, archived and printed.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` or `xr_dip.interpolate` returns it, or as read back from a file. Of several times the
        first is drawn, and the numbers are of all.
    path : str or path
        The file, which appears only when it is complete.
    truth : DataArray, optional
        As for `xr_dip.verify`: the true height of each fine cell, matched by position.
    name : str, optional
        What the result was made from, where it is of several variables.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError
        See `xr_dip.cf.netcdf.check_output`.
    ValueError
        If it is no result, or of several variables without a name; if the truth is on another grid.
    ImportError
        If matplotlib, cmocean or, with a truth, scikit-image is missing.

    See Also
    --------
    xr_dip.plot : the pictures, one by one.

    Examples
    --------
    >>> import tempfile
    >>> import xr_dip
    >>> fine = xr_dip.interpolate(xr_dip.synthetic.gulf_stream((8, 12)).ssh, 4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(fine, Path(folder) / "report.html").read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    target = check_output(path, overwrite=overwrite)
    chosen = source_name(result, name)
    with tempfile.TemporaryDirectory() as folder:
        page_alone = Path(folder) / "page.html"
        page_alone.write_text(render(show(result, chosen, truth)), encoding="utf-8")
        return copy_file(page_alone, target, overwrite=overwrite)


def render(shown: Shown) -> str:
    """Write the page as a text.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    str

    Examples
    --------
    >>> import xr_dip
    >>> fine = xr_dip.interpolate(xr_dip.synthetic.gulf_stream((8, 12)).ssh, 4)
    >>> ">Maps</h2>" in render(show(fine, "ssh"))
    True
    """
    contents = [(key, heading, write(shown)) for key, heading, write in SECTIONS]
    title = str(shown.result.attrs.get("title", f"{shown.name}, made fine"))
    filled = [section for section in contents if section[2]]
    return page.document(title, _lead(shown), filled, f"Written by xr_dip {__version__}.")


def _lead(shown: Shown) -> str:
    """One sentence: from how many cells to how many, and by which method."""
    ny, nx = shown.mean.shape
    configuration = configuration_of(shown.result, shown.name)
    along_y, along_x = cast(list[int], configuration["factor"])
    method = _method(configuration)
    return f"From {ny // along_y} x {nx // along_x} coarse cells to {ny} x {nx} fine ones, by {method}."


def _method(configuration: Mapping[str, object]) -> str:
    """Name what made the result: fits, a student, or an interpolation."""
    if "preset" in configuration:
        return f"{configuration['members']} fits, preset {configuration['preset']}"
    if "student" in configuration:
        return f"the student {cast(Mapping[str, str], configuration['student'])['sha256'][:12]}"
    return f"{configuration['method']} interpolation"
