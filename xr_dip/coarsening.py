"""A truth made coarse: block means of its sea cells, or samples through a kernel, as the downscaling undoes them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.checks import check_name
from xr_dip.geometry.axis import branch, rewrap, unwrap
from xr_dip.inputs import FactorLike, Periodic, check_periodic, parse_factor
from xr_dip.observation import BLOCK_MEAN, kernel_from
from xr_dip.observing.kernel import ObservationKernel
from xr_dip.sampled_fields import sample_field
from xr_dip.verification.statistics import check_not_negative, match

Boundary = Literal["exact", "trim", "pad"]
Windows = Mapping[Hashable, int]
FloatArray = npt.NDArray[np.float64]

STALE = (
    "cell_measures",
    "ancillary_variables",
    "bounds",
    "valid_min",
    "valid_max",
    "valid_range",
    "actual_range",
)
"""Attributes that no longer hold for block means."""


def coarsen(
    truth: xr.DataArray,
    factor: FactorLike,
    *,
    weights: str | xr.DataArray = "equal",
    boundary: Boundary = "exact",
    min_sea: float = 0.0,
    operator: str = BLOCK_MEAN,
    operator_options: Mapping[str, Any] | None = None,
    periodic: Periodic = "auto",
    x_dim: str | None = None,
    y_dim: str | None = None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Block means of the sea cells of a fine field: sum(w x) / sum(w) over the cells of a block that are not NaN.

    With another operator, what each block sees of the sea through a kernel, see `xr_dip.observing.sampling`.

    Parameters
    ----------
    truth : DataArray
        Fine field with latitude and longitude, 1-D or 2-D; NaN on land; further dimensions are kept. Lazy in, lazy out.
    factor : int, (int, int) or mapping
        Fine cells per coarse cell: for both axes, along y and x, or by dimension.
    weights : {"equal", "area"} or DataArray
        Weights of the fine cells: all 1 as ``coarsen().mean()`` takes them, ellipsoidal cell areas, or given on the
        fine grid.
    boundary : {"exact", "trim", "pad"}
        Where the factor does not divide a size: refuse, drop the last cells, or complete the last block with missing
        cells, coordinates extrapolated.
    min_sea : float
        Least share of sea cells in a block, between 0 and 1, for the block to have a value; one cell at least.
    operator : {"block_mean", "lanczos2", "lanczos3", "gaussian", "bicubic", "fir"}
        As of `xr_dip.downscale`, which takes the result with the same operator and options.
    operator_options : mapping, optional
        Such as ``{"width": 0.4}``, see `xr_dip.observing.kernels`.
    periodic : {"auto", True, False}
        Whether a kernel sees the first column beside the last: "auto" tells by the longitudes. Never where columns are
        trimmed or padded.
    x_dim, y_dim : str, optional
        Names of the horizontal dimensions, where they cannot be found.

    Returns
    -------
    coarse : DataArray
        Block means, or samples, float64, in the unit of the truth, with block means of the coordinates. Coordinates on
        the horizontal dimensions other than latitude, longitude and the dimensions' own are dropped.
    fine : DataArray
        The truth that belongs to it, trimmed or padded: exactly `factor` times the coarse size.

    Raises
    ------
    ValueError
        If no horizontal coordinates are found, or factor, weights, boundary, min_sea, operator or an option are wrong.

    References
    ----------
    P_w(x) = P(w x) / P(w) of Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super
    resolution, section 2.

    Examples
    --------
    >>> axes = {"lat": [10.0, 11.0], "lon": [0.0, 1.0, 2.0, 3.0]}
    >>> truth = xr.DataArray([[0.0, 1.0, 2.0, np.nan], [2.0, 5.0, 4.0, np.nan]], axes, ("lat", "lon"))
    >>> coarse, fine = coarsen(truth, 2)
    >>> coarse.values, coarse.lon.values
    (array([[2., 3.]]), array([0.5, 2.5]))
    """
    check_name("boundary", boundary, ["exact", "trim", "pad"])
    if not 0.0 <= min_sea <= 1.0:
        raise ValueError(f"Invalid min_sea {min_sea!r}. It must be a share between 0 and 1.")
    horizontal = find_horizontal(truth, x_dim=x_dim, y_dim=y_dim)
    factors = parse_factor(factor, horizontal)
    kernel = kernel_from(operator, operator_options, factors, (horizontal.y_dim, horizontal.x_dim))
    windows: Windows = dict(zip((horizontal.y_dim, horizontal.x_dim), factors, strict=True))
    longitude = None if horizontal.longitude is None else horizontal.longitude_name
    middle = None if horizontal.longitude is None else branch(horizontal.longitude.values)
    weight = _fit(fine_weights(truth, weights, horizontal), windows, boundary)
    fine = _fit(_unwrap(_keep_positions(truth, horizontal), longitude), windows, boundary)
    coarse = _block_means(fine, weight, windows, min_sea)
    if kernel is not None:
        around = check_periodic(periodic, horizontal.grid) and fine.sizes[horizontal.x_dim] == horizontal.grid.shape[1]
        coarse = _samples(fine, weight, kernel, around).where(coarse.notnull())
    coarse = coarse.assign_coords(_block_positions(fine, windows))
    coarse.attrs = _attributes(truth) if kernel is None else _attributes_of_samples(truth, operator)
    return _rewrap(coarse.rename(truth.name), longitude, middle), _rewrap(fine, longitude, middle)


