"""A progress bar that suits notebooks, terminals and logs."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import TqdmWarning


@contextmanager
def progress_bar(total: int, *, hidden: bool = False) -> Iterator[Callable[[], object] | None]:
    """Show how many fits are done.

    Parameters
    ----------
    total : int
        Fits to come.
    hidden : bool
        Show nothing.

    Yields
    ------
    callable or None
        To be called after each fit; None if hidden, so that nothing of the bar travels to workers.

    Examples
    --------
    >>> with progress_bar(3, hidden=True) as step:
    ...     step is None
    True
    """
    if hidden:
        yield None
        return
    with warnings.catch_warnings():
        # In a notebook without widgets tqdm falls back to text; no reason to warn whoever imports this package.
        warnings.simplefilter("ignore", TqdmWarning)
        tqdm = importlib.import_module("tqdm.auto").tqdm
    with tqdm(total=total, desc="deep image prior", unit="fit") as bar:
        yield bar.update
