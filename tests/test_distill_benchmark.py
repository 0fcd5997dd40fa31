"""The benchmark of students on six days of a real series: that it measures what it says, not what it finds."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def distill(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("distill")


def test_splits_are_days_of_the_series_and_no_day_twice(distill):
    for count, taught in ((91, 20), (30, 20), (6, 4)):
        found = distill.splits(count, taught)
        assert set(found) == {"first", "spread"}
        for days in found.values():
            assert len(set(days)) == taught
            assert days.min() >= 0
            assert days.max() < count
    assert np.diff(distill.splits(91, 20)["spread"]).max() <= 5


@pytest.mark.slow
@pytest.mark.samples
def test_it_writes_records_of_days_that_were_not_taught(distill, tmp_path):
    assert distill.main(["--quick", "--out", str(tmp_path)]) == 0
    records = json.loads((tmp_path / "student.json").read_text())
    by_method = {(record["split"], record["method"]): record for record in records}
    teacher, student = by_method["first", "teacher"], by_method["first", "student"]
    assert teacher["to_teacher"] == 0.0
    assert teacher["days"] == student["days"] == 2
    assert student["conservation_error"] <= 1e-6
    assert student["to_teacher"] < by_method["first", "bicubic"]["to_teacher"]
    timed = by_method["first", "time"]
    assert np.median(timed["series"]["cpu"]) < np.median(timed["ensemble"]["cpu"])
    page = (tmp_path / "student.md").read_text()
    assert "| student |" in page
    assert (tmp_path / distill.PICTURE).exists()
