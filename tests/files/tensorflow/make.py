"""Make the files of this folder with TensorFlow 2.21: `python tests/files/tensorflow/make.py`."""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

HERE = Path(__file__).parent
TYPES = ["float32", "float64", "int32", "int64", "uint8", "int8", "int16", "uint16", "uint32", "uint64", "bfloat16"]  # fmt: skip
TYPES += ["float16", "complex64", "complex128", "bool"]


def main() -> None:
    """Write a checkpoint of every type: 2 x 3 numbers 0 to 5, a step, and texts."""
    import tensorflow as tf  # not installed where the tests run

    numbers = np.arange(6).reshape(2, 3)
    variables = {name: tf.Variable(tf.cast(numbers, name)) for name in TYPES}
    texts = {"text": tf.Variable("hello"), "texts": tf.Variable(["a", "", "é" * 100])}
    checkpoint = tf.train.Checkpoint(step=tf.Variable(7), empty=tf.Variable(np.zeros((0, 3))), **variables, **texts)  # fmt: skip
    checkpoint.write(str(HERE / "types"))


if __name__ == "__main__":
    main()
