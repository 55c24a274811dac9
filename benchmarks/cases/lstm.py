"""Text classifiers: an embedding of 20,000 words, recurrent layers, one sigmoid, Adam."""

from typing import Any

import numpy as np

from benchmarks.cases.base import Arrays, Case

WORDS = 20_000
LENGTH = 80
UNITS = 128


def _compiled(keras: Any, layers: list[Any]) -> Any:
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            *layers,
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def build_lstm(keras: Any) -> Any:
    """(b, 80) word numbers -> (b, 1)"""
    layers = keras.layers
    return _compiled(keras, [layers.Embedding(WORDS, UNITS), layers.LSTM(UNITS)])


def build_gru(keras: Any) -> Any:
    """(b, 80) word numbers -> (b, 1)"""
    layers = keras.layers
    return _compiled(keras, [layers.Embedding(WORDS, UNITS), layers.GRU(UNITS)])


def build_bidirectional(keras: Any) -> Any:
    """(b, 80) word numbers, 0 for what is no word -> (b, 1); two masked bidirectional layers"""
    layers = keras.layers
    return _compiled(
        keras,
        [
            layers.Embedding(WORDS, UNITS, mask_zero=True),
            layers.Bidirectional(layers.LSTM(UNITS // 2, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(UNITS // 2)),
        ],
    )


def draw_words(generator: np.random.Generator, rows: int) -> np.ndarray:
    """(b, 80) int32: frequency ranks, drawn as in a real text (Zipf's law: rank r has odds 1/r)."""
    return np.exp(generator.random((rows, LENGTH)) * np.log(WORDS - 1)).astype(np.int32)


def make_data(generator: np.random.Generator, rows: int) -> Arrays:
    """x (b, 80) int32 word numbers, y (b, 1) float32: which of two vocabularies prevails."""
    ranks = draw_words(generator, rows)
    opinion = generator.choice([-1.0, 1.0], WORDS)
    y = opinion[ranks].sum(axis=1, keepdims=True) > 0
    return ranks, y.astype(np.float32)


def make_padded_data(generator: np.random.Generator, rows: int) -> Arrays:
    """The same, of 20 to 80 words each and 0 behind them."""
    x, y = make_data(generator, rows)
    lengths = generator.integers(20, LENGTH + 1, (rows, 1))
    return np.where(np.arange(LENGTH) < lengths, np.maximum(x, 1), 0).astype(np.int32), y


def _recurrent(d: int, units: int, gates: int) -> int:
    """Multiplications of one layer's forward pass over one row."""
    return LENGTH * (d + units) * units * gates


CASE = Case(
    name="lstm",
    title="Embedding 20000 x 128, LSTM 128, t 80, batch 32, Adam",
    batch=32,
    steps=80,
    build=build_lstm,
    make_data=make_data,
    predict_rows=1024,
    operations=2 * 3 * _recurrent(UNITS, UNITS, 4),
)
GRU = Case(
    name="gru",
    title="Embedding 20000 x 128, GRU 128, t 80, batch 32, Adam",
    batch=32,
    steps=80,
    build=build_gru,
    make_data=make_data,
    predict_rows=1024,
    operations=2 * 3 * _recurrent(UNITS, UNITS, 3),
)
BIDIRECTIONAL = Case(
    name="bilstm",
    title="Embedding 20000 x 128, two masked bidirectional LSTM 64, t 80, batch 32, Adam",
    batch=32,
    steps=40,
    build=build_bidirectional,
    make_data=make_padded_data,
    predict_rows=1024,
    operations=2 * 3 * 4 * _recurrent(UNITS, UNITS // 2, 4),
)
CASES = (CASE, CASE.in_bfloat16(), GRU, GRU.in_bfloat16(), BIDIRECTIONAL)
