"""The main job end to end: what the user's one call returns."""

import dataclasses
import json
import warnings

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from robustness_files import open_robustness

import xr_dip
from xr_dip import samples
from xr_dip.blocks import block_mean
from xr_dip.errors import DipWarning
from xr_dip.sea import Flag


def coarse_field(shape=(6, 8), times=0, land=False, seed=0):
    """A smooth random field on a latitude/longitude grid, float32, with land in a corner on request."""
    rng = np.random.default_rng(seed)
    lead = (times,) if times else ()
    values = rng.normal(size=(*lead, *shape)).cumsum(axis=-1).cumsum(axis=-2) * 0.02
    if land:
        values[..., :2, :3] = np.nan
    coords = {
        "lat": ("lat", 40 - 0.25 * np.arange(shape[0]), {"standard_name": "latitude", "units": "degrees_north"}),
        "lon": ("lon", 5 + 0.25 * np.arange(shape[1]), {"standard_name": "longitude", "units": "degrees_east"}),
    }
    dims = ("lat", "lon")
    if times:
        coords["time"] = ("time", xr.date_range("2020-01-01", periods=times, unit="ns"))
        dims = ("time", *dims)
    attrs = {"units": "m", "standard_name": "sea_surface_height_above_geoid"}
    return xr.DataArray(values.astype("float32"), coords, dims, name="ssh", attrs=attrs)


def run(da, factor=2, **options):
    return xr_dip.downscale(da, factor, **{"members": 2, "progress": False, "device": "cpu", **options})


def test_the_one_line(tiny):
    da = coarse_field()
    out = da.dip.downscale(factor=3, members=2, preset=tiny, progress=False)
    assert out.ssh_mean.shape == out.ssh_std.shape == out.ssh_fit_std.shape == out.ssh_flag.shape == (18, 24)
    assert out.ssh_mean.dtype == out.ssh_std.dtype == np.float32
    assert out.ssh_flag.dtype == np.int8
    assert out.ssh_mean.attrs["units"] == "m"
    assert (out.ssh_std > 0).all()
    np.testing.assert_allclose(block_mean(out.ssh_mean.values, np.ones((18, 24)), (3, 3)), da.values, atol=1e-6)
    assert abs(out.conservation_error).max() < 1e-6
    assert out.conservation_error.dims == ("lat_coarse", "lon_coarse")
    # How much had to be enforced is not nothing: the fits are rough.
    assert abs(out.fit_residual).max() > 1e-4


def test_dataset_and_array_give_the_same(tiny):
    da = coarse_field()
    one = run(da, preset=tiny)
    other = da.to_dataset().dip.downscale("ssh", 2, members=2, preset=tiny, progress=False, device="cpu")
    xr.testing.assert_identical(one.drop_attrs(), other.drop_attrs())


@pytest.mark.parametrize("constraint", ["additive", "smooth", "optimal"])
@pytest.mark.parametrize("weights", ["equal", "area"])
def test_each_constraint_conserves_with_land_and_weights(tiny, constraint, weights):
    da = coarse_field(land=True)
    mask = np.random.default_rng(3).random((12, 16)) > 0.3
    out = run(da, preset=tiny, constraint=constraint, weights=weights, mask=mask, keep_members=True)
    assert float(abs(out.conservation_error).max()) < 1e-6
    sea = np.isfinite(out.ssh_mean.values)
    np.testing.assert_array_equal(sea, mask & np.repeat(np.repeat(np.isfinite(da.values), 2, 0), 2, 1))
    assert np.isfinite(out.ssh_members.values[:, sea]).all()
    assert np.isnan(out.ssh_members.values[:, ~sea]).all()
    if weights == "equal":
        means = block_mean(out.ssh_members.values, sea.astype(float), (2, 2))
        used = np.isfinite(out.conservation_error.values)
        np.testing.assert_allclose(means[:, used], np.broadcast_to(da.values[used], (2, used.sum())), atol=1e-6)


