"""The preset of the fixture `tiny` for other processes: dask loads it into workers, a script calls `register`."""

import dataclasses

from xr_dip import presets


def make(factor):
    small = presets.fast(factor)
    return dataclasses.replace(small, iterations=8, generator_options={**small.generator_options, "channels": 4})


def register():
    presets.PRESETS["tiny"] = make


def dask_setup(worker):
    """Is called by a worker of dask that loads this file."""
    register()
