"""The analyses of one field, in cases with known answers."""

import numpy as np
import pytest
import xarray as xr
from toys import Free

import xr_dip
from xr_dip import analysis, synthetic
from xr_dip.analysis import recurrence
from xr_dip.analysis.impedance import make_targets


def field_of(values):
    rows, columns = np.asarray(values).shape
    axes = {"lat": 30 + 0.1 * np.arange(rows), "lon": 0.1 * np.arange(columns)}
    return xr.DataArray(values, axes, ("lat", "lon"), attrs={"units": "m"})


def test_targets_are_of_one_size_and_the_shuffled_one_has_the_same_values():
    values = np.random.default_rng(0).gamma(1.0, size=(12, 9))
    values[:2, :3] = np.nan
    values = (values - np.nanmean(values)) / np.nanstd(values)
    made = make_targets(values, 0.5, 0)
    for target in made.values():
        np.testing.assert_array_equal(np.isnan(target), np.isnan(values))
        assert np.nanmean(target) == pytest.approx(0.0, abs=1e-12)
        assert np.nanstd(target) == pytest.approx(1.0)
    np.testing.assert_allclose(np.sort(made["shuffled"], axis=None), np.sort(values, axis=None))
    assert not np.allclose(made["shuffled"], values, equal_nan=True)
    # variance of field plus noise is 1 + 0.25, so its correlation with the field is about 1 / sqrt(1.25) = 0.89
    sea = np.isfinite(values)
    assert np.corrcoef(made["field and noise"][sea], values[sea])[0, 1] == pytest.approx(0.89, abs=0.06)


def test_a_network_without_structure_resists_nothing_more_than_anything_else(monkeypatch):
    """One free number for each cell: from zero the loss is 1, and falls alike for whatever is fitted."""
    from xr_dip.generators import GENERATORS

    monkeypatch.setitem(GENERATORS, "free", lambda shape, factor, seed, latent="normal": Free(shape))
    field = synthetic.gulf_stream((16, 24)).ssh
    found = analysis.impedance(field, generator="free", generator_options={}, iterations=20)
    np.testing.assert_allclose(found.loss.isel(iteration=0), 1.0, rtol=1e-5)
    assert (found.loss.diff("iteration") < 0).all()
    shuffled, plain = (found.loss.sel(target=name, member=0) for name in ("shuffled", "field"))
    np.testing.assert_allclose(shuffled, plain, rtol=1e-5)


def test_a_convolutional_network_resists_noise():
    options = {"preset": "fast", "generator_options": {"channels": 8}, "iterations": 40}
    found = analysis.impedance(synthetic.gulf_stream((24, 24)).ssh, **options)
    last = found.loss.isel(iteration=-1, member=0)
    assert float(last.sel(target="field")) < 0.3 * float(last.sel(target="noise"))
    assert float(last.sel(target="field")) < float(last.sel(target="field and noise"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": ["field", "music"]}, "Invalid target 'music'. It must be one of"),
        ({"targets": "field"}, "Invalid targets 'field'. It must be a sequence"),
        ({"preset": "slow"}, "Invalid preset 'slow'. It must be one of"),
        ({"generator": "unet"}, "Invalid generator 'unet'. It must be one of"),
        ({"members": 0}, "Invalid members 0"),
        ({"iterations": 5.5}, "Invalid iterations 5.5. It must be a whole number of at least 1"),
        ({"iterations": 0}, "Invalid iterations 0. It must be a whole number of at least 1"),
        ({"generator_options": {"x": 1}}, r"Invalid generator_options \['x'\]. They must be among those of the gen"),
        ({"device": "gpu"}, "Invalid device 'gpu'. It must be 'auto' or one of"),
        ({"noise_share": -0.5}, "Invalid noise_share -0.5. It must be finite and not negative"),
    ],
)
def test_wrong_arguments_of_impedance_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        analysis.impedance(synthetic.gulf_stream((16, 16)).ssh, **({"iterations": 1} | options))


def test_options_of_impedance_are_refused_as_downscale_does():
    field = synthetic.gulf_stream((16, 16)).ssh
    told = set()
    for call in (analysis.impedance, lambda field, **given: xr_dip.downscale(field, 2, **given)):
        with pytest.raises(ValueError, match=r"Invalid generator_options \['x'\]") as error:
            call(field, preset="fast", generator_options={"x": 1})
        told.add(str(error.value))
    assert len(told) == 1
    with pytest.raises(TypeError, match=r"Invalid generator_options 3. It must be a mapping from names to values"):
        analysis.impedance(field, generator_options=3)


def test_a_constant_field_and_several_times_are_refused():
    with pytest.raises(ValueError, match=r"Invalid field. It must not be constant"):
        analysis.impedance(field_of(np.zeros((8, 8))))
    with pytest.raises(ValueError, match=r"Invalid field with dimensions .* select one of \['time'\]"):
        analysis.impedance(synthetic.gulf_stream((8, 8), times=2).ssh)


def test_fields_without_numbers_are_refused():
    with pytest.raises(ValueError, match=r"Invalid field. Every value is NaN; there must be some sea"):
        analysis.impedance(field_of(np.full((8, 8), np.nan)))
    with pytest.raises(ValueError, match=r"Invalid field with infinite values. It must be finite"):
        analysis.impedance(field_of(np.where(np.eye(8) > 0, np.inf, 1.0)))
    for field in (field_of(np.full((8, 8), np.nan)), field_of(np.eye(8)).where(lambda cells: cells.lat > 30.15)):
        with pytest.raises(ValueError, match=r"Invalid size 7. It must leave a patch without land"):
            analysis.patch_recurrence(field, size=7)
    for call in (analysis.impedance, analysis.patch_recurrence):
        with pytest.raises(TypeError, match=r"Invalid field of type Dataset. It must be an xarray.DataArray"):
            call(field_of(np.eye(8)).to_dataset(name="ssh"))