def test_without_constraint_nothing_is_enforced(tiny):
    out = run(coarse_field(), preset=tiny, constraint="none")
    assert float(abs(out.conservation_error).max()) > 1e-4
    np.testing.assert_allclose(out.conservation_error, out.fit_residual, atol=1e-6)


def test_the_mean_of_kept_members_is_the_mean_and_their_spread_the_std(tiny):
    out = run(coarse_field(), members=3, preset=tiny, constraint="additive", keep_members=True)
    assert out.ssh_members.dims[0] == "member"
    np.testing.assert_allclose(out.ssh_members.mean("member"), out.ssh_mean, atol=1e-6)
    np.testing.assert_allclose(out.ssh_members.std("member", ddof=1), out.ssh_std, atol=1e-6)


def test_calibrated_members_have_the_mean_of_the_estimate(tiny):
    out = run(coarse_field(), members=3, preset=tiny, keep_members=True)
    np.testing.assert_allclose(out.ssh_members.mean("member"), out.ssh_mean, atol=1e-6)


def test_one_member_has_no_spread_and_says_so(tiny):
    with pytest.warns(DipWarning, match="One member has no spread"):
        out = run(coarse_field(), members=1, preset=tiny, constraint="additive")
    assert np.isnan(out.ssh_std).all()
    assert np.isnan(out.ssh_fit_std).all()
    assert np.isfinite(out.ssh_mean).all()


def test_few_cells_are_warned_about(tiny):
    with pytest.warns(DipWarning, match="The field has 48 coarse cells. Below 100 the standard error"):
        run(coarse_field(), preset=tiny)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DipWarning)
        run(coarse_field((10, 10)), preset=tiny)
        run(coarse_field(), preset=tiny, constraint="additive")


def test_one_cell_has_no_standard_error_and_says_so(tiny):
    alone = coarse_field((3, 3)).where(lambda da: (da.lat == da.lat[1]) & (da.lon == da.lon[1]))
    with pytest.warns(DipWarning, match="The field has one coarse cell.*standard error is NaN"):
        out = run(alone, preset=tiny)
    assert np.isfinite(out.ssh_mean).sum() == 4
    assert np.isnan(out.ssh_std).all()
    assert np.isnan(out.predicted_rmse)
    assert abs(out.conservation_error).max() < 1e-6


def test_lazy_equals_eager_bit_for_bit_and_building_computes_nothing(tiny):
    da = coarse_field(times=3)
    da[1] = da[1].where(da.lon > 5.3)

    def refuse(*_, **__):
        raise AssertionError("something was computed while building")

    with dask.config.set(scheduler=refuse):
        lazy = run(da.chunk(time=2, lat=3), preset=tiny, keep_members=True)
    assert all(variable.chunks is not None for variable in lazy.data_vars.values())
    eager = run(da, preset=tiny, keep_members=True)
    for scheduler in ("synchronous", "threads"):
        computed = lazy.compute(scheduler=scheduler)
        xr.testing.assert_equal(computed, eager)


def test_a_lazy_result_goes_to_zarr_and_back(tiny, tmp_path):
    lazy = run(coarse_field(times=2).chunk(time=1), preset=tiny)
    lazy.to_zarr(tmp_path / "fine.zarr", consolidated=False)
    back = xr.open_zarr(tmp_path / "fine.zarr", decode_coords="all", consolidated=False)
    xr.testing.assert_equal(back.compute(), lazy.compute())


def test_a_day_is_the_same_alone_and_in_its_series(tiny):
    da = coarse_field(times=3)
    series = run(da, preset=tiny)
    alone = run(da.isel(time=1), preset=tiny)
    np.testing.assert_array_equal(series.ssh_mean[1], alone.ssh_mean)
    assert not np.array_equal(series.ssh_fit_std[0], series.ssh_fit_std[1])


def test_the_seed_decides(tiny):
    da = coarse_field()
    one, same, other = (run(da, preset=tiny, seed=seed) for seed in (1, 1, 2))
    xr.testing.assert_equal(one, same)
    assert not one.ssh_std.equals(other.ssh_std)  # the fits may have no weight in the mean


