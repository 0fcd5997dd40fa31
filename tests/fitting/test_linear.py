"""Separable maps: what torch does in two dimensions, and the moments of B-splines."""

import math

import pytest
import torch
from torch.nn import functional

from xr_dip.fitting.linear import Separable, cubic_bspline, halfpixel_circle, halfpixel_double, identity
from xr_dip.presets import balanced

FACTORS = [*range(1, 13), 16, 23, 24, 32]


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def spline_of_preset(factor, cells=3):
    """Matrix, knots and pixel centres along one axis of the default generator."""
    options = balanced((factor, factor)).generator_options
    ratio, padding = options["ratio"][0], options["padding"][0]
    size, spacing = (cells + 2 * padding) * ratio, factor / ratio
    matrix = cubic_bspline(size, cells * factor, spacing, padding * factor)
    knots = (torch.arange(size, dtype=torch.float64) + 0.5) * spacing - padding * factor
    return matrix, knots, torch.arange(cells * factor, dtype=torch.float64) + 0.5, spacing


# Separable.


def test_separable_is_a_product_of_matrices_on_the_last_axes():
    rows, columns, field = random(5, 2), random(4, 3), random(2, 7, 2, 3)
    expected = torch.einsum("Yy,...yx,Xx->...YX", rows, field, columns)
    torch.testing.assert_close(Separable(rows, columns)(field), expected)


def test_after_composes():
    first, second = Separable(random(5, 2), random(4, 3)), Separable(random(3, 5), random(1, 4))
    field = random(1, 2, 3)
    torch.testing.assert_close(second.after(first)(field), second(first(field)))


def test_identity_changes_no_bit_and_keeps_the_dtype():
    for dtype in (torch.float32, torch.float64):
        field = random(1, 3, 4).to(dtype)
        assert torch.equal(identity((3, 4))(field), field)
        assert identity((3, 4))(field).dtype == dtype


def test_separable_has_nothing_to_learn_or_to_save():
    assert not list(identity((2, 2)).parameters())
    assert not identity((2, 2)).state_dict()


# Doubling.


@pytest.mark.parametrize("border", [0, 1, 2])
@pytest.mark.parametrize(("size", "cropped"), [(2, 4), (2, 3), (5, 10), (5, 9), (8, 16)])
def test_double_is_half_pixel_bilinear_then_crop_then_reflection(size, cropped, border):
    field = random(1, 1, size, size)
    expected = functional.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)
    expected = functional.pad(expected[..., :cropped, :cropped], (border,) * 4, mode="reflect")
    matrix = halfpixel_double(size, cropped, border)
    torch.testing.assert_close(Separable(matrix, matrix)(field), expected)


def test_double_of_unequal_axes_matches_torch():
    field = random(1, 3, 3, 5)
    expected = functional.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(Separable(halfpixel_double(3, 6), halfpixel_double(5, 10))(field), expected)


@pytest.mark.parametrize(("size", "cropped"), [(1, 1), (1, 2), (2, 3), (3, 5), (20, 39)])
def test_double_keeps_constants(size, cropped):
    rows = halfpixel_double(size, cropped, border=1).sum(dim=1)
    torch.testing.assert_close(rows, torch.ones(cropped + 2, dtype=torch.float64))


def test_a_single_pixel_is_repeated_where_it_cannot_be_reflected():
    assert halfpixel_double(1, 1, border=1).tolist() == [[1.0]] * 3


# Doubling on a circle.


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("border", [0, 1])
def test_double_on_a_circle_is_half_pixel_bilinear_of_the_wrapped_field(size, border):
    field = random(1, 1, 4, size)
    wrapped = torch.cat([field[..., -1:], field, field[..., :1]], dim=-1)
    doubled = functional.interpolate(wrapped, scale_factor=2, mode="bilinear", align_corners=False)
    expected = doubled[..., 2 - border : doubled.shape[-1] - 2 + border]
    found = Separable(halfpixel_double(4, 8), halfpixel_circle(size, 2 * size, border))(field)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("size", "resized"), [(1, 1), (2, 3), (3, 5), (20, 39), (4, 12)])
def test_resizing_a_circle_keeps_constants_and_turns_with_it(size, resized):
    matrix = halfpixel_circle(size, resized, border=1)
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(resized + 2, dtype=torch.float64))
    assert torch.equal(matrix[[0, -1]], matrix[[-2, 1]])
    # A third of a turn, or whatever turn has whole numbers of pixels before and after.
    turns = math.gcd(size, resized)
    inner = matrix[1:-1]
    torch.testing.assert_close(inner.roll((resized // turns, size // turns), (0, 1)), inner)


# B-splines: the moments of the cubic B-spline are 1, 0 and 1/3 of the squared spacing.


@pytest.mark.parametrize("factor", FACTORS)
def test_rows_of_the_spline_sum_to_one_on_the_domain_of_every_preset(factor):
    matrix, _, pixels, _ = spline_of_preset(factor)
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones_like(pixels), rtol=0, atol=1e-14)
    assert matrix.min() >= 0


@pytest.mark.parametrize("factor", FACTORS)
def test_the_spline_reproduces_straight_lines(factor):
    matrix, knots, pixels, _ = spline_of_preset(factor)
    torch.testing.assert_close(matrix @ (2 * knots - 7), 2 * pixels - 7, rtol=0, atol=1e-10)


@pytest.mark.parametrize("factor", FACTORS)
def test_the_spline_adds_a_third_of_the_squared_spacing_to_a_parabola(factor):
    matrix, knots, pixels, spacing = spline_of_preset(factor)
    torch.testing.assert_close(matrix @ knots**2, pixels**2 + spacing**2 / 3, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("factor", FACTORS)
def test_at_most_four_knots_touch_a_pixel(factor):
    matrix, *_ = spline_of_preset(factor)
    assert (matrix > 0).sum(dim=1).max() <= 4


@pytest.mark.parametrize("knots", [1, 2, 3, 7])
@pytest.mark.parametrize("factor", [1, 2, 5])
def test_the_spline_on_a_circle_is_that_of_repeated_knots(knots, factor):
    values, turns = random(knots), 9
    line = cubic_bspline(turns * knots, turns * knots * factor, float(factor), 0.0) @ values.repeat(turns)
    middle = turns // 2 * knots * factor
    circle = cubic_bspline(knots, knots * factor, float(factor), 0.0, periodic=True)
    torch.testing.assert_close(circle @ values, line[middle : middle + knots * factor])
    torch.testing.assert_close(circle.sum(dim=1), torch.ones(knots * factor, dtype=torch.float64))


def test_the_spline_is_smooth_across_pieces():
    # Twice continuously differentiable: third differences at pitch h are of the order h^3 everywhere.
    matrix = cubic_bspline(8, 400, 100.0, 200.0)
    assert matrix.diff(n=3, dim=0).abs().max() < 4e-6
