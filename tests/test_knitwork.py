"""The network of positions: patches that agree, a judge that learns against them, and any grid."""

from functools import partial

import numpy as np
import pytest
import torch

from xr_dip.fitting.batch import Job
from xr_dip.fitting.batched import batches, fit_batch
from xr_dip.fitting.fit import FitConfig, fit
from xr_dip.fitting.losses import mse
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.fitting.stopping import fixed
from xr_dip.generators import make_knitwork
from xr_dip.generators.knitwork import OFFSETS, Knitting, make_judge, neighbours

SHAPE, FACTOR = (4, 6), (3, 2)
make = partial(make_knitwork, SHAPE, FACTOR, channels=12, features=8)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_parameters_of_the_network_of_the_paper():
    # 256 cosines and sines, four layers of 256, a patch of 9; the judge: 9, 64, 64, 1.
    generator = make_knitwork((4, 4), (2, 2), seed=0)
    perceptron = 512 * 256 + 256 + 3 * (256 * 256 + 256) + 256 * 9 + 9
    judge = 9 * 64 + 64 + 64 * 64 + 64 + 64 + 1
    assert parameters(generator.steps) == perceptron
    assert parameters(generator) == perceptron + judge


def test_the_centre_comes_first():
    assert OFFSETS[0] == (0, 0)
    assert len(set(OFFSETS)) == 9


def test_neighbours_on_paper():
    field = torch.arange(20.0).reshape(4, 5)
    around = neighbours(field, periodic=True)
    for (y, x), layer in zip(OFFSETS, around, strict=True):
        assert torch.equal(layer[1:3], field.roll((-y, -x), (0, 1))[1:3])
    assert torch.equal(neighbours(field, periodic=False)[:, 1:3, 1:4], around[:, 1:3, 1:4])


def test_positions_are_in_coarse_cells():
    positions = make(0).draw()
    assert positions.shape == (1, 2, 12, 12)
    torch.testing.assert_close(positions[0, 0, :, 0], torch.arange(12) / 3)
    torch.testing.assert_close(positions[0, 1, 0, :], torch.arange(12) / 2)


def test_frequencies_are_in_cycles_per_coarse_cell():
    for factor in ((2, 2), (16, 16)):
        frequencies = make_knitwork((2, 2), factor, seed=0, features=4000, channels=1, scale=0.25).frequencies
        assert abs(frequencies.std() - 0.25) < 0.01


def test_the_same_network_tells_any_other_positions():
    generator = make(0)
    with torch.no_grad():
        whole = generator.told(generator.positions)
        rows, columns = torch.tensor([1, 5, 7]), torch.tensor([0, 3])
        some = generator.told(generator.positions[..., rows, :][..., columns])
        between = generator.told(generator.positions + 0.01)
    torch.testing.assert_close(some, whole[:, rows][..., columns], rtol=1e-4, atol=1e-5)
    assert 0 < (between - whole).abs().max() < 0.5


