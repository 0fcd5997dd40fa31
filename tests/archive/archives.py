"""What the tests of archives share: a small source, a call with few fits, and comparisons bit for bit."""

import numpy as np
import xarray as xr

import xr_dip

FEW_FITS = {"variable": "ssh", "factor": 2, "members": 2, "preset": "tiny", "device": "cpu", "progress": False}
DAYS = ["2020-01-01", "2020-01-02", "2020-01-03"]
STORES = {"files": {}, "plain": {"zarr": "fine.zarr", "icechunk": False}, "icechunk": {"zarr": "fine.zarr"}}


def place(folder, kind):
    """Options of an output, in a folder of its own."""
    options = dict(STORES[kind])
    return {**options, "zarr": folder / options["zarr"]} if options else {}


def coarse_days(times=3, shape=(5, 6), freq="1D", start="2020-01-01", calendar="standard"):
    """Smooth random fields with land in a corner, float32."""
    values = np.random.default_rng(0).normal(size=(times, *shape)).cumsum(axis=-1).cumsum(axis=-2) * 0.02
    values[:, :2, :2] = np.nan
    dates = xr.date_range(start, periods=times, freq=freq, calendar=calendar, use_cftime=calendar != "standard")
    coords = {
        "time": ("time", dates),
        "lat": ("lat", 40 + 0.25 * np.arange(shape[0]), {"units": "degrees_north"}),
        "lon": ("lon", 5 + 0.25 * np.arange(shape[1]), {"units": "degrees_east"}),
    }
    attrs = {"units": "m", "standard_name": "sea_surface_height_above_geoid"}
    return xr.Dataset({"ssh": (("time", "lat", "lon"), values.astype("float32"), attrs)}, coords)


def files_of(dataset, folder, size=1):
    """Write a series into files of so many steps; return their paths."""
    folder.mkdir(exist_ok=True)
    paths = []
    for start in range(0, dataset.sizes["time"], size):
        paths.append(folder / f"in_{start:03d}.nc")
        dataset.isel(time=slice(start, start + size)).to_netcdf(paths[-1])
    return paths


def run(source, out, **options):
    return xr_dip.downscale_archive(source, out, **{**FEW_FITS, **options})


def opened(path):
    """Open a day, a plain store or a store of icechunk, in memory."""
    if path.is_file():
        with xr.open_dataset(path) as dataset:
            return dataset.load()
    store = path
    if (path / "refs").is_dir():
        import icechunk

        icechunk.set_logs_filter("error")
        repository = icechunk.Repository.open(icechunk.local_filesystem_storage(str(path)))
        store = repository.readonly_session("main").store
    return xr.open_zarr(store, consolidated=False).load()


def assert_same_bits(one, other):
    """Values, coordinates and attributes are equal; a history tells when, so it may differ."""
    assert set(one.variables) == set(other.variables)
    for name, variable in one.variables.items():
        assert variable.dims == other.variables[name].dims
        assert variable.dtype == other.variables[name].dtype
        assert variable.values.tobytes() == other.variables[name].values.tobytes(), name
    xr.testing.assert_identical(one.drop_attrs(deep=False), other.drop_attrs(deep=False))
    assert {**one.attrs, "history": ""} == {**other.attrs, "history": ""}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same_folders(one, other):
    """The same days, no other file, the same bits."""
    assert names(one) == names(other)
    for path in one.glob("*.nc"):
        assert_same_bits(opened(path), opened(other / path.name))
