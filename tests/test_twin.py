"""Twin experiments: who is told what, what is scored, and how results are laid out."""

import functools

import numpy as np
import pytest
import xarray as xr

from xr_dip import baselines, downscaling, synthetic, twin
from xr_dip.verification import rmse


@pytest.fixture
def truth() -> xr.DataArray:
    return synthetic.gulf_stream((24, 36)).ssh


@pytest.fixture
def calls(monkeypatch) -> list[dict]:
    """Replace the ensemble by repetition of the coarse cells, and record what it is told."""
    recorded: list[dict] = []

    @functools.wraps(downscaling.downscale)  # whose keywords are looked up
    def downscale(da: xr.DataArray, factor: int, **options) -> xr.Dataset:
        recorded.append({"da": da, "factor": factor, **options})
        values = da.values.repeat(factor, axis=-2).repeat(factor, axis=-1)
        members = [values + 0.01 * member for member in range(options["members"])]
        fine = xr.Dataset({"ssh_mean": (da.dims, np.mean(members, axis=0))})
        fine["ssh_std"] = (da.dims, np.full(values.shape, 0.1))
        if options["keep_members"]:
            fine["ssh_members"] = (("member", *da.dims), np.stack(members))
        return fine

    monkeypatch.setattr(downscaling, "downscale", downscale)
    return recorded


def test_scores_are_laid_out_by_factor_method_and_noise(truth, calls):
    scores = twin.experiment(
        truth, [2, 4], ["bicubic", "balanced"], members=3, noise_std=[0.0, 0.02], progress=False, device="cpu"
    )
    assert dict(scores.sizes) == {"factor": 2, "estimator": 2, "noise_std": 2}
    np.testing.assert_array_equal(scores.factor, [2, 4])
    np.testing.assert_array_equal(scores.estimator, ["bicubic", "balanced"])
    assert {"rmse", "bias", "ssim", "gradient_rmse", "effective_resolution", "crps", "seconds"} <= set(scores)
    for name in ("rmse", "ssim", "conservation_error", "seconds"):
        assert scores[name].notnull().all()
    for name in ("crps", "spread_skill", "coverage"):
        assert scores[name].sel(estimator="bicubic").isnull().all()
        assert scores[name].sel(estimator="balanced").notnull().all()
    assert scores.rmse.attrs["units"] == "m"
    assert scores.attrs["members"] == 3


def test_an_interpolation_is_scored_as_its_own_call(truth):
    scores = twin.experiment(truth, [4], ["bilinear"])
    coarse, fine = twin.coarsen(truth, 4)
    mean = downscaling.interpolate(coarse, 4, method="bilinear").ssh_mean
    expected = rmse(mean, fine, dims=("latitude", "longitude"))
    np.testing.assert_allclose(scores.rmse.squeeze(), expected, rtol=1e-6)


def test_conservation_is_measured_not_believed(truth):
    scores = twin.experiment(truth, [4], ["bicubic", "conservative_spline"]).squeeze()
    assert float(scores.conservation_error.sel(estimator="conservative_spline")) < 1e-6
    assert float(scores.conservation_error.sel(estimator="bicubic")) > 1e-4


def test_nobody_sees_the_truth(truth, calls):
    twin.experiment(truth, [4], ["balanced"], members=2)
    (call,) = calls
    given = {name: value for name, value in call.items() if isinstance(value, xr.DataArray)}
    assert set(given) == {"da", "mask"}
    xr.testing.assert_identical(call["da"], twin.coarsen(truth, 4)[0])
    assert call["mask"].all()


def test_noise_is_white_of_its_size_and_told_to_the_ensemble(calls):
    truth = synthetic.gulf_stream((120, 120)).ssh
    twin.experiment(truth, [2], ["balanced"], members=2, noise_std=[0.0, 0.01, 0.03], seed=4)
    clean, small, large = (call["da"] for call in calls)
    assert [call["noise_std"] for call in calls] == [None, 0.01, 0.03]
    # 3600 cells: the standard deviation scatters by 1.2 %
    np.testing.assert_allclose((small - clean).std(), 0.01, rtol=0.06)
    np.testing.assert_allclose(large - clean, 3 * (small - clean), atol=1e-12)
    again = calls.copy()
    twin.experiment(truth, [2], ["balanced"], members=2, noise_std=[0.01], seed=4)
    xr.testing.assert_identical(calls[-1]["da"], again[1]["da"])
    twin.experiment(truth, [2], ["balanced"], members=2, noise_std=[0.01], seed=5)
    assert not calls[-1]["da"].equals(again[1]["da"])


def test_kriging_is_told_of_the_noise_unless_it_is_hidden(truth):
    methods = {
        "told": {"method": "kriging"},
        "named": {"method": "kriging", "noise_std": 0.1},
        "hidden": {"method": "kriging", "noise_std": None},
    }
    scores = twin.experiment(truth, [4], methods, noise_std=[0.0, 0.1]).squeeze()
    clean, noisy = (scores.rmse.sel(noise_std=level) for level in (0.0, 0.1))
    assert float(noisy.sel(estimator="told")) == float(noisy.sel(estimator="named"))
    assert float(noisy.sel(estimator="told")) < 0.95 * float(noisy.sel(estimator="hidden"))
    assert float(clean.sel(estimator="told")) == float(clean.sel(estimator="hidden"))


