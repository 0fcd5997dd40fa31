"""The real fields that the benchmarks measure: windows of the public samples, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xr_dip import samples, synthetic


@dataclass(frozen=True)
class Field:
    """A window of one sample, the truth of a twin experiment.

    ``rows`` and ``columns`` are the first cell and the one after the last; ``factors`` are those it is meant for, empty
    for all; ``pictured`` is the factor of its picture, 0 for none.
    """

    name: str
    sample: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    day: int = 0
    factors: tuple[int, ...] = ()
    pictured: int = 0


FIELDS = (
    Field("gulf_stream_200907", "gulf_stream_fine", (100, 356), (20, 276), pictured=16),
    Field("gulf_stream_200908", "gulf_stream_fine_200908", (100, 356), (20, 276), pictured=16),
    Field("gulf_stream_201001", "gulf_stream_fine_201001", (100, 356), (20, 276), pictured=16),
    Field("osmosis_200908", "osmosis", (100, 292), (5, 197), pictured=16),
    Field("balearic_sea", "balearic", (50, 210), (60, 320), pictured=16),
    Field("glo12_sargasso", "glo12", (0, 85), (0, 146), pictured=8),
)
"""All sea."""

COASTS = (
    Field("balearic_coast", "balearic", (0, 592), (0, 336), factors=(16,), pictured=16),
    Field("balearic_coast_south", "balearic", (0, 256), (0, 256), factors=(8,)),
    Field("balearic_coast_middle", "balearic", (200, 456), (90, 346), factors=(8,)),
    Field("balearic_coast_north", "balearic", (320, 576), (90, 346), factors=(8,)),
)
"""Sea and land."""

SYNTHETIC = Field("synthetic", "synthetic", (0, 48), (0, 64))
"""Made by formula: needs no file and no network, for trying a benchmark out."""

FEWEST_CELLS = 5
"""Coarse cells along the shorter side below which there is nothing to downscale."""


def open_field(field: Field) -> xr.DataArray:
    """Return the truth: float64 in memory, NaN on land, with latitude and longitude, without time."""
    window = (slice(*field.rows), slice(*field.columns))
    if field.sample == SYNTHETIC.sample:
        return synthetic.gulf_stream((field.rows[1], field.columns[1])).ssh[window].astype(np.float64)
    with samples.open_dataset(field.sample) as dataset:
        # two of the files hold their positions as data variables
        placed = dataset.set_coords([name for name in ("lat", "lon") if name in dataset.data_vars])
        values = placed[samples.describe(field.sample).variable]
        times = [dim for dim in values.dims if "time" in str(dim)]
        values = values.isel(dict.fromkeys(times, field.day)).drop_vars(times, errors="ignore")
        truth = values.isel(dict(zip(values.dims, window, strict=True))).astype(np.float64).load()
    return truth.assign_attrs(units=values.attrs.get("units", "m"))


def select(fields: Sequence[Field], names: Sequence[str] | None) -> list[Field]:
    """Return the fields whose name begins with one of some names; all of them without names."""
    return [field for field in fields if not names or field.name.startswith(tuple(names))]


def check_names(names: Sequence[str] | None, fields: Sequence[Field]) -> None:
    """Refuse a name that begins that of no field.

    Raises
    ------
    ValueError
    """
    for name in names or ():
        if not select(fields, [name]):
            raise ValueError(f"Invalid field {name!r}. It must begin one of {[field.name for field in fields]}.")


def fits(field: Field, factor: int) -> bool:
    """Tell whether a field is meant for a factor and has enough coarse cells at it."""
    cells = min(stop - start for start, stop in (field.rows, field.columns)) // factor
    return cells >= FEWEST_CELLS and (not field.factors or factor in field.factors)
