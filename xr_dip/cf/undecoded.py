"""Numbers of a file as they are stored, which are to be scaled yet, or stand for nothing."""

from __future__ import annotations

import xarray as xr

PACKING = ("scale_factor", "add_offset")
FILLS = ("_FillValue", "missing_value")
"""Attributes that xarray moves to the encoding when it decodes a file: where they are left, the values are raw."""
DECODE = "open the file without mask_and_scale=False or decode_cf=False, or decode it with xr.decode_cf(ds)"


def check_unpacked(name: str, variable: xr.Variable) -> None:
    """Refuse the numbers of a file that are to be scaled yet.

    Parameters
    ----------
    name : str
        Of the variable, for messages.
    variable : Variable

    Raises
    ------
    ValueError
        If it has an attribute ``scale_factor`` or ``add_offset``.

    Examples
    --------
    >>> check_unpacked("ssh", xr.Variable("x", [50.0], {"scale_factor": 0.01}))
    Traceback (most recent call last):
    ...
    ValueError: Invalid 'ssh' with the attributes {'scale_factor': 0.01}. It must be decoded: open the file without...
    """
    packing = {key: variable.attrs[key] for key in PACKING if key in variable.attrs}
    if packing:
        raise ValueError(f"Invalid {name!r} with the attributes {packing}. It must be decoded: {DECODE}.")
