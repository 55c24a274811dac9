"""A step of the user's own receives the data in the form in which they were passed."""

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

X, Y, W = np.ones((6, 3), "float32"), np.zeros((6, 1), "float32"), np.full(6, 2.0, "float32")


def form(data):
    if isinstance(data, (tuple, list)):
        return type(data)(map(form, data))
    if isinstance(data, dict):
        return {name: form(value) for name, value in data.items()}
    return None if data is None else tuple(data.shape)


class Watching(keras.Model):
    """Notes the form of the data that its steps receive."""

    def __init__(self):
        super().__init__()
        self.out = layers.Dense(1)
        self.seen = {}

    def call(self, inputs):
        first = inputs if not isinstance(inputs, (tuple, list, dict)) else None
        return self.out(X[:2] if first is None else first)

    def note(self, kind, data):
        self.seen[kind] = form(data)
        return {"loss": keras.ops.sum(self.out.bias)}

    def train_step(self, data):
        return self.note("train", data)

    def test_step(self, data):
        return self.note("test", data)

    def predict_step(self, data):
        self.seen["predict"] = form(data)
        return keras.ops.zeros((2, 1))


class Batches(keras.utils.PyDataset):
    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.batch


def watching():
    model = Watching()
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((X,), (2, 3)),
        ((X, Y), ((2, 3), (2, 1))),
        (([X, X], Y), ([(2, 3), (2, 3)], (2, 1))),
        (([X, X],), ([(2, 3), (2, 3)],)),
        (({"a": X}, Y), ({"a": (2, 3)}, (2, 1))),
        ((X, {"b": Y}), ((2, 3), {"b": (2, 1)})),
    ],
    ids=["x", "x-y", "list-y", "list", "dict-y", "x-dict"],
)
def test_arrays(given, expected):
    model = watching()
    model.fit(*given, batch_size=2, verbose=0)
    model.evaluate(*given, batch_size=2, verbose=0)
    assert model.seen == {"train": expected, "test": expected}
    model.seen.clear()
    small = [jax.tree.map(lambda a: a[:2], each) for each in given]
    model.train_on_batch(*small)
    model.test_on_batch(*small)
    assert model.seen == {"train": expected, "test": expected}


def test_arrays_with_weights():
    model = watching()
    model.fit(X, Y, sample_weight=W, batch_size=2, verbose=0)
    model.evaluate(X, Y, sample_weight=W, batch_size=2, verbose=0)
    expected = ((2, 3), (2, 1), (2,))
    assert model.seen == {"train": expected, "test": expected}
    model.fit(X, Y, class_weight={0: 2.0}, batch_size=2, verbose=0)
    assert model.seen["train"] == expected
    model.fit(X, sample_weight=W, batch_size=2, verbose=0)
    assert model.seen["train"] == ((2, 3), None, (2,))


def test_validation_data():
    model = watching()
    model.fit(X, batch_size=2, validation_data=(X, Y, W), validation_batch_size=2, verbose=0)
    assert model.seen == {"train": (2, 3), "test": ((2, 3), (2, 1), (2,))}
    model.fit(X, Y, batch_size=2, validation_split=1 / 3, verbose=0)
    assert model.seen["train"] == ((2, 3), (2, 1))


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (X, (6, 3)),
        ((X,), ((6, 3),)),
        ((X, Y), ((6, 3), (6, 1))),
        ([X, Y], [(6, 3), (6, 1)]),
        ((X, Y, W), ((6, 3), (6, 1), (6,))),
        ((X, Y, None), ((6, 3), (6, 1), None)),
        ({"a": X}, {"a": (6, 3)}),
        (([X, X], Y), ([(6, 3), (6, 3)], (6, 1))),
        (([[1.0, 2.0, 3.0]], [[1.0]]), ((1, 3), (1, 1))),
    ],
    ids=["x", "1-tuple", "x-y", "list", "x-y-w", "x-y-None", "dict", "list-y", "numbers"],
)
def test_batches_that_the_user_makes(batch, expected):
    for data in (Batches(batch), (each for each in [batch, batch])):
        model = watching()
        model.fit(data, verbose=0)
        assert model.seen["train"] == expected
    model.evaluate(Batches(batch), verbose=0)
    model.predict(Batches(batch), verbose=0)
    assert model.seen["test"] == expected
    assert model.seen["predict"] == expected


@pytest.mark.parametrize(
    ("x", "expected"),
    [(X, (2, 3)), ([X, X], ([(2, 3), (2, 3)],)), ({"a": X}, {"a": (2, 3)})],
    ids=["x", "list", "dict"],
)
def test_predict(x, expected):
    model = watching()
    model.predict(x, batch_size=2, verbose=0)
    assert model.seen == {"predict": expected}
