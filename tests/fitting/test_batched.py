"""Members fitted together: the numbers of the plain loop, member by member, in float64 to rounding."""

import itertools
import threading
from functools import partial

import numpy as np
import pytest
import torch
from toys import Free

from xr_dip.fitting import ensemble
from xr_dip.fitting.batch import Job
from xr_dip.fitting.batched import batches, fit_batch
from xr_dip.fitting.ensemble import fit_members
from xr_dip.fitting.fit import MOST_RESTARTS, SCHEDULES, Fit, FitConfig, FitError, fit
from xr_dip.fitting.losses import charbonnier, mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import DenseWhitening, Observation, Problem, SpectralWhitening
from xr_dip.fitting.stack import Stack, first_parameters
from xr_dip.fitting.stopping import fixed, make_discrepancy, make_plateau
from xr_dip.generators import dcgan as dcgan_module
from xr_dip.generators import make_bandlimited, make_dcgan

SHAPE, FACTOR = (3, 4), (4, 4)
FINE = (12, 16)


# Problems and generators in float64.


def make_problem(*, land=False, seed=0, loss=mse):
    """Random values, whitened; with land one coarse cell is dry and others are in part."""
    rng = np.random.default_rng(seed)
    weights, seen = np.ones(FINE), np.ones(SHAPE, dtype=bool)
    if land:
        weights[:5, :6], seen[0, 0] = 0.0, False
    if land:
        whiten = DenseWhitening(np.eye(11) + 0.1 * rng.standard_normal((11, 11)), seen)
    else:
        whiten = SpectralWhitening(1 / (1 + np.arange(12.0).reshape(SHAPE)))
    values, counted = torch.from_numpy(rng.standard_normal(SHAPE)), torch.from_numpy(seen.astype(np.float64))
    return Problem((Observation(BlockMean(weights, FACTOR), values, counted, 0, whiten.double()),), loss)


def bandlimited(seed, activation="tanh"):
    options = {"ratio": (2, 2), "padding": (2, 2), "channels": 6, "activation": activation}
    return make_bandlimited(SHAPE, FACTOR, seed, **options).double()


def dcgan(seed, latent="normal"):
    return make_dcgan(SHAPE, FACTOR, seed, latent=latent).double()


def make_jobs(make, members, problem, stop=fixed):
    return [Job(partial(make, seed), problem, stop) for seed in range(members)]


def assert_as_the_loop(jobs, config, *, size=None, rtol=1e-7):
    """Fit the jobs both ways, compare all that a fit holds, and return it."""
    together = fit_batch(jobs, config, size=size or len(jobs))
    for job, found in zip(jobs, together, strict=True):
        expected = fit(job.make, job.problem, config, job.stop)
        assert (found.stopped, found.restarts, found.iterations) == (
            expected.stopped,
            expected.restarts,
            expected.iterations,
        )
        np.testing.assert_allclose(found.losses, expected.losses, rtol=rtol)
        np.testing.assert_allclose(found.misfit, expected.misfit, rtol=rtol)
        np.testing.assert_allclose(found.field, expected.field, rtol=rtol, atol=rtol)
    return together


@pytest.fixture
def small_dcgan(monkeypatch):
    """A network of the same layers with few channels: the paper's own turns rounding into chance within some steps."""
    monkeypatch.setattr(dcgan_module, "WIDTHS", (12, 10, 8, 6, 6, 4))


# The same numbers.


