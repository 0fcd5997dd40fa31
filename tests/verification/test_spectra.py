"""Spectra: Parseval, waves at their own wavenumber, and the effective resolution of known spectra."""

import dask
import numpy as np
import pytest
import xarray as xr

from xr_dip.verification import effective_resolution, psd, psd_ratio, psd_score

DIMS = ("y", "x")
STEPS = (2e3, 1e3)
PLAIN = {"detrend": "constant", "window": "boxcar"}


def noise(seed: int, shape: tuple[int, ...] = (24, 32)) -> xr.DataArray:
    dims = ("time", *DIMS)[-len(shape) :]
    return xr.DataArray(np.random.default_rng(seed).normal(size=shape), dims=dims, attrs={"units": "m"})


def waves(count: int, power: np.ndarray) -> xr.DataArray:
    """Lines of 2 * power.size + 1 cells, wave j = 1, 2, ... with the given power and random phases."""
    size = 2 * power.size + 1
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (count, power.size))
    coefficients = np.zeros((count, power.size + 1), dtype=complex)
    coefficients[:, 1:] = np.sqrt(power) * np.exp(1j * phases)
    return xr.DataArray(np.fft.irfft(coefficients, n=size, norm="forward"), dims=DIMS)


@pytest.mark.parametrize("direction", DIMS)
def test_a_line_spectrum_integrates_to_the_variance(direction):
    field = noise(0, (25, 32))
    density = psd(field, dims=DIMS, spacing=STEPS, direction=direction, **PLAIN)
    step = float(density.wavenumber[0])
    np.testing.assert_allclose(density.sum() * step, field.var(direction).mean(), rtol=1e-12)


@pytest.mark.parametrize("steps", [(1e3, 1e3), (2e3, 1e3)])
def test_an_isotropic_spectrum_integrates_to_the_variance_within_its_circle(steps):
    # a field with no power beyond the smaller Nyquist wavenumber: smoothed twice per axis in Fourier space
    field = noise(0)
    ky = np.fft.fftfreq(24, steps[0])[:, None]
    kx = np.fft.fftfreq(32, steps[1])
    inside = np.hypot(ky, kx) < 0.4 / max(steps)
    field.data = np.fft.ifft2(np.fft.fft2(field.data) * inside).real
    density = psd(field, dims=DIMS, spacing=steps, **PLAIN)
    lost = np.hypot(ky, kx) < 0.5 * float(density.wavenumber[0])  # waves longer than half of the first ring
    rest = np.fft.ifft2(np.fft.fft2(field.data) * ~lost).real
    np.testing.assert_allclose(density.sum() * density.wavenumber[0], rest.var(), rtol=1e-12)


@pytest.mark.parametrize("angle_cycles", [(3, 4), (0, 5), (5, 0)])
def test_a_plane_wave_lies_at_the_length_of_its_wavenumber(angle_cycles):
    # 5 cycles per 32 cells in any direction: the ring of 5 / (32 km)
    rows, columns = np.indices((32, 32))
    phase = 2 * np.pi * (angle_cycles[0] * rows + angle_cycles[1] * columns) / 32
    density = psd(xr.DataArray(np.cos(phase), dims=DIMS), dims=DIMS, spacing=(1e3, 1e3), **PLAIN)
    assert float(density.idxmax()) == pytest.approx(5 / 32e3)
    assert float(density.max() * density.wavenumber[0]) == pytest.approx(0.5)


def test_a_taper_keeps_the_power_of_white_noise():
    # the two-sided density of white noise is variance * step: one-sided 2 * step; the mean over n lines scatters by
    # 1 / sqrt(n), 2 %
    density = psd(noise(0, (2000, 64)), dims=DIMS, spacing=STEPS, direction="x", window="hann")
    np.testing.assert_allclose(density[2:-1], 2 * STEPS[1], rtol=0.12)


@pytest.mark.parametrize("direction", [None, "x", "y"])
def test_a_plane_has_no_power_once_detrended(direction):
    rows, columns = np.indices((8, 10))
    ramp = xr.DataArray(2.0 + 0.3 * rows - 0.5 * columns, dims=DIMS)
    np.testing.assert_allclose(psd(ramp, dims=DIMS, spacing=STEPS, direction=direction), 0.0, atol=1e-20)
    assert psd(ramp, dims=DIMS, spacing=STEPS, direction=direction, detrend="constant").max() > 1.0


def test_wavenumbers_end_at_nyquist_and_carry_units():
    along = psd(noise(0), dims=DIMS, spacing=STEPS, direction="x")
    assert float(along.wavenumber[0]) == pytest.approx(1 / 32e3)
    assert float(along.wavenumber[-1]) == pytest.approx(0.5 / 1e3)
    isotropic = psd(noise(0), dims=DIMS, spacing=STEPS)
    assert float(isotropic.wavenumber[-1]) <= 0.5 / 2e3
    assert isotropic.attrs["units"] == "(m)2 m"
    assert isotropic.wavenumber.attrs["units"] == "m-1"


def test_other_dimensions_are_kept_and_chunks_change_nothing():
    field = noise(0, (3, 24, 32)).assign_coords(time=[1, 2, 3])
    for direction in (None, "y"):
        eager = psd(field, dims=DIMS, spacing=STEPS, direction=direction)
        assert eager.dims == ("time", "wavenumber")
        lazy = psd(field.chunk(time=1, y=5), dims=DIMS, spacing=STEPS, direction=direction)
        xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-12)
        single = psd(field.isel(time=1), dims=DIMS, spacing=STEPS, direction=direction)
        xr.testing.assert_allclose(single, eager.isel(time=1), rtol=1e-12)


