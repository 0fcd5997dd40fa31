"""Several panels: sections at each factor, maps of error and spread, forms of enforcement."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xr_dip.canvas import INK, LINE_COLOURS, FloatArray, draw_bar, draw_map, find_library, map_aspect, new_panels
from xr_dip.plot import maps
from xr_dip.plot.scales import unit_of, usual_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes


TITLE_HEIGHT = 0.35
"""Of a title above all panels, inches."""


def sections(cuts: xr.Dataset) -> dict[str, Axes]:
    """Draw the truth, its block means and each estimate along a line, one panel for each factor.

    Parameters
    ----------
    cuts : Dataset
        As `xr_dip.twin.sections` returns it.

    Returns
    -------
    dict of str to Axes
        By factor: "x4".

    Examples
    --------
    >>> from xr_dip import synthetic, twin
    >>> list(sections(twin.sections(synthetic.gulf_stream((24, 36)).ssh, [2, 4], ["bicubic"])))
    ['x2', 'x4']
    """
    plt, names = find_library("matplotlib.pyplot"), [f"x{factor}" for factor in cuts.factor.values]
    size = (7.0, 1.0 + 1.7 * len(names))
    _, panels = plt.subplot_mosaic(
        [[name] for name in names], sharex=True, sharey=True, figsize=size, layout="constrained"
    )
    along = 1e-3 * cuts.distance
    for axes, factor in zip(panels.values(), cuts.factor.values, strict=True):
        part = cuts.sel(factor=factor)
        axes.plot(along, part.coarse, color="0.7", linewidth=1, drawstyle="steps-mid", label="block means")
        axes.plot(along, part.truth, color=INK, linewidth=1.8, label="truth")
        for colour, method in zip(cycle(LINE_COLOURS), cuts.estimator.values, strict=False):
            axes.plot(along, part.estimate.sel(estimator=method), color=colour, linewidth=1.2, label=str(method))
        axes.set_ylabel(f"x{factor} {unit_of(cuts.truth)}")
    first, last = panels[names[0]], panels[names[-1]]
    first.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    last.set_xlabel("distance (km)")
    return dict(panels)


def spreads(parts: xr.Dataset, *, title: str | None = None) -> dict[str, Axes]:
    """Draw the error of the ensemble mean, its spread, and that of the latents if there is one, on one scale.

    Above each is its root mean square, so that the spreads can be compared with the error and with each other.

    Parameters
    ----------
    parts : Dataset
        As `xr_dip.twin.ensemble` returns it, with latitude and longitude.
    title : str, optional
        Written above all; by default the factor and the size of the window.

    Returns
    -------
    dict of str to Axes

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> field = synthetic.gulf_stream((12, 16)).ssh
    >>> parts = xr.Dataset({"error": 0.1 * field, "ensemble_std": abs(field), "correlation": 0.4})
    >>> list(spreads(parts))
    ['error', 'ensemble_std']
    """
    shown = [name for name in ("error", "ensemble_std", "latent_std") if name in parts]
    panels = new_panels([shown], map_aspect(parts.error))
    error = f"error of the mean\nrms {_size(parts.error)}"
    maps.departure(parts.error, ax=panels["error"], title=error, bar=False)
    draw_bar([panels["error"]], f"error {unit_of(parts.error)}".strip())
    titles = {"ensemble_std": ("members", "correlation"), "latent_std": ("latents", "latent_correlation")}
    spread = [panels[name] for name in shown[1:]]
    # on one scale: which of them is larger is what is to be seen
    limits = (0.0, usual_size(*(parts[name] for name in shown[1:])))
    for name, axes in zip(shown[1:], spread, strict=True):
        words, correlation = titles[name]
        words = f"spread of {words}\nrms {_size(parts[name])}, correlation {float(parts[correlation]):.2f}"
        draw_map(parts[name], axes, colours=maps.SPREADS, limits=limits, title=words)
    draw_bar(spread, f"spread {unit_of(parts.ensemble_std)}".strip())
    _write_above(panels["error"], _window(parts) if title is None else title)
    return panels


def _write_above(axes: Axes, title: str) -> None:
    """Write a title above all panels, in a strip that is taken from them: a compressed layout leaves no room for it."""
    figure: Any = axes.figure
    figure.set_figheight(figure.get_figheight() + TITLE_HEIGHT)
    top = 1 - TITLE_HEIGHT / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, 0, 1, top))
    figure.text(0.5, (1 + top) / 2, title, ha="center", va="center", fontsize="large")


def _size(field: xr.DataArray) -> str:
    """Write the root mean square of a field, with its unit."""
    return f"{float((field**2).mean() ** 0.5):.3g} {field.attrs.get('units', '')}".strip()


def _window(parts: xr.Dataset) -> str:
    """Write the factor, where it is known, and the size of a window."""
    rows, columns = parts.error.squeeze().shape
    factor = f"x{parts.attrs['factor']}, " if "factor" in parts.attrs else ""
    return f"{factor}{rows} x {columns} cells"


def enforcement(scores: xr.Dataset) -> dict[str, Axes]:
    """Draw what each form of enforcement changes of the error, and by how much it misses the block means.

    The change is that of the RMSE against the constraint "none", or against the first if that is not among them. An
    error of block means that is exactly zero has no place on a logarithmic axis: it is an open dot at its left end.

    Parameters
    ----------
    scores : Dataset
        As `xr_dip.twin.enforcement` returns it.

    Returns
    -------
    dict of str to Axes
        "rmse" and "conservation_error".

    Examples
    --------
    >>> names = {"constraint": ["none", "additive"]}
    >>> scores = xr.Dataset({"rmse": ("constraint", [0.1, 0.08])}, names)
    >>> list(enforcement(scores.assign(conservation_error=("constraint", [0.02, 1e-9]))))
    ['rmse', 'conservation_error']
    """
    plt, names = find_library("matplotlib.pyplot"), scores.constraint.values.tolist()
    size = (7.5, 1.4 + 0.4 * len(names))
    _, panels = plt.subplot_mosaic([["rmse", "conservation_error"]], sharey=True, figsize=size, layout="constrained")
    plain = names.index("none") if "none" in names else 0
    rmse = scores.rmse.values
    change = 100 * (rmse / rmse[plain] - 1)
    _dots(panels["rmse"], names, change, [f"{value:+.3f}" if value else "0" for value in change])
    panels["rmse"].axvline(0, color=INK, linewidth=0.8)
    unit = str(scores.rmse.attrs.get("units", ""))
    against = f"{rmse[plain]:.3g} {unit}".strip()
    panels["rmse"].set_xlabel(f"change of the RMSE (%),\nof {against} with {names[plain]!r}")
    _errors_of_means(panels["conservation_error"], names, scores.conservation_error)
    panels["rmse"].set_ylim(len(names) - 0.5, -0.5)
    return dict(panels)


def _errors_of_means(axes: Axes, names: list[str], errors: xr.DataArray) -> None:
    """Draw errors of block means on a logarithmic axis from below the least of them to above the largest."""
    values = errors.values
    some = values[values > 0]
    low, high = (some.min() / 30, some.max()) if some.size else (1e-17, 1e-15)
    _dots(
        axes,
        names,
        np.where(values > 0, values, low),
        [f"{value:.2g}" for value in values],
        hollow=(values == 0).tolist(),
    )
    axes.set_xscale("log")
    axes.set_xlim(low / 3, 1000 * high)
    axes.set_xlabel(f"largest error of\na block mean {unit_of(errors)}".strip())


def _dots(
    axes: Axes, names: list[str], values: FloatArray, words: list[str], hollow: Sequence[bool] | None = None
) -> None:
    """Draw one dot in the row of each name, open or not, with its value beside it."""
    colours = ["none" if empty else LINE_COLOURS[0] for empty in hollow or [False] * len(names)]
    axes.scatter(values, names, s=40, facecolors=colours, edgecolors=LINE_COLOURS[0], zorder=3)
    for row, (value, text) in enumerate(zip(values, words, strict=True)):
        axes.annotate(text, (value, row), (6, 0), textcoords="offset points", va="center", fontsize="small")
    axes.grid(axis="y", linewidth=0.4)
    axes.margins(x=0.3)
