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
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from PIL import Image

COLOURS = (160, 96, 48, 24)
"""Of the palette: the most with which a picture is small enough."""
LARGEST = 120_000
"""Bytes of a picture."""
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
    figure = Figure(figsize=(11.0, 11.0 * 0.5 * truth.shape[0] / truth.shape[1] + 0.6), layout="constrained")
    heights, below = figure.subplots(2, 4)
    limits = tuple(np.nanpercentile(truth, [0.5, 99.5]))
    largest = 3 * float(np.nanstd(means["kriging"] - truth))
    shown = _map(heights[0], truth, f"truth, {case.field.name}", "viridis", limits)
    std = result[f"{name}_std"].values
    spread = _map(below[0], std, "predicted standard error", "viridis", (0.0, float(np.nanpercentile(std, 99.5))))
    for above, under, (method, mean) in zip(heights[1:], below[1:], means.items(), strict=True):
        error = mean - truth
        _map(above, mean, f"{method} x{case.factor}", "viridis", limits)
        title = f"error, RMSE {1000 * np.sqrt(np.nanmean(error**2)):#.3g} mm"
        errors = _map(under, error, title, "RdBu_r", (-largest, largest))
    for image, axes in ((shown, heights), (spread, below[:1]), (errors, below[1:])):
        figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01, label="m")
    save(figure, path)


def _map(
    axes: Axes, field: npt.NDArray[np.floating], title: str, colours: str, limits: tuple[float, float]
) -> AxesImage:
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
    palette = mpl.colormaps[colours].with_extremes(bad="0.7")
    return axes.imshow(np.ma.masked_invalid(field), palette, origin="lower", vmin=limits[0], vmax=limits[1])


def draw_histograms(panels: list[Bars], path: Path) -> None:
    """Draw one histogram for each panel: its label, values, edges of the bars, and the value to compare with."""
    figure = Figure(figsize=(4.2 * len(panels), 3.0), layout="constrained")
    for axes, (title, values, edges, aim) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        axes.hist(np.clip(values, edges[0], edges[-1]), edges, color="#31688e", edgecolor="white")
        axes.axvline(aim, color="0.2", linestyle="--", linewidth=1)
        axes.set(xlabel=title, ylabel="windows")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a small PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    buffer.seek(0)
    with Image.open(buffer) as image:
        for colours in COLOURS:
            image.convert("RGB").quantize(colours).save(path, optimize=True)
            if path.stat().st_size < LARGEST:
                break
