"""What the table of layers can't say about recurrent layers: users' cells, states that are kept, whole models."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras as theirs
import numpy as np
import pytest

from hornbeam import keras as ours
from hornbeam.core.tensor import unwrap
from tests.tolerances import assert_close

# Keras's Variable has no `copy` argument in __array__, of which NumPy complains.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

B, T, D, U = 3, 5, 4, 2
X = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
MASK = np.array([[0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)


def with_equal_weights(make: Any, shape: Any = None) -> tuple[Any, Any]:
    """Hornbeam's and Keras's layer, built for a shape, or model, with the same random weights."""
    mine, peer = make(ours), make(theirs)
    if shape is not None:
        mine.build(shape), peer.build(shape)
    draw = np.random.default_rng(1)
    weights = [draw.normal(size=w.shape, scale=0.5).astype("float32") for w in peer.get_weights()]
    mine.set_weights(weights)
    peer.set_weights(weights)
    return mine, peer


def run(layer: Any, states: Any, mask: Any) -> tuple[Any, Any]:
    """The outputs, and the gradients of a sum of them in the layer's weights, its inputs and its first states."""
    fixed = [jnp.asarray(np.asarray(v)) for v in layer.non_trainable_variables]

    def total(weights: Any, x: Any, states: Any) -> Any:
        options = {"initial_state": states} if states else {}
        outputs, _ = layer.stateless_call(weights, fixed, x, mask=mask, **options)
        flat = [unwrap(y) for y in jax.tree.leaves(outputs, is_leaf=lambda y: hasattr(y, "ndim"))]
        return sum(jnp.sum(y * jnp.cos(jnp.arange(y.size)).reshape(y.shape)) for y in flat), flat

    weights = [jnp.asarray(np.asarray(v)) for v in layer.trainable_variables]
    compiled = jax.jit(jax.grad(total, (0, 1, 2), has_aux=True))
    gradients, outputs = compiled(weights, jnp.asarray(X), states)
    return outputs, jax.tree.leaves(gradients)


def smooth(x: Any) -> Any:
    """An activation that no kernel knows."""
    return x / (1 + x * x)


def minimal_cell(keras: Any) -> Any:
    """A cell as users write them: one state, given back bare."""

    class Minimal(keras.layers.Layer):
        state_size = U

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], U), name="kernel")
            self.recurrent_kernel = self.add_weight(shape=(U, U), name="recurrent_kernel")

        def call(self, inputs: Any, states: Any) -> Any:
            (h,) = states
            h = keras.ops.tanh(
                keras.ops.matmul(inputs, self.kernel) + keras.ops.matmul(h, self.recurrent_kernel)
            )
            return h, h

    return Minimal()


