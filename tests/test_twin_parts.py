"""The experiments of the papers as calls: what they score, in cases with known answers."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from xr_dip import downscaling, synthetic, twin
from xr_dip.twin.stored import fingerprint
from xr_dip.verification import rmse

DIMS = ("latitude", "longitude")
OFFSETS = (-0.03, 0.01, 0.08)


@pytest.fixture
def truth() -> xr.DataArray:
    return synthetic.gulf_stream((24, 36)).ssh.astype(np.float64)


@pytest.fixture
def calls(monkeypatch) -> list[dict]:
    """Replace the ensemble by repetition of the coarse cells, members of known offsets, and record what it is told."""
    recorded: list[dict] = []

    def downscale(
        da,
        factor,
        *,
        members=10,
        preset="balanced",
        generator=None,
        loss=None,
        constraint=None,
        tile="auto",
        noise_std=None,
        latent_samples=0,
        keep_members=False,
        seed=0,
        device="auto",
        progress=True,
        mask=None,
        weights="equal",
        x_dim=None,
        y_dim=None,
    ):
        recorded.append({name: value for name, value in locals().items() if name != "recorded"})
        values = da.values.repeat(factor, axis=-2).repeat(factor, axis=-1)
        fits = np.stack([values + offset for offset in OFFSETS[:members]])
        fine = xr.Dataset({f"{da.name}_mean": (da.dims, fits.mean(axis=0))})
        if keep_members:
            fine[f"{da.name}_members"] = (("member", *da.dims), fits)
        if latent_samples:
            fine[f"{da.name}_latent_std"] = (da.dims, np.full(values.shape, 0.01))
        return fine

    monkeypatch.setattr(downscaling, "downscale", downscale)
    return recorded


FITS = {"preset": "archambault2022"}


def test_any_combination_of_parts_is_a_method(truth, calls):
    methods = {
        "line": {"method": "bicubic"},
        "mse": {"preset": "fast", "generator": "skip"},
        "few": {"preset": "fast", "loss": "l1", "members": 1, "noise_std": None},
    }
    scores = twin.experiment(truth, [4], methods, members=2, noise_std=[0.02], seed=3)
    assert scores.estimator.values.tolist() == ["line", "mse", "few"]
    first, second = calls
    assert (first["generator"], first["members"], first["noise_std"], first["seed"]) == ("skip", 2, 0.02, 3)
    assert (second["loss"], second["members"], second["noise_std"]) == ("l1", 1, None)
    plain = twin.experiment(truth, [4], ["bicubic"], noise_std=[0.02], seed=3)
    assert scores.rmse.sel(estimator="line").item() == plain.rmse.item()


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({}, "Invalid methods {}. It must be a sequence with at least one entry, or a mapping"),
        ({"a": "bicubic"}, "Invalid method 'a': 'bicubic'. It must be a mapping with 'method' or 'preset'"),
        ({"a": {"method": "cubic"}}, "Invalid method 'cubic'. It must be one of"),
        ({"a": {"preset": "slow"}}, "Invalid preset 'slow'. It must be one of"),
        ({"a": {"mask": 1}}, r"Invalid method 'a' with \['mask'\]. Its keywords must be among"),
        ({"a": {"method": "bicubic", "members": 2}}, r"Invalid method 'a' with \['members'\]"),
        ({"a": {"method": "bicubic", "noise_std": 0.1}}, r"'a' with \['noise_std'\]. Its keywords .* \['method'\]"),
    ],
)
def test_wrong_methods_are_refused(truth, methods, message):
    with pytest.raises(ValueError, match=message):
        twin.experiment(truth, [4], methods)


@pytest.mark.parametrize(("units", "slope"), [("cm", "cm m-1"), (None, None)])
def test_units_are_those_of_the_truth(truth, calls, units, slope):
    plain = truth.drop_attrs() if units is None else truth.drop_attrs().assign_attrs(units=units)
    assert twin.ensemble(plain, 4, FITS, members=2).slope.attrs.get("units") == slope
    assert twin.sections(plain, [4], ["bicubic"]).estimate.attrs.get("units") == units


def test_scores_of_members_and_of_their_mean_are_known(truth, calls):
    """Members are block means plus constants c, so rmse(c)^2 = rmse(0)^2 + c^2."""
    found = twin.ensemble(truth, 4, FITS, members=3, latent_samples=5)
    blocks = twin.coarsen(truth, 4)[0].values.repeat(4, axis=0).repeat(4, axis=1)
    least = float(np.sqrt(((blocks - truth.values) ** 2).mean()))
    np.testing.assert_allclose(found.member_rmse, np.hypot(least, OFFSETS), rtol=1e-9)
    assert found.rmse.sel(size=3).item() == pytest.approx(np.hypot(least, np.mean(OFFSETS)))
    assert found.rmse.sel(size=1).item() == pytest.approx(found.member_rmse.mean().item(), rel=0.2)
    np.testing.assert_allclose(found.ensemble_std, np.std(OFFSETS, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(found.latent_std, 0.01)
    np.testing.assert_allclose(found.error, blocks + np.mean(OFFSETS) - truth.values, atol=1e-12)
    assert calls[0]["latent_samples"] == 5
    coarse, fine = twin.coarsen(truth, 4)
    bicubic = downscaling.interpolate(coarse, 4, method="bicubic").ssh_mean
    assert found.bicubic_rmse.item() == pytest.approx(rmse(bicubic, fine, dims=DIMS).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": {"preset": "balanced"}}, "those of the constraint 'optimal' are draws about the estimate"),
        ({"method": {"method": "bicubic"}}, "Its members must be fits"),
        ({"members": 1}, "Invalid members 1. It must be at least 2"),
        ({"sizes": [4]}, r"Invalid sizes \[4\]. They must be from 1 to the 3 members"),
        ({"latent_samples": -1}, "Invalid latent_samples -1. It must not be negative"),
        ({"method": FITS | {"members": 5}}, "It must not name members: give them as the argument members"),
    ],
)
def test_wrong_ensembles_are_refused(truth, options, message):
    with pytest.raises(ValueError, match=message):
        twin.ensemble(truth, 4, **({"method": FITS, "members": 3} | options))


def test_several_times_are_no_single_field(truth):
    with pytest.raises(ValueError, match=r"Invalid truth with dimensions \('time', .* select one of \['time'\]"):
        twin.ensemble(truth.expand_dims(time=[0, 1]), 4, FITS, members=2)


def test_sections_are_rows_of_the_fields(truth, calls):
    cuts = twin.sections(truth, [4, 5], ["nearest"], position=2)
    np.testing.assert_array_equal(cuts.truth, truth[2])
    np.testing.assert_allclose(cuts.estimate.sel(factor=4, estimator="nearest"), cuts.coarse.sel(factor=4), atol=1e-7)
    assert cuts.coarse.sel(factor=5).notnull().sum() == 35
    column = twin.sections(truth, [4], ["bicubic"], along="y", position=7)
    np.testing.assert_array_equal(column.truth, truth[:, 7])
    mean = downscaling.interpolate(twin.coarsen(truth, 4)[0], 4, method="bicubic").ssh_mean
    np.testing.assert_allclose(column.estimate.squeeze(), mean[:, 7], atol=1e-6)
    step = column.distance.diff("distance")
    np.testing.assert_allclose(step, step[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"position": 24}, "Invalid position 24. It must be from 0 to 23"),
        ({"position": 22, "factors": [5]}, "Invalid position 22. It must be below 20, where whole blocks end"),
        ({"along": "z"}, "Invalid along 'z'. It must be one of"),
    ],
)
def test_wrong_sections_are_refused(truth, options, message):
    with pytest.raises(ValueError, match=message):
        twin.sections(truth, **({"factors": [4], "methods": ["nearest"]} | options))


def test_enforcement_is_that_of_the_downscaling(truth, tiny):
    found = twin.enforcement(truth, 4, ["none", "additive", "smooth"], {"preset": tiny}, members=2, progress=False)
    assert (found.conservation_error.sel(constraint=["additive", "smooth"]) < 1e-6).all()
    assert float(found.conservation_error.sel(constraint="none")) > 1e-3
    assert abs(found.volume_error.sel(constraint="additive")) < 1e-7 < abs(found.volume_error.sel(constraint="none"))
    assert (found.mean_conservation_error <= found.conservation_error).all()
    coarse, fine = twin.coarsen(truth, 4)
    whole = coarse.dip.downscale(4, members=2, preset=tiny, constraint="smooth", progress=False, device="cpu")
    assert found.rmse.sel(constraint="smooth").item() == pytest.approx(
        rmse(whole.ssh_mean, fine, dims=DIMS).item(), rel=1e-5
    )


def test_enforcement_leaves_land_alone(truth, calls):
    truth[:6, :7] = np.nan
    found = twin.enforcement(truth, 4, {"none": {}, "geiss": {"value_range": (-3, 3)}}, FITS, members=3, weights="area")
    assert found.rmse.notnull().all()
    # the members are off by constants, which any enforcement takes away
    np.testing.assert_allclose(found.conservation_error.sel(constraint="none"), np.mean(OFFSETS), rtol=1e-5)
    np.testing.assert_allclose(found.volume_error.sel(constraint="none"), np.mean(OFFSETS), rtol=1e-5)
    assert float(found.conservation_error.sel(constraint="geiss")) < 1e-6


def test_uneven_grids_have_the_positions_of_the_truth(tiny):
    """Refined positions of block means on a curved grid are not those that the fine cells had."""
    field = synthetic.gulf_stream((24, 24)).ssh
    along = np.linspace(0.0, 2.0, 24)
    y, x = np.meshgrid(along, along, indexing="ij")
    positions = {"lat": (("y", "x"), 30 + y + 0.1 * x**2), "lon": (("y", "x"), x + 0.1 * y**2)}
    truth = xr.DataArray(field.values, positions, ("y", "x"), "ssh", {"units": "m"})
    method, common = {"preset": tiny, "constraint": "smooth"}, {"members": 2, "progress": False}
    parts = twin.ensemble(truth, 4, method, **common)
    np.testing.assert_array_equal(parts.lat, truth.lat)
    error = parts.estimate - truth
    np.testing.assert_allclose(parts.error, error, atol=1e-7)
    assert parts.rmse.sel(size=2).item() == pytest.approx(float((error**2).mean() ** 0.5), rel=1e-6)
    table = twin.enforcement(truth, 4, ["smooth"], {"preset": tiny}, **common)
    assert table.rmse.item() == pytest.approx(parts.rmse.sel(size=2).item(), rel=1e-4)
    cuts = twin.sections(truth, [4], {"dip": method}, position=3, **common)
    np.testing.assert_allclose(cuts.estimate.squeeze(), parts.estimate[3], atol=1e-6)


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (["optimal"], "Invalid constraint 'optimal'. It must be one of"),
        ("additive", "Invalid constraints 'additive'. It must be a sequence or mapping"),
        (["geiss"], "The constraint 'geiss' must have"),
    ],
)
def test_wrong_constraints_are_refused(truth, constraints, message):
    with pytest.raises(ValueError, match=message):
        twin.enforcement(truth, 4, constraints, FITS, members=2)


def test_an_interpolation_has_nothing_to_enforce(truth):
    with pytest.raises(ValueError, match="It must be an ensemble of at least 2 fits"):
        twin.enforcement(truth, 4, ["none"], {"method": "bicubic"}, members=2)


def test_scores_on_the_way_are_those_of_one_fit(truth, tiny):
    found = twin.losses(truth, 4, ["mse", "l1"], {"preset": tiny}, iterations=20, every=10, members=2)
    assert found.psnr.shape == (2, 2, 2)
    span = float(truth.max() - truth.min())
    np.testing.assert_allclose(found.psnr, 20 * np.log10(span / found.rmse))
    assert not np.allclose(found.rmse.sel(loss="mse"), found.rmse.sel(loss="l1"))
    again = twin.losses(truth, 4, ["l1"], {"preset": tiny}, iterations=20, every=20)
    np.testing.assert_array_equal(again.rmse.squeeze(), found.rmse.sel(loss="l1", iteration=20)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ["cubic"]}, "Invalid loss 'cubic'. It must be one of"),
        ({"names": "mse"}, "Invalid names 'mse'. It must be a sequence"),
        ({"every": 7}, "Invalid every 7. It must be a multiple of 10"),
        ({"method": {"preset": "fast", "loss": "l1"}}, "Its keywords must be among"),
        ({"every": 20}, "Invalid every 20. It must be at most the 10 iterations"),
        ({"noise_std": -1.0}, "Invalid noise_std -1.0. It must be finite and not negative"),
        ({"device": "gpu"}, "Invalid device 'gpu'. It must be 'auto' or one of"),
    ],
)
def test_wrong_losses_are_refused(truth, tiny, options, message):
    common = {"truth": truth, "factor": 4, "iterations": 10, "every": 10, "method": {"preset": tiny}}
    with pytest.raises(ValueError, match=message):
        twin.losses(**(common | options))


def test_a_constant_truth_has_no_psnr(truth, tiny):
    with pytest.raises(ValueError, match=r"Invalid truth 'ssh'. It must not be constant"):
        twin.losses(xr.full_like(truth, 1.0), 4, method={"preset": tiny}, iterations=10, every=10)


def scores_of(dip, bicubic, factors=(1, 16, 32), noise=(0.0, 0.1)):
    shape = ("estimator", "factor", "noise_std")
    return xr.Dataset(
        {"rmse": (shape, [dip, bicubic])},
        {"estimator": ["dip", "bicubic"], "factor": list(factors), "noise_std": list(noise)},
    )


def parts_of(**changes):
    """An ensemble whose error is large where the slope is, with a spread that knows it."""
    slope = np.arange(100.0).reshape(10, 10)
    common = {"error": (("y", "x"), slope), "slope": (("y", "x"), slope), "correlation": 0.5, "latent_correlation": 0.2}
    common |= {"member_rmse": ("member", [0.3, 0.2]), "rmse": ("size", [0.25, 0.1])}
    common |= {"latent_std": (("y", "x"), 0.01 + 0 * slope), "ensemble_std": (("y", "x"), 0.02 + 0 * slope)}
    return xr.Dataset(common | changes, {"size": [1, 2]})


def test_claims_that_hold_are_seen():
    dip, bicubic = [[0.01, 0.02], [0.05, 0.06], [0.1, 0.1]], [[0.0, 0.1], [0.08, 0.11], [0.2, 0.24]]
    found = twin.judge(scores_of(dip, bicubic), parts_of())
    assert found.verdict.values.tolist() == ["seen"] * 7
    value = dict(zip(found.claim.values, found.value.values, strict=True))
    assert value["a"] == 0.01
    assert value["b"] == pytest.approx((0.1 + 0.03 + 0.04) / 3 - (0.01 + 0.01 + 0.0) / 3)
    assert value["c"] == pytest.approx(0.05 / 0.08)
    assert (value["d"], value["e"], value["f"]) == pytest.approx((0.5, 0.5, 0.5))
    assert value["g"] == pytest.approx(np.arange(90, 100).mean() / np.arange(90).mean())
    assert "0.62 at x16, 0.50 at x32" in found.evidence.sel(claim="c").item()


def test_claims_that_do_not_hold_are_not_seen():
    dip, bicubic = [[0.0, 0.3], [0.05, 0.36], [0.3, 0.5]], [[0.0, 0.1], [0.08, 0.11], [0.2, 0.24]]
    still = {
        "member_rmse": ("member", [0.3, 0.05]),
        "correlation": -0.1,
        "error": (("y", "x"), np.arange(100.0)[::-1].reshape(10, 10)),
    }
    found = twin.judge(scores_of(dip, bicubic), parts_of(latent_std=(("y", "x"), np.ones((10, 10))), **still))
    assert found.verdict.values.tolist() == ["not seen"] * 7


def test_what_was_not_run_is_not_judged():
    scores = scores_of([[0.1]], [[0.2]], factors=[4], noise=[0.0])
    assert twin.judge(scores, parts_of().drop_vars("latent_std")).verdict.values.tolist() == [
        *["not tested"] * 3,
        "seen",
        "not tested",
        "seen",
        "seen",
    ]


def test_claims_are_said_in_metres_whatever_the_unit():
    dip, bicubic = [[0.01, 0.02], [0.05, 0.06], [0.1, 0.1]], [[0.0, 0.1], [0.08, 0.11], [0.2, 0.24]]
    scores, parts = scores_of(dip, bicubic), parts_of()
    metres = twin.judge(scores, parts)
    lengths = ("rmse", "member_rmse", "error", "ensemble_std", "latent_std")
    scores, parts = (
        one.assign({name: (100 * one[name]).assign_attrs(units="cm") for name in lengths if name in one})
        for one in (scores, parts)
    )
    found = twin.judge(scores, parts)
    assert "10 mm and 0 mm" in metres.evidence.sel(claim="a").item()
    assert found.evidence.values.tolist() == metres.evidence.values.tolist()
    np.testing.assert_allclose(found.value, metres.value)


def test_scores_that_cannot_be_judged_are_refused():
    scores = scores_of([[0.1]], [[0.2]], factors=[4], noise=[0.0])
    with pytest.raises(ValueError, match=r"Invalid scores of the estimators \['bicubic'\]. They must have \['dip'"):
        twin.judge(scores.sel(estimator=["bicubic"]))
    with pytest.raises(ValueError, match=r"Invalid scores with \['time'\]. They must be of one field"):
        twin.judge(scores.expand_dims(time=[0, 1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": 1}, "Invalid members 1. It must be at least 2"),
        ({"method": {"preset": "fast"}}, "Its members must be fits"),
        ({"ensemble_factor": 64}, "Invalid factor 64 along 'latitude'. It must not be above the size 24"),
        ({"noise_share": -1}, "Invalid noise_share -1. It must be finite and not negative"),
        ({"factors": [4, 0]}, "Invalid factor 0. It must be a whole number"),
    ],
)
def test_wrong_claims_are_refused_before_anything_is_fitted(truth, calls, options, message):
    with pytest.raises(ValueError, match=message):
        twin.claims(truth, **({"factors": [4], "method": FITS, "members": 2, "ensemble_factor": 4} | options))
    assert not calls


def test_claims_run_the_method_they_judge(truth, calls):
    found = twin.claims(truth, [1, 4], method=FITS, members=3, latent_samples=2, noise_share=0.1, ensemble_factor=4)
    assert {call["noise_std"] for call in calls} == {None}
    assert {call["tile"] for call in calls} == {None}
    assert found.verdict.sel(claim="a").item() == "seen"
    assert found.verdict.sel(claim="c").item() == "not tested"


def test_results_are_kept_and_found_again(truth, calls, tmp_path):
    first = twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    assert len(calls) == 1
    again = twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    assert len(calls) == 1
    xr.testing.assert_identical(again, first)
    twin.experiment(truth, [4], ["fast"], members=3, cache=tmp_path)
    twin.experiment(truth + 1e-9, [4], ["fast"], members=2, cache=tmp_path)
    twin.experiment(truth, [4], {"fast": {"preset": "fast", "loss": "l1"}}, members=2, cache=tmp_path)
    assert len(calls) == 4
    twin.ensemble(truth, 4, FITS, members=2, cache=tmp_path)
    xr.testing.assert_identical(
        twin.ensemble(truth, 4, FITS, members=2, cache=tmp_path),
        twin.ensemble(truth, 4, FITS, members=2, cache=tmp_path),
    )
    assert len(calls) == 5


def test_a_preset_of_other_numbers_is_another_method(truth, calls, tmp_path, monkeypatch):
    from xr_dip import presets

    twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    changed = dataclasses.replace(presets.fast((4, 4)), iterations=7)
    monkeypatch.setitem(presets.PRESETS, "fast", lambda factor: changed)
    twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    assert len(calls) == 2


def test_the_unit_of_positions_is_part_of_a_truth():
    fields = [
        xr.DataArray(np.eye(2), {"x": ("x", [0.0, 1.0], {"units": units})}, ("y", "x")) for units in ("km", "m", "km")
    ]
    first, second, third = map(fingerprint, fields)
    assert first == third != second


def test_a_cache_that_is_a_file_is_refused_at_once(truth, calls, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"Invalid cache '.*file'. It must be a folder, this is a file"):
        twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path / "file")
    assert not calls


def test_a_damaged_file_is_computed_anew(truth, calls, tmp_path):
    first = twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    (path,) = tmp_path.glob("*.nc")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.warns(UserWarning, match=r"is damaged .* so it is computed anew. Check the disk"):
        again = twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    xr.testing.assert_equal(again.drop_vars("seconds"), first.drop_vars("seconds"))
    assert len(calls) == 2
    changed = xr.load_dataset(path)
    changed.rmse[:] = 0.0
    changed.to_netcdf(path)
    with pytest.warns(UserWarning, match="its numbers are not those that were written"):
        twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    assert len(calls) == 3


def test_a_foreign_file_is_neither_used_nor_replaced(truth, calls, tmp_path):
    twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    (path,) = tmp_path.glob("*.nc")
    xr.Dataset({"rmse": 0.0}).to_netcdf(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"Invalid cache file .* It must be written by xr_dip.twin"):
        twin.experiment(truth, [4], ["fast"], members=2, cache=tmp_path)
    assert path.read_bytes() == before
