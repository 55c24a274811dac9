"""What a program computes, and what Python knows while it is traced."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

import jax

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, is_traced, known_value
from hornbeam.core.variable import Variable


def is_staged(value: object) -> bool:
    """Return whether a condition or a row is one that a program has to look at, and Python can't."""
    if isinstance(value, Variable):
        value = value.read_value()
    raw: Any = value._value if isinstance(value, Tensor) else value
    return is_traced(raw) and is_traced(known_value(raw))


def is_tensor(value: object) -> bool:
    """Return whether `value` is a tensor, variable or array of JAX."""
    return isinstance(value, (Tensor, Variable, jax.Array))


def is_tracing() -> bool:
    """Return whether a program is being traced, so that loops over tensors belong into it."""
    return scope.is_tracing()
