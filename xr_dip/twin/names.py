"""What tables and diagrams call a score, and which part of it they show."""

from __future__ import annotations

import xarray as xr

from xr_dip.plot.scales import unit_of

NAMES = {"rmse": "RMSE", "ssim": "SSIM", "psnr": "PSNR (dB)"}


def mean_score(scores: xr.Dataset, score: str, kept: tuple[str, ...]) -> xr.DataArray:
    """Return a score, averaged over the dimensions that are not shown.

    Parameters
    ----------
    scores : Dataset
    score : str
    kept : tuple of str
        Dimensions that it must have.

    Returns
    -------
    DataArray

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> mean_score(xr.Dataset({"rmse": (("day", "size"), [[1.0], [3.0]])}), "rmse", ("size",)).values
    array([2.])
    """
    if score not in scores or not set(kept) <= set(scores[score].dims):
        known = [str(name) for name, found in scores.data_vars.items() if set(kept) <= set(found.dims)]
        raise ValueError(f"Invalid score {score!r}. It must be one of {known}.")
    return scores[score].mean([dim for dim in scores[score].dims if dim not in kept])


def with_unit(values: xr.DataArray, name: str) -> str:
    """Write a name with the unit of what it is of; nothing is added where that has none.

    Parameters
    ----------
    values : DataArray
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> with_unit(xr.DataArray(0.0, attrs={"units": "m"}), "rmse")
    'rmse (m)'
    """
    return f"{name} {unit_of(values)}".strip()


def score_name(score: xr.DataArray, name: str) -> str:
    """Write the name of a score for an axis, with its unit.

    Parameters
    ----------
    score : DataArray
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> score_name(xr.DataArray(0.0, attrs={"units": "m"}), "gradient_rmse")
    'gradient rmse (m)'
    """
    if name in ("psnr", "ssim"):
        return NAMES[name]
    return with_unit(score, NAMES.get(name, name.replace("_", " ")))
