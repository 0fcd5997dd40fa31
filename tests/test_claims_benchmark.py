"""The benchmark of the published claims: what it keeps, and what its page says of it."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def run(module, folder, *arguments):
    return module("claims").main(["--quick", "--out", str(folder), "--cache", str(folder / "kept"), *arguments])


def test_a_part_is_run_once_and_its_page_is_of_its_records(module, tmp_path, capsys):
    assert run(module, tmp_path, "--parts", "recurrence") == 0
    records = json.loads((tmp_path / "claims.json").read_text())
    (found,) = [record for record in records if record["what"] == "internal: synthetic"]
    page = (tmp_path / "claims.md").read_text()
    assert f"| internal: synthetic | {1000 * found['error']:#.3g} |" in page
    assert (tmp_path / "recurrence.png").stat().st_size > 1000
    run(module, tmp_path, "--parts", "recurrence")
    assert "recurrence: done" in capsys.readouterr().out


def test_verdicts_are_those_of_the_records(module, tmp_path):
    page, plans = module("claims_page"), module("claims_plan")
    common = {"method": "published", "verdict": "seen", "evidence": "number 7", "field": plans.FIELDS[0].name}
    other = {**common, "field": plans.FIELDS[1].name, "verdict": "not seen"}
    records = {part: [] for part in (*page.SECTIONS, "quick_ensembles")}
    records["by_factor"] = [
        {**common, "what": "a"},
        {**other, "what": "a"},
        {**common, "what": "b", "verdict": "not tested"},
    ]
    page.write_claims(tmp_path / "claims.md", records, plans.Plan(), "a test")
    text = (tmp_path / "claims.md").read_text()
    assert "| published | seen | not seen | – |" in text
    assert f"- (a) {plans.FIELDS[0].name}, published: number 7." in text
    assert "(b)" not in text


def test_another_plan_is_another_run(module):
    plan = module("claims_plan").Plan()
    keys = {
        plan.key("days"),
        plan.key("losses"),
        replace(plan, members=3).key("days"),
        replace(plan, seed=1).key("days"),
    }
    assert len(keys) == 4


@pytest.mark.slow
def test_every_part_runs(module, tmp_path):
    assert run(module, tmp_path) == 0
    parts = {record["part"] for record in json.loads((tmp_path / "claims.json").read_text())}
    assert parts == set(module("claims").PARTS)
    assert "(g) The errors are largest at fronts." in (tmp_path / "claims.md").read_text()


@pytest.mark.samples
def test_the_windows_are_all_sea_and_large_enough(module):
    plan, open_field = module("claims_plan").Plan(), module("fields").open_field
    for window in (*plan.fields, plan.small, *plan.days):
        truth = open_field(window)
        assert bool(truth.notnull().all()), window.name
        assert min(truth.shape) >= 4 * plan.factor or window is plan.small
