"""A student: conserving for any weights, blind to units, the same bits lazily and from a file, and able to learn."""

import inspect
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import partial

import dask
import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import xr_dip
from xr_dip.accessor import DipArray, DipDataset
from xr_dip.blocks import block_mean
from xr_dip.cf.provenance import read_cost
from xr_dip.distillation import training
from xr_dip.distillation.answer import Answer
from xr_dip.distillation.exercises import hold_out, make_exercises, make_settings, shared_covariance
from xr_dip.distillation.lessons import read_lessons
from xr_dip.distillation.network import Network, weights_of
from xr_dip.distillation.settings import FORMAT, Settings
from xr_dip.distillation.standard import find_standard, see
from xr_dip.distillation.student import KEY, Student, load_student
from xr_dip.distillation.training import loss_of
from xr_dip.errors import DipWarning
from xr_dip.inputs import find_target
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.covariance import Kernel, fit_covariance
from xr_dip.sea import find_sea

FEW_DAYS = "ignore:There are . days to learn from, and none is held out"
CELL = 111_000.0


def wild(factor, *, size=1.0, layers=1, seed=0, cell=CELL):
    """Return a student with weights by chance, as large as `size`: nothing that it proposes makes sense."""
    chosen = Settings(factor, (cell, cell), (Kernel(2.5, 2.0, 1.0),), 4, layers, {"days": 0})
    network = Network(chosen, torch.Generator().manual_seed(seed))
    draws = np.random.default_rng(seed)
    return Student(
        chosen,
        {
            name: (size * draws.standard_normal(array.shape)).astype(np.float32)
            for name, array in weights_of(network).items()
        },
    )


def still(factor, **options):
    """Return a student that proposes nothing."""
    return wild(factor, size=0.0, **options)


