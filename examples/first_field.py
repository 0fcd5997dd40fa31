"""
A first field
=============

Half a degree is what a gridded altimetry product or a climate model really resolves in the Gulf Stream. The front is
there, but the ring beside it is a few cells wide, and a current computed from them is too slow. This page makes such
a field fine, and then asks how much of what appeared is true.

The truth is a day of eNATL60, an ocean model at 1/30 degree. Its means over 16 x 16 cells are the coarse field: all
that the method is given. The truth is opened again for the scores only.
"""

import matplotlib.pyplot as plt

import xr_dip
from xr_dip import plot

FACTOR = 16
with xr_dip.samples.open_dataset("gulf_stream_fine") as sample:
    model = sample.sossheig.isel(time_counter=0).load()
model.attrs = {"units": "m", "long_name": "sea surface height"}  # which the file does not say

coarse = model.coarsen(y=FACTOR, x=FACTOR, boundary="trim").mean(keep_attrs=True)
truth = model.isel(y=slice(FACTOR * coarse.sizes["y"]), x=slice(FACTOR * coarse.sizes["x"]))
print(f"{coarse.sizes['y']} x {coarse.sizes['x']} values stand for {truth.sizes['y']} x {truth.sizes['x']}")

# %%
# One call
# --------
# The positions are two-dimensional, ``nav_lat`` and ``nav_lon``, as NEMO has them; they are found, and each coarse
# cell is divided into 16 x 16. Four fits keep this page short; the default is ten.

out = coarse.dip.downscale(factor=FACTOR, members=4, device="cpu", progress=False)
out.dip.summary()

# %%
# The card says what was done, and what the result thinks of itself. Most important is the predicted error, made
# without any truth. The result is a Dataset like any other:

for name, variable in out.data_vars.items():
    print(f"{name:<20} {'x'.join(map(str, variable.shape)):<9} {variable.attrs.get('long_name', '')}")

# %%
# What one sees
# -------------
# Bicubic interpolation is what most of us would have done instead. Both errors are on one scale.

bicubic = coarse.dip.interpolate(FACTOR, method="bicubic").sossheig_mean
axes = plot.overview(out, truth, coarse=coarse, others={"bicubic": bicubic})

# %%
# Interpolation lowers crests and fills troughs, because it takes a block mean for the value in the middle of a cell:
# see the small eddies. The estimate puts back what the means imply. The standard error has the pattern of the coarse
# cells, for between the middles of cells least is known, and it is larger where neighbouring values were hard to
# predict from one another. It does not know which eddy is missed.
#
# A section across the front
# --------------------------
# From the Sargasso Sea in the south through a cyclonic eddy and a meander of the stream. Kriging is the best linear
# estimate from the block means under the covariance that was fitted to them: a harder test than interpolation.

SECTION = {"x": 214}
kriging = coarse.dip.interpolate(FACTOR, method="kriging").sossheig_mean
known, mean = truth.isel(SECTION), out.sossheig_mean.isel(SECTION)
latitude, interval = known.nav_lat, 1.645e3 * out.sossheig_std.isel(SECTION)
lines = {"bicubic": (bicubic, "#E69F00"), "kriging": (kriging, "#009E73"), "estimate": (out.sossheig_mean, "#0072B2")}

figure, (above, below) = plt.subplots(2, 1, figsize=(9, 6.4), layout="constrained", sharex=True)
above.stairs(
    coarse.isel(x=SECTION["x"] // FACTOR), [*latitude[::FACTOR], latitude[-1]], color="0.6", label="coarse input"
)
above.plot(latitude, known, color="black", linewidth=2.5, label="truth")
below.fill_between(latitude, -interval, interval, color="0.85", label="90 % interval of the estimate")
for name, (field, colour) in lines.items():
    above.plot(latitude, field.isel(SECTION), color=colour, linewidth=1.3, label=name)
    below.plot(latitude, 1e3 * (field.isel(SECTION) - known.values), color=colour, linewidth=1.3, label=name)
above.set(ylabel="height (m)", xlim=(latitude[0], latitude[-1]))
above.set_title(f"section along {abs(float(known.nav_lon.mean())):.1f} °W", fontsize=10)
below.set(xlabel="latitude (°N)", ylabel="error (mm)", ylim=(-90, 160))
legends = [panel.legend(frameon=False, ncols=2, fontsize=9) for panel in (above, below)]

# %%
# The trough at 36 °N is restored by half, the meander to a centimetre or two. North of 42 °N all three miss the same
# small waves: they are not in the block means. There the errors leave the interval, elsewhere they mostly keep to it.
#
# How good it is
# --------------
# ``verify`` computes every score, those of currents and of resolution as well, and runs the other methods on the same
# coarse values. Kriging of block means is the bar: it is the best linear estimate under the covariance that was
# fitted to the field, and much better than interpolation. The gain beyond it is the part of the network and of the
# fronts.

methods = ("bicubic", "conservative_spline", "kriging")
scores = out.dip.verify(truth, baselines=methods)
for method in methods:
    print(f"{method:<20} RMSE {1e3 * float(scores[f'rmse_{method}']):5.1f} mm")
print(f"{'xr_dip':<20} RMSE {1e3 * float(scores.rmse):5.1f} mm, predicted {1e3 * float(out.predicted_rmse):.1f} mm")
print(f"within the 90 % interval: {float(scores.coverage):.0%} of the cells")

# %%
# The block means are those of the input. It is the one thing that is exact, by the last step in float64, and the
# result carries the proof.

print(f"largest error of a block mean: {float(abs(out.conservation_error).max()):.0e} m")

# %%
# How fine it is
# --------------
# The fine grid has cells of 3 km; what is resolved is far from it. A circle is at the wavelength from which on the
# estimate has at least half of the truth's power right.

axes = plot.spectra({"truth": truth, "estimate": out.sossheig_mean, "bicubic": bicubic}, truth="truth")

# %%
# What it cannot say
# ------------------
# Below about two coarse cells the estimate has less power than the truth. It is a mean over what is possible, and
# what is not known averages out. A single member (``keep_members=True``) has more power, in places that are plausible
# and not observed. An eddy that left no trace in the block means is in none of them.
#
# And this is one field. Over many, the gain on kriging is some percent, and now and then nothing: the page on
# accuracy has all of them, the bad ones too.
