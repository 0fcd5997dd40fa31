"""What is written about the package agrees with the package."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from reference import constants, sections

import xr_dip

ROOT = Path(__file__).parent.parent


# Packages that say what is public of them.
PUBLIC = [
    "xr_dip",
    "xr_dip.analysis",
    "xr_dip.generators",
    "xr_dip.plot",
    "xr_dip.report",
    "xr_dip.twin",
    "xr_dip.twin.plot",
    "xr_dip.verification",
]


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module):
    values = {name: getattr(import_module(module), name) for name in import_module(module).__all__}
    modules = {name for name, value in values.items() if isinstance(value, ModuleType)}
    callables = {name for name, value in values.items() if callable(value)}
    assert callables <= sections()[module]
    assert values.keys() - callables - modules <= constants().get(module, set())


@pytest.mark.parametrize("module", constants())
def test_the_constants_of_the_reference_are_there(module):
    assert all(hasattr(import_module(module), name) for name in constants()[module])


@pytest.mark.parametrize("module", sections())
def test_the_reference_lists_what_there_is(module):
    assert all(hasattr(import_module(module), name) for name in sections()[module])


@pytest.mark.parametrize(
    ("module", "table"),
    [
        ("xr_dip.presets", "PRESETS"),
        ("xr_dip.fitting.losses", "LOSSES"),
        ("xr_dip.fitting.penalties", "PENALTIES"),
        ("xr_dip.constraints", "CONSTRAINTS"),
        ("xr_dip.generators", "GENERATORS"),
    ],
)
def test_every_part_of_a_table_is_in_the_reference(module, table):
    parts = getattr(import_module(module), table).values()
    assert {part.__name__ for part in parts} <= sections()[module]
    assert table in constants()[module]


def test_equations_are_named_alike_in_the_theory_and_in_the_code():
    # Labels, as numbers would change with every equation that is added.
    theory = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
    labels = re.findall(r"^:label: (\w+)$", theory, re.MULTILINE)
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "xr_dip").rglob("*.py"))]
    named = {label for source in sources for label in re.findall(r":eq:`(\w+)`", source)}
    assert len(labels) == len(set(labels))
    assert named == set(labels)


def test_the_citation_and_the_changelog_are_of_this_version():
    assert f"\nversion: {xr_dip.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == xr_dip.__version__