def field(shape=(6, 7), *, times=0, seed=0, land=False, lat=0.0):
    """Return a rough field on cells of one degree at the equator."""
    draws = np.random.default_rng(seed)
    values = 0.2 * draws.standard_normal((max(times, 1), *shape)).cumsum(axis=-1)
    if land:
        values[:, : shape[0] // 2, : shape[1] // 3] = np.nan
    coords = {"lat": lat + np.arange(shape[0]) - shape[0] / 2, "lon": np.arange(shape[1]) + 0.5}
    if not times:
        return xr.DataArray(values[0], coords, ("lat", "lon"), "zos", {"units": "m"})
    coords["time"] = np.datetime64("2020-01-01", "ns") + np.arange(times) * np.timedelta64(1, "D")
    return xr.DataArray(values, coords, ("time", "lat", "lon"), "zos", {"units": "m"})


def days_of(times=6, factor=4, cells=(8, 9), seed=1):
    """Return smooth fine fields and their block means."""
    y, x = np.meshgrid(*(np.arange(n * factor) / factor for n in cells), indexing="ij")
    draws = np.random.default_rng(seed)
    fine = np.zeros((times, *y.shape))
    for day in range(times):
        for _ in range(12):
            ky, kx, phase = *draws.uniform(-1.4, 1.4, 2), draws.uniform(0, 6.3)
            fine[day] += 0.05 * np.sin(ky * y + kx * x + phase)
    coarse = field(cells, times=times)
    coarse = coarse.copy(data=block_mean(fine, np.ones(y.shape), (factor, factor)))
    return coarse, xr.DataArray(fine, {"time": coarse.time}, ("time", "lat", "lon"), "zos", {"units": "m"})


# What is exact.


@settings(max_examples=15)
@given(
    shape=st.tuples(st.integers(2, 9), st.integers(3, 9)),
    factor=st.tuples(st.integers(1, 5), st.integers(1, 6)),
    land=st.booleans(),
    weights=st.sampled_from(["equal", "area"]),
    seed=st.integers(0, 99),
)
def test_block_means_are_kept_whatever_the_weights_say(shape, factor, land, weights, seed):
    coarse = field(shape, land=land, seed=seed)
    fine = wild(factor, seed=seed).downscale(coarse, weights=weights)
    assert float(abs(fine.conservation_error).max()) < 1e-6
    assert fine.zos_mean.shape == (shape[0] * factor[0], shape[1] * factor[1])
    assert (np.isnan(fine.zos_mean) == np.isnan(fine.zos_std)).all()
    assert bool((fine.zos_std.fillna(1.0) > 0).all())
    if factor != (1, 1):  # it is no small proposal that is made to conserve
        assert float(abs(fine.zos_mean - still(factor).downscale(coarse, weights=weights).zos_mean).max()) > 1e-3


def test_a_fine_mask_is_obeyed():
    coarse = field((5, 6))
    sea = np.random.default_rng(0).random((15, 24)) > 0.3
    sea[::3, ::4] = True
    fine = wild((3, 4)).downscale(coarse, mask=sea)
    np.testing.assert_array_equal(np.isfinite(fine.zos_mean), sea)
    assert float(abs(fine.conservation_error).max()) < 1e-6
    means = block_mean(fine.zos_mean.values.astype(float), sea.astype(float), (3, 4))
    np.testing.assert_allclose(means, coarse, atol=1e-6)


def test_what_proposes_nothing_is_kriging():
    coarse, student = field((6, 7), land=True), still((3, 5))
    sea = find_sea(coarse.values, (3, 5))
    spacing = (CELL / 3, CELL / 5)
    kriging = krige_basins(sea.weights, (3, 5), spacing, student.settings.covariance, sea.coarse, sea=sea.water)
    expected = np.where(sea.mask, kriging.mean(coarse.values), np.nan)
    # one degree is 110.6 km along y and 111.3 km along x, which changes the kriging a little
    np.testing.assert_allclose(student.downscale(coarse).zos_mean, expected, atol=2e-3)


@pytest.mark.parametrize(("times", "plus"), [(100.0, 0.0), (1.0, -7.0), (0.01, 0.3)])
def test_it_knows_no_units_and_no_level(times, plus):
    coarse, student = field(land=True), wild((3, 4), size=0.2)
    fine, other = student.downscale(coarse), student.downscale(times * coarse + plus)
    np.testing.assert_allclose(other.zos_mean, times * fine.zos_mean + plus, rtol=2e-5, atol=2e-5 * max(times, 1.0))
    np.testing.assert_allclose(other.zos_std, times * fine.zos_std, rtol=1e-4)


def test_what_it_sees_knows_no_plane():
    y, x = np.indices((6, 7))
    values = field().values
    data = np.isfinite(values)
    first, second = (find_standard(v, data) for v in (values, 3 * values + 2 * y - x))
    np.testing.assert_allclose(second.anomaly, first.anomaly, atol=1e-9)
    assert second.roughness == pytest.approx(3 * first.roughness)


def test_roughness_is_that_of_differences():
    # A chessboard of 1 and -1 has no plane on an even grid, and every difference is 2.
    board = 1.0 - 2.0 * (np.indices((4, 6)).sum(axis=0) % 2)
    standard = find_standard(board, np.ones(board.shape, dtype=bool))
    assert standard.roughness == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_a_constant_field_stays_constant(value):
    coarse = xr.full_like(field((2, 3)), value)
    fine = wild((2, 2), size=0.1).downscale(coarse)
    np.testing.assert_allclose(fine.zos_mean, value, atol=1e-7)
    assert float(fine.zos_std.max()) < 1e-6


def test_around_the_globe_there_is_no_seam():
    lon = np.arange(0, 360, 30.0)
    values = np.random.default_rng(0).standard_normal((4, 12))
    coarse = xr.DataArray(values, {"lat": [-30.0, 0.0, 30.0, 60.0], "lon": lon}, ("lat", "lon"), "zos", {"units": "m"})
    student = wild((2, 3), size=0.3, layers=2, cell=3.0e6)
    fine, rolled = student.downscale(coarse), student.downscale(coarse.roll(lon=5).assign_coords(lon=lon))
    np.testing.assert_allclose(rolled.zos_mean, np.roll(fine.zos_mean, 15, axis=1), atol=2e-5)


def test_the_margin_is_as_wide_as_the_network_looks():
    values = field((7, 8)).values
    wide = see(find_standard(values, np.isfinite(values)), np.ones(values.shape), 4)
    assert wide.shape == (3, 15, 16)
    np.testing.assert_array_equal(wide[1, 4:-4, 4:-4], 1.0)
    assert wide[1].sum() == values.size  # no sea beside the field
    np.testing.assert_array_equal(wide[0, 0, 4:-4], wide[0, 4, 4:-4])


# The Dataset.


def test_lazy_is_eager_bit_by_bit_and_building_computes_nothing():
    coarse, student = field(times=3, land=True), wild((3, 2), size=0.3)

    def refuse(*arguments, **options):
        raise AssertionError("Something was computed.")

    with dask.config.set(scheduler=refuse):
        lazy = student.downscale(coarse.chunk(time=1))
    assert lazy.zos_mean.chunks[0] == (1, 1, 1)
    eager = student.downscale(coarse)
    alone = student.downscale(coarse.isel(time=1))
    for name in ("zos_mean", "zos_std", "zos_flag", "conservation_error"):
        np.testing.assert_array_equal(lazy[name].compute(scheduler="threads").values, eager[name].values)
        np.testing.assert_array_equal(eager[name].values[1], alone[name].values)


def test_it_travels_to_another_process():
    coarse, student = field(), wild((2, 3))
    _, target = find_target(coarse, (2, 3))
    answer = Answer(student.settings, student.weights, target, "zos")
    expected = answer(coarse.values, 0)
    for there in (answer, pickle.loads(pickle.dumps(answer))):
        np.testing.assert_array_equal(there(coarse.values, 0)["mean"], expected["mean"])


def test_a_gap_that_moves_is_followed():
    coarse = field(times=3)
    coarse[1, 2, 3] = np.nan
    fine = wild((2, 2), size=0.3).downscale(coarse)
    assert float(abs(fine.conservation_error).max()) < 1e-6
    np.testing.assert_array_equal(np.isnan(fine.zos_mean).sum(("lat", "lon")), [0, 4, 0])


def test_the_result_says_who_made_it():
    student = wild((2, 3))
    fine = student.downscale(field())
    assert f"student {student.digest[:12]} of an unknown teacher" in fine.attrs["source"]
    said = json.loads(fine.attrs["xr_dip_configuration"])["student"]
    assert said["sha256"] == student.digest
    assert said["factor"] == [2, 3]
    assert set(fine.data_vars) >= {"zos_mean", "zos_std", "zos_flag", "conservation_error"}
    assert fine.zos_mean.attrs["units"] == "m"
    assert fine.zos_mean.dtype == np.float32


def test_the_history_tells_the_seconds_of_a_result_in_memory():
    student, coarse = wild((2, 3)), field()
    seconds, device = read_cost(student.downscale(coarse).history.splitlines()[0])
    assert (0.0 <= seconds < 600.0, device) == (True, "cpu")
    assert read_cost(student.downscale(coarse.chunk()).history.splitlines()[0]) is None


def test_the_accessor_hands_over():
    coarse, student, sea = field(times=2), wild((2, 3)), np.ones((12, 21), dtype=bool)
    sea[0, 0] = False
    fine = student.downscale(coarse, mask=sea, weights="area")
    xr.testing.assert_equal(coarse.dip.apply_student(student, mask=sea, weights="area"), fine)
    xr.testing.assert_equal(coarse.to_dataset().dip.apply_student("zos", student, mask=sea, weights="area"), fine)
    wanted = list(inspect.signature(Student.downscale).parameters.values())[2:-1]
    for accessor, skipped in ((DipArray, 2), (DipDataset, 3)):
        assert list(inspect.signature(accessor.apply_student).parameters.values())[skipped:] == wanted


def test_other_cells_than_those_it_learned_from_are_refused():
    student = wild((2, 2))
    student.downscale(field(lat=30.0))  # cos 30 degrees is 0.87
    with pytest.raises(ValueError, match=r"Invalid coarse cells of .* m\. They must be within 1\.5 times"):
        student.downscale(field(lat=60.0))


def test_a_mask_of_another_factor_is_refused():
    with pytest.raises(ValueError, match="Invalid mask"):
        wild((2, 2)).downscale(field(), mask=np.ones((18, 21), dtype=bool))


# Files.


@pytest.fixture
def saved(tmp_path):
    return wild((2, 3), layers=2).save(tmp_path / "student.safetensors")


def test_a_file_gives_the_same_bits(saved):
    student, back = wild((2, 3), layers=2), load_student(saved)
    assert back.settings == student.settings
    assert back.digest == student.digest
    for name, array in student.weights.items():
        np.testing.assert_array_equal(back.weights[name], array)
    xr.testing.assert_equal(back.downscale(field()), student.downscale(field()))


def test_the_digest_is_that_of_weights_and_settings():
    student = wild((2, 3))
    others = [wild((2, 3), seed=1), wild((3, 2)), replace(student, settings=replace(student.settings, training={}))]
    assert len({one.digest for one in (student, *others)}) == 4
    assert student.digest[:12] in repr(student)


def test_a_file_is_not_replaced_unless_asked(saved):
    before = saved.read_bytes()
    with pytest.raises(FileExistsError, match="Invalid output"):
        wild((2, 2)).save(saved)
    assert saved.read_bytes() == before
    assert load_student(wild((2, 2)).save(saved, overwrite=True)).settings.factor == (2, 2)


def test_a_broken_write_leaves_what_was_there(saved, monkeypatch):
    before = saved.read_bytes()

    def fail(source, target):
        raise OSError("No space left on device.")

    monkeypatch.setattr("xr_dip.distillation.student.os.replace", fail)
    with pytest.raises(OSError, match="No space left"):
        wild((2, 2)).save(saved, overwrite=True)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_cut_file_is_refused(saved):
    content = saved.read_bytes()
    for length in (0, 5, len(content) // 2, len(content) - 1):
        saved.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"Invalid student .* It must be a whole safetensors file"):
            load_student(saved)


def change(path, *, weights=None, header=None):
    """Write a file anew with other weights, or another header."""
    settings_text = wild((2, 3), layers=2).settings.to_json()
    save_file(weights or load_file(path), path, metadata={KEY: settings_text} if header is None else header)


def test_other_files_are_refused(saved):
    saved.with_name("text").write_text("no weights, only words, and more of them than a header has")
    with pytest.raises(ValueError, match="It must be a whole safetensors file"):
        load_student(saved.with_name("text"))
    change(saved, header={"format": "pt"})
    with pytest.raises(ValueError, match="It must be one that xr_dip saved"):
        load_student(saved)
    change(saved, header={KEY: "{}"})
    with pytest.raises(ValueError, match="Invalid settings"):
        load_student(saved)
    with pytest.raises(FileNotFoundError, match=r"Invalid path .* It must be a file"):
        load_student(saved.with_name("nothing"))


def test_a_changed_number_is_refused(saved):
    content = bytearray(saved.read_bytes())
    content[-2] ^= 1  # a bit of the fraction of the last weight, which stays a number
    saved.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="It must hold the numbers that were saved, some have changed"):
        load_student(saved)


