"""A globe has no seam where its file begins: the altimetry of a circle of latitudes, through the public method."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from xr_dip import samples

CELLS = 12
"""Cells of a quarter of a degree along each side of a coarse cell: 120 of these go around."""


@pytest.fixture(scope="module")
def circle():
    """The Antarctic Circumpolar Current and the tip of Patagonia: (5, 120) cells of 3 degrees, all sea at the seam."""
    with samples.open_dataset("global_duacs") as dataset:
        band = dataset.adt.isel(time=0, drop=True).sel(latitude=slice(-60, -45))
        return band.coarsen(latitude=CELLS, longitude=CELLS).mean().load()


@pytest.fixture(scope="module")
def globe():
    """The benchmark that draws the seam, and how it measures one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
        yield importlib.import_module("globe")


def test_kinks_and_differences_are_those_of_their_definition(globe):
    field = np.zeros((1, 8))
    field[0, 4:] = 1.0  # one step between the second and the third pair, one at the seam
    np.testing.assert_allclose(globe.differences(field, 2), [0, 1, 0, 1])
    np.testing.assert_allclose(globe.kinks(field, 2), [0, 1, 0, 1])


def downscale(circle, **options):
    return circle.dip.downscale(2, members=2, preset="fast", progress=False, device="cpu", **options).adt_mean.values


@pytest.mark.samples
def test_the_columns_on_each_side_of_the_seam_differ_as_neighbours_do(circle, globe):
    """Neighbours: the borders of columns within 45 degrees. As an open domain, the same field has a seam."""
    joined, cut = downscale(circle), downscale(circle, periodic=False)
    assert np.isfinite(joined[:, [0, -1]]).all()
    assert 0.5 < globe.at_the_seam(globe.differences(joined, 2)) < 1.1
    assert 0.5 < globe.at_the_seam(globe.kinks(joined, 2)) < 1.1
    assert globe.at_the_seam(globe.differences(cut, 2)) > 1.2
    assert globe.at_the_seam(globe.kinks(cut, 2)) > 1.5


@pytest.mark.samples
@pytest.mark.parametrize("method", ["bilinear", "bicubic", "conservative_spline"])
def test_turning_the_globe_turns_the_result(circle, method):
    """So no column is special. (The covariance of kriging is that of windows, which depend on where a file begins.)"""
    half = circle.sizes["longitude"] // 2
    turned = circle.roll(longitude=half, roll_coords=True)
    one, two = (field.dip.interpolate(2, method=method) for field in (circle, turned))
    np.testing.assert_allclose(np.roll(two.adt_mean, -2 * half, axis=1), one.adt_mean, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.roll(two.longitude, -2 * half), one.longitude, atol=1e-9)
