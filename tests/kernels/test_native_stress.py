"""Many kernels at once: on many threads, in one program and in several, with the results that each gives alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32

from hornbeam import keras
from hornbeam.kernels import (
    attention,
    bernoulli,
    conv,
    dense,
    embedding,
    matmul,
    native,
    normalization,
    pool,
    recurrent,
)
from tests.tolerances import assert_close

THREADS, CALLS = 8, 40
DEADLOCK = 240  # seconds; all calls together take a few

layers = keras.layers


def normal(*shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(sum(shape)).normal(size=shape) / 4, jnp.float32)


def convolution(x: Any) -> jax.Array:
    y = conv.conv(x, normal(3, 3, 16, 32), (1, 1), "same", (1, 1))
    return pool.max_pool(jax.nn.relu(y), (3, 3), (2, 2), "same").sum()


def recurrence(x: Any) -> jax.Array:
    b, units = x.shape[0], 32
    steps, h = x.reshape(b, 16, -1), jnp.zeros((b, units))
    weights = normal(steps.shape[-1], 4 * units), normal(units, 4 * units)
    return recurrent.lstm(steps, h, h, *weights, None, return_sequences=True)[0].sum()


def attention_and_norm(x: Any) -> jax.Array:
    heads = x.reshape(x.shape[0], 64, 4, -1)
    y = attention.attention(heads, heads, heads, causal=True).reshape(-1, 256)
    y = normalization.layer_normalization(y, jnp.ones(256), jnp.zeros(256), 1e-3)
    return dense.affine(y, normal(256, 128), activation="relu").sum()


def lookups_and_products(x: Any) -> jax.Array:
    rows = embedding.take_rows(x.reshape(-1, 32), 37 * jnp.arange(16 * 70).reshape(16, 70) % 2000)
    keep = bernoulli.bernoulli(jax.random.key(1), 0.8, rows.shape)
    rows = jnp.where(keep, rows, 0)
    weights = normal(32, 96), normal(32, 96)
    y = recurrent.gru(rows, jnp.zeros((16, 32)), *weights, normal(2, 96), return_sequences=True)[1]
    assert y is not None
    ones = jnp.ones(32)
    y = normalization.batch_normalization(y, *normalization.moments(y, (0, 1)), ones, ones, 1e-3)
    return matmul.matmul(y, y, transpose_b=True).sum()


FUNCTIONS = (convolution, recurrence, attention_and_norm, lookups_and_products)


def everything(x: Any) -> jax.Array:
    """Kernels that do not wait for each other: XLA may run them side by side."""
    return sum((f(x) for f in FUNCTIONS), start=jnp.float32(0))


def test_kernels_in_flight_on_many_threads() -> None:
    """Each result is, bit for bit, what the same program gives when it runs alone."""
    x = normal(16, 16, 16, 16)
    programs = [jax.jit(jax.value_and_grad(f)) for f in (*FUNCTIONS, everything)]
    alone = [jax.tree.map(np.asarray, program(x)) for program in programs]
    with ThreadPoolExecutor(THREADS) as threads:
        jobs = [threads.submit(programs[i % len(programs)], x) for i in range(CALLS)]
        for i, job in enumerate(jobs):
            for got, expected in zip(job.result(DEADLOCK), alone[i % len(programs)], strict=True):
                np.testing.assert_array_equal(np.asarray(got), expected)


def model() -> Any:
    built = keras.Sequential(
        [
            keras.Input((16, 16, 4)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Reshape((49, 16)),
            layers.LSTM(32),
            layers.Dense(10, "softmax"),
        ]
    )
    built.compile("adam", "sparse_categorical_crossentropy")
    return built


def test_models_train_while_others_predict() -> None:
    """As in a server that also trains: nobody waits for ever, and nobody's results are another's."""
    x, y = np.asarray(normal(64, 16, 16, 4)), np.arange(64) % 10

    def trained(seed: int) -> list[np.ndarray]:
        own = models[seed]
        own.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return own.get_weights()

    served, models = model(), [model() for _ in range(4)]
    for each in models[1:]:
        each.set_weights(models[0].get_weights())
    expected = served.predict(x, verbose=0)
    alone = trained(0)
    with ThreadPoolExecutor(THREADS) as threads:
        training = [threads.submit(trained, i) for i in (1, 2, 3)]
        serving = [threads.submit(served.predict, x, verbose=0) for _ in range(CALLS)]
        for job in serving:
            np.testing.assert_array_equal(job.result(DEADLOCK), expected)
        for job in training:
            for got, weight in zip(job.result(DEADLOCK), alone, strict=True):
                np.testing.assert_array_equal(got, weight)


@pytest.mark.slow
@pytest.mark.skipif(not native.available(), reason="the sizes are those of native kernels")
def test_more_draws_than_32_bits_count() -> None:
    """The counter's upper word is used too; it fills 4.3 GB."""
    rows = 2**27 + 5
    key = jax.random.key(3)
    drawn = jax.jit(lambda: bernoulli.bernoulli(key, 0.3, (rows, 32)))()
    for first in (0, rows // 2, rows - 9):
        last = np.arange(first * 32, (first + 9) * 32, dtype=np.uint64)[: (rows - first) * 32]
        counts = np.concatenate([last >> 32, last & 0xFFFFFFFF]).astype(np.uint32)
        bits = threefry_2x32(jax.random.key_data(key), jnp.asarray(counts)).reshape(2, -1)
        expected = np.asarray(bits[0] ^ bits[1]) >> 9 < np.float32(0.3) * 2**23
        np.testing.assert_array_equal(drawn[first : first + 9].reshape(-1), expected)


@pytest.mark.slow
@pytest.mark.skipif(not native.available(), reason="the sizes are those of native kernels")
def test_more_elements_than_32_bits_count() -> None:
    """Arrays of more than 2 ** 31 elements: no index of a kernel overflows. In bfloat16, for they fill 4.5 GB."""
    rows, d = 140_000_000, 16
    last = jnp.arange(d, dtype="bfloat16")
    weights = jnp.zeros((d, 8), "bfloat16").at[:, 3].set(last)

    @jax.jit
    def input_gradient() -> Any:
        dy = jnp.zeros((rows, 8), "bfloat16").at[-1, 3].set(1)
        x = jnp.zeros((rows, d), "bfloat16")  # its values are not read, and it is not made
        return jax.vjp(lambda x: dense.affine(x, weights), x)[1](dy)[0]

    x = input_gradient()
    np.testing.assert_array_equal(x[-2:], jnp.stack([jnp.zeros_like(last), last]))
    y = jax.jit(dense.affine)(x, jnp.eye(d, 8, dtype="bfloat16"))
    np.testing.assert_array_equal(y[-1], last[:8])
    del y
    mean, _ = jax.jit(normalization.moments, static_argnums=1)(x, 0)
    assert_close(mean, np.arange(d) / rows, "long sums")

    def images(x: jax.Array) -> jax.Array:
        return x.reshape(-1, 100, 100, d)

    top = jax.jit(lambda x: pool.max_pool(images(x), (2, 2), (2, 2), "valid"))(x)
    np.testing.assert_array_equal(top[-1, -1, -1], last)
    del top
    kernel = jnp.zeros((2, 2, d, d), "bfloat16").at[1, 1].set(jnp.eye(d, dtype="bfloat16"))
    y = jax.jit(lambda x: conv.conv(images(x), kernel, (2, 2), "valid", (1, 1)))(x)
    np.testing.assert_array_equal(y[-1, -1, -1], last)
