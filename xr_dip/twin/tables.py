"""What experiments found, as lines of text."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import xarray as xr

from xr_dip.twin.names import mean_score, with_unit

SMALLER_IS_BETTER = (
    *("missing_cells", "rmse", "gradient_rmse", "laplacian_rmse", "effective_resolution"),
    *("crps_gaussian", "crps", "conservation_error", "seconds"),
)
"""Scores that are to be small; neither bias, nor coverage, nor the ratio of spread and skill."""
LARGER_IS_BETTER = ("mu_score", "ssim", "psnr", "correlation")
"""Scores that are to be large."""


def of_factors(scores: xr.Dataset, score: str = "rmse") -> str:
    """Lay one score out by method and factor; the mean where there are several times.

    Parameters
    ----------
    scores : Dataset
        Of `xr_dip.twin.experiment`.
    score : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> rmse = (("factor", "estimator", "noise_std"), [[[0.01]], [[0.03]]], {"units": "m"})
    >>> scores = xr.Dataset({"rmse": rmse}, {"factor": [4, 8], "estimator": ["bicubic"], "noise_std": [0.0]})
    >>> print(of_factors(scores))
    rmse (m)    x4    x8
    bicubic   0.01  0.03
    """
    kept = ("estimator", "noise_std", "factor")
    values = mean_score(scores, score, kept).transpose(*kept)
    rows = [[with_unit(scores[score], score), *(f"x{factor}" for factor in values.factor.values)]]
    for method in values.estimator.values:
        for noise in values.noise_std.values:
            label = f"{method}, noise {noise:g}" if noise else str(method)
            rows.append([label, *(f"{value:.4g}" for value in values.sel(estimator=method, noise_std=noise).values)])
    return _aligned(rows)


def of_sections(cuts: xr.Dataset) -> str:
    """Lay the root mean square error along the line out by method and factor.

    Parameters
    ----------
    cuts : Dataset
        Of `xr_dip.twin.sections`.

    Returns
    -------
    str

    Examples
    --------
    >>> from xr_dip import synthetic, twin
    >>> print(of_sections(twin.sections(synthetic.gulf_stream((24, 36)).ssh, [2, 4], ["bicubic"])))
    rmse along the line (m)         x2        x4
    bicubic                  0.000...  0.00...
    """
    errors = ((cuts.estimate - cuts.truth) ** 2).mean("distance") ** 0.5
    rows = [[with_unit(cuts.truth, "rmse along the line"), *(f"x{factor}" for factor in cuts.factor.values)]]
    for method in cuts.estimator.values:
        rows.append([str(method), *(f"{value:.4g}" for value in errors.sel(estimator=method).values)])
    return _aligned(rows)


def of_ensemble(parts: xr.Dataset, score: str = "rmse") -> str:
    """Write one score of the members, of means of so many, and of bicubic interpolation, and what the spread says.

    Parameters
    ----------
    parts : Dataset
        Of `xr_dip.twin.ensemble`.
    score : {"rmse", "ssim"}

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> found = {"rmse": ("size", [2.0, 1.5]), "member_rmse": ("member", [2.1, 1.9])}
    >>> parts = xr.Dataset(found, {"size": [1, 2]}).assign(bicubic_rmse=1.8, correlation=0.4)
    >>> print(of_ensemble(parts))
    rmse
    best member                              1.9
    worst member                             2.1
    mean of 1                                  2
    mean of 2                                1.5
    bicubic                                  1.8
    correlation of the spread and the error  0.4
    """
    _check(score, [name for name in ("rmse", "ssim") if f"member_{name}" in parts])
    members = sorted(parts[f"member_{score}"].values.tolist(), reverse=score in LARGER_IS_BETTER)
    numbers = {"best member": members[0], "worst member": members[-1]}
    numbers |= {f"mean of {int(size)}": value for size, value in zip(parts["size"].values, parts[score], strict=True)}
    numbers |= {"bicubic": parts[f"bicubic_{score}"], "correlation of the spread and the error": parts.correlation}
    if "latent_correlation" in parts:
        numbers["correlation of the spread of the latents and the error"] = parts.latent_correlation
    rows = [[label, f"{float(value):.4g}"] for label, value in numbers.items()]
    return f"{with_unit(parts[score], score)}\n{_aligned(rows)}"


def of_enforcement(scores: xr.Dataset) -> str:
    """Lay the scores out by form of enforcement.

    Parameters
    ----------
    scores : Dataset
        Of `xr_dip.twin.enforcement`.

    Returns
    -------
    str

    Examples
    --------
    >>> names = {"constraint": ["none", "additive"]}
    >>> scores = xr.Dataset({"rmse": ("constraint", [0.1, 0.08], {"units": "m"})}, names)
    >>> print(of_enforcement(scores))
    constraint  rmse (m)
    none             0.1
    additive        0.08
    """
    shown = [name for name in ("rmse", "ssim", "gradient_rmse", "conservation_error", "volume_error") if name in scores]
    rows = [["constraint", *(with_unit(scores[name], name) for name in shown)]]
    for constraint in scores.constraint.values:
        one = scores.sel(constraint=constraint)
        rows.append([str(constraint), *(f"{float(one[name]):.3g}" for name in shown)])
    return _aligned(rows)


def of_losses(scores: xr.Dataset, score: str = "psnr") -> str:
    """Write for each loss the best score on the way, when it was, and the last; the mean of the fits.

    Parameters
    ----------
    scores : Dataset
        Of `xr_dip.twin.losses`.
    score : {"psnr", "ssim", "rmse"}

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> values = (("loss", "member", "iteration"), [[[20.0, 25.0, 24.0]]], {"units": "dB"})
    >>> print(of_losses(xr.Dataset({"psnr": values}, {"loss": ["mse"], "iteration": [10, 20, 30]})))
    psnr (dB)  best  at iteration  in the end
    mse          25            20          24
    """
    curves = mean_score(scores, score, ("loss", "iteration"))
    find_best = curves.idxmin if score in SMALLER_IS_BETTER else curves.idxmax
    rows = [[with_unit(scores[score], score), "best", "at iteration", "in the end"]]
    for loss, when in zip(curves.loss.values, find_best("iteration").values, strict=True):
        curve = curves.sel(loss=loss)
        best, last = float(curve.sel(iteration=when)), float(curve[-1])
        rows.append([str(loss), f"{best:.4g}", f"{int(when)}", f"{last:.4g}"])
    return _aligned(rows)


def of_claims(found: xr.Dataset) -> str:
    """Write each published claim, if it was seen, and the numbers.

    Parameters
    ----------
    found : Dataset
        Of `xr_dip.twin.claims`.

    Returns
    -------
    str

    Examples
    --------
    >>> from xr_dip.twin import judge
    >>> print(of_claims(judge()).splitlines()[0])
    (a) not tested: The prior cannot fit even an exact field of factor 1, bicubic interpolation can.
    """
    return "\n".join(
        f"({letter}) {verdict}: {statement}\n    {evidence}"
        for letter, verdict, statement, evidence in zip(
            found.claim.values, found.verdict.values, found.statement.values, found.evidence.values, strict=True
        )
    )


def _check(score: str, known: Iterable[Hashable]) -> None:
    names = list(map(str, known))
    if score not in names:
        raise ValueError(f"Invalid score {score!r}. It must be one of {names}.")


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Align the first column left, the others right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
