"""A student of the ensemble on the Mediterranean series: trained on 20 days, applied to the 71 others.

The teacher is `xr_dip.downscale_archive` with warm starts, kept in a folder: a broken run goes on where it ended.
What the student is to reproduce is the teacher; the truth is for scoring only, but for the one student that is trained
on it. Choices of the network were made on days held out of the 20, by `--search`. Writes student.json, student.md and a
picture.

    python benchmarks/distill.py
    python benchmarks/distill.py --search
    python benchmarks/distill.py --quick
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr
from cases import Record, code_hash
from command import make_parser, output_folder
from distill_page import FACTOR, PICTURE, write
from records import machine

import xr_dip
from xr_dip import DipWarning, samples
from xr_dip.canvas import draw_bar
from xr_dip.coarsening import coarsen
from xr_dip.distillation.student import Student
from xr_dip.plot import departure

NAME, MEMBERS, TAUGHT = "adt", 10, 20
PLAIN = ("bicubic", "conservative_spline", "kriging")
TIMED = 3
SEARCHED = {"channels": (16, 48, 64), "layers": (2, 3, 4), "steps": (600, 1500)}


@dataclass(frozen=True, eq=False)
class Series:
    """All days: coarse fields, truth, teacher, and the sea of the fine grid."""

    coarse: xr.DataArray
    truth: xr.DataArray
    teacher: xr.Dataset
    sea: npt.NDArray[np.bool_]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__, folder="", quick="two members, preset fast, six days, four of them taught")
    parser.add_argument("--teacher", type=Path, help="folder of the ensemble results; default: beside the trial output")
    parser.add_argument("--search", action="store_true", help="print how sizes of the network do on days held out")
    parser.add_argument("--timed", type=int, default=TIMED, help=f"days of the race of ensemble and student: {TIMED}")
    parser.add_argument("--days", type=int, help="the first of the series; default: all")
    options = parser.parse_args(arguments)
    options.days = options.days or (6 if options.quick else None)
    options.members = options.members or (2 if options.quick else MEMBERS)
    return options


def open_series(options: argparse.Namespace) -> Series:
    """Return all days; the ensemble of those that are not in the folder is made now."""
    with samples.open_dataset("mediterranean") as dataset:
        truth = dataset[NAME].isel(time=slice(options.days)).astype(np.float64).load()
    coarse, fine = coarsen(truth.assign_attrs(units="m"), FACTOR, boundary="trim")
    # the mask goes by cells: it is the sea of the first day, as of a twin experiment
    sea = fine[0].notnull().values
    trial = output_folder(argparse.Namespace(**vars(options) | {"quick": True}))
    folder = options.teacher or trial / ("teacher-quick" if options.quick else "teacher")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)
        summary = xr_dip.downscale_archive(
            coarse.to_dataset(name=NAME),
            folder,
            variable=NAME,
            factor=FACTOR,
            members=options.members,
            preset="fast" if options.quick else "balanced",
            mask=sea,
            seed=options.seed,
            device=options.device,
            warm_start=True,
            resume=True,
        )
    print(summary, flush=True)
    files = sorted(folder.glob(f"{NAME}_*.nc"))
    with xr.open_mfdataset(files, combine="nested", concat_dim="time") as results:
        teacher = results[[f"{NAME}_mean", f"{NAME}_std"]].sel(time=coarse.time).load()
    return Series(coarse, fine, teacher, sea)


def splits(count: int, taught: int) -> dict[str, npt.NDArray[np.int64]]:
    """Return the days that are taught: the first, and some from all of the series."""
    return {
        "first": np.arange(taught),
        "spread": np.linspace(0, count - 1, taught).round().astype(np.int64),
    }


def rms(error: npt.ArrayLike) -> float:
    """Root mean square of what is finite."""
    return float(np.sqrt(np.nanmean(np.square(np.asarray(error, dtype=np.float64)))))


def score(result: xr.Dataset, series: Series, days: npt.NDArray[np.int64]) -> Record:
    """Return how near a method is to the teacher and to the truth on some days, metres."""
    mean, teacher = result[f"{NAME}_mean"].values, series.teacher.isel(time=days)
    record: Record = {
        "to_teacher": rms(mean - teacher[f"{NAME}_mean"].values),
        "to_truth": rms(mean - series.truth.isel(time=days).values),
    }
    if "conservation_error" in result:
        record["conservation_error"] = float(abs(result.conservation_error).max())
    if f"{NAME}_std" in result:
        record["std"] = rms(result[f"{NAME}_std"])
        record["std_to_teacher"] = rms(result[f"{NAME}_std"].values - teacher[f"{NAME}_std"].values)
    return record


def compare(series: Series, options: argparse.Namespace) -> Iterator[Record]:
    """Yield a record for each split and method, scored on the days that are not taught."""
    count = series.coarse.sizes["time"]
    for split, taught in splits(count, 4 if options.quick else TAUGHT).items():
        others = np.setdiff1d(np.arange(count), taught)
        coarse = series.coarse.isel(time=others)
        common = {"split": split, "taught": len(taught), "days": len(others)}
        yield {**common, "method": "teacher", **score(series.teacher.isel(time=others), series, others)}
        for method in PLAIN:
            result = xr_dip.interpolate(coarse, FACTOR, method, mask=series.sea)
            yield {**common, "method": method, **score(result, series, others)}
        for source, estimates in (("student", series.teacher), ("student of the truth", series.truth)):
            begin, busy = time.perf_counter(), time.process_time()
            student = train(series, estimates.isel(time=taught), options)
            spent = {"training": time.perf_counter() - begin, "training_cpu": time.process_time() - busy}
            found = score(student.downscale(coarse, mask=series.sea), series, others)
            told = {name: student.settings.training.get(name) for name in ("skill", "steps")}
            yield {**common, "method": source, **found, **spent, **told, "sha256": student.digest}
            if (split, source) == ("first", "student"):
                yield {**common, "method": "time", **measure_time(student, series, others, options)}
                draw(student, series, int(others[len(others) // 2]), output_folder(options))


def train(series: Series, estimates: xr.Dataset | xr.DataArray, options: argparse.Namespace) -> Student:
    """Train a student on the days of some estimates."""
    if isinstance(estimates, xr.DataArray):
        estimates = estimates.where(series.sea)
    return xr_dip.distill(series.coarse, estimates, seed=options.seed, device=options.device, progress=False)


def measure_time(student: Student, series: Series, days: npt.NDArray[np.int64], options: argparse.Namespace) -> Record:
    """Return the seconds of a day: of ensemble and student in turn, the student of a single day and of a series."""
    importlib.import_module("xr_dip.estimate")  # imports torch: no part of the time of a day
    student.downscale(series.coarse[0], mask=series.sea)
    chosen = days[np.linspace(0, len(days) - 1, options.timed).astype(int)]
    passed: dict[str, list[tuple[float, float]]] = {"ensemble": [], "single": [], "series": []}
    for day in chosen:
        one, all_days = series.coarse.isel(time=int(day)), series.coarse.isel(time=days)
        passed["ensemble"].append(clock(lambda one=one: ensemble(one, series, options)))
        passed["single"].append(clock(lambda one=one: student.downscale(one, mask=series.sea)))
        wall, cpu = clock(lambda all_days=all_days: student.downscale(all_days, mask=series.sea))
        passed["series"].append((wall / len(days), cpu / len(days)))
    return {name: {"wall": [w for w, _ in found], "cpu": [c for _, c in found]} for name, found in passed.items()}


def ensemble(one: xr.DataArray, series: Series, options: argparse.Namespace) -> xr.Dataset:
    """Estimate a day as the teacher does at the head of a chain."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)
        return xr_dip.downscale(
            one,
            FACTOR,
            members=options.members,
            preset="fast" if options.quick else "balanced",
            mask=series.sea,
            seed=options.seed,
            device=options.device,
            progress=False,
        )


