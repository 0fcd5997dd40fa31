"""One diagram on one Axes: scores by factor, over days, members and iterations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xr_dip.canvas import INK, LINE_COLOURS, find_library, new_axes
from xr_dip.twin.names import mean_score, score_name
from xr_dip.twin.tables import LARGER_IS_BETTER, SMALLER_IS_BETTER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = ("-", "--", ":", "-.")
"""Of the sizes of noise, in their order."""
NOTHING = 1e-6
"""Part of the largest error that counts as none."""


def by_factor(
    scores: xr.Dataset, score: str = "rmse", *, names: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw one score of each method over the factor, dashed with noise.

    Errors are on a logarithmic axis, for they grow manifold from one factor to the next. What has none but rounding, as
    an interpolation at factor 1, is an open marker at the lower end.

    Parameters
    ----------
    scores : Dataset
        As `xr_dip.twin.experiment` returns it; other dimensions, such as time, are averaged over.
    score : str
        Name of the variable.
    names : mapping of str to str, optional
        What the legend calls a method, for those whose label does not tell: ``{"dip": "archambault2022"}``.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> from xr_dip import synthetic, twin
    >>> scores = twin.experiment(synthetic.gulf_stream((24, 36)).ssh, [2, 4], ["bilinear", "bicubic"])
    >>> by_factor(scores).get_ylabel()
    'RMSE (m)'
    """
    values = mean_score(scores, score, ("factor", "estimator", "noise_std"))
    axes, low = ax or new_axes(), _lower_end(values) if score.endswith("rmse") else None
    units = scores["rmse"].attrs.get("units", "") if "rmse" in scores else ""  # of the field, and so of its noise
    for colour, method in zip(cycle(LINE_COLOURS), values.estimator.values, strict=False):
        for line, noise in zip(cycle(LINES), values.noise_std.values, strict=False):
            name = str((names or {}).get(str(method), method))
            curve = values.sel(estimator=method, noise_std=noise)
            label = f"{name}, noise {noise:.3g} {units}".rstrip() if noise else name
            drawn = curve if low is None else curve.where(~(curve <= low), low)  # a missing one stays a gap
            axes.plot(values.factor, drawn, f"o{line}", color=colour, label=label, markersize=4)
            if low is not None and bool((curve <= low).any()):
                none = values.factor[(curve <= low).values]
                axes.plot(none, np.full(none.size, low), "o", color=colour, markerfacecolor="white", clip_on=False)
    if low is not None:
        axes.set_yscale("log")
        axes.set_ylim(bottom=low)
    axes.set_xscale("log", base=2)
    axes.set_xticks(values.factor.values, [f"x{factor}" for factor in values.factor.values])
    axes.minorticks_off()
    axes.set(xlabel="factor", ylabel=score_name(scores[score], score))
    axes.legend(frameon=False, fontsize="small")
    return axes


def _lower_end(errors: xr.DataArray) -> float:
    """Return where a logarithmic axis of errors begins: half the least that is more than rounding."""
    largest = float(errors.max())
    known = errors.where(errors > NOTHING * largest)
    return float(known.min()) / 2 if largest > 0 else 1.0


def days(
    scores: xr.Dataset, method: str, against: str = "bicubic", score: str = "rmse", *, ax: Axes | None = None
) -> Axes:
    """Draw the score of one method over that of another, one point for each time and factor.

    The legend says how often the method is better, for a score of which either small or large values are good.

    Parameters
    ----------
    scores : Dataset
        As `xr_dip.twin.experiment` returns it with a further dimension, such as time; of one size of noise.
    method, against : str
        Labels of ``estimator``.
    score : str
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such score or method, or there are several sizes of noise.

    Examples
    --------
    >>> from xr_dip import synthetic, twin
    >>> scores = twin.experiment(synthetic.gulf_stream((24, 24), times=3).ssh, [4], ["bilinear", "bicubic"])
    >>> days(scores, "bilinear").get_xlabel()
    'bicubic, RMSE (m)'
    """
    mean_score(scores, score, ("estimator",))
    for name in (method, against):
        if name not in scores.estimator:
            raise ValueError(f"Invalid method {name!r}. It must be one of {scores.estimator.values.tolist()}.")
    if scores.sizes.get("noise_std", 1) > 1:
        raise ValueError(
            f"Invalid scores with the noise_std {scores.noise_std.values.tolist()}. They must be of one: select it, as "
            "in scores.sel(noise_std=[0.0])."
        )
    values = scores[score].squeeze("noise_std") if "noise_std" in scores[score].dims else scores[score]
    axes = ax or new_axes()
    for colour, factor in zip(cycle(LINE_COLOURS), values.factor.values, strict=False):
        part = values.sel(factor=factor)
        x, y = (part.sel(estimator=name).values.ravel() for name in (against, method))
        axes.plot(x, y, "o", color=colour, alpha=0.7, label=f"x{factor}{_how_often_better(y, x, score)}")
    ends = [float(values.sel(estimator=[method, against]).min()), float(values.sel(estimator=[method, against]).max())]
    axes.plot(ends, ends, color=INK, linestyle="--", linewidth=1)
    name = score_name(scores[score], score)
    axes.set(xlabel=f"{against}, {name}", ylabel=f"{method}, {name}", aspect="equal")
    axes.legend(frameon=False, fontsize="small")
    return axes


