"""The subcommand: what reaches `downscale_archive`, and the exit status."""

import inspect

import numpy as np
import pytest
import xarray as xr
from archives import DAYS, coarse_days, files_of, names, opened
from click.testing import CliRunner

from xr_dip.archive import driver
from xr_dip.archive.summary import Outcome, Summary
from xr_dip.cli import main
from xr_dip.downscaling import downscale

OPTIONS = ["--var", "ssh", "--factor", "2", "--members", "2", "--preset", "tiny", "--device", "cpu"]


def invoke(*arguments):
    return CliRunner().invoke(main, ["archive", *map(str, arguments)])


@pytest.fixture
def calls(monkeypatch):
    noted = []

    def note(source, out, **options):
        noted.append({"source": source, "out": str(out), **options})
        return Summary((Outcome("2020-01-01", "done"),))

    monkeypatch.setattr(driver, "downscale_archive", note)
    return noted


def test_defaults_are_those_of_the_functions(calls):
    assert invoke("a.nc", "b.nc", "out", "--var", "ssh", "--factor", 2).exit_code == 0
    [call] = calls
    assert (call.pop("source"), call.pop("out"), call.pop("variable")) == (["a.nc", "b.nc"], "out", "ssh")
    assert call.pop("factor") == 2
    parameters = {**inspect.signature(downscale).parameters, **inspect.signature(DRIVER).parameters}
    assert call == {name: parameters[name].default for name in call}
    own = {name for name, entry in inspect.signature(DRIVER).parameters.items() if entry.kind is entry.KEYWORD_ONLY}
    assert own - {"variable", "factor"} <= set(call)


DRIVER = driver.downscale_archive


def test_every_option_of_its_own_arrives(calls):
    options = ["--zarr", "a.zarr", "--no-icechunk", "--resume", "--shard", "2/3", "--workers", 4, "--daily-mean"]
    options += ["--warm-start", "--chain", 10]
    assert invoke("a.nc", "out", *OPTIONS, *options, "--dry-run", "--quiet", "--periodic", "no").exit_code == 0
    [call] = calls
    assert str(call["zarr"]) == "a.zarr"
    expected = {"icechunk": False, "resume": True, "shard": "2/3", "workers": 4, "daily_mean": True, "dry_run": True}
    expected |= {"warm_start": True, "chain": 10}
    assert {key: call[key] for key in expected} == expected
    assert (call["progress"], call["periodic"], call["members"]) == (False, False, 2)


def test_days_from_end_to_end_with_a_mask(tiny, tmp_path):
    series = coarse_days()
    mask = np.ones((10, 12), "int8")
    mask[-1, -1] = 0
    series.to_netcdf(tmp_path / "in.nc")
    xr.Dataset({"fine": (("lat", "lon"), mask)}).to_netcdf(tmp_path / "mask.nc")
    arguments = [tmp_path / "in.nc", tmp_path / "out", *OPTIONS, "--mask", f"{tmp_path / 'mask.nc'}:fine"]
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    assert "days done                    3" in result.stdout
    assert names(tmp_path / "out") == [*(f"ssh_{day}.nc" for day in DAYS), "summary.json"]
    land = opened(tmp_path / "out" / f"ssh_{DAYS[0]}.nc").ssh_mean[0].isnull()
    assert bool(land[-1, -1])
    assert not bool(land[-2, -2])
    again = invoke(*arguments)
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: Invalid output")
    assert len(again.stderr.splitlines()) == 1
    assert "days skipped, there already  3" in invoke(*arguments, "--resume").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--icechunk"], "Invalid icechunk True without zarr. It must be None"),
        (["--no-icechunk"], "Invalid icechunk False without zarr. It must be None"),
        (["--chain", 5], "Invalid chain 5 without warm_start. It must be left out"),
    ],
)
def test_options_without_effect_are_refused(tiny, tmp_path, options, message):
    coarse_days().to_netcdf(tmp_path / "in.nc")
    result = invoke(tmp_path / "in.nc", tmp_path / "out", *OPTIONS, *options)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert names(tmp_path) == ["in.nc"]


def test_noise_may_be_a_variable_of_a_file(calls, tmp_path):
    size = coarse_days().ssh[0].copy(data=np.full((5, 6), 0.02)).rename("err")
    size.drop_vars("time").to_dataset().to_netcdf(tmp_path / "noise.nc")
    assert invoke("a.nc", "out", *OPTIONS, "--noise-std", f"{tmp_path / 'noise.nc'}:err").exit_code == 0
    assert invoke("a.nc", "out", *OPTIONS, "--noise-std", 0.02).exit_code == 0
    assert [float(np.max(call["noise_std"])) for call in calls] == [0.02, 0.02]
    failed = invoke("a.nc", "out", *OPTIONS, "--noise-std", "much")
    assert (failed.exit_code, len(failed.stderr.splitlines())) == (1, 1)


def test_failed_days_have_a_status_of_their_own(tiny, tmp_path):
    paths = files_of(coarse_days(), tmp_path / "in")
    paths[1].write_text("no NetCDF")
    result = invoke(*paths, tmp_path / "out", *OPTIONS)
    assert result.exit_code == 3
    assert f"failed: {paths[1]}: " in result.stdout
    quiet = invoke(*paths, tmp_path / "out", *OPTIONS, "--resume", "--quiet")
    assert (quiet.exit_code, quiet.stdout) == (3, "")
    assert f"failed: {paths[1]}: " in quiet.stderr


def test_a_dry_run_prints_its_table(tiny, tmp_path):
    coarse_days().to_netcdf(tmp_path / "in.nc")
    result = invoke(tmp_path / "in.nc", tmp_path / "out", *OPTIONS, "--dry-run")
    assert result.exit_code == 0
    assert "fits                6" in result.stdout
    assert names(tmp_path) == ["in.nc"]


def test_the_help_says_what_the_exit_status_means():
    help_text = invoke("--help").stdout
    assert "3  some days failed, the others are there" in help_text
    assert "Examples:\n    xr-dip archive" in help_text
