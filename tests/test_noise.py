"""Values of which some are noisier than others, and members that see noise of their own."""

import dataclasses
import json

import dask
import numpy as np
import pytest
import xarray as xr
from test_downscaling import coarse_field, run

import xr_dip
from xr_dip import presets
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.noise import NoiseField, read_noise, variance_of
from xr_dip.sea import Flag
from xr_dip.slices import time_stamps

TILES = {"tile": 8, "overlap": 4}


def noise_like(da, seed=0):
    """Noise of each value of the first time, from 1 to 5 cm."""
    plane = da.isel(time=0, drop=True) if "time" in da.dims else da
    return xr.zeros_like(plane).copy(data=np.random.default_rng(seed).uniform(0.01, 0.05, plane.shape))


def configuration_of(out):
    return json.loads(out.attrs["xr_dip_configuration"])


def read(noise, da):
    return read_noise(noise, da, find_horizontal(da))


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (0, "Invalid noise_std 0. It must be a positive number in the unit of the field, or None"),
        (np.float64(np.inf), "Invalid noise_std .*inf"),
        (np.ones((2, 2)), r"Invalid noise_std of shape \(2, 2\). It must have the shape of the field, \(6, 8\)"),
        (-np.ones((6, 8)), r"Invalid noise_std -1.0 at index \(0, 0\). It must be a positive number in the unit"),
        (np.full((6, 8), np.nan), r"Invalid noise_std nan at index \(0, 0\). It must be a positive number wherever"),
        (xr.DataArray(np.ones((6, 3)), dims=("lat", "x")), r"Invalid noise_std with dimensions \('lat', 'x'\)"),
        (
            xr.DataArray(np.ones((6, 8)), {"lat": np.arange(6.0), "lon": np.arange(8.0)}, ("lat", "lon")),
            "Invalid noise_std with other positions than the coarse grid",
        ),
        (True, "Invalid noise_std True. It must be a positive number"),
        ([[0.1, 0.2]], "Invalid noise_std of type list. .* one for each coarse value is a DataArray or an array"),
        (
            xr.DataArray(np.ones((6, 8)), dims=("lat", "lon"), attrs={"units": "cm"}),
            "Invalid noise_std in 'cm'. It must be in the unit of the field, 'm'",
        ),
        (xr.DataArray(2.0, attrs={"units": "cm"}), "Invalid noise_std in 'cm'. It must be in the unit of the field"),
        (xr.DataArray(np.ones((3, 6, 8)), dims=("time", "lat", "lon")), "Invalid noise_std along 'time'"),
        (
            xr.DataArray(np.ones((2, 6, 8)), {"time": [5, 6]}, ("time", "lat", "lon")),
            "Invalid noise_std along 'time'. It must have the 'time' of the field, or none",
        ),
    ],
)
def test_what_is_no_noise_is_refused(noise, message):
    with pytest.raises(ValueError, match=message):
        run(coarse_field(times=2), noise_std=noise)


def test_noise_is_found_by_time():
    da = coarse_field(times=2)
    both = xr.concat([noise_like(da, seed) for seed in (1, 2)], da.time)
    found = read(both.transpose("lon", "time", "lat"), da)
    for time, stamp in enumerate(time_stamps(da, ["time"]).values):
        np.testing.assert_array_equal(found.at(int(stamp)), both[time])
    alone = read(noise_like(da, 1), da)
    assert len({id(field) for field in alone.fields.values()}) == 1


def test_noise_may_be_missing_on_land_only():
    da = coarse_field(land=True)
    noise = noise_like(da).where(da.notnull())
    assert isinstance(read(noise, da), NoiseField)
    with pytest.raises(ValueError, match=r"Invalid noise_std nan at index \(3, 4\). It must be a positive number"):
        read(noise.where((da.lat != da.lat[3]) | (da.lon != da.lon[4])), da)


def test_two_fields_of_noise_are_told_apart():
    da = coarse_field()
    one, same, other = (str(read(noise_like(da, seed), da)) for seed in (0, 0, 1))
    assert one == same != other


def test_units_of_noise_need_not_be_said_or_spelt_alike():
    da = coarse_field()
    plain = read(noise_like(da), da)
    for units in ("", "metres", "M"):
        assert str(read(noise_like(da).assign_attrs(units=units), da)) == str(plain)


def test_a_time_without_values_needs_no_noise():
    da = coarse_field(times=2)
    missing = da.where(da.time == da.time[0])
    noise = noise_like(da).where(missing.notnull())
    assert str(read(noise, missing))[:36] == str(read(noise_like(da), da))[:36]


def test_variance_of_what_is_alike_is_one_number():
    noise = np.array([[0.1, 0.1, 0.7]])
    assert variance_of(noise, np.array([[True, True, False]])) == 0.1**2
    np.testing.assert_array_equal(variance_of(noise, np.array([[True, False, True]])), [[0.1**2, 1.0, 0.7**2]])


# The whole job.


