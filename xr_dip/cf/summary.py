"""What the attributes of a result say, ready to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import xarray as xr

PREFIX = "xr_dip_"
CONFIGURATION = "xr_dip_configuration"


@dataclass(frozen=True)
class Summary:
    """Configuration and scalar totals of a downscaling.

    Attributes
    ----------
    title : str
    configuration : mapping
        Every option of the run.
    totals : mapping of str to float
        Scalar diagnostics.
    """

    title: str
    configuration: Mapping[str, object] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Aligned text, one line per entry."""
        width = max((len(key) for _, rows in self._sections() for key, _ in rows), default=0)
        lines = [self.title]
        for heading, rows in self._sections():
            lines += [heading, *(f"  {key:<{width}}  {value}" for key, value in rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Two tables for notebooks."""
        tables = [
            f"<tr><th colspan='2'>{heading}</th></tr>"
            + "".join(f"<tr><td>{escape(key)}</td><td>{escape(value)}</td></tr>" for key, value in rows)
            for heading, rows in self._sections()
        ]
        return f"<table><caption>{escape(self.title)}</caption>{''.join(tables)}</table>"

    def _sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        options = [
            (key, value if isinstance(value, str) else json.dumps(value)) for key, value in self.configuration.items()
        ]
        totals = [(key, f"{value:.4g}") for key, value in self.totals.items()]
        return [("configuration", options), ("totals", totals)]


def summarize(result: xr.Dataset) -> Summary:
    """Read the configuration and the totals of a result from its attributes.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` returns it, or as read back from a file.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        If the Dataset is no result of xr_dip.

    Examples
    --------
    >>> summarize(xr.Dataset(attrs={"xr_dip_configuration": '{"seed": 0}', "xr_dip_predicted_rmse": 0.0123}))
    xr_dip result
    configuration
      seed            0
    totals
      predicted_rmse  0.0123
    """
    attrs = {str(key): value for key, value in result.attrs.items()}
    if CONFIGURATION not in attrs:
        raise ValueError(
            f"Invalid Dataset with the attributes {sorted(attrs)}. It must be a result of xr_dip, "
            f"with the attribute '{CONFIGURATION}'."
        )
    totals = {
        key.removeprefix(PREFIX): float(value)
        for key, value in attrs.items()
        if key.startswith(PREFIX) and not isinstance(value, str)
    }
    return Summary(str(attrs.get("title", "xr_dip result")), json.loads(attrs[CONFIGURATION]), totals)
