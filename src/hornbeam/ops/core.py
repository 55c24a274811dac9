"""Conversion between kinds and types, slices and scatter."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.core import tensor
from hornbeam.core.arithmetic import operand
from hornbeam.core.conversions import has_conversion
from hornbeam.core.dtypes import DType, as_dtype, canonical
from hornbeam.core.jax_typed import finfo
from hornbeam.core.op import op
from hornbeam.core.operators import elementary
from hornbeam.core.origins import hand_on
from hornbeam.core.recording import without_gradient
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.typing import DTypeLike, NumpyArray, Shape, TensorLike
from hornbeam.ops.common import array

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "ndim",
    "saturate_cast",
    "scatter",
    "scatter_update",
    "shape",
    "size",
    "slice",
    "slice_update",
    "stop_gradient",
]


def convert_to_tensor(
    x: TensorLike,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
) -> Any:
    """Return x as a tensor: a number, nested list, array, variable or tensor.

    >>> from hornbeam.keras import ops
    >>> print(ops.convert_to_tensor([1, 2], dtype="float32").numpy())
    [1. 2.]
    """
    if sparse or ragged:
        raise ValueError("Sparse and ragged tensors are not supported; use a dense one.")
    if is_symbolic(x):
        return x if dtype is None else cast(x, dtype)
    return tensor.convert_to_tensor(x, dtype)


def convert_to_numpy(x: TensorLike) -> NumpyArray:
    """Return x as a NumPy array that may be written to: a copy."""
    return np.array(tensor.unwrap(x))


@op(name="array")
def array_of(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return x as a tensor, as `convert_to_tensor`; in `keras.ops` it is named `array`."""
    return jnp.array(x, dtype=None if dtype is None else canonical(dtype))


@op
def cast(x: TensorLike, dtype: DTypeLike) -> jax.Array:
    """Return x in another type; floats lose their fraction on the way to integers, complex numbers their imaginary part."""
    target = canonical(dtype)
    y = _fit_for(array(x), target).astype(target)
    return hand_on(x, y, lambda origin: origin) if jnp.issubdtype(y.dtype, jnp.floating) else y


def _fit_for(x: jax.Array, target: np.dtype[Any]) -> jax.Array:
    """Return the real part of complex numbers for a type of real ones, where JAX warns."""
    return x.real if x.dtype.kind == "c" and target.kind not in "cb" else x


elementary["cast"] = cast
elementary["array"] = array_of


@op
def saturate_cast(x: TensorLike, dtype: DTypeLike) -> jax.Array:
    """Return x in another type, values that it can't hold moved to its nearest limit.

    >>> from hornbeam.keras import ops
    >>> print(ops.saturate_cast([-5, 100, 300], "uint8").numpy())
    [  0 100 255]
    """
    target = canonical(dtype)
    x = _fit_for(array(x), target)
    if target == x.dtype or jnp.issubdtype(target, jnp.complexfloating) or target == np.bool_:
        return x.astype(target)
    low, high = _limits(target)
    if x.dtype == np.bool_:
        return x.astype(target)
    own_low, own_high = _limits(x.dtype)
    # Limits outside of x's own type could not even be compared with it.
    low, high = builtins.max(low, own_low), builtins.min(high, own_high)
    saturated = jnp.clip(x, _within(low, x.dtype), _within(high, x.dtype))
    return saturated.astype(target)


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if jnp.issubdtype(dtype, jnp.integer):
        info = jnp.iinfo(dtype)
        return int(info.min), int(info.max)
    limits = finfo(dtype)
    return float(limits.min), float(limits.max)


def _within(limit: float, dtype: np.dtype[Any]) -> NumpyArray:
    """Return the value of `dtype` nearest to the limit, on its inner side: 2^31 - 1 is no float32."""
    value = np.asarray(limit, dtype)
    if jnp.issubdtype(dtype, jnp.floating) and builtins.abs(float(value)) > builtins.abs(limit):
        value = np.nextafter(value, np.zeros((), dtype))
    return value


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """Return the sizes of the axes; None where a symbolic tensor's is unknown."""
    sizes: Shape | None = getattr(x, "shape", None)
    return tuple(np.shape(operand(x)) if sizes is None else sizes)


@op(name="tf.shape")
def shape_of_symbol(x: TensorLike) -> jax.Array:
    """Return the sizes as a tensor, for a symbolic x, whose sizes come with its values."""
    return jnp.asarray(array(x).shape, "int32")


def ndim(x: TensorLike) -> int:
    """Return the number of axes."""
    return len(shape(x))


@op
def size(x: TensorLike) -> int:
    """Return the number of elements."""
    return array(x).size


def dtype(x: TensorLike) -> DType:
    """Return the element type."""
    own: DTypeLike | None = getattr(x, "dtype", None)
    if own is None and has_conversion(x):
        own = tensor.convert_to_tensor(x).dtype
    return as_dtype(array(x).dtype if own is None else own)


@op
@without_gradient
def stop_gradient(variable: TensorLike) -> jax.Array:
    """Return the same value, through which no gradient flows."""
    return lax.stop_gradient(array(variable))


@op
def slice(inputs: TensorLike, start_indices: TensorLike, shape: Sequence[int]) -> jax.Array:
    """Return the block of `shape` that starts at `start_indices`; a start too late is moved back to fit.

    >>> from hornbeam.keras import ops
    >>> print(ops.slice(ops.arange(10), [3], [2]).numpy())
    [3 4]
    """
    return lax.dynamic_slice(array(inputs), _starts(start_indices), tuple(shape))


@op
def slice_update(inputs: TensorLike, start_indices: TensorLike, updates: TensorLike) -> jax.Array:
    """Return inputs with the block that starts at `start_indices` replaced by `updates`."""
    inputs = array(inputs)
    return lax.dynamic_update_slice(inputs, array(updates, inputs.dtype), _starts(start_indices))


def _starts(indices: Any) -> list[Any]:
    return [indices[i] for i in range(len(indices))]


@op
def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> jax.Array:
    """Return zeros of `shape`, with `values` added at `indices`.

    indices: integers (n..., k), the first k axes' places; values: (n..., shape[k:]...). Places that
    occur twice get the sum.

    >>> from hornbeam.keras import ops
    >>> print(ops.scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (4,)).numpy())
    [4. 0. 2. 0.]
    """
    values = array(values)
    return jnp.zeros(tuple(shape), values.dtype).at[_places(indices)].add(values)


@op
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> jax.Array:
    """Return inputs with `updates` at `indices`: set, or combined by "add", "max", "min" or "mul".

    >>> from hornbeam.keras import ops
    >>> print(ops.scatter_update(ops.zeros(3), [[1]], [5.0]).numpy())
    [0. 5. 0.]
    """
    inputs = array(inputs)
    target = inputs.at[_places(indices)]
    updates = array(updates, inputs.dtype)
    rules = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
    if reduction not in rules:
        raise ValueError(
            f"`reduction` is None, 'add', 'max', 'min' or 'mul'; received {reduction!r}."
        )
    return getattr(target, rules[reduction])(updates)


def _places(indices: TensorLike) -> tuple[jax.Array, ...]:
    indices = array(indices)
    return tuple(indices[..., axis] for axis in range(indices.shape[-1]))
