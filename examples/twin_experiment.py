"""
A twin experiment of your own
=============================

How good will it be on my region, at my factor? Tables of other people's fields answer this for other people's fields.
Whoever has any fine field of the same kind, such as a model of the region, can find out: make it coarse, make it fine
again, compare. The coarse field stands for what will be given later, and its twin, the fine field, is the truth.

The model here is Mercator's GLO12, 1/12 degree, three days of the Sargasso Sea. Put your own in its place.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from xr_dip import samples, twin

model = samples.open_dataset("glo12")  # xr.open_dataset("my_model.nc")
truth = model.zos.isel(time=[0, 3, 6], longitude=slice(0, 96)).load()
print(dict(truth.sizes))

# %%
# One call
# --------
# It takes the truth, the factors, and the names of interpolations and presets. Block means are made, noise is added
# where asked for, each method is run on the same coarse field, and each result is scored. No method sees the truth but
# for its coastline. Cells at the end of an axis that fill no coarse cell are left out.

scores = twin.experiment(
    truth,
    factors=[4, 8],
    methods=["bicubic", "conservative_spline", "kriging", "fast"],
    members=4,
    device="cpu",
    progress=False,
)
print(scores)

# %%
# The error
# ---------
# Begin with the root mean square error, in the unit of the field, and with its scatter from day to day.

for factor in scores.factor.values:
    print(f"factor {factor}")
    for method in scores.estimator.values:
        error = 1e3 * scores.rmse.sel(factor=factor, estimator=method).squeeze()
        days = ", ".join(f"{value:.1f}" for value in error.values)
        print(f"  {method:<20} {float(error.mean()):5.1f} mm  (days: {days})")

# %%
# Against kriging
# ---------------
# Block kriging is the best linear estimate under the covariance that was fitted to the coarse field, so it is the bar:
# what is below 1 is gained by what kriging does not know. Bicubic interpolation is an easy bar. Each point is a day.

kriging = scores.sel(estimator="kriging", drop=True)
ratio = (scores.rmse / kriging.rmse).squeeze("noise_std")

figure, panels = plt.subplots(
    1, scores.sizes["factor"], figsize=(10, 3.2), layout="constrained", sharex=True, sharey=True
)
for axes, factor in zip(panels, scores.factor.values, strict=True):
    for row, method in enumerate(scores.estimator.values):
        days = ratio.sel(factor=factor, estimator=method)
        axes.plot(days, np.full(days.size, row), "o", color="C0", markerfacecolor="none", markersize=8)
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set(title=f"factor {factor}", xlabel="RMSE over that of kriging")
ticks = panels[0].set_yticks(range(scores.sizes["estimator"]), labels=scores.estimator.values)

# %%
# The gain over kriging is two per cent at factor 4 and next to nothing at factor 8. That is worth knowing before a year
# of fields is fitted: where a twin experiment shows no gain, take kriging, which takes a second. In a western boundary
# current the answer is another one.
#
# More than one score
# -------------------
# RMSE favours smooth fields. Slopes and the shortest wave that is right by half tell more about small scales, and the
# standard error has scores of its own. The first column is the error of slopes; ``seconds`` is what a method costs.


def row(scores: xr.Dataset, method: str) -> str:
    """Return one line of the table: means over the days, and the largest error of any block mean."""
    days = scores.sel(estimator=method).squeeze()
    mean = days.mean("time")
    errors = f"{1e6 * float(mean.gradient_rmse):9.2f} {1e-3 * float(mean.effective_resolution):8.0f} km"
    spread = "       -       -" if mean.spread_skill.isnull() else f"{mean.spread_skill:8.2f} {mean.coverage:7.0%}"
    return f"{method:<20} {errors} {spread} {days.conservation_error.max():13.0e} {mean.seconds:8.1f}"


for factor in scores.factor.values:
    print(f"factor {factor:<13} mm per km   resolves std/RMSE in 90 % means within m  seconds")
    print(*(row(scores.sel(factor=factor), method) for method in scores.estimator.values), sep="\n")

# %%
# With noise
# ----------
# Real input is noisy. ``noise_std`` adds white noise of these sizes to the coarse field. Presets are told its size; the
# interpolations take the field as it is, and the sharper they are, the more they make of its noise.

noisy = twin.experiment(
    truth.isel(time=0),
    factors=[8],
    methods=["bicubic", "kriging", "fast"],
    noise_std=[0.0, 0.02],
    members=4,
    device="cpu",
    progress=False,
)
print((1e3 * noisy.rmse.squeeze()).round(1).to_pandas())

# %%
# How to read it
# --------------
# - **Days differ less than regions and seasons.** Three days of one place are hardly more than one sample. Take days of
#   all seasons, and windows as large as those to come: on less than 100 coarse cells chance rules.
# - **A twin is easier than life.** The coarse field here is the exact block mean of the truth. That of another model or
#   of altimetry has errors that no twin experiment shows.
# - **A smooth model flatters every method.** What it lacks cannot be missed. If the model resolves less than the result
#   is meant to, the experiment says nothing about the difference.
# - **Choose by it, then do not score by it.** A factor or preset that was chosen because it did best on these days has
#   to prove itself on others.
