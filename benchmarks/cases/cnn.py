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


# Multiplications of a forward pass. Pooling reads 10 x 10 of the 11 x 11 places of the second
# convolution; what nobody reads need not be computed.
FIRST, SECOND, DENSE = 26 * 26 * 32 * 9, 10 * 10 * 64 * 9 * 32, 1600 * 64 + 64 * 10

CASE = Case(
    name="cnn",
    title="Notes' CNN, batch 32, Adam",
    batch=32,
    steps=400,
    build=build,
    make_data=make_data,
    operations=2 * (2 * FIRST + 3 * SECOND + 3 * DENSE),  # no gradient for the images
)
BATCH_256 = Case(
    name="cnn-256",
    title="Notes' CNN, batch 256, Adam",
    batch=256,
    steps=60,
    build=build,
    make_data=make_data,
    operations=CASE.operations,
    model="cnn",
)
CASES = (CASE, BATCH_256, CASE.in_bfloat16())
