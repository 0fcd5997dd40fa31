"""The spread between networks and that over the latents of each."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from results import check_cf
from test_downscaling import coarse_field, run

from xr_dip.fitting.fit import Fit
from xr_dip.latents import latent_variances
from xr_dip.standard import Standard

SKIP = {"generator": "skip", "generator_options": {"channels": 4, "levels": 2}, "constraint": "additive"}
PLAIN = Standard(0.0, 0.0, 1.0)


def fits_of(fields):
    """Fits with fields (members, latents, Y, X)."""
    return [Fit(part[0].astype(float), np.ones(1), 0.1, "iterations", 0, at_latents=part) for part in fields]


@given(st.integers(2, 5), st.integers(2, 6), st.integers(0, 99))
@settings(max_examples=20)
def test_the_squares_of_all_fields_are_those_of_both_parts(members, latents, seed):
    """Analysis of variance: sum (x - x..)^2 = n (M - 1) between + M (n - 1) within."""
    fields = np.random.default_rng(seed).normal(size=(members, latents, 2, 3)).astype(np.float32)
    between, within = latent_variances(fits_of(fields), PLAIN, lambda field: field)
    whole = fields.astype(float).reshape(-1, 2, 3)
    total = ((whole - whole.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(latents * (members - 1) * between + members * (latents - 1) * within, total)


def test_networks_that_are_alike_differ_by_their_latents_only():
    field = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    between, within = latent_variances(fits_of([field, field]), PLAIN, lambda field: field)
    np.testing.assert_array_equal(between, 0.0)
    np.testing.assert_allclose(within, field.astype(float).var(axis=0, ddof=1))


def test_the_spread_has_the_unit_of_the_field_and_is_enforced():
    fields = np.random.default_rng(0).normal(size=(2, 3, 2, 2)).astype(np.float32)
    plain = latent_variances(fits_of(fields), PLAIN, lambda field: field)
    scaled = latent_variances(fits_of(fields), Standard(5.0, 5.0, 3.0), lambda field: field)
    np.testing.assert_allclose(scaled, 9 * plain)
    # All of a field that is one number is its mean.
    np.testing.assert_allclose(latent_variances(fits_of(fields), PLAIN, lambda field: field * 0 + 1), 0.0)


def test_one_member_has_no_spread_between_members():
    fields = np.random.default_rng(0).normal(size=(1, 3, 2, 2)).astype(np.float32)
    between, within = latent_variances(fits_of(fields), PLAIN, lambda field: field)
    assert np.isnan(between).all()
    assert (within > 0).all()


def test_without_latents_there_is_nothing_to_divide():
    fits = [Fit(np.zeros((2, 2)), np.ones(1), 0.1, "iterations", 0)]
    assert latent_variances(fits, PLAIN, lambda field: field) is None


# The whole job.


def test_two_more_fields_and_nothing_else_changes(tiny, tmp_path):
    da = coarse_field(land=True)
    plain, found = (run(da, preset=tiny, latent_samples=latents, **SKIP) for latents in (None, 3))
    assert set(found.data_vars) - set(plain.data_vars) == {"ssh_ensemble_std", "ssh_latent_std"}
    for name in plain.data_vars:
        np.testing.assert_array_equal(plain[name], found[name])
    for name in ("ssh_ensemble_std", "ssh_latent_std"):
        assert found[name].dtype == np.float32
        assert found[name].attrs["units"] == "m"
        assert (found[name].notnull() == found.ssh_mean.notnull()).all()
        assert float(found[name].max()) > 0
    assert found.ssh_latent_std.attrs["cell_methods"] == "area: mean realization: root_mean_square"
    assert "ssh_latent_std" in found.ssh_mean.attrs["ancillary_variables"]
    check_cf(found, tmp_path / "fine.nc")


def test_what_is_enforced_has_no_spread_in_its_block_means(tiny):
    """At factor 1 a block mean is a value: nothing is left to differ. Without a constraint all of it is."""
    da = coarse_field()
    given = {**SKIP, "preset": tiny, "latent_samples": 2}
    enforced, raw = (run(da, 1, **{**given, "constraint": constraint}) for constraint in ("additive", "none"))
    for name in ("ssh_ensemble_std", "ssh_latent_std"):
        assert float(enforced[name].max()) < 1e-6 < 1e-4 < float(raw[name].max())


def test_with_kriging_it_is_the_spread_in_the_null_space(tiny):
    da = coarse_field()
    out = run(da, 1, preset=tiny, latent_samples=2, **{**SKIP, "constraint": "optimal"})
    assert float(out.ssh_latent_std.max()) < 1e-6
    out = run(da, 2, preset=tiny, latent_samples=2, **{**SKIP, "constraint": "optimal"})
    assert float(out.ssh_latent_std.max()) > 1e-4


@pytest.mark.parametrize("options", [{}, {"tile": 8, "overlap": 4}])
def test_lazy_and_in_memory_give_the_same_bits(options, tiny):
    da = coarse_field((10, 12), times=2, land=True)
    given = {"preset": tiny, "latent_samples": 2, **SKIP, **options}
    now = run(da, **given)
    with dask.config.set(scheduler="synchronous"):
        later = run(da.chunk(time=1), **given).compute()
    xr.testing.assert_equal(now, later)
    assert np.isfinite(now.ssh_latent_std.values[:, 8:]).all()


def test_dcgan_has_redrawn_latents_too(tiny):
    out = run(coarse_field(), preset=tiny, generator="dcgan", constraint="none", latent_samples=2)
    assert float(out.ssh_latent_std.min()) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_samples": 1}, "Invalid latent_samples 1. It must be a whole number of at least 2"),
        ({"latent_samples": 3}, "Invalid latent_samples 3 with the generator 'bandlimited'. It must be None, for this"),
        (
            {"latent_samples": 3, "generator": "dcgan", "generator_options": {"latent": "fixed"}},
            "Invalid latent_samples 3 with the generator 'dcgan'",
        ),
    ],
)
def test_what_has_no_latents_is_refused(options, message, tiny):
    with pytest.raises(ValueError, match=message):
        run(coarse_field(), preset=tiny, **options)


# The penalty on corrections, which has to do with the constraint.


def test_the_correction_is_of_a_constraint_with_a_range(tiny):
    with pytest.raises(
        ValueError, match=r"Invalid penalty 'correction' with the constraint 'smooth'[.] It must come with"
    ):
        run(coarse_field(), preset=tiny, constraint="smooth", penalties={"correction": 10})


def test_the_penalty_is_in_the_fit(tiny):
    given = {"preset": tiny, "constraint": "geiss", "constraint_options": {"value_range": (-1.5, 1.5)}}
    plain, held = (run(coarse_field((8, 9)), penalties=penalties, **given) for penalties in ({}, {"correction": 10}))
    assert float(abs(held.fit_residual - plain.fit_residual).max()) > 1e-5
    assert float(abs(held.conservation_error).max()) < 1e-6
