"""Misfits between observed and generated values, reduced to one number per member.

All act on residuals of the standardised field (standard deviation one), so their constants have no unit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Loss = Callable[[torch.Tensor], torch.Tensor]

# Lai et al. 2017, in units of the standardised field.
CHARBONNIER_EPSILON = 1e-3


def mse(residual: torch.Tensor) -> torch.Tensor:
    """Mean square: ``mean(e^2)``.

    Parameters
    ----------
    residual : Tensor, shape (cells,)

    Returns
    -------
    Tensor, shape ()

    Examples
    --------
    >>> mse(torch.tensor([1.0, -1.0]))
    tensor(1.)
    """
    return residual.square().mean()


def charbonnier(residual: torch.Tensor) -> torch.Tensor:
    """Smooth absolute value: ``mean(sqrt(e^2 + eps^2))`` with ``eps = 1e-3`` of the standardised field.

    Parameters
    ----------
    residual : Tensor, shape (cells,)

    Returns
    -------
    Tensor, shape ()

    Examples
    --------
    >>> round(float(charbonnier(torch.zeros(4))), 6)
    0.001
    """
    return (residual.square() + CHARBONNIER_EPSILON**2).sqrt().mean()


LOSSES: dict[str, Loss] = {"mse": mse, "charbonnier": charbonnier}
