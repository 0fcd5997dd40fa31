"""The CF checker on results of every kind."""

import warnings

import numpy as np
import pytest
import xarray as xr
from families import FAMILIES, cmip_rotated, no_coordinates, polar
from results import build, check_cf, curvilinear, rectilinear

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.errors import DipWarning


@pytest.mark.parametrize("keys", [None, ["mean"], ["mean", "std", "fit_std", "flag", "conservation_error"]])
def test_rectilinear_result_passes_the_checker(tmp_path, keys):
    check_cf(build(rectilinear(), keys), tmp_path / "fine.nc")


@pytest.mark.parametrize("leading", [("time",), ()])
def test_curvilinear_result_without_attributes_passes_the_checker(tmp_path, leading):
    out = build(curvilinear(leading))
    check_cf(out, tmp_path / "fine.nc")
    assert "units" not in out.sossheig_mean.attrs
    assert "standard_name" not in out.sossheig_mean.attrs


def test_latitude_on_a_dimension_of_another_name_passes_the_checker(tmp_path):
    source = rectilinear(("lat", "lon")).rename(lat="y", lon="x").reset_index(["y", "x"]).rename(y="lat", x="lon")
    check_cf(build(source), tmp_path / "fine.nc")


def test_index_coordinates_and_time_bounds_pass_the_checker(tmp_path):
    source = curvilinear().assign_coords(x=np.arange(4), y=np.arange(3), depth=0.5)
    source.coords["time"].attrs["bounds"] = "time_bounds"
    edges = source.time.values[:, None] + np.array([-12, 12]) * np.timedelta64(1, "h")
    dataset = xr.Dataset({"sossheig": source, "time_bounds": (("time", "nbounds"), edges)})
    out = build(dataset.sossheig, dataset=dataset)
    check_cf(out, tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc", decode_coords="all") as read:
        np.testing.assert_array_equal(read.time_bounds, edges)
        np.testing.assert_array_equal(read.x_coarse, np.arange(4))


def test_grid_mapping_of_the_dataset_passes_the_checker(tmp_path):
    crs = xr.Variable((), np.int32(0), {"grid_mapping_name": "latitude_longitude"})
    dataset = xr.Dataset({"zos": rectilinear().assign_attrs(grid_mapping="crs"), "crs": crs})
    out = build(dataset.zos, dataset=dataset)
    check_cf(out, tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        assert read.zos_mean.attrs["grid_mapping"] == "crs"
        assert "crs" not in read.zos_mean.encoding["coordinates"]


@pytest.mark.parametrize(
    ("family", "decode_coords"),
    [
        *((family, True) for family in FAMILIES),
        *((family, "all") for family in ("CMEMS, DUACS, Mercator", "CMIP, rotated", "polar stereographic", "UTM")),
    ],
)
def test_results_from_every_family_pass_the_checker(tmp_path, family, decode_coords):
    """As a user has them, through a file."""
    FAMILIES[family]().to_netcdf(tmp_path / "coarse.nc")
    with (
        xr.open_dataset(tmp_path / "coarse.nc", decode_coords=decode_coords) as dataset,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DipWarning)  # of grids without positions, see test_families
        field = dataset[dataset.attrs["field"]]
        horizontal = find_horizontal(field, dataset=dataset)
        # CF recommends the order T, Y, X, but the output keeps that of the source.
        out = build(field.transpose(..., horizontal.y_dim, horizontal.x_dim), dataset=dataset)
    check_cf(out, tmp_path / "fine.nc")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("keys", [["mean", "std"], None])
def test_a_result_of_every_family_can_be_made_fine_itself(family, keys):
    dataset = FAMILIES[family]()
    name = dataset.attrs["field"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)
        first = build(dataset[name], keys, dataset)
        out = build(first[f"{name}_mean"], keys, first)
    assert out[f"{name}_mean_mean"].dims == dataset[name].dims
    assert "realization" in out.coords


def test_a_projection_is_linked_and_a_mapping_of_other_coordinates_is_not():
    dataset = polar()
    out = build(dataset.ssh, dataset=dataset)
    assert out.ssh_mean.encoding["grid_mapping"] == "polar"
    assert out.ssh_mean.encoding["cell_measures"] == "area: cell_area"
    assert out.polar.attrs["latitude_of_projection_origin"] == 90.0
    np.testing.assert_allclose(out.x_coarse, dataset.x)
    assert "standard_name" not in out.x_coarse.attrs
    rotated = cmip_rotated()
    out = build(rotated.zos, dataset=rotated)
    assert "grid_mapping" not in out.zos_mean.encoding
    assert "rotated_pole" not in out.coords


def test_a_grid_of_indices_has_no_positions():
    dataset = no_coordinates()
    with pytest.warns(DipWarning, match="no latitude and longitude"):
        out = build(dataset.ssh, dataset=dataset)
    assert set(out.coords) == {"realization", "member"}
    assert "cell_measures" not in out.ssh_mean.encoding


@pytest.mark.samples
@pytest.mark.parametrize(
    ("sample", "name", "decode_coords"),
    [
        ("glo12", "zos", True),
        ("gulf_stream_coarse", "sossheig", True),
        ("osmosis", "ssh", True),
        ("black_sea", "adt", True),
        ("black_sea", "sla", "all"),
    ],
)
def test_results_from_real_files_pass_the_checker(tmp_path, sample, name, decode_coords):
    from xr_dip import samples

    with xr.open_dataset(samples.fetch(sample), decode_coords=decode_coords) as dataset:
        part = dataset.isel({dim: slice(12) for dim in dataset[name].dims})
        out = build(part[name], dataset=part, source_attributes=dataset.attrs)
        check_cf(out, tmp_path / "fine.nc")
        assert out.attrs.get("institution") == dataset.attrs.get("institution")
        assert str(dataset.attrs.get("history", "")) in out.history