def test_a_name_is_no_student():
    for apply in (
        field((4, 4)).dip.apply_student,
        partial(field((4, 4)).to_dataset(name="ssh").dip.apply_student, "ssh"),
    ):
        with pytest.raises(TypeError, match=r"Invalid student 'a.safetensors'. It must be an xr_dip.Student"):
            apply("a.safetensors")


def test_a_newer_file_is_refused(saved):
    plain = json.loads(wild((2, 3), layers=2).settings.to_json())
    change(saved, header={KEY: json.dumps({**plain, "format": FORMAT + 1})})
    with pytest.raises(ValueError, match=f"Invalid format {FORMAT + 1}. It must be at most {FORMAT}"):
        load_student(saved)


@pytest.mark.parametrize(
    ("name", "value"), [("factor", [0, 2]), ("kernels", []), ("layers", None), ("cell_size", [1.0]), ("factor", "two")]
)
def test_damaged_settings_are_refused(name, value):
    plain = json.loads(wild((2, 3)).settings.to_json())
    with pytest.raises(ValueError, match="Invalid settings"):
        Settings.from_json(json.dumps({**plain, name: value}))


def test_weights_that_do_not_fit_are_refused(saved):
    weights = load_file(saved)
    change(saved, weights={name: array for name, array in weights.items() if name != "head.bias"})
    with pytest.raises(ValueError, match=r"Invalid weights \['head.bias'\]. They must be those of the settings"):
        load_student(saved)
    change(saved, weights={**weights, "head.bias": np.full_like(weights["head.bias"], np.nan)})
    with pytest.raises(ValueError, match=r"Invalid weights 'head.bias'. They must be finite"):
        load_student(saved)


