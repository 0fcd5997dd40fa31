"""Land that holds a value: set missing where a value or a mask says so, warned about where it looks like land."""

import warnings

import dask
import numpy as np
import pytest
import xarray as xr
from robustness_files import VARIABLES, open_robustness

from xr_dip.cf.sea_masks import find_mask
from xr_dip.errors import DipWarning
from xr_dip.land import drop_land, warn_of_fill

DIMS = ("y", "x")


def field(land=0.0, shape=(10, 12), cells=np.s_[:4, :3]):
    values = np.random.default_rng(0).normal(size=shape)
    values[cells] = land
    return xr.DataArray(values, dims=DIMS, name="zos", attrs={"units": "m"})


def sea(da, cells=np.s_[:4, :3]):
    mask = np.ones(da.shape)
    mask[cells] = 0
    return xr.DataArray(mask, dims=DIMS, name="tmask")


@pytest.mark.parametrize("value", [0.0, 9.96921e36, -32767.0, -214748.3647])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cells_of_the_value_of_land_are_missing(value, dtype):
    da = field(value).astype(dtype)
    dropped = drop_land(da, land_value=value, mask=None)
    np.testing.assert_array_equal(np.isnan(dropped), sea(da) == 0)
    np.testing.assert_array_equal(dropped.where(sea(da) == 1), da.where(sea(da) == 1))
    assert dropped.dtype == dtype


def test_a_mask_wins_over_what_land_holds():
    """Also where it has other dimensions in another order, and land is missing in part."""
    da = field().expand_dims(time=2).transpose("x", "time", "y")
    plain = drop_land(da, land_value=None, mask=sea(field()))
    assert plain.dims == da.dims
    for land in (7.0, np.nan):
        other = drop_land(da.where(sea(field()) == 1, land), land_value=None, mask=sea(field()).T)
        xr.testing.assert_identical(other, plain)


def test_name_attributes_and_encoding_are_kept():
    da = field()
    da.encoding["grid_mapping"] = "crs"
    dropped = drop_land(da, land_value=0.0, mask=None)
    assert (dropped.name, dropped.attrs, dropped.encoding) == (da.name, da.attrs, da.encoding)
    assert drop_land(da, land_value=None, mask=None) is da


def test_lazy_fields_stay_lazy():
    def refuse(*_, **__):
        raise AssertionError("something was computed")

    da = field()
    with dask.config.set(scheduler=refuse):
        lazy = drop_land(da.chunk(y=5), land_value=0.0, mask=sea(da).chunk())
        warn_of_fill(da.chunk(), DIMS, land_is_known=False)
    xr.testing.assert_identical(lazy.compute(), drop_land(da, land_value=0.0, mask=None))


def test_a_mask_that_contradicts_the_field_is_named():
    da = field()
    with pytest.raises(ValueError, match=r"Invalid mask 'tmask' in the Dataset of 'zos'.*from -.*'land_binary_mask'"):
        drop_land(da, land_value=None, mask=1 - sea(da))
    with pytest.raises(ValueError, match=r"leave it out with .drop_vars\('tmask'\)"):
        drop_land(da, land_value=None, mask=sea(da, np.s_[:, 5:]))


def test_a_mask_that_contradicts_a_lazy_field_is_named_when_it_is_computed():
    lazy = drop_land(field().expand_dims(time=2).chunk(time=1, y=5), land_value=None, mask=1 - sea(field()))
    with pytest.raises(ValueError, match=r"Invalid mask 'tmask' in the Dataset of 'zos'.*'land_binary_mask'"):
        lazy.compute()


@pytest.mark.parametrize("chunks", [None, {"y": 5}])
def test_a_mask_without_any_value_is_named(chunks):
    da = field() if chunks is None else field().chunk(chunks)
    with pytest.raises(ValueError, match=r"Invalid mask 'tmask' .* each is missing: leave it out with .drop_vars\('tm"):
        drop_land(da, land_value=None, mask=sea(da) * np.nan)


