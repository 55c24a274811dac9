"""Gradients of Python that looks at values on its way.

A gradient that nothing compiles is taken op by op: each op is computed at once, so every tensor has a value, and
`if`, `.numpy()` and `float()` work in the middle of the function.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core import scope
from hornbeam.core.recording import Call, recorders
from hornbeam.core.tensor import Tensor, known_value, unwrap
from hornbeam.core.variable import Variable


def value_and_grad(
    fn: Callable[..., tuple[Any, Any]], variables: Sequence[Variable]
) -> Callable[..., tuple[tuple[Any, Any], list[jax.Array]]]:
    """Return `scope.value_and_grad` of `fn`; tensors that `fn` keeps can be looked at afterwards."""

    def run(*args: object, **kwargs: object) -> tuple[Any, Any]:
        made: list[weakref.ref[Tensor]] = []

        def record(call: Call, outputs: object) -> None:
            tensors = jax.tree.leaves(outputs, is_leaf=lambda x: isinstance(x, Tensor))
            made.extend(weakref.ref(each) for each in tensors if isinstance(each, Tensor))

        recorders().append(record)
        try:
            loss, extra = fn(*args, **kwargs)
            loss = unwrap(loss)  # before it forgets where it came from
        finally:
            recorders().remove(record)
            for reference in made:
                if (tensor := reference()) is not None:
                    tensor._value = known_value(tensor._value)
        return loss, extra

    return scope.value_and_grad(run, variables)
