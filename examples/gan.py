"""A generative adversarial network with two optimizers: points that look drawn from a ring.

A generator makes points out of noise, a judge tells them from real ones, and each learns from the
other. `compile` is overridden to take two optimizers, and `train_step` to use them.

    python -m hornbeam examples/gan.py            # or plain python, with TensorFlow
    python -m hornbeam examples/gan.py --small    # a few seconds

After I. Goodfellow et al., "Generative Adversarial Networks", 2014.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

NOISE = 4


def ring(n, seed):
    """Return n points (n, 2) near the circle of radius 2."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = rng.normal(2, 0.1, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype("float32")


def make_generator():
    return keras.Sequential(
        [
            keras.Input((NOISE,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(2),
        ],
        name="generator",
    )


def make_judge():
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(64),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dense(64),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dense(1),
        ],
        name="judge",
    )


class GAN(keras.Model):
    def __init__(self, generator, judge):
        super().__init__()
        self.generator = generator
        self.judge = judge
        self.judge_loss = keras.metrics.Mean(name="judge_loss")
        self.generator_loss = keras.metrics.Mean(name="generator_loss")

    def compile(self, judge_optimizer, generator_optimizer, loss):
        super().compile()
        self.judge_optimizer = judge_optimizer
        self.generator_optimizer = generator_optimizer
        self.loss_of = loss

    @property
    def metrics(self):
        return [self.judge_loss, self.generator_loss]

    def train_step(self, real):
        n = tf.shape(real)[0]

        with tf.GradientTape() as tape:
            made = self.generator(tf.random.normal((n, NOISE)))
            verdicts = self.judge(tf.concat([real, made], axis=0))
            truth = tf.concat([tf.ones((n, 1)), tf.zeros((n, 1))], axis=0)
            judge_loss = self.loss_of(truth, verdicts)
        variables = self.judge.trainable_variables
        self.judge_optimizer.apply_gradients(zip(tape.gradient(judge_loss, variables), variables))

        with tf.GradientTape() as tape:
            made = self.generator(tf.random.normal((n, NOISE)))
            generator_loss = self.loss_of(tf.ones((n, 1)), self.judge(made))
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply_gradients(
            zip(tape.gradient(generator_loss, variables), variables)
        )

        self.judge_loss.update_state(judge_loss)
        self.generator_loss.update_state(generator_loss)
        return {m.name: m.result() for m in self.metrics}


class Watch(keras.callbacks.Callback):
    """Print how the points lie at the end of some epochs."""

    def __init__(self, every):
        super().__init__()
        self.every = every
        self.noise = np.random.default_rng(2).normal(size=(512, NOISE)).astype("float32")

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            points = self.model.generator.predict(self.noise, verbose=0)
            radius = np.linalg.norm(points, axis=1)
            print(
                f"epoch {epoch + 1}: judge {logs['judge_loss']:.2f}, "
                f"generator {logs['generator_loss']:.2f}, mean radius {radius.mean():.2f}"
            )


def main(arguments=None):
    parser = argparse.ArgumentParser(description="A generative adversarial network.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    epochs, every = (20, 5) if options.small else (200, 20)

    keras.utils.set_random_seed(options.seed)
    gan = GAN(make_generator(), make_judge())
    gan.compile(
        judge_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
        generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    gan.fit(ring(2048, 0), epochs=epochs, batch_size=128, verbose=0, callbacks=[Watch(every)])

    points = gan.generator.predict(np.random.default_rng(3).normal(size=(1000, NOISE)), verbose=0)
    print("made", points.shape, points.dtype)
    print("steps", int(gan.judge_optimizer.iterations), int(gan.generator_optimizer.iterations))
    print("parameters", gan.generator.count_params(), gan.judge.count_params())


if __name__ == "__main__":
    main()
