"""The recipe of an estimate: plain numbers and names that travel to any worker, never a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import Factor, FloatArray
from xr_dip.checks import check_name
from xr_dip.constraints import CONSTRAINT_NAMES
from xr_dip.fitting.fit import FitConfig
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.penalties import check_penalties
from xr_dip.fitting.stopping import STOPPING
from xr_dip.generators import GENERATORS
from xr_dip.inputs import Target
from xr_dip.kriging.white_noise import Place
from xr_dip.noise import NoiseField, noise_of
from xr_dip.observation import describe, kernel_of, misfit_of, with_operator
from xr_dip.observing.kernel import ObservationKernel
from xr_dip.observing.sampling import Misfit
from xr_dip.parts import (
    check_constraint,
    check_generator,
    check_options,
    check_uncertainty,
    for_noise,
    warn_of_idle_penalty,
)
from xr_dip.presets import PRESETS, Preset
from xr_dip.tiling import Tile, Tiling


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
    noise_std : float, NoiseField or None
        In the unit of the field.
    seed : int
    device : str
    batch : int or None
        Members fitted together; None chooses.
    name : str
        Of the field, for messages.
    largest : float
    periodic, extrapolate : bool
        See `xr_dip.inputs.Target`.
    tiling : Tiling or None
        Of a domain that is divided.
    tile : Tile or None
        The part that this is the recipe of.
    spacings : tuple of (float, float)
        Size of a fine cell in each tile: along a meridian it changes.
    latent_samples : int
        Further latents drawn through each fitted network.
    perturb_observations : bool
        Whether each member sees values with noise of its own.
    """

    factor: Factor
    spacing: tuple[float, float]
    mask: npt.NDArray[np.bool_] | None
    weights: npt.NDArray[np.float64] | None
    preset_name: str
    preset: Preset
    members: int
    noise_std: float | NoiseField | None
    seed: int
    device: str
    batch: int | None
    name: str
    largest: float
    periodic: bool = False
    extrapolate: bool = False
    tiling: Tiling | None = None
    tile: Tile | None = None
    spacings: tuple[tuple[float, float], ...] = ()
    latent_samples: int = 0
    perturb_observations: bool = False

    def of_tile(self, tile: Tile) -> Recipe:
        """Return the recipe of a part of the domain."""
        assert self.tiling is not None
        return replace(
            self,
            mask=None if self.mask is None else tile.cut(self.mask, self.factor),
            weights=None if self.weights is None else tile.cut(self.weights, self.factor),
            periodic=self.tiling.is_circle(tile),
            spacing=self.spacings[tile.number],
            tile=tile,
        )

    def noise_of(self, values: FloatArray, stamp: int) -> float | FloatArray:
        """Return the variance of the noise of coarse values (ny, nx) of a time; 0 where they are exact."""
        return noise_of(self.noise_std, values, stamp, self.tile)

    @property
    def needs_covariance(self) -> bool:
        """Whether anything asks for kriging."""
        return bool(self.preset.whitening) or self.preset.constraint == "optimal"

    @property
    def kernel(self) -> ObservationKernel | None:
        """What the coarse values were seen through; None for block means."""
        return kernel_of(self.preset.operator, self.preset.operator_options, self.factor)

    @property
    def misfit(self) -> Misfit:
        """What says how far a field is from the coarse values."""
        return misfit_of(self.kernel, periodic=self.periodic)

    @property
    def tile_label(self) -> tuple[int, ...]:
        """What tells the random numbers of a tile from those of others; nothing for a whole domain."""
        return () if self.tile is None else (self.tile.number,)

    @property
    def place(self) -> Place:
        """Where the window lies, for noise that belongs to a place."""
        return Place() if self.tiling is None or self.tile is None else self.tiling.place(self.tile)

    @property
    def fit_config(self) -> FitConfig:
        """Numbers of the optimisation."""
        preset = self.preset
        return FitConfig(
            preset.iterations,
            preset.learning_rate,
            preset.betas,
            preset.schedule,
            preset.keep,
            latents=self.latent_samples,
        )

    def configuration(self) -> dict[str, object]:
        """Return everything that changes a result, as plain values; the device does not."""
        return {
            "preset": self.preset_name,
            **asdict(self.preset),
            "operator_options": describe(self.preset.operator_options),
            "members": self.members,
            "noise_std": str(self.noise_std) if isinstance(self.noise_std, NoiseField) else self.noise_std,
            "perturb_observations": self.perturb_observations,
            "latent_samples": self.latent_samples,
            "seed": self.seed,
            "tile": None if self.tiling is None else list(self.tiling[0].shape),
            "overlap": None if self.tiling is None else self.tiling.overlap,
        }


