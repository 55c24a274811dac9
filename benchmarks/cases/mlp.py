"""A perceptron with two hidden layers and dropout, RMSprop: matrix products and little else."""

from typing import Any

import numpy as np

from benchmarks.cases.base import Arrays, Case, blurred_digits


def build(keras: Any) -> Any:
    """(b, 784) -> (b, 10)"""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make_data(generator: np.random.Generator, rows: int) -> Arrays:
    """x (b, 784) float32, y (b,) int32"""
    x, y = blurred_digits(generator, rows)
    return x.reshape(rows, 784), y


CASE = Case(
    name="mlp",
    title="MLP 784-512-512-10, dropout 0.2, batch 128, RMSprop",
    batch=128,
    steps=400,
    build=build,
    make_data=make_data,
    operations=2 * (2 * 784 * 512 + 3 * (512 * 512 + 512 * 10)),  # no gradient for the inputs
)
CASES = (CASE, CASE.in_bfloat16())
