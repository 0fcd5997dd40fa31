r"""The WGS84 ellipsoid: areas in closed form, and the sphere of equal area on which curved cells are computed.

Symbols: ``a``, ``b`` the half axes, ``e`` the eccentricity, ``phi`` the geodetic and ``beta`` the authalic latitude.
The area between the equator and ``phi`` is ``2 pi q(phi)`` with (Snyder 1987, eq. 3-12, there divided by ``a^2``)

    q(phi) = b^2 / 2 [ sin(phi) / (1 - e^2 sin^2 phi) + atanh(e sin phi) / e ],   sin(beta) = q(phi) / q(90 deg).

The map ``phi -> beta`` keeps areas, so a polygon of great-circle arcs on the sphere of radius ``sqrt(q(90 deg))`` has
an exact area.

References
----------
Snyder, J. P. (1987). Map projections: a working manual. USGS Professional Paper 1395, chapter 3.
Van Oosterom, A. and Strackee, J. (1983). The solid angle of a plane triangle. IEEE Trans. Biomed. Eng. 30(2), 125-126.
"""

from __future__ import annotations

from math import atanh, degrees, sqrt

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SEMI_MAJOR_AXIS = 6378137.0
FLATTENING = 1 / 298.257223563
SEMI_MINOR_AXIS = SEMI_MAJOR_AXIS * (1 - FLATTENING)
ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)
ECCENTRICITY = sqrt(ECCENTRICITY_SQUARED)
_POLE = SEMI_MINOR_AXIS**2 / 2 * (1 / (1 - ECCENTRICITY_SQUARED) + atanh(ECCENTRICITY) / ECCENTRICITY)
AUTHALIC_RADIUS = sqrt(_POLE)

# Degrees by which the two latitudes differ at 45: the leading term of Snyder 1987, eq. 3-18.
_LARGEST_DIFFERENCE = degrees(ECCENTRICITY_SQUARED / 3 + 31 * ECCENTRICITY_SQUARED**2 / 180)


def zone(latitude: npt.ArrayLike) -> FloatArray:
    """Area between the equator and a parallel, per radian of longitude.

    Parameters
    ----------
    latitude : array
        Geodetic, degrees north.

    Returns
    -------
    array of float64
        Square metres per radian, negative in the south (Snyder 1987, eq. 3-12).

    Examples
    --------
    >>> round(float(2 * np.pi * (zone(90) - zone(-90))))
    510065621724088
    """
    sine = np.sin(np.radians(np.asarray(latitude, dtype=np.float64)))
    curved = np.arctanh(ECCENTRICITY * sine) / ECCENTRICITY
    return np.asarray(SEMI_MINOR_AXIS**2 / 2 * (sine / (1 - ECCENTRICITY_SQUARED * sine**2) + curved))


def authalic_latitude(latitude: npt.ArrayLike) -> FloatArray:
    """Latitude on the sphere of equal area, in closed form.

    Parameters
    ----------
    latitude : array
        Geodetic, degrees north.

    Returns
    -------
    array of float64
        Degrees north, accurate to rounding from pole to pole.

    Examples
    --------
    >>> authalic_latitude([0.0, 45.0, 90.0]).round(4)
    array([ 0.    , 44.8717, 90.    ])
    """
    latitude = np.asarray(latitude, dtype=np.float64)
    area = np.abs(zone(latitude))
    below_pole = _zone_to_pole(np.abs(np.radians(latitude)))
    # atan2 with the remainder in its own closed form: arcsin(q / q_pole) would lose half of the digits at the poles.
    authalic = np.arctan2(area, np.sqrt(below_pole * (_POLE + area)))
    return np.asarray(np.copysign(np.degrees(authalic), latitude))


def _zone_to_pole(phi: FloatArray) -> FloatArray:
    """``q(90 deg) - q(phi)`` of a northern latitude in radians, without cancellation."""
    sine = np.sin(phi)
    versine = np.cos(phi) ** 2 / (1 + sine)  # 1 - sin(phi)
    flat = 1 - ECCENTRICITY_SQUARED * sine**2
    straight = versine * (1 + ECCENTRICITY_SQUARED * sine) / ((1 - ECCENTRICITY_SQUARED) * flat)
    curved = np.arctanh(ECCENTRICITY * versine / (1 - ECCENTRICITY_SQUARED * sine)) / ECCENTRICITY
    return np.asarray(SEMI_MINOR_AXIS**2 / 2 * (straight + curved))


