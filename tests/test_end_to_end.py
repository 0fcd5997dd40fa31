"""Real files, from the file to the checked result."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xr_dip

pytestmark = pytest.mark.samples


def check(path):
    """Run the CF checker as a user would; return its exit status and what it says."""
    checker = Path(sys.executable).with_name("compliance-checker")
    done = subprocess.run(
        [checker, "-t", "cf:1.11", "-c", "normal", str(path)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("sample", "variable", "window"),
    [
        ("glo12", "zos", {"latitude": slice(0, 8), "longitude": slice(3, 13), "time": slice(0, 2)}),
        ("gulf_stream_coarse", "sossheig", {"y": slice(10, 18), "x": slice(5, 12)}),
    ],
)
@pytest.mark.parametrize("keep_members", [False, True])
def test_plain_to_netcdf_passes_the_cf_checker(tmp_path, tiny, sample, variable, window, keep_members):
    with xr_dip.samples.open_dataset(sample) as ds:
        out = ds.isel(window).dip.downscale(
            variable, 3, members=2, preset=tiny, keep_members=keep_members, progress=False, device="cpu"
        )
        path = tmp_path / "out.nc"
        out.to_netcdf(path)
    status, said = check(path)
    assert status == 0, said
    assert "All tests passed" in said
    with xr.open_dataset(path, decode_coords="all") as back:
        np.testing.assert_array_equal(back[f"{variable}_mean"], out[f"{variable}_mean"])


def test_the_sample_pair(tiny):
    """77 x 61 block means become 385 x 305 on the original grid, and conserve; close to the original by then."""
    with (
        xr_dip.samples.open_dataset("gulf_stream_coarse") as coarse,
        xr_dip.samples.open_dataset("gulf_stream_fine") as fine,
    ):
        window = coarse.isel(y=slice(0, 30), x=slice(31, 61))
        truth = fine.isel(y=slice(0, 150), x=slice(155, 305))
        out = window.dip.downscale("sossheig", 5, members=2, preset=tiny, progress=False, device="cpu")
        np.testing.assert_allclose(out.nav_lat, truth.nav_lat, atol=3.4e-4)
        np.testing.assert_allclose(out.nav_lon, truth.nav_lon, atol=3.4e-4)
        error = out.sossheig_mean.values - truth.sossheig.values
        assert float(abs(out.conservation_error).max()) < 1e-6
        # Conservative bicubic: 1.93 mm on the whole field.
        assert np.sqrt((error**2).mean()) < 1.2 * 1.93e-3


def test_currents_and_masks_of_the_file_do_not_disturb(tiny):
    """The OSMOSIS file has longitude and latitude as data variables, beside u and v."""
    with xr_dip.samples.open_dataset("osmosis") as ds:
        window = ds.isel(y=slice(100, 108), x=slice(50, 60))
        out = window.dip.downscale("ssh", 2, members=2, preset=tiny, progress=False, device="cpu")
        inside = (out.lat.min() >= window.lat.min() - 0.1) & (out.lat.max() <= window.lat.max() + 0.1)
        assert bool(inside)
        assert float(abs(out.conservation_error).max()) < 1e-6
