"""Run an archive again and again, each run killed at a random moment, then once to its end.

With ``warm`` the days are chained, into files.

Torch is imported once: each run is a fork. Prints, for each form of the output, how many runs were alive when they were
killed.
"""

import importlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import tiny_preset
from archives import STORES, place, run


def fork(source, folder, kind, **options):
    """Begin a run in a process of its own."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        run(source, folder / "out", **place(folder, kind), **options)
        status = 0
    finally:
        os._exit(status)


def run_and_kill(source, base, kind, kills, **options):
    """Return how many runs were alive when they were killed."""
    begin = time.perf_counter()
    assert os.waitpid(fork(source, base / "undisturbed", kind, **options), 0)[1] == 0
    duration = time.perf_counter() - begin
    moments = random.Random(kills)
    alive = 0
    for _ in range(kills):
        process = fork(source, base / "killed", kind, resume=True, **options)
        # So long in all that the last runs have something to do, too.
        time.sleep(moments.uniform(0, 1.2 * duration / kills + 0.2))
        os.kill(process, signal.SIGKILL)
        alive += os.WIFSIGNALED(os.waitpid(process, 0)[1])
    assert os.waitpid(fork(source, base / "killed", kind, resume=True, **options), 0)[1] == 0
    return alive


if __name__ == "__main__":
    # What starts no thread, so that each fork is a sound process that need not import it again.
    for name in ("xr_dip.estimate", "dask.array", "netCDF4", "zarr"):
        importlib.import_module(name)
    tiny_preset.register()
    base, kills = Path(sys.argv[1]), int(sys.argv[2])
    kinds, options = (["files"], {"warm_start": True, "chain": 4}) if "warm" in sys.argv[3:] else (STORES, {})
    alive = {kind: run_and_kill(base / "in.nc", base / kind, kind, kills, **options) for kind in kinds}
    sys.stdout.write(json.dumps(alive))
