"""Estimate each tile of each time and join them: one task per tile, one per joined part, none that holds a domain.

The coarse slice of a time, small as it is, goes to all its tiles; what is fine is never larger than a tile until the
result is put together. Lazy fields make tasks of dask; of fields in memory some rows of tiles are held at a time. Both
are the same functions, and give the same bits.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.delayed import Delayed, delayed

from xr_dip.blocks import FloatArray
from xr_dip.errors import DipWarning
from xr_dip.joining import Sums, join, total
from xr_dip.pieces import Blank, Piece, finish
from xr_dip.sea import GAP
from xr_dip.slices import Output, time_stamps
from xr_dip.threads import cores, one_blas_thread
from xr_dip.tiling import Tiling

# Of dask only some functions have types.
dask_array: Any = importlib.import_module("dask.array")

Lazy = Any
Arrays = dict[str, Lazy]


class TileFunction(Protocol):
    """What estimates the tiles of a field."""

    @property
    def tiling(self) -> Tiling:
        """How the domain is divided."""
        ...

    def check(self, values: FloatArray) -> None:
        """Refuse values (ny, nx) of the whole domain that cannot be used."""
        ...

    def piece(self, values: FloatArray, stamp: int, number: int) -> Piece | Blank:
        """Estimate a tile from the values (ny, nx) of the whole domain."""
        ...


def apply_to_tiles(
    function: TileFunction, da: xr.DataArray, horizontal: tuple[str, str], outputs: Mapping[str, Output]
) -> dict[str, xr.Variable]:
    """Apply a function to each tile of each horizontal slice, and join what it makes of them.

    Parameters
    ----------
    function : TileFunction
    da : DataArray
        With the two horizontal dimensions anywhere among its own.
    horizontal : (str, str)
        Names of the y and the x dimension.
    outputs : mapping of str to Output
        Fields on the fine or the coarse grid, members, and scalars.

    Returns
    -------
    dict of str to Variable
        Leading dimensions in the order of `da`, then those of each output. Lazy where `da` is, in chunks that are the
        cores of the tiles.
    """
    leading = [dim for dim in da.dims if dim not in horizontal]
    ordered = da.transpose(*leading, *horizontal)
    stamps = time_stamps(ordered, leading).values
    work = _Work(function, outputs, may_miss=stamps.size > 1)
    results = np.empty(stamps.shape, dtype=object)
    if ordered.chunks is None:
        values = np.asarray(ordered.values)
        for index in np.ndindex(stamps.shape):
            results[index] = _solve_now(work, values[index], int(stamps[index]))
        stack: Any = np.stack
    else:
        slices = ordered.data.rechunk((1,) * len(leading) + (-1, -1)).to_delayed().reshape(stamps.shape)
        shared = delayed(work, pure=False)
        for index in np.ndindex(stamps.shape):
            results[index] = _solve_lazily(work, shared, slices[index], int(stamps[index]))
        stack = dask_array.stack
    arrays = {name: _stack(results, name, stack) for name in outputs}
    return {name: xr.Variable((*leading, *outputs[name].dims), array) for name, array in arrays.items()}


@dataclass(frozen=True, eq=False)
class _Work:
    """The tasks of one time."""

    function: TileFunction
    outputs: Mapping[str, Output]
    may_miss: bool

    def piece(self, values: npt.NDArray[Any], stamp: int, number: int) -> Piece | Blank:
        """Estimate a tile. A gap in a series stays a gap; a single empty field is refused."""
        field = np.asarray(values, dtype=np.float64).reshape(values.shape[-2:])
        if self.may_miss and np.isnan(field).all():
            warnings.warn(
                "A time without any value: its estimate is missing, too. To leave such times out, drop them first.",
                DipWarning,
                stacklevel=2,
            )
            tiling = self.function.tiling
            shape = [size * times for size, times in zip(tiling[number].shape, tiling.factor, strict=True)]
            return Blank(np.full(shape, GAP, dtype=np.int8))
        self.function.check(field)
        with one_blas_thread():
            return self.function.piece(field, stamp, number)

    def patch(
        self, number: int, around: Mapping[int, Piece | Blank]
    ) -> tuple[dict[str, npt.NDArray[Any]], Sums, Mapping[str, float]]:
        """Return what is written of the core of a tile, what it adds to the diagnostics, and those of the tile.

        Nothing else looks at pieces, so that each goes when the patches around it are made.
        """
        tiling = self.function.tiling
        joined, sums = join(tiling[number], tiling, around)
        if isinstance(joined, Blank):
            core = [
                chunks[place] for chunks, place in zip(tiling.chunks, divmod(number, len(tiling.columns)), strict=True)
            ]
            return self._blank(joined, (core[0], core[1])), sums, {}
        own = around[number]
        return finish(joined, tiling.factor), sums, {} if isinstance(own, Blank) else dict(own.scalars)

    def _blank(self, blank: Blank, core: tuple[int, int]) -> dict[str, npt.NDArray[Any]]:
        """Return what is written where no tile has a value."""
        found = {}
        for name, output in self.outputs.items():
            if output.dims:
                shape = blank.flags.shape if self.is_fine(output) else core
                found[name] = np.full((*output.sizes[:-2], *shape), output.missing, dtype=output.dtype)
        return found | {"flag": blank.flags}

    def empty(self) -> dict[str, npt.NDArray[Any]]:
        """Return the fields of a time, to be filled."""
        outputs = self.outputs.items()
        return {name: np.empty(output.sizes, dtype=output.dtype) for name, output in outputs if output.dims}

    def place(self, fields: Mapping[str, npt.NDArray[Any]], whole: Mapping[str, npt.NDArray[Any]], number: int) -> None:
        """Put the core of a tile where it belongs."""
        tiling = self.function.tiling
        core = tiling[number].rows.core, tiling[number].columns.core
        for name, array in whole.items():
            fy, fx = tiling.factor if self.is_fine(self.outputs[name]) else (1, 1)
            (top, bottom), (left, right) = core
            array[..., top * fy : bottom * fy, left * fx : right * fx] = fields[name]

    def is_fine(self, output: Output) -> bool:
        """Whether an output is on the fine grid."""
        return output.dims[-2:] == self.outputs["mean"].dims


def _totals(scalars: Sequence[Mapping[str, float]], sums: Sequence[Sums]) -> dict[str, npt.NDArray[np.float64]]:
    return {name: np.asarray(number) for name, number in total(scalars, sums).items()}


def _solve_now(work: _Work, values: npt.NDArray[Any], stamp: int) -> dict[str, npt.NDArray[Any]]:
    """Return the results of one time, row by row of tiles: pieces of four rows are held at most."""
    tiling, found = work.function.tiling, work.empty()
    columns, rows = len(tiling.columns), len(tiling.rows)
    pieces: dict[int, Future[Piece | Blank]] = {}
    scalars: list[Mapping[str, float]] = []
    sums: list[Sums] = []
    with ThreadPoolExecutor(cores(), thread_name_prefix="xr_dip") as pool:
        try:
            for row in range(rows):
                for number in range(len(scalars), min(row + 3, rows) * columns):
                    if number not in pieces:
                        pieces[number] = pool.submit(work.piece, values, stamp, number)
                ready = {number: piece.result() for number, piece in pieces.items() if number < (row + 2) * columns}
                for number in range(row * columns, (row + 1) * columns):
                    fields, part, numbers = work.patch(number, ready)
                    work.place(fields, found, number)
                    sums.append(part)
                    scalars.append(numbers)
                for number in range((row - 1) * columns, row * columns):
                    pieces.pop(number, None)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found | _totals(scalars, sums)


def _solve_lazily(work: _Work, shared: Delayed, values: Delayed, stamp: int) -> Arrays:
    """Return lazy results of one time."""
    tiling = work.function.tiling
    pieces = [shared.piece(values, stamp, tile.number, pure=False) for tile in tiling]
    patches = []
    for tile in tiling:
        around = {other.number: pieces[other.number] for other, _, _ in tiling.neighbours(tile)}
        patches.append(shared.patch(tile.number, around, pure=False))
    totals = delayed(_totals, pure=False)([patch[2] for patch in patches], [patch[1] for patch in patches])
    fields = [patch[0] for patch in patches]
    found = {}
    for name, output in work.outputs.items():
        if output.dims:
            found[name] = _assemble([field[name] for field in fields], tiling, output, fine=work.is_fine(output))
        else:
            found[name] = dask_array.from_delayed(totals[name], (), dtype=output.dtype)
    return found


def _assemble(parts: Sequence[Delayed], tiling: Tiling, output: Output, *, fine: bool) -> Lazy:
    """Put the cores of all tiles beside one another."""
    factor = tiling.factor if fine else (1, 1)
    (heights, widths), leading = tiling.chunks, output.sizes[:-2]
    blocks = [
        [
            dask_array.from_delayed(
                parts[row * len(widths) + column],
                (*leading, height * factor[0], width * factor[1]),
                dtype=output.dtype,
            )
            for column, width in enumerate(widths)
        ]
        for row, height in enumerate(heights)
    ]
    return dask_array.block(blocks)


def _stack(results: npt.NDArray[Any], name: str, stack: Any) -> Any:
    """Join the results of all times along the leading dimensions."""
    if results.ndim == 0:
        return results[()][name]
    parts = (results[index : index + 1].reshape(results.shape[1:]) for index in range(len(results)))
    return stack([_stack(part, name, stack) for part in parts])
