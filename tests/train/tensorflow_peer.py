"""What TensorFlow makes of our checkpoints, and checkpoints of its own: `python tests/train/tensorflow_peer.py FOLDER [PATH]`.

Run by `make test-peers` where TensorFlow is installed, in `PATH` or beside this Python. FOLDER has the checkpoints
`types` and `model` of ours; what TensorFlow found in them goes to `found.npz` and `found.json`, its own to `theirs`.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

SEEN = {}


def numbers(tensor) -> np.ndarray:
    """Return what a file of NumPy's can hold, without loss."""
    array = np.asarray(tensor)
    if array.dtype == object or array.dtype.kind in "SU":
        return np.array([bytes(text).hex() for text in np.ravel(array)])
    return array if array.dtype.isbuiltin == 1 else array.astype("float32")  # bfloat16 and its kin


def read_every_tensor(tf, folder: Path) -> None:
    """Let TensorFlow compare the checksum of each tensor."""
    for name in ("types", "model", "weights"):
        reader = tf.train.load_checkpoint(str(folder / name))
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        SEEN[name] = {key: [types[key].name, shapes[key]] for key in shapes}
        found = {
            f"{number}": numbers(reader.get_tensor(key))
            for number, key in enumerate(sorted(shapes))
        }
        np.savez(folder / f"found-{name}.npz", **found)


def model_of(keras):
    """Return the model of the test, of any Keras: a graph with layers inside layers."""
    layers = keras.layers
    x = keras.Input((6,))
    y = layers.Bidirectional(layers.LSTM(2))(layers.Reshape((2, 3))(x))
    y = layers.BatchNormalization()(layers.Dense(4, activation="relu")(y * 2.0))
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.ReLU()])
    return keras.Model(x, layers.Dense(1)(inner(y)))


def restore(tf, folder: Path) -> None:
    """Restore ours into a model of Keras 3, train it a step, and save it."""
    import keras

    model, step = model_of(keras), tf.Variable(0)
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
    status = checkpoint.restore(str(folder / "model"))
    status.assert_consumed()
    status.assert_existing_objects_matched()
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)
    SEEN["step"], SEEN["iterations"] = int(step.numpy()), int(optimizer.iterations.numpy())
    SEEN["predictions"] = model.predict(x, verbose=0).tolist()
    model.compile(optimizer, "mse")
    model.fit(x, np.ones((4, 1)), batch_size=4, verbose=0, shuffle=False)
    SEEN["trained"] = model.predict(x, verbose=0).tolist()
    step.assign(9)
    checkpoint.write(str(folder / "theirs"))


def restore_in_keras_2(tf, folder: Path) -> None:
    """Read our weights with Keras 2, where it is installed."""
    try:
        import tf_keras
    except ImportError:
        return
    model = model_of(tf_keras)
    model.compile(tf_keras.optimizers.Adam(0.05), "mse")
    model.optimizer.build(model.trainable_variables)
    model.load_weights(str(folder / "weights")).assert_consumed()
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)
    SEEN["keras 2"] = model.predict(x, verbose=0).tolist()
    SEEN["keras 2 iterations"] = int(model.optimizer.iterations.numpy())


def main() -> None:
    """Do all of it."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")
    sys.path += [path for each in sys.argv[2:] for path in each.split(os.pathsep)]
    import tensorflow as tf

    folder = Path(sys.argv[1])
    read_every_tensor(tf, folder)
    restore(tf, folder)
    restore_in_keras_2(tf, folder)
    (folder / "found.json").write_text(json.dumps(SEEN))


if __name__ == "__main__":
    main()