def test_the_order_of_dimensions_is_kept(tiny):
    da = coarse_field(times=2)
    out = run(da, preset=tiny)
    turned = run(da.transpose("lon", "time", "lat"), preset=tiny)
    assert turned.ssh_mean.dims == ("lon", "time", "lat")
    np.testing.assert_array_equal(turned.ssh_mean.transpose("time", "lat", "lon"), out.ssh_mean)


def test_a_day_without_values_is_a_gap_among_others(tiny):
    da = coarse_field(times=2)
    da[0] = np.nan
    with pytest.warns(DipWarning, match="A time without any value"):
        out = run(da, preset=tiny)
    assert np.isnan(out.ssh_mean[0]).all()
    assert np.isnan(out.ssh_std[0]).all()
    assert (out.ssh_flag[0] != 0).all()
    assert np.isfinite(out.ssh_mean[1]).all()


def test_the_bar_counts_every_fit(tiny, capsys):
    da = coarse_field(times=2)
    da[0] = np.nan
    with pytest.warns(DipWarning, match="A time without any value"):
        run(da, members=3, preset=tiny, keep_members=True, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_the_plateau_rule_and_an_unweighed_misfit_by_preset(tiny, monkeypatch):
    from xr_dip import presets

    plain = presets.PRESETS[tiny]
    stopping = {"stopping": "plateau", "whitening": 0.0, "iterations": 130}
    monkeypatch.setitem(presets.PRESETS, "plain", lambda factor: dataclasses.replace(plain(factor), **stopping))
    out = run(coarse_field(), preset="plain")
    assert float(abs(out.conservation_error).max()) < 1e-6
    assert float(out.iterations) <= 130


def test_the_discrepancy_rule_needs_the_noise(tiny, monkeypatch):
    from xr_dip import presets

    plain = presets.PRESETS[tiny]
    monkeypatch.setitem(
        presets.PRESETS, "plain", lambda factor: dataclasses.replace(plain(factor), stopping="discrepancy")
    )
    with pytest.raises(ValueError, match=r"Invalid noise_std None[.] The discrepancy rule stops at the noise"):
        run(coarse_field(), preset="plain")


def test_a_series_of_no_times_gives_a_series_of_no_times(tiny):
    out = run(coarse_field(times=2).isel(time=slice(0, 0)), preset=tiny)
    assert out.ssh_mean.shape == (0, 12, 16)


def test_what_land_holds_never_matters(tiny):
    """A coarse value over fine land only: dropping it or changing it changes no bit of the sea."""
    da, mask = coarse_field(), np.ones((12, 16), bool)
    mask[:2, :2] = False
    results = []
    for value in (0.0, 55.0):
        changed = da.copy()
        changed[0, 0] = value
        with pytest.warns(DipWarning, match="no sea on the fine grid"):
            results.append(run(changed, preset=tiny, mask=mask))
    xr.testing.assert_equal(results[0].ssh_mean, results[1].ssh_mean)


def test_land_of_any_value_gives_the_same_bits(tiny):
    """Missing, or of one value that a mask in the Dataset or the user calls land."""
    da = coarse_field(land=True)
    expected = run(da, preset=tiny)
    mask = da.notnull().rename("mask_rho").drop_attrs().assign_attrs(standard_name="land_binary_mask")
    for land in (0.0, -77.0, 1e20, np.nan):
        filled = da.fillna(land)
        by_mask = xr.Dataset({"ssh": filled, "mask_rho": mask}).dip.downscale(
            "ssh", 2, members=2, preset=tiny, progress=False, device="cpu"
        )
        xr.testing.assert_equal(by_mask, expected)
        if np.isfinite(land):
            xr.testing.assert_equal(run(filled, preset=tiny, land_value=land), expected)
            lazy = run(filled.chunk(), preset=tiny, land_value=land)
            xr.testing.assert_equal(lazy.compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize("constraint", ["optimal", "additive"])
def test_fine_sea_beside_the_data_gets_values_on_request(tiny, constraint):
    """Within one coarse cell of data, where the mask is open; flagged, and of the size of what is beside it."""
    da, mask = coarse_field((8, 10), land=True), np.ones((16, 20), bool)
    mask[0] = False
    options = {"preset": tiny, "mask": mask, "constraint": constraint}
    plain, more = run(da, **options), run(da, **options, extrapolate=True)
    beyond = (more.ssh_flag.values & Flag.extrapolated) > 0
    # Land covers two coarse rows and three columns; only its inner corner, at (0, 0) and (0, 1), is farther.
    expected = np.zeros((16, 20), bool)
    expected[1:4, :6] = True
    expected[:2, :4] = False
    np.testing.assert_array_equal(beyond, expected)
    np.testing.assert_array_equal(np.isfinite(more.ssh_mean), np.isfinite(plain.ssh_mean) | beyond)
    assert (more.ssh_std.values[beyond] > 0).all()
    assert np.abs(more.ssh_mean.values[beyond]).max() < 2 * np.nanmax(np.abs(da))
    assert float(abs(more.conservation_error).max()) < 1e-6


@pytest.mark.parametrize("method", ["bicubic", "conservative_spline", "kriging"])
def test_a_baseline_beyond_the_data_changes_nothing_under_them(method):
    da, mask = coarse_field((8, 10), land=True), np.ones((16, 20), bool)
    plain = xr_dip.interpolate(da, 2, method, mask=mask)
    more = xr_dip.interpolate(da, 2, method, mask=mask, extrapolate=True)
    beyond = (more.ssh_flag.values & Flag.extrapolated) > 0
    assert beyond.any()
    np.testing.assert_array_equal(np.isfinite(more.ssh_mean), np.isfinite(plain.ssh_mean) | beyond)
    np.testing.assert_array_equal(more.ssh_mean.where(~beyond), plain.ssh_mean)


def test_a_large_part_of_one_value_is_warned_about(tiny):
    da = coarse_field((12, 16))
    da[:4, :4] = 0.0
    with pytest.warns(DipWarning, match="16 connected cells of 'ssh', 8%, are exactly 0.*land_value=0"):
        run(da, preset=tiny, constraint="additive")


def test_several_variables_are_one_dataset(tiny):
    dataset = xr.Dataset({"adt": coarse_field(), "sla": coarse_field(seed=1)})
    options = {"members": 2, "preset": tiny, "progress": False, "device": "cpu"}
    both = dataset.dip.downscale(["adt", "sla"], 2, **options)
    alone = dataset.dip.downscale("sla", 2, **options)
    xr.testing.assert_identical(both.sla_mean, alone.sla_mean)
    np.testing.assert_array_equal(both.sla_conservation_error, alone.conservation_error)
    assert "conservation_error" not in both
    assert both.adt_iterations == alone.iterations


def test_noise_loosens_the_fit_and_switches_conservation_off(tiny):
    da = coarse_field()
    exact = run(da, preset=tiny)
    noisy = run(da, preset=tiny, noise_std=0.02)
    assert float(abs(exact.conservation_error).max()) < 1e-6
    assert 1e-5 < float(abs(noisy.conservation_error).max()) < 0.2


def test_the_configuration_is_written(tiny):
    out = run(coarse_field(), preset=tiny, loss="charbonnier")
    configuration = json.loads(out.attrs["xr_dip_configuration"])
    assert configuration["loss"] == "charbonnier"
    assert configuration["factor"] == [2, 2]
    assert configuration["operator"] == "block_mean"
    assert (configuration["mask"], configuration["weights"]) == ("coarse", "equal")
    assert (configuration["land_value"], configuration["coarse_mask"]) == (None, None)
    assert (configuration["periodic"], configuration["extrapolate"]) == (False, False)
    assert out.attrs["Conventions"].startswith("CF-")
    assert out.attrs["xr_dip_largest_conservation_error"] < 1e-6
    assert out.attrs["xr_dip_mean_absolute_conservation_error"] <= out.attrs["xr_dip_largest_conservation_error"]
    assert abs(out.attrs["xr_dip_area_mean_conservation_error"]) < out.attrs["xr_dip_largest_fit_residual"]
    assert "balanced" not in out.attrs["source"]


def test_another_generator_by_name(tiny):
    out = run(coarse_field((2, 3)), 4, preset=tiny, generator="dcgan", constraint="smooth")
    assert json.loads(out.attrs["xr_dip_configuration"])["generator"] == "dcgan"
    assert float(abs(out.conservation_error).max()) < 1e-6


def plane(values):
    return coarse_field((4, 5)).copy(data=np.asarray(values, "float32"))


@pytest.mark.parametrize("value", [0.0, -0.7])
def test_a_constant_field_stays_constant_and_says_so_once(tiny, value):
    with pytest.warns(DipWarning, match=f"Every value of 'ssh' is {value:g}. A constant field") as record:
        out = run(plane(np.full((4, 5), value)), 3, preset=tiny)
    assert sum("constant" in str(warning.message) for warning in record) == 1
    np.testing.assert_allclose(out.ssh_mean, value, atol=2e-4)


def test_a_plane_stays_a_plane(tiny):
    out = run(plane(0.1 * np.add.outer(np.arange(4), np.arange(5))), 3, preset=tiny)
    row = np.arange(12)[:, None] / 3 - 1 / 3
    column = np.arange(15) / 3 - 1 / 3
    np.testing.assert_allclose(out.ssh_mean, 0.1 * (row + column), atol=2e-4)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 6)),
    factor=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 99),
    share=st.floats(0, 0.7),
)
def test_any_size_factor_and_coast_conserves(tiny, shape, factor, seed, share):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    values[rng.random(shape) < share] = np.nan
    values.flat[rng.integers(values.size)] = 0.3
    coords = {"lat": 30.0 + np.arange(shape[0]), "lon": 100.0 + np.arange(shape[1])}
    assume(shape != (1, 1))  # a single cell has no known size; find_horizontal says so
    da = xr.DataArray(values, coords, ("lat", "lon"), name="ssh", attrs={"units": "m"})
    out = run(da, factor, preset=tiny)
    assert out.ssh_mean.shape == (shape[0] * factor[0], shape[1] * factor[1])
    error = out.conservation_error.values
    np.testing.assert_array_equal(np.isfinite(error), np.isfinite(values))
    assert np.nanmax(np.abs(error)) < 1e-6
    known = np.isfinite(out.ssh_std.values[np.isfinite(out.ssh_mean.values)])
    assert known.all() if np.isfinite(values).sum() > 1 else not known.any()


