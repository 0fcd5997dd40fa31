"""The subcommand ``xr-dip archive``: the options of ``xr-dip downscale``, and its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import click
import xarray as xr

from xr_dip.archive import driver
from xr_dip.archive.chains import LENGTH
from xr_dip.inputs import Periodic

# Of `downscale`, where they mean something else or nothing here.
REPLACED = ("source", "target", "overwrite", "quiet")
# Some days failed, the others are there.
SOME_FAILED = 3

HELP = """Downscale each day of the files IN and write it to the folder OUT as soon as it is done.

\b
A day is one time step, or with --daily-mean the mean of all steps of a date. A run that was stopped, in whatever way,
goes on with --resume; the result is the same as without the stop. A day that cannot be done is reported and left out.

\b
Exit status:
  0  every day is there
  1  the run could not go on: one line says why; what was done before is kept
  2  an option or a source that cannot be used: nothing was begun
  3  some days failed, the others are there

\b
Examples:
  xr-dip archive year/*.nc fine/ --var sossheig --factor 16
  xr-dip archive year/*.nc fine/ --var sossheig --factor 16 --dry-run
  xr-dip archive year/*.nc fine/ --var sossheig --factor 16 --warm-start --workers 4
  xr-dip archive year/*.nc fine/ --var adt --factor 5 --zarr fine.zarr --workers 4 --resume
  xr-dip archive year/*.nc fine/ --var adt --factor 5 --shard $SLURM_ARRAY_TASK_ID/100 --resume
"""


def make_command(
    shared: Sequence[click.Parameter],
    *,
    errors: Callable[[], AbstractContextManager[None]],
    open_mask: Callable[[str | None], AbstractContextManager[xr.DataArray | None]],
    read_noise: Callable[[str | None], float | xr.DataArray | None],
    periodic: Mapping[str, Periodic],
) -> click.Command:
    """Make the subcommand from the options of ``xr-dip downscale``, so that both have the same.

    Parameters
    ----------
    shared : sequence of click.Parameter
        Of the command `downscale`.
    errors : callable
        Context manager that turns errors into one line.
    open_mask : callable
        Context manager that opens a mask given as FILE:VAR.
    read_noise : callable
        Reads the size of the noise, given as a number or as FILE:VAR.
    periodic : mapping
        From the words of ``--periodic`` to their values.

    Returns
    -------
    click.Command
    """

    def archive(source: tuple[str, ...], out: Path, name: str, mask: str | None, quiet: bool, **options: Any) -> None:
        options["periodic"] = periodic[options["periodic"]]
        with errors(), _wrong_options(), open_mask(mask) as sea:
            options["noise_std"] = read_noise(options["noise_std"])
            summary = driver.downscale_archive(
                list(source), out, variable=name, mask=sea, progress=not quiet, **options
            )
        if not quiet or summary.estimate:
            click.echo(repr(summary))
        else:
            for outcome in summary.outcomes:
                if outcome.reason:
                    click.echo(f"failed: {outcome.label}: {outcome.reason}", err=True)
        if summary.failed:
            raise click.exceptions.Exit(SOME_FAILED)

    options = [option for option in shared if option.name not in REPLACED]
    return click.Command(
        "archive", callback=archive, params=[*_arguments(), *options, *_options()], help=HELP, epilog=None
    )


class _WrongOptionError(click.ClickException):
    """One line, and the status that click itself has for wrong options."""

    exit_code = 2


@contextmanager
def _wrong_options() -> Iterator[None]:
    """Give what cannot be used a status of its own: a job that is sent again would fail again."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise _WrongOptionError(" ".join(str(error).split())) from error


def _arguments() -> list[click.Parameter]:
    return [
        click.Argument(["source"], metavar="IN...", nargs=-1, required=True),
        click.Argument(["out"], metavar="OUT", type=click.Path(path_type=Path, file_okay=False)),
    ]


def _options() -> list[click.Parameter]:
    """Options of archives alone."""
    path = click.Path(path_type=Path)
    return [
        click.Option(["--zarr"], type=path, help="One Zarr store instead of a NetCDF file per day."),
        click.Option(
            ["--icechunk/--no-icechunk"],
            default=None,
            help="Whether that store is one of icechunk.  [default: where it is installed and there is no --shard]",
        ),
        click.Option(["--resume"], is_flag=True, help="Go on where days are there already."),
        click.Option(["--shard"], metavar="I/N", help="The I-th of N shares of the days."),
        click.Option(["--workers"], type=int, metavar="N", help="Processes on this machine."),
        click.Option(["--scheduler"], metavar="ADDRESS", help="A dask cluster to work on."),
        click.Option(["--daily-mean"], is_flag=True, help="Average the time steps of each date."),
        click.Option(["--warm-start"], is_flag=True, help="Begin the fits of a day from those of the day before."),
        click.Option(
            ["--chain"],
            type=int,
            metavar="N",
            help=f"Days of a chain, with --warm-start.  [default: {LENGTH}]",
        ),
        click.Option(["--dry-run"], is_flag=True, help="Say what it would cost, from a few fits; write nothing."),
        click.Option(["--quiet"], is_flag=True, help="No progress and no summary; failed days on standard error."),
    ]
