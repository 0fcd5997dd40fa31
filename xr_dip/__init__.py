"""Fine sea surface height from coarse fields with Deep Image Prior.

``import xr_dip`` registers the accessor ``.dip`` on xarray's DataArray and Dataset. It imports no torch and needs no
network.
"""

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
