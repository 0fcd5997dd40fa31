"""The subcommand ``xr-dip report``: one HTML page about a file of results."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import click
import xarray as xr

from xr_dip.cf.netcdf import check_output
from xr_dip.reading import choose_truth
from xr_dip.report import write_report

HELP = """Write one self-contained HTML page about the result OUT to PAGE.

\b
It holds maps, spectra, members, diagnostics and how the result was made; with --truth also errors and scores. Nothing
is loaded from elsewhere: the file can be mailed and printed. Of several times the first is drawn.

\b
Examples:
  xr-dip report fine.nc report.html
  xr-dip report fine.nc report.html --truth truth.nc --truth-var sossheig --overwrite
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

    def report(
        source: Path, target: Path, truth: Path | None, name: str | None, truth_name: str | None, overwrite: bool
    ) -> None:
        with errors(), ExitStack() as opened:
            check_output(target, overwrite=overwrite, inputs=(source, truth))
            result = opened.enter_context(open_file(source))
            known = None
            if truth is not None:
                known = choose_truth(opened.enter_context(open_file(truth)), result, name, truth_name)
            write_report(result, target, known, name, overwrite=overwrite)
        click.echo(target)

    return click.Command("report", callback=report, params=_parameters(), help=HELP)


def _parameters() -> list[click.Parameter]:
    path: Any = click.Path(path_type=Path)
    return [
        click.Argument(["source"], metavar="OUT", type=path),
        click.Argument(["target"], metavar="PAGE", type=path),
        click.Option(["--truth"], type=path, metavar="FILE", help="File with the truth on the same fine grid."),
        click.Option(["--var", "name"], metavar="NAME", help="What OUT was made from, where it is of several."),
        click.Option(["--truth-var", "truth_name"], metavar="NAME", help="Variable of the truth, where it is another."),
        click.Option(["--overwrite"], is_flag=True, help="Replace PAGE where it exists."),
    ]
