"""The version of xr_dip, in one place."""

__version__ = "0.1.0"
