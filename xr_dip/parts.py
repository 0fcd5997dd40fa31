"""Parts that go together: what is refused, or warned of, before a recipe is made of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from inspect import signature
from typing import Any

from xr_dip.blocks import Factor
from xr_dip.constraints import KEPT_WITH_NOISE, make_constraint
from xr_dip.errors import DipWarning
from xr_dip.generators import GENERATORS, WITH_OWN_PENALTY
from xr_dip.presets import Preset


def for_noise(preset: Preset, asked: str | None) -> Preset:
    """Return a preset that does not keep the noise of the values.

    Parameters
    ----------
    preset : Preset
    asked : str or None
        The constraint that the user named, if one was.

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        If a constraint was named that would keep the noise.

    Examples
    --------
    >>> from xr_dip.presets import balanced
    >>> for_noise(balanced((4, 4)).override(constraint="smooth"), None).constraint
    'none'
    """
    allowed = list(KEPT_WITH_NOISE)
    if asked is not None and asked not in allowed:
        raise ValueError(
            f"Invalid constraint {asked!r} with noise_std. Noisy values are not to be kept exactly: it must be one of "
            f"{allowed}."
        )
    return preset if preset.constraint in allowed else preset.override(constraint="none")


def warn_of_idle_penalty(preset: Preset) -> None:
    """Warn where holding the values by their mean square only multiplies a loss that is just that.

    Parameters
    ----------
    preset : Preset

    Warns
    -----
    DipWarning

    Examples
    --------
    >>> from xr_dip.presets import balanced
    >>> warn_of_idle_penalty(balanced((4, 4)))
    """
    alone = list(preset.penalties_of_fits()) == ["coarse_misfit"] and preset.generator not in WITH_OWN_PENALTY
    if preset.loss == "mse" and alone:
        asked = "The constraint 'soft'" if preset.constraint == "soft" else "The penalty 'coarse_misfit'"
        warnings.warn(
            f"{asked} changes nothing here: beside the loss 'mse' alone it only multiplies it. It holds the values "
            "against other penalties, those of a generator, or beside another loss, such as 'l1'.",
            DipWarning,
            stacklevel=4,
        )


def check_uncertainty(preset: Preset, factor: Factor, latent_samples: int, *, perturb: bool, noisy: bool) -> None:
    """Refuse sources of spread that there are not.

    Parameters
    ----------
    preset : Preset
    factor : (int, int)
    latent_samples : int
        Further latents of each network; 0 for none.
    perturb, noisy : bool
        Whether members see noise of their own, and whether its size was given.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from xr_dip.presets import balanced
    >>> check_uncertainty(balanced((4, 4)), (4, 4), 0, perturb=False, noisy=False)
    """
    if perturb and not noisy:
        raise ValueError(
            "Invalid perturb_observations True without noise_std. It must come with the size of the noise."
        )
    small = GENERATORS[preset.generator]((2, 2), factor, 0, **preset.options_of_member(0)) if latent_samples else None
    if small is not None and small.redrawn_by is None:
        raise ValueError(
            f"Invalid latent_samples {latent_samples} with the generator {preset.generator!r}. It must be None, for "
            "this network has one latent; 'dcgan' and 'skip' draw theirs anew in each iteration."
        )


def check_constraint(preset: Preset) -> None:
    """Refuse options that the constraint cannot use.

    Parameters
    ----------
    preset : Preset

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from xr_dip.presets import balanced
    >>> check_constraint(balanced((4, 4)))
    """
    if "correction" in preset.penalties and "value_range" not in preset.constraint_options:
        raise ValueError(
            f"Invalid penalty 'correction' with the constraint {preset.constraint!r}. It must come with 'geiss' or "
            "'scadd', whose correction it is of."
        )
    if preset.constraint != "optimal":
        make_constraint(preset.constraint, preset.constraint_options)
    elif preset.constraint_options:
        raise ValueError(
            f"Invalid constraint_options {preset.constraint_options}. They must be none: the constraint 'optimal' has "
            "no options."
        )


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that are no mapping.

    Parameters
    ----------
    options : mapping
        By the name of the argument; None for none.

    Raises
    ------
    TypeError

    Examples
    --------
    >>> check_options({"generator_options": 3})
    Traceback (most recent call last):
    ...
    TypeError: Invalid generator_options 3. It must be a mapping from names to values.
    """
    for argument, value in options.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(f"Invalid {argument} {value!r}. It must be a mapping from names to values.")


def check_generator(preset: Preset, factor: Factor) -> None:
    """Refuse options that the generator cannot use: a small one is made.

    Parameters
    ----------
    preset : Preset
        Its generator and the options of it.
    factor : (int, int)

    Raises
    ------
    ValueError
        If an option is unknown, or the generator refuses its value.
    """
    make = GENERATORS[preset.generator]
    known = sorted(set(signature(make).parameters) - {"shape", "factor", "seed", "periodic"})
    unknown = sorted(set(preset.generator_options) - set(known))
    if unknown:
        raise ValueError(
            f"Invalid generator_options {unknown}. They must be among those of the generator {preset.generator!r}: "
            f"{known}."
        )
    make((2, 2), factor, 0, **preset.options_of_member(0))