def test_no_choice_uses_the_truth(tiny):
    """The same block means of a poisoned truth: not one bit of the estimate differs."""
    rng = np.random.default_rng(5)
    # Multiples of 2^-10 add without rounding, so shuffling within the blocks leaves their means bit for bit.
    truth = np.round(rng.normal(size=(6, 4, 8, 4)) * 1024) / 1024
    poisoned = rng.permuted(rng.permuted(truth, axis=1), axis=3)
    estimates = []
    for fine in (truth, poisoned):
        coarse = coarse_field().copy(data=fine.mean(axis=(1, 3)).astype("float32"))
        estimates.append(run(coarse, 4, preset=tiny, keep_members=True))
    assert not np.array_equal(truth, poisoned)
    xr.testing.assert_equal(*estimates)


@pytest.mark.samples
def test_a_croco_file_knows_its_land(tiny):
    """Its zeros on land are missing by its mask_rho; a day without motion is constant, which is said."""
    options = {"members": 2, "preset": tiny, "constraint": "additive", "progress": False, "device": "cpu"}
    with open_robustness("croco") as dataset:
        window = dataset.isel(eta_rho=slice(14, 28), xi_rho=slice(12, 32))
        out = window.dip.downscale("zeta", 2, **options)
        sea = np.kron(window.mask_rho.values, np.ones((2, 2))) == 1
    assert 0.5 < sea.mean() < 0.95
    np.testing.assert_array_equal(np.isfinite(out.zeta_mean[0]), sea)
    assert float(abs(out.conservation_error).max()) < 1e-6
    assert json.loads(out.attrs["xr_dip_configuration"])["coarse_mask"] == "mask_rho"
    with open_robustness("croco_constant", decode_times=False) as dataset:
        window = dataset.isel(eta_rho=slice(14, 30), xi_rho=slice(16, 36))
        with pytest.warns(DipWarning, match="Every value of 'zeta' is 0"):
            out = window.dip.downscale("zeta", 2, **{**options, "constraint": "optimal"})
    assert float(abs(out.zeta_mean[0]).max()) < 1e-6
    assert float(out.zeta_mean[1].std()) > 0.001


