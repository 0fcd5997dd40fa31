"""How much a network resists what is not a picture: losses of fits to a field, and to what is made of its values."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.arrays import check_array
from xr_dip.cf.horizontal import find_horizontal
from xr_dip.checks import check_members, check_name, check_seed, check_whole
from xr_dip.presets import PRESETS, Preset

FloatArray = npt.NDArray[np.float64]

FACTOR = (1, 1)
"""A field is fitted at its own resolution."""
TARGETS = ("field", "field and noise", "shuffled", "noise")
"""What is fitted: the field; with white noise added; its values in random places; white noise."""


def impedance(
    field: xr.DataArray,
    *,
    targets: Sequence[str] = TARGETS,
    noise_share: float = 0.5,
    preset: str = "archambault2022",
    generator: str | None = None,
    generator_options: Mapping[str, Any] | None = None,
    iterations: int | None = None,
    members: int = 1,
    seed: int = 0,
    device: str = "cpu",
    x_dim: str | None = None,
    y_dim: str | None = None,
) -> xr.Dataset:
    """Fit the same network to a field, to the field with noise, to its values in random places, and to noise.

    A network that fits fields sooner than noise is a prior for fields. All targets have mean zero and standard
    deviation one over the sea, and every fit of one number begins from the same weights, so that their losses compare.

    Parameters
    ----------
    field : DataArray, dimensions (y, x)
        Fine field of one time, at its own resolution; NaN on land, which is not fitted.
    targets : sequence of str
        Of `TARGETS`.
    noise_share : float
        Standard deviation of the noise that is added, as a share of that of the field; not negative.
    preset, generator, generator_options
        As for `xr_dip.downscale`.
    iterations : int, optional
        By default those of the preset.
    members : int
        Fits of each target.
    seed : int
    device : str
        As for `xr_dip.downscale`.
    x_dim, y_dim : str, optional
        Names of the horizontal dimensions, where they cannot be found.

    Returns
    -------
    Dataset, dimensions (target, member, iteration)
        ``loss``, the mean square misfit before each step: 1 is no fit at all.

    Raises
    ------
    TypeError
        If the field is no DataArray, or options are no mapping.
    ValueError
        If the field is of several times, constant or infinite somewhere, or an argument is unknown or out of range.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky 2018, Deep image prior, figure 2; Czerkawski 2024, Internal learning for satellite image
    super-resolution.

    Examples
    --------
    >>> from xr_dip import synthetic
    >>> field = synthetic.gulf_stream((24, 24)).ssh
    >>> found = impedance(field, preset="fast", generator_options={"channels": 8}, iterations=30)
    >>> last = found.loss.isel(iteration=-1, member=0)
    >>> bool(last.sel(target="field") < last.sel(target="noise"))
    True
    """
    values = _standard(field, x_dim, y_dim)
    for target in _listed(targets):
        check_name("target", target, list(TARGETS))
    chosen = _choose(preset, generator, generator_options)
    steps = chosen.iterations if iterations is None else check_whole("iterations", iterations)
    if not (np.isfinite(noise_share) and noise_share >= 0):
        raise ValueError(f"Invalid noise_share {noise_share!r}. It must be finite and not negative.")
    found = importlib.import_module("xr_dip.recipe").find_device(device)
    fields = make_targets(values, noise_share, check_seed(seed))
    curves = np.stack(
        [
            [_losses(fields[target], chosen, steps, seed, member, found) for member in range(check_members(members))]
            for target in targets
        ]
    )
    attrs = {"long_name": "mean square misfit", "units": "1"}
    return xr.Dataset(
        {"loss": (("target", "member", "iteration"), curves, attrs)},
        {"target": list(targets), "iteration": np.arange(steps)},
        {"title": "impedance of a network", "generator": chosen.generator, "noise_share": noise_share, "seed": seed},
    )


def make_targets(values: FloatArray, noise_share: float, seed: int) -> dict[str, FloatArray]:
    """Return what is fitted, by name.

    Parameters
    ----------
    values : array, shape (ny, nx)
        Standardised, NaN on land.
    noise_share : float
    seed : int

    Returns
    -------
    dict of str to array
        Each with mean zero and standard deviation one over the sea.

    Examples
    --------
    >>> made = make_targets(np.array([[-1.0, 1.0]]), 0.5, 0)
    >>> sorted(made["shuffled"].ravel().tolist())
    [-1.0, 1.0]
    """
    rng = np.random.default_rng(seed)
    sea = np.isfinite(values)
    noise = rng.standard_normal(values.shape)
    shuffled = values.copy()
    shuffled[sea] = rng.permutation(values[sea])
    return {
        "field": standardised(values),
        "field and noise": standardised(values + noise_share * noise),
        "shuffled": standardised(shuffled),
        "noise": standardised(np.where(sea, noise, np.nan)),
    }


def standardised(values: FloatArray) -> FloatArray:
    """Return values of mean zero and standard deviation one, NaN left out.

    Parameters
    ----------
    values : array

    Returns
    -------
    array

    Examples
    --------
    >>> standardised(np.array([2.0, 4.0, np.nan]))
    array([-1.,  1., nan])
    """
    return np.asarray((values - np.nanmean(values)) / np.nanstd(values))


def _listed(targets: Sequence[str]) -> Sequence[str]:
    if isinstance(targets, str) or not targets:
        raise ValueError(f"Invalid targets {targets!r}. It must be a sequence with at least one of {list(TARGETS)}.")
    return targets


def _choose(preset: str, generator: str | None, options: Mapping[str, Any] | None) -> Preset:
    """Return the preset with another generator or options of it, checked as `xr_dip.downscale` does."""
    parts = importlib.import_module("xr_dip.parts")  # torch is imported here, not with the package
    parts.check_options({"generator_options": options})
    check_name("preset", preset, list(PRESETS))
    if generator is not None:
        check_name("generator", generator, list(importlib.import_module("xr_dip.generators").GENERATORS))
    chosen = PRESETS[preset](FACTOR).override(generator=generator, generator_options=options)
    if options:
        parts.check_generator(chosen, FACTOR)
    return chosen


def _standard(field: xr.DataArray, x_dim: str | None, y_dim: str | None) -> FloatArray:
    check_array(field, "field")
    horizontal = find_horizontal(field, x_dim=x_dim, y_dim=y_dim)
    dims = (horizontal.y_dim, horizontal.x_dim)
    extra = [dim for dim in field.dims if dim not in dims]
    if any(field.sizes[dim] > 1 for dim in extra):
        raise ValueError(f"Invalid field with dimensions {field.dims}. It must be one map: select one of {extra}.")
    values = field.squeeze(extra).transpose(*dims).values.astype(np.float64)
    if np.isinf(values).any():
        raise ValueError("Invalid field with infinite values. It must be finite, or NaN where there is no data.")
    if np.isnan(values).all():
        raise ValueError("Invalid field. Every value is NaN; there must be some sea.")
    if not np.nanstd(values) > 0:
        raise ValueError("Invalid field. It must not be constant: nothing is left to fit.")
    return standardised(values)


def _losses(values: FloatArray, preset: Any, steps: int, seed: int, member: int, device: str) -> FloatArray:
    """Loss before each step of one fit."""
    following = importlib.import_module("xr_dip.fitting.following")  # torch is imported here, not with the package
    fitting, stopping, ensemble = (
        importlib.import_module(f"xr_dip.fitting.{name}") for name in ("fit", "stopping", "ensemble")
    )
    problem = following.plain_problem(values, np.isfinite(values).astype(np.float64), FACTOR)
    first = ensemble.derive_seed(seed, member)
    make = following.attentive_factory(preset.generator, problem, FACTOR, first, preset.options_of_member(member))
    config = fitting.FitConfig(steps, preset.learning_rate, preset.betas, preset.schedule)
    return np.asarray(fitting.fit(make, problem, config, stopping.fixed, device).losses, dtype=np.float64)