def fine_weights(truth: xr.DataArray, weights: str | xr.DataArray, horizontal: Horizontal) -> xr.DataArray:
    """Weights of the fine cells on their horizontal dimensions, as `coarsen` takes them.

    Parameters
    ----------
    truth : DataArray
    weights : {"equal", "area"} or DataArray
    horizontal : Horizontal
        Of the truth.

    Returns
    -------
    DataArray, dimensions (y, x)
        Without coordinates, in memory unless given lazily.

    Raises
    ------
    ValueError
        If weights are of an unknown name, of other dimensions or sizes, or negative.

    Examples
    --------
    >>> truth = xr.DataArray(np.zeros((2, 2)), {"lat": [59.0, 61.0], "lon": [0.0, 2.0]}, ("lat", "lon"))
    >>> area = fine_weights(truth, "area", find_horizontal(truth))
    >>> bool(area[0, 0] > area[1, 0])
    True
    """
    dims = (horizontal.y_dim, horizontal.x_dim)
    if isinstance(weights, xr.DataArray):
        if set(weights.dims) != set(dims):
            raise ValueError(f"Invalid weights with dimensions {weights.dims}. They must have the dimensions {dims}.")
        check_not_negative(weights, "weights")
        return match(weights, truth, "weights").transpose(*dims)
    check_name("weights", weights, ["equal", "area"])
    area = horizontal.grid.area() if weights == "area" else np.ones(horizontal.grid.shape)
    return xr.DataArray(area, dims=dims)


def _block_means(fine: xr.DataArray, weight: xr.DataArray, windows: Windows, min_sea: float) -> xr.DataArray:
    """Weighted means over blocks, in the dimension order of the field, without coordinates along the blocks."""
    values = fine.astype(np.float64).drop_vars(_coordinates_along(fine, windows))
    sea = values.notnull() & (weight > 0)
    counted = sea * weight.fillna(0.0)
    total = counted.coarsen(windows).sum()
    known = (total > 0) & (sea.astype(np.float64).coarsen(windows).mean() >= min_sea)
    return (values.fillna(0.0) * counted).coarsen(windows).sum() / total.where(known)


def _samples(fine: xr.DataArray, weight: xr.DataArray, kernel: ObservationKernel, periodic: bool) -> xr.DataArray:
    """Return what the blocks see through a kernel, without coordinates along the blocks."""
    y_dim, x_dim = weight.dims
    values = fine.astype(np.float64).drop_vars(_coordinates_along(fine, weight.dims))
    return sample_field(values, weight.fillna(0.0), kernel, (y_dim, x_dim), periodic=periodic)


def _block_positions(fine: xr.DataArray, windows: Windows) -> dict[Hashable, xr.Variable]:
    """Block means of the coordinates; they must not jump, see `_unwrap`."""
    positions: dict[Hashable, xr.Variable] = {}
    for name in _coordinates_along(fine, windows):
        coord = fine.coords[name].variable.to_base_variable()
        along = {dim: window for dim, window in windows.items() if dim in coord.dims}
        positions[name] = coord.astype(np.float64).coarsen(along, np.mean)
        positions[name].attrs = {key: value for key, value in coord.attrs.items() if key not in STALE}
    return positions


