"""The network of a student: convolutions on the coarse grid that end in coefficients of a cubic spline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from xr_dip.distillation.settings import MARGIN, Settings
from xr_dip.distillation.standard import CHANNELS
from xr_dip.fitting.linear import Separable, cubic_bspline
from xr_dip.generators.layers import conv1x1, conv3x3

FIELDS = 2
"""Proposal for the null space, and the logarithm of the standard error, both in units of the roughness."""

Weights = Mapping[str, npt.NDArray[np.float32]]


class Network(nn.Module):
    """Convolutions of 3 x 3 coarse cells, and beside them a linear one, to a spline with a few knots to a cell.

    Nothing is padded: the field comes with a margin wide enough (`Settings.margin`), so that every cell is treated
    alike. It begins as nothing: a proposal of zero.

    Parameters
    ----------
    settings : Settings
    rng : torch.Generator
        Source of the first weights.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Kernel
    >>> settings = Settings((5, 8), (1.0, 1.0), (Kernel(2.5, 2.0, 1.0),), 8, 2, {})
    >>> network = Network(settings, torch.Generator().manual_seed(0))
    >>> margin = 2 * settings.margin
    >>> network(torch.zeros(1, CHANNELS, 6 + margin, 7 + margin)).shape
    torch.Size([1, 2, 30, 56])
    """

    def __init__(self, settings: Settings, rng: torch.Generator) -> None:
        super().__init__()
        self.settings = settings
        width, outputs = settings.channels, FIELDS * settings.knots[0] * settings.knots[1]
        sizes = [CHANNELS] + [width] * settings.layers
        self.layers = nn.ModuleList(conv3x3(sizes[i], sizes[i + 1], rng) for i in range(settings.layers))
        self.head = conv1x1(width, outputs, rng)
        self.linear = conv3x3(CHANNELS, outputs, rng)
        with torch.no_grad():
            for part in (self.head, self.linear):
                part.weight.zero_()

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Map what is seen (n, CHANNELS, ny + 2 margin, nx + 2 margin) to fine fields (n, FIELDS, ny fy, nx fx)."""
        features = seen
        for layer in self.layers:
            features = functional.gelu(layer(features))
        around = self.settings.layers - 1
        cut = slice(around, -around or None)
        cells = self.head(features) + self.linear(seen[..., cut, cut])
        fields: torch.Tensor = self._spline(cells.shape[-2:])(self._interleave(cells))
        return fields

    def _interleave(self, cells: torch.Tensor) -> torch.Tensor:
        """Put the knots of each cell side by side: (n, FIELDS ky kx, h, w) to (n, FIELDS, h ky, w kx)."""
        (ky, kx), (count, _, height, width) = self.settings.knots, cells.shape
        knots = cells.reshape(count, FIELDS, ky, kx, height, width).permute(0, 1, 4, 2, 5, 3)
        return knots.reshape(count, FIELDS, height * ky, width * kx)

    def _spline(self, shape: tuple[int, ...]) -> Separable:
        """Return the map from knots to fine cells, for cells with the margin of the spline."""
        matrices = []
        for cells, factor, ratio in zip(shape, self.settings.factor, self.settings.knots, strict=True):
            pixels = (cells - 2 * MARGIN) * factor
            matrices.append(cubic_bspline(cells * ratio, pixels, factor / ratio, float(MARGIN * factor)))
        return Separable(*matrices)


def make_network(settings: Settings, weights: Weights) -> Network:
    """Return a network with weights that are there.

    Parameters
    ----------
    settings : Settings
    weights : mapping of str to array of float32

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If the weights are not those of such a network, or not finite.
    """
    network = Network(settings, torch.Generator().manual_seed(0))
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(array.shape) for name, array in weights.items()}
    if found != expected:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ValueError(f"Invalid weights {wrong}. They must be those of the settings, of shapes {expected}.")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ValueError(f"Invalid weights {name!r}. They must be finite.")
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    return network.eval().requires_grad_(False)


def weights_of(network: Network) -> dict[str, npt.NDArray[np.float32]]:
    """Return a copy of the weights as arrays.

    Examples
    --------
    >>> from xr_dip.kriging.covariance import Kernel
    >>> settings = Settings((2, 2), (1.0, 1.0), (Kernel(2.5, 2.0, 1.0),), 4, 1, {})
    >>> sorted(weights_of(Network(settings, torch.Generator().manual_seed(0))))
    ['head.bias', 'head.weight', 'layers.0.bias', 'layers.0.weight', 'linear.bias', 'linear.weight']
    """
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Compute with one thread of torch, so that the same input gives the same bits everywhere.

    Examples
    --------
    >>> with one_torch_thread():
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
