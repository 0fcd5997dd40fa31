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


def records_of_sizes(best):
    common = {"field": "gulf_stream_200907", "method": "", "bicubic": 0.02} | ({} if best is None else {"best": best})
    return [{**common, "what": what, "rmse": rmse} for what, rmse in (("1", 0.01), ("10", 0.007), ("50", 0.008))]


@pytest.mark.parametrize(
    ("best", "verdict", "words"),
    [
        (
            0.004,
            "not seen",
            "the best of the 50 has 4.00 mm, 50 % less than their mean, but nothing in the coarse field",
        ),
        (0.009, "seen", "the best of the 50 has 9.00 mm, 12 % more than their mean, so no choice beats the mean."),
    ],
)
def test_the_best_of_many_members_has_its_own_verdict(module, tmp_path, best, verdict, words):
    page, plans = module("claims_page"), module("claims_plan")
    records = {part: [] for part in (*page.SECTIONS, "quick_ensembles")} | {"sizes": records_of_sizes(best)}
    common = {"method": "quick", "verdict": "seen", "evidence": "number 7", "field": plans.FIELDS[0].name, "value": 0.9}
    records["quick_ensembles"] = [{**common, "what": "d"}]
    page.write_claims(tmp_path / "claims.md", records, plans.Plan(), "a test")
    text = (tmp_path / "claims.md").read_text()
    assert f"| quick, 50 fits, 64 x 64 cells, x8 | {verdict} | – | – |" in text
    assert f"RMSE of the mean of 50 and of the best member: 8.00 mm and {1000 * best:.2f} mm." in text
    assert f"(d) {1 + (verdict == 'seen')} of 2." in text
    assert "an RMSE of 8.00 mm, 20 % less than a single fit; that of 10 is as good;" in text
    assert words in text


def test_records_that_do_not_know_the_best_member_have_no_verdict_on_it(module):
    verdicts, plan = module("claims_verdicts"), module("claims_plan").Plan()
    assert verdicts.best_of_many(records_of_sizes(None), plan) == []
    assert "best" not in verdicts.VERDICTS["sizes"](records_of_sizes(None))


def test_the_page_says_which_field_is_the_external_one(module):
    common, names = {"field": "near"}, {"internal: near": 0.002, "external: far": 0.009}
    records = [{**common, "what": what, "error": error} for what, error in names.items()]
    words = module("claims_verdicts").VERDICTS["recurrence"](records)
    assert words == (
        "**Verdict:** the nearest patch differs by 2.00 mm within near and by 9.00 mm in far, the external field: "
        "4.5 times as much."
    )


def test_every_section_of_the_page_has_a_verdict(module):
    stored = json.loads((BENCHMARKS.parent / "docs" / "claims" / "claims.json").read_text())
    verdicts = module("claims_verdicts").VERDICTS
    assert set(verdicts) == set(module("claims_page").SECTIONS)
    page = (BENCHMARKS.parent / "docs" / "claims" / "claims.md").read_text()
    for part, verdict in verdicts.items():
        found = [record for record in stored if record["part"] == part and record["what"] != "end"]
        words = verdict(sorted(found, key=lambda record: int(str(record["key"]).rpartition("_")[2])))
        assert words.startswith("**Verdict:** "), part
        assert words in page, part


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
