"""Large fields, tile by tile: the same rules, the same bits however they are computed, no seams."""

import json
import warnings
import weakref

import dask
import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_fields import sample_pair
from test_downscaling import coarse_field, run

import xr_dip
from xr_dip import tiles
from xr_dip.blocks import block_mean
from xr_dip.errors import DipWarning
from xr_dip.sea import GAP, Flag

TILES = {"tile": 10, "overlap": 4}


def large_field(**options):
    return coarse_field((14, 17), **options)


def smooth_field(shape, seed=0, length=3.0):
    """A homogeneous random field, on degrees of which none is much narrower than another."""
    da = coarse_field(shape)
    values = sample_pair(shape, (1, 1), 2.5, length, np.random.default_rng(seed))[0]
    return da.copy(data=values.astype("float32")).assign_coords(lat=0.25 * np.arange(shape[0])[::-1])


def test_the_result_has_the_form_of_any_other(tiny):
    da = large_field()
    tiled, whole = (run(da, preset=tiny, keep_members=True, **options) for options in (TILES, {}))
    assert set(tiled.data_vars) - set(whole.data_vars) == {"seam_ratio"}
    for name in whole.data_vars:
        assert tiled[name].dims == whole[name].dims
        assert tiled[name].dtype == whole[name].dtype
        assert tiled[name].shape == whole[name].shape
    xr.testing.assert_identical(
        tiled.drop_vars(tiled.data_vars).drop_attrs(), whole.drop_vars(whole.data_vars).drop_attrs()
    )
    assert abs(tiled.conservation_error).max() < 1e-6
    for member in tiled.ssh_members:
        np.testing.assert_allclose(block_mean(member.values, np.ones((28, 34)), (2, 2)), da.values, atol=1e-6)
    described = json.loads(tiled.attrs["xr_dip_configuration"])
    assert (described["tile"], described["overlap"]) == ([10, 10], 4)
    assert json.loads(whole.attrs["xr_dip_configuration"])["tile"] is None


def test_a_small_field_is_one_tile_unless_asked(tiny):
    da = coarse_field((6, 8))
    xr.testing.assert_equal(run(da, preset=tiny), run(da, preset=tiny, tile=None))
    xr.testing.assert_equal(run(da, preset=tiny), run(da, preset=tiny, tile=8))


def test_lazy_equals_eager_whatever_the_chunks(tiny):
    da = large_field(times=2, land=True)
    eager = run(da, preset=tiny, keep_members=True, **TILES)

    def refuse(*_, **__):
        raise AssertionError("something was computed while building")

    ways = {"synchronous": {"lat": 5}, "threads": {"time": 2, "lon": 4}, "threading": {"time": 1}}
    for scheduler, chunks in ways.items():
        with dask.config.set(scheduler=refuse):
            lazy = run(da.chunk(chunks), preset=tiny, keep_members=True, **TILES)
        assert all(variable.chunks is not None for variable in lazy.data_vars.values())
        assert lazy.ssh_mean.chunks[1:] == ((14, 14), (14, 6, 14))
        xr.testing.assert_equal(lazy.compute(scheduler=scheduler), eager)


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_one_worker_two_workers_and_none_give_the_same_bits(processes, tmp_path, tiny):
    da = large_field(times=2)
    options = {"preset": "fast" if processes else tiny, "members": 2, **TILES}  # a process knows no preset of a test
    eager = run(da, **options)
    for workers in (1, 2):
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=processes,
                dashboard_address=":0",
                local_directory=str(tmp_path),
            ) as cluster,
            Client(cluster),
        ):
            xr.testing.assert_equal(run(da.chunk(time=1), **options).compute(), eager)


def test_a_day_is_the_same_alone_and_in_its_series(tiny):
    da = large_field(times=2)
    series, alone = run(da, preset=tiny, **TILES), run(da.isel(time=1), preset=tiny, **TILES)
    np.testing.assert_array_equal(series.ssh_mean[1], alone.ssh_mean)
    np.testing.assert_array_equal(series.ssh_std[1], alone.ssh_std)


def test_tiles_do_not_depend_on_those_far_away(tiny):
    da = coarse_field((10, 40))
    other = da.copy()
    other[:, 30:] += 0.5
    before, after = (run(field, preset=tiny, **TILES) for field in (da, other))
    np.testing.assert_array_equal(before.ssh_mean[:, :40], after.ssh_mean[:, :40])
    assert not np.array_equal(before.ssh_mean[:, 60:], after.ssh_mean[:, 60:])


