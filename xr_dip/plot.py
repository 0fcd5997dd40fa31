"""Pictures of a result: maps, errors, spread, conservation and spectra, each on one Axes.

Needs matplotlib and cmocean: ``pip install xr-dip[plot]``. Nothing is drawn that has more than the two horizontal
dimensions: select one time first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xr_dip.canvas import Limits, draw_bar, draw_map, find_grid, map_aspect, new_axes, new_panels
from xr_dip.verification import difference, psd, rmse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST_SHOWN = 99.5
"""Percentile of absolute errors and of spreads that ends a colour scale; single larger values are clipped."""
TITLES = {"coarse": "coarse input", "mean": "estimate", "truth": "truth"}
SMALLEST_SHOWN = 1e-12
"""Block means that agree better are drawn here, as a logarithmic axis has no zero."""


def height(
    field: xr.DataArray, *, ax: Axes | None = None, limits: Limits | None = None, title: str = "", bar: bool = True
) -> Axes:
    """Draw a map of a sea surface height.

    Parameters
    ----------
    field : DataArray, dimensions (y, x) in any order
        With latitude and longitude, 1-D or 2-D; NaN, shown grey, on land.
    ax : Axes, optional
        Where to draw; by default a new figure.
    limits : (float, float), optional
        Ends of the colour scale, in the unit of the field; by default its smallest and largest value.
    title : str
    bar : bool
        Draw a colour bar.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the field has other dimensions too, or no latitude and longitude are found.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> height(gulf_stream((8, 12)).ssh, title="truth").get_title()
    'truth'
    """
    return _paint(field, ax, "thermal", limits or _range(field), title, f"height {_unit(field)}" if bar else None)


def error(
    estimate: xr.DataArray,
    truth: xr.DataArray,
    *,
    ax: Axes | None = None,
    limit: float | None = None,
    title: str = "error",
    bar: bool = True,
) -> Axes:
    """Draw a map of estimate minus truth; the title adds its root mean square.

    Parameters
    ----------
    estimate, truth : DataArray, dimensions (y, x) in any order
        Of one grid and one unit.
    ax : Axes, optional
        Where to draw; by default a new figure.
    limit : float, optional
        End of the colour scale in both directions; by default 99.5 % of the errors are within it.
    title : str
    bar : bool
        Draw a colour bar.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If sizes, coordinates or dimensions disagree.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> truth = gulf_stream((8, 12)).ssh
    >>> error(truth + 0.012, truth, title="bicubic").get_title()
    'bicubic, RMSE 0.012 m'
    """
    dims = _dims(truth)
    departure = difference(estimate, truth, dims=dims)
    largest = _percentile(departure) if limit is None else limit
    score = f"RMSE {float(rmse(estimate, truth, dims=dims)):.2g} {truth.attrs.get('units', '')}".strip()
    return _paint(
        departure, ax, "balance", (-largest, largest), f"{title}, {score}", f"error {_unit(truth)}" if bar else None
    )


def spread(
    std: xr.DataArray,
    *,
    ax: Axes | None = None,
    limit: float | None = None,
    title: str = "standard error",
    bar: bool = True,
) -> Axes:
    """Draw a map of a standard error, from zero.

    Parameters
    ----------
    std : DataArray, dimensions (y, x) in any order
    ax : Axes, optional
        Where to draw; by default a new figure.
    limit : float, optional
        End of the colour scale; by default 99.5 % of the values are below it.
    title : str
    bar : bool
        Draw a colour bar.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the field has other dimensions too, or no latitude and longitude are found.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> spread(abs(gulf_stream((8, 12)).ssh), limit=0.5).get_title()
    'standard error'
    """
    largest = _percentile(std) if limit is None else limit
    return _paint(std, ax, "amp", (0.0, largest), title, f"standard error {_unit(std)}" if bar else None)


def conservation(out: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw how far the block means are from the input, before and after enforcement: shares of coarse cells.

    Parameters
    ----------
    out : Dataset
        Result of `xr_dip.downscale` or `xr_dip.interpolate`, in memory or lazy; all times count together.
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
    'error of a block mean (m)'
    """
    if "conservation_error" not in out:
        raise ValueError(f"Invalid out with {list(out.data_vars)}. It must be a result with 'conservation_error'.")
    axes = ax or new_axes()
    for name, label in (("fit_residual", "fits, before enforcement"), ("conservation_error", "estimate")):
        if name in out:
            sizes = abs(out[name].values[np.isfinite(out[name].values)])
            axes.ecdf(np.maximum(sizes, SMALLEST_SHOWN), label=label)
    axes.set(
        xscale="log",
        xlabel=f"error of a block mean {_unit(out.conservation_error)}",
        ylabel="share of coarse cells below",
    )
    axes.legend()
    return axes


