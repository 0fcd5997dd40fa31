"""Observation operators: from the fine field to what was observed.

The one operator of the main job is the weighted block mean ``P_w(x) = P(w x) / P(w)`` (Archambault et al. 2022,
equation 1; with weights, Geiss & Hardin 2023). An operator knows how to fold itself with the last linear map of a
generator, so that a fit costs the same at every factor.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from xr_dip.blocks import Factor, block_sum, repeat
from xr_dip.fitting.linear import Separable

Map = Callable[[torch.Tensor], torch.Tensor]

with warnings.catch_warnings():
    # torch says once per process that its compressed rows are young; said here, it reaches no user.
    warnings.simplefilter("ignore")
    torch.eye(1).to_sparse_csr()


class Operator(Protocol):
    """What every observation operator offers."""

    def __call__(self, field: torch.Tensor) -> torch.Tensor:
        """Map a fine field (..., Y, X) to its observed values (..., y, x)."""
        ...

    def fold(self, synthesis: Separable) -> nn.Module:
        """Return the operator that acts before `synthesis`, on the working grid of a generator."""
        ...


class BlockMean(nn.Module):
    """Weighted mean of the fine cells in each coarse cell; 0 where a cell has no weight.

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
        return SparseMean(self.share, self.factor, synthesis)

    def extra_repr(self) -> str:
        """Show the fine shape and the factor."""
        return f"{tuple(self.share.shape)} / {self.factor}"


class SparseMean(nn.Module):
    """Block mean behind a local synthesis, as one sparse matrix: about ``(r + 4)^2`` entries for each coarse cell.

    Used where weights differ within a cell (coasts, areas), where the folded operator is no product of two matrices.
    """

    forward_map: torch.Tensor
    adjoint_map: torch.Tensor

    def __init__(self, share: torch.Tensor, factor: Factor, synthesis: Separable) -> None:
        super().__init__()
        self.coarse_shape = (share.shape[0] // factor[0], share.shape[1] // factor[1])
        matrix = _folded_rows(share, factor, synthesis)
        self.register_buffer("forward_map", matrix.to_sparse_csr(), persistent=False)
        self.register_buffer("adjoint_map", matrix.t().coalesce().to_sparse_csr(), persistent=False)

    def forward(self, field: torch.Tensor) -> torch.Tensor:
        """Map one working field (1, h, w) to coarse values (1, ny, nx)."""
        maps = (self.forward_map.to(field.dtype), self.adjoint_map.to(field.dtype))
        values: torch.Tensor = _SparseProduct.apply(*maps, field.reshape(-1, 1))  # type: ignore[no-untyped-call]
        return values.reshape(*field.shape[:-2], *self.coarse_shape)

    def extra_repr(self) -> str:
        """Show how sparse the folded operator is."""
        return f"{tuple(self.forward_map.shape)}, {self.forward_map.values().numel()} entries"


class _SparseProduct(torch.autograd.Function):
    """``S x`` with the gradient ``S^T g`` by a stored transpose: no atomics, the same bits in every run."""

    @staticmethod
    def forward(matrix: torch.Tensor, transposed: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        return matrix @ vector

    @staticmethod
    def setup_context(
        ctx: torch.autograd.function.FunctionCtx, inputs: tuple[torch.Tensor, ...], output: torch.Tensor
    ) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor) -> tuple[None, None, torch.Tensor]:
        (transposed,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return None, None, transposed @ gradient

    @staticmethod
    def vmap(
        info: object,
        in_dims: tuple[int | None, ...],
        matrix: torch.Tensor,
        transposed: torch.Tensor,
        vector: torch.Tensor,
    ) -> tuple[torch.Tensor, int]:
        """Multiply the vectors of many members as columns of one matrix."""
        assert in_dims[:2] == (None, None)
        assert in_dims[2] is not None
        columns = vector.movedim(in_dims[2], -1).flatten(1)
        product: torch.Tensor = _SparseProduct.apply(matrix, transposed, columns)  # type: ignore[no-untyped-call]
        return product.unsqueeze(1), 2


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


def make_block_mean(weights: npt.NDArray[np.floating], factor: Factor) -> BlockMean:
    """Make the block mean of these weights, as named by ``operator="block_mean"``.

    Parameters
    ----------
    weights : array, shape (ny * fy, nx * fx)
    factor : (int, int)

    Returns
    -------
    BlockMean

    Examples
    --------
    >>> make_block_mean(np.ones((4, 4)), (2, 2))
    BlockMean((4, 4) / (2, 2))
    """
    return BlockMean(weights, factor)


OPERATORS = {"block_mean": make_block_mean}
