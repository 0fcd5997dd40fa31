"""What is written about the package agrees with the package."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from reference import sections

import xr_dip

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("module", ["xr_dip", "xr_dip.verification", "xr_dip.twin", "xr_dip.generators"])
def test_every_public_name_is_in_the_reference(module):
    callables = {name for name in import_module(module).__all__ if callable(getattr(import_module(module), name))}
    assert callables <= sections()[module]


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


def test_the_citation_and_the_changelog_are_of_this_version():
    assert f"\nversion: {xr_dip.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == xr_dip.__version__
