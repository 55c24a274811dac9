"""`fit`, `evaluate` and `predict` on small problems."""

from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
LABELS = (X[:, 0] + X[:, 1] > 0).astype("int64")
TARGET = X @ np.array([[1.0], [2.0], [-1.0], [0.5]], "float32")


def classifier(**kwargs):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        **{
            "optimizer": "adam",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            **kwargs,
        }
    )
    return model


def regressor(optimizer: Any = "sgd", **kwargs):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(optimizer, "mse", **kwargs)
    return model


def test_training_learns_and_evaluate_agrees():
    model = classifier(optimizer=keras.optimizers.Adam(0.05))
    history = model.fit(X, LABELS, batch_size=16, epochs=20, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
    loss, accuracy = model.evaluate(X, LABELS, verbose=0)
    predicted = model.predict(X, verbose=0)
    assert_close(accuracy, np.mean(predicted.argmax(1) == LABELS), "rounded")
    assert_close(loss, -np.log(predicted[np.arange(50), LABELS]).mean())
    assert_close(
        model.evaluate(X, LABELS, verbose=0, return_dict=True),
        {"loss": loss, "accuracy": accuracy},
        "rounded",
    )


def test_one_step_of_sgd_is_the_gradient():
    model = regressor(keras.optimizers.SGD(0.1))
    kernel, bias = model.get_weights()
    error = X @ kernel + bias - TARGET
    model.fit(X, TARGET, batch_size=50, epochs=1, verbose=0)
    new_kernel, new_bias = model.get_weights()
    assert_close(new_kernel, kernel - 0.1 * 2 * X.T @ error / 50)
    assert_close(new_bias, bias - 0.1 * 2 * error.mean(0))


def test_the_last_partial_batch_counts_by_its_rows():
    model = regressor(keras.optimizers.SGD(0.0))
    history = model.fit(X, TARGET, batch_size=16, epochs=1, verbose=0)
    exact = float(np.mean((model.predict(X, verbose=0) - TARGET) ** 2))
    assert_close(history.history["loss"][0], exact)
    assert_close(model.evaluate(X, TARGET, batch_size=16, verbose=0), exact)


def test_the_same_seed_gives_the_same_weights():
    def run():
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(8), layers.Dropout(0.5), layers.Dense(1)]
        )
        model.compile("adam", "mse")
        model.fit(X, TARGET, epochs=2, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(10 * index, 10 * index + 10)
        return X[rows], TARGET[rows]


def endless():
    while True:
        for i in range(5):
            yield X[10 * i : 10 * i + 10], TARGET[10 * i : 10 * i + 10]


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ((X, TARGET), {"batch_size": 10, "shuffle": False}),
        ((X.tolist(), TARGET.tolist()), {"batch_size": 10, "shuffle": False}),
        ((X.astype("float64"), TARGET.astype("float64")), {"batch_size": 10, "shuffle": False}),
        (
            (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(TARGET)),
            {"batch_size": 10, "shuffle": False},
        ),
        ((Batches(),), {"shuffle": False}),
        ((Batches(workers=3),), {"shuffle": False}),
        ((endless(),), {"steps_per_epoch": 5}),
        (
            ([(X[i : i + 10], TARGET[i : i + 10]) for i in range(0, 50, 10)].__iter__(),),
            {"epochs": 1},
        ),
    ],
    ids=[
        "numpy",
        "lists",
        "float64",
        "tensors",
        "PyDataset",
        "PyDataset threads",
        "generator",
        "iterator",
    ],
)
def test_every_form_of_data_trains_alike(data, options):
    def train(data, options):
        keras.utils.set_random_seed(1)
        model = regressor()
        model.fit(*data, verbose=0, **options)
        return model.get_weights()

    expected = train((X, TARGET), {"batch_size": 10, "shuffle": False})
    for a, b in zip(train(data, options), expected, strict=True):
        assert_close(a, b)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    model = regressor()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model.fit(frame, pandas.Series(TARGET[:, 0]), epochs=1, verbose=0)
    assert model.predict(frame, verbose=0).shape == (50, 1)


def test_steps_per_epoch_runs_on_across_epochs():
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    history = regressor().fit(
        X, TARGET, batch_size=10, steps_per_epoch=3, epochs=4, verbose=0, callbacks=[Spy()]
    )
    assert seen == [0, 1, 2] * 4 and len(history.history["loss"]) == 4


def test_a_generator_that_ends_warns():
    def short():
        yield X[:10], TARGET[:10]

    with pytest.warns(UserWarning, match="ended after 1 of 3 steps"):
        regressor().fit(short(), steps_per_epoch=3, verbose=0)


def test_validation_split_takes_the_last_rows():
    model = regressor(keras.optimizers.SGD(0.0))
    history = model.fit(X, TARGET, validation_split=0.2, epochs=1, verbose=0)
    assert_close(history.history["val_loss"][0], model.evaluate(X[40:], TARGET[40:], verbose=0))


