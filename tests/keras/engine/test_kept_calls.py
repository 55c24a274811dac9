"""Calls of built-in layers as kept programs: the same as their Python, whatever is changed, and seen by tapes."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
SEQUENCE = np.random.default_rng(1).normal(size=(2, 3, 3)).astype("float32")


@contextmanager
def by_python() -> Iterator[None]:
    """Within the context, no call is a program."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def kept(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """The kept program of a call, or None."""
    ready = layer._kept_calls.find(layer, args, kwargs)
    return None if ready is None else ready.func


def values(structure: Any) -> list[np.ndarray]:
    """All arrays that a call returned."""
    return [np.asarray(each) for each in tf.nest.flatten(structure)]


class Halved(layers.Dense):
    """A user's layer."""

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / 2


def reverse(cells: list[Any]) -> None:
    cells.reverse()


def scale(array: np.ndarray) -> None:
    array *= 2


def model() -> Any:
    """A small model with layers of each kind of state."""
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(3, "tanh"), layers.BatchNormalization(), layers.Dense(3)]
    )


def batch_normalization() -> Any:
    layer = layers.BatchNormalization()
    layer(X)
    layer.moving_mean.assign([1.0, 2.0, 3.0])
    return layer


def cells() -> Any:
    return layers.RNN([layers.SimpleRNNCell(3), layers.GRUCell(3)])


