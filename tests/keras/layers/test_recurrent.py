"""Recurrent layers and what surrounds them, where Keras can't be asked: dropout, state in programs, errors."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import errors, keras
from hornbeam.core.tensor import unwrap
from tests.tolerances import assert_close

layers = keras.layers
B, T, D, U = 3, 5, 4, 2
X = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
MASK = np.array([[0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LSTM", {}),
        ("GRU", {}),
        ("GRU", {"reset_after": False}),
        ("SimpleRNN", {}),
    ],
)
def test_kernel_and_loop_agree(name: str, arguments: Any, backwards: bool, mask: Any) -> None:
    options = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    fused = getattr(layers, name)(U, bias_initializer="normal", **arguments, **options)
    looped = layers.RNN(getattr(layers, f"{name}Cell")(U, **arguments), **options)
    by_function = getattr(layers, name)(
        U, activation=lambda x: keras.ops.tanh(x), **arguments, **options
    )
    expected = fused(X, mask=mask)
    for layer in (looped, by_function):
        layer.build(X.shape)
        layer.set_weights(fused.get_weights())
        assert_close(jax.tree.leaves(layer(X, mask=mask)), jax.tree.leaves(expected))


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_unrolled(name: str) -> None:
    rolled = getattr(layers, name)(U, return_sequences=True)
    unrolled = getattr(layers, name)(U, return_sequences=True, unroll=True)
    expected = rolled(X, mask=MASK)
    unrolled.build(X.shape)
    unrolled.set_weights(rolled.get_weights())
    assert_close(unrolled(X, mask=MASK), expected)


# Dropout


def summing(kind: str, **rates: float) -> Any:
    """A layer, or a stack of cells, whose output tells what was dropped."""
    arguments = {
        "activation": None,
        "kernel_initializer": "ones",
        "recurrent_initializer": "zeros",
        **rates,
    }
    if kind == "layer":
        return layers.SimpleRNN(8, return_sequences=True, seed=1, **arguments)
    cells = [
        layers.SimpleRNNCell(8, seed=1, **arguments),
        layers.SimpleRNNCell(1, **{**arguments, "dropout": 0.0}),
    ]
    return layers.RNN(cells[:1] if kind == "cell" else cells, return_sequences=True)


@pytest.mark.parametrize("kind", ["layer", "cell", "stack"])
def test_one_dropout_mask_for_all_steps(kind: str) -> None:
    layer = summing(kind, dropout=0.5)
    ones = np.ones((64, T, 6), "float32")
    dropped = layer(ones, training=True).numpy()
    assert_close(dropped, np.repeat(dropped[:, :1], T, axis=1))
    assert len(np.unique(dropped[:, 0])) > 2
    assert dropped[:, 0, 0].mean() / layer(ones)[0, 0, 0].numpy() == pytest.approx(1, abs=0.3)
    again = layer(ones, training=True).numpy()
    assert (dropped != again).any(), "each call draws anew"


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_dropout(name: str) -> None:
    layer = getattr(layers, name)(U, recurrent_dropout=0.5, seed=3, bias_initializer="normal")
    cell = layers.RNN(getattr(layers, f"{name}Cell")(U, recurrent_dropout=0.5, seed=3))
    first = [np.ones((B, U), "float32")] * len(layer.state_size)
    outputs = [
        layer(X, initial_state=first).numpy(),
        layer(X, initial_state=first, training=True).numpy(),
    ]
    assert (outputs[0] != outputs[1]).any()
    cell.build(X.shape)
    cell.set_weights(layer.get_weights())
    assert_close(
        cell(X, initial_state=first, training=True), outputs[1]
    )  # the same seed: the same mask


def test_same_seed_same_dropout() -> None:
    a, b = (layers.LSTM(U, dropout=0.4, recurrent_dropout=0.4, seed=7) for _ in range(2))
    a(X), b(X)
    b.set_weights(a.get_weights())
    assert_close(a(X, training=True), b(X, training=True))
    assert_close(layers.LSTM.from_config(a.get_config()).seed, 7)


def test_training_with_dropout_advances_the_seed() -> None:
    layer = layers.LSTM(U, dropout=0.4, recurrent_dropout=0.4)
    model = keras.Sequential([keras.Input((T, D)), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    before = layer.cell.seed_generator.state.numpy()
    model.fit(X, np.ones((B, 1)), epochs=2, batch_size=B, verbose=0)
    assert layer.cell.seed_generator.state.numpy()[1] > before[1]
    assert_close(model.predict(X, verbose=0), model.predict(X, verbose=0))


# State


def test_predict_goes_on_from_kept_states() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(B, T, D)), layers.LSTM(U, stateful=True)])
    first, second = (model.predict(X, batch_size=B, verbose=0) for _ in range(2))
    layer = model.layers[0]
    assert_close(second, layer.states[0])
    layer.reset_state()
    assert_close(model(X), first)
    assert_close(model(X), second)


def test_kept_states_of_stacked_cells() -> None:
    """Keras can't reset those."""
    layer = layers.RNN(
        [layers.LSTMCell(3), layers.GRUCell(U)], stateful=True, return_sequences=True
    )
    first = layer(X)
    whole = layers.RNN(layer.cell, return_sequences=True)(np.concatenate([X, X], axis=1))
    assert_close(layer(X), whole[:, T:])
    layer.reset_state()
    assert_close(layer(X), first)


