"""The subcommand ``xr-dip twin``: experiments on a file that holds the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import xarray as xr
from click.core import ParameterSource

from xr_dip.canvas import find_library
from xr_dip.cf.netcdf import check_output, write_netcdf
from xr_dip.checks import check_name
from xr_dip.twin_experiments import CLAIMS, EXPERIMENTS, Experiment, draw
from xr_dip.variables import select_variable

# Of `downscale`, with the same meaning: how coarse values come from fine ones.
OBSERVED = ("operator", "operator_options")

HELP = """Make the field NAME of the file TRUTH coarse, make it fine again, and see what became of it.

\b
--experiment says what is compared:
  factors      one score by factor, method and noise
  sections     the estimates along one row of the truth
  ensemble     members, means of so many of them, and their spread, of one factor
  enforcement  the same fits with each form of conservation, of one factor
  losses       scores on the way through a fit, for each loss, of one factor
With --claims, instead, the published claims about the deep image prior are judged on one field.

The last three take one preset as --methods, by default the published one. What was found is printed as a table; --out
writes all of it to a NetCDF file, --plot draws a picture.

\b
Examples:
  xr-dip twin truth.nc --var ssh --factors 4,8,16 --methods bicubic,kriging,balanced
  xr-dip twin truth.nc --var ssh --factors 8 --noise-std 0,0.02 --out scores.nc --plot scores.png
  xr-dip twin truth.nc --var ssh --factors 8 --operator gaussian --operator-option width=0.4
  xr-dip twin truth.nc --var ssh --experiment ensemble --factors 8 --methods fast --constraints smooth --plot size.png
  xr-dip twin truth.nc --var ssh --claims --factors 1,4,16,32 --members 3 --cache kept/ --plot pictures/
