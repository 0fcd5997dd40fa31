"""Cell methods: those of the source, of an area, and of an ensemble."""

import numpy as np
import pytest
import xarray as xr
from results import ZOS, build, check_cf, curvilinear, rectilinear

from xr_dip.cf.cell_methods import cell_methods, drop_ensemble_label, ensemble_label
from xr_dip.cf.horizontal import find_horizontal


def methods_of(source, points=False):
    return cell_methods(source, find_horizontal(source), points=points)


@pytest.mark.parametrize(
    ("given", "means", "points"),
    [
        (None, "area: mean", "area: point"),
        ("time: mean", "time: mean area: mean", "time: mean area: point"),
        ("area: mean", "area: mean", "area: point"),
        ("time: point area: mean where sea", "time: point area: mean where sea", "time: point area: point"),
        (
            "area: time: mean (interval: 60 s)",
            "area: time: mean (interval: 60 s)",
            "time: mean (interval: 60 s) area: point",
        ),
        ("lat: lon: mean", "lat: lon: mean area: mean", "area: point"),
        ("latitude: mean", "lat: mean area: mean", "area: point"),
        ("time_counter: mean (interval: 60 s)", "area: mean", "area: point"),
    ],
)
def test_those_of_the_source_come_first_where_they_can_be_read(given, means, points):
    source = rectilinear(attrs={} if given is None else {"cell_methods": given})
    assert (methods_of(source), methods_of(source, points=True)) == (means, points)


@pytest.mark.parametrize("attrs", [{}, {"standard_name": "time"}])
@pytest.mark.parametrize("one", [False, True])
def test_time_may_stand_for_a_dimension_of_another_name(tmp_path, attrs, one):
    source = curvilinear().rename(time="time_counter").assign_attrs(cell_methods="time: mean")
    source = source.assign_coords(time_counter=source.time_counter.variable.copy())
    source.time_counter.attrs = attrs
    source = source.isel(time_counter=0) if one else source
    out = build(source, ["mean"])
    assert out.sossheig_mean.attrs["cell_methods"] == "time_counter: mean area: mean"
    check_cf(out, tmp_path / "fine.nc")


def test_a_standard_name_of_an_auxiliary_coordinate_is_that_of_its_dimension():
    source = rectilinear(attrs={"cell_methods": "time: mean"}).rename(time="t").drop_vars("t")
    assert methods_of(source.assign_coords(time_centered=("t", [0.5, 1.5], {"standard_name": "time"}))) == (
        "t: mean area: mean"
    )


def test_only_our_own_label_of_an_ensemble_is_dropped():
    field = xr.DataArray(np.zeros(2), dims="x", attrs=ZOS | {"cell_methods": "area: mean realization: mean"})
    labelled = field.assign_coords(realization=ensemble_label())
    before = labelled.copy(deep=True)
    bare = drop_ensemble_label(labelled)
    assert not bare.coords
    assert bare.attrs["cell_methods"] == "area: mean"
    xr.testing.assert_identical(labelled, before)
    for other in (field, field.assign_coords(realization=3), field.assign_coords(realization=("x", [0, 1]))):
        assert drop_ensemble_label(other) is other


def test_a_field_that_is_only_a_mean_of_an_ensemble_is_left_without_cell_methods():
    field = xr.DataArray(0.0, {"realization": ensemble_label()}, attrs={"cell_methods": "realization: mean"})
    assert drop_ensemble_label(field).attrs == {}
