"""Native kernels beside their jax.numpy references, value and gradient: `python -m benchmarks.kernels [NAME...]`.

Each is compiled once; turns are interleaved, native, reference, native, ...; the table shows medians, their ratio, and the
floor: the operations of a kernel's products over the measured peak.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import peak
from benchmarks.cases.lstm import LENGTH, WORDS, draw_words
from hornbeam import ops
from hornbeam.kernels import (
    attention,
    conv,
    dense,
    embedding,
    matmul,
    native,
    normalization,
    pool,
    recurrent,
    updates,
)

TURNS = 30


@dataclass(frozen=True)
class Kernel:
    """A kernel on arrays of one size."""

    name: str
    size: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    operations: float  # of its products, in a forward pass
    differentiate: tuple[
        int, ...
    ]  # the arguments that the gradient is taken of; none: it isn't measured


def _normal(*shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(sum(shape)).normal(size=shape), jnp.float32)


def _with_zeros(x: jax.Array, share: float) -> jax.Array:
    zero = np.random.default_rng(0).random(x.shape) < share
    return jnp.where(zero, 0, x)


def dense_kernels() -> Iterator[Kernel]:
    """Dense layers with relu, and what dropout leaves to one."""
    for b, d, u in ((32, 1600, 64), (128, 784, 512), (128, 512, 512), (2048, 256, 1024)):
        call = partial(dense.affine, activation="relu")
        arguments = (_normal(b, d), _normal(d, u), _normal(u))
        operations = 2 * b * d * u
        yield Kernel("dense", f"{b} x {d} -> {u}", call, arguments, operations, (0, 1, 2))
        if b >= 128:
            size = f"{b} x {d} -> {u}, 60 % zeros"
            arguments = (_with_zeros(arguments[0], 0.6), *arguments[1:])
            yield Kernel("dense", size, call, arguments, operations, (0, 1, 2))


def conv_kernels() -> Iterator[Kernel]:
    """Convolutions of ResNet-20, batch 64, and those of the notes' CNN with relu and pooling, batch 32."""
    for side, channels, filters, stride in ((32, 16, 16, 1), (32, 16, 32, 2), (8, 64, 64, 1)):
        call = partial(conv.conv, strides=(stride,) * 2, padding="same", dilation=(1, 1))
        arguments = (_normal(64, side, side, channels), _normal(3, 3, channels, filters))
        operations = 2 * 64 * (side // stride) ** 2 * 9 * channels * filters
        size = f"64 x {side} x {side} x {channels} -> {filters}, stride {stride}"
        yield Kernel("conv", size, call, arguments, operations, (0, 1))
    options = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1), "window": (2, 2)}
    for side, channels, filters, wanted in ((28, 1, 32, (1, 2)), (13, 32, 64, (0, 1, 2))):
        call = partial(conv.conv_max_pool, **options)
        arguments = (_normal(32, side, side, channels), _normal(3, 3, channels, filters))
        read = (side - 2) // 2 * 2
        operations = 2 * 32 * read * read * 9 * channels * filters
        size = f"32 x {side} x {side} x {channels} -> {filters}"
        yield Kernel(
            "conv + relu + pool", size, call, (*arguments, _normal(filters)), operations, wanted
        )


