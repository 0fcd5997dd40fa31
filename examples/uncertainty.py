"""
How wrong is it
===============

A map of sea surface height is used with its error, or it should be: to weigh it in an assimilation, to say whether an
eddy is one, to choose how far from a front a drifter goes into the water. The estimate comes with a standard error for
each fine cell. This page judges it on a real field, and shows what it covers and what it does not.

The field is the Gulf Stream of eNATL60, a model of 1/60 degree (here on cells of 1/30 degree). Its block means over 8 x
8 cells are the input. The field itself is the truth that a user does not have.
"""

import matplotlib.pyplot as plt
import numpy as np

import xr_dip
from xr_dip import plot, verification

DIMS = ("y", "x")


def window(name, rows, columns):
    """Return a part of a sample, on cells of 1/30 degree."""
    ssh = xr_dip.samples.open_dataset(name).sossheig.isel(time_counter=0, y=rows, x=columns)
    return ssh.load().rename("ssh").assign_attrs(units="m")


truth = window("gulf_stream_fine", slice(130, 258), slice(80, 240))
coarse = truth.coarsen(y=8, x=8).mean()

# %%
# One call
# --------
# ``keep_members=True`` asks for the members, too: 10 fields that are possible given the coarse values. The small preset
# keeps this page short.

options = {"preset": "fast", "device": "cpu", "progress": False}
out = coarse.dip.downscale(factor=8, members=10, keep_members=True, **options)

# %%
# How large, without the truth
# ----------------------------
# The result says how far it expects to be from the truth. Nothing but the coarse values went into this number.

rmse = verification.rmse(out.ssh_mean, truth, dims=DIMS)
print(f"predicted RMSE {1e3 * float(out.predicted_rmse):.1f} mm")
print(f"actual RMSE    {1e3 * float(rmse):.1f} mm")

# %%
# Where
# -----
# Both maps have their largest values at the border, where there are no neighbours to tell, and at the tip of the
# meander. But the error follows fronts of a few kilometres that the standard error cannot know one by one: it knows the
# neighbourhood, not the front. Its regular pattern is that of the coarse cells.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="compressed", sharey=True)
plot.spread(out.ssh_std, ax=left)
axes = plot.error(out.ssh_mean, truth, ax=right)
axes = right.set_ylabel("")
drawn = out.ssh_std * np.random.default_rng(0).standard_normal(out.ssh_std.shape)
for errors, what in ((out.ssh_mean - truth, "the errors"), (drawn, "errors that it is right about")):
    related = verification.correlation(out.ssh_std, errors, dims=DIMS)
    print(f"correlation of the standard error with the size of {what}: {float(related):.2f}")

# %%
# No standard error has a correlation near 1, for a single error is a draw. The second number is what one would have
# that is right in every cell.
#
# Is it right
# -----------
# On the left, cells in ten groups by their standard error: on the dashed line the error of a group is as large as
# predicted. On the right, where the truth ranks among the members of each cell. A flat histogram is that of a truth
# which could be one of them; a valley says that the members are too close to one another, a hill that they are too far
# apart.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="compressed")
plot.reliability(out.ssh_std, out.ssh_mean, truth, ax=left)
axes = plot.rank_histogram(out.ssh_members, truth, ax=right)

# %%
# The same in numbers. The ratio is 1 if the standard error is right on average over the field, and 90 % of the errors
# should be within the 90 % interval, 1.645 standard errors to both sides.

ratio = verification.spread_skill(out.ssh_std, out.ssh_mean, truth, dims=DIMS)
inside = verification.coverage(out.ssh_mean, out.ssh_std, truth, dims=DIMS, level=0.9)
print(f"standard error / RMSE {float(ratio):.2f}, within the 90 % interval {float(inside):.0%}")

# %%
# Here it is somewhat too large: the points are below the line, and the histogram is a low hill.
#
# One field is one draw
# ---------------------
# So take more: the corners of the same region, 12 x 12 coarse cells each, on three dates.

corners = [
    (rows, columns) for rows in (slice(20, 116), slice(270, 366)) for columns in (slice(20, 116), slice(190, 286))
]
dates = {"July": "gulf_stream_fine", "August": "gulf_stream_fine_200908", "January": "gulf_stream_fine_201001"}
ratios = []

figure, axes = plt.subplots(figsize=(5.2, 4.6), layout="compressed")
for (date, name), marker in zip(dates.items(), "os^", strict=True):
    scores = []
    for corner in corners:
        known = window(name, *corner)
        result = known.coarsen(y=8, x=8).mean().dip.downscale(factor=8, members=4, **options)
        scores.append((float(result.predicted_rmse), float(verification.rmse(result.ssh_mean, known, dims=DIMS))))
    predicted, actual = 1e3 * np.transpose(scores)
    ratios.extend(predicted / actual)
    axes.loglog(predicted, actual, marker, markerfacecolor="none", markersize=8, label=date)
low, high = 0.9 * min(axes.get_xlim()[0], axes.get_ylim()[0]), 1.1 * max(axes.get_xlim()[1], axes.get_ylim()[1])
axes.plot((low, high), (low, high), "k--", linewidth=1, label="calibrated")
axes.fill_between(
    (low, high), (low / 1.25, high / 1.25), (low * 1.25, high * 1.25), color="0.9", label="within a quarter"
)
axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="predicted RMSE (mm)", ylabel="RMSE (mm)")
ticks = [tick for tick in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20) if low < tick < high]
axes.set_xticks(ticks, labels=ticks)
axes.set_yticks(ticks, labels=ticks)
axes.minorticks_off()
legend = axes.legend(frameon=False)

print(f"predicted / actual: middle {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")

# %%
# The prediction tells quiet fields from lively ones, and is off by up to a third on single ones. In winter the surface
# is full of fronts of a few kilometres that leave no trace in block means of 25 km. Nothing in the input says so, and
# the standard error is mostly too small.
#
# Sums and differences: ask the members
# -------------------------------------
# Errors of neighbouring cells are related, so the error of a mean or of a difference does not follow from ``ssh_std``
# alone. The members hold these relations. Take means over 8 x 8 fine cells, once over the coarse cells themselves, once
# over blocks that lie across four of them.


def block_mean(field, shift):
    """Return means over 8 x 8 cells, of blocks moved by some cells along both axes."""
    inner = field.astype("float64").isel({dim: slice(shift, field.sizes[dim] - (-shift % 8)) for dim in DIMS})
    return inner.coarsen(dict.fromkeys(DIMS, 8)).mean()


for shift, blocks in ((0, "coarse cells"), (4, "blocks across four cells")):
    actual = np.sqrt(((block_mean(out.ssh_mean, shift) - block_mean(truth, shift)) ** 2).mean())
    members = np.sqrt(block_mean(out.ssh_members, shift).var("member", ddof=1).mean())
    independent = np.sqrt(block_mean(out.ssh_std**2, shift).mean() / 64)
    print(f"{blocks}: RMSE {1e3 * actual:.1f} mm; said by the members {1e3 * members:.1f} mm, ", end="")
    print(f"by independent cells {1e3 * independent:.1f} mm")

# %%
# The mean of a coarse cell has no error at all: it is the input, and all members have it. **The standard error is that
# of what lies below the coarse cells, given that the input is right.** If it is not, say how noisy it is
# (``noise_std``). A bias of the input remains a bias.
#
# How to read it
# --------------
# - Right on average over many fields; on a single one to within a quarter on two of three.
# - Too small where small scales are unusually strong, as in winter.
# - Less certain on fewer than 100 coarse cells, of which a warning tells.
# - Where a fine field of the same region and season is at hand, a twin experiment says by how much to scale it.
