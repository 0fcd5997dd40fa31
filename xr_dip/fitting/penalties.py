r"""What is asked of a fit beside its misfit: terms that are added to the loss, each with a weight.

Each is one number per member, of the standardised field, with distances in coarse cells: a weight means the same at
every factor, on every working grid and in every unit. Land is left out. Equations :eq:`penalties` and :eq:`correction`
of the theory page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from xr_dip.fitting.correction import CorrectionStrength
from xr_dip.fitting.linear import Separable
from xr_dip.fitting.problem import Observation, Penalty
from xr_dip.fitting.surroundings import Surroundings
from xr_dip.generators.base import Generator

# Slopes below this, in standard deviations per coarse cell, count as none: |slope| has no gradient at zero.
TOTAL_VARIATION_EPSILON = 1e-3


@dataclass(frozen=True, eq=False)
class TotalVariation:
    r"""Mean length of the gradient: smooth fields with few fronts.

    .. math:: w \, \overline{\sqrt{x_y^2 + x_x^2 + \epsilon^2} - \epsilon}

    over the sea cells, with forward differences per coarse cell, 0 across coasts and borders, and ``eps = 1e-3``.

    Parameters
    ----------
    around : Surroundings
    weight : float

    References
    ----------
    Rudin, Osher, Fatemi 1992, Nonlinear total variation based noise removal algorithms, Physica D 60,
    doi:10.1016/0167-2789(92)90242-F, equation 2.1.

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.generators import make_dcgan
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.zeros(1, 2), torch.ones(1, 2))
    >>> penalty = TotalVariation(Surroundings(np.ones((2, 4), bool), (2, 2), False, seen), weight=1.0)
    >>> step = torch.tensor([[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]])  # 2 per coarse cell in 2 cells of 8
    >>> round(float(penalty.bind(make_dcgan((1, 2), (2, 2), 0))(step)), 2)
    0.5
    """

    around: Surroundings
    weight: float

    def bind(self, generator: Generator) -> nn.Module:
        """Return the module from a working field of the generator to the weighed penalty."""
        return _Slopes(generator.synthesis, self.around, self.weight, _length)


@dataclass(frozen=True, eq=False)
class SquaredGradient:
    r"""Mean square of the gradient: smooth fields without fronts.

    .. math:: w \, \overline{x_y^2 + x_x^2}

    over the sea cells, with forward differences per coarse cell, 0 across coasts and borders.

    Parameters
    ----------
    around : Surroundings
    weight : float

    References
    ----------
    Tikhonov 1963, Solution of incorrectly formulated problems and the regularization method, Soviet Mathematics 4.

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.generators import make_dcgan
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.zeros(1, 2), torch.ones(1, 2))
    >>> penalty = SquaredGradient(Surroundings(np.ones((2, 4), bool), (2, 2), False, seen), weight=1.0)
    >>> step = torch.tensor([[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]])  # 2 per coarse cell in 2 cells of 8
    >>> float(penalty.bind(make_dcgan((1, 2), (2, 2), 0))(step))
    1.0
    """

    around: Surroundings
    weight: float

    def bind(self, generator: Generator) -> nn.Module:
        """Return the module from a working field of the generator to the weighed penalty."""
        return _Slopes(generator.synthesis, self.around, self.weight, _square)


@dataclass(frozen=True, eq=False)
class CoarseMisfit:
    r"""Mean square of the misfit of the coarse values: :math:`w \, \overline{(D x - y)^2}`, whitened if the loss is.

    It holds the values against other penalties, or beside a loss that takes misfits by their absolute value. (Not
    whitened, beside a whitened loss, the large scales would be all that counts, and fits far from converged.) Geiss and
    Hardin call it l2reg.

    Parameters
    ----------
    around : Surroundings
    weight : float

    References
    ----------
    Geiss & Hardin 2023, Strictly enforcing invertibility and conservation in CNN-based super resolution,
    doi:10.1175/AIES-D-21-0012.1: a coarse mean square error of weight 16 is their soft constraint.

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.generators import make_dcgan
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.tensor([[1.0, 3.0]]), torch.ones(1, 2))
    >>> penalty = CoarseMisfit(Surroundings(np.ones((2, 4), bool), (2, 2), False, seen), weight=2.0)
    >>> float(penalty.bind(make_dcgan((1, 2), (2, 2), 0))(torch.ones(1, 2, 4)))
    4.0
    """

    around: Surroundings
    weight: float

    def bind(self, generator: Generator) -> nn.Module:
        """Return the module from a working field of the generator to the weighed penalty."""
        return _SquareMisfit(self.around.observation, generator, self.weight)


PENALTIES: dict[str, Callable[[Surroundings, float], Penalty]] = {
    "total_variation": TotalVariation,
    "gradient": SquaredGradient,
    "coarse_misfit": CoarseMisfit,
    "correction": CorrectionStrength,
}
# What Geiss & Hardin 2023 call two of them.
ELSEWHERE = {"alpha": "correction", "l2reg": "coarse_misfit"}


def make_penalties(weights: Mapping[str, float], around: Surroundings) -> tuple[Penalty, ...]:
    """Make penalties by name.

    Parameters
    ----------
    weights : mapping of str to float
        The weight of each.
    around : Surroundings

    Returns
    -------
    tuple of Penalty

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.zeros(1, 2), torch.ones(1, 2))
    >>> around = Surroundings(np.ones((2, 4), bool), (2, 2), False, seen)
    >>> [penalty.weight for penalty in make_penalties({"gradient": 0.1}, around)]
    [0.1]
    """
    return tuple(PENALTIES[name](around, weight) for name, weight in weights.items())


def check_penalties(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of penalties if all are known and none is negative.

    Parameters
    ----------
    weights : mapping of str to float

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        If a name is unknown, or a weight is no positive number.

    Examples
    --------
    >>> check_penalties({"gradient": 1})
    {'gradient': 1.0}
    """
    unknown = sorted(set(weights) - set(PENALTIES))
    if unknown:
        known = "".join(
            f" {name!r} of Geiss and Hardin is {ELSEWHERE[name]!r} here." for name in unknown if name in ELSEWHERE
        )
        raise ValueError(f"Invalid penalties {unknown}. They must be among {sorted(PENALTIES)}.{known}")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < np.inf:
            raise ValueError(f"Invalid weight {weight!r} of the penalty {name!r}. It must be a positive number.")
    return {name: float(weight) for name, weight in weights.items()}


