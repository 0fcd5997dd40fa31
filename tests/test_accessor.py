"""`.dip` hands over to the public functions: same arguments, same defaults, nothing else."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from xr_dip import downscaling
from xr_dip.accessor import DipArray, DipDataset

FUNCTIONS = ["downscale", "interpolate"]
# What an accessor fills in by itself, and what is for series of calls.
NOT_FOR_ACCESSORS = {"da", "dataset", "relay"}
SIGNATURES = {name: inspect.signature(getattr(downscaling, name)) for name in FUNCTIONS}


@pytest.fixture
def dataset():
    coords = {"lat": np.arange(40.0, 43.0), "lon": np.arange(5.0, 9.0)}
    return xr.Dataset({"ssh": (("lat", "lon"), np.zeros((3, 4))), "mdt": (("lat", "lon"), np.ones((3, 4)))}, coords)


@pytest.fixture
def calls(monkeypatch):
    """Replace the functions by ones that note the arguments they would have worked with."""
    noted = []
    for name in FUNCTIONS:

        def note(*args, _name=name, **kwargs):
            bound = SIGNATURES[_name].bind(*args, **kwargs)
            bound.apply_defaults()
            noted.append((_name, bound.arguments))
            return "result"

        monkeypatch.setattr(downscaling, name, note)
    return noted


def parameters(function, leave_out):
    return [
        (parameter.name, parameter.kind, parameter.default, parameter.annotation)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in leave_out
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("accessor", "own"), [(DipArray, {"self"}), (DipDataset, {"self", "name"})])
def test_signatures_agree(name, accessor, own):
    method, function = getattr(accessor, name), getattr(downscaling, name)
    assert parameters(method, own) == parameters(function, NOT_FOR_ACCESSORS)


def unlike_the_defaults(name):
    """One value for each argument, so that none that is dropped goes unnoticed."""
    return {argument: object() for argument in SIGNATURES[name].parameters if argument not in NOT_FOR_ACCESSORS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_an_array_arrives(dataset, calls, name):
    given = unlike_the_defaults(name)
    assert getattr(dataset.ssh.dip, name)(**given) == "result"
    [(called, arguments)] = calls
    assert called == name
    xr.testing.assert_identical(arguments.pop("da"), dataset.ssh)
    assert arguments.pop("relay", None) is None
    assert arguments == {**given, "dataset": None}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_of_a_dataset_arrives(dataset, calls, name):
    given = unlike_the_defaults(name)
    assert getattr(dataset.dip, name)("mdt", **given) == "result"
    [(called, arguments)] = calls
    assert called == name
    xr.testing.assert_identical(arguments.pop("da"), dataset.mdt)
    assert arguments.pop("dataset") is dataset
    assert arguments.pop("relay", None) is None
    assert arguments == given


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_unknown_variable_is_answered_with_those_there_are(dataset, name):
    with pytest.raises(ValueError, match=r"Invalid variable 'shh'. It must be among \['mdt', 'ssh'\]"):
        getattr(dataset.dip, name)("shh", 2)


def test_every_argument_of_several_variables_arrives(dataset, monkeypatch):
    seen = []

    def note(da, *args, **kwargs):
        seen.append((da.name, args, kwargs["dataset"] is dataset))
        return da.rename(f"{da.name}_mean").to_dataset()

    monkeypatch.setattr(downscaling, "downscale", note)
    assert list(dataset.dip.downscale(["ssh", "mdt"], 4)) == ["ssh_mean", "mdt_mean"]
    assert seen == [("ssh", (4,), True), ("mdt", (4,), True)]


def test_summary_reads_a_result(dataset):
    result = dataset.assign_attrs(xr_dip_configuration='{"seed": 0}')
    assert result.dip.summary().configuration == {"seed": 0}
    with pytest.raises(ValueError, match="It must be a result of xr_dip"):
        dataset.dip.summary()


def test_the_accessor_brings_no_torch():
    code = "import sys, xr_dip.accessor; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
