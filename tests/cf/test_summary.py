"""What the attributes of a result say, ready to read."""

import pytest
import xarray as xr

from xr_dip.cf.summary import summarize

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
    assert html.count("<tr><td>") == 3


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
