"""Twenty steps beside Keras: from the same weights on the same batches, the losses stay equal."""

import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.tolerances import assert_close

RNG = np.random.default_rng(7)
STEPS = 20


def cnn(k):
    model = k.Sequential(
        [
            k.layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1))
            if k is keras
            else k.Input((28, 28, 1)),
            *([] if k is keras else [k.layers.Conv2D(32, (3, 3), activation="relu")]),
            k.layers.MaxPooling2D((2, 2)),
            k.layers.Conv2D(64, (3, 3), activation="relu"),
            k.layers.MaxPooling2D((2, 2)),
            k.layers.Flatten(),
            k.layers.Dense(64, activation="relu"),
            k.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def mlp(k):
    model = k.Sequential(
        [
            k.Input((784,)),
            k.layers.Dense(64, activation="relu"),
            k.layers.BatchNormalization(),
            k.layers.Dense(64, activation="gelu", kernel_regularizer=k.regularizers.L2(1e-3)),
            k.layers.LayerNormalization(),
            k.layers.Dense(10),
        ]
    )
    model.compile(
        k.optimizers.RMSprop(1e-3, momentum=0.9, clipnorm=1.0),
        k.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy", k.metrics.TopKCategoricalAccuracy(3)],
    )
    return model


def lstm(k):
    model = k.Sequential(
        [
            k.Input((20,), dtype="int32"),
            k.layers.Embedding(100, 16, mask_zero=True),
            k.layers.LSTM(24),
            k.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        k.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "binary_crossentropy",
        metrics=["accuracy", "mae"],
    )
    return model


def images():
    labels = RNG.integers(0, 10, 32)
    x = RNG.random((32, 28, 28, 1), "float32") * 0.2
    x[np.arange(32), labels, :, 0] += 0.8
    return x, labels


def vectors():
    labels = RNG.integers(0, 10, 32)
    x = RNG.normal(size=(32, 784)).astype("float32")
    x[np.arange(32), labels] += 3
    return x, np.eye(10, dtype="float32")[labels]


def sequences():
    x = RNG.integers(1, 100, (32, 20))
    x[RNG.random((32, 20)) < 0.2] = 0
    return x, (x.max(1, keepdims=True) > 95).astype("float32")


@pytest.mark.parametrize(
    ("make", "batch"),
    [(cnn, images), (mlp, vectors), (lstm, sequences)],
    ids=["cnn", "mlp", "lstm"],
)
def test_twenty_steps(make, batch):
    ours, theirs = make(keras), make(peer)
    ours.set_weights(theirs.get_weights())
    for _ in range(STEPS):
        x, y = batch()
        expected = theirs.train_on_batch(x, y, return_dict=True)
        found = ours.train_on_batch(x, y, return_dict=True)
        assert_close(found, {name: float(value) for name, value in expected.items()}, "training")
    x, y = batch()
    assert_close(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), "training")
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), "trained")


@pytest.mark.parametrize("make", [cnn, mlp, lstm], ids=["cnn", "mlp", "lstm"])
def test_names_and_places(make):
    ours, theirs = make(keras), make(peer)
    ours.optimizer.build(ours.trainable_variables)

    def plain(path):
        return path.replace(ours.name, "").replace(theirs.name, "")

    assert [plain(v.path) for v in ours.weights] == [plain(v.path) for v in theirs.weights]
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    theirs.optimizer.build(theirs.trainable_variables)
    assert [plain(v.path) for v in ours.optimizer.variables] == [
        plain(v.path) for v in theirs.optimizer.variables
    ]
    assert ours.count_params() == theirs.count_params()
    assert ours.output_shape == theirs.output_shape


def test_logs_have_the_names_of_keras():
    def logs(k):
        x = k.Input((3,))
        model = k.Model(x, [k.layers.Dense(2, name="a")(x), k.layers.Dense(1, name="b")(x)])
        model.compile(
            "sgd",
            ["categorical_crossentropy", "mse"],
            metrics=[["acc", "mse"], [k.metrics.MeanAbsoluteError(), "mae"]],
            weighted_metrics=[["accuracy"], []],
        )
        y = [np.eye(2)[[0, 1, 0]], np.ones((3, 1))]
        history = model.fit(np.ones((3, 3)), y, validation_split=0.34, verbose=0, epochs=1)
        return set(history.history)

    assert logs(keras) == logs(peer)


@pytest.mark.parametrize("branches", [1, 2, 3])
def test_layers_are_listed_in_the_order_of_keras(branches):
    def names(k):
        x = k.Input((3,), name="x")
        z = k.Input((3,), name="z")
        ends = []
        for i in range(branches):
            h = k.layers.Dense(3, name=f"d{i}")(x if i % 2 else z)
            for j in range(i):
                h = k.layers.Dense(3, name=f"d{i}_{j}")(h)
            ends.append(h)
        joined = k.layers.Concatenate(name="joined")([*ends, x, z])
        model = k.Model([x, z], [k.layers.Dense(1, name="out")(joined), ends[0]])
        return [layer.name for layer in model.layers], [v.path for v in model.weights]

    assert names(keras) == names(peer)
