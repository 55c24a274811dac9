"""A network written with `tf.nn` functions beside the same one of layers: `python -m benchmarks.chains`.

Both are the notes' CNN, in one process, one epoch of `fit` each in turn. Both reach the same kernels, so they should take
the same time.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import hornbeam as tf
from benchmarks.cases import CASES
from hornbeam import keras


class Chains(keras.Model):
    """(b, 28, 28, 1) -> (b, 10), as users write networks who come from `tf.nn`."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(3, 3, 1, 32), (3, 3, 32, 64), (1600, 64), (64, 10)]
        self.kernels = [
            self.add_weight(shape=size, initializer="glorot_uniform", name=f"kernel_{i}")
            for i, size in enumerate(sizes)
        ]
        self.biases = [
            self.add_weight(shape=size[-1:], initializer="zeros", name=f"bias_{i}")
            for i, size in enumerate(sizes)
        ]

    def call(self, x: Any) -> Any:
        """Two convolutions with bias, relu and pooling, two products with a bias."""
        for kernel, bias in zip(self.kernels[:2], self.biases[:2], strict=True):
            x = tf.nn.conv2d(x, kernel, strides=1, padding="VALID")
            x = tf.nn.relu(tf.nn.bias_add(x, bias))
            x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        x = tf.reshape(x, (-1, 1600))
        x = tf.nn.relu(tf.matmul(x, self.kernels[2]) + self.biases[2])
        return tf.nn.softmax(tf.matmul(x, self.kernels[3]) + self.biases[3])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the milliseconds of a step of each, and their ratio, for each round's median and spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    for case in CASES.values():
        if case.model_name == "cnn":
            keras.config.set_dtype_policy(case.policy)
            x, y = case.data()
            x, y = x[: case.batch * case.steps], y[: case.batch * case.steps]
            chains = Chains()
            chains.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            times = _times([case.build(keras), chains], x, y, case.batch, rounds)
            ratios = [b / a for a, b in zip(*times, strict=True)]
            layers, functions = (1000 * statistics.median(each) / case.steps for each in times)
            print(
                f"{case.title}: layers {layers:.2f} ms/step, tf.nn {functions:.2f} ms/step, tf.nn / layers "
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            )
    keras.config.set_dtype_policy("float32")


def _times(models: list[Any], x: Any, y: Any, batch: int, rounds: int) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in models]
    for number in range(2 + rounds):  # the first two compile and warm up
        for model, taken in zip(models, times, strict=True):
            start = time.perf_counter()
            model.fit(x, y, batch_size=batch, verbose=0)
            if number >= 2:
                taken.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
