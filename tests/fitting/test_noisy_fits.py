"""Fits of noisy values, where the answer is known: a linear model, a free field."""

import numpy as np
import pytest
import torch
from torch import nn
from toys import Free

from xr_dip.fitting.ensemble import fit_members
from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.losses import mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed, make_discrepancy
from xr_dip.generators import make_dcgan, make_skip
from xr_dip.generators.base import Generator

SHAPE, FACTOR = (6, 8), (2, 2)
FINE = (12, 16)


class Linear(Generator):
    """A field that is a sum of a few waves: its weights have a posterior in closed form."""

    def __init__(self, start):
        super().__init__()
        y, x = np.meshgrid((np.arange(12) + 0.5) / 12, (np.arange(16) + 0.5) / 16, indexing="ij")
        waves = [np.cos(np.pi * (i * y + j * x)) for i, j in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 1))]
        self.register_buffer("waves", torch.tensor(np.stack(waves)).float())
        self.weights = nn.Parameter(torch.as_tensor(start).float() * torch.ones(5))

    def draw(self):
        return torch.zeros(())

    def forward(self, latent):
        return torch.einsum("k,kyx->yx", self.weights, self.waves)[None] + latent


def observe(values, noise=None):
    """Observation of values with noise of given variances; all alike by default."""
    trust = torch.ones(SHAPE) if noise is None else 1 / torch.as_tensor(noise)
    return Observation(BlockMean(np.ones(FINE), FACTOR), torch.as_tensor(values).float(), trust.float())


def test_perturbed_members_are_draws_from_the_posterior():
    """Randomised maximum likelihood (Oliver et al. 1996): with a flat prior and a linear model, exactly.

    The least squares fit of y + e, e ~ N(0, R), is N(w, (G^T R^-1 G)^-1) with w that of y.
    """
    rng = np.random.default_rng(0)
    noise, members = rng.uniform(0.05, 0.5, SHAPE) ** 2, 100
    operator = BlockMean(np.ones(FINE), FACTOR)
    model = Linear(0.0)
    design = operator(model.waves).reshape(5, -1).T.numpy().astype(float)
    precision = design.T @ (design / noise.ravel()[:, None])
    values = rng.normal(size=SHAPE)
    problems = [
        Problem((observe(values + np.sqrt(noise) * rng.standard_normal(SHAPE), noise),), mse) for _ in range(members)
    ]
    exact = np.linalg.solve(precision, design.T @ (values / noise).ravel())
    config = FitConfig(iterations=60, learning_rate=0.02)
    fits = fit_members(lambda member: lambda: Linear(exact + 0.02), members, problems, config, fixed)
    waves = model.waves.reshape(5, -1).T.numpy().astype(float)
    expected = (waves @ np.linalg.inv(precision) * waves).sum(axis=1)
    found = np.var([fit.field.ravel() for fit in fits], axis=0, ddof=1)
    # 100 draws tell a variance to 14 %, and its mean over five dimensions to 6 %.
    assert np.abs(found / expected - 1).max() < 0.5
    assert found.mean() == pytest.approx(expected.mean(), rel=0.2)
    error = np.mean([fit.field.ravel() for fit in fits], axis=0) - waves @ exact
    assert np.abs(error).max() < 4 * np.sqrt(expected.max() / members)


def test_one_problem_for_all_is_the_same_problem_for_each():
    problem = Problem((observe(np.arange(48.0).reshape(SHAPE)),), mse)
    config = FitConfig(iterations=12)
    one, each = (
        fit_members(lambda member: lambda: Linear(member), 2, given, config, fixed)
        for given in (problem, [problem] * 2)
    )
    for first, second in zip(one, each, strict=True):
        np.testing.assert_array_equal(first.field, second.field)


@pytest.mark.parametrize("batch", [None, 3])
def test_members_see_their_own_problem_in_a_batch_too(batch):
    problems = [Problem((observe(np.full(SHAPE, float(level))),), mse) for level in range(3)]
    config = FitConfig(iterations=100, learning_rate=0.1)
    fits = fit_members(lambda member: make_free, 3, problems, config, fixed, batch=batch)
    np.testing.assert_allclose([fit.field.mean() for fit in fits], [0, 1, 2], atol=0.1)


def make_free():
    generator = Free(FINE)
    generator.architecture = "free"
    return generator


# Stopping at the noise.


@pytest.mark.parametrize("level", [0.03, 0.1, 0.3])
def test_a_fit_stops_when_its_misfit_has_come_down_to_the_noise(level):
    """Checked every ten steps, of which each takes less than a fiftieth of the misfit here."""
    values = np.random.default_rng(1).normal(size=SHAPE)
    config = FitConfig(iterations=2000, learning_rate=0.01, schedule="constant")
    found = fit(make_free, Problem((observe(values),), mse), config, make_discrepancy(level))
    assert found.stopped == "discrepancy"
    assert 0.6 * level < found.misfit <= level
    left = found.field.reshape(6, 2, 8, 2).mean((1, 3)) - values
    assert np.sqrt((left**2).mean()) <= level


def test_a_fit_that_never_comes_down_to_the_noise_takes_all_its_steps():
    values = np.random.default_rng(1).normal(size=SHAPE)
    config = FitConfig(iterations=40, learning_rate=1e-3)
    found = fit(make_free, Problem((observe(values),), mse), config, make_discrepancy(0.1))
    assert (found.stopped, found.iterations) == ("iterations", 40)
    assert found.misfit > 0.1


