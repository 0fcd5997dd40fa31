"""
From the shell
==============

Everything that most runs need is in one command, ``xr-dip``, and a file: on a cluster, in a Makefile, for a colleague
who does not use Python. This page types such calls into a shell and shows what they answer.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import xarray as xr

import xr_dip
from xr_dip import plot

workplace = tempfile.TemporaryDirectory()
folder = Path(workplace.name)


def shell(line):
    """Run a line as you would type it, and show what it prints."""
    place = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(f"$ {line}\n{done.stdout}", end="")
    if done.returncode:
        print(f"[exit status {done.returncode}]")


# %%
# Two files to work with: the Gulf Stream of eNATL60, two days, and its means over 16 x 16 cells. With your own data
# this part is not needed. ``xr-dip sample --list`` shows which real fields there are to try things on.

for date, sample in {"20090701": "gulf_stream_fine", "20090801": "gulf_stream_fine_200908"}.items():
    with xr_dip.samples.open_dataset(sample) as dataset:
        height = dataset.sossheig.assign_attrs(units="m", long_name="sea surface height")
        fine = height.isel(y=slice(256), x=slice(256))
        fine.coarsen(y=16, x=16).mean(keep_attrs=True).to_netcdf(folder / f"coarse_{date}.nc")
        fine.to_netcdf(folder / f"truth_{date}.nc")

# %%
# One file
# --------
# ``downscale`` reads a file and writes one. ``--var`` and ``--factor`` are the only options that it needs.

shell("xr-dip downscale coarse_20090701.nc fine.nc --var sossheig --factor 16 --preset fast --members 4 --quiet")
shell("du -k *.nc")

# %%
# What comes out is a CF file, which any tool can read. Here Python is at hand.

with xr.open_dataset(folder / "fine.nc") as result:
    axes = plot.overview(result.squeeze())

# %%
# A file that exists is replaced with ``--overwrite`` only. An error is one line that says what is wrong and what is
# allowed; scripts see it in the exit status.

shell("xr-dip downscale coarse_20090701.nc fine.nc --var sossheig --factor 16")
shell("xr-dip downscale coarse_20090701.nc other.nc --var ssh --factor 16")

# %%
# How good is it?
# ---------------
# With a truth on the fine grid, ``verify`` prints every score. Look at three things first: ``rmse`` beside that of the
# other methods in the last lines; ``spread_skill``, the standard error over the error, which should be near one; and
# ``effective_resolution``, the shortest wavelength that is right.

shell("xr-dip verify fine.nc truth_20090701.nc --baselines bicubic,kriging")

# %%
# ``report`` puts maps, spectra, diagnostics and provenance on one page of HTML. It has everything in it, so it can be
# mailed.

shell("xr-dip report fine.nc report.html --truth truth_20090701.nc")
print(f"{(folder / 'report.html').stat().st_size / 1e6:.1f} MB")

# %%
# Many files
# ----------
# ``archive`` writes each day as soon as it is done, and goes on where it was stopped. What it will cost can be asked
# first: a dry run fits a few members to one day, and writes nothing.

shell("xr-dip archive coarse_*.nc days/ --var sossheig --factor 16 --preset fast --members 4 --dry-run --quiet")

# %%
# Then without ``--dry-run``, with ``--resume`` for the second night, with ``--workers 4`` on a larger machine, or
# with ``--shard $SLURM_ARRAY_TASK_ID/100`` in an array job.

shell("xr-dip archive coarse_*.nc days/ --var sossheig --factor 16 --preset fast --members 4 --resume --quiet")
shell("ls days")
workplace.cleanup()

# %%
# What it cannot do
# -----------------
# The command knows files and numbers. A mask comes from a file (``--mask mesh.nc:tmask``), and weights are ``equal``
# or ``area``; weights and networks of your own are for Python. ``xr-dip COMMAND --help`` lists the options, which have
# the names that they have in Python.
