"""NumPy arrays brought to the device, the quick way where nothing is being traced."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from hornbeam.core.jax_typed import jit, trace_state
from hornbeam.core.typing import NumpyArray
from hornbeam.core.wide import in_64_bits, is_served

# 64-bit arrays are narrowed on their way into a program, but not in the 64-bit mode.
_QUICK = frozenset(
    np.dtype(name) for name in ("float32", "int32", "bool", "uint8", "int8", "int16")
)
_HALVED = frozenset(np.dtype(name) for name in ("float64", "int64"))


@cache
def _outermost() -> Any:
    """Return the state of JAX in which nothing is traced."""
    with jax.core.eval_context():
        return trace_state()


@jit()
def unchanged(x: Any) -> jax.Array:
    """Return a NumPy array or number as a JAX array; only where nothing is traced."""
    return x


def placed(array: NumpyArray, dtype: np.dtype[Any]) -> jax.Array:
    """Return `array` as a JAX array of a type.

    A program without operations takes a third of the time of `jnp.asarray`, but would be seen in a program around it.
    """
    if dtype in _QUICK and (array.dtype == dtype or array.dtype in _HALVED) and not is_tracing():
        return unchanged(array.astype(dtype, copy=False))
    if dtype in _HALVED and array.dtype == dtype and is_served() and not is_tracing():
        return in_64_bits(unchanged)(array)
    return jnp.asarray(array, dtype=dtype)


def is_tracing() -> bool:
    """Return whether any code is being traced in this thread, by whomever."""
    return trace_state() != _outermost()
