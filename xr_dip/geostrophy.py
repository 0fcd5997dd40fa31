"""Geostrophic currents of a sea surface height: velocity, speed, vorticity, Rossby number and kinetic energy.

With g = 9.80665 m s-2, the Coriolis parameter f = 2 Omega sin(latitude) and Omega = 7.292115e-5 s-1,

    u = -g / f dh/dn,    v = g / f dh/de,    zeta = dv/de - du/dn,    Ro = zeta / f,    eke = (u'^2 + v'^2) / 2

where e and n are metres towards east and north, on every kind of grid (`xr_dip.geometry.tangent`), and zeta holds the
turning of east and north from cell to cell.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.cell_methods import REALIZATION
from xr_dip.cf.dataset import MEMBER
from xr_dip.cf.flow import build_flow
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.geometry.tangent import SMALLEST, TangentPlanes
from xr_dip.heights import UNITS_PER_METRE
from xr_dip.verification.statistics import whole

FloatArray = npt.NDArray[np.float64]

GRAVITY = 9.80665
"""Standard gravity in m s-2, as ocean models take it."""

ROTATION = 7.292115e-5
"""Rotation of the Earth in radians per second."""

EQUATOR_BAND = 3.0
"""Degrees of latitude."""


def currents(
    source: xr.DataArray | xr.Dataset,
    name: Hashable | None = None,
    *,
    equator_band: float = EQUATOR_BAND,
    eddy_dim: str | None = None,
    x_dim: str | None = None,
    y_dim: str | None = None,
    x_coord: str | None = None,
    y_coord: str | None = None,
) -> xr.Dataset:
    """Geostrophic currents and what follows from them.

    **Missing** on land, in the cells beside land and at the border of the domain: derivatives are central differences,
    never one-sided (`vorticity` and `rossby_number` are missing in one more row of cells). Around a periodic globe
    there is no border. Missing near the equator, too: f vanishes there, so small errors of the height become large
    currents (white noise of 1 mm on cells of 1/16 degree becomes 0.014 m/s at 30 degrees, 0.08 m/s at 5), and the real
    current is no longer geostrophic.

    Parameters
    ----------
    source : DataArray or Dataset
        A sea surface height in m, cm or mm (metres if it has no units), NaN on land; each of its further dimensions is
        kept. Or a Dataset that holds it. Lazy in, lazy out. Of a result of `xr_dip.downscale` with members, everything
        is computed for each member and then averaged, since speed, energy and the like of a mean are smaller than the
        mean of theirs; without members it is that of the ``<name>_mean``.
    name : str, optional
        Which variable of a Dataset: a variable, or what a result was made from. By default the only one of a result.
    equator_band : float
        Degrees of latitude, more than 0: cells nearer to the equator are missing.
    eddy_dim : str, optional
        Dimension, such as ``"time"``, whose mean current is subtracted before the energy is taken. By default nothing
        is: right for sea level anomalies, while of a full height the mean current is in it.
    x_dim, y_dim, x_coord, y_coord : str, optional
        As for `xr_dip.downscale`, where the coordinates cannot be found.

    Returns
    -------
    Dataset
        With the dimensions, coordinates and the dtype of the height: ``u``, ``v`` towards east and north, whichever way
        the grid points, and ``speed`` in m s-1; ``vorticity`` in s-1, anticlockwise positive; ``rossby_number``,
        vorticity over f, positive in cyclones on both hemispheres; ``eke`` in m2 s-2. With members also
        ``<variable>_std``, the standard deviation over them.

    Raises
    ------
    TypeError
        If the height is of integers.
    ValueError
        If there is no such variable, it has no latitude and longitude, fewer than 3 cells along an axis or units of no
        length, or another argument is out of range.

    References
    ----------
    Lagerloef, Mitchum, Lukas, Niiler (1999), Tropical Pacific near-surface currents estimated from altimeter, wind, and
    drifter data, J. Geophys. Res. 104(C10), where a form of its own takes the place of this one near the equator.

    Examples
    --------
    A height that falls by 1 m per degree of latitude northward, at 45 degrees: an eastward current.

    >>> axes = {"lat": [44.0, 45.0, 46.0], "lon": [5.0, 6.0, 7.0, 8.0]}
    >>> fall = np.repeat([[0.0], [-1.0], [-2.0]], 4, axis=1)
    >>> height = xr.DataArray(fall, axes, ("lat", "lon"), name="ssh")
    >>> flow = currents(height)
    >>> list(flow)
    ['u', 'v', 'speed', 'vorticity', 'rossby_number', 'eke']
    >>> round(float(flow.u[1, 1]), 2), float(abs(flow.v[1, 1])) < 1e-12, flow.u.units
    (0.86, True, 'm s-1')
    """
    height, dataset = _select(source, name)
    horizontal = find_horizontal(height, x_dim=x_dim, y_dim=y_dim, x_coord=x_coord, y_coord=y_coord, dataset=dataset)
    _check(height, horizontal, equator_band, eddy_dim)
    parts = geostrophic_flow(height, horizontal, equator_band, eddy_dim)
    averaged = dataset is not None and MEMBER in height.dims
    comment = _comment(height, equator_band, averaged)
    return build_flow(height, dataset, parts, averaged=averaged, comment=comment, eddy_dim=eddy_dim)


def geostrophic_flow(
    height: xr.DataArray, horizontal: Horizontal, equator_band: float = EQUATOR_BAND, eddy_dim: str | None = None
) -> xr.Dataset:
    """Compute the fields of `currents` from a height whose grid is known, as float64 without further ado.

    Parameters
    ----------
    height : DataArray
        In m, cm or mm, NaN on land; further dimensions are kept.
    horizontal : Horizontal
        Its grid, which has positions.
    equator_band, eddy_dim
        As for `currents`.

    Returns
    -------
    Dataset
        ``u``, ``v``, ``speed``, ``vorticity``, ``rossby_number`` and ``eke``, horizontal dimensions last.

    Examples
    --------
    >>> axes = {"lat": [44.0, 45.0, 46.0], "lon": [5.0, 6.0, 7.0]}
    >>> height = xr.DataArray(np.zeros((3, 3)), axes, ("lat", "lon"), name="ssh")
    >>> float(geostrophic_flow(height, find_horizontal(height)).speed[1, 1])
    0.0
    """
    u, v, vorticity, rossby_number = _solve(height, horizontal, equator_band)
    eddy_u, eddy_v = (part if eddy_dim is None else part - part.mean(eddy_dim) for part in (u, v))
    return xr.Dataset(
        {
            "u": u,
            "v": v,
            "speed": (u**2 + v**2) ** 0.5,
            "vorticity": vorticity,
            "rossby_number": rossby_number,
            "eke": (eddy_u**2 + eddy_v**2) / 2,
        }
    )


def is_height(field: xr.DataArray) -> bool:
    """Return whether a field may be a height by its units, from which alone there are currents.

    Parameters
    ----------
    field : DataArray
        Taken for metres if it has no units.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_height(xr.DataArray(0.0, attrs=attrs)) for attrs in ({"units": "cm"}, {}, {"units": "degC"})]
    [True, True, False]
    """
    return _units(field) in ("", *UNITS_PER_METRE)


def _select(source: xr.DataArray | xr.Dataset, name: Hashable | None) -> tuple[xr.DataArray, xr.Dataset | None]:
    """Height and the Dataset it is in: members before their mean, if it is a result."""
    if isinstance(source, xr.DataArray):
        if name is not None:
            raise ValueError(f"Invalid name {name!r}. It must be left out where the source is a DataArray.")
        return source, None
    results = [str(key).removesuffix("_mean") for key in source.data_vars if str(key).endswith("_mean")]
    chosen = results[0] if name is None and len(results) == 1 else name
    for key in (chosen, f"{chosen}_members", f"{chosen}_mean"):
        if key in source.data_vars:
            return source[key], source
    names = sorted({*results, *map(str, source.data_vars)})
    raise ValueError(f"Invalid name {name!r}. It must be one of {names}.")


def _check(height: xr.DataArray, horizontal: Horizontal, equator_band: float, eddy_dim: str | None) -> None:
    if not np.issubdtype(height.dtype, np.floating):
        raise TypeError(
            f"Invalid dtype {height.dtype} of {height.name!r}. It must be floating point, with land as NaN."
        )
    if not is_height(height):
        raise ValueError(f"Invalid units {height.attrs['units']!r} of {height.name!r}. It must be m, cm or mm.")
    if min(horizontal.grid.shape) < SMALLEST:
        raise ValueError(
            f"Invalid {height.name!r} of {horizontal.grid.shape} cells. It must have at least {SMALLEST} along "
            f"{horizontal.y_dim!r} and {horizontal.x_dim!r}, for central differences."
        )
    if not 0.0 < equator_band < 90.0:
        raise ValueError(f"Invalid equator_band {equator_band!r}. It must be between 0 and 90 degrees of latitude.")
    free = [dim for dim in height.dims if dim not in (horizontal.y_dim, horizontal.x_dim, MEMBER)]
    if eddy_dim is not None and eddy_dim not in free:
        raise ValueError(f"Invalid eddy_dim {eddy_dim!r}. It must be one of {free}, or None.")


def _units(height: xr.DataArray) -> str:
    return str(height.attrs.get("units", "")).strip().lower()


def _positions(horizontal: Horizontal) -> tuple[FloatArray, FloatArray]:
    """Latitude and longitude of the cells, (ny,) and (nx,) or both (ny, nx)."""
    if horizontal.latitude is None or horizontal.longitude is None:
        return horizontal.grid.centres()
    # Where the file says that its values are, whether bounds were found or not.
    return horizontal.latitude.values.astype(np.float64), horizontal.longitude.values.astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Balance:
    """Geostrophic balance of the heights on a grid.

    It holds positions only: what follows from them is larger than a field, and the graph of a lazy one would carry it.
    """

    latitude: FloatArray
    longitude: FloatArray
    periodic: bool
    equator_band: float
    gravity: float

    def __call__(self, height: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return u, v, vorticity and Rossby number of heights (..., ny, nx)."""
        latitude, longitude = self.latitude, self.longitude
        if latitude.ndim == 1:
            latitude, longitude = np.meshgrid(latitude, longitude, indexing="ij")
        planes = TangentPlanes.at_centres(latitude, longitude, periodic=self.periodic)
        latitude = np.where(np.isfinite(latitude), latitude, np.nan)  # infinite outside of a projection
        parameter = 2.0 * ROTATION * np.sin(np.radians(latitude))
        coriolis = np.where(np.abs(latitude) >= self.equator_band, parameter, np.nan)
        towards_east, towards_north = planes.gradient(height.astype(np.float64))
        # A cell without a height has no current, even if all of its neighbours have one.
        slope = np.where(np.isnan(height), np.nan, self.gravity / coriolis)
        u, v = -slope * towards_north, slope * towards_east
        vorticity = np.where(np.isnan(u), np.nan, planes.curl(u, v))
        return u, v, vorticity, vorticity / coriolis


def _solve(
    height: xr.DataArray, horizontal: Horizontal, equator_band: float
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray, xr.DataArray]:
    """Velocity towards east and north, its vorticity and Rossby number, in float64."""
    gravity = GRAVITY / UNITS_PER_METRE.get(_units(height), 1.0)
    dims = [horizontal.y_dim, horizontal.x_dim]
    u, v, vorticity, rossby_number = xr.apply_ufunc(
        _Balance(*_positions(horizontal), horizontal.grid.periodic, equator_band, gravity),
        whole(height, dims),
        input_core_dims=[dims],
        output_core_dims=[dims] * 4,
        dask="parallelized",
        output_dtypes=[np.float64] * 4,
    )
    return u, v, vorticity, rossby_number


def _comment(height: xr.DataArray, equator_band: float, averaged: bool) -> str:
    ensemble = f"{REALIZATION}: mean" in str(height.attrs.get("cell_methods", ""))
    of_mean = ", of the ensemble mean" if ensemble and not averaged else ""
    return (
        f"from central differences of {height.name}{of_mean}, with g = {GRAVITY} m s-2; missing beside land, at the "
        f"border, and within {equator_band:g} degrees of the equator, where geostrophy fails"
    )