def pair_cell(keras: Any) -> Any:
    """A cell with states of two sizes, an output of a third one, and a layer inside."""

    class Pair(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.state_size = [U, 3]
            self.output_size = U + 3
            self.dense = keras.layers.Dense(U + 3)

        def build(self, input_shape: Any) -> None:
            self.dense.build(input_shape)

        def call(self, inputs: Any, states: Any) -> Any:
            a, b = states
            x = self.dense(inputs)
            a, b = a * 0.5 + x[:, :U], keras.ops.tanh(b + x[:, U:])
            return keras.ops.concatenate([a, b], axis=-1), [a, b]

    return Pair()


CUSTOM = {
    "minimal cell": lambda keras, **options: keras.layers.RNN(minimal_cell(keras), **options),
    "pair of states": lambda keras, **options: keras.layers.RNN(pair_cell(keras), **options),
    "stack": lambda keras, **options: keras.layers.RNN(
        [minimal_cell(keras), keras.layers.LSTMCell(U)], **options
    ),
    "LSTM": lambda keras, **options: keras.layers.LSTM(U, activation=smooth, **options),
    "GRU": lambda keras, **options: keras.layers.GRU(U, recurrent_activation=smooth, **options),
    "GRU before": lambda keras, **options: keras.layers.GRU(
        U, smooth, reset_after=False, **options
    ),
    "SimpleRNN": lambda keras, **options: keras.layers.SimpleRNN(U, activation=smooth, **options),
}


# At masked steps Keras repeats the first state, as if it were the output; here it is the output that is repeated.
STATE_IS_NO_OUTPUT = ("pair of states", "stack")


@pytest.mark.parametrize(
    ("options", "mask"),
    [
        ({}, None),
        ({"return_sequences": True, "go_backwards": True}, MASK),
        ({"return_sequences": True, "zero_output_for_mask": True}, MASK),
    ],
    ids=["plain", "backwards", "zeros"],
)
@pytest.mark.parametrize("name", CUSTOM)
def test_cells_and_activations_of_users(name: str, options: Any, mask: Any) -> None:
    make = CUSTOM[name]
    if name in STATE_IS_NO_OUTPUT and "go_backwards" in options:
        mask = None
    mine, peer = with_equal_weights(
        lambda keras: make(keras, return_state=True, **options), X.shape
    )
    assert_close(run(mine, None, mask), run(peer, None, mask))
    assert [w.path.partition("/")[2] for w in mine.weights] == [
        w.path.partition("/")[2] for w in peer.weights
    ]


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
@pytest.mark.parametrize(("name", "count"), [("LSTM", 2), ("GRU", 1), ("SimpleRNN", 1)])
def test_gradients_of_first_states(name: str, count: int, mask: Any) -> None:
    draw = np.random.default_rng(2)
    states = [draw.normal(size=(B, U)).astype("float32") for _ in range(count)]
    mine, peer = with_equal_weights(
        lambda keras: getattr(keras.layers, name)(U, return_sequences=True, return_state=True),
        X.shape,
    )
    assert_close(run(mine, states, mask), run(peer, states, mask))


STATEFUL = {
    "LSTM": lambda keras: keras.layers.LSTM(U, stateful=True),
    "GRU": lambda keras: keras.layers.GRU(U, stateful=True, return_sequences=True),
    "SimpleRNN": lambda keras: keras.layers.SimpleRNN(U, stateful=True, go_backwards=True),
    "Bidirectional": lambda keras: keras.layers.Bidirectional(keras.layers.LSTM(U, stateful=True)),
}


@pytest.mark.parametrize("make", STATEFUL.values(), ids=STATEFUL.keys())
def test_kept_states(make: Any) -> None:
    mine, peer = with_equal_weights(make, X.shape)
    for layer in (mine, peer):
        layer.reset_state()
    for part in (X, 2 * X, X):
        assert_close(mine(part), peer(part))
    assert_close(mine(X, mask=MASK), peer(X, mask=MASK))
    for layer in (mine, peer):
        layer.reset_states()
    assert_close(mine(X), peer(X))
    assert [w.path for w in mine.weights] == [
        w.path.replace(peer.name, mine.name, 1) for w in peer.weights
    ]


def translator(keras: Any) -> Any:
    """The encoder-decoder of Keras's guide: the decoder starts from the encoder's states."""
    layers = keras.layers
    source, target = keras.Input((None, D), name="source"), keras.Input((None, 3), name="target")
    _, h, c = layers.LSTM(U, return_state=True)(source)
    decoded, _, _ = layers.LSTM(U, return_sequences=True, return_state=True)(
        target, initial_state=[h, c]
    )
    outputs = layers.Dense(3, activation="softmax")(decoded)
    return keras.Model([source, target], outputs)


def both_ways_translator(keras: Any) -> Any:
    """An encoder that reads both ways, its states joined for a GRU that attends to masks."""
    layers = keras.layers
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None, 3))
    embedded = layers.Embedding(9, D, mask_zero=True)(source)
    encoded, forward, backward = layers.Bidirectional(
        layers.GRU(U, return_sequences=True, return_state=True)
    )(embedded)
    state = layers.Concatenate()([forward, backward])
    decoded = layers.GRU(2 * U, return_sequences=True)(target, initial_state=state)
    pooled = layers.GlobalAveragePooling1D()(encoded)
    return keras.Model([source, target], [layers.TimeDistributed(layers.Dense(3))(decoded), pooled])


def tagger(keras: Any) -> Any:
    """Masks that pass through several layers."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((T, D)),
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(U, return_sequences=True), merge_mode="ave"),
            layers.TimeDistributed(layers.Dense(3, activation="relu")),
            layers.GRU(U, return_sequences=True),
            layers.SimpleRNN(U),
        ]
    )


WORDS = np.array([[3, 1, 4, 0, 0], [8, 0, 0, 0, 0], [2, 7, 1, 8, 2]], "int32")
TARGET = np.random.default_rng(3).normal(size=(B, 4, 3)).astype("float32")
PADDED = np.where(np.random.default_rng(4).random((B, T, 1)) < 0.5, 0, X).astype("float32")
MODELS = {
    "translator": (translator, [X, TARGET]),
    "both ways": (both_ways_translator, [WORDS, TARGET]),
    "tagger": (tagger, PADDED),
}


@pytest.mark.parametrize(("make", "inputs"), MODELS.values(), ids=MODELS.keys())
def test_models(make: Any, inputs: Any) -> None:
    mine, peer = with_equal_weights(make)
    assert_close(jax.tree.leaves(mine(inputs)), jax.tree.leaves(peer(inputs)))
    assert_close(
        jax.tree.leaves(mine.predict(inputs, verbose=0)),
        jax.tree.leaves(peer.predict(inputs, verbose=0)),
    )
    again = type(mine).from_config(mine.get_config())
    again.set_weights(mine.get_weights())
    assert_close(jax.tree.leaves(again(inputs)), jax.tree.leaves(peer(inputs)))


@pytest.mark.parametrize(("make", "inputs"), MODELS.values(), ids=MODELS.keys())
def test_training(make: Any, inputs: Any) -> None:
    mine, peer = with_equal_weights(make)
    draw = np.random.default_rng(5)
    truth = jax.tree.map(
        lambda y: draw.normal(size=np.shape(y)).astype("float32"), peer.predict(inputs, verbose=0)
    )
    losses = []
    for model in (mine, peer):
        model.compile(optimizer="adam", loss="mse")
        history = model.fit(inputs, truth, epochs=4, batch_size=B, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    assert_close(*losses, dtype="training")
