"""What training adds to layers: normalisation, dropout, the steps of optimizers."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases.lstm import WORDS
from benchmarks.kernels.kernel import Kernel, normal
from hornbeam import ops
from hornbeam.keras import optimizers
from hornbeam.kernels import bernoulli, embedding, normalization, updates

STEPS = 10


def normalization_kernels() -> Iterator[Kernel]:
    """Batch normalisation and relu, without and with the addition of a residual network; layer normalisation."""

    def normalize(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
        mean, variance = normalization.moments(x, (0, 1, 2))
        return normalization.batch_normalization(x, mean, variance, gamma, beta, 1e-3)

    def with_relu(*args: jax.Array) -> jax.Array:
        return ops.relu.raw(normalize(*args))

    def residual(other: jax.Array, *args: jax.Array) -> jax.Array:
        return ops.relu.raw(ops.add.raw(other, normalize(*args)))

    for side, channels in ((32, 16), (16, 32), (8, 64)):
        x, vector = normal(64, side, side, channels), normal(channels)
        size = f"64 x {side} x {side} x {channels}"
        arguments = (x, vector, vector)
        yield Kernel("batch norm + relu", size, with_relu, arguments, differentiate=(0, 1, 2))
        yield Kernel(
            *("batch norm + other + relu", size, residual, (x, *arguments)),
            differentiate=(0, 1, 2, 3),
        )

    def by_rows(x: jax.Array, *vectors: jax.Array) -> jax.Array:
        gamma, beta = (vector.astype("float32") for vector in vectors)  # as layers keep them
        return normalization.layer_normalization(x, gamma, beta, 1e-3)

    for rows, channels in ((2048, 256), (512, 1024), (128, 64)):
        arguments = normal(rows, channels), normal(channels), normal(channels)
        size = f"{rows} x {channels}"
        yield Kernel("layer norm", size, by_rows, arguments, differentiate=(0, 1, 2))


def dropout_kernels() -> Iterator[Kernel]:
    """Dropout of half, drawn anew from a key that moves on; bits alone, and with the product that uses them."""

    def bits(seed: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return bernoulli.bernoulli(jax.random.key(seed), 0.5, shape)

    def dropped(x: jax.Array, seed: jax.Array) -> jax.Array:
        return jnp.where(bits(seed, x.shape), x / 0.5, 0)

    seed = jnp.uint32(7)
    for shape in ((16, 64), (128, 512), (2048, 256)):
        size = " x ".join(map(str, shape))
        draw = partial(bits, shape=shape)
        yield Kernel("dropout's bits", size, draw, (seed,), dtypes=("float32",))
        yield Kernel("dropout", size, dropped, (normal(*shape), seed), differentiate=(0,))


def update_kernels() -> Iterator[Kernel]:
    """Ten steps on all variables at once: those of the notes' CNN, and of an embedding and an LSTM."""
    small = ((3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 64), (64,), (64, 10), (10,))
    large = ((WORDS, 128), (128, 512), (128, 512), (512,), (128, 1), (1,))
    for name, optimizer in (
        ("SGD", optimizers.SGD()),
        ("SGD, momentum", optimizers.SGD(momentum=0.9)),
        ("RMSprop", optimizers.RMSprop()),
        ("Adam", optimizers.Adam()),
        ("AdamW", optimizers.AdamW()),
    ):
        optimizer.build([])
        rule, decays = _kernel(optimizer), bool(optimizer.weight_decay)
        for shapes in (small, large):
            gradients = [normal(*shape) for shape in shapes]
            elements = sum(gradient.size for gradient in gradients)
            size = f"{elements} elements, {STEPS} steps"
            call = partial(_steps, rule, decays, lambda step, *gradients: gradients)
            yield Kernel(name, size, call, tuple(gradients), dtypes=("float32",))


def row_update_kernels() -> Iterator[Kernel]:
    """Ten steps of Adam on a table of which some rows are looked up."""
    n, d, m = WORDS, 128, 2560
    rule = _kernel(optimizers.Adam())
    indices = jnp.asarray(np.random.default_rng(0).integers(0, n, m), jnp.int32)
    table = jnp.zeros((n, d))

    def gradient(step: jax.Array, indices: jax.Array, dy: jax.Array) -> tuple[jax.Array, ...]:
        rows = (indices + step) % n  # others in each step, so that nothing is computed once for all
        return jax.vjp(lambda t: embedding.take_rows(t, rows, dy.dtype), table)[1](dy)

    call = partial(_steps, rule, False, gradient)
    size = f"{n} x {d}, {m} rows, {STEPS} steps"
    yield Kernel("embedding + Adam", size, call, (indices, normal(m, d)))


def _kernel(optimizer: optimizers.Optimizer) -> updates.UpdateRule:
    rule = optimizer.rule()
    assert rule is not None and rule.kernel is not None
    return rule.kernel


def _steps(
    rule: updates.UpdateRule, decays: bool, gradients: Callable[..., Any], *arguments: jax.Array
) -> Any:
    """Variables of zeros after some steps of the rule, in place as in training."""
    shapes = [g.shape for g in jax.eval_shape(gradients, jnp.int32(0), *arguments)]
    rate, decay = jnp.float32(0.001), jnp.float32(1e-6)

    def step(number: Any, state: Any) -> Any:
        found = list(gradients(number, *arguments))
        return updates.update_all(rule, rate, decay, [decays] * len(found), found, *state)

    zeros = [jnp.zeros(shape) for shape in shapes]
    start = zeros, [dict.fromkeys(rule.slots, zero) for zero in zeros]
    return jax.lax.fori_loop(0, STEPS, step, start)[0]
