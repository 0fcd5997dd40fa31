"""The benchmarks of speed: that they measure and foresee what they say, not what they find."""

import importlib
import json
import os
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from xr_dip.presets import PRESETS

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def run_speed(module, out, *parts):
    common = ("--quick", "--fields", "synthetic", "--factors", "8", "--out", str(out))
    return module("speed").main([*common, "--parts", *parts])


def seconds(*wall, cpu=None):
    return {"wall": list(wall), "cpu": list(wall if cpu is None else cpu)}


def loop_records():
    """10 members on 2 cores: a step of the published takes 0.1 s, 0.06 s with two at a time, and nothing else."""
    common = {"case": "a field", "cores": 2, "wanted": 10, "part": "loop", "device": "cpu", "machine": "a machine"}
    common |= {"operations": 1e9, "bytes": 1e6}
    paper = {"method": "archambault2022", "members": 10, "iterations": 1500, "steps": [15, 150], "rmse": 0.02}
    paper |= {"few": seconds(1.5), "many": seconds(15.0), "all few": seconds(0.9), "all many": seconds(9.0)}
    ours = {"method": "balanced", "members": 10, "iterations": 100, "steps": [10, 100], "rmse": 0.01}
    # 0.5 s beside the steps, of 0.02 s each
    ours |= {"few": seconds(0.7), "many": seconds(2.5), "whole": seconds(12.5, cpu=[25.0])}
    return [{**common, **ours}, {**common, **paper}]


def test_contestants_run_in_turn(module):
    ran = []
    runs = {name: lambda name=name: ran.append(name) for name in "ab"}
    times = module("timing").race(runs, 3)
    assert ran == list("ababab")
    assert {name: len(found.wall) for name, found in times.items()} == {"a": 3, "b": 3}


def test_two_runs_tell_steps_from_the_rest(module):
    found = module("timing").line((10, 30), (7.0, 17.0))
    assert (found.step, found.rest, found.seconds(100)) == (0.5, 2.0, 52.0)


def test_ratios_are_those_of_a_round(module):
    # the machine is ten times slower in the second of three rounds
    assert module("timing").ratio([4.0, 40.0, 4.4], [2.0, 20.0, 2.0]) == pytest.approx(2.0)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cannot be held on one core here")
def test_one_core_is_given_back_after_an_error(module):
    before = os.sched_getaffinity(0)
    held = []

    def fail():
        with module("timing").one_core():
            held.append(os.sched_getaffinity(0))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert os.sched_getaffinity(0) == before
    assert [len(cores) for cores in held] == [1]


def test_steps_of_a_preset_are_changed_for_a_while_only(module):
    before = PRESETS["fast"]((8, 8))
    with module("timing").with_steps("fast", 7):
        changed = PRESETS["fast"]((8, 8))
    assert (changed.iterations, changed.generator_options) == (7, before.generator_options)
    assert PRESETS["fast"]((8, 8)) == before


def test_the_loop_of_the_published_follows_from_its_steps(module):
    loop = module("speed_loop")
    ours, paper = loop_records()
    assert loop.loop_seconds(paper) == pytest.approx([10 * 1500 * 0.1])
    assert loop.side_by_side_seconds(paper) == pytest.approx([5 * 1500 * 0.06])
    assert (loop.fit_seconds(ours), loop.rest_seconds(ours)) == pytest.approx((2.0, 0.5))
    as_loop, side_by_side, processor = loop.ratios(ours, paper)
    assert (as_loop, side_by_side, processor) == (pytest.approx([120.0]), pytest.approx([36.0]), pytest.approx([60.0]))
    said = loop.verdict({"balanced": ours, "archambault2022": paper})
    assert "120.0 times faster than the loop of the published fits: aim 60, reached" in said


