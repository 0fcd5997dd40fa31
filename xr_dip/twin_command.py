"""The subcommand ``xr-dip twin``: methods compared on a file that holds the truth."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import xarray as xr
from click.core import ParameterSource

from xr_dip import twin
from xr_dip.cf.netcdf import check_output, write_netcdf
from xr_dip.variables import select_variable

# Of `downscale`, with the same meaning: how coarse values come from fine ones.
OBSERVED = ("operator", "operator_options")

HELP = """Make the field NAME of the file TRUTH coarse, make it fine again by each method, and score the results.

\b
Prints one score by factor, method and noise. With --out all scores are written to a NetCDF file, with --plot a picture
is drawn. With --claims, instead, the published claims about the deep image prior are judged on one field.

\b
Examples:
  xr-dip twin truth.nc --var ssh --factors 4,8,16 --methods bicubic,kriging,balanced
  xr-dip twin truth.nc --var ssh --factors 8 --noise-std 0,0.02 --out scores.nc --plot scores.png
  xr-dip twin truth.nc --var ssh --factors 8 --operator gaussian --operator-option width=0.4
  xr-dip twin truth.nc --var ssh --claims --factors 1,4,16,32 --members 3 --cache kept/
"""


NOT_OF_CLAIMS = {"methods": "--methods", "noise_std": "--noise-std", "score": "--score", "picture": "--plot"}
"""Options by argument that say nothing to `xr_dip.twin.claims`."""
CLAIMS_ARE = "verdicts are words, of the published method, with noise of a size of its own"


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
        factors: str,
        methods: str,
        noise_std: str,
        score: str,
        published: bool,
        output: Path | None,
        picture: Path | None,
        overwrite: bool,
        quiet: bool,
        **options: Any,
    ) -> None:
        options = {key: given for key, given in options.items() if given is not None or key not in OBSERVED}
        with errors():
            if published:
                _refuse_what_claims_ignore()
            if published and not options.keys().isdisjoint(OBSERVED):
                raise ValueError("Invalid --operator with --claims. It must be left out: claims are of block means.")
            for path in filter(None, (output, picture)):
                check_output(path, overwrite=overwrite, inputs=(truth,))
            if picture:
                _check_picture(picture, output)
            with open_file(truth) as dataset:
                field = select_variable(dataset, name)
                options |= {"progress": not quiet}
                if published:
                    found = twin.claims(field, _numbers(factors, int, "factors"), **options)
                else:
                    found = _experiment(field, factors, methods, noise_std, options)
            if output:
                write_netcdf(found, output, overwrite=overwrite)
            lines = format_claims(found) if published else format_table(found, score)
            if picture:
                _draw(found, score, picture)
        click.echo(lines)

    observed = [option for option in shared if option.name in OBSERVED]
    return click.Command("twin", callback=compare, params=[*_parameters(), *observed], help=HELP)


def format_table(scores: xr.Dataset, score: str = "rmse") -> str:
    """Lay one score out as a table of methods by factor; the mean where there are several times.

    Parameters
    ----------
    scores : Dataset
        Of `xr_dip.twin.experiment`.
    score : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> rmse = (("factor", "estimator", "noise_std"), [[[0.01]], [[0.03]]], {"units": "m"})
    >>> scores = xr.Dataset({"rmse": rmse}, {"factor": [4, 8], "estimator": ["bicubic"], "noise_std": [0.0]})
    >>> print(format_table(scores))
    rmse (m)    x4    x8
    bicubic   0.01  0.03
    """
    if score not in scores:
        raise ValueError(f"Invalid score {score!r}. It must be one of {list(scores.data_vars)}.")
    kept = ("estimator", "noise_std", "factor")
    values = scores[score].mean([dim for dim in scores[score].dims if dim not in kept]).transpose(*kept)
    units = str(scores[score].attrs.get("units", ""))
    rows = [[f"{score} ({units})" if units else score, *(f"x{factor}" for factor in values.factor.values)]]
    for method in values.estimator.values:
        for noise in values.noise_std.values:
            label = f"{method}, noise {noise:g}" if noise else str(method)
            rows.append([label, *(f"{value:.4g}" for value in values.sel(estimator=method, noise_std=noise).values)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def format_claims(found: xr.Dataset) -> str:
    """Write each published claim, if it was seen, and the numbers.

    Parameters
    ----------
    found : Dataset
        Of `xr_dip.twin.claims`.

    Returns
    -------
    str

    Examples
    --------
    >>> print(format_claims(twin.judge()).splitlines()[0])
    (a) not tested: The prior cannot fit even an exact field of factor 1, bicubic interpolation can.
    """
    return "\n".join(
        f"({letter}) {verdict}: {statement}\n    {evidence}"
        for letter, verdict, statement, evidence in zip(
            found.claim.values, found.verdict.values, found.statement.values, found.evidence.values, strict=True
        )
    )


def _refuse_what_claims_ignore() -> None:
    """Refuse options that were given and would be without effect."""
    given = click.get_current_context().get_parameter_source
    for name, option in NOT_OF_CLAIMS.items():
        if given(name) == ParameterSource.COMMANDLINE:
            raise ValueError(f"Invalid {option} with --claims. It must be left out: {CLAIMS_ARE}.")


def _check_picture(picture: Path, output: Path | None) -> None:
    """Refuse a picture that could not be drawn, before anything is computed."""
    if output and output.resolve() == picture.resolve():
        raise ValueError(f"Invalid --plot '{picture}'. It must be another file than that of --out.")
    known = importlib.import_module("matplotlib.backend_bases").FigureCanvasBase.get_supported_filetypes()
    if picture.suffix[1:].lower() not in known:
        raise ValueError(f"Invalid --plot '{picture}'. Its name must end with one of {sorted(known)}.")


def _draw(scores: xr.Dataset, score: str, path: Path) -> None:
    """Save the picture of a score by factor."""
    pyplot = importlib.import_module("matplotlib.pyplot")
    twin.plot.by_factor(scores, score)
    pyplot.savefig(path, dpi=150)
    pyplot.close()


def _experiment(field: xr.DataArray, factors: str, methods: str, noise_std: str, options: dict[str, Any]) -> xr.Dataset:
    names = [method.strip() for method in methods.split(",")]
    noise = _numbers(noise_std, float, "noise_std")
    return twin.experiment(field, _numbers(factors, int, "factors"), names, noise_std=noise, **options)


def _numbers(text: str, kind: type, name: str) -> list[Any]:
    """Read numbers with commas between."""
    try:
        return [kind(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(f"Invalid {name} {text!r}. It must be numbers with commas between: 4,8.") from None


def _parameters() -> list[click.Parameter]:
    path: Any = click.Path(path_type=Path)
    return [
        click.Argument(["truth"], metavar="TRUTH", type=path),
        click.Option(["--var", "name"], required=True, metavar="NAME", help="Variable that is the truth."),
        click.Option(["--factors"], default="4,8,16", show_default=True, metavar="N,...", help="Factors to compare."),
        click.Option(
            ["--methods"],
            default="bicubic,kriging,balanced",
            show_default=True,
            metavar="NAME,...",
            help="Interpolations and presets.",
        ),
        click.Option(["--members"], default=10, show_default=True, metavar="M", help="Fits of each ensemble."),
        click.Option(
            ["--noise-std"],
            default="0",
            show_default=True,
            metavar="METRES,...",
            help="Noise added to the coarse field.",
        ),
        click.Option(["--score"], default="rmse", show_default=True, metavar="NAME", help="What is printed and drawn."),
        click.Option(["--claims", "published"], is_flag=True, help="Judge the published claims instead."),
        click.Option(
            ["--seed"], default=0, show_default=True, metavar="N", help="The same seed gives the same numbers."
        ),
        click.Option(
            ["--device"], default="auto", show_default=True, metavar="NAME", help="auto, cpu, cuda or cuda:1."
        ),
        click.Option(["--cache"], type=path, metavar="FOLDER", help="Keep results here, and look for them."),
        click.Option(["--out", "output"], type=path, metavar="FILE", help="Write all scores here."),
        click.Option(["--plot", "picture"], type=path, metavar="FILE", help="Draw the score by factor here."),
        click.Option(["--overwrite"], is_flag=True, help="Replace FILE where it exists."),
        click.Option(["--quiet"], is_flag=True, help="No progress."),
    ]