def _how_often_better(values: np.ndarray, others: np.ndarray, score: str) -> str:
    """Write on how many days a method is better; nothing of a score that is best somewhere in between."""
    if score not in (*SMALLER_IS_BETTER, *LARGER_IS_BETTER):
        return ""
    better = values > others if score in LARGER_IS_BETTER else values < others
    return f", better on {better.mean():.0%} of {better.size}"


def ensemble_size(parts: xr.Dataset, score: str = "rmse", *, ax: Axes | None = None) -> Axes:
    """Draw the score of the mean of so many members over their number, with bicubic interpolation and each member.

    Parameters
    ----------
    parts : Dataset
        As `xr_dip.twin.ensemble` returns it.
    score : {"rmse", "ssim"}
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> sizes = {"size": [1, 2], "member": [0, 1]}
    >>> parts = xr.Dataset({"rmse": ("size", [2.0, 1.5]), "member_rmse": ("member", [2.1, 1.9])}, sizes)
    >>> ensemble_size(parts.assign(bicubic_rmse=1.8)).get_xlabel()
    'members'
    """
    curve = mean_score(parts, score, ("size",))
    axes = ax or new_axes()
    axes.plot(curve["size"], curve, "o-", color=LINE_COLOURS[0], markersize=4, label="mean of members")
    best = parts[f"member_{score}"].min() if score in SMALLER_IS_BETTER else parts[f"member_{score}"].max()
    axes.axhline(float(best), color=LINE_COLOURS[2], linestyle=":", label="best member")
    axes.axhline(float(parts[f"bicubic_{score}"]), color=LINE_COLOURS[1], linestyle="--", label="bicubic")
    axes.set(xlabel="members", ylabel=score_name(parts[score], score))
    axes.xaxis.set_major_locator(find_library("matplotlib.ticker").MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return axes


def members(parts: xr.Dataset, score: str = "rmse", *, ax: Axes | None = None) -> Axes:
    """Draw the score of each member, and lines at those of their mean and of bicubic interpolation.

    Parameters
    ----------
    parts : Dataset
        As `xr_dip.twin.ensemble` returns it.
    score : {"rmse", "ssim"}
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> parts = xr.Dataset({"rmse": ("size", [1.5]), "member_rmse": ("member", [2.1, 1.9])}, {"size": [2]})
    >>> len(members(parts.assign(bicubic_rmse=1.8)).patches)
    2
    """
    values = mean_score(parts, f"member_{score}", ("member",))
    axes = ax or new_axes()
    axes.bar(np.arange(values.size), values, color="0.8", label="members")
    axes.axhline(float(parts[score][-1]), color=LINE_COLOURS[0], label=f"mean of {int(parts['size'][-1])}")
    axes.axhline(float(parts[f"bicubic_{score}"]), color=LINE_COLOURS[1], linestyle="--", label="bicubic")
    axes.set(xlabel="member", ylabel=score_name(parts[f"member_{score}"], score))
    axes.set_ylim(top=1.25 * max(float(values.max()), float(parts[f"bicubic_{score}"])))
    axes.xaxis.set_major_locator(find_library("matplotlib.ticker").MaxNLocator(integer=True))
    axes.legend(frameon=False, ncols=3, loc="upper center")
    return axes


def losses(scores: xr.Dataset, score: str = "psnr", *, ax: Axes | None = None) -> Axes:
    """Draw a score over the iterations of a fit, one colour for each loss; single fits are thin, their mean is thick.

    Parameters
    ----------
    scores : Dataset
        As `xr_dip.twin.losses` returns it.
    score : {"psnr", "ssim", "rmse"}
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> values = (("loss", "member", "iteration"), [[[20.0, 25.0]], [[19.0, 26.0]]])
    >>> scores = xr.Dataset({"psnr": values}, {"loss": ["mse", "charbonnier"], "iteration": [10, 20]})
    >>> losses(scores).get_ylabel()
    'PSNR (dB)'
    """
    values = mean_score(scores, score, ("loss", "member", "iteration"))
    axes = ax or new_axes()
    for colour, loss in zip(cycle(LINE_COLOURS), values.loss.values, strict=False):
        fits = values.sel(loss=loss)
        for member in range(fits.sizes["member"]):
            axes.plot(values.iteration, fits.isel(member=member), color=colour, linewidth=0.6, alpha=0.6)
        last = fits.mean("member")
        axes.plot(values.iteration, last, color=colour, linewidth=2, label=f"{loss}, {float(last[-1]):.4g} in the end")
    axes.set(xlabel="iteration", ylabel=score_name(scores[score], score))
    axes.legend(frameon=False)
    return axes
