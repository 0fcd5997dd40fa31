"""A result tells its seconds and its device in its history, and nowhere else: all other bits are those of any run."""

import numpy as np
import pytest
import torch
import xarray as xr

import xr_dip
from xr_dip.cf.provenance import read_cost
from xr_dip.recipe import describe_device


@pytest.fixture
def dataset():
    axes = {"lat": 40 + 0.25 * np.arange(6), "lon": 5 + 0.25 * np.arange(8)}
    waves = 0.1 * np.sin(np.add.outer(np.arange(6), np.arange(8)))
    fields = {name: (("lat", "lon"), scale * waves, {"units": "m"}) for name, scale in (("adt", 1.0), ("sla", 0.5))}
    return xr.Dataset(fields, axes, {"history": "2020-01-01: made by hand"})


def run(dataset, name, preset):
    return dataset.dip.downscale(name, 2, members=2, preset=preset, device="cpu", progress=False)


def test_a_result_in_memory_tells_seconds_and_device(dataset, tiny):
    made = run(dataset, "adt", tiny).dip.summary().made
    assert made["device"] == "cpu"
    assert 0.0 <= float(made["time"].removesuffix(" s")) < 600.0


def test_a_baseline_does_too(dataset):
    result = xr_dip.interpolate(dataset.adt, 2)
    assert read_cost(result.history.splitlines()[0])[1] == "cpu"


def test_only_the_history_differs_from_run_to_run(dataset, tiny):
    first, second = (run(dataset, "adt", tiny) for _ in range(2))
    histories = [result.attrs.pop("history").splitlines() for result in (first, second)]
    xr.testing.assert_identical(first, second)
    encodings = [{str(key): repr(value.encoding) for key, value in part.variables.items()} for part in (first, second)]
    assert encodings[0] == encodings[1]
    assert histories[0][1:] == histories[1][1:] == ["2020-01-01: made by hand"]
    assert all(read_cost(history[0]) for history in histories)


def test_a_lazy_result_is_yet_to_be_computed_so_it_tells_nothing(dataset, tiny):
    lazy = run(dataset.chunk(), "adt", tiny)
    assert read_cost(lazy.history.splitlines()[0]) is None
    assert "time" not in lazy.dip.summary().made
    assert "time" not in lazy.compute().dip.summary().made


def test_seconds_of_several_variables_add_up(dataset, tiny):
    both = run(dataset, ["adt", "sla"], tiny)
    seconds = [read_cost(line)[0] for line in both.history.splitlines() if read_cost(line)]
    assert len(seconds) == 2
    assert both.dip.summary().made["time"] == f"{sum(seconds):.1f} s"


def test_it_survives_a_file(dataset, tiny, tmp_path):
    result = run(dataset, "adt", tiny)
    result.to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc") as read:
        assert read.dip.summary().made == result.dip.summary().made


def test_a_gpu_is_named_with_its_model(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"model of {device}")
    assert describe_device("cuda:1") == "cuda:1 (model of cuda:1)"
