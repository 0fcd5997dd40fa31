"""Every public name says what goes in and out, in which shape and unit, and shows it in an example that runs.

Public are the names of docs/api.md and the methods of the accessors; other classes are documented as a whole, their
methods in a line or more each. Every argument has an entry with its type, and so has what is returned. The rule for
what a docstring names as a parameter, a result or an attribute:

- an array or tensor: its own entry says the shape, or that it is as something else, which says so;
- a DataArray, Dataset or Variable, which carries its dimensions with it: the docstring names dimensions or a grid;
- any of them: the docstring names the unit, or of what kind numbers without unit are (bool, flags, shares, indices).
"""

import doctest
import enum
import inspect
import re
import sys

import pytest
from reference import ACCESSORS, entries, methods, public, split

NAMES = public()
CLASSES = {name: value for name, value in NAMES.items() if inspect.isclass(value)}
PLAIN_ARRAY = re.compile(r"\b(arrays?|Tensors?|ndarrays?)\b")
LABELLED = re.compile(r"\b(DataArrays?|Datasets?|Variables?)\b")
# What is as something else is said there: another public name, whose docstring is held to the same rule.
ELSEWHERE = r"\bas (for |of |in )?`|\bresult of `"
SHAPE = re.compile(rf"\bshapes?\b|{ELSEWHERE}", re.IGNORECASE)
DIMENSIONS = re.compile(rf"\bdimensions?\b|\bgrids?\b|\bshapes?\b|{ELSEWHERE}", re.IGNORECASE)
UNIT = re.compile(
    r"\bunits?\b|\bmetres?\b|\bkm\b|\bm2\b|\bdegrees\b|\bradians?\b|\bseconds?\b|\bbytes\b|\bstandardised\b"
    rf"|\bbool\b|\bint(8|32|64)?\b|\bshares?\b|\bindices\b|\bflags?\b|{ELSEWHERE}",
    re.IGNORECASE,
)


def text_of(value):
    return inspect.getdoc(value) or ""


def sections_of(value):
    return split(text_of(value))


def named(value, *headings):
    return [entry for heading in headings for entry in entries(sections_of(value).get(heading, ""))]


def arrays_of(value):
    """Entries that are arrays; an unnamed result has its type in place of its name."""
    given = [(entry, entry.kind) for entry in named(value, "Parameters", "Attributes")]
    returned = [(entry, f"{entry.name} {entry.kind}") for entry in named(value, "Returns", "Yields")]
    return [(entry, kind) for entry, kind in given + returned if PLAIN_ARRAY.search(kind) or LABELLED.search(kind)]


def function_of(value):
    """What is called; for a class, its constructor where it has one of its own."""
    return value.fget if isinstance(value, property) else value


def problems(value):
    """Sentences about what a docstring lacks."""
    text = text_of(value)
    if not text:
        return ["no docstring"]
    return [*without_an_entry(value), *without_a_shape(value), *without_units(value)]


def without_an_entry(value):
    found = []
    function = function_of(value)
    if inspect.isclass(value) and not named(value, "Parameters", "Attributes") and not plain_class(value):
        found.append("neither parameters nor attributes")
    if inspect.isfunction(function):
        arguments = [key for key in inspect.signature(function).parameters if key not in ("self", "cls")]
        known = {part.strip(" *") for entry in named(value, "Parameters") for part in entry.name.split(",")}
        found += [f"no entry for {key}" for key in arguments if key not in known]
        untyped = [entry for entry in named(value, "Parameters") if not entry.kind and not SHAPE.search(entry.text)]
        found += [f"no type of {entry.name}" for entry in untyped]
        returns = function.__annotations__.get("return", "None") not in ("None", None, "NoReturn")
        if returns and not named(value, "Returns", "Yields"):
            found.append("nothing about what is returned")
    return found


def plain_class(value):
    """Whether a class takes nothing of its own: exceptions, flags, protocols (their methods do) and the accessors."""
    if issubclass(value, BaseException | enum.Enum) or getattr(value, "_is_protocol", False):
        return True
    return value.__name__ in ACCESSORS or not inspect.signature(value).parameters


def without_a_shape(value):
    text = text_of(value)
    labelled = [entry for entry, kind in arrays_of(value) if LABELLED.search(kind)]
    plain = [entry for entry, _ in arrays_of(value) if entry not in labelled]
    found = [f"no shape of {entry.name}" for entry in plain if not SHAPE.search(str(entry))]
    return found + ["no dimensions anywhere"] * (bool(labelled) and not DIMENSIONS.search(text))


def without_units(value):
    return ["no units anywhere"] * (bool(arrays_of(value)) and not UNIT.search(text_of(value)))


def examples_that_run(name, value):
    """Examples that `pytest --doctest-modules` finds in the module where the object is defined, less those it skips."""
    module = sys.modules[value.__module__]
    place = f"{module.__name__}.{value.__qualname__}"
    assert value.__module__.startswith("xr_dip"), name
    tests = [test for test in finder(module) if test.name == place]
    return [example for test in tests for example in test.examples if not example.options.get(doctest.SKIP)]


def finder(module):
    if module.__name__ not in FOUND:
        FOUND[module.__name__] = doctest.DocTestFinder(exclude_empty=True).find(module)
    return FOUND[module.__name__]


FOUND = {}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_says_what_goes_in_and_out(name):
    assert problems(NAMES[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_an_example_that_runs(name):
    assert "Examples" in sections_of(NAMES[name])
    assert examples_that_run(name, NAMES[name])


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_of_a_class_has_a_docstring(name):
    assert [key for key, value in methods(CLASSES[name]).items() if callable(value) and not text_of(value)] == []
