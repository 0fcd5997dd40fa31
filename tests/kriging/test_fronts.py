"""The direction of fronts."""

import numpy as np
import pytest

from xr_dip.kriging.fronts import FLOOR, Fronts

FACTOR, PITCH = (4, 4), (0.25, 0.25)


def wave(angle, shape=(32, 32)):
    """Crests along the direction that is `angle` from the x axis towards y."""
    y, x = np.indices(shape)
    return np.sin(0.7 * (np.cos(angle) * y - np.sin(angle) * x))


def metric(field, strength=0.5, sea=None, place=(16.0, 15.0), factor=FACTOR, pitch=PITCH, periodic=False):
    fronts = Fronts(field, np.ones(field.shape, bool) if sea is None else sea, factor, pitch, periodic=periodic)
    return np.array(fronts.metric(strength, *(np.array([part]) for part in place)))[:, 0]


@pytest.mark.parametrize("degrees", [0, 30, 60, 90, 135])
def test_the_long_axis_lies_along_the_crests(degrees):
    angle = np.radians(degrees)
    yy, yx, xx = metric(wave(angle))
    assert 0.5 * np.arctan2(2 * yx, xx - yy) % np.pi == pytest.approx(angle % np.pi, abs=0.02)


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_the_determinant_is_one(strength):
    field = np.random.default_rng(0).standard_normal((24, 20)).cumsum(axis=0).cumsum(axis=1)
    row, column = np.random.default_rng(1).uniform(0, 20, (2, 50))
    tensors = Fronts(field, np.ones(field.shape, bool), FACTOR, PITCH).metric(strength, row, column)
    np.testing.assert_allclose(tensors.yy * tensors.xx - tensors.yx**2, 1.0)


def test_the_aspect_is_a_power_of_the_ratio_of_steepness():
    """Of a plane: the floor is 0.3 of its steepness, so the ratio is 1.3 / 0.3."""
    plane = np.indices((16, 16))[0] * 0.1
    yy, yx, xx = metric(plane, strength=0.6, place=(8.0, 8.0))
    assert yx == 0
    assert xx / yy == pytest.approx((1.3 / 0.3) ** 0.6)


def test_turning_the_field_turns_the_metric():
    field = wave(0.4)
    yy, yx, xx = metric(field, place=(10.5, 20.5))
    np.testing.assert_allclose(metric(field.T, place=(20.5, 10.5)), (xx, yx, yy), atol=1e-12)
    np.testing.assert_allclose(metric(field[::-1], place=(21.5, 20.5)), (yy, -yx, xx), atol=1e-12)


def test_height_and_unit_do_not_matter():
    np.testing.assert_allclose(metric(wave(0.4)), metric(3.0 + 100.0 * wave(0.4)), rtol=1e-9)


@pytest.mark.parametrize("field", [np.zeros((16, 16)), np.full((16, 16), 0.7)])
def test_flat_water_has_no_direction(field):
    np.testing.assert_array_equal(metric(field, place=(8.0, 8.0)), (1, 0, 1))


def amplitude(field, contrast, place, sea=None, **options):
    fronts = Fronts(field, np.ones(field.shape, bool) if sea is None else sea, FACTOR, PITCH, **options)
    return fronts.amplitude(contrast, *(np.array([part]) for part in place))[0]


def test_a_plane_is_alike_everywhere():
    plane = 0.3 * np.indices((16, 16))[0] + 0.1 * np.indices((16, 16))[1]
    assert amplitude(plane, 0.8, (7.0, 9.0)) == pytest.approx(1.0)


def test_a_flat_field_has_an_amplitude_of_one():
    assert amplitude(np.ones((16, 16)), 0.8, (7.0, 9.0)) == 1.0


def test_amplitude_is_a_power_of_the_steepness():
    """Half of the field flat, half of it of one slope: the floor and the slope over their mean."""
    y = np.indices((64, 64))[0]
    field = np.maximum(y - 32.0, 0.0)
    flat, steep = (amplitude(field, 1.0, (row, 32.0)) ** 2 for row in (4.0, 60.0))
    assert steep / flat == pytest.approx((1 + FLOOR) / FLOOR, rel=0.05)  # twice the mean, and the floor on both axes
    assert amplitude(field, 0.5, (60.0, 32.0)) == pytest.approx(np.sqrt(np.sqrt(steep)))
    assert amplitude(field, 0.0, (60.0, 32.0)) == 1.0


def test_amplitude_does_not_depend_on_the_unit():
    field = np.random.default_rng(0).standard_normal((24, 24))
    assert amplitude(100 * field, 0.6, (5.0, 6.0)) == pytest.approx(amplitude(field, 0.6, (5.0, 6.0)))


def test_land_has_no_part_in_the_amplitude():
    field = np.random.default_rng(0).standard_normal((32, 32))
    sea = np.ones((32, 32), bool)
    sea[:, 24:] = False
    wild = np.where(sea, field, 1e6 * field)
    assert amplitude(wild, 0.8, (9.0, 4.0), sea) == pytest.approx(amplitude(field, 0.8, (9.0, 4.0), sea))


def test_around_the_globe_north_does_not_border_on_south():
    """Within half a fine cell of the first row: what is there, not what is in the last row."""
    field = np.zeros((32, 32))
    field[20:] = np.random.default_rng(1).standard_normal((12, 32)).cumsum(axis=0)
    first = amplitude(field, 1.0, (0.5, 8.0), periodic=True)
    assert amplitude(field, 1.0, (0.1, 8.0), periodic=True) == first
    assert first < amplitude(field, 1.0, (31.9, 8.0), periodic=True)
    assert amplitude(field, 1.0, (9.0, 0.0), periodic=True) == pytest.approx(
        amplitude(field, 1.0, (9.0, 32.0), periodic=True)
    )


def test_strength_zero_has_no_direction():
    np.testing.assert_allclose(metric(wave(0.4), strength=0.0), (1, 0, 1), atol=1e-15)


def test_cells_longer_than_wide():
    """Directions are those of the ocean, not of the array."""
    field = wave(np.pi / 4, (32, 32))
    stretched = wave(np.pi / 4, (32, 64))[:, :1] * 0 + np.sin(
        0.7 * np.sqrt(0.5) * (np.indices((32, 64))[0] - np.indices((32, 64))[1] / 2)
    )
    yy, yx, xx = metric(stretched, place=(16.0, 30.0), pitch=(0.25, 0.125), factor=(4, 8))
    np.testing.assert_allclose((yy, yx, xx), metric(field), rtol=0.05)


def test_land_is_not_read():
    field, sea = wave(0.4), np.ones((32, 32), bool)
    sea[:9, :20] = False
    filled = np.where(sea, field, 1e3)
    np.testing.assert_array_equal(metric(field, sea=sea), metric(filled, sea=sea))


def test_a_circle_has_no_ends():
    """Rolling a periodic field rolls its metrics."""
    y, x = np.indices((16, 32))
    field = np.sin(2 * np.pi * x / 32 + 0.3 * y)
    there = metric(field, periodic=True, place=(8.0, 0.25))
    np.testing.assert_allclose(metric(np.roll(field, 9, 1), periodic=True, place=(8.0, 9.25)), there, atol=1e-12)


def test_an_axis_of_one_cell():
    assert metric(np.arange(16.0)[None] ** 2, place=(0.5, 8.0), factor=(1, 4), pitch=(0.5, 0.5))[2] < 1
