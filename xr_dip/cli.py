"""The command ``xr-dip``: what the package does, for files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xr_dip import downscaling, report_command, samples, score_command, student_command, twin_command
from xr_dip._version import __version__
from xr_dip.archive.command import make_command
from xr_dip.cf.netcdf import check_output, copy_file, write_netcdf
from xr_dip.inputs import Periodic
from xr_dip.named_files import file_of, open_file, open_mask, read_noise_option
from xr_dip.presets import PRESETS
from xr_dip.variables import select_variable

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:  # not generic at run time in older versions of click
    ParamType = click.ParamType

PERIODIC: dict[str, Periodic] = {"auto": "auto", "yes": True, "no": False}


class FactorType(ParamType):
    """``5`` or ``5,4``: fine cells per coarse cell, along y and x."""

    name = "N|Y,X"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | tuple[int, int]:
        """Read one number or two; whether they are possible is for `downscale` to say."""
        numbers = str(value).split(",")
        if len(numbers) > 2 or not all(number.strip().isdecimal() for number in numbers):
            self.fail(
                f"Invalid factor {value!r}. It must be a whole number, or two with a comma: 5 or 5,4.", param, ctx
            )
        first, *second = (int(number) for number in numbers)
        return (first, second[0]) if second else first


class TileType(ParamType):
    """``auto``, ``none`` or a number of coarse cells."""

    name = "auto|none|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str | None:
        """Read a word or a number; whether it is possible is for `downscale` to say."""
        if value in ("auto", "none"):
            return None if value == "none" else "auto"
        if not str(value).isdecimal():
            self.fail(f"Invalid tile {value!r}. It must be auto, none, or a whole number of coarse cells.", param, ctx)
        return int(value)


class OptionType(ParamType):
    """``NAME=NUMBER``, ``NAME=NUMBER,NUMBER`` or ``NAME=true``; any other word stays a word."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Read a name and its value; whether both are possible is for `downscale` to say."""
        name, equals, text = str(value).partition("=")
        if not (name and equals and text):
            self.fail(f"Invalid option {value!r}. It must be a name and a value: channels=32.", param, ctx)
        values = tuple(_value(word.strip()) for word in text.split(","))
        return name, values if len(values) > 1 else values[0]