def test_waves_fit_around_a_globe():
    generator = make(0, periodic=True)
    beyond = generator.positions + torch.tensor([0.0, SHAPE[1]]).reshape(1, 2, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(generator.told(beyond), generator.told(generator.positions), rtol=1e-3, atol=1e-3)
        assert not torch.allclose(make(0).told(beyond), make(0).told(generator.positions), atol=0.1)


def test_patches_that_agree_cost_nothing():
    field = noise(5, 6)
    knitting = Knitting(consistency=2.0, adversarial=0.0, periodic=False)
    agreeing = torch.cat([neighbours(field, periodic=False), torch.full((1, 5, 6), 7.0)])
    assert knitting(agreeing) == 0
    # One of nine values off by three in every patch: 2 * 9 / 9.
    agreeing[4] += 3
    assert float(knitting(agreeing)) == pytest.approx(2.0)


def test_the_game_is_weighed():
    working = torch.zeros(10, 5, 6)
    working[-1] = 3.0
    assert float(Knitting(consistency=1.0, adversarial=0.5, periodic=False)(working)) == pytest.approx(1.5)


def test_a_judge_that_knows_nothing_loses_two_bits():
    generator = make(0)
    with torch.no_grad():
        for parameter in generator.judge.parameters():
            parameter.zero_()
        game = generator(generator.draw())[-1]
    torch.testing.assert_close(game, torch.full_like(game, 2 * np.log(2)))


def test_the_networks_see_opposite_gradients_of_the_game():
    # The plain game, written out: what the judge descends, the other network climbs.
    generator = make(0)
    generator.attend(noise(*SHAPE), torch.ones(SHAPE, dtype=torch.bool), periodic=False)
    generator(generator.draw())[-1].mean().backward()
    found = {name: parameter.grad.clone() for name, parameter in generator.named_parameters()}
    generator.zero_grad()
    told = generator.told(generator.draw())
    lies = torch.sigmoid(generator.judge(told[None]))
    truths = torch.sigmoid(generator.judge(generator.patches))
    (-(1 - lies).log().mean() - truths.log().mean()).backward()
    for name, parameter in generator.named_parameters():
        sign = 1 if name.startswith("judge") else -1
        torch.testing.assert_close(found[name], sign * parameter.grad, rtol=1e-3, atol=1e-6)
    assert found["steps.0.weight"].abs().max() > 0


@pytest.mark.parametrize("periodic", [False, True])
def test_the_judge_is_shown_whole_patches_of_the_sea(periodic):
    values = torch.arange(30.0).reshape(5, 6)
    seen = torch.ones(5, 6, dtype=torch.bool)
    seen[1, 1] = False
    generator = make(0)
    generator.attend(values, seen, periodic=periodic)
    expected = []
    for row in range(1, 4):
        for column in range(6) if periodic else range(1, 5):
            places = [(row + y, (column + x) % 6) for y, x in OFFSETS]
            if all(seen[place] for place in places):
                expected.append([float(values[place]) for place in places])
    assert generator.patches[0, :, :, 0].T.tolist() == expected
    assert 0 < len(expected) < (18 if periodic else 12)


def test_a_field_without_a_whole_patch_leaves_a_flat_one():
    generator = make(0)
    generator.attend(torch.ones(2, 6), torch.ones(2, 6, dtype=torch.bool), periodic=True)
    assert generator.patches.flatten().tolist() == [0.0] * 9


def test_fields_with_land_and_without_are_fitted_in_batches_of_their_own():
    # Another number of patches: what cannot be stacked.
    seen = torch.ones(2, *SHAPE, dtype=torch.bool)
    seen[1, 0, 0] = False
    jobs = []
    for sea in seen:
        values = noise(*SHAPE) * sea
        observation = Observation(BlockMean(np.ones((12, 12)), FACTOR), values, sea.float())

        def fresh(seed, values=values, sea=sea):
            generator = make(seed).double()
            generator.attend(values, sea, periodic=False)
            return generator

        problem = Problem((observation,), mse)
        jobs += [Job(partial(fresh, seed), problem, fixed) for seed in range(2)]
    config = FitConfig(iterations=3)
    assert batches(jobs, [job.make() for job in jobs], size=4) == [[0, 1], [2, 3]]
    for job, together in zip(jobs, fit_batch(jobs, config, size=4), strict=True):
        alone = fit(job.make, job.problem, config, fixed)
        np.testing.assert_allclose(together.field, alone.field, rtol=1e-4, atol=1e-6)


def test_a_judge_alone_learns_to_tell_rough_from_smooth():
    rough, flat = noise(1, 9, 200, 1), noise(1, 1, 200, 1, seed=1).expand(1, 9, 200, 1)
    judge = make_judge(torch.Generator().manual_seed(0))
    adam = torch.optim.Adam(judge.parameters(), 1e-2)
    for _ in range(150):
        adam.zero_grad()
        torch.nn.functional.softplus(torch.cat([-judge(rough), judge(flat)])).mean().backward()
        adam.step()
    assert (judge(rough) > 0).float().mean() > 0.9
    assert (judge(flat) < 0).float().mean() > 0.9


def fitted(**options):
    y, x = np.indices(SHAPE)
    values = torch.from_numpy(np.sin(y) * np.cos(x)).float()
    seen = Observation(BlockMean(np.ones((12, 12)), FACTOR), values, torch.ones(SHAPE))
    found = []

    def fresh():
        generator = make_knitwork(SHAPE, FACTOR, 0, channels=32, features=32, **options)
        generator.attend(values, torch.ones(SHAPE, dtype=torch.bool), periodic=False)
        found.append(generator)
        return generator

    result = fit(fresh, Problem((seen,), mse), FitConfig(iterations=150, learning_rate=1e-2), fixed)
    with torch.no_grad():
        working = found[-1](found[-1].draw())
    told = working[: len(OFFSETS)]
    return result, float((told - neighbours(told[0], periodic=False))[:, 1:-1, 1:-1].square().mean())


def test_a_fit_explains_its_values_and_knits_its_patches():
    knitted, disagreement = fitted(consistency=1.0)
    _, loose = fitted(consistency=0.0)
    assert knitted.misfit < 0.2
    assert disagreement < 0.05 < loose


@pytest.mark.parametrize("option", ["features", "channels", "layers"])
def test_numbers_below_one_are_refused(option):
    with pytest.raises(ValueError, match=f"Invalid {option} 0. It must be at least 1."):
        make_knitwork(SHAPE, FACTOR, 0, **{option: 0})


@pytest.mark.parametrize("option", ["scale", "consistency", "adversarial"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_negative_weights_are_refused(option, value):
    with pytest.raises(ValueError, match=f"Invalid {option} {value}. It must not be negative."):
        make_knitwork(SHAPE, FACTOR, 0, **{option: value})
