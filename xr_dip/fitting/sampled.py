"""Coarse values seen through a kernel, as torch modules: on the fine grid, and folded with a generator's synthesis.

The map is that of `xr_dip.observing.sampling.Sampling`, in the dtype of the field and with a gradient.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import nn

from xr_dip.fitting.linear import Separable
from xr_dip.fitting.sparse_map import SparseMap
from xr_dip.observing.kernel import first_tap
from xr_dip.observing.sampling import Sampling

ROUNDING = 1e-15
"""Entries of a folded map below this are rounding: the entries of one coarse cell sum to about one."""


class Sampled(nn.Module):
    """``A x``: the coarse values of a fine field through a kernel; 0 where no sea is seen.

    Parameters
    ----------
    sampling : Sampling

    Examples
    --------
    >>> from xr_dip.observing.kernels import make_kernel
    >>> operator = Sampled(Sampling(make_kernel("bicubic", {}, (2, 2)), np.ones((4, 6))))
    >>> operator(torch.full((4, 6), 3.0)).round(decimals=4)
    tensor([[3., 3., 3.],
            [3., 3., 3.]])
    """

    weight: torch.Tensor
    scales: torch.Tensor

    def __init__(self, sampling: Sampling) -> None:
        super().__init__()
        self.sampling = sampling
        largest = max(float(sampling.weights.max(initial=0.0)), np.finfo(float).tiny)
        share = np.divide(largest, sampling.total, out=np.zeros(sampling.shape), where=sampling.seen)
        terms = [*sampling.terms, *(sampling.positive if sampling.lacking.any() else [])]
        scales = [np.where(sampling.lacking, 0.0, share)] * len(sampling.terms)
        scales += [np.where(sampling.lacking, share, 0.0)] * (len(terms) - len(scales))
        self.terms = nn.ModuleList(Separable(_dense(rows), _dense(columns)) for rows, columns in terms)
        self.register_buffer("weight", torch.from_numpy(sampling.weights / largest), persistent=False)
        self.register_buffer("scales", torch.from_numpy(np.stack(scales)), persistent=False)

    def forward(self, field: torch.Tensor) -> torch.Tensor:
        """Map a fine field (..., ny * fy, nx * fx) to coarse values (..., ny, nx)."""
        weighted = torch.where(self.weight > 0, field, 0.0) * self.weight.to(field.dtype)
        return _sum(self.terms, self.scales.to(field.dtype), weighted)

    def fold(self, synthesis: Separable) -> nn.Module:
        """Fold with a separable synthesis: small matrices where weights are a product, sparse rows elsewhere."""
        product = _factors(self.weight)
        if product is None:
            return SparseMap(_folded_rows(self, synthesis), self.sampling.shape)
        folded = [Separable(term.rows * product[0], term.columns * product[1]) for term in _separable(self.terms)]
        if len(folded) == 1 and self.sampling.seen.all():
            lines = (folded[0].rows, folded[0].columns)
            return Separable(*(line / line.sum(dim=1, keepdim=True) for line in lines)).after(synthesis)
        return SumOfProducts([term.after(synthesis) for term in folded], self.scales)

    def extra_repr(self) -> str:
        """Show the fine shape and the factor."""
        return f"{tuple(self.weight.shape)} / {self.sampling.factor}"


class SumOfProducts(nn.Module):
    """``sum_k s_k (R_k x C_k^T)`` with a scale ``s_k`` for each coarse cell.

    Parameters
    ----------
    terms : list of Separable
    scales : Tensor, shape (terms, ny, nx)
        Without unit.

    Examples
    --------
    >>> twice = Separable(torch.full((1, 1), 2.0), torch.eye(2))
    >>> SumOfProducts([twice, twice], torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]]))(torch.ones(1, 1, 2))
    tensor([[[4., 2.]]])
    """

    scales: torch.Tensor

    def __init__(self, terms: list[Separable], scales: torch.Tensor) -> None:
        super().__init__()
        self.terms = nn.ModuleList(terms)
        self.register_buffer("scales", scales, persistent=False)

    def forward(self, field: torch.Tensor) -> torch.Tensor:
        """Map a working field (..., h, w) to coarse values (..., ny, nx)."""
        return _sum(self.terms, self.scales.to(field.dtype), field)


def _sum(terms: nn.ModuleList, scales: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    parts = [term(field) * scale for term, scale in zip(terms, scales, strict=True)]
    return torch.stack(parts).sum(dim=0)


def _separable(terms: nn.ModuleList) -> list[Separable]:
    return [term for term in terms if isinstance(term, Separable)]


def _dense(matrix: csr_array) -> torch.Tensor:
    return torch.from_numpy(matrix.toarray())


def _factors(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Write weights as a product of one number for each row and one for each column, if they are one."""
    row, column = divmod(int(weight.argmax()), weight.shape[1])
    along_y, along_x = weight[:, column] / weight[row, column].clamp(min=ROUNDING), weight[row]
    same = torch.allclose(along_y[:, None] * along_x[None, :], weight, rtol=1e-12, atol=0)
    return (along_y, along_x) if same else None


def _folded_rows(sampled: Sampled, synthesis: Separable) -> torch.Tensor:
    """Rows of the map behind a synthesis, assembled line of coarse cells by line of coarse cells."""
    ny, nx = sampled.sampling.shape
    width = synthesis.columns.shape[1]
    index = _column_windows(sampled.sampling)
    terms = _separable(sampled.terms)
    across = [_within_windows(term.columns, synthesis.columns, index) for term in terms]
    indices, values = [], []
    for line in range(ny):
        here = torch.stack([term.rows[line] != 0 for term in terms]).any(dim=0).nonzero().flatten()
        touched = synthesis.rows[here].abs().sum(dim=0).nonzero().flatten()
        cells = torch.zeros(nx, len(touched), width, dtype=torch.float64)
        for term, columns, scale in zip(terms, across, sampled.scales, strict=True):
            down = (synthesis.rows[here][:, touched] * term.rows[line, here, None]).mT @ sampled.weight[here]
            cells += torch.einsum("tck,ckw->ctw", down[:, index], columns) * scale[line, :, None, None]
        cell, row, column = (cells.abs() > ROUNDING).nonzero(as_tuple=True)
        indices.append(torch.stack([line * nx + cell, touched[row] * width + column]))
        values.append(cells[cell, row, column])
    size = (ny * nx, synthesis.rows.shape[1] * width)
    return torch.sparse_coo_tensor(torch.cat(indices, dim=1), torch.cat(values), size, check_invariants=True).coalesce()


def _column_windows(sampling: Sampling) -> torch.Tensor:
    """Fine columns that each coarse cell of a line sees, shape (nx, columns): each once, those beyond a border too."""
    size, factor = sampling.weights.shape[1], sampling.factor[1]
    taps = sampling.kernel.shape[1]
    begin = torch.arange(sampling.shape[1])[:, None] * factor + first_tap(taps, factor)
    if taps >= size:
        return torch.arange(size).expand(sampling.shape[1], size)
    # Beyond an open border the columns of the other end are looked up, where the matrix is zero.
    index: torch.Tensor = (begin + torch.arange(taps)) % size
    return index


def _within_windows(columns: torch.Tensor, synthesis: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Weights of the knots in each fine column that each coarse cell sees, shape (nx, columns, w)."""
    seen: torch.Tensor = columns.gather(1, index)[..., None] * synthesis[index]
    return seen