# A layer, the inputs, the arguments of its call, and a change that its results depend on.
CHANGES: dict[str, tuple[Callable[[], Any], np.ndarray, dict[str, Any], Callable[[Any], Any]]] = {
    "number": (lambda: layers.LeakyReLU(0.3), X, {}, lambda a: setattr(a, "negative_slope", 0.7)),
    "activation": (
        lambda: layers.Dense(3),
        X,
        {},
        lambda a: setattr(a, "activation", keras.activations.relu),
    ),
    "weight": (lambda: layers.Dense(3), X, {}, lambda a: a.set_weights([np.eye(3), np.ones(3)])),
    "other weight": (
        lambda: layers.Dense(3),
        X,
        {},
        lambda a: setattr(a, "bias", keras.Variable(np.ones(3, "float32"))),
    ),
    "array": (
        lambda: layers.Rescaling(np.ones(3, "float32")),
        X,
        {},
        lambda a: scale(a.scale),
    ),
    "list": (cells, SEQUENCE, {}, lambda a: reverse(a.cell.cells)),
    "frozen": (
        batch_normalization,
        X,
        {"training": True},
        lambda a: setattr(a, "trainable", False),
    ),
    "type": (
        lambda: layers.Dense(3, use_bias=False),
        X,
        {},
        lambda a: setattr(a, "dtype_policy", keras.DTypePolicy("mixed_bfloat16")),
    ),
    "own call": (
        lambda: layers.Dense(3),
        X,
        {},
        lambda a: setattr(a, "call", lambda inputs: inputs),
    ),
    "layer less": (model, X, {}, lambda m: m.pop()),
    "layer in a model": (
        lambda: keras.Sequential([keras.Input((3,)), layers.LeakyReLU(0.3)]),
        X,
        {},
        lambda m: setattr(m.layers[0], "negative_slope", 0.7),
    ),
    "class": (
        lambda: layers.Dense(3),
        X,
        {},
        lambda a: setattr(a, "__class__", Halved),
    ),
    "axis": (
        lambda: layers.UnitNormalization(),
        X,
        {},
        lambda a: setattr(a, "axis", 0),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name: str) -> None:
    make, x, arguments, change = CHANGES[name]
    layer = make()
    before = layer(x, **arguments)
    assert kept(layer, x, **arguments) is not None
    change(layer)
    got = values(layer(x, **arguments))
    with by_python():
        expected = values(layer(x, **arguments))
    for each, other in zip(got, expected, strict=True):
        assert_close(each, other)
    assert not np.array_equal(got[0], np.asarray(before)), "the change changes nothing"


def test_a_replaced_method_of_a_class_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layers.LeakyReLU(0.5)
    layer(X)
    assert kept(layer, X) is not None
    monkeypatch.setattr(layers.LeakyReLU, "call", lambda self, inputs: inputs * 0)
    assert not np.any(layer(X))


def test_checked_numbers_are_looked_at_op_by_op() -> None:
    layer = layers.Dense(2)
    layer(X)
    assert kept(layer, X) is not None
    with jax.debug_nans(True):  # what tf.debugging.enable_check_numerics sets
        assert kept(layer, X) is None


def test_penalties_follow_their_settings() -> None:
    layer = layers.ActivityRegularization(l1=1.0)
    layer(X)
    assert kept(layer, X) is not None
    first = float(layer.losses[0])
    layer.activity_regularizer.l1 = 3.0
    layer(X)
    assert_close(float(layer.losses[0]), 3 * first)


OTHERS: dict[str, Callable[[], Any]] = {
    "subclass": lambda: Halved(3),
    "activation": lambda: layers.Dense(3, activation=lambda x: 2 * x),
    "function": lambda: layers.Lambda(lambda x: 2 * x),
    "penalty": lambda: layers.Dense(3, activity_regularizer=lambda x: 2.0),
    "inside": lambda: keras.Sequential([keras.Input((3,)), Halved(3)]),
    "constant tensor": lambda: _with_tensor(),
}


def _with_tensor() -> Any:
    x = keras.Input((3,))
    return keras.Model(x, x * tf.constant([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("name", OTHERS)
def test_python_of_users_runs_at_each_call(name: str) -> None:
    layer = OTHERS[name]()
    layer(X)
    layer(X)
    assert kept(layer, X) is None


def test_settings_of_weights_may_be_of_users() -> None:
    layer = layers.Dense(3, kernel_initializer=lambda shape, dtype: np.ones(shape, dtype))
    layer(X)
    assert kept(layer, X) is not None


def test_programs_of_earlier_settings_are_kept() -> None:
    layer = model()
    layer.trainable = True
    layer(X)
    first = kept(layer, X)
    layer.trainable = False
    layer(X)
    assert kept(layer, X) is not first
    layer.trainable = True
    assert kept(layer, X) is first is not None


def test_state_is_threaded() -> None:
    one, other = model(), model()
    other.set_weights(one.get_weights())
    for _ in range(3):
        got = one(X, training=True)
        with by_python():
            expected = other(X, training=True)
        assert_close(np.asarray(got), np.asarray(expected))
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert_close(a, b)
    drop = layers.Dropout(0.5, seed=3)
    draws = [np.asarray(drop(np.ones((50,), "float32"), training=True)) for _ in range(2)]
    assert not np.array_equal(*draws)


def test_threads_share_a_program() -> None:
    layer = layers.BatchNormalization(momentum=0.9)
    x = X + 2
    layer(x, training=True)

    def calls() -> None:
        for _ in range(10):
            layer(x, training=True)

    threads = [threading.Thread(target=calls) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert_close(layer.moving_mean.numpy(), x.mean(0) * (1 - 0.9**41))


def test_masks_and_checks() -> None:
    table = layers.Embedding(4, 3, mask_zero=True)
    network = keras.Sequential([keras.Input((3,), dtype="int32"), table, layers.GRU(2)])
    ids = np.array([[1, 0, 0], [2, 3, 0]])
    assert kept(table, ids) is None
    mask = table(ids)._keras_mask
    assert kept(table, ids) is not None
    assert mask.numpy().tolist() == [[True, False, False], [True, True, False]]
    got = network(ids)
    assert kept(network, ids) is not None
    with by_python():
        assert_close(np.asarray(got), np.asarray(network(ids)))
    for layer in (table, network):
        with pytest.raises(ValueError, match="rows for the indices 0 to 3"):
            layer(ids + 2)
    assert np.isfinite(np.asarray(layers.Dense(2)(table(ids)))).all()


def test_a_tape_sees_one_computation() -> None:
    layer, x = model(), tf.Variable(X)
    layer.layers[2].trainable = False

    def run() -> tuple[Any, Any, Any]:
        with tf.GradientTape() as outer:
            with tf.GradientTape(persistent=True) as tape:
                loss = tf.reduce_sum(layer(x) ** 2)
            watched = set(map(id, tape.watched_variables()))
            assert watched == set(map(id, [x, *layer.trainable_variables]))
            total = tf.reduce_sum(tape.gradient(loss, x) ** 2)
        first = tape.gradient(loss, [x, *layer.trainable_variables])
        return loss, first, outer.gradient(total, layer.trainable_variables)

    layer(x)
    assert kept(layer, tf.constant(X)) is not None
    for variable in layer.variables:
        variable.is_lent = False
    got = values(run())
    assert all(variable.is_lent for variable in layer.variables), "a tape keeps the values"
    with by_python():
        expected = values(run())
    assert len(got) == 1 + 1 + 2 * 4
    for each, other in zip(got, expected, strict=True):
        assert_close(each, other)


def test_a_tape_sees_how_one_output_is_made_of_another() -> None:
    """As for maps of what a class looks at: the gradient of a score by features, both outputs of one model."""
    inputs = keras.Input((3,))
    features = layers.Dense(4, activation="tanh", activity_regularizer="l2")(inputs)
    layer = keras.Model(inputs, [features, layers.Dense(1)(features)])
    kernel = layer.layers[-1].kernel
    programs = []
    for _ in range(2):  # made, and found
        with tf.GradientTape(persistent=True) as tape:
            seen, score = layer(X)
            penalty = sum(layer.losses)
        assert_close(tape.gradient(score, seen), np.tile(kernel.numpy().T, (2, 1)))
        assert_close(tape.gradient(penalty, seen), 0.01 * seen.numpy())
        programs.append(kept(layer, tf.constant(X)))
    assert programs[0] is programs[1] is not None


def test_a_tape_sees_several_heads_as_one_computation() -> None:
    inputs = keras.Input((3,))
    body = layers.Dense(4, "relu")(inputs)
    model = keras.Model(inputs, {"z": layers.Dense(1)(body), "a": layers.Dense(2)(body)})
    x = tf.constant(X)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = model(x)
        loss = tf.reduce_sum(outputs["z"]) + tf.reduce_sum(outputs["a"] ** 2)
    assert kept(model, x) is not None and not kept(model, x).hides_from_tapes
    assert tape.gradient(outputs["z"], outputs["a"]) is None
    found = tape.gradient(loss, [x, *model.trainable_variables])
    with by_python(), tf.GradientTape() as tape:
        tape.watch(x)
        outputs = model(x)
        loss = tf.reduce_sum(outputs["z"]) + tf.reduce_sum(outputs["a"] ** 2)
    assert_close(values(found), values(tape.gradient(loss, [x, *model.trainable_variables])))


class Trained(keras.Model):
    """Changes only how it is trained."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen = keras.metrics.Mean(name="seen")

    def train_step(self, data: Any) -> dict[str, Any]:
        return super().train_step(data)

    @property
    def metrics(self) -> list[Any]:
        return [self.seen]

    def helper(self, x: Any) -> Any:
        return self(x)


class Called(Trained):
    """Changes its call too."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return 2 * super().call(inputs, training, mask)


def test_a_users_class_that_only_trains_a_graph_is_one_computation() -> None:
    inputs = keras.Input((3,))
    outputs = layers.Dense(2)(inputs)
    model, called = Trained(inputs, outputs), Called(inputs, outputs)
    assert_close(values(called(X)), values(2 * model(X)))
    assert kept(model, X) is not None and kept(called, X) is None
    sequential = type("Steps", (keras.Sequential,), {"test_step": lambda self, data: {}})(
        [inputs, layers.Dense(2)]
    )
    sequential(X)
    assert kept(sequential, X) is not None


def test_a_loss_of_probabilities_takes_their_logits() -> None:
    layer = layers.Dense(2, activation="softmax", kernel_initializer="zeros")
    x = np.ones((1, 3), "float32")
    layer(x)
    layer.bias.assign([200.0, 0.0])  # the second probability is 0 in 32 bits
    assert kept(layer, x) is not None
    with tf.GradientTape() as tape:
        loss = keras.losses.sparse_categorical_crossentropy([1], layer(x))
    assert_close(np.asarray(loss), [200.0])
    assert_close(np.asarray(tape.gradient(loss, layer.bias)), [1.0, -1.0])


def test_losses_reach_the_layer_around_them() -> None:
    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.Dense(3, activity_regularizer="l2")

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    layer = Outer()
    layer(X)
    assert kept(layer.inner, X) is not None
    with tf.GradientTape() as tape:
        layer(X)
        (loss,) = layer.losses
    assert tape.gradient(loss, layer.inner.kernel) is not None
    assert len(layer.inner.losses) == 1


def test_other_code_that_traces_a_call_takes_its_python() -> None:
    layer = layers.BatchNormalization()
    layer(X)
    assert kept(layer, X) is not None
    inside = []
    jax.make_jaxpr(lambda: inside.append(kept(layer, X)))()
    assert inside == [None]
    assert_close(np.asarray(jax.jit(lambda: layer(X)._value)()), np.asarray(layer(X)))


def test_copies_have_programs_of_their_own() -> None:
    layer = layers.Dense(2)
    before = np.asarray(layer(X))
    twin = copy.deepcopy(layer)
    twin.set_weights([np.zeros((3, 2)), np.zeros(2)])
    assert not np.any(twin(X))
    assert np.array_equal(layer(X), before)
