"""A layer with a gradient of its own: a network whose hidden units say yes or no, and still learn.

A step has slope 0 almost everywhere, so nothing below it would learn. The layer `Step` computes
the step, but in the backward pass acts as if it had been a soft one ("straight through").

    python -m hornbeam examples/custom_gradient.py            # or plain python, with TensorFlow
    python -m hornbeam examples/custom_gradient.py --small    # a few seconds

After Y. Bengio, N. Leonard and A. Courville, "Estimating or Propagating Gradients Through
Stochastic Neurons for Conditional Computation", 2013.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


@tf.custom_gradient
def step(x):
    """Return 1 where x is positive, else 0; its gradient is that of a sigmoid."""

    def gradient(upstream):
        soft = tf.sigmoid(x)
        return upstream * soft * (1 - soft)

    return tf.cast(x > 0, x.dtype), gradient


class Step(layers.Layer):
    """Yes or no; with `straight=False` as a plain step, through which nothing can be learnt."""

    def __init__(self, straight=True, **kwargs):
        super().__init__(**kwargs)
        self.straight = straight

    def call(self, inputs):
        if self.straight:
            return step(inputs)
        return tf.stop_gradient(tf.cast(inputs > 0, inputs.dtype))

    def get_config(self):
        return {**super().get_config(), "straight": self.straight}


def rings(n, seed):
    """Return points (n, 2) of the plane, and whether each lies between two circles, (n, 1)."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    radius = np.linalg.norm(x, axis=1, keepdims=True)
    return x.astype("float32"), ((radius > 0.4) & (radius < 0.85)).astype("float32")


def make_model(straight):
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(64, name="hidden"),
            Step(straight),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description="A layer with a gradient of its own.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count, epochs = (2048, 10) if options.small else (8192, 40)

    x = tf.constant([-2.0, -0.1, 0.1, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = step(x)
    print("step", y.numpy(), "gradient", np.round(tape.gradient(y, x).numpy(), 4))

    x_train, y_train = rings(count, 0)
    x_test, y_test = rings(1024, 1)
    for straight in (False, True):
        keras.utils.set_random_seed(options.seed)
        model = make_model(straight)
        model.compile(keras.optimizers.Adam(3e-2), "binary_crossentropy", metrics=["accuracy"])
        before = model.get_layer("hidden").get_weights()[0]
        losses = model.fit(x_train, y_train, batch_size=64, epochs=epochs, verbose=0).history[
            "loss"
        ]
        moved = np.abs(model.get_layer("hidden").get_weights()[0] - before).mean()
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print("straight through" if straight else "plain step")
        print(f"    loss {losses[0]:.3f} -> {losses[-1]:.3f}, hidden weights moved {moved:.2f}")
        print(f"    test loss {loss:.3f}, accuracy {accuracy:.2f}")


if __name__ == "__main__":
    main()
