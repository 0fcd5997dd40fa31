"""
The whole globe
===============

A global file begins somewhere: this one at 0 degrees, in the middle of the Gulf of Guinea. For the ocean nothing
begins there. A global field also has several seas that behave in different ways, more cells than one covariance can
hold, and land masses between basins.

Here one day of altimetry (DUACS, 1/4 degree) is averaged to cells of 3 degrees, as in a coarse climate model, and
made fine again by 6.
"""

import matplotlib.pyplot as plt
import numpy as np

import xr_dip
from xr_dip import plot, verification

FACTOR, DIMS = 6, ("latitude", "longitude")
with xr_dip.samples.open_dataset("global_duacs") as sample:
    quarter = sample.adt.isel(time=0).load()
truth = quarter.coarsen(latitude=2, longitude=2).mean(keep_attrs=True)
coarse = truth.coarsen(latitude=FACTOR, longitude=FACTOR).mean(keep_attrs=True)
print(dict(coarse.sizes), "->", dict(truth.sizes))

# %%
# One call
# --------
# That the columns go around is found from the longitudes, ``periodic="auto"``. The domain is divided into tiles, each
# with its own covariance and its own fits; tiles that lie across the beginning of the file take their columns from
# both of its ends. Tiles without sea cost nothing. Two fits and the quick preset keep this page short.

out = coarse.dip.downscale(FACTOR, mask=truth.notnull(), members=2, preset="fast", device="cpu", progress=False)
print(f"seams of tiles: {float(out.seam_ratio):.2f} (1 if they do not show)")

# %%
# What one sees
# -------------
# The files are from 0 to 360 degrees; turned to -180 to 180 the seam comes into the middle.


def turned(field):
    """From -180 to 180, as we are used to see the Atlantic."""
    return field.assign_coords(longitude=(field.longitude + 180) % 360 - 180).sortby("longitude")


maps = {"coarse, 3 degrees": coarse, "estimate, 1/2 degree": out.adt_mean}
limits = tuple(np.nanpercentile(truth, [0.5, 99.5]))
figure, panels = plt.subplots(2, 1, figsize=(9, 7.4), layout="compressed", sharex=True)
for panel, (title, field) in zip(panels, maps.items(), strict=True):
    plot.height(turned(field), ax=panel, limits=limits, title=f"absolute dynamic topography, {title}")
    panel.set(aspect=1.0, ylim=(-80, 80))
    panel.label_outer()

# %%
# Closer, the retroflection south of Africa, with the meridian where the file begins in the picture:

window = {"latitude": slice(-50, -24), "longitude": slice(-20, 50)}
around = {title: turned(field).sel(window) for title, field in {**maps, "truth, 1/2 degree": truth}.items()}
limits = tuple(np.nanpercentile(around["truth, 1/2 degree"], [0.5, 99.5]))
figure, panels = plt.subplots(3, 1, figsize=(7.4, 9), layout="compressed", sharex=True)
for panel, (title, field) in zip(panels, around.items(), strict=True):
    plot.height(field, ax=panel, limits=limits, title=title)
    panel.axvline(0.0, color="white", linewidth=0.8, linestyle="--")
    panel.set(xlim=(-20, 50), ylim=(-50, -24))
    panel.label_outer()

# %%
# Is there a seam?
# ----------------
# A kink is how far a column is from the mean of its neighbours. Where coarse cells meet, the two columns of the
# meridian where the file begins are compared with those of all other meridians. The baseline that takes the file for
# an open domain shows what the test would find.

columns = {
    "estimate": out.adt_mean,
    "kriging": coarse.dip.interpolate(FACTOR, method="kriging", mask=truth.notnull()).adt_mean,
    "kriging, open": coarse.dip.interpolate(FACTOR, method="kriging", mask=truth.notnull(), periodic=False).adt_mean,
}
for name, field in columns.items():
    kink = field - (field.roll(longitude=1) + field.roll(longitude=-1)) / 2
    size = np.sqrt((kink.sel(latitude=slice(-60, -10)) ** 2).mean("latitude"))
    first, last = size.values[::FACTOR], size.values[FACTOR - 1 :: FACTOR]
    ratio = (first[0] + last[-1]) / (np.median(first) + np.median(last))
    print(f"{name:<14} kink where the file begins / elsewhere: {ratio:.2f}")

# %%
# Below one, as the sea at the meridian of Greenwich is calmer than elsewhere; an open domain would have made a fence
# of it.
#
# How good it is
# --------------
# Cells near the poles are small, so they must count less: scores of a globe need weights.

weights = np.cos(np.deg2rad(truth.latitude)).broadcast_like(truth)
estimates = {
    "bicubic": coarse.dip.interpolate(FACTOR, method="bicubic", mask=truth.notnull()).adt_mean,
    "kriging": columns["kriging"],
    "xr_dip": out.adt_mean,
}
for name, field in estimates.items():
    error = float(verification.rmse(field, truth, dims=DIMS, weights=weights))
    print(f"{name:<8} RMSE {1e3 * error:5.1f} mm")

# %%
# All three are close. Cells of 3 degrees leave so little of the eddies that their statistics say hardly more than
# interpolation does, and at best some percent can be gained. Half a degree is where this method is at home: see the
# first field.
#
# Where is it uncertain?
# ----------------------
# Where the ocean has eddies: in the western boundary currents and the Southern Ocean. Each tile has learnt this from
# its own coarse values. It is smoother than the errors that were made, and too small in narrow currents, as a tile is
# wide.

figure, panels = plt.subplots(2, 1, figsize=(9, 7.4), layout="compressed", sharex=True)
plot.spread(turned(out.adt_std), ax=panels[0], limit=0.2, title="standard error", bar=False)
plot.spread(turned(abs(out.adt_mean - truth)), ax=panels[1], limit=0.2, title="absolute error", bar=False)
for panel in panels:
    panel.set(aspect=1.0, ylim=(-80, 80))
    panel.label_outer()
bar = figure.colorbar(panels[0].collections[0], ax=panels, label="m", shrink=0.6, extend="max")

# %%
# What it cannot say
# ------------------
# An eddy is smaller than a cell of 3 degrees. What comes back is the course of the currents and their larger
# meanders; the rings are in the standard error, not in the estimate. Cells of a regular grid become narrow towards
# the poles, and the covariance of a tile is that of its middle: close to the poles take a projected grid. And the
# truth here is itself a map made from a few satellites, smoother than the sea.
