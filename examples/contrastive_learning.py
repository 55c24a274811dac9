"""Learning without labels: two distorted views of one signal belong together.

A subclassed model learns an encoder from pairs of views, by its own `train_step`; a linear
classifier on a few labels then shows what the encoder has learnt, beside an untrained encoder.

    python -m hornbeam examples/contrastive_learning.py            # or plain python, with TensorFlow
    python -m hornbeam examples/contrastive_learning.py --small    # a few seconds

After T. Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

LENGTH = 64
KINDS = 4


def signals(n, seed):
    """Return waves (n, LENGTH, 1) of four forms, any phase and pitch, and their forms (n,)."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, KINDS, n)
    turns = rng.uniform(2, 5, (n, 1)) * np.arange(LENGTH) / LENGTH + rng.uniform(0, 1, (n, 1))
    part = turns % 1
    forms = [np.sin(2 * np.pi * turns), np.where(part < 0.5, 1.0, -1.0), 2 * part - 1]
    forms.append(np.where(part < 0.15, 2.0, -0.3))
    waves = np.choose(kind[:, None], forms) + rng.normal(0, 0.3, (n, LENGTH))
    return waves[..., None].astype("float32"), kind.astype("int32")


class Distort(layers.Layer):
    """Make a signal louder or softer, turn it round, and add noise."""

    def call(self, inputs):
        one_each = (tf.shape(inputs)[0], 1, 1)
        loudness = tf.random.uniform(one_each, 0.6, 1.4)
        backwards = tf.random.uniform(one_each) < 0.5
        turned = tf.where(backwards, tf.reverse(inputs, axis=[1]), inputs)
        return turned * loudness + tf.random.normal(tf.shape(inputs), stddev=0.2)


class Contrastive(keras.Model):
    def __init__(self, units=64, temperature=0.2, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature
        self.distort = Distort()
        self.encoder = keras.Sequential(
            [
                layers.Conv1D(32, 7, strides=2, activation="relu"),
                layers.Conv1D(64, 5, strides=2, activation="relu"),
                layers.GlobalAveragePooling1D(),
                layers.Dense(units, activation="relu"),
            ]
        )
        self.head = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(32)])
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.pairs = keras.metrics.SparseCategoricalAccuracy(name="pairs_found")

    def call(self, inputs):
        return self.encoder(inputs)

    @property
    def metrics(self):
        return [self.loss_tracker, self.pairs]

    def likeness(self, first, second):
        """Return how like each first view is to each second one, (n, n)."""
        first = tf.math.l2_normalize(self.head(self(first)), axis=1)
        second = tf.math.l2_normalize(self.head(self(second)), axis=1)
        return tf.matmul(first, second, transpose_b=True) / self.temperature

    def train_step(self, data):
        first, second = self.distort(data), self.distort(data)
        partner = tf.range(tf.shape(data)[0])
        with tf.GradientTape() as tape:
            likeness = self.likeness(first, second)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(partner, likeness)
            back = tf.nn.sparse_softmax_cross_entropy_with_logits(partner, tf.transpose(likeness))
            loss = tf.reduce_mean(each + back) / 2
        variables = self.encoder.trainable_variables + self.head.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables))
        self.loss_tracker.update_state(loss)
        self.pairs.update_state(partner, likeness)
        return {m.name: m.result() for m in self.metrics}


def probe(model, epochs):
    """Return the test accuracy of a linear classifier on what the model says of 40 signals."""
    x_train, y_train = signals(40, 1)
    x_test, y_test = signals(1000, 2)
    classifier = keras.Sequential([layers.BatchNormalization(momentum=0.9), layers.Dense(KINDS)])
    classifier.compile(
        optimizer=keras.optimizers.Adam(2e-2),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    codes = model.predict(x_train, verbose=0)
    classifier.fit(codes, y_train, epochs=epochs, verbose=0)
    return classifier.evaluate(model.predict(x_test, verbose=0), y_test, verbose=0)[1]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Contrastive learning.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count, epochs, probing = (1280, 4, 40) if options.small else (10240, 30, 40)

    keras.utils.set_random_seed(options.seed)
    x, _ = signals(count, 0)
    model = Contrastive()
    print("codes", model(x[:2]).shape, "likeness", model.likeness(x[:3], x[:3]).shape)
    print(f"probe of the untrained encoder: {probe(model, probing):.2f}")
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    history = model.fit(x, batch_size=128, epochs=epochs, verbose=0).history
    for epoch in range(epochs):
        print(f"epoch {epoch + 1}:", *(f"{name} {history[name][epoch]:.3f}" for name in history))
    print(f"probe of the trained encoder: {probe(model, probing):.2f}")
    print("weights", len(model.trainable_weights), "steps", int(model.optimizer.iterations))


if __name__ == "__main__":
    main()
