"""Misfits between observed and generated values, reduced to one number per member.

All act on residuals of the standardised field (standard deviation one), so their constants have no unit.
Equation :eq:`losses` of the theory page.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

Loss = Callable[[torch.Tensor], torch.Tensor]

# Lai et al. 2017, in units of the standardised field.
CHARBONNIER_EPSILON = 1e-3
# Huber 1964, in units of the standardised field: larger than what fits leave of a cell, smaller than an outlier.
HUBER_THRESHOLD = 0.1


def mse(residual: torch.Tensor) -> torch.Tensor:
    """Mean square: ``mean(e^2)``.

    Parameters
    ----------
    residual : Tensor, shape (cells,)
        In units of the standardised field.

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


def l1(residual: torch.Tensor) -> torch.Tensor:
    """Mean absolute value: ``mean(|e|)``.

    Parameters
    ----------
    residual : Tensor, shape (cells,)
        In units of the standardised field.

    Returns
    -------
    Tensor, shape ()

    Examples
    --------
    >>> l1(torch.tensor([1.0, -3.0]))
    tensor(2.)
    """
    return residual.abs().mean()


def huber(residual: torch.Tensor) -> torch.Tensor:
    """Square near zero, absolute value beyond: ``mean(e^2 / 2 if |e| <= d else d (|e| - d / 2))``.

    The threshold d is 0.1 of the standardised field.

    Parameters
    ----------
    residual : Tensor, shape (cells,)

    Returns
    -------
    Tensor, shape ()

    References
    ----------
    Huber 1964, Robust estimation of a location parameter, Annals of Mathematical Statistics 35,
    doi:10.1214/aoms/1177703732.

    Examples
    --------
    >>> huber(torch.tensor([0.1, -1.0, 0.0, 0.0]))
    tensor(0.0250)
    """
    return functional.huber_loss(residual, torch.zeros_like(residual), delta=HUBER_THRESHOLD)


LOSSES: dict[str, Loss] = {"mse": mse, "charbonnier": charbonnier, "l1": l1, "huber": huber}
