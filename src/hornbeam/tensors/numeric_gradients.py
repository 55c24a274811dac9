"""Jacobians by the tape and by differences, to compare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import NumpyArray
from hornbeam.tensors.gradient_tape import GradientTape, UnconnectedGradients

_STEP = 1.0 / 1024


def compute_gradient(
    f: Callable[..., Any], x: Sequence[Any], delta: float | None = None
) -> tuple[tuple[NumpyArray, ...], tuple[NumpyArray, ...]]:
    """Return the Jacobians of `f(*x)` by the tape, and by differences of steps `delta`: two tuples, an entry for each of `x`.

    A Jacobian has a row for each element of the result and a column for each element of the argument.
    Raises ValueError where `x` is no list.

    >>> import hornbeam as tf
    >>> by_tape, by_steps = tf.test.compute_gradient(lambda x: x * x, [tf.constant([1.0, 3.0])])
    >>> by_tape[0].tolist(), bool(abs(by_tape[0] - by_steps[0]).max() < 1e-2)
    ([[2.0, 0.0], [0.0, 6.0]], True)
    """
    if not isinstance(x, (list, tuple)):
        raise ValueError(
            f"`x` must be a list or tuple of tensors (arguments to `f`), not a {type(x)}."
        )
    arguments = [convert_to_tensor(each) for each in x]
    by_tape = tuple(_by_tape(f, arguments, place) for place in range(len(arguments)))
    step = _STEP if delta is None else delta
    by_steps = tuple(_by_steps(f, arguments, place, step) for place in range(len(arguments)))
    return by_tape, by_steps


def _by_tape(f: Callable[..., Any], arguments: list[Tensor], place: int) -> NumpyArray:
    with GradientTape() as tape:
        tape.watch(arguments[place])
        result = convert_to_tensor(f(*arguments))
    found = tape.jacobian(result, arguments[place], unconnected_gradients=UnconnectedGradients.ZERO)
    return np.asarray(found).reshape(np.asarray(result).size, np.asarray(arguments[place]).size)


def _by_steps(
    f: Callable[..., Any], arguments: list[Tensor], place: int, step: float
) -> NumpyArray:
    start: NumpyArray = np.asarray(arguments[place])
    columns: list[NumpyArray] = []
    for at in range(start.size):
        ends: list[NumpyArray] = []
        for sign in (1, -1):
            moved = start.copy()
            moved.reshape(-1)[at] += sign * step
            changed = [*arguments[:place], convert_to_tensor(moved), *arguments[place + 1 :]]
            ends.append(np.asarray(f(*changed)).ravel())
        columns.append((ends[0] - ends[1]) / np.asarray(2 * step, start.dtype))
    return np.stack(columns, axis=1)
