"""What a fit is asked to explain: observations, each an operator with its values, and how misfits are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from scipy.fft import dct
from torch import nn

from xr_dip.fitting.losses import Loss
from xr_dip.fitting.operators import Operator
from xr_dip.generators.base import Generator

Map = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Observation:
    """Values seen through an operator on one output channel.

    Attributes
    ----------
    operator : Operator
        From the fine field to the observed values.
    values : Tensor, shape (ny, nx)
        Standardised; anything where the weight is 0.
    weights : Tensor, shape (ny, nx)
        How much the square of a residual counts: the same for all, or one over the variance of its noise; 0 on land.
    channel : int
        Output channel of the generator that is seen.
    whiten : callable, optional
        Linear map of the residual (ny, nx), zero on land, after which misfits of all scales weigh alike. Where there is
        one the loss has its weights, that above counts for the misfit alone.

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> Observation(BlockMean(np.ones((4, 6)), (2, 2)), torch.zeros(2, 3), torch.ones(2, 3)).operator
    BlockMean((4, 6) / (2, 2))
    """

    operator: Operator
    values: torch.Tensor
    weights: torch.Tensor
    channel: int = 0
    whiten: Map | None = None

    def bind(self, generator: Generator) -> BoundObservation:
        """Fold the operator with the synthesis of a generator."""
        synthesis = generator.synthesis
        return BoundObservation(self.operator if synthesis is None else self.operator.fold(synthesis), self)


class Penalty(Protocol):
    """What is added to the loss of a fit, whatever was observed.

    Examples
    --------
    >>> class Level(nn.Module):  # asks for a mean of zero
    ...     def bind(self, generator):
    ...         return self
    ...     def forward(self, working):
    ...         return working.mean().square()
    >>> penalty: Penalty = Level()
    >>> penalty.bind(Generator())(torch.tensor([[[1.0, 3.0]]]))
    tensor(4.)
    """

    def bind(self, generator: Generator) -> nn.Module:
        """Return the module from a working field (channels, h, w) of the generator to one number."""
        ...


@dataclass(frozen=True)
class Problem:
    """A list of observations, the loss that measures their residuals, and penalties.

    Attributes
    ----------
    observations : tuple of Observation
    loss : callable
        From a vector of residuals to one number.
    penalties : tuple of Penalty
        Added to the losses; see `xr_dip.fitting.penalties`.

    Examples
    --------
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.generators import make_dcgan
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.tensor([[0.0, 2.0]]), torch.ones(1, 2))
    >>> bound = Problem((seen,), mse).bind(make_dcgan((1, 2), (2, 2), 0), torch.device("cpu"))
    >>> [float(number) for number in bound.evaluate(torch.ones(1, 2, 4))]  # loss, and RMS of the residuals
    [1.0, 1.0]
    """

    observations: tuple[Observation, ...]
    loss: Loss
    penalties: tuple[Penalty, ...] = ()

    def bind(self, generator: Generator, device: torch.device) -> BoundProblem:
        """Fold the operators with the synthesis of a generator, ready for many evaluations on a device."""
        parts = tuple(observation.bind(generator).to(device) for observation in self.observations)
        penalties = [penalty.bind(generator).to(device) for penalty in self.penalties]
        if generator.own_penalty is not None:
            penalties.append(generator.own_penalty)
        return BoundProblem(parts, self.loss, tuple(penalties))


class BoundProblem:
    """Observations and penalties on the working grid of one kind of generator."""

    def __init__(self, parts: tuple[BoundObservation, ...], loss: Loss, penalties: tuple[nn.Module, ...] = ()) -> None:
        self.parts, self.loss, self.penalties = parts, loss, penalties

    def evaluate(self, working: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss and the root of the weighted mean square of the raw residuals of a working field."""
        losses, squares = [], []
        for part in self.parts:
            residual = part.residual(working)
            losses.append(self.loss(part.measured(residual)))
            squares.append(part.mean_square(residual))
        losses += [penalty(working) for penalty in self.penalties]
        return torch.stack(losses).sum(), torch.stack(squares).mean().sqrt()


