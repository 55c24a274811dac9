"""Products of matrices: dense layers, batches of matrices, attention."""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.kernels.kernel import Kernel, normal
from hornbeam.kernels import attention, dense, matmul


def _with_zeros(x: jax.Array, share: float) -> jax.Array:
    zero = np.random.default_rng(0).random(x.shape) < share
    return jnp.where(zero, 0, x)


def dense_kernels() -> Iterator[Kernel]:
    """Dense layers with relu, and what dropout leaves to one."""
    for b, d, u in ((32, 1600, 64), (128, 784, 512), (128, 512, 512), (2048, 256, 1024)):
        call = partial(dense.affine, activation="relu")
        arguments = (normal(b, d), normal(d, u), normal(u))
        operations = 2 * b * d * u
        yield Kernel("dense", f"{b} x {d} -> {u}", call, arguments, operations, (0, 1, 2))
        if b >= 128:
            size = f"{b} x {d} -> {u}, 60 % zeros"
            arguments = (_with_zeros(arguments[0], 0.6), *arguments[1:])
            yield Kernel("dense", size, call, arguments, operations, (0, 1, 2))


def matmul_kernels() -> Iterator[Kernel]:
    """Products of batches of matrices: logits of attention, their sums of values, small and large squares."""
    sizes = ((128, 128, 32, 128), (128, 128, 128, 32), (64, 64, 64, 64), (8, 512, 512, 512))
    for z, m, k, n in sizes:
        arguments = (normal(z, m, k), normal(z, k, n))
        size = f"{z} x {m} x {k} x {n}"
        yield Kernel("matmul", size, matmul.matmul, arguments, 2 * z * m * k * n, (0, 1))


def attention_kernels() -> Iterator[Kernel]:
    """Attention of eight heads: one tile of keys, many of them, larger heads."""
    for b, t, n, d in ((16, 128, 8, 32), (2, 1024, 8, 64), (1, 2048, 4, 128)):
        call = partial(attention.attention, scale=d**-0.5)
        arguments = (normal(b, t, n, d),) * 3
        operations = 2 * 2 * b * n * t * t * d
        yield Kernel("attention", f"{b} x {t} x {n} x {d}", call, arguments, operations, (0, 1, 2))
