"""Generators without a network, whose fits have answers on paper."""

import torch
from torch import nn

from xr_dip.generators.base import Generator


class Free(Generator):
    """One free parameter for each working cell; the latent does nothing."""

    def __init__(self, shape, channels=1, start=0.0, synthesis=None):
        super().__init__()
        self.field = nn.Parameter(torch.full((channels, *shape), float(start)))
        self.synthesis = synthesis

    def draw(self):
        return torch.zeros(())

    def forward(self, latent):
        return self.field + latent


class Script(Free):
    """Adds a given number to the field at each iteration, and 0 in the end."""

    def __init__(self, shape, offsets):
        super().__init__(shape)
        self.offsets = iter(offsets)

    def draw(self):
        return torch.tensor(float(next(self.offsets)))

    def expected(self):
        return torch.zeros(())
