"""Pieces that are cut from one field are that field again; coarse values are kept; seams are seen."""

from operator import attrgetter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.blocks import block_mean, repeat
from xr_dip.constraints import bump
from xr_dip.joining import Sums, join, total
from xr_dip.pieces import SCALARS, Blank, Piece
from xr_dip.sea import Flag, find_sea
from xr_dip.tiling import make_tiling


def cut_piece(field, values, tile, tiling, members=2, land=None):
    """The piece of a tile that knows the whole field; members are the field plus their number."""
    fine = tile.cut(field, tiling.factor)
    mask = None if land is None else ~tile.cut(land, tiling.factor)
    sea = find_sea(tile.cut(values), tiling.factor, mask=mask)
    return Piece(
        mean=fine,
        variance=fine**2,
        fit_variance=np.full(fine.shape, 4.0),
        members=np.stack([fine + number for number in range(members)]) if members else None,
        sea=sea,
        values=tile.cut(values),
        fit_residual=tile.cut(values) * 0,
        enforce=None,
        scalars=dict.fromkeys(SCALARS, 0.5),
    )


def assemble(tiling, pieces, attribute):
    """Put the joined cores beside one another."""
    cores = iter([attrgetter(attribute)(join(tile, tiling, pieces)[0]) for tile in tiling])
    rows = [np.concatenate([next(cores) for _ in tiling.columns], axis=-1) for _ in tiling.rows]
    return np.concatenate(rows, axis=-2)


@given(
    st.tuples(st.integers(9, 25), st.integers(9, 25)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
    st.integers(0, 3),
)
@settings(max_examples=40)
def test_pieces_of_one_field_are_that_field(shape, factor, periodic, seed):
    field = np.random.default_rng(seed).standard_normal((shape[0] * factor[0], shape[1] * factor[1]))
    values = block_mean(field, np.ones(field.shape), factor)
    tiling = make_tiling(shape, factor, tile=8, overlap=4, periodic=periodic)
    pieces = {tile.number: cut_piece(field, values, tile, tiling) for tile in tiling}
    np.testing.assert_allclose(assemble(tiling, pieces, "mean"), field, atol=1e-12)
    np.testing.assert_allclose(assemble(tiling, pieces, "variance"), field**2, atol=1e-12)
    np.testing.assert_allclose(assemble(tiling, pieces, "members")[1], field + 1, atol=1e-12)
    np.testing.assert_array_equal(assemble(tiling, pieces, "values"), values)
    cells = sum(join(tile, tiling, pieces)[1].cells for tile in tiling)
    assert cells == field.size


def tiles_that_differ(shape=(20, 20), factor=(4, 4), land=None, exact=True):
    """Pieces of the same coarse values, each with fine structure of its own that has no block mean."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal(shape)
    fine_shape = shape[0] * factor[0], shape[1] * factor[1]
    open_sea = np.ones(fine_shape) if land is None else (~land).astype(float)
    values = np.where(block_mean(np.ones(fine_shape), open_sea, factor) > 0, values, np.nan)
    tiling = make_tiling(shape, factor, tile=12, overlap=4)
    pieces = {}
    for tile in tiling:
        noise = rng.standard_normal(fine_shape)
        noise -= repeat(np.nan_to_num(block_mean(noise, open_sea, factor)), factor)
        field = np.nan_to_num(repeat(values, factor)) + noise
        piece = cut_piece(field, values, tile, tiling, land=land)
        pieces[tile.number] = Piece(**{**vars(piece), "enforce": bump if exact else None})
    return tiling, pieces, values


def coast():
    rows, columns = np.indices((80, 80))
    return (rows + 2 * columns < 70) | (np.hypot(rows - 50, columns - 55) < 6)


@pytest.mark.parametrize("land", [None, coast()])
def test_coarse_values_are_kept_by_the_mean_and_all_members(land):
    tiling, pieces, values = tiles_that_differ(land=land)
    weights = np.ones((80, 80)) if land is None else (~land).astype(float)
    seen = np.isfinite(values)
    for field, number in ((assemble(tiling, pieces, "mean"), 0), (assemble(tiling, pieces, "members")[1], 1)):
        missed = block_mean(field, weights, (4, 4)) - values
        assert abs(missed[seen]).max() < 1e-12, number
    # Without enforcement the blend of exact pieces misses them: the test can fail.
    tiling, pieces, values = tiles_that_differ(land=land, exact=False)
    loose = block_mean(assemble(tiling, pieces, "mean"), weights, (4, 4)) - values
    assert abs(loose[seen]).max() > 1e-3


def test_enforcement_makes_no_step_between_cells():
    tiling, pieces, _ = tiles_that_differ(factor=(16, 16))
    free, loose, _ = tiles_that_differ(factor=(16, 16), exact=False)
    added = assemble(tiling, pieces, "mean") - assemble(free, loose, "mean")
    at_edge = abs(added[15::16]).max() + abs(added[16::16]).max()
    assert at_edge < 0.05 * abs(added).max()


def test_flags_say_where_tiles_are_blended():
    tiling, pieces, _ = tiles_that_differ()
    blended = (assemble(tiling, pieces, "sea.flags") & Flag.seam) > 0
    # 20 cells are tiles from 0 and 8, which hand over at 10; shares change over half of an overlap of 4.
    position = (np.arange(80) + 0.5) / 4
    zone = abs(position - 10) < 1
    np.testing.assert_array_equal(blended, zone[:, None] | zone)


def test_a_tile_without_values_is_blank_and_its_neighbours_are_not():
    tiling, pieces, _ = tiles_that_differ()
    flags = np.full((48, 48), Flag.land, dtype=np.int8)
    pieces[3] = Blank(flags)
    joined, sums = join(tiling[3], tiling, pieces)
    assert isinstance(joined, Blank)
    assert joined.flags.shape == (40, 40)
    assert sums.cells == 0
    joined, sums = join(tiling[0], tiling, pieces)
    assert sums.cells == 1600
    assert np.isfinite(joined.mean).all()


def test_the_seam_ratio_is_one_without_seams_and_grows_with_a_step():
    rows, columns = np.indices((80, 80)) / 4
    field = np.sin(rows / 3) + np.cos(columns / 2)
    values = block_mean(field, np.ones(field.shape), (4, 4))
    tiling = make_tiling((20, 20), (4, 4), tile=12, overlap=4)
    ratios = []
    for step in (0.0, 0.2):
        pieces = {tile.number: cut_piece(field + step * tile.column, values, tile, tiling) for tile in tiling}
        sums = [join(tile, tiling, pieces)[1] for tile in tiling]
        ratios.append(total([piece.scalars for piece in pieces.values()], sums)["seam_ratio"])
    assert ratios[0] == pytest.approx(1.0, abs=0.05)
    assert ratios[1] > 1.05


def test_totals_of_nothing_are_missing():
    empty = Sums(0.0, 0.0, (0.0, 0.0), (0.0, 0.0))
    assert all(np.isnan(number) for number in total([{}], [empty]).values())
    assert set(total([{}], [empty])) == set(SCALARS)


def test_the_skill_of_what_predicts_nothing_is_missing():
    tiles = [dict.fromkeys(SCALARS, np.nan)]
    assert np.isnan(total(tiles, [Sums(9.0, 1.0, (1.0, 1.0), (1.0, 1.0))])["predicted_skill"])