def test_validation_data_and_frequency():
    validated = []

    class Spy(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            validated.append("val_loss" in logs)

    history = regressor().fit(
        X,
        TARGET,
        validation_data=(X, TARGET),
        validation_freq=2,
        epochs=4,
        verbose=0,
        callbacks=[Spy()],
    )
    assert len(history.history["loss"]) == 4 and len(history.history["val_loss"]) == 2
    assert validated == [False, True, False, True]
    history = regressor().fit(
        Batches(), validation_data=Batches(), validation_steps=2, epochs=1, verbose=0
    )
    assert "val_loss" in history.history


def test_weights_of_samples_and_classes():
    model = classifier(
        optimizer=keras.optimizers.SGD(0.0), weighted_metrics=["accuracy"], metrics=[]
    )
    weights = np.where(LABELS == 1, 3.0, 1.0)
    a = model.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0}, epochs=1, verbose=0).history
    b = model.fit(X, LABELS, sample_weight=weights, epochs=1, verbose=0).history
    assert_close(a["loss"], b["loss"])
    assert_close(a["accuracy"], b["accuracy"])
    both = {"class_weight": {1: 3.0}, "sample_weight": np.where(LABELS == 0, 2.0, 1.0)}
    product = {"sample_weight": np.where(LABELS == 0, 2.0, 3.0)}
    losses = [model.fit(X, LABELS, verbose=0, **each).history["loss"] for each in (both, product)]
    assert_close(losses[0], losses[1])
    one_hot = keras.utils.to_categorical(LABELS, 2)
    model.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    c = model.fit(X, one_hot, class_weight={0: 1.0, 1: 3.0}, epochs=1, verbose=0).history
    assert_close(c["loss"], a["loss"])


def test_several_outputs_with_losses_weights_and_metrics_by_name():
    x = keras.Input((4,))
    model = keras.Model(
        x,
        {
            "a": layers.Dense(1, name="a")(x),
            "b": layers.Dense(2, activation="softmax", name="b")(x),
        },
    )
    model.compile(
        keras.optimizers.SGD(0.0),
        loss={"a": "mse", "b": "sparse_categorical_crossentropy"},
        loss_weights={"a": 0.5, "b": 2.0},
        metrics={"b": ["accuracy"], "a": "mae"},
    )
    logs = model.fit(X, {"a": TARGET, "b": LABELS}, epochs=1, verbose=0, batch_size=50).history
    assert {"loss", "a_loss", "b_loss", "a_mae", "b_accuracy"} == set(logs)
    assert_close(logs["loss"][0], 0.5 * logs["a_loss"][0] + 2 * logs["b_loss"][0])
    assert set(model.predict(X, verbose=0)) == {"a", "b"}


def test_a_list_of_outputs():
    x = keras.Input((4,))
    model = keras.Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    model.compile("sgd", ["mse", "mae"], metrics=[["mae"], ["mse"]], weighted_metrics=[])
    logs = model.fit(X, [TARGET, TARGET], epochs=1, verbose=0).history
    assert set(logs) == {"loss", "a_loss", "b_loss", "a_mae", "b_mse"}


def test_regularizers_and_add_loss_are_part_of_the_loss():
    class Fee(layers.Layer):
        def call(self, x):
            self.add_loss(2.5)
            return x

    model = keras.Sequential(
        [keras.Input((4,)), Fee(), layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1.0))]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    plain = np.mean((model.predict(X, verbose=0) - TARGET) ** 2)
    penalty = np.sum(model.get_weights()[0] ** 2) + 2.5
    assert_close(model.evaluate(X, TARGET, verbose=0), plain + penalty)
    assert_close(model.fit(X, TARGET, batch_size=50, verbose=0).history["loss"][0], plain + penalty)


def test_moving_averages_move():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.layers[0].moving_mean.numpy()
    model.fit(X + 5, TARGET, epochs=1, verbose=0)
    assert np.all(model.layers[0].moving_mean.numpy() > before + 0.01)
    after = model.layers[0].moving_mean.numpy()
    model.evaluate(X, TARGET, verbose=0)
    model.predict(X, verbose=0)
    np.testing.assert_array_equal(model.layers[0].moving_mean.numpy(), after)


def test_on_batch():
    model = regressor(metrics=["mae"])
    loss, mae = model.train_on_batch(X, TARGET)
    assert np.isfinite([loss, mae]).all()
    assert set(model.test_on_batch(X, TARGET, return_dict=True)) == {"loss", "mae"}
    out = model.predict_on_batch(X)
    assert isinstance(out, np.ndarray) and out.shape == (50, 1)


def test_predict_keeps_structures_and_can_be_written():
    x = keras.Input((4,))
    model = keras.Model(x, [x, {"twice": x * 2}])
    for batch_size in (7, 50):
        first, rest = model.predict(X, batch_size=batch_size, verbose=0)
        assert_close(first, X)
        assert_close(rest["twice"], 2 * X)
        first[:] = 0


