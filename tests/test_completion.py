"""What a shell or a notebook shows of `.dip`: names on tab, signatures, and the whole documentation of each method."""

import inspect
import rlcompleter

import numpy as np
import pytest
import xarray as xr
from reference import ACCESSORS, entries, methods, split

import xr_dip
from xr_dip import downscaling, geostrophy, plot, report, scoring
from xr_dip.cf import summary
from xr_dip.docstrings import documented_as

METHODS = [(name, method) for name in ACCESSORS for method in methods(getattr(xr_dip, name))]
# What each method hands over to, and what it fills in.
FUNCTIONS = {
    "currents": (geostrophy.currents, {"source"}),
    "verify": (scoring.verify, {"result"}),
    "plot": (plot.overview, {"out"}),
    "report": (report.write_report, {"result"}),
    "summary": (summary.summarize, {"result"}),
}


@pytest.mark.parametrize(("accessor", "text"), [("DipArray", "ds.ssh.dip."), ("DipDataset", "ds.dip.")])
def test_tab_shows_every_method_and_nothing_else(accessor, text):
    ds = xr.Dataset({"ssh": (("y", "x"), np.zeros((2, 2)))})
    completer, found = rlcompleter.Completer({"ds": ds}), []
    while (word := completer.complete(text, len(found))) is not None:
        found.append(word)
    names = {word.removeprefix(text).rstrip("()") for word in found}
    assert {name for name in names if not name.startswith("_")} == set(methods(getattr(xr_dip, accessor)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_of_methods_are_those_of_the_functions(name):
    function, filled_in = FUNCTIONS[name]
    expected = inspect.signature(function)
    kept = [parameter for key, parameter in expected.parameters.items() if key not in filled_in]
    signature = inspect.signature(getattr(xr_dip.DipDataset, name))
    assert list(signature.parameters.values())[1:] == kept
    assert signature.return_annotation == expected.return_annotation


@pytest.mark.parametrize(("accessor", "name"), METHODS)
def test_help_tells_of_every_argument_in_its_order(accessor, name):
    method = getattr(getattr(xr_dip, accessor), name)
    documented = [
        part for entry in entries(split(method.__doc__).get("Parameters", "")) for part in entry.name.split(", ")
    ]
    assert sorted(documented) == sorted(key for key in inspect.signature(method).parameters if key != "self")
    assert len(documented) == len(set(documented))


def test_help_says_what_the_function_says():
    own, whole = (split(part.__doc__) for part in (xr_dip.DipArray.downscale, downscaling.downscale))
    assert own["Returns"].strip() == whole["Returns"].strip()
    assert own["Raises"].strip() == whole["Raises"].strip()
    assert own["Examples"] != whole["Examples"]


def test_a_method_without_a_docstring_stays_so():
    def method(self):
        pass

    assert documented_as(downscaling.downscale)(method).__doc__ is None
