import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.geometry import ellipsoid

# Dense between the poles and ever closer to them, where arcsin would fail.
LATITUDES = np.concatenate([np.linspace(-90, 90, 1001), 90 - 10.0 ** -np.arange(14), 10.0 ** -np.arange(14) - 90])


def test_the_area_between_the_poles_is_that_of_the_ellipsoid():
    """pi [2 a^2 + b^2 / e ln((1 + e) / (1 - e))], the classical surface of an oblate spheroid."""
    e = ellipsoid.ECCENTRICITY
    surface = np.pi * (2 * ellipsoid.SEMI_MAJOR_AXIS**2 + ellipsoid.SEMI_MINOR_AXIS**2 / e * np.log((1 + e) / (1 - e)))
    total = 2 * np.pi * (ellipsoid.zone(90) - ellipsoid.zone(-90))
    assert total == pytest.approx(surface, rel=1e-14)
    assert total == pytest.approx(510065621724088, abs=1)
    assert 4 * np.pi * ellipsoid.AUTHALIC_RADIUS**2 == pytest.approx(surface, rel=1e-14)


def test_the_constants_are_those_of_proj():
    geod = pyproj.Geod(ellps="WGS84")
    ours = [ellipsoid.SEMI_MAJOR_AXIS, ellipsoid.SEMI_MINOR_AXIS, ellipsoid.ECCENTRICITY_SQUARED]
    assert ours == pytest.approx([geod.a, geod.b, geod.es], rel=1e-14)


def test_authalic_latitude_keeps_areas():
    """The cap of the sphere between the equator and beta is R^2 sin(beta) per radian."""
    beta = np.radians(ellipsoid.authalic_latitude(LATITUDES))
    cap = ellipsoid.AUTHALIC_RADIUS**2 * np.sin(beta)
    np.testing.assert_allclose(cap, ellipsoid.zone(LATITUDES), rtol=1e-14)


def test_authalic_latitude_agrees_with_the_series_of_snyder():
    """Snyder 1987, eq. 3-18: geodetic minus authalic latitude to order e^6, so good to about e^8 = 2e-9."""
    e2 = ellipsoid.ECCENTRICITY_SQUARED
    beta = np.radians(ellipsoid.authalic_latitude(LATITUDES))
    series = (
        (e2 / 3 + 31 * e2**2 / 180 + 517 * e2**3 / 5040) * np.sin(2 * beta)
        + (23 * e2**2 / 360 + 251 * e2**3 / 3780) * np.sin(4 * beta)
        + 761 * e2**3 / 45360 * np.sin(6 * beta)
    )
    np.testing.assert_allclose(np.radians(LATITUDES) - beta, series, atol=2e-9)


def test_geodetic_latitude_is_the_inverse_to_rounding_from_pole_to_pole():
    back = ellipsoid.geodetic_latitude(ellipsoid.authalic_latitude(LATITUDES))
    np.testing.assert_allclose(back, LATITUDES, atol=1e-12, rtol=0)


@settings(deadline=None)
@given(st.floats(-89.999, 89.999), st.floats(-180, 180))
def test_positions_survive_the_way_to_vectors_and_back(latitude, longitude):
    vector = ellipsoid.unit_vectors(latitude, longitude)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-15)
    back = ellipsoid.latitude_longitude(3.0 * vector)
    assert back[0] == pytest.approx(latitude, abs=1e-10)
    assert np.exp(1j * np.radians(back[1])) == pytest.approx(np.exp(1j * np.radians(longitude)), abs=1e-10)


def test_triangle_area_of_an_octant_and_of_a_small_triangle():
    corners = np.eye(3)
    whole = 4 * np.pi * ellipsoid.AUTHALIC_RADIUS**2
    assert ellipsoid.triangle_area(*corners) == pytest.approx(whole / 8, rel=1e-14)
    assert ellipsoid.triangle_area(*corners[::-1]) == pytest.approx(-whole / 8, rel=1e-14)
    # Legs of 1e-6 rad (6 m) at the pole: half their product, as in the plane.
    tiny = np.array([[0, 0, 1], [1e-6, 0, 1], [0, 1e-6, 1]])
    assert ellipsoid.triangle_area(*tiny) == pytest.approx(0.5e-12 * ellipsoid.AUTHALIC_RADIUS**2, rel=1e-9)


@pytest.mark.parametrize("latitude", [-89.0, -40.0, 0.0, 63.0])
def test_degree_lengths_agree_with_geodesics(latitude):
    geod = pyproj.Geod(ellps="WGS84")
    step = 1e-4
    northward, eastward = ellipsoid.degree_lengths(latitude)
    meridian = geod.inv(10, latitude - step / 2, 10, latitude + step / 2)[2] / step
    parallel = geod.inv(10, latitude, 10 + step, latitude)[2] / step
    assert northward == pytest.approx(meridian, rel=1e-6)
    assert eastward == pytest.approx(parallel, rel=1e-6)
