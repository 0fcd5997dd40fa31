"""The public names, as docs/api.md lists them, and what their numpydoc docstrings say."""

import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
REFERENCE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)
ACCESSORS = ("DipArray", "DipDataset")


@dataclass(frozen=True)
class Entry:
    """One entry of Parameters, Returns or Attributes: ``name : kind`` and the text below."""

    name: str
    kind: str
    text: str

    def __str__(self):
        return f"{self.name} : {self.kind}\n{self.text}"


def sections():
    """Names that the reference lists, by module."""
    parts = re.split(r"^\.\. currentmodule:: (\S+)$", REFERENCE, flags=re.MULTILINE)[1:]
    return {
        module: set(re.findall(r"^   (\w+)$", text, re.MULTILINE))
        for module, text in zip(*[iter(parts)] * 2, strict=True)
    }


def constants():
    """Names of constants that the reference describes, by module."""
    parts = re.split(r"^\.\. currentmodule:: (\S+)$", REFERENCE, flags=re.MULTILINE)[1:]
    found = {
        module: set(re.findall(r"^\.\. py:data:: (\w+)\n\n   \S+ \S+", text, re.MULTILINE))
        for module, text in zip(*[iter(parts)] * 2, strict=True)
    }
    return {module: names for module, names in found.items() if names}


def public():
    """Objects by their full names: all that the reference lists, and the methods of the accessors."""
    places = [(import_module(module), name) for module, names in sections().items() for name in names]
    found = {f"{module.__name__}.{name}": getattr(module, name) for module, name in places}
    for accessor in ACCESSORS:
        found |= {f"xr_dip.{accessor}.{name}": method for name, method in methods(found[f"xr_dip.{accessor}"]).items()}
    return dict(sorted(found.items()))


def methods(kind):
    """Public methods and properties that a class defines itself."""
    return {name: value for name, value in vars(kind).items() if not name.startswith("_") and hasattr(value, "__doc__")}


def split(text):
    """Sections of a docstring by their headings; what is above the first is ''."""
    parts = HEADING.split(inspect.cleandoc(text))
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(text):
    """Entries of a section."""
    found = []
    for line in text.strip("\n").splitlines():
        if line[:1].strip():
            name, _, kind = line.partition(" : ")
            found.append([name, kind, ""])
        elif found:
            found[-1][2] += f"{line.strip()} "
    return [Entry(*parts) for parts in found]
