"""One diagram on one Axes: conservation, spectra, reliability, ranks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from xr_dip import verification
from xr_dip.canvas import INK, LINE_COLOURS, find_library, new_axes
from xr_dip.drawable import check_fields, find_grid, flat
from xr_dip.matching import in_units_of
from xr_dip.plot.scales import unit_of
from xr_dip.reading import block_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALLEST_SHOWN = 1e-12
"""Coarse values that agree better are drawn here, as a logarithmic axis has no zero."""


def conservation(out: xr.Dataset, name: Hashable | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw how far the coarse values are from the input, before and after enforcement: shares of coarse cells.

    Parameters
    ----------
    out : Dataset
        Result of `xr_dip.downscale` or `xr_dip.interpolate`, in memory or lazy; all times count together.
    name : str, optional
        What it was made from, where it is of several variables.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If it is no such result.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> misfit = xr.DataArray([[1e-9, -2e-9]], dims=("y_coarse", "x_coarse"), attrs={"units": "m"})
    >>> conservation(xr.Dataset({"conservation_error": misfit})).get_xlabel()
    'error of a coarse value (m)'
    """
    final, raw = (block_errors(out, name, key) for key in ("conservation_error", "fit_residual"))
    if final is None:
        raise ValueError(f"Invalid out with {list(out.data_vars)}. It must be a result with 'conservation_error'.")
    axes = ax or new_axes()
    parts = {"fits, before enforcement": raw, "estimate": final}
    for colour, (label, errors) in zip((LINE_COLOURS[1], LINE_COLOURS[0]), parts.items(), strict=True):
        if errors is not None:
            sizes = abs(errors.values[np.isfinite(errors.values)])
            axes.ecdf(np.maximum(sizes, SMALLEST_SHOWN), label=label, color=colour)
    axes.set(xscale="log", xlabel=f"error of a coarse value {unit_of(final)}", ylabel="share of coarse cells below")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return axes


def spectra(
    fields: Mapping[str, xr.DataArray],
    *,
    truth: str | None = None,
    direction: Literal["x", "y"] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw power spectra over wavelength, and with a truth how short a wave each estimate resolves.

    Parameters
    ----------
    fields : mapping of str to DataArray
        Label and field; each with its own grid, dimensions (y, x) in any order, others with one entry; in m, cm or mm,
        drawn in the unit of the first, or all in one other unit.
    truth : str, optional
        Which label is that of the truth. Each other field on a grid of its size gets its effective resolution in the
        legend, and a circle at it: the wavelength at which half of the truth's power is still right.
    direction : {"x", "y"}, optional
        Spectra along this axis, over the lines without land, instead of isotropic ones, which need a field without.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the fields are no mapping of DataArrays.
    ValueError
        If there is no field, one has missing values that are in the way, the truth is not among them, or the direction
        is unknown.
    ImportError
        If matplotlib is missing.

    See Also
    --------
    xr_dip.verification.psd, xr_dip.verification.effective_resolution : the numbers.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> known = gulf_stream((16, 16)).ssh
    >>> axes = spectra({"truth": known, "smooth": known.rolling(latitude=3, min_periods=1).mean()}, truth="truth")
    >>> axes.get_xlabel(), [text.get_text() for text in axes.get_legend().get_texts()]
    ('wavelength (km)', ['truth', 'smooth, resolves ... km'])
    """
    _check_spectra(fields, truth, direction)
    axes = ax or new_axes()
    colours = cycle(LINE_COLOURS)
    first = next(iter(fields.values()))
    fields = {label: in_units_of(first, field, label) for label, field in fields.items()}
    for label, field in fields.items():
        colour = INK if label == truth else next(colours)
        density = _spectrum(field, label, direction)
        resolved = _resolved(field, fields[truth], direction) if truth is not None and label != truth else None
        note = label if resolved is None else f"{label}, resolves {1e-3 * resolved:.0f} km"
        axes.loglog(1e-3 / density.wavenumber, density, label=note, color=colour, linewidth=1.6)
        if resolved is not None:
            height = float(np.exp(np.interp(1 / resolved, density.wavenumber, np.log(density))))
            axes.plot(1e-3 * resolved, height, "o", color=colour, markerfacecolor="none", markersize=9)
    axes.set(xlabel="wavelength (km)", ylabel=_density_label(field, direction))
    _number_decades(axes)
    axes.xaxis.set_inverted(True)
    axes.legend(frameon=False, loc="lower left")  # power falls from upper left to lower right
    return axes


def reliability(
    std: xr.DataArray, estimate: xr.DataArray, truth: xr.DataArray, *, bins: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw the actual error over the predicted one: on the diagonal the standard error is right.

    Parameters
    ----------
    std, estimate, truth : DataArray
        Of one grid and one unit; every cell of every time counts.
    bins : int
        Groups of cells, as many cells in each, from the smallest standard error to the largest.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If bins, sizes or coordinates are wrong.
    ImportError
        If matplotlib is missing.

    See Also
    --------
    xr_dip.verification.reliability : the numbers.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> known = gulf_stream((8, 12)).ssh
    >>> reliability(abs(known), 1.5 * known, known, bins=4).get_ylabel()
    'RMSE (m)'
    """
    departures = verification.difference(estimate, truth, dims=[str(dim) for dim in truth.dims])
    table = verification.reliability(std, departures, dims=[str(dim) for dim in truth.dims], bins=bins)
    axes = ax or new_axes()
    end = 1.08 * float(max(table.spread.max(), table.rmse.max()))
    axes.plot((0, end), (0, end), color=INK, linestyle="--", linewidth=1, label="calibrated")
    axes.plot(table.spread, table.rmse, "o-", color=LINE_COLOURS[0], label="cells, by standard error")
    axes.set(
        xlim=(0, end),
        ylim=(0, end),
        aspect="equal",
        xlabel=f"standard error {unit_of(truth)}".strip(),
        ylabel=f"RMSE {unit_of(truth)}".strip(),
    )
    axes.locator_params(nbins=5)
    axes.legend(frameon=False, loc="lower right")
    return axes


def rank_histogram(members: xr.DataArray, truth: xr.DataArray, *, ax: Axes | None = None) -> Axes:
    """Draw how often the truth takes each rank among the members: flat if it could be one of them.

    Parameters
    ----------
    members : DataArray
        With the dimension ``member``, of 2 or more.
    truth : DataArray
        Of the same grid and unit; every cell of every time counts.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there are fewer than two members, or sizes or coordinates are wrong.
    ImportError
        If matplotlib is missing.

    See Also
    --------
    xr_dip.verification.rank_histogram : the numbers.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> known = gulf_stream((8, 12)).ssh
    >>> axes = rank_histogram(xr.concat([known - 1.0, known + 1.0], "member"), known)
    >>> [float(bar.get_height()) for bar in axes.patches]
    [0.0, 1.0, 0.0]
    """
    shares = verification.rank_histogram(members, truth, dims=[str(dim) for dim in truth.dims])
    axes = ax or new_axes()
    axes.bar(shares["rank"], shares, width=0.9, color=LINE_COLOURS[0])
    axes.axhline(1 / shares.size, color=INK, linestyle="--", linewidth=1, label="truth like a member")
    axes.set(xlabel="members below the truth", ylabel="share of cells", ylim=(0, 1.25 * max(float(shares.max()), 1e-9)))
    axes.xaxis.set_major_locator(find_library("matplotlib.ticker").MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="upper right")
    return axes


def _density_label(field: xr.DataArray, direction: str | None) -> str:
    unit = str(field.attrs.get("units", ""))
    along = "" if direction is None else f" along {direction}"
    return f"power spectral density{along} ({f'{unit}² ' if unit else ''}per cycle/m)"


def _number_decades(axes: Axes) -> None:
    """Write 200, 100, 50, 20 along the wavelengths: they seldom span two powers of ten."""
    ticker = find_library("matplotlib.ticker")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())


