"""Every number of the paper and of the measured default."""

import dataclasses
import json
from dataclasses import FrozenInstanceError, asdict

import pytest

from xr_dip.constraints import CONSTRAINT_NAMES
from xr_dip.fitting.fit import FitConfig
from xr_dip.fitting.losses import LOSSES
from xr_dip.fitting.operators import OPERATORS
from xr_dip.fitting.stopping import STOPPING
from xr_dip.generators import GENERATORS
from xr_dip.presets import PRESETS, Preset, accurate, archambault2022, balanced, fast, lapsrn, ulyanov2018

FACTORS = [(1, 1), (2, 2), (3, 5), (4, 4), (8, 8), (1, 16), (16, 16), (32, 32), (60, 60)]


def test_names():
    published = {"archambault2022": archambault2022, "ulyanov2018": ulyanov2018, "lapsrn": lapsrn}
    assert {"balanced": balanced, "fast": fast, "accurate": accurate, **published} == PRESETS


@pytest.mark.parametrize("factor", FACTORS)
def test_the_published_hourglass_is_the_same_at_every_factor(factor):
    assert ulyanov2018(factor) == Preset(
        generator="skip",
        generator_options={},
        variants=({},),
        loss="mse",
        operator="block_mean",
        constraint="none",
        stopping="fixed",
        whitening=0.0,
        iterations=2000,
        learning_rate=0.01,
        betas=(0.9, 0.999),
        schedule="constant",
        keep="last",
    )


