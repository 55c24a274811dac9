"""Many kernels at once: on many threads, in one program and in several, with the results that each gives alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.kernels import attention, conv, dense, native, normalization, pool, recurrent

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


FUNCTIONS = (convolution, recurrence, attention_and_norm)


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
def test_more_elements_than_32_bits_count() -> None:
    """Arrays of more than 2 ** 31 elements: no index of a kernel overflows. In bfloat16, for they fill 4.5 GB."""
    rows, d = 140_000_000, 16
    last = jnp.arange(d, dtype="bfloat16")
    x = jax.jit(lambda: jnp.zeros((rows, d), "bfloat16").at[-1].set(last))()
    y = jax.jit(dense.affine)(x, jnp.eye(d, 8, dtype="bfloat16"))
    np.testing.assert_array_equal(y[-1], last[:8])
    mean, _ = jax.jit(normalization.moments, static_argnums=1)(x, 0)
    np.testing.assert_allclose(mean, np.arange(d) / rows, rtol=1e-3)
    images = x.reshape(-1, 100, 100, d)
    top = jax.jit(lambda a: pool.max_pool(a, (2, 2), (2, 2), "valid"))(images)
    np.testing.assert_array_equal(top[-1, -1, -1], last)
    kernel = jnp.zeros((2, 2, d, d), "bfloat16").at[1, 1].set(jnp.eye(d, dtype="bfloat16"))
    y = jax.jit(lambda a: conv.conv(a, kernel, (2, 2), "valid", (1, 1)))(images)
    np.testing.assert_array_equal(y[-1, -1, -1], last)
