"""All scores at once: each is what its own function says."""

import dask
import numpy as np
import pytest
import xarray as xr

from xr_dip.verification import crps, effective_resolution, evaluate, psd_score, rmse, spread_skill

DIMS = ("y", "x")
STEPS = (1e3, 2e3)
MEAN_SCORES = {"cells", "missing_cells", "bias", "rmse", "mu_score", "ssim"}
SPACED_SCORES = {"gradient_rmse", "laplacian_rmse", "effective_resolution"}
SPREAD_SCORES = {"spread_skill", "coverage", "correlation", "crps_gaussian"}


def normal(seed: int, *leading: str) -> xr.DataArray:
    shape = (3,) * len(leading) + (16, 18)
    values = np.random.default_rng(seed).normal(size=shape)
    return xr.DataArray(values, dims=(*leading, *DIMS), attrs={"units": "m"})


def result(*leading: str) -> xr.Dataset:
    """Build a Dataset as `xr_dip.downscale` returns it, members kept."""
    members = normal(1, *leading, "member")
    return xr.Dataset({"ssh_mean": members.mean("member"), "ssh_std": abs(normal(2, *leading)), "ssh_members": members})


def test_the_parts_given_decide_which_scores_there_are():
    truth, members = normal(0), normal(1, "member")
    mean, std = members.mean("member"), members.std("member")
    assert set(evaluate(mean, truth, dims=DIMS)) == MEAN_SCORES
    assert set(evaluate(mean, truth, dims=DIMS, spacing=STEPS)) == MEAN_SCORES | SPACED_SCORES
    assert set(evaluate(mean, truth, dims=DIMS, std=std)) == MEAN_SCORES | SPREAD_SCORES
    assert set(evaluate(mean, truth, dims=DIMS, members=members)) == MEAN_SCORES | SPREAD_SCORES | {"crps"}


def test_a_single_member_is_no_ensemble():
    truth, one = normal(0), normal(1, "member").isel(member=[0])
    assert set(evaluate(one[0], truth, dims=DIMS, members=one)) == MEAN_SCORES
    kept = result().isel(member=[0])
    assert set(evaluate(kept, truth, dims=DIMS)) == MEAN_SCORES | SPREAD_SCORES


def test_a_dataset_is_scored_by_its_parts():
    estimate, truth, weights = result("time"), normal(0, "time"), abs(normal(3).isel(x=0, drop=True))
    scores = evaluate(estimate, truth, dims=DIMS, spacing=STEPS, weights=weights)
    mean, std = estimate.ssh_mean, estimate.ssh_std
    expected = {
        "rmse": rmse(mean, truth, dims=DIMS, weights=weights),
        "spread_skill": spread_skill(std, mean, truth, dims=DIMS, weights=weights),
        "crps": crps(estimate.ssh_members, truth, dims=DIMS, weights=weights),
        "effective_resolution": effective_resolution(psd_score(mean, truth, dims=DIMS, spacing=STEPS)),
    }
    for name, score in expected.items():
        xr.testing.assert_identical(scores[name], score)
    assert set(scores.sizes) == {"time"}
    assert scores.rmse.attrs["units"] == "m"


def test_the_spread_of_members_is_corrected_for_their_number():
    truth, members = normal(0), normal(1, "member")
    mean, std = members.mean("member"), members.std("member", ddof=1)
    scores = evaluate(mean, truth, dims=DIMS, members=members)
    np.testing.assert_allclose(scores.spread_skill, spread_skill(std, mean, truth, dims=DIMS, members=3))


def test_evaluation_is_lazy_and_chunks_change_nothing():
    def never_compute(*args, **kwargs):
        raise AssertionError("computed while building")

    estimate, truth = result(), normal(0)
    with dask.config.set(scheduler=never_compute):
        lazy = evaluate(estimate.chunk(y=5), truth.chunk(x=7), dims=DIMS, spacing=STEPS)
    assert all(score.chunks is not None for score in lazy.values())
    xr.testing.assert_allclose(lazy.compute(), evaluate(estimate, truth, dims=DIMS, spacing=STEPS), rtol=1e-10)


def test_one_of_several_variables_is_named():
    estimate = result().assign(sst_mean=normal(5))
    scores = evaluate(estimate, normal(0), dims=DIMS, name="sst")
    assert set(scores) == MEAN_SCORES
    for name in (None, "salt"):
        with pytest.raises(ValueError, match=rf"Invalid name {name!r}. It must be one of \['ssh', 'sst'\]"):
            evaluate(estimate, normal(0), dims=DIMS, name=name)


def test_a_dataset_without_a_mean_is_refused():
    with pytest.raises(ValueError, match=r"Invalid name None. It must be one of \[\]"):
        evaluate(xr.Dataset({"ssh": normal(0)}), normal(0), dims=DIMS)


def test_parts_are_given_once():
    with pytest.raises(ValueError, match=r"Invalid std or members. They must be left out"):
        evaluate(result(), normal(0), dims=DIMS, std=abs(normal(1)))
    with pytest.raises(ValueError, match=r"Invalid name 'ssh'. It must be left out"):
        evaluate(normal(1), normal(0), dims=DIMS, name="ssh")


@pytest.mark.samples
def test_a_real_archive_with_land_is_scored_chunk_by_chunk():
    from xr_dip.samples import open_dataset

    days = open_dataset("mediterranean").adt.isel(time=slice(0, 4)).load()
    truth, estimate = days, days.roll(time=1)
    options = {"dims": ("latitude", "longitude"), "spacing": (14e3, 11e3)}
    eager = evaluate(estimate.assign_coords(time=truth.time), truth, **options)
    lazy = evaluate(estimate.assign_coords(time=truth.time).chunk(time=1, longitude=50), truth.chunk(time=2), **options)
    xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-9)
    assert (eager.cells == truth.count(("latitude", "longitude"))).all()
    for name in MEAN_SCORES | {"gradient_rmse", "laplacian_rmse"}:
        assert eager[name].notnull().all()
    assert eager.effective_resolution.isnull().all()  # there is land in every field
