"""How far apart are two clouds of points? A critic with a gradient penalty finds out.

The Wasserstein distance is the largest difference of a function's mean over the two clouds, among
all functions whose slope is at most 1. A network is that function, and the penalty keeps its slope
near 1: the gradient of a gradient, by one tape inside of another. The second cloud is the first
one, moved by (3, 4): the right answer is 5.

    python -m hornbeam examples/gradient_penalty.py            # or plain python, with TensorFlow
    python -m hornbeam examples/gradient_penalty.py --small    # a few seconds

After I. Gulrajani et al., "Improved Training of Wasserstein GANs", 2017.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

MOVED = np.array([3.0, 4.0])


def clouds(n, rng):
    """Return two clouds (n, 2) of points."""
    first = rng.normal(size=(n, 2))
    second = rng.normal(size=(n, 2)) + MOVED
    return tf.constant(first, tf.float32), tf.constant(second, tf.float32)


def slope(critic, points):
    """Return how steep the critic is at each point, (n,)."""
    with tf.GradientTape() as tape:
        tape.watch(points)
        heights = critic(points)
    return tf.norm(tape.gradient(heights, points), axis=1)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="The distance of two clouds.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    steps, every = (200, 50) if options.small else (2000, 250)

    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    critic = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(64, activation="tanh"),
            layers.Dense(64, activation="tanh"),
            layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(5e-3, beta_1=0.5, beta_2=0.9)

    @tf.function
    def train_step(first, second):
        share = tf.random.uniform((tf.shape(first)[0], 1))
        between = share * first + (1 - share) * second
        with tf.GradientTape() as tape:
            distance = tf.reduce_mean(critic(second)) - tf.reduce_mean(critic(first))
            steepness = slope(critic, between)
            penalty = tf.reduce_mean((steepness - 1.0) ** 2)
            loss = -distance + 10.0 * penalty
        gradients = tape.gradient(loss, critic.trainable_variables)
        optimizer.apply_gradients(zip(gradients, critic.trainable_variables))
        return distance, penalty

    for step in range(1, steps + 1):
        distance, penalty = train_step(*clouds(128, rng))
        if step % every == 0:
            print(f"step {step}: distance {float(distance):.2f}, penalty {float(penalty):.3f}")

    first, second = clouds(4096, rng)
    distance = tf.reduce_mean(critic(second)) - tf.reduce_mean(critic(first))
    middle = tf.constant([MOVED / 2], tf.float32)
    print(f"distance of the clouds: {float(distance):.2f} (they were moved by 5)")
    print(f"slope half way between them: {float(slope(critic, middle)[0]):.2f}")


if __name__ == "__main__":
    main()
