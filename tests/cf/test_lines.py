import numpy as np
import pytest
import xarray as xr

from xr_dip.cf.lines import index_lines, read_bounds


def field(**coords):
    return xr.DataArray(np.zeros((2, 3)), coords, ("y", "x"))


@pytest.mark.parametrize(
    ("values", "edges"),
    [([0, 1, 2], [-0.5, 0.5, 1.5, 2.5]), ([9.0, 7.0, 5.0], [10, 8, 6, 4]), ([1, 2, 4], [0.5, 1.5, 3, 5])],
)
def test_coordinates_that_go_one_way_are_refined(values, edges):
    (line,) = index_lines(field(x=values), ("y", "x"))
    assert (line.name, line.kind) == ("x", None)
    np.testing.assert_array_equal(line.edges, edges)


@pytest.mark.parametrize("values", [[0, 2, 1], [1, 1, 1], ["a", "b", "c"], [0.0, np.nan, 1.0]])
def test_labels_are_no_lines(values):
    assert index_lines(field(x=values), ("y", "x")) == ()


def test_a_single_index_is_a_cell_of_size_one():
    (line,) = index_lines(field(y=[4, 5]).isel(y=[1]), ("y", "x"))
    np.testing.assert_array_equal(line.edges, [4.5, 5.5])


def test_bounds_that_are_not_there_are_none():
    latitude = xr.Variable("lat", [1.0], {"bounds": "rim"})
    assert read_bounds(latitude, None) is None
    assert read_bounds(latitude, xr.Dataset()) is None
    with pytest.raises(ValueError, match=r"Invalid bounds 'rim' on \('x',\). It must be on \('lat',\) and one"):
        read_bounds(latitude, xr.Dataset({"rim": ("x", [0.0])}))
    with pytest.raises(ValueError, match=r"Invalid bounds 'rim' of type <U1. It must be of numbers"):
        read_bounds(latitude, xr.Dataset({"rim": (("lat", "two"), [["a", "b"]])}))