# Lessons.


def test_days_are_found_by_their_time():
    coarse, fine = days_of(6)
    lessons = read_lessons(coarse, fine.isel(time=[4, 1]), {}, None)
    assert lessons.target.factor == (4, 4)
    for lesson, day in zip(lessons.days, (4, 1), strict=True):
        np.testing.assert_array_equal(lesson.values, coarse[day])
        np.testing.assert_array_equal(lesson.mean, fine[day])
        np.testing.assert_array_equal(lesson.std, 0.0)


def test_results_bring_their_error_their_mask_and_their_name():
    coarse, _ = days_of(3)
    sea = np.ones((32, 36), dtype=bool)
    sea[3, 5] = False
    results = coarse.dip.interpolate(4, method="kriging", mask=sea)
    lessons = read_lessons(coarse, results, {}, None)
    np.testing.assert_array_equal(lessons.target.mask, sea)
    np.testing.assert_array_equal(lessons.days[2].std, results.zos_std[2].astype(float))
    np.testing.assert_array_equal(lessons.days[0].known, sea)
    assert results.attrs["xr_dip_configuration_sha256"] in lessons.teacher


def test_estimates_may_have_another_unit_and_a_missing_day():
    coarse, fine = days_of(3)
    centimetres = (100 * fine).assign_attrs(units="cm")
    centimetres[1] = np.nan
    lessons = read_lessons(coarse, centimetres, {}, None)
    assert len(lessons.days) == 2
    np.testing.assert_allclose(lessons.days[1].mean, fine[2])


