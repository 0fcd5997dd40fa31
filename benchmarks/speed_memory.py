"""Peak memory of one field by the size of its domain, each in a process of its own.

    python benchmarks/speed_memory.py 32 16      # what one process does: 32 coarse cells along each side, x16

prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from cases import Record, number
from tables import show, table
from timing import ocean

import xr_dip
from xr_dip import DipWarning
from xr_dip.tiling import make_tiling

FACTOR, PRESET, MEMBERS = 16, "fast", 2
SIDES, QUICK_SIDES = (512, 1024, 2048), (128,)
"""Fine cells along each side."""
LIMIT = 4.0
SEAM = (0.95, 1.05)
GIB = 2**30


def measure(options: argparse.Namespace) -> list[Record]:
    """Return one record per size."""
    sides = options.sides or (QUICK_SIDES if options.quick else SIDES)
    factor = (options.factors or (FACTOR,))[0]
    return [_in_a_process(side // factor, factor, options) for side in sides]


def _in_a_process(cells: int, factor: int, options: argparse.Namespace) -> Record:
    command = [
        sys.executable,
        __file__,
        str(cells),
        str(factor),
        "--device",
        options.device,
        "--seed",
        str(options.seed),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    if done.returncode:
        raise RuntimeError(f"The process of {cells} coarse cells ended with {done.returncode}: {done.stderr[-2000:]}")
    record: Record = json.loads(done.stdout.splitlines()[-1])
    print(f"{cells * factor} cells: {number(record, 'peak') / GIB:.2f} GiB, {record['seconds']:.1f} s", flush=True)
    return record


def run(cells: int, factor: int, seed: int, device: str) -> Record:
    """Downscale a square domain in this process, and tell what it took."""
    coarse = ocean((cells, cells)).isel(time=0)
    importlib.import_module("xr_dip.estimate")  # imports torch, whose memory is not that of the field
    before, begin = _peak(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)
        fine = xr_dip.downscale(
            coarse, factor, members=MEMBERS, preset=PRESET, seed=seed, device=device, progress=False
        )
    tiling = make_tiling((cells, cells), (factor, factor))
    seam = float(fine.seam_ratio) if tiling is not None else None
    known = {"side": cells * factor, "factor": factor, "tiles": 1 if tiling is None else len(tiling)}
    return {
        "method": PRESET,
        "members": MEMBERS,
        **known,
        "seconds": time.perf_counter() - begin,
        "before": before,
        "peak": _peak(),
        "result": fine.nbytes,
        "seam_ratio": seam,
    }


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `getrusage`: on Linux its number begins with that of the process that started this one.
        found = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return 1024 * int(found.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def sections(records: Sequence[Record]) -> list[str]:
    """Return the table and whether the promises are kept."""
    if not records:
        return []
    header = ["fine cells", "tiles", "s", "peak GiB", "before GiB", "result GiB", "seam ratio"]
    most = max(number(record, "peak") for record in records) / GIB
    seams = [number(record, "seam_ratio") for record in records if record["seam_ratio"] is not None]
    said = [f"- At most {most:.2f} GiB: aim {LIMIT:g}, {'reached' if most < LIMIT else 'not reached'}."]
    if seams:
        kept = all(SEAM[0] <= seam <= SEAM[1] for seam in seams)
        said.append(f"- Seam ratio {SEAM[0]} to {SEAM[1]}: {'reached' if kept else 'not reached'}.")
    text = (
        f"`{PRESET}`, {MEMBERS} members, x{records[0]['factor']}, each in a process of its own, on all cores. Peak: "
        "the most that the process ever held; before: what it held with its libraries; result: the arrays it returns."
    )
    return [text, table(header, [_row(record) for record in records]), "\n".join(said)]


def _row(record: Record) -> list[str]:
    sizes = [show(number(record, name) / GIB, 2) for name in ("peak", "before", "result")]
    side, seam = record["side"], number(record, "seam_ratio")
    return [f"{side} x {side}", str(record["tiles"]), show(number(record, "seconds"), 0), *sizes, show(seam, 3)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one case and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=int)
    parser.add_argument("factor", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(json.dumps(run(options.cells, options.factor, options.seed, options.device)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
