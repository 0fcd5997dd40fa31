"""One self-contained HTML page about a result: pictures, diagnostics, scores with a truth, and how it was made.

The page needs no network, no script and no other file; it has a light and a dark look, and prints.
"""

from xr_dip.report.writing import write_report

__all__ = ["write_report"]
