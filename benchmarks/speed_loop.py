"""Presets beside the published method: seconds of one fit, of a whole ensemble, and how both follow from its steps.

Of each preset one member is run on one core with few steps and with many; the difference is that of the steps. Whole
ensembles of ours are run as they are, on all cores. That of the published method is the line through its two points,
one member after the other as in a plain loop, and side by side; and once it is run as it is, for its error.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from cases import PAPER, Record, Twin, estimate, make_twin, number
from fields import FIELDS, SYNTHETIC, Field, open_field, select
from tables import NOTHING, millimetres, show, table
from timing import Line, Times, line, one_core, race, times_of, warm_up, with_steps

from xr_dip.fitting.memory import bytes_per_member
from xr_dip.presets import PRESETS
from xr_dip.threads import cores
from xr_dip.verification import rmse

FIELD, FACTOR = "gulf_stream_200907", 16
METHODS = ("kriging", "fast", "balanced", PAPER)
FEW, MANY = 0.1, 5
"""Steps of the shorter run, over those of the preset, and of the longer: what a few steps take drowns in the rest."""
AIMS = (30.0, 60.0)


def measure(options: argparse.Namespace) -> list[Record]:
    """Return one record per field, factor and method."""
    warm_up(options.device)
    found = []
    for field in select((*FIELDS, SYNTHETIC), options.fields or [FIELD]):
        for factor in options.factors or (FACTOR,):
            found += measure_case(field, factor, options)
    return found


def measure_case(field: Field, factor: int, options: argparse.Namespace) -> list[Record]:
    """Run all rounds on one field."""
    twin = make_twin(open_field(field), factor)
    height, width = twin.fine.shape
    case = f"{field.name} x{factor}, {height} x {width} cells"
    methods = options.methods or METHODS
    times, errors = _race(twin, factor, methods, options)
    return [
        {"case": case, **_describe(method, factor, options), **_of(method, times), "rmse": errors.get(method)}
        | (_work(method, twin, factor) if method in PRESETS else {})
        for method in methods
    ]


def points(method: str, factor: int, options: argparse.Namespace) -> tuple[int, int]:
    """Return the steps of the shorter and of the longer run of a preset."""
    whole = PRESETS[method]((factor, factor)).iterations
    if method == PAPER:
        most = min(whole, options.paper_iterations)
        return max(1, round(FEW * most)), most
    return max(1, round(FEW * whole)), MANY * whole


def _race(
    twin: Twin, factor: int, methods: Sequence[str], options: argparse.Namespace
) -> tuple[dict[str, Times], dict[str, float]]:
    """Run everything in turn; then the published method once as a whole."""
    errors: dict[str, float] = {}

    def whole(method: str, members: int) -> None:
        result = estimate(twin, factor, method, members=members, seed=options.seed, device=options.device)
        errors[method] = float(rmse(result[f"{twin.fine.name}_mean"], twin.fine, dims=twin.dims))

    def part(method: str, steps: int, members: int) -> None:
        with with_steps(method, steps):
            estimate(twin, factor, method, members=members, seed=options.seed, device=options.device)

    def alone(method: str, steps: int) -> None:
        with one_core():
            part(method, steps, 1)

    runs = {}
    for method in methods:
        if method in PRESETS:
            runs |= {f"{method} {name}": partial(alone, method, n) for name, n in _named(method, factor, options)}
        if method == PAPER:
            runs |= {
                f"{method} all {name}": partial(part, method, n, cores()) for name, n in _named(method, factor, options)
            }
        else:
            runs[f"{method} whole"] = partial(whole, method, options.members)
    times = race(runs, options.rounds)
    if PAPER in methods and options.paper_members:
        times |= race({f"{PAPER} whole": partial(whole, PAPER, options.paper_members)}, 1)
    return times, errors


def _named(method: str, factor: int, options: argparse.Namespace) -> list[tuple[str, int]]:
    return list(zip(("few", "many"), points(method, factor, options), strict=True))


def _of(method: str, times: Mapping[str, Times]) -> Record:
    """Return the times of one method."""
    return {
        name.removeprefix(f"{method} "): found.record()
        for name, found in times.items()
        if name.startswith(f"{method} ")
    }


def _describe(method: str, factor: int, options: argparse.Namespace) -> Record:
    if method not in PRESETS:
        return {"method": method, "members": None}
    members = options.paper_members if method == PAPER else options.members
    whole = PRESETS[method]((factor, factor)).iterations
    known = {"wanted": options.members, "cores": cores(), "iterations": whole}
    return {"method": method, "members": members, **known, "steps": list(points(method, factor, options))}


def _work(method: str, twin: Twin, factor: int) -> Record:
    """Count what one step of one member computes and moves: for the model of machines that are not at hand."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from xr_dip.fitting.losses import LOSSES
    from xr_dip.fitting.operators import OPERATORS
    from xr_dip.fitting.problem import Observation, Problem
    from xr_dip.generators import GENERATORS

    preset, shape = PRESETS[method]((factor, factor)), twin.coarse.shape
    generator = GENERATORS[preset.generator](shape, (factor, factor), 0, **preset.options_of_member(0))
    operator = OPERATORS[preset.operator](np.ones(twin.fine.shape), (factor, factor))
    problem = Problem((Observation(operator, torch.ones(shape), torch.ones(shape)),), LOSSES[preset.loss])
    bound = problem.bind(generator, torch.device("cpu"))
    with FlopCounterMode(display=False) as counter:
        loss, _ = bound.evaluate(generator(generator.draw()))
        loss.backward()
    return {"operations": counter.get_total_flops(), "bytes": bytes_per_member(generator, problem)}


