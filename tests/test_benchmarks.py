"""The benchmarks on a small synthetic field: that they measure what they say, not what they find."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xr_dip import samples
from xr_dip.presets import PRESETS

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def run_accuracy(module, out, *arguments):
    common = ("--quick", "--fields", "synthetic", "--factors", "4", "--members", "2", "--out", str(out))
    return module("accuracy").main([*common, *arguments])


def test_accuracy_writes_a_record_per_case_and_the_tables(module, tmp_path):
    assert run_accuracy(module, tmp_path, "--methods", "bicubic", "kriging", "fast") == 0
    records = json.loads((tmp_path / "accuracy.json").read_text())
    assert [record["method"] for record in records] == ["bicubic", "fast", "kriging"]
    by_method = {record["method"]: record for record in records}
    expected = by_method["bicubic"]["rmse"] / by_method["kriging"]["rmse"]
    assert f"| synthetic x4 | {expected:.3f} | 1.000 |" in (tmp_path / "accuracy.md").read_text()
    predicted, actual = by_method["fast"]["predicted_rmse"], by_method["fast"]["rmse"]
    assert by_method["fast"]["spread_skill"] == pytest.approx(predicted / actual, rel=1e-4)
    assert by_method["fast"]["conservation_error"] < 1e-6


def test_a_second_run_keeps_the_records_and_fresh_does_not(module, tmp_path, capsys):
    run_accuracy(module, tmp_path, "--methods", "bicubic")
    path = tmp_path / "accuracy.json"
    (record,) = json.loads(path.read_text())
    path.write_text(json.dumps([{**record, "rmse": 7.0}]))
    run_accuracy(module, tmp_path, "--methods", "bicubic", "nearest")
    kept = {found["method"]: found["rmse"] for found in json.loads(path.read_text())}
    assert kept["bicubic"] == 7.0
    assert "1 of 2 cases are done, 1 to run" in capsys.readouterr().out
    run_accuracy(module, tmp_path, "--methods", "bicubic", "--fresh")
    again = {found["method"]: found["rmse"] for found in json.loads(path.read_text())}
    assert again == {"bicubic": record["rmse"], "nearest": kept["nearest"]}  # only what was asked for ran again


def test_the_key_tells_cases_apart_but_ignores_the_members_of_an_interpolation(module):
    cases, fields = module("cases"), module("fields")
    fit = cases.Case(fields.SYNTHETIC, 4, "balanced", 2)
    line = cases.Case(fields.SYNTHETIC, 4, "bicubic", 2)
    changed = [replace(fit, factor=8), replace(fit, method="fast"), replace(fit, members=3), replace(fit, noise=0.01)]
    assert len({case.key for case in [fit, line, *changed]}) == 6
    assert replace(line, members=3).key == line.key
    assert replace(fit, field=replace(fit.field, pictured=4)).key == fit.key


def test_noise_is_a_share_of_the_spread_of_the_coarse_field(module):
    cases, fields = module("cases"), module("fields")
    truth = fields.open_field(fields.SYNTHETIC)
    quiet, noisy = cases.make_twin(truth, 4), cases.make_twin(truth, 4, noise=0.05)
    assert quiet.noise_std is None
    assert noisy.noise_std == pytest.approx(0.05 * float(quiet.coarse.std()))
    # 192 values: their standard deviation scatters by 5 %
    assert float((noisy.coarse - quiet.coarse).std()) == pytest.approx(noisy.noise_std, rel=0.2)


def test_errors_at_the_coast_are_those_within_two_cells_of_land(module):
    cases, fields = module("cases"), module("fields")
    truth = fields.open_field(fields.SYNTHETIC)
    truth[:, :9] = np.nan
    twin = cases.make_twin(truth, 8)
    result = cases.estimate(twin, 8, "conservative_bicubic", members=1)
    error = (result.ssh_mean.values - truth.values)[:, 9:11]
    record = cases.score(result, twin)
    assert record["rmse_coast"] == pytest.approx(np.sqrt((error**2).mean()))
    means = result.ssh_mean.coarsen(latitude=8, longitude=8).mean()
    np.testing.assert_allclose(means, twin.coarse, atol=1e-12)


def test_a_picture_is_small_and_drawn_once_per_field(module, tmp_path):
    cases, fields, records = module("cases"), module("fields"), module("records")
    case = cases.Case(fields.SYNTHETIC, 8, "fast", 2)
    job = records.Job(case, "cpu", tmp_path / "synthetic.png")
    store = records.Store(tmp_path / "records.json")
    assert records.run_jobs([job], store, 1) == []
    assert 0 < job.picture.stat().st_size < 120_000
    assert job.is_done(store)
    job.picture.unlink()
    assert not job.is_done(store)


def test_a_case_that_fails_has_no_record_and_does_not_stop_the_others(module, tmp_path):
    cases, fields, records = module("cases"), module("fields"), module("records")
    broken = cases.Case(fields.SYNTHETIC, 4, "balanced", 0)
    sound = cases.Case(fields.SYNTHETIC, 4, "bicubic", 0)
    store = records.Store(tmp_path / "records.json")
    (failure,) = records.run_jobs([records.Job(broken, "cpu"), records.Job(sound, "cpu")], store, 1)
    assert failure.startswith("synthetic x4 balanced: Invalid members 0")
    assert [record["method"] for record in records.Store(store.path).records.values()] == ["bicubic"]


@pytest.mark.parametrize("script", ["accuracy", "robustness", "speed"])
def test_an_unknown_field_is_refused(module, script):
    with pytest.raises(ValueError, match=r"Invalid field 'pacific'\. It must begin one of"):
        module(script).main(["--fields", "pacific"])


def window_record(name, method, cells, **scores):
    common = {"field": name, "factor": 8, "method": method, "noise": 0.0, "coarse_cells": cells}
    return {**common, "correlation": 0.4, "coverage": 0.9, "blend_weight": 0.5, "predicted_rmse": 1.0, **scores}


def sweep(ratios, spreads):
    records = []
    for index, (ratio, spread) in enumerate(zip(ratios, spreads, strict=True)):
        scores = {"rmse": ratio, "spread_skill": spread, "crps": 0.4 * ratio, "crps_gaussian": 0.5 * ratio}
        records += [
            window_record(str(index), "kriging", 400, rmse=1.0, spread_skill=1.0, crps_gaussian=0.5),
            window_record(str(index), "balanced", 400, **scores),
        ]
    return records


def test_the_distribution_of_a_sweep(module):
    robustness = module("robustness")
    windows = robustness.compare(sweep([0.9, 1.0, 1.1], [0.5, 1.0, 2.0]), "balanced")
    name, number, mean, worst, above, spread, calibrated, *_, crps = robustness.summary_row("all", windows)
    assert (name, number, mean, worst, above) == ("all", "3", "1.000", "1.100", "1")
    assert (spread, calibrated) == ("1.00 (0.50 to 2.00)", "0.33")
    assert crps == f"{(0.9 * 1.0 * 1.1) ** (1 / 3):.3f}"


def test_promises_of_a_sweep_are_kept_or_not(module):
    robustness = module("robustness")
    good = {aim: kept for aim, _, kept in robustness.targets(robustness.compare(sweep([0.9], [1.0]), "balanced"))}
    bad = {aim: kept for aim, _, kept in robustness.targets(robustness.compare(sweep([1.2], [2.0]), "balanced"))}
    ratio, spread = "mean ratio at most 0.96", "spread/skill 0.8 to 1.25 for 9 of 10 above 200 cells"
    assert (good[ratio], good[spread], good["none above 1.05"]) == (True, True, True)
    assert (bad[ratio], bad[spread], bad["none above 1.05"]) == (False, False, False)
    assert not good["at least 40 windows"]


def test_robustness_page(module, tmp_path):
    module("robustness").write(tmp_path, sweep([0.9, 1.0], [1.0, 1.1]), ["balanced"], "a test")
    page = (tmp_path / "robustness.md").read_text()
    assert "| mean ratio at most 0.96 | 0.950 | yes |" in page
    assert (tmp_path / "robustness_balanced.png").exists()


def test_the_sweep_is_what_it_promises(module):
    windows = module("windows").SWEEP
    assert len({window.name for window in windows}) == len(windows) >= 40
    assert {window.factors[0] for window in windows} == {3, 4, 5, 6, 8, 12, 16, 32}
    for window in windows:
        sizes = [(stop - start) / window.factors[0] for start, stop in (window.rows, window.columns)]
        assert all(size.is_integer() and 6 <= size <= 38 for size in sizes)


@pytest.mark.samples
def test_the_windows_hold_nothing_but_sea(module):
    fields, windows = module("fields"), module("windows")
    for window in windows.SWEEP:
        truth = fields.open_field(window)
        shape = tuple(stop - start for start, stop in (window.rows, window.columns))
        assert truth.shape == shape
        assert bool(truth.notnull().all()), window.name
    assert {window.sample for window in windows.SWEEP} <= {sample.name for sample in samples.list()}


@pytest.mark.samples
def test_the_coasts_have_land_and_the_other_fields_have_none(module):
    fields = module("fields")
    assert not any(fields.open_field(field).isnull().any() for field in fields.FIELDS)
    assert all(fields.open_field(field).isnull().any() for field in fields.COASTS)


@pytest.mark.slow
def test_warm_starts_are_measured_beside_cold_ones(module, tmp_path):
    warm_start = module("warm_start")
    options = ["--quick", "--fields", "synthetic", "--chain", "2", "--every", "2", "--out", str(tmp_path)]
    assert warm_start.main(options) == 0
    records = json.loads((tmp_path / "warm_start.json").read_text())
    assert [(record["day"], record["kind"]) for record in records] == [
        (0, "cold"),
        (0, "warm"),
        (1, "warm"),
        (2, "cold"),
        (2, "warm"),
    ]
    iterations = [record["iterations"] for record in records]
    assert iterations == [120, 120, 12, 120, 120]
    assert records[0]["rmse"] == records[1]["rmse"]
    assert "| warm over cold |" in (tmp_path / "warm_start.md").read_text()


def test_the_summary_of_warm_starts_compares_the_same_days(module):
    warm_start = module("warm_start")
    common = {"rmse": 1.0, "std": 1.0, "fit_std": 1.0, "iterations": 10, "seconds": 2.0, "cpu_seconds": 3.0}
    records = [
        {"day": 0, "kind": "cold", **common, "seconds": 6.0},
        {"day": 0, "kind": "warm", **common, "rmse": 1.02},
        {"day": 1, "kind": "warm", **common, "rmse": 9.0, "seconds": 1.0},
    ]
    found = warm_start.summarise(records)
    assert (found["warm"]["rmse"], found["warm"]["seconds"]) == (1.02, 1.5)
    said = warm_start.verdict(found)
    assert "4.0 times fewer seconds (1.0 of CPU time): aim 3, reached" in said
    assert "RMSE +2.0%: aim within 5%, reached" in said


def test_the_whole_plan_of_the_accuracy_benchmark(module):
    accuracy, command, fields = module("accuracy"), module("command"), module("fields")
    cases = accuracy.make_cases(accuracy.parse([]))
    assert list(cases) == ["main", "coast", "noise"]
    sizes = {(case.field.name, case.factor) for case in cases["main"]}
    assert len(sizes) == len(fields.FIELDS) * 4 - 1  # 85 rows are no more than two cells of 32
    assert ("glo12_sargasso", 32) not in sizes
    assert {case.members for case in cases["main"] if case.method == "archambault2022"} == {3}
    assert {case.noise for case in cases["noise"]} == {0.0, 0.01, 0.02, 0.05}
    some = accuracy.parse(["--fields", "osmosis", "--factors", "8", "--methods", "fast", "--parts", "main"])
    whole = command.without_filters(some)
    assert accuracy.make_cases(whole)["main"] == cases["main"]
    assert [str(case) for case in accuracy.make_cases(some)["main"]] == ["osmosis_200908 x8 fast"]


@pytest.fixture
def quick_kind(module, monkeypatch):
    """Fits of a few steps, as a kind of the table of methods and as a preset of the package."""
    method_fits = module("method_fits")

    def quick(factor):
        return replace(PRESETS["fast"](factor), iterations=5)

    monkeypatch.setitem(method_fits.KINDS, "quick", quick)
    monkeypatch.setitem(PRESETS, "quick", quick)
    return method_fits


def test_constraints_of_the_methods_table_are_those_of_the_package(module, quick_kind):
    cases, fields = module("cases"), module("fields")
    records = quick_kind.run_ensemble(quick_kind.Ensemble(fields.SYNTHETIC, 8, "quick"))
    assert [record["constraint"] for record in records] == list(quick_kind.CONSTRAINTS)
    by_constraint = {record["constraint"]: record for record in records}
    whole = cases.run_case(cases.Case(fields.SYNTHETIC, 8, "quick", 2))[0]
    for name in ("rmse", "ssim", "gradient_rmse"):
        assert by_constraint["optimal"][name] == pytest.approx(whole[name], rel=1e-3)
    assert by_constraint["optimal"]["spread_skill"] == pytest.approx(whole["spread_skill"], rel=0.1)  # other draws
    assert by_constraint["none"]["conservation_error"] > 1e-4
    assert all(by_constraint[name]["conservation_error"] < 1e-6 for name in quick_kind.CONSTRAINTS if name != "none")


def test_a_constraint_that_refuses_the_fits_leaves_a_record_that_says_so(module, quick_kind, monkeypatch):
    monkeypatch.setattr(quick_kind, "CONSTRAINTS", ("none", "softmax"))
    monkeypatch.setattr(quick_kind, "constraint_options", lambda name, values: {})
    records = quick_kind.run_ensemble(quick_kind.Ensemble(module("fields").SYNTHETIC, 8, "quick"))
    assert "rmse" in records[0]
    assert "Invalid offset" in records[1]["refused"]


def test_the_methods_page_compares_constraints_losses_and_noise(module, quick_kind, tmp_path):
    methods = module("methods")
    arguments = ["--fields", "synthetic", "--factors", "8", "--kinds", "quick", "--out", str(tmp_path)]
    assert methods.main([*arguments, "--noises", "0", "0.02"]) == 0
    records = [record for record in json.loads((tmp_path / "methods.json").read_text()) if "kind" in record]
    clean = {record["method"]: record for record in records if not record["noise"]}
    page = (tmp_path / "methods.md").read_text()
    assert len(clean) == 2 * len(quick_kind.CONSTRAINTS)  # mean square and Charbonnier
    ratio = clean["quick, mse, smooth"]["rmse"] / clean["quick, mse, none"]["rmse"]
    assert f"| smooth | {ratio:.3f} |" in page
    assert "## Losses" in page
    assert "## With noise" in page
    assert page.count("**") > 4
