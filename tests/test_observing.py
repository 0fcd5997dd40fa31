"""Coarse values that are no block means, end to end: by name, with land, lazily, in twins, files and archives."""

import dataclasses
import json

import dask
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from seas import CROOKED
from test_downscaling import coarse_field, run
from test_parts import large_field

import xr_dip
from xr_dip import presets, samples, synthetic, twin
from xr_dip.cli import main
from xr_dip.constraints import CONSTRAINT_NAMES
from xr_dip.observation import FOR_ANY_OPERATOR
from xr_dip.observing.kernels import KERNELS, make_kernel
from xr_dip.observing.sampling import Sampling
from xr_dip.reading import coarse_input

OPTIONS = {"gaussian": {"width": 0.4}, "fir": {"kernel": CROOKED}}
NAMES = [name for name in KERNELS if name != "block_mean"]


@pytest.fixture
def plain(monkeypatch, tiny):
    """Name of a preset without whitening, of three steps."""

    def make(factor):
        return dataclasses.replace(presets.PRESETS[tiny](factor), iterations=3, whitening=0.0)

    monkeypatch.setitem(presets.PRESETS, "plain", make)
    return "plain"


def configuration_of(out):
    return json.loads(out.attrs["xr_dip_configuration"])


@pytest.mark.parametrize("factor", [3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_every_operator(plain, name, factor):
    da = large_field()
    out = run(da, factor, preset=plain, operator=name, operator_options=OPTIONS.get(name), weights="area")
    mean = out.ssh_mean.values.astype(np.float64)
    sea = np.repeat(np.repeat(np.isfinite(da.values), factor, 0), factor, 1)
    np.testing.assert_array_equal(np.isfinite(mean), sea)
    # The statement of conservation, by a map that is made here anew: latitude weights, land, and the kernel.
    latitude = np.deg2rad(40 - 0.25 * ((np.arange(37 * factor) + 0.5) / factor - 0.5))
    weights = np.cos(latitude)[:, None] * sea
    seen = Sampling(make_kernel(name, OPTIONS.get(name, {}), (factor, factor)), weights)(mean)
    np.testing.assert_allclose(seen[np.isfinite(da.values)], da.values[np.isfinite(da.values)], rtol=0, atol=2e-3)
    assert float(abs(out.conservation_error).max()) < 1e-6
    assert float(abs(out.fit_residual).max()) > 1e-3
    configuration = configuration_of(out)
    assert (configuration["operator"], configuration["constraint"]) == (name, "projection")
    assert configuration["operator_options"] == json.loads(json.dumps(OPTIONS.get(name, {}), default=np.ndarray.tolist))
    assert configuration["tile"] is None
    assert "not calibrated" in out.ssh_std.attrs["comment"]
    assert f"operator '{name}'" in out.conservation_error.attrs["comment"]


def test_batched_is_looped_and_lazy_is_eager(tiny):
    da = coarse_field((7, 9), times=2, land=True)
    options = {"preset": tiny, "operator": "lanczos2"}
    one = run(da, 3, **options)
    together = run(da, 3, **options, batch=2)
    np.testing.assert_allclose(together.ssh_mean, one.ssh_mean, rtol=0, atol=1e-4)
    with dask.config.set(scheduler="synchronous"):
        lazy = run(da.chunk(time=1), 3, **options)
        assert lazy.ssh_mean.chunks is not None
        xr.testing.assert_identical(lazy.ssh_mean.compute(), one.ssh_mean)


def test_a_network_on_the_fine_cells(plain):
    da = coarse_field((5, 7), land=True)
    out = run(da, 3, preset=plain, operator="fir", operator_options=OPTIONS["fir"], generator="dcgan")
    assert float(abs(out.conservation_error).max()) < 1e-6


def test_a_circle_has_no_seam(tiny):
    values = np.random.default_rng(0).normal(size=(5, 12)).cumsum(axis=0) * 0.1
    axes = {"lat": np.linspace(-20, 20, 5), "lon": np.arange(12) * 30.0}
    da = xr.DataArray(values, axes, ("lat", "lon"), name="ssh", attrs={"units": "m"})
    out = run(da, 3, preset=tiny, operator="bicubic")
    assert configuration_of(out)["periodic"] is True
    kernel = make_kernel("bicubic", {}, (3, 3))
    mean = out.ssh_mean.values.astype(np.float64)
    around = Sampling(kernel, np.ones(mean.shape), periodic=True)(mean)
    np.testing.assert_allclose(around, values, rtol=0, atol=1e-6)
    assert np.abs(Sampling(kernel, np.ones(mean.shape))(mean) - values).max() > 1e-3


def test_the_kernel_of_the_user_may_have_names_and_be_large(plain):
    da = coarse_field((6, 8))
    named = xr.DataArray(CROOKED.T, dims=("lon", "lat"))
    options = {"preset": plain, "operator": "fir"}
    one, other = (run(da, 3, **options, operator_options={"kernel": kernel}) for kernel in (CROOKED, named))
    xr.testing.assert_identical(one.ssh_mean, other.ssh_mean)
    large = configuration_of(run(da, 3, **options, operator_options={"kernel": np.ones((30, 30))}, constraint="none"))
    assert large["operator_options"]["kernel"]["shape"] == [30, 30]
    assert len(large["operator_options"]["kernel"]["sha256"]) == 64


def test_noise_is_fitted_and_nothing_enforced(tiny):
    out = run(coarse_field((6, 8)), 2, preset=tiny, operator="gaussian", noise_std=0.05)
    assert float(abs(out.conservation_error).max()) > 1e-6


def test_block_means_may_be_projected(tiny):
    da = coarse_field((6, 8), land=True)
    one, other = (run(da, 3, preset=tiny, constraint=name) for name in ("projection", "additive"))
    np.testing.assert_allclose(one.ssh_mean, other.ssh_mean, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operator": "lanczos"}, r"Invalid operator 'lanczos'. It must be one of \['bicubic', 'block_mean', 'fir'"),
        ({"operator": "fir"}, r"The operator 'fir' must have \['kernel'\]"),
        ({"operator_options": {"width": 1}}, r"Invalid operator_options \['width'\].* 'block_mean': \[\]"),
        (
            {"operator": "gaussian", "tile": 20},
            "Invalid tile 20 with the operator 'gaussian'. It must be None or 'auto'",
        ),
        (
            {"operator": "gaussian", "operator_options": {"width": 1.5}},
            r"Invalid operator_options {'width': 1.5} of 'gaussian' with the constraint 'projection'. They must be",
        ),
        (
            {"operator": "gaussian", "constraint_options": {"value_range": (-2, 2)}},
            r"Invalid constraint_options {'value_range': \(-2, 2\)} with the operator 'gaussian'. They must be none:",
        ),
        *(
            (
                {"operator": "bicubic", "constraint": name},
                rf"Invalid constraint '{name}' with the operator 'bicubic'. It must be one of \['none', 'projection',",
            )
            for name in CONSTRAINT_NAMES
            if name not in FOR_ANY_OPERATOR
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_any_fit(monkeypatch, options, message):
    monkeypatch.setattr("xr_dip.estimate.fit_members", lambda *args, **kwargs: pytest.fail("A fit was begun."))
    with pytest.raises(ValueError, match=message):
        run(coarse_field(), 2, **options)


@pytest.mark.parametrize("width", [np.float32(0.5), np.float64(0.5)])
def test_a_number_of_numpy_is_a_number(plain, width):
    da = coarse_field((6, 8))
    one, other = (
        run(da, 2, preset=plain, operator="gaussian", operator_options={"width": given}) for given in (0.5, width)
    )
    xr.testing.assert_identical(one.ssh_mean, other.ssh_mean)
    assert configuration_of(one) == configuration_of(other)


def test_options_must_be_a_mapping():
    with pytest.raises(TypeError, match=r"Invalid operator_options 0.5. It must be a mapping"):
        run(coarse_field(), 2, operator="gaussian", operator_options=0.5)


def test_a_wide_kernel_may_be_fitted_where_nothing_is_enforced(plain):
    options = {"operator": "gaussian", "operator_options": {"width": 1.5}, "constraint": "soft", "loss": "l1"}
    out = run(coarse_field(), 2, preset=plain, **options)
    assert configuration_of(out)["constraint"] == "soft"


def test_a_truth_is_made_coarse_as_it_is_made_fine(tiny):
    truth = synthetic.gulf_stream((30, 35)).ssh
    truth = truth.where((truth.latitude > float(truth.latitude[8])) | (truth.longitude > float(truth.longitude[9])))
    options = {"operator": "gaussian", "operator_options": {"width": (0.4, 0.5)}}
    coarse, fine = twin.coarsen(truth, 5, **options)
    assert coarse.attrs["sampling"] == "mean over sea through the kernel gaussian"
    assert "cell_methods" not in coarse.attrs or "area" not in coarse.attrs["cell_methods"]
    sampling = Sampling(make_kernel("gaussian", {"width": (0.4, 0.5)}, (5, 5)), truth.notnull().values * 1.0)
    blocks, _ = twin.coarsen(truth, 5)
    np.testing.assert_array_equal(blocks.isnull(), coarse.isnull())
    np.testing.assert_allclose(coarse, np.where(blocks.isnull(), np.nan, sampling(truth.values)), atol=1e-12)
    lazy, _ = twin.coarsen(truth.expand_dims(level=2).chunk(level=1, latitude=7), 5, **options)
    assert lazy.chunks is not None
    np.testing.assert_allclose(lazy.isel(level=1), coarse, atol=1e-12)
    out = run(coarse, 5, preset=tiny, mask=fine.notnull(), **options)
    assert float(abs(out.conservation_error).max()) < 1e-6
    assert "kernel" not in out.ssh_mean.attrs.get("comment", "")
    found = coarse_input(out, "ssh")
    np.testing.assert_allclose(found, coarse, atol=1e-6)


def test_a_twin_with_an_operator_is_one_call(tiny):
    truth = synthetic.gulf_stream((24, 36)).ssh
    options = {"members": 2, "progress": False, "device": "cpu"}
    methods = {
        "told": {"preset": tiny},
        "not told": {"preset": tiny, "operator": "block_mean"},
        "bicubic": {"method": "bicubic"},
    }
    scores = twin.experiment(truth, [4], methods, operator="bicubic", **options)
    errors = scores.conservation_error.squeeze()
    assert float(errors.sel(estimator="told")) < 1e-6
    assert float(errors.sel(estimator="not told")) > 1e-4
    # Of the same fits, those that know how the field was seen are nearer to the truth.
    assert float(scores.rmse.sel(estimator="told").squeeze()) < float(scores.rmse.sel(estimator="bicubic").squeeze())


@pytest.mark.samples
def test_a_real_coast_seen_with_a_smooth_beam():
    truth = samples.open_dataset("balearic").sossheig.squeeze()[220:300, 60:188]
    assert 0.05 < float(truth.isnull().mean()) < 0.9
    methods = {"told": {"preset": "fast", "members": 2}, "kriging": {"method": "kriging"}}
    scores = twin.experiment(truth, [8], methods, operator="gaussian", progress=False, device="cpu").squeeze()
    assert float(scores.conservation_error.sel(estimator="told")) < 1e-6
    assert float(scores.rmse.sel(estimator="told")) < 0.8 * float(scores.rmse.sel(estimator="kriging"))


def test_on_the_command_line_and_in_an_archive(plain, tmp_path):
    da = coarse_field((6, 8), times=2)
    da.isel(time=0, drop=True).to_dataset().to_netcdf(tmp_path / "coarse.nc")
    words = f"downscale {tmp_path / 'coarse.nc'} {tmp_path / 'fine.nc'} --var ssh --factor 3 --members 2 --quiet"
    words += f" --preset {plain} --device cpu --operator fir --operator-option kernel=1,2,1"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        assert float(abs(fine.conservation_error).max()) < 1e-6
        assert configuration_of(fine)["operator_options"] == {"kernel": [1, 2, 1]}
    options = {"members": 2, "preset": plain, "device": "cpu", "progress": False}
    options |= {"operator": "fir", "operator_options": {"kernel": xr.DataArray(CROOKED, dims=("lat", "lon"))}}
    for _ in range(2):  # the second run finds its own configuration again
        xr_dip.downscale_archive(da.to_dataset(), tmp_path / "days", variable="ssh", factor=3, resume=True, **options)
    days = sorted((tmp_path / "days").rglob("*.nc"))
    assert len(days) == 2
    with xr.open_dataset(days[1]) as day:
        assert float(abs(day.conservation_error).max()) < 1e-6
        assert configuration_of(day)["operator_options"]["kernel"] == CROOKED.tolist()
