"""Make the files of this folder with Keras 2 (tf-keras 2.21): `python tests/files/keras2/make.py`.

Beside each model lie its inputs, its predictions, and, where it is compiled, the targets and the predictions after one
more step of training: `NAME.npz`. Models for each optimizer lie in `optimizers.zip`, in both formats.
"""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf  # not installed where the tests run
import tf_keras as keras

HERE = Path(__file__).parent
layers = keras.layers
old = keras.optimizers.legacy  # the optimizers of Keras 2.0 to 2.10


def cnn():
    """Everyday picture model, with Adam as of Keras 2.11 and later."""
    model = keras.Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu", input_shape=(8, 8, 2)),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
            layers.LeakyReLU(alpha=0.2),
            layers.SeparableConv2D(4, 3, activation=tf.nn.relu),
            layers.Conv2DTranspose(2, 2, strides=2),
            layers.Flatten(),
            layers.Dropout(0.0),
            layers.Dense(3, activation="softmax", kernel_regularizer=keras.regularizers.l2(1e-3)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])  # fmt: skip
    return model, normal(4, 8, 8, 2), np.array([0, 1, 2, 1])


def recurrent():
    """Every recurrent layer, with Adam as before Keras 2.11."""
    model = keras.Sequential(
        [
            layers.Embedding(10, 4, input_length=5, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(4, return_sequences=True),
            layers.GRU(3, return_sequences=True, reset_after=False, implementation=1),
            layers.RNN(layers.LSTMCell(3), return_sequences=True),
            layers.SimpleRNN(3, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ],
        name="recurrent",
    )
    model.compile(old.Adam(0.01, decay=1e-3), keras.losses.Huber(0.5), metrics=[keras.metrics.MeanAbsoluteError()])  # fmt: skip
    return model, RNG.integers(1, 10, (4, 5)), normal(4, 1)


def functional():
    """A graph with merges, a shared layer, and functions of TensorFlow between the layers; momentum, two losses."""
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    shared = layers.Dense(4, activation="tanh", name="shared")
    a, b = shared(x), shared(y)
    joined = layers.Concatenate()([layers.Add()([a, b]), layers.Multiply()([a, b]), layers.Dot(1)([a, b])])  # fmt: skip
    scaled = tf.nn.relu(joined * 2.0 + 1.0) - tf.reduce_mean(joined, axis=-1, keepdims=True)
    cut = tf.concat([scaled[:, 1:3], 1.0 - scaled[:, -2:], tf.expand_dims(a, -1)[..., 0] / 2.0], axis=-1)  # fmt: skip
    root = tf.sqrt(tf.math.square(cut) + 1.0) ** 2
    first = layers.Dense(2, name="first")(layers.LayerNormalization(axis=[1])(root))
    second = layers.Dense(1, activation="sigmoid", name="second")(tf.reshape(root, (-1, 8)))
    model = keras.Model([x, y], [first, second], name="functional")
    model.compile(
        old.SGD(0.05, momentum=0.9, nesterov=True),
        {"first": "mse", "second": keras.losses.BinaryCrossentropy()},
        loss_weights={"first": 1.0, "second": 0.5},
        metrics={"first": ["mae"], "second": ["accuracy"]},
    )
    return model, [normal(4, 4), normal(4, 4)], [normal(4, 2), np.array([[0.0], [1], [1], [0]])]


def nested():
    """Models in a model, the first of them frozen, layers wrapped and with two names like paths; RMSprop."""
    inner = keras.Sequential(
        [layers.Dense(3, input_shape=(4,)), layers.BatchNormalization(), layers.PReLU()],
        name="inner",
    )
    inner.trainable = False
    z = keras.Input((3,))
    graph = keras.Model(z, layers.Dense(3, name="block/dense")(layers.ReLU(max_value=6.0)(z)), name="graph")  # fmt: skip
    x = keras.Input((4,))
    h = layers.Average()([graph(inner(x)), layers.Dense(3, name="block/dense_1")(x)])
    model = keras.Model(x, layers.Activation("elu")(h), name="nested")
    model.compile(old.RMSprop(0.01, momentum=0.5), keras.losses.MeanSquaredError())
    return model, normal(4, 4), normal(4, 3)


def words():
    """Attention, masks and shapes."""
    x = keras.Input((6,), dtype="int32")
    h = layers.Embedding(7, 4)(x)
    h = layers.MultiHeadAttention(2, 3)(h, h) + h
    h = layers.Conv1D(4, 3, padding="causal", dilation_rate=2)(layers.LayerNormalization()(h))
    h = layers.Permute((2, 1))(layers.ZeroPadding1D(1)(h))
    h = layers.Softmax(axis=-1)(layers.Reshape((4, 8))(h))
    model = keras.Model(x, layers.Dense(2)(layers.GlobalMaxPooling1D()(h)), name="words")
    return model, RNG.integers(0, 7, (3, 6)), None


def translator():
    """An encoder whose states a decoder begins with, and a layer that is called twice."""
    x, y = keras.Input((5,), name="x"), keras.Input((4,), name="y")
    embed = layers.Embedding(9, 4, mask_zero=True, name="embed")
    _, h, c = layers.LSTM(3, return_state=True, name="encoder")(embed(x))
    z = layers.LSTM(3, return_sequences=True, name="decoder")(embed(y), initial_state=[h, c])
    z = layers.Bidirectional(layers.GRU(2), merge_mode="sum", name="both")(z)
    model = keras.Model({"x": x, "y": y}, layers.Dense(2, name="out")(z), name="translator")
    return model, [RNG.integers(1, 9, (3, 5)), RNG.integers(1, 9, (3, 4))], None


def normal(*shape):
    """Return random numbers."""
    return RNG.normal(size=shape).astype("float32")


def lists(value):
    """Return a list of arrays."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def write(name, make):
    """Write a model, trained a little, in every format."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(len(name))
    model, x, y = make()
    if y is None:
        model.set_weights([RNG.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    else:
        model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0)
    model.save(HERE / f"{name}.h5", save_format="h5")
    if name != "functional":  # Keras 2 can't write `...` in a slice to an archive
        model.save(HERE / f"{name}.keras")
    if name in ("cnn", "nested"):
        model.save_weights(HERE / f"{name}_weights.h5", save_format="h5")
    write_folder(model, HERE / name)
    arrays = {f"x{i}": each for i, each in enumerate(lists(x))}
    given = dict(zip("xy", x, strict=True)) if name == "translator" else x
    arrays |= {f"out{i}": each for i, each in enumerate(lists(model.predict(given, verbose=0)))}
    if y is not None:
        model.train_on_batch(x, y)
        arrays |= {f"y{i}": each for i, each in enumerate(lists(y))}
        arrays |= {f"after{i}": each for i, each in enumerate(lists(model.predict(x, verbose=0)))}
    np.savez_compressed(HERE / f"{name}.npz", **arrays)


def write_folder(model, folder):
    """Write a SavedModel, without the program in it: it is larger than all else, and nobody here reads it."""
    shutil.rmtree(folder, ignore_errors=True)
    model.save(folder, save_format="tf")
    (folder / "saved_model.pb").write_bytes(b"")
    (folder / "fingerprint.pb").unlink()
    (folder / "assets").rmdir()


def write_lambda():
    """Write a model with the byte code of a lambda."""
    keras.backend.clear_session()

    def twice(x):
        return x * 2.0

    twice.__code__ = twice.__code__.replace(co_filename="make.py", co_name="<lambda>")
    twice.__name__ = "<lambda>"
    model = keras.Sequential([layers.Lambda(twice, input_shape=(3,), name="twice")])
    model.save(HERE / "lambda.h5")


def write_cudnn():
    """Write layers that ran on NVIDIA's library alone, with the weights and predictions of those that run anywhere."""
    from tf_keras.api._v1.keras import layers as gpu

    def stack(lstm, gru):
        keras.backend.clear_session()
        return keras.Sequential(
            [
                lstm(3, return_sequences=True, input_shape=(5, 2), name="a"),
                layers.Bidirectional(gru(2, return_sequences=True), name="b"),
                layers.Bidirectional(lstm(2, return_sequences=True), name="c"),
                gru(3, name="d"),
            ]
        )

    plain, x = stack(layers.LSTM, layers.GRU), normal(3, 5, 2)
    plain.set_weights([normal(*each.shape) for each in plain.get_weights()])
    np.savez_compressed(HERE / "cudnn.npz", x0=x, out0=plain.predict(x, verbose=0))
    with tempfile.TemporaryDirectory() as folder:
        plain.save_weights(f"{folder}/plain.h5")
        model = stack(gpu.CuDNNLSTM, gpu.CuDNNGRU)
        model.load_weights(f"{folder}/plain.h5")
    model.save(HERE / "cudnn.h5")


def write_raw_ops():
    """Write a graph with operations of TensorFlow, as before functions of it were layers: without eager execution."""
    with tf.Graph().as_default(), tf.compat.v1.Session():
        x = keras.Input((4, 3), name="x")
        h = layers.Dense(3, name="dense/0")(x)
        a = tf.nn.relu(h * 2.0 + 1.0) / tf.maximum(tf.square(x), [0.5, 1.0, 2.0])
        b = tf.reshape(1.0 - a, (-1, 12))
        c = tf.transpose(tf.matmul(x, h, transpose_b=True), (0, 2, 1))
        d, e = tf.split(tf.tile(c, (1, 1, 2)), 2, axis=-1)
        f = tf.stack([tf.reduce_mean(d, axis=(1, 2)), tf.reduce_max(e[:, 0, ::2], axis=-1)], axis=1)
        g = tf.expand_dims(tf.squeeze(x[:, 1:2], axis=1), 1)[:, 0, tf.newaxis]
        k = tf.nn.leaky_relu(tf.nn.softmax(g) - 0.3, alpha=0.1) + tf.cast(
            tf.argmax(x, -1)[:, None, :3], "float32"
        )
        m = tf.where(x[..., 0] > 0.0, x[..., 1], tf.math.cumsum(x[..., 2], axis=1, exclusive=True))
        n = tf.pad(tf.clip_by_value(m, -0.5, 0.5), [[0, 0], [1, 0]]) + tf.add_n(
            [m[:, :1], f[:, :1]]
        )
        out = tf.concat([b, f, tf.reshape(k, (-1, 3)), n, tf.gather(m, [3, 0], axis=1)], axis=-1)
        model = keras.Model(x, tf.matmul(out, tf.fill((24, 2), 0.25)), name="raw_ops")
        values = normal(3, 4, 3)
        model.save(HERE / "raw_ops.h5")
        np.savez_compressed(HERE / "raw_ops.npz", x0=values, out0=model.predict(values, verbose=0))


def write_functions():
    """Write functions of TensorFlow between layers to an archive, and the names of an optimizer and a metric."""
    x = keras.Input((4,), name="x")
    h = tf.concat([tf.nn.relu(layers.Dense(4, "hard_sigmoid")(x)) * 2.0, 1.0 - x[:, 1:3]], axis=-1)
    model = keras.Model(x, tf.reduce_mean(h, axis=-1, keepdims=True) + layers.Dense(1)(h))
    model.compile("adam", keras.losses.MeanSquaredError(), metrics=["mae"])
    x0, y0 = normal(4, 4), normal(4, 1)
    model.fit(x0, y0, epochs=3, verbose=0)
    model.save(HERE / "functions.keras")
    out = model.predict(x0, verbose=0)
    model.train_on_batch(x0, y0)
    after = model.predict(x0, verbose=0)
    np.savez_compressed(HERE / "functions.npz", x0=x0, y0=y0, out0=out, after0=after)


def optimizers():
    """Return an optimizer of each kind: those since Keras 2.11, and those before."""
    new = keras.optimizers
    return {
        "adadelta": new.Adadelta(1.0),
        "adagrad": new.Adagrad(0.05),
        "adam": new.Adam(0.02, amsgrad=True, weight_decay=0.01),
        "adam_average": new.Adam(0.02, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2),
        "adamax": new.Adamax(0.02),
        "adamw": new.AdamW(0.02, weight_decay=0.1),
        "ftrl": new.Ftrl(0.05, l1_regularization_strength=0.001, beta=0.1),
        "lion": new.Lion(0.01),
        "nadam": new.Nadam(0.02),
        "scaled": keras.mixed_precision.LossScaleOptimizer(new.Adam(0.02)),
        "rmsprop": new.RMSprop(0.01, momentum=0.5, centered=True),
        "sgd": new.SGD(0.05, momentum=0.9, nesterov=True),
        "old_adadelta": old.Adadelta(1.0),
        "old_adagrad": old.Adagrad(0.05, decay=0.01),
        "old_adam": old.Adam(0.02, amsgrad=True),
        "old_adamax": old.Adamax(0.02, decay=0.01),
        "old_ftrl": old.Ftrl(
            0.05, l2_regularization_strength=0.01, l2_shrinkage_regularization_strength=0.01
        ),
        "old_nadam": old.Nadam(0.02),
        "old_nadam_fast": old.Nadam(0.02, schedule_decay=1.0),
        "old_scaled": keras.mixed_precision.LossScaleOptimizer(old.Adam(0.02)),
        "old_rmsprop": old.RMSprop(0.01, momentum=0.5, centered=True),
    }


def write_optimizers():
    """Write a small model for each optimizer, trained a little, with the predictions after one more step."""
    x, y = normal(4, 3), normal(4, 1)
    arrays = {"x": x, "y": y}
    with tempfile.TemporaryDirectory() as folder:
        for name, optimizer in optimizers().items():
            keras.backend.clear_session()
            keras.utils.set_random_seed(0)
            model = keras.Sequential([layers.Dense(3, "tanh", input_shape=(3,)), layers.Dense(1)])
            # In a graph, Keras 2's Nadam multiplies the product of its momenta once for each weight.
            model.compile(optimizer, "mse", run_eagerly=name == "nadam")
            model.fit(x, y, epochs=3, verbose=0)
            model.save(f"{folder}/{name}.h5", save_format="h5")
            if not name.startswith("old"):  # Keras 2 itself saves no state of those in archives
                model.save(f"{folder}/{name}.keras")
            write_folder(model, Path(folder, name))
            arrays[f"{name}_out"] = model(x).numpy()
            model.train_on_batch(x, y)
            arrays[f"{name}_after"] = model(x).numpy()
        np.savez(f"{folder}/arrays.npz", **arrays)
        with zipfile.ZipFile(HERE / "optimizers.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(each for each in Path(folder).rglob("*") if each.is_file()):
                archive.writestr(zipfile.ZipInfo(str(path.relative_to(folder))), path.read_bytes(), zipfile.ZIP_DEFLATED)  # fmt: skip


RNG = np.random.default_rng(0)

if __name__ == "__main__":
    for each in (cnn, recurrent, functional, nested, words, translator):
        write(each.__name__, each)
    write_lambda()
    write_cudnn()
    write_raw_ops()
    write_optimizers()
    write_functions()
