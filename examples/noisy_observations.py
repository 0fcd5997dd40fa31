"""
Noisy observations
==================

Block means of a model are exact. Observed ones are not: there is the noise of the instrument and what the mapping left.
By default the input is taken at its word, and its noise ends up in the result as small eddies. ``noise_std`` says how
far it is to be trusted. This page shows what that changes, what is lost by it, and what happens if the number is wrong.
"""

import matplotlib.pyplot as plt
import numpy as np

import xr_dip
from xr_dip import plot, verification

DIMS = ("latitude", "longitude")
NOISE = 0.03  # m

truth = xr_dip.synthetic.gulf_stream((96, 128)).ssh
exact = truth.coarsen(latitude=8, longitude=8).mean()
coarse = exact + NOISE * np.random.default_rng(0).standard_normal(exact.shape)

# %%
# With and without
# ----------------
# One more argument, in the unit of the field.

options = {"preset": "fast", "device": "cpu", "progress": False}
trusting = coarse.dip.downscale(factor=8, members=6, keep_members=True, **options)
aware = coarse.dip.downscale(factor=8, members=6, keep_members=True, noise_std=NOISE, **options)
estimates = {"as it is": trusting.ssh_mean, "noise_std=0.03": aware.ssh_mean}
axes = plot.compare(estimates, truth)

# %%
# The covariance is fitted with that noise, so kriging filters; the fits stop when their misfit has the size of the
# noise; and nothing is enforced in the end.
#
# What is no longer conserved
# ---------------------------
# The block means of the result are no longer those of the input, and should not be. ``conservation_error`` is now what
# was taken for noise. Here the noise is known, so the two can be compared. They are related and not the same: the
# largest noise is seen best, and what happens to look like a smooth field stays in the result.

noise = 1e3 * (coarse - exact).values.ravel()
removed = -1e3 * aware.conservation_error.values.ravel()

figure, axes = plt.subplots(figsize=(5, 4.8), layout="constrained")
axes.plot(noise, removed, "o", markerfacecolor="none")
axes.axline((0, 0), slope=1, color="black", linestyle="--", linewidth=1, label="all noise, and nothing else")
axes.set(xlim=(-100, 100), ylim=(-100, 100), aspect="equal")
axes.set(xlabel="noise that was added (mm)", ylabel="removed from the block means (mm)")
legend = axes.legend(frameon=False, loc="upper left")

# %%
# The standard error
# ------------------
# Both results know how large their error is as a whole: where neighbours do not predict each other, the standard error
# grows, told or not. But without ``noise_std`` all of it is put below the coarse cells, and the block means are claimed
# to be exact. The members of the other result have block means of their own, which differ by about as much as they err.

for name, result in {"as it is": trusting, "noise_std=0.03": aware}.items():
    rmse = float(verification.rmse(result.ssh_mean, truth, dims=DIMS))
    means = result.ssh_members.astype("float64").coarsen(latitude=8, longitude=8).mean()
    missed = float(verification.rmse(means.mean("member"), exact, dims=DIMS))
    claimed = float(means.var("member", ddof=1).mean()) ** 0.5
    print(f"{name:<15} RMSE {1e3 * rmse:4.1f} mm, predicted {1e3 * float(result.predicted_rmse):4.1f} mm; ", end="")
    print(f"of block means {1e3 * missed:4.1f} mm, by the members {1e3 * claimed:4.1f} mm")

# %%
# Against kriging
# ---------------
# Kriging with the same noise, a nugget on the diagonal of the covariance of the block means, is the best linear filter
# for it. And what if the number is wrong? Both are told noises from a tenth to three times the true one.

shares = np.geomspace(0.1, 3, 13)
shares_of_fits = np.array([0.1, 0.3, 1.0, 2.0])


def height_error(result):
    """Return the RMSE in mm."""
    return 1e3 * float(verification.rmse(result.ssh_mean, truth, dims=DIMS))


kriged = [coarse.dip.interpolate(factor=8, method="kriging", noise_std=share * NOISE) for share in shares]
fitted = [coarse.dip.downscale(factor=8, members=2, noise_std=share * NOISE, **options) for share in shares_of_fits]
of_exact = exact.dip.interpolate(factor=8, method="kriging")

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.plot(shares, [height_error(result) for result in kriged], label="kriging with a nugget")
axes.plot(
    shares_of_fits, [height_error(result) for result in fitted], "o", markersize=8, label="downscale(noise_std=...)"
)
axes.axhline(height_error(trusting), color="C1", linestyle=":", label="downscale, told nothing")
axes.axhline(height_error(of_exact), color="0.5", linestyle="--", linewidth=1, label="kriging, input without noise")
axes.axvline(1, color="black", linewidth=0.8)
axes.set(xscale="log", ylim=(0, None), xlabel="noise that is told / true noise", ylabel="RMSE (mm)")
axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 3], labels=["0.1", "0.2", "0.5", "1", "2", "3"])
axes.minorticks_off()
legend = axes.legend(frameon=False, loc="upper left", fontsize="small")

# %%
# With noise of this size, nearly all of the gain is that of the filter, and kriging has it, too: what networks know of
# structure is below the noise. A number that is too small is as if none was given. One that is too large takes signal
# for noise, and at twice the true size more is lost than was to be gained. So when in doubt, choose it rather too
# small.
#
# Limits
# ------
# - The noise is taken to be independent from cell to cell. Errors that neighbours share, as the mapping of altimetry or
#   an orbit leaves them, look like a smooth field and stay.
# - It must be known: from the product, from repeated passes, or from the difference of two instruments.
# - What noise has hidden is gone. The error above is several times that of the exact field, whatever the method.
