"""Reading and writing by the CF conventions: the grid of an array, and the Dataset, file and summary of a result."""

from xr_dip.cf.dataset import build_dataset, related_variables, variable_name

__all__ = ["build_dataset", "related_variables", "variable_name"]
