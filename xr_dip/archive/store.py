"""An archive as one Zarr store: a region per day, and a mark that is written after the day's values.

The store is its own manifest. Its attributes hold the configuration, its time axis lists the days, and ``day_status``
tells which are done: chunks that are all missing are not written, so a chunk that is there marks nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from xr_dip.archive.clock import label_of
from xr_dip.archive.configuration import read_configuration, refuse_another
from xr_dip.archive.days import Day
from xr_dip.archive.job import Job
from xr_dip.sea import GAP

STATUS = "day_status"
STATUS_ATTRIBUTES = {
    "long_name": "whether a day is done",
    "standard_name": "status_flag",
    "flag_values": np.array([0, 1], np.int8),
    "flag_meanings": "missing done",
}
# Longest side of a chunk: a map of a basin should not read an ocean.
LARGEST_CHUNK = 1024


@dataclass(frozen=True)
class Store:
    """A plain Zarr store.

    Attributes
    ----------
    path : Path
    dim : str
        Dimension of time.
    name : str
        Its coordinate.
    suffix : str
        Of the shard: each has its own name for what is not complete.
    labels : tuple of str
        The days, in the order of the store; empty before `begin`.
    """

    path: Path
    dim: str
    name: str
    suffix: str = ""
    labels: tuple[str, ...] = ()
    # Days are chunks of their own: whoever computes a day writes it.
    shared = True

    def exists(self) -> bool:
        """Whether the store has been made."""
        return self.path.exists()

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Give what xarray reads from."""
        yield self.path

    @contextmanager
    def writing(self, message: str) -> Iterator[Any]:
        """Give what xarray writes to."""
        yield self.path

    def finished(self, job: Job, days: Collection[Day]) -> set[str]:
        """List the labels of the days that are done.

        Parameters
        ----------
        job : Job
        days : collection of Day
            Those of the whole archive.

        Returns
        -------
        set of str

        Raises
        ------
        FileExistsError
            If the store is of another configuration or of something else, or has no place for a day.
        """
        if not self.exists():
            return set()
        status = self._status(job)
        absent = [day.label for day in days if not day.fault and day.label not in status]
        if absent:
            raise FileExistsError(
                f"Invalid output '{self.path}'. It must have a place for each day, but has none for {len(absent)}, the "
                f"first {absent[0]}: choose another store, or one NetCDF file per day."
            )
        return {label for label, done in status.items() if done}

    def begin(self, template: xr.Dataset, days: Collection[Day], pending: Collection[Day]) -> Store:
        """Make the store if it is not there, and remove what a killed run left of the days to come.

        Parameters
        ----------
        template : Dataset
            Result of any day, lazy.
        days : collection of Day
            Those of the whole archive.
        pending : collection of Day
            Those of this run.

        Returns
        -------
        Store
            That knows its days.
        """
        if not self.exists():
            times = [day.time for day in days if not day.fault]
            self._create(_extended(template, self.dim, self.name, times))
        labels = tuple(self._labels())
        self._clean([labels.index(day.label) for day in pending if not day.fault])
        return replace(self, labels=labels)

    def write(self, label: str, result: xr.Dataset) -> None:
        """Write a day, then its mark."""
        index = self.labels.index(label)
        region = {self.dim: slice(index, index + 1)}
        constant = [name for name, variable in result.variables.items() if self.dim not in variable.dims]
        day = result.drop_vars([*constant, self.name, *_other_dates(result, self.name)]).transpose(self.dim, ...)
        done = xr.Dataset({STATUS: (self.dim, np.ones(1, np.int8))})
        with self.writing(f"day {label}") as store:
            for part in (day, done):
                part.drop_encoding().to_zarr(store, region=region, consolidated=False)

    def _create(self, whole: xr.Dataset) -> None:
        """Make the store under another name, so that no half of one is ever found."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}{self.suffix}.tmp")
        try:
            whole.to_zarr(partial, mode="w", compute=False, consolidated=False, zarr_format=3)
            os.rename(partial, self.path)
        except OSError:
            if not self.exists():  # else another shard was faster
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _clean(self, indices: Sequence[int]) -> None:
        """Remove parts of chunks of days to come; another job may be writing those of other days."""
        for index in indices:
            for pattern in (f"*/c/{index}.*.partial", f"*/c/{index}/**/*.partial"):
                for left in self.path.glob(pattern):
                    left.unlink(missing_ok=True)

    def _status(self, job: Job) -> dict[str, bool]:
        """Read which days are done."""
        with self.reading() as place, _opened(place, self.path) as dataset:
            refuse_another(self.path, read_configuration(dataset.attrs, self.path), job.configuration)
            status = dataset[STATUS].values == 1
            return dict(zip(map(label_of, dataset[self.name].values), map(bool, status), strict=True))

    def _labels(self) -> list[str]:
        with self.reading() as place, _opened(place, self.path) as dataset:
            return [label_of(time) for time in dataset[self.name].values]


@contextmanager
def _opened(place: Any, path: Path) -> Iterator[xr.Dataset]:
    try:
        dataset = xr.open_zarr(place, consolidated=False, chunks=None)
    except (OSError, ValueError, KeyError) as error:
        raise FileExistsError(f"Invalid output '{path}'. It must be a Zarr store of an archive: {error}") from error
    with dataset:
        yield dataset


def _extended(template: xr.Dataset, dim: str, name: str, times: Sequence[Any]) -> xr.Dataset:
    """Extend the result of one day to all days: nothing but the time itself has values."""
    count = len(times)
    constant = template.drop_vars([key for key, entry in template.variables.items() if dim in entry.dims])
    dropped = {name, *_other_dates(template, name)}
    fields = {
        # Time first, so that a day is a folder of its own in every array.
        key: _lazy(entry.transpose(dim, ...), count)
        for key, entry in template.variables.items()
        if dim in entry.dims and key not in dropped
    }
    axis = template[name].variable.copy()
    axis.attrs = {key: text for key, text in axis.attrs.items() if key != "bounds" or text in fields}
    # Counted anew: the unit of the source may be too coarse for what other files hold.
    encoding = {key: axis.encoding[key] for key in ("calendar",) if key in axis.encoding}
    dates = xr.Variable(dim, np.array(times, dtype=axis.dtype), axis.attrs, encoding)
    status = xr.Variable(dim, _zeros((count,), np.dtype(np.int8), (1,)), STATUS_ATTRIBUTES, {"chunks": (1,)})
    whole = constant.assign(fields).assign_coords({name: dates}).assign({STATUS: status})
    return whole.set_coords([key for key in fields if key in template.coords])


def _lazy(entry: xr.Variable, count: int) -> xr.Variable:
    """Return a variable of many days that has a form and no values."""
    shape = (count, *entry.shape[1:])
    chunks = (1, *(min(size, LARGEST_CHUNK) for size in shape[1:]))
    kept = {key: entry.encoding[key] for key in ("units", "calendar", "grid_mapping") if key in entry.encoding}
    encoding: dict[str, Any] = {**kept, "chunks": chunks}
    if entry.dtype.kind == "f":
        encoding |= {"_FillValue": entry.encoding.get("_FillValue"), "fill_value": np.nan}
    elif "flag_masks" in entry.attrs:
        encoding["fill_value"] = int(GAP)
    return xr.Variable(entry.dims, _zeros(shape, entry.dtype, chunks), entry.attrs, encoding)


def _other_dates(dataset: xr.Dataset, name: str) -> list[Any]:
    """Dates of cftime besides the axis: nothing counts them before they are there, so a store cannot hold them."""
    return [key for key, entry in dataset.variables.items() if entry.dtype == object and key != name and entry.ndim]


def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any], chunks: tuple[int, ...]) -> Any:
    """Lazy zeros that take no memory either."""
    flat = xr.Variable([f"dim_{axis}" for axis in range(len(shape))], np.broadcast_to(np.zeros((), dtype), shape))
    return flat.chunk(dict(zip(flat.dims, chunks, strict=True))).data