def test_another_field_counts_in_the_unit_of_the_first():
    first, second = (field_of(np.random.default_rng(seed).normal(size=(12, 12))) for seed in (0, 1))
    metres = analysis.patch_recurrence(first, second, size=3)
    found = analysis.patch_recurrence(first, (100 * second).assign_attrs(units="cm"), size=3)
    np.testing.assert_allclose(found.external, metres.external)
    with pytest.raises(ValueError, match=r"Invalid units 'K' of external. They must be 'm', as the field has"):
        analysis.patch_recurrence(first, second.assign_attrs(units="K"), size=3)


def test_a_periodic_field_is_found_again_without_error():
    tile = np.random.default_rng(0).normal(size=(6, 6))
    errors = analysis.patch_recurrence(field_of(np.tile(tile, (4, 4))), size=5, stride=1)
    np.testing.assert_allclose(errors.internal, 0.0, atol=1e-12)
    assert errors.sizes["patch"] == 20 * 20


def test_a_slope_is_found_again_whatever_its_height():
    plane = np.add.outer(0.3 * np.arange(16.0), 0.1 * np.arange(20.0))
    errors = analysis.patch_recurrence(field_of(plane))
    np.testing.assert_allclose(errors.internal, 0.0, atol=1e-12)
    np.testing.assert_allclose(errors.gradient, np.hypot(0.3, 0.1))


def test_a_field_holds_its_own_patches_but_not_where_they_are_looked_for():
    field = field_of(np.random.default_rng(1).normal(size=(16, 16)))
    errors = analysis.patch_recurrence(field, external=field, size=4)
    np.testing.assert_allclose(errors.external, 0.0, atol=1e-12)
    assert float(errors.internal.min()) > 0.1


def test_a_copy_at_twice_the_size_is_found_at_that_scale():
    small = np.random.default_rng(2).normal(size=(8, 8))
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    field = field_of(np.hstack([large, np.vstack([small, 10.0 + np.random.default_rng(3).normal(size=(8, 8))])]))
    errors = analysis.patch_recurrence(field, size=4, scales=(1, 2), stride=1)
    inside = errors.internal.sel(patch=(errors.row <= 4) & (errors.column >= 16))
    assert inside.size == 25
    np.testing.assert_allclose(inside, 0.0, atol=1e-12)
    alone = analysis.patch_recurrence(field, size=4, stride=1)
    assert float(alone.internal.sel(patch=alone.column >= 16).min()) > 0.0


def test_the_nearest_patch_is_that_of_all_pairs():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(14, 15))
    values[3, 4] = np.nan
    patches = recurrence.cut_patches(values, 3)
    assert patches.count == 12 * 13 - 9
    expected = []
    for one, place in zip(patches.values, patches.places, strict=True):
        away = np.abs(patches.places - place).max(axis=1) >= 3
        expected.append(np.sqrt(((patches.values[away] - one) ** 2).mean(axis=1).min()))
    np.testing.assert_allclose(recurrence.nearest_error(patches, patches, 3), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 1}, "Invalid size 1. It must be at least 2 cells"),
        ({"size": 9}, "Invalid size 9. It must leave a patch without land in a field of"),
        ({"size": 5}, r"Invalid scales \[1\]. They must leave patches of 5 x 5 cells"),
        ({"stride": 0}, "Invalid stride 0. It must be at least 1 cell"),
        ({"scales": [0]}, r"Invalid scales \[0\]. They must be whole numbers"),
        ({"scales": 2}, "Invalid scales 2. They must be whole numbers of at least 1, in a sequence"),
        ({"scales": [1.5]}, r"Invalid scales \[1.5\]. They must be whole numbers"),
        ({"size": 2.5}, "Invalid size 2.5. It must be at least 2 cells, a whole number"),
        ({"stride": 1.5}, "Invalid stride 1.5. It must be at least 1 cell, a whole number"),
    ],
)
def test_wrong_arguments_of_recurrence_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        analysis.patch_recurrence(field_of(np.eye(8)), **options)


@pytest.mark.parametrize("name", ["impedance", "patch_recurrence"])
def test_pictures_of_something_else_are_refused(name):
    field = synthetic.gulf_stream((8, 8)).ssh
    draw = getattr(analysis.plot, name)
    with pytest.raises(ValueError, match=rf"Invalid \w+ of type DataArray. It must be what xr_dip.analysis.{name} ret"):
        draw(field)
    with pytest.raises(ValueError, match=rf"Invalid \w+ with \['ssh', .* It must be what xr_dip.analysis.{name} retu"):
        draw(field.to_dataset())


def test_pictures_draw_the_numbers():
    pytest.importorskip("matplotlib.pyplot")
    errors = analysis.patch_recurrence(field_of(np.random.default_rng(0).normal(size=(20, 20))), size=3)
    axes = analysis.plot.patch_recurrence(errors, bins=4)
    quarter = np.sort(errors.gradient.values)[: errors.sizes["patch"] // 4 + 1]
    assert axes.lines[0].get_xdata()[0] == pytest.approx(quarter.mean(), rel=0.05)
    assert axes.get_xlabel() == "difference of neighbouring cells (m)"
    with pytest.raises(ValueError, match=r"Invalid bins 0. It must be from 1 to the"):
        analysis.plot.patch_recurrence(errors, bins=0)
