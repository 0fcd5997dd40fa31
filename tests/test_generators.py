"""Generators: the published table row by row, any size, and nothing random but the seed."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from xr_dip.generators import GENERATORS, WITH_OWN_PENALTY, make_bandlimited, make_dcgan
from xr_dip.generators.bandlimited import ACTIVATIONS, WorkingGrid
from xr_dip.generators.base import Generator
from xr_dip.generators.layers import SingleImageNorm, conv3x3
from xr_dip.presets import balanced

SMALL = {"ratio": (2, 2), "padding": (2, 2), "channels": 8}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def output(generator):
    with torch.no_grad():
        return generator(generator.draw())


@pytest.fixture(scope="module")
def paper():
    """The network of the paper at 256 x 256."""
    return make_dcgan((16, 16), (16, 16), seed=0)


# The DCGAN of Archambault et al. 2022.

ROWS = [  # channels, pixels, parameters of the convolution, of the normalisation
    (512, 4, 819_200, 1_024),
    (256, 8, 1_179_904, 512),
    (128, 16, 295_040, 256),
    (64, 32, 73_792, 128),
    (32, 64, 18_464, 64),
    (16, 128, 4_624, 32),
    (1, 256, 145, 0),
]


def rows_of(generator):
    """Split the layers of the network: the first three, then each level."""
    return [generator.layers[:3], *generator.layers[3:]]


def test_every_row_of_the_published_table(paper):
    features = paper.draw()
    assert features.shape == (1, 100, 1, 1)
    rows = rows_of(paper)
    assert len(rows) == len(ROWS)
    for row, (channels, pixels, of_convolution, of_norm) in zip(rows, ROWS, strict=True):
        with torch.no_grad():
            features = row(features)
        assert features.shape == (1, channels, pixels, pixels)
        norms = [layer for layer in row.modules() if isinstance(layer, SingleImageNorm)]
        assert sum(parameters(norm) for norm in norms) == of_norm
        assert parameters(row) == of_convolution + of_norm


def test_kinds_of_layers_of_the_published_table(paper):
    first, *levels = rows_of(paper)
    assert [type(layer) for layer in first] == [nn.ConvTranspose2d, SingleImageNorm, nn.ReLU]
    assert first[0].bias is None
    assert first[0].kernel_size == (4, 4)
    for level in levels[:-1]:
        assert [type(layer) for layer in level.finish] == [SingleImageNorm, nn.ReLU]
    assert isinstance(levels[-1].finish, nn.Identity)


def test_levels_are_those_of_the_paper(paper):
    # Bilinear upsampling by two, a border of one that is reflected, a convolution, and what follows it.
    upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    features = torch.randn(1, 512, 4, 4, generator=torch.Generator().manual_seed(0))
    for level in rows_of(paper)[1:]:
        with torch.no_grad():
            expected = level.finish(level.convolution(nn.ReflectionPad2d(1)(upsample(features))))
            torch.testing.assert_close(level(features), expected, rtol=0, atol=1e-4 * expected.abs().max().item())
        features = expected


def test_total_of_the_published_table(paper):
    assert parameters(paper) == 2_393_185
    assert output(paper).shape == (1, 256, 256)


def test_first_weights_are_those_of_dcgan(paper):
    # Five standard errors: sigma / sqrt(n) of a mean, sigma / sqrt(2 n) of a standard deviation.
    for kind, centre in ((nn.ConvTranspose2d, 0), (nn.Conv2d, 0), (SingleImageNorm, 1)):
        weights = torch.cat([layer.weight.flatten() for layer in paper.modules() if isinstance(layer, kind)]).detach()
        error = 0.02 / math.sqrt(len(weights))
        assert abs(weights.mean() - centre) < 5 * error
        assert abs(weights.std() - 0.02) < 5 * error / math.sqrt(2)
    assert all((layer.bias == 0).all() for layer in paper.modules() if isinstance(layer, (nn.Conv2d, SingleImageNorm)))


@pytest.mark.parametrize(
    ("shape", "factor"), [((37, 53), (3, 5)), ((1, 40), (3, 3)), ((1, 1), (1, 1)), ((5, 2), (32, 7))]
)
def test_dcgan_of_any_size_and_aspect(shape, factor):
    generator = make_dcgan(shape, factor, seed=0)
    field = output(generator)
    assert field.shape == (1, shape[0] * factor[0], shape[1] * factor[1])
    assert field.isfinite().all()
    assert generator.synthesis is None
    assert generator.layers[0].kernel_size == tuple(
        max(2, math.ceil(n * f / 64)) for n, f in zip(shape, factor, strict=True)
    )


def test_dcgan_is_cropped_about_its_centre():
    small, whole = make_dcgan((50, 60), (2, 2), seed=0), make_dcgan((64, 64), (2, 2), seed=0)
    assert torch.equal(output(small)[0], output(whole)[0, 14:114, 4:124])


def draws(latent, count=2000):
    generator = make_dcgan((1, 1), (1, 1), seed=0, latent=latent)
    return generator, torch.stack([generator.draw() for _ in range(count)])


def test_normal_latents_are_redrawn_about_one_centre_and_spread():
    generator, latents = draws("normal")
    noise = (latents - generator.mean) / generator.spread
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert noise.max() > 3
    assert generator.spread.min() >= 0


def test_uniform_latents_lie_between_the_centre_and_one_spread():
    generator, latents = draws("uniform")
    noise = (latents - generator.mean) / generator.spread
    assert noise.min() > -0.01
    assert noise.max() < 1.01
    assert abs(noise.std() - 1 / math.sqrt(12)) < 0.01


def test_fixed_latents_are_the_centre():
    generator, latents = draws("fixed", count=3)
    assert (latents == generator.mean).all()


@pytest.mark.parametrize("latent", ["normal", "uniform", "fixed"])
def test_the_final_field_is_taken_at_the_centre(latent):
    generator = make_dcgan((1, 1), (1, 1), seed=0, latent=latent)
    assert torch.equal(generator.expected(), generator.mean)


def test_unknown_latent_is_refused():
    with pytest.raises(
        ValueError, match=r"Invalid latent 'gaussian'. It must be one of \['normal', 'uniform', 'fixed'\]"
    ):
        make_dcgan((4, 4), (2, 2), seed=0, latent="gaussian")


# The band-limited generator.


@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from(sorted(ACTIVATIONS)),
)
@settings(max_examples=25, deadline=None)
def test_bandlimited_of_any_size_and_factor(shape, factor, activation):
    options = balanced(factor).generator_options | {"channels": 8, "activation": activation}
    generator = make_bandlimited(shape, factor, seed=0, **options)
    working = output(generator)
    fine = generator.fine(working)
    assert fine.shape == (1, shape[0] * factor[0], shape[1] * factor[1])
    assert fine.dtype == torch.float64
    assert fine.isfinite().all()
    assert abs(working.std() - 1) < 1e-4


@pytest.mark.parametrize(
    ("shape", "factor"), [((37, 53), (3, 5)), ((1, 60), (16, 16)), ((60, 1), (2, 1)), ((8, 8), (1, 1))]
)
def test_bandlimited_of_any_aspect(shape, factor):
    generator = make_bandlimited(shape, factor, seed=0, **SMALL)
    assert generator.fine(output(generator)).shape == (1, shape[0] * factor[0], shape[1] * factor[1])


def test_layers_of_the_default_generator():
    # 16 cells, x16: (16 + 2 * 3) * 4 = 88 knots; ceil(log2(88 / 4)) = 5 levels from ceil(88 / 2^5) = 3 pixels.
    generator = make_bandlimited((16, 16), (16, 16), seed=0, **balanced((16, 16)).generator_options)
    assert generator.latent.shape == (1, 32, 3, 3)
    assert output(generator).shape == (1, 88, 88)
    features, sizes = generator.latent, []
    with torch.no_grad():
        for level in generator.levels:
            features = level(features)
            sizes.append(tuple(features.shape[1:]))
    # The last level, which costs most, has half as many channels.
    assert sizes == [(64, n, n) for n in (6, 11, 22, 44)] + [(32, 88, 88)]
    convolution, norm, head = 64 * 9 + 1, 2, 32 * 9 + 1
    levels = 64 * (32 * 9 + 1 + norm) + 3 * 64 * (convolution + norm) + 32 * (convolution + norm)
    assert parameters(generator) == levels + head


def test_all_levels_are_alike_unless_told_otherwise():
    generator = make_bandlimited((4, 4), (8, 8), seed=0, **SMALL)
    assert {level.convolution.out_channels for level in generator.levels} == {SMALL["channels"]}


def test_a_level_doubles_crops_reflects_convolves_normalises_and_activates():
    generator = make_bandlimited((3, 4), (4, 4), seed=0, **SMALL)
    level, (rows, columns) = generator.levels[0], output_size(generator, level=1)
    doubled = functional.interpolate(generator.latent, scale_factor=2, mode="bilinear", align_corners=False)
    padded = functional.pad(doubled[..., :rows, :columns], (1, 1, 1, 1), mode="reflect")
    features = functional.conv2d(padded, level.convolution.weight, level.convolution.bias)
    mean, variance = features.mean((2, 3), keepdim=True), features.var((2, 3), keepdim=True, unbiased=False)
    expected = functional.gelu((features - mean) / (variance + 1e-5).sqrt())
    torch.testing.assert_close(level(generator.latent), expected)


def output_size(generator, level):
    """Pixels after a level: ceil(size / 2^(levels - level))."""
    rows, columns = output(generator).shape[-2:]
    rest = 2 ** (len(generator.levels) - level)
    return math.ceil(rows / rest), math.ceil(columns / rest)


def test_every_activation_gives_another_field():
    fields = [
        output(make_bandlimited((3, 3), (2, 2), seed=0, activation=name, **SMALL)) for name in sorted(ACTIVATIONS)
    ]
    assert all(not torch.allclose(a, b) for i, a in enumerate(fields) for b in fields[:i])


def test_the_latent_stays():
    generator = make_bandlimited((3, 3), (2, 2), seed=0, **SMALL)
    assert torch.equal(generator.draw(), generator.draw())
    assert torch.equal(generator.expected(), generator.draw())


def test_unknown_activation_is_refused():
    with pytest.raises(ValueError, match=r"Invalid activation 'relu'. It must be one of \['gelu', 'silu', 'tanh'\]"):
        make_bandlimited((3, 3), (2, 2), seed=0, activation="relu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 0}, "Invalid channels 0. It must be at least 1."),
        ({"last_channels": -2}, "Invalid last_channels -2. It must be at least 1."),
        ({"channels": 8.5}, "Invalid channels 8.5. It must be a whole number."),
        ({"ratio": (2, 0)}, "Invalid ratio 0. It must be at least 1."),
        ({"ratio": 2}, "Invalid ratio 2. It must be two numbers, along y and x."),
        ({"padding": (1, -1)}, "Invalid padding -1. It must not be negative."),
        ({"padding": (1, 1, 1)}, r"Invalid padding \(1, 1, 1\). It must be two numbers, along y and x."),
    ],
)
def test_sizes_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_bandlimited((3, 3), (2, 2), seed=0, **{**SMALL, **options})


def test_knots_lie_in_whole_cells():
    grid = WorkingGrid(cells=5, factor=6, ratio=2, padding=3)
    assert grid.size == 22
    assert grid.synthesis().shape == (30, 22)


# What every generator promises.


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
class TestEveryGenerator:
    def test_same_seed_same_bits_in_every_draw(self, make):
        first, again = (make((3, 4), (2, 2), 7) for _ in range(2))
        for _ in range(3):
            assert torch.equal(output(first), output(again))

    def test_other_seed_other_weights(self, make):
        first, other = make((3, 4), (2, 2), 7), make((3, 4), (2, 2), 8)
        for (name, a), b in zip(first.named_parameters(), other.parameters(), strict=True):
            # What begins at zero, or as linear interpolation, does so from any seed.
            assert not a.any() or a.dim() == 1 or "image" in name or not torch.allclose(a, b)
        assert not torch.allclose(output(first), output(other))

    def test_global_random_state_is_neither_read_nor_changed(self, make):
        torch.manual_seed(1)
        before = torch.get_rng_state()
        first = output(make((3, 4), (2, 2), 7))
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(2)
        assert torch.equal(output(make((3, 4), (2, 2), 7)), first)

    def test_every_parameter_learns(self, make):
        generator = make((3, 4), (2, 2), 7)
        generator(generator.draw()).square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())

    def test_fine_field_has_the_size_of_the_target(self, make):
        generator = make((3, 4), (2, 5), 7)
        assert generator.fine(output(generator)).shape == (1, 6, 20)


def test_a_generator_must_define_its_latent():
    with pytest.raises(TypeError, match=r"Generator must define draw\(\)"):
        Generator().draw()


# Layers.


def test_convolutions_begin_as_those_of_torch_do():
    # Uniform between +-1 / sqrt(fan_in): variance 1 / (3 fan_in).
    weights = conv3x3(32, 64, torch.Generator().manual_seed(0)).weight.detach()
    bound = 1 / math.sqrt(32 * 9)
    assert weights.abs().max() <= bound
    assert weights.abs().max() > 0.999 * bound
    assert abs(weights.var() * 3 * 32 * 9 - 1) < 0.03
    torch.manual_seed(0)
    assert nn.Conv2d(32, 64, 3).weight.abs().max() <= bound


def test_norm_gives_each_channel_mean_zero_and_deviation_one():
    features = torch.randn(1, 3, 8, 9, generator=torch.Generator().manual_seed(0)) * 5 + 2
    normal = SingleImageNorm(3)(features)
    torch.testing.assert_close(normal.mean((2, 3)), torch.zeros(1, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(normal.std((2, 3), unbiased=False), torch.ones(1, 3), rtol=0, atol=1e-5)


def test_norm_keeps_no_memory():
    norm, features = SingleImageNorm(2), torch.arange(8.0).reshape(1, 2, 2, 2)
    first = norm(features)
    norm(features * 100 + 3)
    assert torch.equal(norm(features), first)


@pytest.mark.parametrize("name", GENERATORS)
def test_those_with_a_penalty_of_their_own_are_listed(name):
    generator = GENERATORS[name]((4, 4), (2, 2), seed=0)
    assert (generator.own_penalty is not None) == (name in WITH_OWN_PENALTY)
