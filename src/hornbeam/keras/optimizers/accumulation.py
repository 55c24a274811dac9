"""Updates by the mean gradient of several steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.branches import choose


def accumulate(
    gradients: Sequence[jax.Array],
    sums: Sequence[Variable],
    all_sums: Sequence[Variable],
    count: int,
    done: jax.Array,
    update: Callable[[list[jax.Array]], None],
    state: Sequence[Variable],
) -> None:
    """Add gradients to their sums; in the last step of a round call `update` with the means instead.

    `done` is the number of steps so far. After a round all sums are 0 again, also those of variables that have no gradient
    in this step. `update` may assign variables of `state` only.
    """

    def wait() -> None:
        for each, gradient in zip(sums, gradients, strict=True):
            each.assign_add(gradient)

    def end_round() -> None:
        pairs = zip(sums, gradients, strict=True)
        update([(scope.read(each) + gradient) / count for each, gradient in pairs])
        for each in all_sums:
            each.assign(Tensor(jnp.zeros_like(scope.read(each))))

    choose((done + 1) % count == 0, end_round, wait, state)
