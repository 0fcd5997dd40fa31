"""Fine sea surface height from coarse fields with Deep Image Prior.

``import xr_dip`` registers the accessor ``.dip`` on xarray's DataArray and Dataset. It imports no torch and needs no
network. `analysis`, `generators`, `plot`, `presets`, `report`, `twin` and `verification` are imported when they are
named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from xr_dip import samples, synthetic
from xr_dip._version import __version__
from xr_dip.accessor import DipArray, DipDataset
from xr_dip.archive.driver import downscale_archive
from xr_dip.distillation.student import Student, load_student
from xr_dip.distillation.teaching import distill
from xr_dip.downscaling import downscale, interpolate
from xr_dip.errors import DipWarning
from xr_dip.geostrophy import currents
from xr_dip.scoring import verify
from xr_dip.versions import show_versions

if TYPE_CHECKING:
    from types import ModuleType

    from xr_dip import analysis as analysis
    from xr_dip import generators as generators
    from xr_dip import plot as plot
    from xr_dip import presets as presets
    from xr_dip import report as report
    from xr_dip import twin as twin
    from xr_dip import verification as verification

__all__ = [
    "DipArray",
    "DipDataset",
    "DipWarning",
    "Student",
    "__version__",
    "currents",
    "distill",
    "downscale",
    "downscale_archive",
    "interpolate",
    "load_student",
    "samples",
    "show_versions",
    "synthetic",
    "verify",
]

# Not in `__all__`: `from xr_dip import *` would import torch with the generators.
_IMPORTED_WHEN_NAMED = ("analysis", "generators", "plot", "presets", "report", "twin", "verification")


def __dir__() -> list[str]:
    """List the public names, for the tab key also those that are not imported yet."""
    return sorted({*globals(), *_IMPORTED_WHEN_NAMED})


# Out of sight of type checkers, which know the modules from above and would let every other name pass.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        """Import a module of the package the first time that it is named."""
        if name in _IMPORTED_WHEN_NAMED:
            return import_module(f"xr_dip.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
