"""Observation operators: from the fine field to what was observed.

The operator of the main job is the weighted block mean ``P_w(x) = P(w x) / P(w)`` (Archambault et al. 2022,
equation 1; with weights, Geiss & Hardin 2023). The others see the field through a kernel that may be wider than a cell
(`xr_dip.observing.kernels`). An operator knows how to fold itself with the last linear map of a generator, so that a
fit costs the same at every factor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from xr_dip.blocks import Factor, block_sum, repeat
from xr_dip.fitting.linear import Separable
from xr_dip.fitting.sampled import Sampled
from xr_dip.fitting.sparse_map import SparseMap
from xr_dip.observing.kernels import KERNELS, make_kernel
from xr_dip.observing.sampling import Sampling


class Operator(Protocol):
    """What every observation operator offers.

    Examples
    --------
    >>> operator: Operator = BlockMean(np.ones((2, 4)), (2, 2))
    >>> whole = Separable(torch.ones(2, 1, dtype=torch.float64), torch.ones(4, 1, dtype=torch.float64))
    >>> operator.fold(whole)(torch.full((1, 1, 1), 5.0, dtype=torch.float64))  # one number, spread over all cells
    tensor([[[5., 5.]]], dtype=torch.float64)
    """

    def __call__(self, field: torch.Tensor) -> torch.Tensor:
        """Map a fine field (..., Y, X) to its observed values (..., y, x)."""
        ...

    def fold(self, synthesis: Separable) -> nn.Module:
        """Return the operator that acts before `synthesis`, on the working grid of a generator."""
        ...


class BlockMean(nn.Module):
    """Weighted mean of the fine cells in each coarse cell; 0 where a cell has no weight.

    Equation :eq:`mean` of the theory page.

    Parameters
    ----------
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell; 0 on land.
    factor : (int, int)
        Fine cells per coarse cell along y and x.

    Examples
    --------
    >>> operator = BlockMean(np.ones((2, 4)), (2, 2))
    >>> operator(torch.tensor([[1.0, 2.0, 0.0, 0.0], [3.0, 2.0, 0.0, 4.0]]))
    tensor([[2., 1.]])
    """

    share: torch.Tensor

    def __init__(self, weights: npt.NDArray[np.floating], factor: Factor) -> None:
        super().__init__()
        total = repeat(block_sum(weights, factor), factor)
        share = np.divide(weights, total, out=np.zeros_like(total), where=total > 0)
        self.factor = factor
        self.register_buffer("share", torch.from_numpy(share), persistent=False)

    def forward(self, field: torch.Tensor) -> torch.Tensor:
        """Mean of a fine field (..., ny * fy, nx * fx) over blocks, shape (..., ny, nx)."""
        fy, fx = self.factor
        weighted = field * self.share.to(field.dtype)
        *lead, rows, columns = weighted.shape
        return weighted.reshape(*lead, rows // fy, fy, columns // fx, fx).sum(dim=(-3, -1))

    def fold(self, synthesis: Separable) -> nn.Module:
        """Fold with a separable synthesis: two small matrices where every weight is equal, sparse rows otherwise."""
        rows, columns = _axis_means(self.share, self.factor)
        if torch.allclose(rows[:, None] * columns[None, :], self.share, rtol=1e-12, atol=0):
            return Separable(_block_rows(rows, self.factor[0]), _block_rows(columns, self.factor[1])).after(synthesis)
        shape = self.share.shape[0] // self.factor[0], self.share.shape[1] // self.factor[1]
        return SparseMap(_folded_rows(self.share, self.factor, synthesis), shape)

    def extra_repr(self) -> str:
        """Show the fine shape and the factor."""
        return f"{tuple(self.share.shape)} / {self.factor}"


def _axis_means(share: torch.Tensor, factor: Factor) -> tuple[torch.Tensor, torch.Tensor]:
    """Share of a fine row and of a fine column in their coarse cell, if it were the same in all cells of a line."""
    ny, nx = share.shape[0] // factor[0], share.shape[1] // factor[1]
    rows = share.reshape(share.shape[0], -1).sum(dim=1) / nx
    columns = share.sum(dim=0) / ny
    return rows, columns


def _block_rows(shares: torch.Tensor, factor: int) -> torch.Tensor:
    """Matrix (n, n * factor) whose row c holds the shares of the fine cells of c."""
    size = shares.numel()
    matrix = torch.zeros(size // factor, size, dtype=torch.float64)
    index = torch.arange(size)
    matrix[index // factor, index] = shares
    return matrix


def _folded_rows(share: torch.Tensor, factor: Factor, synthesis: Separable) -> torch.Tensor:
    """``sum_p share_p R[p_y, :] C[p_x, :]`` for each coarse cell, assembled line of cells by line of cells."""
    (fy, fx), (ny, nx) = factor, (share.shape[0] // factor[0], share.shape[1] // factor[1])
    rows, columns = synthesis.rows, synthesis.columns
    width = columns.shape[1]
    column_blocks = columns.reshape(nx, fx, width)
    indices, values = [], []
    for line in range(ny):
        here = slice(line * fy, (line + 1) * fy)
        touched = rows[here].abs().sum(dim=0).nonzero().flatten()
        per_column = rows[here][:, touched].mT @ share[here]
        cells = torch.einsum("tcf,cfw->ctw", per_column.reshape(len(touched), nx, fx), column_blocks)
        cell, row, column = cells.nonzero(as_tuple=True)
        indices.append(torch.stack([line * nx + cell, touched[row] * width + column]))
        values.append(cells[cell, row, column])
    size = (ny * nx, rows.shape[1] * width)
    return torch.sparse_coo_tensor(torch.cat(indices, dim=1), torch.cat(values), size, check_invariants=True).coalesce()


def make_block_mean(weights: npt.NDArray[np.floating], factor: Factor, *, periodic: bool = False) -> BlockMean:
    """Make the block mean of these weights, as named by ``operator="block_mean"``.

    Parameters
    ----------
    weights : array, shape (ny * fy, nx * fx)
    factor : (int, int)
    periodic : bool
        Changes nothing: no cell looks at its neighbours.

    Returns
    -------
    BlockMean

    Examples
    --------
    >>> make_block_mean(np.ones((4, 4)), (2, 2))
    BlockMean((4, 4) / (2, 2))
    """
    return BlockMean(weights, factor)


def make_sampled(
    name: str, weights: npt.NDArray[np.floating], factor: Factor, *, periodic: bool = False, **options: Any
) -> Sampled:
    """Make the operator of a kernel, as named by ``operator="gaussian"`` and others.

    Parameters
    ----------
    name : str
        In `xr_dip.observing.kernels.KERNELS`.
    weights : array, shape (ny * fy, nx * fx)
        Weight of each fine cell; 0 on land.
    factor : (int, int)
    periodic : bool
        Whether the last column borders on the first.
    **options : Any
        Of the kernel.

    Returns
    -------
    Sampled

    Raises
    ------
    ValueError
        If the kernel cannot use an option.

    Examples
    --------
    >>> make_sampled("gaussian", np.ones((4, 4)), (2, 2), width=0.4)(torch.ones(1, 4, 4)).round(decimals=4)
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    return Sampled(Sampling(make_kernel(name, options, factor), weights, periodic=periodic))


OPERATORS: dict[str, Callable[..., Operator]] = {
    "block_mean": make_block_mean,
    **{name: partial(make_sampled, name) for name in KERNELS if name != "block_mean"},
}
