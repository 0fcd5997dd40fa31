"""How well block means are kept, in a few numbers: what they are, and where they are written."""

import numpy as np
import pytest

import xr_dip
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.conservation import sea_areas, summarize_errors
from xr_dip.geometry.rectilinear import RectilinearGrid

KEYS = ("largest", "mean_absolute", "area_mean")


def test_errors_that_cancel_over_the_area_leave_the_volume_as_it_is():
    # 1 x 0.5 - 2 x 0.25 = 0, while the mean absolute error is (0.5 + 0.25) / 2.
    found = summarize_errors(np.array([[0.5, -0.25, np.nan]]), np.array([[1.0, 2.0, 5.0]]))
    assert found == {"largest": 0.5, "mean_absolute": 0.375, "area_mean": 0.0}


def test_without_values_there_is_nothing_to_tell():
    assert summarize_errors(np.full((2, 2), np.nan), np.ones((2, 2))) == {}
    assert summarize_errors(np.ones((1, 1)), np.zeros((1, 1))) == {"largest": 1.0, "mean_absolute": 1.0}


def test_the_area_is_that_of_the_sea_and_shrinks_towards_the_pole():
    grid = RectilinearGrid.from_centres([0.5, 60.5], [0.5, 1.5])
    mean = np.zeros((3, 4, 4))
    mean[1, :2, :2] = np.nan
    areas = sea_areas(mean, grid, (2, 2))
    np.testing.assert_allclose(areas[0], grid.area())
    assert areas[1, 0, 0] == 0.0
    np.testing.assert_array_equal(areas[1, 1], areas[0, 1])


@pytest.fixture
def ssh():
    return xr_dip.synthetic.gulf_stream((24, 36), times=2).ssh.coarsen(latitude=4, longitude=4).mean()


def test_a_result_tells_its_errors_before_and_after(ssh, tiny):
    out = xr_dip.downscale(ssh, 4, members=2, preset=tiny, constraint="none", device="cpu", progress=False)
    for name in ("conservation_error", "fit_residual"):
        errors = out[name].values
        area = find_horizontal(ssh).grid.area()
        expected = np.abs(errors).max(), np.abs(errors).mean(), np.average(errors.mean(axis=0), weights=area)
        found = [out.attrs[f"xr_dip_{key}_{name}"] for key in KEYS]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    assert 'block means not enforced: constraint "none"' in repr(out.dip.summary())


def test_the_error_of_the_mean_is_that_of_the_volume_where_cells_weigh_by_their_area(ssh):
    out = xr_dip.interpolate(ssh.isel(time=0), 4, method="bilinear", weights="area")
    grid = find_horizontal(ssh).grid
    fine = np.average(out.ssh_mean.values.astype(float), weights=grid.refine((4, 4)).area())
    coarse = np.average(ssh.isel(time=0).values, weights=grid.area())
    assert out.attrs["xr_dip_area_mean_conservation_error"] == pytest.approx(fine - coarse, rel=1e-5)


def test_lazy_results_and_fields_without_positions(ssh):
    lazy = xr_dip.interpolate(ssh.chunk(time=1), 4, method="bilinear")
    assert not [key for key in lazy.attrs if key.endswith("_conservation_error")]
    bare = ssh.isel(time=0).drop_vars(["latitude", "longitude"])
    with pytest.warns(xr_dip.DipWarning):
        out = xr_dip.interpolate(bare, 4, method="bilinear")
    assert out.attrs["xr_dip_area_mean_conservation_error"] == pytest.approx(float(out.conservation_error.mean()))
