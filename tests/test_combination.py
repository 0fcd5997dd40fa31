"""From kriging, its version along fronts and fits to the estimate."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from xr_dip import downscale, estimate
from xr_dip.blocks import block_mean
from xr_dip.combination import combine_optimal
from xr_dip.kriging.along_fronts import krige_along_fronts
from xr_dip.kriging.calibration import mean_variance
from xr_dip.kriging.covariance import Covariance, Kernel
from xr_dip.kriging.mosaic import krige
from xr_dip.sea import find_sea

FACTOR, SHAPE = (4, 4), (14, 15)


def setting(noise=0.0):
    """Return values with a front, their sea, and kriging with and without noise."""
    y, x = np.indices(SHAPE)
    values = np.tanh((y - 0.5 * x - 2 + np.sin(0.7 * x)) / 1.5)
    sea = find_sea(values, FACTOR)
    told, blind = (
        krige(sea.weights, FACTOR, (1.0, 1.0), Covariance((Kernel(2.5, 2.0, 0.3),), noise=each), sea.coarse)
        for each in (noise, 0.0)
    )
    return values, sea, told, blind


def fits_like(field, kriging, count=4, own=0.1):
    """Return null-space parts that are a field and something of their own."""
    others = kriging.null(np.random.default_rng(0).standard_normal((count, *field.shape)).cumsum(axis=1).cumsum(axis=2))
    scale = own * field.std() / others.std()
    return field + scale * others


def test_kriging_and_both_proposals_are_added_by_their_weights():
    values, sea, kriging, _ = setting()
    added, claim = krige_along_fronts(kriging, values)
    parts = fits_like(added, kriging)
    found = combine_optimal(parts, values, sea, kriging, 0, fronts=(added, claim))
    assert found.front_weight > 0.1
    assert found.blend_weight > 0.1
    expected = kriging.mean(values) + found.front_weight * added + found.blend_weight * parts.mean(axis=0)
    np.testing.assert_allclose(found.mean, expected, atol=1e-6)
    np.testing.assert_allclose(block_mean(found.mean, sea.weights, FACTOR), values, atol=1e-12)


def test_errors_are_drawn_from_kernels_of_their_own():
    """A rougher kernel of the errors makes the standard error larger, and changes nothing else."""
    values, sea, kriging, _ = setting()
    fronts, parts = krige_along_fronts(kriging, values), np.zeros((2, *sea.weights.shape))
    rougher = krige(sea.weights, FACTOR, (1.0, 1.0), Covariance((Kernel(1.5, 2.0, 0.3),)), sea.coarse)
    one, other = (
        combine_optimal(parts, values, sea, kriging, 0, fronts=fronts, errors=errors) for errors in (None, rougher)
    )
    np.testing.assert_array_equal(other.mean, one.mean)
    assert other.predicted_rmse > 1.2 * one.predicted_rmse
    np.testing.assert_allclose(block_mean(other.members, sea.weights, FACTOR), values[None].repeat(2, 0), atol=1e-9)


def test_a_field_has_errors_of_its_unresolved_kernels(monkeypatch):
    """Of four times their variance the standard error grows, by less than two: left-out cells have a say as well."""
    values = setting()[0]
    degrees = {
        name: (name, 0.5 * np.arange(n), {"units": f"degrees_{to}"})
        for name, to, n in zip(("lat", "lon"), ("north", "east"), values.shape, strict=True)
    }
    field = xr.DataArray(values, coords=degrees, dims=("lat", "lon"), name="ssh", attrs={"units": "m"})
    fit, found = estimate.fit_covariance, []
    for scale in (1.0, 4.0):

        def scaled(*args, scale=scale, **options):
            covariance = fit(*args, **options)
            kernels = [replace(kernel, sill=scale * kernel.sill) for kernel in covariance.unresolved]
            return replace(covariance, unresolved=tuple(kernels))

        monkeypatch.setattr(estimate, "fit_covariance", scaled)
        options = {"members": 2, "preset": "fast", "device": "cpu", "progress": False}
        found.append(downscale(field, 4, **options))
    one, other = found
    np.testing.assert_array_equal(other.ssh_mean, one.ssh_mean)
    assert 1.1 < float(other.predicted_rmse / one.predicted_rmse) < 2


def test_fits_against_the_fronts_have_no_weight():
    values, sea, kriging, _ = setting()
    fronts = krige_along_fronts(kriging, values)
    found = combine_optimal(-fits_like(fronts[0], kriging), values, sea, kriging, 0, fronts=fronts)
    assert found.blend_weight == 0.0
    np.testing.assert_allclose(found.mean, kriging.mean(values) + found.front_weight * fronts[0], atol=1e-6)


@pytest.mark.parametrize("noise", [1e-4, 1e-3])
def test_noise_does_not_keep_fronts_from_confirming_fits(noise):
    """What kriging along fronts makes of the noise is no part of the null space, in which fits are compared with it."""
    values, sea, told, blind = setting(noise)
    exact = krige_along_fronts(blind, values)[0]
    parts = fits_like(exact, blind, own=0.0)
    found = combine_optimal(parts, values, sea, told, 0, blind=blind)
    known = combine_optimal(parts, values, sea, blind, 0)
    assert mean_variance(told, values, 0) > mean_variance(blind, values, 0)
    assert found.blend_weight > 0.5 * known.blend_weight > 0
