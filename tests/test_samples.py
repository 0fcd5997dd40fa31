"""The samples: a complete table, and a cache that neither trusts a wrong file nor loses one.

The network is replaced by a function, but for tests marked `samples` where `XR_DIP_DATA_DIR` is not set.
"""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pooch
import pytest

from xr_dip import samples

SAMPLE = samples.describe("gulf_stream_coarse")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XR_DIP_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def download(monkeypatch):
    """Replace the network by a function of (url, path)."""

    def install(write):
        monkeypatch.setattr(pooch.HTTPDownloader, "__call__", lambda self, url, output, _: write(url, Path(output)))

    return install


def offline(url, path):
    raise OSError("Name or service not known")


def forbidden(url, path):
    raise AssertionError(f"network used for {url}")


def test_names_files_and_hashes_are_unique():
    catalogue = samples.list()
    for key in ("name", "file", "sha256", "url"):
        assert len({getattr(sample, key) for sample in catalogue}) == len(catalogue)


@pytest.mark.parametrize("sample", samples.list(), ids=lambda sample: sample.name)
def test_every_sample_is_pinned_and_attributed(sample):
    assert re.fullmatch("[0-9a-f]{64}", sample.sha256)
    assert re.fullmatch("[0-9a-f]{40}", sample.version)
    assert f"/{sample.version}/" in sample.url
    assert sample.url.startswith("https://raw.githubusercontent.com/")
    assert sample.licence
    assert sample.attribution
    assert sample.description


def test_list_is_a_table_of_one_line_each():
    lines = repr(samples.list()).splitlines()
    assert [line.split()[0] for line in lines] == [sample.name for sample in samples.list()]


@pytest.mark.parametrize("call", [samples.describe, samples.fetch, samples.open_dataset])
def test_unknown_name_lists_the_known_ones(call):
    with pytest.raises(
        ValueError, match=r"Invalid name 'atlantis'\. It must be one of gulf_stream_fine, .*black_sea_sst"
    ):
        call("atlantis")


def test_a_file_that_is_there_needs_no_network(cache, download, monkeypatch):
    content = b"right"
    right = samples.Sample(**{**vars(SAMPLE), "sha256": hashlib.sha256(content).hexdigest()})
    monkeypatch.setattr(samples, "_CATALOGUE", samples.Catalogue([right]))
    download(forbidden)
    (cache / SAMPLE.file).write_bytes(content)
    assert samples.fetch(SAMPLE.name) == cache / SAMPLE.file


def test_download_lands_in_the_cache_and_happens_once(cache, download, monkeypatch):
    content = b"from afar"
    right = samples.Sample(**{**vars(SAMPLE), "sha256": hashlib.sha256(content).hexdigest()})
    monkeypatch.setattr(samples, "_CATALOGUE", samples.Catalogue([right]))
    urls = []
    download(lambda url, path: (urls.append(url), path.write_bytes(content)))
    assert samples.fetch(SAMPLE.name).read_bytes() == content
    assert samples.fetch(SAMPLE.name).parent == cache
    assert urls == [SAMPLE.url]


def test_environment_is_read_at_each_call(tmp_path, download, monkeypatch):
    download(offline)
    for folder in ("first", "second"):
        monkeypatch.setenv("XR_DIP_DATA_DIR", str(tmp_path / folder))
        with pytest.raises(OSError, match=str(tmp_path / folder)):
            samples.fetch(SAMPLE.name)


def test_missing_network_names_url_path_and_variable(cache, download):
    download(offline)
    message = (
        f"'{SAMPLE.name}' from {SAMPLE.url} to '{cache / SAMPLE.file}': Name or service not known.*XR_DIP_DATA_DIR"
    )
    with pytest.raises(OSError, match=message):
        samples.open_dataset(SAMPLE.name)


def test_cache_that_cannot_be_a_folder_is_named(tmp_path, download, monkeypatch):
    download(forbidden)
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XR_DIP_DATA_DIR", str(blocked / "cache"))
    with pytest.raises(OSError, match=f"Cannot download sample .* to '{blocked}"):
        samples.fetch(SAMPLE.name)


def test_wrong_file_in_the_cache_is_named_and_kept(cache, download):
    download(forbidden)
    path = cache / SAMPLE.file
    path.write_bytes(b"mine")
    found = hashlib.sha256(b"mine").hexdigest()
    with pytest.raises(ValueError, match=f"'{path}'. Its sha256 must be {SAMPLE.sha256}, it is {found}"):
        samples.fetch(SAMPLE.name)
    assert path.read_bytes() == b"mine"


def test_wrong_download_is_refused_and_leaves_nothing(cache, download):
    download(lambda url, path: path.write_bytes(b"login page"))
    with pytest.raises(ValueError, match="does not match the known hash"):
        samples.fetch(SAMPLE.name)
    assert os.listdir(cache) == []


@pytest.mark.samples
@pytest.mark.parametrize("sample", samples.list(), ids=lambda sample: sample.name)
def test_every_file_is_the_right_one_and_opens(sample):
    assert samples.fetch(sample.name).stat().st_size == sample.size
    with samples.open_dataset(sample.name) as ds:
        assert sample.variable in ds


@pytest.mark.samples
def test_coarse_sample_is_the_block_mean_of_the_fine_one():
    with samples.open_dataset("gulf_stream_fine") as fine, samples.open_dataset("gulf_stream_coarse") as coarse:
        means = fine.sossheig.coarsen(y=5, x=5, boundary="trim").mean()
        np.testing.assert_allclose(means.values, coarse.sossheig.values, atol=1e-6)
