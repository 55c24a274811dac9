"""ResNet-20 for 32 x 32 images (He et al. 2015, arXiv:1512.03385, section 4.2), SGD with momentum."""

from typing import Any

import numpy as np

from benchmarks.cases.base import Arrays, Case

STAGES = ((16, 1), (32, 2), (64, 2))  # filters, stride of the first block
BLOCKS = 3


def build(keras: Any) -> Any:
    """(b, 32, 32, 3) -> (b, 10)"""
    layers = keras.layers

    def convolution(x: Any, filters: int, size: int, stride: int) -> Any:
        return layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)

    def block(x: Any, filters: int, stride: int) -> Any:
        y = layers.BatchNormalization()(convolution(x, filters, 3, stride))
        y = convolution(layers.Activation("relu")(y), filters, 3, 1)
        y = layers.BatchNormalization()(y)
        if stride > 1:
            x = layers.BatchNormalization()(convolution(x, filters, 1, stride))
        return layers.Activation("relu")(layers.Add()([x, y]))

    inputs = keras.Input((32, 32, 3))
    x = layers.BatchNormalization()(convolution(inputs, 16, 3, 1))
    x = layers.Activation("relu")(x)
    for filters, stride in STAGES:
        for number in range(BLOCKS):
            x = block(x, filters, stride if number == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def make_data(generator: np.random.Generator, rows: int) -> Arrays:
    """x (b, 32, 32, 3) float32: one of ten patterns under noise, y (b,) int32"""
    patterns = generator.random((10, 8, 8, 3), dtype=np.float32).repeat(4, axis=1).repeat(4, axis=2)
    y = generator.integers(0, 10, rows, dtype=np.int32)
    x = 0.3 * patterns[y] + 0.7 * generator.random((rows, 32, 32, 3), dtype=np.float32)
    return x, y


def _multiplications() -> tuple[int, int]:
    """Of the first convolution's forward pass over one image, and of all others' together."""
    side, channels, others = 32, 16, 0
    for filters, stride in STAGES:
        side //= stride
        others += side * side * 9 * filters * (channels + (2 * BLOCKS - 1) * filters)
        others += side * side * filters * channels if stride > 1 else 0
        channels = filters
    return 32 * 32 * 9 * 3 * 16, others + 64 * 10


FIRST, OTHERS = _multiplications()

CASE = Case(
    name="resnet20",
    title="ResNet-20, 32 x 32 x 3, batch 64, SGD with momentum",
    batch=64,
    steps=12,
    build=build,
    make_data=make_data,
    predict_rows=512,
    predict_batch=64,
    operations=2 * (2 * FIRST + 3 * OTHERS),
)
CASES = (CASE, CASE.in_bfloat16())
