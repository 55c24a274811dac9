"""Make the files of this folder with TensorFlow 2.21 and tf_keras 2.21: `python tests/files/tensorflow/make.py`."""

import os
from pathlib import Path

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


def stack(keras):
    """Return layers in a row; two of them have no weights."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4),
            layers.Dropout(0.5),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )


def graph(keras):
    """Return a model made of a graph, with layers inside layers."""
    layers = keras.layers
    x = layers.Input((6,))
    y = layers.Bidirectional(layers.LSTM(2))(layers.Reshape((2, 3))(x))
    return keras.Model(x, layers.Dense(1)(y))


def net(keras):
    """Return a model of a class of its own, with layers in a list and in a dict."""

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(3)
            self.blocks = [keras.layers.Dense(2), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
            self.named = {"a": keras.layers.Embedding(3, 2)}

        def call(self, x):
            return self.blocks[2](self.blocks[0](self.first(x))) + self.named["a"](x[:, 0])[:, :1]

    return Net()


def fill(model, slots=()) -> None:
    """Set the weights to 1, 2, ..., layer by layer, and an optimizer's slots to 101, 102, ..."""
    weights = [weight for layer in model.layers for weight in layer.weights]
    for first, variables in ((1, weights), (101, slots)):
        for number, variable in enumerate(variables, first):
            variable.assign(np.full(variable.shape, number))


def keras_3(tf) -> None:
    """Write a model and its optimizer with Keras 3."""
    model = stack(tf.keras)
    optimizer = tf.keras.optimizers.Adam(0.25)
    optimizer.build(model.trainable_variables)
    fill(model, optimizer.variables[2:])
    optimizer.iterations.assign(7)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=tf.Variable(5))
    checkpoint.write(str(HERE / "keras3"))


def keras_2(tf) -> None:
    """Write weights with Keras 2: an optimizer of today, one of TensorFlow before 2.11, a class."""
    import tf_keras

    model = stack(tf_keras)
    model.compile(tf_keras.optimizers.Adam(0.25), "mse")
    model.optimizer.build(model.trainable_variables)
    fill(model, [v for v in model.optimizer.variables if v.shape.rank])
    model.optimizer.iterations.assign(7)
    model.save_weights(str(HERE / "keras2"))
    model = graph(tf_keras)
    old = tf_keras.optimizers.legacy.RMSprop(0.25, momentum=0.5, centered=True)
    model.compile(old, "mse")
    old.apply_gradients([(tf.zeros(v.shape), v) for v in model.trainable_variables])
    fill(model, old.weights[1:])
    old.iterations.assign(7)
    model.save_weights(str(HERE / "keras2_old"))
    model = net(tf_keras)
    model(np.zeros((1, 4), "float32"))
    fill(model)
    tf.train.Checkpoint(model).write(str(HERE / "keras2_class"))
    (HERE / "checkpoint").unlink()


def main() -> None:
    """Write all files."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf  # not installed where the tests run

    for make in (types, parts, saver, keras_3, keras_2):
        make(tf)


if __name__ == "__main__":
    main()