def test_days_without_an_error_or_told_twice_are_refused():
    coarse, fine = days_of(3)
    results = xr.Dataset({"zos_mean": fine, "zos_std": xr.full_like(fine, np.nan)})
    with pytest.raises(ValueError, match=r"They must have a day with values and standard errors"):
        read_lessons(coarse, results, {}, None)
    with pytest.raises(ValueError, match=r"Invalid coarse field with .* along 'time' more than once. Its days must"):
        read_lessons(xr.concat([coarse, coarse], "time"), fine, {}, None)


def test_what_is_no_estimate_is_refused():
    coarse, fine = days_of(3)
    with pytest.raises(TypeError, match="Invalid estimates of type ndarray"):
        xr_dip.distill(coarse, fine.values)
    with pytest.raises(ValueError, match=r"Invalid estimates without \['zos_mean', 'zos_std'\]"):
        xr_dip.distill(coarse, fine.to_dataset(name="ssh"))
    with pytest.raises(ValueError, match=r"Invalid estimates of 31 x 36 cells. Their sizes must be multiples"):
        xr_dip.distill(coarse, fine[:, :31])
    with pytest.raises(ValueError, match=r"Invalid estimates of 2021-.* along 'time'. They must be of days"):
        xr_dip.distill(coarse, fine.assign_coords(time=fine.time + np.timedelta64(366, "D")))
    with pytest.raises(ValueError, match="Invalid estimates with the dimensions"):
        xr_dip.distill(coarse, fine[0])
    with pytest.raises(ValueError, match="Invalid estimates of 2 days along 'time' without a coordinate"):
        xr_dip.distill(coarse, fine[:2].drop_vars("time"))
    with pytest.raises(ValueError, match="They must have a day with values"):
        xr_dip.distill(coarse, fine * np.nan)


