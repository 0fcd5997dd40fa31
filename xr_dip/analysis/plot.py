"""Pictures of the analyses. Needs matplotlib: ``pip install xr-dip[plot]``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xr_dip.canvas import LINE_COLOURS, new_axes
from xr_dip.plot.scales import unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def impedance(curves: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw the loss of each target over the iterations: what resists is not what the network is a prior for.

    Parameters
    ----------
    curves : Dataset
        As `xr_dip.analysis.impedance` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> losses = (("target", "member", "iteration"), [[[1.0, 0.1]], [[1.0, 0.9]]])
    >>> curves = xr.Dataset({"loss": losses}, {"target": ["field", "noise"], "iteration": [0, 1]})
    >>> impedance(curves).get_xlabel()
    'iteration'
    """
    _check(curves, "curves", ("loss", "target", "member", "iteration"), "impedance")
    axes = ax or new_axes()
    for colour, target in zip(cycle(LINE_COLOURS), curves.target.values, strict=False):
        fits = curves.loss.sel(target=target)
        for member in range(fits.sizes["member"]):
            axes.plot(curves.iteration, fits.isel(member=member), color=colour, linewidth=0.5, alpha=0.5)
        # noise and shuffled values often lie on one another
        line = "--" if target == "noise" else "-"
        axes.plot(curves.iteration, fits.mean("member"), line, color=colour, linewidth=1.8, label=str(target))
    axes.set(xlabel="iteration", ylabel="mean square misfit", yscale="log")
    axes.legend(frameon=False)
    return axes


def patch_recurrence(errors: xr.Dataset, *, bins: int = 10, ax: Axes | None = None) -> Axes:
    """Draw the error of the most similar patch over the differences within patches, internal and external.

    Parameters
    ----------
    errors : Dataset
        As `xr_dip.analysis.patch_recurrence` returns it.
    bins : int
        Groups of patches, as many in each, from the flattest to the steepest.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the errors are something else, or bins is not from 1 to the number of patches.

    Examples
    --------
    >>> errors = xr.Dataset({"internal": ("patch", [0.1, 0.2]), "gradient": ("patch", [1.0, 2.0])})
    >>> patch_recurrence(errors, bins=2).lines[0].get_ydata()
    array([0.1, 0.2])
    """
    _check(errors, "errors", ("internal", "gradient", "patch"), "patch_recurrence")
    if not 1 <= bins <= errors.sizes["patch"]:
        raise ValueError(f"Invalid bins {bins}. It must be from 1 to the {errors.sizes['patch']} patches.")
    axes = ax or new_axes()
    groups = np.array_split(np.argsort(errors.gradient.values, kind="stable"), bins)
    steepness = [float(errors.gradient.values[group].mean()) for group in groups]
    for colour, name in zip(LINE_COLOURS, ("internal", "external"), strict=False):
        if name in errors:
            means = np.array([float(np.nanmean(errors[name].values[group])) for group in groups])
            axes.plot(steepness, means, "o-", color=colour, label=f"nearest {name} patch")
    unit = unit_of(errors.internal)
    axes.set(
        xlabel=f"difference of neighbouring cells {unit}".strip(), ylabel=f"error of the nearest patch {unit}".strip()
    )
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return axes


def _check(given: Any, argument: str, parts: Sequence[str], function: str) -> None:
    """Refuse what is not the result of an analysis: a Dataset with variables and dimensions of these names."""
    names = [*given.data_vars, *given.dims] if isinstance(given, xr.Dataset) else []
    if not set(parts) <= set(names):
        held = f"with {[str(name) for name in names]}" if names else f"of type {type(given).__name__}"
        raise ValueError(
            f"Invalid {argument} {held}. It must be what xr_dip.analysis.{function} returns, with {list(parts)}."
        )
