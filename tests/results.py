"""Results as the solver hands them over, of small fields, and the verdict of the CF checker on them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from xr_dip import cf
from xr_dip.cf.horizontal import find_horizontal

FACTOR = (2, 3)
CHECKER = Path(sys.executable).with_name("compliance-checker")
# What a data producer writes, with what is stale or forbidden in a product made from it.
ZOS = {
    "standard_name": "sea_surface_height_above_geoid",
    "long_name": "Sea surface height",
    "units": "m",
    "cell_methods": "area: mean",
    "valid_min": np.float32(-2),
    "_ChunkSizes": np.array([1, 3, 4]),
    "ancillary_variables": "err",
    "cell_measures": "area: coarse_area",
}


def days(count):
    time = xr.Variable("time", np.datetime64("2009-07-01T12", "ns") + np.arange(count) * np.timedelta64(1, "D"))
    time.attrs = {"standard_name": "time", "axis": "T", "_CoordinateAxisType": "Time", "valid_min": 632292.0}
    return time


def rectilinear(dims=("time", "lat", "lon"), attrs=ZOS):
    coords = {
        "time": days(2),
        "lat": ("lat", [30.0, 31.0, 32.0], {"standard_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", [5.0, 6.0, 7.0, 8.0], {"standard_name": "longitude", "units": "degrees_east"}),
    }
    used = {name: coords[name] for name in dims}
    shape = [{"time": 2, "lat": 3, "lon": 4}[dim] for dim in dims]
    return xr.DataArray(np.zeros(shape, "float32"), used, dims, "zos", attrs)


def curvilinear(leading=("time",)):
    y, x = np.meshgrid(np.arange(3.0), np.arange(4.0), indexing="ij")
    coords = {"time": days(2), "nav_lat": (("y", "x"), 40 + y + 0.1 * x), "nav_lon": (("y", "x"), 5 + x - 0.1 * y)}
    used = {name: value for name, value in coords.items() if name in (*leading, "nav_lat", "nav_lon")}
    return xr.DataArray(np.zeros((2, 3, 4)[-2 - len(leading) :], "float32"), used, (*leading, "y", "x"), "sossheig")


def make_fields(source, horizontal, factor=FACTOR, members=3, keys=None, zeros=np.zeros):
    """Fields as the solver hands them over: leading dimensions, member, y, x."""
    leading = [dim for dim in source.dims if dim not in (horizontal.y_dim, horizontal.x_dim)]
    lengths = [source.sizes[dim] for dim in leading]
    ny, nx = source.sizes[horizontal.y_dim], source.sizes[horizontal.x_dim]
    fine = (*leading, horizontal.y_dim, horizontal.x_dim), (*lengths, ny * factor[0], nx * factor[1])
    coarse = (*leading, f"{horizontal.y_dim}_coarse", f"{horizontal.x_dim}_coarse"), (*lengths, ny, nx)
    full = {
        **{key: xr.Variable(fine[0], zeros(fine[1], dtype="float32")) for key in ("mean", "std", "fit_std")},
        "flag": xr.Variable(fine[0], zeros(fine[1], dtype="int8")),
        "members": xr.Variable(
            (*leading, "member", *fine[0][-2:]), zeros((*lengths, members, *fine[1][-2:]), dtype="float32")
        ),
        **{key: xr.Variable(coarse[0], zeros(coarse[1])) for key in ("conservation_error", "fit_residual")},
    }
    return {key: full[key] for key in keys or full}


def build(source, keys=None, dataset=None, zeros=np.zeros, **kwargs):
    horizontal = find_horizontal(source, dataset=dataset)
    fields = make_fields(source, horizontal, keys=keys, zeros=zeros)
    options = {"configuration": {"seed": 0}, "totals": {"spread": 0.25}, "method": "a test"} | kwargs
    extra = cf.related_variables(source, dataset)
    return cf.build_dataset(source, horizontal, FACTOR, fields, extra=extra, **options)


def check_cf(out, path):
    """The checker's findings on the file that a plain to_netcdf writes."""
    out.to_netcdf(path)
    command = [CHECKER, "-t", "cf:1.11", "-c", "normal", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
