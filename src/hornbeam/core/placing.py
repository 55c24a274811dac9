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
# How often arrays of a shape and type came. The program for them, which takes 20 ms to compile, is made for those that came often.
_sightings: dict[tuple[tuple[int, ...], np.dtype[Any]], int] = {}
_OFTEN, _MOST_SIGHTINGS = 4, 4096


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
    if is_tracing():
        return jnp.asarray(array, dtype=dtype)
    if dtype in _QUICK and (array.dtype == dtype or array.dtype in _HALVED):
        # In NumPy: JAX would compile the conversion of each shape.
        array = array.astype(dtype, copy=False)
        return unchanged(array) if _came_often(array) else jnp.asarray(array, dtype=dtype)
    if not _came_often(array):
        return jnp.asarray(array, dtype=dtype)
    if dtype in _HALVED and array.dtype == dtype and is_served():
        return in_64_bits(unchanged)(array)
    return jnp.asarray(array, dtype=dtype)


def _came_often(array: NumpyArray) -> bool:
    key = array.shape, array.dtype
    count = _sightings.get(key, 0)
    if count == _OFTEN:
        return True
    if len(_sightings) == _MOST_SIGHTINGS:
        _sightings.clear()
    _sightings[key] = count + 1
    return False


def is_tracing() -> bool:
    """Return whether any code is being traced in this thread, by whomever."""
    return trace_state() != _outermost()
