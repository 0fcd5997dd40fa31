"""The sections of the page, each from the result to HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import xarray as xr

from xr_dip import plot
from xr_dip.cf.dataset import MEMBER
from xr_dip.cf.summary import Summary
from xr_dip.drawable import find_grid
from xr_dip.geometry.grid import IndexGrid
from xr_dip.observation import BLOCK_MEAN
from xr_dip.plot.scales import date_of, usual_size, value_range
from xr_dip.reading import block_errors, configuration_of
from xr_dip.report import figures, page
from xr_dip.report.pictures import Picture, draw, draw_field
from xr_dip.report.shown import Shown
from xr_dip.verification import difference

SHOWN_MEMBERS = 3
SHORTEST_LINE = 4
"""Cells along a side that make a spectrum."""
ROUNDING = 1e-5
"""Of the largest value: a larger error of a coarse value is none of rounding."""
CALIBRATED = "It is calibrated on average, not on each field: read it as right within a quarter in two fields of three."
KRIGED = "It is that of kriging with the covariance fitted to the coarse values, and not calibrated."
LEARNED = "A student learned it from the errors on its training days: on days unlike them it may be wrong."


def _summary(shown: Shown) -> str:
    """Write the numbers that matter most, and which time the maps show."""
    sizes = {dim: size for dim, size in shown.result[f"{shown.name}_mean"].sizes.items() if dim not in shown.mean.dims}
    several = [f"{size} entries along {dim}" for dim, size in sizes.items() if size > 1]
    date = f" ({date_of(shown.mean)})" if date_of(shown.mean) else ""
    note = f"The result has {' and '.join(several)}: maps show the first one{date}, numbers are of all." * bool(several)
    return page.tiles(figures.headline(shown.result, shown.name, shown.scores)) + page.paragraphs(note)


def _maps(shown: Shown) -> str:
    """Draw the input, the estimate, the truth, the error and the standard error."""
    means, miss = _coarse_values(shown), "" if _is_met(shown) else ", nearly"
    drawn = {"coarse input": shown.coarse, "estimate": shown.mean, "truth": shown.truth}
    captions = {
        "coarse input": f"The input. {means} of the estimate are these values{miss}.",
        "estimate": "The estimate: below the coarse cells smoother than the sea, as what is not known averages out.",
        "truth": "The truth, which was not used for the estimate.",
    }
    heights = {key: field for key, field in drawn.items() if field is not None}
    limits = value_range(*heights.values())
    pictures = [
        draw_field(
            plot.height, field, caption=captions[key], what=f"the {key.removeprefix('the ')}", limits=limits, title=key
        )
        for key, field in heights.items()
    ]
    return page.gallery([*pictures, *_errors(shown)])


def _spectra(shown: Shown) -> str:
    """Draw power over wavelength."""
    member = None if shown.members is None else shown.members[0]
    fields = {"estimate": shown.mean, "a member": member, "coarse input": shown.coarse, "truth": shown.truth}
    known = {key: field for key, field in fields.items() if field is not None and min(field.shape) >= SHORTEST_LINE}
    located = not isinstance(find_grid(shown.mean).grid, IndexGrid)
    directions = _open_axes(list(known.values())) if located and "estimate" in known else []
    if not directions:
        return page.paragraphs("No spectra: they need positions, and rows or columns in which every cell has a value.")
    along = directions[0]
    caption = (
        "Power over wavelength. Where the estimate falls off, it has less than the sea: what the coarse values do not "
        "determine has averaged out."
    )
    if member is not None:
        caption += " A member keeps that power, in plausible places."
    if along is not None:
        caption += f" Along {along}, over the lines without land."
    if shown.truth is not None:
        caption += " Circles: the shortest wavelength of which half is right."
    words = f"Power spectra of {', '.join(known)} over wavelength."
    truth = "truth" if shown.truth is not None else None
    return page.gallery(
        [
            draw(
                lambda axes: plot.spectra(known, truth=truth, direction=along, ax=axes),
                caption=caption,
                alternative=words,
            )
        ],
        wide=True,
    )


def _members(shown: Shown) -> str:
    """Draw how members depart from the estimate."""
    if shown.members is None:
        fits = "members" in configuration_of(shown.result, shown.name)
        why = "it was made without keep_members=True" if fits else "only fits make them"
        return page.paragraphs(f"The result has no members: {why}.")
    parts = [(member - shown.mean).assign_attrs(shown.mean.attrs) for member in shown.members[:SHOWN_MEMBERS]]
    limit = usual_size(*parts)
    pictures = [
        draw_field(
            plot.departure,
            part,
            caption="What this member has and the estimate has not: plausible, not observed.",
            what=f"member {int(part[MEMBER])} minus the estimate",
            limit=limit,
            title=f"member {int(part[MEMBER])} minus estimate",
        )
        for part in parts
    ]
    return page.gallery(pictures)


def _scores(shown: Shown) -> str:
    """Write the scores against the truth, and draw reliability and ranks."""
    if shown.scores is None or shown.truth is None:
        return ""
    pictures = []
    if shown.std is not None:
        std, mean, truth = shown.std, shown.mean, shown.truth
        pictures.append(
            draw(
                lambda axes: plot.reliability(std, mean, truth, ax=axes),
                caption="Cells in ten groups by their standard error. On the dashed line it is as large as the error; "
                "above it, too small.",
                alternative="Root mean square error over standard error, in ten groups of cells.",
                aspect=0.8,
            )
        )
    if shown.members is not None and shown.members.sizes[MEMBER] > 1:
        drawn, truth = shown.members, shown.truth
        pictures.append(
            draw(
                lambda axes: plot.rank_histogram(drawn, truth, ax=axes),
                caption="Flat if the truth could be one of the members; high at both ends if they are too much alike.",
                alternative="Histogram of the rank of the truth among the members.",
            )
        )
    rows = figures.score_rows(shown.scores)
    return page.gallery(pictures, wide=True) + page.table(
        "Scores against the truth", ("score", "value", "perfect", "meaning"), rows
    )


def _checks(shown: Shown) -> str:
    """Write what the result says of itself, and draw its conservation."""
    rows = figures.diagnostics(shown.result, shown.name)
    content = page.table("What the result says of itself", ("diagnostic", "value", "meaning"), rows)
    if block_errors(shown.day, shown.name) is None:
        return content
    largest = float(abs(block_errors(shown.day, shown.name)).max())  # type: ignore[arg-type]
    fits = "" if block_errors(shown.result, shown.name, "fit_residual") is None else "of the fits and "
    pictures = [
        draw(
            lambda axes: plot.conservation_map(shown.day, shown.name, ax=axes),
            caption=f"{_coarse_values(shown)} of the estimate minus the input. {_about_errors(shown)}",
            alternative=f"Map of the errors of the coarse values, the largest {largest:.1e}.",
            aspect=_aspect(shown),
        ),
        draw(
            lambda axes: plot.conservation(shown.result, shown.name, ax=axes),
            caption=f"The same, as shares of the coarse cells, {fits}of the estimate.",
            alternative=f"Cumulative shares of the errors of coarse values, {fits}of the estimate.",
        ),
    ]
    return content + page.gallery(pictures, wide=True)


def _reading(shown: Shown) -> str:
    """Write how to read the result."""
    advice = {
        "The estimate observes nothing new": "Below the coarse cells it shows what is plausible under the statistics "
        "of the field itself. An eddy that leaves no trace in the coarse values is not in it.",
    }
    if shown.std is not None:
        way = "." if shown.members is None else ": compute such things from each member."
        advice["The standard error"] = (
            f"{_about_spread(shown)} {_trust(shown)} Errors of neighbouring cells are related, so the standard "
            f"error of a gradient or a sum does not follow from the map{way}"
        )
    if shown.members is not None:
        kept = "" if _remark(shown) else "the coarse values of the estimate, and "
        advice["Members are plausible, not observed"] = (
            f"Each has {kept}small scales in places that nothing in the data supports. Use several, for gradients, "
            "extremes, currents and particle tracks."
        )
    advice |= {
        "Conservation": _conservation(shown),
        "Times": "Each time is estimated by itself; no equation of motion is solved.",
    }
    return page.points(advice)


def _provenance(shown: Shown) -> str:
    """Write how and from what the result was made."""
    attributes = shown.result.attrs
    keys = ("source", "history", "institution", "credit", "license", "licence", "references", "Conventions")
    facts = {key: str(attributes[key]) for key in keys if attributes.get(key)}
    facts["variables"] = ", ".join(map(str, shown.result.data_vars))
    digest = attributes.get("xr_dip_configuration_sha256")
    caption = "Every option" + (f"; SHA-256 {digest}" if digest else "")
    return page.points(facts) + page.table(caption, ("option", "value"), figures.options(shown.result, shown.name))


def _errors(shown: Shown) -> list[Picture]:
    """Error, where there is a truth, and standard error."""
    pictures = []
    if shown.truth is not None:
        dims = [str(dim) for dim in shown.mean.dims]
        missed = difference(shown.mean, shown.truth, dims=dims).assign_attrs(shown.mean.attrs)
        pictures.append(
            draw_field(
                plot.departure,
                missed,
                caption="Estimate minus truth. The colours end at the 99.5th percentile.",
                what="the error",
                title="error",
                label="error",
            )
        )
    if shown.std is not None:
        about = _about_spread(shown)
        pictures.append(draw_field(plot.spread, shown.std, caption=about, what="the standard error"))
    return pictures


def _open_axes(fields: list[xr.DataArray]) -> list[Literal["x", "y"] | None]:
    """Kinds of spectra that all fields allow: isotropic ones (None), and along an axis with lines free of land."""
    axes: tuple[tuple[int, Literal["x", "y"]], ...] = ((-1, "x"), (-2, "y"))
    along: list[Literal["x", "y"] | None] = [
        direction
        for axis, direction in axes
        if all(bool(np.isfinite(field.values).all(axis=axis).any()) for field in fields)
    ]
    return along if any(bool(field.isnull().any()) for field in fields) else [None, *along]


def _aspect(shown: Shown) -> float:
    ny, nx = find_grid(shown.mean).grid.shape
    return ny / nx


def _coarse_values(shown: Shown) -> str:
    """Name what the coarse values of the estimate are, to begin a sentence."""
    operator = str(configuration_of(shown.result, shown.name).get("operator", BLOCK_MEAN))
    return "Block means" if operator == BLOCK_MEAN else f"Coarse values (operator {operator})"


def _is_met(shown: Shown) -> bool:
    """Whether the coarse values of the estimate are the input to rounding."""
    errors = block_errors(shown.day, shown.name)
    if errors is None:
        return not _remark(shown)
    return float(abs(errors).max()) <= ROUNDING * float(abs(shown.mean).max())


def _about_errors(shown: Shown) -> str:
    """Say what errors of coarse values are to be expected."""
    return _remark(shown) or ("Noise of rounding." if _is_met(shown) else "Rounding does not explain them.")


def _conservation(shown: Shown) -> str:
    """Say whether the estimate keeps the coarse values, and what follows."""
    means, remark = _coarse_values(shown), _remark(shown)
    if remark:
        return f"{remark} {_size_of_errors(shown)}".strip()
    if not _is_met(shown):
        return f"{means} of the estimate are not those of the input: see the map of their errors."
    members = "" if shown.members is None else " and of every member"
    text = f"{means} of the estimate{members} are the input to rounding, under the weights that were given."
    if shown.std is None:
        return text
    return f"{text} So their standard error is zero: errors of the input itself are not in it."


def _about_spread(shown: Shown) -> str:
    """Say what the map of the standard error shows."""
    configuration = configuration_of(shown.result, shown.name)
    if configuration.get("constraint", "optimal") != "optimal":
        return "How far the members are apart in each fine cell."
    noisy = configuration.get("noise_std") is not None
    given = "the noise of the coarse values included" if noisy else "given that the coarse values are right"
    return f"How far the estimate may be off in each fine cell, {given}."


def _trust(shown: Shown) -> str:
    """Say how far to trust the standard error."""
    configuration = configuration_of(shown.result, shown.name)
    if "student" in configuration:
        return LEARNED
    if "constraint" not in configuration:
        return KRIGED
    if configuration["constraint"] == "optimal":
        return CALIBRATED
    return "" if shown.std is None else str(shown.std.attrs.get("comment", "It is not calibrated."))


def _remark(shown: Shown) -> str:
    """Why nothing enforces the coarse values, as the summary of the result says it; empty where they are enforced."""
    remark = Summary("", configuration_of(shown.result, shown.name)).remark
    return f"{remark[0].upper()}{remark[1:]}." if remark else ""


def _size_of_errors(shown: Shown) -> str:
    """Write by how much coarse values are missed, and of what size their noise was said to be."""
    errors, units = block_errors(shown.day, shown.name), str(shown.mean.attrs.get("units", ""))
    noise = configuration_of(shown.result, shown.name).get("noise_std")
    sentences = []
    if errors is not None:
        root_mean_square = figures.write_number(float((errors**2).mean()) ** 0.5, units)
        sentences.append(f"Those of the estimate miss the input by {root_mean_square}, root mean square.")
    if noise is not None:
        size = str(noise).removeprefix("given on the coarse grid, ").partition(", sha256")[0]  # of a field its range
        sentences.append(f"{f'The noise of the input was said to be {size} {units}'.strip()}.")
    return " ".join(sentences)


SECTIONS: tuple[tuple[str, str, Callable[[Shown], str]], ...] = (
    ("summary", "In short", _summary),
    ("maps", "Maps", _maps),
    ("scores", "Scores", _scores),
    ("spectra", "Spectra", _spectra),
    ("members", "Members", _members),
    ("checks", "Diagnostics", _checks),
    ("reading", "How to read it", _reading),
    ("provenance", "How it was made", _provenance),
)
"""Identifier, heading and content of each section, in their order; one without content is left out."""
