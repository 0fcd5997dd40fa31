r"""A penalty on how much the constraint of Geiss and Hardin will have to correct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from xr_dip.fitting.problem import BoundObservation
from xr_dip.fitting.surroundings import Surroundings
from xr_dip.generators.base import Generator


@dataclass(frozen=True, eq=False)
class CorrectionStrength:
    r"""Square of the mean strength with which `xr_dip.value_range.geiss` will move the fitted field.

    That constraint is :math:`x + a (s - x)` with :math:`a = (y - D x) / (s - D x)` and :math:`s` the end of the range
    on the side of y: of each fine cell it takes a share a of the way to that end. The penalty is

    .. math:: w \, \overline{a}^2, \qquad 0 \le a \le 1

    over the coarse cells (equation :eq:`correction` of the theory page). Where the field is far from both ends it is
    the square of a mean absolute misfit. Geiss and Hardin call it alpha, as they do the share a.

    Parameters
    ----------
    around : Surroundings
        With the ends of the range.
    weight : float
        That of the reference is 10.

    References
    ----------
    Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super resolution,
    doi:10.1175/AIES-D-21-0012.1: their regularisation by alpha.

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.fitting.problem import Observation
    >>> from xr_dip.generators import make_dcgan
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.tensor([[0.5, -1.0]]), torch.ones(1, 2))
    >>> ends = torch.full((1, 2), -2.0), torch.full((1, 2), 2.0)
    >>> penalty = CorrectionStrength(Surroundings(np.ones((2, 4), bool), (2, 2), False, seen, ends), weight=10.0)
    >>> round(float(penalty.bind(make_dcgan((1, 2), (2, 2), 0))(torch.zeros(1, 2, 4))), 6)  # a is 1/4 and 1/2
    1.40625
    """

    around: Surroundings
    weight: float

    def bind(self, generator: Generator) -> nn.Module:
        """Return the module from a working field of the generator to the weighed penalty."""
        assert self.around.ends is not None
        return _Strength(self.around.observation.bind(generator), self.around.ends, self.weight)


class _Strength(nn.Module):
    """Weighed square of the mean strength over the cells with a value."""

    above: torch.Tensor
    below: torch.Tensor

    def __init__(self, observed: BoundObservation, ends: tuple[torch.Tensor, torch.Tensor], weight: float) -> None:
        super().__init__()
        self.observed, self.weight = observed, weight
        self.count = int(observed.at_sea.sum())
        low, high = ends
        # What is left of the way from the value to either end.
        self.register_buffer("above", torch.where(observed.at_sea > 0, high - observed.values, 1.0))
        self.register_buffer("below", torch.where(observed.at_sea > 0, observed.values - low, 1.0))

    def forward(self, working: torch.Tensor) -> torch.Tensor:
        """Map a working field (channels, h, w) to one number."""
        residual: torch.Tensor = self.observed.residual(working)
        missed = residual.abs()
        left = torch.where(residual < 0, self.above, self.below)
        # Of a value at the very end that is met nothing is left of the way, and nothing is missed.
        strength = missed / (missed + left).clamp_min(torch.finfo(missed.dtype).tiny)
        return self.weight * (strength.sum() / self.count).square()


def range_of_cells(
    value_range: tuple[float, float] | None, trend: npt.NDArray[np.floating] | float, scale: float
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return a range of values as the fits see it, cell by cell.

    Parameters
    ----------
    value_range : (float, float) or None
        In the unit of the field.
    trend : array, shape (ny, nx), or float
    scale : float

    Returns
    -------
    (Tensor, Tensor) or None
        Its ends less the trend, over the scale.

    Examples
    --------
    >>> range_of_cells((-1.0, 2.0), 0.5, 0.5)
    (tensor(-3.), tensor(3.))
    """
    if value_range is None:
        return None
    low, high = (torch.as_tensor((end - np.asarray(trend)) / scale).float() for end in value_range)
    return low, high
