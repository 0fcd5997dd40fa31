"""Pictures as text: drawn once, written as base64 PNG for a light and for a dark page, with words in their place."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xr_dip.canvas import INK, TALLEST, find_library, map_aspect
from xr_dip.drawable import find_grid, flat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK_INK = "#d7dde4"
WIDTH, RESOLUTION = 4.3, 180
"""Inches and dots per inch: sharp where a page shows it 375 pixels wide on a screen with two dots per pixel."""
MOST_CELLS = 900
"""Cells along a side of a map; more than the dots of its picture tell nothing."""


@dataclass(frozen=True)
class Picture:
    """One picture of the page.

    Attributes
    ----------
    caption : str
        What a reader should know of it.
    alternative : str
        What it shows, for readers who do not see it.
    light, dark : str
        Base64 of the PNG for either look of the page.
    size : (int, int)
        Width and height in dots.
    """

    caption: str
    alternative: str
    light: str
    dark: str
    size: tuple[int, int]


def draw(paint: Callable[[Axes], object], *, caption: str, alternative: str, aspect: float = 0.72) -> Picture:
    """Draw on one Axes and encode it.

    Parameters
    ----------
    paint : callable
        Draws on the Axes that it is given.
    caption, alternative : str
    aspect : float
        Height over width of what is drawn.

    Returns
    -------
    Picture

    Raises
    ------
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> picture = draw(lambda axes: axes.plot([0, 1]), caption="A line.", alternative="A line that rises.")
    >>> picture.light != picture.dark, picture.size[0] > 600
    (True, True)
    """
    size = (WIDTH, min(aspect, TALLEST) * (WIDTH - 1.1) + 0.8)
    figure = find_library("matplotlib.figure").Figure(figsize=size, layout="compressed")
    paint(figure.subplots())
    light, dots = _encode(figure)
    figure.set_layout_engine("none")  # laid out once, so that both are of one size
    _repaint(figure, DARK_INK)
    dark, _ = _encode(figure)
    return Picture(caption, alternative, light, dark, dots)


def draw_field(
    paint: Callable[..., object], field: xr.DataArray, *, caption: str, what: str, **options: Any
) -> Picture:
    """Draw a map with a function of `xr_dip.plot`.

    Parameters
    ----------
    paint : callable
        Such as `xr_dip.plot.height`.
    field : DataArray
        One map.
    caption : str
    what : str
        Name of the field, for the words that stand for the picture.
    **options
        For `paint`.

    Returns
    -------
    Picture

    Examples
    --------
    >>> from xr_dip import plot, synthetic
    >>> picture = draw_field(plot.height, synthetic.gulf_stream((8, 12)).ssh, caption="As it is.", what="truth")
    >>> picture.alternative
    'Map of truth, 8 by 12 cells, values from ... to ... m.'
    """
    values = field.values[np.isfinite(field.values)]
    ends = f"{values.min():.3g} to {values.max():.3g} {field.attrs.get('units', '')}".strip() if values.size else "none"
    ny, nx = flat(field, find_grid(field)).shape
    words = f"Map of {what}, {ny} by {nx} cells, values from {ends}."
    thin = thinned(field)
    return draw(
        lambda axes: paint(thin, ax=axes, **options), caption=caption, alternative=words, aspect=map_aspect(thin)
    )


def thinned(field: xr.DataArray) -> xr.DataArray:
    """Every n-th cell of a map that has more than a picture can show.

    Parameters
    ----------
    field : DataArray
        One map.

    Returns
    -------
    DataArray, dimensions (y, x)

    Examples
    --------
    >>> axes = {"lat": np.linspace(30, 40, 2000), "lon": [5.0, 5.1, 5.2]}
    >>> thinned(xr.DataArray(np.zeros((2000, 3)), axes, ("lat", "lon"))).shape
    (667, 3)
    """
    plane = flat(field, find_grid(field))
    return plane[tuple(slice(None, None, -(-size // MOST_CELLS)) for size in plane.shape)]


def _encode(figure: Figure) -> tuple[str, tuple[int, int]]:
    buffer = BytesIO()
    with _plain_style():
        figure.savefig(
            buffer, format="png", dpi=RESOLUTION, transparent=True, bbox_inches="tight", metadata={"Software": None}
        )
    header = buffer.getvalue()[16:24]  # width and height, as every PNG has them
    return base64.b64encode(buffer.getvalue()).decode("ascii"), (
        int.from_bytes(header[:4], "big"),
        int.from_bytes(header[4:], "big"),
    )


@contextmanager
def _plain_style() -> Iterator[None]:
    """Keep what a user has set for pictures of their own from those of the page."""
    with find_library("matplotlib").rc_context({"savefig.facecolor": "auto", "savefig.pad_inches": 0.05}):
        yield


def _repaint(figure: Figure, ink: str) -> None:
    """Give everything that is written or drawn in ink another colour."""
    for text in figure.findobj(find_library("matplotlib.text").Text):
        text.set_color(ink)
    for axes in figure.axes:
        axes.tick_params(which="both", color=ink, labelcolor=ink)
        for spine in axes.spines.values():
            spine.set_edgecolor(ink)
        for line in axes.lines:
            if line.get_color() == INK:
                line.set_color(ink)
        legend = axes.get_legend()
        for handle in legend.get_lines() if legend else ():
            if handle.get_color() == INK:
                handle.set_color(ink)
