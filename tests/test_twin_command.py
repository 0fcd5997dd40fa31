"""`xr-dip twin`: what reaches the experiments, what is printed, written and drawn."""

import pytest
import xarray as xr
from click.testing import CliRunner

from xr_dip import synthetic, twin
from xr_dip.cli import main


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.nc"
    synthetic.gulf_stream((24, 36)).ssh.to_dataset().to_netcdf(path)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["twin", *map(str, arguments)])


def assert_one_line(result, text):
    assert result.exit_code == 1
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_scores_are_printed_written_and_drawn(truth, tmp_path):
    out, picture = tmp_path / "scores.nc", tmp_path / "scores.png"
    options = ("--factors", "2,4", "--methods", "bilinear, bicubic", "--noise-std", "0,0.02")
    result = run(truth, "--var", "ssh", *options, "--out", out, "--plot", picture)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rmse", "(m)", "x2", "x4"]
    with xr.open_dataset(out) as scores:
        expected = float(scores.rmse.sel(factor=4, estimator="bicubic", noise_std=0.02))
    assert lines[-1].startswith("bicubic, noise 0.02")
    assert lines[-1].endswith(f"{expected:.4g}")
    assert picture.stat().st_size > 1000
    assert_one_line(run(truth, "--var", "ssh", "--out", out), "It must be a new file")


def test_every_option_arrives(truth, monkeypatch, tmp_path):
    seen = {}

    def note(name):
        def call(field, factors, *methods, **options):
            seen[name] = (field.name, factors, methods, options)
            return (
                twin.judge()
                if name == "claims"
                else xr.Dataset(
                    {"rmse": (("factor", "estimator", "noise_std"), [[[1.0]]])},
                    {"factor": [4], "estimator": ["a"], "noise_std": [0.0]},
                )
            )

        return call

    monkeypatch.setattr(twin, "experiment", note("experiment"))
    monkeypatch.setattr(twin, "claims", note("claims"))
    run(truth, "--var", "ssh", "--members", "3", "--seed", "2", "--device", "cpu", "--cache", tmp_path, "--quiet")
    common = {"members": 3, "seed": 2, "device": "cpu", "progress": False, "cache": tmp_path}
    names = (["bicubic", "kriging", "balanced"],)
    assert seen["experiment"] == ("ssh", [4, 8, 16], names, common | {"noise_std": [0.0]})
    run(truth, "--var", "ssh", "--operator", "gaussian", "--operator-option", "width=0.4")
    assert seen["experiment"][3]["operator"] == "gaussian"
    assert seen["experiment"][3]["operator_options"] == {"width": 0.4}
    result = run(truth, "--var", "ssh", "--claims", "--factors", "1,16")
    assert seen["claims"][1:3] == ([1, 16], ())
    assert result.stdout.splitlines()[0].startswith("(a) not tested: ")


def test_what_is_wrong_is_one_line(truth):
    assert_one_line(run(truth, "--var", "zos"), "ssh")
    assert_one_line(run(truth, "--var", "ssh", "--factors", "two"), "Invalid factors 'two'. It must be numbers with")
    assert_one_line(run(truth, "--var", "ssh", "--methods", "magic"), "Invalid method 'magic'")
    assert_one_line(run(truth, "--var", "ssh", "--claims", "--plot", truth.with_name("a.png")), "Invalid --plot with")
    assert_one_line(run(truth, "--var", "ssh", "--claims", "--operator", "bicubic"), "Invalid --operator with --claims")
    common = ("--factors", "4", "--methods", "bicubic")
    assert_one_line(run(truth, "--var", "ssh", *common, "--operator", "lanczos"), "Invalid operator 'lanczos'")
    out, picture = truth.with_name("scores.nc"), truth.with_name("scores.doc")
    result = run(truth, "--var", "ssh", *common, "--score", "skill", "--out", out)
    assert_one_line(result, "Invalid score 'skill'. It must be one of")
    assert "rmse" in xr.load_dataset(out)  # what was computed is not lost
    assert_one_line(run(truth, "--var", "ssh", *common, "--plot", picture), "Its name must end with one of ['")
    same = truth.with_name("same.png")
    result = run(truth, "--var", "ssh", *common, "--plot", same, "--out", same)
    assert_one_line(result, "It must be another file than that of --out")


@pytest.mark.parametrize("option", [("--methods", "fast"), ("--noise-std", "0.1"), ("--score", "rmse")])
def test_options_without_effect_are_refused(truth, option):
    result = run(truth, "--var", "ssh", "--claims", *option)
    assert_one_line(result, f"Invalid {option[0]} with --claims. It must be left out")
