"""Why an untrained network is a prior for sea surface height, and whether a field repeats itself: two analyses.

They look at one field, and estimate nothing. `xr_dip.analysis.plot` draws what they return.
"""

from xr_dip.analysis import plot
from xr_dip.analysis.impedance import TARGETS, impedance
from xr_dip.analysis.recurrence import patch_recurrence

__all__ = ["TARGETS", "impedance", "patch_recurrence", "plot"]
