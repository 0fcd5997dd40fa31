"""Generators of one architecture as one function: their parameters are the rows of one matrix.

Under `torch.func.vmap` the convolutions of all members become one grouped convolution, and the norms see the channels
of each member by themselves, so that no number of one member enters another.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.func import functional_call, vmap
from torch.nn.utils import parameters_to_vector

from xr_dip.generators.base import Generator


def first_parameters(generators: Sequence[Generator]) -> torch.Tensor:
    """Return all parameters of each generator as one row.

    Parameters
    ----------
    generators : sequence of Generator
        Of one architecture.

    Returns
    -------
    Tensor, shape (members, parameters)

    Examples
    --------
    >>> from xr_dip.generators import make_bandlimited
    >>> first_parameters([make_bandlimited((2, 3), (2, 2), seed, channels=4) for seed in range(3)]).shape
    torch.Size([3, 1669])
    """
    with torch.no_grad():
        return torch.stack([parameters_to_vector(generator.parameters()) for generator in generators])


class Stack:
    """One function for generators of one architecture.

    Parameters
    ----------
    generators : sequence of Generator
        Left on the CPU as they are; only what they hold beside their parameters is read.
    device : torch.device

    Examples
    --------
    >>> from xr_dip.generators import make_bandlimited
    >>> members = [make_bandlimited((2, 3), (2, 2), seed, channels=4) for seed in range(3)]
    >>> stack = Stack(members, torch.device("cpu"))
    >>> latents = torch.stack([member.draw() for member in members])
    >>> working = stack(first_parameters(members), latents)
    >>> torch.allclose(working[1], members[1](latents[1]), atol=1e-4)
    True
    """

    def __init__(self, generators: Sequence[Generator], device: torch.device) -> None:
        self.generators, self.device = list(generators), device
        named = dict(self.generators[0].named_parameters())
        self._names = list(named)
        self._shapes = [parameter.shape for parameter in named.values()]
        self._buffers, self._axes = _stacked_buffers(self.generators, device)

    def __call__(self, parameters: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Map parameters (members, parameters) and latents (members, ...) to working fields (members, c, h, w)."""
        rows = torch.split(parameters, [shape.numel() for shape in self._shapes], dim=1)
        named = {
            name: row.reshape(len(row), *shape)
            for name, row, shape in zip(self._names, rows, self._shapes, strict=True)
        }
        fields: torch.Tensor = vmap(self._one, in_dims=(0, self._axes, 0))(named, self._buffers, latents)
        return fields

    def draw(self) -> torch.Tensor:
        """Return the next latent of each member (members, ...), on the CPU."""
        return torch.stack([generator.draw() for generator in self.generators])

    def select(self, rows: Sequence[int]) -> Stack:
        """Return the stack of some of the members."""
        return Stack([self.generators[row] for row in rows], self.device)

    def _one(
        self, parameters: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor], latent: torch.Tensor
    ) -> torch.Tensor:
        field: torch.Tensor = functional_call(self.generators[0], (parameters, buffers), (latent,))
        return field


def _stacked_buffers(
    generators: Sequence[Generator], device: torch.device
) -> tuple[dict[str, torch.Tensor], dict[str, int | None]]:
    """Return the buffers, and along which axis they hold members: None for those that are the same in all."""
    buffers: dict[str, torch.Tensor] = {}
    axes: dict[str, int | None] = {}
    members = [dict(generator.named_buffers()) for generator in generators]
    for name, first in members[0].items():
        tensors = [member[name] for member in members]
        shared = all(torch.equal(first, other) for other in tensors[1:])
        buffers[name] = (first if shared else torch.stack(tensors)).to(device)
        axes[name] = None if shared else 0
    return buffers, axes
