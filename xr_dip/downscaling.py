"""One coarse DataArray in, one fine Dataset out: the only file that knows all the parts.

1. `inputs`: every argument checked; the grid found and refined; fine mask and weights read.
2. `slices`: for each time one independent problem, lazily where the input is on dask.
3. `estimate` (or `interpolation`, `kriging` for the baselines): the fine field of one time, its error and its
diagnostics.
4. `results`, with `cf`: names, coordinates, attributes, encodings.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Mapping
from typing import Any

import xarray as xr

from xr_dip import baselines, cf
from xr_dip.checks import check_batch, check_flag, check_latent_samples, check_members, check_name, check_seed
from xr_dip.inputs import FactorLike, Mask, Periodic, Target, Weights, find_target
from xr_dip.noise import NoiseField, NoiseLike, read_noise
from xr_dip.observation import check_tile
from xr_dip.progress import progress_bar
from xr_dip.relay import Relay
from xr_dip.results import finish, output_forms, rehearse, solve, with_cost
from xr_dip.slices import Output
from xr_dip.tiling import TileLike, Tiling, make_tiling


def downscale(
    da: xr.DataArray,
    factor: FactorLike,
    *,
    members: int = 10,
    preset: str = "balanced",
    generator: str | None = None,
    generator_options: Mapping[str, Any] | None = None,
    loss: str | None = None,
    penalties: Mapping[str, float] | None = None,
    constraint: str | None = None,
    constraint_options: Mapping[str, Any] | None = None,
    operator: str | None = None,
    operator_options: Mapping[str, Any] | None = None,
    mask: Mask | None = None,
    weights: Weights = "equal",
    land_value: float | None = None,
    extrapolate: bool = False,
    periodic: Periodic = "auto",
    noise_std: NoiseLike | None = None,
    perturb_observations: bool = False,
    latent_samples: int | None = None,
    x_dim: str | None = None,
    y_dim: str | None = None,
    x_coord: str | None = None,
    y_coord: str | None = None,
    tile: TileLike = "auto",
    overlap: int | None = None,
    seed: int = 0,
    device: str = "auto",
    batch: int | None = None,
    keep_members: bool = False,
    progress: bool = True,
    dataset: xr.Dataset | None = None,
    relay: Relay | None = None,
) -> xr.Dataset:
    """Make a coarse sea surface height field fine with an ensemble of deep image prior fits.

    The result has exactly `factor` times as many cells along each axis and its block means equal the input (unless
    `noise_std` says that the input is not to be trusted, or the constraint is "soft" or "none", as in the presets of
    published methods). Beyond the coarse data it shows what is plausible, not what
    was observed: read the standard error with it.

    Parameters
    ----------
    da : DataArray
        Coarse field, block means in m, cm or mm by their ``units``, in m without any, NaN on land; horizontal
        dimensions with latitude and longitude, 1-D or 2-D, in any order, and any other dimensions (time). Lazy in, lazy
        out.
    factor : int, (int, int) or mapping
        Fine cells per coarse cell: for both axes, along y and x, or by dimension as in ``{"lat": 4, "lon": 8}``.
    members : int
        Independent fits.
    preset : {"balanced", "fast", "accurate", "archambault2022", "ulyanov2018", "lapsrn"}
        Configuration to start from, see `xr_dip.presets`.
    generator, loss, constraint, operator : str, optional
        Parts to take instead of the preset's: generators "bandlimited", "dcgan", "skip", "decoder", "knitwork",
        "lapsrn"; losses "mse", "charbonnier", "l1", "huber"; constraints "optimal", "smooth", "additive", "geiss",
        "scadd", "multiplicative", "softmax", "projection", "soft", "none"; operators "block_mean", and for coarse
        values that are no block means "lanczos2", "lanczos3", "gaussian", "bicubic" and "fir". These go with the
        constraints "projection", which takes the place of a preset's own, "soft" and "none", and the domain is not
        divided.
    generator_options, constraint_options, operator_options : mapping, optional
        Keywords of these parts, see `xr_dip.generators`, `xr_dip.constraints` and `xr_dip.observing.kernels`, such as
        ``{"channels": 32}``, ``{"value_range": (-2, 2)}``, which "geiss" and "scadd" must have, ``{"width": 0.4}`` of
        "gaussian", in coarse cells, or ``{"kernel": array}``, which "fir" must have, in fine cells.
    penalties : mapping of str to float, optional
        Weights of terms that are added to the loss: "total_variation", "gradient", "correction", "coarse_misfit", see
        `xr_dip.fitting.penalties`.
    mask : "coarse", DataArray or array, optional
        Fine sea mask: bool, 1 = sea, a share of sea (sea from one half on), or CF flags; a standard name such as
        land_binary_mask is obeyed. On the fine grid, or on any regular grid of latitude and longitude that covers the
        field, such as one of 1/60 degree: of that, the window needed is read, and a fine cell is what most of the mask
        cells in it are. "coarse", as None: a fine cell is sea where its coarse cell has a value.
    weights : {"equal", "area"} or DataArray or array
        Weights of the fine cells in their coarse mean: equal as ``coarsen().mean()`` takes them, ellipsoidal cell
        areas, or given on the fine grid, such as ``e1t * e2t``.
    land_value : float, optional
        Coarse cells of this value are land, as 0 in some models. With a `dataset` that holds a mask of the coarse cells
        (tmask, mask_rho, sea_binary_mask, ...) what it calls land is missing without this.
    extrapolate : bool
        Give fine sea within one coarse cell of data values, too, where its own coarse cell has none; they are flagged,
        and nothing constrains them. Needs a fine mask.
    periodic : {"auto", True, False}
        Whether the first column is a neighbour of the last: "auto" sees from the longitudes if they go around.
    noise_std : float, DataArray or array, optional
        Standard deviation of the independent noise of the coarse values, in their unit: of all, or of each, on the
        coarse grid, as an array (y, x) or as a DataArray that may have other dimensions of the field, such as time.
        Values are then fitted to within that noise only, and count the less the noisier they are.
    perturb_observations : bool
        Fit each member to the values plus noise of that size, of its own: the spread of the fits then includes what the
        noise of the values does to them.
    latent_samples : int, optional
        Latents that are drawn through each network once it is fitted, at least 2, of generators that draw their latents
        anew ("dcgan", "skip"). Adds ``<name>_ensemble_std`` and ``<name>_latent_std``.
    x_dim, y_dim : str, optional
        Names of the horizontal dimensions, where they cannot be found.
    x_coord, y_coord : str, optional
        Names of longitude and latitude, or of the x and y of a projection, where they cannot be found.
    tile : int, "auto" or None
        Coarse cells along each side of the tiles of a large domain, their overlaps included; each is estimated from its
        own values, and they are blended. "auto" leaves a domain of up to 48 cells along each side whole, and takes 40
        for a larger one; None leaves any whole.
    overlap : int, optional
        Coarse cells that neighbouring tiles share; 8 by default, or a quarter of a smaller tile. Where "auto" or the
        size of a tile leaves a small domain whole it has no effect; with a tile of None it is refused.
    seed : int
        Every random number comes from it, from the time stamp, the tile and the member.
    device : str
        "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", ...
    batch : int, optional
        Members fitted together in one optimisation: by default one on a CPU, and on a GPU as many as its memory holds.
        It changes the speed, and the members by rounding only. With a `relay` they are fitted one by one: it must then
        be None or 1.
    keep_members : bool
        Also return the members.
    progress : bool
        Show a progress bar (for fields in memory; lazy results show dask's).
    dataset : Dataset, optional
        Where the field comes from: bounds, crs, coordinates and a mask of its cells are looked up there.
        ``ds.dip.downscale("ssh", ...)`` sets it.
    relay : xr_dip.relay.Relay, optional
        Carries what was learned from one time to the next, also from call to call, and is changed by each: for warm
        starts, see `xr_dip.downscale_archive`. The field must be in memory and of one time after the other.

    Returns
    -------
    Dataset
        ``<name>_mean``, ``<name>_std`` (standard error; calibrated with the constraint "optimal", else the spread of
        the members), ``<name>_fit_std`` (spread of the fits), ``<name>_flag`` on the fine grid; ``conservation_error``
        and ``fit_residual`` on the coarse grid; with `keep_members` ``<name>_members``; with `latent_samples` the
        spread between members and over latents, see `xr_dip.latents`; diagnostics of each time. CF-compliant, float32,
        units of the input.

    Raises
    ------
    TypeError, ValueError
        For any argument or value that cannot be used, before anything is computed.
    xr_dip.fitting.fit.FitError
        If a member stays NaN after three restarts.

    Warns
    -----
    DipWarning
        If a field in memory is constant, or one value fills a large part of it and no mask or `land_value` says whether
        it is land; and for what else could be used only in part.

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image prior.

    Examples
    --------
    >>> import xr_dip
    >>> truth = xr_dip.synthetic.gulf_stream((24, 36)).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> fine = xr_dip.downscale(coarse, factor=4, members=2, preset="fast", progress=False)
    >>> fine.ssh_mean.shape, bool(abs(fine.conservation_error).max() < 1e-6)
    ((24, 36), True)
    """
    begin = time.perf_counter()
    field, target = find_target(
        da,
        factor,
        mask=mask,
        weights=weights,
        land_value=land_value,
        extrapolate=extrapolate,
        periodic=periodic,
        x_dim=x_dim,
        y_dim=y_dim,
        x_coord=x_coord,
        y_coord=y_coord,
        dataset=dataset,
    )
    tile = check_tile(tile, operator)
    tiling = make_tiling(target.coarse_shape, target.factor, tile=tile, overlap=overlap, periodic=target.periodic)
    tiling = tiling if field.size else None  # no time, no tiles
    if relay is not None:
        _check_order(field, tiling)
    name = cf.variable_name(da)  # an array without a name is refused before the long part
    estimates = importlib.import_module("xr_dip.estimate")  # torch is imported here, not with the package
    recipe = estimates.make_recipe(
        target,
        members=check_members(members),
        preset=preset,
        parts={"generator": generator, "loss": loss, "constraint": constraint, "operator": operator},
        options={
            "generator_options": generator_options,
            "penalties": penalties,
            "constraint_options": constraint_options,
            "operator_options": operator_options,
        },
        noise_std=read_noise(noise_std, field, target.horizontal),
        perturb_observations=check_flag("perturb_observations", perturb_observations),
        latent_samples=check_latent_samples(latent_samples),
        seed=check_seed(seed),
        device=device,
        name=name,
        batch=check_batch(batch, warm=relay is not None),
        tiling=tiling,
    )
    scalars = estimates.SCALARS if tiling else estimates.SCALARS[:-1]
    outputs = output_forms(target, members if keep_members else 0, scalars, latents=latent_samples is not None)
    rehearse(field, target, outputs, dataset)  # what the metadata forbid is refused before the long part
    hidden = not progress or field.chunks is not None  # lazy results are computed elsewhere, with dask's own bar
    fits = 0 if hidden else _windows_with_values(field, target, tiling) * members
    with progress_bar(fits, hidden=hidden) as step:
        estimate = estimates.SliceEstimate(recipe, keep_members, step, relay)
        fields = (
            solve(estimate, field, target, outputs)
            if tiling is None
            else _solve_tiles(estimate, field, target, outputs)
        )
    configuration = {**target.description, **recipe.configuration()}
    method = f"deep image prior, ensemble of {members} fits, preset {preset}"
    result = finish(field, target, fields, configuration, method, dataset)
    return with_cost(result, begin, estimates.describe_device(recipe.device), lazy=field.chunks is not None)


def interpolate(
    da: xr.DataArray,
    factor: FactorLike,
    method: str = "conservative_spline",
    *,
    mask: Mask | None = None,
    weights: Weights = "equal",
    land_value: float | None = None,
    extrapolate: bool = False,
    periodic: Periodic = "auto",
    noise_std: NoiseLike | None = None,
    x_dim: str | None = None,
    y_dim: str | None = None,
    x_coord: str | None = None,
    y_coord: str | None = None,
    dataset: xr.Dataset | None = None,
) -> xr.Dataset:
    """Make a coarse field fine by a classical method: the baselines to compare with.

    Parameters
    ----------
    da, factor, mask, weights, land_value, extrapolate, periodic, x_dim, y_dim, x_coord, y_coord, dataset
        As for `xr_dip.downscale`.
    method : {"nearest", "bilinear", "bicubic", "spline", "conservative_spline", "kriging"}
        Interpolation between cell centres; a cubic spline whose block means equal the input; or block kriging, the best
        linear estimate under a covariance fitted to the field, with its standard error.
    noise_std : float, DataArray or array, optional
        Of the coarse values, as for `xr_dip.downscale`; with kriging only, which then filters it.

    Returns
    -------
    Dataset
        As of `xr_dip.downscale`; ``<name>_std`` with kriging only.

    Raises
    ------
    TypeError, ValueError
        For any argument or value that cannot be used.

    Examples
    --------
    >>> import xr_dip
    >>> truth = xr_dip.synthetic.gulf_stream((24, 36)).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> fine = xr_dip.interpolate(coarse, 4, method="bicubic")
    >>> fine.ssh_mean.shape
    (24, 36)
    """
    check_name("method", method, baselines.METHODS)
    begin = time.perf_counter()
    field, target = find_target(
        da,
        factor,
        mask=mask,
        weights=weights,
        land_value=land_value,
        extrapolate=extrapolate,
        periodic=periodic,
        x_dim=x_dim,
        y_dim=y_dim,
        x_coord=x_coord,
        y_coord=y_coord,
        dataset=dataset,
    )
    if noise_std is not None and method != baselines.KRIGING:
        raise ValueError(
            f"Invalid noise_std with the method {method!r}. It must be None: only 'kriging' knows of noise."
        )
    noise = read_noise(noise_std, field, target.horizontal)
    outputs = output_forms(target, 0, ())
    wanted = {key: outputs[key] for key in baselines.outputs(method)}
    baseline = baselines.Baseline(method, target, cf.variable_name(da), noise)
    fields = solve(baseline, field, target, wanted)
    configuration = {
        **target.description,
        "operator": "block_mean",
        "method": method,
        "noise_std": str(noise) if isinstance(noise, NoiseField) else noise,
    }
    result = finish(field, target, fields, configuration, f"interpolation, {method}", dataset)
    return with_cost(result, begin, "cpu", lazy=field.chunks is not None)


def _solve_tiles(
    estimate: Any, da: xr.DataArray, target: Target, outputs: Mapping[str, Output]
) -> dict[str, xr.Variable]:
    tiles, patchwork = (importlib.import_module(f"xr_dip.{name}") for name in ("tiles", "patchwork"))
    function = tiles.TileEstimate(estimate, watch=da.chunks is not None and not target.land_is_known)
    horizontal = target.horizontal
    solved: dict[str, xr.Variable] = patchwork.apply_to_tiles(
        function, da, (horizontal.y_dim, horizontal.x_dim), outputs
    )
    return solved


def _check_order(field: xr.DataArray, tiling: Tiling | None) -> None:
    """Refuse times that are not estimated one after the other."""
    if field.chunks is not None:
        raise ValueError("Invalid relay with a lazy field. The field must be in memory: lazy times have no order.")
    if tiling is not None and field.size > math.prod(tiling.shape):
        raise ValueError("Invalid relay with several times of a domain in tiles. Each time must be a call of its own.")


def _windows_with_values(da: xr.DataArray, target: Target, tiling: Tiling | None) -> int:
    """Count the fields to estimate: times, or tiles of times."""
    y_dim, x_dim = target.horizontal.y_dim, target.horizontal.x_dim
    known = da.notnull().transpose(..., y_dim, x_dim).values
    if tiling is None:
        return int(known.any(axis=(-2, -1)).sum())
    return sum(int(tile.cut(known).any(axis=(-2, -1)).sum()) for tile in tiling)