def test_masked_steps_repeat_the_output_of_any_cell() -> None:
    layer = layers.RNN([layers.LSTMCell(U), layers.GRUCell(3)], return_sequences=True)
    plain, masked = layer(X).numpy(), layer(X, mask=np.array([[1, 1, 0, 0, 0]] * B, bool)).numpy()
    assert_close(masked[:, :2], plain[:, :2])
    assert_close(masked[:, 2:], np.repeat(plain[:, 1:2], 3, axis=1))


def test_kept_states_are_no_weights() -> None:
    layer = layers.LSTM(U, stateful=True)
    layer(X)
    assert [v.name for v in layer.weights] == ["kernel", "recurrent_kernel", "bias"]
    assert [v.path for v in layer.non_trainable_variables][:2] == [f"{layer.name}/rnn_state"] * 2


def test_fit_threads_kept_states() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(B, T, D)), layers.GRU(U, stateful=True)])
    model.compile("sgd", "mse")
    model.fit(
        np.concatenate([X] * 4),
        np.ones((4 * B, U)),
        batch_size=B,
        epochs=1,
        shuffle=False,
        verbose=0,
    )
    assert np.abs(model.layers[0].states[0].numpy()).max() > 0


def test_a_state_of_more_axes() -> None:
    class Field(layers.Layer):
        state_size = [(2, D)]  # one state (b, 2, d)
        output_size = D

        def call(self, inputs: Any, states: Any) -> Any:
            new = states[0] + inputs[:, None]
            return new[:, 0], [new]

    assert_close(layers.RNN(Field())(X), X.sum(axis=1))


def test_assigning_in_a_step_is_refused() -> None:
    class Counting(layers.Layer):
        state_size = 1

        def build(self, input_shape: Any) -> None:
            self.count = self.add_weight(shape=(), trainable=False, name="count")

        def call(self, inputs: Any, states: Any) -> Any:
            self.count.assign_add(1.0)
            return states[0], states

    with pytest.raises(RuntimeError, match=r"assigned the variables .*count"):
        layers.RNN(Counting())(X)


def test_a_cell_with_lost_states() -> None:
    class Lossy(layers.Layer):
        state_size = [U, U]

        def call(self, inputs: Any, states: Any) -> Any:
            return states[0], states[:1]

    with pytest.raises(ValueError, match="was given 2 states and gave 1 back"):
        layers.RNN(Lossy())(X)


# Types


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_mixed_precision(name: str) -> None:
    plain = getattr(layers, name)(U, return_state=True)
    mixed = getattr(layers, name)(U, return_state=True, stateful=True, dtype="mixed_bfloat16")
    expected = plain(X)
    mixed.build(X.shape)
    mixed.set_weights(plain.get_weights())
    outputs = mixed(X)
    assert {y.dtype.name for y in outputs} == {"bfloat16"}
    assert mixed.states[0].numpy().dtype == np.float32
    assert_close(outputs, expected, dtype="bfloat16")


# Embedding


def test_words_outside_of_the_table() -> None:
    layer = layers.Embedding(4, 2, name="words")
    for wrong in (4, -1):
        with pytest.raises(
            errors.InvalidArgumentError,
            match=rf"'words' \(Embedding\) has rows for the indices 0 to 3.* {wrong}\.",
        ):
            layer(np.array([[0, wrong]]))
    rows = jax.jit(lambda x: unwrap(layer(x)))(np.array([0, 3, 4, -1]))
    assert np.isnan(rows).any(axis=1).tolist() == [False, False, True, True]


def test_first_values_of_an_embedding() -> None:
    table = np.arange(6, dtype="float32").reshape(3, 2)
    for given in (table, [table], table.tolist()):
        assert_close(layers.Embedding(3, 2, weights=given)(np.array([2, 0])), table[[2, 0]])
    with pytest.raises(ValueError, match=r"shape \(3, 2\), received an array of shape \(3, 3\)"):
        layers.Embedding(3, 2, weights=[np.ones((3, 3))])


