"""Data of every kind that users have, and data that are refused."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from hornbeam import keras
from hornbeam.keras import layers
from hornbeam.keras.sources.adapters import is_stream
from hornbeam.keras.sources.arrays import ArraySource
from hornbeam.keras.sources.convert import host_array, split_rows
from tests.tolerances import assert_close

TABLE = np.array([[1, 0.5, 1], [2, 1.5, 0], [3, 2.5, 1]], "float32")


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]},
        {"a": pd.array([1, 2, 3], "Int64"), "b": [0.5, 1.5, 2.5], "c": pd.array([True, False, True], "boolean")},
        {"a": np.array([1, 2, 3], object), "b": np.array([0.5, 1.5, 2.5], object), "c": [1, 0, 1]},
    ],
    ids=["bool", "nullable", "object"],
)  # fmt: skip
def test_frames_of_numbers(columns):
    frame = pd.DataFrame(columns, index=["z", "y", "x"])
    np.testing.assert_array_equal(host_array(frame).astype("float32"), TABLE)
    np.testing.assert_array_equal(host_array(frame["a"]).astype("float32"), TABLE[:, 0])
    assert host_array(frame).dtype.kind == "f"


def test_missing_numbers_are_nan():
    found = host_array(pd.Series(pd.array([1, None], "Int64")))
    np.testing.assert_array_equal(found, [1, np.nan])


@pytest.mark.parametrize(
    "value",
    [pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), np.array([[1, 2], [3]], object)],
    ids=["text", "ragged"],
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="Expected arrays of numbers"):
        host_array(value)


@pytest.mark.parametrize("form", ["csr_matrix", "csc_matrix", "coo_matrix", "csr_array"])
def test_sparse_rows_become_dense_batch_by_batch(form):
    x = getattr(scipy.sparse, form)(TABLE)
    assert not is_stream(x)
    source = ArraySource((host_array(x), np.arange(3)), 2)
    assert source.as_rows() is None
    batches = list(source.open())
    assert [type(batch[0]) for batch in batches] == [np.ndarray, np.ndarray]
    np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), TABLE)
    shuffled = list(ArraySource((host_array(x), np.arange(3)), 2, shuffle=True).open())
    rows = np.concatenate([b[1] for b in shuffled])
    np.testing.assert_array_equal(np.concatenate([b[0] for b in shuffled]), TABLE[rows])
    first, rest = split_rows((host_array(x), np.arange(3), None), 1 / 3)
    assert first[0].shape == (2, 3) and rest[0].shape == (1, 3)


def model():
    made = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    made.compile(keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5), "mse")
    return made


def test_sparse_batches():
    made, x = model(), scipy.sparse.csr_matrix(TABLE)
    y = np.zeros((3, 1))
    assert_close(made.test_on_batch(x, y), made.evaluate(iter([(x, y)]), verbose=0), "rounded")


def test_averages_become_the_weights_at_the_end_of_fit():
    made = model()
    made.fit(TABLE, np.zeros(3), batch_size=1, verbose=0)
    averages = [v for v in made.optimizer.variables if "average" in v.name]
    for weight, average in zip(made.trainable_weights, averages, strict=True):
        np.testing.assert_array_equal(weight.numpy(), average.numpy())


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda m: m.fit(None), "`x` is None or empty. It takes arrays"),
        (lambda m: m.fit(None, np.ones(3)), "`x` is None or empty"),
        (lambda m: m.predict(None), "`x` is None or empty"),
        (lambda m: m.fit(TABLE, np.zeros(3), class_weight={0: 1.0, "cat": 2.0, -1: 1.0}), "no class: 'cat', -1"),
        (lambda m: m.fit(TABLE, np.zeros((3, 1, 1)), class_weight={0: 1.0}), r"one class for each sample.*\(3, 1, 1\)"),
    ],
)  # fmt: skip
def test_bad_input(act, text):
    with pytest.raises(ValueError, match=text):
        act(model())


def _classifier(loss, units):
    made = keras.Sequential([keras.Input((3,)), layers.Dense(units)])
    made.compile("sgd", loss)
    return made


@pytest.mark.parametrize("act", ["fit", "fit generator", "train_on_batch"])
@pytest.mark.parametrize(
    ("loss", "units", "y", "last"),
    [
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), 3, [0, 1, 2], 2),
        (keras.losses.CategoricalCrossentropy(from_logits=True), 3, np.eye(3), 2),
        (keras.losses.BinaryCrossentropy(from_logits=True), 1, [0, 1, 1], 1),
    ],
    ids=["sparse", "categorical", "binary"],
)
def test_class_weights_of_classes_that_the_model_lacks(act, loss, units, y, last):
    made, y = _classifier(loss, units), np.array(y)
    weights = {0: 1.0, last + 1: 2.0, last + 7: 1.0}
    call = {
        "fit": lambda: made.fit(TABLE, y, class_weight=weights, verbose=0),
        "fit generator": lambda: made.fit(iter([(TABLE, y)]), class_weight=weights, verbose=0),
        "train_on_batch": lambda: made.train_on_batch(TABLE, y, class_weight=weights),
    }[act]
    with pytest.raises(
        ValueError,
        match=f"no class of this model: {last + 1}, {last + 7}. It has {last + 1} classes",
    ):
        call()
    del weights[last + 1], weights[last + 7]
    assert np.isfinite(made.train_on_batch(TABLE, y, class_weight={**weights, last: 3.0}))


def test_class_weights_of_a_regression_are_by_value():
    made = _classifier("mse", 1)
    made.fit(TABLE, np.array([0, 5, 9]), class_weight={9: 2.0}, verbose=0)


def test_a_step_that_returns_no_dict():
    class Own(keras.Sequential):
        def train_step(self, data):
            return 0.0

    made = Own([keras.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"Own.train_step returned float 0.0; expected a dict"):
        made.fit(TABLE, np.zeros(3), verbose=0)
    assert np.isfinite(made.predict(TABLE, verbose=0)).all()


@pytest.mark.parametrize(
    "other", [(TABLE,), (TABLE, np.zeros(3), np.ones(3)), (TABLE, [np.zeros(3)] * 2), (TABLE[None], np.zeros(1))]
)  # fmt: skip
def test_a_batch_of_another_structure(other):
    made = model()
    before = made.get_weights()
    with pytest.raises(
        ValueError, match=r"another structure.*\n.*\nExpected: x: \(3, 3\), y: \(3,\)"
    ):
        made.fit(iter([(TABLE, np.zeros(3)), other]), verbose=0)
    assert all(np.isfinite(weight).all() for weight in [*before, *made.get_weights()])
    made.fit(TABLE, np.zeros(3), verbose=0)


class Batches:
    """What can be gone through again and again, as loaders of other libraries can."""

    def __init__(self, count):
        self.count = count
        self.begun = 0

    def __iter__(self):
        self.begun += 1
        for value in range(self.count):
            yield np.full((4, 2), value, "float32"), np.full((4, 1), value, "float32")


def mean_model(optimizer="sgd"):
    """A model whose loss is the mean of y and never changes."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, trainable=False)])
    model.compile(optimizer, loss=lambda y, y_pred: y + 0 * y_pred)
    return model


