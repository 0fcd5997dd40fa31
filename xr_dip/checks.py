"""Single arguments that need no field to be checked: each error names argument, value and rule."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np


def check_whole(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number, or say what is wrong with it.

    Examples
    --------
    >>> check_whole("steps", 0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid steps 0. It must be a whole number of at least 1.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool_) or number < least:
        raise ValueError(f"Invalid {name} {value!r}. It must be a whole number of at least {least}.")
    return number


def check_members(members: Any) -> int:
    """Return the number of members, at least 1.

    Examples
    --------
    >>> check_members(0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid members 0. It must be a whole number of at least 1.
    """
    return check_whole("members", members)


def check_batch(batch: Any, *, warm: bool = False) -> int | None:
    """Return the number of members fitted together, at least 1; or None. With warm starts there is no other than 1.

    Examples
    --------
    >>> check_batch(0)
    Traceback (most recent call last):
    ...
    ValueError: Invalid batch 0. It must be a whole number of at least 1.
    """
    if batch is None:
        return None
    size = check_whole("batch", batch)
    if warm and size > 1:
        raise ValueError(
            f"Invalid batch {size} with a warm start. It must be None or 1: members fitted together neither begin from "
            "what others have learned nor hand it on."
        )
    return size


def check_latent_samples(latent_samples: Any) -> int:
    """Return the number of further latents, at least 2, for one has no spread; 0 for None.

    Examples
    --------
    >>> check_latent_samples(1)
    Traceback (most recent call last):
    ...
    ValueError: Invalid latent_samples 1. It must be a whole number of at least 2.
    """
    return 0 if latent_samples is None else check_whole("latent_samples", latent_samples, least=2)


def check_seed(seed: Any) -> int:
    """Return the seed, not negative.

    Examples
    --------
    >>> check_seed(3)
    3
    """
    return check_whole("seed", seed, least=0)


def check_noise(noise_std: Any) -> float | None:
    """Return the standard deviation of the noise, positive, in the unit of the field; or None.

    Examples
    --------
    >>> check_noise(-0.01)
    Traceback (most recent call last):
    ...
    ValueError: Invalid noise_std -0.01. It must be a positive number in the unit of the field, or None; one for each \
coarse value is a DataArray or an array.
    """
    if noise_std is None:
        return None
    number = np.nan
    if np.ndim(noise_std) == 0 and not isinstance(noise_std, bool | np.bool_):
        with suppress(TypeError, ValueError):
            number = float(noise_std)
    if not (np.isfinite(number) and number > 0):
        given = repr(noise_std) if np.isscalar(noise_std) else f"of type {type(noise_std).__name__}"
        raise ValueError(
            f"Invalid noise_std {given}. It must be a positive number in the unit of the field, or None; one for each "
            "coarse value is a DataArray or an array."
        )
    return number


def check_flag(argument: str, flag: Any) -> bool:
    """Return True or False, and nothing that only looks like it.

    Examples
    --------
    >>> check_flag("perturb_observations", 0.02)
    Traceback (most recent call last):
    ...
    ValueError: Invalid perturb_observations 0.02. It must be True or False.
    """
    if not isinstance(flag, bool | np.bool_):
        raise ValueError(f"Invalid {argument} {flag!r}. It must be True or False.")
    return bool(flag)


def check_land_value(land_value: Any) -> float | None:
    """Return the value of land, finite; or None.

    Examples
    --------
    >>> check_land_value("0")
    Traceback (most recent call last):
    ...
    ValueError: Invalid land_value '0'. It must be a finite number in the unit of the field, or None; NaN is land \
anyhow.
    """
    if land_value is None:
        return None
    number = float(land_value) if isinstance(land_value, int | float | np.number) else np.nan
    if isinstance(land_value, bool) or not np.isfinite(number):
        raise ValueError(
            f"Invalid land_value {land_value!r}. It must be a finite number in the unit of the field, or None; NaN is "
            "land anyhow."
        )
    return number


def check_name(argument: str, name: Any, allowed: Sequence[str]) -> str:
    """Return a name if it is one of those allowed.

    Examples
    --------
    >>> check_name("loss", "mes", ["mse", "charbonnier"])
    Traceback (most recent call last):
    ...
    ValueError: Invalid loss 'mes'. It must be one of ['charbonnier', 'mse'].
    """
    if not isinstance(name, str) or name not in allowed:
        raise ValueError(f"Invalid {argument} {name!r}. It must be one of {sorted(allowed)}.")
    return name
