r"""A 3x3 convolution of features that a linear map has made larger, at half the work.

With ``R_a`` the rows ``a, a + 1, ...`` of the map along y, which are what row ``a`` of the kernel sees, and ``C_b`` the
same along x, the convolution of ``R x C^T`` is

.. math:: y = \sum_{a, b = 0}^{2} R_a \, (w_{ab} \, x) \, C_b^T

with ``w_ab`` a matrix over the channels. It commutes with the maps of rows and columns, so it may act where the
features are still small. Which of the two forms is faster is a question of how many channels come out.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from xr_dip.fitting.linear import Separable


class RowsLast(nn.Module):
    """Columns grow, three 1x3 convolutions mix the channels, then rows grow: half the work of the plain form.

    Parameters
    ----------
    grow : Separable
        From (h, w) to (H + 2, W + 2), with a border of one for the convolution; each row of its matrices sums to one.

    Examples
    --------
    >>> grow = Separable(torch.ones(4, 1), torch.ones(5, 1))
    >>> RowsLast(grow)(torch.ones(1, 2, 1, 1), nn.Conv2d(2, 7, 3)).shape
    torch.Size([1, 7, 2, 3])
    """

    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, grow: Separable) -> None:
        super().__init__()
        self.register_buffer("rows", _shifted(grow.rows), persistent=False)
        self.register_buffer("columns", grow.columns.mT.contiguous(), persistent=False)

    def forward(self, features: torch.Tensor, convolution: nn.Conv2d) -> torch.Tensor:
        """Grow features (1, c, h, w) and convolve them with the weights of a 3x3 layer, to (1, c', H, W)."""
        weight, bias = convolution.weight, convolution.bias
        outputs, inputs = weight.shape[:2]
        kernels = weight.transpose(1, 2).reshape(3 * outputs, inputs, 1, 3)
        # A third for each row of the kernel: the rows of the map, which come last, sum to one.
        thirds = None if bias is None else (bias / 3).repeat_interleave(3)
        mixed = functional.conv2d(features @ self.columns, kernels, thirds)
        return self.rows @ mixed.reshape(1, outputs, -1, mixed.shape[-1])


class MapLast(nn.Module):
    """The nine maps of the kernel are mixed first, in one product, then columns and rows grow: for very few outputs.

    Parameters
    ----------
    grow : Separable
        From (h, w) to (H + 2, W + 2), with a border of one for the convolution.

    Examples
    --------
    >>> grow = Separable(torch.ones(4, 1), torch.ones(5, 1))
    >>> MapLast(grow)(torch.ones(1, 2, 1, 1), nn.Conv2d(2, 1, 3)).shape
    torch.Size([1, 1, 2, 3])
    """

    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, grow: Separable) -> None:
        super().__init__()
        self.register_buffer("rows", _shifted(grow.rows), persistent=False)
        self.register_buffer("columns", _shifted(grow.columns).mT.contiguous(), persistent=False)

    def forward(self, features: torch.Tensor, convolution: nn.Conv2d) -> torch.Tensor:
        """Grow features (1, c, h, w) and convolve them with the weights of a 3x3 layer, to (1, c', H, W)."""
        weight, bias = convolution.weight, convolution.bias
        outputs, inputs = weight.shape[:2]
        height, width = features.shape[-2:]
        kernels = weight.permute(0, 2, 3, 1).reshape(9 * outputs, inputs)
        mixed = (kernels @ features.reshape(inputs, -1)).reshape(outputs, 3, 3, height, width)
        wide = mixed.transpose(2, 3).reshape(outputs * 3 * height, 3 * width) @ self.columns
        grown = self.rows @ wide.reshape(1, outputs, 3 * height, -1)
        return grown if bias is None else grown + bias[:, None, None]


def _shifted(matrix: torch.Tensor) -> torch.Tensor:
    """Put what the three rows of a kernel see side by side: (n + 2, m) to (n, 3 m)."""
    size = matrix.shape[0] - 2
    return torch.cat([matrix[first : first + size] for first in range(3)], dim=1)