def lines(record: Record, name: str = "", clock: str = "wall") -> list[Line]:
    """Return the line of each round by one of the clocks, see `timing.Times`."""
    prefix = f"{name} " if name else ""
    steps: Any = record["steps"]
    few, many = (getattr(times_of(record, f"{prefix}{which}"), clock) for which in ("few", "many"))
    return [line(steps, pair) for pair in zip(few, many, strict=True)]


def fit_seconds(record: Record) -> float:
    """Return the processor seconds of the steps of one member."""
    return float(np.median([found.step for found in lines(record, clock="cpu")])) * number(record, "iterations")


def rest_seconds(record: Record) -> float:
    """Return the processor seconds of an ensemble that do not come from steps: kriging, draws, the Dataset."""
    return float(np.median([found.rest for found in lines(record, clock="cpu")]))


def loop_seconds(record: Record, clock: str = "wall") -> list[float]:
    """Return the seconds of the ensemble as a plain loop, of each round."""
    steps = number(record, "iterations") * number(record, "wanted")
    return [found.seconds(steps) for found in lines(record, clock=clock)]


def side_by_side_seconds(record: Record) -> list[float]:
    """Return the seconds of the ensemble on all cores, of each round."""
    turns = math.ceil(number(record, "wanted") / number(record, "cores"))
    if "all few" not in record:
        return list(times_of(record, "whole").wall)
    return [found.seconds(number(record, "iterations") * turns) for found in lines(record, "all")]


def ratios(ours: Record, paper: Record) -> list[list[float]]:
    """Return how many times longer the published method takes, of each round.

    As a plain loop and side by side, on the wall; as a plain loop, in processor seconds.
    """
    whole = times_of(ours, "whole")
    pairs = [
        (loop_seconds(paper), whole.wall),
        (side_by_side_seconds(paper), whole.wall),
        (loop_seconds(paper, "cpu"), whole.cpu),
    ]
    return [[slow / fast for slow, fast in zip(*pair, strict=True)] for pair in pairs]


def sections(records: Sequence[Record]) -> list[str]:
    """Return the tables of all cases."""
    parts = [
        "One fit: the steps of one member. Rest: what an ensemble takes beside them. Both are processor seconds, on "
        "one core. Whole: an ensemble on all cores, kriging and calibration included; of the published method a plain "
        "loop, one member after the other, by the line through two runs of a few steps. Ratios are medians of those "
        "within a round, their range in brackets; processor seconds leave out that ours run side by side.",
    ]
    for case in dict.fromkeys(str(record["case"]) for record in records):
        some = {str(record["method"]): record for record in records if record["case"] == case}
        header = ["method", "steps", "steps run", "one fit s", "rest s", "whole s", "loop of the published / whole"]
        header += ["side by side / whole", "loop / whole, processor", "RMSE mm"]
        parts += [f"## {case}", table(header, [_row(record, some.get(PAPER)) for record in some.values()])]
        parts.append(verdict(some))
    return parts


def _row(record: Record, paper: Record | None) -> list[str]:
    method, steps = str(record["method"]), record.get("steps")
    whole = float(np.median(loop_seconds(record))) if method == PAPER else times_of(record, "whole").median
    costs = [NOTHING] * 4
    if isinstance(steps, Sequence):
        ran = [show(number(record, "iterations"), 0), " and ".join(map(str, steps))]
        costs = [*ran, show(fit_seconds(record), 2), show(rest_seconds(record), 2)]
    return [method, *costs, show(whole, 1), *_over(record, paper), millimetres(number(record, "rmse"))]


def _over(record: Record, paper: Record | None) -> list[str]:
    """Return the ratios with their ranges."""
    if paper is None or record["method"] == PAPER:
        return [NOTHING] * 3
    return [f"{np.median(found):.1f} ({min(found):.1f} to {max(found):.1f})" for found in ratios(record, paper)]


def verdict(some: Mapping[str, Record]) -> str:
    """Say if the default preset keeps the promises about its speed."""
    if "balanced" not in some or PAPER not in some:
        return ""
    ours, paper = some["balanced"], some[PAPER]
    found = float(np.median(ratios(ours, paper)[0]))
    said = [
        f"- `balanced` is {found:.1f} times faster than the loop of the published fits: aim {aim:g}, "
        f"{'reached' if found >= aim else 'not reached'}."
        for aim in AIMS
    ]
    if "whole" in paper:
        turns = math.ceil(number(paper, "members") / number(paper, "cores"))
        foreseen = np.median([found.seconds(number(paper, "iterations") * turns) for found in lines(paper, "all")])
        measured = times_of(paper, "whole").median
        errors = [millimetres(number(record, "rmse")) for record in (ours, paper)]
        said.append(
            f"- RMSE {errors[0]} mm against {errors[1]} mm of the published, {paper['members']} members with all "
            f"steps. They took {measured:.0f} s side by side; the line says {foreseen:.0f} s."
        )
    return "\n".join(said)
