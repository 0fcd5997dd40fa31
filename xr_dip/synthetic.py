r"""A Gulf Stream by formula, for examples and tests without any file or network.

One seed is one unbounded ocean, a function of place and time; ``size``, ``resolution`` and ``times`` only choose where
it is sampled, so a small domain is the middle of a large one. With :math:`x, y` in km from the centre of the domain,

.. math:: \eta(x, y, t) = h + \sum \mathrm{rings} + \sum \mathrm{eddies} + b.

1. The jet :math:`h` is a front along the zero line of :math:`\phi = W - y`, where :math:`W` is a sum of long waves. The
   line overhangs and pinches off where :math:`\partial_y W > 1`, as the real one does. Across it, at the distance
   :math:`d = \phi / |\nabla \phi|`, the height steps as :math:`\tanh(d / L)`; it decays over the recirculation gyres.
2. Rings and eddies are Gaussians, at most one in each cell of a lattice that drifts west. Rings are cold south of the
   jet, warm north of it.
3. The background :math:`b` is a sum of random waves whose spectrum falls as :math:`k^{-5}`, the slope of geostrophic
   turbulence (Charney 1971), and is flat at large scales.

The constants were chosen to resemble eNATL60 (``xr_dip.samples``) in range, gradients, spectral slopes and the error of
bicubic interpolation. The field solves no equation of motion.

References
----------
Charney, J. G. (1971). Geostrophic turbulence. Journal of the Atmospheric Sciences 28, 1087-1095.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip._version import __version__

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

CENTRE = (38.5, -60.0)  # degrees north, degrees east
KM_PER_DEGREE = 111.2
START = np.datetime64("2009-07-01", "ns")
SMALLEST_SIDE = 8
DRIFT = -4.0  # km a day eastward, of rings and eddies

JET_HALF_STEP = 0.64  # m
JET_WIDTH, GYRE_WIDTH, RING_DISTANCE = 37.0, 460.0, 70.0  # km; rings lose their height nearer to the jet than this
LEAST_STEEPNESS = 0.35  # keeps the front wide where its line pinches off


@dataclass(frozen=True)
class _Spectrum:
    """Wavelengths in km, standard deviation in the unit of the waves, eastward drift in km a day."""

    stream: int
    shortest: float
    longest: float
    knee: float
    std: float
    drift: float
    count: int


@dataclass(frozen=True)
class _Lattice:
    """At most one vortex in each square cell: lengths in km, heights in m, ranges of uniform draws."""

    stream: int
    spacing: float
    occupied: float
    radius: tuple[float, float]
    height: tuple[float, float]


MEANDERS = _Spectrum(stream=0, shortest=260.0, longest=900.0, knee=420.0, std=95.0, drift=5.0, count=64)
TURBULENCE = _Spectrum(stream=1, shortest=8.0, longest=500.0, knee=110.0, std=0.027, drift=-2.0, count=512)
RINGS = _Lattice(stream=2, spacing=220.0, occupied=0.55, radius=(26.0, 52.0), height=(0.4, 1.0))
EDDIES = _Lattice(stream=3, spacing=160.0, occupied=0.9, radius=(30.0, 90.0), height=(-0.18, 0.18))
# The coast is drawn in the unit square, whatever the domain.
COASTLINE = _Spectrum(stream=4, shortest=0.03, longest=0.6, knee=0.2, std=0.05, drift=0.0, count=128)


def gulf_stream(
    size: tuple[int, int] = (256, 256),
    *,
    seed: int = 0,
    times: int = 1,
    land: bool = False,
    resolution: float = 1 / 30,
) -> xr.Dataset:
    """Sea surface height that looks like the Gulf Stream: a meandering jet, rings, eddies and a k^-5 background.

    Parameters
    ----------
    size : (int, int)
        Cells along latitude and longitude, 8 or more each. The domain is centred on 38.5 N, 60 W.
    seed : int
        Which ocean; 0 or more. Nothing else is random.
    times : int
        Daily fields from 2009-07-01, 1 or more: meanders travel east, rings and eddies west.
    land : bool
        Put a coast in the north-west and an island in the south-east, NaN, that take about a fifth of any domain.
    resolution : float
        Degrees between cells along both axes. Heights are values at points: much coarser than 1/10 degree, they alias.

    Returns
    -------
    Dataset
        ``ssh`` in m, float32, with CF metadata: shape ``size``, dimensions (latitude, longitude); if ``times > 1``, of
        shape ``(times, *size)``, dimensions (time, latitude, longitude).

    Raises
    ------
    ValueError
        If an argument is out of range, or the domain would reach beyond a pole or around the globe.

    See Also
    --------
    xr_dip.samples.open_dataset : the real fields that this one imitates.

    Examples
    --------
    A truth, and its block means as the coarse field to downscale:

    >>> truth = gulf_stream((64, 96)).ssh
    >>> truth.shape, str(truth.dtype)
    ((64, 96), 'float32')
    >>> coarse = truth.coarsen(latitude=16, longitude=16).mean()
    >>> coarse.shape
    (4, 6)

    A week with land:

    >>> week = gulf_stream((64, 64), seed=3, times=7, land=True)
    >>> week.ssh.dims
    ('time', 'latitude', 'longitude')
    >>> bool(week.ssh.isnull().any())
    True
    """
    _check(size, seed, times, resolution)
    latitude, longitude = (_centres(*axis, resolution) for axis in zip(CENTRE, size, strict=True))
    y = KM_PER_DEGREE * (latitude - CENTRE[0])
    x = KM_PER_DEGREE * np.cos(np.deg2rad(CENTRE[0])) * (longitude - CENTRE[1])
    ssh = np.stack([_height(seed, y, x, float(day)).astype(np.float32) for day in range(times)])
    if land:
        ssh[:, _land(seed, size)] = np.nan
    dataset = _describe(ssh, latitude, longitude)
    call = f"gulf_stream({tuple(size)}, {seed=}, {times=}, {land=}, {resolution=:.6g})"
    dataset.attrs["history"] = f"xr_dip {__version__}: xr_dip.synthetic.{call}"
    return dataset if times > 1 else dataset.squeeze("time")


def _check(size: tuple[int, int], seed: int, times: int, resolution: float) -> None:
    if np.shape(size) != (2,) or not all(_is_integer(side, SMALLEST_SIDE) for side in size):
        raise ValueError(f"Invalid size '{size}'. It must be two integers of {SMALLEST_SIDE} or more.")
    for name, value, lowest in (("seed", seed, 0), ("times", times, 1)):
        if not _is_integer(value, lowest):
            raise ValueError(f"Invalid {name} '{value}'. It must be an integer of {lowest} or more.")
    if not (resolution > 0 and size[0] * resolution <= 100 and size[1] * resolution <= 360):
        raise ValueError(
            f"Invalid resolution '{resolution}' for size {size}. It must be positive, "
            "and the domain at most 100 degrees of latitude by 360 of longitude."
        )


def _centres(middle: float, count: int, resolution: float) -> FloatArray:
    return np.asarray(middle + resolution * (np.arange(count) - (count - 1) / 2), dtype=np.float64)


def _is_integer(value: object, lowest: int) -> bool:
    return isinstance(value, int | np.integer) and bool(value >= lowest)


def _random(seed: int, *key: int) -> np.random.Generator:
    """Return an independent stream for each key; keys may be negative, as the indices of lattice cells are."""
    return np.random.default_rng([seed, *(2 * k if k >= 0 else -2 * k - 1 for k in key)])


def _height(seed: int, y: FloatArray, x: FloatArray, day: float) -> FloatArray:
    """Sum of all ingredients, m; y and x in km."""
    meanders = _draw_waves(MEANDERS, seed)
    background = _draw_waves(TURBULENCE, seed).on_grid(y, x, day)
    return (
        _jet(meanders, y, x, day)
        + _rings(meanders, seed, y, x, day)
        + _scatter(EDDIES, seed, y, x, day).on_grid(y, x)
        + background
    )


def _jet(meanders: _Waves, y: FloatArray, x: FloatArray, day: float) -> FloatArray:
    """Return a front of constant width along the zero line of the meanders, high to the south."""
    offset = meanders.on_grid(y, x, day) - y[:, None]
    wave_y, wave_x = meanders.slopes_on_grid(y, x, day)
    steepness = np.sqrt((wave_y - 1) ** 2 + wave_x**2 + LEAST_STEEPNESS**2)
    return np.asarray(JET_HALF_STEP * np.tanh(offset / steepness / JET_WIDTH) * _gyre(offset))


def _gyre(offset: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-0.5 * (offset / GYRE_WIDTH) ** 2))


def _rings(meanders: _Waves, seed: int, y: FloatArray, x: FloatArray, day: float) -> FloatArray:
    """Cold cores on the warm side of the jet and warm cores on its cold side, vanishing inside it and far away."""
    rings = _scatter(RINGS, seed, y, x, day)
    offset = meanders.at_points(rings.y, rings.x, day) - rings.y
    side = np.tanh(offset / RING_DISTANCE) ** 3 * _gyre(offset)
    return replace(rings, height=-side * rings.height).on_grid(y, x)


@dataclass(frozen=True)
class _Waves:
    """Plane waves ``amplitude * cos(kx x + ky y + phase)``, turning by ``-frequency`` a day; one value per wave."""

    amplitude: FloatArray
    kx: FloatArray
    ky: FloatArray
    phase: FloatArray
    frequency: FloatArray

    def on_grid(self, y: FloatArray, x: FloatArray, day: float) -> FloatArray:
        """Sum of the waves, shape (y, x): each is a function of y times one of x, so it is one matrix product."""
        along_y, along_x = self._factors(y, x, day)
        return np.asarray((along_y @ along_x.T).real)

    def slopes_on_grid(self, y: FloatArray, x: FloatArray, day: float) -> tuple[FloatArray, FloatArray]:
        """Sum of the derivatives of the waves along y and along x, each of shape (y, x)."""
        along_y, along_x = self._factors(y, x, day)
        return -((along_y * self.ky) @ along_x.T).imag, -((along_y * self.kx) @ along_x.T).imag

    def _factors(self, y: FloatArray, x: FloatArray, day: float) -> tuple[ComplexArray, ComplexArray]:
        along_y = np.exp(1j * np.outer(y, self.ky))
        along_x = self.amplitude * np.exp(1j * (np.outer(x, self.kx) + self.phase - day * self.frequency))
        return along_y, along_x

    def at_points(self, y: FloatArray, x: FloatArray, day: float) -> FloatArray:
        """Sum of the waves at the points (y[i], x[i])."""
        phase = np.outer(y, self.ky) + np.outer(x, self.kx) + self.phase - day * self.frequency
        return np.asarray(np.cos(phase) @ self.amplitude)


def _draw_waves(spectrum: _Spectrum, seed: int) -> _Waves:
    """Waves in all directions, evenly spaced in log k, of spectral density 1 / (1 + (k / knee)^5).

    Each one also turns at its own random speed, so that the pattern changes while it drifts.
    """
    random = _random(seed, spectrum.stream)
    k = 2 * np.pi / np.geomspace(spectrum.longest, spectrum.shortest, spectrum.count)
    variance = k / (1 + (k * spectrum.knee / (2 * np.pi)) ** 5)
    direction, phase = random.uniform(0, 2 * np.pi, (2, spectrum.count))
    kx, ky = k * np.cos(direction), k * np.sin(direction)
    return _Waves(
        amplitude=spectrum.std * np.sqrt(2 * variance / variance.sum()),
        kx=kx,
        ky=ky,
        phase=phase,
        frequency=kx * spectrum.drift + k * random.normal(0, abs(spectrum.drift), spectrum.count),
    )


@dataclass(frozen=True)
class _Vortices:
    """Gaussians: centres and radii in km, heights in m; one value per vortex."""

    y: FloatArray
    x: FloatArray
    radius_y: FloatArray
    radius_x: FloatArray
    height: FloatArray

    def on_grid(self, y: FloatArray, x: FloatArray) -> FloatArray:
        """Sum of the vortices, shape (y, x): separable, so one matrix product."""
        along_y = np.exp(-0.5 * ((y[:, None] - self.y) / self.radius_y) ** 2)
        along_x = np.exp(-0.5 * ((x[:, None] - self.x) / self.radius_x) ** 2)
        return np.asarray((along_y * self.height) @ along_x.T)


def _scatter(lattice: _Lattice, seed: int, y: FloatArray, x: FloatArray, day: float) -> _Vortices:
    """Draw the vortices that reach the window, each from the index of its own cell, so that all windows agree."""
    reach = 6 * lattice.radius[1]
    drifted = DRIFT * day
    rows = np.arange((y[0] - reach) // lattice.spacing, (y[-1] + reach) // lattice.spacing + 1)
    columns = np.arange((x[0] - drifted - reach) // lattice.spacing, (x[-1] - drifted + reach) // lattice.spacing + 1)
    cells = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    draws = np.array([_random(seed, lattice.stream, int(i), int(j)).uniform(size=6) for i, j in cells])
    shift, share = draws[:, 1:3], draws[:, 3:]
    radius, height = (
        low + (high - low) * share[:, i] for i, (low, high) in enumerate((lattice.radius, lattice.height))
    )
    aspect = 1.4 ** (share[:, 2] - 0.5)
    return _Vortices(
        y=lattice.spacing * (cells[:, 0] + shift[:, 0]),
        x=lattice.spacing * (cells[:, 1] + shift[:, 1]) + drifted,
        radius_y=radius * aspect,
        radius_x=radius / aspect,
        height=np.where(draws[:, 0] < lattice.occupied, height, 0.0),
    )


def _land(seed: int, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return True on a ragged coast across the north-west corner and on an island in the south-east."""
    v, u = ((np.arange(side) + 0.5) / side for side in size)
    ragged = _draw_waves(COASTLINE, seed).on_grid(v, u, 0.0)
    coast = u + (1 - v[:, None]) + ragged < 0.6
    island = np.hypot(v[:, None] - 0.2, u - 0.8) < 0.1 * np.exp(4 * ragged)
    return np.asarray(coast | island)