def test_the_spread_of_members_does_not_shrink_where_tiles_overlap(tiny):
    da = smooth_field((16, 44), length=1.5)
    out = run(da, 4, preset=tiny, members=12, tile=16, overlap=8, keep_members=True)
    blended = (out.ssh_flag.astype(int) & Flag.seam) > 0
    assert 0.2 < float(blended.mean()) < 0.5
    variance = out.ssh_members.var("member", ddof=1)
    at_seam, beside = (float(variance.where(where).mean()) for where in (blended, ~blended))
    # Draws of their own in each tile would leave half of the variance in the middle of an overlap, 0.7 on average.
    assert at_seam > 0.85 * beside
    expected = (out.ssh_std**2).where(blended).mean() / (out.ssh_std**2).where(~blended).mean()
    assert at_seam / beside == pytest.approx(float(expected), rel=0.15)


def test_no_seam_is_seen_and_tiles_are_as_good_as_the_whole():
    fine = sample_pair((64, 160), (0.25, 0.25), 2.5, 2.0, np.random.default_rng(3))[0]
    values = block_mean(fine, np.ones(fine.shape), (4, 4))
    da = coarse_field(values.shape)
    da = da.copy(data=values.astype("float32")).assign_coords(lat=0.25 * np.arange(values.shape[0]))
    tiled = run(da, 4, preset="fast", tile=16, overlap=6)
    whole = run(da, 4, preset="fast")
    assert 0.95 < float(tiled.seam_ratio) < 1.05
    errors = [float(np.sqrt(((out.ssh_mean.values - fine) ** 2).mean())) for out in (tiled, whole)]
    assert errors[0] < 1.05 * errors[1]
    # At the seams it is no worse than elsewhere.
    blended = ((tiled.ssh_flag.astype(int) & Flag.seam) > 0).values
    square = (tiled.ssh_mean.values - fine) ** 2
    assert square[blended].mean() < 1.2 * square[~blended].mean()


def test_land_and_empty_tiles(tiny):
    da = large_field()
    da[:, :10] = np.nan  # the first column of tiles sees land only
    sea = np.ones((28, 34), dtype=bool)
    sea[20:, 27:] = False
    da[10:, 13:] = np.nan
    out = run(da, preset=tiny, mask=sea, **TILES)
    whole = run(da, preset=tiny, mask=sea)
    np.testing.assert_array_equal(out.ssh_flag.values & ~np.int8(Flag.seam), whole.ssh_flag)
    np.testing.assert_array_equal(out.ssh_mean.isnull(), whole.ssh_mean.isnull())
    np.testing.assert_array_equal(out.conservation_error.isnull(), whole.conservation_error.isnull())
    assert (out.ssh_flag[:, :20] == Flag.no_data).all()
    assert (run(da, preset=tiny, **TILES).ssh_flag[:, :20] == Flag.land).all()
    assert np.isfinite(out.predicted_rmse)


