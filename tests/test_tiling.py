"""Tiles of a domain: they cover it, own each cell once, and their shares sum to one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xr_dip.tiling import LARGEST_WHOLE, make_tiling, stretches


@st.composite
def axes(draw):
    tile = draw(st.integers(8, 40))
    return draw(st.integers(tile + 1, 150)), tile, draw(st.integers(2, tile // 2)), draw(st.booleans())


@given(axes(), st.integers(1, 5))
def test_shares_sum_to_one_and_vanish_before_the_borders_of_a_window(axis, factor):
    n, tile, overlap, periodic = axis
    total = np.zeros(n * factor)
    for stretch in stretches(n, tile, overlap, periodic=periodic):
        position = stretch.start + (np.arange(stretch.size * factor) + 0.5) / factor
        share = stretch.share(position)
        assert share.min() >= 0
        for border, edge in zip((stretch.start, stretch.start + stretch.size), stretch.handover, strict=True):
            assert stretch.share(np.array([float(border)])) == (edge is None)
        np.add.at(
            total, np.arange(stretch.start * factor, (stretch.start + stretch.size) * factor) % (n * factor), share
        )
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


@given(axes())
def test_each_cell_is_owned_once_and_windows_have_one_size(axis):
    n, tile, overlap, periodic = axis
    found = stretches(n, tile, overlap, periodic=periodic)
    owned = [cell for stretch in found for cell in range(*stretch.core)]
    assert owned == list(range(n))
    assert {stretch.size for stretch in found} == {tile}
    for stretch in found:
        assert stretch.start <= stretch.core[0] < stretch.core[1] <= stretch.start + stretch.size
        assert set(range(*stretch.core)) <= {int(cell) for cell in np.arange(n)[stretch.cells]}
    if not periodic:
        assert all(earlier.start + tile - later.start >= overlap for earlier, later in pairwise(found))
        assert found[0].start == 0
        assert found[-1].start + tile == n


@given(axes(), axes())
def test_neighbours_hold_every_share_in_a_core(rows, columns):
    tile = min(rows[1], columns[1])
    shape = max(rows[0], tile + 1), max(columns[0], tile + 1)
    tiling = make_tiling(shape, (1, 1), tile=tile, overlap=min(rows[2], columns[2], tile // 2), periodic=columns[3])
    for owner in tiling:
        y = np.arange(*owner.rows.core) + 0.5
        x = np.arange(*owner.columns.core) + 0.5
        total = np.zeros((len(y), len(x)))
        for other, down, across in tiling.neighbours(owner):
            reach = [
                (position - shift > stretch.start) & (position - shift < stretch.start + stretch.size)
                for position, shift, stretch in ((y, down, other.rows), (x, across, other.columns))
            ]
            share = (other.rows.share(y - down) * reach[0])[:, None] * (other.columns.share(x - across) * reach[1])
            total += share
        np.testing.assert_allclose(total, 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "tile", "count"),
    [
        ((48, 30), "auto", None),
        ((49, 30), "auto", 2),
        ((500, 500), None, None),
        ((20, 20), 20, None),
        ((20, 20), 12, 4),
    ],
)
def test_small_domains_stay_whole(shape, tile, count):
    tiling = make_tiling(shape, (4, 4), tile=tile)
    assert (None if tiling is None else len(tiling)) == count
    assert LARGEST_WHOLE == 48


def test_a_part_of_an_array_is_cut_around_the_circle():
    tiling = make_tiling((8, 30), (2, 1), tile=12, overlap=4, periodic=True)
    array = np.arange(16 * 30).reshape(16, 30)
    first = tiling[0]
    assert first.columns.start < 0
    np.testing.assert_array_equal(first.cut(array, (2, 1)), np.roll(array, -first.columns.start, axis=1)[:, :12])
    assert tiling.place(first).column == first.columns.start
    assert not tiling.is_circle(first)
    band = make_tiling((40, 10), (2, 1), tile=12, overlap=4, periodic=True)
    assert all(band.is_circle(tile) for tile in band)


@pytest.mark.parametrize("tile", [7, 0, -3, 8.5, True, "large"])
def test_sizes_that_cannot_be(tile):
    with pytest.raises(ValueError, match=r"Invalid tile .*It must be 'auto', None, or a whole number of coarse cells"):
        make_tiling((64, 64), (2, 2), tile=tile)


def test_an_overlap_needs_tiles_but_for_small_domains():
    with pytest.raises(ValueError, match=r"Invalid overlap 4 with the tile None\. It must be None, too"):
        make_tiling((64, 64), (2, 2), tile=None, overlap=4)
    assert make_tiling((12, 12), (2, 2), overlap=4) is None
    assert make_tiling((12, 12), (2, 2), tile=12, overlap=4) is None


@pytest.mark.parametrize("overlap", [1, 7, 2.0, True, "some"])
def test_overlaps_that_cannot_be(overlap):
    with pytest.raises(ValueError, match=r"Invalid overlap .* It must be a whole number of coarse cells from 2 to 6"):
        make_tiling((64, 64), (2, 2), tile=12, overlap=overlap)
