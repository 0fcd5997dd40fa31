"""Generators by name: factories that return a freshly seeded network for a coarse shape and a factor."""

from __future__ import annotations

from collections.abc import Callable

from xr_dip.generators.bandlimited import make_bandlimited
from xr_dip.generators.base import Generator
from xr_dip.generators.dcgan import make_dcgan
from xr_dip.generators.decoder import make_decoder
from xr_dip.generators.knitwork import make_knitwork
from xr_dip.generators.lapsrn import make_lapsrn
from xr_dip.generators.skip import make_skip

GENERATORS: dict[str, Callable[..., Generator]] = {
    "bandlimited": make_bandlimited,
    "dcgan": make_dcgan,
    "skip": make_skip,
    "decoder": make_decoder,
    "knitwork": make_knitwork,
    "lapsrn": make_lapsrn,
}
WITH_OWN_PENALTY = ("knitwork", "lapsrn")
"""Those that add a term of their own to the loss, see `xr_dip.generators.base.Generator.own_penalty`."""

__all__ = [
    "GENERATORS",
    "WITH_OWN_PENALTY",
    "Generator",
    "make_bandlimited",
    "make_dcgan",
    "make_decoder",
    "make_knitwork",
    "make_lapsrn",
    "make_skip",
]