def _coordinates_along(field: xr.DataArray, dims: Collection[Hashable]) -> list[Hashable]:
    return [name for name, coord in field.coords.items() if not set(dims).isdisjoint(coord.dims)]


def _keep_positions(truth: xr.DataArray, horizontal: Horizontal) -> xr.DataArray:
    """Drop what is known of single fine cells, but for where they are."""
    dims = {horizontal.y_dim, horizontal.x_dim}
    lines = {line.name for line in horizontal.lines}
    positions = dims | lines | {horizontal.latitude_name, horizontal.longitude_name}
    return truth.drop_vars([name for name in _coordinates_along(truth, dims) if name not in positions])


def _fit(field: xr.DataArray, windows: Windows, boundary: Boundary) -> xr.DataArray:
    """Bring the sizes to multiples of the windows."""
    for dim, window in windows.items():
        size = field.sizes[dim]
        excess = size % window
        if excess and boundary == "exact":
            raise ValueError(
                f"Invalid factor {window} along '{dim}'. It must divide the size {size}, "
                "unless boundary is 'trim' or 'pad'."
            )
        if boundary == "trim" and size < window:
            raise ValueError(f"Invalid factor {window} along '{dim}'. It must not be above the size {size}.")
        if excess:
            field = field.isel({dim: slice(size - excess)}) if boundary == "trim" else _pad(field, dim, window - excess)
    return field


def _pad(field: xr.DataArray, dim: Hashable, count: int) -> xr.DataArray:
    """Append missing cells, their coordinates extrapolated from the last two cells."""
    if field.sizes[dim] < 2:
        raise ValueError(f"Invalid boundary 'pad' along '{dim}' of size 1. Its coordinates cannot be extrapolated.")
    names = _coordinates_along(field, [dim])
    coords: dict[Hashable, xr.Variable] = {}
    for name in names:
        coord = field.coords[name].variable.to_base_variable()
        axis = coord.get_axis_num(dim)
        before, last = (coord.values.take([index], axis) for index in (-2, -1))
        beyond = [last + (last - before) * step for step in range(1, count + 1)]
        coords[name] = xr.Variable(coord.dims, np.concatenate([coord.values, *beyond], axis), coord.attrs)
    return field.drop_vars(names).pad({dim: (0, count)}).assign_coords(coords)


def _unwrap(field: xr.DataArray, longitude: Hashable | None) -> xr.DataArray:
    """Let the longitude run on beyond 180 or 360 degrees, so that means and differences of neighbours hold."""
    if longitude is None:
        return field
    values = np.asarray(field.coords[longitude].values, dtype=np.float64)
    for axis in range(values.ndim):
        values = unwrap(values, axis)
    return _replace(field, longitude, values)


def _rewrap(field: xr.DataArray, longitude: Hashable | None, middle: float | None) -> xr.DataArray:
    if longitude is None:
        return field
    return _replace(field, longitude, rewrap(np.asarray(field.coords[longitude].values, dtype=np.float64), middle))


def _replace(field: xr.DataArray, name: Hashable, values: FloatArray) -> xr.DataArray:
    """Set the values of a coordinate; values that are the same keep their dtype and every digit."""
    coord = field.coords[name]
    if np.array_equal(coord.values, values):
        return field
    return field.assign_coords({name: (coord.dims, values, coord.attrs)})


def _attributes(truth: xr.DataArray) -> dict[str, object]:
    """Those of the truth that still hold, with the mean over the area among the cell methods."""
    attrs: dict[str, object] = {str(key): value for key, value in truth.attrs.items() if key not in STALE}
    methods = str(attrs.get("cell_methods", ""))
    if "area: mean" not in methods:
        attrs["cell_methods"] = f"{methods} area: mean".strip()
    return attrs


def _attributes_of_samples(truth: xr.DataArray, operator: str) -> dict[str, object]:
    """Those of the truth that still hold; CF has no cell method for a mean through a kernel."""
    attrs: dict[str, object] = {str(key): value for key, value in truth.attrs.items() if key not in STALE}
    methods = str(attrs.pop("cell_methods", "")).replace("area: mean", "").strip()
    if methods:
        attrs["cell_methods"] = methods
    # No comment: a fine field made of the coarse one would take it over.
    attrs["sampling"] = f"mean over sea through the kernel {operator}"
    return attrs
