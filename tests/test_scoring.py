"""`verify`: every score against its definition, the coarse values given back, other methods run on them."""

import inspect

import cftime
import dask
import numpy as np
import pyproj
import pytest
import xarray as xr
from families import polar

import xr_dip
from xr_dip import samples, twin, verification
from xr_dip.accessor import DipDataset
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.errors import DipWarning
from xr_dip.scoring import verify

DIMS = ("latitude", "longitude")
OWN = ["current_rmse", "vorticity_rmse", "lambda_x"]


def truth_field(shape=(24, 36)):
    return xr_dip.synthetic.gulf_stream(shape, resolution=1 / 15).ssh.reset_coords(drop=True)


def with_land(truth):
    """A coast that cuts through blocks, and an island of one fine cell."""
    sea = truth.longitude - truth.longitude[0] + 0.5 * (truth.latitude - truth.latitude[0]) > 0.4
    sea[12, 20] = False
    return truth.where(sea)


def make(truth, method="conservative_spline", factor=4, **options):
    coarse, _ = twin.coarsen(truth, factor, weights=options.get("weights", "equal"))
    sea = truth.notnull().any([dim for dim in truth.dims if dim not in DIMS])
    return xr_dip.interpolate(coarse, factor, method, mask=sea.drop_vars(sea.coords), **options)


def with_members(result, count=5, spread=0.01):
    """The result with a standard error and members around it."""
    rng = np.random.default_rng(0)
    members = result.ssh_mean + spread * xr.DataArray(rng.normal(size=(count, 24, 36)), dims=("member", *DIMS))
    return result.assign(ssh_members=members, ssh_std=0 * result.ssh_mean + spread)


def test_scores_are_those_of_the_verification():
    truth = truth_field()
    fine = with_members(make(truth))
    scores = verify(fine, truth, baselines=())
    spacing = find_horizontal(fine.ssh_mean, dataset=fine).grid.spacing()
    expected = verification.evaluate(fine, truth, dims=DIMS, spacing=spacing)
    assert set(scores) == {*expected, *OWN, "rank_histogram"}
    for key in expected:
        rtol = 5e-3 if key in ("gradient_rmse", "laplacian_rmse") else 1e-9  # parallels shorten within 1.6 degrees
        np.testing.assert_allclose(scores[key], expected[key], rtol=rtol, err_msg=key)
    histogram = verification.rank_histogram(fine.ssh_members, truth, dims=DIMS)
    np.testing.assert_allclose(scores.rank_histogram, histogram)
    assert float(scores.rank_histogram.sum()) == pytest.approx(1)


def test_a_single_member_has_no_scores_of_members():
    truth = truth_field()
    scores = verify(with_members(make(truth), count=1), truth, baselines=())
    assert "spread_skill" in scores
    assert not {"crps", "rank_histogram"} & set(scores)


def test_currents_are_compared_as_vectors():
    truth = truth_field()
    fine = make(truth)
    scores = verify(fine, truth, baselines=())
    mine, known = fine.ssh_mean.astype("f8").dip.currents(), truth.astype("f8").dip.currents()
    known = known.assign_coords({dim: mine[dim] for dim in DIMS})
    length = np.sqrt(((mine.u - known.u) ** 2 + (mine.v - known.v) ** 2).mean())
    assert float(scores.current_rmse) == pytest.approx(float(length), rel=1e-5)
    curl = np.sqrt(((mine.vorticity - known.vorticity) ** 2).mean())
    assert float(scores.vorticity_rmse) == pytest.approx(float(curl), rel=1e-5)
    assert (scores.current_rmse.units, scores.vorticity_rmse.units, scores.lambda_x.units) == ("m s-1", "s-1", "m")


def test_slopes_are_per_metre_at_every_latitude():
    # An error that grows by 1 m per degree eastward, seen at 60 N only: 1 m per 55.8 km of its parallel.
    axes = {"latitude": np.arange(0.5, 64.0), "longitude": np.arange(0.5, 24.0)}
    ramp = 0.01 * np.arange(64.0)[:, None] + np.zeros(24)
    truth = xr.DataArray(ramp, axes, DIMS, name="ssh", attrs={"units": "m"})
    fine = make(truth, "bilinear")
    fine = fine.assign(ssh_mean=fine.ssh_mean.copy(data=truth + truth.longitude))
    north = abs(truth.latitude - 60.5) < 0.1
    scores = verify(fine, truth, weights=north * xr.ones_like(truth), baselines=())
    parallel = np.radians(6378137 * np.cos(np.radians(60.5)))
    assert float(scores.gradient_rmse) == pytest.approx(1 / parallel, rel=3e-3)  # of the ellipsoid


