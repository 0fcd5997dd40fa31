"""Scores of a result against a known truth on its fine grid: one call, for users.

The scores themselves are those of `xr_dip.verification`. What is added here: the truth is matched with the result by
position, currents are compared as well as heights, and the methods that a user could take instead are run on the
coarse values that the result was made from, which its own coarse values and its ``conservation_error`` give back
exactly.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import cast

import numpy as np
import xarray as xr

from xr_dip import baselines as classical
from xr_dip import downscaling
from xr_dip.cf.horizontal import Horizontal, find_horizontal
from xr_dip.cf.provenance import attribute_text, history_line
from xr_dip.checks import check_name
from xr_dip.coarsening import fine_weights
from xr_dip.errors import DipWarning
from xr_dip.geometry.ellipsoid import degree_lengths
from xr_dip.geometry.grid import IndexGrid, RectilinearGrid
from xr_dip.geostrophy import geostrophic_flow, is_height
from xr_dip.matching import place_on
from xr_dip.reading import coarse_input, configuration_of, source_name
from xr_dip.times import at_same_times
from xr_dip.verification import difference, effective_resolution, evaluate, psd_score, rank_histogram, rmse
from xr_dip.verification.derivatives import Spacing
from xr_dip.verification.evaluation import several
from xr_dip.verification.statistics import label, root_mean_square


def verify(
    result: xr.Dataset,
    truth: xr.DataArray,
    name: Hashable | None = None,
    *,
    weights: str | xr.DataArray = "equal",
    baselines: Sequence[str] = ("bicubic", "kriging"),
) -> xr.Dataset:
    """Score a result against a truth on the same fine grid.

    Parameters
    ----------
    result : Dataset
        As `xr_dip.downscale` or `xr_dip.interpolate` returns it, or as read back from a file. Lazy in, lazy out, but
        baselines need the sea of a result that was made with a fine mask, which is computed.
    truth : DataArray
        The true height of each fine cell, NaN where it is unknown. Its horizontal dimensions may have other names and
        another order; its latitude and longitude, where it has them, must be those of the result to a quarter of a
        cell. In m, cm or mm: it is brought to the unit of the result; without units it is taken to be in that unit.
        Further dimensions, such as time, are those of the result, and are scored one by one. Its times, where it has
        any, must be those of the result, to a second.
    name : str, optional
        What the result was made from, where it is of several variables.
    weights : {"equal", "area"} or DataArray
        Weight of each fine cell in the means: all the same, as `xr_dip.twin.experiment` has it, ellipsoidal cell areas,
        or given. Spectra and ranks have equal weights always.
    baselines : sequence of str
        Methods of `xr_dip.interpolate` to compare with; ``()`` for none. They take the coarse values, the sea and the
        weights of the result, and take any coarse values for block means. Kriging is told its ``noise_std`` where that
        is one number; a field of noise is not in the result, and the score says that it knows of none.

    Returns
    -------
    Dataset
        Every score of `xr_dip.verification.evaluate`: ``cells``, ``missing_cells``, ``bias``, ``rmse``, ``mu_score``,
        ``ssim``, ``gradient_rmse``, ``laplacian_rmse``, ``effective_resolution`` (isotropic; NaN with land), and with
        a standard error, or two members at least, ``spread_skill``, ``coverage``, ``correlation``, ``crps_gaussian``,
        ``crps`` (fair).
        Besides ``current_rmse``, the root mean square length of the error of the geostrophic velocity, and
        ``vorticity_rmse`` (`xr_dip.currents`); ``lambda_x``, the effective resolution along lines of x, those with
        land left out; with members ``rank_histogram``; and for each baseline ``rmse_<method>`` and ``skill_<method>``,
        the share by which the result errs less: ``1 - rmse / rmse_<method>``. Without latitude and longitude there are
        no scores of derivatives and spectra, and of units of no length none of currents. Derivatives are of each cell's
        own size between parallels and meridians; on other grids, and for spectra on all, cells have one typical size,
        so that wavelengths on a grid of many latitudes are those of its middle.

    Raises
    ------
    TypeError
        If the truth is no DataArray.
    ValueError
        If the result is none, or of several variables without a name; if the truth is on another grid, of another time
        or has no value where the result has one; if a weight or a baseline is unknown.
    ImportError
        If scikit-image is missing.

    Warns
    -----
    DipWarning
        If there can be no baselines, for the result was made with weights or a kernel of the user that it does not
        hold.

    See Also
    --------
    xr_dip.twin.experiment : several methods on one truth, which is made coarse first.

    Examples
    --------
    >>> import xr_dip
    >>> truth = xr_dip.synthetic.gulf_stream((24, 36)).ssh
    >>> fine = xr_dip.interpolate(truth.coarsen(latitude=4, longitude=4).mean(), 4)
    >>> scores = verify(fine, truth, baselines=["bicubic"])
    >>> bool(scores.rmse < scores.rmse_bicubic), scores.rmse.units, scores.current_rmse.units
    (True, 'm', 'm s-1')
    """
    _check_baselines(baselines)
    chosen = source_name(result, name)
    configuration = configuration_of(result, chosen)
    mean = result[f"{chosen}_mean"]
    horizontal = find_horizontal(mean, dataset=result)
    dims = (horizontal.y_dim, horizontal.x_dim)
    known = at_same_times(mean, place_on(mean, truth, horizontal), dims)
    cells = None if isinstance(weights, str) and weights == "equal" else fine_weights(known, weights, horizontal)
    located = not isinstance(horizontal.grid, IndexGrid)
    placed = result.drop_vars(_along(result.coords, dims))
    scores = evaluate(
        placed, known, dims=dims, spacing=_spacing(horizontal) if located else None, weights=cells, name=chosen
    )
    _check_cells(scores)
    if located:
        scores = scores.assign(_scores_of_slopes(mean, known, horizontal, cells))
    members = several(placed.get(f"{chosen}_members"))
    if members is not None:
        scores["rank_histogram"] = rank_histogram(members, known, dims=dims)
    for method, estimate in _rerun(result, chosen, horizontal, configuration, baselines).items():
        called = f"{method}, not told of the noise" if _misses_noise(method, configuration) else method
        scores = scores.assign(_skill(method, called, estimate, known, dims, cells, scores.rmse))
    return scores.assign_attrs(_attributes(result, truth, chosen))


def _check_baselines(baselines: Sequence[str]) -> None:
    if isinstance(baselines, str) or not isinstance(baselines, Collection):
        raise ValueError(
            f"Invalid baselines {baselines!r}. It must be a sequence of {sorted(classical.METHODS)}, such as "
            "['kriging'], or () for none."
        )
    for method in baselines:
        check_name("baselines", method, classical.METHODS)


def _check_cells(scores: xr.Dataset) -> None:
    """Refuse a truth that has no cell in common with a result; lazy ones are not looked at."""
    if scores.cells.chunks is None and not scores.cells.any():
        raise ValueError("Invalid truth without a value where the result has one. There must be a cell to compare.")


def _spacing(horizontal: Horizontal) -> Spacing:
    """Distances between cell centres along y and x: of each cell between parallels and meridians, or else typical."""
    grid = horizontal.grid
    if not isinstance(grid, RectilinearGrid):
        return grid.spacing()
    northward, eastward = (xr.DataArray(part, dims=horizontal.y_dim) for part in degree_lengths(grid.centres()[0]))
    height, width = (abs(np.diff(edges)) for edges in (grid.latitude_edges, grid.longitude_edges))
    return northward * height, eastward * xr.DataArray(width, dims=horizontal.x_dim)


def _scores_of_slopes(
    mean: xr.DataArray, known: xr.DataArray, horizontal: Horizontal, cells: xr.DataArray | None
) -> dict[str, xr.DataArray]:
    """Resolution along lines of x; of a height also errors of the current and its vorticity, which are linear in it."""
    dims = (horizontal.y_dim, horizontal.x_dim)
    bare = mean.drop_vars(_along(mean.coords, dims))
    score = psd_score(bare, known, dims=dims, spacing=horizontal.grid.spacing(), direction=horizontal.x_dim)
    resolution = label(effective_resolution(score), "lambda_x", "shortest resolved wavelength along x", "m")
    if not is_height(mean):
        return {"lambda_x": resolution}
    flow = geostrophic_flow(difference(bare, known, dims=dims).assign_attrs(mean.attrs), horizontal)
    return {
        "current_rmse": label(
            root_mean_square(flow.speed, dims=dims, weights=cells),
            "current_rmse",
            "root mean square length of the error of the geostrophic velocity",
            "m s-1",
        ),
        "vorticity_rmse": label(
            root_mean_square(flow.vorticity, dims=dims, weights=cells),
            "vorticity_rmse",
            "root mean square error of the geostrophic vorticity",
            "s-1",
        ),
        "lambda_x": resolution,
    }


def _rerun(
    result: xr.Dataset,
    name: str,
    horizontal: Horizontal,
    configuration: Mapping[str, object],
    methods: Sequence[str],
) -> dict[str, xr.DataArray]:
    """Fine fields of other methods from the same coarse values, on the same sea."""
    if not methods:
        return {}
    coarse, weights = coarse_input(result, name), str(configuration["weights"])
    if coarse is None:
        warnings.warn(
            f"The result does not hold all that it was made from, with weights {weights!r} and the operator "
            f"{configuration.get('operator')!r}, or its fine cells are not those of whole coarse cells. So it has no "
            f"scores of {list(methods)}: take a window of whole coarse cells, or pass baselines=() to do without.",
            DipWarning,
            stacklevel=3,
        )
        return {}
    dims = (horizontal.y_dim, horizontal.x_dim)
    return {
        method: downscaling.interpolate(
            coarse,
            _factor(configuration),
            method,
            mask=None if configuration["mask"] == "coarse" else _sea(result[f"{name}_mean"], dims),
            weights=weights,
            extrapolate=bool(configuration["extrapolate"]),
            periodic=bool(configuration["periodic"]),
            noise_std=_noise(configuration) if method == classical.KRIGING else None,
            y_dim=dims[0],
            x_dim=dims[1],
        )[f"{name}_mean"]
        for method in methods
    }


def _noise(configuration: Mapping[str, object]) -> float | None:
    """Noise of the coarse values that a result was told of, where it is one number."""
    noise = configuration.get("noise_std")
    return float(noise) if isinstance(noise, int | float) else None


def _misses_noise(method: str, configuration: Mapping[str, object]) -> bool:
    """Whether a method would filter noise that the result was told of but does not hold: a field of it."""
    return method == classical.KRIGING and configuration.get("noise_std") is not None and _noise(configuration) is None


def _sea(mean: xr.DataArray, dims: tuple[str, str]) -> xr.DataArray:
    """Fine cells that have a value at some time, computed if the result is lazy."""
    sea = mean.notnull().any([dim for dim in mean.dims if dim not in dims]).compute()
    return sea.drop_vars(sea.coords)


def _along(coords: Mapping[Hashable, xr.DataArray], dims: tuple[str, str]) -> list[Hashable]:
    """Name the coordinates along horizontal dimensions: cells are matched already, and rounding must not undo it."""
    return [key for key, coord in coords.items() if not set(dims).isdisjoint(coord.dims)]


def _factor(configuration: Mapping[str, object]) -> tuple[int, int]:
    along_y, along_x = cast(Sequence[int], configuration["factor"])
    return along_y, along_x


def _skill(
    method: str,
    called: str,
    estimate: xr.DataArray,
    known: xr.DataArray,
    dims: tuple[str, str],
    cells: xr.DataArray | None,
    own: xr.DataArray,
) -> dict[str, xr.DataArray]:
    other = rmse(estimate.drop_vars(_along(estimate.coords, dims)), known, dims=dims, weights=cells)
    error, skill = f"rmse_{method}", f"skill_{method}"
    return {
        error: label(other, error, f"root mean square error of {called}", other.attrs.get("units")),
        skill: label(1.0 - own / other.where(other > 0), skill, f"reduction of the error of {called}", "1"),
    }


def _attributes(result: xr.Dataset, truth: xr.DataArray, name: str) -> dict[str, str]:
    return {
        "title": f"scores of {name}",
        "history": history_line(f"verify({name}, {truth.name})", attribute_text(result.attrs, "history")),
    }
