"""The published claims about the deep image prior on real fields: seen or not, with numbers and figures.

Each experiment of Archambault et al. (2022), the losses of Indulkar and Upadhyay, and the table of Geiss and Hardin
(2023) is a call of `xr_dip.twin`; the analyses are of `xr_dip.analysis`. Writes claims.json (one record per number that
is told; a broken run goes on where it ended), the page claims.md and its figures.

    python benchmarks/claims.py
    python benchmarks/claims.py --quick
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import xarray as xr
from cases import Record, code_hash
from claims_page import write_claims
from claims_plan import QUICK, Plan
from command import TRIAL, output_folder
from fields import Field, open_field
from pictures import save
from records import Store, machine

from xr_dip import analysis, twin


class Run:
    """One run of a plan: where results are kept, and what all calls share."""

    def __init__(self, plan: Plan, out: Path, cache: Path, device: str) -> None:
        self.plan, self.out, self.device = plan, out, device
        self.common = {"seed": plan.seed, "progress": False, "device": device, "cache": cache}

    def draw(self, name: str, drawn: object) -> None:
        """Save a figure, given one of its Axes or a mapping of them."""
        axes = next(iter(drawn.values())) if isinstance(drawn, dict) else drawn
        save(axes.figure, self.out / f"{name}.png")
        importlib.import_module("matplotlib.pyplot").close("all")

    def ensemble(self, window: Field) -> xr.Dataset:
        """Ensemble of the published method."""
        plan = self.plan
        method = {"tile": None, **plan.published}
        samples = {"latent_samples": plan.latent_samples}
        return twin.ensemble(open_field(window), plan.factor, method, members=plan.ensemble, **samples, **self.common)


def by_factor(run: Run) -> Iterator[Record]:
    """Claims a to c on each field, figures 3 and 4."""
    plan = run.plan
    methods = {"dip": {"tile": None, **plan.published, "noise_std": None}, "bicubic": {"method": "bicubic"}}
    for number, window in enumerate(plan.fields):
        truth = open_field(window)
        noise = (0.0, plan.noise * float(truth.std()))
        common = {"members": plan.members, "noise_std": noise, **run.common}
        # one call for each factor: a broken run loses no more than one
        scores = xr.concat([twin.experiment(truth, [factor], methods, **common) for factor in plan.factors], "factor")
        yield from _verdicts(twin.judge(scores), window, "abc", "published")
        if number == 0:
            run.draw("by_factor", _draw_by_factor(scores, str(plan.published["preset"])))


def _draw_by_factor(scores: xr.Dataset, published: str) -> object:
    """Draw RMSE and, where there is one, SSIM side by side; the prior is called by its preset."""
    shown = [name for name in ("rmse", "ssim") if name in scores]
    subplots = importlib.import_module("matplotlib.pyplot").subplots
    panels = subplots(1, len(shown), figsize=(5.5 * len(shown), 4.2), layout="constrained", squeeze=False)[1][0]
    for name, axes in zip(shown, panels, strict=True):
        twin.plot.by_factor(scores, name, names={"dip": published}, ax=axes)
    return panels[0]


def ensembles(run: Run) -> Iterator[Record]:
    """Claims d to g of the published method on each field, figures 8 to 10 of the first."""
    for number, window in enumerate(run.plan.fields):
        parts = run.ensemble(window)
        yield from _verdicts(twin.judge(parts=parts), window, "defg", "published")
        if number == 0:
            rows, columns = parts.error.shape
            title = f"{window.name}, {rows} x {columns} cells, x{run.plan.factor}"
            run.draw("spreads", twin.plot.spreads(parts, title=title))
            run.draw("members", twin.plot.members(parts))


def quick_ensembles(run: Run) -> Iterator[Record]:
    """Claims d, f and g of the quick network, on each field."""
    plan = run.plan
    for window in plan.fields:
        method = {"tile": None, **plan.quick}
        parts = twin.ensemble(open_field(window), plan.factor, method, members=plan.ensemble, **run.common)
        yield from _verdicts(twin.judge(parts=parts), window, "dfg", "quick")


def sizes(run: Run) -> Iterator[Record]:
    """Score over the size of the ensemble, figure 6, with the quick network on a small window."""
    plan = run.plan
    parts = twin.ensemble(
        open_field(plan.small), plan.small_factor, {"tile": None, **plan.quick}, members=plan.most, **run.common
    )
    best, bicubic = float(parts.member_rmse.min()), float(parts.bicubic_rmse)
    for size in sorted({1, 2, min(5, plan.most), min(10, plan.most), plan.most}):
        score = float(parts.rmse.sel(size=size))
        yield {"field": plan.small.name, "what": str(size), "rmse": score, "best": best, "bicubic": bicubic}
    run.draw("sizes", twin.plot.ensemble_size(parts))


def sections(run: Run) -> Iterator[Record]:
    """Sections at each resolution, figure 5."""
    plan = run.plan
    factors = [factor for factor in plan.factors if factor >= 4][:2]
    methods = {"dip": {"tile": None, **plan.published}, "bicubic": {"method": "bicubic"}}
    cuts = twin.sections(open_field(plan.fields[0]), factors, methods, members=1, **run.common)
    for factor in factors:
        error = cuts.estimate.sel(factor=factor) - cuts.truth
        for method in methods:
            score = float((error.sel(estimator=method) ** 2).mean() ** 0.5)
            yield {"field": plan.fields[0].name, "factor": factor, "what": method, "rmse": score}
    run.draw("sections", twin.plot.sections(cuts))


def days(run: Run) -> Iterator[Record]:
    """Many windows and days at one factor, figure 7, one fit of the published method each."""
    plan = run.plan
    methods = {"dip": {"tile": None, **plan.published, "members": 1}, "bicubic": {"method": "bicubic"}}
    found = []
    for window in plan.days:
        scores = twin.experiment(open_field(window), [plan.factor], methods, **run.common)
        found.append(scores)
        for method in methods:
            score = float(scores.rmse.sel(estimator=method).item())
            yield {"field": window.name, "factor": plan.factor, "what": method, "rmse": score}
    run.draw("days", twin.plot.days(xr.concat(found, "day"), "dip"))


def losses(run: Run) -> Iterator[Record]:
    """PSNR and SSIM over iterations, mean square against Charbonnier."""
    plan = run.plan
    names, common = ("mse", "charbonnier"), {name: part for name, part in run.common.items() if name != "progress"}
    preset = {"preset": plan.published["preset"]}
    found = twin.losses(
        open_field(plan.fields[0]),
        plan.factor,
        names,
        preset,
        iterations=plan.iterations,
        every=plan.every,
        **common,
    )
    for name in names:
        fits = found.sel(loss=name).mean("member")
        numbers = {"psnr": float(fits.psnr[-1]), "ssim": float(fits.ssim[-1]), "best_psnr": float(fits.psnr.max())}
        yield {"field": plan.fields[0].name, "factor": plan.factor, "what": name, **numbers}
    run.draw("losses_psnr", twin.plot.losses(found, "psnr"))
    run.draw("losses_ssim", twin.plot.losses(found, "ssim"))


def enforcement(run: Run) -> Iterator[Record]:
    """With and without enforcement."""
    plan = run.plan
    forms = {"none": {}, "additive": {}, "smooth": {}, "geiss": {"value_range": (-3.0, 3.0)}}
    method = {"tile": None, **plan.published}
    found = twin.enforcement(open_field(plan.fields[0]), plan.factor, forms, method, members=plan.members, **run.common)
    for form in forms:
        numbers = {name: float(found[name].sel(constraint=form)) for name in ("rmse", "ssim", "gradient_rmse")}
        numbers["conservation_error"] = float(found.conservation_error.sel(constraint=form))
        numbers["volume_error"] = float(found.volume_error.sel(constraint=form))
        yield {"field": plan.fields[0].name, "factor": plan.factor, "what": form, **numbers}
    run.draw("enforcement", twin.plot.enforcement(found))


def impedance(run: Run) -> Iterator[Record]:
    """Fit the published network to a field, to that with noise, to its shuffled values, and to noise."""
    plan = run.plan
    preset = str(plan.published["preset"])
    found = analysis.impedance(open_field(plan.small), preset=preset, iterations=plan.iterations or 500, seed=plan.seed)
    for target in found.target.values:
        loss = found.loss.sel(target=target)[..., -(found.sizes["iteration"] // 10) :].median()
        yield {"field": plan.small.name, "what": str(target), "loss": float(loss)}
    run.draw("impedance", analysis.plot.impedance(found))


def recurrence(run: Run) -> Iterator[Record]:
    """Nearest patches within a field and in another one."""
    first, *others = [open_field(window) for window in run.plan.fields]
    other = others[0] if others else None
    found = analysis.patch_recurrence(first, other, scales=(1, 2), stride=2)
    for name in ("internal", "external"):
        if name in found:
            within = run.plan.fields[0 if name == "internal" else 1].name
            yield {"field": run.plan.fields[0].name, "what": f"{name}: {within}", "error": float(found[name].mean())}
    run.draw("recurrence", analysis.plot.patch_recurrence(found))


PARTS: dict[str, Callable[[Run], Iterator[Record]]] = {
    "recurrence": recurrence,
    "impedance": impedance,
    "sizes": sizes,
    "quick_ensembles": quick_ensembles,
    "ensembles": ensembles,
    "by_factor": by_factor,
    "losses": losses,
    "enforcement": enforcement,
    "sections": sections,
    "days": days,
}
"""In the order of what they cost."""


def _verdicts(found: xr.Dataset, window: Field, letters: str, method: str) -> Iterator[Record]:
    for letter in letters:
        one = found.sel(claim=letter)
        words = {name: one[name].item() for name in ("statement", "verdict", "evidence", "value")}
        yield {"field": window.name, "what": letter, "method": method, **words}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(folder="claims")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="as in xr_dip.downscale (default: cpu)")
    parser.add_argument("--quick", action="store_true", help="a synthetic field and few steps: under a minute")
    parser.add_argument("--out", type=Path, help="folder (default: docs/claims; demo-output/benchmarks with --quick)")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS), help="default: all")
    parser.add_argument("--cache", type=Path, default=TRIAL.parent / "claims", help="folder of results")
    parser.add_argument("--fresh", action="store_true", help="run all parts again")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then write the page."""
    options = parse(arguments)
    plan = replace(QUICK if options.quick else Plan(), seed=options.seed)
    out = output_folder(options)
    out.mkdir(parents=True, exist_ok=True)
    store = Store(out / "claims.json", options.fresh)
    run = Run(plan, out, options.cache, options.device)
    warnings.filterwarnings("ignore", "One member has no spread")
    for part in options.parts:
        run_part(part, run, store)
    keys = {part: plan.key(part) for part in PARTS}
    records = {part: _of(store, key) for part, key in keys.items()}
    write_claims(
        out / "claims.md",
        records,
        plan,
        f"python benchmarks/claims.py{' --quick' if options.quick else ''} --seed {options.seed}",
    )
    return 0


def run_part(part: str, run: Run, store: Store) -> None:
    """Run one part, unless its records are there."""
    key = run.plan.key(part)
    if f"{key}_end" in store:
        print(f"{part}: done", flush=True)
        return
    start, common = time.perf_counter(), {"part": part, "code": code_hash(), "machine": machine(run.device)}
    base = {"factor": run.plan.factor, "noise": 0.0, "method": "", "members": None}
    for number, record in enumerate(PARTS[part](run)):
        store.add({"key": f"{key}_{number}", **base, **record, **common})
    seconds = time.perf_counter() - start
    store.add({"key": f"{key}_end", **base, "field": "", "what": "end", "seconds": seconds, **common})
    print(f"{part}: {seconds:.0f} s", flush=True)


def _of(store: Store, key: str) -> list[Record]:
    """Return the records of a part, in the order in which they were made."""
    found = {name: record for name, record in store.records.items() if name.startswith(f"{key}_")}
    numbered = [name for name in found if not name.endswith("_end")]
    return [found[name] for name in sorted(numbered, key=lambda name: int(name.rpartition("_")[2]))]


if __name__ == "__main__":
    sys.exit(main())
