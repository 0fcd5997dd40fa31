"""
Coast and islands
=================

A coarse cell at the coast holds the mean of its sea only. Where in the cell that sea is, the value does not say. With
a land mask on the fine grid the estimate knows; without one it makes sea of land, and gets the sea wrong as well.

The place is the Balearic Sea in eNATL60, at 1/60 degree: three large islands, small ones that no coarse cell shows,
and a piece of the coast of Spain.
"""

import matplotlib.pyplot as plt
import numpy as np

import xr_dip
from xr_dip import plot, verification

FACTOR, DIMS = 8, ("y", "x")
with xr_dip.samples.open_dataset("balearic") as sample:
    truth = sample.sossheig.isel(y=slice(184, 344), x=slice(80, 256)).load()
sea = truth.notnull()
print(f"{float((~sea).mean()):.0%} of the fine cells are land")
# sphinx_gallery_thumbnail_number = 2

# %%
# What a coarse value is the mean of
# ----------------------------------
# A model averages with the area of its cells, ``e1t * e2t`` in NEMO. This sample has positions only, from which the
# area follows up to a constant, and a constant makes no difference. The weights on land are zero.

east = np.gradient(truth.lon, axis=1) * np.cos(np.deg2rad(truth.lat))
north = np.gradient(truth.lat, axis=0)
area = (east * north).where(sea, 0.0).rename("area")

blocks = {"y": FACTOR, "x": FACTOR}
coarse = (truth * area).coarsen(blocks).sum() / area.coarsen(blocks).sum()
coarse = coarse.rename("ssh").assign_attrs(units="m", long_name="sea surface height")
share = sea.coarsen(blocks).mean()
print(
    f"{int((share > 0).sum())} coarse cells with sea, {int(((share > 0) & (share < 1)).sum())} of them with land, too"
)

# %%
# One call
# --------
# ``mask`` is 1 or True on sea. It may be the ``tmask`` of a model, or any regular global mask that is fine enough.
# ``weights`` is how the mean was taken: ``"equal"`` (the default) for a plain ``coarsen().mean()``, ``"area"`` for
# cells on the ellipsoid, or weights of your own, as here.

options = {"members": 4, "device": "cpu", "progress": False}
out = coarse.dip.downscale(FACTOR, mask=sea, weights=area, **options)
axes = plot.overview(out, truth, coarse=coarse)

# %%
# Without a mask
# --------------
# Now every fine cell under a coarse value is taken to be sea. The field runs on over the islands, land has the steps
# of the coarse cells, and the mean of a coastal cell is spread over all of it. Below are the errors, on one scale.

blind = coarse.dip.downscale(FACTOR, **options)
window = {"y": slice(32, 120), "x": slice(8, 144)}
known = truth[window]
limits = tuple(np.nanpercentile(known, [1, 99]))
figure, panels = plt.subplots(2, 2, figsize=(10, 7.2), layout="compressed", sharex=True, sharey=True)
for (above, below), (title, result) in zip(
    panels.T, {"without a mask": blind, "with a mask": out}.items(), strict=True
):
    field = result.ssh_mean[window]
    plot.height(field, ax=above, limits=limits, title=title, bar=result is out)
    plot.error(1e3 * field, (1e3 * known).assign_attrs(units="mm"), ax=below, limit=3.0, bar=result is out)
    above.label_outer()
    below.label_outer()

# %%
# In numbers, for the sea within four fine cells of land, some 6 km, and for the rest. Kriging knows the mask as well.

near_land = (~sea).rolling(dict.fromkeys(DIMS, 9), center=True, min_periods=1).max().astype(bool)
kriging = coarse.dip.interpolate(FACTOR, method="kriging", mask=sea, weights=area)
results = {"without a mask": blind, "kriging": kriging, "with a mask": out}
print(f"{'RMSE (mm)':<16} near land   elsewhere")
for name, result in results.items():
    near, far = (
        1e3 * float(verification.rmse(result.ssh_mean.where(part), truth.where(part), dims=DIMS))
        for part in (near_land, ~near_land)
    )
    print(f"{name:<16} {near:9.2f} {far:11.2f}")

# %%
# The cells at the coast
# ----------------------
# What is special about a cell is said in ``ssh_flag``, a sum of the values in its attribute ``flag_masks``. Where a
# mask has sea but the coarse field has no value there is no estimate, unless ``extrapolate=True`` asks for one. Where
# a coarse value has no sea below it, the mask and the field do not belong together, and a warning counts such cells.

flags = out.ssh_flag.attrs
for value, meaning in zip(flags["flag_masks"], flags["flag_meanings"].split(), strict=True):
    print(f"{int(np.count_nonzero(out.ssh_flag.values & value)):6d} cells  {value:2d}  {meaning}")

# %%
# Conserved is the weighted mean over the sea of each cell, also where this is a sliver:

smallest = float(share.where(share > 0).min())
print(
    f"smallest share of sea: {smallest:.1%}; largest error of a mean: {float(abs(out.conservation_error).max()):.0e} m"
)

# %%
# The standard error near land
# ----------------------------
# Cells at the coast have neighbours on one side only, and those in a bay hardly any: they are less certain, and the
# standard error says so. On the right it is compared with the errors that were made, in groups of cells from the most
# certain to the least.

in_mm = [(1e3 * field).assign_attrs(units="mm") for field in (out.ssh_std, out.ssh_mean, truth)]
figure, panels = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", width_ratios=(1.3, 1))
plot.spread(in_mm[0], ax=panels[0])
axes = plot.reliability(*in_mm, ax=panels[1])

# %%
# What it cannot say
# ------------------
# What a sheltered bay does is not in the mean of a cell of 13 km that is mostly outside of it. Coastal currents
# narrower than two coarse cells stay unseen. The mask puts the values in the right place; it adds no observation.
#
# The gain at the coast becomes smaller with the factor. Make the factor 16 here, and near land kriging is as good or
# better. The page on accuracy has the errors at coasts, and a twin experiment on a model of your own coast has yours.