class BoundObservation(nn.Module):
    """One observation with its tensors on a device."""

    values: torch.Tensor
    at_sea: torch.Tensor
    root_weight: torch.Tensor
    seen: torch.Tensor | None

    def __init__(self, operator: Callable[[torch.Tensor], torch.Tensor], observation: Observation) -> None:
        super().__init__()
        self.operator, self.whiten, self.channel = operator, observation.whiten, observation.channel
        seen = observation.weights > 0
        self.register_buffer("values", torch.where(seen, observation.values, 0.0))
        self.register_buffer("at_sea", seen.to(observation.values.dtype))
        self.register_buffer("root_weight", (observation.weights / observation.weights[seen].mean()).sqrt())
        self.register_buffer("seen", None if bool(seen.all()) else seen.flatten().nonzero().flatten())

    def residual(self, working: torch.Tensor) -> torch.Tensor:
        """Return generated minus observed values, (ny, nx), 0 on land."""
        generated: torch.Tensor = self.operator(working[self.channel : self.channel + 1])[0]
        return (generated - self.values) * self.at_sea

    def measured(self, residual: torch.Tensor) -> torch.Tensor:
        """Return the vector that the loss sees."""
        return self._at_sea(residual * self.root_weight) if self.whiten is None else self.whiten(residual).flatten()

    def mean_square(self, residual: torch.Tensor) -> torch.Tensor:
        """Mean square of the raw residual over sea cells, by the weights."""
        return self._at_sea(residual.detach() * self.root_weight).square().mean()

    def _at_sea(self, residual: torch.Tensor) -> torch.Tensor:
        cells = residual.flatten()
        return cells if self.seen is None else cells[self.seen]


class SpectralWhitening(nn.Module):
    r"""Weigh the cosine modes of a residual by a power of their expected variance.

    With the mean square as loss, mode k of variance lambda_k weighs :math:`\lambda_k^{-s}`, over the mean of the
    weights.

    Parameters
    ----------
    spectrum : array, shape (ny, nx)
        Variance of each cosine mode (DCT-II, orthonormal), positive; from `Estimator.coarse_spectrum`.
    exponent : float
        s, from 0 to 1.
    periodic : bool
        The modes along x are those of `circle_modes`: the residual goes round.
    """

    scale: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, spectrum: npt.NDArray[np.floating], exponent: float = 0.5, *, periodic: bool = False) -> None:
        super().__init__()
        weight = spectrum**-exponent
        self.register_buffer("scale", torch.from_numpy((weight / weight.mean()) ** 0.5).float())
        for name, size, circle in zip(("rows", "columns"), spectrum.shape, (False, periodic), strict=True):
            modes = circle_modes(size) if circle else dct(np.eye(size), norm="ortho", axis=0)
            self.register_buffer(name, torch.from_numpy(modes).float())

    def forward(self, residual: torch.Tensor) -> torch.Tensor:
        """Map a residual (ny, nx) to its weighed modes (ny, nx)."""
        modes: torch.Tensor = self.rows @ residual @ self.columns.mT
        return modes * self.scale


def circle_modes(size: int) -> npt.NDArray[np.float64]:
    """Orthonormal waves around a circle: mode j has ``(j + 1) // 2`` waves, a cosine for odd j, a sine for even j.

    Parameters
    ----------
    size : int
        Cells around the circle.

    Returns
    -------
    array of float64, shape (size, size)
        One mode in each row, in the order of `xr_dip.kriging.whitening.coarse_spectrum`.

    Examples
    --------
    >>> circle_modes(4).round(3)
    array([[ 0.5  ,  0.5  ,  0.5  ,  0.5  ],
           [ 0.707,  0.   , -0.707, -0.   ],
           [ 0.   ,  0.707,  0.   , -0.707],
           [ 0.5  , -0.5  ,  0.5  , -0.5  ]])
    """
    mode = np.arange(size)
    phase = 2 * np.pi * ((mode + 1) // 2)[:, None] * np.arange(size) / size
    waves = np.where((mode % 2 == 1)[:, None] | (mode == 0)[:, None], np.cos(phase), np.sin(phase))
    return np.asarray(waves / np.linalg.norm(waves, axis=1, keepdims=True))


class DenseWhitening(nn.Module):
    """Multiply the residuals of the sea cells by a matrix.

    Parameters
    ----------
    matrix : array, shape (cells, cells)
        Such that the square norm of the result is the weighed misfit.
    seen : array of bool, shape (ny, nx)
        The sea cells, in the order of the matrix.
    """

    matrix: torch.Tensor
    index: torch.Tensor

    def __init__(self, matrix: npt.NDArray[np.floating], seen: npt.NDArray[np.bool_]) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.from_numpy(matrix).float())
        self.register_buffer("index", torch.from_numpy(np.flatnonzero(seen)))

    def forward(self, residual: torch.Tensor) -> torch.Tensor:
        """Map a residual (ny, nx) to whitened numbers (cells,)."""
        return self.matrix @ residual.flatten()[self.index]