@pytest.mark.parametrize(("units", "known"), [("dm", False), ("degC", False), ("cm", True), (None, True)])
def test_only_heights_have_currents(units, known):
    truth = truth_field().drop_attrs()
    fine = make(truth if units is None else truth.assign_attrs(units=units), "bilinear")
    scores = verify(fine, truth, baselines=())
    assert ({"current_rmse", "vorticity_rmse"} <= set(scores)) is known
    assert {"lambda_x", "gradient_rmse"} <= set(scores)


def test_a_perfect_result_has_perfect_scores():
    truth = truth_field()
    fine = make(truth)
    scores = verify(fine.assign(ssh_mean=fine.ssh_mean.copy(data=truth.values)), truth, baselines=())
    for key in ("bias", "rmse", "current_rmse", "vorticity_rmse", "gradient_rmse"):
        assert float(scores[key]) == 0
    assert float(scores.ssim) == pytest.approx(1)
    spacing = find_horizontal(truth).grid.spacing()
    assert float(scores.lambda_x) == pytest.approx(2 * spacing[1], rel=1e-3)


@pytest.mark.parametrize("options", [{}, {"weights": "area"}])
@pytest.mark.parametrize("prepare", [truth_field, lambda: with_land(truth_field())], ids=["sea", "coast"])
def test_baselines_are_those_of_the_coarse_values(prepare, options):
    # The result never saw the truth: what is recomputed from it is what the coarse field itself gives.
    truth = prepare()
    fine = make(truth, "bilinear", **options)  # does not conserve, so the block means of the estimate are not enough
    scores = verify(fine, truth, baselines=["bicubic", "kriging", "conservative_spline"])
    for method in ("bicubic", "kriging", "conservative_spline"):
        expected = float(verification.rmse(make(truth, method, **options).ssh_mean, truth, dims=DIMS))
        assert float(scores[f"rmse_{method}"]) == pytest.approx(expected, rel=1e-6), method
        skill = 1 - float(scores.rmse) / expected
        assert float(scores[f"skill_{method}"]) == pytest.approx(skill, rel=1e-5, abs=1e-7)


def test_kriging_is_told_of_the_noise_that_the_result_was():
    truth = truth_field()
    coarse, _ = twin.coarsen(truth, 4)
    noisy = coarse + 0.1 * np.random.default_rng(0).normal(size=coarse.shape)
    told = xr_dip.interpolate(noisy, 4, "kriging", noise_std=0.1)
    scores = verify(told, truth, baselines=["bicubic", "kriging"])
    assert float(scores.skill_kriging) == pytest.approx(0, abs=1e-6)
    assert scores.rmse_kriging.long_name == "root mean square error of kriging"
    field = xr.full_like(coarse, 0.1).where(coarse.latitude > coarse.latitude[2], 0.05).assign_attrs(units="m")
    scores = verify(xr_dip.interpolate(noisy, 4, "kriging", noise_std=field), truth, baselines=["bicubic", "kriging"])
    assert scores.rmse_kriging.long_name == "root mean square error of kriging, not told of the noise"
    assert scores.rmse_bicubic.long_name == "root mean square error of bicubic"


def test_a_method_has_no_skill_against_itself():
    truth = with_land(truth_field())
    scores = verify(make(truth, "kriging"), truth, baselines=["kriging"])
    assert float(scores.skill_kriging) == pytest.approx(0, abs=1e-9)
    assert float(scores.missing_cells) == 0


def test_the_truth_may_have_other_names_an_other_order_and_unit():
    truth = truth_field()
    fine = make(truth)
    other = (100 * truth).assign_attrs(units="cm").rename(latitude="lat", longitude="lon").transpose("lon", "lat")
    xr.testing.assert_allclose(verify(fine, other), verify(fine, truth))
    with pytest.raises(ValueError, match="Invalid truth on another grid"):
        verify(fine, truth.assign_coords(latitude=truth.latitude + 1 / 30))


def test_each_time_is_scored_by_itself():
    truth = truth_field()
    days = xr.concat([truth, 0.5 * truth, truth + 0.1], "time").assign_coords(time=[1, 2, 3])
    fine = make(days)
    scores = verify(fine, days)
    assert dict(scores.sizes) == {"time": 3}
    single = verify(make(days.isel(time=1)), days.isel(time=1))
    for key in ("rmse", "ssim", "current_rmse", "rmse_kriging", "skill_bicubic", "lambda_x"):
        np.testing.assert_allclose(scores[key].isel(time=1), single[key], rtol=1e-6, err_msg=key)
    with pytest.raises(ValueError, match="Invalid coordinate 'time' of the estimate"):
        verify(fine, days.assign_coords(time=[1, 2, 4]))


def week_of_results():
    week = xr_dip.synthetic.gulf_stream((24, 36), resolution=1 / 15, times=3).ssh
    return make(week, "bilinear"), week


