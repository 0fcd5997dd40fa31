"""Pictures of twin experiments. Needs matplotlib and cmocean: ``pip install xr-dip[plot]``.

Each function takes what the call of its name returns, and gives the Axes back.
"""

from xr_dip.twin.plot.diagrams import by_factor, days, ensemble_size, losses, members
from xr_dip.twin.plot.panels import enforcement, sections, spreads

__all__ = ["by_factor", "days", "enforcement", "ensemble_size", "losses", "members", "sections", "spreads"]
