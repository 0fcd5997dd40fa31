import numpy as np
import pytest
import xarray as xr

from xr_dip.cf.roles import plane_dims, y_and_x


@pytest.mark.parametrize(
    ("dims", "expected"),
    [
        (("y", "x"), ("y", "x")),
        (("x", "y"), ("y", "x")),
        (("X", "Y"), ("Y", "X")),
        (("i", "j"), ("j", "i")),
        (("ni", "nj"), ("nj", "ni")),
        (("nlon", "nlat"), ("nlat", "nlon")),
        (("xi_rho", "eta_rho"), ("eta_rho", "xi_rho")),
        (("XC", "YC"), ("YC", "XC")),
        (("xt_ocean", "yt_ocean"), ("yt_ocean", "xt_ocean")),
        (("LONGITUDE", "LATITUDE"), ("LATITUDE", "LONGITUDE")),
        (("rows", "columns"), ("rows", "columns")),
        (("columns", "j"), ("j", "columns")),
    ],
)
def test_names_tell_y_from_x_where_they_can(dims, expected):
    assert y_and_x(xr.DataArray(np.zeros((2, 3)), dims=dims), list(dims), None, None) == expected


@pytest.mark.parametrize(
    ("dims", "expected"),
    [
        (("y", "x"), ("y", "x")),
        (("time_counter", "y", "x"), ("y", "x")),
        (("x", "y", "time"), ("y", "x")),
        (("y", "x", "depth"), ("y", "x")),
        (("member", "a", "b"), ("a", "b")),
    ],
)
def test_the_last_two_dimensions_but_time_and_depth_are_horizontal(dims, expected):
    assert plane_dims(xr.DataArray(np.zeros((2,) * len(dims)), dims=dims), None, None) == expected


def test_dimensions_asked_for_are_taken():
    field = xr.DataArray(np.zeros((2, 3, 4)), dims=("a", "b", "c"))
    assert plane_dims(field, "a", "c") == ("a", "c")
    assert plane_dims(field, None, "a") == ("c", "a")
    assert plane_dims(field, "c", None) == ("c", "b")


@pytest.mark.parametrize("dims", [("time", "x"), ("x",), ("time", "depth")])
def test_a_field_without_two_horizontal_dimensions_is_refused(dims):
    with pytest.raises(ValueError, match="It must have two horizontal ones: name them with y_dim= and x_dim="):
        plane_dims(xr.DataArray(np.zeros((2,) * len(dims)), dims=dims), None, None)
