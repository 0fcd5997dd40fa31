"""What the fits of one time hand on to those of the next, so that these need not begin from nothing.

Explicit state: whoever estimates a series, one time after the other, holds a `Relay` and gives it to each call. Weights
alone are handed on: covariance, fronts and standard error are of each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Label = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Baton:
    """What the fits of a window leave.

    Attributes
    ----------
    stamp : int
        Time stamp of the first time of the chain: the networks, but for what they learn, are those of that time.
    learned : tuple of xr_dip.fitting.fit.Learned or None
        Of each member; None where it has yet to begin.

    Examples
    --------
    >>> Baton(stamp=0, learned=(None, None)).learned
    (None, None)
    """

    stamp: int
    learned: tuple[Any, ...]


class Relay:
    """Carries the batons of a chain of times, one for each window of the domain.

    A relay is changed by each estimate that it is given to. A new one begins a new chain.

    Examples
    --------
    >>> import xr_dip
    >>> from xr_dip.downscaling import downscale
    >>> days = xr_dip.synthetic.gulf_stream((24, 36), times=2).ssh.coarsen(latitude=4, longitude=4).mean()
    >>> relay, options = Relay(), {"members": 2, "preset": "fast", "progress": False}
    >>> [int(downscale(day, 4, relay=relay, **options).iterations) for day in days]
    [95, 10]
    """

    def __init__(self) -> None:
        self._batons: dict[Label, Baton] = {}

    def take(self, label: Label) -> Baton | None:
        """Return what the last time has left for a window; None at the head of a chain."""
        return self._batons.get(label)

    def hand_on(self, label: Label, baton: Baton) -> None:
        """Leave something for the next time."""
        self._batons[label] = baton
