"""What a student is besides its weights: plain numbers that go to a file and into the configuration of its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xr_dip.blocks import Factor
from xr_dip.kriging.covariance import Covariance, Kernel

FORMAT = 1
"""Version of the files. A reader refuses a larger one."""

MOST_KNOTS = 4
"""Knots of the spline per coarse cell at most."""

MARGIN = 2
"""Coarse cells beside the field that knots are put on, too: a cubic spline needs them."""


@dataclass(frozen=True)
class Settings:
    """The settings of a student.

    Attributes
    ----------
    factor : (int, int)
        Fine cells per coarse cell along y and x.
    cell_size : (float, float)
        Of the coarse cells of the training days along y and x, metres (cells, where they have no positions).
    kernels : tuple of Kernel
        Covariance of the training days, see `xr_dip.kriging.covariance`; sills in units of the squared roughness of
        a field, see `xr_dip.distillation.standard`.
    channels, layers : int
        Width and number of convolutions of the network.
    training : mapping
        How it was trained: days, steps, seed, teacher, and how well it did on the days held out. Plain values.

    Examples
    --------
    >>> settings = Settings((8, 8), (1e5, 1e5), (Kernel(2.5, 2.0, 1.0),), 32, 3, {"days": 20})
    >>> Settings.from_json(settings.to_json()) == settings
    True
    """

    factor: Factor
    cell_size: tuple[float, float]
    kernels: tuple[Kernel, ...]
    channels: int
    layers: int
    training: Mapping[str, Any]

    @property
    def covariance(self) -> Covariance:
        """Of the training days."""
        return Covariance(self.kernels)

    @property
    def knots(self) -> tuple[int, int]:
        """Knots of the spline per coarse cell along y and x."""
        return min(self.factor[0], MOST_KNOTS), min(self.factor[1], MOST_KNOTS)

    @property
    def margin(self) -> int:
        """Coarse cells beside a field that the network sees, so that none of its convolutions has a border."""
        return MARGIN + self.layers

    def to_json(self) -> str:
        """Write as JSON, with the version of the format."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Settings:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If it is of a newer format, or no settings.
        """
        try:
            plain = json.loads(text)
            version = int(plain.pop("format"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError("Invalid settings. They must be those that xr_dip wrote.") from error
        if version > FORMAT:
            raise ValueError(f"Invalid format {version}. It must be at most {FORMAT}: this file needs a newer xr_dip.")
        try:
            return _from_plain(plain)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError("Invalid settings. They must be those that xr_dip wrote.") from error


def _from_plain(plain: Mapping[str, Any]) -> Settings:
    (fy, fx), (height, width) = plain["factor"], plain["cell_size"]
    settings = Settings(
        factor=(int(fy), int(fx)),
        cell_size=(float(height), float(width)),
        kernels=tuple(Kernel(**kernel) for kernel in plain["kernels"]),
        channels=int(plain["channels"]),
        layers=int(plain["layers"]),
        training=dict(plain["training"]),
    )
    if min(*settings.factor, *settings.cell_size, settings.channels, settings.layers) <= 0:
        raise ValueError("Invalid sizes. They must be positive.")
    _ = settings.covariance  # refuses weights that are none
    return settings
