"""The table of file families: what the tests expect to be found in each, and what is written for it."""

import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from xr_dip.cf.horizontal import find_horizontal
from xr_dip.cf.refined import fine_coords
from xr_dip.errors import DipWarning

TESTS = Path(__file__).parents[2] / "tests"
SOURCES = (TESTS / "families.py", TESTS / "cf" / "test_families.py")
KINDS = {
    "RectilinearGrid": "rectilinear",
    "CurvilinearGrid": "curvilinear",
    "ProjectedGrid": "projected",
    "IndexGrid": "indices",
}


def table() -> list[str]:
    """Write the lines of a Markdown table, one row for each family that the tests know."""
    sys.path[:0] = [str(path.parent) for path in SOURCES]
    families, expected = (import_module(path.stem) for path in SOURCES)
    lines = ["| file | grid | y and x | latitude and longitude | written for the fine cells |", "|---|---|---|---|---|"]
    for name, make in families.FAMILIES.items():
        kind, dims, positions, _, _ = expected.EXPECTED[name]
        cells = name, KINDS[kind], _code(dims), _code(positions) or "none", _written(make())
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _written(dataset: Any) -> str:
    """Name the coordinates that a result from this file has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # of grids without positions, which the page tells of
        coords = fine_coords(find_horizontal(dataset[dataset.attrs["field"]], dataset=dataset), (2, 2))
    names = [f"`{name}`" for name in coords if not name.endswith("_bnds")]
    bounds = ["bounds"] if len(names) < len(coords) else []
    return ", ".join([*names, *bounds]) or "no coordinates"


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split())


class FamilyTable(SphinxDirective):
    """The directive ``families``."""

    def run(self) -> list[nodes.Node]:
        """Parse the table where the directive stands."""
        for path in SOURCES:
            self.env.note_dependency(str(path))
        parent = nodes.Element()
        self.state.nested_parse(StringList(table(), source="families"), self.content_offset, parent)
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the directive to Sphinx."""
    app.add_directive("families", FamilyTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
