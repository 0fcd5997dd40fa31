"""Named configurations: every number of a method, in one frozen value that turns into JSON.

A preset is a function of the factor, because the best network grows finer where a coarse cell hides more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xr_dip.blocks import WIDE_CELLS, Factor
from xr_dip.constraints import SOFT_WEIGHT


@dataclass(frozen=True)
class Preset:
    """One configuration.

    Attributes
    ----------
    generator : str
        Name in `xr_dip.generators.GENERATORS`.
    generator_options : dict
        Keywords of its factory.
    variants : tuple of dict
        Further keywords; the members take them in turn, so that they differ in kind and not by chance alone.
    loss, operator, constraint, stopping : str
        Names in the tables of these modules; `constraint` may be "optimal".
    operator_options, constraint_options : dict
        Keywords of the operator and of the constraint.
    penalties : dict of str to float
        Weights of the terms of `xr_dip.fitting.penalties.PENALTIES` that are added to the loss.
    whitening : float
        Exponent s of the weights lambda^-s of the misfit of modes of variance lambda, from the covariance fitted to the
        coarse field: 0 weighs all alike, 1 makes every mode count as much as any other.
    iterations, learning_rate, betas, schedule, keep
        See `xr_dip.fitting.fit.FitConfig`.

    Examples
    --------
    >>> preset = balanced((8, 8))
    >>> preset.loss, preset.override(loss="huber").loss
    ('mse', 'huber')
    """

    generator: str = "bandlimited"
    generator_options: dict[str, Any] = field(default_factory=dict)
    variants: tuple[dict[str, Any], ...] = ({},)
    loss: str = "mse"
    operator: str = "block_mean"
    operator_options: dict[str, Any] = field(default_factory=dict)
    constraint: str = "optimal"
    constraint_options: dict[str, Any] = field(default_factory=dict)
    penalties: dict[str, float] = field(default_factory=dict)
    stopping: str = "fixed"
    whitening: float = 0.5
    iterations: int = 100
    learning_rate: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.99)
    schedule: str = "onecycle"
    keep: str = "last"

    def options_of_member(self, member: int) -> dict[str, Any]:
        """Return the keywords of the factory for one member."""
        return {**self.generator_options, **self.variants[member % len(self.variants)]}

    def penalties_of_fits(self) -> dict[str, float]:
        """Return the weights of all penalties: a soft constraint is one."""
        if self.constraint != "soft":
            return self.penalties
        return {**self.penalties, "coarse_misfit": self.constraint_options.get("alpha", SOFT_WEIGHT)}

    def override(
        self,
        *,
        generator: str | None = None,
        generator_options: Mapping[str, Any] | None = None,
        loss: str | None = None,
        penalties: Mapping[str, float] | None = None,
        constraint: str | None = None,
        constraint_options: Mapping[str, Any] | None = None,
        operator: str | None = None,
        operator_options: Mapping[str, Any] | None = None,
        stopping: str | None = None,
    ) -> Preset:
        """Return a preset with other parts; a None leaves the part as it is.

        A generator, constraint or operator of another name comes with its own default options. Options of the
        generator are taken besides those that are there, and in all members.
        """
        parts = {"loss": loss, "constraint": constraint, "operator": operator, "stopping": stopping}
        chosen: dict[str, Any] = {name: part for name, part in parts.items() if part is not None}
        if penalties is not None:
            chosen["penalties"] = dict(penalties)
        if constraint_options is not None or constraint not in (None, self.constraint):
            chosen["constraint_options"] = dict(constraint_options or {})
        if operator_options is not None or operator not in (None, self.operator):
            chosen["operator_options"] = dict(operator_options or {})
        if generator not in (None, self.generator):
            chosen |= {"generator": generator, "generator_options": {}, "variants": ({},)}
        return replace(self, **chosen)._with_options(generator_options or {})

    def _with_options(self, options: Mapping[str, Any]) -> Preset:
        """Return a preset whose members all have these keywords of the generator."""
        variants = tuple({key: part for key, part in each.items() if key not in options} for each in self.variants)
        return replace(self, generator_options={**self.generator_options, **options}, variants=variants)


def archambault2022(factor: Factor) -> Preset:
    """Return the published method: DCGAN, mean square misfit, 1500 steps of Adam, no conservation.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    Preset

    References
    ----------
    Archambault, Filoche, Charantonis, Béréziat 2022, Unlearned downscaling of sea surface height with deep image prior.

    Examples
    --------
    >>> archambault2022((16, 16)).iterations
    1500
    """
    return Preset(
        generator="dcgan",
        generator_options={"latent": "normal"},
        loss="mse",
        constraint="none",
        whitening=0.0,
        iterations=1500,
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        schedule="plateau",
    )


def ulyanov2018(factor: Factor) -> Preset:
    """Return the deep image prior as it was published for super-resolution: hourglass with skips, 2000 steps of Adam.

    It works on the fine cells, so that a step costs as much as there are of them.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    Preset

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky 2018, Deep image prior, CVPR.

    Examples
    --------
    >>> ulyanov2018((16, 16)).generator
    'skip'
    """
    return Preset(
        generator="skip",
        loss="mse",
        constraint="none",
        whitening=0.0,
        iterations=2000,
        learning_rate=1e-2,
        betas=(0.9, 0.999),
        schedule="constant",
    )


def lapsrn(factor: Factor) -> Preset:
    """Return the Laplacian pyramid network of Lai et al. 2017, trained on the one field instead of an archive.

    Trained on pictures by Indulkar and Upadhyay: 50 epochs of 30 steps, 16 crops of 128 x 128 in each, Adam with weight
    decay 1e-4, its rate 1e-3 halved after every tenth epoch. One field is a crop or a few: 150 steps, halved after each
    fifth, of 4 crops, as wide as the field is, up to 128; and all levels have the same weights. The rest is the same.
    Coarse fields that are coarsened and made fine again are further from themselves after 400 steps than after 150.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    Preset

    References
    ----------
    Lai, Huang, Ahuja, Yang 2017, Deep Laplacian pyramid networks for fast and accurate super-resolution, CVPR.
    Indulkar, Upadhyay, Robust loss with deep image prior: the numbers of its baseline.

    Examples
    --------
    >>> lapsrn((8, 8)).generator_options
    {'batch': 4}
    """
    return Preset(
        generator="lapsrn",
        generator_options={"batch": 4},
        loss="charbonnier",
        constraint="none",
        whitening=0.0,
        iterations=150,
        learning_rate=1e-3,
        betas=(0.9, 0.999),
        schedule="halving",
    )


def balanced(factor: Factor) -> Preset:
    """Return the default: a band-limited prior for what the coarse data cannot see, kriging for what they can.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    Preset

    Examples
    --------
    >>> balanced((16, 16)).iterations
    150
    """
    return Preset(
        generator_options={
            "ratio": (_ratio(factor[0]), _ratio(factor[1])),
            "padding": (_padding(factor[0]), _padding(factor[1])),
            **_channels(max(factor)),
        },
        variants=_activations("tanh", "gelu") if max(factor) > 4 else _activations("silu", "tanh"),
        whitening=0.25 if max(factor) >= WIDE_CELLS else 0.5,
        learning_rate=6e-3,
        iterations=_iterations(max(factor)),
    )


def fast(factor: Factor) -> Preset:
    """Return the preset for first looks and long archives: a smaller network, about four times less work.

    Two knots for a coarse cell, and fewer steps; from factor 24 on the knots and steps of `balanced`, as there are few
    cells then, and with two knots it would be no better than kriging.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    Preset

    Examples
    --------
    >>> fast((16, 16)).generator_options["channels"]
    32
    """
    base = balanced(factor)
    if max(factor) >= WIDE_CELLS:
        knots = {name: base.generator_options[name] for name in ("ratio", "padding")}
        return replace(base, generator_options={**knots, "channels": 32})
    options = {"ratio": (min(2, factor[0]), min(2, factor[1])), "padding": (2, 2), "channels": 32}
    return replace(base, generator_options=options, iterations=base.iterations // 2 + 20)


def accurate(factor: Factor) -> Preset:
    """Return the preset for results to publish: twice the steps where they help, at factors below 12.

    From 12 up it is `balanced`: longer fits drift away from the truth there, and wider networks gain nothing.

    Parameters
    ----------
    factor : (int, int)

    Returns
    -------
    Preset

    Examples
    --------
    >>> accurate((8, 8)).iterations
    400
    """
    base = balanced(factor)
    return replace(base, iterations=2 * base.iterations) if max(factor) < 12 else base


def _activations(*names: str) -> tuple[dict[str, Any], ...]:
    """Variants that differ by their activation."""
    return tuple({"activation": name} for name in names)


def _ratio(factor: int) -> int:
    """Return the spline knots per coarse cell: four where a cell hides much, never more than fine cells."""
    return 4 if factor >= 12 else min(2, factor)


def _padding(factor: int) -> int:
    """Return the coarse cells added around the domain."""
    return 3 if factor > 4 else 4


def _channels(factor: int) -> dict[str, int]:
    """Return the width: less is enough where little is to be found, and on the largest level of four knots a cell."""
    if factor <= 4:
        return {"channels": 32}
    return {"channels": 64, "last_channels": 32} if factor >= 12 else {"channels": 64}


def _iterations(factor: int) -> int:
    """Return the steps: a grid of wider cells holds less to fit."""
    if factor >= WIDE_CELLS:
        return 100
    return 200 if 4 < factor < 12 else 150


PRESETS: dict[str, Callable[[Factor], Preset]] = {
    "balanced": balanced,
    "fast": fast,
    "accurate": accurate,
    "archambault2022": archambault2022,
    "ulyanov2018": ulyanov2018,
    "lapsrn": lapsrn,
}
