"""The synthetic Gulf Stream: one ocean per seed however it is sampled, and the statistics of the real one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from xr_dip import samples, synthetic
from xr_dip.synthetic import gulf_stream

SEEDS = [0, 1, 2, 3]


def gradient(ssh):
    """Size of the gradient, m per km, at 1/30 degree (3 km)."""
    return np.hypot(*np.gradient(np.asarray(ssh, float), 3.0))


def bicubic_error(fine, factor):
    means = fine.reshape(fine.shape[0] // factor, factor, fine.shape[1] // factor, factor).mean(axis=(1, 3))
    estimate = ndimage.zoom(means, factor, order=3, mode="nearest", grid_mode=True)
    return np.sqrt(np.mean((estimate - fine) ** 2))


def spectral_slope(ssh, shortest, longest, spacing=3.0):
    """Exponent of the power of rings of wavenumber, of a square field under a Hann window."""
    side = len(ssh)
    window = np.hanning(side)
    power = np.abs(np.fft.fft2((ssh - ssh.mean()) * np.outer(window, window))) ** 2
    frequency = np.fft.fftfreq(side, spacing)
    ring = np.rint(np.hypot(frequency[:, None], frequency) * side * spacing).astype(int)
    k = np.arange(ring.max() + 1) / (side * spacing)
    within = (k > 1 / longest) & (k < 1 / shortest)
    return np.polyfit(np.log(k[within]), np.log(np.bincount(ring.ravel(), power.ravel())[within]), 1)[0]


# One ocean per seed.


@given(st.integers(8, 40), st.integers(8, 40), st.integers(0, 2**40), st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_size_and_seed(ny, nx, seed, land):
    ssh = gulf_stream((ny, nx), seed=seed, land=land).ssh
    assert ssh.shape == (ny, nx)
    assert ssh.dtype == np.float32
    assert np.isfinite(ssh.values).all() != land


def test_same_arguments_give_the_same_field_and_seeds_differ():
    first, again, other = (gulf_stream((32, 32), seed=seed) for seed in (5, 5, 6))
    xr.testing.assert_identical(first, again)
    assert abs(first.ssh - other.ssh).max() > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_small_domain_is_the_middle_of_a_large_one(seed):
    small, large = gulf_stream((32, 48), seed=seed).ssh, gulf_stream((64, 96), seed=seed).ssh
    middle = large.isel(latitude=slice(16, 48), longitude=slice(24, 72))
    np.testing.assert_allclose(small, middle, atol=1e-6)
    np.testing.assert_allclose(small.latitude, middle.latitude)
    np.testing.assert_allclose(small.longitude, middle.longitude)


def test_resolution_only_chooses_the_points():
    fine, coarse = gulf_stream((65, 81), resolution=1 / 60).ssh, gulf_stream((33, 41), resolution=1 / 30).ssh
    np.testing.assert_allclose(fine[::2, ::2], coarse, atol=1e-6)


def test_days_continue_one_another():
    week = gulf_stream((96, 96), times=7).ssh
    xr.testing.assert_identical(gulf_stream((96, 96)).ssh, week.isel(time=0))
    change = [float(np.sqrt(((week[day] - week[0]) ** 2).mean())) for day in range(7)]
    assert change == sorted(change)
    assert 0.003 < change[1] < 0.05
    assert (week.time.diff("time") == np.timedelta64(1, "D")).all()


def test_vortices_drift_west_unchanged():
    y, x, drifted = np.arange(-200.0, 200.0, 4.0), np.arange(-300.0, 300.0, 4.0), 100 * synthetic.DRIFT
    today = synthetic._scatter(synthetic.RINGS, 0, y, x, 0.0).on_grid(y, x)
    later = synthetic._scatter(synthetic.RINGS, 0, y, x + drifted, 100.0).on_grid(y, x + drifted)
    assert drifted < 0
    assert today.max() > 0.3
    np.testing.assert_allclose(later, today, atol=1e-6)


# Ingredients.


@pytest.mark.parametrize("spectrum", [synthetic.MEANDERS, synthetic.TURBULENCE])
def test_waves_have_the_variance_and_the_spectrum_asked_for(spectrum):
    waves = synthetic._draw_waves(spectrum, seed=0)
    k = np.hypot(waves.kx, waves.ky)
    assert np.sum(waves.amplitude**2) / 2 == pytest.approx(spectrum.std**2)
    assert 2 * np.pi / k.min() == pytest.approx(spectrum.longest)
    assert 2 * np.pi / k.max() == pytest.approx(spectrum.shortest)
    # Evenly spaced in log k, so variance = E(k) dk and dk is proportional to k.
    density = waves.amplitude**2 / k * (1 + (k * spectrum.knee / (2 * np.pi)) ** 5)
    np.testing.assert_allclose(density, density[0])


def test_waves_agree_at_points_and_their_slopes_are_derivatives():
    waves = synthetic._draw_waves(synthetic.MEANDERS, seed=1)
    y, x, step = np.array([-30.0, 10.0]), np.array([-50.0, 0.0, 70.0]), 1e-3
    grid = waves.on_grid(y, x, 2.0)
    points = waves.at_points(np.repeat(y, 3), np.tile(x, 2), 2.0)
    np.testing.assert_allclose(points.reshape(2, 3), grid)
    slope_y, slope_x = waves.slopes_on_grid(y, x, 2.0)
    np.testing.assert_allclose(
        slope_y, (waves.on_grid(y + step, x, 2.0) - waves.on_grid(y - step, x, 2.0)) / (2 * step), rtol=1e-5
    )
    np.testing.assert_allclose(
        slope_x, (waves.on_grid(y, x + step, 2.0) - waves.on_grid(y, x - step, 2.0)) / (2 * step), rtol=1e-5
    )


def test_straight_jet_is_a_tanh():
    still = synthetic._Waves(*(np.zeros(1) for _ in range(5)))
    y, x = np.array([-20.0, -5.0, 0.0, 5.0, 20.0]), np.zeros(1)
    # Without meanders phi = -y and |grad phi| = 1, kept away from 0 by the least steepness.
    distance = -y / np.hypot(1, synthetic.LEAST_STEEPNESS)
    gyre = np.exp(-0.5 * (y / synthetic.GYRE_WIDTH) ** 2)
    expected = synthetic.JET_HALF_STEP * np.tanh(distance / synthetic.JET_WIDTH) * gyre
    np.testing.assert_allclose(synthetic._jet(still, y, x, 0.0)[:, 0], expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_rings_are_cold_in_the_south_and_warm_in_the_north(seed):
    meanders = synthetic._draw_waves(synthetic.MEANDERS, seed)
    x, north = np.arange(-1500.0, 1500.0, 10.0), np.arange(330.0, 430.0, 10.0)
    warm = synthetic._rings(meanders, seed, north, x, 0.0)
    cold = synthetic._rings(meanders, seed, -north[::-1], x, 0.0)
    assert warm.max() > 0.2
    assert cold.min() < -0.2
    assert max(-warm.min(), cold.max()) < 0.01


# Likeness.


@pytest.mark.parametrize("seed", SEEDS)
def test_statistics_of_the_gulf_stream(seed):
    """Bounds around the values of the three days of eNATL60 that the samples hold, see the next test."""
    ssh = gulf_stream((384, 304), seed=seed).ssh.values.astype(float)
    assert 0.33 < ssh.std() < 0.48
    assert -1.1 < ssh.min() < -0.6
    assert 0.6 < ssh.max() < 1.0
    assert ssh[:120].mean() > 0.1
    assert ssh[-120:].mean() < -0.1
    assert 0.002 < np.median(gradient(ssh)) < 0.0035
    assert 0.014 < np.quantile(gradient(ssh), 0.99) < 0.022


@pytest.mark.parametrize("seed", SEEDS)
def test_difficulty_for_bicubic_interpolation_is_that_of_the_real_field(seed):
    ssh = gulf_stream(seed=seed).ssh.values.astype(float)
    assert 0.02 < bicubic_error(ssh, 16) < 0.04
    assert 0.006 < bicubic_error(ssh, 8) < 0.012


@pytest.mark.parametrize("seed", SEEDS)
def test_spectrum_falls_as_k_to_the_minus_five(seed):
    ssh = gulf_stream(seed=seed).ssh.values.astype(float)
    assert spectral_slope(ssh, 10.0, 30.0) == pytest.approx(-5, abs=0.6)
    assert -7 < spectral_slope(ssh, 30.0, 100.0) < -4.5


@pytest.mark.samples
@pytest.mark.parametrize("name", ["gulf_stream_fine", "gulf_stream_fine_200908", "gulf_stream_fine_201001"])
def test_same_bounds_hold_for_the_real_field(name):
    with samples.open_dataset(name) as ds:
        ssh = ds.sossheig.values.squeeze().astype(float)
    assert 0.33 < ssh.std() < 0.48
    assert 0.002 < np.median(gradient(ssh)) < 0.0035
    assert 0.014 < np.quantile(gradient(ssh), 0.99) < 0.022
    assert 0.02 < bicubic_error(ssh[:256, :256], 16) < 0.04
    assert 0.006 < bicubic_error(ssh[:256, :256], 8) < 0.012


# Land.


@given(st.integers(32, 96), st.integers(32, 96), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_land_is_a_coast_and_a_separate_island(ny, nx, seed):
    land = np.isnan(gulf_stream((ny, nx), seed=seed, land=True).ssh.values)
    parts, _ = ndimage.label(land)
    coast, island = parts[-1, 0], parts[round(0.2 * ny), round(0.8 * nx)]
    assert 0 < coast != island > 0
    assert 0.1 < land.mean() < 0.35


def test_land_changes_nothing_at_sea_and_stays():
    bare, masked = gulf_stream((48, 64), times=3).ssh, gulf_stream((48, 64), times=3, land=True).ssh
    xr.testing.assert_identical(masked, bare.where(masked.notnull()))
    assert (masked.isnull() == masked[0].isnull()).all()


# Metadata and errors.


@pytest.mark.parametrize("times", [1, 3])
def test_file_passes_the_cf_checker_and_comes_back(times, tmp_path):
    path = tmp_path / "synthetic.nc"
    ds = gulf_stream((12, 16), times=times, land=True)
    ds.to_netcdf(path)
    with xr.open_dataset(path) as back:
        xr.testing.assert_identical(ds, back.load())
    checker = Path(sys.executable).with_name("compliance-checker")
    done = subprocess.run([checker, "-t", "cf:1.11", "-c", "normal", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (7, 64)}, r"Invalid size '\(7, 64\)'\. It must be two integers of 8 or more"),
        ({"size": (64.0, 64)}, "Invalid size"),
        ({"size": (64, 64, 64)}, "Invalid size"),
        ({"size": 64}, "Invalid size '64'"),
        ({"seed": -1}, r"Invalid seed '-1'\. It must be an integer of 0 or more"),
        ({"seed": 0.5}, "Invalid seed '0.5'"),
        ({"times": 0}, r"Invalid times '0'\. It must be an integer of 1 or more"),
        ({"resolution": 0.0}, "Invalid resolution '0.0'"),
        ({"resolution": float("nan")}, "Invalid resolution 'nan'"),
        ({"resolution": 0.5}, "at most 100 degrees of latitude by 360 of longitude"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        gulf_stream(**arguments)