"""


def make_command(
    shared: Sequence[click.Parameter],
    *,
    errors: Callable[[], AbstractContextManager[None]],
    open_file: Callable[[Path], xr.Dataset],
) -> click.Command:
    """Make the subcommand.

    Parameters
    ----------
    shared : sequence of click.Parameter
        Of the command `downscale`: those of the operator are taken from it.
    errors : callable
        Context manager that turns errors into one line.
    open_file : callable
        Opens a NetCDF file, with errors that name it.

    Returns
    -------
    click.Command
    """

    def compare(
        truth: Path,
        name: str,
        experiment: str,
        published: bool,
        output: Path | None,
        picture: Path | None,
        overwrite: bool,
        quiet: bool,
        seed: int,
        device: str,
        cache: Path | None,
        **given: Any,
    ) -> None:
        common = {"seed": seed, "device": device, "cache": cache, "progress": not quiet}
        with errors():
            kind = CLAIMS if published else EXPERIMENTS[experiment]
            _refuse_what_is_ignored(kind, "--claims" if published else f"--experiment {experiment}", given)
            given = {key: kind.defaults[key] if given[key] is None else given[key] for key in kind.defaults}
            common["members"] = given["members"]
            score = given.get("score", "")
            if kind.scores:
                check_name("score", score, kind.scores)
            places = _places(picture, kind)
            for path in filter(None, (output, *_new_paths(picture, places))):
                check_output(path, overwrite=overwrite, inputs=(truth,))
            _check_pictures(places.values(), output)
            with open_file(truth) as dataset:
                found = kind.run(select_variable(dataset, name), given, common)
            first = next(iter(found.values()))
            if output:
                write_netcdf(first, output, overwrite=overwrite)
            click.echo(kind.write(first, score))  # before the pictures, in which something may go wrong
            draw(kind, found, score, places)

    observed = [option for option in shared if option.name in OBSERVED]
    return click.Command("twin", callback=compare, params=[*_parameters(), *observed], help=HELP)


def _refuse_what_is_ignored(kind: Experiment, what: str, given: Mapping[str, Any]) -> None:
    """Refuse options that were given and would be without effect."""
    context = click.get_current_context()
    flags = {option.name: option.opts[0] for option in context.command.params}
    taken = [flags[name] for name in kind.defaults]
    ignored = [name for name in given if name not in kind.defaults]
    ignored += ["experiment"] * (kind is CLAIMS)
    for name in ignored:
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise ValueError(f"Invalid {flags[name]} with {what}. It must be left out: that takes {taken}.")


def _places(picture: Path | None, kind: Experiment) -> dict[str, Path]:
    """Name the file of each picture: the one that was named, or several in a folder of that name."""
    if picture is None:
        return {}
    if len(kind.draw) == 1:
        return dict.fromkeys(kind.draw, picture)
    if picture.is_file() or _ending(picture) in _known_endings():
        raise ValueError(f"Invalid --plot '{picture}' with --claims. It must be a folder: there are several pictures.")
    return {name: picture / f"{name}.png" for name in kind.draw}


def _new_paths(picture: Path | None, places: Mapping[str, Path]) -> list[Path]:
    """Return what is to be made: the pictures, or first the folder of several, which is made just before drawing."""
    several = len(places) > 1
    return [picture] if several and picture and not picture.is_dir() else list(places.values())


def _check_pictures(places: Iterable[Path], output: Path | None) -> None:
    """Refuse pictures that could not be drawn, before anything is computed."""
    for path in places:
        if output and output.resolve() == path.resolve():
            raise ValueError(f"Invalid --plot '{path}'. It must be another file than that of --out.")
        if _ending(path) not in _known_endings():
            raise ValueError(f"Invalid --plot '{path}'. Its name must end with one of {sorted(_known_endings())}.")


def _ending(path: Path) -> str:
    return path.suffix[1:].lower()


def _known_endings() -> Mapping[str, str]:
    found: Mapping[str, str] = find_library("matplotlib.backend_bases").FigureCanvasBase.get_supported_filetypes()
    return found


def _parameters() -> list[click.Parameter]:
    path: Any = click.Path(path_type=Path)
    return [
        click.Argument(["truth"], metavar="TRUTH", type=path),
        click.Option(["--var", "name"], required=True, metavar="NAME", help="Variable that is the truth."),
        click.Option(
            ["--experiment"],
            type=click.Choice(list(EXPERIMENTS)),
            default="factors",
            show_default=True,
            help="What is compared.",
        ),
        click.Option(["--claims", "published"], is_flag=True, help="Judge the published claims instead."),
        _varying("factors", "N,...", "Factors to compare, or the one factor."),
        _varying("methods", "NAME,...", "Interpolations and presets, or the one preset."),
        _varying("constraints", "NAME,...", "Forms of conservation to compare, or the one of the ensemble."),
        _varying("losses", "NAME,...", "Losses to compare."),
        _varying("members", "M", "Fits of each ensemble, or of each loss.", type=int),
        _varying("noise_std", "SIZE,...", "Noise added to the coarse field, in its unit."),
        _varying("latent_samples", "N", "Latents drawn through each network of the ensemble.", type=int),
        _varying("every", "N", "Iterations between two scores of a fit, a multiple of 10.", type=int),
        _varying("score", "NAME", "What is printed and drawn."),
        click.Option(
            ["--seed"], default=0, show_default=True, metavar="N", help="The same seed gives the same numbers."
        ),
        click.Option(
            ["--device"], default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda or cuda:1."
        ),
        click.Option(["--cache"], type=path, metavar="FOLDER", help="Keep results here, and look for them."),
        click.Option(["--out", "output"], type=path, metavar="FILE", help="Write what was found here."),
        click.Option(
            ["--plot", "picture"], type=path, metavar="FILE", help="Draw it here; with --claims a folder of pictures."
        ),
        click.Option(["--overwrite"], is_flag=True, help="Replace FILE where it exists."),
        click.Option(["--quiet"], is_flag=True, help="No progress."),
    ]


def _varying(name: str, metavar: str, text: str, **options: Any) -> click.Option:
    """Make an option that some experiments take, with the defaults of each in its help."""
    defaults: dict[str, list[str]] = {}
    for label, kind in {**EXPERIMENTS, "claims": CLAIMS}.items():
        if kind.defaults.get(name) is not None:
            defaults.setdefault(str(kind.defaults[name]), []).append(label)
    told = "; ".join(f"{default} ({', '.join(labels)})" for default, labels in defaults.items())
    return click.Option([f"--{name.replace('_', '-')}"], metavar=metavar, help=f"{text}  [default: {told}]", **options)
