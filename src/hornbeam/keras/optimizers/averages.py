"""Moving averages of weights."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable


def update_averages(
    pairs: Iterable[tuple[Variable, Variable]],
    step: jax.Array,
    momentum: float,
    overwrite_frequency: int | None,
) -> None:
    """Update the averages of `(variable, average)` pairs after step number `step`, which counts from 0.

    Every `overwrite_frequency` steps the averages replace the variables.
    """
    shares = jnp.where(step == 0, 0.0, momentum)  # the first average is the weight
    for variable, average in pairs:
        value = scope.read(variable)
        share = shares.astype(value.dtype)
        mean = share * scope.read(average) + (1 - share) * value
        average.assign(Tensor(mean))
        if overwrite_frequency:
            due = (step + 1) % overwrite_frequency == 0
            variable.assign(Tensor(jnp.where(due, mean, value)))
