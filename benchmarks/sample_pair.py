"""The first thing a user would try: a real coarse file made fine, against the fine file it was made from.

The pair is eNATL60 in the Gulf Stream on 2009-07-01, 77 x 61 block means of 5 x 5 cells and their 385 x 305 originals.

    python benchmarks/sample_pair.py
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import xr_dip
from xr_dip.interpolation import conservative

FACTOR = 5


def main(arguments: list[str] | None = None) -> int:
    """Print the errors of the default and of its baselines, and how well the input is conserved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--preset", default="balanced")
    options = parser.parse_args(arguments)
    with (
        xr_dip.samples.open_dataset("gulf_stream_coarse") as coarse,
        xr_dip.samples.open_dataset("gulf_stream_fine") as fine,
    ):
        # The fine file has one more column than the blocks fill.
        truth = fine.sossheig.isel(x=slice(0, -1)).values.astype(np.float64)
        values = coarse.sossheig.values.astype(np.float64)
        start = time.perf_counter()
        out = coarse.dip.downscale("sossheig", FACTOR, members=options.members, preset=options.preset, device="cpu")
        seconds = time.perf_counter() - start
        estimates = {
            "bicubic": coarse.dip.interpolate("sossheig", FACTOR, method="bicubic").sossheig_mean.values,
            "conservative bicubic": conservative(values, np.ones(truth.shape[-2:]), (FACTOR, FACTOR)),
            "conservative_spline": coarse.dip.interpolate("sossheig", FACTOR).sossheig_mean.values,
            "kriging": coarse.dip.interpolate("sossheig", FACTOR, method="kriging").sossheig_mean.values,
            options.preset: out.sossheig_mean.values,
        }
    for name, estimate in estimates.items():
        print(f"{name:<22}RMSE {1000 * np.sqrt(np.mean((estimate - truth) ** 2)):.3f} mm")
    print(f"largest conservation error {float(abs(out.conservation_error).max()):.1e} m, {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
