"""An archive as one Zarr store in icechunk: a day is there with all its values, or not at all."""

from __future__ import annotations

import datetime
import importlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from xr_dip.archive.days import Day
from xr_dip.archive.store import Store

BRANCH = "main"
# A folder that only icechunk makes.
MARK = "refs"
UNTOUCHED = datetime.timedelta(days=1)
"""Chunks of no transaction are left by a killed run if they are older; younger ones may be of one that is writing."""
# On a file system it warns of parallel transactions each time that a store is opened; here there are none.
LOGS = "warn,icechunk::storage=error"


@dataclass(frozen=True)
class Transactions(Store):
    """A Zarr store of one transaction per day.

    Attributes
    ----------
    path, dim, name, suffix, labels
        As of `xr_dip.archive.store.Store`.
    """

    # On a file system two transactions at one time may undo each other.
    shared = False

    def exists(self) -> bool:
        """Whether there is a store with a first transaction: a run killed before it leaves nothing to keep."""
        return is_icechunk(self.path) and len(list(self._repository().ancestry(branch=BRANCH))) > 1

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Give what xarray reads from: the last transaction."""
        yield self._repository().readonly_session(BRANCH).store

    @contextmanager
    def writing(self, message: str) -> Iterator[Any]:
        """Give what xarray writes to; it counts from the end on, if there is no error."""
        icechunk = importlib.import_module("icechunk")
        nearest = next(place for place in (self.path, *self.path.absolute().parents) if place.exists())
        if not os.access(nearest, os.W_OK):  # icechunk would panic, which nothing catches
            raise PermissionError(f"'{nearest}' does not allow writing")
        try:
            session = self._repository().writable_session(BRANCH)
            yield session.store
            session.commit(message)
        except icechunk.ConflictError as error:
            raise OSError(f"another run has written to the store since ({error}); let one run write to it") from error
        except icechunk.IcechunkError as error:
            raise OSError(str(error)) from error

    def begin(self, template: xr.Dataset, days: Collection[Day], pending: Collection[Day]) -> Store:
        """Make the store if it is not there, and remove what a killed run left."""
        begun = super().begin(template, days, pending)
        self._repository().garbage_collect(datetime.datetime.now(datetime.UTC) - UNTOUCHED)
        return begun

    def _create(self, whole: xr.Dataset) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing("no day yet") as store:
            whole.to_zarr(store, mode="w", compute=False, consolidated=False, zarr_format=3)

    def _repository(self) -> Any:
        icechunk = importlib.import_module("icechunk")
        icechunk.set_logs_filter(LOGS)
        return icechunk.Repository.open_or_create(icechunk.local_filesystem_storage(str(self.path)))


def is_icechunk(path: Path) -> bool:
    """Whether a folder holds a store of icechunk.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Examples
    --------
    >>> is_icechunk(Path("absent.zarr"))
    False
    """
    return (path / MARK).is_dir()
