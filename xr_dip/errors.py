"""What messages are made of, and the one warning class of the package: errors are Python's own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class DipWarning(UserWarning):
    """Something in the input was usable only in part; the message says what was left out and where.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", DipWarning)  # make it stop the run instead
    """


def first_index(condition: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Where an array is True for the first time, as plain integers for a message.

    Parameters
    ----------
    condition : array of bool, True somewhere

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> first_index(np.array([[False, False], [True, True]]))
    (1, 0)
    """
    return tuple(int(part) for part in np.unravel_index(np.argmax(condition), condition.shape))
