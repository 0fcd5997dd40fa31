"""How many members fit: grows with what a member is made of, and follows the free memory."""

import numpy as np
import pytest
import torch
from toys import Free

from xr_dip.fitting.losses import mse
from xr_dip.fitting.memory import MOST_MEMBERS, SHARE_OF_FREE_MEMORY, bytes_per_member, members_at_once
from xr_dip.fitting.operators import BlockMean
from xr_dip.fitting.problem import Observation, Problem
from xr_dip.generators import make_bandlimited

GPU = torch.device("cuda")


def make_problem(cells):
    observed = torch.ones(cells, cells)
    return Problem((Observation(BlockMean(np.ones((2 * cells, 2 * cells)), (2, 2)), observed, observed),), mse)


def test_a_free_field_needs_its_parameters_and_what_its_operator_keeps():
    problem, cells = make_problem(64), 128**2
    # 8 copies of the parameters; twice what is kept: little more than the coarse residuals.
    needed = bytes_per_member(Free((128, 128)), problem)
    assert 8 * 4 * cells < needed < 2 * 8 * 4 * cells


def test_a_network_needs_its_features():
    def needed(channels):
        return bytes_per_member(
            make_bandlimited((32, 32), (2, 2), 0, ratio=(2, 2), channels=channels), make_problem(32)
        )

    # The last level alone keeps its output before the norm and after it, on (32 + 6) * 2 knots squared.
    assert needed(16) > 2 * 2 * 4 * 16 * 76**2
    assert 1.5 < needed(32) / needed(16) < 2.5


@pytest.mark.parametrize(("room", "members"), [(0.3, 1), (1.5, 1), (7.5, 7), (1e6, MOST_MEMBERS)])
def test_as_many_members_as_the_free_memory_holds(room, members, monkeypatch):
    generator, problem = Free((4, 4)), make_problem(2)
    free = int(room * bytes_per_member(generator, problem) / SHARE_OF_FREE_MEMORY)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2 * free))
    assert members_at_once(generator, problem, GPU) == members
    assert members_at_once(generator, problem, torch.device("cpu")) == 1