def test_many_words_under_mixed_precision() -> None:
    """An index that a 16-bit float can't hold."""
    layer = layers.Embedding(3000, 1, embeddings_initializer="normal", dtype="mixed_bfloat16")
    expected = layer(np.array([2999]))
    assert_close(layer(np.array([2999.0], "float32")), expected)


# TimeDistributed


def test_moving_averages_go_step_by_step() -> None:
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    layer(X, training=True)
    mean = np.zeros(D)
    for t in range(T):
        mean = 0.5 * mean + 0.5 * X[:, t].mean(axis=0)
    assert_close(layer.layer.moving_mean, mean.astype("float32"))


def test_words_within_sentences() -> None:
    """A mask of words is used up inside; a sentence without words is masked as a whole."""
    text = keras.ops.array([[[1, 2], [3, 0], [0, 0]]])
    inputs = layers.Embedding(4, D, mask_zero=True)(text)
    read = layers.TimeDistributed(layers.LSTM(U))
    output = read(inputs)
    assert output._keras_mask.numpy().tolist() == [[True, True, False]]
    assert_close(output[:, 1], read.layer(inputs[:, 1, :1]))


# Errors


class NoState(layers.Layer):
    """A cell that does not say its state."""

    def call(self, inputs: Any, states: Any) -> Any:
        return inputs, states


WRONG: list[tuple[Any, str]] = [
    (
        lambda: layers.LSTM(U, name="a")(X[0]),
        r"'a' \(LSTM\) expected an input with 3 axes, received 2",
    ),
    (
        lambda: layers.RNN(layers.GRUCell(U), name="a")(X[0]),
        r"'a' \(RNN\) takes sequences .* shape \(5, 4\)",
    ),
    (lambda: layers.RNN(NoState()), "has no `state_size`"),
    (lambda: layers.RNN(layers.Dense(3)), "has no `state_size`"),
    (lambda: layers.StackedRNNCells([]), "at least one recurrent cell"),
    (lambda: layers.LSTM(0), "`units` is an integer of at least 1; received 0"),
    (lambda: layers.LSTM(U, dropout=1.5), "`dropout` is a rate from 0 to 1; received 1.5"),
    (lambda: layers.LSTM(U, return_sequence=True), "Did you mean 'return_sequences'"),
    (
        lambda: layers.LSTM(U, stateful=True, name="a")(keras.Input((T, D))),
        r"'a' \(LSTM\) is stateful.*batch_size=",
    ),
    (
        lambda: layers.LSTM(U)(X, initial_state=[X[:, 0, :U]]),
        r"2 state\(s\) .* with 1, of the shapes \[\(3, 2\)\]",
    ),
    (
        lambda: layers.GRU(U)(X, initial_state=X[:, 0]),
        r"shapes \[\(3, 2\)\] .* of the shapes \[\(3, 4\)\]",
    ),
    (
        lambda: layers.GRU(U)(X, mask=MASK[:, 1:]),
        r"of shape \(3, 5\); received a mask of shape \(3, 4\)",
    ),
    (
        lambda: layers.Bidirectional(layers.LSTM(U), "max"),
        "'ave', 'concat' or None; received 'max'",
    ),
    (lambda: layers.Bidirectional(layers.Dense(2)), "takes recurrent layers such as"),
    (
        lambda: layers.Bidirectional(layers.LSTM(U), backward_layer=layers.LSTM(U)),
        "the other one backwards",
    ),
    (
        lambda: layers.Bidirectional(
            layers.LSTM(U), backward_layer=layers.LSTM(U, go_backwards=True, return_state=True)
        ),
        "need the same 'return_state'",
    ),
    (
        lambda: layers.Bidirectional(layers.GRU(U))(X, initial_state=[X[:, 0, :U]]),
        "followed by as many",
    ),
    (
        lambda: layers.TimeDistributed(layers.Dense(2), name="a")(X[0]),
        r"'a' \(TimeDistributed\) .* shape \(5, 4\)",
    ),
    (lambda: layers.TimeDistributed(3), "wraps a layer"),
    (lambda: layers.Embedding(0, 2), "`input_dim` is an integer of at least 1"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_errors(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_another_batch_size_than_the_kept_states() -> None:
    layer = layers.LSTM(U, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match="keeps the states of 3 sequences; received a batch of 1"):
        layer(X[:1])


def test_not_supported() -> None:
    with pytest.raises(NotImplementedError, match="lora_rank"):
        layers.Embedding(3, 2, lora_rank=1)
