import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_fields import gulf_stream

from xr_dip.blocks import block_mean, block_sum
from xr_dip.interpolation import (
    METHODS,
    axis_matrix,
    back_project,
    conservative,
    conservative_spline,
    fill_nearest,
    upsample,
)

methods = pytest.mark.parametrize("method", METHODS)


@given(st.sampled_from(sorted(METHODS)), st.integers(1, 9), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_rows_sum_to_one_and_mirror(method, n, factor):
    matrix = axis_matrix(method, n, factor)
    assert matrix.shape == (n * factor, n)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(matrix[::-1, ::-1], matrix, atol=1e-12)


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
@pytest.mark.parametrize("factor", [(2, 2), (5, 3), (16, 16)])
def test_agrees_with_torch(method, factor):
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).standard_normal((2, 6, 7))
    size = (6 * factor[0], 7 * factor[1])
    expected = torch.nn.functional.interpolate(torch.from_numpy(values)[None], size=size, mode=method)[0].numpy()
    np.testing.assert_allclose(upsample(values, factor, method), expected, atol=1e-12)


@methods
def test_factor_one_is_the_identity(method):
    values = np.random.default_rng(1).standard_normal((4, 5))
    np.testing.assert_allclose(upsample(values, (1, 1), method), values, atol=1e-12)


@methods
def test_odd_factors_pass_through_the_values_at_the_centres(method):
    values = np.random.default_rng(2).standard_normal((5, 6))
    np.testing.assert_allclose(upsample(values, (3, 5), method)[1::3, 2::5], values, atol=1e-12)


def test_spline_reproduces_a_plane_up_to_the_border():
    y, x = np.meshgrid(np.arange(4) + 0.5, np.arange(6) + 0.5, indexing="ij")
    fine_y, fine_x = np.meshgrid((np.arange(12) + 0.5) / 3, (np.arange(12) + 0.5) / 2, indexing="ij")
    np.testing.assert_allclose(upsample(1 + 2 * y - x, (3, 2), "spline"), 1 + 2 * fine_y - fine_x, atol=1e-12)


@methods
def test_transposes_with_its_input(method):
    values = np.random.default_rng(3).standard_normal((5, 4))
    np.testing.assert_allclose(upsample(values.T, (2, 3), method), upsample(values, (3, 2), method).T, atol=1e-12)


def test_fill_takes_the_nearest_value_of_each_field():
    fields = np.full((2, 2, 3), np.nan)
    fields[0, 0, 0], fields[1, 1, 2], fields[1, 0, 0] = 5.0, 7.0, 3.0
    np.testing.assert_array_equal(fill_nearest(fields), [[[5.0] * 3] * 2, [[3.0, 3.0, 7.0], [3.0, 7.0, 7.0]]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 0.9), st.booleans())
@settings(max_examples=60, deadline=None)
def test_fill_has_no_direction(seed, ny, nx, land, periodic):
    """It flips with its input, bit for bit; of equally near cells it is a mean, of two the plain one."""
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((ny, nx)) < land, np.nan, rng.standard_normal((ny, nx)))
    values[rng.integers(ny), rng.integers(nx)] = 1.0
    filled = fill_nearest(values, periodic=periodic)
    for flip in (np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]):
        np.testing.assert_array_equal(fill_nearest(values[flip], periodic=periodic)[flip], filled)
    rows, columns = np.nonzero(np.isfinite(values))
    for y, x in np.ndindex(values.shape):
        across = np.abs(columns - x)
        squared = (rows - y) ** 2 + (np.minimum(across, nx - across) if periodic else across) ** 2
        near = squared == squared.min()
        # A cell half-way around is found on either side.
        places = np.where(periodic & (2 * across == nx), 2, 1)[near]
        found = values[rows[near], columns[near]]
        assert found.min() - 1e-12 <= filled[y, x] <= found.max() + 1e-12
        if places.sum() <= 2:
            assert filled[y, x] == pytest.approx(found.mean(), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(METHODS)), st.floats(0, 0.6))
@settings(max_examples=30, deadline=None)
def test_conservative_keeps_the_means_over_any_land(seed, method, land):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.3, 1, (12, 20)) * (rng.random((12, 20)) >= land)
    weights[0, 0] = 1.0
    values = np.where(block_sum(weights, (3, 4)) > 0, rng.standard_normal((2, 4, 5)), np.nan)
    fine = conservative(values, weights, (3, 4), method)
    assert np.isfinite(fine).all()
    np.testing.assert_allclose(block_mean(fine, weights, (3, 4)), values, atol=1e-12)


@methods
def test_back_projection_converges_before_the_last_step(method):
    values = np.random.default_rng(4).standard_normal((5, 6))
    weights = np.ones((20, 24))
    weights[5:9, 6:15] = 0
    values[block_sum(weights, (4, 4)) == 0] = np.nan
    loose = conservative(values, weights, (4, 4), method, tolerance=1e-6)
    tight = conservative(values, weights, (4, 4), method, tolerance=1e-13)
    np.testing.assert_allclose(loose, tight, atol=1e-5)


def test_conservative_leaves_fine_sea_without_data_unconstrained():
    values = np.array([[1.0, np.nan, 3.0]])
    fine = conservative(values, np.ones((2, 6)), (2, 2))
    np.testing.assert_allclose(block_mean(fine, np.ones((2, 6)), (2, 2))[0, [0, 2]], [1.0, 3.0], atol=1e-12)