def normalization_kernels() -> Iterator[Kernel]:
    """Batch normalisation and relu, without and with the addition of a residual network."""

    def normalize(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
        mean, variance = normalization.moments(x, (0, 1, 2))
        return normalization.batch_normalization(x, mean, variance, gamma, beta, 1e-3)

    def with_relu(*args: jax.Array) -> jax.Array:
        return ops.relu.raw(normalize(*args))

    def residual(other: jax.Array, *args: jax.Array) -> jax.Array:
        return ops.relu.raw(ops.add.raw(other, normalize(*args)))

    for side, channels in ((32, 16), (16, 32), (8, 64)):
        x, vector = _normal(64, side, side, channels), _normal(channels)
        size = f"64 x {side} x {side} x {channels}"
        arguments = (x, vector, vector)
        yield Kernel("batch norm + relu", size, with_relu, arguments, 0, (0, 1, 2))
        yield Kernel("batch norm + other + relu", size, residual, (x, *arguments), 0, (0, 1, 2, 3))


def pool_kernels() -> Iterator[Kernel]:
    """Pooling alone."""
    for name, call in (("max pool", pool.max_pool), ("average pool", pool.average_pool)):
        for window, stride in ((2, 2), (3, 2)):
            each = partial(call, window=(window,) * 2, strides=(stride,) * 2, padding="same")
            size = f"32 x 26 x 26 x 64, window {window}, stride {stride}"
            yield Kernel(name, size, each, (_normal(32, 26, 26, 64),), 0, (0,))


def recurrent_kernels() -> Iterator[Kernel]:
    """LSTM and GRU over 80 steps, the last output alone; of any rows, and of words."""
    b, t, u = 32, LENGTH, 128
    x, h = _normal(b, t, u), _normal(b, u)

    def last(layer: Callable[..., Any], *arguments: Any) -> Any:
        return layer(*arguments, return_sequences=False)[0]

    for name, layer, gates, states, bias in (
        ("LSTM", recurrent.lstm, 4, (h, h), _normal(4 * u)),
        ("GRU", recurrent.gru, 3, (h,), _normal(2, 3 * u)),
    ):
        weights = (0.1 * _normal(u, gates * u), 0.1 * _normal(u, gates * u), bias)
        arguments = (x, *states, *weights)
        operations = 2 * b * t * 2 * u * gates * u
        wanted = (0, *range(1 + len(states), len(arguments)))
        size = f"{b} x {t} x {u} -> {u}"
        yield Kernel(name, size, partial(last, layer), arguments, operations, wanted)
        table, words = _normal(WORDS, u), jnp.asarray(draw_words(np.random.default_rng(0), b))

        def of_words(table: jax.Array, *rest: Any, layer: Any = layer, words: Any = words) -> Any:
            return last(layer, embedding.take_rows(table, words), *rest)

        arguments = (table, *arguments[1:])
        yield Kernel(f"{name} of words", size, of_words, arguments, operations, wanted)


def matmul_kernels() -> Iterator[Kernel]:
    """Products of batches of matrices: logits of attention, their sums of values, small and large squares."""
    sizes = ((128, 128, 32, 128), (128, 128, 128, 32), (64, 64, 64, 64), (8, 512, 512, 512))
    for z, m, k, n in sizes:
        arguments = (_normal(z, m, k), _normal(z, k, n))
        size = f"{z} x {m} x {k} x {n}"
        yield Kernel("matmul", size, matmul.matmul, arguments, 2 * z * m * k * n, (0, 1))


def attention_kernels() -> Iterator[Kernel]:
    """Attention of eight heads: one tile of keys, many of them, larger heads."""
    for b, t, n, d in ((16, 128, 8, 32), (2, 1024, 8, 64), (1, 2048, 4, 128)):
        call = partial(attention.attention, scale=d**-0.5)
        arguments = (_normal(b, t, n, d),) * 3
        operations = 2 * 2 * b * n * t * t * d
        yield Kernel("attention", f"{b} x {t} x {n} x {d}", call, arguments, operations, (0, 1, 2))


def embedding_kernels() -> Iterator[Kernel]:
    """Ten steps of Adam on a table of which some rows are looked up."""
    n, d, m = WORDS, 128, 2560
    constants = ("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7)
    rule = updates.Rule("adam", updates.adam, ("momentum", "velocity"), constants)
    indices = jnp.asarray(np.random.default_rng(0).integers(0, n, m), jnp.int32)
    rate, none = jnp.float32(0.001), jnp.float32(0)

    def steps(indices: jax.Array, dy: jax.Array) -> jax.Array:
        def step(_: Any, state: Any) -> Any:
            table, slots = state
            gradient = jax.vjp(lambda t: embedding.take_rows(t, indices, dy.dtype), table)[1](dy)[0]
            new = updates.update_all(rule, rate, none, [False], [gradient], [table], [slots])
            return new[0][0], new[1][0]

        zeros = jnp.zeros((n, d))
        start = zeros, {"momentum": zeros, "velocity": zeros}
        return jax.lax.fori_loop(0, 10, step, start)[0]

    size = f"{n} x {d}, {m} rows, 10 steps"
    yield Kernel("embedding + Adam", size, steps, (indices, _normal(m, d)), 0, ())


FAMILIES: dict[str, Callable[[], Iterator[Kernel]]] = {
    "dense": dense_kernels,
    "conv": conv_kernels,
    "normalization": normalization_kernels,
    "pool": pool_kernels,
    "recurrent": recurrent_kernels,
    "embedding": embedding_kernels,
    "matmul": matmul_kernels,
    "attention": attention_kernels,
}


def _compiled(kernel: Kernel, dtype: str, gradient: bool, natively: bool) -> Callable[[], Any]:
    arguments = tuple(
        a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a for a in kernel.arguments
    )

    def value(*args: Any) -> Any:
        return kernel.call(*args)

    def gradients(*args: Any) -> Any:
        outputs, pull = jax.vjp(value, *args)
        cotangents = jax.tree.map(jnp.ones_like, outputs)
        return [pull(cotangents)[i] for i in kernel.differentiate]

    def run(*args: Any) -> Any:
        return gradients(*args) if gradient else value(*args)

    if natively:
        program = jax.jit(run).lower(*arguments).compile()
    else:
        with native.switched_off():
            program = jax.jit(run).lower(*arguments).compile()
    return lambda: jax.block_until_ready(program(*arguments))


def measure(kernel: Kernel, dtype: str, gradient: bool, turns: int) -> tuple[float, float]:
    """Median seconds, native and reference."""
    programs = [_compiled(kernel, dtype, gradient, natively) for natively in (True, False)]
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 2):
        for program, each in zip(programs, times, strict=True):
            begin = time.perf_counter()
            program()
            if turn > 1:
                each.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the named families (all where none is named) and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*FAMILIES, []], metavar="NAME")
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args(arguments)
    if not native.available():
        raise SystemExit(f"There are no native kernels here: {native.why_not()}.")
    peaks = peak.products()
    print("| kernel | size | type | what | native, ms | reference, ms | ratio | floor, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.names or FAMILIES:
        for kernel in FAMILIES[name]():
            for dtype, rate in peaks.items():
                for gradient, what, passes in ((False, "value", 1), (True, "gradient", 3)):
                    if gradient and not kernel.differentiate:
                        continue
                    ours, theirs = measure(kernel, dtype, gradient, options.turns)
                    floor = passes * kernel.operations / rate
                    shown = " | ".join(f"{1000 * seconds:.3f}" for seconds in (ours, theirs))
                    print(
                        f"| {kernel.name} | {kernel.size} | {dtype} | {what} | {shown} "
                        f"| {theirs / ours:.2f} | {1000 * floor:.3f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
