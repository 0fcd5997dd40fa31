"""The parts of a result, and the coarse field that it was made from."""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

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


ROWS, COLUMNS = 6, 7


def coarse_on(kind):
    """A field on a grid of each kind, which differs in each cell."""
    values = np.random.default_rng(1).normal(size=(ROWS, COLUMNS))
    rows, columns = np.mgrid[0.0:ROWS, 0.0:COLUMNS]
    if kind == "curvilinear":
        positions = {
            "nav_lat": (("y", "x"), 40 + 0.25 * rows + 0.02 * columns),
            "nav_lon": (("y", "x"), 5 + 0.25 * columns),
        }
        return xr.DataArray(values, positions, ("y", "x"), name="ssh")
    if kind == "projected":
        polar = {"grid_mapping_name": "polar_stereographic", "standard_parallel": 70.0, "earth_radius": 6371000.0}
        polar |= {"straight_vertical_longitude_from_pole": 0.0, "latitude_of_projection_origin": 90.0}
        axes = {name: (name, 1e4 * np.arange(size), {"units": "m"}) for name, size in (("y", ROWS), ("x", COLUMNS))}
        crs = xr.DataArray(0, attrs=polar)
        return xr.DataArray(values, {**axes, "crs": crs}, ("y", "x"), name="ssh", attrs={"grid_mapping": "crs"})
    longitude = {"across the date line": 179.0, "uneven": 5.0}[kind] + 0.5 * np.arange(COLUMNS)
    latitude = 40 + 0.25 * np.cumsum(1.1 ** np.arange(ROWS)) if kind == "uneven" else 40 - 0.25 * np.arange(ROWS)
    axes = {"lat": latitude, "lon": (longitude + 180) % 360 - 180}
    return xr.DataArray(values, axes, ("lat", "lon"), name="ssh")


@cache
def both_on(kind):
    """Coarse field and a fine one, whose block means are off by much."""
    coarse = coarse_on(kind)
    return coarse, xr_dip.interpolate(coarse, (2, 3), "bicubic")


@pytest.mark.parametrize("kind", ["curvilinear", "projected", "across the date line", "uneven"])
@given(
    rows=st.tuples(st.integers(0, ROWS - 2), st.integers(2, ROWS)),
    columns=st.tuples(st.integers(0, COLUMNS - 2), st.integers(2, COLUMNS)),
    turned=st.tuples(st.booleans(), st.booleans()),
    with_coarse=st.booleans(),
)
@settings(deadline=None, max_examples=12)
def test_a_window_of_a_result_turned_or_not_has_the_input_of_its_cells(kind, rows, columns, turned, with_coarse):
    coarse, fine = both_on(kind)
    window, within = {}, {}
    for dim, (start, count), flip, parts in zip(coarse.dims, (rows, columns), turned, (2, 3), strict=True):
        cells = np.arange(coarse.sizes[dim])[start : start + count]
        order = -1 if flip else 1
        window[dim], within[dim] = cells[::order], np.arange(parts * cells[0], parts * (cells[-1] + 1))[::order]
    if with_coarse:
        within |= {f"{dim}_coarse": np.sort(cells) for dim, cells in window.items()}
    found = reading.coarse_input(fine.isel(within), "ssh")
    np.testing.assert_allclose(found, coarse.isel(window), atol=1e-6)


@pytest.mark.parametrize("kind", ["curvilinear", "projected", "across the date line", "uneven"])
@pytest.mark.parametrize("with_coarse", [True, False])
def test_a_window_that_begins_within_a_cell_has_no_input(kind, with_coarse):
    coarse = coarse_on(kind)
    fine = xr_dip.interpolate(coarse, 4)
    y, x = coarse.dims
    shifted = fine.isel({y: slice(1, 13)} | ({f"{y}_coarse": slice(0, 3)} if with_coarse else {}))
    assert reading.coarse_input(shifted, "ssh") is None
    assert reading.coarse_input(fine.isel({x: slice(0, 11)}), "ssh") is None
    assert reading.coarse_input(fine.isel({y: slice(4, 16)})[["ssh_mean", "ssh_flag"]], "ssh") is None


POLAR = np.arange(-90.0, 91.0, 15.0)
TELESCOPE = np.concatenate([np.full(5, 0.1), 0.1 * 1.2 ** np.arange(8)]).cumsum()


