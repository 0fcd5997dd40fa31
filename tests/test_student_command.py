"""`xr-dip distill` and `xr-dip apply`: what is written, and one line for whatever goes wrong."""

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import xr_dip
from xr_dip.cli import main

SMALL = ("--channels", "4", "--layers", "1", "--steps", "3", "--device", "cpu", "--quiet")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Coarse days, results of two of them in a folder and in a file, and a fine mask."""
    folder = tmp_path_factory.mktemp("student")
    truth = xr_dip.synthetic.gulf_stream((24, 36), times=3).ssh
    coarse = truth.coarsen(latitude=4, longitude=4).mean()
    coarse.to_dataset().to_netcdf(folder / "days.nc")
    fine = coarse[:2].dip.interpolate(4, method="kriging")
    fine.to_netcdf(folder / "fine.nc")
    (folder / "fine").mkdir()
    for day in range(2):
        fine.isel(time=[day]).to_netcdf(folder / "fine" / f"ssh_{day}.nc")
    sea = np.ones((24, 36), dtype="int8")
    sea[0, 0] = 0
    xr.Dataset({"tmask": (("latitude", "longitude"), sea)}).to_netcdf(folder / "mask.nc")
    return folder


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def assert_one_line(result, text):
    assert result.exit_code == 1
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.filterwarnings("ignore:There are 2 days to learn from")
@pytest.mark.parametrize("fine", ["fine.nc", "fine"])
def test_a_student_is_trained_and_applied(files, tmp_path, fine):
    path = tmp_path / "student.safetensors"
    result = run("distill", files / "days.nc", files / fine, path, "--var", "ssh", *SMALL)
    assert result.exit_code == 0, result.stderr
    student = xr_dip.load_student(path)
    assert student.settings.factor == (4, 4)
    assert student.settings.training["days"] == 2
    mask = f"{files / 'mask.nc'}:tmask"
    options = ("--var", "ssh", "--student", path, "--mask", mask)
    result = run("apply", files / "days.nc", tmp_path / "out.nc", *options)
    assert result.exit_code == 0, result.stderr
    assert "ssh_mean" in result.stdout
    with xr.open_dataset(files / "days.nc") as days, xr.open_dataset(tmp_path / "out.nc") as out:
        sea = np.ones((24, 36), dtype=bool)
        sea[0, 0] = False
        np.testing.assert_array_equal(out.ssh_mean, student.downscale(days.ssh, mask=sea).ssh_mean)
        assert float(abs(out.conservation_error).max()) < 1e-6


@pytest.mark.filterwarnings("ignore:There are 2 days to learn from")
@pytest.mark.parametrize("alone", [False, True])
def test_time_may_have_any_name(files, tmp_path, alone):
    """NEMO calls it `time_counter`; in files of a day each it may be a scalar."""
    (tmp_path / "fine").mkdir()
    with xr.open_dataset(files / "days.nc") as days, xr.open_dataset(files / "fine.nc") as fine:
        days.rename(time="time_counter").to_netcdf(tmp_path / "days.nc")
        for day in range(2):
            one = fine.drop_encoding().rename(time="time_counter").isel(time_counter=day if alone else [day])
            one.to_netcdf(tmp_path / "fine" / f"ssh_{day}.nc")
    path = tmp_path / "student.safetensors"
    result = run("distill", tmp_path / "days.nc", tmp_path / "fine", path, "--var", "ssh", *SMALL)
    assert result.exit_code == 0, result.stderr
    assert xr_dip.load_student(path).settings.training["days"] == 2


def test_results_of_another_variable_are_refused(files, tmp_path):
    path = tmp_path / "student.safetensors"
    with xr.open_dataset(files / "days.nc") as days:
        days.rename(ssh="adt").to_netcdf(tmp_path / "days.nc")
    result = run("distill", tmp_path / "days.nc", files / "fine", path, "--var", "adt", *SMALL)
    assert_one_line(result, "Invalid variable 'adt_mean'. It must be among")


def test_what_goes_wrong_is_one_line(files, tmp_path):
    (tmp_path / "empty").mkdir()
    path = tmp_path / "student.safetensors"
    result = run("distill", files / "days.nc", tmp_path / "empty", path, "--var", "ssh", *SMALL)
    assert_one_line(result, "It must be a file, or a folder with files *.nc")
    result = run("distill", files / "days.nc", files / "fine.nc", path, "--var", "ssh", "--layers", "0")
    assert_one_line(result, "Invalid layers 0")
    assert not path.exists()
    result = run("apply", files / "days.nc", tmp_path / "out.nc", "--var", "ssh", "--student", files / "days.nc")
    assert_one_line(result, "It must be a whole safetensors file")
    result = run("apply", files / "days.nc", files / "fine.nc", "--var", "ssh", "--student", path)
    assert_one_line(result, "this one exists")
    before = (files / "days.nc").read_bytes()
    for command in (("distill", files / "days.nc", files / "fine.nc"), ("apply", files / "days.nc")):
        arguments = ["--student", path] if command[0] == "apply" else []
        result = run(*command, files / "days.nc", "--var", "ssh", "--overwrite", *arguments)
        assert_one_line(result, "It must be another file than the input.")
    assert (files / "days.nc").read_bytes() == before
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "a.nc").write_text("no NetCDF")
    result = run("distill", files / "days.nc", broken, path, "--var", "ssh", *SMALL)
    assert_one_line(result, "a.nc'. It must be a NetCDF file that xarray can open")