def test_something_must_be_left():
    with pytest.raises(ValueError, match=r"Invalid field 'zos'[.] Every value is missing or land"):
        drop_land(field(0.0, cells=np.s_[:]), land_value=0.0, mask=None)


@pytest.mark.parametrize("land", [0.0, 0.7])
def test_one_value_on_many_connected_cells_is_named(land):
    with pytest.warns(DipWarning, match=f"12 connected cells of 'zos', 10%, are exactly {land:g}.*land_value={land:g}"):
        warn_of_fill(field(land), DIMS, land_is_known=False)


@pytest.mark.parametrize(
    "quiet",
    [
        field(np.nan),
        field(cells=np.s_[:2, :4]),  # eight cells
        field(cells=np.s_[::3, ::2]),  # not connected
        field(shape=(20, 20)),  # 3 %
        field().isel(y=slice(0)),
        field().expand_dims(time=2).copy(data=np.stack([np.full((10, 12), np.nan), field(np.nan)])),
    ],
)
def test_few_scattered_or_missing_cells_are_no_land(quiet):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DipWarning)
        warn_of_fill(quiet, DIMS, land_is_known=False)
        warn_of_fill(field(), DIMS, land_is_known=True)


def test_zero_has_no_sign():
    field = xr.DataArray(np.full((4, 4), -0.0), dims=("y", "x"), name="zos")
    with pytest.warns(DipWarning, match="Every value of 'zos' is 0. A constant field"):
        warn_of_fill(field, ("y", "x"), land_is_known=False)


@pytest.mark.parametrize("known", [True, False])
def test_a_constant_field_is_said_to_be_constant_once(known):
    with pytest.warns(DipWarning, match="Every value of 'zos' is 0.3. A constant field") as record:
        warn_of_fill(field(0.3, cells=np.s_[:]), DIMS, land_is_known=known)
    assert len(record) == 1


def test_a_fill_of_a_lazy_field_is_told_of_when_it_is_computed():
    """As that of a model on many files; once in the same words, and not where land is known."""
    axes = {"lat": np.arange(10.0), "lon": np.arange(12.0)}
    lazy = field().rename(y="lat", x="lon").assign_coords(axes).expand_dims(time=3).chunk(time=1)
    known = lazy.dip.interpolate(2, land_value=0.0)
    unknown = lazy.dip.interpolate(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DipWarning)
        known.compute(scheduler="synchronous")
    with pytest.warns(
        DipWarning, match="of 'zos', 5% of its cells or more, is exactly 0 and .* land_value=0"
    ) as record:
        unknown.compute(scheduler="synchronous")
    assert len({str(one.message) for one in record}) == 1


@pytest.mark.samples
@pytest.mark.parametrize("name", ["croco", "croco_constant", "arctic"])
def test_masks_of_real_files_are_found_and_used(name):
    """CROCO calls its mask a land_binary_mask, yet 1 is sea, and land is 0; in the third file land is missing."""
    with open_robustness(name, decode_times=False) as dataset:
        da = dataset[VARIABLES[name]].load()
        mask = find_mask(dataset, da).load()
    dropped = drop_land(da, land_value=None, mask=mask)
    np.testing.assert_array_equal(dropped.isnull(), (mask == 0).broadcast_like(da).transpose(*da.dims))


@pytest.mark.samples
def test_the_zeros_of_a_nemo_file_without_a_mask_are_warned_about():
    with open_robustness("orca1") as dataset:
        assert find_mask(dataset, dataset.ssh) is None
        with pytest.warns(DipWarning, match="8581 connected cells of 'ssh', 8%, are exactly 0.*land_value=0"):
            warn_of_fill(dataset.ssh.isel(time_counter=[0]), DIMS, land_is_known=False)


@pytest.mark.samples
@pytest.mark.parametrize("name", ["duacs_without_time", "mars3d", "cmip_bcc"])
def test_no_warning_where_land_is_missing(name):
    with open_robustness(name) as dataset, warnings.catch_warnings():
        da = dataset[VARIABLES[name]].load()
        warnings.simplefilter("error", DipWarning)
        warn_of_fill(da, da.dims[-2:], land_is_known=False)