@pytest.mark.parametrize("told", [{}, {"noise_std": 0.02}])
def test_an_exact_constraint_with_noise_is_refused_before_any_fit(truth, calls, told):
    methods = {"first": {"preset": "fast"}, "x": {"preset": "fast", "constraint": "additive", **told}}
    message = "Invalid constraint 'additive' of the method 'x' with noise_std.* \"noise_std\": None"
    with pytest.raises(ValueError, match=message):
        twin.experiment(truth, [4], methods, noise_std=(0, 0.02))
    assert calls == []


@pytest.mark.parametrize("method", [{"constraint": "additive", "noise_std": None}, {"constraint": "soft"}, {}])
def test_other_constraints_go_with_noise(truth, calls, method):
    twin.experiment(truth, [4], {"x": {"preset": "archambault2022", **method}}, members=2, noise_std=(0, 0.02))
    assert [call["noise_std"] for call in calls] == [None, None if "noise_std" in method else 0.02]


def test_options_reach_the_ensemble(truth, calls):
    twin.experiment(truth, [3], ["archambault2022"], members=1, seed=7, device="cpu", progress=False)
    (call,) = calls
    expected = {"preset": "archambault2022", "members": 1, "seed": 7, "device": "cpu", "progress": False}
    assert expected.items() <= call.items()
    assert (call["weights"], call["keep_members"]) == ("equal", False)
    assert (call["y_dim"], call["x_dim"]) == ("latitude", "longitude")


def test_land_and_weights_go_with_the_trimmed_field(truth, calls):
    truth[:3, :2] = np.nan
    twin.experiment(truth, [5], ["balanced"], members=2, weights="area")
    (call,) = calls
    assert call["mask"].shape == call["weights"].shape == (20, 35)
    assert not call["mask"][:3, :2].any()
    assert int(call["mask"].sum()) == 20 * 35 - 6
    assert float(call["weights"][0, 0]) > float(call["weights"][-1, 0])


def test_each_time_is_scored(truth):
    days = xr.concat([truth, 2 * truth], xr.Variable("time", [0, 1]))
    scores = twin.experiment(days, [4], ["bicubic"])
    assert scores.rmse.dims == ("factor", "estimator", "noise_std", "time")
    np.testing.assert_allclose(scores.rmse.isel(time=1), 2 * scores.rmse.isel(time=0), rtol=1e-4)


def test_a_lazy_truth_gives_the_same_scores(truth):
    lazy = twin.experiment(truth.chunk(latitude=7), [4], ["bicubic"])
    eager = twin.experiment(truth, [4], ["bicubic"])
    xr.testing.assert_allclose(lazy.drop_vars("seconds"), eager.drop_vars("seconds"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["bicubic", "magic"]}, "Invalid method 'magic'. It must be one of .*balanced.*bicubic"),
        ({"methods": "bicubic"}, "Invalid methods 'bicubic'. It must be a sequence"),
        ({"methods": []}, r"Invalid methods \[\]. It must be a sequence with at least one entry"),
        ({"factors": 4}, "Invalid factors 4. It must be a sequence"),
        ({"factors": [(2, 4)]}, r"Invalid factors \[\(2, 4\)\]. Its entries must be whole numbers"),
        ({"factors": [4, 4]}, r"Invalid factors \[4, 4\]. Its entries must differ"),
        ({"noise_std": [-0.1]}, r"Invalid noise_std \[-0.1\]. Its entries must be finite and not negative"),
        ({"noise_std": ["0"]}, r"Invalid noise_std \['0'\]. Its entries must be finite and not negative"),
        ({"boundary": "pad"}, "Invalid boundary 'pad'. It must be one of"),
        ({"boundary": "exact", "factors": [5]}, "Invalid factor 5 along 'latitude'. It must divide the size 24"),
        ({"members": 0}, "Invalid members 0"),
    ],
)
def test_wrong_arguments_are_refused(truth, options, message):
    with pytest.raises(ValueError, match=message):
        twin.experiment(truth, **({"factors": [4], "methods": ["bicubic"]} | options))


@pytest.mark.parametrize(("factor", "message"), [(0, "Invalid factor 0"), (64, "must not be above the size 24")])
def test_no_factor_is_refused_after_others_were_fitted(truth, calls, factor, message):
    with pytest.raises(ValueError, match=message):
        twin.experiment(truth, [4, factor], ["fast"], members=2, progress=False)
    assert not calls


def test_a_dataset_is_no_truth(truth):
    with pytest.raises(TypeError, match=r"Invalid truth of type Dataset. It must be an xarray.DataArray"):
        twin.experiment(truth.to_dataset(), [4], ["bicubic"])


def test_every_interpolation_runs(truth):
    scores = twin.experiment(truth, [4], list(baselines.METHODS)).squeeze()
    assert scores.rmse.notnull().all()
    assert scores.rmse.idxmax() == "nearest"


def test_an_ensemble_is_scored_with_its_spread(truth):
    scores = twin.experiment(truth, [4], ["balanced"], members=2, progress=False).squeeze()
    assert float(scores.conservation_error) < 1e-6
    assert float(scores.rmse) < float(twin.experiment(truth, [4], ["bicubic"]).rmse.squeeze())
    assert 0.0 < float(scores.crps) < float(scores.rmse)
