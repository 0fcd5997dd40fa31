"""Sea masks as files have them: what their values mean, and which variable of a Dataset is one.

CF attributes first, names second. Models and products code sea in many ways: True; 1; a share of the cell; one of
several flags; and now and then land is 1.

References
----------
Eaton et al., NetCDF Climate and Forecast (CF) Metadata Conventions, version 1.11, section 3.5 (flags).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip.errors import DipWarning

BoolArray = npt.NDArray[np.bool_]

# By standard name: whether 1 is sea. The surest first.
STANDARD_NAMES = {
    "sea_binary_mask": True,
    "land_binary_mask": False,
    "sea_area_fraction": True,
    "land_area_fraction": False,
}
# 1 is sea in these families (NEMO, ROMS and CROCO, MOM, MITgcm) whatever the attributes of their files say.
FAMILY_NAMES = ("tmask", "tmaskutil", "mask_rho", "wet", "wet_c", "maskc", "hfacc")
SEA_NAMES = (*FAMILY_NAMES, "sea_mask", "ocean_mask", "mask")
LAND_NAMES = ("lsm", "land_mask", "landmask")

SEA_WORDS = {"sea", "water", "ocean"}
LAND_WORDS = {"land", "lake", "river", "inland"}


def decode_mask(mask: xr.DataArray, *, partly: bool = False) -> BoolArray:
    """Tell sea from land in a mask.

    In this order: flags by the words of ``flag_meanings``; the names of model families (1 is sea); the standard name;
    other names (lsm: 1 is land); else 1 or True is sea. Shares of sea, also in percent, count as sea from one half on.
    With flags a cell is sea if a word with sea, water or ocean applies and none with land, lake or river; ice alone is
    no sea. A missing value is land.

    Parameters
    ----------
    mask : DataArray
        Of any dimensions; it is computed.
    partly : bool
        Take for sea whatever has a share of it, as a coarse cell at the coast does.

    Returns
    -------
    array of bool, shape of the mask
        True on sea.

    Raises
    ------
    ValueError
        If its values are no numbers, none of the flags or no shares, or no flag means sea.

    Examples
    --------
    >>> decode_mask(xr.DataArray([0.2, 0.8, np.nan]))
    array([False,  True, False])
    >>> attrs = {"flag_values": [1, 2, 3], "flag_meanings": "water land sea_ice"}
    >>> decode_mask(xr.DataArray([1, 2, 3], attrs=attrs))
    array([ True, False,  True])
    """
    values = mask.compute(scheduler="synchronous").values
    if values.dtype.kind not in "biuf":
        raise ValueError(f"Invalid mask of type {values.dtype}{_called(mask)}. It must be of numbers or bool.")
    if "flag_meanings" in mask.attrs:
        return _decode_flags(mask, values)
    if mask.attrs.get("units") in ("%", "percent"):
        values = values / 100.0
    wrong = (values < 0) | (values > 1)
    if wrong.any():
        raise ValueError(
            f"Invalid mask with the value {values[wrong].flat[0]}{_called(mask)}. It must hold 1 (sea) and 0 (land), "
            "shares of sea between them, or flags that the attribute flag_meanings explains"
            f"{_or_leave_out(mask)}."
        )
    if _one_is_sea(mask):
        return np.asarray(values > 0 if partly else values >= 0.5)
    return np.asarray(values < 1 if partly else values <= 0.5)


def find_mask(dataset: xr.Dataset, field: xr.DataArray) -> xr.DataArray | None:
    """Find the sea mask of a field in its Dataset: by standard name, then by name in any case.

    Parameters
    ----------
    dataset : Dataset
    field : DataArray

    Returns
    -------
    DataArray or None
        Without unit, in the coding of the file, see `decode_mask`. On two or more dimensions of the field, others of
        size 1 dropped.

    Raises
    ------
    ValueError
        If more than one variable has the same of these standard names.

    Warns
    -----
    DipWarning
        If there is one of these names only with further dimensions, such as the depth.

    Examples
    --------
    >>> ds = xr.Dataset({"zeta": (("y", "x"), np.zeros((1, 2))), "mask_rho": (("y", "x"), [[0.0, 1.0]])})
    >>> find_mask(ds, ds.zeta).name
    'mask_rho'
    """
    found = {
        str(name): array for name, array in dataset.variables.items() if name != field.name and _fits(array, field)
    }
    for standard_name in STANDARD_NAMES:
        names = [name for name, variable in found.items() if variable.attrs.get("standard_name") == standard_name]
        if len(names) > 1:
            raise ValueError(
                f"Invalid Dataset with the masks {names}, each a {standard_name}. It must have one on the dimensions "
                f"of {field.name!r}: leave out the others with .drop_vars([...])."
            )
        if names:
            return _alone(dataset, names[0], field)
    by_name = {name.lower(): name for name in found}
    name = next((by_name[known] for known in (*SEA_NAMES, *LAND_NAMES) if known in by_name), None)
    if name is None:
        _warn_of_levels(dataset, field)
        return None
    return _alone(dataset, name, field)


def _warn_of_levels(dataset: xr.Dataset, field: xr.DataArray) -> None:
    """Tell of a mask of a model family, as of NEMO or MITgcm, that has a value at each depth."""
    for name, variable in dataset.variables.items():
        others = {str(dim): size for dim, size in variable.sizes.items() if dim not in field.dims}
        if str(name).lower() in FAMILY_NAMES and len(variable.dims) - len(others) >= 2 and name != field.name:
            first = {dim: 0 for dim, size in others.items() if size > 1}
            warnings.warn(
                f"The mask {name!r} is not used for {field.name!r}, for it has more dimensions: {others}. Take that of "
                f"the surface, such as ds.assign({name}=ds[{name!r}].isel({first})), or drop it: .drop_vars({name!r}).",
                DipWarning,
                stacklevel=5,
            )
            return


def _fits(variable: xr.Variable, field: xr.DataArray) -> bool:
    own = [dim for dim in variable.dims if dim in field.dims]
    others = [size for dim, size in variable.sizes.items() if dim not in own]
    return len(own) >= 2 and variable.dtype.kind in "biuf" and all(size == 1 for size in others)


def _alone(dataset: xr.Dataset, name: str, field: xr.DataArray) -> xr.DataArray:
    mask = dataset[name].reset_coords(drop=True)
    return mask.squeeze([dim for dim in mask.dims if dim not in field.dims], drop=True)


def _one_is_sea(mask: xr.DataArray) -> bool:
    name = str(mask.name).lower()
    if name in FAMILY_NAMES:
        return True
    return STANDARD_NAMES.get(str(mask.attrs.get("standard_name")), name not in LAND_NAMES)


def _or_leave_out(mask: xr.DataArray) -> str:
    return "" if mask.name is None else f"; if it is another mask, leave it out with .drop_vars({mask.name!r})"


def _called(mask: xr.DataArray) -> str:
    return "" if mask.name is None else f" in {mask.name!r}"


def _decode_flags(mask: xr.DataArray, values: npt.NDArray[np.generic]) -> BoolArray:
    """Find the sea of flags: one applies where the bits of its mask (or all) hold its value (or its mask)."""
    words = str(mask.attrs["flag_meanings"]).split()
    bits, codes = _numbers(mask.attrs, "flag_masks"), _numbers(mask.attrs, "flag_values")
    exclusive = not bits
    bits, codes = bits or [-1] * len(codes), codes or bits
    if not len(bits) == len(codes) == len(words) or not any(_is(word, SEA_WORDS) for word in words):
        raise ValueError(
            f"Invalid mask with the flag_meanings {' '.join(words)!r}{_called(mask)}. It must have a word with sea, "
            "water or ocean, and as many flag_values or flag_masks as words."
        )
    missing = np.isnan(values.astype(np.float64))
    whole = np.where(missing, 0, values).astype(np.int64)
    applies = [(whole & bit) == code for bit, code in zip(bits, codes, strict=True)]
    unknown = ~missing & ~np.any(applies, axis=0)
    if exclusive and unknown.any():
        raise ValueError(f"Invalid mask with the value {whole[unknown].flat[0]}{_called(mask)}. It must be in {codes}.")
    sea, land = (
        np.any([cells for word, cells in zip(words, applies, strict=True) if _is(word, kind)], axis=0)
        for kind in (SEA_WORDS, LAND_WORDS)
    )
    return np.asarray(sea & ~land & ~missing)


def _is(word: str, kind: set[str]) -> bool:
    """Whether a word such as `open_sea` is of a kind; land wins, as in `lake_water`."""
    parts = set(word.lower().split("_"))
    return bool(parts & kind) and (kind is LAND_WORDS or not parts & LAND_WORDS)


def _numbers(attrs: Mapping[str, object], key: str) -> list[int]:
    """Read the numbers of an attribute, which some files write as a text such as `1b, 2b`."""
    given = attrs.get(key, [])
    if isinstance(given, str):
        return [int(float(number)) for number in re.findall(r"-?\d+(?:\.\d*)?", given)]
    return [int(number) for number in np.ravel(np.asarray(given))]
