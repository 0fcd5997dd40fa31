"""Observations and losses on a free field, whose misfits are known on paper."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn, idctn
from toys import Free

from xr_dip.fitting.linear import Separable
from xr_dip.fitting.losses import charbonnier, mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import DenseWhitening, Observation, Problem, SpectralWhitening

CPU = torch.device("cpu")
SHAPE, FACTOR = (3, 4), (2, 2)
FINE = (6, 8)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def observe(values=None, weights=None, fine_weights=None, **options):
    operator = BlockMean(np.ones(FINE) if fine_weights is None else fine_weights, FACTOR)
    return Observation(
        operator,
        random(*SHAPE, seed=1) if values is None else values,
        torch.ones(SHAPE) if weights is None else weights,
        **options,
    )


def evaluate(working, *observations, loss=mse, synthesis=None):
    problem = Problem(observations, loss).bind(Free(FINE, synthesis=synthesis), CPU)
    return problem.evaluate(working)


def test_loss_and_misfit_of_one_observation():
    working, observation = random(1, *FINE), observe()
    residual = working.reshape(3, 2, 4, 2).mean((1, 3)) - observation.values
    loss, misfit = evaluate(working, observation, loss=charbonnier)
    torch.testing.assert_close(loss, charbonnier(residual.flatten()))
    torch.testing.assert_close(misfit, residual.square().mean().sqrt())


def test_two_observations_on_two_channels_add_up():
    working = random(2, *FINE)
    first, second = observe(), observe(random(*SHAPE, seed=5), channel=1)
    loss, misfit = evaluate(working, first, second)
    loss_0, misfit_0 = evaluate(working[:1], first)
    loss_1, misfit_1 = evaluate(working[1:], observe(second.values))
    torch.testing.assert_close(loss, loss_0 + loss_1)
    torch.testing.assert_close(misfit, ((misfit_0**2 + misfit_1**2) / 2).sqrt())


def test_a_channel_is_seen_by_its_own_observation_only():
    working = random(2, *FINE).requires_grad_()
    evaluate(working, observe(channel=1))[0].backward()
    assert (working.grad[0] == 0).all()
    assert (working.grad[1] != 0).all()


def test_binding_folds_the_synthesis_of_the_generator():
    synthesis = Separable(random(6, 5).double(), random(8, 4).double())
    working, observation = random(1, 5, 4), observe()
    loss, misfit = evaluate(working, observation, synthesis=synthesis)
    expected_loss, expected_misfit = evaluate(synthesis(working), observation)
    torch.testing.assert_close(loss, expected_loss)
    torch.testing.assert_close(misfit, expected_misfit)


# Land.


def land():
    """Weights without two coarse cells, and a whitening of each kind."""
    weights = torch.ones(SHAPE)
    weights[0, 0] = weights[2, 1] = 0
    spectral = SpectralWhitening(np.linspace(1, 9, 12).reshape(SHAPE))
    seen = weights.numpy() > 0
    dense = DenseWhitening(np.random.default_rng(0).normal(size=(10, 10)), seen)
    return weights, {"none": None, "spectral": spectral, "dense": dense}


@pytest.mark.parametrize("whitening", ["none", "spectral", "dense"])
@pytest.mark.parametrize("on_land", [0.0, 1e20, np.inf, np.nan])
def test_what_is_written_on_land_changes_no_bit(whitening, on_land):
    weights, whitenings = land()
    values = random(*SHAPE, seed=1)
    other = torch.where(weights > 0, values, on_land)
    working = random(1, *FINE)
    results = [evaluate(working, observe(v, weights, whiten=whitenings[whitening])) for v in (values, other)]
    assert torch.equal(torch.stack(results[0]), torch.stack(results[1]))


@pytest.mark.parametrize("whitening", ["none", "spectral", "dense"])
def test_the_field_on_land_is_free(whitening):
    weights, whitenings = land()
    working = random(1, *FINE).requires_grad_()
    evaluate(working, observe(weights=weights, whiten=whitenings[whitening]))[0].backward()
    free = torch.from_numpy(np.kron(weights.numpy() == 0, np.ones(FACTOR)).astype(bool))
    assert (working.grad[0, free] == 0).all()
    assert (working.grad[0, ~free] != 0).all()


def test_means_are_over_sea_cells_only():
    weights, _ = land()
    working = torch.ones(1, *FINE)
    loss, misfit = evaluate(working, observe(torch.zeros(SHAPE), weights))
    assert float(loss) == 1
    assert float(misfit) == 1


def test_weights_count_relative_to_their_mean_over_sea():
    weights, _ = land()
    weights[1, 1] = 3
    working, values = random(1, *FINE), random(*SHAPE, seed=1)
    scaled = evaluate(working, observe(values, 7 * weights))[0]
    torch.testing.assert_close(scaled, evaluate(working, observe(values, weights))[0])


# Whitening.


@given(st.floats(1e-6, 1e6), st.floats(0, 1), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_flat_spectrum_is_the_plain_mean_square(variance, exponent, seed):
    working = random(1, *FINE, seed=seed)
    plain = evaluate(working, observe())
    white = evaluate(working, observe(whiten=SpectralWhitening(np.full(SHAPE, variance), exponent)))
    torch.testing.assert_close(torch.stack(white), torch.stack(plain))


def test_exponent_zero_is_the_plain_mean_square_of_any_spectrum():
    # The cosine transform is orthonormal: the sum of squares is that of the residual.
    working = random(1, *FINE)
    white = evaluate(working, observe(whiten=SpectralWhitening(np.geomspace(1e-3, 1e3, 12).reshape(SHAPE), 0.0)))
    torch.testing.assert_close(torch.stack(white), torch.stack(evaluate(working, observe())))


def test_exponent_one_makes_every_mode_of_the_prior_count_alike():
    # A residual whose modes have just the standard deviation of the spectrum.
    spectrum = np.geomspace(1e-2, 1e2, 12).reshape(SHAPE)
    residual = torch.from_numpy(idctn(np.sqrt(spectrum), norm="ortho")).float()
    modes = SpectralWhitening(spectrum, 1.0)(residual)
    np.testing.assert_allclose(modes / modes[0, 0], np.ones(SHAPE), rtol=1e-3)


def test_modes_are_those_of_the_orthonormal_cosine_transform():
    spectrum, residual = np.random.default_rng(0).uniform(0.1, 10, SHAPE), random(*SHAPE)
    weight = spectrum**-0.5
    expected = dctn(residual.numpy(), norm="ortho") * np.sqrt(weight / weight.mean())
    np.testing.assert_allclose(SpectralWhitening(spectrum)(residual).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_whitened_loss_is_that_of_the_design():
    # mean( lambda^-1/2 (DCT r)^2 ), the weights divided by their mean.
    spectrum, residual = np.random.default_rng(0).uniform(0.1, 10, SHAPE), random(*SHAPE)
    weights = spectrum**-0.5 / (spectrum**-0.5).mean()
    expected = np.mean(weights * dctn(residual.numpy(), norm="ortho") ** 2)
    np.testing.assert_allclose(mse(SpectralWhitening(spectrum)(residual)), expected, rtol=1e-5)


@pytest.mark.parametrize("mode", [(0, 0), (1, 2), (2, 3)])
def test_one_cosine_is_scaled_by_the_fourth_root_of_its_variance(mode):
    spectrum, unit = np.full(SHAPE, 1.0), np.zeros(SHAPE)
    unit[mode] = 1
    spectrum[mode] = 16.0
    residual = torch.from_numpy(idctn(unit, norm="ortho")).float()
    mean_weight = (11 + 16**-0.5) / 12
    expected = unit * 16**-0.25 / np.sqrt(mean_weight)
    np.testing.assert_allclose(SpectralWhitening(spectrum)(residual).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("waves", [0, 1, 2])
def test_whitening_around_the_globe_weighs_waves(waves):
    """Four columns: modes of 0, 1, 1 and 2 waves; the phase of a wave changes nothing."""
    spectrum = np.array([1.0, 4.0, 4.0, 16.0]) * np.ones((3, 1))
    mean_weight = (1 + 0.5 + 0.5 + 0.25) / 4
    whitening = SpectralWhitening(spectrum, periodic=True)
    for shift in range(4):
        wave = torch.tensor(np.tile(np.cos(2 * np.pi * waves * (np.arange(4) - shift) / 4), (3, 1))).float()
        expected = (wave**2).sum() * 2.0**-waves / mean_weight
        torch.testing.assert_close((whitening(wave) ** 2).sum(), expected)


def test_dense_whitening_multiplies_the_sea_cells_in_their_order():
    seen = np.array([[True, False], [True, True]])
    matrix = np.arange(9.0).reshape(3, 3)
    residual = torch.tensor([[1.0, 99.0], [2.0, 3.0]])
    np.testing.assert_array_equal(DenseWhitening(matrix, seen)(residual).numpy(), matrix @ [1, 2, 3])


def test_the_misfit_is_raw_whatever_the_whitening():
    working = random(1, *FINE)
    spectrum = np.linspace(1, 9, 12).reshape(SHAPE)
    (loss, raw), (plain_loss, plain) = (
        evaluate(working, observe(whiten=whiten)) for whiten in (SpectralWhitening(spectrum), None)
    )
    assert torch.equal(raw, plain)
    assert abs(float(loss - plain_loss)) > 1e-3
