"""Several panels: sections at each factor, maps of error and spread, forms of enforcement."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xr_dip.canvas import INK, LINE_COLOURS, draw_bar, draw_map, find_library, map_aspect, new_panels
from xr_dip.plot import maps
from xr_dip.plot.scales import unit_of, usual_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALLEST_SHOWN = 1e-12
"""Block means that agree better are drawn here, as a logarithmic axis has no zero."""


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


def spreads(parts: xr.Dataset) -> dict[str, Axes]:
    """Draw the error of the ensemble mean, its spread, and that of the latents if there is one.

    Parameters
    ----------
    parts : Dataset
        As `xr_dip.twin.ensemble` returns it, with latitude and longitude.

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
    maps.departure(parts.error, ax=panels["error"], title="error of the mean", label="error")
    titles = {"ensemble_std": ("members", "correlation"), "latent_std": ("latents", "latent_correlation")}
    for name in shown[1:]:
        words, correlation = titles[name]
        title = f"spread of {words}\ncorrelation {float(parts[correlation]):.2f}"
        # each with its own scale: their patterns are to be compared with that of the error
        limits = (0.0, usual_size(parts[name]))
        draw_map(parts[name], panels[name], colours=maps.SPREADS, limits=limits, title=title)
        draw_bar([panels[name]], f"spread {unit_of(parts[name])}".strip(), location="right")
    return panels


def enforcement(scores: xr.Dataset) -> dict[str, Axes]:
    """Draw the error of each form of enforcement, and by how much it misses the block means.

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
    titles = {"rmse": "RMSE", "conservation_error": "largest error of a block mean"}
    for name, axes in panels.items():
        values = scores[name].values
        bars = axes.barh(names, np.maximum(values, SMALLEST_SHOWN), color=LINE_COLOURS[0])
        axes.bar_label(bars, [f"{value:.2g}" for value in values], padding=3, fontsize="small")
        axes.set_xlabel(f"{titles[name]} {unit_of(scores[name])}".strip())
        axes.margins(x=0.2)
    panels["conservation_error"].set_xscale("log")
    panels["conservation_error"].set_xlim(SMALLEST_SHOWN / 10, 30 * float(scores.conservation_error.max()))
    panels["rmse"].invert_yaxis()
    return dict(panels)
