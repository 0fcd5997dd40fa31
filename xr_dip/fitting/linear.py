"""Separable linear maps between grids, as pairs of small matrices.

A map of a field ``x`` of shape (h, w) to ``R x C^T`` of shape (H, W), with ``R`` of shape (H, h) and ``C`` of shape
(W, w). The last interpolation of a generator is one, the mean over blocks of equal weights is another, and so is their
product: the fit sees only that product, and the fine field is formed once, after the fit.
"""

from __future__ import annotations

import torch
from torch import nn


class Separable(nn.Module):
    """``x -> R x C^T`` on the two last axes.

    Parameters
    ----------
    rows : Tensor, shape (H, h)
        Acts along y. Kept in float64; applied in the dtype of the field.
    columns : Tensor, shape (W, w)
        Acts along x.

    Examples
    --------
    >>> double = Separable(torch.full((1, 1), 2.0, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    >>> double(torch.ones(1, 3))
    tensor([[2., 2., 2.]])
    """

    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, rows: torch.Tensor, columns: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, field: torch.Tensor) -> torch.Tensor:
        """Map a field of shape (..., h, w) to shape (..., H, W)."""
        rows, columns = self.rows.to(field.dtype), self.columns.to(field.dtype)
        return rows @ field @ columns.mT

    def after(self, first: Separable) -> Separable:
        """Compose: the map that applies `first`, then this one."""
        return Separable(self.rows @ first.rows, self.columns @ first.columns)

    def extra_repr(self) -> str:
        """Show what shape becomes what shape."""
        (to_y, from_y), (to_x, from_x) = self.rows.shape, self.columns.shape
        return f"({from_y}, {from_x}) -> ({to_y}, {to_x})"


def identity(shape: tuple[int, int]) -> Separable:
    """Return the map that leaves a field of this shape as it is.

    Examples
    --------
    >>> identity((2, 3))
    Separable((2, 3) -> (2, 3))
    """
    return Separable(torch.eye(shape[0], dtype=torch.float64), torch.eye(shape[1], dtype=torch.float64))


def halfpixel_double(size: int, cropped: int, border: int = 0) -> torch.Tensor:
    """Matrix of half-pixel linear upsampling by two: B-spline subdivision of order one, weights 3/4 and 1/4.

    The result is cropped to `cropped` pixels and then reflected by `border` pixels on both ends (repeated where there
    are too few pixels to reflect), so that a convolution behind it needs no padding of its own.

    Parameters
    ----------
    size : int
        Pixels before.
    cropped : int
        Pixels after doubling and cropping, at most ``2 * size``.
    border : int
        Reflected pixels added on each end.

    Returns
    -------
    Tensor of float64, shape (cropped + 2 * border, size)

    Examples
    --------
    >>> halfpixel_double(2, 4)
    tensor([[1.0000, 0.0000],
            [0.7500, 0.2500],
            [0.2500, 0.7500],
            [0.0000, 1.0000]], dtype=torch.float64)
    """
    position = ((torch.arange(cropped, dtype=torch.float64) + 0.5) / 2 - 0.5).clamp(0, size - 1)
    lower = position.floor().long().clamp(max=max(size - 2, 0))
    share = position - lower
    matrix = torch.zeros(cropped, size, dtype=torch.float64)
    index = torch.arange(cropped)
    matrix[index, lower] += 1 - share
    matrix[index, (lower + 1).clamp(max=size - 1)] += share
    return matrix[_reflected(cropped, border)]


def halfpixel_circle(size: int, resized: int, border: int = 0) -> torch.Tensor:
    """Matrix of half-pixel linear resizing on a circle: doubling where `resized` is twice `size`.

    Nothing is cropped, because a circle has no end to crop at: an odd number of pixels is resized, not doubled.

    Parameters
    ----------
    size, resized : int
        Pixels around the circle before and after.
    border : int
        Pixels repeated from the other end on each end, for a convolution.

    Returns
    -------
    Tensor of float64, shape (resized + 2 * border, size)

    Examples
    --------
    >>> halfpixel_circle(2, 4)
    tensor([[0.7500, 0.2500],
            [0.7500, 0.2500],
            [0.2500, 0.7500],
            [0.2500, 0.7500]], dtype=torch.float64)
    """
    position = (torch.arange(resized, dtype=torch.float64) + 0.5) * (size / resized) - 0.5
    lower = position.floor().long()
    share = position - lower
    matrix = torch.zeros(resized, size, dtype=torch.float64)
    index = torch.arange(resized)
    matrix[index, lower % size] += 1 - share
    matrix[index, (lower + 1) % size] += share
    return matrix[torch.arange(-border, resized + border) % resized]


def border(size: int, *, periodic: bool = False) -> torch.Tensor:
    """Matrix that adds one pixel on each end of a line: reflected, or the one from the other end of a circle.

    Parameters
    ----------
    size : int
        Pixels before.
    periodic : bool

    Returns
    -------
    Tensor of float64, shape (size + 2, size)

    Examples
    --------
    >>> border(3) @ torch.arange(3, dtype=torch.float64)
    tensor([1., 0., 1., 2., 1.], dtype=torch.float64)
    >>> border(3, periodic=True) @ torch.arange(3, dtype=torch.float64)
    tensor([2., 0., 1., 2., 0.], dtype=torch.float64)
    """
    index = torch.arange(-1, size + 1) % size if periodic else _reflected(size, 1)
    return torch.eye(size, dtype=torch.float64)[index]


def _reflected(size: int, border: int) -> torch.Tensor:
    """Return the indices of a line of pixels, reflected about its end pixels by `border` pixels."""
    index = torch.arange(-border, size + border)
    if size <= border:
        return index.clamp(0, size - 1)
    return (size - 1) - ((size - 1) - index.abs()).abs()


def cubic_bspline(knots: int, pixels: int, spacing: float, padding: float, *, periodic: bool = False) -> torch.Tensor:
    """Matrix that evaluates a cubic B-spline series at pixel centres.

    Knot ``j`` lies at ``(j + 1/2) spacing - padding``, pixel ``i`` at ``i + 1/2``, in units of pixels. No prefilter:
    the knot values are coefficients, so the map smooths a little and reproduces straight lines exactly.

    Parameters
    ----------
    knots, pixels : int
        Number of coefficients, and of points of evaluation.
    spacing : float
        Distance of the knots in pixels.
    padding : float
        How far the first knot cell begins before the first pixel.
    periodic : bool
        The knots go round a circle of ``knots * spacing`` pixels; needs no padding.

    Returns
    -------
    Tensor of float64, shape (pixels, knots)
        Rows sum to one wherever four knots surround the pixel: everywhere on a circle.

    Examples
    --------
    >>> matrix = cubic_bspline(knots=8, pixels=4, spacing=1.0, padding=2.0)
    >>> bool(torch.allclose(matrix.sum(dim=1), torch.ones(4, dtype=torch.float64)))
    True
    """
    beyond = 2 if periodic else 0
    number = torch.arange(-beyond, knots + beyond)
    pixel = torch.arange(pixels, dtype=torch.float64) + 0.5
    knot = (number.double() + 0.5) * spacing - padding
    distance = ((pixel[:, None] - knot[None, :]) / spacing).abs()
    inner = 2 / 3 - distance**2 + distance**3 / 2
    outer = (2 - distance).clamp(min=0) ** 3 / 6
    matrix = torch.where(distance < 1, inner, outer)
    # On a circle a knot beyond one end is a knot near the other.
    return torch.zeros(pixels, knots, dtype=torch.float64).index_add(1, number % knots, matrix) if periodic else matrix