def test_with_noise_of_each_value_it_stops_at_a_mean_of_one():
    """mean(r^2 / s^2) <= 1 is a weighted mean square of r at the harmonic mean of s^2."""
    rng = np.random.default_rng(2)
    values, noise = rng.normal(size=SHAPE), rng.uniform(0.02, 0.4, SHAPE) ** 2
    typical = 1 / (1 / noise).mean()
    config = FitConfig(iterations=2000, learning_rate=0.005, schedule="constant")
    found = fit(make_free, Problem((observe(values, noise),), mse), config, make_discrepancy(np.sqrt(typical)))
    left = found.field.reshape(6, 2, 8, 2).mean((1, 3)) - values
    assert found.stopped == "discrepancy"
    assert 0.3 < (left**2 / noise).mean() <= 1
    assert found.misfit**2 / typical <= 1


def test_the_loss_weighs_by_one_over_the_variance():
    values, noise = np.zeros(SHAPE), np.full(SHAPE, 1.0)
    noise[0, 0] = 1e4
    bound = Problem((observe(values, noise),), mse).bind(make_free(), torch.device("cpu"))
    for (row, column), expected in (((0, 0), 1e-4), ((5, 7), 1.0)):
        field = torch.zeros(1, *FINE)
        field[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 1.0
        loss, misfit = bound.evaluate(field)
        assert float(loss) == pytest.approx(expected / (1 / noise).sum(), rel=1e-4)
        assert float(misfit**2) == pytest.approx(float(loss), rel=1e-4)


def test_a_whitening_has_its_own_weights():
    """What is whitened by the covariance with its noise is not weighed once more."""
    noise = np.random.default_rng(0).uniform(0.1, 1.0, SHAPE)
    field = torch.randn(1, *FINE, generator=torch.Generator().manual_seed(0))
    losses = []
    for each in (None, noise):
        observation = observe(np.zeros(SHAPE), each)
        whitened = Observation(observation.operator, observation.values, observation.weights, whiten=lambda r: 2 * r)
        bound = Problem((whitened,), mse).bind(make_free(), torch.device("cpu"))
        losses.append(float(bound.evaluate(field)[0]))
    assert losses[0] == losses[1]


# Further latents.

DRAWN = {
    "dcgan": lambda seed: make_dcgan((2, 3), (4, 4), seed),
    "skip": lambda seed: make_skip((4, 4), (4, 4), seed, channels=4, levels=2),
}


def fit_with_latents(name, latents, iterations=10, batch=None, seed=0):
    generator = DRAWN[name](seed)
    shape = generator.fine(generator(generator.expected()))[0].shape
    values = torch.randn(shape, generator=torch.Generator().manual_seed(1)).double()[::4, ::4]
    fine = (values.shape[0] * 4, values.shape[1] * 4)
    problem = Problem((Observation(BlockMean(np.ones(fine), (4, 4)), values, torch.ones_like(values)),), mse)
    config = FitConfig(iterations=iterations, latents=latents)
    return fit_members(
        lambda member: lambda: DRAWN[name](seed + member).double(), 2, problem, config, fixed, batch=batch
    )


@pytest.mark.parametrize("name", DRAWN)
def test_further_latents_change_nothing_of_the_fit(name):
    plain, more = fit_with_latents(name, 0), fit_with_latents(name, 3)
    assert plain[0].at_latents is None
    assert more[0].at_latents.shape == (3, *more[0].field.shape)
    for one, other in zip(plain, more, strict=True):
        np.testing.assert_array_equal(one.field, other.field)


@pytest.mark.parametrize("name", DRAWN)
def test_the_first_latents_do_not_depend_on_their_number(name):
    few, many = fit_with_latents(name, 2), fit_with_latents(name, 4)
    np.testing.assert_array_equal(few[1].at_latents, many[1].at_latents[:2])
    assert (np.std(many[1].at_latents, axis=0) > 0).mean() > 0.9


@pytest.mark.parametrize("name", DRAWN)
def test_latents_of_a_batch_are_those_of_the_loop(name):
    loop, batch = (fit_with_latents(name, 2, iterations=4, batch=size) for size in (None, 2))
    for one, other in zip(loop, batch, strict=True):
        np.testing.assert_allclose(one.at_latents, other.at_latents, atol=1e-4 * np.abs(one.at_latents).max())


@pytest.mark.parametrize("name", DRAWN)
def test_latents_do_not_depend_on_how_many_steps_were_taken(name):
    generator = DRAWN[name](3)
    early = generator.further_latents(2)
    generator.draw()
    late = generator.further_latents(2)
    assert all(torch.equal(one, other) for one, other in zip(early, late, strict=True))
    assert not torch.equal(early[0], early[1])
    # They are none of those that the network was fitted with.
    fresh = DRAWN[name](3)
    assert not any(torch.equal(fresh.draw(), early[0]) for _ in range(5))


def test_further_latents_have_the_law_of_the_others():
    generator = make_dcgan((2, 3), (4, 4), 0)
    drawn = torch.cat(generator.further_latents(400))
    score = (drawn.mean(0) - generator.mean[0]) / (generator.spread[0] / 20)
    assert float(score.square().mean()) == pytest.approx(1, abs=0.5)
    np.testing.assert_allclose(drawn.std(0), generator.spread[0], rtol=0.2)


@pytest.mark.parametrize(("name", "options"), [("dcgan", {"latent": "fixed"}), ("skip", {"jitter": 0.0})])
def test_a_latent_without_chance_is_not_redrawn(name, options):
    make = {"dcgan": make_dcgan, "skip": make_skip}[name]
    generator = make((4, 4), (4, 4), 0, **options)
    assert generator.redrawn_by is None
    assert torch.equal(generator.draw(), generator.draw())