def _value(word: str) -> bool | int | float | str:
    """Return a truth value, a whole number, another number, or what is none."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(word)
    return word


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn the errors that the package raises into one line and exit status 1; any other keeps its traceback.

    The package raises ImportError for an extra that is not installed, and says which.
    """
    try:
        yield
    except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def _options_option(flag: str, name: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a flag that may be given several times, for a mapping; None where it is not given."""

    def collect(
        ctx: click.Context, param: click.Parameter, given: tuple[tuple[str, Any], ...]
    ) -> dict[str, Any] | None:
        return dict(given) or None

    return click.option(flag, name, multiple=True, type=OptionType(), callback=collect, help=text)


def _names(
    known: Callable[[], Iterable[str]],
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Make what the tab key offers: those of the known names that begin with what was typed."""
    return lambda ctx, param, typed: [name for name in known() if name.startswith(typed)]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xr-dip")
def main() -> None:
    """Fine sea surface height from coarse files, with Deep Image Prior.

    \b
    Examples:
      xr-dip sample gulf_stream_coarse --output coarse.nc
      xr-dip downscale coarse.nc fine.nc --var sossheig --factor 5
      xr-dip archive year/*.nc fine/ --var sossheig --factor 16
      xr-dip verify fine.nc truth.nc
      xr-dip report fine.nc report.html
      xr-dip twin truth.nc --var ssh --factors 4,8,16
    """  # noqa: D301


@main.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--var", "name", required=True, metavar="NAME", help="Variable to downscale.")
@click.option(
    "--factor", required=True, type=FactorType(), help="Fine cells per coarse cell, 5, or along y and x, 5,4."
)
@click.option("--members", default=10, show_default=True, metavar="M", help="Fits of the ensemble.")
@click.option(
    "--preset",
    default="balanced",
    show_default=True,
    metavar="NAME",
    shell_complete=_names(lambda: PRESETS),
    help=f"Named configuration: {', '.join(sorted(PRESETS))}.",
)
@click.option("--generator", metavar="NAME", help="Network, instead of that of the preset.")
@_options_option("--generator-option", "generator_options", "Option of the network, such as channels=32.")
@click.option("--loss", metavar="NAME", help="Misfit, instead of that of the preset.")
@_options_option("--penalty", "penalties", "Weight of a term added to the loss, such as total_variation=1e-5.")
@click.option("--constraint", metavar="NAME", help="Form of the conservation, instead of that of the preset.")
@_options_option("--constraint-option", "constraint_options", "Option of the constraint, such as value_range=-2,2.")
@click.option("--operator", metavar="NAME", help="How coarse values came from fine ones, instead of block_mean.")
@_options_option("--operator-option", "operator_options", "Option of the operator, such as width=0.4.")
@click.option("--mask", metavar="FILE:VAR", help="Fine sea mask, on the fine grid or any finer regular one.")
@click.option(
    "--weights",
    type=click.Choice(["equal", "area"]),
    default="equal",
    show_default=True,
    help="Weights of the fine cells in a coarse mean.",
)
@click.option("--land-value", type=float, metavar="NUMBER", help="Value of land in NAME, such as 0.")
@click.option("--extrapolate", is_flag=True, help="Values for fine sea within one coarse cell of data, too.")
@click.option(
    "--periodic",
    type=click.Choice(list(PERIODIC)),
    default="auto",
    show_default=True,
    help="Whether the first column is a neighbour of the last.",
)
@click.option("--x-dim", metavar="NAME", help="Horizontal dimension x, where it cannot be found.")
@click.option("--y-dim", metavar="NAME", help="Horizontal dimension y, where it cannot be found.")
@click.option("--x-coord", metavar="NAME", help="Longitude, or x of a projection, where it cannot be found.")
@click.option("--y-coord", metavar="NAME", help="Latitude, or y of a projection, where it cannot be found.")
@click.option(
    "--noise-std",
    metavar="NUMBER|FILE:VAR",
    help="Noise of the input, in its unit, one number or one for each value; it is then not enforced exactly.",
)
@click.option("--perturb-observations", is_flag=True, help="Fit each member to the input plus noise of its own.")
@click.option(
    "--latent-samples", type=int, metavar="N", help="Latents drawn through each fitted network, for their spread."
)
@click.option("--tile", type=TileType(), default="auto", show_default=True, help="Coarse cells along a side of a tile.")
@click.option("--overlap", type=int, metavar="N", help="Coarse cells that neighbouring tiles share.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="The same seed gives the same members.")
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda or cuda:1.")
@click.option("--batch", type=int, metavar="N", help="Members fitted together; by default as suits the device.")
@click.option("--keep-members", is_flag=True, help="Write each member, too.")
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists.")
@click.option("--quiet", is_flag=True, help="No progress and no closing line.")
def downscale(
    source: Path,
    target: Path,
    name: str,
    factor: int | tuple[int, int],
    mask: str | None,
    noise_std: str | None,
    periodic: str,
    overwrite: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Downscale the variable NAME of the file IN and write the result to OUT, a CF-compliant NetCDF file.

    \b
    Examples:
      xr-dip downscale coarse.nc fine.nc --var zos --factor 8
      xr-dip downscale coarse.nc fine.nc --var zos --factor 8 --mask mesh.nc:tmask
      xr-dip downscale coarse.nc fine.nc --var adt --factor 5,4 --members 20 --noise-std 0.02
      xr-dip downscale coarse.nc fine.nc --var adt --factor 8 --noise-std coarse.nc:err_adt
    """  # noqa: D301
    with _one_line_errors():
        check_output(target, overwrite=overwrite, inputs=(source, file_of(mask), file_of(noise_std)))
        noise = read_noise_option(noise_std)
        with open_file(source) as dataset, open_mask(mask) as sea:
            field = select_variable(dataset, name)
            fine = downscaling.downscale(
                field,
                factor,
                mask=sea,
                noise_std=noise,
                periodic=PERIODIC[periodic],
                progress=not quiet,
                dataset=dataset,
                **options,
            )
            write_netcdf(fine, target, overwrite=overwrite)
    if not quiet:
        click.echo(f"{target}: {', '.join(map(str, fine.data_vars))}")


@main.command()
@click.argument("name", required=False, shell_complete=_names(lambda: [entry.name for entry in samples.list()]))
@click.option("--list", "listing", is_flag=True, help="List the samples instead.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Copy the file here; else its path in the cache is printed."
)
@click.option("--overwrite", is_flag=True, help="Replace the output where it exists.")
def sample(name: str | None, listing: bool, output: Path | None, overwrite: bool) -> None:
    """Fetch the public sample NAME, or list what there is.

    \b
    Examples:
      xr-dip sample --list
      xr-dip sample gulf_stream_coarse --output coarse.nc
    """  # noqa: D301
    if listing:
        for entry in samples.list():
            click.echo(entry)
        return
    if name is None:
        raise click.UsageError("Invalid NAME None. It must be one of those that --list shows.")
    with _one_line_errors():
        if output:
            check_output(output, overwrite=overwrite)
        path = samples.fetch(name)
        if output:
            copy_file(path, output, overwrite=overwrite)
    click.echo(output or path)


main.add_command(
    make_command(
        downscale.params,
        errors=_one_line_errors,
        open_mask=open_mask,
        read_noise=read_noise_option,
        periodic=PERIODIC,
    )
)
main.add_command(score_command.make_command(errors=_one_line_errors, open_file=open_file))
main.add_command(report_command.make_command(errors=_one_line_errors, open_file=open_file))
main.add_command(twin_command.make_command(downscale.params, errors=_one_line_errors, open_file=open_file))
main.add_command(student_command.make_train_command(errors=_one_line_errors, open_file=open_file))
main.add_command(
    student_command.make_apply_command(
        errors=_one_line_errors, open_file=open_file, open_mask=open_mask, periodic=PERIODIC
    )
)
