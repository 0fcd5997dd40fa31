"""
Currents and vorticity
======================

Heights are seldom what is wanted in the end. Their slopes are: currents, vorticity, kinetic energy. A slope is where a
coarse field loses most, and where the mean of an ensemble and its members tell different stories. This page says which
to use for what.

The truth is a part of the Gulf Stream of eNATL60 on cells of 1/30 degree, the input its block means over 8 x 8 cells.
"""

import matplotlib.pyplot as plt
import numpy as np

import xr_dip
from xr_dip import plot, verification

DIMS = ("y", "x")

ssh = xr_dip.samples.open_dataset("gulf_stream_fine").sossheig
truth = ssh.isel(time_counter=0, y=slice(130, 258), x=slice(80, 240)).load().rename("ssh").assign_attrs(units="m")
coarse = truth.coarsen(y=8, x=8).mean()
out = coarse.dip.downscale(factor=8, members=10, keep_members=True, device="cpu", progress=False)

# %%
# One call
# --------
# ``currents`` on a result with members computes everything for each member and averages afterwards; ``<variable>_std``
# is the standard deviation over them. On any other height it is that of the height.

flow = out.dip.currents()
of_mean = out.ssh_mean.dip.currents()
of_truth = truth.dip.currents()
of_bicubic = coarse.dip.interpolate(factor=8, method="bicubic").ssh_mean.dip.currents()
print(*flow)

# %%
# What one sees
# -------------
# The speed of the mean height, of one member, and of the truth. The core of the jet is in the right place in both. The
# mean is calm where it does not know; the member has small eddies there. They are plausible, and not those of the
# truth.

member = out.ssh_members.isel(member=0).dip.currents()


def draw(fields, variable, label, **style):
    """Draw one variable of several flows side by side, on one colour scale."""
    figure, panels = plt.subplots(1, len(fields), figsize=(12, 3.6), layout="compressed", sharey=True)
    for axes, (title, field) in zip(panels, fields.items(), strict=True):
        drawn = axes.pcolormesh(field.nav_lon, field.nav_lat, field[variable], rasterized=True, **style)
        axes.set(title=title, xlabel="longitude (°E)", aspect=1 / np.cos(np.deg2rad(38.2)))
    panels[0].set_ylabel("latitude (°N)")
    figure.colorbar(drawn, ax=panels, label=label, extend="max" if style["vmin"] == 0 else "both")


flows = {"mean height": of_mean, "one member": member, "truth": of_truth}
draw(flows, "speed", "speed (m/s)", vmin=0, vmax=2, cmap="viridis")

# %%
# Vorticity is made of second derivatives, so here the difference is plain. The mean keeps the two sides of the jet and
# is smooth elsewhere. The member has small scales of the right strength, but as blobs where the truth has filaments: it
# knows how much there is, and neither where nor in what shape.

draw(flows, "rossby_number", "vorticity / f", vmin=-0.6, vmax=0.6, cmap="RdBu_r")

# %%
# How much energy
# ---------------
# Nearly all kinetic energy is that of the jet, which every method has. Take what lies below the coarse cells: the
# variance of the current within each of them. There the mean has too little, for what it does not know averages out,
# and the members have what is missing. The same holds for the variance of vorticity and for extremes.

inner = {dim: slice(8, -8) for dim in DIMS}  # derivatives are missing at the border
flows = {
    "truth": of_truth,
    "members": out.ssh_members.dip.currents(),
    "mean height": of_mean,
    "bicubic": of_bicubic,
}
for name, field in flows.items():
    current = field[["u", "v"]].isel(inner).astype("float64")
    within = current.coarsen(y=8, x=8).var().mean()
    whole = current.var()
    energies = [1e4 * float(part.u + part.v) / 2 for part in (whole, within)]
    print(
        f"{name:<12} kinetic energy {energies[0]:5.0f} cm2/s2, below the coarse cells {energies[1]:4.0f} cm2/s2, ",
        end="",
    )
    print(f"standard deviation of vorticity / f {float(field.rossby_number.isel(inner).std()):.2f}")

# %%
# Bicubic interpolation has more vorticity than the truth. Much of it is its own: kinks at the edges of the coarse
# cells. Energy alone is no proof; see the errors below.
#
# Where the current is
# --------------------
# For the current at a place it is the other way round. The mean errs least; a member adds small scales in places of its
# own, and pays for them twice.

for name, field in {"mean height": of_mean, "one member": member, "bicubic": of_bicubic}.items():
    errors = [float(verification.rmse(field[part], of_truth[part], dims=DIMS)) for part in ("u", "v")]
    print(f"{name:<12} RMSE of u {errors[0]:.3f} m/s, of v {errors[1]:.3f} m/s")

# %%
# How certain
# -----------
# ``u_std`` is the standard error of the current. Of the height's standard error it cannot be made, since errors of
# neighbouring cells are related. Ten members give it to within a quarter in a single cell; on average over a field,
# they can be judged.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="compressed")
plot.spread(flow.u_std, ax=left, title="standard error of u")
axes = plot.reliability(flow.u_std, flow.u, of_truth.u, ax=right)

ratio = verification.spread_skill(flow.u_std, flow.u, of_truth.u, dims=DIMS, members=10)
print(f"standard error of u / RMSE {float(ratio):.2f}")

# %%
# Here it is too large by a quarter, as that of the height is on this field. It is largest at the border, where
# derivatives reach for values that nobody knows.
#
# Limits
# ------
# - This is geostrophy. Waves, wind drift and the curvature of a ring are not in it; against the total surface current
#   of this model, that of the true height differs by about 0.08 m/s.
# - ``eke`` is the energy of the height that is given. Of a full height it holds the mean current: with a series of
#   days, ``currents(eddy_dim="time")`` takes that out first. Of sea level anomalies it is eddy kinetic energy as it is.
# - The members have energy of the right size as far as the fitted covariance is right. In winter it may be too small.
# - Currents are missing beside land, at the border of the domain and near the equator.
