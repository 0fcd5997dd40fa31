import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xr_dip.blocks import block_mean, block_sum
from xr_dip.errors import DipWarning, first_index
from xr_dip.sea import FLAG_MASKS, FLAG_MEANINGS, Flag, check_values, find_sea

COARSE = np.array([[0.1, np.nan], [0.2, 0.3]])


@st.composite
def cases(draw):
    """A field with gaps and a fine mask that leaves sea in every cell with data."""
    ny, nx, fy, fx = (draw(st.integers(1, 4)) for _ in range(4))
    has_data = draw(arrays(bool, (ny, nx)))
    has_data[0, 0] = True
    mask = draw(arrays(bool, (ny * fy, nx * fx)))
    mask[::fy, ::fx] = True
    return np.where(has_data, 0.5, np.nan), (fy, fx), mask


@settings(deadline=None)
@given(cases())
def test_every_fine_cell_is_sea_or_flagged(case):
    values, factor, mask = case
    sea = find_sea(values, factor, mask=mask)
    np.testing.assert_array_equal(sea.mask, sea.flags == 0)
    np.testing.assert_array_equal(sea.weights > 0, sea.mask)
    np.testing.assert_array_equal((sea.flags & Flag.land) > 0, ~mask)
    np.testing.assert_array_equal(sea.coarse, np.isfinite(values))
    assert sea.flags.dtype == np.int8


@settings(deadline=None)
@given(cases())
def test_block_means_with_the_weights_have_the_gaps_of_the_field(case):
    values, factor, mask = case
    sea = find_sea(values, factor, mask=mask)
    fine = np.where(sea.mask, 0.5, np.nan)
    np.testing.assert_allclose(block_mean(fine, sea.weights, factor), values)


def test_without_a_fine_mask_all_of_a_cell_with_data_is_sea():
    sea = find_sea(COARSE, (2, 1))
    np.testing.assert_array_equal(sea.mask, np.repeat(np.isfinite(COARSE), 2, axis=0))
    np.testing.assert_array_equal(sea.flags, np.where(sea.mask, 0, Flag.land))


def test_fine_sea_without_data_gets_no_value():
    sea = find_sea(COARSE, (1, 2), mask=np.array([[1, 1, 1, 0], [1, 0, 1, 1]]))
    np.testing.assert_array_equal(sea.flags[0], [0, 0, Flag.no_data, Flag.land])
    np.testing.assert_array_equal(sea.mask, [[1, 1, 0, 0], [1, 0, 1, 1]])


def test_fine_sea_within_one_coarse_cell_of_data_gets_a_value_on_request():
    values = np.full((4, 5), np.nan)
    values[0, 0] = 0.5
    mask = np.ones((8, 10))
    mask[2, 2] = 0
    sea = find_sea(values, (2, 2), mask=mask, extrapolate=True)
    near = np.zeros((8, 10), bool)
    near[:4, :4] = True
    near[2, 2] = False
    np.testing.assert_array_equal(sea.mask, near)
    np.testing.assert_array_equal(sea.extrapolated, near & (sea.weights == 0))
    np.testing.assert_array_equal(sea.weights[:2, :2], 1)
    assert sea.weights.sum() == 4
    assert sea.coarse.sum() == 1
    np.testing.assert_array_equal(sea.flags[2, :6], [Flag.extrapolated] * 2 + [Flag.land, Flag.extrapolated, 2, 2])
    assert not find_sea(values, (2, 2), mask=mask).extrapolated.any()


def test_nothing_is_extrapolated_from_data_that_are_not_used():
    values = np.array([[0.5, np.nan, np.nan, 0.5]])
    with pytest.warns(DipWarning, match="no sea on the fine grid"):
        sea = find_sea(values, (1, 1), mask=np.array([[0, 1, 1, 1]]), extrapolate=True)
    np.testing.assert_array_equal(sea.flags, [[Flag.land | Flag.coarse_unused, Flag.no_data, Flag.extrapolated, 0]])


def test_the_last_column_is_beside_the_first_of_a_periodic_field():
    values = np.array([[0.5, np.nan, np.nan, np.nan, np.nan]])
    around = find_sea(values, (1, 1), mask=np.ones((1, 5)), extrapolate=True, periodic=True)
    cut = find_sea(values, (1, 1), mask=np.ones((1, 5)), extrapolate=True)
    np.testing.assert_array_equal(around.mask, [[1, 1, 0, 0, 1]])
    np.testing.assert_array_equal(cut.mask, [[1, 1, 0, 0, 0]])


@settings(deadline=None, max_examples=30)
@given(cases(), st.booleans())
def test_extrapolation_changes_nothing_under_data(case, periodic):
    values, factor, mask = case
    plain = find_sea(values, factor, mask=mask)
    sea = find_sea(values, factor, mask=mask, extrapolate=True, periodic=periodic)
    np.testing.assert_array_equal(sea.weights, plain.weights)
    np.testing.assert_array_equal(sea.coarse, plain.coarse)
    np.testing.assert_array_equal(sea.mask, plain.mask | sea.extrapolated)
    np.testing.assert_array_equal(sea.extrapolated, (sea.flags & Flag.extrapolated) > 0)
    assert not (sea.extrapolated & ~mask).any()


