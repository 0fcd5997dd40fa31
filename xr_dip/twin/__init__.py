"""Twin experiments: make a truth coarse, make it fine again, and score the result against the truth.

The truth gives the coarse field and the coastline, and is then used for scoring only: no method sees it.

Each experiment of Archambault et al. (2022), of the comparison of losses of Indulkar and Upadhyay, and of the table of
Geiss and Hardin (2023) with and without enforcement is one call, `xr_dip.twin.plot` draws what it returns, and
`claims` says of each published claim whether a truth shows it. With ``cache=`` results are kept in a folder.
"""

from xr_dip.coarsening import coarsen
from xr_dip.twin import plot
from xr_dip.twin.comparison import experiment
from xr_dip.twin.conserving import enforcement
from xr_dip.twin.descent import losses
from xr_dip.twin.profiles import sections
from xr_dip.twin.published import claims, judge
from xr_dip.twin.single import ensemble

__all__ = ["claims", "coarsen", "enforcement", "ensemble", "experiment", "judge", "losses", "plot", "sections"]