def test_a_truth_of_another_day_is_refused():
    fine, week = week_of_results()
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 2009-07-01T.* that of the result, 2009-07-02"):
        verify(fine.isel(time=1), week[0])
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 2009-07-01T00:00:00 alone. It must be all 3"):
        verify(fine, week[0])
    with pytest.raises(ValueError, match=r"Invalid truth with 3 entries along 'time', a dimension that the result"):
        verify(fine.isel(time=0, drop=True), week)
    xr.testing.assert_equal(verify(fine.isel(time=1), week[1]), verify(fine, week).isel(time=1))
    one_for_all = verify(fine, week.isel(time=0, drop=True), baselines=["bicubic"])
    assert dict(one_for_all.sizes) == {"time": 3}


def test_a_truth_in_another_calendar_is_scored():
    fine, week = week_of_results()
    model = week.assign_coords(time=[cftime.DatetimeNoLeap(2009, 7, day) for day in (1, 2, 3)])
    xr.testing.assert_equal(verify(fine, model), verify(fine, week))


def test_a_truth_without_a_cell_to_compare_is_refused():
    fine, week = week_of_results()
    with pytest.raises(ValueError, match=r"Invalid truth without a value where the result has one. There must be a ce"):
        verify(fine, week * np.nan)
    scores = verify(fine, week.where(week.time == week.time[1]), baselines=())
    assert scores.cells.values.tolist() == [0, 24 * 36, 0]


@pytest.mark.parametrize("baselines", ["kriging", None])
def test_baselines_are_a_sequence(baselines):
    with pytest.raises(ValueError, match=rf"Invalid baselines {baselines!r}. It must be a sequence of \['bicubic', "):
        verify(make(truth_field()), truth_field(), baselines=baselines)


def test_area_and_given_weights_count():
    truth = truth_field()
    fine = make(truth)
    area = find_horizontal(truth).grid.area()
    expected = verification.rmse(fine.ssh_mean, truth, dims=DIMS, weights=xr.DataArray(area, dims=DIMS))
    assert float(verify(fine, truth, weights="area", baselines=()).rmse) == pytest.approx(float(expected), rel=1e-9)
    given = xr.DataArray(area, dims=DIMS)
    assert float(verify(fine, truth, weights=given, baselines=()).rmse) == pytest.approx(float(expected), rel=1e-9)


def test_one_of_several_variables_is_chosen():
    truth = truth_field()
    coarse, _ = twin.coarsen(truth, 4)
    both = xr.Dataset({"adt": coarse, "sla": coarse - 0.1}).dip.interpolate(["adt", "sla"], 4)
    scores = verify(both, truth, "sla")
    assert float(scores.bias) == pytest.approx(-0.1, abs=1e-6)
    assert float(scores.rmse_bicubic) > 0.1
    with pytest.raises(ValueError, match=r"Invalid name None. It must be one of \['adt', 'sla'\]"):
        verify(both, truth)


def test_a_file_is_scored_as_the_result_it_holds(tmp_path):
    truth = with_land(truth_field())
    fine = make(truth, "bilinear")
    fine.to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        xr.testing.assert_allclose(verify(read, truth), verify(fine, truth))


def test_lazy_in_lazy_out():
    truth = truth_field()
    days = xr.concat([truth, 0.5 * truth], "time")
    coarse, _ = twin.coarsen(days, 4)
    fine = xr_dip.interpolate(coarse.chunk(time=1), 4, "bilinear")

    def refuse(*_args, **_kwargs):
        raise AssertionError("Something was computed.")

    with dask.config.set(scheduler=refuse):
        lazy = verify(fine, days, baselines=())
    computed = lazy.compute(scheduler="synchronous")
    xr.testing.assert_allclose(computed, verify(fine.compute(), days, baselines=()))


def test_weights_that_the_result_does_not_hold_leave_out_the_baselines():
    truth = truth_field()
    coarse, _ = twin.coarsen(truth, 4)
    fine = xr_dip.interpolate(coarse, 4, weights=np.ones(truth.shape))
    with pytest.warns(DipWarning, match=r"not hold all .* weights 'given on the fine grid' and .*\['bicubic'\]"):
        scores = verify(fine, truth, baselines=["bicubic"])
    assert "rmse_bicubic" not in scores
    assert "rmse" in verify(fine, truth, baselines=())


def test_what_is_no_result_is_refused():
    truth = truth_field()
    with pytest.raises(TypeError, match=r"Invalid result of type DataArray. It must be the Dataset that xr_dip return"):
        verify(make(truth).ssh_mean, truth)
    with pytest.raises(ValueError, match="It must be a result of xr_dip"):
        verify(truth.to_dataset(), truth)
    with pytest.raises(ValueError, match="It must be a result of xr_dip"):
        verify(truth.rename("ssh_mean").to_dataset(), truth)
    with pytest.raises(ValueError, match=r"Invalid baselines 'cubic'. It must be one of"):
        verify(make(truth), truth, baselines=["cubic"])
    with pytest.raises(ValueError, match="Invalid weights 'areas'"):
        verify(make(truth), truth, weights="areas")


