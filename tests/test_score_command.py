"""`xr-dip verify`: what reaches `verify`, what is printed and written, and one line for whatever goes wrong."""

import pytest
import xarray as xr
from click.testing import CliRunner

import xr_dip
from xr_dip import scoring
from xr_dip.cli import main
from xr_dip.score_command import format_scores


@pytest.fixture
def files(tmp_path):
    """A result, and the truth under another name beside a second field."""
    truth = xr_dip.synthetic.gulf_stream((24, 36)).ssh
    fine = xr_dip.interpolate(truth.coarsen(latitude=4, longitude=4).mean(), 4)
    fine.to_netcdf(tmp_path / "fine.nc")
    xr.Dataset({"zos": truth, "other": 2 * truth}).to_netcdf(tmp_path / "two.nc")
    truth.to_dataset().to_netcdf(tmp_path / "truth.nc")
    truth.rename("zos").to_dataset().to_netcdf(tmp_path / "single.nc")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def assert_one_line(result, text):
    assert result.exit_code == 1
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("truth", ["truth.nc", "single.nc"])
def test_scores_are_printed_and_written(files, truth):
    result = run(files / "fine.nc", files / truth, "--output", files / "scores.nc")
    assert result.exit_code == 0, result.stderr
    printed = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    with xr.open_dataset(files / "scores.nc") as scores:
        assert set(printed) == set(scores.data_vars)
        assert printed["rmse"] == f"{float(scores.rmse):.4g} m"
        assert printed["skill_kriging"] == f"{float(scores.skill_kriging):.4g}"
        assert float(scores.skill_bicubic) > 0


def test_counts_are_written_in_full():
    counts = {"cells": ("time", [65536, 65535]), "missing_cells": ((), 1234567), "few": ("time", [0, 1])}
    scores = xr.Dataset({**counts, "rmse": ((), 65536.0), "bias": ((), float("inf"))})
    numbers = [line.split()[1] for line in format_scores(scores).splitlines()[:-1]]
    assert numbers == ["65536", "1234567", "0.5", "6.554e+04", "inf"]


def test_every_option_arrives(files, monkeypatch):
    seen = []

    def note(_result, truth, name, **options):
        seen.append((truth.name, name, options))
        return xr.Dataset({"rmse": 0.0})

    monkeypatch.setattr(scoring, "verify", note)
    run(files / "fine.nc", files / "two.nc", "--var", "ssh", "--truth-var", "zos", "--weights", "area")
    run(files / "fine.nc", files / "truth.nc", "--baselines", "none")
    run(files / "fine.nc", files / "truth.nc", "--baselines", "nearest, spline")
    assert seen == [
        ("zos", "ssh", {"weights": "area", "baselines": ["bicubic", "kriging"]}),
        ("ssh", None, {"weights": "equal", "baselines": []}),
        ("ssh", None, {"weights": "equal", "baselines": ["nearest", "spline"]}),
    ]


def test_what_is_wrong_is_one_line(files):
    fine = files / "fine.nc"
    assert_one_line(run(fine, files / "two.nc"), "It must be named: one of ['zos', 'other']")
    assert_one_line(run(fine, files / "two.nc", "--truth-var", "zoz"), "Invalid truth without a variable 'zoz'")
    assert_one_line(run(fine, files / "absent.nc"), "there is none of this name")
    assert_one_line(run(files / "truth.nc", files / "truth.nc"), "It must be a result of xr_dip, which has")
    assert_one_line(run(fine, files / "truth.nc", "--baselines", "cubic"), "Invalid baselines 'cubic'")
    assert_one_line(run(fine, files / "truth.nc", "--output", files / "fine.nc"), "must be another file")


def test_help_has_examples():
    assert "Examples:\n    xr-dip verify" in run("--help").stdout