def clock(run: Callable[[], object]) -> tuple[float, float]:
    """Return seconds on the wall and of the processors."""
    begin, busy = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - begin, time.process_time() - busy


def search(series: Series, options: argparse.Namespace) -> None:
    """Print the loss of several sizes on days held out of the first 20, never on others."""
    taught = series.teacher.isel(time=slice(TAUGHT))
    names = tuple(SEARCHED)
    for values in product(*SEARCHED.values()):
        sizes = dict(zip(names, values, strict=True))
        busy = time.process_time()
        student = xr_dip.distill(series.coarse, taught, seed=options.seed, progress=False, **sizes)
        told = {name: round(student.settings.training[name], 4) for name in ("loss", "skill")}
        print({**sizes, **told, "cpu_seconds": round(time.process_time() - busy, 1)}, flush=True)


def draw(student: Student, series: Series, day: int, folder: Path) -> None:
    """Draw what teacher and student add to the conservative spline on one day, and what is left between them."""
    plt = importlib.import_module("matplotlib.pyplot")
    coarse = series.coarse.isel(time=day)
    spline = xr_dip.interpolate(coarse, FACTOR, mask=series.sea)[f"{NAME}_mean"]
    teacher = series.teacher[f"{NAME}_mean"].values[day]
    fine = student.downscale(coarse, mask=series.sea)[f"{NAME}_mean"].values
    panels = {
        "teacher less spline": teacher - spline.values,
        "student less spline": fine - spline.values,
        "student less teacher": fine - teacher,
    }
    figure, axes = plt.subplots(3, 1, figsize=(9, 9), layout="constrained")
    limit = 1000 * float(np.nanquantile(abs(panels["teacher less spline"]), 0.995))
    for axis, (title, values) in zip(axes, panels.items(), strict=True):
        field = spline.copy(data=1000 * values)
        departure(field, ax=axis, limit=limit, title=f"{title}, RMS {1000 * rms(values):.2g} mm", bar=False)
        axis.label_outer()
    draw_bar(list(axes), "difference (mm)", location="right")
    target = folder / "_static" / PICTURE if (folder / "_static").is_dir() else folder / PICTURE
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=80)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write."""
    options = parse(arguments)
    out = output_folder(options)
    out.mkdir(parents=True, exist_ok=True)
    series = open_series(options)
    if options.search:
        search(series, options)
        return 0
    common = {"code": code_hash(), "machine": machine(options.device), "seed": options.seed, "fits": options.members}
    records = list[Record]()
    for record in compare(series, options):
        records.append({**record, **common})
        print({name: record[name] for name in record if name in ("split", "method", "to_teacher", "to_truth", "std")})
        (out / "student.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
        if record["method"] not in ("teacher", *PLAIN):
            write(out, records, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
