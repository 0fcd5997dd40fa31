"""Convolutions behind a map: the same numbers and gradients as map, border and convolution one after the other."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from xr_dip.fitting.linear import Separable, border, halfpixel_circle, halfpixel_double
from xr_dip.generators import make_bandlimited
from xr_dip.generators.mixing import MapLast, RowsLast

FORMS = pytest.mark.parametrize("form", [RowsLast, MapLast])
SIZES = st.integers(1, 6)


def filled(*shape, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64).requires_grad_()


def make_convolution(inputs, outputs, *, bias=True):
    layer = nn.Conv2d(inputs, outputs, 3, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for number, parameter in enumerate(layer.parameters()):
            parameter.copy_(filled(*parameter.shape, seed=number + 1))
    return layer


def assert_same(found, expected, leaves):
    """Compare values, and the gradients of a functional that tells all cells apart."""
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)
    probe = filled(*expected.shape, seed=9).detach()
    gradients = (torch.autograd.grad((field * probe).sum(), leaves) for field in (found, expected))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@FORMS
@given(rows=SIZES, columns=SIZES, inputs=st.integers(1, 4), outputs=st.integers(1, 4), periodic=st.booleans())
@settings(max_examples=25)
def test_doubling_and_convolving_at_once_is_doubling_then_convolving(form, rows, columns, inputs, outputs, periodic):
    along_x = halfpixel_circle if periodic else halfpixel_double
    grow = Separable(halfpixel_double(rows, 2 * rows, border=1), along_x(columns, 2 * columns, border=1))
    features, layer = filled(1, inputs, rows, columns), make_convolution(inputs, outputs)
    assert_same(form(grow)(features, layer), layer(grow(features)), [features, *layer.parameters()])


@FORMS
@pytest.mark.parametrize("periodic", [False, True])
def test_a_border_and_a_convolution_are_torchs_own_padding_and_convolution(form, periodic):
    features, layer = filled(1, 3, 4, 5), make_convolution(3, 2)
    mode = "circular" if periodic else "reflect"
    padded = functional.pad(functional.pad(features, (1, 1, 0, 0), mode=mode), (0, 0, 1, 1), mode="reflect")
    frame = Separable(border(4), border(5, periodic=periodic))
    assert_same(form(frame)(features, layer), layer(padded), [features, *layer.parameters()])


@FORMS
def test_a_convolution_without_bias(form):
    grow = Separable(border(3), border(4))
    features, layer = filled(1, 2, 3, 4), make_convolution(2, 2, bias=False)
    assert_same(form(grow)(features, layer), layer(grow(features)), [features, layer.weight])


@pytest.mark.parametrize("periodic", [False, True])
def test_the_generator_is_its_levels_one_after_the_other(periodic):
    options = {"ratio": (2, 2), "padding": (2, 2), "channels": 8, "periodic": periodic}
    generator = make_bandlimited((3, 8), (4, 4), 0, **options).double()
    plain = generator.latent
    for level in generator.levels:
        size = level.grow.rows.shape[0], level.grow.columns.shape[1] - 2
        along_x = halfpixel_circle if periodic else halfpixel_double
        grow = Separable(
            halfpixel_double(plain.shape[-2], size[0], border=1), along_x(plain.shape[-1], size[1], border=1)
        )
        plain = level.activation(level.norm(level.convolution(grow(plain))))
    frame = Separable(border(plain.shape[-2]), border(plain.shape[-1], periodic=periodic))
    plain = generator.head(frame(plain))[0] * generator.scale
    assert_same(generator(generator.draw()), plain, list(generator.parameters()))
