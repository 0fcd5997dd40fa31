"""Basins: found by their definition, cut out and put back, and changed each as if it were alone."""

from functools import partial
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip import samples
from xr_dip.basins import MARGIN, basin_windows, by_basin, label_basins
from xr_dip.blocks import block_mean
from xr_dip.interpolation import back_project
from xr_dip.kriging.coast import coast_blend


def flooded(sea, periodic):
    """Label by the definition: the lowest index that water can reach by sides, found by trying; 0 on land."""
    label = np.where(sea, np.arange(1, sea.size + 1).reshape(sea.shape), 0)
    while True:
        before = label.copy()
        for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
            beside = np.roll(label, shift, axis)
            if axis == 0 or not periodic:
                edge = [slice(None), slice(None)]
                edge[axis] = 0 if shift == 1 else -1
                beside[tuple(edge)] = 0
            label = np.where(sea & (beside > 0), np.minimum(label, beside), label)
        if (label == before).all():
            return label


@st.composite
def seas(draw, factor=(1, 1)):
    shape = draw(st.integers(1, 9)) * factor[0], draw(st.integers(1, 9)) * factor[1]
    return np.random.default_rng(draw(st.integers(0, 2**31))).random(shape) < draw(st.sampled_from([0.3, 0.6, 0.9]))


@given(seas(), st.booleans())
@settings(max_examples=60)
def test_labels_are_those_of_the_definition(sea, periodic):
    labels, expected = label_basins(sea, periodic=periodic), flooded(sea, periodic)
    assert labels.dtype == np.int32
    pairs = {(int(a), int(b)) for a, b in zip(labels.ravel(), expected.ravel(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})  # one to one
    np.testing.assert_array_equal(labels == 0, ~sea)


@given(seas(), st.booleans())
def test_numbers_are_by_size(sea, periodic):
    sizes = np.bincount(label_basins(sea, periodic=periodic).ravel())[1:]
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()


@given(seas(), st.integers(0, 8))
def test_rolling_a_globe_changes_no_basin(sea, shift):
    rolled = np.roll(label_basins(np.roll(sea, shift, 1), periodic=True), -shift, 1)
    pairs = set(zip(label_basins(sea, periodic=True).ravel().tolist(), rolled.ravel().tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_a_million_lakes_take_less_than_a_second():
    sea = np.zeros((2000, 2000), dtype=bool)
    sea[::2, ::2] = True
    start = process_time()
    assert label_basins(sea, periodic=True).max() == 1_000_000
    assert process_time() - start < 1


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4)])
def test_a_sea_has_two_dimensions(shape):
    with pytest.raises(ValueError, match=r"Invalid sea of shape .*It must have two dimensions \(Y, X\)"):
        label_basins(np.ones(shape, dtype=bool))


@pytest.mark.samples
def test_panama_parts_two_oceans():
    mask = samples.open_dataset("land_mask").mask.sel(lon=slice(276, 284), lat=slice(4, 12))
    labels = mask.copy(data=label_basins(mask.values == 0))
    pacific, caribbean = (int(labels.sel(lon=280, lat=lat, method="nearest")) for lat in (6, 11))
    assert {pacific, caribbean} == {1, 2}


