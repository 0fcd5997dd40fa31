"""Slices: eager and lazy give the same bits, building computes nothing, a day keeps its stamp."""

import itertools

import cftime
import dask
import dask.array
import numpy as np
import pytest
import xarray as xr

from xr_dip.slices import MEMBER, Output, apply_to_slices, member_std, time_stamps

FACTOR = (2, 3)
OUTPUTS = {
    "mean": Output(("y_fine", "x_fine"), (6, 12), "float32"),
    "flag": Output(("y_fine", "x_fine"), (6, 12), "int8"),
    "members": Output((MEMBER, "y_fine", "x_fine"), (2, 6, 12), "float32"),
    "residual": Output(("y", "x"), (3, 4), "float64"),
    "stamp": Output((), (), "int64"),
}


def toy(values, stamp):
    """A result of every form, each a function of the values and the stamp."""
    assert (values.shape, values.dtype) == ((3, 4), np.float64)
    fine = np.kron(values, np.ones(FACTOR)) + stamp % 7
    return {
        "mean": fine,
        "flag": (fine > 3).astype(np.int8),
        "members": np.stack([fine, -fine]),
        "residual": values**2,
        "stamp": np.int64(stamp),
    }


def never(values, stamp):
    raise AssertionError("Building must compute nothing.")


def refuse(*arguments, **options):
    raise AssertionError("Building must start no scheduler.")


def series(dims=("time", "y", "x"), **sizes):
    """Random values with daily times, float32."""
    sizes = {"time": 3, "depth": 2, "y": 3, "x": 4} | sizes
    values = np.random.default_rng(0).normal(size=[sizes[dim] for dim in dims]).astype(np.float32)
    da = xr.DataArray(values, dims=dims, name="ssh")
    if "time" in dims:
        da["time"] = xr.date_range("2020-01-30", periods=sizes["time"], unit="ns")
    return da


def run(da, function=toy, outputs=OUTPUTS):
    return apply_to_slices(function, da, ("y", "x"), outputs)


# Results.


DIMS = [("y", "x"), ("time", "y", "x"), ("y", "time", "x"), ("x", "y", "depth", "time"), ("time", "x", "depth", "y")]


@pytest.mark.parametrize("dims", DIMS)
def test_leading_dimensions_keep_their_order_and_outputs_have_their_form(dims):
    da = series(dims)
    leading = tuple(dim for dim in dims if dim not in ("y", "x"))
    for name, result in run(da).items():
        assert isinstance(result, xr.Variable)
        assert result.dims == leading + OUTPUTS[name].dims
        assert result.shape == tuple(da.sizes[dim] for dim in leading) + OUTPUTS[name].sizes
        assert result.dtype == OUTPUTS[name].dtype


@pytest.mark.parametrize("dims", DIMS)
def test_each_slice_is_the_function_of_its_values_and_its_stamp(dims):
    da = series(dims)
    leading = [dim for dim in dims if dim not in ("y", "x")]
    results, stamps = run(da), time_stamps(da, leading)
    for index in np.ndindex(*(da.sizes[dim] for dim in leading)):
        place = dict(zip(leading, index, strict=True))
        values = da.isel(place).transpose("y", "x").values.astype(np.float64)
        for name, expected in toy(values, int(stamps.isel(place))).items():
            np.testing.assert_array_equal(results[name].isel(place), expected.astype(OUTPUTS[name].dtype))


@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("chunks", [{}, "one", {"y": 1, "x": 2}])
def test_lazy_is_eager_bit_for_bit(dims, chunks):
    da = series(dims)
    lazy = run(da.chunk(1 if chunks == "one" else chunks))
    for name, expected in run(da).items():
        assert isinstance(lazy[name].data, dask.array.Array)
        assert lazy[name].dtype == expected.dtype
        xr.testing.assert_identical(lazy[name].compute(scheduler="threads"), expected)


@pytest.mark.parametrize("dims", DIMS)
def test_building_computes_nothing(dims):
    da = series(dims).chunk()
    with dask.config.set(scheduler=refuse):
        results = run(da, never)
    assert all(dask.is_dask_collection(result) for result in results.values())


def test_building_reads_no_lazy_coordinate_but_times():
    da = (
        series()
        .chunk()
        .assign_coords(
            height=dask.array.from_delayed(dask.delayed(refuse)(), (), "float64"),
            time_centered=("time", dask.array.from_array(series().time.values + np.timedelta64(12, "h"))),
        )
    )
    with dask.config.set(scheduler=refuse):
        run(da, never)


def test_one_task_is_one_slice():
    results = run(series(("time", "y", "x")).chunk())
    assert results["mean"].chunks == ((1, 1, 1), (6,), (12,))
    assert results["stamp"].chunks == ((1, 1, 1),)


def test_each_slice_is_computed_once_for_all_of_its_outputs():
    calls = []

    def counting(values, stamp):
        calls.append(stamp)
        return toy(values, stamp)

    results = run(series().chunk(), counting)
    assert calls == []
    dask.compute(*results.values(), scheduler="synchronous")
    assert len(calls) == len(set(calls)) == 3


def test_computing_one_day_computes_no_other():
    calls = []

    def counting(values, stamp):
        calls.append(stamp)
        return toy(values, stamp)

    run(series().chunk(), counting)["mean"][1].compute(scheduler="synchronous")
    assert calls == [int(time_stamps(series(), ["time"])[1])]


@pytest.mark.parametrize("lazy", [False, True])
def test_one_output_alone(lazy):
    outputs = {"residual": OUTPUTS["residual"]}
    da = series().chunk() if lazy else series()
    (result,) = run(da, outputs=outputs).values()
    np.testing.assert_array_equal(result.values, series().values.astype(float) ** 2)