def spectra(fields: Mapping[str, xr.DataArray], *, ax: Axes | None = None) -> Axes:
    """Draw isotropic power spectra over wavelength.

    Parameters
    ----------
    fields : mapping of str to DataArray
        Label and field; each with its own grid, dimensions (y, x) in any order, without land.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no field, or one has missing values or other dimensions.
    ImportError
        If matplotlib is missing.

    See Also
    --------
    xr_dip.verification.psd : the numbers.

    Examples
    --------
    >>> from xr_dip.synthetic import gulf_stream
    >>> spectra({"truth": gulf_stream((16, 16)).ssh}).get_xlabel()
    'wavelength (km)'
    """
    if not fields:
        raise ValueError("Invalid fields {}. It must name at least one field.")
    for label, field in fields.items():
        if bool(field.isnull().any()):
            raise ValueError(f"Invalid field {label!r} with missing values. It must have none: cut out a part at sea.")
    axes = ax or new_axes()
    for label, field in fields.items():
        horizontal = find_grid(field)
        density = psd(field, dims=(horizontal.y_dim, horizontal.x_dim), spacing=horizontal.grid.spacing())
        axes.loglog(1e-3 / density.wavenumber, density, label=label)
    axes.set(xlabel="wavelength (km)", ylabel=f"power spectral density, {density.attrs.get('units', '')}")
    axes.xaxis.set_inverted(True)
    axes.legend()
    return axes


def overview(
    out: xr.Dataset,
    truth: xr.DataArray | None = None,
    *,
    coarse: xr.DataArray | None = None,
    others: Mapping[str, xr.DataArray] | None = None,
    name: str | None = None,
) -> dict[str, Axes]:
    """Draw a result on one page: the fields in one row, the errors and the standard error in the next.

    Parameters
    ----------
    out : Dataset
        Result of `xr_dip.downscale` for one time.
    truth : DataArray, optional
        With it, errors are drawn too.
    coarse : DataArray, optional
        The input.
    others : mapping of str to DataArray, optional
        Estimates to compare with, by label; only their errors are drawn, so they need a truth.
    name : str, optional
        Name of the variable where `out` has several ``*_mean``.

    Returns
    -------
    dict of str to Axes
        Keys "coarse", "mean", "truth", the labels of the others, "error" and "std", as far as they are drawn. Heights
        share one colour scale, errors another.

    Raises
    ------
    ValueError
        If `out` has no such variable, or others are given without a truth or under a label of another panel.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip import downscale, synthetic
    >>> truth = synthetic.gulf_stream((24, 36)).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> axes = overview(downscale(coarse, 4, members=2, preset="fast", progress=False), truth, coarse=coarse)
    >>> list(axes)
    ['coarse', 'mean', 'truth', 'error', 'std']
    """
    chosen = _variable(out, name)
    mean, std = out[f"{chosen}_mean"], out.get(f"{chosen}_std")
    candidates = {"coarse": coarse, "mean": mean, "truth": truth}
    heights = {key: field for key, field in candidates.items() if field is not None}
    estimates = _estimates(mean, truth, others or {})
    axes = new_panels([list(heights), [*estimates, *(["std"] if std is not None else [])]], map_aspect(mean))
    low, high = _range(*heights.values())
    for key, field in heights.items():
        height(field, ax=axes[key], limits=(low, high), title=TITLES[key], bar=False)
    draw_bar([axes[key] for key in heights], f"height {_unit(mean)}")
    if truth is not None:
        largest = max(_percentile(difference(field, truth, dims=_dims(truth))) for field in estimates.values())
        for key, field in estimates.items():
            title = "error of the estimate" if key == "error" else f"error of {key}"
            error(field, truth, ax=axes[key], limit=largest, title=title, bar=False)
        draw_bar([axes[key] for key in estimates], f"error {_unit(truth)}")
    if std is not None:
        spread(std, ax=axes["std"], title="standard error of the estimate", bar=False)
        draw_bar([axes["std"]], f"standard error {_unit(std)}")
    for panel in axes.values():
        panel.label_outer()
    return axes


def _estimates(
    mean: xr.DataArray, truth: xr.DataArray | None, others: Mapping[str, xr.DataArray]
) -> dict[str, xr.DataArray]:
    """Fields whose errors are drawn: the others, then the estimate."""
    taken = sorted(set(others) & {*TITLES, "error", "std"})
    if others and (truth is None or taken):
        rule = f"other labels than {taken}" if taken else "a truth, their errors are drawn"
        raise ValueError(f"Invalid others {list(others)}. They must have {rule}.")
    return {} if truth is None else {**others, "error": mean}


def _variable(out: xr.Dataset, name: str | None) -> str:
    names = [str(key).removesuffix("_mean") for key in out.data_vars if str(key).endswith("_mean")]
    if (name is None and len(names) != 1) or (name is not None and name not in names):
        raise ValueError(f"Invalid name {name!r}. It must be one of {names}, for which the result has '<name>_mean'.")
    return names[0] if name is None else name


def _paint(field: xr.DataArray, ax: Axes | None, colours: str, limits: Limits, title: str, label: str | None) -> Axes:
    axes = ax or new_axes()
    draw_map(field, axes, colours=colours, limits=limits, title=title)
    if label is not None:
        draw_bar([axes], label, location="right")
    return axes


def _dims(field: xr.DataArray) -> tuple[str, str]:
    horizontal = find_grid(field)
    return horizontal.y_dim, horizontal.x_dim


def _range(*fields: xr.DataArray) -> Limits:
    return min(float(field.min()) for field in fields), max(float(field.max()) for field in fields)


def _percentile(field: xr.DataArray) -> float:
    """Size that nearly all values keep within; 1 where there is none but zero, which is no scale."""
    sizes = abs(field.values[np.isfinite(field.values)])
    return float(np.percentile(sizes, LARGEST_SHOWN)) if sizes.any() else 1.0


def _unit(field: xr.DataArray) -> str:
    return f"({field.attrs['units']})" if "units" in field.attrs else ""
