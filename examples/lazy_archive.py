"""
A lazy archive
==============

Many days on dask: nothing is computed before it is asked for, and each day is one task.

Three days stand here for an archive of years, which ``xr.open_mfdataset`` or ``xr.open_zarr`` would open in the same
way.
"""

import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

import xr_dip
from xr_dip.cf.netcdf import write_netcdf

days = xr_dip.synthetic.gulf_stream((64, 80), times=3, resolution=1 / 15).ssh
coarse = days.coarsen(latitude=8, longitude=8).mean().chunk(time=1)

# %%
# The call returns at once. What it returns has its final shape, coordinates and metadata, and no values yet.

out = coarse.dip.downscale(factor=8, members=2, preset="fast", device="cpu")
print(out.ssh_mean.data)

# %%
# Write the days one by one. ``write_netcdf`` computes one day, writes it beside its final name and renames it when it
# is whole, so that a day which exists is a day that is done.

with tempfile.TemporaryDirectory() as folder:
    for day in range(out.sizes["time"]):
        stamp = np.datetime_as_string(out.time.values[day], unit="D")
        path = Path(folder, f"fine_{stamp}.nc")
        if not path.exists():
            write_netcdf(out.isel(time=[day]), path)
    names = sorted(path.name for path in Path(folder).glob("*.nc"))
    with xr.open_mfdataset(sorted(Path(folder).glob("*.nc"))) as archive:
        mean = archive.ssh_mean.load()

print(*names, sep="\n")

# %%
# A day does not depend on the days around it. Its random numbers come from the seed, its time stamp and the member, so
# it is the same alone, within a series, and on any number of workers.

alone = coarse.isel(time=1).compute().dip.downscale(factor=8, members=2, preset="fast", device="cpu", progress=False)
print("largest difference:", float(abs(mean.isel(time=1) - alone.ssh_mean).max()), "m")
