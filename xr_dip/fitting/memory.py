"""How many members a device holds at one time, from what one step of one member keeps."""

from __future__ import annotations

import torch

from xr_dip.fitting.problem import Problem
from xr_dip.generators.base import Generator

# Of the parameters: themselves, their gradient and its parts, two moments, and what one step of Adam makes of them.
COPIES_OF_PARAMETERS = 8
# Of what the forward pass keeps: the backward pass makes gradients of about the same size, while it frees them.
COPIES_OF_ACTIVATIONS = 2
# The rest is for workspace of the libraries, and for pieces that the allocator cannot use.
SHARE_OF_FREE_MEMORY = 0.5
# More members than this gain nothing: the device is busy long before.
MOST_MEMBERS = 256


def bytes_per_member(generator: Generator, problem: Problem) -> int:
    """Return the memory that one member of a batch needs, by one forward pass on the CPU.

    Parameters
    ----------
    generator : Generator
    problem : Problem

    Returns
    -------
    int

    Examples
    --------
    >>> import numpy as np
    >>> from xr_dip.fitting.losses import mse
    >>> from xr_dip.fitting.operators import BlockMean
    >>> from xr_dip.fitting.problem import Observation
    >>> from xr_dip.generators import make_bandlimited
    >>> seen = Observation(BlockMean(np.ones((4, 6)), (2, 2)), torch.eye(2, 3), torch.ones(2, 3))
    >>> narrow, wide = (make_bandlimited((2, 3), (2, 2), 0, channels=channels) for channels in (4, 64))
    >>> bytes_per_member(narrow, Problem((seen,), mse)) < bytes_per_member(wide, Problem((seen,), mse)) / 8
    True
    """
    sizes: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.layout == torch.strided:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    bound = problem.bind(generator, torch.device("cpu"))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outcome = bound.evaluate(generator(generator.expected()))
    del outcome
    parameters = sum(parameter.nbytes for parameter in generator.parameters())
    return COPIES_OF_PARAMETERS * parameters + COPIES_OF_ACTIVATIONS * sum(sizes.values())


def members_at_once(generator: Generator, problem: Problem, device: torch.device) -> int:
    """Return how many members to fit in one batch: as many as the free memory of a GPU holds, one on a CPU.

    On a CPU members are fitted side by side instead, each with the same bits whatever is fitted beside it.

    Parameters
    ----------
    generator : Generator
    problem : Problem
    device : torch.device

    Returns
    -------
    int

    Examples
    --------
    >>> from xr_dip.fitting.losses import mse
    >>> members_at_once(Generator(), Problem((), mse), torch.device("cpu"))
    1
    """
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(MOST_MEMBERS, int(SHARE_OF_FREE_MEMORY * free / bytes_per_member(generator, problem))))
