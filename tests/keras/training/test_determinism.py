"""The same seed, data and number of threads give the same bits, from process to process, with native kernels on."""

import os
import subprocess
import sys

import pytest

TRAIN = """
import hashlib, sys
import numpy as np
from hornbeam import keras

layers = keras.layers
keras.mixed_precision.set_global_policy(sys.argv[1])


def images(random):
    body = [keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(), layers.DepthwiseConv2D(5, padding="same"),
            layers.AveragePooling2D(2), layers.Flatten()]
    return random.random((160, 28, 28, 1), "float32"), body, keras.optimizers.SGD(0.01, momentum=0.9)


def words(random):
    body = [keras.Input((40,), dtype="int32"), layers.Embedding(500, 64, mask_zero=True),
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)), layers.GRU(64)]
    return random.integers(0, 500, (160, 40)), body, "adam"


def attention(random):
    inputs = keras.Input((32, 64))
    seen = layers.MultiHeadAttention(4, 16, dropout=0.1)(inputs, inputs)
    block = keras.Model(inputs, layers.LayerNormalization()(layers.Add()([inputs, seen])))
    body = [keras.Input((32, 64)), block, layers.GlobalAveragePooling1D()]
    return random.random((160, 32, 64), "float32"), body, "adamw"


def vectors(random):
    body = [keras.Input((256,)), layers.Dense(256, activation="relu"), layers.BatchNormalization(),
            layers.Dropout(0.3), layers.Dense(256), layers.LayerNormalization()]
    return random.random((160, 256), "float32"), body, "rmsprop"


for kind in (images, words, attention, vectors):
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(0)
    x, body, optimizer = kind(random)
    y = random.integers(0, 10, 160)
    model = keras.Sequential([*body, layers.Dense(10, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=2, verbose=0)
    weights = b"".join(w.tobytes() for w in model.get_weights())
    assert np.isfinite(model.evaluate(x, y, verbose=0))
    print(kind.__name__, hashlib.sha256(weights).hexdigest())
"""


def trained(policy: str) -> list[str]:
    """Return the kinds of models and a hash of each one's weights, as a process of its own trains them."""
    result = subprocess.run(
        [sys.executable, "-c", TRAIN, policy], capture_output=True, text=True, env=os.environ
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_same_bits(policy: str) -> None:
    """One process trains all kinds of models: starting it takes longer than training one."""
    found = trained(policy)
    assert [line.split()[0] for line in found] == ["images", "words", "attention", "vectors"]
    assert found == trained(policy)
