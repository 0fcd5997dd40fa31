"""What a penalty may know of the field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import Factor
from xr_dip.fitting.problem import Observation


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a penalty may know of the field.

    Attributes
    ----------
    sea : array of bool, shape (Y, X)
        Fine cells that count.
    factor : (int, int)
        Fine cells per coarse cell.
    periodic : bool
        Whether the last column and the first are neighbours.
    observation : Observation
        Of the coarse field.
    ends : (Tensor, Tensor), optional
        Lowest and highest value that a fine cell may have, standardised as the fits see it, shape (ny, nx): the trend
        is another in each coarse cell.

    Examples
    --------
    >>> from xr_dip.fitting.operators import BlockMean
    >>> seen = Observation(BlockMean(np.ones((2, 4)), (2, 2)), torch.zeros(1, 2), torch.ones(1, 2))
    >>> Surroundings(np.ones((2, 4), bool), (2, 2), False, seen).factor
    (2, 2)
    """

    sea: npt.NDArray[np.bool_]
    factor: Factor
    periodic: bool
    observation: Observation
    ends: tuple[torch.Tensor, torch.Tensor] | None = None
