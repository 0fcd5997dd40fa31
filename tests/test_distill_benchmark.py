"""The benchmark of students on six days of a real series: that it measures what it says, not what it finds."""

import importlib
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import xr_dip

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


@pytest.mark.filterwarnings("ignore:There are 2 days to learn from")
def test_the_picture_says_where_and_how_much(distill, tmp_path, monkeypatch):
    truth = xr_dip.synthetic.gulf_stream((32, 48), times=2).ssh
    truth = truth.rename(distill.NAME)
    sea = np.ones((32, 48), dtype=bool)
    sea[:8, :8] = False
    coarse = truth.where(sea).coarsen(latitude=8, longitude=8).mean()
    teacher = truth.rename(f"{distill.NAME}_mean").where(sea).to_dataset()
    options = {"channels": 4, "layers": 1, "steps": 2, "progress": False, "device": "cpu"}
    student = xr_dip.distill(coarse, truth.where(sea), **options)
    figures = []
    monkeypatch.setattr(plt, "close", figures.append)
    distill.draw(student, distill.Series(coarse, truth, teacher, sea), 1, tmp_path)
    assert (tmp_path / distill.PICTURE).exists()
    upper, middle, lower, _ = figures[0].axes
    assert lower.get_xlabel() == "longitude (°E)"
    assert upper.get_ylabel() == middle.get_ylabel() == "latitude (°N)"
    spline = xr_dip.interpolate(coarse[1], 8, mask=sea)[f"{distill.NAME}_mean"]
    added = 1000 * (truth[1].where(sea).values - spline.values)
    assert upper.get_title() == f"teacher less spline, RMS {distill.rms(added):.2g} mm"
    np.testing.assert_allclose(np.ma.filled(upper.collections[0].get_array(), np.nan), added, rtol=1e-6)


def test_times_have_three_digits_and_those_of_the_processor_come_first(distill):
    page = importlib.import_module("distill_page")
    seconds = {"ensemble": (28.7059, 99.4111), "single": (0.12939, 0.41685), "series": (0.0221898, 0.0726266)}
    record = {name: {"cpu": [cpu], "wall": [wall]} for name, (cpu, wall) in seconds.items()}
    (text,), ratio = page.speed(record)
    assert text.splitlines()[0].startswith("|  | processor s per day | s per day |")
    assert text.splitlines()[2:] == [
        "| ensemble | 28.7 | 99.4 | 1.00 | 1.00 |",
        "| student, a day alone | 0.129 | 0.417 | 222 | 238 |",
        "| student, a day of the series | 0.0222 | 0.0726 | 1290 | 1370 |",
    ]
    assert ratio == pytest.approx(1294, abs=1)


@pytest.mark.slow
@pytest.mark.samples
@pytest.mark.filterwarnings(r"ignore:There are \d days to learn from")
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
