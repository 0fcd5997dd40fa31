"""Days of a series with and without warm starts: seconds, and what it does to error and spread.

The series are fields of the samples, made coarse by block means and made fine again; the truth is for scoring only. Of
each day the cold estimate and the warm one run one after the other, so that a busy minute hits both. Seconds are those
of `xr_dip.downscale`: fits, kriging, draws and the Dataset. Writes warm_start.json after each day, and warm_start.md;
records of other series are kept.

    python benchmarks/warm_start.py
    python benchmarks/warm_start.py --fields mediterranean --days 30
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from cases import Record, code_hash, make_twin, number
from command import command_line, make_parser, output_folder
from records import machine
from tables import mean, millimetres, show, table, write_page

import xr_dip
from xr_dip import DipWarning, samples, synthetic
from xr_dip.archive.chains import LENGTH
from xr_dip.relay import Relay
from xr_dip.verification import rmse

MEMBERS, FACTOR = 10, 8
COLD, WARM = "cold", "warm"
COSTS = ("seconds", "cpu_seconds", "iterations")
SCORES = ("rmse", "std", "fit_std")
FASTER, CLOSE = 3.0, 0.05
"""What is promised: so many times fewer seconds, error and spread within this share."""


@dataclass(frozen=True)
class Series:
    """Days of one sample; `days` of them at most."""

    name: str
    sample: str
    days: int


SERIES = (
    Series("glo12_sargasso", "glo12", 8),
    Series("mediterranean", "mediterranean", 91),
    Series("synthetic", "synthetic", 3),
)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__, folder="performance", quick="two members, three days, preset fast")
    parser.add_argument("--days", type=int, help="of each series at most; default: all")
    parser.add_argument("--chain", type=int, default=LENGTH, help=f"days of a chain; default: {LENGTH}")
    parser.add_argument("--every", type=int, default=1, help="estimate only every N-th day cold, too; default: all")
    options = parser.parse_args(arguments)
    names = [series.name for series in SERIES]
    for name in options.fields or ():
        if not any(known.startswith(name) for known in names):
            raise ValueError(f"Invalid field {name!r}. It must begin one of {names}.")
    options.members = options.members or (2 if options.quick else MEMBERS)
    options.days = options.days or (3 if options.quick else None)
    return options


def chosen(options: argparse.Namespace) -> list[Series]:
    """Return the series that are asked for; those of real fields by default."""
    return [series for series in SERIES if series.name.startswith(tuple(options.fields or ("glo12", "medit")))]


def open_series(series: Series) -> xr.DataArray:
    """Return the truth of all days, NaN on land."""
    if series.sample == "synthetic":
        return synthetic.gulf_stream((64, 64), times=series.days).ssh.astype(np.float64)
    with samples.open_dataset(series.sample) as dataset:
        field = dataset[samples.describe(series.sample).variable].astype(np.float64).load()
    return field.assign_attrs(units=field.attrs.get("units", "m"))


def measure(series: Series, factor: int, options: argparse.Namespace) -> Iterator[Record]:
    """Yield a record for each day and kind."""
    importlib.import_module("xr_dip.estimate")  # imports torch: no part of the time of a day
    truth, relay = open_series(series), Relay()
    for day in range(min(series.days, options.days or series.days)):
        if day % options.chain == 0:
            relay = Relay()
        for kind, carried in ((COLD, None), (WARM, relay)):
            if kind == COLD and day % options.every:
                continue
            record = run_day(truth.isel(time=day), factor, carried, options)
            yield {"series": series.name, "factor": factor, "day": day, "kind": kind, **record}


def run_day(truth: xr.DataArray, factor: int, relay: Relay | None, options: argparse.Namespace) -> Record:
    """Estimate a day and score it."""
    twin = make_twin(truth, factor)
    begin, busy = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)  # small windows, the same for both
        result = xr_dip.downscale(
            twin.coarse,
            factor,
            members=options.members,
            preset="fast" if options.quick else "balanced",
            mask=twin.sea,
            seed=options.seed,
            device=options.device,
            progress=False,
            relay=relay,
        )
    taken = {"seconds": time.perf_counter() - begin, "cpu_seconds": time.process_time() - busy}
    result = result.drop_vars(twin.dims, errors="ignore")
    error = rmse(result[f"{truth.name}_mean"], twin.fine.drop_vars(twin.dims, errors="ignore"), dims=twin.dims)
    spreads = {name: float(np.sqrt((result[f"{truth.name}_{name}"] ** 2).mean())) for name in ("std", "fit_std")}
    diagnostics = {name: float(result[name]) for name in ("iterations", "blend_weight", "front_weight")}
    return {**taken, "rmse": float(error), **spreads, **diagnostics}


def others(path: Path, series: Sequence[Series]) -> list[Record]:
    """Return the records that are there of other series: they are kept."""
    known: list[Record] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [record for record in known if record["series"] not in {one.name for one in series}]


def summarise(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Return means of one series, cold and warm: of scores over the days that have both, of costs over all."""
    both = {record["day"] for record in records if record["kind"] == COLD}
    found = {}
    for kind in (COLD, WARM):
        days = [record for record in records if record["kind"] == kind]
        compared = [record for record in days if record["day"] in both]
        found[kind] = {name: mean([number(record, name) for record in days]) for name in COSTS}
        found[kind] |= {name: mean([number(record, name) for record in compared]) for name in SCORES}
        found[kind]["spread_skill"] = found[kind]["std"] / found[kind]["rmse"]
    return found


