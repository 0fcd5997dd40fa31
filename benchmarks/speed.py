"""Times, memory and scaling, and what follows from them for a year of NATL60.

Each part is a file of its own, `speed_<part>.py`, and measures contestants in turn. What is compared with each other
ran in one process. Records of parts that are not asked for are kept. Writes speed.json after each part, and the pages.

    python benchmarks/speed.py
    python benchmarks/speed.py --quick
    python benchmarks/speed.py --parts loop --rounds 1 --paper-members 0
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import speed_dask
import speed_loop
import speed_memory
import speed_model
import speed_peer
import speed_scaling
import speed_tiles
import speed_warm
from cases import Record, code_hash
from command import command_line, make_parser, output_folder
from fields import FIELDS, SYNTHETIC, check_names
from records import machine
from tables import write_page

ROUNDS, MEMBERS = 3, 10
PAPER_ITERATIONS, QUICK_PAPER_ITERATIONS = 150, 10


@dataclass(frozen=True)
class Part:
    """One kind of measurement: what makes its records, what makes its sections, and the page that has them."""

    measure: Callable[[argparse.Namespace], list[Record]]
    sections: Callable[[Sequence[Record]], list[str]]
    page: str


PARTS = {
    "loop": Part(speed_loop.measure, speed_loop.sections, "speed"),
    "peer": Part(speed_peer.measure, speed_peer.sections, "speed"),
    "tiles": Part(speed_tiles.measure, speed_tiles.sections, "throughput"),
    "warm": Part(speed_warm.measure, speed_warm.sections, "throughput"),
    "dask": Part(speed_dask.measure, speed_dask.sections, "throughput"),
    "scaling": Part(speed_scaling.measure, speed_scaling.sections, "throughput"),
    "memory": Part(speed_memory.measure, speed_memory.sections, "memory"),
}
TITLES = {"speed": "Speed", "throughput": "Throughput", "memory": "Peak memory"}
MODEL_PARTS = ("loop", "dask", "warm")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__, folder="performance", quick="one round of small cases, no whole run of the published")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="default: all")
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS}; 1 with --quick")
    parser.add_argument(
        "--paper-members", type=int, help=f"of its one whole run, 0 for none; default: {MEMBERS}; 0 with --quick"
    )
    parser.add_argument(
        "--paper-iterations", type=int, help=f"of the longer of its two runs; default: {PAPER_ITERATIONS}"
    )
    parser.add_argument("--peer-steps", type=int, help="of each member; default: those of the preset balanced")
    parser.add_argument("--batches", nargs="+", type=int, help="members fitted together; default: 1 to 32")
    parser.add_argument("--days", type=int, help="of the series of the parts dask and warm")
    parser.add_argument("--sides", nargs="+", type=int, help="fine cells of the part memory; default: 512 1024 2048")
    options = parser.parse_args(arguments)
    check_names(options.fields, (*FIELDS, SYNTHETIC))
    quick = options.quick
    options.rounds = options.rounds or (1 if quick else ROUNDS)
    options.members = options.members or (2 if quick else MEMBERS)
    options.paper_iterations = options.paper_iterations or (QUICK_PAPER_ITERATIONS if quick else PAPER_ITERATIONS)
    if options.paper_members is None:
        options.paper_members = 0 if quick else MEMBERS
    if quick:
        options.peer_steps = options.peer_steps or 2
    return options


def read(out: Path) -> list[Record]:
    """Return the records that are there."""
    path = out / "speed.json"
    known: list[Record] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [record for record in known if record.get("part") in PARTS]


def add(known: Sequence[Record], part: str, found: Sequence[Record], options: argparse.Namespace) -> list[Record]:
    """Return all records, those of a part and device replaced."""
    common = {"part": part, "device": options.device, "machine": machine(options.device)}
    common |= {"code": code_hash(), "seed": options.seed}
    kept = [record for record in known if (record["part"], record["device"]) != (part, options.device)]
    both = [*kept, *({**common, **record} for record in found)]
    return sorted(both, key=lambda record: (list(PARTS).index(str(record["part"])), str(record["device"])))


def write(out: Path, records: Sequence[Record], options: argparse.Namespace) -> None:
    """Write the records, and all pages of which there are any."""
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "speed.tmp"
    partial.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, out / "speed.json")
    command = command_line("speed.py", options)
    for page, title in TITLES.items():
        some = [record for record in records if PARTS[str(record["part"])].page == page]
        if some:
            write_page(out / f"{page}.md", title, _sections(some), some, command)
    model = speed_model.sections(records)
    if model:
        some = [record for record in records if record["part"] in MODEL_PARTS]
        write_page(out / "natl60.md", "A year of NATL60", model, some, command)


def _sections(records: Sequence[Record]) -> list[str]:
    """Return the sections of one page, those of each device by themselves."""
    parts = []
    for device in dict.fromkeys(str(record["device"]) for record in records):
        if device != "cpu":
            parts.append(f"# On {device}")
        for name, part in PARTS.items():
            some = [record for record in records if (record["part"], record["device"]) == (name, device)]
            parts += part.sections(some) if some else []
    return parts


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure part after part, and write."""
    options = parse(arguments)
    out = output_folder(options)
    records = read(out)
    for part in options.parts:
        print(f"== {part}", flush=True)
        records = add(records, part, PARTS[part].measure(options), options)
        write(out, records, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
