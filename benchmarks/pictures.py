"""Small pictures for the documentation: what a method makes of a field, and how scores are distributed."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from cases import Case, Twin, estimate
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

COLOURS = 96
"""Of the palette: keeps a picture below 120 kB."""
DPI = 80

Bars = tuple[str, npt.NDArray[np.floating], npt.NDArray[np.floating], float]


def draw_case(case: Case, result: xr.Dataset, twin: Twin, path: Path) -> None:
    """Draw truth, bicubic, kriging and one result, with the standard error and the errors below."""
    name = twin.fine.name
    truth = twin.fine.values
    means = {
        method: estimate(twin, case.factor, method, members=case.members)[f"{name}_mean"].values
        for method in ("bicubic", "kriging")
    }
    means[case.method] = result[f"{name}_mean"].values
    figure = Figure(figsize=(11.5, 11.5 * 0.5 * truth.shape[0] / truth.shape[1] + 0.9), layout="constrained")
    axes = figure.subplots(2, 4)
    shown = mpl.colormaps["viridis"].with_extremes(bad="0.7")
    errors = mpl.colormaps["RdBu_r"].with_extremes(bad="0.7")
    low, high = np.nanpercentile(truth, [0.5, 99.5])
    largest = 3 * float(np.nanstd(means["kriging"] - truth))
    _map(axes[0, 0], truth, f"truth, {case.field.name}", shown, (low, high))
    _map(axes[1, 0], result[f"{name}_std"].values, "predicted standard error", shown, (0, largest))
    for column, (method, mean) in enumerate(means.items(), start=1):
        error = mean - truth
        _map(axes[0, column], mean, f"{method} x{case.factor}", shown, (low, high))
        title = f"error, RMSE {1000 * np.sqrt(np.nanmean(error**2)):.1f} mm"
        _map(axes[1, column], error, title, errors, (-largest, largest))
    save(figure, path)


def _map(axes: Axes, field: npt.NDArray[np.floating], title: str, colours: mpl.colors.Colormap, limits: tuple) -> None:
    image = axes.imshow(
        np.ma.masked_invalid(field), origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1], rasterized=True
    )
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.85)
    bar.ax.tick_params(labelsize=7)
    bar.set_label("m", fontsize=7)


def draw_histograms(panels: list[Bars], path: Path) -> None:
    """Draw one histogram for each panel: its label, values, edges of the bars, and the value to compare with."""
    figure = Figure(figsize=(4.2 * len(panels), 3.0), layout="constrained")
    for axes, (title, values, edges, aim) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        axes.hist(np.clip(values, edges[0], edges[-1]), edges, color="#31688e", edgecolor="white")
        axes.axvline(aim, color="0.2", linestyle="--", linewidth=1)
        axes.set(xlabel=title, ylabel="windows")
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    buffer.seek(0)
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(COLOURS).save(path, optimize=True)
