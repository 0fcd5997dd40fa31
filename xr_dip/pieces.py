"""The estimate of a window, and what is written of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray, misfit
from xr_dip.constraints import Constraint
from xr_dip.observing.sampling import Misfit
from xr_dip.sea import Sea

SCALARS = ("blend_weight", "front_weight", "predicted_rmse", "predicted_skill", "iterations", "seam_ratio")
"""Diagnostics of one time, one number each; the last only of a domain of tiles."""
LATENT_SPREADS = ("ensemble_std", "latent_std")
"""Fields of the spread between members and of that over the latents of each."""


@dataclass(frozen=True, eq=False)
class Piece:
    """The estimate of a window, in float64 and the unit of the field.

    Attributes
    ----------
    mean, variance, fit_variance : array, shape (Y, X)
        Arbitrary on land.
    members : array, shape (members, Y, X), or None
    sea : Sea
    values : array, shape (ny, nx)
        The coarse values that are used, NaN elsewhere.
    fit_residual : array, shape (ny, nx)
        Block means of the mean fit minus values, NaN where there are none.
    enforce : callable or None
        Constraint that works cell by cell and that parts of several pieces are to satisfy once they are joined.
    scalars : mapping of str to float
        Diagnostics of the whole window.
    latent_variances : array, shape (2, Y, X), or None
        Variance over members of their means over latents, and mean over members of their variances over latents.
    misfit : callable
        What says how far a field is from the values: that of block means by default.
    """

    mean: FloatArray
    variance: FloatArray
    fit_variance: FloatArray
    members: FloatArray | None
    sea: Sea
    values: FloatArray
    fit_residual: FloatArray
    enforce: Constraint | None
    scalars: Mapping[str, float]
    misfit: Misfit = misfit
    latent_variances: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Blank:
    """A window without any value.

    Attributes
    ----------
    flags : array of int8, shape (Y, X)
    """

    flags: npt.NDArray[np.int8]


def finish(piece: Piece, factor: Factor) -> dict[str, npt.NDArray[Any]]:
    """Return what is written of an estimate: NaN on land, float32, checked against the input.

    Parameters
    ----------
    piece : Piece
    factor : (int, int)

    Returns
    -------
    dict of str to array
    """
    land = ~piece.sea.mask

    def masked(field: FloatArray) -> npt.NDArray[np.float32]:
        return np.where(land, np.nan, field).astype(np.float32)

    mean = masked(piece.mean)
    error = -piece.misfit(mean.astype(np.float64), piece.values, piece.sea.weights, factor)
    results: dict[str, npt.NDArray[Any]] = {
        "mean": mean,
        "std": masked(np.sqrt(piece.variance)),
        "fit_std": masked(np.sqrt(piece.fit_variance)),
        "flag": piece.sea.flags,
        "conservation_error": np.where(np.isnan(piece.values), np.nan, error),
        "fit_residual": piece.fit_residual,
    }
    if piece.latent_variances is not None:
        results |= dict(zip(LATENT_SPREADS, map(masked, np.sqrt(piece.latent_variances)), strict=True))
    if piece.members is not None:
        results["members"] = masked(piece.members)
    return results


def crop(piece: Piece, cells: tuple[slice, slice], factor: Factor) -> Piece:
    """Return a part of a piece.

    Parameters
    ----------
    piece : Piece
    cells : (slice, slice)
        Coarse rows and columns, counted from its corner.
    factor : (int, int)

    Returns
    -------
    Piece
    """
    fine = fine_slice(cells[0], factor[0]), fine_slice(cells[1], factor[1])
    sea = piece.sea
    return replace(
        piece,
        mean=piece.mean[fine],
        variance=piece.variance[fine],
        fit_variance=piece.fit_variance[fine],
        members=None if piece.members is None else piece.members[:, *fine],
        latent_variances=None if piece.latent_variances is None else piece.latent_variances[:, *fine],
        sea=Sea(sea.mask[fine], sea.weights[fine], sea.coarse[cells], sea.flags[fine]),
        values=piece.values[cells],
        fit_residual=piece.fit_residual[cells],
    )


def fine_slice(cells: slice, factor: int) -> slice:
    """Return the fine cells of a slice of coarse ones."""
    return slice(cells.start * factor, cells.stop * factor)
