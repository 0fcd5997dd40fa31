"""Rates of many members at once: those that torch's schedulers give each of them alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xr_dip.fitting.fit import SCHEDULES, FitConfig, make_scheduler
from xr_dip.fitting.rates import make_rates

CPU = torch.device("cpu")


def rates_of_torch(config, losses):
    """Rates of one member at each step, from torch's scheduler."""
    optimiser = torch.optim.Adam([torch.zeros(1)], lr=config.learning_rate)
    scheduler, rates = make_scheduler(optimiser, config, config.learning_rate), []
    for loss in losses:
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if scheduler is not None:
            scheduler.step(*([loss] if config.schedule == "plateau" else []))
    return rates


def rates_together(config, losses, *, leaves=None):
    """Rates of all members (steps, members); of all but the first from the step on where it leaves."""
    rates, found = make_rates(config, losses.shape[1], CPU), []
    for step in range(len(losses)):
        if step == leaves:
            rates, losses = rates.select([1, 2]), losses[:, 1:]
        found.append(rates.at(torch.tensor([step])).expand(losses.shape[1]).clone())
        rates.tell(losses[step])
    return found


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("iterations", [1, 2, 60])
def test_members_have_the_rates_of_torch(schedule, iterations):
    config = FitConfig(iterations=iterations, learning_rate=0.01, schedule=schedule)
    # One falls, one grows, one stays where it is.
    step = torch.arange(iterations, dtype=torch.float64)
    losses = torch.stack([1 / (1 + step), step, torch.ones_like(step)], dim=1)
    found = torch.stack(rates_together(config, losses))
    for member in range(3):
        expected = rates_of_torch(config, losses[:, member].tolist())
        torch.testing.assert_close(found[:, member], torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=0)


@given(st.lists(st.tuples(*[st.floats(0, 10, width=32)] * 3), min_size=15, max_size=60), st.integers(0, 14))
def test_any_losses_on_a_plateau(losses, leaves):
    config = FitConfig(iterations=60, learning_rate=0.01, schedule="plateau")
    found = rates_together(config, torch.tensor(losses), leaves=leaves)
    for member in (1, 2):
        mine = [float(row[member - 3]) for row in found]
        assert mine == pytest.approx(rates_of_torch(config, [loss[member] for loss in losses]), rel=1e-13)


def test_a_rate_stops_falling_where_torch_says_so():
    # Less a twentieth of it by less than torch's eps: a rate of 1e-7 stays.
    config = FitConfig(iterations=30, learning_rate=1e-7, schedule="plateau")
    losses = torch.ones(30, 1, dtype=torch.float64)
    assert [float(rate) for rate in rates_together(config, losses)] == [1e-7] * 30
    assert rates_of_torch(config, [1.0] * 30) == [1e-7] * 30
