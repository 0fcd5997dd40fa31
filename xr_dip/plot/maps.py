"""One map on one Axes: a height, an error, a standard error, the errors of coarse values."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xr_dip.canvas import Limits, draw_bar, draw_map, new_axes, on_globe
from xr_dip.drawable import check_field, find_grid, find_map, flat
from xr_dip.errors import DipWarning
from xr_dip.plot.scales import heading, unit_of, usual_size, value_range
from xr_dip.reading import block_errors
from xr_dip.verification import difference, rmse

if TYPE_CHECKING:
    from cartopy.crs import Projection
    from matplotlib.axes import Axes

HEIGHTS, ERRORS, SPREADS = "thermal", "balance", "amp"
"""Colour maps of cmocean: even to the eye, and safe for every colour vision."""


def height(
    field: xr.DataArray,
    *,
    ax: Axes | None = None,
    limits: Limits | None = None,
    title: str | None = None,
    bar: bool = True,
    projection: Projection | None = None,
    coastlines: bool = False,
) -> Axes:
    """Draw a map of a sea surface height.

    Parameters
    ----------
    field : DataArray
        Dimensions (y, x) in any order, others with one entry. With latitude and longitude, 1-D or 2-D; NaN, shown
        grey, on land.
    ax : Axes, optional
        Where to draw; by default a new figure. Those of cartopy are drawn on by their projection.
    limits : (float, float), optional
        Ends of the colour scale, in the unit of the field; by default its smallest and largest value.
    title : str, optional
        By default the ``long_name`` and the time of the field.
    bar : bool
        Draw a colour bar.
    projection : cartopy.crs.Projection, optional
        Of a new figure; needs cartopy.
    coastlines : bool
        Draw those of Natural Earth on Axes of cartopy, which fetches them when they are drawn for the first time.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the field is no DataArray.
    ValueError
        If the field is more than one map, or no latitude and longitude are found.
    ImportError
        If matplotlib or cmocean is missing, or a projection is given and cartopy is.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> height(gulf_stream((8, 12)).ssh).get_title()
    'sea surface height, 2009-07-01'
    """
    check_field(field)
    title = heading(field) if title is None else title
    axes = _axes(field, ax, projection, coastlines=coastlines)
    return _paint(
        field, axes, HEIGHTS, limits or value_range(field), title, f"height {unit_of(field)}" if bar else None
    )


def error(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    ax: Axes | None = None,
    limit: float | None = None,
    title: str = "error",
    bar: bool = True,
    projection: Projection | None = None,
    coastlines: bool = False,
) -> Axes:
    """Draw a map of estimate minus truth; the title adds its root mean square.

    Parameters
    ----------
    estimate, truth : DataArray
        Dimensions (y, x) in any order, others with one entry; of one grid and one unit.
    ax : Axes, optional
        Where to draw; by default a new figure. Those of cartopy are drawn on by their projection.
    limit : float, optional
        End of the colour scale in both directions; by default 99.5 % of the errors are within it.
    title : str
    bar : bool
        Draw a colour bar.
    projection : cartopy.crs.Projection, optional
        Of a new figure; needs cartopy.
    coastlines : bool
        Draw those of Natural Earth on Axes of cartopy, which fetches them when they are drawn for the first time.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If either is no DataArray.
    ValueError
        If sizes, coordinates or dimensions disagree.
    ImportError
        If matplotlib or cmocean is missing, or a projection is given and cartopy is.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> truth = gulf_stream((8, 12)).ssh
    >>> error(truth + 0.012, truth, title="bicubic").get_title()
    'bicubic, RMSE 0.012 m'
    """
    check_field(estimate, "estimate")
    check_field(truth, "truth")
    horizontal = find_grid(truth)
    dims = (horizontal.y_dim, horizontal.x_dim)
    known = flat(truth, horizontal)
    guess = estimate.squeeze([dim for dim, size in estimate.sizes.items() if size == 1 and dim not in dims])
    departure = difference(guess, known, dims=dims)
    score = f"RMSE {float(rmse(guess, known, dims=dims)):.2g} {truth.attrs.get('units', '')}".strip()
    label = f"error {unit_of(truth)}" if bar else None
    axes = _axes(departure, ax, projection, coastlines=coastlines)
    return _paint(departure, axes, ERRORS, _about_zero(departure, limit), f"{title}, {score}", label)


def spread(
    std: xr.DataArray,
    *,
    ax: Axes | None = None,
    limit: float | None = None,
    title: str = "standard error",
    bar: bool = True,
    projection: Projection | None = None,
    coastlines: bool = False,
) -> Axes:
    """Draw a map of a standard error, from zero.

    Parameters
    ----------
    std : DataArray
        Dimensions (y, x) in any order, others with one entry.
    ax : Axes, optional
        Where to draw; by default a new figure. Those of cartopy are drawn on by their projection.
    limit : float, optional
        End of the colour scale; by default 99.5 % of the values are below it.
    title : str
    bar : bool
        Draw a colour bar.
    projection : cartopy.crs.Projection, optional
        Of a new figure; needs cartopy.
    coastlines : bool
        Draw those of Natural Earth on Axes of cartopy, which fetches them when they are drawn for the first time.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the field is no DataArray.
    ValueError
        If the field is more than one map, or no latitude and longitude are found.
    ImportError
        If matplotlib or cmocean is missing, or a projection is given and cartopy is.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> spread(abs(gulf_stream((8, 12)).ssh), limit=0.5).get_title()
    'standard error'
    """
    check_field(std, "std")
    largest = usual_size(std) if limit is None else limit
    axes = _axes(std, ax, projection, coastlines=coastlines)
    return _paint(std, axes, SPREADS, (0.0, largest), title, f"standard error {unit_of(std)}" if bar else None)


def departure(
    field: xr.DataArray,
    *,
    ax: Axes | None = None,
    limit: float | None = None,
    title: str | None = None,
    label: str = "departure",
    bar: bool = True,
    projection: Projection | None = None,
    coastlines: bool = False,
) -> Axes:
    """Draw a map of something that may have either sign, such as the departure of a member: zero is white.

    Parameters
    ----------
    field : DataArray
        Dimensions (y, x) in any order, others with one entry.
    ax : Axes, optional
        Where to draw; by default a new figure. Those of cartopy are drawn on by their projection.
    limit : float, optional
        End of the colour scale in both directions; by default 99.5 % of the values are within it.
    title : str, optional
        By default the ``long_name`` and the time of the field.
    label : str
        What the colour bar says, before the unit.
    bar : bool
        Draw a colour bar.
    projection : cartopy.crs.Projection, optional
        Of a new figure; needs cartopy.
    coastlines : bool
        Draw those of Natural Earth on Axes of cartopy, which fetches them when they are drawn for the first time.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the field is no DataArray.
    ValueError
        If the field is more than one map, or no latitude and longitude are found.
    ImportError
        If matplotlib or cmocean is missing, or a projection is given and cartopy is.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> field = gulf_stream((8, 12)).ssh
    >>> departure(field - field.mean(), title="about its mean").get_title()
    'about its mean'
    """
    check_field(field)
    title = heading(field) if title is None else title
    words = f"{label} {unit_of(field)}" if bar else None
    axes = _axes(field, ax, projection, coastlines=coastlines)
    return _paint(field, axes, ERRORS, _about_zero(field, limit), title, words)


def conservation_map(
    out: xr.Dataset,
    name: Hashable | None = None,
    *,
    ax: Axes | None = None,
    projection: Projection | None = None,
    coastlines: bool = False,
) -> Axes:
    """Draw by how much each coarse value of the estimate misses the input: noise of rounding where it was enforced.

    Parameters
    ----------
    out : Dataset
        Result of `xr_dip.downscale` or `xr_dip.interpolate` for one time.
    name : str, optional
        What it was made from, where it is of several variables.
    ax : Axes, optional
        Where to draw; by default a new figure. Those of cartopy are drawn on by their projection.
    projection : cartopy.crs.Projection, optional
        Of a new figure; needs cartopy.
    coastlines : bool
        Draw those of Natural Earth on Axes of cartopy, which fetches them when they are drawn for the first time.

    Returns
    -------
    Axes
        The colour scale holds every error, in a power of ten of the unit.

    Raises
    ------
    ValueError
        If it is no such result.
    ImportError
        If matplotlib or cmocean is missing, or a projection is given and cartopy is.

    Examples
    --------
    >>> import xr_dip
    >>> fine = xr_dip.interpolate(xr_dip.synthetic.gulf_stream((8, 12)).ssh, 2)
    >>> conservation_map(fine).get_title()
    'coarse values, largest error ... m'
    """
    errors = block_errors(out, name)
    if errors is None:
        raise ValueError(f"Invalid out with {list(out.data_vars)}. It must be a result with 'conservation_error'.")
    largest = float(abs(errors).fillna(0.0).max())
    exponent = int(np.floor(np.log10(largest))) if largest else 0
    unit = str(errors.attrs.get("units", ""))
    title = f"coarse values, largest error {largest:.1e} {unit}".strip()
    scaled = (errors / 10.0**exponent).assign_attrs(errors.attrs)
    limit = largest / 10.0**exponent or 1.0
    axes = _axes(scaled, ax, projection, coastlines=coastlines)
    return _paint(scaled, axes, ERRORS, (-limit, limit), title, f"error (1e{exponent} {unit}".strip() + ")")


def _about_zero(field: xr.DataArray, limit: float | None) -> Limits:
    largest = usual_size(field) if limit is None else limit
    return -largest, largest


def _paint(field: xr.DataArray, ax: Axes, colours: str, limits: Limits, title: str, label: str | None) -> Axes:
    draw_map(field, ax, colours=colours, limits=limits, title=title)
    if label is not None:
        draw_bar([ax], label, location="right")
    return ax


def _axes(field: xr.DataArray, ax: Axes | None, projection: Projection | None, *, coastlines: bool) -> Axes:
    """Axes to draw a field on, with coastlines if wanted; what is refused leaves no empty figure behind."""
    if ax is not None and projection is not None:
        raise ValueError("Invalid projection with ax. It must be left out: Axes have their own.")
    projected = projection is not None or (ax is not None and on_globe(ax))
    if coastlines and not projected:
        raise ValueError("Invalid coastlines True. It must come with a projection, or with Axes of cartopy.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # of the grid: it is given when the map is drawn
        find_map(field, projected=projected)
    axes = ax or new_axes(projection)
    if coastlines:
        axes.coastlines(linewidth=0.6)  # type: ignore[attr-defined]
    return axes