def test_a_model_without_an_input_is_built_by_fit():
    model = keras.Sequential([layers.Dense(8), layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    assert model.fit(X, LABELS, epochs=1, verbose=0).history["loss"]


def test_a_metric_may_make_its_variables_on_the_first_update():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation="sigmoid")])
    model.compile(
        "adam", "binary_crossentropy", metrics=[keras.metrics.AUC(multi_label=True, name="auc")]
    )
    y = np.stack([LABELS, 1 - LABELS], 1)
    assert 0 <= model.fit(X, y, verbose=0).history["auc"][0] <= 1


def test_metrics_may_stand_third_as_in_keras_2():
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    assert set(model.evaluate(X, LABELS, verbose=0, return_dict=True)) == {"loss", "accuracy"}


def test_a_step_of_ones_own():
    class Noisy(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.seen = keras.metrics.Sum(name="seen")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            logs = super().train_step((x * 1.0, y))
            self.seen.update_state(keras.ops.ones((x.shape[0],)))
            return {**logs, "seen": self.seen.result()}

    model = Noisy()
    model.compile("sgd", "mse")
    logs = model.fit(X, TARGET, epochs=2, verbose=0).history
    assert logs["seen"] == [50.0, 50.0]
    assert logs["loss"][1] < logs["loss"][0]


class _Half(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)


class _HalfLoss(_Half):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return 0.5 * super().compute_loss(x, y, y_pred, sample_weight, training)


class _OlderHalfLoss(_Half):
    """As people wrote before `training`, under names of their own."""

    def compute_loss(self, inputs, targets, outputs, weights, allow_empty=False):
        return 0.5 * super().compute_loss(inputs, targets, outputs, weights)


@pytest.mark.parametrize("kind", [_HalfLoss, _OlderHalfLoss])
def test_a_loss_of_ones_own(kind):
    model = kind()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    logged = model.fit(X, TARGET, batch_size=50, verbose=0).history["loss"][0]
    expected = 0.5 * np.mean((model.predict(X, verbose=0) - TARGET) ** 2)
    assert_close(logged, expected)
    assert_close(model.evaluate(X, TARGET, verbose=0), expected)


def test_running_eagerly_gives_the_same():
    def run(**kwargs):
        keras.utils.set_random_seed(1)
        model = regressor(**kwargs)
        model.fit(X, TARGET, batch_size=25, epochs=2, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(run_eagerly=True), strict=True):
        assert_close(a, b)


def test_mixed_precision_trains():
    x = keras.Input((4,))
    out = layers.Dense(1, dtype="float32")(layers.Dense(8, dtype="mixed_bfloat16")(x))
    model = keras.Model(x, out)
    model.compile("adam", "mse")
    model.fit(X, TARGET, epochs=2, verbose=0)
    stored = [*model.weights, *model.optimizer.variables]
    assert {v.dtype.name for v in stored if v is not model.optimizer.iterations} == {"float32"}


def test_the_bar_shows_what_fit_returns(capsys):
    history = classifier().fit(X, LABELS, epochs=2, verbose=1, validation_split=0.2)
    text = capsys.readouterr().out
    assert "Epoch 2/2" in text
    last = text.strip().splitlines()[-1]
    for name, values in history.history.items():
        assert f"{name}: {values[-1]:.4f}" in last


def test_results_come_in_the_order_of_compile():
    """And not in that of their names, in which JAX gives dicts back."""
    model = regressor(keras.optimizers.SGD(0.0), metrics=["mse", "mae"])
    error = model.predict(X, verbose=0) - TARGET
    expected = [np.mean(error**2), np.mean(error**2), np.mean(np.abs(error))]
    for result in (
        model.evaluate(X, TARGET, verbose=0),
        model.train_on_batch(X, TARGET),
        model.test_on_batch(X, TARGET),
    ):
        assert_close(result, expected)


@pytest.mark.parametrize("steps", [3, 5])
def test_steps_per_epoch_are_the_steps_that_run(steps):
    """Of five batches; where an epoch takes all of them, the next one begins anew."""
    model = regressor()
    model.fit(X, TARGET, batch_size=10, steps_per_epoch=steps, epochs=4, verbose=0)
    assert int(model.optimizer.iterations) == 4 * steps


@pytest.mark.parametrize("kind", ["train", "test", "predict"])
def test_a_function_of_the_users_that_nobody_calls_is_told(kind):
    """Keras asks the model for what runs the steps."""
    name = f"make_{kind}_function"
    cls = type("Own", (keras.Sequential,), {name: lambda self, force=False: pytest.fail()})
    model = cls([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.ones((2, 1), "float32")
    run = {"train": model.fit, "test": model.evaluate, "predict": model.predict}[kind]
    with pytest.warns(UserWarning, match=f"Own.{name} is not called.*`{kind}_step`") as caught:
        run(*[data] * (1 if kind == "predict" else 2), verbose=0)
    assert caught[0].filename == __file__
