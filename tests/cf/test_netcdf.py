"""Files that are either whole or not there."""

import numpy as np
import pytest
import xarray as xr

from xr_dip.cf.netcdf import check_output, copy_file, write_netcdf


@pytest.fixture
def dataset():
    values = xr.Variable(("y", "x"), np.zeros((64, 64), "float32"), {"units": "m"}, {"_FillValue": np.float32(np.nan)})
    return xr.Dataset({"ssh": values, "crs": ((), 0), "basin": ("y", ["a"] * 64)})


def test_what_is_written_is_read_again(tmp_path, dataset):
    path = write_netcdf(dataset, tmp_path / "fine.nc")
    with xr.open_dataset(path) as read:
        xr.testing.assert_identical(read.load(), dataset)


def test_fields_are_compressed_and_the_argument_is_not_changed(tmp_path, dataset):
    with xr.open_dataset(write_netcdf(dataset, tmp_path / "fine.nc")) as read:
        assert (read.ssh.encoding["zlib"], read.ssh.encoding["complevel"]) == (True, 4)
        assert np.isnan(read.ssh.encoding["_FillValue"])
    assert dataset.ssh.encoding.keys() == {"_FillValue"}


def test_what_was_stored_in_another_way_is_compressed(tmp_path, dataset):
    dataset.to_netcdf(tmp_path / "contiguous.nc", encoding={"ssh": {"contiguous": True}})
    with xr.open_dataset(tmp_path / "contiguous.nc") as contiguous:
        write_netcdf(contiguous, tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        assert read.ssh.encoding["zlib"]


def test_only_the_file_is_left(tmp_path, dataset):
    write_netcdf(dataset, tmp_path / "fine.nc")
    assert [path.name for path in tmp_path.iterdir()] == ["fine.nc"]


def test_an_earlier_file_is_replaced_when_asked(tmp_path, dataset):
    path = write_netcdf(dataset, tmp_path / "fine.nc")
    write_netcdf(dataset[["ssh"]] + 1, path, overwrite=True)
    with xr.open_dataset(path) as read:
        assert (read.ssh == 1).all()


@pytest.mark.parametrize("earlier", [None, "an earlier file"])
def test_after_a_failure_everything_is_as_before(tmp_path, earlier):
    path = tmp_path / "fine.nc"
    if earlier:
        path.write_text(earlier)
    unwritable = xr.Dataset({"ssh": ("x", np.zeros(3)), "bad": ("x", [object()] * 3)})
    with pytest.raises((ValueError, TypeError)):
        write_netcdf(unwritable, path, overwrite=True)
    assert [p.read_text() for p in tmp_path.iterdir()] == ([earlier] if earlier else [])


def test_a_disk_that_takes_no_more_is_named_with_the_file(tmp_path, dataset, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("NetCDF: HDF error")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(
        OSError, match=r"Cannot write '.*fine.nc': NetCDF: HDF error. Is the disk full, or a source damaged\?"
    ):
        write_netcdf(dataset, tmp_path / "fine.nc")
    monkeypatch.setattr(xr.Dataset, "to_netcdf", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_netcdf(dataset, tmp_path / "fine.nc")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_is_kept(tmp_path, dataset):
    path = tmp_path / "fine.nc"
    path.write_text("earlier")
    with pytest.raises(FileExistsError, match=r"Invalid output '.*fine.nc'. It must be a new file.*--overwrite"):
        write_netcdf(dataset, path)
    with pytest.raises(FileExistsError, match="It must be a new file"):
        copy_file(path, path)
    assert path.read_text() == "earlier"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Its folder must exist, '.*absent' does not"):
        check_output(tmp_path / "absent" / "fine.nc")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="It must be a file, this is a folder"):
        check_output(tmp_path, overwrite=True)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("xr_dip.cf.netcdf.os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="Its folder must allow writing"):
        check_output(tmp_path / "fine.nc")


def test_a_copy_is_equal(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"\x00\x01")
    assert copy_file(tmp_path / "a.nc", tmp_path / "b.nc").read_bytes() == b"\x00\x01"
