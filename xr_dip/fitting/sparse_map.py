"""A linear map as one sparse matrix, with a gradient of the same bits in every run, for one member or many."""

from __future__ import annotations

import warnings

import torch
from torch import nn

with warnings.catch_warnings():
    # torch says once per process that its compressed rows are young; said here, it reaches no user.
    warnings.simplefilter("ignore")
    torch.eye(1).to_sparse_csr()


class SparseMap(nn.Module):
    """A local linear map of a working field to coarse values.

    Parameters
    ----------
    matrix : Tensor, sparse, shape (ny * nx, h * w)
    coarse_shape : (int, int)
        (ny, nx).

    Examples
    --------
    >>> SparseMap(torch.eye(2, dtype=torch.float64).to_sparse(), (1, 2))(torch.tensor([[[1.0], [2.0]]]))
    tensor([[[1., 2.]]])
    """

    forward_map: torch.Tensor
    adjoint_map: torch.Tensor

    def __init__(self, matrix: torch.Tensor, coarse_shape: tuple[int, int]) -> None:
        super().__init__()
        self.coarse_shape = coarse_shape
        self.register_buffer("forward_map", matrix.to_sparse_csr(), persistent=False)
        self.register_buffer("adjoint_map", matrix.t().coalesce().to_sparse_csr(), persistent=False)

    def forward(self, field: torch.Tensor) -> torch.Tensor:
        """Map one working field (1, h, w) to coarse values (1, ny, nx)."""
        maps = (self.forward_map.to(field.dtype), self.adjoint_map.to(field.dtype))
        values: torch.Tensor = _SparseProduct.apply(*maps, field.reshape(-1, 1))  # type: ignore[no-untyped-call]
        return values.reshape(*field.shape[:-2], *self.coarse_shape)

    def extra_repr(self) -> str:
        """Show how sparse the map is."""
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
