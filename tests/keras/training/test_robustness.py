"""Whatever happens in `fit`, the model works afterwards and holds its weights."""

import gc
import os
import signal
import threading

import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.changes import change_count
from hornbeam.core.shield import Shield
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def make(loss="mse", **kwargs):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.Dense(1)])
    model.compile("adam", loss, **kwargs)
    return model


def works(model):
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert np.isfinite(model.predict(X, verbose=0)).all()
    assert np.isfinite(model.fit(X, Y, epochs=1, verbose=0).history["loss"][0])


@pytest.mark.parametrize("after", [0.0, 0.002, 0.01, 0.03, 0.05, 0.1])
def test_ctrl_c_at_any_moment(after):
    model = make()
    model.fit(X, Y, epochs=1, verbose=0)
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        model.fit(X, Y, batch_size=1, epochs=10_000, verbose=0)
    timer.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    works(model)


def test_ctrl_c_within_a_step_waits_for_its_end():
    reached = []
    with pytest.raises(KeyboardInterrupt), Shield() as shield, shield.step():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end of the step")
    assert reached and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("then", ["a step", "nothing"])
def test_ctrl_c_while_garbage_is_collected_is_not_lost(then):
    reached = []

    def interrupting(phase, info):
        if phase == "stop":
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(phase)

    with pytest.raises(KeyboardInterrupt), Shield() as shield:
        gc.callbacks.append(interrupting)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(interrupting)
        reached.append("on")
        if then == "a step":
            with shield.step():
                reached.append("a step")
            reached.append("too late")
    assert reached == ["stop", "on", *([then] if then == "a step" else [])]