def test_a_field_that_is_nowhere_has_no_scores_of_slopes():
    truth = xr.DataArray(truth_field().values, dims=("y", "x"), name="ssh", attrs={"units": "m"})
    with pytest.warns(DipWarning, match="no latitude and longitude"):
        fine = xr_dip.interpolate(truth.coarsen(y=4, x=4).mean(), 4)
    with pytest.warns(DipWarning, match="no latitude and longitude"):
        scores = verify(fine, truth, baselines=["bicubic"])
    assert not {*OWN, "gradient_rmse", "effective_resolution"} & set(scores)
    assert float(scores.skill_bicubic) > 0


def test_a_projected_result_is_scored():
    dataset = polar()
    fine = dataset.dip.interpolate("ssh", 3)
    truth = fine.ssh_mean + 0.01
    scores = verify(fine, truth.rename("ssh"), baselines=["bilinear"])
    assert float(scores.bias) == pytest.approx(-0.01, rel=1e-4)
    assert float(scores.current_rmse) == pytest.approx(0, abs=1e-6)


def test_the_accessor_has_the_same_arguments_and_hands_them_over(monkeypatch):
    function, method = (list(inspect.signature(call).parameters.values()) for call in (verify, DipDataset.verify))
    assert [(item.name, item.kind, item.default) for item in method[1:]] == [
        (item.name, item.kind, item.default) for item in function[1:]
    ]
    seen = []
    monkeypatch.setattr("xr_dip.scoring.verify", lambda *args, **options: seen.append((args, options)))
    truth = truth_field()
    result = truth.to_dataset()
    result.dip.verify(truth, "ssh", weights="area", baselines=())
    assert seen == [((result, truth, "ssh"), {"weights": "area", "baselines": ()})]


@pytest.mark.samples
def test_a_pair_of_files_of_a_model():
    coarse = samples.open_dataset("gulf_stream_coarse").isel(time_counter=0)
    truth = samples.open_dataset("gulf_stream_fine").isel(time_counter=0)
    fine = coarse.dip.interpolate("sossheig", 5)
    scores = verify(fine, truth.sossheig.isel(x=slice(0, 305)), baselines=["bicubic"])
    assert 0 < float(scores.rmse) < 0.01
    assert float(scores.skill_bicubic) > 0.3
    assert float(scores.current_rmse) < 0.3


def on_a_plane(kind):
    """A truth on a projection, or with indices alone."""
    values = truth_field((32, 32)).values.astype(float)
    if kind == "indices":
        return xr.DataArray(
            values, {"y": np.arange(32), "x": np.arange(32)}, ("y", "x"), name="ssh", attrs={"units": "m"}
        )
    axes = {
        axis: (axis, start + 5e3 * np.arange(32), {"units": "m", "standard_name": f"projection_{axis}_coordinate"})
        for axis, start in (("y", -1e6), ("x", 5e5))
    }
    crs = xr.DataArray(0, attrs=pyproj.CRS.from_epsg(3413).to_cf())
    return xr.DataArray(
        values, {**axes, "crs": crs}, ("y", "x"), name="ssh", attrs={"units": "m", "grid_mapping": "crs"}
    )


@pytest.mark.filterwarnings("ignore:The field 'ssh(_mean)?' has no latitude and longitude")
@pytest.mark.parametrize("kind", ["projection", "indices"])
def test_a_truth_on_a_plane_is_matched_by_its_coordinates(kind):
    truth = on_a_plane(kind)
    coarse = truth.coarsen(y=4, x=4).mean(keep_attrs=True)
    for axis in "yx":
        coarse[axis].attrs = truth[axis].attrs
    fine = coarse.dip.interpolate(4, "bicubic")
    right = float(fine.dip.verify(truth, baselines=()).rmse)
    assert float(fine.dip.verify(truth.drop_vars(["y", "x"]), baselines=()).rmse) == right
    with pytest.raises(ValueError, match=r"another grid: its coordinates along \('y', 'x'\) are 3. cells away"):
        fine.dip.verify(truth[::-1], baselines=())
    if kind == "projection":
        with pytest.raises(ValueError, match=r"are 2e\+02 cells away"):
            fine.dip.verify(truth.assign_coords(x=truth.x + 1e6), baselines=())
    sea = truth.notnull().drop_attrs()
    coarse.dip.interpolate(4, "bicubic", mask=sea)
    with pytest.raises(ValueError, match=r"Invalid mask with other positions than the fine grid, 3..0 cells away"):
        coarse.dip.interpolate(4, "bicubic", mask=sea[::-1])
