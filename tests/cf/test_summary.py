"""What the attributes of a result say, ready to read."""

import json

import dask
import numpy as np
import pytest
import xarray as xr

import xr_dip
from xr_dip.cf.summary import configuration_in, summarize

ATTRIBUTES = {
    "title": "ssh <fine>",
    "xr_dip_configuration": '{"factor": [5, 5], "preset": "balanced"}',
    "xr_dip_configuration_sha256": "00",
    "xr_dip_predicted_rmse": 0.0123456,
    "institution": "elsewhere",
}


def test_text_shows_options_and_totals():
    assert repr(summarize(xr.Dataset(attrs=ATTRIBUTES))).splitlines() == [
        "ssh <fine>",
        "configuration",
        "  factor          [5, 5]",
        "  preset          balanced",
        "totals",
        "  predicted_rmse  0.01235",
    ]


def test_html_holds_the_same_and_is_escaped():
    html = summarize(xr.Dataset(attrs=ATTRIBUTES))._repr_html_()
    assert "ssh &lt;fine&gt;" in html
    assert html.count("<tr>") == 3
    assert "<b>0.01235</b>" in html


def test_what_made_it_when_and_units_are_shown_where_they_are_known():
    attributes = ATTRIBUTES | {"source": "xr_dip 0.1.0, preset fast", "history": "2026-01-02T03:04:05Z xr_dip: made"}
    summary = summarize(xr.Dataset({"ssh_mean": ((), 0.0, {"units": "m"})}, attrs=attributes))
    assert summary.made == {"with": "xr_dip 0.1.0, preset fast", "at": "2026-01-02T03:04:05Z"}
    assert "xr_dip 0.1.0, preset fast · 2026-01-02T03:04:05Z" in summary._repr_html_()
    assert "predicted_rmse  0.01235 m" in repr(summary)


def test_seconds_and_device_are_those_of_the_newest_line_about_each_variable():
    history = "t xr_dip: a, sla, factor=(2, 2); 1.5 s on cpu\nt xr_dip: a, adt, factor=(2, 2); 2 s on cpu"
    earlier = "t xr_dip: a, adt, factor=(3, 3); 100 s on cuda"
    other = "t xr_dip: a, mdt, factor=(2, 2); 100 s on cuda"
    fields = {"adt_mean": 0.0, "sla_mean": 0.0}
    summary = summarize(xr.Dataset(fields, attrs=ATTRIBUTES | {"history": f"{history}\n{earlier}\n{other}"}))
    assert (summary.made["time"], summary.made["device"]) == ("3.5 s", "cpu")
    assert "<b>3.5 s</b>" in summary._repr_html_()
    assert "on cpu" in summary._repr_html_()


def test_a_history_that_does_not_tell_the_time_gives_none():
    lines = "2026-01-02T03:04:05Z xr_dip: a, adt, factor=(2, 2)"
    summary = summarize(xr.Dataset({"adt_mean": 0.0}, attrs=ATTRIBUTES | {"history": lines}))
    assert set(summary.made) == {"at"}
    assert "time" not in summary.made


def test_totals_of_several_variables_keep_their_names():
    totals = {"xr_dip_adt_predicted_rmse": 0.5, "xr_dip_sla_predicted_rmse": 0.25}
    html = summarize(xr.Dataset(attrs={"xr_dip_configuration": "{}"} | totals))._repr_html_()
    assert "predicted error adt" in html
    assert "predicted error sla" in html


@pytest.mark.parametrize(
    ("configuration", "remark"),
    [
        ({"constraint": "soft", "operator": "block_mean"}, 'block means not enforced: constraint "soft"'),
        ({"constraint": "none"}, 'block means not enforced: constraint "none"'),
        ({"constraint": "none", "operator": "lanczos3"}, 'coarse values not enforced: constraint "none"'),
        ({"constraint": "optimal", "noise_std": 0.01}, "block means not enforced: noise_std"),
        ({"method": "bilinear", "operator": "block_mean"}, 'block means not enforced: method "bilinear"'),
        ({"method": "kriging", "noise_std": 0.01}, "block means not enforced: noise_std"),
        ({"adt": {"constraint": "optimal"}, "sla": {"noise_std": "a field"}}, "block means not enforced: noise_std"),
    ],
)
def test_the_summary_says_that_coarse_values_are_not_kept(configuration, remark):
    summary = summarize(xr.Dataset(attrs={"xr_dip_configuration": json.dumps(configuration)}))
    assert summary.remark == remark
    assert repr(summary).splitlines()[1] == remark
    assert remark.replace('"', "&quot;") in summary._repr_html_()


