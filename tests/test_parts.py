"""Every part by its name, through the accessor and the command, on a field with land that no power of two divides."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from test_downscaling import coarse_field, run

from xr_dip import presets
from xr_dip.cli import main
from xr_dip.constraints import CONSTRAINT_NAMES, NOT_ENFORCED
from xr_dip.errors import DipWarning
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.penalties import PENALTIES
from xr_dip.generators import GENERATORS

SMALL = {
    "bandlimited": {"channels": 4},
    "dcgan": {},
    "skip": {"channels": 4},
    "decoder": {"channels": 4},
    "knitwork": {"channels": 8, "features": 16},
    "lapsrn": {"channels": 4, "depth": 1, "batch": 2},
}
BOUNDS = {
    "geiss": {"value_range": (-2, 2)},
    "scadd": {"value_range": (-2, 2)},
    "multiplicative": {"offset": 10},
    "softmax": {"offset": 2.5},
    "soft": {"alpha": 4},
}


@pytest.fixture
def plain(monkeypatch, tiny):
    """Name of a preset without kriging, of three steps."""

    def make(factor):
        small = presets.PRESETS[tiny](factor)
        return dataclasses.replace(small, iterations=3, whitening=0.0, constraint="additive")

    monkeypatch.setitem(presets.PRESETS, "plain", make)
    return "plain"


def large_field():
    """37 x 53 cells, of which a corner and a few more are land; heights within a metre and a half."""
    y, x = np.indices((37, 53))
    ssh = coarse_field((37, 53)).copy(data=(np.sin(y / 5) * np.cos(x / 7) + 0.4 * np.sin(x / 2)).astype("float32"))
    return ssh.where((y > 6) | (x > 9)).where((y + x) % 23 != 0)


def check(out, da, factor, *, exact=True):
    mean = out.ssh_mean.values
    assert mean.shape == (da.shape[0] * factor, da.shape[1] * factor)
    sea = np.repeat(np.repeat(np.isfinite(da.values), factor, 0), factor, 1)
    np.testing.assert_array_equal(np.isfinite(mean), sea)
    assert (float(abs(out.conservation_error).max()) < 1e-6) == exact


@pytest.mark.parametrize("factor", [3, 5])
@pytest.mark.parametrize("generator", GENERATORS)
def test_every_generator(plain, generator, factor):
    da = large_field()
    options = {"preset": plain, "generator": generator, "generator_options": SMALL[generator]}
    out = da.dip.downscale(factor, members=2, progress=False, tile=None, device="cpu", **options)
    check(out, da, factor)
    configuration = json.loads(out.attrs["xr_dip_configuration"])
    assert configuration["generator"] == generator
    assert configuration["generator_options"].items() >= SMALL[generator].items()


@pytest.mark.parametrize("factor", [3, 5])
@pytest.mark.parametrize("constraint", [name for name in CONSTRAINT_NAMES if name != "optimal"])
def test_every_constraint(plain, constraint, factor):
    da = large_field()
    options = BOUNDS.get(constraint)
    chosen = {"constraint": constraint, "constraint_options": options, "loss": "l1"}
    out = run(da, factor, tile=None, preset=plain, weights="area", **chosen)
    check(out, da, factor, exact=constraint not in NOT_ENFORCED)
    configuration = json.loads(out.attrs["xr_dip_configuration"])
    assert configuration["constraint_options"] == json.loads(json.dumps(options or {}))
    if constraint in ("geiss", "scadd"):
        assert -2 <= out.ssh_mean.min() <= out.ssh_mean.max() <= 2


@pytest.mark.parametrize("factor", [3, 5])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss(plain, loss, factor):
    da = large_field()
    out = run(da, factor, tile=None, preset=plain, loss=loss)
    check(out, da, factor)
    assert json.loads(out.attrs["xr_dip_configuration"])["loss"] == loss
    assert np.isfinite(out.ssh_std.where(out.ssh_mean.notnull(), 0.0)).all()


def test_losses_and_penalties_are_not_one_and_the_same(plain):
    da = coarse_field((5, 6))
    found = [run(da, 2, preset=plain, loss=loss).ssh_mean.values for loss in LOSSES]
    # Beside an absolute value: a coarse misfit beside the square of itself would be a factor, which Adam does not see.
    others = [name for name in PENALTIES if name != "correction"]  # which is of a constraint, see test_latents
    found += [run(da, 2, preset=plain, loss="l1", penalties={name: 1.0}).ssh_mean.values for name in others]
    assert all(np.abs(a - b).max() > 1e-5 for i, a in enumerate(found) for b in found[:i])


def test_penalties_are_recorded(plain):
    out = run(coarse_field((5, 6), land=True), 2, preset=plain, penalties={"gradient": 0.1, "total_variation": 2})
    configuration = json.loads(out.attrs["xr_dip_configuration"])
    assert configuration["penalties"] == {"gradient": 0.1, "total_variation": 2}


def test_a_soft_constraint_holds_the_values_against_a_penalty(plain, monkeypatch):
    longer = dataclasses.replace(presets.PRESETS[plain]((2, 2)), iterations=60, penalties={"gradient": 3.0}, loss="l1")
    monkeypatch.setitem(presets.PRESETS, "longer", lambda factor: longer)
    none, soft = (
        float((run(coarse_field((8, 9)), 2, preset="longer", constraint=name).conservation_error ** 2).mean())
        for name in ("none", "soft")
    )
    assert 0 < soft < none / 2


def test_a_soft_constraint_alone_changes_nothing_and_says_so(plain):
    """With the whitened misfit of the presets: a raw one beside it would spoil the fit of the small scales."""
    da = coarse_field((8, 9))
    with pytest.warns(DipWarning, match="The constraint 'soft' changes nothing here.*'mse' alone"):
        soft = run(da, 3, preset="fast", constraint="soft").conservation_error
    none = run(da, 3, preset="fast", constraint="none").conservation_error
    assert 0.8 < float((soft**2).mean() / (none**2).mean()) < 1.25
    with pytest.warns(DipWarning, match="The penalty 'coarse_misfit' changes nothing here"):
        run(da, 3, preset=plain, penalties={"coarse_misfit": 16.0})
    # Beside what a generator asks of itself it does hold something.
    run(
        da,
        3,
        preset=plain,
        penalties={"coarse_misfit": 16.0},
        generator="knitwork",
        generator_options=SMALL["knitwork"],
    )


def test_the_fine_fields_of_two_forms_of_one_constraint_agree(plain):
    da = large_field()
    one, other = (
        run(da, 3, tile=None, preset=plain, constraint=name, constraint_options={"value_range": (-2, 2)})
        for name in ("geiss", "scadd")
    )
    np.testing.assert_allclose(one.ssh_mean, other.ssh_mean, rtol=0, atol=1e-6)


def test_tiles_are_joined_with_exact_means(plain):
    da = large_field()
    out = run(da, 3, tile=24, preset=plain, constraint="geiss", constraint_options={"value_range": (-2, 2)})
    check(out, da, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"generator_options": {"width": 3}},
            r"Invalid generator_options \['width'\]. .* 'bandlimited': \['activation'",
        ),
        ({"generator": "skip", "generator_options": {"levels": 0}}, "Invalid levels 0. It must be at least 1"),
        ({"constraint_options": {"offset": 3}}, "Invalid constraint_options .* 'optimal' has no options"),
        ({"constraint": "geiss"}, r"The constraint 'geiss' must have \['value_range'\]"),
        ({"constraint": "soft", "constraint_options": {"alpha": -1}}, "Invalid alpha -1"),
        ({"penalties": {"tv": 1}}, r"Invalid penalties \['tv'\]. They must be among \['coarse_misfit'"),
        ({"penalties": {"gradient": 0}}, "Invalid weight 0 of the penalty 'gradient'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_fit(monkeypatch, options, message):
    monkeypatch.setattr("xr_dip.estimate.fit_members", lambda *args, **kwargs: pytest.fail("A fit was begun."))
    with pytest.raises(ValueError, match=message):
        run(coarse_field(), 2, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"constraint": "geiss", "constraint_options": {"value_range": (0, 1)}}, "must hold every coarse value"),
        ({"constraint": "softmax"}, "Invalid offset 0.0. It must be larger than .* coarse value has to be positive"),
        ({"constraint": "multiplicative"}, "Invalid offset 0.0. It must be larger than"),
    ],
)
def test_values_out_of_the_domain_are_refused_before_any_fit(plain, monkeypatch, options, message):
    monkeypatch.setattr("xr_dip.estimate.fit_members", lambda *args, **kwargs: pytest.fail("A fit was begun."))
    with pytest.raises(ValueError, match=message):
        run(large_field(), 2, preset=plain, **options)


@pytest.mark.parametrize("argument", ["generator_options", "penalties", "constraint_options"])
def test_options_must_be_mappings(argument):
    with pytest.raises(TypeError, match=f"Invalid {argument} 'tv'. It must be a mapping"):
        run(coarse_field(), 2, **{argument: "tv"})


def test_parts_by_name_on_the_command_line(plain, tmp_path):
    large_field().isel(lat=slice(5, 15), lon=slice(5, 17)).to_dataset().to_netcdf(tmp_path / "coarse.nc")
    words = f"downscale {tmp_path / 'coarse.nc'} {tmp_path / 'fine.nc'} --var ssh --factor 3 --members 2 --quiet"
    words += f" --preset {plain} --generator skip --generator-option channels=4 --loss huber --device cpu"
    words += " --penalty total_variation=0.01 --constraint geiss --constraint-option value_range=-2,2"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        configuration = json.loads(fine.attrs["xr_dip_configuration"])
        assert float(abs(fine.conservation_error).max()) < 1e-6
    assert configuration["generator_options"] == {"channels": 4}
    assert configuration["constraint_options"] == {"value_range": [-2, 2]}
    assert (configuration["loss"], configuration["penalties"]) == ("huber", {"total_variation": 0.01})
