"""The command line: what reaches `downscale`, what is written, and one line for whatever goes wrong."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from xr_dip import __version__, downscaling, samples
from xr_dip.cli import main
from xr_dip.errors import DipWarning
from xr_dip.presets import PRESETS


@pytest.fixture
def coarse(tmp_path):
    """A file with a smooth field and a mask of the right fine shape for a factor of 2."""
    latitude, longitude = np.arange(30.0, 36.0), np.arange(-60.0, -52.0)
    ssh = 0.3 * np.sin(latitude[:, None]) + 0.2 * np.cos(longitude / 2)
    fields = {"ssh": (("lat", "lon"), ssh, {"units": "m"}), "tmask": (("Y", "X"), np.ones((12, 16), "int8"))}
    path = tmp_path / "coarse.nc"
    xr.Dataset(fields, {"lat": latitude, "lon": longitude}).to_netcdf(path)
    return path


@pytest.fixture
def calls(monkeypatch):
    """Replace the work by a note of its arguments."""
    noted = []

    def note(da, factor, **kwargs):
        noted.append({"da": da.load(), "factor": factor, **kwargs})
        return xr.Dataset({f"{da.name}_mean": da})

    monkeypatch.setattr(downscaling, "downscale", note)
    return noted


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def assert_one_line(result, status, text):
    """The message is all there is, and no exception but the one that click ends with."""
    assert result.exit_code == status
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert isinstance(result.exception, SystemExit)
    if status == 1:
        assert len(result.stderr.splitlines()) == 1


def test_the_package_is_the_command():
    shown = subprocess.run([sys.executable, "-m", "xr_dip", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == run("--version").stdout


def test_version_and_help():
    assert __version__ in run("--version").stdout
    for command in ([], ["downscale"], ["sample"]):
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert "Examples:\n    xr-dip" in result.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("downscale a.nc b.nc --preset b", ["balanced"]),
        ("archive a.nc out --preset ba", ["balanced"]),
        ("sample black_sea_", ["black_sea_sst"]),
        ("downscale a.nc b.nc --preset none_such", []),
    ],
)
def test_the_tab_key_offers_names(words, offered):
    shell = ShellComplete(main, {}, "xr-dip", "_XR_DIP_COMPLETE")
    *before, typed = words.split()
    assert [item.value for item in shell.get_completions(before, typed)] == offered


def test_the_help_names_every_preset():
    named = run("downscale", "--help").stdout.split()
    assert {f"{name}," for name in sorted(PRESETS)[:-1]} <= set(named)


def test_defaults_are_those_of_the_function(coarse, tmp_path, calls):
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2)
    assert result.exit_code == 0, result.stderr
    [call] = calls
    assert call.pop("da").name == "ssh"
    assert "tmask" in call.pop("dataset")
    assert call == {
        "factor": 2,
        "members": 10,
        "preset": "balanced",
        "generator": None,
        "generator_options": None,
        "loss": None,
        "penalties": None,
        "constraint": None,
        "constraint_options": None,
        "operator": None,
        "operator_options": None,
        "mask": None,
        "weights": "equal",
        "land_value": None,
        "extrapolate": False,
        "periodic": "auto",
        "x_dim": None,
        "y_dim": None,
        "x_coord": None,
        "y_coord": None,
        "noise_std": None,
        "perturb_observations": False,
        "latent_samples": None,
        "tile": "auto",
        "overlap": None,
        "seed": 0,
        "device": "auto",
        "batch": None,
        "keep_members": False,
        "progress": True,
    }
    assert "fine.nc: ssh_mean" in result.stdout


@pytest.mark.parametrize(("word", "value"), [("none", None), ("auto", "auto"), ("12", 12)])
def test_the_size_of_tiles_may_be_a_word(word, value, coarse, tmp_path, calls):
    assert run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2, "--tile", word).exit_code == 0
    assert calls[0]["tile"] == value


def test_another_word_is_no_size_of_tiles(coarse, tmp_path, calls):
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2, "--tile", "large")
    assert result.exit_code == 2
    assert "Invalid tile 'large'. It must be auto, none, or a whole number of coarse cells." in result.stderr


def test_every_option_arrives(coarse, tmp_path, calls):
    options = ["--members", 3, "--preset", "fast", "--generator", "dcgan", "--loss", "charbonnier", "--seed", 7]
    options += ["--constraint", "additive", "--weights", "area", "--noise-std", 0.02, "--device", "cpu"]
    options += ["--perturb-observations", "--latent-samples", 4]
    options += ["--keep-members", "--quiet", "--factor", "2,3", "--mask", f"{coarse}:tmask"]
    options += ["--generator-option", "latent=fixed", "--generator-option", "width=1.5"]
    options += ["--generator-option", "shared=false"]
    options += ["--operator", "gaussian", "--operator-option", "width=0.4"]
    options += ["--penalty", "gradient=0.01", "--constraint-option", "value_range=-2,2"]
    options += ["--land-value", 0, "--extrapolate", "--periodic", "no"]
    options += ["--x-dim", "lon", "--y-dim", "lat", "--x-coord", "lon", "--y-coord", "lat"]
    options += ["--tile", 12, "--overlap", 4, "--batch", 5]
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", *options)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    [call] = calls
    assert call.pop("mask").sizes == {"Y": 12, "X": 16}
    del call["da"], call["dataset"]
    assert call == {
        "factor": (2, 3),
        "members": 3,
        "preset": "fast",
        "generator": "dcgan",
        "generator_options": {"latent": "fixed", "width": 1.5, "shared": False},
        "loss": "charbonnier",
        "penalties": {"gradient": 0.01},
        "constraint": "additive",
        "constraint_options": {"value_range": (-2, 2)},
        "operator": "gaussian",
        "operator_options": {"width": 0.4},
        "weights": "area",
        "land_value": 0.0,
        "extrapolate": True,
        "periodic": False,
        "x_dim": "lon",
        "y_dim": "lat",
        "x_coord": "lon",
        "y_coord": "lat",
        "noise_std": 0.02,
        "perturb_observations": True,
        "latent_samples": 4,
        "tile": 12,
        "overlap": 4,
        "seed": 7,
        "device": "cpu",
        "batch": 5,
        "keep_members": True,
        "progress": False,
    }


def test_the_result_is_written_where_it_was_asked(coarse, tmp_path, calls):
    run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2)
    with xr.open_dataset(tmp_path / "fine.nc") as fine, xr.open_dataset(coarse) as given:
        np.testing.assert_array_equal(fine.ssh_mean, given.ssh)


@pytest.mark.parametrize("factor", ["0.5", "2,", "two", "2,3,4", "-2", ""])
def test_a_factor_that_is_no_number_is_a_usage_error(coarse, tmp_path, calls, factor):
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", factor)
    assert_one_line(result, 2, f"Invalid factor {factor!r}. It must be a whole number")
    assert not calls


@pytest.mark.parametrize("text", ["gradient", "=1", "gradient="])
def test_an_option_of_a_part_needs_a_name_and_a_value(coarse, tmp_path, calls, text):
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2, "--penalty", text)
    assert_one_line(result, 2, f"Invalid option {text!r}. It must be a name and a value")
    assert not calls


def test_missing_options_are_usage_errors(coarse, tmp_path):
    assert_one_line(run("downscale", coarse, tmp_path / "fine.nc", "--factor", 2), 2, "Missing option '--var'")
    assert_one_line(run("sample"), 2, "Invalid NAME None")


def test_an_unknown_variable_is_answered_with_those_there_are(coarse, tmp_path, calls):
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "zos", "--factor", 2)
    assert_one_line(result, 1, "Invalid variable 'zos'. It must be among ['ssh', 'tmask']")
    assert not calls


def test_an_absent_or_unreadable_file_is_named(tmp_path, calls):
    (tmp_path / "text.nc").write_text("no NetCDF")
    for name, text in (("absent.nc", "there is none of this name"), ("text.nc", "It must be a NetCDF file")):
        result = run("downscale", tmp_path / name, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2)
        assert_one_line(result, 1, text)
        assert name in result.stderr


def test_the_output_is_checked_before_anything_is_computed(coarse, tmp_path, calls):
    (tmp_path / "fine.nc").write_text("earlier")
    for output, text in (("fine.nc", "It must be a new file"), ("absent/fine.nc", "Its folder must exist")):
        assert_one_line(run("downscale", coarse, tmp_path / output, "--var", "ssh", "--factor", 2), 1, text)
    assert not calls
    assert (tmp_path / "fine.nc").read_text() == "earlier"


def test_an_earlier_file_is_replaced_when_asked(coarse, tmp_path, calls):
    (tmp_path / "fine.nc").write_text("earlier")
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2, "--overwrite")
    assert result.exit_code == 0
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        assert "ssh_mean" in fine


def test_no_input_is_ever_replaced(coarse, tmp_path, calls):
    before = coarse.read_bytes()
    link = tmp_path / "link.nc"
    link.symlink_to(coarse)
    for target in (coarse, link):
        result = run("downscale", coarse, target, "--var", "ssh", "--factor", 2, "--overwrite")
        assert_one_line(result, 1, "It must be another file than the input.")
    (mask := tmp_path / "mask.nc").write_bytes(before)
    result = run("downscale", coarse, mask, "--var", "ssh", "--factor", 2, "--mask", f"{mask}:tmask", "--overwrite")
    assert_one_line(result, 1, "It must be another file than the input.")
    assert coarse.read_bytes() == mask.read_bytes() == before
    assert not calls


def test_a_mask_on_another_grid_is_regridded(coarse, tmp_path):
    axes = {"lat": np.arange(28.0, 38.0, 0.25), "lon": np.arange(295.0, 312.0, 0.25)}
    mask = np.tile(axes["lon"] < 306, (len(axes["lat"]), 1)).astype("int8")
    xr.Dataset({"mask": (("lat", "lon"), mask)}, axes).to_netcdf(tmp_path / "mask.nc")
    options = ["--var", "ssh", "--factor", 2, "--members", 2, "--preset", "fast", "--device", "cpu", "--quiet"]
    with pytest.warns(DipWarning, match="have no sea on the fine grid"):
        result = run("downscale", coarse, tmp_path / "fine.nc", *options, "--mask", f"{tmp_path / 'mask.nc'}:mask")
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        np.testing.assert_array_equal(fine.ssh_mean.notnull().any("lat"), fine.lon < -54)


@pytest.mark.parametrize("error", [ValueError, TypeError, OSError, RuntimeError])
def test_errors_of_the_work_are_one_line_and_leave_no_file(coarse, tmp_path, monkeypatch, error):
    def fail(*_args, **_kwargs):
        raise error("Invalid members 0.\n  It must be positive.")

    monkeypatch.setattr(downscaling, "downscale", fail)
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2)
    assert_one_line(result, 1, "Error: Invalid members 0. It must be positive.")
    assert [path.name for path in tmp_path.iterdir()] == ["coarse.nc"]


@pytest.mark.parametrize(
    ("place", "text"),
    [("tmask", "Invalid mask 'tmask'. It must be a file and a variable"), ("{}:mask", "Invalid variable 'mask'")],
)
def test_a_wrong_mask_is_named(coarse, tmp_path, calls, place, text):
    options = ["--var", "ssh", "--factor", 2, "--mask", place.format(coarse)]
    assert_one_line(run("downscale", coarse, tmp_path / "fine.nc", *options), 1, text)
    assert not calls


@pytest.fixture
def noise(coarse, tmp_path):
    """A file with the noise of each coarse value, larger in the south, alone and beside something else."""
    with xr.open_dataset(coarse) as given:
        size = xr.where(given.lat < 33, 0.05, 0.01) + 0 * given.ssh
    size.rename("err").to_dataset().to_netcdf(tmp_path / "noise.nc")
    xr.Dataset({"err": size, "other": size}).to_netcdf(tmp_path / "two.nc")
    return tmp_path / "noise.nc"


@pytest.mark.parametrize("place", ["noise.nc", "noise.nc:err", "two.nc:err"])
def test_noise_may_be_a_variable_of_a_file(coarse, tmp_path, calls, noise, place):
    result = run(
        "downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2, "--noise-std", tmp_path / place
    )
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(noise) as given:
        xr.testing.assert_equal(calls[0]["noise_std"].variable, given.err.variable)


def test_noise_of_a_file_reaches_the_result(coarse, tmp_path, noise):
    options = ["--var", "ssh", "--factor", 2, "--members", 2, "--preset", "fast", "--device", "cpu", "--quiet"]
    result = run("downscale", coarse, tmp_path / "fine.nc", *options, "--noise-std", f"{noise}:err")
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        assert "given on the coarse grid, 0.01 to 0.05" in str(fine.dip.summary().configuration["noise_std"])


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("much", "Invalid noise-std 'much'. It must be a number, or a file and a variable with a colon between"),
        ("none.nc:err", "there is no file '"),
        ("noise.nc:zos", "Invalid variable 'zos'. It must be among ['err']"),
        ("two.nc", "two.nc:NAME: one of ['err', 'other']"),
    ],
)
def test_noise_that_cannot_be_read_is_named(coarse, tmp_path, calls, noise, place, text):
    there = place if place == "much" else tmp_path / place
    result = run("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", "--factor", 2, "--noise-std", there)
    assert_one_line(result, 1, text)
    assert not calls


@pytest.mark.parametrize("place", ["noise.nc", "noise.nc:err"])
def test_a_file_of_noise_is_never_replaced(coarse, tmp_path, calls, noise, place):
    options = ["--var", "ssh", "--factor", 2, "--overwrite", "--noise-std", tmp_path / place]
    assert_one_line(run("downscale", coarse, noise, *options), 1, "It must be another file than the input.")
    assert not calls


def test_samples_are_listed():
    lines = run("sample", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [sample.name for sample in samples.list()]


def test_a_sample_is_copied(tmp_path, monkeypatch):
    (tmp_path / "cached.nc").write_text("field")
    monkeypatch.setattr(samples, "fetch", lambda name: tmp_path / "cached.nc")
    assert run("sample", "glo12").stdout.strip() == str(tmp_path / "cached.nc")
    result = run("sample", "glo12", "--output", tmp_path / "copy.nc")
    assert result.stdout.strip() == str(tmp_path / "copy.nc")
    assert (tmp_path / "copy.nc").read_text() == "field"
    assert_one_line(run("sample", "glo12", "--output", tmp_path / "copy.nc"), 1, "It must be a new file")


def test_an_unknown_sample_is_answered_with_those_there_are():
    assert_one_line(run("sample", "glo13"), 1, "It must be one of gulf_stream_fine")


def test_a_file_is_downscaled_from_end_to_end(coarse, tmp_path):
    options = ["--var", "ssh", "--factor", 2, "--members", 2, "--preset", "fast", "--device", "cpu", "--quiet"]
    result = run("downscale", coarse, tmp_path / "fine.nc", *options)
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(tmp_path / "fine.nc") as fine, xr.open_dataset(coarse) as given:
        means = fine.ssh_mean.astype("float64").coarsen(lat=2, lon=2).mean()
        np.testing.assert_allclose(means, given.ssh, atol=1e-6)
        assert (fine.ssh_std > 0).all()
        assert fine.dip.summary().configuration["factor"] == [2, 2]