def test_building_computes_nothing():
    def never_compute(*args, **kwargs):
        raise AssertionError("computed while building")

    field = noise(0, (3, 24, 32)).chunk(time=1)
    with dask.config.set(scheduler=never_compute):
        wavelength = effective_resolution(psd_score(0.9 * field, field, dims=DIMS, spacing=STEPS, average=("time",)))
    assert wavelength.chunks is not None


def test_lines_with_land_are_left_out():
    field = noise(0)
    island = field.copy()
    island[3, 5] = np.nan
    expected = psd(field.drop_isel(y=3), dims=DIMS, spacing=STEPS, direction="x")
    np.testing.assert_allclose(psd(island, dims=DIMS, spacing=STEPS, direction="x"), expected, rtol=1e-12)
    assert psd(island, dims=DIMS, spacing=STEPS).isnull().all()
    assert psd(field * np.nan, dims=DIMS, spacing=STEPS, direction="x").isnull().all()


def test_ratio_and_score_of_a_scaled_truth():
    truth = noise(0)
    options = {"dims": DIMS, "spacing": STEPS}
    np.testing.assert_allclose(psd_ratio(0.6 * truth, truth, **options), 0.36, rtol=1e-12)
    np.testing.assert_allclose(psd_score(0.6 * truth, truth, **options), 1 - 0.16, rtol=1e-12)


def test_ratio_uses_only_lines_that_both_have():
    truth, estimate = noise(0), 0.5 * noise(0)
    estimate[2, 2] = np.nan
    truth[7, 7] = np.nan
    np.testing.assert_allclose(psd_ratio(estimate, truth, dims=DIMS, spacing=STEPS, direction="x"), 0.25, rtol=1e-12)


def test_spectra_are_averaged_before_their_ratio():
    # days with the powers 1 and 3 and the errors 1 and 0 times the truth: (1 + 0) / (1 + 3), not the mean of 1 and 0
    day = noise(0)
    truth = xr.concat([day, 3**0.5 * day], "time")
    estimate = truth * xr.DataArray([2.0, 1.0], dims="time")
    score = psd_score(estimate, truth, dims=DIMS, spacing=STEPS, average=("time",))
    np.testing.assert_allclose(score, 0.75, rtol=1e-12)


def test_effective_resolution_of_a_score_that_falls_linearly():
    # error power over truth power = k / (2 k0): the score 1 - k / (2 k0) is 0.5 at k0, between two waves
    wave = np.arange(1, 21)
    k0 = 7.3
    truth = waves(6, 1.0 / wave**2)
    error = waves(6, wave / (2 * k0) / wave**2)
    score = psd_score(truth + error, truth, dims=DIMS, spacing=STEPS, direction="x", **PLAIN)
    np.testing.assert_allclose(score, 1 - wave / (2 * k0), rtol=1e-9)
    np.testing.assert_allclose(effective_resolution(score), 41 * 1e3 / k0, rtol=1e-9)


@pytest.mark.parametrize(
    ("score", "wavelength"),
    [
        ([0.9, 0.8, 0.6], 1e5 / 3),
        ([0.4, 0.8, 0.9], np.inf),
        ([0.75, 0.25, 0.9], 1e5 / 1.5),
        ([0.9, np.nan, 0.1], np.nan),
        ([0.9, 0.5, 0.0], 1e5 / 2),
    ],
)
def test_effective_resolution_is_the_first_crossing(score, wavelength):
    spectrum = xr.DataArray(score, dims="wavenumber", coords={"wavenumber": [1e-5, 2e-5, 3e-5]})
    result = effective_resolution(spectrum)
    np.testing.assert_allclose(result, wavelength, rtol=1e-12)
    assert result.attrs["units"] == "m"


def test_a_higher_threshold_resolves_less():
    spectrum = xr.DataArray([1.0, 0.75, 0.25], dims="wavenumber", coords={"wavenumber": [1e-5, 2e-5, 3e-5]})
    assert float(effective_resolution(spectrum, threshold=0.9)) > float(effective_resolution(spectrum, threshold=0.3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spacing": (1.0, 0.0)}, "Invalid spacing .* It must be two positive distances"),
        ({"spacing": (1.0,)}, "Invalid spacing .* It must be two positive distances"),
        ({"direction": "z"}, r"Invalid direction 'z'. It must be one of the dims \('y', 'x'\)"),
        ({"detrend": "cubic"}, "Invalid detrend 'cubic'. It must be 'linear' or 'constant'"),
        ({"dims": ("x",)}, "They must be 2 distinct names"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        psd(noise(0), **({"dims": DIMS, "spacing": STEPS} | options))


def test_a_field_without_a_wave_is_refused():
    with pytest.raises(ValueError, match=r"Invalid field of 1 by 32 cells. It must hold a wave"):
        psd(noise(0, (1, 32)), dims=DIMS, spacing=STEPS, direction="y")


def test_a_threshold_out_of_range_is_refused():
    score = psd_score(noise(0), noise(1), dims=DIMS, spacing=STEPS)
    with pytest.raises(ValueError, match=r"Invalid threshold 1.0. It must be between 0 and 1"):
        effective_resolution(score, threshold=1.0)


def test_a_score_without_wavenumbers_is_refused():
    with pytest.raises(ValueError, match=r"Invalid score .* It must be a result of psd_score"):
        effective_resolution(noise(0))
