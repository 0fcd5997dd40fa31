"""Real files that are odd in one way or another: undeclared fill values, zeros on land, no coordinates, a projection.

As the samples of `xr_dip.samples`, they stay in the public repositories that hold them. They are looked for in the
folder that `XR_DIP_ROBUSTNESS_DIR` names, else in `robustness` beside the folder that `XR_DIP_DATA_DIR` names, else in
pooch's cache, where they are downloaded. Tests that open them are marked `samples`.
"""

import json
import os
from pathlib import Path

import pooch
import xarray as xr

ENVIRONMENT = "XR_DIP_ROBUSTNESS_DIR"
_ROWS = json.loads(Path(__file__).with_name("robustness_registry.json").read_text(encoding="utf-8"))
_FILES = {row["name"]: row for row in _ROWS}

NAMES = tuple(_FILES)
"""duacs_undeclared_fill, duacs_without_time, orca1, cmip_bcc, croco, croco_constant, arctic, mars3d."""

VARIABLES = {name: row["variable"] for name, row in _FILES.items()}
"""The sea surface height of each file."""


def open_robustness(name: str, **options) -> xr.Dataset:
    """Open a file of this name; its hash is checked. Options go to `xarray.open_dataset`."""
    cache = pooch.create(
        path=_folder(),
        base_url="",
        registry={row["file"]: f"sha256:{row['sha256']}" for row in _ROWS},
        urls={row["file"]: row["url"] for row in _ROWS},
    )
    return xr.open_dataset(cache.fetch(_FILES[name]["file"]), **options)


def _folder() -> Path:
    given, samples = os.environ.get(ENVIRONMENT), os.environ.get("XR_DIP_DATA_DIR")
    if given:
        return Path(given)
    beside = Path(samples).absolute().parent / "robustness" if samples else Path()
    return beside if samples and beside.is_dir() else Path(pooch.os_cache("xr_dip")) / "robustness"
