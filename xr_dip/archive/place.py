"""Where the output of a run goes, and in which form."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from xr_dip.archive.clock import find_clock
from xr_dip.archive.folder import Folder
from xr_dip.archive.shard import Shard
from xr_dip.archive.store import Store
from xr_dip.archive.transactions import Transactions, is_icechunk


@dataclass(frozen=True)
class Place:
    """Where the output of a run goes.

    Attributes
    ----------
    out : Path
    zarr : Path or None
    icechunk : bool or None
    shard : Shard
    """

    out: Path
    zarr: Path | None
    icechunk: bool | None
    shard: Shard

    @property
    def summary(self) -> Path:
        """File of the summary."""
        return self.out / f"summary{self.shard.suffix}.json"

    def output(self, template: xr.Dataset, variable: str) -> Folder | Store:
        """Choose the form of the output."""
        if self.zarr is None:
            if self.icechunk is not None:
                raise ValueError(f"Invalid icechunk {self.icechunk} without zarr. It must be None: files are no store.")
            return Folder(self.out, variable)
        clock = find_clock(template[f"{variable}_mean"])
        kind = Transactions if self._is_icechunk(self.zarr) else Store
        return kind(self.zarr, clock.dim, clock.name, self.shard.suffix)

    def _is_icechunk(self, path: Path) -> bool:
        there = is_icechunk(path)
        if self.icechunk is not None and path.exists() and there != self.icechunk:
            form = "of icechunk" if there else "a plain one"
            raise FileExistsError(f"Invalid icechunk {self.icechunk} for '{path}'. That store is {form}.")
        whole = self.shard.count == 1
        if (self.icechunk or there) and not whole:
            raise ValueError(
                "Invalid shard with a store of icechunk. It must be written by one job: take icechunk=False, or files."
            )
        installed = importlib.util.find_spec("icechunk") is not None
        if self.icechunk and not installed:
            raise ValueError("Invalid icechunk True. It must be installed: pip install 'xr-dip[zarr]'.")
        return there or (not path.exists() and whole and installed and self.icechunk is not False)
