"""The pyramid network: published layers, borders, crops that teach, levels, and any factor."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from test_downscaling import coarse_field
from torch.nn import functional

from xr_dip.cli import main
from xr_dip.fitting.batch import Job
from xr_dip.fitting.batched import fit_batch
from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.losses import charbonnier, mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.penalties import Surroundings, TotalVariation
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.rates import make_rates
from xr_dip.fitting.stopping import fixed
from xr_dip.generators import make_lapsrn
from xr_dip.generators.lapsrn import WEIGHT_DECAY, Double, Level
from xr_dip.generators.layers import continued
from xr_dip.generators.pyramid import (
    Lessons,
    area_means,
    coarsened,
    coarsenings,
    doubled_extent,
    doublings,
    seen_charbonnier,
    turned,
)

SHAPE = (8, 10)
small = partial(make_lapsrn, channels=6, depth=2, batch=3)
PAIRS = st.tuples(st.integers(1, 6), st.integers(1, 6))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def output(generator):
    with torch.no_grad():
        return generator(generator.expected())


def attended(values, seen=None, factor=(2, 2), seed=0, periodic=False, **options):
    generator = small(tuple(values.shape), factor, seed, periodic=periodic, **options)
    generator.attend(values, torch.ones(values.shape, dtype=torch.bool) if seen is None else seen, periodic=periodic)
    return generator


def without_details(generator):
    """Make a network whose features add nothing to the image."""
    with torch.no_grad():
        for level in generator.levels:
            level.head.weight.zero_()
            level.head.bias.zero_()
    return generator


# The published layers.


@pytest.mark.parametrize(("factor", "levels"), [((2, 2), 1), ((4, 4), 2), ((8, 8), 3)])
def test_parameters_of_the_published_layers(factor, levels):
    convolution, transposed, details, image = 64 * 64 * 9 + 64, 64 * 64 * 16 + 64, 64 * 9 + 1, 16
    level, first = 5 * convolution + transposed + details + image, 9 * 64 + 64
    assert parameters(make_lapsrn((4, 4), factor, 0, shared=False)) == first + levels * level
    assert parameters(make_lapsrn((4, 4), factor, 0)) == first + level


def test_a_level_is_what_the_paper_draws():
    level = Level(5, 2, seeded())
    image, features = noise(2, 1, 4, 6), noise(2, 5, 4, 6, seed=1)
    with torch.no_grad():
        found, grown = level(image, features, periodic=False)

        def wide(part):
            return functional.pad(part, (1, 1, 1, 1), mode="reflect")

        for convolution in level.body:
            weights = convolution.weight, convolution.bias
            features = functional.leaky_relu(functional.conv2d(wide(features), *weights), 0.2)
        doubled = functional.conv_transpose2d(wide(features), level.grow.weight, level.grow.bias, stride=2, padding=1)
        expected = functional.leaky_relu(doubled[..., 2:-2, 2:-2], 0.2)
        torch.testing.assert_close(grown, expected)
        details = functional.conv2d(wide(expected), level.head.weight, level.head.bias)
    torch.testing.assert_close(found - details, level.image(continued(image)))


def test_the_image_begins_as_linear_interpolation():
    image = noise(2, 1, 5, 7)
    with torch.no_grad():
        doubled = Double(1, None)(continued(image))
    expected = functional.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(doubled[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], rtol=0, atol=1e-6)


def test_levels_without_details_leave_a_plane_a_plane():
    rows, columns = torch.meshgrid(torch.arange(5.0), torch.arange(7.0), indexing="ij")
    for factor in (2, 3, 4, 5):
        generator = without_details(attended(0.3 * rows - 0.2 * columns + 1, factor=(factor, factor)))
        y, x = ((torch.arange(n * factor) + 0.5) / factor - 0.5 for n in (5, 7))
        plane = 0.3 * y[:, None] - 0.2 * x + 1
        torch.testing.assert_close(generator.fine(output(generator))[0], plane.double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("periodic", [False, True])
def test_the_border_of_the_image(periodic):
    image = torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    first = [4.0, 1.0, 2.0, 4.0, 1.0] if periodic else [0.0, 1.0, 2.0, 4.0, 6.0]
    expected = [[2 * n for n in first], first, [0.0] * 5, [-n for n in first]]
    assert continued(image, periodic=periodic).tolist() == expected
    assert continued(torch.full((1, 1), 3.0)).tolist() == [[3.0] * 3] * 3


def test_features_keep_their_size_through_all_levels():
    sizes = []
    for seed in range(10):
        generator = make_lapsrn((6, 6), (16, 16), seed, channels=32, batch=1, shared=False)
        image = generator.lessons.values[None, None]
        with torch.no_grad():
            features = generator.lift(continued(image)).relu()
            for level in generator.levels:
                image, features = level(image, features, periodic=False)
        sizes.append(float(features.square().mean().sqrt()))
    assert 0.2 < np.mean(sizes) < 3


def test_a_fresh_network_adds_no_details():
    generator = small(SHAPE, (3, 3), 0)
    assert torch.equal(output(generator)[0], output(without_details(generator))[0])


# Any size, any factor.


def with_details(generator, size=0.3, seed=0):
    """Make a network whose features change the image from the start."""
    with torch.no_grad():
        for level in generator.levels:
            level.head.weight.copy_(size * noise(*level.head.weight.shape, seed=seed))
    return generator


@given(PAIRS, PAIRS, st.booleans(), st.booleans())
@settings(max_examples=20, deadline=None)
def test_any_size_and_factor(shape, factor, periodic, shared):
    generator = with_details(small(shape, factor, 0, periodic=periodic, shared=shared))
    working = generator(generator.draw())
    fine = generator.fine(working)
    assert fine.shape == (1, shape[0] * factor[0], shape[1] * factor[1])
    assert fine.isfinite().all()
    assert working.dtype == torch.float32
    assert generator.own_penalty(working).isfinite()


@pytest.mark.parametrize("factor", [(3, 3), (5, 5), (8, 8)])
def test_size_of_the_issue(factor):
    generator = small((37, 53), factor, 0)
    size = 2 ** doublings(factor)
    assert (generator.synthesis is None) == (factor == (8, 8))
    assert output(generator).shape == (2, 37 * size, 53 * size)


@given(st.integers(2, 9), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_remapping_keeps_the_means_of_cells(before, after, cells, periodic):
    matrix = area_means(cells, before, after, periodic=periodic)
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(cells * after, dtype=torch.float64))
    means, old = (torch.kron(torch.eye(cells), torch.ones(1, n) / n).double() for n in (after, before))
    torch.testing.assert_close(means @ matrix, old)
    if before == after:
        torch.testing.assert_close(matrix, torch.eye(cells * after, dtype=torch.float64))


@given(st.integers(2, 9), st.integers(1, 9), st.integers(1, 4))
def test_remapping_keeps_straight_lines_and_goes_round(before, after, cells):
    old, new = ((torch.arange(cells * n).double() + 0.5) / n for n in (before, after))
    torch.testing.assert_close(area_means(cells, before, after) @ old, new)
    around = area_means(cells, before, after, periodic=True)
    torch.testing.assert_close(around.roll((after, before), (0, 1)), around)


def test_the_block_mean_sees_the_working_field():
    size, synthesis = doubled_extent((2, 3), (3, 5))
    working = noise(1, *size).double()
    seen = BlockMean(np.ones((6, 15)), (3, 5)).fold(synthesis)(working)
    torch.testing.assert_close(seen[0], working[0].reshape(2, 8, 3, 8).mean(dim=(1, 3)))


def test_rolling_the_field_rolls_the_result():
    values = noise(4, 8)
    one, other = (with_details(attended(values.roll(k, 1), factor=(4, 4), periodic=True)) for k in (0, 3))
    torch.testing.assert_close(output(other)[0], output(one)[0].roll(12, 1), rtol=0, atol=1e-4)
    line = with_details(attended(values.roll(3, 1), factor=(4, 4)))
    assert not torch.allclose(output(line)[0], output(one)[0].roll(12, 1), atol=0.1)


# What the field teaches.


def test_a_turn_or_a_flip_is_one_of_eight():
    crop = noise(2, 3, 3)
    found = [turned(crop, way) for way in range(8)]
    assert all(not torch.equal(a, b) for i, a in enumerate(found) for b in found[:i])
    assert all(torch.equal(part.flatten(1).sort(dim=1)[0], crop.flatten(1).sort(dim=1)[0]) for part in found)


@pytest.mark.parametrize("periodic", [False, True])
def test_crops_are_squares_of_the_field(periodic):
    values = torch.arange(88.0).reshape(8, 11)
    lessons = Lessons((8, 11), 1, 60, 4, periodic=periodic, rng=seeded())
    lessons.learn_from(values, values > -1)
    wide = torch.cat([values, values[:, :3]], dim=1) if periodic else values
    squares = {
        tuple(wide[row : row + 4, column : column + 4].flatten().tolist()): (row, column)
        for row in range(5)
        for column in range(wide.shape[1] - 3)
    }
    # Whatever way a crop was turned, one of the eight ways turns it back.
    found = [
        {squares.get(tuple(turned(crop[0], way).flatten().tolist())) for way in range(8)} - {None}
        for crop in lessons.draw()
    ]
    assert all(len(places) == 1 for places in found)
    places = set.union(*found)
    assert {row for row, _ in places} == set(range(5))
    assert {column for _, column in places} == set(range(11 if periodic else 8))


def test_land_is_filled_and_does_not_count():
    values, seen = noise(*SHAPE), torch.ones(SHAPE, dtype=torch.bool)
    seen[2:5, 3:6] = False
    generator = attended(values, seen)
    again = attended(torch.where(seen, values, 1e6), seen)
    assert torch.equal(generator.lessons.values, again.lessons.values)
    assert torch.equal(generator.lessons.values[seen], values[seen])
    crops = generator.draw()
    assert set(crops[:, 1].unique().tolist()) == {0.0, 1.0}
    # Within an all-land block of the finest level nothing is compared.
    changed = crops.clone()
    changed[:, 0] += 5 * (1 - crops[:, 1])
    finest = [coarsened(part, 1)[-1] for part in (crops, changed)]
    told = noise(*crops[:, :1].shape)
    losses = [seen_charbonnier(told - part[:, :1], part[:, 1:]) for part in finest]
    assert losses[0] == losses[1] > 0


def test_a_field_without_sea_leaves_the_lessons_as_they_are():
    generator = small(SHAPE, (2, 2), 0)
    before = generator.lessons.values.clone()
    generator.attend(torch.full(SHAPE, torch.nan), torch.zeros(SHAPE, dtype=torch.bool), periodic=False)
    assert torch.equal(generator.lessons.values, before)


@pytest.mark.parametrize(("side", "depth"), [(1, 0), (2, 1), (3, 1), (16, 1), (63, 1), (64, 2)])
def test_small_fields_teach_fewer_levels(side, depth):
    assert coarsenings(side, 5) == depth
    generator = small((side, side + 3), (32, 32), 0)
    assert generator.lessons.levels == depth
    assert generator.draw().shape == (3, 2, side // 2**depth * 2**depth, side // 2**depth * 2**depth)


def test_the_lesson_is_the_published_loss():
    # Without details the levels interpolate: what is told is known.
    generator = without_details(small((64, 64), (4, 4), 0, level_weights=(2.0, 1.0)))
    crops = generator.draw()
    assert crops.shape == (3, 2, 64, 64)
    values = crops[:, :1]
    pyramid = [functional.avg_pool2d(values, n) if n > 1 else values for n in (4, 2, 1)]
    expected, image = 0.0, pyramid[0]
    for weight, truth in zip((2.0, 1.0), pyramid[1:], strict=True):
        image = generator.levels[0].image(continued(image))
        expected += weight * charbonnier((image - truth).flatten())
    torch.testing.assert_close(generator.lesson(crops), expected)


def test_weights_of_levels_weigh():
    pairs = [(1.0, 0.0), (0.0, 1.0), (2.0, 3.0)]
    first, second, both = (
        float(generator.lesson(generator.draw()).detach())
        for generator in (small((64, 64), (4, 4), 0, level_weights=weights) for weights in pairs)
    )
    assert both == pytest.approx(2 * first + 3 * second)
    assert min(first, second) > 0


def test_what_is_added_is_the_weight_decay_of_adam():
    generator = small(SHAPE, (2, 2), 0, level_weights=(0.0,))
    generator.own_penalty(generator(generator.draw())).backward()
    for parameter in generator.parameters():
        torch.testing.assert_close(parameter.grad, WEIGHT_DECAY * parameter.detach())


def test_lessons_reach_the_levels_that_the_pyramid_reaches():
    generator = small((8, 8), (8, 8), 0, shared=False)
    generator.lesson(generator.draw()).backward()
    reached = [level.head.weight.grad is not None for level in generator.levels]
    assert reached == [True, False, False]


# In the loop.


def make_problem(land=False, factor=(2, 2)):
    weights = np.ones((SHAPE[0] * factor[0], SHAPE[1] * factor[1]))
    weights[:4, :6] = 0.0 if land else 1.0
    y, x = np.indices(SHAPE)
    values = torch.from_numpy(1.5 * np.sin(y / 2) * np.cos(x / 3)).float()
    seen = Observation(BlockMean(weights, factor), values, torch.ones(SHAPE))
    around = Surroundings(weights > 0, factor, False, seen)
    return Problem((seen,), mse, (TotalVariation(around, 1e-4),))


def member(problem, factor, seed, **options):
    seen = problem.observations[0]
    generator = small(SHAPE, factor, seed, **options)
    generator.attend(seen.values, seen.weights > 0, periodic=False)
    return generator


@pytest.mark.parametrize("factor", [(2, 2), (3, 3)])
@pytest.mark.parametrize("shared", [False, True])
def test_a_batch_has_the_numbers_of_the_loop(factor, shared):
    problem, config = make_problem(land=True, factor=factor), FitConfig(iterations=12, schedule="halving")
    make = partial(member, problem, factor, shared=shared)
    jobs = [Job(lambda seed=seed: make(seed).double(), problem, fixed) for seed in range(3)]
    together = fit_batch(jobs, config, size=3)
    for job, batched in zip(jobs, together, strict=True):
        alone = fit(job.make, problem, config, fixed)
        np.testing.assert_allclose(batched.losses, alone.losses, rtol=1e-6)
        np.testing.assert_allclose(batched.field, alone.field, rtol=1e-4, atol=1e-6)


def test_fields_of_two_days_share_a_batch_and_not_their_values():
    one, other = make_problem(), make_problem()
    other.observations[0].values[:] += noise(*SHAPE)
    jobs = [Job(lambda p=p: member(p, (2, 2), 0).double(), p, fixed) for p in (one, other)]
    config = FitConfig(iterations=10)
    for job, batched in zip(jobs, fit_batch(jobs, config, size=2), strict=True):
        alone = fit(job.make, job.problem, config, fixed)
        np.testing.assert_allclose(batched.field, alone.field, rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_bits():
    problem, config = make_problem(factor=(3, 3)), FitConfig(iterations=11)
    first, again, other = (fit(partial(member, problem, (3, 3), seed), problem, config, fixed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.field, again.field)
    assert np.abs(first.field - other.field).max() > 1e-3


def test_a_fit_comes_down_to_its_values():
    problem = make_problem()
    config = FitConfig(iterations=80, learning_rate=1e-2, schedule="halving")
    result = fit(partial(member, problem, (2, 2), 0), problem, config, fixed)
    assert result.misfit < 0.1
    assert result.losses[-1] < result.losses[0] / 2


def test_a_trained_pyramid_reproduces_a_plane():
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    values = (rows + 2 * columns - 10.5) / 5
    seen = Observation(BlockMean(np.ones((16, 16)), (2, 2)), values, torch.ones(8, 8))
    places = (np.arange(16) + 0.5) / 2 - 0.5
    plane = (places[:, None] + 2 * places - 10.5) / 5

    def make():
        # A fresh network would have nothing to learn.
        return with_details(attended(values))

    fresh = output(make())[0].numpy()
    field = fit(make, Problem((seen,), charbonnier), FitConfig(150, 1e-2, schedule="halving"), fixed).field
    before, after = (float(np.sqrt(((part - plane) ** 2).mean())) for part in (fresh, field))
    assert after < 0.05 < before / 10


def test_the_rate_is_halved_after_each_fifth():
    rates = make_rates(FitConfig(iterations=50, learning_rate=0.8, schedule="halving"), 1, torch.device("cpu"))
    found = [float(rates.at(torch.tensor([step]))) for step in range(50)]
    np.testing.assert_allclose(found, np.repeat([0.8, 0.4, 0.2, 0.1, 0.05], 10))


# Options.


@pytest.mark.parametrize("option", ["channels", "depth", "batch", "crop"])
def test_numbers_below_one_are_refused(option):
    with pytest.raises(ValueError, match=f"Invalid {option} 0. It must be at least 1."):
        make_lapsrn(SHAPE, (2, 2), 0, **{option: 0})


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 2.0, 1.0), (1.0, -1.0), (1.0, np.inf), (np.nan, 1.0), 2.0])
def test_weights_that_are_not_one_for_each_level_are_refused(weights):
    with pytest.raises(
        ValueError, match=r"Invalid level_weights .*. It must be 2 numbers that are not negative, one for"
    ):
        make_lapsrn(SHAPE, (3, 4), 0, level_weights=weights)


def test_whether_weights_are_shared_is_true_or_false():
    with pytest.raises(ValueError, match=r"Invalid shared 'no'[.] It must be True or False[.]"):
        make_lapsrn((4, 4), (2, 2), 0, shared="no")


def test_weights_of_levels_on_the_command_line(tmp_path):
    coarse_field((8, 9)).to_dataset().to_netcdf(tmp_path / "coarse.nc")
    words = f"downscale {tmp_path / 'coarse.nc'} {tmp_path / 'fine.nc'} --var ssh --factor 3 --members 2 --quiet"
    words += " --preset fast --generator lapsrn --generator-option channels=4 --generator-option depth=1 --device cpu"
    result = CliRunner().invoke(main, [*words.split(), "--generator-option", "level_weights=2,1,1"])
    assert result.exit_code != 0
    assert re.search(r"Invalid level_weights [\[(]2, 1, 1[\])]. It must be 2 numbers", result.stderr)
    result = CliRunner().invoke(main, [*words.split(), "--generator-option", "level_weights=2,1"])
    assert result.exit_code == 0, result.stderr
