"""A text classifier of two transformer encoder layers (Vaswani et al. 2017, arXiv:1706.03762), Adam."""

from typing import Any

import numpy as np

from benchmarks.cases.base import Arrays, Case

WORDS, LENGTH, WIDTH, HIDDEN, HEADS, LAYERS = 5000, 128, 256, 1024, 8, 2

# With Adam's usual 1e-3 and no warm-up the first steps leap to losses of 1.6 to 2.5, by the initial weights: nobody could
# tell from them whether all frameworks train the same model.
RATE = 1e-4


def build(keras: Any) -> Any:
    """(b, 128) word numbers -> (b, 2)"""
    layers = keras.layers
    inputs = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(WORDS, WIDTH)(inputs)
    for _ in range(LAYERS):
        y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, y]))
        y = layers.Dense(HIDDEN, activation="relu")(x)
        y = layers.Dense(WIDTH)(y)
        x = layers.LayerNormalization()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def make_data(generator: np.random.Generator, rows: int) -> Arrays:
    """x (b, 128) int32 word numbers, y (b,) int32: which of two vocabularies prevails"""
    x = generator.integers(0, WORDS, (rows, LENGTH), dtype=np.int32)
    opinion = generator.choice([-1, 1], WORDS)
    return x, (opinion[x].sum(axis=1) > 0).astype(np.int32)


# Multiplications of one layer's forward pass over one row: projections, scores and sums, the two
# dense layers.
LAYER = LENGTH * (4 * WIDTH * WIDTH + 2 * LENGTH * WIDTH + 2 * WIDTH * HIDDEN)

CASE = Case(
    name="transformer",
    title="Transformer, 2 layers, t 128, d 256, ffn 1024, 8 heads, batch 16, Adam",
    batch=16,
    steps=12,
    build=build,
    make_data=make_data,
    predict_rows=256,
    predict_batch=32,
    operations=2 * 3 * LAYERS * LAYER,
)
CASES = (CASE, CASE.in_bfloat16())