@pytest.mark.parametrize("form", ["{}", '{{"zos": {}}}'])
def test_results_of_other_coarse_values_than_block_means_are_refused(form):
    coarse, fine = days_of(3)
    results = xr.Dataset({"zos_mean": fine, "zos_std": 0 * fine + 0.01})
    for operator in ("block_mean", "gaussian"):
        results.attrs["xr_dip_configuration"] = form.format(json.dumps({"operator": operator}))
        if operator == "block_mean":
            assert len(read_lessons(coarse, results, {}, None).days) == 3
        else:
            with pytest.raises(ValueError, match=r"Invalid estimates with the operator 'gaussian'. It must be 'blo"):
                xr_dip.distill(coarse, results)


def test_results_of_values_with_noise_are_refused():
    coarse, _ = days_of(2)
    with pytest.raises(ValueError, match=r"Invalid estimates with the noise_std 0.01. It must be None: a student ke"):
        xr_dip.distill(coarse, coarse.dip.interpolate(4, method="kriging", noise_std=0.01))


def test_a_coarse_field_is_a_dataarray_and_comes_first():
    coarse, fine = days_of(2)
    for first, second in ((coarse.to_dataset(), fine), (fine.to_dataset(name="zos_mean"), coarse)):
        with pytest.raises(TypeError, match=r"Invalid coarse of type Dataset. It must be an xarray.DataArray, such as"):
            xr_dip.distill(first, second)


def test_a_teacher_that_adds_nothing_to_kriging_is_refused():
    coarse, _ = days_of(1)
    alike = xr.concat([coarse, 3 * coarse], "time").assign_coords(time=[0, 1])
    # days that differ in size only have one covariance, that of the student
    shared = shared_covariance(read_lessons(alike, alike.dip.interpolate(4).zos_mean, {}, None))
    spacing = find_target(coarse, 4)[1].fine_grid.spacing()
    kriging = krige_basins(np.ones((32, 36)), (4, 4), spacing, shared, np.ones((8, 9), dtype=bool))
    mean = xr.DataArray([kriging.mean(day) for day in alike.values], {"time": [0, 1]}, ("time", "lat", "lon"))
    with pytest.raises(ValueError, match=r"Invalid estimates that differ from the kriging of a student by .* They mus"):
        xr_dip.distill(alike, mean.astype("float32"), progress=False)


def test_estimates_with_other_block_means_are_warned_about():
    coarse, fine = days_of(2)
    with pytest.warns(DipWarning, match="The block means of the estimates differ from the coarse field by up to 5%"):
        read_lessons(coarse, fine + 0.05 * float(coarse[1].std()), {}, None)


@pytest.mark.parametrize("argument", ["channels", "layers", "steps"])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_sizes_are_whole_numbers(argument, value):
    with pytest.raises(ValueError, match=f"Invalid {argument} .* It must be a whole number of at least 1"):
        xr_dip.distill(*days_of(1), **{argument: value})