def _describe(ssh: npt.NDArray[np.float32], latitude: FloatArray, longitude: FloatArray) -> xr.Dataset:
    """Dataset of dimensions (time, latitude, longitude) with CF metadata."""
    dims = ("time", "latitude", "longitude")
    time = START + np.arange(len(ssh)) * np.timedelta64(1, "D")
    height = {"standard_name": "sea_surface_height_above_geoid", "long_name": "sea surface height", "units": "m"}
    coords = {
        "time": (
            "time",
            time,
            {"standard_name": "time", "long_name": "time", "axis": "T", "units_metadata": "leap_seconds: none"},
        ),
        "latitude": ("latitude", latitude, _axis("latitude", "degrees_north", "Y")),
        "longitude": ("longitude", longitude, _axis("longitude", "degrees_east", "X")),
    }
    attrs = {
        "Conventions": "CF-1.11",
        "title": "Synthetic Gulf Stream",
        "source": "formula of xr_dip.synthetic: neither an observation nor a model",
    }
    dataset = xr.Dataset({"ssh": (dims, ssh, height)}, coords, attrs)
    dataset.time.encoding.update(units="days since 2009-07-01", calendar="standard", dtype="int32")
    for name in ("latitude", "longitude"):
        dataset[name].encoding["_FillValue"] = None  # CF allows none on coordinates
    return dataset


def _axis(name: str, units: str, axis: str) -> dict[str, str]:
    return {"standard_name": name, "long_name": name, "units": units, "axis": axis}
