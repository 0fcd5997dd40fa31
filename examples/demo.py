"""The main job from end to end on a field made by formula: no data, no network, about a minute on two cores.

Block means over 16 x 16 cells are made fine again with an ensemble of 10 fits. The truth is used for the scores only.
Writes the fine field, a picture and the scores to a folder: `python examples/demo.py [FOLDER]`, by default demo-output.
"""

import io
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import xarray as xr
from PIL import Image

import xr_dip
from xr_dip import plot, verification
from xr_dip.cf.netcdf import write_netcdf

FACTOR, MEMBERS = 16, 10
DIMS = ("latitude", "longitude")
CLASSICAL = ("bicubic", "conservative_spline", "kriging")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    truth = xr_dip.synthetic.gulf_stream((256, 256)).ssh
    coarse = truth.coarsen(latitude=FACTOR, longitude=FACTOR).mean()

    start = time.perf_counter()
    out = coarse.dip.downscale(FACTOR, members=MEMBERS, device="cpu")
    seconds = time.perf_counter() - start

    estimates = {method: coarse.dip.interpolate(FACTOR, method=method).ssh_mean for method in CLASSICAL}
    report = describe(out, truth, {**estimates, "xr_dip": out.ssh_mean}, seconds)
    print(report)

    (folder / "scores.md").write_text(f"# Demo\n\nAs `make demo` prints it.\n\n{report}\n", encoding="utf-8")
    write_netcdf(out, folder / "fine.nc", overwrite=True)
    save_picture(out, truth, coarse, estimates["bicubic"], folder / "demo.png")
    print("\nwritten:", *(str(folder / name) for name in ("fine.nc", "demo.png", "scores.md")))


def describe(out: xr.Dataset, truth: xr.DataArray, estimates: dict[str, xr.DataArray], seconds: float) -> str:
    """The scores as a table in Markdown, and a line on what comes with the estimate."""
    errors = {name: float(verification.rmse(field, truth, dims=DIMS)) for name, field in estimates.items()}
    rows = [f"| `{name}` | {1e3 * error:.1f} | {error / errors['kriging']:.2f} |" for name, error in errors.items()]
    ratio = float(verification.spread_skill(out.ssh_std, out.ssh_mean, truth, dims=DIMS))
    inside = float(verification.coverage(out.ssh_mean, out.ssh_std, truth, dims=DIMS, level=0.9))
    broken = float(abs(out.conservation_error).max())
    setting = (
        f"Synthetic Gulf Stream, {truth.shape[0]} x {truth.shape[1]} cells from block means over {FACTOR} x {FACTOR}"
    )
    cost = f"{MEMBERS} members, {seconds:.0f} s on the CPU"
    conserved = f"Largest error of a block mean: {broken:.0e} m."
    calibrated = f"Standard error / RMSE: {ratio:.2f}; {inside:.0%} of the errors are within its 90 % interval."
    table = ["| method | RMSE (mm) | / kriging |", "|---|---|---|", *rows]
    return "\n".join([f"{setting}, {cost}.", "", *table, "", f"{conserved} {calibrated}"])


def save_picture(out: xr.Dataset, truth: xr.DataArray, coarse: xr.DataArray, bicubic: xr.DataArray, path: Path) -> None:
    """Input, estimate, truth, their errors and the standard error; in 256 colours, which keeps the file small."""
    figure = plot.overview(out, truth, coarse=coarse, others={"bicubic": bicubic})["mean"].figure
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110)
    picture = Image.open(buffer).convert("RGB")
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
