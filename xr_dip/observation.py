"""What the coarse values of a run are: means of blocks or samples through a kernel, and which constraints hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from xr_dip import blocks
from xr_dip.blocks import Factor
from xr_dip.checks import check_name
from xr_dip.constraints import CONSTRAINT_NAMES, NOT_ENFORCED
from xr_dip.observing.kernel import ObservationKernel
from xr_dip.observing.kernels import KERNELS, make_kernel
from xr_dip.observing.sampling import Misfit, misfit_through
from xr_dip.presets import Preset
from xr_dip.tiling import TileLike

BLOCK_MEAN = "block_mean"
FOR_ANY_OPERATOR = ("projection", *NOT_ENFORCED)
"""Constraints that ask for no block means."""
LARGEST_GAIN = 100.0
"""Above it a millimetre of error in a coarse value may become a decimetre of the enforced field."""
MOST_NUMBERS = 441
"""Of a kernel that is written to the configuration; of a larger one, its shape and hash."""


def with_operator(
    preset: Preset, factor: Factor, *, constraint: str | None, exact: bool, dims: tuple[str, str]
) -> Preset:
    """Return a preset whose operator has been checked, with a constraint that fits it.

    Parameters
    ----------
    preset : Preset
        With what the user chose.
    factor : (int, int)
    constraint : str or None
        Given by the user. None: a constraint of the preset that needs block means becomes "projection" for another
        operator.
    exact : bool
        Whether anything is enforced; not where the coarse values have noise.
    dims : (str, str)
        Names of the horizontal dimensions: a kernel that has them may have them in any order.

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        If the operator cannot use an option, if the constraint is for block means only, or if enforcement would blow up
        errors of the coarse values.

    Examples
    --------
    >>> preset = with_operator(Preset(operator="bicubic"), (4, 4), constraint=None, exact=True, dims=("y", "x"))
    >>> preset.constraint
    'projection'
    """
    options = {name: _plain(option, dims) for name, option in preset.operator_options.items()}
    kernel = make_kernel(preset.operator, options, factor)
    preset = replace(preset, operator_options=options)
    if preset.operator == BLOCK_MEAN:
        return preset
    if preset.constraint not in FOR_ANY_OPERATOR:
        if constraint is not None:
            raise ValueError(
                f"Invalid constraint {constraint!r} with the operator {preset.operator!r}. It must be one of "
                f"{sorted(FOR_ANY_OPERATOR)}: {_others()} hold block means."
            )
        if preset.constraint_options:
            raise ValueError(
                f"Invalid constraint_options {preset.constraint_options} with the operator {preset.operator!r}. They "
                f"must be none: 'projection', which takes the place of {preset.constraint!r}, has no options."
            )
        preset = replace(preset, constraint="projection")
    if preset.constraint == "projection" and exact:
        _check_gain(kernel, preset)
    return preset


def _others() -> str:
    return ", ".join(sorted(name for name in CONSTRAINT_NAMES if name not in FOR_ANY_OPERATOR))


def _check_gain(kernel: ObservationKernel, preset: Preset) -> None:
    gain = kernel.gain()
    if gain > LARGEST_GAIN:
        raise ValueError(
            f"Invalid operator_options {describe(preset.operator_options)} of {preset.operator!r} with the constraint "
            f"'projection'. They must be of a kernel that hides no pattern of coarse cells: enforced, it may multiply "
            f"errors of the coarse values by {gain:.3g}, the most is {LARGEST_GAIN:g}. Choose a narrower kernel, or "
            "the constraint 'soft' or 'none'."
        )


def _plain(option: Any, dims: tuple[str, str]) -> Any:
    """Return an option as it travels to workers: a DataArray as an array (y, x), a number of NumPy as one of Python."""
    if isinstance(option, np.generic):
        return option.item()
    if not isinstance(option, xr.DataArray):
        return option
    ordered = option.transpose(*dims) if set(option.dims) == set(dims) else option
    return np.asarray(ordered.values)


def describe(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of an operator as plain values; a large kernel as its shape and hash.

    Parameters
    ----------
    options : mapping

    Returns
    -------
    dict

    Examples
    --------
    >>> describe({"kernel": np.array([1.0, 2.0, 1.0])}), sorted(describe({"kernel": np.eye(50)})["kernel"])
    ({'kernel': [1.0, 2.0, 1.0]}, ['sha256', 'shape'])
    """
    return {name: _short(option) if name == "kernel" else option for name, option in options.items()}


