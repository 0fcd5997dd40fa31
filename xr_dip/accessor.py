"""``.dip`` on DataArray and Dataset: each method hands over to the public function of the same name."""

from __future__ import annotations

from collections.abc import Hashable

import xarray as xr

from xr_dip import downscaling
from xr_dip.cf.summary import Summary, summarize
from xr_dip.inputs import FactorLike, Mask, Weights


def select_variable(dataset: xr.Dataset, name: Hashable) -> xr.DataArray:
    """One variable of a Dataset.

    Parameters
    ----------
    dataset : Dataset
    name : hashable
        A data variable.

    Returns
    -------
    DataArray

    Raises
    ------
    ValueError
        If there is no such variable; the message lists those there are.

    Examples
    --------
    >>> select_variable(xr.Dataset({"ssh": ("x", [0.5])}), "ssh").item()
    0.5
    """
    if name not in dataset.data_vars:
        raise ValueError(f"Invalid variable {name!r}. It must be among {sorted(map(str, dataset.data_vars))}.")
    return dataset[name]


@xr.register_dataarray_accessor("dip")  # type: ignore[no-untyped-call]
class DipArray:
    """Downscaling of one coarse field.

    Examples
    --------
    >>> import numpy as np
    >>> axes = {"lat": np.arange(40.0, 44.0), "lon": np.arange(5.0, 11.0)}
    >>> ssh = xr.DataArray(np.zeros((4, 6)), axes, ("lat", "lon"), name="ssh", attrs={"units": "m"})
    >>> dict(ssh.dip.interpolate(2, method="bilinear").ssh_mean.sizes)
    {'lat': 8, 'lon': 12}
    """

    def __init__(self, obj: xr.DataArray) -> None:
        self._obj = obj

    def downscale(
        self,
        factor: FactorLike,
        *,
        members: int = 10,
        preset: str = "balanced",
        generator: str | None = None,
        loss: str | None = None,
        constraint: str | None = None,
        operator: str | None = None,
        mask: Mask | None = None,
        weights: Weights = "equal",
        noise_std: float | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        seed: int = 0,
        device: str = "auto",
        keep_members: bool = False,
        progress: bool = True,
    ) -> xr.Dataset:
        """Ensemble of deep image prior fits of this field; see `xr_dip.downscale`."""
        return downscaling.downscale(
            self._obj,
            factor,
            members=members,
            preset=preset,
            generator=generator,
            loss=loss,
            constraint=constraint,
            operator=operator,
            mask=mask,
            weights=weights,
            noise_std=noise_std,
            x_dim=x_dim,
            y_dim=y_dim,
            seed=seed,
            device=device,
            keep_members=keep_members,
            progress=progress,
        )

    def interpolate(
        self,
        factor: FactorLike,
        method: str = "conservative_spline",
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        x_dim: str | None = None,
        y_dim: str | None = None,
    ) -> xr.Dataset:
        """One deterministic fine field, as a baseline; see `xr_dip.interpolate`."""
        return downscaling.interpolate(
            self._obj,
            factor,
            method,
            mask=mask,
            weights=weights,
            x_dim=x_dim,
            y_dim=y_dim,
        )


@xr.register_dataset_accessor("dip")  # type: ignore[no-untyped-call]
class DipDataset:
    """Downscaling of one variable of a Dataset, with the coordinates, the bounds and the crs that the Dataset holds.

    Examples
    --------
    >>> import numpy as np
    >>> axes = {"lat": np.arange(40.0, 44.0), "lon": np.arange(5.0, 11.0)}
    >>> ds = xr.Dataset({"ssh": (("lat", "lon"), np.zeros((4, 6)), {"units": "m"})}, axes)
    >>> dict(ds.dip.interpolate("ssh", 2, method="bilinear").ssh_mean.sizes)
    {'lat': 8, 'lon': 12}
    """

    def __init__(self, obj: xr.Dataset) -> None:
        self._obj = obj

    def downscale(
        self,
        name: Hashable,
        factor: FactorLike,
        *,
        members: int = 10,
        preset: str = "balanced",
        generator: str | None = None,
        loss: str | None = None,
        constraint: str | None = None,
        operator: str | None = None,
        mask: Mask | None = None,
        weights: Weights = "equal",
        noise_std: float | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        seed: int = 0,
        device: str = "auto",
        keep_members: bool = False,
        progress: bool = True,
    ) -> xr.Dataset:
        """Ensemble of deep image prior fits of the variable `name`; see `xr_dip.downscale`."""
        return downscaling.downscale(
            select_variable(self._obj, name),
            factor,
            members=members,
            preset=preset,
            generator=generator,
            loss=loss,
            constraint=constraint,
            operator=operator,
            mask=mask,
            weights=weights,
            noise_std=noise_std,
            x_dim=x_dim,
            y_dim=y_dim,
            seed=seed,
            device=device,
            keep_members=keep_members,
            progress=progress,
            dataset=self._obj,
        )

    def interpolate(
        self,
        name: Hashable,
        factor: FactorLike,
        method: str = "conservative_spline",
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        x_dim: str | None = None,
        y_dim: str | None = None,
    ) -> xr.Dataset:
        """One deterministic fine field of the variable `name`, as a baseline; see `xr_dip.interpolate`."""
        return downscaling.interpolate(
            select_variable(self._obj, name),
            factor,
            method,
            mask=mask,
            weights=weights,
            x_dim=x_dim,
            y_dim=y_dim,
            dataset=self._obj,
        )

    def summary(self) -> Summary:
        """Show the configuration and the totals of a result; see `xr_dip.cf.summary.summarize`."""
        return summarize(self._obj)
