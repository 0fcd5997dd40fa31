r"""What a student makes of one coarse field.

With ``K`` the kriging with the covariance of the training days, ``g`` the proposal of the network and ``D`` the block
mean, its fine field is ``x = K(y) + g - K(D g)``, which has the block means ``y`` for any ``g``.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xr_dip.blocks import FloatArray, block_mean
from xr_dip.distillation.network import Weights, make_network, one_torch_thread
from xr_dip.distillation.settings import Settings
from xr_dip.distillation.standard import find_standard, see, share_of_sea
from xr_dip.inputs import Target
from xr_dip.kriging.basins import krige_basins
from xr_dip.kriging.estimator import Estimator
from xr_dip.results import slice_fields
from xr_dip.sea import Sea, check_values, find_sea


class Answer:
    """The fine field of one slice.

    Kriging and network are made once and kept: fields of one sea share the factorisation.

    Parameters
    ----------
    settings : Settings
    weights : mapping of str to array
    target : Target
    name : str
        Of the field, for messages.
    """

    def __init__(self, settings: Settings, weights: Weights, target: Target, name: str) -> None:
        self.settings, self.name, self.largest = settings, name, target.largest
        self.mask, self.weights = target.mask, target.weights
        self.spacing = target.fine_grid.spacing()
        self.periodic, self.extrapolate = target.periodic, target.extrapolate
        self._network = make_network(settings, weights)
        self._kriging: tuple[str, Estimator] | None = None

    def __call__(self, values: FloatArray, stamp: int) -> dict[str, npt.NDArray[Any]]:
        """Make coarse values (ny, nx) fine."""
        check_values(values, self.name, self.largest)
        factor = self.settings.factor
        sea = find_sea(
            values,
            factor,
            mask=self.mask,
            weights=self.weights,
            extrapolate=self.extrapolate,
            periodic=self.periodic,
        )
        seen = np.where(sea.coarse, values, np.nan)
        return slice_fields(*self._fields(seen, sea), seen, sea, factor)

    def _fields(self, values: FloatArray, sea: Sea) -> tuple[FloatArray, FloatArray]:
        """Mean and standard error, arbitrary on land."""
        factor = self.settings.factor
        standard = find_standard(values, sea.coarse, periodic=self.periodic)
        share = share_of_sea(sea.weights, factor)
        with one_torch_thread():
            wide = torch.from_numpy(see(standard, share, self.settings.margin, periodic=self.periodic))
            proposal, log_std = self._network(wide[None])[0].numpy().astype(np.float64)
        proposal *= standard.roughness
        # K(y) + g - K(D g), with one kriging for both: it is linear
        left = values - block_mean(proposal, sea.weights, factor)
        return proposal + self._krige(sea).mean(left), standard.roughness * np.exp(log_std)

    def _krige(self, sea: Sea) -> Estimator:
        """Return the kriging of this sea, that of the last slice if it had the same."""
        look = hashlib.blake2b(sea.coarse.tobytes() + sea.flags.tobytes()).hexdigest()
        kept = self._kriging
        if kept is None or kept[0] != look:
            kriging = krige_basins(
                sea.weights,
                self.settings.factor,
                self.spacing,
                self.settings.covariance,
                sea.coarse,
                sea=sea.water,
                periodic=self.periodic,
            )
            self._kriging = kept = (look, kriging)
        return kept[1]