@pytest.mark.parametrize("land", [False, True], ids=["sea", "land"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_bandlimited_members(land, schedule):
    config = FitConfig(iterations=43, learning_rate=6e-3, schedule=schedule)
    fits = assert_as_the_loop(make_jobs(bandlimited, 3, make_problem(land=land)), config)
    assert all(np.abs(a.field - b.field).max() > 0.1 for a, b in itertools.combinations(fits, 2))


@pytest.mark.usefixtures("small_dcgan")
@pytest.mark.parametrize("land", [False, True], ids=["sea", "land"])
@pytest.mark.parametrize("latent", ["normal", "fixed"])
def test_dcgan_members_draw_their_own_latents(land, latent):
    config = FitConfig(iterations=37, learning_rate=1e-3, betas=(0.5, 0.999), schedule="plateau")
    assert_as_the_loop(make_jobs(partial(dcgan, latent=latent), 2, make_problem(land=land)), config, rtol=1e-5)


@pytest.mark.parametrize("keep", ["last", "best"])
def test_what_is_kept(keep):
    # So high a rate that the loss jumps about: the best field is not the last.
    config = FitConfig(iterations=24, learning_rate=0.05, schedule="constant", keep=keep)
    fits = assert_as_the_loop(make_jobs(bandlimited, 3, make_problem()), config)
    assert any(fit.losses.argmin() < 23 for fit in fits)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_any_size_of_a_batch(size):
    config = FitConfig(iterations=12, learning_rate=6e-3)
    assert_as_the_loop(make_jobs(bandlimited, 3, make_problem()), config, size=size)


def test_members_of_different_kind_and_of_different_problems():
    # Two tiles of one shape, one with land and of another loss, and two activations, all mixed up.
    problems = [make_problem(seed=1), make_problem(land=True, seed=2, loss=charbonnier)]
    kinds = itertools.product(("tanh", "gelu"), problems, range(2))
    jobs = [Job(partial(bandlimited, seed, kind), problem, fixed) for kind, problem, seed in kinds]
    jobs = [jobs[place] for place in (5, 0, 3, 6, 1, 7, 4, 2)]
    assert_as_the_loop(jobs, FitConfig(iterations=12, learning_rate=6e-3), size=3)


def test_a_batch_holds_one_architecture_and_the_members_of_a_problem_side_by_side():
    sea, land = make_problem(), make_problem(land=True)
    kinds = [("tanh", sea), ("gelu", sea), ("tanh", land), ("tanh", sea), ("tanh", land), ("tanh", land)]
    jobs = [Job(partial(bandlimited, 0, kind), problem, fixed) for kind, problem in kinds]
    generators = [job.make() for job in jobs]
    assert batches(jobs, generators, size=9) == [[0, 3, 2, 4, 5], [1]]
    assert batches(jobs, generators, size=2) == [[0, 3], [2, 4], [5], [1]]


def test_generators_without_an_architecture_are_fitted_by_themselves():
    jobs = [Job(partial(Free, FINE, start=start), make_problem(), fixed) for start in (0.0, 1.0)]
    config = FitConfig(iterations=12)
    for found, job in zip(fit_batch(jobs, config, size=2), jobs, strict=True):
        np.testing.assert_array_equal(found.field, fit(job.make, job.problem, config, fixed).field)


def test_a_gradient_belongs_to_its_own_member():
    members = [bandlimited(seed) for seed in range(3)]
    parameters = first_parameters(members).requires_grad_()
    stack = Stack(members, torch.device("cpu"))
    (gradient,) = torch.autograd.grad(stack(parameters, stack.draw())[1].square().sum(), parameters)
    assert (gradient[[0, 2]] == 0).all()
    assert gradient[1].abs().max() > 0


# Stopping early.


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_member_that_stops_early_keeps_its_field_of_that_moment(keep):
    problem = make_problem(land=True)
    stops = [make_discrepancy(0.5), fixed, make_discrepancy(0.41), make_plateau(window=10, tolerance=1.0)]
    jobs = [Job(partial(bandlimited, seed), problem, stop) for seed, stop in enumerate(stops)]
    fits = assert_as_the_loop(jobs, FitConfig(iterations=58, learning_rate=0.02, keep=keep))
    assert [fit.stopped for fit in fits] == ["discrepancy", "iterations", "discrepancy", "plateau"]
    assert len({fit.iterations for fit in fits}) >= 3


@pytest.mark.usefixtures("small_dcgan")
def test_latents_and_rates_stay_in_step_when_others_have_left():
    stops = [make_plateau(window=5, tolerance=1.0), fixed, fixed]
    jobs = [Job(partial(dcgan, seed), make_problem(), stop) for seed, stop in enumerate(stops)]
    config = FitConfig(iterations=35, learning_rate=3e-3, betas=(0.5, 0.999), schedule="plateau")
    fits = assert_as_the_loop(jobs, config, rtol=1e-5)
    assert [fit.iterations for fit in fits] == [10, 35, 35]


# NaN.


class Cliff(Free):
    """A free field that becomes NaN once it is above a limit."""

    def __init__(self, limit):
        super().__init__(FINE)
        self.architecture = "cliff"
        self.register_buffer("limit", torch.tensor(float(limit)))

    def forward(self, latent):
        return self.field + 0 * (self.limit - self.field).sqrt()


def cliffs(*limits):
    """Members that climb to 1, or as far as they get: a high rate oversteps a near limit."""
    operator = BlockMean(np.ones(FINE), FACTOR)
    problem = Problem((Observation(operator, torch.ones(SHAPE), torch.ones(SHAPE)),), mse)
    return [Job(partial(Cliff, limit), problem, fixed) for limit in limits]


def test_a_member_that_becomes_nan_is_fitted_again_alone():
    config = FitConfig(iterations=25, learning_rate=0.3, schedule="constant")
    fits = assert_as_the_loop(cliffs(9, 1.01, 9, 1.2), config, rtol=1e-4)
    assert [fit.restarts > 0 for fit in fits] == [False, True, False, True]
    assert all(np.isfinite(fit.field).all() for fit in fits)


def test_a_final_field_that_is_nan_is_fitted_again_alone():
    # The last of the steps oversteps the limit, which no loss has seen.
    config = FitConfig(iterations=1, learning_rate=0.9, schedule="constant")
    assert [fit.restarts for fit in assert_as_the_loop(cliffs(9, 0.5, 9), config, rtol=1e-4)] == [0, 1, 0]


def test_a_member_that_stays_nan_is_an_error_among_fits():
    config, ended = FitConfig(iterations=12), []
    found = fit_batch(cliffs(9, -1, 9), config, size=3, done=lambda: ended.append(1))
    assert [type(result) for result in found] == [Fit, FitError, Fit]
    assert str(MOST_RESTARTS + 1) in str(found[1])
    assert len(ended) == 3


# Members of an ensemble.


def members_of(jobs):
    """Arguments of `fit_members` for these jobs."""
    return (lambda member: jobs[member].make), len(jobs), jobs[0].problem


@pytest.mark.parametrize("batch", [2, 5])
def test_an_ensemble_in_batches(batch):
    problem, config, ended = make_problem(), FitConfig(iterations=12, learning_rate=6e-3), []
    jobs = [Job(partial(bandlimited, seed, ("tanh", "gelu")[seed % 2]), problem, fixed) for seed in range(5)]
    found = fit_members(*members_of(jobs), config, fixed, batch=batch, done=lambda: ended.append(1))
    for one, expected in zip(found, fit_members(*members_of(jobs), config, fixed), strict=True):
        np.testing.assert_allclose(one.field, expected.field, rtol=1e-8, atol=1e-8)
    assert len(ended) == 5


@pytest.mark.parametrize("threads", [1, 3])
def test_bits_of_a_batch_do_not_depend_on_processors(threads, monkeypatch):
    jobs, config = make_jobs(bandlimited, 4, make_problem()), FitConfig(iterations=12)
    expected = fit_batch(jobs, config, size=2)
    monkeypatch.setattr(ensemble, "cores", lambda: threads)
    monkeypatch.setattr(ensemble, "_SEATS", threading.BoundedSemaphore(threads))
    for one, same in zip(fit_members(*members_of(jobs), config, fixed, batch=2), expected, strict=True):
        np.testing.assert_array_equal(one.field, same.field)


def test_on_the_cpu_members_are_fitted_alone_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr(ensemble, "batches", None)
    jobs, config = make_jobs(bandlimited, 2, make_problem()), FitConfig(iterations=3)
    for batch in (None, 1):
        assert len(fit_members(*members_of(jobs), config, fixed, batch=batch)) == 2


def test_a_failed_member_of_a_batch_is_named():
    with pytest.raises(FitError, match=r"Member 1 of 3 failed; the other 2 are sound\. The fit became NaN") as failed:
        fit_members(*members_of(cliffs(9, -1, 9)), FitConfig(iterations=12), fixed, batch=3)
    assert len(failed.value.fits) == 2


@pytest.mark.parametrize("size", [0, -3])
def test_sizes_that_cannot_be_are_refused(size):
    with pytest.raises(ValueError, match=f"Invalid size {size}. It must be at least 1."):
        fit_batch(cliffs(9), FitConfig(), size=size)
    with pytest.raises(ValueError, match=f"Invalid batch {size}. It must be at least 1."):
        fit_members(*members_of(cliffs(9)), FitConfig(), fixed, batch=size)


def test_members_that_begin_from_others_are_no_batch():
    with pytest.raises(ValueError, match=r"Invalid batch 2 with starts\. It must be None or 1"):
        fit_members(*members_of(cliffs(9, 9)), FitConfig(), fixed, batch=2, starts=[None, None])


# On a GPU.


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU.")
@pytest.mark.parametrize("land", [False, True], ids=["sea", "land"])
def test_a_gpu_has_the_numbers_of_the_cpu(land):
    # Long enough that steps are repeated from a recording, also after one member has left.
    problem, config = make_problem(land=land), FitConfig(iterations=43, learning_rate=6e-3)
    stops = [fixed, make_plateau(window=5, tolerance=1.0), fixed]
    jobs = [Job(partial(bandlimited, seed), problem, stop) for seed, stop in enumerate(stops)]
    for found, job in zip(fit_batch(jobs, config, device="cuda"), jobs, strict=True):
        expected = fit(job.make, problem, config, job.stop)
        assert found.iterations == expected.iterations
        np.testing.assert_allclose(found.field, expected.field, rtol=1e-6, atol=1e-6)