def test_ctrl_c_while_compiling():
    class Interrupting(layers.Layer):
        armed = True

        def call(self, x, training=None):
            if training and Interrupting.armed:
                Interrupting.armed = False
                os.kill(os.getpid(), signal.SIGINT)
            return x

    model = keras.Sequential([keras.Input((4,)), layers.Dense(8), Interrupting(), layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=3, verbose=0)
    works(model)


def test_an_error_in_a_callback():
    class Failing(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise OSError("disk full")

    model = make()
    with pytest.raises(OSError, match="disk full"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[Failing()])
    works(model)


def test_an_error_in_a_generator():
    def failing():
        yield X[:8], Y[:8]
        raise RuntimeError("no more files")

    model = make()
    with pytest.raises(RuntimeError, match="no more files"):
        model.fit(failing(), verbose=0)
    works(model)


def test_an_error_while_tracing():
    class Broken(layers.Layer):
        broken = True

        def call(self, x, training=None):
            if training and self.broken:
                raise ValueError("not today")
            return x

    layer = Broken()
    model = keras.Sequential([keras.Input((4,)), layer, layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="not today"):
        model.fit(X, Y, verbose=0)
    layer.broken = False
    works(model)


def test_tensors_taken_from_a_model_outlive_training():
    model = make()
    kernel = model.layers[0].kernel.value
    before = kernel.numpy()
    model.fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(kernel.numpy(), before)
    during = []

    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            during.append(model.layers[0].kernel.value)

    model.fit(X, Y, epochs=2, verbose=0, callbacks=[Keep()])
    assert all(np.isfinite(each.numpy()).all() for each in during)


def test_arrays_given_to_a_model_outlive_training():
    model = make()
    model.fit(X, Y, epochs=1, verbose=0)
    given = jnp.ones((4, 8))
    model.layers[0].kernel.assign(given)
    model.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(given, np.ones((4, 8)))


def test_two_variables_may_hold_one_array():
    model = make()
    model.layers[0].bias.assign(keras.ops.ones((8,)))
    twin = keras.Variable(np.zeros(8, "float32"))
    twin.assign(model.layers[0].bias)
    model.layers[0].twin = twin
    model.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(twin.numpy(), np.ones(8))


def test_predict_and_calls_from_many_threads():
    model = keras.Sequential([layers.Dense(8), layers.Dropout(0.5), layers.Dense(1)])
    results, errors = [], []
    barrier = threading.Barrier(8)

    def run(number):
        try:
            barrier.wait()
            for _ in range(5):
                out = model.predict(X, verbose=0) if number % 2 else model(X).numpy()
                results.append(out)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(results) == 40 and len(model.weights) == 4
    for each in results:
        assert_close(each, results[0])
    model.compile("adam", "mse")
    works(model)


def test_training_in_a_thread():
    model, losses = make(), []
    thread = threading.Thread(
        target=lambda: losses.extend(model.fit(X, Y, verbose=0).history["loss"])
    )
    thread.start()
    thread.join()
    assert len(losses) == 1
    works(model)


def test_nan_stops_cleanly():
    model = make()
    model.fit(
        X,
        np.full_like(Y, np.nan),
        epochs=5,
        verbose=0,
        callbacks=[keras.callbacks.TerminateOnNaN()],
    )
    assert model.history.epoch == [0]


class Batches(keras.utils.PyDataset):
    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


BAD = [
    (lambda m: m.fit(X, Y[:10]), "differ in their number of rows: x: 64, y: 10"),
    (lambda m: m.fit(X[:0], Y[:0]), "0 rows"),
    (lambda m: m.fit(), "no data"),
    (lambda m: m.fit(X, Y, batch_size=0), "`batch_size` is a positive integer; received 0"),
    (lambda m: m.fit(X, Y, validation_split=1.5), "between 0 and 1"),
    (lambda m: m.fit(X[:2], Y[:2], validation_split=0.9), "leaves no row for training"),
    (lambda m: m.fit(iter([(X, Y[:10])])), "differ in their number of rows: x: 64, y: 10"),
    (lambda m: m.fit(X), "no target"),
    (
        lambda m: m.fit(np.ones((8, 5)), np.ones(8)),
        r"expected size 4 on axis -1 of the input, received 5",
    ),
    (lambda m: m.fit(iter([(X, Y)]), Y), "`y` can't be given beside"),
    (lambda m: m.fit(X, Y, class_weight={0: 1.0}, validation_data=(X, Y, Y, Y)), "tuple of 4"),
    (lambda m: m.fit(np.array([["a"] * 4]), np.ones(1)), "arrays of numbers"),
    (lambda m: m.fit(X, Y, validation_data=X), "no target"),
    (lambda m: m.fit(X, Y, validation_data=(X[:, :3], Y)), r"expected size 4 .* received 3"),
    (lambda m: m.fit(X, Y, validation_data=(X[:, None, :3], Y)), r"expected its input .* of shape"),
    (lambda m: m.fit(X, Y, validation_data=({"a": X}, Y)), r"the dict it received has \['a'\]"),
    (lambda m: m.fit(X, Y, validation_data=Batches(X[:, :3], Y)), "expected size 4"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y), validation_freq=0), "`validation_freq` is"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y), validation_freq=2.0), "received 2.0"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y[:3])), "differ in their number of rows"),
    (lambda m: m.fit(X, Y, epochs=2.0), "`epochs` is a whole number; received 2.0"),
    (lambda m: m.fit(np.zeros((4, 4), "datetime64[s]"), np.ones(4)), "arrays of numbers"),
    (lambda m: m.compile("adamm", "mse"), "Unknown optimizer: 'adamm'. Did you mean 'adam"),
    (lambda m: m.compile("adam", "msee"), "Unknown loss: 'msee'. Did you mean 'mse"),
    (
        lambda m: m.compile("adam", "mse", metrics=["acuracy"]),
        "Unknown metric: 'acuracy'. Did you mean",
    ),
]


@pytest.mark.parametrize(("act", "text"), BAD, ids=[text[:24] for _, text in BAD])
def test_bad_input_is_told_and_harms_nothing(act, text):
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match=text):
        act(model)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    works(model)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_validation_targets_of_another_width_are_told_before_training_in_every_fit(run_eagerly):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", run_eagerly=run_eagerly)
    targets = np.eye(4, dtype="float32")[:3]
    before = model.get_weights()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"y_true\.shape=.*, 4\)"):
            model.fit(X[:3], targets[:, :3], validation_data=(X[:3], targets), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_labels_beyond_the_classes():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="label 3"):
        model.fit(X, np.full(64, 3), verbose=0)
    with pytest.raises(ValueError, match="label -1"):
        model.evaluate(X, np.full(64, -1), verbose=0)