def test_data_over_fine_land_constrains_nothing_and_warns():
    mask = np.ones((4, 4))
    mask[2:, :2] = 0
    with pytest.warns(DipWarning, match=r"1 coarse cell\(s\) with data .* the first is at index \(1, 0\)") as record:
        sea = find_sea(COARSE, (2, 2), mask=mask)
    assert record[0].filename == __file__
    np.testing.assert_array_equal(sea.coarse, [[True, False], [False, True]])
    np.testing.assert_array_equal(sea.flags[2:, :2], Flag.land | Flag.coarse_unused)


def test_weights_count_on_sea_only_and_zero_is_land():
    weights = np.arange(8.0).reshape(2, 4)
    sea = find_sea(COARSE, (1, 2), weights=weights)
    np.testing.assert_array_equal(sea.weights, [[0, 1, 0, 0], [4, 5, 6, 7]])
    np.testing.assert_array_equal(sea.flags[0], [Flag.land, 0, Flag.land, Flag.land])
    np.testing.assert_array_equal(block_sum(sea.weights, (1, 2)) > 0, sea.coarse)


def test_weights_may_be_anything_where_there_is_no_sea():
    mask = np.array([[True, False]])
    sea = find_sea(np.array([[0.1]]), (1, 2), mask=mask, weights=np.array([[2.0, np.nan]]))
    np.testing.assert_array_equal(sea.weights, [[2.0, 0.0]])
    sea = find_sea(COARSE, (1, 1), weights=np.array([[1.0, np.nan], [1.0, 1.0]]))
    np.testing.assert_array_equal(sea.mask, np.isfinite(COARSE))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask": np.ones((2, 2))}, r"Invalid mask of shape \(2, 2\). It must be \(4, 4\), the coarse shape times"),
        ({"weights": np.ones(4)}, r"Invalid weights of shape \(4,\). It must be \(4, 4\)"),
        ({"mask": np.full((4, 4), 2)}, r"Invalid mask 2 at index \(0, 0\). It must be 1 or True on sea"),
        ({"mask": np.full((4, 4), np.nan)}, r"Invalid mask nan at index \(0, 0\)"),
        (
            {"weights": np.full((4, 4), -1.0)},
            r"Invalid weights -1.0 at index \(0, 0\). It must be finite and not negative",
        ),
        ({"weights": np.full((4, 4), np.nan)}, r"Invalid weights nan at index \(0, 0\)"),
        ({"weights": np.full((4, 4), np.inf)}, r"Invalid weights inf at index \(0, 0\)"),
        ({"weights": np.zeros((4, 4))}, "Invalid mask, weights. At least one fine cell under coarse data must be sea"),
        ({"mask": np.zeros((4, 4))}, "Invalid mask, weights. At least one fine cell"),
    ],
)
def test_masks_and_weights_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        find_sea(COARSE, (2, 2), **arguments)


def test_the_field_must_be_flat_and_the_factor_whole():
    with pytest.raises(ValueError, match=r"Invalid values of shape \(1, 2, 2\). It must be 2-D"):
        find_sea(COARSE[None], (2, 2))
    with pytest.raises(ValueError, match="Invalid factor"):
        find_sea(COARSE, (2, 0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.0, np.inf]], r"Invalid ssh inf at index \(0, 1\). It must be finite, or NaN where"),
        ([[[0.0], [-np.inf]]], r"Invalid ssh -inf at index \(0, 1, 0\)"),
        ([[np.nan, np.nan]], r"Invalid ssh of shape \(1, 2\). It must hold data, but it is NaN everywhere"),
        (
            [[0.0, -100.1]],
            r"Invalid ssh -100.1 at index \(0, 1\). It must be within 100 of 0.*set `_FillValue`",
        ),
        ([[1e20, 0.0]], r"Invalid ssh 1e\+20 at index \(0, 0\).*A fill value must be declared"),
        ([0.0], r"Invalid ssh of type float64 and shape \(1,\). It must be real numbers \(..., ny, nx\)"),
        ([[1j]], "Invalid ssh of type complex128"),
    ],
)
def test_values_that_are_no_heights_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        check_values(np.array(values), "ssh")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
def test_heights_pass(dtype):
    check_values(np.array([[[-100, 100]]], dtype=dtype), "ssh")


def test_flags_are_described_as_cf_wants_it():
    """Masks are powers of two that fit int8, each with one word of meaning."""
    assert FLAG_MASKS == (1, 2, 4, 8, 16, 32)
    assert FLAG_MEANINGS.split() == [Flag(mask).name for mask in FLAG_MASKS]
    assert sum(FLAG_MASKS) <= np.iinfo(np.int8).max


@settings(deadline=None)
@given(arrays(bool, (3, 4)).filter(np.any))
def test_first_index_is_the_first_in_the_order_of_memory(condition):
    assert first_index(condition) == tuple(np.argwhere(condition)[0])
