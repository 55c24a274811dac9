"""Arguments that must be known numbers: sizes, axes, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.tensor import unwrap


def known_integers(value: Any) -> tuple[int, ...]:
    """Return one integer or several, given as numbers, lists, arrays or tensors of known value."""
    return tuple(int(each) for each in np.atleast_1d(np.asarray(unwrap(value))).ravel())


def known_pairs(value: Any) -> tuple[tuple[int, int], ...]:
    """Return pairs of integers, given as lists, an array or a tensor of known value."""
    return tuple((int(first), int(second)) for first, second in np.asarray(unwrap(value)))
