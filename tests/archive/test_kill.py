"""Runs killed at random moments and resumed leave what an undisturbed run leaves, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from archives import STORES, assert_same_bits, assert_same_folders, coarse_days, opened

HERE = Path(__file__).parent


def contents(folder):
    """Bytes of each file by its path; the attributes of the whole hold a history, which tells when."""
    return {
        path.relative_to(folder): None if path.parent == folder else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def kill_runs(folder, days, kills, *words):
    """Run and kill with every form of the output; return how often a run was alive to be killed."""
    coarse_days(days).to_netcdf(folder / "in.nc")
    command = [sys.executable, HERE / "run_and_kill.py", folder, str(kills), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def a_few(tmp_path_factory):
    folder = tmp_path_factory.mktemp("few")
    return folder, kill_runs(folder, days=2, kills=3)


@pytest.fixture(scope="module")
def a_few_warm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warm")
    return folder, kill_runs(folder, 5, 3, "warm")


@pytest.fixture(scope="module")
def twenty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twenty")
    return folder, kill_runs(folder, days=20, kills=20)


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("killed", ["a_few", pytest.param("twenty", marks=pytest.mark.slow)])
def test_the_end_is_that_of_an_undisturbed_run(request, killed, kind):
    folder, alive = request.getfixturevalue(killed)
    assert alive[kind] >= 1
    whole, resumed = folder / kind / "undisturbed", folder / kind / "killed"
    for out in (whole / "out", resumed / "out"):
        (out / "summary.json").write_text("")  # tells of its own run
    assert_same_folders(whole / "out", resumed / "out")
    if kind != "files":
        assert_same_bits(opened(whole / "fine.zarr"), opened(resumed / "fine.zarr"))
        assert (opened(whole / "fine.zarr").day_status == 1).all()
    if kind == "plain":
        assert contents(whole / "fine.zarr") == contents(resumed / "fine.zarr")
    assert not [path for path in folder.rglob("*") if path.suffix in (".tmp", ".partial")]


def test_a_chain_that_was_killed_ends_as_an_undisturbed_one(a_few_warm):
    folder, alive = a_few_warm
    assert alive["files"] >= 1
    whole, resumed = folder / "files" / "undisturbed", folder / "files" / "killed"
    for out in (whole / "out", resumed / "out"):
        (out / "summary.json").write_text("")  # tells of its own run
    assert_same_folders(whole / "out", resumed / "out")
    days = [opened(path).iterations.item() for path in sorted((whole / "out").glob("*.nc"))]
    assert days == [8, 1, 1, 1, 8]
