"""Docstrings of methods that hand over to a function: its sections, said once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])
HEADING = re.compile(r"^(.+)\n-{3,}$", re.MULTILINE)


def documented_as(function: Callable[..., object], *, without: tuple[str, ...] = ()) -> Callable[[F], F]:
    r"""Give a method the parameters, results and errors that the docstring of a function lists.

    Parameters
    ----------
    function : callable
        What the method hands over to, with a numpydoc docstring.
    without : tuple of str
        Parameters that the method fills in.

    Returns
    -------
    callable
        Decorator. Of the method's own docstring it keeps the summary, its own parameters, which come first, and its
        examples.

    Examples
    --------
    >>> def shift(field, by):
    ...     pass
    >>> shift.__doc__ = "\n".join(
    ...     ["Shift a field.", "", "Parameters", "----------", "field : array", "by : int", "    In cells."]
    ... )
    >>> @documented_as(shift, without=("field",))
    ... def method(self, by):
    ...     "Shift this field."
    >>> method.__doc__.splitlines()
    ['Shift this field.', '', 'Parameters', '----------', 'by : int', '    In cells.']
    """

    def decorate(method: F) -> F:
        if method.__doc__ and function.__doc__:  # `python -OO` has none
            method.__doc__ = "\n\n".join(_merged(_sections(method.__doc__), _sections(function.__doc__), without))
        return method

    return decorate


def _sections(docstring: str) -> dict[str, str]:
    """Split a docstring at its headings; what comes first is ''."""
    first, *rest = HEADING.split(inspect.cleandoc(docstring))
    texts = (text.strip("\n") for text in rest[1::2])
    return {"": first.strip(), **dict(zip(rest[::2], texts, strict=True))}


def _merged(own: dict[str, str], other: dict[str, str], without: tuple[str, ...]) -> Iterator[str]:
    yield own[""]
    kept = "\n".join(filter(None, (own.get("Parameters", ""), *_entries(other.get("Parameters", ""), without))))
    sections = {**other, **own, "Parameters": kept}
    order = dict.fromkeys((*other, *own))
    for heading in order:
        if heading not in ("", "References") and sections[heading]:
            yield f"{heading}\n{'-' * len(heading)}\n{sections[heading]}"


def _entries(parameters: str, without: tuple[str, ...]) -> Iterator[str]:
    """Yield the entries of parameters, several names to one perhaps, less the names that are left out."""
    for entry in re.split(r"\n(?=\S)", parameters):
        head, *text = entry.split("\n")
        names, colon, kind = head.partition(" : ")
        kept = ", ".join(name for name in names.split(", ") if name not in without)
        if kept:
            yield "\n".join([f"{kept}{colon}{kind}", *text])