def make_recipe(
    target: Target,
    *,
    members: int,
    preset: str,
    parts: Mapping[str, str | None],
    options: Mapping[str, Mapping[str, Any] | None],
    noise_std: float | NoiseField | None,
    seed: int,
    device: str,
    name: str,
    batch: int | None = None,
    tiling: Tiling | None = None,
    latent_samples: int = 0,
    perturb_observations: bool = False,
) -> Recipe:
    """Check names and device and put a recipe together.

    Parameters
    ----------
    target : Target
    members : int
    preset : str
    parts : mapping
        Names of the generator, loss, constraint and operator to take instead of the preset's; None leaves its own.
    noise_std : float, NoiseField or None
        With noise the constraint is off and fits stop at the noise.
    seed : int
    device : str
    name : str
    batch : int, optional
        Members fitted together.
    tiling : Tiling, optional
        How the domain is divided, if it is.
    latent_samples : int
        Further latents drawn through each fitted network.
    perturb_observations : bool
        Whether each member sees values with noise of its own.

    Returns
    -------
    Recipe

    Raises
    ------
    TypeError
        If options are no mapping.
    ValueError
        If a name, an option or the device is unknown, or the generator or the noise do not go with what is asked.
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
    check_options(options or {})
    chosen = PRESETS[preset](target.factor).override(**parts, **(options or {}))  # type: ignore[arg-type]
    dims = (target.horizontal.y_dim, target.horizontal.x_dim)
    chosen = with_operator(
        chosen, target.factor, constraint=parts.get("constraint"), exact=noise_std is None, dims=dims
    )
    check_penalties(chosen.penalties)
    check_constraint(chosen)
    if options is not None and options.get("generator_options"):
        check_generator(chosen, target.factor)
    if noise_std is not None:
        chosen = for_noise(chosen, asked=parts.get("constraint")).override(stopping="discrepancy")
    warn_of_idle_penalty(chosen)
    check_name("stopping", chosen.stopping, STOPPING)
    check_uncertainty(chosen, target.factor, latent_samples, perturb=perturb_observations, noisy=noise_std is not None)
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
        batch=batch,
        name=name,
        largest=target.largest,
        periodic=target.periodic,
        extrapolate=target.extrapolate,
        tiling=tiling,
        spacings=() if tiling is None else tuple(_spacing(target, tile) for tile in tiling),
        latent_samples=latent_samples,
        perturb_observations=perturb_observations,
    )


def _spacing(target: Target, tile: Tile) -> tuple[float, float]:
    """Size of a fine cell of a tile along y and x, metres; where all its positions are missing, that of the domain."""
    rows, columns = (slice(*stretch.core) for stretch in (tile.rows, tile.columns))
    found = target.horizontal.grid.window(rows, columns).spacing()
    if not np.isfinite(found).all():
        return target.fine_grid.spacing()
    return found[0] / target.factor[0], found[1] / target.factor[1]


def describe_device(device: str) -> str:
    """Name a device for those who read of it: a GPU with its model.

    Parameters
    ----------
    device : str
        Of `find_device`.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_device("cpu")
    'cpu'
    """
    return device if device == "cpu" else f"{device} ({torch.cuda.get_device_name(device)})"


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