@given(seed=st.integers(0, 2**31), factor=st.tuples(st.integers(1, 3), st.integers(1, 3)), share=st.floats(0.05, 0.8))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_coast_on_any_factor(seed, factor, share, tiny):
    rng = np.random.default_rng(seed)
    da = large_field()
    rough = sample_pair((14 * factor[0], 17 * factor[1]), (1, 1), 1.5, 3.0, rng)[0]
    sea = rough > np.quantile(rough, share)
    da = da.where(block_mean(sea.astype(float), np.ones(sea.shape), factor) > 0)
    da = da.where(rng.random(da.shape) < 0.95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # of coarse cells without sea
        out, whole = (run(da, factor, preset=tiny, mask=sea, **options) for options in (TILES, {}))
    np.testing.assert_array_equal(out.ssh_mean.isnull(), whole.ssh_mean.isnull())
    np.testing.assert_array_equal(out.ssh_std.isnull(), whole.ssh_mean.isnull())
    np.testing.assert_array_equal(out.conservation_error.isnull(), whole.conservation_error.isnull())
    assert np.nanmax(abs(out.conservation_error)) < 1e-6


def test_extrapolated_cells_are_those_of_the_whole(tiny):
    da = large_field()
    da[5:9, 6:12] = np.nan
    options = {"preset": tiny, "mask": np.ones((28, 34), dtype=bool), "extrapolate": True}
    tiled, whole = run(da, **options, **TILES), run(da, **options)
    extrapolated = [(out.ssh_flag.values & Flag.extrapolated) > 0 for out in (tiled, whole)]
    np.testing.assert_array_equal(*extrapolated)
    assert np.isfinite(tiled.ssh_mean.values[extrapolated[0]]).all()


def test_around_the_globe(tiny):
    shape = (12, 36)
    rng = np.random.default_rng(0)
    fine = sample_pair((24, 72), (0.5, 0.5), 2.5, 2.0, rng, periodic=True)[0]
    coords = {"lat": np.linspace(-27.5, 27.5, 12), "lon": np.arange(5.0, 365.0, 10.0)}
    da = xr.DataArray(block_mean(fine, np.ones(fine.shape), (2, 2)), coords, ("lat", "lon"), name="ssh")
    out = run(da.assign_attrs(units="m"), preset=tiny, **TILES)
    assert out.ssh_mean.shape == (24, 72)
    assert abs(out.conservation_error).max() < 1e-6
    blended = (out.ssh_flag.values & Flag.seam) > 0
    assert blended[:, 0].all()  # two tiles hand over where the grid begins
    assert blended[:, -1].all()
    step = abs(out.ssh_mean.values - np.roll(out.ssh_mean.values, 1, axis=1)).mean(axis=0)
    assert step[0] < 1.5 * np.median(step)
    assert shape == da.shape


def test_a_gap_stays_a_gap_and_an_empty_field_is_refused(tiny):
    da = large_field(times=2)
    da[0] = np.nan
    with pytest.warns(DipWarning, match="A time without any value"):
        out = run(da, preset=tiny, **TILES)
    assert out.ssh_mean[0].isnull().all()
    assert (out.ssh_flag[0] == GAP).all()
    assert np.isnan(out.predicted_rmse[0])
    assert np.isfinite(out.ssh_mean[1]).all()
    lazy = run(da[:1].chunk(), preset=tiny, **TILES)
    with pytest.raises(ValueError, match="It must hold data, but it is NaN everywhere"):
        lazy.ssh_mean.compute()


def test_bad_values_are_named_by_their_place_in_the_field(tiny):
    da = large_field()
    da[12, 15] = 512.0
    with pytest.raises(ValueError, match=r"512.0 at index \(12, 15\)"):
        run(da.chunk(), preset=tiny, **TILES).ssh_mean.compute()


@pytest.mark.parametrize(
    "options", [{"noise_std": 0.01}, {"constraint": "smooth"}, {"constraint": "none"}, {"weights": "area"}]
)
def test_every_way_of_combining_works_on_tiles(options, tiny):
    out = run(large_field(land=True), preset=tiny, **TILES, **options)
    assert np.isfinite(out.ssh_mean.values[8:, 12:]).all()
    exact = "noise_std" not in options and options.get("constraint") != "none"
    assert (abs(out.conservation_error).max() < 1e-6) == exact
    assert np.isnan(out.predicted_rmse) == np.isnan(out.predicted_skill) == ("constraint" in options)


def test_the_number_of_members_changes_none_of_them(tiny):
    da = large_field()
    few, many = (
        run(da, preset=tiny, members=members, constraint="smooth", keep_members=True, **TILES) for members in (2, 3)
    )
    np.testing.assert_array_equal(few.ssh_members, many.ssh_members[:2])


@pytest.mark.parametrize("options", [{"tile": 3}, {"tile": "big"}, {"tile": 10, "overlap": 6}, {"overlap": 1}])
def test_tiles_that_cannot_be_are_refused_before_anything_is_fitted(options):
    with pytest.raises(ValueError, match=r"Invalid (tile|overlap) .*It must be"):
        run(large_field(), **options)


def test_a_progress_bar_counts_the_fits_of_all_tiles(tiny, capfd):
    run(large_field(), preset=tiny, progress=True, **TILES)
    assert "12/12" in capfd.readouterr().err  # six tiles, two members


def test_the_accessor_hands_tiles_over(tiny):
    da = large_field()
    mine = da.dip.downscale(2, members=2, preset=tiny, progress=False, **TILES)
    xr.testing.assert_equal(mine, xr_dip.downscale(da, 2, members=2, preset=tiny, progress=False, **TILES))
    both = da.to_dataset().dip.downscale("ssh", 2, members=2, preset=tiny, progress=False, **TILES)
    np.testing.assert_array_equal(both.ssh_mean, mine.ssh_mean)


@pytest.mark.parametrize("under_land", [False, True])
def test_a_lone_value_far_from_all_others_has_an_error(under_land, tiny):
    da = coarse_field((14, 30))
    sea = np.ones((28, 60), dtype=bool)
    if under_land:  # values that constrain nothing do not count
        sea[:, 24:] = False
        sea[12:14, 56:58] = True
    else:
        da[:, 12:] = np.nan
    da[6, 28] = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # of coarse cells without sea
        tiled, whole = (run(da, preset=tiny, mask=sea, **options) for options in (TILES, {}))
    lone = (slice(12, 14), slice(56, 58))
    assert (tiled.ssh_std[lone] > whole.ssh_std[lone] / 3).all()
    assert (tiled.ssh_std[lone] < whole.ssh_std[lone] * 3).all()


@pytest.mark.parametrize(
    "options",
    [
        {"constraint": "geiss", "constraint_options": {"value_range": (0.0, 1.0)}},
        {"constraint": "scadd", "constraint_options": {"value_range": (0.0, 1.0)}},
        {"constraint": "softmax"},
    ],
)
def test_bounds_are_kept_where_tiles_are_joined(options, tiny):
    da = large_field()
    low, jitter = np.random.default_rng(0).random((2, *da.shape))
    da = da.copy(data=(np.where(low < 0.5, 0.01, 0.98) + 0.01 * jitter).astype("float32"))
    out = run(da, 8, preset=tiny, keep_members=True, **TILES, **options)
    assert abs(out.conservation_error).max() < 1e-6
    assert out.ssh_mean.min() >= -1e-7
    assert out.ssh_members.min() >= -1e-7
    if "constraint_options" in options:
        assert out.ssh_members.max() <= 1 + 1e-6


def test_pieces_go_when_the_patches_around_them_are_made(tiny, monkeypatch):
    """Memory holds some rows of tiles, not all of them, also where totals are computed."""
    alive, most = set(), []

    def counted(self, values, stamp, number):
        piece = estimate(self, values, stamp, number)
        alive.add(number)
        weakref.finalize(piece, alive.discard, number)
        most.append(len(alive))
        return piece

    estimate = tiles.TileEstimate.piece
    monkeypatch.setattr(tiles.TileEstimate, "piece", counted)
    run(coarse_field((64, 16)), 1, preset=tiny, **TILES)
    assert len(most) == 20  # ten rows of two tiles
    assert max(most) <= 4 * 2 + 2


def test_land_over_data_is_flagged_and_said_once(tiny):
    da = large_field()
    sea = np.ones((28, 34), dtype=bool)
    sea[:, :20] = False  # the first column of tiles has data, but no sea
    with pytest.warns(DipWarning, match=r"140 coarse cell\(s\) .* index \(0, 0\)") as said:
        out = run(da, preset=tiny, mask=sea, **TILES)
    assert len([entry for entry in said if "constrain nothing" in str(entry.message)]) == 1
    with pytest.warns(DipWarning, match="constrain nothing"):
        whole = run(da, preset=tiny, mask=sea)
    np.testing.assert_array_equal(out.ssh_flag.values & ~np.int8(Flag.seam), whole.ssh_flag)


def test_no_times_are_no_tiles(tiny):
    assert run(large_field(times=2)[:0], preset=tiny, **TILES).ssh_mean.shape == (0, 28, 34)


def test_each_tile_has_cells_of_its_own_latitude():
    from xr_dip.inputs import find_target
    from xr_dip.recipe import make_recipe
    from xr_dip.tiling import make_tiling

    da = coarse_field((60, 12)).assign_coords(lat=np.linspace(70.0, 11.0, 60))
    _, target = find_target(da, 2)
    parts = {"generator": None, "loss": None, "constraint": None, "operator": None}
    given = {"members": 2, "preset": "fast", "parts": parts, "options": {}, "noise_std": None, "seed": 0}
    tiling = make_tiling((60, 12), (2, 2), tile=12, overlap=4)
    recipe = make_recipe(target, **given, device="cpu", name="ssh", tiling=tiling)
    widths = [recipe.of_tile(tile).spacing[1] for tile in tiling]
    assert widths == sorted(widths)
    assert widths[-1] > 2 * widths[0]
    np.testing.assert_allclose([recipe.of_tile(tile).spacing[0] for tile in tiling], recipe.spacing[0], rtol=0.01)
