"""The days of a field as an animation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from xr_dip.canvas import Limits, find_library
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.drawable import check_field, find_grid, flat
from xr_dip.plot.maps import height
from xr_dip.plot.scales import heading, value_range

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation


def animate(
    field: xr.DataArray, *, dim: str | None = None, limits: Limits | None = None, interval: int = 300
) -> FuncAnimation:
    """Animate the maps of a height along one dimension, on one colour scale.

    Parameters
    ----------
    field : DataArray
        Heights with one dimension besides (y, x), such as the days of ``<name>_mean`` or the members of one day; lazy
        ones are computed map by map, twice if no limits are given.
    dim : str, optional
        That dimension; by default the only one.
    limits : (float, float), optional
        Ends of the colour scale; by default the smallest and the largest value of all maps.
    interval : int
        Milliseconds from one map to the next.

    Returns
    -------
    FuncAnimation
        ``.save("days.gif", writer="pillow")`` writes it, ``.to_jshtml()`` shows it in a notebook. Keep it in a variable
        until then.

    Raises
    ------
    TypeError
        If the field is no DataArray.
    ValueError
        If there is no such dimension, or are further ones.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from xr_dip.synthetic import gulf_stream
    >>> animation = animate(gulf_stream((8, 12), times=2).ssh)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animation.save(Path(folder) / "days.gif", writer="pillow")
    ...     (Path(folder) / "days.gif").stat().st_size > 0
    True
    """
    check_field(field)
    along = _choose(field, dim)
    frames = [field.isel({along: index}) for index in range(field.sizes[along])]
    ranges = [value_range(frame) for frame in frames] if limits is None else [limits]
    ends = min(low for low, _ in ranges), max(high for _, high in ranges)
    axes = height(frames[0], limits=ends)
    cells = axes.collections[0]

    def show(index: int) -> list[object]:
        frame = frames[index]
        cells.set_array(flat(frame, find_grid(frame)).values)
        axes.set_title(heading(frame), fontsize="medium")
        return [cells]

    library = find_library("matplotlib.animation")
    animation: FuncAnimation = library.FuncAnimation(axes.figure, show, frames=len(frames), interval=interval)
    return animation


def _choose(field: xr.DataArray, dim: str | None) -> str:
    horizontal = find_horizontal(field)
    free = [str(key) for key in field.dims if key not in (horizontal.y_dim, horizontal.x_dim)]
    chosen = free[0] if dim is None and len(free) == 1 else dim
    if chosen not in free:
        raise ValueError(f"Invalid dim {dim!r}. It must be the one of {free} to animate along.")
    return chosen
