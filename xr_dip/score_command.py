"""The subcommand ``xr-dip verify``: scores of a file of results against a file that holds the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import numpy as np
import xarray as xr

from xr_dip import scoring
from xr_dip.cf.netcdf import check_output, write_netcdf
from xr_dip.reading import choose_truth

NONE = "none"

HELP = """Score the result OUT, a file of xr-dip, against the TRUTH on the same fine grid.

\b
Prints RMSE, bias, SSIM, errors of currents and vorticity, resolved wavelengths, scores of the standard error and of
the members, and how much the result errs less than other methods. Of several times it prints their mean; with
--output the scores of each are written to a NetCDF file.

\b
Examples:
  xr-dip verify fine.nc truth.nc
  xr-dip verify fine.nc truth.nc --truth-var sossheig --weights area --output scores.nc
  xr-dip verify fine.nc truth.nc --baselines none
"""


def make_command(
    *, errors: Callable[[], AbstractContextManager[None]], open_file: Callable[[Path], xr.Dataset]
) -> click.Command:
    """Make the subcommand.

    Parameters
    ----------
    errors : callable
        Context manager that turns errors into one line.
    open_file : callable
        Opens a NetCDF file, with errors that name it.

    Returns
    -------
    click.Command
    """

    def verify(
        source: Path,
        truth: Path,
        name: str | None,
        truth_name: str | None,
        weights: str,
        baselines: str,
        output: Path | None,
        overwrite: bool,
    ) -> None:
        with errors():
            if output:
                check_output(output, overwrite=overwrite, inputs=(source, truth))
            with open_file(source) as result, open_file(truth) as known:
                field = choose_truth(known, result, name, truth_name)
                scores = scoring.verify(result, field, name, weights=weights, baselines=_methods(baselines)).compute()
                if output:
                    write_netcdf(scores, output, overwrite=overwrite)
        click.echo(format_scores(scores))

    return click.Command("verify", callback=verify, params=_parameters(), help=HELP)


def format_scores(scores: xr.Dataset) -> str:
    """Lay scores out as lines of name, value and unit; the mean where there are several times.

    Parameters
    ----------
    scores : Dataset
        As `xr_dip.verify` returns them.

    Returns
    -------
    str

    Examples
    --------
    >>> scores = xr.Dataset({"cells": ("time", [65536, 65536]), "rmse": ("time", [0.01, 0.03], {"units": "m"})})
    >>> print(format_scores(scores))
    cells  65536
    rmse   0.02 m
    mean over time (2)
    """
    width = max(len(str(key)) for key in scores.data_vars)
    lines = [f"{key:<{width}}  {_value(score)}" for key, score in scores.data_vars.items()]
    over = ", ".join(f"{dim} ({size})" for dim, size in scores.sizes.items() if dim != "rank" and size > 1)
    return "\n".join([*lines, f"mean over {over}"] if over else lines)


def _value(score: xr.DataArray) -> str:
    """Mean of a score over times, frequencies of ranks one after the other."""
    mean = score.mean([dim for dim in score.dims if dim != "rank"])
    units = str(score.attrs.get("units", ""))
    counted = np.issubdtype(score.dtype, np.integer)
    numbers = (_number(float(value), counted) for value in np.atleast_1d(mean.values))
    return " ".join([*numbers, units if units != "1" else ""]).strip()


def _number(value: float, counted: bool) -> str:
    """Write a number to four digits, and a count to its last one."""
    digits = max(4, len(f"{value:.0f}")) if counted else 4
    return f"{value:.{digits}g}"


def _methods(baselines: str) -> list[str]:
    return [] if baselines == NONE else [method.strip() for method in baselines.split(",")]


def _parameters() -> list[click.Parameter]:
    path: Any = click.Path(path_type=Path)
    return [
        click.Argument(["source"], metavar="OUT", type=path),
        click.Argument(["truth"], metavar="TRUTH", type=path),
        click.Option(["--var", "name"], metavar="NAME", help="What OUT was made from, where it is of several."),
        click.Option(["--truth-var", "truth_name"], metavar="NAME", help="Variable of TRUTH, where it is another."),
        click.Option(
            ["--weights"],
            type=click.Choice(["equal", "area"]),
            default="equal",
            show_default=True,
            help="Weights of the fine cells in the scores.",
        ),
        click.Option(
            ["--baselines"],
            default="bicubic,kriging",
            show_default=True,
            metavar="NAMES",
            help="Methods to compare with, with commas between; or none.",
        ),
        click.Option(["--output"], type=path, help="Write the scores of each time here, too."),
        click.Option(["--overwrite"], is_flag=True, help="Replace the output where it exists."),
    ]
