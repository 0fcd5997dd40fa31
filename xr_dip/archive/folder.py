"""An archive as a folder of NetCDF files, one per day: a file that is there is a day that is done."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from xr_dip.archive.configuration import read_configuration, refuse_another
from xr_dip.archive.days import Day
from xr_dip.archive.job import Job
from xr_dip.cf.netcdf import remove_leftovers, write_netcdf


@dataclass(frozen=True)
class Folder:
    """Files ``<variable>_<day>.nc``.

    Attributes
    ----------
    path : Path
    variable : str
    """

    path: Path
    variable: str
    # Files are independent: whoever computes a day writes it.
    shared = True

    def file(self, label: str) -> Path:
        """Path of a day."""
        return self.path / f"{self.variable}_{label}.nc"

    def finished(self, job: Job, days: Collection[Day]) -> set[str]:
        """List the labels of the days that are there.

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
            If a file in the folder is of another configuration, or of something else.
        """
        labels = {day.label for day in days}
        found = set()
        for path in sorted(self.path.glob(f"{self.variable}_????-??-??*.nc")):
            refuse_another(path, _configuration(path), job.configuration)
            found.add(path.stem.removeprefix(f"{self.variable}_"))
        return found & labels

    def begin(self, template: xr.Dataset, days: Collection[Day], pending: Collection[Day]) -> Folder:
        """Make the folder and remove what a killed run left of the days to come."""
        self.path.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.path, {self.file(day.label).name for day in pending})
        return self

    def write(self, label: str, result: xr.Dataset) -> None:
        """Write a day."""
        write_netcdf(result, self.file(label), overwrite=True)


def _configuration(path: Path) -> dict[str, object]:
    """Read the configuration of a file without the cost of opening it with xarray."""
    netcdf = importlib.import_module("netCDF4")
    try:
        with netcdf.Dataset(path) as file:
            attributes = {name: file.getncattr(name) for name in file.ncattrs()}
    except OSError as error:
        raise FileExistsError(
            f"Invalid output '{path}'. It must be a day of an archive, but cannot be read: {error}. Delete it, and the "
            "day is done again, or move it if it is something else."
        ) from error
    return read_configuration(attributes, path)
