"""How a result was made: the configuration as JSON, its hash, and the lines of the history."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from xr_dip._version import __version__

COST = re.compile(r"; ([0-9.]+) s on (.+)$")


def configuration_json(configuration: Mapping[str, object]) -> str:
    """JSON of a configuration, the same text for equal configurations.

    Parameters
    ----------
    configuration : mapping
        Plain values, NumPy scalars and arrays, dataclasses, and mappings or sequences of them.

    Returns
    -------
    str
        Keys sorted, no line break.

    Raises
    ------
    ValueError
        If a value cannot be written: no such type in JSON, or not finite.

    Examples
    --------
    >>> configuration_json({"seed": 0, "factor": (5, 5)})
    '{"factor": [5, 5], "seed": 0}'
    """
    for key, value in configuration.items():
        try:
            json.dumps(value, default=_plain, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(
                f"Invalid configuration {key!r}: {value!r}. It must be made of finite numbers, texts, None, lists, "
                "mappings with text keys and dataclasses of these."
            ) from None
    return json.dumps(dict(configuration), sort_keys=True, default=_plain, allow_nan=False)


def _plain(value: object) -> object:
    """Values that JSON does not know, in its own types."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"Invalid value {value!r}. It must be plain.")


def configuration_hash(configuration: Mapping[str, object]) -> str:
    """SHA-256 of the JSON of a configuration: equal for equal runs.

    Parameters
    ----------
    configuration : mapping
        As for `configuration_json`.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> configuration_hash({"seed": 0, "members": 10}) == configuration_hash({"members": 10, "seed": 0})
    True
    """
    return hashlib.sha256(configuration_json(configuration).encode()).hexdigest()


def attribute_text(attrs: Mapping[Any, object], key: str) -> str:
    r"""Read an attribute as a text.

    Parameters
    ----------
    attrs : mapping
    key : str

    Returns
    -------
    str
        A line for each entry of an array; empty if there is none.

    Examples
    --------
    >>> attribute_text({"history": ["made", "changed"]}, "history"), attribute_text({}, "history")
    ('made\nchanged', '')
    """
    value = attrs.get(key)
    return "\n".join(str(part) for part in np.ravel(np.asarray("" if value is None else value)))


def history_line(call: str, earlier: str = "", *, when: datetime.datetime | None = None) -> str:
    """History attribute with a new first line: UTC time, version, call.

    Parameters
    ----------
    call : str
        What was done.
    earlier : str
        History of the input.
    when : datetime, optional
        With a time zone; now, unless given.

    Returns
    -------
    str
        The most recent line first.

    Examples
    --------
    >>> when = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    >>> history_line("downscale(ssh)", "2025-12-01: created", when=when).splitlines()
    ['2026-01-02T03:04:05Z xr_dip ...: downscale(ssh)', '2025-12-01: created']
    """
    moment = when or datetime.datetime.now(datetime.UTC)
    line = f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} xr_dip {__version__}: {call}"
    return "\n".join(filter(None, (line, earlier.strip())))


def note_cost(history: str, seconds: float, device: str) -> str:
    """Say in the newest line of a history what it took.

    The history is where it belongs: it tells when, so it differs from run to run in any case, and everything else of a
    result is the same bits.

    Parameters
    ----------
    history : str
        Of `history_line`.
    seconds : float
        Wall time.
    device : str
        What it ran on.

    Returns
    -------
    str

    See Also
    --------
    read_cost : the way back.

    Examples
    --------
    >>> print(note_cost("2026-01-02T03:04:05Z xr_dip: downscaled", 12.34, "cpu"))
    2026-01-02T03:04:05Z xr_dip: downscaled; 12.3 s on cpu
    """
    newest, line_break, earlier = history.partition("\n")
    return f"{newest}; {seconds:.1f} s on {device}{line_break}{earlier}"


def read_cost(line: str) -> tuple[float, str] | None:
    """Read from a line of a history what it took.

    Parameters
    ----------
    line : str

    Returns
    -------
    (float, str) or None
        Seconds and device; None where the line does not tell.

    Examples
    --------
    >>> read_cost("2026-01-02T03:04:05Z xr_dip: downscaled; 12.3 s on cpu")
    (12.3, 'cpu')
    """
    found = COST.search(line)
    return (float(found[1]), found[2]) if found else None


def source_line(method: str, source: str = "") -> str:
    """Source attribute: how the data were made, and from what.

    Parameters
    ----------
    method : str
    source : str
        Source attribute of the input.

    Returns
    -------
    str

    Examples
    --------
    >>> source_line("conservative spline", "MOI GLO12")
    'xr_dip ..., conservative spline; input: MOI GLO12'
    """
    made = f"xr_dip {__version__}, {method}"
    return f"{made}; input: {source}" if source else made
