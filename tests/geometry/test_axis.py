import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xr_dip.geometry import axis


@pytest.mark.parametrize("factor", [(0, 2), (2, -1), (2.0, 2), (2,), [2, 2], 4, (True, 2), (np.bool_(True), 2), None])
def test_check_factor_refuses_what_is_not_two_whole_numbers(factor):
    with pytest.raises(ValueError, match=r"Invalid factor .* It must be two whole numbers \(fy, fx\), each 1 or more"):
        axis.check_factor(factor)


def test_check_factor_gives_plain_integers():
    factor = axis.check_factor((np.int64(3), 1))
    assert factor == (3, 1)
    assert all(type(part) is int for part in factor)


@pytest.mark.parametrize("cells", [slice(2, 2), slice(9, None), slice(0, 4, 2), slice(3, 1), slice(None, None, -1)])
def test_check_cells_refuses_empty_windows_and_steps(cells):
    with pytest.raises(ValueError, match=r"Invalid yslice slice.* one or more of the 5 cells, without a step"):
        axis.check_cells(cells, 5, "yslice")


def test_read_only_copies():
    given_values = np.zeros(3)
    copy = axis.read_only(given_values)
    given_values[0] = 1.0
    assert copy[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        copy[0] = 2.0


@settings(deadline=None)
@given(st.floats(-180, 360), arrays(float, st.integers(2, 9), elements=st.floats(0.01, 170)), st.integers(0, 1))
def test_unwrap_undoes_any_convention(start, steps, convention):
    straight = start + np.concatenate([[0.0], np.cumsum(steps)])
    wrapped = axis.rewrap(straight, 180.0 * convention)
    np.testing.assert_allclose(np.diff(axis.unwrap(wrapped)), steps, atol=1e-9)


def test_unwrap_leaves_digits_alone():
    values = np.array([0.1, 0.2, 0.3])
    np.testing.assert_array_equal(axis.unwrap(values), values)


@settings(deadline=None)
@given(arrays(float, 4, elements=st.floats(-720, 720)), st.sampled_from([0.0, 180.0, -31.5]))
def test_rewrap_moves_by_whole_turns_into_the_convention(longitude, middle):
    wrapped = axis.rewrap(longitude, middle)
    turns = (wrapped - longitude) / 360.0
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)
    assert np.all((wrapped >= middle - 180.0 - 1e-9) & (wrapped <= middle + 180.0))