def test_the_covariance_of_equal_days_is_that_of_one():
    coarse, fine = days_of(1)
    days = xr.concat([coarse, 3 * coarse], "time"), xr.concat([fine, 3 * fine], "time")
    days = [day.assign_coords(time=[0, 1]) for day in days]
    lessons = read_lessons(*days, {}, None)
    shared = shared_covariance(lessons)
    one = fit_covariance(coarse.values[0], np.ones((32, 36)), (4, 4), lessons.target.fine_grid.spacing())
    roughness = lessons.days[0].values
    roughness = find_standard(roughness, np.isfinite(roughness)).roughness
    assert (shared.best.smoothness, shared.best.length) == (one.best.smoothness, one.best.length)
    assert shared.best.sill == pytest.approx(one.best.sill / roughness**2)


# Learning.


def test_the_loss_is_least_where_the_standard_error_holds_both_errors():
    # d/ds [log s + (t^2 + e^2) / (2 s^2)] = 0 at s^2 = t^2 + e^2
    miss, variance = 0.3, 0.16
    answer = torch.tensor([[[[miss]], [[0.5 * np.log(variance + miss**2)]]]], requires_grad=True)
    goal = torch.tensor([[[[0.0]], [[variance]]]])
    loss_of(answer, goal, torch.ones(1, 1, 1), scale=0.5).backward()
    assert float(answer.grad[0, 1]) == pytest.approx(0.0, abs=1e-6)
    assert float(answer.grad[0, 0]) == pytest.approx(2 * miss / 0.5)  # of the first term alone


