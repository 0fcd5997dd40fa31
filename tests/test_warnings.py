"""Every warning of ours says what to do about it."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "xr_dip"
WHAT_TO_DO = re.compile(
    r"\b(take|leave|pass|ask for|check|correct|drop|use|name|set|load|give|choose|install)\b", re.IGNORECASE
)


def text_of(node):
    """Constant parts of a string, formatted or not, and of what it calls; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "…" for part in node.values)
    return None


def warnings_of(path):
    """Messages of the calls of `warnings.warn` with our class, and of `_warn`, which does that."""
    for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        ours = name == "warnings.warn" and any(ast.unparse(part) == "DipWarning" for part in call.args)
        if ours or name == "_warn":
            yield text_of(call.args[0])


def messages():
    found = {str(path.relative_to(PACKAGE)): list(warnings_of(path)) for path in sorted(PACKAGE.rglob("*.py"))}
    return {path: texts for path, texts in found.items() if texts}


def test_every_message_says_what_to_do():
    written = [(path, text) for path, texts in messages().items() for text in texts if is_written_here(text)]
    assert [entry for entry in written if not WHAT_TO_DO.search(entry[1])] == []
    assert len(written) >= 13


def is_written_here(text):
    """Not a message that is handed on from elsewhere, nor one whose end is (`land._advice`, which has a test)."""
    return text is not None and not text.startswith("…") and not text.endswith(" …")
