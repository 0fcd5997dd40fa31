"""The subcommands ``xr-dip distill`` and ``xr-dip apply``: a student from files of results, and its own results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import click
import xarray as xr

from xr_dip.archive.clock import open_clocked
from xr_dip.cf.netcdf import check_output, write_netcdf
from xr_dip.distillation.student import load_student
from xr_dip.distillation.teaching import distill
from xr_dip.variables import select_variable

OpenFile = Callable[[Path], xr.Dataset]
Errors = Callable[[], AbstractContextManager[None]]

TRAIN = """Train a student on the results FINE for days of the file COARSE, and write it to STUDENT.

FINE is a file of xr-dip, or a folder of files with a day each, as `xr-dip archive` writes it; the days in it are found
in COARSE by their time.

\b
Examples:
  xr-dip archive some/*.nc fine/ --var zos --factor 8
  xr-dip distill days.nc fine/ zos.safetensors --var zos
  xr-dip apply year.nc year_fine.nc --var zos --student zos.safetensors
"""

APPLY = """Make the variable NAME of the file IN fine by a student, and write the result to OUT.

\b
Examples:
  xr-dip apply year.nc year_fine.nc --var zos --student zos.safetensors
  xr-dip apply year.nc year_fine.nc --var zos --student zos.safetensors --mask mesh.nc:tmask
"""


def make_train_command(*, errors: Errors, open_file: OpenFile) -> click.Command:
    """Make the subcommand ``distill``.

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

    def train(coarse: Path, fine: Path, target: Path, name: str, overwrite: bool, quiet: bool, **options: Any) -> None:
        with errors():
            check_output(target, overwrite=overwrite, inputs=(coarse, fine))
            with open_file(coarse) as dataset, _open_results(fine, name, open_file) as results:
                field = select_variable(dataset, name)
                student = distill(field, results, dataset=dataset, progress=not quiet, **options)
                student.save(target, overwrite=overwrite)
        if not quiet:
            click.echo(f"{target}: {student!r}")

    return click.Command("distill", callback=train, params=_train_parameters(), help=TRAIN)


def make_apply_command(*, errors: Errors, open_file: OpenFile, open_mask: Any, periodic: Any) -> click.Command:
    """Make the subcommand ``apply``.

    Parameters
    ----------
    errors, open_file : callable
        As for `make_train_command`.
    open_mask : callable
        Context manager that opens the mask FILE:VAR.
    periodic : mapping
        Words for it.

    Returns
    -------
    click.Command
    """

    def apply(
        source: Path,
        target: Path,
        name: str,
        student: Path,
        mask: str | None,
        around: str,
        overwrite: bool,
        quiet: bool,
        **options: Any,
    ) -> None:
        with errors():
            check_output(target, overwrite=overwrite, inputs=(source, student))
            learned = load_student(student)
            with open_file(source) as dataset, open_mask(mask) as sea:
                field = select_variable(dataset, name)
                fine = learned.downscale(field, mask=sea, periodic=periodic[around], dataset=dataset, **options)
                write_netcdf(fine, target, overwrite=overwrite)
        if not quiet:
            click.echo(f"{target}: {', '.join(map(str, fine.data_vars))}")

    return click.Command("apply", callback=apply, params=_apply_parameters(periodic), help=APPLY)


@contextmanager
def _open_results(path: Path, name: str, open_file: OpenFile) -> Iterator[xr.Dataset]:
    """Open a file of results for a variable, or all of a folder, one time after the other."""
    if not path.is_dir():
        with open_file(path) as dataset:
            yield dataset
        return
    files = sorted(path.glob("*.nc"))
    if not files:
        raise FileNotFoundError(
            f"Invalid FINE '{path}'. It must be a file, or a folder with files *.nc: there are none."
        )
    with open_file(files[0]) as first, open_clocked(first, f"{name}_mean") as (_, clock):
        dim = clock.dim
    try:
        opened = xr.open_mfdataset(files, combine="nested", concat_dim=dim)
    except (OSError, ValueError):
        for file in files:
            open_file(file).close()  # an error of one file names it
        raise
    with opened as dataset:
        yield dataset


def _train_parameters() -> list[click.Parameter]:
    path: Any = click.Path(path_type=Path)
    return [
        click.Argument(["coarse"], metavar="COARSE", type=path),
        click.Argument(["fine"], metavar="FINE", type=path),
        click.Argument(["target"], metavar="STUDENT", type=path),
        click.Option(["--var", "name"], required=True, metavar="NAME", help="Variable of COARSE."),
        *_common_parameters(),
        click.Option(["--channels"], type=int, default=64, show_default=True, help="Width of the network."),
        click.Option(["--layers"], type=int, default=4, show_default=True, help="Its convolutions."),
        click.Option(["--steps"], type=int, default=1500, show_default=True, help="Of the training."),
        click.Option(["--seed"], type=int, default=0, show_default=True, help="The same seed gives the same student."),
        click.Option(
            ["--device"], default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda or cuda:1."
        ),
    ]


def _apply_parameters(periodic: Any) -> list[click.Parameter]:
    path: Any = click.Path(path_type=Path)
    return [
        click.Argument(["source"], metavar="IN", type=path),
        click.Argument(["target"], metavar="OUT", type=path),
        click.Option(["--var", "name"], required=True, metavar="NAME", help="Variable to downscale."),
        click.Option(["--student"], required=True, type=path, help="File of a student."),
        click.Option(["--mask"], metavar="FILE:VAR", help="Fine sea mask, on the fine grid or any finer regular one."),
        click.Option(
            ["--periodic", "around"],
            type=click.Choice(list(periodic)),
            default="auto",
            show_default=True,
            help="Whether the first column is a neighbour of the last.",
        ),
        click.Option(["--extrapolate"], is_flag=True, help="Values for fine sea within one coarse cell of data, too."),
        *_common_parameters(),
    ]


def _common_parameters() -> list[click.Parameter]:
    return [
        click.Option(
            ["--weights"],
            type=click.Choice(["equal", "area"]),
            default="equal",
            show_default=True,
            help="Weights of the fine cells in a coarse mean.",
        ),
        click.Option(["--land-value"], type=float, metavar="NUMBER", help="Value of land in NAME, such as 0."),
        *(
            click.Option([f"--{axis}-{kind}"], metavar="NAME", help=f"Its {text} {axis}, where it cannot be found.")
            for axis in "xy"
            for kind, text in (("dim", "dimension"), ("coord", "coordinate along"))
        ),
        click.Option(["--overwrite"], is_flag=True, help="Replace the output where it exists."),
        click.Option(["--quiet"], is_flag=True, help="No progress and no closing line."),
    ]