@pytest.mark.samples
def test_the_mask_of_one_minute_makes_the_coast_of_an_altimetry_map():
    """1 is land in that mask: taken the other way round, it is refused."""
    with samples.open_dataset("mediterranean") as dataset, samples.open_dataset("land_mask") as land:
        field = dataset.adt.isel(time=0, longitude=slice(60, 120), latitude=slice(60, 110))
        with pytest.raises(ValueError, match=r"Invalid mask.*If 1 is land in it, set its standard_name"):
            xr_dip.interpolate(field, 4, mask=land["mask"])
        mask = land["mask"].assign_attrs(standard_name="land_binary_mask")
        fine = xr_dip.interpolate(field, 4, mask=mask)
        nearest = mask.sel(lat=fine.latitude, lon=fine.longitude % 360, method="nearest")
        sea = nearest.transpose("latitude", "longitude") == 0
        under_data = np.kron(field.notnull(), np.ones((4, 4))) == 1
    estimated = fine.adt_mean.notnull().values
    assert not (estimated & ~under_data).any()
    assert (estimated == (sea.values & under_data)).mean() > 0.97
    assert json.loads(fine.attrs["xr_dip_configuration"])["mask"] == "regridded by majority"


def refuse_fits(*_, **__):
    raise AssertionError("something was fitted")


