"""The recipe of an estimate: plain numbers and names that travel to any worker, never a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import Factor
from xr_dip.constraints import CONSTRAINT_NAMES
from xr_dip.fitting.fit import FitConfig
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.stopping import STOPPING
from xr_dip.generators import GENERATORS
from xr_dip.inputs import Target, check_name
from xr_dip.presets import PRESETS, Preset


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that an estimate depends on, besides the values and their time stamp.

    Attributes
    ----------
    factor : (int, int)
    spacing : (float, float)
        Size of a fine cell along y and x, metres.
    mask, weights : array or None
        On the fine grid, see `xr_dip.inputs.Target`.
    preset_name : str
    preset : Preset
    members : int
    noise_std : float or None
        In the unit of the field.
    seed : int
    device : str
    name : str
        Of the field, for messages.
    largest : float
    periodic, extrapolate : bool
        See `xr_dip.inputs.Target`.
    """

    factor: Factor
    spacing: tuple[float, float]
    mask: npt.NDArray[np.bool_] | None
    weights: npt.NDArray[np.float64] | None
    preset_name: str
    preset: Preset
    members: int
    noise_std: float | None
    seed: int
    device: str
    name: str
    largest: float
    periodic: bool = False
    extrapolate: bool = False

    @property
    def fit_config(self) -> FitConfig:
        """Numbers of the optimisation."""
        preset = self.preset
        return FitConfig(preset.iterations, preset.learning_rate, preset.betas, preset.schedule, preset.keep)

    def configuration(self) -> dict[str, object]:
        """Return everything that changes a result, as plain values; the device does not."""
        return {
            "preset": self.preset_name,
            **asdict(self.preset),
            "members": self.members,
            "noise_std": self.noise_std,
            "seed": self.seed,
        }


def make_recipe(
    target: Target,
    *,
    members: int,
    preset: str,
    parts: Mapping[str, str | None],
    noise_std: float | None,
    seed: int,
    device: str,
    name: str,
) -> Recipe:
    """Check names and device and put a recipe together.

    Parameters
    ----------
    target : Target
    members : int
    preset : str
    parts : mapping
        Names of the generator, loss, constraint and operator to take instead of the preset's; None leaves its own.
    noise_std : float or None
        With noise the constraint is off and fits stop at the noise.
    seed : int
    device : str
    name : str

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        If a name or the device is unknown.
    """
    check_name("preset", preset, list(PRESETS))
    tables: dict[str, Iterable[str]] = {
        "generator": GENERATORS,
        "loss": LOSSES,
        "constraint": CONSTRAINT_NAMES,
        "operator": OPERATORS,
    }
    for argument, part in parts.items():
        if part is not None:
            check_name(argument, part, list(tables[argument]))
    chosen = PRESETS[preset](target.factor).override(**parts)
    if noise_std is not None:
        chosen = chosen.override(stopping="discrepancy")
    check_name("stopping", chosen.stopping, STOPPING)
    return Recipe(
        factor=target.factor,
        spacing=target.fine_grid.spacing(),
        mask=target.mask,
        weights=target.weights,
        preset_name=preset,
        preset=chosen,
        members=members,
        noise_std=noise_std,
        seed=seed,
        device=find_device(device),
        name=name,
        largest=target.largest,
        periodic=target.periodic,
        extrapolate=target.extrapolate,
    )


def find_device(device: str) -> str:
    """Return the name of a device that exists.

    Parameters
    ----------
    device : str
        "auto" takes a GPU where there is one.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the device is not there.

    Examples
    --------
    >>> find_device("cpu")
    'cpu'
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    allowed = ["cpu"] + (["cuda"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]) * torch.cuda.is_available()
    if device not in allowed:
        raise ValueError(f"Invalid device {device!r}. It must be 'auto' or one of those here: {allowed}.")
    return device
