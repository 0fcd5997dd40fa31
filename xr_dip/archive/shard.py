"""A share of the days, for arrays of jobs that know nothing of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of several shares.

    Attributes
    ----------
    number, count : int
        The first is number 1.

    Examples
    --------
    >>> Shard(2, 3).of(["a", "b", "c", "d", "e"])
    ['b', 'e']
    """

    number: int = 1
    count: int = 1

    def of(self, days: Sequence[T]) -> list[T]:
        """Return every `count`-th of the days, so that shares differ by one day at most."""
        return list(days[self.number - 1 :: self.count])

    @property
    def suffix(self) -> str:
        """What tells the summaries of the shares apart."""
        return "" if self.count == 1 else f"_{self.number}_of_{self.count}"


def parse_shard(text: str | None) -> Shard:
    """Read a share.

    Parameters
    ----------
    text : str or None
        ``"2/3"``: the second of three; None is all.

    Returns
    -------
    Shard

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> parse_shard("2/3")
    Shard(number=2, count=3)
    """
    if text is None:
        return Shard()
    found = re.fullmatch(r"(\d+)/(\d+)", text) if isinstance(text, str) else None
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.count:
        raise ValueError(f"Invalid shard {text!r}. It must be 'i/n' with i from 1 to n, such as '1/3'.")
    return shard