@pytest.mark.parametrize("constraint", ["optimal", "additive", "projection"])
def test_nothing_is_said_where_they_are(constraint):
    text = json.dumps({"constraint": constraint, "operator": "block_mean", "noise_std": None})
    summary = summarize(xr.Dataset(attrs={"xr_dip_configuration": text}))
    assert summary.remark == ""
    assert "not enforced" not in repr(summary) + summary._repr_html_()


def test_errors_of_block_means_have_the_unit_of_the_field():
    names = [f"xr_dip_{key}_fit_residual" for key in ("largest", "mean_absolute", "area_mean")]
    attributes = {"xr_dip_configuration": "{}", **dict.fromkeys(names, 0.25)}
    text = repr(summarize(xr.Dataset({"ssh_mean": ((), 0.0, {"units": "m"})}, attrs=attributes)))
    assert text.count("0.25 m") == 3


def test_a_history_without_a_time_stamp_gives_none():
    assert summarize(xr.Dataset(attrs=ATTRIBUTES | {"history": "made by hand"})).made == {}


def test_values_survive_a_file(tmp_path):
    xr.Dataset({"ssh": 0.0}, attrs=ATTRIBUTES).to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        summary = summarize(read)
    assert summary.configuration == {"factor": [5, 5], "preset": "balanced"}
    assert summary.totals == {"predicted_rmse": 0.0123456}


def test_any_other_dataset_is_refused():
    with pytest.raises(
        ValueError, match=r"Invalid Dataset with the attributes \['title'\]. It must be a result of xr_dip"
    ):
        summarize(xr.Dataset(attrs={"title": "coarse"}))


def series_of(times=3):
    days = xr_dip.synthetic.gulf_stream((12, 12), times=times).ssh
    return (days * xr.DataArray(1.0 + np.arange(times), dims="time")).rename("ssh")


def test_totals_are_those_of_the_times_at_hand():
    days = [xr_dip.interpolate(day, 2, "bicubic") for day in series_of()]
    joined = xr.concat(days, "time", combine_attrs="override")
    largest = [summarize(day).totals["largest_conservation_error"] for day in days]
    assert len(set(largest)) == 3
    totals = summarize(joined).totals
    assert totals["largest_conservation_error"] == pytest.approx(max(largest))
    assert totals["mean_absolute_conservation_error"] == pytest.approx(float(abs(joined.conservation_error).mean()))
    assert "area_mean_conservation_error" not in totals  # it needs areas
    assert summarize(joined.isel(time=[0])).totals["largest_conservation_error"] == pytest.approx(largest[0])
    assert summarize(joined.chunk(time=1)).totals == totals
    assert summarize(days[0]).totals.keys() == totals.keys() | {"area_mean_conservation_error"}
    assert summarize(joined[["ssh_mean"]]).totals == summarize(days[0]).totals


def test_totals_of_a_lazy_result_are_read_in_one_go_and_the_configuration_without():
    fine = xr_dip.interpolate(series_of(), 2, "bicubic")
    computed = []

    def count(*arguments, **options):
        computed.append(arguments)
        return dask.get(*arguments, **options)

    with dask.config.set(scheduler=count):
        assert summarize(fine.chunk(time=1)).totals.keys() == summarize(fine).totals.keys()
        assert len(computed) == 1
        configuration_in(fine.chunk(time=1))
        assert len(computed) == 1


def test_a_result_without_times_has_no_totals():
    assert summarize(xr_dip.interpolate(series_of(), 2, "bicubic").isel(time=[])).totals == {}


def test_totals_of_several_variables_are_those_of_the_times_at_hand():
    both = series_of().to_dataset().assign(sla=2 * series_of())
    fine = both.dip.interpolate(["ssh", "sla"], 2, "bicubic")
    first = summarize(fine.isel(time=[0])).totals
    for name in ("ssh", "sla"):
        assert first[f"{name}_largest_conservation_error"] == pytest.approx(
            float(abs(fine[f"{name}_conservation_error"][0]).max())
        )


def test_units_of_several_variables_are_their_own():
    units = {"ssh_mean": ((), 0.0, {"units": "m"}), "ssh_b_mean": ((), 0.0, {"units": "cm"})}
    attributes = {"xr_dip_ssh_predicted_rmse": 0.004, "xr_dip_ssh_b_predicted_rmse": 0.5}
    summary = summarize(xr.Dataset(units, attrs={"xr_dip_configuration": "{}", **attributes}))
    for text in (repr(summary), summary._repr_html_()):
        assert "0.004 m" in text
        assert "0.5 cm" in text