def test_an_iterable_is_validation_data_in_every_epoch():
    validation = Batches(3)
    history = mean_model().fit(Batches(2), epochs=3, validation_data=validation, verbose=0).history
    assert history["loss"] == [0.5] * 3 and history["val_loss"] == [1.0] * 3
    assert validation.begun == 3


def test_an_iterable_that_ends_with_its_steps_begins_anew_in_the_next_epoch():
    """Whether a pass has another batch is known when it is asked for: then it is the next epoch."""
    data = Batches(2)
    history = mean_model().fit(data, steps_per_epoch=2, epochs=3, verbose=0).history
    assert history["loss"] == [0.5] * 3
    assert data.begun == 3


def test_a_generator_of_validation_data_loses_no_batch():
    def numbers():
        for value in itertools.count():
            yield np.zeros((4, 2), "float32"), np.full((4, 1), value, "float32")

    model = mean_model()
    history = model.fit(
        Batches(1), epochs=3, validation_data=numbers(), validation_steps=2, verbose=0
    ).history
    assert history["val_loss"] == [0.5, 2.5, 4.5]


def test_validation_data_that_ended_is_told():
    with pytest.warns(UserWarning, match="The data ended after 0 of .* steps of the evaluation"):
        history = (
            mean_model()
            .fit(Batches(1), epochs=2, validation_data=iter(Batches(2)), verbose=0)
            .history
        )
    assert history["val_loss"] == [0.5]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_data_set_without_an_end(workers):
    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return np.zeros((4, 2), "float32"), np.full((4, 1), index, "float32")

    history = mean_model().fit(Endless(workers=workers), steps_per_epoch=2, epochs=2, verbose=0)
    assert history.history["loss"] == [0.5, 2.5]


def test_a_step_without_logs_trains_all_epochs():
    class Silent(keras.Sequential):
        def train_step(self, data):
            super().train_step(data)
            return {}

    model = Silent([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 2), "float32")
    assert model.fit(x, np.ones(4), epochs=3, verbose=0).epoch == [0, 1, 2]
    assert model.optimizer.iterations.numpy() == 3


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda m: m.fit(b"abc", TABLE[:, :1]), TypeError, "Expected numbers, received values of type bytes"),
        (lambda m: m.fit("abc", TABLE[:, :1]), TypeError, "Expected numbers, received values of type str"),
        (lambda m: m.fit(TABLE, TABLE[:, :1], class_weight=[1.0, 2.0]), TypeError, r"`class_weight` is a dict.*received list"),
        (lambda m: m.fit(TABLE, TABLE[:, :1], class_weight={0: None}), TypeError, "the weight None for class 0"),
    ],
)  # fmt: skip
def test_input_of_the_wrong_kind(act, error, text):
    with pytest.raises(error, match=text):
        act(model())


@pytest.mark.parametrize("value", [None, "good", [1.0]])
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_logs_that_are_no_numbers(value, run_eagerly):
    class Own(keras.Sequential):
        def train_step(self, data):
            return {"loss": 0.0, "other": value}

    made = Own([keras.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse", run_eagerly=run_eagerly)
    with pytest.raises(
        TypeError, match=r"Own.train_step returned .* under 'other'; expected a number"
    ):
        made.fit(TABLE, np.zeros(3), verbose=0)


def test_sample_weights_of_a_wrong_number():
    x = keras.Input((3,))
    made = keras.Model(x, [layers.Dense(1)(x), layers.Dense(2)(x), layers.Dense(3)(x)])
    made.compile("sgd", "mse")
    y = [np.zeros((3, n)) for n in (1, 2, 3)]
    with pytest.raises(ValueError, match=r"`sample_weight` holds 2 arrays, the model has 3 output"):
        made.fit(TABLE, y, sample_weight=[np.ones(3), np.ones(3)], verbose=0)