def _check_spectra(fields: Mapping[str, xr.DataArray], truth: str | None, direction: str | None) -> None:
    check_fields(fields, "fields")
    if not fields:
        raise ValueError("Invalid fields {}. It must name at least one field.")
    if truth is not None and truth not in fields:
        raise ValueError(f"Invalid truth {truth!r}. It must be one of {list(fields)}.")
    if direction not in (None, "x", "y"):
        raise ValueError(f"Invalid direction {direction!r}. It must be 'x', 'y' or None.")


def _spectrum(field: xr.DataArray, label: str, direction: str | None) -> xr.DataArray:
    if direction is None and bool(field.isnull().any()):
        raise ValueError(
            f"Invalid field {label!r} with missing values. It must have none: cut out a part at sea, or take "
            "direction='x'."
        )
    plane, options = _plane(field, direction)
    density = verification.psd(plane, **options)
    if bool(density.isnull().all()):
        raise ValueError(f"Invalid field {label!r}. It must have a line along {direction!r} without missing values.")
    return density


def _resolved(field: xr.DataArray, truth: xr.DataArray, direction: str | None) -> float | None:
    """Shortest resolved wavelength in metres; None where the grid is another or no wave is resolved."""
    plane, options = _plane(field, direction)
    known, _ = _plane(truth, direction)
    if plane.shape != known.shape:
        return None
    score = verification.psd_score(plane, known.rename(dict(zip(known.dims, plane.dims, strict=True))), **options)
    length = float(verification.effective_resolution(score))
    return length if np.isfinite(length) else None


def _plane(field: xr.DataArray, direction: str | None) -> tuple[xr.DataArray, dict[str, Any]]:
    """Field (y, x) and what the functions of spectra want to know of it."""
    horizontal = find_grid(field)
    dims = (horizontal.y_dim, horizontal.x_dim)
    along = {"x": horizontal.x_dim, "y": horizontal.y_dim, None: None}[direction]
    return flat(field, horizontal), {"dims": dims, "spacing": horizontal.grid.spacing(), "direction": along}
