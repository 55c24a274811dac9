"""From "7 march 2021" to "2021-03-07": sequence to sequence with attention, and an RNN cell of our own.

The encoder reads the letters of a date; the decoder writes the date anew, letter by letter, and looks
back at what was read. Both are recurrent layers around a cell that is written here.

    python -m hornbeam examples/translation_with_attention.py            # or plain python, with TensorFlow
    python -m hornbeam examples/translation_with_attention.py --small    # a few seconds

After M. Luong, H. Pham and C. Manning, "Effective Approaches to Attention-based Neural Machine
Translation", 2015; the cell after J. Heck and F. Salem, "Simplified Minimal Gated Unit", 2017.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

MONTHS = "january february march april may june july august september october november december"
LETTERS = "\0^" + "abcdefghijklmnopqrstuvwxyz0123456789 -"  # padding, begin, and what is written
READ, WRITTEN = 17, 10


def encode(texts, length):
    """Return the texts as numbers of letters (n, length), 0 behind their end."""
    numbers = np.zeros((len(texts), length), "int32")
    for row, text in enumerate(texts):
        numbers[row, : len(text)] = [LETTERS.index(letter) for letter in text]
    return numbers


def dates(n, seed):
    """Return n dates as people write them, and as machines do."""
    rng = np.random.default_rng(seed)
    people, machines = [], []
    for _ in range(n):
        year, month, day = rng.integers(1970, 2030), rng.integers(1, 13), rng.integers(1, 29)
        people.append(f"{day} {MONTHS.split()[month - 1]} {year}")
        machines.append(f"{year}-{month:02}-{day:02}")
    return people, machines


@keras.utils.register_keras_serializable()
class MinimalGatedCell(layers.Layer):
    """A recurrent cell with one gate: how much of the old state is forgotten."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.output_size = units

    def build(self, input_shape):
        shape = (input_shape[-1] + self.units, self.units)
        self.gate = self.add_weight(shape=shape, initializer="glorot_uniform", name="gate")
        self.gate_bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")

    def call(self, inputs, states):
        (before,) = states
        both = tf.concat([inputs, before], axis=-1)
        forget = tf.sigmoid(tf.matmul(both, self.gate) + self.gate_bias)
        new = tf.tanh(tf.matmul(tf.concat([inputs, forget * before], axis=-1), self.kernel))
        state = forget * new + (1 - forget) * before
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def one_hot(numbers):
    return keras.ops.one_hot(numbers, len(LETTERS))


def make_model(units):
    read = keras.Input((READ,), dtype="int32", name="read")
    written = keras.Input((WRITTEN,), dtype="int32", name="written")
    letters = layers.Dense(32, use_bias=False, name="letters")

    reader = layers.RNN(MinimalGatedCell(units), return_sequences=True)
    states = layers.Bidirectional(reader, merge_mode="sum", name="encoder")(letters(one_hot(read)))
    decoder = layers.RNN(MinimalGatedCell(units), return_sequences=True, name="decoder")
    asked = decoder(letters(one_hot(written)))
    seen = layers.Attention(name="attention")([asked, states])
    x = layers.Concatenate()([asked, seen])
    x = layers.Dense(units, activation="tanh")(x)
    return keras.Model([read, written], layers.Dense(len(LETTERS), name="letter")(x))


def shifted(numbers):
    """Return what the decoder has written before each letter: "^" and all letters but the last."""
    begin = np.full((len(numbers), 1), LETTERS.index("^"), "int32")
    return np.concatenate([begin, numbers[:, :-1]], axis=1)


def translate(model, texts):
    """Return the translations, written letter by letter, each time the likeliest one."""
    read = encode(texts, READ)
    numbers = np.zeros((len(texts), WRITTEN), "int32")
    for i in range(WRITTEN):
        logits = model.predict([read, shifted(numbers)], verbose=0)
        numbers[:, i] = logits[:, i].argmax(-1)
    return ["".join(LETTERS[number] for number in row) for row in numbers]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Sequence to sequence with attention.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count, epochs, units = (1536, 3, 32) if options.small else (8192, 15, 96)

    keras.utils.set_random_seed(options.seed)
    model = make_model(units)
    model.compile(
        optimizer=keras.optimizers.Adam(4e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    people, machines = dates(count, 0)
    x, y = encode(people, READ), encode(machines, WRITTEN)
    history = model.fit([x, shifted(y)], y, batch_size=64, epochs=epochs, verbose=0).history
    for epoch in range(epochs):
        print(f"epoch {epoch + 1}:", *(f"{name} {history[name][epoch]:.3f}" for name in history))
    print("parameters", model.count_params())

    people, machines = dates(100, 1)
    written = translate(model, people)
    letters = np.mean([a == b for u, v in zip(written, machines) for a, b in zip(u, v)])
    print("written", len(written), "of", {len(text) for text in written}, "letters")
    print(f"right letters: {letters:.2f}")
    if not options.small:
        for before, after in zip(people[:5], written[:5]):
            print(f"    {before} -> {after}")


if __name__ == "__main__":
    main()