def test_what_the_metadata_forbid_is_refused_before_the_fits(tiny, monkeypatch):
    monkeypatch.setattr("xr_dip.estimate.fit_members", refuse_fits)
    monkeypatch.setattr("xr_dip.cf.dataset._links", lambda *_: (_ for _ in ()).throw(ValueError("no metadata")))
    with pytest.raises(ValueError, match="no metadata"):
        run(coarse_field((10, 10)), preset=tiny)


@pytest.mark.parametrize("kind", ["bins", "zone", "periods", "category"])
def test_times_of_pandas_that_are_no_dates_of_numpy_are_carried(tiny, kind):
    da = coarse_field((10, 10), times=2)
    if kind == "bins":
        da = da.groupby_bins("time", np.array(["2019-12-30", "2020-01-03"], "datetime64[ns]")).mean()
    else:
        index = {
            "zone": pd.date_range("2020-01-01", periods=2, tz="UTC"),
            "periods": pd.period_range("2020-01-01", periods=2),
            "category": pd.CategoricalIndex(["DJF", "JJA"]),
        }[kind]
        da = da.assign_coords(time=index)
    out = run(da.transpose(..., "lat", "lon"), preset=tiny)
    dim = da.dims[0] if kind != "bins" else "time_bins"
    assert out.indexes[dim].equals(da.indexes[dim])
    assert float(abs(out.conservation_error).max()) < 1e-6


def test_bounds_of_time_may_share_the_name_of_the_dimension_of_corners(tiny, tmp_path):
    da = coarse_field((10, 10), times=2)
    positions = dict(zip(("nav_lat", "nav_lon"), np.meshgrid(da.lat, da.lon, indexing="ij"), strict=True))
    bare = da.drop_vars(["lat", "lon"]).rename(lat="y", lon="x")
    ds = bare.assign_coords({name: (("y", "x"), values) for name, values in positions.items()}).to_dataset()
    ds.time.attrs["bounds"] = "time_bnds"
    ds["time_bnds"] = (("time", "nvertex"), np.stack([ds.time.values, ds.time.values + np.timedelta64(1, "D")], axis=1))
    out = ds.dip.interpolate("ssh", 2)
    assert out.time_bnds.dims == ("time", "nvertex_2")
    assert out.nav_lat_bnds.sizes["nvertex"] == 4
    out.to_netcdf(tmp_path / "fine.nc")
