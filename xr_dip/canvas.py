"""What pictures are drawn on: matplotlib's figures and axes, and one way to draw a map on them.

matplotlib and cmocean are looked for when something is drawn, not before: they are an extra of the package.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.drawable import centres, find_grid, find_map, flat

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = npt.NDArray[np.float64]
Limits = tuple[float, float]

LAND_COLOUR = "0.75"
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of lines that readers of every colour vision tell apart: Okabe and Ito (2008), Color universal design."""
INK = "black"
"""Colour of a truth and of everything that is written."""
TALLEST = 2.0
"""Height over width beyond which a map no longer makes its figure taller."""


def find_library(name: str) -> Any:
    """Import a module of a plotting library.

    Parameters
    ----------
    name : str

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed; the message says how to get it.

    Examples
    --------
    >>> find_library("matplotlib.pyplot").__name__
    'matplotlib.pyplot'
    """
    try:
        with warnings.catch_warnings():
            # cmocean makes its colours in a way that matplotlib 3.11 deprecates: nothing that a user here can change.
            warnings.simplefilter("ignore", DeprecationWarning)
            return import_module(name)
    except ModuleNotFoundError as error:
        library = name.partition(".")[0]
        extra = library if library == "cartopy" else "plot"
        raise ImportError(f"Pictures need {library}. Install it with `pip install xr-dip[{extra}]`.") from error


def new_axes(projection: Any = None) -> Axes:
    """Axes of a new figure.

    Parameters
    ----------
    projection : cartopy.crs.Projection, optional

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If cartopy is missing, and a projection is given.
    TypeError
        If it is no projection of cartopy.

    Examples
    --------
    >>> new_axes().get_title()
    ''
    """
    if projection is not None and not isinstance(projection, find_library("cartopy.crs").Projection):
        raise TypeError(
            f"Invalid projection {projection!r}. It must be one of cartopy.crs, such as cartopy.crs.PlateCarree()."
        )
    shape = {"subplot_kw": {"projection": projection}}
    axes: Axes = find_library("matplotlib.pyplot").subplots(layout="compressed", **shape)[1]
    return axes


def new_panels(rows: list[list[str]], aspect: float) -> dict[str, Axes]:
    """Axes of a new figure by name, all on one scale.

    Parameters
    ----------
    rows : list of list of str
        Names of the panels; short rows end in blanks, empty ones are left out.
    aspect : float
        Height over width of a panel.

    Returns
    -------
    dict of str to Axes

    Examples
    --------
    >>> list(new_panels([["mean", "truth"], ["std"], []], aspect=0.5))
    ['mean', 'truth', 'std']
    """
    columns = max(len(row) for row in rows)
    mosaic: Any = [[*row, *["."] * (columns - len(row))] for row in rows if row]
    size = 3.0 * columns, (2.8 * min(aspect, TALLEST) + 1.25) * len(mosaic)
    _, axes = find_library("matplotlib.pyplot").subplot_mosaic(
        mosaic, figsize=size, sharex=True, sharey=True, layout="compressed"
    )
    return dict(axes)


def draw_map(field: xr.DataArray, axes: Axes, *, colours: str, limits: Limits, title: str) -> None:
    """Draw cells on longitude and latitude, as wide as they are in the middle of the domain; NaN is grey.

    What is outside of a domain with oblique sides is left blank. Axes of cartopy place the cells by their projection.

    Parameters
    ----------
    field : DataArray
        Dimensions (y, x) in any order; others have one entry.
    axes : Axes
    colours : str
        Name of a colour map of cmocean.
    limits : (float, float)
        Ends of the colour scale, in the unit of the field.
    title : str

    Raises
    ------
    ValueError
        If the field has other dimensions too, or no latitude and longitude are found; also by index, if the axes are of
        cartopy.

    Examples
    --------
    >>> axes = new_axes()
    >>> field = xr.DataArray(np.eye(2), {"lat": [40.0, 41.0], "lon": [179.0, -180.0]}, ("lat", "lon"))
    >>> draw_map(field, axes, colours="amp", limits=(0.0, 1.0), title="across the date line")
    >>> [float(edge) for edge in axes.get_xlim()]
    [178.5, 180.5]
    """
    projected = on_globe(axes)
    horizontal = find_map(field, projected=projected)
    places = centres(horizontal)
    axes.pcolormesh(
        places.x,
        places.y,
        flat(field, horizontal).values,
        vmin=limits[0],
        vmax=limits[1],
        cmap=getattr(find_library("cmocean").cm, colours).with_extremes(bad=LAND_COLOUR),
        shading="nearest",
        rasterized=True,
        **({"transform": find_library("cartopy.crs").PlateCarree()} if projected else {}),
    )
    axes.set_title(title, fontsize="medium")
    if projected:
        outside = {"draw_labels": ["left", "bottom"], "x_inline": False, "y_inline": False, "rotate_labels": False}
        axes.gridlines(linewidth=0.4, **outside)  # type: ignore[attr-defined]
        return
    axes.set_aspect(places.aspect)
    axes.set(xlabel=places.labels[0], ylabel=places.labels[1])


def on_globe(axes: Axes) -> bool:
    """Whether Axes are of cartopy, which have a projection.

    Parameters
    ----------
    axes : Axes

    Returns
    -------
    bool

    Examples
    --------
    >>> on_globe(new_axes())
    False
    """
    return hasattr(axes, "projection")


def draw_bar(panels: list[Axes], label: str, location: str = "bottom") -> None:
    """Draw the one colour bar of maps with the same colours and limits.

    Parameters
    ----------
    panels : list of Axes
        Each with a map.
    label : str
    location : {"bottom", "right"}
        On which side of them.

    Examples
    --------
    >>> axes = new_axes()
    >>> field = xr.DataArray(np.eye(2), {"lat": [40.0, 41.0], "lon": [5.0, 6.0]}, ("lat", "lon"))
    >>> draw_map(field, axes, colours="amp", limits=(0.0, 1.0), title="")
    >>> draw_bar([axes], "height (m)")
    >>> len(axes.figure.axes)
    2
    """
    # Numbers below one panel have room for three; beside it they are one above the other.
    ticks = find_library("matplotlib.ticker").MaxNLocator(3 if location == "bottom" and len(panels) == 1 else 5)
    shape: dict[str, Any] = {"aspect": 30, "shrink": 0.8} if location == "bottom" else {}
    panels[0].figure.colorbar(
        panels[0].collections[0],
        ax=panels,
        location=location,
        label=label,
        ticks=ticks,
        extend=_clipped([panel.collections[0] for panel in panels]),
        **shape,
    )


def _clipped(maps: Sequence[Any]) -> str:
    """Name the ends of a colour scale beyond which some cells are, as matplotlib does; rounding is not beyond."""
    low, high = maps[0].get_clim()
    slack = 1e-3 * (high - low)
    cells = [np.ma.masked_invalid(drawn.get_array()) for drawn in maps]
    below = any(bool(np.ma.any(values < low - slack)) for values in cells)
    above = any(bool(np.ma.any(values > high + slack)) for values in cells)
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")


def map_aspect(field: xr.DataArray) -> float:
    """Height over width of the map of a field.

    Parameters
    ----------
    field : DataArray, dimensions (y, x) in any order

    Returns
    -------
    float

    Examples
    --------
    >>> axes = {"lat": [59.0, 61.0], "lon": [0.0, 2.0]}
    >>> round(map_aspect(xr.DataArray(np.eye(2), axes, ("lat", "lon"))), 9)
    2.0
    """
    places = centres(find_grid(field))
    return float(np.ptp(places.y) * places.aspect / np.ptp(places.x))