def test_a_longer_whole_is_said_to_miss_the_aim(module):
    ours, paper = loop_records()
    ours["whole"] = seconds(60.0)
    said = module("speed_loop").verdict({"balanced": ours, "archambault2022": paper | {"whole": seconds(440.0)}})
    assert "25.0 times faster than the loop of the published fits: aim 30, not reached" in said
    assert "10.0 mm against 20.0 mm" in said
    assert "440 s side by side; the line says 450 s" in said


def test_efficiency_of_two_workers(module):
    dask = module("speed_dask")
    record = {"seconds": {dask.ONE: seconds(10.0), dask.TWO: seconds(6.25), dask.BOTH: seconds(12.5)}}
    assert dask.efficiency(record) == pytest.approx(0.8)
    assert dask.efficiency(record, dask.BOTH) == pytest.approx(0.8)


def test_the_model_of_a_year_in_closed_form(module):
    model = module("speed_model")
    warm = [{"method": "balanced", "kind": "cold", "steps": 100}, {"method": "balanced", "kind": "warm", "steps": 10}]
    tile = model.make_tile(loop_records()[0], warm)
    assert tile.on_cores(2) == pytest.approx((14600 * 10 * 2.0 / 2 / 3600, 14600 * 0.5 / 2 / 3600))
    share = (1 + 29 * 0.1) / 30
    assert tile.on_cores(1, warm=True)[0] == pytest.approx(14600 * 10 * 2.0 * share / 3600)
    gpu = model.Gpu("a GPU", 1e12, 1e11, 1e-3, 4)
    # 10 ms of arithmetic, 0.1 ms of traffic, 1 ms to start: 100 steps
    fits, rest = tile.on_gpu(gpu, 0.5)
    assert fits == pytest.approx(14600 * 100 * (10e-3 + 0.1e-3 + 1e-3) / 0.5 / 3600)
    assert rest == pytest.approx(14600 * 0.5 / 4 / 3600)


def test_the_model_says_that_it_is_one(module):
    text, lines, _ = module("speed_model").sections(loop_records())
    assert "146,000 fits. **This is a model.**" in text
    assert "taken to be 1" in text
    rows = [row.split(" | ") for row in lines.splitlines()[2:]]
    assert [row[1] for row in rows] == ["2 cores", *["one H200, 16 cores"] * 2, "64 times that"]
    assert all(row[2].startswith("model") for row in rows)


def test_other_parts_and_devices_keep_their_records(module):
    speed = module("speed")
    known = [{"part": part, "device": device, "old": 1} for part in ("loop", "warm") for device in ("cpu", "cuda")]
    found = speed.add(known, "loop", [{"new": 1}], Namespace(device="cpu", seed=0))
    kept = [(record["part"], record["device"], "new" in record) for record in found]
    assert kept == [("loop", "cpu", True), ("loop", "cuda", False), ("warm", "cpu", False), ("warm", "cuda", False)]


def test_the_whole_plan(module):
    speed = module("speed")
    options = speed.parse([])
    assert options.parts == ["loop", "peer", "tiles", "warm", "dask", "scaling", "memory"]
    assert (options.rounds, options.members, options.paper_members, options.paper_iterations) == (3, 10, 10, 150)
    assert module("speed_loop").points("archambault2022", 16, options) == (15, 150)
    assert module("speed_loop").points("balanced", 16, options) == (15, 750)
    with pytest.raises(SystemExit):
        speed.parse(["--parts", "gpu"])


@pytest.mark.slow
def test_the_loop_writes_its_table_and_the_model(module, tmp_path):
    assert run_speed(module, tmp_path, "loop") == 0
    records = {record["method"]: record for record in json.loads((tmp_path / "speed.json").read_text())}
    assert list(records) == ["kriging", "fast", "balanced", "archambault2022"]
    assert records["archambault2022"]["steps"] == [1, 10]
    assert "whole" not in records["archambault2022"]
    assert records["balanced"]["rmse"] < 0.02
    assert records["balanced"]["operations"] > records["fast"]["operations"] > 0
    assert PRESETS["archambault2022"]((8, 8)).iterations == 1500
    page = (tmp_path / "speed.md").read_text()
    assert "## synthetic x8, 48 x 64 cells" in page
    assert "aim 30" in page
    assert "This is a model" in (tmp_path / "natl60.md").read_text()


