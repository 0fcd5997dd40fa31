"""When a fit ends: rules that look at the history of the loss and of the raw misfit.

A rule is asked every few iterations with what has happened so far and answers why the fit should stop, or nothing. The
number of iterations is a bound for every rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

StopRule = Callable[[Sequence[float], Sequence[float]], str | None]


def fixed(losses: Sequence[float], misfits: Sequence[float]) -> str | None:
    """Never stop early: run the number of iterations asked for.

    Parameters
    ----------
    losses, misfits : sequence of float

    Returns
    -------
    None

    Examples
    --------
    >>> fixed([1.0], [1.0]) is None
    True
    """
    return None


def make_plateau(window: int = 100, tolerance: float = 0.01) -> StopRule:
    """Stop when the best loss of the last `window` iterations is not better than the best before by `tolerance`.

    Parameters
    ----------
    window : int
        Iterations compared.
    tolerance : float
        Relative improvement below which the loss counts as flat.

    Returns
    -------
    StopRule

    Examples
    --------
    >>> rule = make_plateau(window=2, tolerance=0.1)
    >>> rule([1.0, 1.0, 1.0, 1.0], []), rule([8.0, 4.0, 2.0, 1.0], [])
    ('plateau', None)
    """

    def plateau(losses: Sequence[float], misfits: Sequence[float]) -> str | None:
        if len(losses) <= window:
            return None
        before, lately = min(losses[:-window]), min(losses[-window:])
        return "plateau" if lately > (1 - tolerance) * before else None

    return plateau


def make_discrepancy(noise: float) -> StopRule:
    """Stop when the root mean square misfit has come down to the noise (Morozov's principle).

    Equation :eq:`discrepancy` of the theory page.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise, in the units of the misfit (the standardised field). Where it differs between
        values, which then weigh by one over its square, the root of the harmonic mean of its squares.

    Returns
    -------
    StopRule

    Examples
    --------
    >>> rule = make_discrepancy(0.1)
    >>> rule([], [0.5, 0.2]), rule([], [0.2, 0.09])
    (None, 'discrepancy')
    """

    def discrepancy(losses: Sequence[float], misfits: Sequence[float]) -> str | None:
        return "discrepancy" if misfits and misfits[-1] <= noise else None

    return discrepancy


STOPPING = ("fixed", "plateau", "discrepancy")
