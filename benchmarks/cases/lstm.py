"""A text classifier: an embedding of 20,000 words, one LSTM, one sigmoid, Adam."""

from typing import Any

import numpy as np

from benchmarks.cases.base import Arrays, Case

WORDS = 20_000
LENGTH = 80


def build(keras: Any) -> Any:
    """(b, 80) word numbers -> (b, 1)"""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 128),
            layers.LSTM(128),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def make_data(generator: np.random.Generator, rows: int) -> Arrays:
    """x (b, 80) int32 word numbers, y (b, 1) float32: which of two vocabularies prevails.

    Word numbers are frequency ranks, drawn as in a real text (Zipf's law: rank r has odds 1/r).
    """
    ranks = np.exp(generator.random((rows, LENGTH)) * np.log(WORDS - 1)).astype(np.int32)
    opinion = generator.choice([-1.0, 1.0], WORDS)
    y = opinion[ranks].sum(axis=1, keepdims=True) > 0
    return ranks, y.astype(np.float32)


CASE = Case(
    name="lstm",
    title="Embedding 20000 x 128, LSTM 128, t 80, batch 32, Adam",
    batch=32,
    steps=80,
    build=build,
    make_data=make_data,
    predict_rows=1024,
)
