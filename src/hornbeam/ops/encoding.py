"""Integers as vectors of zeros and ones."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops.common import array, class_numbers, float_dtype

__all__ = [
    "multi_hot",
    "one_hot",
]


@op
def one_hot(
    x: TensorLike,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> jax.Array:
    """Return 1 in the place of the class, 0 elsewhere, along a new axis; all 0 for a number that is not a class.

    >>> from hornbeam.keras import ops
    >>> print(ops.one_hot([0, 2], 3).numpy())
    [[1. 0. 0.]
     [0. 0. 1.]]
    """
    if sparse:
        raise ValueError("Sparse results are not supported; call `one_hot` with `sparse=False`.")
    return jax.nn.one_hot(class_numbers(x), num_classes, dtype=float_dtype(dtype), axis=axis)


@op
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    **kwargs: Any,
) -> jax.Array:
    """Return 1 in the place of each class that occurs: (b, n) or (n,) -> (b, classes) or (classes,)

    >>> from hornbeam.keras import ops
    >>> print(ops.multi_hot([[0, 2, 2]], 4).numpy())
    [[1. 0. 1. 0.]]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None or kwargs:
        raise ValueError(f"`multi_hot` needs `num_classes`, and does not know {sorted(kwargs)}.")
    inputs = array(inputs)
    each = one_hot.raw(inputs, num_classes, axis, dtype, sparse)
    return jnp.max(each, axis=1 if inputs.ndim > 1 else 0)


@op(name="utils.to_categorical")
def one_hot_rows(x: TensorLike, num_classes: int) -> jax.Array:
    """Return `one_hot` in float32, where (b, 1) are numbers of classes as (b,)."""
    return jax.nn.one_hot(without_last_one(x), num_classes, dtype=jnp.float32)


def without_last_one(x: Any) -> Any:
    """Return x without a last axis of size 1."""
    return x.reshape(x.shape[:-1]) if x.ndim > 1 and x.shape[-1] == 1 else x