class _Slopes(nn.Module):
    """Mean over the sea of a function of the slopes of the fine field, per coarse cell."""

    north: torch.Tensor
    east: torch.Tensor

    def __init__(
        self,
        synthesis: Separable | None,
        around: Surroundings,
        weight: float,
        measure: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    ) -> None:
        super().__init__()
        # One of its own: that of the generator stays where the generator is.
        self.synthesis = None if synthesis is None else Separable(synthesis.rows, synthesis.columns)
        self.measure = measure
        self.scale = weight / np.count_nonzero(around.sea)
        circles = (False, around.periodic)
        for axis, (name, factor, circle) in enumerate(zip(("north", "east"), around.factor, circles, strict=True)):
            both = around.sea & np.roll(around.sea, -1, axis)
            if not circle:
                both[(slice(None),) * axis + (-1,)] = False
            self.register_buffer(name, torch.from_numpy(both * np.float32(factor)))

    def forward(self, working: torch.Tensor) -> torch.Tensor:
        """Map a working field (channels, h, w) to one number."""
        field = working[0] if self.synthesis is None else self.synthesis(working[0])
        slope_y = (field.roll(-1, 0) - field) * self.north
        slope_x = (field.roll(-1, 1) - field) * self.east
        return self.measure(slope_y, slope_x).sum() * self.scale


def _length(slope_y: torch.Tensor, slope_x: torch.Tensor) -> torch.Tensor:
    epsilon = TOTAL_VARIATION_EPSILON
    return (slope_y.square() + slope_x.square() + epsilon**2).sqrt() - epsilon


def _square(slope_y: torch.Tensor, slope_x: torch.Tensor) -> torch.Tensor:
    return slope_y.square() + slope_x.square()


class _SquareMisfit(nn.Module):
    """Mean square of the misfit that the loss sees."""

    def __init__(self, observation: Observation, generator: Generator, weight: float) -> None:
        super().__init__()
        self.observed, self.weight = observation.bind(generator), weight

    def forward(self, working: torch.Tensor) -> torch.Tensor:
        """Map a working field (channels, h, w) to one number."""
        seen: torch.Tensor = self.observed.measured(self.observed.residual(working))
        return self.weight * seen.square().mean()
