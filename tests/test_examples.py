"""Every example is a story that runs: it has its place in the gallery, a title, a first and a last word."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NOT_A_PAGE = {"demo"}  # `make demo` runs it, and it writes files.
STORIES = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem not in NOT_A_PAGE)
LONGEST = 120.0
"""Processor seconds: a minute on two processors, which no story needs in full."""


@pytest.fixture
def order(monkeypatch):
    """Module of the documentation that knows the order."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    return importlib.import_module("gallery_order")


def cells(story):
    """Parts of a script as sphinx-gallery and editors see them: the heading, then what follows each `# %%`."""
    return re.split(r"^# %%.*\n", (EXAMPLES / f"{story}.py").read_text(encoding="utf-8"), flags=re.MULTILINE)


def prose(cell):
    """Lines of a comment at the beginning of a cell, without its marks."""
    lines = []
    for line in cell.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines


def test_the_gallery_shows_every_example_once(order):
    assert sorted(order.STORIES) == STORIES


def test_examples_are_sorted_by_name_and_by_path(order):
    key = order.StoryOrder("examples")
    assert sorted(["globe.py", "coast.py", "/any/first_field.py"], key=key) == [
        "/any/first_field.py",
        "coast.py",
        "globe.py",
    ]


def test_an_example_without_a_place_is_an_error(order):
    with pytest.raises(
        ValueError, match=r"Invalid example 'new\.py'. It must have a place in STORIES of gallery_order"
    ):
        order.StoryOrder("examples")("new.py")


@pytest.mark.parametrize("story", STORIES)
def test_a_story_has_a_title_and_says_why(story):
    title, line, *rest = (ast.get_docstring(ast.parse(cells(story)[0])) or "\n").splitlines()
    assert title
    assert line == "=" * len(title)
    assert len(" ".join(rest).split()) >= 30


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_told_in_cells_and_ends_with_a_remark(story):
    _, *rest = cells(story)
    assert len(rest) >= 3
    assert all(prose(cell) for cell in rest), "every cell begins with prose"
    assert len(" ".join(prose(rest[-1])).split()) >= 20
    assert len(prose(rest[-1])) == len(rest[-1].strip().splitlines()), "the last cell is prose only"


@pytest.mark.parametrize("story", STORIES)
def test_headings_are_underlined_in_full(story):
    for cell in cells(story)[1:]:
        lines = prose(cell)
        for heading, line in pairwise(lines):
            if re.fullmatch("-{3,}", line):
                assert len(line) == len(heading), heading


@pytest.mark.parametrize("story", STORIES)
def test_a_story_becomes_a_notebook(story, tmp_path):
    """As the gallery offers it: prose first and last, code that is code."""
    notebooks = pytest.importorskip("sphinx_gallery.notebook")
    shutil.copy(EXAMPLES / f"{story}.py", tmp_path)
    notebooks.python_to_jupyter_cli([str(tmp_path / f"{story}.py")], sphinx_gallery_conf={"pypandoc": False})
    cells = json.loads((tmp_path / f"{story}.ipynb").read_text(encoding="utf-8"))["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    assert kinds[0] == kinds[-1] == "markdown"
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 3
    assert all(ast.parse(part).body for part in code)


@pytest.mark.slow
@pytest.mark.samples
@pytest.mark.parametrize("story", STORIES)
def test_a_story_runs_without_a_warning_in_a_minute_on_two_processors(story, tmp_path):
    resource = pytest.importorskip("resource")  # of Unix
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    place = {**os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{story}.py")]
    done = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert done.stdout
    assert not list(tmp_path.iterdir()), "a story leaves nothing behind"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < LONGEST
