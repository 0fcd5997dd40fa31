"""Weights of the named kernels: by hand, by their moments, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.observing.kernel import product_kernel, table_kernel
from xr_dip.observing.kernels import KERNELS, bicubic, block_mean, fir, gaussian, lanczos2, lanczos3, make_kernel

FACTORS = st.tuples(st.integers(1, 9), st.integers(1, 9))
TABLE = np.array([[0.0, 1.0, 2.0], [-1.0, 4.0, 0.5], [0.25, 0.0, 3.0], [1.0, 1.0, 1.0]])
OPTIONS = {"fir": {"kernel": TABLE}}
NAMED = [name for name in KERNELS if name != "fir"]


def positions(size):
    """Fine cells from the centre of the kernel."""
    return np.arange(size) - (size - 1) / 2


@pytest.mark.parametrize("name", KERNELS)
@given(factor=FACTORS)
@settings(max_examples=15, deadline=None)
def test_weights_sum_to_one_and_have_the_parity_of_the_factor(name, factor):
    kernel = make_kernel(name, OPTIONS.get(name, {}), factor)
    np.testing.assert_allclose(kernel.table().sum(), 1.0, rtol=1e-12)
    assert [(size - times) % 2 for size, times in zip(kernel.shape, factor, strict=True)] == [0, 0]


@pytest.mark.parametrize("name", NAMED)
@given(factor=FACTORS)
@settings(max_examples=15, deadline=None)
def test_named_kernels_are_products_and_even_about_the_centre_of_the_cell(name, factor):
    kernel = make_kernel(name, {}, factor)
    assert len(kernel.terms) == 1
    for line in kernel.terms[0]:
        np.testing.assert_allclose(line, line[::-1], atol=1e-15)
        assert abs((line * positions(len(line))).sum()) < 1e-12


def test_lanczos_by_hand():
    # At factor 2 the fine cells lie at odd quarters of a coarse cell: sinc(1/4) = 2 sqrt(2) / pi, and so on.
    t = np.array([0.25, 0.75, 1.25, 1.75])
    half = np.sin(np.pi * t) / (np.pi * t) * np.sin(np.pi * t / 2) / (np.pi * t / 2)
    np.testing.assert_allclose(lanczos2((2, 2)).terms[0][0], np.r_[half[::-1], half] / (2 * half.sum()), rtol=1e-12)


@pytest.mark.parametrize(("make", "lobes"), [(lanczos2, 2), (lanczos3, 3)])
def test_lanczos_reaches_as_many_cells_as_its_name_says(make, lobes):
    assert make((4, 5)).shape == (2 * lobes * 4, 2 * lobes * 5 - 1)  # at odd factors the last weights are zeros


def test_lanczos_leaves_a_field_as_it_is_at_factor_one():
    table = lanczos3((1, 1)).table()
    np.testing.assert_allclose(table, np.outer(*[positions(5) == 0] * 2), atol=1e-15)


def test_bicubic_by_hand():
    # Keys: 1.5 t^3 - 2.5 t^2 + 1 up to 1, -0.5 t^3 + 2.5 t^2 - 4 t + 2 up to 2; here at t = 1/3, 2/3, 1, 4/3, 5/3.
    near = [1.5 / 27 - 2.5 / 9 + 1, 1.5 * 8 / 27 - 2.5 * 4 / 9 + 1]
    far = [-0.5 * 64 / 27 + 2.5 * 16 / 9 - 16 / 3 + 2, -0.5 * 125 / 27 + 2.5 * 25 / 9 - 20 / 3 + 2]
    half = np.array([*near, 0.0, *far])
    line = np.r_[half[::-1], 1.0, half]
    np.testing.assert_allclose(bicubic((3, 3)).terms[0][1], line / line.sum(), atol=1e-15)


@pytest.mark.parametrize("width", [0.3, 0.5, 1.0, (0.4, 0.8)])
def test_variance_of_a_gaussian_is_the_square_of_its_width(width):
    # Cut off at four widths it lacks 4 phi(4) / (2 Phi(4) - 1) = 0.1 % of its variance.
    kernel = gaussian((12, 16), width=width)
    for line, times, spread in zip(kernel.terms[0], (12, 16), np.broadcast_to(width, 2), strict=True):
        variance = (line * positions(len(line)) ** 2).sum()
        np.testing.assert_allclose(variance, (spread * times) ** 2, rtol=3e-3)


def test_kernel_of_the_user_is_its_table_divided_by_its_sum():
    np.testing.assert_allclose(fir((2, 3), kernel=TABLE).table(), TABLE / TABLE.sum(), atol=1e-15)
    np.testing.assert_allclose(fir((3, 3), kernel=[1, 2, 1]).table(), np.outer([1, 2, 1], [1, 2, 1]) / 16, atol=1e-15)


def test_kernel_of_the_wrong_parity_moves_by_half_a_cell_to_the_centre():
    kernel = fir((3, 2), kernel=TABLE)  # 4 rows at factor 3, 3 columns at factor 2
    assert kernel.shape == (5, 4)
    for axis in range(2):
        line, before = kernel.table().sum(axis=1 - axis), TABLE.sum(axis=1 - axis) / TABLE.sum()
        np.testing.assert_allclose(
            (line * positions(len(line))).sum(), (before * positions(len(before))).sum(), atol=1e-13
        )


def test_positive_parts_are_kept_for_coasts():
    kernel = fir((2, 3), kernel=TABLE)
    assert kernel.negative
    rest = sum(np.outer(rows, columns) for rows, columns in kernel.positive)
    np.testing.assert_allclose(rest, TABLE.clip(min=0) / TABLE.sum(), atol=1e-15)
    assert not gaussian((4, 4)).negative
    assert not block_mean((4, 4)).negative


@pytest.mark.parametrize(("name", "gain"), [("block_mean", 1), ("lanczos2", 2), ("lanczos3", 2), ("bicubic", 2)])
def test_gain_of_named_kernels(name, gain):
    # A filter that halves the power at the Nyquist wave along each axis passes half of a checkerboard, 1 / 2 back.
    assert make_kernel(name, {}, (8, 8)).gain() == pytest.approx(gain, abs=0.1)


def test_spectrum_is_that_of_the_matrix():
    # Eigenvalues of a circulant matrix, against the matrix written out: 3 x 4 coarse cells on a torus.
    kernel, shape = table_kernel(TABLE / TABLE.sum(), (2, 3)), (3, 4)
    cells = np.zeros((shape[0] * 2, shape[1] * 3))
    for (row, column), weight in np.ndenumerate(TABLE / TABLE.sum()):
        cells[(row - 1) % 6, column % 12] += weight
    rows = [np.roll(cells, (2 * j, 3 * i), axis=(0, 1)).ravel() for j in range(3) for i in range(4)]
    gram = np.array(rows) @ np.array(rows).T
    np.testing.assert_allclose(np.sort(kernel.spectrum(shape).ravel()), np.linalg.eigvalsh(gram), atol=1e-12)


def test_gain_is_infinite_where_a_pattern_is_hidden():
    # A mean over two cells along x sees nothing of stripes of one cell.
    assert product_kernel(np.ones(1), np.array([1.0, 2.0, 1.0]), (1, 1)).gain() > 1e6


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gaussian", {"width": 0}, r"Invalid width 0. It must be a number of coarse cells from 0.1 to 2.0"),
        ("gaussian", {"width": (0.5, 3)}, r"Invalid width \(0.5, 3\)"),
        ("gaussian", {"width": "wide"}, r"Invalid width 'wide'"),
        (
            "gaussian",
            {"sigma": 1},
            r"Invalid operator_options \['sigma'\]. They must be among .* 'gaussian': \['width'\]",
        ),
        ("lanczos3", {"width": 1}, r"Invalid operator_options \['width'\].* 'lanczos3': \[\]"),
        ("fir", {}, r"Invalid operator_options {}. The operator 'fir' must have \['kernel'\]"),
        ("fir", {"kernel": "box.txt"}, r"Invalid kernel 'box.txt'. It must be an array of numbers"),
        ("fir", {"kernel": np.ones((2, 2, 2))}, r"Invalid kernel of shape \(2, 2, 2\)"),
        ("fir", {"kernel": []}, r"Invalid kernel of shape \(0,\)"),
        ("fir", {"kernel": [1, np.nan]}, r"Invalid kernel with NaN"),
        ("fir", {"kernel": [1, -1]}, r"Invalid kernel of sum 0. It must have a positive sum"),
    ],
)
def test_options_that_cannot_be_used_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_kernel(name, options, (4, 4))
