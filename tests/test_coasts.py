"""What land must not do, through the public methods: have a say, or let one sea look into another."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from xr_dip import presets

FACTOR = 4
QUICK = {"members": 2, "progress": False, "device": "cpu"}
LAND = np.zeros((6, 7), dtype=bool)
LAND[:3, 4:] = True
LAND[5, 0] = True


def field(values):
    axes = {"lat": 40.0 + 0.5 * np.arange(values.shape[0]), "lon": 5.0 + 0.5 * np.arange(values.shape[1])}
    return xr.DataArray(values, axes, ("lat", "lon"), name="ssh", attrs={"units": "m"})


def fine(coarse):
    return np.kron(coarse, np.ones((FACTOR, FACTOR), dtype=bool))


def noise(seed, shape=(6, 7)):
    return 0.3 * np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture(params=["downscale, optimal", "downscale, smooth", "kriging", "conservative_spline"])
def method(request, tiny):
    """A way to make a Dataset fine, all with the same arguments."""
    name, _, constraint = request.param.partition(", ")
    if name == "downscale":
        return lambda ds, **more: ds.dip.downscale("ssh", FACTOR, preset=tiny, constraint=constraint, **QUICK, **more)
    return lambda ds, **more: ds.dip.interpolate("ssh", FACTOR, name, **more)


@pytest.mark.parametrize("fill", [0.0, -99.0, 1e20])
def test_what_stands_on_land_changes_no_bit(method, fill):
    """Whether a mask in the Dataset tells the land, or its value."""
    tmask = (("lat", "lon"), (~LAND).astype("i1"))
    missing = method(field(np.where(LAND, np.nan, noise(0))).to_dataset())
    filled = field(np.where(LAND, fill, noise(0))).to_dataset()
    assert np.isnan(missing.ssh_mean).any()
    xr.testing.assert_equal(method(filled.assign(tmask=tmask)), missing)
    xr.testing.assert_equal(method(filled, land_value=fill), missing)


def test_values_and_weights_of_fine_land_change_no_bit(method):
    """Under a fine mask: of whole coarse cells the value, of fine cells the weight."""
    mask = ~fine(LAND)
    mask[8:11, 3:9] = False
    weights = 1.0 + np.abs(noise(1, mask.shape))
    results = [
        method(field(np.where(LAND, np.nan, noise(0))).to_dataset(), mask=mask, weights=np.where(mask, weights, other))
        for other in (1.0, 7.0, np.nan)
    ]
    assert np.isfinite(results[0].ssh_mean.values[mask]).all()
    for other in results[1:]:
        xr.testing.assert_equal(other, results[0])


def two_seas(strait):
    """A wall of fine land along the middle of a coarse column, with a gap of one coarse cell or none."""
    mask = np.ones((32, 36), dtype=bool)
    mask[:, 17:19] = False
    if strait:
        mask[12:20] = True
    return mask


def western_sea(result):
    return result.ssh_mean.values[:, :17]


def mirrored_in_the_east(seed):
    """Two fields whose west is the same and its own mirror image, north to south; their easts are mirror images."""
    values = noise(seed, (8, 9))
    values[:, :5] += values[::-1, :5].copy()
    other = values.copy()
    other[:, 5:] = values[::-1, 5:]
    return field(values), field(other)


def test_kriging_does_not_look_over_a_wall():
    """The second field is the first one mirrored as a whole, so their covariances are the same."""
    one, two = mirrored_in_the_east(2)
    apart, joined = (
        [western_sea(values.dip.interpolate(FACTOR, "kriging", mask=two_seas(strait))) for values in (one, two)]
        for strait in (False, True)
    )
    np.testing.assert_allclose(apart[0], apart[1], rtol=0, atol=1e-6)
    assert np.nanmax(np.abs(joined[0] - joined[1])) > 1e-3


def test_the_smooth_constraint_does_not_look_over_a_wall(monkeypatch):
    """The network stands still and is the same for both fields: what is left is the constraint.

    Their values are the same numbers in another order, so that they are standardised alike.
    """

    def still(factor):
        small = presets.fast(factor)
        options = {**small.generator_options, "channels": 4}
        return dataclasses.replace(small, iterations=2, learning_rate=1e-30, whitening=0.0, generator_options=options)

    monkeypatch.setitem(presets.PRESETS, "still", still)
    one, two = (field(np.round(1024 * values) / 1024) for values in mirrored_in_the_east(3))
    options = {"preset": "still", "constraint": "smooth", **QUICK}
    apart, joined = (
        [western_sea(values.dip.downscale(FACTOR, mask=two_seas(strait), **options)) for values in (one, two)]
        for strait in (False, True)
    )
    np.testing.assert_array_equal(apart[0], apart[1])
    assert np.nanmax(np.abs(joined[0] - joined[1])) > 1e-3