@pytest.mark.slow
def test_tiles_batches_warm_starts_and_growth(module, tmp_path):
    assert run_speed(module, tmp_path, "tiles", "warm", "scaling") == 0
    records = json.loads((tmp_path / "speed.json").read_text())
    by_part = {part: [record for record in records if record["part"] == part] for part in ("tiles", "warm", "scaling")}
    tiles = [record for record in by_part["tiles"] if record["kind"] == "tiles"]
    assert [(record["tile"], record["tiles"]) for record in tiles] == [(8, 4), (None, 1)]
    assert 0.5 < tiles[0]["seam_ratio"] < 2
    assert tiles[1]["seam_ratio"] is None
    batches = [(record["method"], record["batch"]) for record in by_part["tiles"] if record["kind"] == "batch"]
    assert batches == [("fast", 1), ("fast", 2), ("balanced", 1), ("balanced", 2)]
    cold, warm = by_part["warm"]
    assert cold["steps"] >= 5 * warm["steps"] > 0
    assert [(record["kind"], record["units"]) for record in by_part["scaling"]] == [
        ("days", 1),
        ("days", 2),
        ("tiles", 1),
        ("tiles", 4),
        ("factor", 1),
        ("factor", 1),
    ]
    page = (tmp_path / "throughput.md").read_text()
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert [heading.split(" ")[1] for heading in headings] == ["Tiles", "Members", "Warm", "Growth"]


@pytest.mark.slow
def test_memory_is_that_of_a_fresh_process(module, tmp_path):
    ballast = np.ones(3 * 2**25)  # 768 MiB of this process must not count
    assert run_speed(module, tmp_path, "memory") == 0
    (record,) = json.loads((tmp_path / "speed.json").read_text())
    assert (record["side"], record["tiles"]) == (128, 1)
    # mean, two standard errors and flags on the fine grid, and little else
    assert record["result"] == pytest.approx(128**2 * (3 * 4 + 1), rel=0.2)
    assert record["before"] < ballast.nbytes
    assert record["before"] < record["peak"] < 4 * 2**30
    assert "aim 4, reached" in (tmp_path / "memory.md").read_text()


def test_a_size_that_fails_tells_why(module):
    options = Namespace(quick=False, sides=[16], factors=[16], device="cpu", seed=0)
    with pytest.raises(RuntimeError, match=r"The process of 1 coarse cells ended with 1: (?s:.*)Invalid"):
        module("speed_memory").measure(options)


def test_without_the_peer_its_row_says_how_to_get_it(module, tmp_path, monkeypatch):
    monkeypatch.setattr(module("speed_peer"), "PEER", "no_such_library")
    assert run_speed(module, tmp_path, "peer") == 0
    records = json.loads((tmp_path / "speed.json").read_text())
    assert [record["method"] for record in records] == ["no_such_library", "balanced", "archambault2022"]
    assert {record["steps"] for record in records} == {2}
    assert "pip install deepinv" in (tmp_path / "speed.md").read_text()


@pytest.mark.slow
def test_workers_of_dask_are_compared(module, tmp_path):
    assert run_speed(module, tmp_path, "dask") == 0
    (record,) = json.loads((tmp_path / "speed.json").read_text())
    dask = module("speed_dask")
    assert list(record["seconds"]) == [dask.ONE, dask.TWO, dask.BOTH]
    # one worker has twice as much to do; on one core there would be nothing to gain
    if len(dask.processors()) > 1:
        assert dask.efficiency(record) > 0.3
    assert "aim 0.9" in (tmp_path / "throughput.md").read_text()
