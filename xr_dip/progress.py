"""A progress bar that suits notebooks, terminals and logs."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import TqdmWarning


def import_quietly(name: str) -> Any:
    """Import a module that uses tqdm without what tqdm says in a notebook without widgets: it falls back to text.

    Parameters
    ----------
    name : str

    Returns
    -------
    module

    Examples
    --------
    >>> import_quietly("tqdm.auto").__name__
    'tqdm.auto'
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        return importlib.import_module(name)


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
    tqdm = import_quietly("tqdm.auto").tqdm
    with tqdm(total=total, desc="deep image prior", unit="fit") as bar:
        yield bar.update
