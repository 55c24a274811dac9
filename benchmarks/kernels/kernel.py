"""What is measured: a kernel on arrays of one size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Kernel:
    """A kernel on arrays of one size."""

    name: str
    size: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    operations: float = 0  # of its products, in a forward pass
    # The arguments that the gradient is taken of; none: it isn't measured.
    differentiate: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ("float32", "bfloat16")


def normal(*shape: int) -> jax.Array:
    """Normal numbers, the same ones for a shape each time."""
    return jnp.asarray(np.random.default_rng(sum(shape)).normal(size=shape), jnp.float32)
