"""The native affine map with its gradients, and as references the same in jax.numpy.

Letters: b rows, d features, u units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from hornbeam.kernels import native
from hornbeam.kernels.dense import reference
from hornbeam.kernels.transforms import compiled, custom_gradient

# x, kernel, whether there is a bias, and y with relu.
_Saved: TypeAlias = tuple[jax.Array, jax.Array, bool, jax.Array | None]


@custom_gradient(static=1)
def _affine(relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    """x: (b, d), kernel: (d, u), bias: (u,) -> (b, u)

    Kernel and bias are of the type of x, or float32 beside a bfloat16 x.
    """
    return _FORWARD[relu](x, kernel, bias)


def _affine_forward(
    relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> tuple[jax.Array, _Saved]:
    y = _affine(relu, x, kernel, bias)
    return y, (x, kernel, bias is not None, y if relu else None)


def _affine_backward(
    relu: bool, saved: _Saved, dy: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    x, kernel, has_bias, y = saved
    dx = _input_gradient(dy, kernel, y)
    d_kernel, d_bias = _WEIGHT_GRADIENT[kernel.dtype.name](x, dy, y)
    return dx, d_kernel, d_bias if has_bias else None


_affine.defvjp(_affine_forward, _affine_backward)
affine = compiled(static=1)(_affine)


def _forward_native(
    relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> jax.Array:
    result = jax.ShapeDtypeStruct((x.shape[0], kernel.shape[1]), x.dtype)
    return native.call("dense_forward", result, x, kernel, bias, relu=relu, transposed=False)


def _forward_reference(
    relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> jax.Array:
    bias = None if bias is None else bias.astype(x.dtype)
    return reference.affine(x, kernel.astype(x.dtype), bias, "relu" if relu else None)


def _input_gradient_native(dy: jax.Array, kernel: jax.Array, y: jax.Array | None) -> jax.Array:
    result = jax.ShapeDtypeStruct((dy.shape[0], kernel.shape[0]), dy.dtype)
    return native.call("dense_input_gradient", result, dy, kernel, y, transposed=False)


def _input_gradient_reference(dy: jax.Array, kernel: jax.Array, y: jax.Array | None) -> jax.Array:
    return _masked(dy, y) @ kernel.T.astype(dy.dtype)


def _weight_gradient_native(
    dtype: str, x: jax.Array, dy: jax.Array, y: jax.Array | None
) -> native.Arrays:
    d_kernel = jax.ShapeDtypeStruct((x.shape[1], dy.shape[1]), dtype)
    d_bias = jax.ShapeDtypeStruct((dy.shape[1],), dtype)
    return native.call("dense_weight_gradient", (d_kernel, d_bias), x, dy, y)


def _weight_gradient_reference(
    dtype: str, x: jax.Array, dy: jax.Array, y: jax.Array | None
) -> native.Arrays:
    dz = _masked(dy, y)
    return jnp.matmul(x.T, dz, preferred_element_type=dtype), jnp.sum(dz, axis=0, dtype=dtype)


def _masked(dy: jax.Array, y: jax.Array | None) -> jax.Array:
    return dy if y is None else jnp.where(y > 0, dy, 0)


def _fold_rows(*shared: int) -> native.Fold:
    """Fold many sets of rows into a larger one under vmap, if the `shared` arguments are the same for all."""

    def fold(
        f: Callable[..., jax.Array], size: int, batched: Sequence[bool], *args: native.Operand
    ) -> jax.Array | None:
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
    relu: native.transformable(
        partial(_forward_native, relu), partial(_forward_reference, relu), _fold_rows(1, 2)
    )
    for relu in (False, True)
}
_input_gradient = native.transformable(
    _input_gradient_native, _input_gradient_reference, _fold_rows(1)
)
_WEIGHT_GRADIENT = {
    dtype: native.transformable(
        partial(_weight_gradient_native, dtype), partial(_weight_gradient_reference, dtype)
    )
    for dtype in ("float32", "bfloat16")
}