def _short(kernel: Any) -> Any:
    numbers = np.asarray(kernel, dtype=np.float64)
    if numbers.size <= MOST_NUMBERS:
        return numbers.tolist()
    digest = hashlib.sha256(np.ascontiguousarray(numbers).tobytes()).hexdigest()
    return {"shape": list(numbers.shape), "sha256": digest}


def kernel_of(operator: str, options: Mapping[str, Any], factor: Factor) -> ObservationKernel | None:
    """Return the kernel of an operator; None for the block mean, which has functions of its own.

    Parameters
    ----------
    operator : str
    options : mapping
    factor : (int, int)

    Returns
    -------
    ObservationKernel or None

    Examples
    --------
    >>> kernel_of("block_mean", {}, (4, 4)) is None, kernel_of("lanczos2", {}, (4, 4)).shape
    (True, (16, 16))
    """
    return None if operator == BLOCK_MEAN else make_kernel(operator, options, factor)


def kernel_from(
    operator: str, options: Mapping[str, Any] | None, factor: Factor, dims: tuple[str, str]
) -> ObservationKernel | None:
    """Return the kernel that a user names; None for the block mean.

    Parameters
    ----------
    operator : str
    options : mapping or None
    factor : (int, int)
    dims : (str, str)
        Names of the horizontal dimensions, for a kernel that has them.

    Returns
    -------
    ObservationKernel or None

    Raises
    ------
    ValueError
        If the operator is unknown or cannot use an option.

    Examples
    --------
    >>> kernel_from("bicubics", None, (4, 4), ("lat", "lon"))
    Traceback (most recent call last):
    ...
    ValueError: Invalid operator 'bicubics'. It must be one of ['bicubic', 'block_mean', 'fir', 'gaussian', ...
    """
    check_name("operator", operator, list(KERNELS))
    plain = {name: _plain(option, dims) for name, option in (options or {}).items()}
    kernel = make_kernel(operator, plain, factor)
    return None if operator == BLOCK_MEAN else kernel


def misfit_of(kernel: ObservationKernel | None, *, periodic: bool) -> Misfit:
    """Return the function from a field, values, weights and factor to the misfit ``y - A x``.

    Parameters
    ----------
    kernel : ObservationKernel or None
        None for the block mean.
    periodic : bool
        Whether the last column borders on the first.

    Returns
    -------
    callable
        As `xr_dip.blocks.misfit`.

    Examples
    --------
    >>> misfit_of(None, periodic=False)(np.zeros((2, 2)), np.ones((1, 1)), np.ones((2, 2)), (2, 2))
    array([[1.]])
    """
    return blocks.misfit if kernel is None else partial(misfit_through, kernel=kernel, periodic=periodic)


def check_tile(tile: TileLike, operator: str | None) -> TileLike:
    """Return how to divide a domain: with a kernel, which sees beyond its cell, not at all.

    Parameters
    ----------
    tile : int, "auto" or None
    operator : str or None

    Returns
    -------
    int, "auto" or None

    Raises
    ------
    ValueError
        If a number is given with a kernel.

    Examples
    --------
    >>> check_tile("auto", "block_mean"), check_tile("auto", "gaussian")
    ('auto', None)
    """
    if operator not in KERNELS or operator == BLOCK_MEAN:
        return tile
    if tile is None or tile == "auto":
        return None
    raise ValueError(
        f"Invalid tile {tile!r} with the operator {operator!r}. It must be None or 'auto', which leave the domain "
        "whole: a tile does not hold all that the kernels of its outer cells see."
    )