def rows(found: dict[str, dict[str, float]]) -> list[list[str]]:
    """Return the lines of a table: cold, warm, and warm over cold."""
    lines = [
        [
            kind,
            show(found[kind]["seconds"], 2),
            show(found[kind]["cpu_seconds"], 2),
            show(found[kind]["iterations"], 0),
            *(millimetres(found[kind][name]) for name in SCORES),
            show(found[kind]["spread_skill"], 2),
        ]
        for kind in (COLD, WARM)
    ]
    share = {name: found[WARM][name] / found[COLD][name] for name in found[COLD]}
    last = [show(share[name], 3) for name in (*COSTS, *SCORES, "spread_skill")]
    return [*lines, ["warm over cold", *last]]


def verdict(found: dict[str, dict[str, float]]) -> str:
    """Say if the promises are kept."""
    faster = found[COLD]["seconds"] / found[WARM]["seconds"]
    busy = found[COLD]["cpu_seconds"] / found[WARM]["cpu_seconds"]
    kept = "reached" if faster >= FASTER else "not reached"
    lines = [f"- {faster:.1f} times fewer seconds ({busy:.1f} of CPU time): aim {FASTER:g}, {kept}"]
    for name, text in (("rmse", "RMSE"), ("std", "standard error")):
        change = found[WARM][name] / found[COLD][name] - 1
        answer = "reached" if abs(change) <= CLOSE else "not reached"
        lines.append(f"- {text} {change:+.1%}: aim within {CLOSE:.0%}, {answer}")
    return "\n".join(lines)


def write(out: Path, records: Sequence[Record], options: argparse.Namespace) -> None:
    """Write the page of the records that there are."""
    parts = [
        f"Means over days, of scores over those that were estimated both ways; {options.members} members, chains of "
        f"{options.chain} days. Cold and warm in turn, in one process. The standard error and the spread of the fits "
        "are root mean squares over the sea; spread/skill is the standard error over the RMSE.",
    ]
    header = [
        "",
        "s per day",
        "CPU s per day",
        "iterations",
        "RMSE mm",
        "standard error mm",
        "spread of fits mm",
        "spread/skill",
    ]
    for name in dict.fromkeys(str(record["series"]) for record in records):
        some = [record for record in records if record["series"] == name]
        count = {kind: sum(record["kind"] == kind for record in some) for kind in (COLD, WARM)}
        found, days = summarise(some), f"{count[WARM]} days, {count[COLD]} of them cold, too"
        parts += [f"## {name} x{some[0]['factor']}, {days}", table(header, rows(found)), verdict(found)]
    command = command_line("warm_start.py", options) + "".join(
        f" --{name} {value}" for name in ("days", "every", "chain") if (value := getattr(options, name)) is not None
    )
    write_page(out / "warm_start.md", "Warm starts", parts, records, command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write."""
    options = parse(arguments)
    out = output_folder(options)
    out.mkdir(parents=True, exist_ok=True)
    records = others(out / "warm_start.json", chosen(options))
    common = {"code": code_hash(), "machine": machine(options.device), "seed": options.seed, "chain": options.chain}
    for series in chosen(options):
        for record in measure(series, (options.factors or [FACTOR])[0], options):
            records.append({**record, **common})
            print({name: record[name] for name in ("series", "day", "kind", "seconds", "rmse")}, flush=True)
            (out / "warm_start.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
            if record["kind"] == WARM:
                write(out, records, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
