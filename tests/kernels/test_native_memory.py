"""Ten thousand calls of native kernels leave the process no larger."""

import resource

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import conv, dense, recurrent

CALLS, SETTLED = 10_000, 1_000
ALLOWED = 16 << 20  # bytes; one lost array of the step would be 30 times that


def normal(*shape):
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)


def loss(x, kernel, bias, weights, words, w, u):
    options = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1), "window": (2, 2)}
    y = conv.conv_max_pool(x, kernel, bias, **options).reshape(x.shape[0], -1)
    y = dense.affine(y, weights, activation="relu")
    h = jnp.zeros((words.shape[0], u.shape[0]))
    last, _, _ = recurrent.lstm(words, h, h, w, u, None, return_sequences=False)
    return y.sum() + last.sum()


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.slow
def test_no_growth():
    step = jax.jit(jax.value_and_grad(loss, argnums=tuple(range(7))))
    arguments = (
        *(normal(8, 10, 10, 8), normal(3, 3, 8, 16), normal(16), normal(256, 256)),
        *(normal(8, 5, 16), normal(16, 64), normal(16, 64)),
    )
    before = 0
    for call in range(CALLS):
        jax.block_until_ready(step(*arguments))
        if call == SETTLED:
            before = resident_bytes()
    assert resident_bytes() - before < ALLOWED