def test_what_is_not_known_teaches_nothing():
    answer = torch.randn(1, 2, 3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    known = torch.ones(1, 3, 4)
    known[0, 1, 2] = 0.0
    loss_of(answer, torch.zeros(1, 2, 3, 4), known, scale=1.0).backward()
    assert (answer.grad[0, :, 1, 2] == 0).all()
    assert (answer.grad[0, 0] != 0).sum() == 11


def test_the_last_days_are_held_out():
    days = list(range(11))
    assert hold_out(days, 0.2) == (days[:9], days[9:])
    assert hold_out(days[:4], 0.2) == (days[:4], [])


@pytest.fixture(scope="module")
def learned():
    """A student of a teacher that is linear: the spline with exact block means."""
    coarse, _ = days_of(24, seed=2)
    teacher = coarse.dip.interpolate(4).zos_mean
    student = xr_dip.distill(coarse[:20], teacher[:20], channels=24, layers=2, steps=300, progress=False, device="cpu")
    return student, coarse, teacher


@pytest.mark.filterwarnings(FEW_DAYS)
@pytest.mark.parametrize("truth", [False, True])
def test_a_result_says_what_its_teacher_was(truth):
    coarse, fine = days_of(2)
    estimates = fine if truth else coarse.dip.interpolate(4, method="kriging")
    student = xr_dip.distill(coarse, estimates, channels=4, layers=1, steps=2, progress=False, device="cpu")
    teacher = "fields without a standard error" if truth else "interpolation, kriging"
    source = student.downscale(coarse).attrs["source"]
    assert source == f"xr_dip {xr_dip.__version__}, student {student.digest[:12]} of {teacher}"


@pytest.mark.parametrize(("days", "said"), [(1, "is one day"), (2, "are 2 days"), (4, "are 4 days")])
def test_days_of_which_none_is_held_out_are_warned_about(days, said):
    with pytest.warns(DipWarning, match=f"There {said} to learn from, and none is held out: .* Give it five days"):
        xr_dip.distill(*days_of(days), channels=4, layers=1, steps=2, progress=False, device="cpu")


def test_a_student_that_has_learned_nothing_is_warned_about():
    coarse, _ = days_of(6)
    kriging = coarse.dip.interpolate(4, method="kriging")
    with pytest.warns(DipWarning, match="The student has learned nothing: .* its skill is -0"):
        xr_dip.distill(coarse, kriging, channels=4, layers=1, steps=10, progress=False, device="cpu")


def rms(error):
    return float(np.sqrt((error**2).mean()))


def test_a_linear_teacher_is_learned(learned):
    student, coarse, teacher = learned
    fine, plain = student.downscale(coarse[20:]), still_of(student).downscale(coarse[20:])
    added = rms(plain.zos_mean - teacher[20:])  # what the teacher adds to kriging
    assert rms(fine.zos_mean - teacher[20:]) < 0.5 * added
    assert student.settings.training["skill"] > 0.75
    assert student.settings.training["held_out"] == 4


def still_of(student):
    return Student(student.settings, {name: np.zeros_like(array) for name, array in student.weights.items()})


def test_the_standard_error_of_a_student_of_truths_is_its_own(learned):
    student, coarse, teacher = learned
    fine = student.downscale(coarse[20:])
    ratio = (fine.zos_mean - teacher[20:]) / fine.zos_std
    assert 0.6 < rms(ratio) < 1.6


@pytest.mark.filterwarnings(FEW_DAYS)
def test_the_same_seed_is_the_same_student_whatever_ran_before():
    coarse, fine = days_of(2)
    options = {"channels": 4, "layers": 1, "steps": 4, "progress": False, "device": "cpu"}
    first = xr_dip.distill(coarse, fine, seed=3, **options)
    torch.manual_seed(1)
    np.random.default_rng().random(3)
    assert xr_dip.distill(coarse, fine, seed=3, **options).digest == first.digest
    assert xr_dip.distill(coarse, fine, seed=4, **options).digest != first.digest


def test_the_best_step_of_the_days_held_out_is_kept(monkeypatch):
    lessons = read_lessons(*days_of(3), {}, None)
    chosen = make_settings(lessons, 4, 1)
    exercises, losses, seen = make_exercises(lessons, chosen), [3.0, 1.0, 2.0, 7.0], []

    def score(network, held_out, scale, device):
        seen.append(weights_of(network))
        return {"loss": losses[len(seen) - 1], "skill": 0.0}

    monkeypatch.setattr(training, "_scores", score)
    monkeypatch.setattr(training, "EVERY", 1)
    options = {"steps": 3, "seed": 0, "device": "cpu", "step": lambda: None}
    weights, scores = training.train(chosen, exercises[:2], exercises[2:], **options)
    assert scores["loss"] == 7.0  # that of the last look, at what is kept
    for name, array in weights.items():
        np.testing.assert_array_equal(array, seen[1][name])
        np.testing.assert_array_equal(array, seen[3][name])
    assert any((seen[2][name] != array).any() for name, array in weights.items())


@pytest.mark.filterwarnings(FEW_DAYS)
def test_lazy_lessons_are_read():
    coarse, fine = days_of(2)
    options = {"channels": 4, "layers": 1, "steps": 2, "progress": False, "device": "cpu"}
    lazy = xr_dip.distill(coarse.chunk(time=1), fine.chunk(time=1), **options)
    assert lazy.digest == xr_dip.distill(coarse, fine, **options).digest


def test_naming_a_student_brings_no_torch():
    code = "import sys, xr_dip; xr_dip.distill, xr_dip.load_student; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.samples
@pytest.mark.filterwarnings(FEW_DAYS)
def test_a_real_sea_is_conserved():
    with xr_dip.samples.open_dataset("mediterranean") as dataset:
        truth = dataset.adt[:2].load().astype(float)
    from xr_dip.coarsening import coarsen

    coarse, fine = coarsen(truth, 8, boundary="trim")
    student = xr_dip.distill(coarse, fine, channels=8, layers=1, steps=10, progress=False, device="cpu")
    sea = fine.notnull().any("time").values
    result = student.downscale(coarse, mask=sea)
    assert float(abs(result.conservation_error).max()) < 1e-6
    np.testing.assert_array_equal(np.isfinite(result.adt_mean[0]), sea)
