"""The package as a user gets it: built, installed in an empty environment, and tried."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}


def run(*command, folder):
    """Standard output of a command that must succeed, run where nothing of this repository is in sight."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Sdist and wheel, the wheel made from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, folder=folder)
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Folder of the programs of an environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    constraints = ROOT / "constraints.txt"
    run(programs / "python", "-m", "pip", "install", "--quiet", "-c", constraints, built[1], folder=folder)
    return programs


@pytest.mark.slow
def test_the_archives_hold_what_they_should(built):
    sdist, wheel = built
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {f"xr_dip/{path.relative_to(ROOT / 'xr_dip')}" for path in (ROOT / "xr_dip").rglob("*.py")}
    assert modules | {"xr_dip/py.typed", "xr_dip/_registry.json"} <= names
    assert not [name for name in names if not name.startswith(("xr_dip/", "xr_dip-"))]
    with tarfile.open(sdist) as archive:
        held = {str(Path(*Path(name).parts[1:])) for name in archive.getnames()}
    assert {"PKG-INFO", "LICENSE", "README.md", "pyproject.toml"} <= held
    assert not [name for name in held if {"_build", "generated", "__pycache__"} & set(Path(name).parts)]
    assert tracked() - held <= {".ci/run"}


def tracked():
    """Files under version control, where there is one."""
    done = subprocess.run(["git", "ls-files", "--cached"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {name for name in done.stdout.splitlines() if (ROOT / name).exists()}


@pytest.mark.slow
def test_an_empty_environment_imports_it_and_downscales_a_file(installed, tmp_path):
    where = run(installed / "python", "-W", "error", "-c", "import xr_dip; print(xr_dip.__file__)", folder=tmp_path)
    assert "site-packages" in where
    assert "xr-dip, version" in run(installed / "xr-dip", "--version", folder=tmp_path)
    versions = run(installed / "python", "-c", "import xr_dip; xr_dip.show_versions()", folder=tmp_path)
    assert "not installed" in versions  # the extras are not
    latitude, longitude = np.arange(30.0, 42.0), np.arange(-60.0, -48.0)
    ssh = 0.3 * np.sin(latitude[:, None] / 3) + 0.2 * np.cos(longitude / 2)
    fields = {"ssh": (("lat", "lon"), ssh, {"units": "m"})}
    xr.Dataset(fields, {"lat": latitude, "lon": longitude}).to_netcdf(tmp_path / "coarse.nc")
    options = ["--var", "ssh", "--factor", 2, "--members", 2, "--preset", "fast", "--device", "cpu"]
    run(installed / "xr-dip", "downscale", "coarse.nc", "fine.nc", *options, "--quiet", folder=tmp_path)
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        means = fine.ssh_mean.astype("float64").coarsen(lat=2, lon=2).mean()
        np.testing.assert_allclose(means, ssh, atol=1e-6)
    code = "import xarray, xr_dip; print(list(xarray.open_dataset('fine.nc').dip.currents()))"
    assert "'vorticity'" in run(installed / "python", "-c", code, folder=tmp_path)
