"""A choice, made while training, between two functions that assign variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, is_traced
from hornbeam.core.variable import Variable


def choose(
    condition: jax.Array,
    then: Callable[[], None],
    otherwise: Callable[[], None],
    variables: Sequence[Variable],
) -> None:
    """Call `then` where `condition` is true, else `otherwise`; both may assign `variables` only.

    Inside a compiled program both become branches of it, and one of them runs.
    """
    if not is_traced(condition):
        (then if condition else otherwise)()
        return
    variables = list(variables)

    def branch(fn: Callable[[], None]) -> Callable[[list[Any]], list[Any]]:
        return lambda values: scope.pure(fn, variables)(values)[1]

    values = [scope.read(each) for each in variables]
    new = jax.lax.cond(condition, branch(then), branch(otherwise), values)
    for variable, value in zip(variables, new, strict=True):
        variable.assign(Tensor(value))
