"""The classical methods as functions of one slice: what a user would take instead, and what we must beat."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xr_dip.blocks import Factor, FloatArray
from xr_dip.combination import warn_of_one_cell
from xr_dip.inputs import Target
from xr_dip.interpolation import conservative_spline, fill_nearest, upsample
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import fit_covariance
from xr_dip.noise import NoiseField, noise_of
from xr_dip.results import slice_fields
from xr_dip.sea import Sea, check_values, find_sea


class Interpolator(Protocol):
    """A method that needs no fit."""

    def __call__(self, values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool) -> FloatArray:
        """Make coarse values (ny, nx), NaN on land, fine; arguments as for `xr_dip.interpolation.conservative`."""


def _between_centres(method: str) -> Interpolator:
    """Return the interpolation of this name between cell centres, land filled by its nearest sea."""

    def interpolate(values: FloatArray, weights: FloatArray, factor: Factor, *, periodic: bool) -> FloatArray:
        return upsample(fill_nearest(values, periodic=periodic), factor, method, periodic=periodic)

    return interpolate


INTERPOLATORS: dict[str, Interpolator] = {
    **{name: _between_centres(name) for name in ("nearest", "bilinear", "bicubic", "spline")},
    "conservative_spline": conservative_spline,
}
KRIGING = "kriging"
"""The one method that tells its error, and can be told of noise."""
METHODS = (*INTERPOLATORS, KRIGING)


def outputs(method: str) -> tuple[str, ...]:
    """Return the names of the fields that a method gives.

    Parameters
    ----------
    method : str

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> outputs("bicubic")
    ('mean', 'flag', 'conservation_error')
    """
    return (
        ("mean", "std", "flag", "conservation_error") if method == KRIGING else ("mean", "flag", "conservation_error")
    )


class Baseline:
    """A classical method for one slice.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    target : Target
    name : str
        Of the field, for messages.
    noise_std : float, NoiseField or None
        Of the coarse values, in their unit; for kriging.
    """

    def __init__(self, method: str, target: Target, name: str, noise_std: float | NoiseField | None = None) -> None:
        self.method, self.factor = method, target.factor
        self.name, self.largest, self.noise_std = name, target.largest, noise_std
        self.mask, self.weights = target.mask, target.weights
        self.spacing = target.fine_grid.spacing()
        self.periodic, self.extrapolate = target.periodic, target.extrapolate

    def __call__(self, values: FloatArray, stamp: int) -> dict[str, npt.NDArray[Any]]:
        """Interpolate coarse values (ny, nx)."""
        check_values(values, self.name, self.largest)
        sea = find_sea(
            values,
            self.factor,
            mask=self.mask,
            weights=self.weights,
            extrapolate=self.extrapolate,
            periodic=self.periodic,
        )
        seen = np.where(sea.coarse, values, np.nan)
        return slice_fields(*self._estimate(seen, sea, stamp), seen, sea, self.factor)

    def _estimate(self, values: FloatArray, sea: Sea, stamp: int) -> tuple[FloatArray, FloatArray]:
        if self.method != KRIGING:
            field = INTERPOLATORS[self.method](values, sea.weights, self.factor, periodic=self.periodic)
            return field, np.full(sea.mask.shape, np.nan)
        cells = int(sea.coarse.sum())
        warn_of_one_cell(cells)
        noise = noise_of(self.noise_std, values, stamp)
        covariance = fit_covariance(values, sea.weights, self.factor, self.spacing, noise=noise, average=False)
        kriging = krige_basins(
            sea.weights, self.factor, self.spacing, covariance, sea.coarse, sea=sea.water, periodic=self.periodic
        )
        mean = kriging.mean(values)
        # a covariance of one value says nothing of how far the truth may be from it
        return mean, np.sqrt(kriging.variance()) if cells > 1 else np.full(mean.shape, np.nan)
