"""What is installed where: pyproject.toml, the constraints, the conda recipe and the sdist agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import xr_dip

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS = PROJECT["optional-dependencies"]
RECIPE = yaml.safe_load((ROOT / "conda-recipe" / "recipe.yaml").read_text(encoding="utf-8"))
# What conda calls them; the names of conda are of its own making.
CONDA = {
    "torch": ["pytorch"],
    "dask": ["dask-core", "distributed"],
    "matplotlib": ["matplotlib-base"],
    "cf-xarray": ["cf_xarray"],
}
USERS = ("plot", "cartopy", "verify", "zarr")  # extras for users; the others are for work on the package


def requirements(texts):
    """By name; those of the package itself, in extras made of extras, left out."""
    found = [Requirement(text) for text in texts]
    return {canonicalize_name(need.name): need for need in found if need.name != "xr-dip"}


def pins(name):
    """Versions of a file of constraints, by name."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert len({canonicalize_name(package) for package, _ in pairs}) == len(pairs)
    return {canonicalize_name(package): Version(version) for package, version in pairs}


def lower_bound(need):
    [bound] = [Version(part.version) for part in need.specifier if part.operator == ">="]
    return bound


NEEDED = requirements(PROJECT["dependencies"])
EVERY = NEEDED | requirements(text for extra in EXTRAS.values() for text in extra)
TRIED_OLDEST = NEEDED | requirements(text for extra in (*USERS, "test") for text in EXTRAS[extra])


@pytest.mark.parametrize("name", EVERY)
def test_the_tested_versions_are_among_those_allowed(name):
    assert pins("constraints.txt")[name] in EVERY[name].specifier


@pytest.mark.parametrize("name", TRIED_OLDEST)
def test_the_oldest_versions_are_the_lower_bounds(name):
    pinned, bound = pins("constraints-oldest.txt")[name], lower_bound(TRIED_OLDEST[name])
    assert pinned in TRIED_OLDEST[name].specifier
    assert pinned.release[: len(bound.release)] == bound.release
    assert not any(pinned.release[len(bound.release) :])  # the first version of the bound


def conda_requirements(texts):
    """Bounds by name, as ``{'>=0.10', '<1'}``."""
    return {name: set(bounds.split(",")) for name, bounds in (text.split(" ", 1) for text in texts)}


@pytest.mark.parametrize(
    ("section", "needs"),
    [
        ("run", PROJECT["dependencies"]),
        ("run_constraints", [text for extra in USERS for text in EXTRAS[extra]]),
    ],
)
def test_the_conda_recipe_asks_for_the_same(section, needs):
    found = conda_requirements(RECIPE["requirements"][section])
    expected = {
        conda: {str(part) for part in need.specifier}
        for name, need in requirements(needs).items()
        for conda in CONDA.get(name, [name])
    }
    found.pop("python", None)
    assert found == expected


def test_the_conda_recipe_is_of_this_version_python_and_licence():
    assert RECIPE["context"]["version"] == xr_dip.__version__
    assert f">={RECIPE['context']['python_min']}" == PROJECT["requires-python"]
    assert RECIPE["about"]["license"] == PROJECT["license"]
    assert RECIPE["about"]["summary"] == PROJECT["description"]
    entries = [f"{name} = {place}" for name, place in PROJECT["scripts"].items()]
    assert RECIPE["build"]["python"]["entry_points"] == entries
    assert [
        f"{need.name} {','.join(sorted(map(str, need.specifier), reverse=True))}"
        for need in map(Requirement, SETTINGS["build-system"]["requires"])
    ] == RECIPE["requirements"]["host"][2:]


def test_every_classifier_of_python_is_one_that_is_allowed():
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert min(named, key=Version) == PROJECT["requires-python"].removeprefix(">=")
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert (ROOT / "xr_dip" / "py.typed").exists()


def test_the_sdist_includes_what_there_is():
    included = SETTINGS["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert [name for name in included if not (ROOT / name).exists()] == []
