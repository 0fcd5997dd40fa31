"""What is found in the files of each family, and that what is written from it is read as the same grid."""

import warnings

import numpy as np
import pytest
import xarray as xr
from families import CURVED, FAMILIES, LATITUDE, LONGITUDE, NX, NY

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.cf.refined import fine_coords
from xr_dip.errors import DipWarning

# Family: kind of grid, y and x, names of latitude and longitude, other coordinates that are refined, grid mapping.
EXPECTED = {
    "CMEMS, DUACS, Mercator": ("RectilinearGrid", "latitude longitude", "latitude longitude", "", None),
    "longitude, latitude, time": ("RectilinearGrid", "latitude longitude", "latitude longitude", "", None),
    "IMOS": ("RectilinearGrid", "LATITUDE LONGITUDE", "LATITUDE LONGITUDE", "", None),
    "NEMO": ("CurvilinearGrid", "y x", "nav_lat nav_lon", "", None),
    "NEMO, positions as data variables": ("CurvilinearGrid", "y x", "nav_lat nav_lon", "", None),
    "NEMO, positions 0 on land": ("CurvilinearGrid", "y x", "nav_lat nav_lon", "", None),
    "NEMO, positions missing on land": ("CurvilinearGrid", "y x", "nav_lat nav_lon", "", None),
    "ROMS, CROCO": ("CurvilinearGrid", "eta_rho xi_rho", "lat_rho lon_rho", "", None),
    "MITgcm": ("RectilinearGrid", "YC XC", "YC XC", "", None),
    "MITgcm, curvilinear": ("CurvilinearGrid", "j i", "YC XC", "", None),
    "MOM": ("CurvilinearGrid", "yt_ocean xt_ocean", "geolat_t geolon_t", "", None),
    "MOM, nominal axes": ("RectilinearGrid", "yt_ocean xt_ocean", "yt_ocean xt_ocean", "", None),
    "CMIP, rotated": ("CurvilinearGrid", "rlat rlon", "lat lon", "", None),
    "CMIP, i and j": ("CurvilinearGrid", "j i", "latitude longitude", "", None),
    "polar stereographic": ("ProjectedGrid", "y x", "lat lon", "y x", "polar"),
    "polar stereographic, without latitude and longitude": (
        "ProjectedGrid",
        "y x",
        "latitude longitude",
        "y x",
        "polar",
    ),
    "UTM": ("ProjectedGrid", "y x", "latitude longitude", "y x", "spatial_ref"),
    "distances without a grid mapping": ("IndexGrid", "y x", "", "y x", None),
    "no coordinates": ("IndexGrid", "y x", "", "", None),
}


def open_family(name):
    dataset = FAMILIES[name]()
    return dataset, dataset[dataset.attrs["field"]]


def find(field, dataset):
    """The grid; of fields without positions with the warning that they get."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DipWarning)
        horizontal = find_horizontal(field, dataset=dataset)
    assert [str(one.message)[:9] for one in caught] == (["The field"] if horizontal.latitude_name is None else [])
    return horizontal


def test_every_family_is_expected():
    assert EXPECTED.keys() == FAMILIES.keys()


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_is_found(name):
    dataset, field = open_family(name)
    horizontal = find(field, dataset)
    kind, dims, positions, lines, mapping = EXPECTED[name]
    assert type(horizontal.grid).__name__ == kind
    assert (horizontal.y_dim, horizontal.x_dim) == tuple(dims.split())
    assert (horizontal.latitude_name, horizontal.longitude_name) == (tuple(positions.split()) or (None, None))
    assert [line.name for line in horizontal.lines] == lines.split()
    assert horizontal.mapping_name == mapping
    assert horizontal.grid.shape == (NY, NX) == (field.sizes[horizontal.y_dim], field.sizes[horizontal.x_dim])
    assert horizontal.grid.periodic is False


@pytest.mark.parametrize(
    "name", [name for name in FAMILIES if EXPECTED[name][0] in ("CurvilinearGrid", "RectilinearGrid")]
)
def test_each_grid_is_where_the_family_says(name):
    dataset, field = open_family(name)
    latitude, longitude = find(field, dataset).grid.centres()
    if latitude.ndim == 1:
        np.testing.assert_allclose(np.sort(latitude), LATITUDE, atol=1e-5)
        np.testing.assert_allclose(longitude, LONGITUDE, atol=1e-5)
    else:
        sea = slice(2, None)  # rows where every family has positions
        np.testing.assert_allclose(latitude[sea], CURVED[0][sea], atol=2e-3)
        np.testing.assert_allclose(longitude[sea], CURVED[1][sea], atol=2e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_written_is_read_as_the_same_grid(name, tmp_path):
    dataset, field = open_family(name)
    horizontal = find(field, dataset)
    coords = fine_coords(horizontal, (2, 3))
    dims = (horizontal.y_dim, horizontal.x_dim)
    written = xr.Dataset({"ssh": (dims, np.zeros((2 * NY, 3 * NX))), **coords})
    if horizontal.mapping_name:
        written.ssh.attrs["grid_mapping"] = horizontal.mapping_name
    written.set_coords([name for name in (horizontal.latitude_name, horizontal.longitude_name) if name]).to_netcdf(
        tmp_path / "fine.nc"
    )
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        again = find(read.ssh, read)
    assert (again.y_dim, again.x_dim, again.latitude_name) == (*dims, horizontal.latitude_name)
    fine = horizontal.grid.refine((2, 3))
    assert type(again.grid) is type(fine)
    assert again.grid.shape == fine.shape
    if name != "no coordinates":
        assert again.grid.spacing() == pytest.approx(fine.spacing(), rel=1e-5)
    if horizontal.latitude_name:
        for ours, theirs in zip(again.grid.centres(), fine.centres(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("name", ["polar stereographic", "UTM", "distances without a grid mapping"])
def test_coordinates_of_a_plane_are_refined_in_their_own_unit(name):
    dataset, field = open_family(name)
    coords = fine_coords(find(field, dataset), (2, 1))
    np.testing.assert_allclose(coords["y"].values.reshape(NY, 2).mean(axis=1), field.y, rtol=1e-6)
    np.testing.assert_allclose(coords["x"].values, field.x, rtol=1e-6)
    assert coords["x"].attrs["units"] == field.x.attrs["units"]


@pytest.mark.parametrize("name", ["NEMO", "ROMS, CROCO", "CMIP, rotated", "CMEMS, DUACS, Mercator"])
def test_flipping_the_field_flips_the_fine_grid(name):
    dataset, field = open_family(name)
    horizontal = find(field, dataset)
    flipped = dataset.isel({horizontal.y_dim: slice(None, None, -1), horizontal.x_dim: slice(None, None, -1)})
    again = find(flipped[field.name], flipped).grid.refine((2, 3)).centres()
    for ours, theirs in zip(horizontal.grid.refine((2, 3)).centres(), again, strict=True):
        np.testing.assert_allclose(np.flip(theirs), ours, atol=1e-9)
