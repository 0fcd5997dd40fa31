"""Every part by its name on the command line: odd sizes, with land."""

import dataclasses
import json
from itertools import cycle

import pytest
import xarray as xr
from click.testing import CliRunner
from test_parts import BOUNDS, SMALL, check, large_field

from xr_dip import presets
from xr_dip.cli import main
from xr_dip.constraints import CONSTRAINT_NAMES, NOT_ENFORCED
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.penalties import PENALTIES
from xr_dip.generators import GENERATORS
from xr_dip.observing.kernels import KERNELS

OPERATOR_OPTIONS = {"gaussian": {"width": 0.4}, "fir": {"kernel": (1, 2, 3, 2, 1)}}
# A raw squared misfit beside the misfit itself would change nothing.
ABSOLUTE = {"loss": "l1"}
OF_A_RANGE = {"constraint": "geiss", "constraint_options": BOUNDS["geiss"]}
KINDS = [
    [{"generator": name, "generator_options": SMALL[name]} for name in GENERATORS],
    [{"loss": name} for name in LOSSES],
    [{"constraint": name, "constraint_options": BOUNDS.get(name, {}), **ABSOLUTE} for name in CONSTRAINT_NAMES],
    [{"operator": name, "operator_options": OPERATOR_OPTIONS.get(name, {})} for name in KERNELS],
    [{"penalties": {name: 0.1}, **(OF_A_RANGE if name == "correction" else ABSOLUTE)} for name in PENALTIES],
]
# One factor for each part, both for each kind: what differs by factor is tested without the command line.
CASES = [case for parts in KINDS for case in zip(parts, cycle((3, 5)), strict=False)]
FLAGS = {
    "generator_options": "--generator-option",
    "constraint_options": "--constraint-option",
    "operator_options": "--operator-option",
    "penalties": "--penalty",
}


@pytest.fixture
def hasty(monkeypatch):
    """Name of a preset of three steps, without kriging."""

    def make(factor):
        options = {**presets.fast(factor).generator_options, "channels": 4}
        small = dataclasses.replace(presets.fast(factor), iterations=3, whitening=0.0, generator_options=options)
        return dataclasses.replace(small, constraint="additive")

    monkeypatch.setitem(presets.PRESETS, "hasty", make)
    return "hasty"


def field():
    """21 x 29 cells, still odd and with land: kriging of all 37 x 53 takes seconds."""
    return large_field().isel(lat=slice(21), lon=slice(29))


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / "coarse.nc"
    field().to_dataset().to_netcdf(path)
    return path


def words(part):
    """Yield the options of a part as they are typed."""
    for name, value in part.items():
        if name not in FLAGS:
            yield from (f"--{name}", value)
            continue
        for key, option in value.items():
            typed = ",".join(map(str, option)) if isinstance(option, tuple) else option
            yield from (FLAGS[name], f"{key}={typed}")


def name_of(part):
    return "-".join(str(value if isinstance(value, str) else next(iter(value))) for value in part.values() if value)


@pytest.mark.parametrize(("part", "factor"), CASES, ids=lambda case: name_of(case) if isinstance(case, dict) else None)
def test_every_part_by_its_name_on_the_command_line(hasty, coarse, tmp_path, part, factor):
    common = ("--factor", factor, "--members", 2, "--preset", hasty, "--device", "cpu", "--tile", "none", "--quiet")
    arguments = ("downscale", coarse, tmp_path / "fine.nc", "--var", "ssh", *common, *words(part))
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 0, result.stderr
    with xr.open_dataset(tmp_path / "fine.nc") as fine:
        check(fine, field(), factor, exact=part.get("constraint") not in NOT_ENFORCED)
        configuration = json.loads(fine.attrs["xr_dip_configuration"])
    for name, value in json.loads(json.dumps(part)).items():
        chosen = configuration[name]
        assert (chosen if isinstance(value, str) else {key: chosen[key] for key in value}) == value
