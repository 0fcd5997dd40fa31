"""Links and names in the documentation lead somewhere, as far as that can be seen without building or network.

`make docs` checks every link of the built pages besides (docs/check_links.py).
"""

import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILT = "generated/"  # pages that a build writes
PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if not {"_build", "generated"} & set(path.parts)
)
CODE = sorted(path for folder in ("xr_dip", "examples") for path in (ROOT / folder).rglob("*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


def prose(path):
    """Text without blocks of code."""
    return re.sub(r"^(```|~~~|:::).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(path):
    return re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(path))


@cache
def anchors(path):
    """Labels, and headings as GitHub and MyST turn them into anchors."""
    text = prose(path)
    headings = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings)
    return {*plain, *re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)}


def lost(path):
    """Links of a page to files or anchors that are not there."""
    found = []
    for link in links(path):
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if place.startswith((BUILT, f"../{BUILT}")):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@cache
def exists(dotted):
    """Whether a dotted name is a module, or something in one."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if part in getattr(value, "__annotations__", {}):
                return True  # a field of a dataclass
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


def no_such(pattern, paths):
    """Names of ours that files use and that do not exist, by file."""
    named = {path: re.findall(pattern, path.read_text(encoding="utf-8")) for path in paths}
    missing = {name_of(path): [name for name in names if not exists(name)] for path, names in named.items()}
    return {path: names for path, names in missing.items() if names}


def test_links_between_pages_lead_somewhere():
    broken = {name_of(path): lost(path) for path in PAGES}
    assert {page: found for page, found in broken.items() if found} == {}


def test_names_in_pages_exist():
    assert no_such(r"\{py:\w+\}`(?:[^`<]*<)?~?(xr_dip[\w.]*)>?`", PAGES) == {}


def test_names_in_docstrings_and_comments_exist():
    assert no_such(r"(?<!`)`~?(xr_dip(?:\.\w+)+)`(?!`)", CODE) == {}


def test_there_is_something_to_check():
    assert sum(len(links(path)) for path in PAGES) > 20
    assert "warm-starts" in anchors(ROOT / "docs" / "guide" / "archive.md")
    assert exists("xr_dip.verification.rmse")
    assert not exists("xr_dip.verification.no_such_score")


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# A heading, here\n\n(label)=\n")
    (tmp_path / "page.md").write_text(
        "# One\n[a](other.md#a-heading-here) [b](other.md#label) [c](#one)\n[d](none.md) [e](other.md#none)"
    )
    assert lost(tmp_path / "page.md") == ["none.md", "other.md#none"]


def test_a_built_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "other.html").write_text("<p id='here'>")
    (tmp_path / "page.html").write_text(
        "<a href='other.html#here'></a><a href='other.html#gone'></a><img src='none.png'><a href='https://a.b/c'></a>"
    )
    checker = [sys.executable, ROOT / "docs" / "check_links.py", tmp_path]
    done = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["page.html: none.png", "page.html: other.html#gone"]
