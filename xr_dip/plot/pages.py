"""Several maps on one page, those of one kind on one colour scale: a result, a comparison, the members."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import xarray as xr

from xr_dip.canvas import draw_bar, map_aspect, new_panels
from xr_dip.cf.cell_methods import REALIZATION
from xr_dip.cf.dataset import MEMBER
from xr_dip.cf.summary import CONFIGURATION
from xr_dip.downscaling import interpolate
from xr_dip.drawable import check_fields, find_grid, flat
from xr_dip.matching import in_units_of, place_on
from xr_dip.plot.maps import departure, error, height, spread
from xr_dip.plot.scales import date_of, unit_of, usual_size, value_range
from xr_dip.reading import coarse_input, source_name
from xr_dip.times import at_same_times
from xr_dip.verification import difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {"coarse": "coarse input", "mean": "estimate", "truth": "truth"}
LONGEST_ROW = 4
"""Small multiples side by side."""


def overview(
    out: xr.Dataset,
    truth: xr.DataArray | None = None,
    *,
    coarse: xr.DataArray | None = None,
    others: Mapping[str, xr.DataArray] | None = None,
    name: Hashable | None = None,
) -> dict[str, Axes]:
    """Draw a result on one page: the fields in one row, the errors and the standard error in the next.

    Parameters
    ----------
    out : Dataset
        Result of `xr_dip.downscale` for one time.
    truth : DataArray, optional
        With it, errors are drawn too; matched by position and compared in time as `xr_dip.verify` does it.
    coarse : DataArray, optional
        The input, in m, cm or mm, on the coarse cells of the result; by default as the result gives it back, which it
        does unless it was made with weights of the user.
    others : mapping of str to DataArray, optional
        Estimates to compare with, by label; only their errors are drawn, so they need a truth. Matched and compared
        as it is.
    name : str, optional
        What `out` was made from, where it is of several variables.

    Returns
    -------
    dict of str to Axes
        Keys "coarse", "mean", "truth", the labels of the others, "error", "std" and "residual" (the estimate minus
        bicubic interpolation of the coarse field, where there are no others), as far as they are drawn. Heights
        share one colour scale, errors another.

    Raises
    ------
    TypeError
        If the others are no mapping of DataArrays.
    ValueError
        If `out` has no such variable or several times, the truth or one of the others is on another grid or of another
        time, or others are given without a truth or under a label of another panel.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip import downscale, synthetic
    >>> truth = synthetic.gulf_stream((24, 36)).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> axes = overview(downscale(coarse, 4, members=2, preset="fast", progress=False), truth, coarse=coarse)
    >>> list(axes)
    ['coarse', 'mean', 'truth', 'error', 'std', 'residual']
    """
    chosen = source_name(out, name)
    mean, std = _one_map(out[f"{chosen}_mean"]), out.get(f"{chosen}_std")
    known = None if truth is None else _placed(mean, truth)
    if coarse is not None:
        coarse = in_units_of(mean, coarse, "coarse")
    elif CONFIGURATION in out.attrs:
        coarse = coarse_input(out, chosen)
    heights = {key: field for key, field in (("coarse", coarse), ("mean", mean), ("truth", known)) if field is not None}
    errors = _errors(mean, known, others or {})
    residual = None if coarse is None or others else _beyond_bicubic(mean, coarse)
    lower = [*errors, *(["std"] if std is not None else []), *(["residual"] if residual is not None else [])]
    axes = new_panels([list(heights), lower], map_aspect(mean))
    _draw_heights({key: axes[key] for key in heights}, heights, TITLES)
    if known is not None:
        _draw_errors({key: axes[key] for key in errors}, errors, known)
    if std is not None:
        spread(std, ax=axes["std"], title="standard error", bar=False)
        draw_bar([axes["std"]], f"standard error {unit_of(std)}")
    if residual is not None:
        departure(residual, ax=axes["residual"], title="estimate minus bicubic", bar=False)
        draw_bar([axes["residual"]], f"departure {unit_of(mean)}")
    return _outer_labels(axes)


def compare(estimates: Mapping[str, xr.DataArray], truth: xr.DataArray) -> dict[str, Axes]:
    """Draw estimates beside the truth, and their errors below them.

    Parameters
    ----------
    estimates : mapping of str to DataArray
        By label, of one time and one grid, which is that of the truth; in m, cm or mm. They are drawn in the unit of
        the first.
    truth : DataArray
        Matched by position, in m, cm or mm; of the time of the estimates, where it and they have one.

    Returns
    -------
    dict of str to Axes
        The labels, "truth", and for each label "error of <label>". Heights share one colour scale, errors another.

    Raises
    ------
    TypeError
        If the estimates are no mapping of DataArrays.
    ValueError
        If there are no estimates, one has the label "truth", or a field is on another grid or of another time.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip import interpolate, synthetic
    >>> truth = synthetic.gulf_stream((24, 36)).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> list(compare({name: interpolate(coarse, 4, name).ssh_mean for name in ("nearest", "bicubic")}, truth))
    ['nearest', 'bicubic', 'truth', 'error of nearest', 'error of bicubic']
    """
    check_fields(estimates, "estimates")
    if not estimates or "truth" in estimates:
        raise ValueError(f"Invalid estimates {list(estimates)}. They must be one or more, none of them 'truth'.")
    first = _one_map(next(iter(estimates.values())))
    known = _placed(first, truth)
    maps = _all_placed(known, estimates)
    errors = {f"error of {label}": field for label, field in maps.items()}
    heights = {**maps, "truth": known}
    axes = new_panels([list(heights), list(errors)], map_aspect(first))
    _draw_heights({key: axes[key] for key in heights}, heights, {})
    _draw_errors({key: axes[key] for key in errors}, errors, known)
    return _outer_labels(axes)


def members(out: xr.Dataset, *, count: int = 7, name: Hashable | None = None) -> dict[str, Axes]:
    """Draw the estimate and, as small multiples, how far members depart from it.

    What it shows below the coarse cells is plausible, not observed. Each has the block means of the input, unless
    nothing enforced them: with ``noise_std``, and with the constraints "none" and "soft".

    Parameters
    ----------
    out : Dataset
        Result of `xr_dip.downscale` with members, for one time.
    count : int
        Members to draw, the first ones, as far as there are so many.
    name : str, optional
        What `out` was made from, where it is of several variables.

    Returns
    -------
    dict of str to Axes
        Key "mean", then the numbers of the members. The departures share one colour scale.

    Raises
    ------
    ValueError
        If `out` has no members or several times, or count is not positive.
    ImportError
        If matplotlib or cmocean is missing.

    Examples
    --------
    >>> from xr_dip import downscale, synthetic
    >>> coarse = synthetic.gulf_stream((24, 36)).ssh.coarsen(latitude=4, longitude=4).mean()
    >>> list(members(downscale(coarse, 4, members=2, preset="fast", keep_members=True, progress=False)))
    ['mean', '0', '1']
    """
    chosen = source_name(out, name)
    if f"{chosen}_members" not in out:
        raise ValueError(f"Invalid out with {list(out.data_vars)}. It must have members: take keep_members=True.")
    if count < 1:
        raise ValueError(f"Invalid count {count!r}. It must be at least 1.")
    mean, drawn = _one_map(out[f"{chosen}_mean"]), out[f"{chosen}_members"].isel({MEMBER: slice(count)})
    parts = {str(int(member[MEMBER])): _one_map(member) - mean for member in drawn.transpose(MEMBER, ...)}
    names = ["mean", *parts]
    axes = new_panels(_rows(names), map_aspect(mean))
    height(mean, ax=axes["mean"], title="estimate", bar=False)
    largest = usual_size(*parts.values())
    for key, part in parts.items():
        departure(part, ax=axes[key], limit=largest, title=f"member {key} minus estimate", bar=False)
    draw_bar([axes[key] for key in parts], _dated("departure", mean))
    return _outer_labels(axes)


def _rows(names: list[str]) -> list[list[str]]:
    """Names in rows of nearly one length, as few as their largest length allows."""
    count = -(-len(names) // LONGEST_ROW)
    length = -(-len(names) // count)
    return [names[start : start + length] for start in range(0, len(names), length)]


def _draw_heights(axes: Mapping[str, Axes], fields: Mapping[str, xr.DataArray], titles: Mapping[str, str]) -> None:
    limits = value_range(*fields.values())
    for key, field in fields.items():
        height(field, ax=axes[key], limits=limits, title=titles.get(key, key), bar=False)
    draw_bar(list(axes.values()), _dated("height", next(iter(fields.values()))))


def _draw_errors(axes: Mapping[str, Axes], estimates: Mapping[str, xr.DataArray], truth: xr.DataArray) -> None:
    dims = [str(dim) for dim in truth.dims]
    largest = usual_size(*(difference(field, truth, dims=dims) for field in estimates.values()))
    for key, field in estimates.items():
        title = "error of estimate" if key == "error" else f"error of {key.removeprefix('error of ')}"
        error(field, truth, ax=axes[key], limit=largest, title=title, bar=False)
    draw_bar(list(axes.values()), f"error {unit_of(truth)}")


def _errors(
    mean: xr.DataArray, truth: xr.DataArray | None, others: Mapping[str, xr.DataArray]
) -> dict[str, xr.DataArray]:
    """Fields whose errors are drawn: the others, then the estimate."""
    check_fields(others, "others")
    taken = sorted(set(others) & {*TITLES, "error", "std", "residual"})
    if others and (truth is None or taken):
        rule = f"other labels than {taken}" if taken else "a truth, their errors are drawn"
        raise ValueError(f"Invalid others {list(others)}. They must have {rule}.")
    return {} if truth is None else {**_all_placed(truth, others), "error": mean}


def _beyond_bicubic(mean: xr.DataArray, coarse: xr.DataArray) -> xr.DataArray:
    """Estimate minus what bicubic interpolation makes of the same input: what the method added or took away."""
    horizontal = find_grid(coarse)
    field = flat(coarse, horizontal)
    along_y, along_x = (fine // size for fine, size in zip(mean.shape, field.shape, strict=True))
    if (field.shape[0] * along_y, field.shape[1] * along_x) != mean.shape:
        raise ValueError(f"Invalid coarse of {field.shape} cells. It must be the input of a result of {mean.shape}.")
    named = field.rename("coarse").drop_vars(REALIZATION, errors="ignore")
    sea = xr.DataArray(mean.notnull().values, dims=named.dims)
    smooth = interpolate(named, (along_y, along_x), "bicubic", mask=sea)["coarse_mean"]
    return mean - place_on(mean, smooth, find_grid(mean), "coarse").values


def _placed(mean: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Truth on the cells of the estimate, with its coordinates."""
    horizontal = find_grid(mean)
    known = at_same_times(mean, place_on(mean, truth, horizontal), (horizontal.y_dim, horizontal.x_dim))
    return _one_map(known.assign_coords({key: mean[key] for key in mean.coords if key not in known.coords}))


def _all_placed(truth: xr.DataArray, estimates: Mapping[str, xr.DataArray]) -> dict[str, xr.DataArray]:
    """Estimates on the cells of a truth and in its unit, each of its time."""
    placed = {}
    for label, field in estimates.items():
        try:
            placed[label] = _placed(truth, field)
        except ValueError as fault:
            raise ValueError(f"Invalid estimate {label!r}, which is matched as a truth is. {fault}") from fault
    return placed


def _one_map(field: xr.DataArray) -> xr.DataArray:
    return flat(field, find_grid(field))


def _outer_labels(axes: dict[str, Axes]) -> dict[str, Axes]:
    """Label the outer panels only."""
    for panel in axes.values():
        panel.label_outer()
    return axes


def _dated(label: str, field: xr.DataArray) -> str:
    """Text of a colour bar: what, in which unit, and when."""
    return ", ".join(filter(None, (f"{label} {unit_of(field)}".strip(), date_of(field))))