@pytest.mark.parametrize("factor", FACTORS)
def test_the_pyramid_is_the_same_at_every_factor(factor):
    # Published: 50 epochs of 30 steps, 16 crops; a tenth of the steps and a quarter of the crops for one field.
    assert lapsrn(factor) == Preset(
        generator="lapsrn",
        generator_options={"batch": 16 // 4},
        variants=({},),
        loss="charbonnier",
        operator="block_mean",
        constraint="none",
        stopping="fixed",
        whitening=0.0,
        iterations=50 * 30 // 10,
        learning_rate=1e-3,
        betas=(0.9, 0.999),
        schedule="halving",
        keep="last",
    )


@pytest.mark.parametrize("factor", FACTORS)
def test_the_published_method_is_the_same_at_every_factor(factor):
    assert archambault2022(factor) == Preset(
        generator="dcgan",
        generator_options={"latent": "normal"},
        variants=({},),
        loss="mse",
        operator="block_mean",
        constraint="none",
        stopping="fixed",
        whitening=0.0,
        iterations=1500,
        learning_rate=1e-3,
        betas=(0.5, 0.999),
        schedule="plateau",
        keep="last",
    )


@pytest.mark.parametrize(
    ("factor", "ratio", "padding", "channels", "activations", "iterations"),
    [
        (4, 2, 4, {"channels": 32}, ("silu", "tanh"), 150),
        (8, 2, 3, {"channels": 64}, ("tanh", "gelu"), 200),
        (16, 4, 3, {"channels": 64, "last_channels": 32}, ("tanh", "gelu"), 150),
        (32, 4, 3, {"channels": 64, "last_channels": 32}, ("tanh", "gelu"), 100),
    ],
)
def test_numbers_of_the_default(factor, ratio, padding, channels, activations, iterations):
    preset = balanced((factor, factor))
    options = {"ratio": (ratio, ratio), "padding": (padding, padding), **channels}
    assert preset.generator_options == options
    assert preset.variants == tuple({"activation": name} for name in activations)
    assert preset.iterations == iterations


@pytest.mark.parametrize("factor", FACTORS)
def test_what_the_default_has_in_common_at_every_factor(factor):
    preset = balanced(factor)
    assert (preset.generator, preset.loss, preset.operator) == ("bandlimited", "mse", "block_mean")
    assert (preset.constraint, preset.stopping, preset.keep) == ("optimal", "fixed", "last")
    # Few, wide cells: small scales are mostly noise of the fit there, and weigh less.
    assert preset.whitening == (0.25 if max(factor) >= 24 else 0.5)
    assert (preset.learning_rate, preset.betas, preset.schedule) == (6e-3, (0.9, 0.99), "onecycle")


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("preset", [balanced, fast, accurate])
def test_no_more_knots_than_fine_cells(preset, factor):
    chosen = preset(factor)
    for member in range(len(chosen.variants)):
        ratio = chosen.options_of_member(member)["ratio"]
        assert all(1 <= r <= f for r, f in zip(ratio, factor, strict=True))


@pytest.mark.parametrize("factor", [(8, 8), (16, 16), (32, 32)])
def test_fast_works_on_fewer_knots_and_channels(factor):
    # Work: knots (of a domain of 10 cells), times the square of the channels, times the steps.
    def work(preset):
        options = preset(factor).generator_options
        knots = (10 + 2 * options["padding"][0]) * options["ratio"][0]
        return knots**2 * options["channels"] ** 2 * preset(factor).iterations

    assert work(fast) <= work(balanced) / 4


@pytest.mark.parametrize("factor", FACTORS)
def test_accurate_takes_twice_the_steps_where_they_help(factor):
    times = 2 if max(factor) < 12 else 1
    assert accurate(factor) == dataclasses.replace(balanced(factor), iterations=times * balanced(factor).iterations)


def test_axes_are_set_by_their_own_factor():
    options = balanced((2, 32)).generator_options
    assert (options["ratio"], options["padding"], options["channels"]) == ((2, 4), (4, 3), 64)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
class TestEveryPreset:
    def test_names_only_parts_that_exist(self, preset, factor):
        chosen = preset(factor)
        assert chosen.generator in GENERATORS
        assert chosen.loss in LOSSES
        assert chosen.operator in OPERATORS
        assert chosen.constraint in CONSTRAINT_NAMES
        assert chosen.stopping in STOPPING

    def test_numbers_make_a_configuration(self, preset, factor):
        chosen = preset(factor)
        FitConfig(chosen.iterations, chosen.learning_rate, chosen.betas, chosen.schedule, chosen.keep)

    def test_factory_takes_the_options_of_every_member(self, preset, factor):
        chosen = preset(factor)
        for member in range(2):
            GENERATORS[chosen.generator]((2, 2), (2, 2), 0, **chosen.options_of_member(member))

    def test_turns_into_json(self, preset, factor):
        assert json.loads(json.dumps(asdict(preset(factor))))["iterations"] == preset(factor).iterations


def test_members_take_the_variants_in_turn():
    preset = balanced((16, 16))
    assert [preset.options_of_member(k)["activation"] for k in range(4)] == ["tanh", "gelu", "tanh", "gelu"]
    assert archambault2022((16, 16)).options_of_member(3) == {"latent": "normal"}


def test_options_of_a_member_are_its_own():
    preset = balanced((16, 16))
    preset.options_of_member(0)["channels"] = 1
    archambault = archambault2022((16, 16))
    archambault.options_of_member(0)["latent"] = "fixed"
    assert preset == balanced((16, 16))
    assert archambault == archambault2022((16, 16))


# Overriding.


def test_none_leaves_every_part():
    preset = balanced((16, 16))
    assert preset.override(generator=None, loss=None, constraint=None, operator=None) == preset


def test_other_parts_are_taken_and_the_rest_is_kept():
    changed = balanced((16, 16)).override(loss="charbonnier", constraint="smooth")
    assert (changed.loss, changed.constraint) == ("charbonnier", "smooth")
    assert asdict(changed) | {"loss": "mse", "constraint": "optimal"} == asdict(balanced((16, 16)))


def test_another_generator_comes_with_its_own_options():
    changed = balanced((16, 16)).override(generator="dcgan")
    assert (changed.generator, changed.generator_options, changed.variants) == ("dcgan", {}, ({},))
    assert changed.iterations == balanced((16, 16)).iterations


def test_the_same_generator_keeps_its_options():
    assert balanced((16, 16)).override(generator="bandlimited") == balanced((16, 16))


def test_options_of_the_generator_hold_in_all_members():
    changed = balanced((16, 16)).override(generator_options={"activation": "silu", "padding": (2, 2)})
    assert [changed.options_of_member(k)["activation"] for k in range(3)] == ["silu"] * 3
    assert changed.options_of_member(0) == balanced((16, 16)).options_of_member(0) | {
        "activation": "silu",
        "padding": (2, 2),
    }
    other = balanced((16, 16)).override(generator="skip", generator_options={"channels": 8})
    assert other.options_of_member(1) == {"channels": 8}


def test_options_of_a_constraint_go_with_it():
    bounded = balanced((16, 16)).override(constraint="geiss", constraint_options={"value_range": (-2, 2)})
    assert bounded.constraint_options == {"value_range": (-2, 2)}
    assert bounded.override(constraint="additive").constraint_options == {}
    assert bounded.override(loss="l1").constraint_options == {"value_range": (-2, 2)}
    assert bounded.override(constraint_options={"value_range": (0, 1)}).constraint_options == {"value_range": (0, 1)}


def test_a_soft_constraint_is_a_penalty():
    plain = balanced((16, 16)).override(penalties={"gradient": 0.1})
    assert plain.penalties_of_fits() == {"gradient": 0.1}
    soft = plain.override(constraint="soft")
    assert soft.penalties_of_fits() == {"gradient": 0.1, "coarse_misfit": 16.0}
    softer = plain.override(constraint="soft", constraint_options={"alpha": 2.0})
    assert softer.penalties_of_fits() == {"gradient": 0.1, "coarse_misfit": 2.0}


def test_unknown_part_is_refused():
    with pytest.raises(TypeError, match="criterion"):
        balanced((16, 16)).override(criterion="mse")


def test_a_preset_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        balanced((16, 16)).iterations = 1