def test_conservative_spline_is_exact_for_a_plane():
    y, x = np.meshgrid(np.arange(12.0), np.arange(20.0), indexing="ij")
    plane = 0.3 * y - 0.1 * x + 4
    values = block_mean(plane, np.ones(plane.shape), (4, 4))
    np.testing.assert_allclose(conservative_spline(values, np.ones(plane.shape), (4, 4)), plane, atol=1e-12)


# Around the globe: no first and no last column.


@given(st.sampled_from(sorted(METHODS)), st.integers(1, 9), st.integers(1, 7), st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_rolling_the_cells_of_a_circle_rolls_its_matrix(method, n, factor, k):
    matrix = axis_matrix(method, n, factor, periodic=True)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(np.roll(matrix, (k * factor, k), axis=(0, 1)), matrix, atol=1e-12)
    np.testing.assert_allclose(matrix[::-1, ::-1], matrix, atol=1e-12)


@methods
def test_far_from_the_seam_a_circle_is_a_line(method):
    circle, line = (axis_matrix(method, 60, 3, periodic=periodic)[75:105] for periodic in (True, False))
    np.testing.assert_allclose(circle, line, atol=1e-12)


def test_spline_on_a_circle_has_the_error_of_a_spline_on_a_line():
    """One wave of n = 24 values: a cubic spline errs by (2 pi / n)^4 / 384 at most."""
    x = (np.arange(24) + 0.5) / 24
    fine = (np.arange(96) + 0.5) / 96
    wave = upsample(np.sin(2 * np.pi * x)[None], (1, 4), "spline", periodic=True)[0]
    assert np.abs(wave - np.sin(2 * np.pi * fine)).max() < (2 * np.pi / 24) ** 4 / 384 * 1.01


def holey(seed, land=0.4):
    """Weights and values with land, whole cells of it too."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.3, 1, (12, 20)) * (rng.random((12, 20)) >= land)
    weights[3:6, 4:16] = 0.0
    weights[0, 0] = 1.0
    return np.where(block_sum(weights, (3, 4)) > 0, rng.standard_normal((4, 5)), np.nan), weights


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 6), st.floats(0.1, 0.95))
@settings(max_examples=40, deadline=None)
def test_rolling_rolls_what_is_filled(seed, nx, k, land):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((5, nx)) < land, np.nan, rng.standard_normal((5, nx)))
    values[2, 0] = 1.0
    rolled = fill_nearest(np.roll(values, k, axis=1), periodic=True)
    np.testing.assert_array_equal(rolled, np.roll(fill_nearest(values, periodic=True), k, axis=1))


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(METHODS)), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_rolling_rolls_the_conserving_field(seed, method, k):
    values, weights = holey(seed)
    options = {"method": method, "tolerance": 1e-13, "periodic": True}
    fine = conservative(values, weights, (3, 4), **options)
    rolled = conservative(np.roll(values, k, axis=1), np.roll(weights, 4 * k, axis=1), (3, 4), **options)
    np.testing.assert_allclose(rolled, np.roll(fine, 4 * k, axis=1), atol=1e-10)
    np.testing.assert_allclose(block_mean(fine, weights, (3, 4)), values, atol=1e-12)


def test_corrections_go_round():
    """A misfit in the last cell changes the first fine cells too, and those of the middle not at all."""
    values = np.zeros((1, 16))
    values[0, -1] = 1.0
    fine = back_project(np.zeros((1, 64)), values, np.ones((1, 64)), (1, 4), "bilinear", periodic=True, max_rounds=1)
    assert fine[0, 0] != 0
    np.testing.assert_array_equal(fine[0, 16:48], 0.0)
    spline = conservative_spline(values, np.ones((1, 64)), (1, 4), periodic=True)
    np.testing.assert_allclose(np.roll(spline, 2, axis=1)[:, ::-1][:, :4], np.roll(spline, 2, axis=1)[:, :4], atol=1e-9)


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Invalid method 'sinc'. It must be one of nearest, bilinear"):
        axis_matrix("sinc", 4, 2)


@pytest.mark.parametrize(("n", "factor"), [(0, 2), (3, 0)])
def test_empty_axis_is_refused(n, factor):
    with pytest.raises(ValueError, match="Both must be at least 1"):
        axis_matrix("nearest", n, factor)


def test_missing_values_are_named():
    with pytest.raises(ValueError, match=r"Invalid values nan at index \(0, 1\)"):
        upsample(np.array([[0.0, np.nan]]), (2, 2))


def test_a_field_without_values_cannot_be_filled():
    with pytest.raises(ValueError, match="field 1 has no finite value"):
        fill_nearest(np.stack([np.ones((2, 2)), np.full((2, 2), np.nan)]))


@pytest.mark.samples
def test_published_errors_on_the_gulf_stream():
    """As measured independently, x16: 0.02885 and 0.02396 m."""
    truth = gulf_stream()
    weights = np.ones_like(truth)
    values = block_mean(truth, weights, (16, 16))
    plain = upsample(values, (16, 16)) - truth
    kept = conservative(values, weights, (16, 16)) - truth
    assert np.sqrt((plain**2).mean()) == pytest.approx(0.02885, abs=5e-6)
    assert np.sqrt((kept**2).mean()) == pytest.approx(0.02396, abs=5e-6)
