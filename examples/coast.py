"""
A coast
=======

A coarse cell at the coast holds the mean of its sea only. With a fine land mask the estimate knows which part that is.
"""

import numpy as np

import xr_dip
from xr_dip import plot, verification

truth = xr_dip.synthetic.gulf_stream((96, 96), land=True, resolution=1 / 15).ssh
coarse = truth.coarsen(latitude=8, longitude=8).mean()

# %%
# ``coarsen().mean()`` leaves out land, so each value is the mean of the sea in its cell: the default of xr_dip, too.
# The mask is on the fine grid, 1 or True on sea. Real ones come with a model (``tmask``, ``mask_rho``) or from a chart.

sea = truth.notnull()
out = coarse.dip.downscale(factor=8, members=4, mask=sea, device="cpu", progress=False)
axes = plot.overview(out, truth, coarse=coarse)

# %%
# Without a mask every fine cell under a coarse value is taken to be sea. The field then runs on over land, and the mean
# of a coastal cell is spread over all of it.

blind = coarse.dip.downscale(factor=8, members=4, device="cpu", progress=False)
axes = plot.overview(blind, truth, coarse=coarse)

# %%
# The difference in numbers, for the sea within 4 cells of land and for the rest:

dims = ("latitude", "longitude")
near_land = (~sea).rolling(dict.fromkeys(dims, 9), center=True, min_periods=1).max().astype(bool)
for name, result in {"with a mask": out, "without": blind}.items():
    for place, part in {"near land": near_land, "elsewhere": ~near_land}.items():
        error = verification.rmse(result.ssh_mean, truth.where(part), dims=dims)
        print(f"{name:<12} {place:<10} RMSE {1e3 * float(error):5.1f} mm")

# %%
# What is special about a cell is said in ``ssh_flag``, a sum of the values in its attribute ``flag_masks``.

flags = out.ssh_flag.attrs
for value, meaning in zip(flags["flag_masks"], flags["flag_meanings"].split(), strict=True):
    print(f"{int(np.count_nonzero(out.ssh_flag.values & value)):5d} cells  {value:2d}  {meaning}")
