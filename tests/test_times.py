"""A truth of another time is no truth of a result, whatever says so: a dimension, one entry of it, or a scalar."""

import cftime
import numpy as np
import pytest
import xarray as xr

from xr_dip.times import at_same_times
from xr_dip.verification import difference

DIMS = ("y", "x")
DATES = np.array(["2009-06-30T12", "2009-07-01T12", "2009-07-02T12"], "datetime64[ns]")


def days(dates=DATES, name="time", **attrs):
    field = xr.DataArray(np.zeros((3, 2, 2)), dims=(name, *DIMS))
    return field.assign_coords({name: (name, dates, attrs)})


def of_calendar(calendar):
    return [cftime.datetime(*np.datetime64(date, "s").item().timetuple()[:6], calendar=calendar) for date in DATES]


def check(estimate, truth):
    return at_same_times(estimate, truth, DIMS)


@pytest.mark.parametrize("name", ["time", "ocean_time", "day"])
@pytest.mark.parametrize(("own", "other"), [(1, 0), ([1], 0), (1, [0]), ([1], [0]), ([0, 1], [0, 2])])
def test_another_time_is_refused(name, own, other):
    week = days(name=name)
    with pytest.raises(ValueError, match=rf"Invalid '{name}' of the truth, 2009-0.* It must be that of the result, 20"):
        check(week.isel({name: own}), week.isel({name: other}))


@pytest.mark.parametrize(("own", "other"), [(1, 1), ([1], 1), (1, [1]), ([1], [1]), ([0, 1], [0, 1])])
def test_the_same_time_is_kept_in_any_form(own, other):
    placed = check(days().isel(time=own), days().isel(time=other))
    np.testing.assert_array_equal(placed.time, DATES[other] if np.ndim(own) else DATES[1])


@pytest.mark.parametrize("pick", [{}, {"time": 1}])
@pytest.mark.parametrize(
    "dates",
    [
        DATES.astype("datetime64[s]"),
        DATES + np.timedelta64(3, "us"),  # as read from days in floating point
        of_calendar("standard"),
        of_calendar("noleap"),
        of_calendar("360_day"),
    ],
    ids=["seconds", "rounded", "standard", "noleap", "360_day"],
)
def test_one_instant_may_be_of_another_calendar_or_unit(dates, pick):
    placed = check(days().isel(pick), days(dates).isel(pick))
    np.testing.assert_array_equal(placed.time, DATES[pick.get("time", slice(None))])
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth"):
        check(days().isel(time=1), days(dates).isel(time=2))


def test_one_day_is_no_truth_of_three():
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 2009-07-01T12:00:00 alone. It must be all 3"):
        check(days(), days().isel(time=1))


def test_a_truth_without_a_time_is_of_any():
    bare = days().isel(time=0, drop=True)
    for own in (0, slice(None)):
        xr.testing.assert_identical(check(days().isel(time=own), bare), bare)
    dated = days().isel(time=2)
    xr.testing.assert_identical(check(bare, dated), dated)  # nor does this result say of when it is


def test_a_dimension_that_the_result_has_not_is_named():
    with pytest.raises(ValueError, match=r"Invalid truth with 3 entries along 'time', .* as in `\.isel\(time=0\)`"):
        check(days().isel(time=0), days())
    assert check(days().isel(time=0, drop=True), days().isel(time=[2])).dims == DIMS


def test_numbers_are_times_where_they_are_called_so():
    week = days([0, 1, 2])
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 0. It must be that of the result, 1"):
        check(week.isel(time=1), week.isel(time=0))
    level = days([0, 1, 2], "level")
    check(level.isel(level=1), level.isel(level=0))
    other = days([0, 1, 2], units="days since 2009-07-01")
    check(week.isel(time=1), other.isel(time=0))  # counted from elsewhere, perhaps


def test_a_forecast_may_have_begun_at_another_time_than_its_truth():
    begun = {"standard_name": "forecast_reference_time"}
    week = [days().isel(time=1).assign_coords(begin=((), date, begun)) for date in DATES[:2]]
    check(*week)


CF = {"units": "days since 2009-06-30T12"}