@pytest.mark.parametrize("factor", [4, 16])
@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (POLAR, np.arange(0.0, 360.0, 30.0)),
        (20 + 1.25 ** np.arange(8).cumsum() ** 0.5, np.arange(6.0)),
        (TELESCOPE, 3 - TELESCOPE),
    ],
    ids=["poles", "stretched", "telescope"],
)
def test_the_input_of_a_whole_result_comes_back_on_any_grid(latitude, longitude, factor):
    values = np.random.default_rng(2).normal(size=(len(latitude), len(longitude)))
    da = xr.DataArray(values, {"lat": latitude, "lon": longitude}, ("lat", "lon"), name="ssh")
    for dims in (("lat", "lon"), ("lon", "lat")):
        found = reading.coarse_input(xr_dip.interpolate(da.transpose(*dims), factor, "bicubic"), "ssh")
        np.testing.assert_allclose(found.transpose("lat", "lon"), values, atol=1e-6)


@pytest.mark.parametrize("factor", [(1, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("cells", [{"lat": [2]}, {"lon": [3]}])
def test_one_row_or_column_has_its_input(factor, cells):
    values = np.random.default_rng(2).normal(size=(4, 6))
    da = xr.DataArray(values, {"lat": np.arange(4.0), "lon": np.arange(6.0)}, ("lat", "lon"), name="ssh")
    fine = xr_dip.interpolate(da, factor, "bicubic")
    parts = dict(zip(da.dims, factor, strict=True))
    within = {dim: np.arange(parts[dim]) + parts[dim] * place[0] for dim, place in cells.items()}
    np.testing.assert_allclose(reading.coarse_input(fine.isel(within), "ssh"), da.isel(cells), atol=1e-6)


@pytest.mark.parametrize(("start", "whole"), [(15.0, True), (0.0, False)])
def test_a_globe_that_was_turned_has_its_input_unless_that_cut_a_cell(start, whole):
    values = np.random.default_rng(2).normal(size=(4, 12))
    axes = {"lat": 10.0 * np.arange(4), "lon": start + np.arange(0.0, 360.0, 30.0)}
    fine = xr_dip.interpolate(xr.DataArray(values, axes, ("lat", "lon"), name="ssh"), 2, "bicubic")
    found = reading.coarse_input(fine.assign_coords(lon=(fine.lon + 180) % 360 - 180).sortby("lon"), "ssh")
    if whole:
        np.testing.assert_allclose(found, np.roll(values, 6, axis=1), atol=1e-6)
    else:
        assert found is None


def test_scores_of_a_result_that_was_sorted_are_the_same(coarse):
    truth = xr_dip.synthetic.gulf_stream((16, 16), resolution=1 / 10, land=True).ssh
    fine = truth.coarsen(latitude=2, longitude=2).mean().dip.interpolate(2, "bicubic")
    turned = [part.sortby("latitude", ascending=False) for part in (fine, truth)]
    one, other = fine.dip.verify(truth), turned[0].dip.verify(turned[1])
    for score in ("rmse", "rmse_kriging", "skill_kriging", "rmse_bicubic"):
        np.testing.assert_allclose(other[score], one[score], rtol=1e-6)
    with pytest.warns(xr_dip.DipWarning, match="not those of whole coarse cells"):
        scores = fine.isel(latitude=slice(1, 15)).dip.verify(truth.isel(latitude=slice(1, 15)))
    assert "rmse_kriging" not in scores


def test_without_errors_only_estimates_that_keep_the_input_tell_it(coarse):
    for method, known in (("bicubic", False), ("kriging", True)):
        found = reading.coarse_input(xr_dip.interpolate(coarse, 2, method).drop_vars("conservation_error"), "ssh")
        assert (found is not None) == known


def test_cells_that_are_masked_have_no_input(coarse):
    fine = xr_dip.interpolate(coarse, 2, "bicubic")
    north = coarse.latitude > coarse.latitude[3]
    found = reading.coarse_input(fine.where(fine.latitude > float(coarse.latitude[3:5].mean())), "ssh")
    np.testing.assert_allclose(found, coarse.where(north), atol=1e-6)
    assert found.dims == coarse.dims


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
