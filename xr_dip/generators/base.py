"""What every generator is: a freshly seeded network whose output is a standardised field."""

from __future__ import annotations

import torch
from torch import nn

from xr_dip.fitting.linear import Separable


class Generator(nn.Module):
    """A network from a latent to a working field.

    Attributes
    ----------
    synthesis : Separable or None
        The fixed linear map from the working field (1, h, w) to the fine field (1, Y, X); None where they are the same.
        The observation operator is folded with it, so that the fine field is formed only once, after the fit.
    """

    synthesis: Separable | None

    def __init__(self) -> None:
        super().__init__()
        self.synthesis = None

    def draw(self) -> torch.Tensor:
        """Return the latent of the next iteration, drawn on the CPU."""
        raise TypeError(f"{type(self).__name__} must define draw().")

    def expected(self) -> torch.Tensor:
        """Return the latent at which the final field is taken."""
        return self.draw()

    def fine(self, working: torch.Tensor) -> torch.Tensor:
        """Form the fine field (1, Y, X) from a working field (1, h, w), in float64."""
        return working.double() if self.synthesis is None else self.synthesis(working.double())
