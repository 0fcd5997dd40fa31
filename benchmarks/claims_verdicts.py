"""What each experiment of the claims page says, in one sentence with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cases import Record, number
from tables import millimetres

from xr_dip.twin.published import NOT_SEEN, NOT_TESTED, SEEN, STATEMENTS

if TYPE_CHECKING:
    from claims_plan import Plan


def best_of_many(sizes: Sequence[Record], plan: Plan) -> list[Record]:
    """Return claim d of the largest ensemble, on its small window; none where records do not know its best member."""
    known = [record for record in sizes if "best" in record]
    if not known:
        return []
    most = max(known, key=lambda record: int(str(record["what"])))
    mean, best = number(most, "rmse"), number(most, "best")
    count, words = most["what"], " and ".join(f"{millimetres(value)} mm" for value in (mean, best))
    rows, columns = (end - start for start, end in (plan.small.rows, plan.small.columns))
    judged = {
        "what": "d",
        "method": f"quick, {count} fits, {rows} x {columns} cells, x{plan.small_factor}",
        "verdict": SEEN if mean < best else NOT_SEEN,
        "evidence": f"RMSE of the mean of {count} and of the best member: {words}",
        "value": mean / best,
    }
    return [{**most, **judged}]


def together(judged: Sequence[Record]) -> str:
    """Say of each claim in how many of its trials it was seen."""
    counts = []
    for letter in STATEMENTS:
        found = [record["verdict"] for record in judged if record["what"] == letter and record["verdict"] != NOT_TESTED]
        if found:
            counts.append(f"({letter}) {found.count(SEEN)} of {len(found)}")
    return _sentence(f"trials in which each claim was seen: {', '.join(counts)}" if counts else "")


def _sentence(*parts: str) -> str:
    """Join what there is to say; empty where there is nothing."""
    known = [part for part in parts if part]
    return f"**Verdict:** {'; '.join(known)}." if known else ""


def _values(found: Sequence[Record], letter: str) -> list[float]:
    """Return the numbers behind the verdicts on one claim, one for each field that tried it."""
    return [number(record, "value") for record in found if record["what"] == letter and record["verdict"] != NOT_TESTED]


def _list(values: Sequence[float], form: Callable[[float], str] = "{:.2f}".format) -> str:
    return ", ".join(form(value) for value in values)


def _share(value: float, of: float) -> str:
    """Write by how much a number is below or above another."""
    change = 100 * (value / of - 1)
    return f"{abs(change):.0f} % {'less' if change < 0 else 'more'}"


def _by_factor(found: Sequence[Record]) -> str:
    exact, robust, large = (_values(found, letter) for letter in "abc")
    return _sentence(
        "at factor 1 the published method misses the fields, in the order of the table, by "
        f"{_list(exact, millimetres)} mm, bicubic interpolation by nothing"
        if exact
        else "",
        f"noise adds {_list(robust, millimetres)} mm less to its RMSE than to that of bicubic interpolation"
        if robust
        else "",
        f"from factor 16 on it has at most {_list(large)} of the RMSE of bicubic interpolation" if large else "",
    )


def _sections(found: Sequence[Record]) -> str:
    scores: dict[int, dict[str, float]] = {}
    for record in found:
        scores.setdefault(int(number(record, "factor")), {})[str(record["what"])] = number(record, "rmse")
    return _sentence(
        *(
            f"at x{factor} the RMSE along the row is {millimetres(score['dip'])} mm, that of bicubic interpolation "
            f"{millimetres(score['bicubic'])} mm"
            for factor, score in sorted(scores.items())
            if len(score) == 2
        )
    )


def _days(found: Sequence[Record]) -> str:
    scores: dict[str, dict[str, float]] = {}
    for record in found:
        scores.setdefault(str(record["field"]), {})[str(record["what"])] = number(record, "rmse")
    ratios = [score["dip"] / score["bicubic"] for score in scores.values() if len(score) == 2]
    better = sum(ratio < 1 for ratio in ratios)
    return _sentence(
        f"the published method is better on {better} of {len(ratios)}, with {min(ratios):.2f} to {max(ratios):.2f} of "
        "the RMSE of bicubic interpolation"
    )


def _ensembles(found: Sequence[Record]) -> str:
    means, latents, spreads, fronts = (_values(found, letter) for letter in "defg")
    return _sentence(
        f"the mean has {_list(means)} of the RMSE of the best member, which nobody knows without a truth"
        if means
        else "",
        f"latents spread by {_list(latents)} of what members do" if latents else "",
        f"the spread of members and the absolute error have a correlation of {_list(spreads)}" if spreads else "",
        f"errors on the steepest tenth of the cells are {_list(fronts)} times those elsewhere" if fronts else "",
    )


def _sizes(found: Sequence[Record]) -> str:
    scores = {int(str(record["what"])): number(record, "rmse") for record in found}
    most, lowest = max(scores), min(scores, key=lambda size: scores[size])
    last = scores[most]
    more = f"the mean of {most} has an RMSE of {millimetres(last)} mm, {_share(last, scores[1])} than a single fit"
    enough = f"that of {lowest} is as good" if lowest < most else ""
    if "best" not in found[-1]:
        return _sentence(more, enough)
    best = number(found[-1], "best")
    blind = "but nothing in the coarse field tells which one it is" if best < last else "so no choice beats the mean"
    picked = f"the best of the {most} has {millimetres(best)} mm, {_share(best, last)} than their mean, {blind}"
    return _sentence(more, enough, picked)


def _losses(found: Sequence[Record]) -> str:
    ends = {str(record["what"]): record for record in found}
    if not {"mse", "charbonnier"} <= set(ends):
        return ""
    gains = {name: number(ends["charbonnier"], name) - number(ends["mse"], name) for name in ("psnr", "ssim")}
    return _sentence(
        f"Charbonnier changes the PSNR by {gains['psnr']:+.2f} dB, where +0.83 dB was published, and the SSIM by "
        f"{gains['ssim']:+.4f}, in one fit of each"
    )


def _enforcement(found: Sequence[Record]) -> str:
    plain = [record for record in found if record["what"] == "none"]
    forms = [record for record in found if record["what"] != "none"]
    if not plain or not forms:
        return ""
    rmse, missed = number(plain[0], "rmse"), number(plain[0], "conservation_error")
    changes = [100 * (number(record, "rmse") / rmse - 1) for record in forms]
    left = max(number(record, "conservation_error") for record in forms)
    return _sentence(
        f"enforcement brings the largest error of a block mean from {millimetres(missed)} mm to {left:.0e} m "
        f"and changes the RMSE by {min(changes):+.3f} % to {max(changes):+.3f} %"
    )


def _impedance(found: Sequence[Record]) -> str:
    losses = {str(record["what"]): number(record, "loss") for record in found}
    if not {"field", "noise"} <= set(losses):
        return ""
    return _sentence(
        f"the same steps leave {losses['field']:.4f} of the variance of the field and {losses['noise']:.2f} of that of "
        "noise"
    )


def _recurrence(found: Sequence[Record]) -> str:
    errors = {str(record["what"]).partition(": ")[0]: number(record, "error") for record in found}
    if not {"internal", "external"} <= set(errors):
        return ""
    within, beyond = errors["internal"], errors["external"]
    other = next(str(record["what"]) for record in found if str(record["what"]).startswith("external"))
    return _sentence(
        f"the nearest patch differs by {millimetres(within)} mm within {found[0]['field']} and by "
        f"{millimetres(beyond)} mm in {other.partition(': ')[2]}, the external field: {beyond / within:.1f} "
        "times as much"
    )


VERDICTS: dict[str, Callable[[Sequence[Record]], str]] = {
    "by_factor": _by_factor,
    "sections": _sections,
    "days": _days,
    "ensembles": _ensembles,
    "sizes": _sizes,
    "losses": _losses,
    "enforcement": _enforcement,
    "impedance": _impedance,
    "recurrence": _recurrence,
}
"""By the parts of the page."""
