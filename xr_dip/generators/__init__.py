"""Generators by name: factories that return a freshly seeded network for a coarse shape and a factor."""

from __future__ import annotations

from collections.abc import Callable

from xr_dip.generators.bandlimited import make_bandlimited
from xr_dip.generators.base import Generator
from xr_dip.generators.dcgan import make_dcgan

GENERATORS: dict[str, Callable[..., Generator]] = {"bandlimited": make_bandlimited, "dcgan": make_dcgan}

__all__ = ["GENERATORS", "Generator", "make_bandlimited", "make_dcgan"]
