"""The affine map of dense layers.

Letters: b rows (all leading axes together), d features, u units.
"""

from __future__ import annotations

import math
from functools import partial

import jax

from hornbeam.core import fusion
from hornbeam.core.origins import Rounded, origin_of
from hornbeam.kernels.dense import native
from hornbeam.kernels.dense.reference import Activation
from hornbeam.kernels.dense.reference import affine as affine_reference
from hornbeam.kernels.kernel import Kernel
from hornbeam.kernels.native import suits

# Below any of them, XLA's own product is left in place; see `pays`.
MIN_SIZE = 8
MIN_MULTIPLICATIONS = 500_000


def affine(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """Return activation(x @ kernel + bias) on the last axis; no activation, or relu.

    x: (b, ..., d), kernel: (d, u), bias: (u,) -> (b, ..., u)

    Large products in float32 or bfloat16 are native on CPU. There the gradient is a custom one:
    `jax.grad` may be taken of it again, forward mode (`jax.jvp`) not. A kernel and bias that mixed
    precision has rounded from float32 are taken as they are stored, and so are their gradients.
    """
    return AFFINE(x, kernel, bias, activation)


def _native(
    x: jax.Array, kernel: jax.Array, bias: jax.Array | None, activation: Activation
) -> jax.Array:
    rows = x.reshape(-1, x.shape[-1])
    y = native.affine(activation == "relu", rows, *_stored(kernel, bias))
    y = y.reshape(*x.shape[:-1], kernel.shape[-1])
    if activation is None:
        fusion.offer(y, fusion.Relu(partial(affine, x, kernel, bias, "relu")))
    return y


def _stored(kernel: jax.Array, bias: jax.Array | None) -> tuple[jax.Array, jax.Array | None]:
    """Return both as the variables store them, where that is known of both."""
    stored = origin_of(kernel, Rounded)
    if bias is None:
        return (kernel if stored is None else stored.wide), None
    stored_bias = origin_of(bias, Rounded)
    if stored is None or stored_bias is None:
        return kernel, bias
    return stored.wide, stored_bias.wide


def _suits(x: jax.Array, kernel: jax.Array, bias: jax.Array | None, activation: Activation) -> bool:
    # What doesn't fit goes to the reference, which broadcasts or says what is wrong.
    return (
        suits(x, kernel, bias)
        and x.ndim >= 1
        and kernel.ndim == 2
        and x.shape[-1] == kernel.shape[0]
        and (bias is None or bias.shape == kernel.shape[1:])
    )


def _pays(x: jax.Array, kernel: jax.Array, bias: jax.Array | None, activation: Activation) -> bool:
    return pays(math.prod(x.shape[:-1]), *kernel.shape)


def pays(rows: int, d: int, units: int) -> bool:
    """Return whether the native product beats XLA's, by size.

    Measured on two AVX-512 cores, forward and both gradients. Below half a million multiplications
    the foreign call and oneDNN's set-up (2 to 4 us) are what is seen; with a side of one or two
    little is left to compute by registers. Above, float32 gains 10 to 45 % up to some 10 million and
    is even beyond; the gradients of a last layer of ten classes (128 x 512 x 10) take a third of
    XLA's time. bfloat16 gains 20 to 100 %.
    """
    return min(rows, d, units) >= MIN_SIZE and rows * d * units >= MIN_MULTIPLICATIONS


AFFINE = Kernel(affine_reference, _native, _suits, _pays)