def test_indices_beyond_the_table():
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(10, 2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    good, bad = np.zeros((8, 3), "int32"), np.full((8, 3), 10)
    for act in (lambda: model.fit(bad, np.ones(8)), lambda: model.predict(bad, verbose=0)):
        with pytest.raises(ValueError, match="received the index 10"):
            act()
    assert np.isfinite(model.fit(good, np.ones(8), verbose=0).history["loss"][0])


def test_a_model_that_is_not_compiled():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    for act in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ValueError, match=r"must be compiled.*model\.compile\("):
            act(X, Y)
    assert model.predict(X, verbose=0).shape == (64, 1)


def test_a_second_fit_uses_the_same_program():
    """Nothing that `fit` itself leaves behind counts as a change of the model."""
    model = make(metrics=["mae"])
    model.fit(X, Y, verbose=0)
    before = change_count()
    assert model.fit(X, Y, verbose=0) is model.history
    assert change_count() == before


@pytest.mark.parametrize("act", ["fit", "train_on_batch", "evaluate", "predict"])
def test_data_of_another_width_after_a_good_call(act):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")
    call = {
        "fit": lambda x: model.fit(x, y, verbose=0),
        "train_on_batch": lambda x: model.train_on_batch(x, y),
        "evaluate": lambda x: model.evaluate(x, y, verbose=0),
        "predict": lambda x: model.predict(x, verbose=0),
    }[act]
    call(x)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"expected shape|\(None, 5\)|\(4, 5\)"):
        call(np.ones((4, 5), "float32"))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    call(x)


def test_a_replaced_layer_counts_at_the_next_call():
    class Held(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

    model = Held()
    model.compile("sgd", "mse")
    assert_close(model.predict(X, verbose=0), Y)
    model.dense = layers.Dense(1, kernel_initializer="zeros")
    np.testing.assert_array_equal(model.predict(X, verbose=0), 0 * Y)


def test_an_error_closes_what_callbacks_opened(tmp_path):
    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise OSError("disk full")

    model, logger = make(), keras.callbacks.CSVLogger(tmp_path / "log.csv")
    with pytest.raises(OSError, match="disk full"):
        model.fit(X, Y, verbose=0, callbacks=[logger, Failing()])
    assert logger._file is None and (tmp_path / "log.csv").read_text().startswith("epoch,loss")


def _calling_back(seen):
    """A model whose step calls Python, which reads the weights, and fails where the loss is above a bound."""

    def look(loss):
        seen.append(float(model.layers[0].kernel.numpy().sum()))
        if loss > bound[0]:
            raise ValueError("too large")
        return loss

    class Own(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x) - y) ** 2)
                loss = tf.numpy_function(look, [loss], tf.TensorSpec((), tf.float32)) * 0 + loss
            self.optimizer.minimize(loss, self.trainable_variables, tape)
            return {"loss": loss}

    bound = [np.inf]
    model = Own([keras.Input((4,)), layers.Dense(1)])
    model.compile("adam")
    return model, bound


def test_after_an_error_in_python_that_a_step_calls_the_weights_are_those_of_before():
    seen = []
    model, bound = _calling_back(seen)
    y = np.ones((64, 1), "float32")
    model.fit(X, y, batch_size=16, verbose=0)
    assert len(seen) == len(set(seen)) == 4  # Python saw the weights of each step
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    bound[0] = -1
    with pytest.raises(ValueError, match="too large"):
        model.fit(X, y, batch_size=16, verbose=0)
    after = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    bound[0] = np.inf
    model.fit(X, y, batch_size=16, verbose=0)
    assert len(seen) == 9