@given(seas(factor=(2, 3)), st.booleans(), st.integers(0, 2))
@settings(max_examples=60)
def test_windows_hold_their_basins_and_put_them_back(sea, periodic, margin):
    labels = label_basins(sea, periodic=periodic)
    chosen = range(1, int(labels.max()) + 1)
    rebuilt = np.zeros_like(labels)
    windows = basin_windows(labels, (2, 3), chosen, margin=margin, periodic=periodic)
    for label, window in zip(chosen, windows, strict=True):
        np.testing.assert_array_equal(window.fine(labels)[window.inside], label)
        assert window.inside.sum() == (labels == label).sum()
        assert len(set(window.columns.tolist())) == len(window.columns)
        assert window.closed == (periodic and len(window.columns) == sea.shape[1] // 3)
        window.paste(np.full(window.inside.shape, label, dtype=np.int32), rebuilt)
    np.testing.assert_array_equal(rebuilt, labels)


def test_a_window_goes_round_the_seam():
    sea = np.zeros((4, 16), dtype=bool)
    sea[0, [0, 1, 15]] = True
    cells = np.arange(16.0).reshape(2, 8)

    def window(**options):
        return next(basin_windows(label_basins(sea, periodic=True), (2, 2), [1], periodic=True, **options))

    assert window().coarse(cells).tolist() == [[7, 0]]
    assert window(margin=1).coarse(cells).tolist() == [[6, 7, 0, 1], [14, 15, 8, 9]]
    assert window(margin=3).closed
    assert window(margin=3).columns.tolist() == list(range(8))


WALL = np.ones((12, 18))
WALL[:, 10] = 0.0
"""Land one cell wide, inside of the coarse cells of column 3, which both seas share."""
FACTOR = (3, 3)
OPERATIONS = {"back_project": back_project, "coast_blend": coast_blend}


@pytest.fixture(params=OPERATIONS)
def operation(request):
    return OPERATIONS[request.param]


def pair(seed=0):
    """A field and coarse values."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal(WALL.shape), rng.standard_normal((4, 6))


def test_one_basin_is_changed_as_a_whole(operation):
    field, values = pair()
    strait = WALL.copy()
    strait[5, 10] = 1.0
    for weights in (np.ones_like(WALL), strait):
        np.testing.assert_array_equal(
            by_basin(operation, field, values, weights, FACTOR), operation(field, values, weights, FACTOR)
        )


def test_no_bit_passes_a_wall(operation):
    field, values = pair()
    other_field, other_values = pair(1)
    west = np.arange(18) < 10
    before = by_basin(operation, field, values, WALL, FACTOR)
    values[:, 4:] = other_values[:, 4:]  # column 3 is shared
    after = by_basin(operation, np.where(west, field, other_field), values, WALL, FACTOR)
    np.testing.assert_array_equal(before[:, west], after[:, west])
    assert np.abs(before - after)[:, 11:].min() > 0


def test_water_passes_a_strait(operation):
    field, values = pair()
    strait = WALL.copy()
    strait[5, 10] = 1.0
    before = by_basin(operation, field, values, strait, FACTOR)
    values[:, 4:] += 1.0
    assert np.abs(by_basin(operation, field, values, strait, FACTOR) - before)[:, :10].max() > 1e-3


def test_a_shared_cell_gives_its_value_to_both_parts(operation):
    field, values = pair()
    changed = by_basin(operation, field, values, WALL, FACTOR)
    for part in (np.arange(18) < 10, np.arange(18) > 10):
        means = block_mean(changed, WALL * part, FACTOR)[:, 3]
        np.testing.assert_allclose(means, values[:, 3], atol=1e-12)
    np.testing.assert_allclose(block_mean(changed, WALL, FACTOR), values, atol=1e-12)


def test_a_basin_is_changed_as_if_the_others_were_land(operation):
    """Its window is smaller than the domain, but wide enough."""
    rng = np.random.default_rng(0)
    field, values = rng.standard_normal((12, 36)), rng.standard_normal((4, 12))
    weights = np.where(np.arange(36) == 10, 0.0, np.ones((12, 1)))
    west = np.arange(36) < 10
    alone = operation(field, np.where(np.arange(12) < 4, values, np.nan), weights * west, FACTOR)
    np.testing.assert_allclose(by_basin(operation, field, values, weights, FACTOR)[:, west], alone[:, west], atol=1e-8)


def test_land_around_a_basin_is_cut_with_it():
    field, weights = np.zeros((30, 30)), np.zeros((30, 30))
    weights[13, 13] = weights[0, 0] = 1.0
    values = np.full((10, 10), np.nan)
    values[4, 4], values[0, 0] = 1.0, 5.0
    shapes = []

    def spy(field, values, weights, factor, *, periodic):
        shapes.append(values.shape)
        return back_project(field, values, weights, factor, periodic=periodic)

    changed = by_basin(spy, field, values, weights, FACTOR)
    assert shapes == [(1 + MARGIN, 1 + MARGIN), (1 + 2 * MARGIN, 1 + 2 * MARGIN)]
    np.testing.assert_allclose(changed[[0, 13], [0, 13]], [5.0, 1.0])


def test_the_others_are_land_without_values():
    field, values = pair()

    def spy(field, values, weights, factor, *, periodic):
        np.testing.assert_array_equal(field[weights == 0], 0.0)
        np.testing.assert_array_equal(np.isfinite(values), np.isfinite(block_mean(field, weights, factor)))
        return field + 1.0

    changed = by_basin(spy, field, values, WALL, FACTOR)
    np.testing.assert_array_equal(changed, np.where(WALL > 0, field + 1.0, field))


def test_basins_without_a_value_are_left_alone():
    field, values = pair()
    values[:, 3:] = np.nan
    changed = by_basin(partial(back_project, method="nearest"), field, values, WALL, FACTOR)
    np.testing.assert_array_equal(changed[:, 9:], field[:, 9:])
    np.testing.assert_allclose(block_mean(changed, WALL, FACTOR)[:, :3], values[:, :3], atol=1e-12)


def test_sea_says_what_is_joined_and_changed():
    """Water without weight joins two seas, and is changed with them."""
    field, values = pair()
    sea = WALL > 0
    sea[5, 10] = True
    joined = by_basin(back_project, field, values, WALL, FACTOR, sea=sea)
    np.testing.assert_array_equal(joined, back_project(field, values, WALL, FACTOR))
    beyond = WALL.copy()
    beyond[:, 3:6] = 0.0
    changed = by_basin(lambda field, *_, periodic: field + 1.0, field, values, beyond, FACTOR, sea=WALL > 0)
    np.testing.assert_array_equal(changed, np.where(WALL > 0, field + 1.0, field))


def test_leading_axes_are_carried():
    field, values = pair()
    fields = np.stack([field, field + 1.0])
    nearest = partial(back_project, method="nearest")
    together = by_basin(nearest, fields, values, WALL, FACTOR)
    alone = [by_basin(nearest, one, values, WALL, FACTOR) for one in fields]
    np.testing.assert_allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("shift", [1, 4])
def test_rolling_a_globe_rolls_the_change(operation, shift):
    """Two seas between two meridians of land, wherever the seam is."""
    field, values = pair()
    globe = WALL.copy()
    globe[:, 2] = 0.0
    change = partial(by_basin, operation, periodic=True)
    rolled = change(np.roll(field, 3 * shift, 1), np.roll(values, shift, 1), np.roll(globe, 3 * shift, 1), FACTOR)
    expected = change(field, values, globe, FACTOR)
    np.testing.assert_allclose(np.roll(rolled, -3 * shift, 1)[globe > 0], expected[globe > 0], atol=1e-9)
