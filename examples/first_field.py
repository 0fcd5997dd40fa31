"""
A first field
=============

One coarse field, made fine: what comes back, how good it is, and what it can and cannot say.

The field is the synthetic Gulf Stream that comes with the package, so nothing is downloaded. Its block means over 8 x 8
cells are the coarse input; the field itself is the truth that a user does not have. It is used for the scores only.
"""

import xr_dip
from xr_dip import plot, verification

truth = xr_dip.synthetic.gulf_stream((96, 128), resolution=1 / 15).ssh
coarse = truth.coarsen(latitude=8, longitude=8).mean()
print(dict(coarse.sizes))

# %%
# Downscale
# ---------
# ``factor=8`` asks for 8 x 8 fine cells in each coarse one. Four fits keep this page short; the default is ten.

out = coarse.dip.downscale(factor=8, members=4, device="cpu", progress=False)
print(out)

# %%
# The estimate has the block means of the input: the last step enforces them in float64, and ``conservation_error`` is
# the proof. ``fit_residual`` is how far the fits were from them before that step.

axes = plot.conservation(out)

# %%
# The picture
# -----------
# Bicubic interpolation is what most of us would have done instead.

bicubic = coarse.dip.interpolate(factor=8, method="bicubic")
axes = plot.overview(out, truth, coarse=coarse, others={"bicubic": bicubic.ssh_mean})

# %%
# The scores
# ----------
# Kriging of block means is the harder test: it is the best linear estimate under the covariance that was fitted to the
# field. The fits are only allowed to change what the coarse values leave open.

dims = ("latitude", "longitude")
estimates = {
    method: coarse.dip.interpolate(factor=8, method=method).ssh_mean
    for method in ("bicubic", "conservative_spline", "kriging")
}
for name, field in {**estimates, "xr_dip": out.ssh_mean}.items():
    print(f"{name:<20} RMSE {1e3 * float(verification.rmse(field, truth, dims=dims)):5.2f} mm")

# %%
# How large the error would be was predicted without the truth:

print(f"predicted RMSE {1e3 * float(out.predicted_rmse):.2f} mm")
ratio = verification.spread_skill(out.ssh_std, out.ssh_mean, truth, dims=dims)
inside = verification.coverage(out.ssh_mean, out.ssh_std, truth, dims=dims, level=0.9)
print(f"standard error / RMSE {float(ratio):.2f}, within the 90 % interval {float(inside):.0%}")

# %%
# What it cannot say
# ------------------
# Below about two coarse cells the estimate has less power than the truth. It is a mean over what is possible, and what
# is not known averages out. A single member has more power, in places that are plausible but not observed.

axes = plot.spectra({"truth": truth, "estimate": out.ssh_mean, "bicubic": bicubic.ssh_mean})
