"""A training loop written by hand: each line of what `fit` does, compiled by `tf.function`.

A network tells which of three arms of a spiral a point lies on.

    python -m hornbeam examples/training_loop.py            # or plain python, with TensorFlow
    python -m hornbeam examples/training_loop.py --small    # a few seconds
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

ARMS = 3


def spiral(n, seed):
    """Return points (n, 2) and the arm (n,) that each lies on."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, ARMS, n)
    radius = rng.uniform(0.1, 1, n)
    angle = 2 * np.pi * arm / ARMS + 4 * radius + rng.normal(0, 0.15, n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return points.astype("float32"), arm.astype("int32")


def batches(x, y, size, rng):
    """Yield the rows in random order, `size` at a time."""
    order = rng.permutation(len(x))
    for begin in range(0, len(x), size):
        rows = order[begin : begin + size]
        yield tf.constant(x[rows]), tf.constant(y[rows])


def main(arguments=None):
    parser = argparse.ArgumentParser(description="A training loop written by hand.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count, epochs = (1536, 5) if options.small else (6144, 20)

    keras.utils.set_random_seed(options.seed)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(0.1),
            layers.Dense(64, activation="relu"),
            layers.Dense(ARMS),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(1e-2, decay_steps=epochs * count // 64)
    optimizer = keras.optimizers.Adam(rate)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    train_loss = keras.metrics.Mean()
    train_accuracy = keras.metrics.SparseCategoricalAccuracy()
    test_accuracy = keras.metrics.SparseCategoricalAccuracy()
    traced = []  # Python runs only while a step is traced

    @tf.function
    def train_step(x, y):
        traced.append(x.shape)
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_of(y, logits)
        gradients = tape.gradient(loss, model.trainable_variables)
        gradients, norm = tf.clip_by_global_norm(gradients, 1.0)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        train_loss.update_state(loss)
        train_accuracy.update_state(y, logits)
        return norm

    @tf.function
    def test_step(x, y):
        test_accuracy.update_state(y, model(x, training=False))

    rng = np.random.default_rng(options.seed)
    x_train, y_train = spiral(count, 0)
    x_test, y_test = spiral(512, 1)
    for epoch in range(epochs):
        for metric in (train_loss, train_accuracy, test_accuracy):
            metric.reset_state()
        for x, y in batches(x_train, y_train, 64, rng):
            norm = train_step(x, y)
        for x, y in batches(x_test, y_test, 64, rng):
            test_step(x, y)
        print(
            f"epoch {epoch + 1}: loss {train_loss.result():.3f}, "
            f"accuracy {train_accuracy.result():.3f}, on test points {test_accuracy.result():.3f}"
        )
    print("steps", int(optimizer.iterations), "traced", len(traced), "shape", traced[0])
    print("norm of the last gradient", norm.dtype, norm.shape)


if __name__ == "__main__":
    main()
