"""``.dip`` on DataArray and Dataset: each method hands over to the public function of the same name."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from xr_dip import downscaling, geostrophy, scoring
from xr_dip.cf.summary import Summary, summarize
from xr_dip.distillation.student import Student, check_student
from xr_dip.docstrings import documented_as
from xr_dip.inputs import FactorLike, Mask, Periodic, Weights
from xr_dip.noise import NoiseLike
from xr_dip.plot import overview
from xr_dip.report import write_report
from xr_dip.tiling import TileLike
from xr_dip.variables import Names, apply_to_variables

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@xr.register_dataarray_accessor("dip")  # type: ignore[no-untyped-call]
class DipArray:
    """Downscaling of one coarse field.

    Examples
    --------
    >>> import numpy as np
    >>> axes = {"lat": np.arange(40.0, 44.0), "lon": np.arange(5.0, 11.0)}
    >>> ssh = xr.DataArray(np.hypot.outer(range(4), range(6)), axes, ("lat", "lon"), name="ssh", attrs={"units": "m"})
    >>> dict(ssh.dip.interpolate(2, method="bilinear").ssh_mean.sizes)
    {'lat': 8, 'lon': 12}
    """

    def __init__(self, obj: xr.DataArray) -> None:
        self._obj = obj

    @documented_as(downscaling.downscale, without=("da", "dataset", "relay"))
    def downscale(
        self,
        factor: FactorLike,
        *,
        members: int = 10,
        preset: str = "balanced",
        generator: str | None = None,
        generator_options: Mapping[str, Any] | None = None,
        loss: str | None = None,
        penalties: Mapping[str, float] | None = None,
        constraint: str | None = None,
        constraint_options: Mapping[str, Any] | None = None,
        operator: str | None = None,
        operator_options: Mapping[str, Any] | None = None,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        noise_std: NoiseLike | None = None,
        perturb_observations: bool = False,
        latent_samples: int | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
        tile: TileLike = "auto",
        overlap: int | None = None,
        seed: int = 0,
        device: str = "auto",
        batch: int | None = None,
        keep_members: bool = False,
        progress: bool = True,
    ) -> xr.Dataset:
        """Ensemble of deep image prior fits of this field; see `xr_dip.downscale`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> coarse = gulf_stream((24, 36)).ssh.coarsen(latitude=4, longitude=4).mean()
        >>> fine = coarse.dip.downscale(4, members=2, preset="fast", progress=False)
        >>> fine.ssh_mean.shape
        (24, 36)
        """
        return downscaling.downscale(
            self._obj,
            factor,
            members=members,
            preset=preset,
            generator=generator,
            generator_options=generator_options,
            loss=loss,
            penalties=penalties,
            constraint=constraint,
            constraint_options=constraint_options,
            operator=operator,
            operator_options=operator_options,
            mask=mask,
            weights=weights,
            land_value=land_value,
            extrapolate=extrapolate,
            periodic=periodic,
            noise_std=noise_std,
            perturb_observations=perturb_observations,
            latent_samples=latent_samples,
            x_dim=x_dim,
            y_dim=y_dim,
            x_coord=x_coord,
            y_coord=y_coord,
            tile=tile,
            overlap=overlap,
            seed=seed,
            device=device,
            batch=batch,
            keep_members=keep_members,
            progress=progress,
        )

    @documented_as(downscaling.interpolate, without=("da", "dataset"))
    def interpolate(
        self,
        factor: FactorLike,
        method: str = "conservative_spline",
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        noise_std: NoiseLike | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
    ) -> xr.Dataset:
        """One deterministic fine field, as a baseline; see `xr_dip.interpolate`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> gulf_stream((8, 12)).ssh.dip.interpolate(4, "kriging").ssh_std.shape
        (32, 48)
        """
        return downscaling.interpolate(
            self._obj,
            factor,
            method,
            mask=mask,
            weights=weights,
            land_value=land_value,
            extrapolate=extrapolate,
            periodic=periodic,
            noise_std=noise_std,
            x_dim=x_dim,
            y_dim=y_dim,
            x_coord=x_coord,
            y_coord=y_coord,
        )

    @documented_as(Student.downscale, without=("da", "dataset"))
    def apply_student(
        self,
        student: Student,
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
    ) -> xr.Dataset:
        """Fine field by a trained student; see `xr_dip.Student.downscale`.

        Parameters
        ----------
        student : xr_dip.Student
            From `xr_dip.distill` or `xr_dip.load_student`.
        """
        return check_student(student).downscale(
            self._obj,
            mask=mask,
            weights=weights,
            land_value=land_value,
            extrapolate=extrapolate,
            periodic=periodic,
            x_dim=x_dim,
            y_dim=y_dim,
            x_coord=x_coord,
            y_coord=y_coord,
        )

    @documented_as(geostrophy.currents, without=("source", "name"))
    def currents(
        self,
        *,
        equator_band: float = geostrophy.EQUATOR_BAND,
        eddy_dim: str | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
    ) -> xr.Dataset:
        """Geostrophic currents of this height, fine or coarse; see `xr_dip.currents`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> flow = gulf_stream((24, 36)).ssh.dip.currents()
        >>> flow.speed.shape, flow.speed.units
        ((24, 36), 'm s-1')
        """
        return geostrophy.currents(
            self._obj,
            equator_band=equator_band,
            eddy_dim=eddy_dim,
            x_dim=x_dim,
            y_dim=y_dim,
            x_coord=x_coord,
            y_coord=y_coord,
        )


@xr.register_dataset_accessor("dip")  # type: ignore[no-untyped-call]
class DipDataset:
    """Downscaling of variables of a Dataset, with the coordinates, bounds, crs and sea mask that the Dataset holds.

    A list of names gives one Dataset; diagnostics that each has get the name of their variable in front.

    Examples
    --------
    >>> import numpy as np
    >>> axes = {"lat": np.arange(40.0, 44.0), "lon": np.arange(5.0, 11.0)}
    >>> ds = xr.Dataset({"ssh": (("lat", "lon"), np.hypot.outer(range(4), range(6)), {"units": "m"})}, axes)
    >>> dict(ds.dip.interpolate("ssh", 2, method="bilinear").ssh_mean.sizes)
    {'lat': 8, 'lon': 12}
    """

    def __init__(self, obj: xr.Dataset) -> None:
        self._obj = obj

    @documented_as(downscaling.downscale, without=("da", "dataset", "relay"))
    def downscale(
        self,
        name: Names,
        factor: FactorLike,
        *,
        members: int = 10,
        preset: str = "balanced",
        generator: str | None = None,
        generator_options: Mapping[str, Any] | None = None,
        loss: str | None = None,
        penalties: Mapping[str, float] | None = None,
        constraint: str | None = None,
        constraint_options: Mapping[str, Any] | None = None,
        operator: str | None = None,
        operator_options: Mapping[str, Any] | None = None,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        noise_std: NoiseLike | None = None,
        perturb_observations: bool = False,
        latent_samples: int | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
        tile: TileLike = "auto",
        overlap: int | None = None,
        seed: int = 0,
        device: str = "auto",
        batch: int | None = None,
        keep_members: bool = False,
        progress: bool = True,
    ) -> xr.Dataset:
        """Ensemble of deep image prior fits of the variable `name`, or of each of a list; see `xr_dip.downscale`.

        Parameters
        ----------
        name : str or list of str
            Variable to downscale, or several on one grid.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> coarse = gulf_stream((24, 36)).coarsen(latitude=4, longitude=4).mean()
        >>> fine = coarse.dip.downscale("ssh", 4, members=2, preset="fast", progress=False)
        >>> fine.ssh_mean.shape
        (24, 36)
        """

        def apply(field: xr.DataArray) -> xr.Dataset:
            return downscaling.downscale(
                field,
                factor,
                members=members,
                preset=preset,
                generator=generator,
                generator_options=generator_options,
                loss=loss,
                penalties=penalties,
                constraint=constraint,
                constraint_options=constraint_options,
                operator=operator,
                operator_options=operator_options,
                mask=mask,
                weights=weights,
                land_value=land_value,
                extrapolate=extrapolate,
                periodic=periodic,
                noise_std=noise_std,
                perturb_observations=perturb_observations,
                latent_samples=latent_samples,
                x_dim=x_dim,
                y_dim=y_dim,
                x_coord=x_coord,
                y_coord=y_coord,
                tile=tile,
                overlap=overlap,
                seed=seed,
                device=device,
                batch=batch,
                keep_members=keep_members,
                progress=progress,
                dataset=self._obj,
            )

        return apply_to_variables(self._obj, name, apply)

    @documented_as(downscaling.interpolate, without=("da", "dataset"))
    def interpolate(
        self,
        name: Names,
        factor: FactorLike,
        method: str = "conservative_spline",
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        noise_std: NoiseLike | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
    ) -> xr.Dataset:
        """One deterministic fine field of the variable `name`, or of each of a list; see `xr_dip.interpolate`.

        Parameters
        ----------
        name : str or list of str
            Variable to interpolate, or several on one grid.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> gulf_stream((8, 12)).dip.interpolate("ssh", 4).ssh_mean.shape
        (32, 48)
        """

        def apply(field: xr.DataArray) -> xr.Dataset:
            return downscaling.interpolate(
                field,
                factor,
                method,
                mask=mask,
                weights=weights,
                land_value=land_value,
                extrapolate=extrapolate,
                periodic=periodic,
                noise_std=noise_std,
                x_dim=x_dim,
                y_dim=y_dim,
                x_coord=x_coord,
                y_coord=y_coord,
                dataset=self._obj,
            )

        return apply_to_variables(self._obj, name, apply)

    @documented_as(Student.downscale, without=("da", "dataset"))
    def apply_student(
        self,
        name: Names,
        student: Student,
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
    ) -> xr.Dataset:
        """Fine field of the variable `name`, or of each of a list, by a student; see `xr_dip.Student.downscale`.

        Parameters
        ----------
        name : str or list of str
            Variable of the Dataset.
        student : xr_dip.Student
            From `xr_dip.distill` or `xr_dip.load_student`.
        """

        def apply(field: xr.DataArray) -> xr.Dataset:
            return check_student(student).downscale(
                field,
                mask=mask,
                weights=weights,
                land_value=land_value,
                extrapolate=extrapolate,
                periodic=periodic,
                x_dim=x_dim,
                y_dim=y_dim,
                x_coord=x_coord,
                y_coord=y_coord,
                dataset=self._obj,
            )

        return apply_to_variables(self._obj, name, apply)

    @documented_as(geostrophy.currents, without=("source",))
    def currents(
        self,
        name: Hashable | None = None,
        *,
        equator_band: float = geostrophy.EQUATOR_BAND,
        eddy_dim: str | None = None,
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
    ) -> xr.Dataset:
        """Geostrophic currents of a result, over its members if it has them, or of a height; see `xr_dip.currents`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> flow = gulf_stream((8, 12)).dip.interpolate("ssh", 4).dip.currents()
        >>> flow.vorticity.shape, flow.vorticity.units
        ((32, 48), 's-1')
        """
        return geostrophy.currents(
            self._obj,
            name,
            equator_band=equator_band,
            eddy_dim=eddy_dim,
            x_dim=x_dim,
            y_dim=y_dim,
            x_coord=x_coord,
            y_coord=y_coord,
        )

    @documented_as(scoring.verify, without=("result",))
    def verify(
        self,
        truth: xr.DataArray,
        name: Hashable | None = None,
        *,
        weights: str | xr.DataArray = "equal",
        baselines: Sequence[str] = ("bicubic", "kriging"),
    ) -> xr.Dataset:
        """Scores of a result against the truth on its fine grid; see `xr_dip.verify`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> truth = gulf_stream((24, 36)).ssh
        >>> fine = truth.coarsen(latitude=4, longitude=4).mean().dip.interpolate(4)
        >>> bool(fine.dip.verify(truth, baselines=["bicubic"]).skill_bicubic > 0)
        True
        """
        return scoring.verify(self._obj, truth, name, weights=weights, baselines=baselines)

    @documented_as(overview, without=("out",))
    def plot(
        self,
        truth: xr.DataArray | None = None,
        *,
        coarse: xr.DataArray | None = None,
        others: Mapping[str, xr.DataArray] | None = None,
        name: Hashable | None = None,
    ) -> dict[str, Axes]:
        """Draw a result on one page; see `xr_dip.plot.overview`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> list(gulf_stream((8, 12)).dip.interpolate("ssh", 4).dip.plot())
        ['coarse', 'mean', 'residual']
        """
        return overview(self._obj, truth, coarse=coarse, others=others, name=name)

    @documented_as(write_report, without=("result",))
    def report(
        self,
        path: str | os.PathLike[str],
        truth: xr.DataArray | None = None,
        name: Hashable | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Write one HTML page about a result; see `xr_dip.report.write_report`.

        Examples
        --------
        >>> import tempfile
        >>> from xr_dip.synthetic import gulf_stream
        >>> fine = gulf_stream((8, 12)).dip.interpolate("ssh", 4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fine.dip.report(Path(folder) / "report.html").name
        'report.html'
        """
        return write_report(self._obj, path, truth, name, overwrite=overwrite)

    @documented_as(summarize, without=("result",))
    def summary(self) -> Summary:
        """Show the configuration and the totals of a result; see `xr_dip.cf.summary.summarize`.

        Examples
        --------
        >>> from xr_dip.synthetic import gulf_stream
        >>> gulf_stream((8, 12)).dip.interpolate("ssh", 4).dip.summary().configuration["factor"]
        [4, 4]
        """
        return summarize(self._obj)
