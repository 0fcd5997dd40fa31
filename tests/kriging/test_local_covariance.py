"""Covariance with a metric at each point, and the nodes that stand for a block mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xr_dip.blocks import block_sum
from xr_dip.kriging.block_covariance import Support, covariance_matrix
from xr_dip.kriging.fronts import Metric
from xr_dip.kriging.local_covariance import EACH, Points, make_nodes, separate, weigh
from xr_dip.kriging.matern import kernel_table, matern


def unit_points(y, x, period=np.inf):
    return Points(y, x, Metric(np.ones_like(y), np.zeros_like(y), np.ones_like(y)), np.ones_like(y), period)


def random_points(rng, n):
    """Return places in a square of four cells, with metrics of any direction and an aspect up to three."""
    angle, aspect = rng.uniform(0, np.pi, n), rng.uniform(1, 3, n)
    cosine, sine = np.cos(angle), np.sin(angle)
    yy, xx = aspect * cosine**2 + sine**2 / aspect, aspect * sine**2 + cosine**2 / aspect
    metric = Metric(yy, (aspect - 1 / aspect) * cosine * sine, xx)
    return Points(rng.uniform(0, 4, n), rng.uniform(0, 4, n), metric, rng.uniform(0.5, 2, n))


def support_of(weights, factor):
    return Support(weights, factor, block_sum(weights, factor) > 0)


def block_covariance(support, pitch, smoothness, length, order):
    nodes = make_nodes(support, order)
    points = unit_points(nodes.row.ravel() * pitch[0], nodes.column.ravel() * pitch[1])
    between = separate(points.at(EACH), points).covariance(smoothness, length)
    share = np.zeros((len(nodes.share), len(points)))
    share[np.repeat(np.arange(len(nodes.share)), nodes.share.shape[1]), np.arange(len(points))] = nodes.share.ravel()
    return share @ between @ share.T


@pytest.mark.parametrize("smoothness", [1.5, 2.5, 3.5])
def test_a_unit_metric_is_the_plain_covariance(smoothness):
    rng = np.random.default_rng(0)
    y, x = rng.uniform(0, 5, (2, 7))
    expected = matern(np.hypot(y[:, None] - y, x[:, None] - x) / 1.7, smoothness)
    points = unit_points(y, x)
    np.testing.assert_allclose(separate(points.at(EACH), points).covariance(smoothness, 1.7), expected)


def test_a_common_metric_stretches_the_plane():
    """With the same metric everywhere distances are those after the map ``Sigma^-1/2``."""
    y, x = np.random.default_rng(1).uniform(0, 5, (2, 6))
    metric = Metric(np.full(6, 4.0), np.zeros(6), np.full(6, 0.25))
    points = Points(y, x, metric, np.ones(6))
    found = separate(points.at(EACH), points).covariance(2.5, 1.0)
    np.testing.assert_allclose(found, matern(np.hypot((y[:, None] - y) / 2, (x[:, None] - x) * 2), 2.5))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.5, 2.5, 3.5]), st.floats(0.3, 4))
def test_any_metrics_give_a_covariance(seed, smoothness, length):
    points = random_points(np.random.default_rng(seed), 30)
    matrix = separate(points.at(EACH), points).covariance(smoothness, length)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-14)
    np.testing.assert_allclose(np.diag(matrix), points.amplitude**2, rtol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > -1e-12 * len(matrix)


def test_around_a_circle_the_short_way_counts():
    y, x = np.zeros(2), np.array([0.5, 9.5])
    points = unit_points(y, x, period=10.0)
    assert separate(points.at(EACH), points).distance[0, 1] == 1.0


def test_weighing_in_parts_is_one_product(monkeypatch):
    rng = np.random.default_rng(2)
    points, others, weights = random_points(rng, 11), random_points(rng, 5), rng.standard_normal((5, 2))
    whole = separate(points.at(EACH), others).covariance(1.5, 0.8) @ weights
    monkeypatch.setattr("xr_dip.kriging.local_covariance.LARGEST_PART", 15)
    np.testing.assert_allclose(weigh(points, others, 1.5, 0.8, weights), whole, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("factor", [(1, 1), (2, 3), (5, 4)])
def test_nodes_of_full_cells_are_those_of_gauss_and_legendre(factor, order):
    nodes = make_nodes(support_of(np.ones((2 * factor[0], 3 * factor[1])), factor), order)
    places, weights = np.polynomial.legendre.leggauss(order)
    reference, weights = (places + 1) / 2, weights / 2
    np.testing.assert_allclose(nodes.row[0], np.repeat(reference, order) * factor[0], atol=1e-12)
    np.testing.assert_allclose(nodes.column[0], np.tile(reference, order) * factor[1], atol=1e-12)
    np.testing.assert_allclose(nodes.column[1] - nodes.column[0], factor[1])
    np.testing.assert_allclose(nodes.share, np.tile(np.outer(weights, weights).ravel(), (6, 1)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (3, 5), (4, 4)]))
def test_nodes_have_the_centre_of_the_wet_part(seed, factor):
    rng = np.random.default_rng(seed)
    shape = 2 * factor[0], 2 * factor[1]
    weights = rng.uniform(0, 1, shape) * (rng.uniform(size=shape) < 0.6)
    weights[0, 0] = 1.0
    support = support_of(weights, factor)
    nodes = make_nodes(support)
    np.testing.assert_allclose(nodes.share.sum(axis=1), 1.0)
    for place, along in ((nodes.row, 0), (nodes.column, 1)):
        coordinate = np.indices(weights.shape)[along] + 0.5
        centre = block_sum(support.shares * coordinate, factor)[support.cells]
        np.testing.assert_allclose((place * nodes.share).sum(axis=1), centre)


@pytest.mark.parametrize(("order", "error"), [(2, 3e-3), (3, 1e-3)])
@pytest.mark.parametrize("land", [False, True])
def test_nodes_integrate_a_smooth_covariance(land, order, error):
    """Against the sum over every fine cell."""
    factor, pitch = (8, 8), (0.125, 0.125)
    weights = np.ones((24, 32))
    if land:
        weights[:11, :5] = 0.0
    support = support_of(weights, factor)
    exact = covariance_matrix(kernel_table((24, 32), pitch, 3.5, 2.0), support)
    np.testing.assert_allclose(block_covariance(support, pitch, 3.5, 2.0, order), exact, atol=error)
