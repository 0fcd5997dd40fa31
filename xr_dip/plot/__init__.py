"""Pictures of a result: maps, errors, spread, members, conservation, spectra, reliability, and days as an animation.

Needs matplotlib and cmocean: ``pip install xr-dip[plot]``. A map is of one time: select one first, unless there is only
one. Nothing is drawn but what is in the fields, so land is where they are missing; for a coastline or a projection,
take cartopy (``projection=`` or ``ax=``).
"""

from xr_dip.plot.curves import SMALLEST_SHOWN, conservation, rank_histogram, reliability, spectra
from xr_dip.plot.maps import conservation_map, departure, error, height, spread
from xr_dip.plot.movie import animate
from xr_dip.plot.pages import compare, members, overview

__all__ = [
    "SMALLEST_SHOWN",
    "animate",
    "compare",
    "conservation",
    "conservation_map",
    "departure",
    "error",
    "height",
    "members",
    "overview",
    "rank_histogram",
    "reliability",
    "spectra",
    "spread",
]
