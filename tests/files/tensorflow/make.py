"""Make the files of this folder with TensorFlow 2.21: `python tests/files/tensorflow/make.py`."""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

HERE = Path(__file__).parent
TYPES = ["float32", "float64", "int32", "int64", "uint8", "int8", "int16", "uint16", "uint32", "uint64", "bfloat16"]  # fmt: skip
TYPES += ["float16", "complex64", "complex128", "bool"]


def types(tf) -> None:
    """Write a checkpoint of every type: 2 x 3 numbers 0 to 5, a step, and texts."""
    numbers = np.arange(6).reshape(2, 3)
    variables = {name: tf.Variable(tf.cast(numbers, name)) for name in TYPES}
    texts = {"text": tf.Variable("hello"), "texts": tf.Variable(["a", "", "é" * 100])}
    checkpoint = tf.train.Checkpoint(step=tf.Variable(7), empty=tf.Variable(np.zeros((0, 3))), **variables, **texts)  # fmt: skip
    checkpoint.write(str(HERE / "types"))


def parts(tf) -> None:
    """Write tensors in parts over three data files."""
    checkpoint = tf.train.Checkpoint(
        matrix=tf.Variable(np.arange(200, dtype="float32").reshape(100, 2)),
        text=tf.Variable("whole"),
        vector=tf.Variable(np.arange(5)),
    )
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=600)
    options = tf.train.CheckpointOptions(experimental_sharding_callback=policy)
    checkpoint.write(str(HERE / "parts"), options)


def saver(tf) -> None:
    """Write a partitioned variable and a plain one by name, as TensorFlow 1 did."""
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        zeros = {"initializer": v1.zeros_initializer(), "use_resource": False}
        table = v1.get_variable("table", [7, 3], partitioner=v1.fixed_size_partitioner(3), **zeros)
        plain = v1.get_variable("scope/plain", [2], **zeros)
        with v1.Session() as session:
            for number, part in enumerate([*table, plain]):
                numbers = np.arange(np.prod(part.shape)).reshape(part.shape) + 10 * number
                session.run(part.assign(numbers))
            v1.train.Saver().save(session, str(HERE / "saver"), write_meta_graph=False)
    (HERE / "checkpoint").unlink()


def main() -> None:
    """Write all files."""
    import tensorflow as tf  # not installed where the tests run

    for make in (types, parts, saver):
        make(tf)


if __name__ == "__main__":
    main()
