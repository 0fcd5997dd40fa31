r"""Training of a student, the only place where it learns.

The teacher says that a fine value is ``N(m, t^2)``, the student that it is ``N(x, s^2)``. In units of the roughness of
each field (`xr_dip.distillation.standard`), with ``v`` the mean square of what teachers add to the kriging of the
student, the loss is the sum of ::

    mean over the sea of  (x - m)^2 / v
    mean over the sea of  log s + (t^2 + (x - m)^2) / (2 s^2),  x taken as given

The second is the divergence of the two, up to what does not depend on s. So the standard error of a student contains
what it fails to learn of its teacher; with ``t = 0``, a truth, it is the likelihood. It does not train x: where the
teacher is unsure by ten times what it adds, nothing would be learned.

References
----------
Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, arXiv:1503.02531; Nix & Weigend (1994),
Estimating the mean and variance of the target probability distribution, doi:10.1109/ICNN.1994.374138.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from xr_dip.distillation.exercises import Exercise, draw_window, mean_squares
from xr_dip.distillation.network import Network, Weights, one_torch_thread, weights_of
from xr_dip.distillation.settings import Settings
from xr_dip.fitting.ensemble import derive_seed

BATCH = 8
"""Windows of one step."""
RATE = 5e-3
EVERY = 25
"""Steps between two looks at the days held out."""
SMALLEST_STD = 1e-3
"""Standard error in units of the roughness below which there is nothing to learn."""


def train(
    settings: Settings,
    exercises: Sequence[Exercise],
    held_out: Sequence[Exercise],
    *,
    steps: int,
    seed: int,
    device: str,
    step: Callable[[], object],
) -> tuple[Weights, dict[str, float]]:
    """Train a network by Adam with a cosine schedule, and keep what is best on the days held out.

    Each step sees some windows of some days, flipped and with the opposite sign by chance: the teacher does not know
    north from south, east from west, or up from down.

    Parameters
    ----------
    settings : Settings
    exercises, held_out : sequence of Exercise
        Without any held out, what is last is kept.
    steps, seed : int
    device : str
    step : callable
        Called after each step.

    Returns
    -------
    weights : mapping of str to array
    scores : dict of str to float
        Of the days held out: loss, and the share of the mean square that the teacher adds to kriging which is learned
        (``skill``).
    """
    network = Network(settings, torch.Generator().manual_seed(derive_seed(seed, 0)))
    scale, variance = mean_squares(exercises)
    _begin_at_mean_std(network, scale + variance)
    network.to(device)
    draws = np.random.default_rng(derive_seed(seed, 1))
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    best, kept = math.inf, weights_of(network)
    with one_torch_thread():
        for count in range(1, steps + 1):
            days = draws.integers(len(exercises), size=BATCH).tolist()
            batch = [draw_window(exercises[day], settings, draws) for day in days]
            optimiser.zero_grad()
            loss = _loss(network, batch, scale, device)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            step()
            if count == steps or (held_out and count % EVERY == 0):
                score = _scores(network, held_out, scale, device)["loss"] if held_out else -math.inf
                if score < best:
                    best, kept = score, weights_of(network)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in kept.items()})
        return kept, _scores(network, held_out, scale, device) if held_out else {}


def _begin_at_mean_std(network: Network, variance: float) -> None:
    """Let the first standard error be the typical one."""
    outputs = network.head.bias
    assert outputs is not None
    with torch.no_grad():
        outputs[len(outputs) // 2 :] += 0.5 * math.log(max(variance, SMALLEST_STD**2))


def _loss(network: Network, batch: Sequence[Exercise], scale: float, device: str) -> torch.Tensor:
    seen, goal, known = (
        torch.from_numpy(np.stack([getattr(one, name) for one in batch])).to(device)
        for name in ("seen", "goal", "known")
    )
    return loss_of(network(seen), goal, known, scale)


def loss_of(answer: torch.Tensor, goal: torch.Tensor, known: torch.Tensor, scale: float) -> torch.Tensor:
    """Return the loss of a student.

    Parameters
    ----------
    answer : Tensor, shape (n, 2, Y, X)
        Proposal and logarithm of the standard error.
    goal : Tensor, shape (n, 2, Y, X)
        What the teacher adds to kriging, and its variance.
    known : Tensor, shape (n, Y, X)
        1 where it counts.
    scale : float
        Mean square of what teachers add.

    Returns
    -------
    Tensor, scalar

    Examples
    --------
    >>> one = torch.ones(1, 1, 1)
    >>> answer, goal = torch.tensor([[[[3.0]], [[0.0]]]]), torch.tensor([[[[1.0]], [[2.0]]]])
    >>> float(loss_of(answer, goal, one, scale=4.0))  # (3 - 1)^2 / 4 + log 1 + (2 + (3 - 1)^2) / 2
    4.0
    """
    log_std = answer[:, 1].clamp(min=math.log(SMALLEST_STD))
    miss = (answer[:, 0] - goal[:, 0]) ** 2
    terms = miss / scale + log_std + 0.5 * (goal[:, 1] + miss.detach()) * torch.exp(-2 * log_std)
    return (terms * known).sum() / known.sum().clamp(min=1.0)


@torch.no_grad()
def _scores(network: Network, exercises: Sequence[Exercise], scale: float, device: str) -> dict[str, float]:
    """Return the loss over whole days, and the share of what the teacher adds to kriging that is learned."""
    losses, left, there = list[float](), 0.0, 0.0
    for one in exercises:
        seen, goal, known = (torch.from_numpy(array[None]).to(device) for array in (one.seen, one.goal, one.known))
        answer = network(seen)
        losses.append(float(loss_of(answer, goal, known, scale)))
        left += float((((answer[:, 0] - goal[:, 0]) ** 2) * known).sum())
        there += float(((goal[:, 0] ** 2) * known).sum())
    return {"loss": float(np.mean(losses)), "skill": 1 - left / there if there > 0 else 0.0}
