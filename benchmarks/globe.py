"""Is there a seam where a global file begins? Altimetry of the whole globe in cells of 2 degrees, made fine.

The field is made fine twice, as the globe that it is and as an open domain, and the columns on each side of the
meridian where the file begins are compared with their neighbours. The truth plays no part.

    python benchmarks/globe.py
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from command import DOCS
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from pictures import save

import xr_dip

Array = npt.NDArray[np.floating]

REACH = 15
"""Coarse columns on each side of the seam that it is compared with."""


def differences(field: Array, factor: int) -> Array:
    """Return the root mean square difference of the columns on each side of a border of coarse cells.

    Parameters
    ----------
    field : array, shape (Y, X)
        NaN on land.
    factor : int
        Columns per coarse cell.

    Returns
    -------
    array, shape (X / factor,)
        The last is between the last column and the first.
    """
    around = np.concatenate([field, field[:, :1]], axis=1).astype(np.float64)
    return _size(np.diff(around, axis=1))[factor - 1 :: factor]


def kinks(field: Array, factor: int) -> Array:
    """Return the same for that difference less the mean of those on both sides of it.

    A field is steeper in one place than in another; a seam is steeper than its own surroundings.
    """
    around = np.concatenate([field[:, -1:], field, field[:, :2]], axis=1).astype(np.float64)
    steps = np.diff(around, axis=1)
    return _size(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2)[factor - 1 :: factor]


def at_the_seam(borders: Array) -> float:
    """Return the last of the borders over the median of its neighbours."""
    return float(borders[-1] / np.median(np.concatenate([borders[:REACH], borders[-1 - REACH : -1]])))


def _size(values: Array) -> Array:
    return np.asarray(np.sqrt(np.nanmean(values**2, axis=0)))


def draw(joined: xr.DataArray, cut: xr.DataArray, factor: int, path: Path) -> None:
    """Draw the whole field with the seam in its middle, what an open domain changes there, and the kinks around it."""
    figure = Figure(figsize=(9.0, 6.6), layout="constrained")
    axes = figure.subplot_mosaic([["globe", "globe"], ["change", "kinks"]], height_ratios=[1.3, 1.0])
    whole, change = _turned(joined), _turned(cut - joined).sel(longitude=slice(-30, 30), latitude=slice(-66, -6))
    limits = tuple(np.nanpercentile(whole, [0.5, 99.5]))
    shown = _map(axes["globe"], whole, f"dynamic topography x{factor}; the file begins at 0 degrees", "viridis", limits)
    figure.colorbar(shown, ax=axes["globe"], shrink=0.9, pad=0.01, label="m")
    largest = float(np.nanpercentile(np.abs(change), 99.5))
    shown = _map(axes["change"], change, "periodic=False minus periodic", "RdBu_r", (-largest, largest))
    figure.colorbar(shown, ax=axes["change"], shrink=0.9, pad=0.01, label="m")
    _draw_kinks(axes["kinks"], {"periodic": joined, "periodic=False": cut}, factor)
    save(figure, path)


def _draw_kinks(axes: Axes, fields: dict[str, xr.DataArray], factor: int) -> None:
    """Draw the kinks of the borders around the seam, which is 0."""
    for name, field in fields.items():
        found = 1000 * kinks(field.values, factor)
        borders = np.concatenate([found[-1 - REACH :], found[:REACH]])
        axes.plot(np.arange(-REACH, REACH + 1), borders, label=name, marker=".", linewidth=1)
    axes.set_title("kink at each border of coarse columns, mm", fontsize=9)
    axes.set_xlabel("coarse columns from the seam", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.set_ylim(0)
    axes.legend(fontsize=8)


def _turned(field: xr.DataArray) -> xr.DataArray:
    """Return a global field from -180 to 180."""
    return field.assign_coords(longitude=(field.longitude + 180) % 360 - 180).sortby("longitude")


def _map(axes: Axes, field: xr.DataArray, title: str, colours: str, limits: tuple[float, float]) -> AxesImage:
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    palette = mpl.colormaps[colours].with_extremes(bad="0.7")
    box = tuple(float(field[name][index]) for name in ("longitude", "latitude") for index in (0, -1))
    return axes.imshow(field, palette, origin="lower", vmin=limits[0], vmax=limits[1], extent=box, interpolation="none")


def main(arguments: list[str] | None = None) -> int:
    """Print how the seam compares with its neighbours, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=8, help="cells of the file, 1/4 degree, in a coarse one")
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--factor", type=int, default=2)
    parser.add_argument("--out", type=Path, default=DOCS / "accuracy")
    options = parser.parse_args(arguments)
    with xr_dip.samples.open_dataset("global_duacs") as dataset:
        coarse = dataset.adt.isel(time=0, drop=True).coarsen(latitude=options.cells, longitude=options.cells).mean()
    fields = {}
    for name, periodic in (("periodic", "auto"), ("periodic=False", False)):
        start = time.perf_counter()
        out = coarse.dip.downscale(
            options.factor, members=options.members, preset="fast", periodic=periodic, progress=False, device="cpu"
        )
        fields[name] = out.adt_mean
        seconds = time.perf_counter() - start
        ratios = [at_the_seam(measure(out.adt_mean.values, options.factor)) for measure in (differences, kinks)]
        print(f"{name:<15} seam / neighbours: difference {ratios[0]:.2f}, kink {ratios[1]:.2f} ({seconds:.0f} s)")
    draw(*fields.values(), options.factor, options.out / "globe.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
