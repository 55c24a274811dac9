"""The course notes' MNIST network: two convolutions with pooling, two dense layers, Adam."""

from typing import Any

import numpy as np

from benchmarks.cases.base import Arrays, Case, blurred_digits


def build(keras: Any) -> Any:
    """(b, 28, 28, 1) -> (b, 10)"""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make_data(generator: np.random.Generator, rows: int) -> Arrays:
    """x (b, 28, 28, 1) float32, y (b,) int32"""
    x, y = blurred_digits(generator, rows)
    return x[..., None], y


CASE = Case(
    name="cnn",
    title="Notes' CNN, batch 32, Adam",
    batch=32,
    steps=400,
    build=build,
    make_data=make_data,
)