@pytest.mark.parametrize("lazy", [False, True])
def test_no_times_no_slices(lazy):
    da = series(time=0)
    results = run(da.chunk() if lazy else da, never)
    for name, result in results.items():
        assert result.compute().shape == (0, *OUTPUTS[name].sizes)
        assert result.dtype == OUTPUTS[name].dtype


def test_input_is_not_changed():
    da = series(("y", "time", "x"))
    before = da.copy(deep=True)
    run(da)
    xr.testing.assert_identical(da, before)


# Stamps.


def cftime_days():
    return [cftime.DatetimeNoLeap(2020, 2, day) for day in (27, 28)] + [cftime.DatetimeNoLeap(2020, 3, 1)]


TIMES = {
    "datetime64": np.array(["2020-01-30", "2020-01-31", "2020-02-01"], "datetime64[ns]"),
    "cftime": np.array(cftime_days(), dtype=object),
}


@pytest.fixture(params=TIMES.values(), ids=TIMES)
def days(request):
    return series().assign_coords(time=request.param)


def test_a_day_has_the_same_stamp_alone_in_a_series_and_in_any_order(days):
    stamps = time_stamps(days, ["time"]).values
    assert len(set(stamps)) == 3
    for day in range(3):
        assert time_stamps(days.isel(time=day), []) == stamps[day]
        assert time_stamps(days.isel(time=[day]), ["time"]) == stamps[day]
    np.testing.assert_array_equal(time_stamps(days[::-1], ["time"]), stamps[::-1])


def test_a_further_time_of_each_day_changes_nothing_about_that(days):
    # NEMO: time_centered beside time_counter.
    days = days.assign_coords(time_centered=("time", days.time.values[::-1]))
    stamps = time_stamps(days, ["time"]).values
    assert [int(time_stamps(days.isel(time=day), [])) for day in range(3)] == list(stamps)


def test_forecasts_are_stamped_by_both_of_their_times():
    da = series(("depth", "time", "y", "x")).rename(depth="run")
    da = da.assign_coords(
        run=xr.date_range("2019-01-01", periods=2, unit="ns"),
        valid=(("time", "run"), np.array(["2021-01-01", "2021-01-02"] * 3, "datetime64[ns]").reshape(3, 2)),
    )
    stamps = time_stamps(da, ["run", "time"])
    assert len(np.unique(stamps)) == 6
    for run_index, time_index in itertools.product(range(2), range(3)):
        alone = da.isel(run=run_index, time=time_index)
        assert time_stamps(alone, []) == stamps[run_index, time_index]


def test_the_unit_of_time_is_no_part_of_it():
    fine = series()
    coarse = fine.assign_coords(time=fine.time.values.astype("datetime64[s]"))
    np.testing.assert_array_equal(time_stamps(coarse, ["time"]), time_stamps(fine, ["time"]))


def test_lazy_times_have_the_stamps_of_those_in_memory():
    da = series().assign_coords(centre=("time", series().time.values + np.timedelta64(12, "h")))
    np.testing.assert_array_equal(time_stamps(da.chunk(), ["time"]), time_stamps(da, ["time"]))


@pytest.mark.parametrize("timeless", [[], ["time"]])
def test_order_of_dimensions_and_of_coordinates_is_no_part_of_it(timeless):
    da = series(("time", "depth", "y", "x")).drop_vars(timeless)
    stamps = time_stamps(da, ["time", "depth"])
    np.testing.assert_array_equal(time_stamps(da.transpose("depth", "time", "y", "x"), ["depth", "time"]), stamps.T)
    times = {"analysis": np.datetime64("2019-01-01", "ns"), "update": np.datetime64("2018-01-01", "ns")}
    backwards = dict(reversed(times.items()))
    np.testing.assert_array_equal(
        time_stamps(da.assign_coords(times), ["time", "depth"]),
        time_stamps(da.assign_coords(backwards), ["time", "depth"]),
    )


def test_places_stand_in_for_missing_times():
    da = series(("depth", "time", "y", "x")).drop_vars("time")
    stamps = time_stamps(da, ["depth", "time"]).values
    assert len(np.unique(stamps)) == 6
    np.testing.assert_array_equal(time_stamps(da[:1, :2], ["depth", "time"]), stamps[:1, :2])


def test_other_coordinates_are_no_part_of_it():
    da = series(("time", "depth", "y", "x"))
    named = da.assign_coords(depth=[5.0, 10.0], name=("time", np.array(["a", "b", "c"], dtype=object)), scale=2.0)
    np.testing.assert_array_equal(time_stamps(named, ["time", "depth"]), time_stamps(da, ["time", "depth"]))


def test_stamps_seed_anything():
    stamps = time_stamps(series(time=200), ["time"])
    assert stamps.dtype == np.int64
    assert stamps.min() >= 0
    assert stamps.max() < 2**62
    assert stamps.max() > 2**60


@pytest.mark.parametrize("chunks", [None, {"member": 2}], ids=["eager", "lazy"])
def test_the_spread_of_members_is_that_of_those_with_a_value(chunks):
    values = np.random.default_rng(0).normal(size=(4, 6))
    values[0, 1] = values[1:, 2] = values[:, 3] = np.nan
    fields = xr.DataArray(values, dims=("member", "x"))
    expected = [np.std(column[np.isfinite(column)], ddof=1) for column in values.T[[0, 1, 4, 5]]]
    found = member_std(fields if chunks is None else fields.chunk(chunks))
    assert (found.chunks is None) == (chunks is None)
    np.testing.assert_allclose(found, [*expected[:2], np.nan, np.nan, *expected[2:]], rtol=1e-12)
    assert member_std(fields[:1]).isnull().all()