@pytest.mark.parametrize("name", ["time_counter", "t"])
@pytest.mark.parametrize("pick", [0, [0]])
@pytest.mark.parametrize("own", [1, [1]])
@pytest.mark.parametrize(("dates", "attrs"), [(DATES, {}), (of_calendar("noleap"), {}), ([0, 1, 2], CF)])
def test_another_time_is_refused_by_any_name(name, pick, own, dates, attrs):
    truth, result = days(dates, name, **attrs), days().isel(time=own)
    message = rf"Invalid '{name}' of the truth, 2009-06-30T12:.* result, 2009-07-01T12:00:00: .*drop_vars\('{name}'"
    with pytest.raises(ValueError, match=message):
        check(result, truth.isel({name: pick}))
    assert check(result, truth.isel({name: [1] if np.ndim(pick) else 1})).dims == DIMS


def test_one_day_of_another_name_is_no_truth_of_three():
    with pytest.raises(ValueError, match=r"Invalid 'time_counter' of the truth, 2009-07-01T12:00:00 alone. It must be"):
        check(days(), days(name="time_counter").isel(time_counter=1))


def test_of_two_times_the_axis_is_compared():
    ocean = days(name="time_counter", axis="T").assign_coords(time_centered=("time_counter", DATES))
    with pytest.raises(ValueError, match=r"Invalid 'time_counter' of the truth, 2009-07-01T12"):
        check(days().isel(time=0), ocean.isel(time_counter=1))
    del ocean.time_counter.attrs["axis"]
    check(days().isel(time=0), ocean.isel(time_counter=1))  # which of the two it is of, nothing says


def test_a_dimension_of_another_name_is_to_be_renamed():
    message = r"3 entries along 'time_counter', .* if it is 'time' of the result, rename it, as in `\.rename\(time_c"
    with pytest.raises(ValueError, match=message):
        check(days(), days(name="time_counter"))
    with pytest.raises(ValueError, match=r"the dimensions of the result only: select one entry, as in `\.isel\(time_c"):
        check(days().isel(time=slice(2)), days(name="time_counter"))


def test_numbers_that_count_from_a_date_are_dates():
    for result, truth in [(days(), days([0, 1, 2], **CF)), (days([0, 1, 2], **CF), days())]:
        xr.testing.assert_identical(check(result, truth).time.variable, result.time.variable)
        with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 2009-07-02T12:00:00. It must be that of"):
            check(result.isel(time=0), truth.isel(time=2))
    odd = days([0, 1, 2], units="days since yesterday")
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 1. It must be that of the result, 0"):
        check(odd.isel(time=0), odd.isel(time=1))


@pytest.mark.parametrize("name", ["lead_time", "leadtime", "time_step", "forecast_time", "ahead"])
@pytest.mark.parametrize("numbers", [True, False])
def test_a_forecast_may_look_further_ahead_than_its_truth(name, numbers):
    leads = [(0, 120), np.array([0, 120], "timedelta64[h]")][not numbers]
    analysis, forecast = (days().isel(time=1).assign_coords({name: lead}) for lead in leads)
    xr.testing.assert_identical(check(forecast, analysis), analysis)
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth"):
        check(forecast, days().isel(time=2).assign_coords({name: leads[0]}))


def test_a_forecast_period_is_known_by_its_standard_name():
    period = {"standard_name": "forecast_period", "units": "hours"}
    analysis, forecast = (days().isel(time=1).assign_coords(time_ahead=((), lead, period)) for lead in (0, 120))
    xr.testing.assert_identical(check(forecast, analysis), analysis)


@pytest.mark.parametrize("leads", [(0, 120), np.array([0, 120], "timedelta64[h]")])
def test_a_lead_may_be_a_dimension_of_one_entry(leads):
    analysis, forecast = (days()[1].assign_coords(lead=lead).expand_dims("lead") for lead in leads)
    xr.testing.assert_identical(check(forecast, analysis).lead, forecast.lead)
    assert difference(forecast, check(forecast, analysis), dims=DIMS).shape == (1, 2, 2)


def test_lengths_of_time_are_compared_as_they_are():
    one, other = (days()[1].assign_coords(lead=np.timedelta64(lead, "h")).expand_dims("lead") for lead in (0, 120))
    with pytest.raises(ValueError, match=r"Invalid coordinate 'lead' of the estimate: .* It must be that of the t"):
        difference(one, other, dims=DIMS)
