"""The parts of a result, and the coarse field that it was made from."""

import numpy as np
import pytest
import xarray as xr

import xr_dip
from xr_dip import reading


@pytest.fixture(scope="module")
def coarse():
    return xr_dip.synthetic.gulf_stream((8, 8), resolution=1 / 5, times=2).ssh


@pytest.mark.parametrize("weights", ["equal", "area"])
@pytest.mark.parametrize("method", ["bicubic", "kriging"])
def test_the_input_comes_back_from_any_method(coarse, weights, method):
    fine = xr_dip.interpolate(coarse, (3, 2), method, weights=weights)
    found = reading.coarse_input(fine, "ssh")
    assert found.dims == coarse.dims
    np.testing.assert_allclose(found, coarse, atol=1e-7)


def test_the_input_comes_back_at_a_coast(coarse):
    sea = xr.DataArray(np.arange(16)[:, None] + np.arange(16) > 6, dims=("latitude", "longitude"))
    with pytest.warns(xr_dip.DipWarning, match="have no sea on the fine grid"):
        fine = xr_dip.interpolate(coarse, 2, mask=sea)
    found = reading.coarse_input(fine, "ssh")
    wet = found.notnull()
    assert 0 < int(wet.sum()) < wet.size
    np.testing.assert_allclose(found.values[wet], coarse.values[wet], atol=1e-7)


@pytest.mark.parametrize("dropped", [[], ["ssh_flag"], ["conservation_error"]])
def test_what_was_extrapolated_is_no_input(coarse, dropped):
    gap = coarse.where((coarse.latitude != coarse.latitude[3]) | (coarse.longitude < coarse.longitude[4]))
    fine = xr_dip.interpolate(gap, 2, mask=np.ones((16, 16)), extrapolate=True)
    assert fine.ssh_mean.notnull().all()
    found = reading.coarse_input(fine.drop_vars(dropped), "ssh")
    np.testing.assert_allclose(found, gap, atol=1e-7)


def test_an_extrapolated_result_of_a_kernel_gives_its_input_back(coarse, tiny):
    gap = coarse[0].where(coarse.longitude < coarse.longitude[5])
    options = {"operator": "gaussian", "operator_options": {"width": 0.4}, "preset": tiny, "progress": False}
    fine = xr_dip.downscale(gap, 2, mask=np.ones((16, 16)), extrapolate=True, members=2, device="cpu", **options)
    assert fine.ssh_mean.notnull().sum() > 4 * gap.notnull().sum()
    np.testing.assert_allclose(reading.coarse_input(fine, "ssh"), gap, atol=1e-6)


def test_weights_of_the_user_are_not_in_a_result(coarse):
    weights = xr.DataArray(1.0 + np.arange(32 * 32).reshape(32, 32), dims=("latitude", "longitude"))
    assert reading.coarse_input(xr_dip.interpolate(coarse, 4, weights=weights), "ssh") is None


def test_a_part_of_one_of_several_variables_goes_before_a_common_one():
    result = xr.Dataset({"adt_mean": 0.0, "sla_mean": 0.0, "adt_iterations": 2.0, "iterations": 3.0})
    assert [float(reading.part_of(result, name, "iterations")) for name in ("adt", "sla")] == [2.0, 3.0]


@pytest.mark.parametrize(("name", "truth_name", "chosen"), [(None, None, "ssh"), ("sla", None, None), (None, "b", "b")])
def test_a_truth_is_that_of_the_name_or_the_one_asked_for(name, truth_name, chosen):
    field = (("y", "x"), [[0.0]])
    known, result = xr.Dataset({"ssh": field, "b": field}), xr.Dataset({"ssh_mean": 0.0})
    if name is not None:
        result = xr.Dataset({"sla_mean": 0.0})
    if chosen is None:
        with pytest.raises(ValueError, match=r"Invalid truth without a variable 'sla'. .* one of \['ssh', 'b'\]"):
            reading.choose_truth(known, result, name, truth_name)
    else:
        assert reading.choose_truth(known, result, name, truth_name).name == chosen
