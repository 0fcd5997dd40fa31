"""The hourglass of Ulyanov et al. and the deep decoder: published counts, any size, on cells and on knots."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from xr_dip.fitting.batch import Job
from xr_dip.fitting.batched import fit_batch
from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.losses import mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.penalties import Surroundings, TotalVariation
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed
from xr_dip.generators import make_bandlimited, make_decoder, make_knitwork, make_skip
from xr_dip.generators.extent import fine_extent
from xr_dip.generators.layers import with_border
from xr_dip.generators.skip import half

SMALL = {
    "skip": partial(make_skip, channels=8),
    "decoder": partial(make_decoder, channels=8),
    "knitwork": partial(make_knitwork, channels=8, features=8),
}
each = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
PAIRS = st.tuples(st.integers(1, 6), st.integers(1, 6))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def output(generator):
    with torch.no_grad():
        return generator(generator.expected())


# What both promise.


@each
@given(PAIRS, PAIRS, st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_size_and_factor(make, shape, factor, periodic):
    generator = make(shape, factor, 0, periodic=periodic)
    working = output(generator)
    fine = generator.fine(working)
    assert fine.shape == (1, shape[0] * factor[0], shape[1] * factor[1])
    assert fine.isfinite().all()
    assert working.dtype == torch.float32
    if fine.numel() > 8:
        assert abs(working[0].std(correction=0) - 1) < 1e-2


@each
@pytest.mark.parametrize("factor", [(3, 3), (5, 5)])
def test_size_of_the_issue(make, factor):
    generator = make((37, 53), factor, 0)
    assert generator.synthesis is None
    assert output(generator).shape[1:] == (37 * factor[0], 53 * factor[1])


@each
def test_on_knots_the_working_grid_does_not_grow_with_the_factor(make):
    few, many = (make((5, 7), factor, 0, ratio=(2, 2), padding=(2, 3)) for factor in ((4, 4), (32, 32)))
    assert output(few).shape[1:] == output(many).shape[1:] == ((5 + 4) * 2, (7 + 6) * 2)
    assert many.fine(output(many)).shape == (1, 160, 224)
    same = make_bandlimited((5, 7), (32, 32), 0, ratio=(2, 2), padding=(2, 3), channels=4).synthesis
    assert torch.equal(many.synthesis.rows, same.rows)
    assert torch.equal(many.synthesis.columns, same.columns)


@each
def test_a_single_row_is_the_mean_of_two(make):
    generator = make((1, 4), (1, 2), 0)
    working = output(generator).double()
    assert working.shape[1:] == (2, 8)
    torch.testing.assert_close(generator.fine(working), working[:1].mean(dim=1, keepdim=True))


@each
def test_generators_of_one_kind_and_size_share_an_architecture(make):
    one, two, wider, around = make((3, 4), (2, 2), 0), make((3, 4), (2, 2), 1), make((3, 5), (2, 2), 0), None
    around = make((3, 4), (2, 2), 0, periodic=True)
    assert one.architecture == two.architecture
    assert len({one.architecture, wider.architecture, around.architecture}) == 3


@pytest.mark.parametrize("padding", [(1, 1), (3, 4), 2])
@each
def test_only_knots_are_padded(make, padding):
    with pytest.raises(ValueError, match=r"Invalid padding .* without a ratio\. It must be left out"):
        make((3, 4), (2, 2), 0, padding=padding)
    make((3, 4), (2, 2), 0, padding=[3, 3])


def make_problem(land=False):
    weights = np.ones((6, 8))
    weights[:2, :3] = 0.0 if land else 1.0
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    seen = Observation(BlockMean(weights, (2, 2)), values, torch.ones(3, 4))
    return Problem((seen,), mse, (TotalVariation(Surroundings(weights > 0, (2, 2), False, seen), 0.01),))


@each
@pytest.mark.parametrize("options", [{}, {"ratio": (2, 2), "padding": (1, 1)}], ids=["cells", "knots"])
def test_a_batch_has_the_numbers_of_the_loop(make, options):
    problem, config = make_problem(land=True), FitConfig(iterations=12, learning_rate=1e-2)
    jobs = [Job(lambda seed=seed: make((3, 4), (2, 2), seed, **options).double(), problem, fixed) for seed in range(3)]
    together = fit_batch(jobs, config, size=3)
    for job, batched in zip(jobs, together, strict=True):
        alone = fit(job.make, problem, config, fixed)
        np.testing.assert_allclose(batched.losses, alone.losses, rtol=1e-6)
        np.testing.assert_allclose(batched.field, alone.field, rtol=1e-4, atol=1e-6)


@each
def test_a_fit_comes_down_to_its_values(make):
    result = fit(partial(make, (3, 4), (2, 2), 0), make_problem(), FitConfig(iterations=300, learning_rate=1e-2), fixed)
    assert result.misfit < 0.3
    assert result.losses[-1] < result.losses[0] / 5


@pytest.mark.parametrize(
    ("make", "option"),
    [(make_skip, "channels"), (make_skip, "across"), (make_skip, "levels"), (make_decoder, "layers")],
)
def test_numbers_below_one_are_refused(make, option):
    with pytest.raises(ValueError, match=f"Invalid {option} 0. It must be at least 1."):
        make((3, 4), (2, 2), 0, **{option: 0})


# The hourglass.


def test_parameters_of_the_published_hourglass():
    # 2,217,831 with three colours: two more outputs of 128 weights and a bias.
    generator = make_skip((16, 16), (16, 16), seed=0)
    assert parameters(generator) + 2 * 129 == 2_217_831
    assert generator.latent.shape == (1, 32, 256, 256)
    assert 0 <= generator.latent.min() < generator.latent.max() <= 0.1


def levels_of(generator):
    level = generator.body
    while hasattr(level, "below"):
        yield level
        level = level.below


def test_levels_halve_and_come_up_again():
    sizes = []
    generator = make_skip((37, 53), (1, 1), seed=0, channels=4)
    for level in levels_of(generator):
        level.down.register_forward_hook(lambda module, taken, given: sizes.append((taken[0].shape, given.shape)))
    output(generator)
    assert [tuple(taken[2:]) for taken, _ in sizes] == [(37, 53), (19, 27), (10, 14), (5, 7), (3, 4)]
    assert [tuple(given[2:]) for _, given in sizes] == [(19, 27), (10, 14), (5, 7), (3, 4), (2, 2)]


@pytest.mark.parametrize(("longest", "depth"), [(2, 0), (3, 1), (4, 1), (32, 4), (33, 5), (300, 5)])
def test_small_fields_have_fewer_levels(longest, depth):
    assert len(list(levels_of(make_skip((2, longest), (1, 1), seed=0, channels=2)))) == depth


def test_a_level_is_what_the_paper_draws():
    generator = make_skip((4, 4), (2, 2), seed=0, channels=6)
    level = generator.body
    features = torch.rand(1, 32, 8, 8, generator=torch.Generator().manual_seed(1))

    def unit(layer, features, stride=1):
        weight, bias = layer.convolution.weight, layer.convolution.bias
        if weight.shape[-1] == 3:
            features = functional.pad(features, (1, 1, 1, 1), mode="reflect")
        mixed = functional.conv2d(features, weight, bias, stride=stride)
        mean, variance = mixed.mean((2, 3), keepdim=True), mixed.var((2, 3), keepdim=True, unbiased=False)
        return functional.leaky_relu((mixed - mean) / (variance + 1e-5).sqrt(), 0.2)

    down = unit(level.down[1], unit(level.down[0], features, stride=2))
    with torch.no_grad():
        below = level.below(down)
    grown = functional.interpolate(below, scale_factor=2, mode="bilinear", align_corners=False)
    joined = torch.cat([unit(level.across, features), grown], dim=1)
    mean, variance = joined.mean((2, 3), keepdim=True), joined.var((2, 3), keepdim=True, unbiased=False)
    expected = unit(level.up[1], unit(level.up[0], (joined - mean) / (variance + 1e-5).sqrt()))
    torch.testing.assert_close(level(features), expected, rtol=1e-3, atol=1e-4)


def test_jitter_is_new_in_each_iteration_and_not_in_the_result():
    generator = make_skip((8, 8), (4, 4), seed=0, channels=2)
    noise = torch.stack([generator.draw() - generator.latent for _ in range(3)])
    assert not torch.equal(noise[0], noise[1])
    assert abs(noise.std() - 0.03) < 1e-4
    assert torch.equal(generator.expected(), generator.latent)
    still = make_skip((8, 8), (4, 4), seed=0, channels=2, jitter=0.0)
    assert torch.equal(still.draw(), generator.latent)


@pytest.mark.parametrize("make", [partial(make_skip, channels=4, jitter=0.0), partial(make_decoder, channels=4)])
def test_rolling_the_latent_rolls_the_field(make):
    # 32 columns: five halvings; one pixel of the deepest latent is 16 fine cells, one of the hourglass is one.
    generator = make((8, 32), (1, 1), 0, periodic=True)
    pixels = 32 // generator.latent.shape[-1]
    cells = 16
    with torch.no_grad():
        moved = generator(generator.latent.roll(cells // pixels, dims=3))
    torch.testing.assert_close(moved, output(generator).roll(cells, dims=2), rtol=0, atol=1e-4)


def test_half():
    assert [half((n, 1)) for n in (1, 2, 3, 8)] == [(1, 1), (1, 1), (2, 1), (4, 1)]


# The decoder.


def test_parameters_of_the_published_decoder():
    # 25,536 and 100,224 with three colours: two more outputs of 64 or 128 weights.
    for channels, published in ((64, 25_536), (128, 100_224)):
        generator = make_decoder((8, 4), (32, 32), seed=0, channels=channels)
        assert parameters(generator) + 2 * channels == published
        assert generator.latent.shape == (1, channels, 8, 4)


def test_a_pixel_far_from_another_in_the_latent_is_not_seen():
    # No convolution: but for the interpolation, and the statistics of the norms, a pixel is made of itself alone.
    generator = make_decoder((4, 32), (1, 2), seed=0, channels=6)
    changed = generator.latent.clone()
    changed[..., 0] += 1
    mix, grow = generator.steps[:2]
    grown = grow(mix(changed) - mix(generator.latent))
    assert grown.shape[3] == 2 * generator.latent.shape[3] == 4
    assert (grown[..., :1] != 0).any()
    assert torch.equal(grown[..., 3:], torch.zeros_like(grown[..., 3:]))


def test_a_layer_mixes_doubles_cuts_and_normalises():
    generator = make_decoder((4, 8), (1, 1), seed=0, channels=6)
    mix, grow, cut, norm = generator.steps[:4]
    features = generator.latent
    mixed = torch.einsum("oc,bchw->bohw", mix.weight, features)
    doubled = functional.interpolate(mixed, scale_factor=2, mode="bilinear", align_corners=False)
    cutoff = doubled.relu()
    mean, variance = cutoff.mean((2, 3), keepdim=True), cutoff.var((2, 3), keepdim=True, unbiased=False)
    found = norm(cut(grow(mix(features))))
    torch.testing.assert_close(found, (cutoff - mean) / (variance + 1e-5).sqrt(), rtol=1e-4, atol=1e-5)


# What they are made of.


@pytest.mark.parametrize("size", [(2, 2), (3, 5), (7, 2)])
def test_the_border_is_reflected(size):
    features = torch.rand(1, 2, *size, generator=torch.Generator().manual_seed(0))
    expected = functional.pad(features, (1, 1, 1, 1), mode="reflect")
    assert torch.equal(with_border(features), expected)


def test_the_border_goes_round():
    features = torch.arange(6.0).reshape(1, 1, 2, 3)
    expected = functional.pad(functional.pad(features, (0, 0, 1, 1), mode="reflect"), (1, 1, 0, 0), mode="circular")
    assert torch.equal(with_border(features, periodic=True), expected)


def test_a_single_pixel_is_repeated():
    assert with_border(torch.full((1, 1, 1, 1), 2.0)).tolist() == [[[[2.0] * 3] * 3]]


def test_fine_cells_need_no_map():
    assert fine_extent((2, 3), (4, 5)) == ((8, 15), None)