def test_the_same_noise_everywhere_is_one_number(tiny):
    """Also where land has another or none."""
    da = coarse_field(land=True)
    noise = xr.full_like(da, 0.02, dtype=float).where(da.notnull())
    one, each = (run(da, preset=tiny, noise_std=given) for given in (0.02, noise))
    xr.testing.assert_equal(one, each)


def test_the_configuration_tells_of_the_noise(tiny):
    da = coarse_field()
    found = json.loads(run(da, preset=tiny, noise_std=noise_like(da)).attrs["xr_dip_configuration"])
    assert found["noise_std"].startswith("given on the coarse grid, 0.0")
    assert json.loads(run(da, preset=tiny, noise_std=0.02).attrs["xr_dip_configuration"])["noise_std"] == 0.02


@pytest.mark.parametrize("options", [{}, pytest.param(TILES, marks=pytest.mark.slow)])
def test_lazy_and_in_memory_give_the_same_bits(options, tiny):
    da = coarse_field((10, 12), times=2, land=True)
    noise = xr.concat([noise_like(da, seed) for seed in (1, 2)], da.time)
    given = {"preset": tiny, "noise_std": noise, "perturb_observations": True, **options}
    now = run(da, **given)
    with dask.config.set(scheduler="synchronous"):
        later = run(da.chunk(time=1), **given).compute()
    xr.testing.assert_equal(now, later)


def test_each_time_has_its_own_noise(tiny):
    da = coarse_field(times=2)
    noise = xr.concat([noise_like(da, seed) for seed in (1, 2)], da.time)
    series = run(da, preset=tiny, noise_std=noise)
    for time in range(2):
        alone = run(da.isel(time=time), preset=tiny, noise_std=noise.isel(time=time))
        np.testing.assert_array_equal(series.ssh_mean[time], alone.ssh_mean)
        np.testing.assert_array_equal(series.ssh_std[time], alone.ssh_std)


def test_noise_missing_at_a_value_of_a_lazy_field_is_found_when_it_is_computed(tiny):
    da = coarse_field()
    noise = noise_like(da).where(da.lat != da.lat[2])
    out = run(da.chunk(), preset=tiny, noise_std=noise)
    with dask.config.set(scheduler="synchronous"), pytest.raises(ValueError, match=r"Invalid noise_std nan at index"):
        out.compute()


@pytest.mark.parametrize("options", [{}, {"constraint": "none"}])
def test_a_value_of_huge_noise_is_hardly_followed(options, tiny):
    """A metre of error in one value, said or not."""
    da, noise = coarse_field((8, 9)), np.full((8, 9), 0.005)
    noise[4, 4] = 50.0
    wrong = da.copy()
    wrong[4, 4] += 1.0
    cell = {"lat": slice(8, 10), "lon": slice(8, 10)}
    clean = run(da, preset=tiny, noise_std=0.005, **options).ssh_mean.isel(cell)
    trusting = run(wrong, preset=tiny, noise_std=0.005, **options).ssh_mean.isel(cell)
    aware = run(wrong, preset=tiny, noise_std=noise, **options).ssh_mean.isel(cell)
    assert abs(float((aware - clean).mean())) < 0.25 * abs(float((trusting - clean).mean()))


@pytest.mark.parametrize(
    ("constraint", "options"), [("additive", None), ("smooth", None), ("geiss", {"value_range": (-9, 9)})]
)
def test_a_constraint_that_would_keep_the_noise_is_refused(constraint, options, tiny):
    with pytest.raises(ValueError, match=f"Invalid constraint '{constraint}' with noise_std.*one of .'none', 'soft'"):
        run(coarse_field(), preset=tiny, noise_std=0.01, constraint=constraint, constraint_options=options)


def test_a_preset_that_keeps_values_keeps_none_that_have_noise(tiny, monkeypatch):
    keeping = dataclasses.replace(presets.PRESETS[tiny]((2, 2)), constraint="smooth")
    monkeypatch.setitem(presets.PRESETS, "keeping", lambda factor: keeping)
    assert configuration_of(run(coarse_field(), preset="keeping"))["constraint"] == "smooth"
    assert configuration_of(run(coarse_field(), preset="keeping", noise_std=0.01))["constraint"] == "none"


def test_stops_at_the_noise():
    """Within twenty steps of 120: the fits explain the values to within their noise, not better by much."""
    truth = xr_dip.synthetic.gulf_stream((48, 48), resolution=1 / 15).ssh
    coarse = truth.coarsen(latitude=8, longitude=8).mean()
    for noise, least in ((0.03, 0.3), (0.1, 0.3)):
        out = run(coarse, 8, preset="fast", noise_std=noise)
        assert out.iterations < 120
        assert least * noise < float((out.fit_residual**2).mean()) ** 0.5 < noise


# Members that see noise of their own.


