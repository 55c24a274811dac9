"""The affine map of dense layers.

Letters: b rows (all leading axes together), d features, u units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp

from hornbeam.core import fusion
from hornbeam.kernels import native

Activation = Literal["relu"] | None

# Below any of them, XLA's own product is left in place; see `_pays`.
MIN_SIZE = 8
MIN_MULTIPLICATIONS = 500_000


def affine(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """activation(x @ kernel + bias) on the last axis; no activation, or relu.

    x: (b, ..., d), kernel: (d, u), bias: (u,) -> (b, ..., u)

    Large products in float32 or bfloat16 are native on CPU. There the gradient is a custom one:
    `jax.grad` may be taken of it again, forward mode (`jax.jvp`) not. A kernel and bias that mixed
    precision has rounded from float32 are taken as they are stored, and so are their gradients.
    """
    if not _is_native(x, kernel, bias):
        return affine_reference(x, kernel, bias, activation)
    rows = x.reshape(-1, x.shape[-1])
    y = _compiled(activation == "relu", rows, *_stored(kernel, bias))
    y = y.reshape(*x.shape[:-1], kernel.shape[-1])
    if activation is None:
        fusion.offer(y, relu=partial(affine, x, kernel, bias, "relu"))
    return y


def affine_reference(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """The same in jax.numpy."""
    y = jnp.matmul(x, kernel)
    y = y if bias is None else y + bias
    return jax.nn.relu(y) if activation == "relu" else y


def _stored(kernel: jax.Array, bias: jax.Array | None) -> tuple[jax.Array, jax.Array | None]:
    """Both as the variables store them, if they say so for both."""
    wide = [None if a is None else fusion.taken(a, "wide") for a in (kernel, bias)]
    if wide[0] is None or (bias is not None and wide[1] is None):
        return kernel, bias
    return wide[0], wide[1]


def _is_native(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> bool:
    """Whether the native product is right and faster."""
    if x.ndim < 1 or kernel.ndim != 2 or x.shape[-1] != kernel.shape[0]:
        return False  # the reference broadcasts, or says what is wrong
    if bias is not None and bias.shape != kernel.shape[1:]:
        return False
    rows = math.prod(x.shape[:-1])
    return _pays(rows, *kernel.shape) and native.suits(x, kernel, bias)


def _pays(rows: int, d: int, units: int) -> bool:
    """Whether the native product beats XLA's, by size.

    Measured on two AVX-512 cores, forward and both gradients. Below half a million multiplications
    the foreign call and oneDNN's set-up (2 to 4 us) are what is seen; with a side of one or two
    little is left to compute by registers. Above, float32 gains 10 to 45 % up to some 10 million and
    is even beyond; the gradients of a last layer of ten classes (128 x 512 x 10) take a third of
    XLA's time. bfloat16 gains 20 to 100 %.
    """
    return min(rows, d, units) >= MIN_SIZE and rows * d * units >= MIN_MULTIPLICATIONS


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _affine(relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    """x: (b, d), kernel: (d, u), bias: (u,) -> (b, u)

    Kernel and bias are of the type of x, or float32 beside a bfloat16 x.
    """
    return _FORWARD[relu](x, kernel, bias)


def _affine_forward(relu: bool, x: Any, kernel: Any, bias: Any) -> tuple[Any, tuple]:
    y = _affine(relu, x, kernel, bias)
    return y, (x, kernel, bias is not None, y if relu else None)


def _affine_backward(relu: bool, saved: tuple, dy: jax.Array) -> tuple[Any, Any, Any]:
    x, kernel, has_bias, y = saved
    dx = _input_gradient(dy, kernel, y)
    d_kernel, d_bias = _WEIGHT_GRADIENT[kernel.dtype.name](x, dy, y)
    return dx, d_kernel, d_bias if has_bias else None


_affine.defvjp(_affine_forward, _affine_backward)
_compiled = jax.jit(_affine, static_argnums=0, inline=True)  # for eager calls


def _forward_native(relu: bool, x: jax.Array, kernel: jax.Array, bias: Any) -> jax.Array:
    result = jax.ShapeDtypeStruct((x.shape[0], kernel.shape[1]), x.dtype)
    return native.call("dense_forward", result, x, kernel, bias, relu=relu, transposed=False)


def _forward_reference(relu: bool, x: jax.Array, kernel: jax.Array, bias: Any) -> jax.Array:
    bias = None if bias is None else bias.astype(x.dtype)
    return affine_reference(x, kernel.astype(x.dtype), bias, "relu" if relu else None)


def _input_gradient_native(dy: jax.Array, kernel: jax.Array, y: Any) -> jax.Array:
    result = jax.ShapeDtypeStruct((dy.shape[0], kernel.shape[0]), dy.dtype)
    return native.call("dense_input_gradient", result, dy, kernel, y, transposed=False)


def _input_gradient_reference(dy: jax.Array, kernel: jax.Array, y: Any) -> jax.Array:
    return _masked(dy, y) @ kernel.T.astype(dy.dtype)


def _weight_gradient_native(dtype: str, x: jax.Array, dy: jax.Array, y: Any) -> native.Arrays:
    d_kernel = jax.ShapeDtypeStruct((x.shape[1], dy.shape[1]), dtype)
    d_bias = jax.ShapeDtypeStruct((dy.shape[1],), dtype)
    return tuple(native.call("dense_weight_gradient", (d_kernel, d_bias), x, dy, y))


def _weight_gradient_reference(dtype: str, x: jax.Array, dy: jax.Array, y: Any) -> native.Arrays:
    dz = _masked(dy, y)
    return jnp.matmul(x.T, dz, preferred_element_type=dtype), jnp.sum(dz, axis=0, dtype=dtype)


def _masked(dy: jax.Array, y: Any) -> jax.Array:
    return dy if y is None else jnp.where(y > 0, dy, 0)


def _fold_rows(*shared: int) -> native.Fold:
    """Under vmap many sets of rows are one larger set, if the `shared` arguments are the same for all."""

    def fold(f: Any, size: int, batched: Sequence[bool], *args: Any) -> Any:
        if any(batched[i] for i in shared):
            return None
        rows = list(args)
        for i, a in enumerate(args):
            if a is not None and i not in shared:
                each = a if batched[i] else jnp.broadcast_to(a, (size, *a.shape))
                rows[i] = each.reshape(-1, each.shape[-1])
        result = f(*rows)
        return result.reshape(size, result.shape[0] // size, result.shape[1])

    return fold


_FORWARD = {
    relu: native.kernel(
        partial(_forward_native, relu), partial(_forward_reference, relu), _fold_rows(1, 2)
    )
    for relu in (False, True)
}
_input_gradient = native.kernel(_input_gradient_native, _input_gradient_reference, _fold_rows(1))
_WEIGHT_GRADIENT = {
    dtype: native.kernel(
        partial(_weight_gradient_native, dtype), partial(_weight_gradient_reference, dtype)
    )
    for dtype in ("float32", "bfloat16")
}
