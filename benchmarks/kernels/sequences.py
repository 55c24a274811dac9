"""Recurrent layers, of any rows and of words; the gradient of a table of words."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases.lstm import LENGTH, WORDS, draw_words
from benchmarks.kernels.kernel import Kernel, normal
from hornbeam.kernels import embedding, recurrent


def recurrent_kernels() -> Iterator[Kernel]:
    """LSTM and GRU over 80 steps, the last output alone; of any rows, and of words."""
    b, t, u = 32, LENGTH, 128
    x, h = normal(b, t, u), normal(b, u)

    def last(layer: Callable[..., Any], *arguments: Any) -> Any:
        return layer(*arguments, return_sequences=False)[0]

    reset_before = partial(recurrent.gru, reset_after=False)
    for name, layer, gates, states, bias in (
        ("LSTM", recurrent.lstm, 4, (h, h), normal(4 * u)),
        ("GRU", recurrent.gru, 3, (h,), normal(2, 3 * u)),
        ("GRU, reset before", reset_before, 3, (h,), normal(3 * u)),
    ):
        weights = (0.1 * normal(u, gates * u), 0.1 * normal(u, gates * u), bias)
        arguments = (x, *states, *weights)
        operations = 2 * b * t * 2 * u * gates * u
        wanted = (0, *range(1 + len(states), len(arguments)))
        size = f"{b} x {t} x {u} -> {u}"
        yield Kernel(name, size, partial(last, layer), arguments, operations, wanted)
        table, words = normal(WORDS, u), jnp.asarray(draw_words(np.random.default_rng(0), b))

        def of_words(table: jax.Array, *rest: Any, layer: Any = layer, words: Any = words) -> Any:
            return last(layer, embedding.take_rows(table, words), *rest)

        arguments = (table, *arguments[1:])
        yield Kernel(f"{name} of words", size, of_words, arguments, operations, wanted)


def embedding_kernels() -> Iterator[Kernel]:
    """The gradient of a table of which some rows are looked up: any rows, and words of a language."""
    d = 128
    for n, m in ((1000, 1024), (WORDS, 2560)):
        rows = np.random.default_rng(0).integers(0, n, m)
        call = partial(embedding.table_gradient, n=n)
        arguments = jnp.asarray(rows, jnp.int32), normal(m, d)
        yield Kernel("embedding gradient", f"{n} x {d}, {m} rows", call, arguments)
    words = draw_words(np.random.default_rng(0), 2560 // LENGTH).reshape(-1)
    call = partial(embedding.table_gradient, n=WORDS)
    arguments = jnp.asarray(words, jnp.int32), normal(words.size, d)
    yield Kernel("embedding gradient", f"{WORDS} x {d}, {words.size} words", call, arguments)