@pytest.mark.parametrize(("noise_std", "flagged"), [(None, True), (1.0, False)])
def test_a_fit_that_stops_at_the_noise_has_converged(noise_std, flagged, tiny, monkeypatch):
    """One that is left where it began has not, unless all that it misses may be noise."""
    make = presets.PRESETS[tiny]
    monkeypatch.setitem(presets.PRESETS, tiny, lambda f: dataclasses.replace(make(f), iterations=2, learning_rate=1e-9))
    da = coarse_field((6, 8))
    out = run(0.1 * (da - da.mean()) / da.std(), preset=tiny, noise_std=noise_std)
    assert bool(out.ssh_flag.isin(Flag.not_converged.value).any()) == flagged


def test_perturbation_needs_noise(tiny):
    with pytest.raises(ValueError, match=r"Invalid perturb_observations True without noise_std[.] It must come with"):
        run(coarse_field(), preset=tiny, perturb_observations=True)
    with pytest.raises(ValueError, match=r"Invalid perturb_observations 0.02[.] It must be True or False"):
        run(coarse_field(), preset=tiny, perturb_observations=0.02)


def test_perturbed_members_differ_by_the_noise():
    """What differs in their block means grows by a good part of the variance of the noise, of which fits leave some."""
    given = {"preset": "fast", "constraint": "none", "members": 6, "keep_members": True, "noise_std": 0.05}
    spread = []
    for flag in (False, True):
        members = run(coarse_field((8, 9)), perturb_observations=flag, **given).ssh_members
        spread.append(float(members.coarsen(lat=2, lon=2).mean().var("member", ddof=1).mean()))
    assert 0.1 * 0.05**2 < spread[1] - spread[0] < 2 * 0.05**2


def test_a_perturbed_member_is_the_same_whatever_their_number(tiny):
    given = {"preset": tiny, "constraint": "none", "noise_std": 0.02, "perturb_observations": True}
    few, many = (run(coarse_field(), members=members, keep_members=True, **given) for members in (2, 3))
    np.testing.assert_array_equal(few.ssh_members, many.ssh_members[:2])
    other = run(coarse_field(), members=2, keep_members=True, seed=1, **given)
    assert not np.array_equal(few.ssh_members, other.ssh_members)


def test_perturbed_members_fit_in_batches(tiny):
    given = {"preset": tiny, "constraint": "none", "noise_std": 0.02, "perturb_observations": True}
    loop, batch = (run(coarse_field(), members=3, batch=size, **given) for size in (1, 3))
    np.testing.assert_allclose(loop.ssh_mean, batch.ssh_mean, atol=2e-3)


# Kriging alone.


def test_kriging_knows_of_noise():
    da = coarse_field((10, 12))
    exact, noisy, each = (
        xr_dip.interpolate(da, 2, method="kriging", noise_std=noise)
        for noise in (None, 0.05, xr.full_like(da, 0.05, dtype=float))
    )
    assert float(abs(exact.conservation_error).max()) < 1e-6 < 1e-3 < float(abs(noisy.conservation_error).max())
    assert float(noisy.ssh_std.mean()) > float(exact.ssh_std.mean())
    xr.testing.assert_equal(noisy, each)


def test_a_value_of_huge_noise_is_as_if_it_were_missing():
    """Missing in the field, under a fine mask that is all sea, against any value of huge noise."""
    da, noise = coarse_field((10, 12)), np.full((10, 12), 0.01)
    noise[4, 5] = 1e4
    wrong = da.copy()
    wrong[4, 5] = 3.0
    given = {"method": "kriging", "mask": np.ones((20, 24), bool), "extrapolate": True}
    missing = xr_dip.interpolate(da.where(noise < 1), 2, noise_std=0.01, **given)
    found = xr_dip.interpolate(wrong, 2, noise_std=noise, **given)
    np.testing.assert_allclose(found.ssh_mean, missing.ssh_mean, atol=1e-5)
    np.testing.assert_allclose(found.ssh_std, missing.ssh_std, rtol=1e-4)


def test_other_interpolation_knows_of_none():
    with pytest.raises(
        ValueError, match=r"Invalid noise_std with the method 'bicubic'[.] It must be None: only 'kriging'"
    ):
        xr_dip.interpolate(coarse_field(), 2, method="bicubic", noise_std=0.02)


def test_by_accessor_and_of_a_dataset(tiny):
    da = coarse_field()
    noise = noise_like(da)
    expected = run(da, preset=tiny, noise_std=noise, perturb_observations=True).ssh_mean
    given = {"preset": tiny, "noise_std": noise, "perturb_observations": True, "members": 2, "progress": False}
    xr.testing.assert_equal(da.dip.downscale(2, device="cpu", **given).ssh_mean, expected)
    xr.testing.assert_equal(da.to_dataset().dip.downscale("ssh", 2, device="cpu", **given).ssh_mean, expected)
    kriged = xr_dip.interpolate(da, 2, method="kriging", noise_std=noise).ssh_mean
    xr.testing.assert_equal(da.dip.interpolate(2, method="kriging", noise_std=noise).ssh_mean, kriged)
    xr.testing.assert_equal(da.to_dataset().dip.interpolate("ssh", 2, "kriging", noise_std=noise).ssh_mean, kriged)