def geodetic_latitude(authalic: npt.ArrayLike) -> FloatArray:
    """Inverse of `authalic_latitude`.

    Parameters
    ----------
    authalic : array
        Degrees north on the sphere of equal area.

    Returns
    -------
    array of float64
        Geodetic, degrees north.

    Examples
    --------
    >>> geodetic_latitude(authalic_latitude([-90.0, 12.0, 60.0])).round(12)
    array([-90.,  12.,  60.])
    """
    authalic = np.asarray(authalic, dtype=np.float64)
    latitude = authalic + _LARGEST_DIFFERENCE * np.sin(2 * np.radians(authalic))
    # The first guess is right to 2e-4 deg and each round divides the error by 200, so four leave rounding alone.
    for _ in range(4):
        latitude = latitude + (authalic - authalic_latitude(latitude))
    return np.asarray(np.clip(latitude, -90.0, 90.0))


def unit_vectors(latitude: npt.ArrayLike, longitude: npt.ArrayLike) -> FloatArray:
    """Points as unit vectors on the sphere of equal area.

    Parameters
    ----------
    latitude, longitude : array, shape (...)
        Geodetic, degrees north and east.

    Returns
    -------
    array of float64, shape (..., 3)

    Examples
    --------
    >>> (unit_vectors(90.0, 0.0) - [0.0, 0.0, 1.0]).round(12) + 0.0
    array([0., 0., 0.])
    """
    beta = np.radians(authalic_latitude(latitude))
    meridian = np.radians(np.asarray(longitude, dtype=np.float64))
    return np.stack([np.cos(beta) * np.cos(meridian), np.cos(beta) * np.sin(meridian), np.sin(beta)], axis=-1)


def latitude_longitude(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Geodetic latitude and longitude of vectors on the sphere of equal area; their length does not matter.

    Parameters
    ----------
    vectors : array, shape (..., 3)

    Returns
    -------
    latitude, longitude : array of float64, shape (...)
        Degrees north and east; longitude in [-180, 180].

    Examples
    --------
    >>> latitude, longitude = latitude_longitude(unit_vectors(33.0, -65.0))
    >>> round(float(latitude), 9), round(float(longitude), 9)
    (33.0, -65.0)
    """
    x, y, z = np.moveaxis(vectors, -1, 0)
    return geodetic_latitude(np.degrees(np.arctan2(z, np.hypot(x, y)))), np.degrees(np.arctan2(y, x))


def triangle_area(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Signed area of spherical triangles (Van Oosterom and Strackee 1983, eq. 8).

    Parameters
    ----------
    first, second, third : array, shape (..., 3)
        Corners as unit vectors on the sphere of equal area.

    Returns
    -------
    array of float64, shape (...)
        Square metres; positive where the corners run anticlockwise, seen from above.

    Examples
    --------
    >>> octant = triangle_area(*np.eye(3))
    >>> round(8 * float(octant))
    510065621724088
    """
    # Differences of corners keep the digits that a triple product of three nearly equal vectors would lose.
    volume = _dot(first, np.cross(second - first, third - first))
    cosines = 1 + _dot(first, second) + _dot(second, third) + _dot(third, first)
    return np.asarray(2 * np.arctan2(volume, cosines) * AUTHALIC_RADIUS**2)


def _dot(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(np.sum(left * right, axis=-1))


def degree_lengths(latitude: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Length of one degree along the meridian and along the parallel.

    Parameters
    ----------
    latitude : array
        Geodetic, degrees north.

    Returns
    -------
    northward, eastward : array of float64
        Metres per degree (Snyder 1987, eq. 4-18 and 4-20).

    Examples
    --------
    >>> northward, eastward = degree_lengths(0.0)
    >>> round(float(northward)), round(float(eastward))
    (110574, 111319)
    """
    phi = np.radians(np.asarray(latitude, dtype=np.float64))
    flat = 1 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    northward = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED) / flat**1.5
    eastward = SEMI_MAJOR_AXIS * np.cos(phi) / np.sqrt(flat)
    return np.radians(northward), np.radians(eastward)
