"""The classical methods through the user's call."""

import numpy as np
import pytest
import xarray as xr
from results import check_cf

import xr_dip
from xr_dip.baselines import METHODS
from xr_dip.blocks import block_mean
from xr_dip.errors import DipWarning
from xr_dip.interpolation import CHANGE_BLOCK_MEANS


def field(land=False, times=0):
    y, x = np.meshgrid(np.linspace(0, 3, 8), np.linspace(0, 4, 10), indexing="ij")
    values = 0.3 * np.sin(y + 0.3 * x) * np.cos(x)
    if land:
        values[:3, :2] = np.nan
    coords = {"lat": 40 + np.arange(8) / 4, "lon": np.arange(10) / 4}
    da = xr.DataArray(values, coords, ("lat", "lon"), name="ssh", attrs={"units": "m"})
    return da.expand_dims(time=times) if times else da


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("land", [False, True])
def test_every_method_gives_the_fine_grid(method, land):
    out = field(land).dip.interpolate((2, 3), method=method)
    assert out.ssh_mean.shape == (16, 30)
    np.testing.assert_array_equal(
        np.isnan(out.ssh_mean), np.repeat(np.repeat(np.isnan(field(land).values), 2, axis=0), 3, axis=1)
    )
    assert ("ssh_std" in out) == (method == "kriging")
    assert f"interpolation, {method}" in out.attrs["source"]


@pytest.mark.parametrize("method", sorted(set(METHODS) - set(CHANGE_BLOCK_MEANS)))
@pytest.mark.parametrize("weights", ["equal", "area"])
def test_what_conserves(method, weights):
    out = field(land=True).dip.interpolate(4, method=method, weights=weights)
    assert float(abs(out.conservation_error).max()) < 1e-6
    assert "not enforced" not in repr(out.dip.summary())


@pytest.mark.parametrize("method", CHANGE_BLOCK_MEANS)
def test_what_does_not_conserve_says_by_how_much(method):
    da = field()
    out = da.dip.interpolate(4, method=method)
    expected = block_mean(out.ssh_mean.values, np.ones((32, 40)), (4, 4)) - da.values
    np.testing.assert_allclose(out.conservation_error, expected, atol=1e-9)
    assert abs(expected).max() > 1e-5
    assert f'block means not enforced: method "{method}"' in repr(out.dip.summary())


@pytest.mark.parametrize("method", METHODS)
def test_only_what_conserves_says_that_its_values_are_means(method):
    out = field().assign_attrs(cell_methods="area: mean").dip.interpolate(2, method=method)
    assert out.ssh_mean.attrs["cell_methods"] == ("area: point" if method in CHANGE_BLOCK_MEANS else "area: mean")


def test_a_result_of_kriging_can_be_made_fine_itself(tmp_path):
    out = field().dip.interpolate(2, method="kriging")
    again = out.ssh_mean.dip.interpolate(2, method="bicubic")
    assert again.ssh_mean_mean.shape == (32, 40)
    check_cf(again, tmp_path / "fine.nc")


def test_kriging_is_certain_of_block_means_only():
    out = field().dip.interpolate(4, method="kriging")
    assert (out.ssh_std > 0).all()


@pytest.mark.parametrize("times", [0, 2])
def test_kriging_knows_no_error_of_one_coarse_cell(times):
    da = field(times=times).copy()
    da[..., 1:, :] = np.nan
    da[..., 1:] = np.nan
    with pytest.warns(DipWarning, match="The field has one coarse cell.*standard error is NaN"):
        out = da.dip.interpolate(4, method="kriging")
    assert np.isnan(out.ssh_std).all()
    np.testing.assert_allclose(out.ssh_mean[..., :4, :4], float(da[..., 0, 0].max()), atol=1e-6)


def test_kriging_of_two_coarse_cells_has_an_error():
    da = field()
    da[1:], da[:, 2:] = np.nan, np.nan
    assert np.isfinite(da.dip.interpolate(4, method="kriging").ssh_std[:4, :8]).all()


def test_lazy_equals_eager():
    da = field(times=2).assign_coords(time=[0, 1])
    lazy = da.chunk(time=1).dip.interpolate(2, method="kriging")
    assert lazy.ssh_mean.chunks is not None
    xr.testing.assert_equal(lazy.compute(), da.dip.interpolate(2, method="kriging"))


def test_a_day_without_values_is_a_gap():
    da = field(times=2).copy()
    da[0] = np.nan
    with pytest.warns(DipWarning, match="A time without any value"):
        out = da.dip.interpolate(2, method="bicubic")
    assert np.isnan(out.ssh_mean[0]).all()
    assert (out.ssh_flag[0] != 0).all()
    assert np.isfinite(out.ssh_mean[1]).all()


def test_an_array_without_name_is_refused():
    with pytest.raises(ValueError, match="name"):
        xr_dip.interpolate(field().rename(None), 2)
