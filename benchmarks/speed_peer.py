"""The deep image prior of a general library, deepinv, beside ours: the same coarse field, members and steps.

deepinv is no dependency. Where it cannot be imported the table says how to get it.

References
----------
Tachella et al. 2025, DeepInverse: a Python package for solving imaging inverse problems with deep learning,
arXiv:2505.20160. Darestani, Heckel 2021, Accelerated MRI with un-trained neural networks, the network.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from cases import PAPER, Record, Twin, estimate, make_twin, number
from fields import FIELDS, SYNTHETIC, open_field, select
from speed_loop import FACTOR, FIELD
from tables import NOTHING, millimetres, show, table
from timing import one_core, race, ratio, times_of, warm_up, with_steps

from xr_dip.presets import PRESETS
from xr_dip.verification import rmse

PEER = "deepinv"
OURS = ("balanced", PAPER)
MEMBERS = 2
CHANNELS, START, RATE = 64, (2, 2), 1e-2
"""Of the network and of Adam: those of the library's own example of a deep image prior."""
HOW_TO = "not installed: `pip install deepinv` in an environment that has the pinned torch and its torchvision"


def measure(options: argparse.Namespace) -> list[Record]:
    """Return one record per method."""
    field = select((*FIELDS, SYNTHETIC), options.fields or [FIELD])[0]
    factor = (options.factors or (FACTOR,))[0]
    twin = make_twin(open_field(field), factor)
    steps = options.peer_steps or PRESETS["balanced"]((factor, factor)).iterations
    common = {"case": f"{field.name} x{factor}", "members": MEMBERS, "steps": steps}
    errors: dict[str, float] = {}

    def ours(method: str) -> Callable[[], None]:
        def run() -> None:
            with one_core(), with_steps(method, steps):
                result = estimate(twin, factor, method, members=MEMBERS, seed=options.seed, device=options.device)
            errors[method] = float(rmse(result[f"{twin.fine.name}_mean"], twin.fine, dims=twin.dims))

        return run

    def theirs() -> None:
        with one_core():
            mean = fit_with_deepinv(twin, factor, steps, options.seed, options.device)
        errors[PEER] = float(rmse(mean, twin.fine, dims=twin.dims))

    warm_up(options.device)
    runs = {method: ours(method) for method in OURS}
    version = peer_version()
    times = race(runs if version is None else {PEER: theirs, **runs}, options.rounds)
    missing = [] if version else [{**common, "method": PEER, "reason": HOW_TO}]
    return missing + [
        {
            **common,
            "method": name,
            "version": version if name == PEER else None,
            "rmse": errors[name],
            "seconds": found.record(),
        }
        for name, found in times.items()
    ]


def peer_version() -> str | None:
    """Return the version of deepinv; None where it cannot be imported."""
    try:
        module = importlib.import_module(PEER)
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision made for another build of torch
        return None
    return str(module.__version__)


def fit_with_deepinv(twin: Twin, factor: int, steps: int, seed: int, device: str) -> xr.DataArray:
    """Return the mean of the members, each fitted by deepinv to the standardised coarse field, on one thread."""
    import torch
    from torch.nn.functional import avg_pool2d

    models, physics = (importlib.import_module(f"{PEER}.{name}") for name in ("models", "physics"))
    block_mean = physics.LinearPhysics(A=lambda field, **_: avg_pool2d(field, factor))
    centre, scale = float(twin.coarse.mean()), float(twin.coarse.std())
    seen = torch.from_numpy(((twin.coarse.values - centre) / scale)[None, None]).float().to(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        members = [
            _member(models, seen, block_mean, twin.fine.shape, steps, seed + member) for member in range(MEMBERS)
        ]
    finally:
        torch.set_num_threads(threads)
    return twin.fine.copy(data=np.mean(members, axis=0) * scale + centre)


def _member(models: Any, seen: Any, physics: Any, shape: tuple[int, ...], steps: int, seed: int) -> Any:
    import torch

    torch.manual_seed(seed)
    network = models.ConvDecoder((1, *shape), in_size=START, channels=CHANNELS).to(seen.device)
    prior = models.DeepImagePrior(network, (CHANNELS, *START), iterations=steps, learning_rate=RATE)
    return prior(seen, physics)[0, 0].detach().cpu().double().numpy()


def sections(records: Sequence[Record]) -> list[str]:
    """Return the table."""
    if not records:
        return []
    by_name = {str(record["method"]): record for record in records}
    header = ["", "members", "steps", "s per member", "over `balanced`", "over `balanced`, processor time", "RMSE mm"]
    text = (
        f"`DeepImagePrior` of deepinv with its `ConvDecoder` of {CHANNELS} channels, Adam at {RATE:g} as in "
        "the library's example, and the published network and ours of this package, all with the same steps, members "
        "and coarse field, on one core. The seconds of `balanced` include kriging and calibration; the others only fit."
    )
    return [
        f"## Another library, {records[0]['case']}",
        text,
        table(header, [_row(record, by_name["balanced"]) for record in records]),
    ]


def _row(record: Record, ours: Record) -> list[str]:
    count, steps = int(number(record, "members")), str(record["steps"])
    if "reason" in record:
        return [str(record["method"]), str(count), steps, str(record["reason"]), NOTHING, NOTHING, NOTHING]
    times, reference = times_of(record), times_of(ours)
    name = " ".join(filter(None, [str(record["method"]), record.get("version") and str(record["version"])]))
    return [
        name,
        str(count),
        steps,
        show(times.median / count, 2),
        show(ratio(times.wall, reference.wall), 1),
        show(ratio(times.cpu, reference.cpu), 1),
        millimetres(number(record, "rmse")),
    ]
