"""Every line that the notes head with "Cú pháp" (syntax), with concrete values in its places."""

from __future__ import annotations

import pytest

from tests.notes.conftest import Run

START = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models, losses, optimizers

images = np.ones((2, 28, 28, 1), 'float32')
words = np.array([[1, 2, 3], [4, 5, 0]])
states = np.ones((2, 3, 4), 'float32')
x, y = np.linspace(-1, 1, 32, dtype='float32').reshape(16, 2), np.arange(16) % 3
x_test, y_test, x_new = x[:8], y[:8], x[:5]
model = models.Sequential([layers.Dense(3, activation='softmax')])


def show(value):
    value = getattr(value, 'numpy', lambda: value)()
    print(np.round(value, 4) if isinstance(value, float | np.generic | np.ndarray) else value)
"""

LAYERS = {
    "Conv2D(filters=8, kernel_size=(3, 3), activation='relu', input_shape=(28, 28, 1), "
    "padding='same', strides=2)": ("images", "(2, 14, 14, 8)"),
    "Conv2D(8, (3, 3))": ("images", "(2, 26, 26, 8)"),
    "MaxPooling2D((2, 2))": ("images", "(2, 14, 14, 1)"),
    "MaxPooling2D(pool_size=(4, 4))": ("images", "(2, 7, 7, 1)"),
    "Flatten()": ("images", "(2, 784)"),
    "Dense(64, activation='relu')": ("states", "(2, 3, 64)"),
    "Embedding(10, 4)": ("words", "(2, 3, 4)"),
    "Embedding(input_dim=10, output_dim=4)": ("words", "(2, 3, 4)"),
    "LSTM(5)": ("states", "(2, 5)"),
    "LSTM(units=5)": ("states", "(2, 5)"),
    "GRU(5)": ("states", "(2, 5)"),
    "GRU(units=5)": ("states", "(2, 5)"),
}

# What is written, and what it prints.
LINES = {
    **{
        f"tuple(tf.keras.layers.{layer}({value}).shape)": shape
        for layer, (value, shape) in LAYERS.items()
    },
    "tuple(tf.keras.layers.Input(shape=(28, 28, 1)).shape)": "(None, 28, 28, 1)",
    # The model: its methods with the arguments in the notes' order.
    "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])": "None",
    "len(model.fit(x, y, epochs=2, batch_size=4, verbose=0).history['loss'])": "2",
    "len(model.evaluate(x_test, y_test, verbose=0))": "2",
    "model.predict(x_new, verbose=0).shape": "(5, 3)",
    "tf.keras.losses.MeanSquaredError()([0.0, 1.0], [1.0, 1.0])": "0.5",
    "tf.keras.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])": "0.6931",
    "tf.keras.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])": "0.6931",
    "float(tf.keras.optimizers.SGD(0.01).learning_rate)": "0.01",
    "float(tf.keras.optimizers.SGD(learning_rate=0.1).learning_rate)": "0.1",
    "float(tf.keras.optimizers.Adam(learning_rate=0.01).learning_rate)": "0.01",
    "float(tf.keras.optimizers.RMSprop(learning_rate=0.01).learning_rate)": "0.01",
    "tf.nn.relu([-1.0, 0.0, 2.0])": "[0. 0. 2.]",
    "tf.nn.sigmoid([0.0, 100.0])": "[0.5 1. ]",
    "tf.nn.softmax([1.0, 1.0])": "[0.5 0.5]",
    "tf.nn.tanh([0.0, 100.0])": "[0. 1.]",
}


@pytest.fixture(scope="module")
def printed(run: Run) -> dict[str, str]:
    """What each line prints, all in one run; a line that raises prints its error."""
    lines = "".join(
        f"try:\n    show({line})\nexcept Exception as error:\n    print(type(error), error)\n"
        "print('---')\n"
        for line in LINES
    )
    done = run(START + lines)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.split("---\n")
    return dict(zip(LINES, shown[:-1], strict=True))


@pytest.mark.parametrize("line", LINES)
def test_line(printed: dict[str, str], line: str) -> None:
    assert printed[line].rstrip("\n") == LINES[line]
